/*
 * thread.bpf.h - what we keep of a thread that has called a TLS function
 *
 * Also what would else be looked up for every call: whether the thread is to be
 * observed, and the image of its process. And room to work in: the programs may
 * sleep, so what their frames cannot hold belongs to the thread, never to the CPU.
 */
#ifndef THREAD_BPF_H
#define THREAD_BPF_H

#include "target.bpf.h"
#include "sslsniff.h"

enum { CALLS = 8 };			/* in progress on one thread, one inside another */
enum { WANTED_NS = 100000000 };		/* how long a thread once chosen may stay so */
enum { SPARES = 128 };

/* The bytes of one call on their way: data.bpf.h. */
struct job {
	__u64 buf;
	__u64 limit, total;	/* bytes to capture, bytes transferred */
	__u64 off;		/* of the call's first byte in the stream */
	struct ssl_record head;	/* what all its records have in common: thread_record */
};

/* A server name: sslsniff.bpf.c. */
struct name {
	char text[NAME_MAX_LEN];
};

/* The search for a box: rustls.bpf.h. */
enum { HUNT_REGS = 8 };		/* a power of two; two are empty */
struct box_hunt {
	__u64 regs[HUNT_REGS];	/* where to look from */
	__u64 object, dir;	/* what for: its direction */
	__u64 base, file;	/* of the program */
	__u64 at;		/* where its box is */
	__u64 other;		/* the other direction's object */
};

/* Uprobe programs alone use this, and a thread runs one of them at a time: also when
 * it sleeps, or another thread takes its CPU, nobody else writes here. */
struct work {
	struct call call;	/* of programs that do not use the thread's */
	struct conn conn;	/* one that is made */
	struct box_hunt hunt;
	struct name name;
	struct job job;
};

struct thread {
	__u64 sp[CALLS];		/* of calls in progress at entry; 0: free */
	__u64 wanted_until;		/* boot time */
	__u64 gen;			/* of the process image, 0: not known */
	struct call calls[CALLS];
	volatile __u32 at;		/* the call at hand */
	__u32 inside;			/* how many are in progress */
	struct endpoint last[2];	/* received from, sent to */
	__u32 ops[2], turned[2];	/* socket calls; the first with that socket */
	__u64 received;			/* by the last receive, if nobody read since */
	struct conn_key pending;	/* who wrote since the last send ... */
	__u64 bytes;			/* ... how much; unclear: more than one did */
	__u64 unclear;
	struct work work;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

/* Room for threads that the kernel has no storage for. None is made while a thread
 * that was preempted on this CPU is in the helper; before Linux 6.2 none is found then.
 * And on a CPU without cmpxchg16b none is ever made, from Linux 6.19 on. */
struct spare_key {
	__u64 task, born;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SPARES);
	__type(key, struct spare_key);
	__type(value, struct thread);
} spares SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct thread);
} spare_empty SEC(".maps");

static __u64 spares_used;

static __always_inline struct spare_key
spare_key(void)
{
	return (struct spare_key){ bpf_get_current_task(), current_task()->start_boottime };
}

/* The current thread's; NULL: it has none, or no more can be made. */
static __noinline struct thread *
spare_get(bool make)
{
	struct spare_key key = spare_key();
	__u32 zero = 0;
	void *empty;

	if (make) {
		empty = bpf_map_lookup_elem(&spare_empty, &zero);
		if (!empty || bpf_map_update_elem(&spares, &key, empty, BPF_NOEXIST))
			return NULL;
		__sync_fetch_and_add(&spares_used, 1);
	}
	return bpf_map_lookup_elem(&spares, &key);
}

/* The current thread ends. */
static __always_inline void
spare_drop(void)
{
	struct spare_key key;

	if (!spares_used)
		return;
	key = spare_key();
	if (bpf_map_delete_elem(&spares, &key) == 0)
		__sync_fetch_and_sub(&spares_used, 1);
}

/* The current thread's; NULL: it has none. */
static __always_inline struct thread *
thread_get(void)
{
	struct thread *t = spares_used ? spare_get(false) : NULL;

	return t ? t : bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0, 0);
}

/* Whether the current task is to be observed. Not static: so the verifier looks at
 * it once per program, whatever calls it from where. */
