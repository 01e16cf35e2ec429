/*
 * ring.bpf.h - reserve or count: how a BPF program hands records to the reader
 *
 * Every record that finds no room is counted by the caller with count_add; the
 * reader emits the counts as "loss" events. Only a reader that says it sleeps is
 * woken, and once: the wakeup is an interrupt that the observed program pays.
 */
#ifndef RING_BPF_H
#define RING_BPF_H

#include "kernel.bpf.h"
#include "record.h"

enum { RING_KICK = 56 };	/* with its header a multiple of every record's alignment */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);	/* set by --ring-size */
} ring SEC(".maps");

/* Whether the reader sleeps until it is woken: ring.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} ring_asleep SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, struct loser);
	__type(value, __u64);
} losers SEC(".maps");

/* pid 0: the process that runs. Not static: so the verifier looks at it once, not once
 * for each reason. */
__noinline int
count_loser(__u32 what, __u32 pid, __u64 events)
{
	struct loser key = { what, pid ? pid : current_tgid() };
	__u64 *n = bpf_map_lookup_elem(&losers, &key);
	struct counts *c;
	__u32 zero = 0;

	/* two that begin at once: one of them finds what the other has put there */
	if (!n && key.pid && bpf_map_update_elem(&losers, &key, &events, BPF_NOEXIST) == 0)
		return 0;
	n = n ? n : bpf_map_lookup_elem(&losers, &key);
	if (n) {
		__sync_fetch_and_add(n, events);
		return 0;
	}
	c = bpf_map_lookup_elem(&counts, &zero);
	if (c && what < COUNT_MAX)
		__sync_fetch_and_add(&c->nobody[what], events);
	return 0;
}

/* Per CPU, and atomic: a sleepable program can be preempted by itself. A loss is
 * that of the process pid; 0: of the one that runs. */
static __always_inline void
count_of(__u32 pid, __u32 what, __u64 events, __u64 bytes)
{
	__u32 zero = 0;
	struct counts *c = bpf_map_lookup_elem(&counts, &zero);

	if (c) {
		__sync_fetch_and_add(&c->by[what].events, events);
		__sync_fetch_and_add(&c->by[what].bytes, bytes);
	}
	if (what != COUNT_SEEN && events)
		count_loser(what, pid, events);
}

static __always_inline void
count_add(__u32 what, __u64 events, __u64 bytes)
{
	count_of(0, what, events, bytes);
}

/* Wakes the reader if it sleeps. A record that is handed over is a full barrier,
 * and so is going to sleep (ring.c): either we see that it sleeps, or it the record. */
static __always_inline void
ring_wake(void)
{
	__u32 zero = 0;
	__u64 *asleep = bpf_map_lookup_elem(&ring_asleep, &zero);
	void *r;

	if (!asleep || !*(volatile __u64 *)asleep || !__sync_lock_test_and_set(asleep, 0))
		return;
	r = bpf_ringbuf_reserve(&ring, RING_KICK, 0);
	if (r)
		bpf_ringbuf_discard(r, BPF_RB_FORCE_WAKEUP);
	else
		*asleep = 1;
}

/* Hands over a record of bpf_ringbuf_reserve. */
static __always_inline void
ring_submit(void *record)
{
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	ring_wake();
}

/* Hands over a copy of n bytes; false: no room. */
static __always_inline bool
ring_put(void *from, __u64 n)
{
	if (bpf_ringbuf_output(&ring, from, n, BPF_RB_NO_WAKEUP))
		return false;
	ring_wake();
	return true;
}

/* Fills the head of a record from the current task. Not static: so the verifier
 * looks at it once per program. */
__noinline int
record_fill(struct record *r, __u32 kind, __u64 now)
{
	struct task_struct *task = current_task();
	struct task_struct *leader = task->group_leader;

	if (!r)
		return 0;
	r->kind = kind;
	r->pid = pid_ns ? task_tgid(task) : task->tgid;
	r->tid = pid_ns ? task_tid(task) : task->pid;
	r->uid = task->cred->uid.val;
	r->ns_pid = task_ns_pid(leader);
	r->pad = 0;
	r->born = leader->start_boottime;
	r->time = now;
	__builtin_memcpy(r->comm, leader->comm, sizeof(r->comm));
	__builtin_memcpy(r->thread, task->comm, sizeof(r->thread));
	return 0;
}

#endif
