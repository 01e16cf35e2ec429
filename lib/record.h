/*
 * record.h - the head of every ring buffer record, and the counters beside it
 *
 * Shared by the BPF programs that write records and the collectors that read
 * them: fixed-width types only, host byte order.
 */
#ifndef RECORD_H
#define RECORD_H

#ifndef __bpf__
#include <linux/types.h>
#endif

struct record {
	__u32 kind;		/* the tool's own enum */
	__u32 pid, tid, uid;	/* pid is the process (tgid), as our namespace numbers it */
	__u32 ns_pid;		/* its number in its own pid namespace, 0: the same one */
	__u32 pad;
	__u64 born;		/* when the process started; with pid, a name for it */
	__u64 time;		/* of the event; both CLOCK_BOOTTIME, nanoseconds */
	char comm[16];		/* of the process: the group leader's */
	char thread[16];	/* of the thread */
};

/* What happened to what was seen: seen = written + each loss, in events (lines
 * that were due) and in bytes of payload. The tool names its own from
 * COUNT_TOOL on. */
enum {
	COUNT_SEEN,
	COUNT_RING_FULL,	/* no room in the ring: the reader is too slow */
	COUNT_FAULT,		/* the memory could not be read */
	COUNT_PROCS_FULL,	/* table of followed processes full: one is not followed */
	COUNT_TOOL,
	COUNT_MAX = 12,
};

struct count {
	__u64 events, bytes;
};

struct counts {
	struct count by[COUNT_MAX];
	/* of its events: those whose process is not kept in losers */
	__u64 nobody[COUNT_MAX];
};

/* Who lost: events by what was lost and the process that made them, since the reader
 * last took them (blame.h). */
struct loser {
	__u32 what, pid;
};

#endif
