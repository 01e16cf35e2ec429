/* export.c - queue, thread and retries; see export.h */
#include "otelsink/export.h"

#include "otelsink/http.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t SECOND = 1000000000, BACKOFF_FIRST = 1000000000, BACKOFF_MOST = 30000000000;

struct exporter {
	struct export_conf conf;
	pthread_t thread;
	pthread_mutex_t mutex;		/* all below */
	pthread_cond_t moved;
	struct request *first, **last;
	uint64_t queued;		/* bytes in memory, of the one under way too */
	struct export_counts counts;
	bool stopping;
	uint64_t until_ns;
	/* the thread's own */
	struct http *http;
	unsigned seed;			/* of the jitter */
	bool hurried;			/* a wait was cut short for the end */
	bool down;			/* told that the receiver cannot be reached ... */
	bool refused, rejected;		/* ... that it refuses, or takes a part only */
	bool unspooled;			/* ... that nothing can be kept on disk */
};

uint64_t
export_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void
add(struct exporter *x, struct export_count *c, uint64_t items, uint64_t bytes)
{
	pthread_mutex_lock(&x->mutex);
	c->items += items;
	c->bytes += bytes;
	pthread_mutex_unlock(&x->mutex);
}

/* --- sending ---------------------------------------------------------------------- */

static bool
is_over(void *arg)
{
	struct exporter *x = arg;
	bool over;

	pthread_mutex_lock(&x->mutex);
	over = x->stopping && export_clock() >= x->until_ns;
	pthread_mutex_unlock(&x->mutex);
	return over;
}

/* Waits, or until the end is near: a wait that would not fit before it is cut short once,
 * to try at once; one that fits is kept, for it may be what the receiver asked for.
 * False: it is over. */
static bool
pause_for(struct exporter *x, uint64_t ns)
{
	uint64_t end = export_clock() + ns, at;

	pthread_mutex_lock(&x->mutex);
	for (;;) {
		struct timespec t;

		at = x->stopping && x->until_ns < end ? x->until_ns : end;
		if (export_clock() >= at)
			break;
		if (at != end && !x->hurried) {
			x->hurried = true;
			break;
		}
		t = (struct timespec){ at / SECOND, at % SECOND };
		pthread_cond_timedwait(&x->moved, &x->mutex, &t);
	}
	pthread_mutex_unlock(&x->mutex);
	return !is_over(x);
}

/* Half to one and a half times a time that doubles. */
static uint64_t
backoff(struct exporter *x, unsigned tries)
{
	uint64_t ns = tries < 6 ? BACKOFF_FIRST << tries : BACKOFF_MOST;

	if (ns > BACKOFF_MOST)
		ns = BACKOFF_MOST;
	return ns / 2 + (uint64_t)((double)rand_r(&x->seed) / RAND_MAX * ns);
}

static void
say(struct exporter *x, const char *what, const char *why)
{
	if (!x->conf.quiet)
		fprintf(stderr, "otelsink: send %s to %s: %s%s\n", signal_name[x->conf.signal],
		    x->conf.to->url, why, what);
}

/* The answer is there: whatever it says, the request is done with. */
static void
settle(struct exporter *x, const struct request *r, const struct http_result *res)
{
	uint64_t rejected = res->reply.rejected;
	char text[400];

	if (res->rc == HTTP_REFUSED) {
		add(x, &x->counts.refused, r->items, r->len);
		if (!x->refused)
			say(x, "; counted from here on", res->why);
		x->refused = true;
		return;
	}
	if (rejected > r->items)
		rejected = r->items;
	add(x, &x->counts.sent, r->items - rejected, r->len);
	add(x, &x->counts.rejected, rejected, 0);
	if ((rejected || *res->reply.message) && !x->rejected) {
		snprintf(text, sizeof(text), "%" PRIu64 " of %u rejected: %s", rejected, r->items,
		    res->reply.message);
		say(x, "; counted from here on", text);
		x->rejected = true;
	}
	if (x->down)
		say(x, "", "it answers again");
	x->down = false;
}

/* True: the request is done with. */
static bool
deliver(struct exporter *x, struct request *r)
{
	uint64_t begin = export_clock(), wait;
	struct http_result res;

	for (unsigned tries = 0;; tries++) {
		http_post(x->http, r->body, r->len, r->json, &res);
		pthread_mutex_lock(&x->mutex);
		x->counts.requests++;
		x->counts.retries += tries > 0;
		pthread_mutex_unlock(&x->mutex);
		if (res.rc == HTTP_TAKEN || res.rc == HTTP_REFUSED) {
			settle(x, r, &res);
			return true;
		}
		if (res.rc == HTTP_GIVEN_UP)
			return false;
		if (!x->down)
			say(x, "; trying again (another receiver: --endpoint)", res.why);
		x->down = true;
		wait = backoff(x, tries);
		if (res.wait_s >= 0)	/* it knows better, within reason */
			wait = (res.wait_s > 3600 ? 3600 : res.wait_s) * SECOND;
		if (!r->number && export_clock() + wait - begin > x->conf.retry_ns) {
			add(x, &x->counts.unsent, r->items, r->len);
			return true;
		}
		if (!pause_for(x, wait))
			return false;
	}
}

