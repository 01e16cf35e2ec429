/*
 * self.h - which processes are our own pipeline
 *
 * Whoever consumes what we write must not be observed: what it sends would be
 * captured, be sent again, and so for ever. Ours are: this process; programs
 * from the folder our own executable is in; and whatever reads a pipe that we
 * or one of those behind us write to (standard input and output only). Not our
 * process group: a script without job control shares it with what it observes.
 *
 * Folder and pipe can be had by whom we observe: he can mount the one elsewhere, or read
 * the other. So who starts a pipeline for somebody else says who is in it (--self-fd),
 * and then nobody else is ours.
 */
#ifndef LIB_SELF_H
#define LIB_SELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SELF_PIPES = 32, SELF_REPORTED = 256 };

struct target;

struct self {
	struct target *target;
	char folder[4096];	/* of our executables; empty: a common bin folder */
	struct { dev_t dev; ino_t ino; } pipe[SELF_PIPES];
	int npipe;
	int fd;			/* a file of pids, one a line, that grows; -1: nobody says */
	off_t read;		/* of it */
	/* with the time of birth, for a number may come again */
	struct { int pid; uint64_t start; } reported[SELF_REPORTED];
	int nreported;
};

/* out: the descriptor that events are written to; fd: of the pids, or -1. */
void self_init(struct self *, struct target *, int out, int fd);
/* Looks at all processes, and excludes those of ours. */
void self_scan(struct self *);
/* Whether more was said than was read so far; reads it. */
bool self_more(struct self *);
/* Looks at one; true when it is ours. */
bool self_check(struct self *, int pid);
/* The same for one that executes a program just now: exe[0..n). */
bool self_check_exec(struct self *, int pid, const char *exe, size_t n);

#endif
