/* recent.c - the newest event lines; see recent.h */
#include "recent.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_COST = 64 };	/* of a line's head and its place, about */

struct recent {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct recent_line **slot;	/* by number modulo cap */
	size_t cap, max_lines, max_bytes;
	unsigned waiting;
	bool stopped;
	struct recent_state is;
};

struct recent *
recent_new(size_t max_bytes, size_t max_lines)
{
	struct recent *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (!r)
		return NULL;
	r->cap = 4096;
	if (!(r->slot = calloc(r->cap, sizeof(*r->slot)))) {
		free(r);
		return NULL;
	}
	r->max_bytes = max_bytes;
	r->max_lines = max_lines;
	r->is.first = r->is.next = 1;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->more, &attr);
	pthread_condattr_destroy(&attr);
	return r;
}

void
recent_release(struct recent_line *l)
{
	if (l && atomic_fetch_sub(&l->refs, 1) == 1)
		free(l);
}

void
recent_free(struct recent *r)
{
	if (!r)
		return;
	for (uint64_t id = r->is.first; id < r->is.next; id++)
		recent_release(r->slot[id % r->cap]);
	pthread_cond_destroy(&r->more);
	pthread_mutex_destroy(&r->lock);
	free(r->slot);
	free(r);
}

static size_t
cost(const struct recent_line *l)
{
	return LINE_COST + l->n + l->preview_n;
}

static void
drop_oldest(struct recent *r)
{
	struct recent_line *l = r->slot[r->is.first % r->cap];

	r->is.bytes -= cost(l);
	r->is.left++;
	r->is.left_bytes += l->n;
	r->is.first++;
	recent_release(l);
}

/* Twice the places; numbers stay, their places move. */
static int
grow(struct recent *r)
{
	size_t cap = 2 * r->cap;
	struct recent_line **slot = calloc(cap, sizeof(*slot));

	if (!slot)
		return -1;
	for (uint64_t id = r->is.first; id < r->is.next; id++)
		slot[id % cap] = r->slot[id % r->cap];
	free(r->slot);
	r->slot = slot;
	r->cap = cap;
	return 0;
}

int
recent_add(struct recent *r, const char *s, size_t n, const char *preview, size_t preview_n)
{
	struct recent_line *l = malloc(sizeof(*l) + n + preview_n);
	int rc = 0;

	if (!l)
		return -1;
	atomic_init(&l->refs, 1);
	l->n = n;
	l->preview_n = preview_n;
	memcpy(l->text, s, n);
	if (preview_n)
		memcpy(l->text + n, preview, preview_n);
	pthread_mutex_lock(&r->lock);
	/* the newest stays, whatever its size: a page that shows nothing is no use */
	while (r->is.first < r->is.next &&
	    (r->is.bytes + cost(l) > r->max_bytes || r->is.next - r->is.first >= r->max_lines))
		drop_oldest(r);
	if (r->is.next - r->is.first < r->cap || grow(r) == 0) {
		r->slot[r->is.next++ % r->cap] = l;
		r->is.bytes += cost(l);
	} else {
		free(l);
		rc = -1;
	}
	if (r->waiting)
		pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

static void
raise_flag(struct recent *r, bool *flag)
{
	pthread_mutex_lock(&r->lock);
	*flag = true;
	pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
}

void
recent_end(struct recent *r)
{
	raise_flag(r, &r->is.ended);
}

void
recent_stop(struct recent *r)
{
	raise_flag(r, &r->stopped);
}

struct recent_line *
recent_get(struct recent *r, uint64_t *id)
{
	struct recent_line *l = NULL;

	pthread_mutex_lock(&r->lock);
	if (*id < r->is.first)
		*id = r->is.first;
	if (*id < r->is.next) {
		l = r->slot[*id % r->cap];
		atomic_fetch_add(&l->refs, 1);
	}
	pthread_mutex_unlock(&r->lock);
	return l;
}

enum recent_rc
recent_wait(struct recent *r, uint64_t id, int ms)
{
	struct timespec until;
	enum recent_rc rc;
	int e = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&r->lock);
	r->waiting++;
	while (!e && !r->stopped && !r->is.ended && id >= r->is.next)
		e = pthread_cond_timedwait(&r->more, &r->lock, &until);
	r->waiting--;
	rc = r->stopped ? RECENT_STOPPED : id < r->is.next ? RECENT_MORE :
	    r->is.ended ? RECENT_ENDED : RECENT_IDLE;
	pthread_mutex_unlock(&r->lock);
	return rc;
}

struct recent_state
recent_state(struct recent *r)
{
	struct recent_state is;

	pthread_mutex_lock(&r->lock);
	is = r->is;
	pthread_mutex_unlock(&r->lock);
	return is;
}
