/*
 * procs.h - reads /proc again and again
 *
 * The files of a process stay open from one look to the next, for walking the
 * path costs more than reading. They go on meaning the same process when its
 * pid is another's.
 */
#ifndef PROCS_H
#define PROCS_H

#include "sample.h"

struct procs_files {
	int pid, stat, io;	/* descriptors, -1: not open */
};

struct procs {
	int dir;				/* /proc */
	struct procs_files *now, *old;		/* by pid, as /proc lists them */
	size_t n, nold, cap;
	size_t max;				/* of processes whose files stay open */
};

/* Opens /proc, and lets us have as many descriptors as we may. -1: errno. */
int procs_open(struct procs *);

/* Looks at every process. How many could not be made sense of; -1: errno. */
int procs_look(struct procs *, struct sample *);

/* Reads /proc/PID/io of a process of the last look, and ends it with NUL. Bytes;
 * 0 or less when it cannot be read. */
long procs_io(struct procs *, int pid, char *buf, size_t size);

#endif
