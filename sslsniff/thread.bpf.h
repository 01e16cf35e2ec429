/*
 * thread.bpf.h - what we keep of a thread that has called a TLS function
 *
 * Also what would else be looked up for every call: whether the thread is to be
 * observed, and the image of its process.
 */
#ifndef THREAD_BPF_H
#define THREAD_BPF_H

#include "target.bpf.h"
#include "sslsniff.h"

enum { CALLS = 8 };			/* in progress on one thread, one inside another */
enum { WANTED_NS = 100000000 };		/* how long a thread once chosen may stay so */

struct thread {
	__u64 sp[CALLS];		/* of calls in progress at entry; 0: free */
	__u64 wanted_until;		/* boot time */
	__u64 gen;			/* of the process image, 0: not known */
	struct call calls[CALLS];
	struct endpoint last[2];	/* received from, sent to */
	__u32 ops[2], turned[2];	/* socket calls; the first with that socket */
	__u64 received;			/* by the last receive, if nobody read since */
	struct conn_key pending;	/* who wrote since the last send ... */
	__u64 bytes;			/* ... how much; unclear: more than one did */
	__u64 unclear;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

static __always_inline struct thread *
thread_get(bool make)
{
	return bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0,
	    make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

/* The current thread, if it is to be observed; NULL: it is not, or there is no
 * room for it, which is counted. now: boot time. */
static __always_inline struct thread *
thread_wanted(__u64 now)
{
	struct thread *t = thread_get(false);

	if (t && now < t->wanted_until)
		return t;
	if (!target_wanted())
		return NULL;
	if (!t && !(t = thread_get(true))) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_CALLS_FULL, 1, 0);
		return NULL;
	}
	if (target_by_process())
		t->wanted_until = now + WANTED_NS;
	return t;
}

/* The thread goes on with another program. */
static __always_inline void
thread_execs(void)
{
	struct thread *t = thread_get(false);

	if (t)
		t->gen = t->wanted_until = 0;
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

static __always_inline struct call *
call_begin(struct thread *t, __u64 sp)
{
	int i = call_at(t, sp);

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
	i &= CALLS - 1;
	t->sp[i] = sp;
	return &t->calls[i];
}

/* Takes the call that began at sp; false: there is none. */
static __always_inline bool
call_end(struct thread *t, __u64 sp, struct call *call)
{
	int i = call_at(t, sp);

	if (i < 0)
		return false;
	i &= CALLS - 1;
	t->sp[i] = 0;
	*call = t->calls[i];
	return true;
}

#endif
