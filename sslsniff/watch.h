/*
 * watch.h - says when a process maps a file to run it: exec, dlopen
 *
 * PERF_RECORD_MMAP2 of every CPU (perf_event_open(2)); needs CAP_PERFMON. A thread
 * of its own reads them, so that what takes long does not hold up the reader of
 * the ring.
 */
#ifndef WATCH_H
#define WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch_file {		/* as the kernel names it: not st_dev on some file systems */
	uint64_t ino, gen;
	uint32_t major, minor;
};

struct watch_what {
	int pid;		/* 0: the kernel had to drop some, look at all */
	uint64_t when;		/* boot time of the first mapping, nanoseconds */
	bool fresh;		/* it is no longer ago than that the process can be held */
};

/* On the watcher's thread. True: the process was looked at, and what it mapped need not
 * be reported again. */
typedef bool watch_fn(void *arg, const struct watch_what *);

struct watch {
	struct watch_cpu { int fd; void *map; } *cpu;
	int ncpu, stop;
	pthread_t thread;
	bool running;
	watch_fn *fn;
	/* on its thread, after each; true: soon again. NULL: never */
	bool (*again)(void *arg);
	void *arg;
	struct watch_file *known;	/* a table of KNOWN places */
};

/* Begins to collect, before anybody looks at /proc. -1 with errno. */
int watch_open(struct watch *);
/* Begins to report, on its thread; first of pid 0. -1 with errno. */
int watch_start(struct watch *, watch_fn *, void *arg);
void watch_close(struct watch *);

#endif
