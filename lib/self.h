/*
 * self.h - which processes are our own pipeline
 *
 * Whoever consumes what we write must not be observed: what it sends would be
 * captured, be sent again, and so for ever. Ours are: this process; programs
 * from the folder our own executable is in; and whatever reads a pipe that we
 * or one of those behind us write to (standard input and output only). Not our
 * process group: a script without job control shares it with what it observes.
 */
#ifndef LIB_SELF_H
#define LIB_SELF_H

#include <stdbool.h>
#include <sys/types.h>

enum { SELF_PIPES = 32 };

struct target;

struct self {
	struct target *target;
	char folder[4096];	/* of our executables; empty: a common bin folder */
	struct { dev_t dev; ino_t ino; } pipe[SELF_PIPES];
	int npipe;
};

/* out: the descriptor that events are written to. */
void self_init(struct self *, struct target *, int out);
/* Looks at all processes, and excludes those of ours. */
void self_scan(struct self *);
/* Looks at one; true when it is ours. */
bool self_check(struct self *, int pid);
/* The same for one that executes a program just now: exe[0..n). */
bool self_check_exec(struct self *, int pid, const char *exe, size_t n);

#endif
