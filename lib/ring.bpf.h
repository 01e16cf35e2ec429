/*
 * ring.bpf.h - reserve or count: how a BPF program hands records to the reader
 *
 * Every record that finds no room is counted by the caller with count_add; the
 * reader tells the counts as "loss" events. Submitting does not wake the
 * reader each time: at most once per millisecond, or sooner when the ring
 * fills; the reader never sleeps longer than 2 ms after it found something.
 */
#ifndef RING_BPF_H
#define RING_BPF_H

#include "kernel.bpf.h"
#include "record.h"

enum {
	RING_WAKE_NS = 1000000,		/* no two wakeups closer than this ... */
	RING_RUSH_NS = 100000,		/* ... or this, when a quarter is used */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);	/* set by --ring-size */
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} counts SEC(".maps");

static __u64 ring_woken;	/* when the reader was last woken */

/* Per CPU, and atomic: a sleepable program can be preempted by itself. */
static __always_inline void
count_add(int what, __u64 events, __u64 bytes)
{
	__u32 zero = 0;
	struct counts *c = bpf_map_lookup_elem(&counts, &zero);

	if (c) {
		__sync_fetch_and_add(&c->by[what].events, events);
		__sync_fetch_and_add(&c->by[what].bytes, bytes);
	}
}

/* Whether handing over a record wakes the reader: flags for the ring. now:
 * bpf_ktime_get_boot_ns, not older than microseconds (or the reader may have
 * gone to sleep since). */
static __always_inline __u64
ring_flags(__u64 now)
{
	__u64 since = now - ring_woken;

	/* ring_woken may be later than now: another CPU set it */
	if ((__s64)since > RING_WAKE_NS || ((__s64)since > RING_RUSH_NS &&
	    bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >
	    bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 4)) {
		ring_woken = now;
		return BPF_RB_FORCE_WAKEUP;
	}
	return BPF_RB_NO_WAKEUP;
}

/* Submits a record of bpf_ringbuf_reserve. now: as ring_flags has it. */
static __always_inline void
ring_submit(void *record, __u64 now)
{
	bpf_ringbuf_submit(record, ring_flags(now));
}

/* Fills the head of a record from the current task. Not static: so the verifier
 * looks at it once per program, for which each access to a kernel structure is a
 * search through all of its types. */
__noinline int
record_fill(struct record *r, __u32 kind, __u64 now)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct task_struct *leader = task->group_leader;
	__u64 id = bpf_get_current_pid_tgid();

	if (!r)
		return 0;
	r->kind = kind;
	r->pid = id >> 32;
	r->tid = (__u32)id;
	r->uid = (__u32)bpf_get_current_uid_gid();
	r->ns_pid = task_ns_pid(leader);
	r->pad = 0;
	r->born = leader->start_boottime;
	r->time = now;
	__builtin_memcpy(r->comm, leader->comm, sizeof(r->comm));
	__builtin_memcpy(r->thread, task->comm, sizeof(r->thread));
	return 0;
}

#endif
