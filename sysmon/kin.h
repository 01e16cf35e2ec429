/*
 * kin.h - who descends from whom, also when the parent is gone by the next look
 *
 * Between two looks at /proc a process may fork and end; its child has another parent
 * then, and /proc does not say whose it was. The kernel tells of every fork who wants to
 * know (proc connector, <linux/cn_proc.h>), with CAP_NET_ADMIN, in the first pid and
 * network namespace.
 */
#ifndef KIN_H
#define KIN_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"

struct kin {
	int fd;				/* the socket; -1: none */
	struct kin_member {
		int pid;		/* 0: free */
		uint64_t groups;
	} *table;			/* by pid, open addressing; at most half full */
	size_t n, cap;
};

/* Listens from now on. -1: the kernel does not let us (errno); then the others do
 * nothing. */
int kin_open(struct kin *);
void kin_close(struct kin *);

/* After a look: gives the groups of parents to processes that were forked since the
 * look before, whoever their parent is now. roots: processes with groups that may have
 * forked before any look, by pid in the order of their groups, 0 for none. False: the
 * kernel had no room for some of the forks, or we have no memory. */
bool kin_spread(struct kin *, const struct sample *before, struct sample *now,
    const int *roots, size_t nroots);

#endif