__noinline int
thread_chosen(void)
{
	return target_wanted();
}

static __always_inline void
thread_lost(void)
{
	count_add(COUNT_SEEN, 1, 0);
	count_add(COUNT_STORAGE, 1, 0);
}

/* The current thread's, made when it has none. NULL: that failed, which is counted. */
static __always_inline struct thread *
thread_make(void)
{
	struct thread *t = thread_get();

	if (!t)
		t = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0,
		    BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t)
		t = spare_get(true);
	if (!t)
		thread_lost();
	return t;
}

static __noinline struct thread *
thread_wanted_again(__u64 now)
{
	struct thread *t;

	if (!thread_chosen() || !(t = thread_make()))
		return NULL;
	if (target_by_process())
		t->wanted_until = now + WANTED_NS;
	return t;
}

/* The current thread, if it is to be observed; NULL: it is not, or there is no
 * room for it, which is counted. now: boot time. */
static __always_inline struct thread *
thread_wanted(__u64 now)
{
	struct thread *t = thread_get();

	return t && now < t->wanted_until ? t : thread_wanted_again(now);
}

/* The current thread where a call ends; NULL: it has begun none that was observed.
 * Only before Linux 6.2 may that also be because its storage is not found. */
static __always_inline struct thread *
thread_ends_call(void)
{
	struct thread *t = thread_get();

	if (t || bpf_core_enum_value_exists(enum bpf_map_type___with_cast,
	    BPF_MAP_TYPE_CGRP_STORAGE___with_cast) || !thread_chosen())
		return t;
	t = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0,
	    BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t)
		thread_lost();
	return t;
}

/* The head of the current thread's records. What stays as it is until the thread
 * execs is kept there from one call to the next: all of it takes the kernel longer to
 * say than it takes to write a record. */
static __always_inline struct record *
thread_record(struct thread *t, __u64 now)
{
	struct record *r = &t->work.job.head.head;
	struct task_struct *task, *leader;

	if (!r->pid) {
		record_fill(r, SSL_DATA, now);
		return r;
	}
	task = current_task();
	leader = task->group_leader;
	r->time = now;
	r->uid = task->cred->uid.val;
	__builtin_memcpy(r->comm, leader->comm, sizeof(r->comm));
	__builtin_memcpy(r->thread, task->comm, sizeof(r->thread));
	return r;
}

/* The thread goes on with another program, and maybe with the number of the process. */
static __always_inline void
thread_execs(void)
{
	struct thread *t = thread_get();

	if (!t)
		return;
	t->gen = t->wanted_until = 0;
	t->work.job.head.head.pid = 0;
}

/* --- calls in progress ----------------------------------------------------------- */

/* The return address that "call" pushed is gone again at return. */
enum { RETURN_SIZE = 8 };

/* By stack pointer, for one TLS call may run inside another on the same thread; -1:
 * none. */
static __always_inline int
call_at(struct thread *t, __u64 sp)
{
	for (int i = 0; i < CALLS; i++)
		if (t->sp[i] == sp)
			return i;
	return -1;
}

/* Call i. It goes through memory so that the verifier forgets which one it is, and
 * looks at what follows once, not CALLS times. */
static __always_inline struct call *
call_number(struct thread *t, int i)
{
	t->at = i;
	return &t->calls[t->at & (CALLS - 1)];
}

static __always_inline struct call *
call_begin(struct thread *t, __u64 sp)
{
	int i = t->inside ? call_at(t, sp) : 0;

	if (i < 0)
		i = call_at(t, 0);
	if (i < 0) {
		i = 0;
		for (int k = 1; k < CALLS; k++)
			if (t->calls[k].since < t->calls[i & (CALLS - 1)].since)
				i = k;
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_CALLS_FULL, 1, 0);
	}
	if (!t->sp[i & (CALLS - 1)])
		t->inside++;
	t->sp[i & (CALLS - 1)] = sp;
	return call_number(t, i);
}

/* Takes the call that began at sp, which stays until the next one begins; NULL:
 * there is none. */
static __always_inline struct call *
call_end(struct thread *t, __u64 sp)
{
	int i = call_at(t, sp);

	if (i < 0)
		return NULL;
	t->sp[i & (CALLS - 1)] = 0;
	t->inside--;
	return call_number(t, i);
}

#endif
