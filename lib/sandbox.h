/*
 * sandbox.h - what a program may still do once its inputs and outputs are open
 *
 * Every byte that a filter or a sink reads was written by somebody who may want to
 * turn it against its owner. seccomp(2), by libseccomp: the system calls that the
 * tool needs, by the kinds below; others fail, and those that only somebody who has
 * taken the program over would make end it. Landlock (landlock(7)): no file can be
 * opened but those that were named, no TCP port but what was asked for, no signal to
 * and no abstract socket of others. Beside that no_new_privs, and not dumpable: a
 * process of the same user can neither trace it nor open its descriptors in /proc.
 *
 * Both last for the life of the process, and of what it starts. To be entered
 * before it has threads: Landlock is of the calling one.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_need {
	SANDBOX_FILES = 1,	/* opens, makes, renames and removes files (those named) */
	SANDBOX_THREADS = 2,
	SANDBOX_CONNECT = 4,	/* to other hosts, and asks for their addresses */
	SANDBOX_SERVE = 8,	/* listens at one TCP port */
	SANDBOX_BPF = 16,	/* a collector: maps, links, /proc; Landlock is not for it */
	SANDBOX_CHILDREN = 32,	/* forks, and waits */
	SANDBOX_RECEIVE = 64,	/* from a socket that is open */
	/* stops a process that begins, and lets it go; no more of ptrace(2) */
	SANDBOX_HOLD = 128,
	SANDBOX_WATCH = 512,	/* sees the end of processes, by pidfd_open(2) */
	SANDBOX_PEERS = 256,	/* reads what /proc shows to the same user alone: no Landlock */
};

enum sandbox_path {
	SANDBOX_READ,		/* a file, or all below a folder */
	SANDBOX_WRITE,		/* and writes, makes, renames and removes there */
};

enum { SANDBOX_PATHS = 64 };

struct sandbox {
	unsigned needs;		/* set of sandbox_need */
	unsigned port;		/* of SANDBOX_SERVE */
	size_t n;
	struct { int fd; bool write; } path[SANDBOX_PATHS];
};

void sandbox_init(struct sandbox *, unsigned needs);

/* Adds a file or folder, as it is now; one that is not there is left out. folder: the
 * one that it is in, because files beside it are made (a journal, the next one). */
void sandbox_allow(struct sandbox *, enum sandbox_path, const char *path);
void sandbox_allow_folder(struct sandbox *, enum sandbox_path, const char *path);

/* What looking up host names needs, and certificates. */
void sandbox_allow_network(struct sandbox *);

/* Enters. 0: all holds. 1: without Landlock, which this kernel has not. -1 with errno:
 * nothing can be relied on, and the program should end. Closes what was allowed. */
int sandbox_enter(struct sandbox *);

#endif
