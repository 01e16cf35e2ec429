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

enum { WATCH_PATH = 512 };

struct watch_file {		/* as the kernel names it: not st_dev on some file systems */
	uint64_t ino, gen;
	uint32_t major, minor;
};

struct watch_mapped {
	struct watch_file file;
	uint64_t when;		/* boot time, nanoseconds */
	bool looked;		/* set by whoever has looked at it, so that it need not be
				 * reported again */
	char path[WATCH_PATH];	/* where the process saw it; empty: that is longer */
};

struct watch_what {
	int pid;		/* 0: look at all */
	bool lost;		/* pid 0: for the kernel had to drop some */
	bool fresh;		/* the first is no longer ago than that it can be held */
	struct watch_mapped **file;	/* in the order of their times */
	size_t n;
};

/* On the watcher's thread. */
typedef void watch_fn(void *arg, const struct watch_what *);

struct watch {
	struct watch_cpu { int fd; void *map; } *cpu;
	int ncpu, stop;
	pthread_t thread;
	bool running;
	watch_fn *fn;
	/* on its thread, now and then: all that was mapped before then (boot time, 0: not
	 * known) has been reported; true: soon again. NULL: never */
	bool (*again)(void *arg, uint64_t then);
	void *arg;
	struct watch_known *known;	/* a table of KNOWN places */
};

/* Begins to collect, before anybody looks at /proc. -1 with errno. */
int watch_open(struct watch *);
/* Begins to report, on its thread; first of pid 0. -1 with errno. */
int watch_start(struct watch *, watch_fn *, void *arg);
/* Ends it, when all that was mapped until now has been reported. */
void watch_close(struct watch *);

#endif