/* What was not delivered stays on disk, or is given up. */
static void
leave(struct exporter *x, const struct request *r)
{
	if (!r->number)
		add(x, &x->counts.unsent, r->items, r->len);
}

static void
send_one(struct exporter *x, struct request *r)
{
	bool spooled = r->number, done = true;

	if (is_over(x)) {
		leave(x, r);
		done = !spooled;
	} else if (spooled && spool_load(x->conf.spool, r)) {
		say(x, "; counted as spool_lost",
		    errno == EBADMSG ? "a file of the spool is damaged" : strerror(errno));
		add(x, &x->counts.spool_lost, r->items, r->len);
		spool_remove(x->conf.spool, r);
	} else if (deliver(x, r)) {
		if (spooled)
			spool_remove(x->conf.spool, r);
	} else {
		leave(x, r);
		done = !spooled;
	}
	pthread_mutex_lock(&x->mutex);
	if (done)
		x->counts.waiting -= r->items;
	if (!spooled)
		x->queued -= r->len;
	pthread_mutex_unlock(&x->mutex);
	request_free(r);
}

static void *
run(void *arg)
{
	struct exporter *x = arg;
	struct request *r;

	for (;;) {
		pthread_mutex_lock(&x->mutex);
		while (!x->first && !x->stopping)
			pthread_cond_wait(&x->moved, &x->mutex);
		if ((r = x->first) && !(x->first = r->next))
			x->last = &x->first;
		pthread_mutex_unlock(&x->mutex);
		if (!r)
			return NULL;
		send_one(x, r);
	}
}

/* --- the other side ----------------------------------------------------------------- */

struct exporter *
exporter_new(const struct export_conf *conf)
{
	struct exporter *x = calloc(1, sizeof(*x));
	pthread_condattr_t attr;
	sigset_t all, old;

	if (!x)
		return NULL;
	x->conf = *conf;
	x->last = &x->first;
	x->seed = export_clock();
	pthread_mutex_init(&x->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&x->moved, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);	/* signals are for the thread that reads */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!(x->http = http_new(conf->to, is_over, x)))
		errno = ENOMEM;
	else
		errno = pthread_create(&x->thread, NULL, run, x);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!x->http || errno) {
		http_free(x->http);
		free(x);
		return NULL;
	}
	return x;
}

static bool
spool_it(struct exporter *x, struct request *r)
{
	if (!x->conf.spool || r->number || spool_put(x->conf.spool, r) == 0)
		return true;
	if (errno == EFBIG) {
		add(x, &x->counts.spool_full, r->items, r->len);
		return false;
	}
	if (!x->unspooled && !x->conf.quiet)
		fprintf(stderr, "otelsink: keep a request in the spool: %s%s;"
		    " from here on they wait in memory alone\n",
		    strerror(errno), errno == ENOSPC ? " (make room on its disk)" : "");
	x->unspooled = true;
	return true;
}

void
exporter_put(struct exporter *x, struct request *r)
{
	if (!spool_it(x, r)) {
		request_free(r);
		return;
	}
	pthread_mutex_lock(&x->mutex);
	if (!r->number && x->queued + r->len > x->conf.queue_bytes) {
		x->counts.queue_full.items += r->items;
		x->counts.queue_full.bytes += r->len;
		request_free(r);
	} else {
		r->next = NULL;
		*x->last = r;
		x->last = &r->next;
		x->counts.waiting += r->items;
		if (!r->number)
			x->queued += r->len;
		pthread_cond_signal(&x->moved);
	}
	pthread_mutex_unlock(&x->mutex);
}

void
exporter_counts(struct exporter *x, struct export_counts *c)
{
	pthread_mutex_lock(&x->mutex);
	*c = x->counts;
	pthread_mutex_unlock(&x->mutex);
}

void
exporter_say_stop(struct exporter *x, uint64_t until_ns)
{
	pthread_mutex_lock(&x->mutex);
	x->stopping = true;
	x->until_ns = until_ns;
	pthread_cond_broadcast(&x->moved);
	pthread_mutex_unlock(&x->mutex);
}

bool
exporter_join(struct exporter *x)
{
	uint64_t at;
	struct timespec t;

	pthread_mutex_lock(&x->mutex);
	at = x->until_ns + 3 * SECOND;	/* a request is asked to end about once a second */
	pthread_mutex_unlock(&x->mutex);
	t = (struct timespec){ at / SECOND, at % SECOND };
	return pthread_clockjoin_np(x->thread, NULL, CLOCK_MONOTONIC, &t) == 0;
}

void
exporter_free(struct exporter *x)
{
	if (!x)
		return;
	http_free(x->http);
	pthread_cond_destroy(&x->moved);
	pthread_mutex_destroy(&x->mutex);
	free(x);
}
