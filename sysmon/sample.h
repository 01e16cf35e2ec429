/*
 * sample.h - one look at every process, and what a group used between two
 *
 * No I/O here: the caller reads /proc/PID/stat, this makes sense of it.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAMPLE_GROUPS = 64 };

struct sample_proc {
	int pid, ppid, session;
	uint32_t threads;
	uint64_t start;			/* clock ticks since boot: pid + start is one life */
	uint64_t own, reaped;		/* CPU clock ticks: its own, its waited-for children's */
	uint64_t vsz_bytes, rss_pages;
	uint64_t groups;		/* a bit per group it belongs to */
	char comm[16];			/* NUL-padded */
};

struct sample {
	struct sample_proc *p;		/* by pid, ascending */
	size_t n, cap;
	uint64_t time_ns;		/* boot clock */
};

/* The text of /proc/PID/stat (proc(5)). False when it is not that. */
bool sample_parse(struct sample_proc *, const char *stat, size_t n);

/* Adds a process; -1: out of memory. Order does not matter before sample_sort. */
int sample_add(struct sample *, const struct sample_proc *);
void sample_sort(struct sample *);
void sample_free(struct sample *);
struct sample_proc *sample_find(const struct sample *, int pid);

/* Spreads membership: a process keeps the groups it had in before (unless its
 * pid is another process by now), and with children takes its parent's. */
void sample_inherit(struct sample *now, const struct sample *before, bool children);

/* CPU clock ticks that the group used between two samples. Time of processes
 * that came and went in between is in it as soon as a member has waited for
 * them; what a process used before it was reaped is counted once. */
uint64_t sample_ticks(const struct sample *before, const struct sample *now, uint64_t group);

#endif
