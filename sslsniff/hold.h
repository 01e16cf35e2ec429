/*
 * hold.h - a program that has just been executed waits until its probes are on it
 *
 * By ptrace(2): PTRACE_SEIZE and PTRACE_INTERRUPT, which neither its parent nor its
 * terminal notices, and which end by themselves when we do. All of it is one thread's:
 * only who has seized a process can let it go.
 */
#ifndef HOLD_H
#define HOLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "record.h"

enum { HOLD_MAX_MS = 1000, HOLD_LEFT = 16, HOLD_REPORTS = 64 };

/* Who was held, from who.time on. */
struct held {
	struct record who;
	uint64_t ns;
	bool attached;		/* else it took too long, or there was nothing to attach to */
	char path[4096];	/* of its program */
};

struct hold {
	struct held now;	/* now.who.pid 0: nobody is held */
	int left[HOLD_LEFT];	/* seized, and not yet to be let go; 0: none */
	pthread_mutex_t lock;	/* of what follows */
	struct held *reports;	/* of those let go, to be taken by another thread */
	unsigned n;
};

/* False: out of memory. */
bool hold_open(struct hold *);

/* Stops a process that has one thread. False: it runs, for it is traced already, has
 * more threads, has ended, or did not stop within half a second; or there is no room
 * to report it. */
bool hold_begin(struct hold *, int pid);
/* How long it may still be held, in milliseconds. */
int hold_rest_ms(const struct hold *);
/* Lets it go, to be reported. */
void hold_end(struct hold *, bool attached);
/* Takes a report; false: there is none. For any thread. */
bool hold_report(struct hold *, struct held *);
/* Lets those go that did not stop in time; true: some are left, so come again soon. */
bool hold_tidy(struct hold *);

#endif
