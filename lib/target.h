/*
 * target.h - the selection shared by all probes: options, and what the kernel
 * side needs to know of them
 *
 * Kinds of selector: processes (-p), names (-c), users (-u), sessions and
 * cgroups. Within a kind one match is enough, every kind given must match. No
 * selector chooses the whole system. -p and -c choose roots: whatever they
 * fork or have forked is chosen with them, unless --no-children.
 *
 * A name of -c is what people call a program: the name of the process, of a thread or
 * of the executable, the name that it was called by (argv[0]), or that of the script
 * which an interpreter runs, with its ending or without.
 */
#ifndef TARGET_H
#define TARGET_H

#ifndef __bpf__
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include "opt.h"
#endif

enum { TARGET_LIST = 16 };	/* selectors of one kind */

/* Per process, in the map target_procs. */
enum {
	TARGET_PID = 1,		/* named by -p, or descends from one that is */
	TARGET_COMM = 2,	/* the same for -c */
	TARGET_OWN = 4,		/* our own pipeline: never observed */
	TARGET_WAITING = 8,	/* not yet: from the next program on that it executes */
};

enum { TARGET_SETTLING, TARGET_NAMED, TARGET_FLAGS };	/* in the map target_flags */

struct target_conf {		/* constant once loaded */
	__u32 tree;		/* TARGET_PID | TARGET_COMM, as wanted */
	__u32 follow;		/* descendants too */
	__u32 ncomm, nuid, nsession, ncgroup;
	char comm[TARGET_LIST][16];
	__u32 uid[TARGET_LIST];
	__u32 session[TARGET_LIST];
	__u64 cgroup[TARGET_LIST];	/* cgroup v2 ids ... */
	__u32 level[TARGET_LIST];	/* ... and their depth below the root */
};

#ifndef __bpf__
struct bpf_object;
struct bpf_link;

struct target {
	struct opt_list pids, comms, uids, sessions, cgroups, containers;	/* as given */
	bool no_children, from_exec;
	struct target_conf conf;
	__u32 pid[TARGET_LIST];
	size_t npid;
	char *cgroup_paths[TARGET_LIST];	/* below the cgroup2 root */
	int procs, kin, flags;		/* map descriptors, once attached */
	struct bpf_link *links[4];
	int nlinks;
	int self;
};

/* Turns the options into conf. NULL, or a message (static) saying what is
 * wrong with which. */
const char *target_parse(struct target *);

/* Attaches the tracepoints that follow processes, then enters the chosen ones
 * that run already. Attached first, so that no fork falls in between. -1:
 * errno, *what says what failed. */
int target_attach(struct target *, struct bpf_object *, const char **what);
void target_detach(struct target *);

/* Whether a process is chosen now (/proc view; for listing and for finding
 * libraries to attach to; the kernel side decides on every event itself). */
bool target_has(const struct target *, int pid);

/* Whether a process is chosen, but only from the next program on that it executes. */
bool target_waits(const struct target *, int pid);

/* Whether there was no process of a name of -c, all the time that we ran. */
bool target_unmatched(const struct target *);

/* Never observes pid, nor what it forks from now on. */
void target_exclude(struct target *, int pid);
bool target_excluded(const struct target *, int pid);
#endif

#endif
