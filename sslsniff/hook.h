/*
 * hook.h - a file that a process maps is looked at, and its functions are hooked
 *
 * Who begins may be held until that is done (hold.h); a file that takes long is waited
 * for by a thread of its own, so that others are hooked meanwhile. What a program had
 * done by then is counted (missed.h).
 */
#ifndef HOOK_H
#define HOOK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "attach.h"
#include "hold.h"
#include "missed.h"
#include "site.h"

struct probe;
struct watch_mapped;

struct hook {
	struct probe *probe;
	bool no_hold;
	uid_t uid;			/* of who looks at files; 0: as we are */
	bool running;			/* what can be hooked later is no reason to fail */
	struct attach attach;
	struct hold hold;
	struct missed missed;
	struct mapper who;		/* of the file at hand */
	bool fresh;			/* it has just mapped it, and may have to be held */
	size_t before;			/* what was attached by then */
	atomic_uint unseen;		/* files not hooked since it was last set to 0 */
	atomic_bool stopping;		/* set when all is to end: who waits for a file, waits no
					 * more */
	/* the rest is hook.c's */
	pthread_mutex_t lock;
	pthread_cond_t slow_ended;
	struct sites sites;
	struct slow *slow;		/* files that are waited for */
	unsigned nslow;
};

/* False: out of memory. The caller sets what is before who. */
bool hook_open(struct hook *);
/* After the last file, when stopping is set: until nobody waits. */
void hook_stop(struct hook *);
/* Takes all probes off. */
void hook_close(struct hook *);

/* Looks at an open file, which h->who maps, and hooks it, if that was not done already;
 * must: failing is fatal. True: that is done; false: it takes long. */
bool hook_file(struct hook *, int fd, const char *path, bool must);
/* The same for a file that pid had mapped, but has no more, when it has begun connections
 * since: what passed on them is lost unless the file has no TLS. */
bool hook_gone(struct hook *, int pid, const struct watch_mapped *);
/* h->who has mapped no more: it goes on if it was held. */
void hook_done(struct hook *);
/* Now and then; then: all that was mapped until that boot time has been looked at, or is
 * waited for. True: come again soon. */
bool hook_tidy(struct hook *, uint64_t then);

#endif
