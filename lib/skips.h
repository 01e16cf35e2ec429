/*
 * skips.h - how often the kernel did not run a collector's programs
 *
 * Most kinds of BPF program may not run again on a CPU where they have been
 * interrupted: the kernel then leaves the event out, and counts it in the
 * program (recursion_misses of struct bpf_prog_info, Linux 5.12; of perf
 * tracepoints and kprobes since 6.7). Nothing says what it would have seen.
 */
#ifndef SKIPS_H
#define SKIPS_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;

enum { SKIPS_PROGRAMS = 64 };

struct skips {
	unsigned n;
	struct skips_program {
		int fd;			/* the object's */
		const char *name;	/* the object's */
		uint64_t missed;
	} by[SKIPS_PROGRAMS];
};

/* After the object is loaded, which must outlive this. -1: it has more programs
 * than SKIPS_PROGRAMS (errno E2BIG). */
int skips_open(struct skips *, struct bpf_object *);

/* How many events have been left out since the last call, by all programs
 * together. One system call per program. */
uint64_t skips_read(struct skips *);

/* "on_return 12, on_call 1" as of the last skips_read; empty when there are none. */
const char *skips_text(const struct skips *, char *buf, size_t size);

#endif
