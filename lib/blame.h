/*
 * blame.h - which process lost most of what was lost
 *
 * BPF programs count lost events by process, too (losers in ring.bpf.h). Whoever floods
 * the ring is to be named, not only that it was full.
 */
#ifndef BLAME_H
#define BLAME_H

#include <stdint.h>

#include "loss.h"
#include "record.h"

enum { BLAME_PROCESSES = 8192 };

struct blame {
	int fd;			/* the map losers */
	struct blame_entry {
		uint32_t pid;	/* 0: free */
		uint32_t what;
		uint64_t now, all;
	} *by;			/* open addressing */
	uint32_t n;
	uint64_t nobody[COUNT_MAX], all_nobody[COUNT_MAX], kernel[COUNT_MAX];
	struct loss_who all[COUNT_MAX];	/* since the beginning */
};

/* 0, or -1 with errno. */
int blame_open(struct blame *, int fd);
void blame_close(struct blame *);
/* Takes what was lost since the last time. now: who lost most of it, by what was lost. Named is
 * only who lost at least as much as all that are not known together. */
void blame_take(struct blame *, const struct counts *, struct loss_who now[COUNT_MAX]);

#endif
