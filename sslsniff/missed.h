/*
 * missed.h - connections of programs from before they were hooked
 *
 * A program that was executed while we watched, and begins a connection before its
 * file, or a library that it loads, was looked at: nobody knows what passed. The BPF
 * programs keep when each program began its connections, also for a while after it is
 * over (struct exec in sslsniff.h). Each is counted once.
 */
#ifndef MISSED_H
#define MISSED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "loss.h"

struct missed {
	int execs, ended, answered;	/* the maps of these names */
	const volatile uint64_t *last_dialed;	/* boot time, or NULL */
	pthread_mutex_t lock;		/* of what follows */
	uint64_t conns;			/* not taken yet */
	struct loss_who who;		/* has most of them */
};

/* A process that mapped a file; what it forked since has it too. */
struct mapper {
	uint32_t pid;		/* 0: none */
	uint64_t when;		/* boot time; 0: not known, since its exec */
	uint64_t ino;		/* of the file, as /proc/PID/maps says it */
};

void missed_open(struct missed *);

/* Whether it has begun a connection since that is not counted. */
bool missed_any(struct missed *, const struct mapper *);
/* Before the file is attached: the BPF programs are not to count its connections when
 * they meet them. */
void missed_begin(struct missed *, const struct mapper *);
/* Counts those begun since, and until then (boot time). */
void missed_count(struct missed *, const struct mapper *, uint64_t until);
/* Nobody knows what processes have mapped: counts all of those that are over. */
void missed_count_ended(struct missed *);
/* What those mapped that were over by then has been looked at, or counted. */
void missed_forget(struct missed *, uint64_t then);

/* Takes what was counted, for any thread. */
uint64_t missed_take(struct missed *, struct loss_who *);

#endif
