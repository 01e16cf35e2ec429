/* sample.c - see sample.h */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
sample_parse(struct sample_proc *p, const char *stat, size_t n)
{
	const char *open = memchr(stat, '(', n), *close = memrchr(stat, ')', n);
	unsigned long utime, stime, start, vsz;
	long cutime, cstime, threads, rss;
	char rest[512];
	size_t len;

	memset(p, 0, sizeof(*p));
	if (!open || !close || close < open || stat + n - close >= (ptrdiff_t)sizeof(rest))
		return false;
	len = close - open - 1;		/* the name may hold parentheses itself */
	memcpy(p->comm, open + 1, len < sizeof(p->comm) ? len : sizeof(p->comm) - 1);
	memcpy(rest, close + 1, stat + n - close - 1);
	rest[stat + n - close - 1] = '\0';
	if (sscanf(stat, "%d", &p->pid) != 1)
		return false;
	/* 4 ppid, 6 session, 14-17 times, 20 threads, 22 start, 23 vsize, 24 rss */
	if (sscanf(rest, " %*c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d %ld"
	    " %*d %lu %lu %ld",
	    &p->ppid, &p->session, &utime, &stime, &cutime, &cstime, &threads, &start, &vsz,
	    &rss) != 10)
		return false;
	p->own = utime + stime;
	p->reaped = (uint64_t)cutime + cstime;
	p->threads = threads;
	p->start = start;
	p->vsz_bytes = vsz;
	p->rss_pages = rss < 0 ? 0 : rss;
	return true;
}

int
sample_add(struct sample *s, const struct sample_proc *p)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		struct sample_proc *a = realloc(s->p, cap * sizeof(*a));

		if (!a)
			return -1;
		s->p = a;
		s->cap = cap;
	}
	s->p[s->n++] = *p;
	return 0;
}

static int
by_pid(const void *a, const void *b)
{
	const struct sample_proc *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

void
sample_sort(struct sample *s)
{
	qsort(s->p, s->n, sizeof(*s->p), by_pid);
}

void
sample_free(struct sample *s)
{
	free(s->p);
	memset(s, 0, sizeof(*s));
}

struct sample_proc *
sample_find(const struct sample *s, int pid)
{
	struct sample_proc key = { .pid = pid };

	return s->n ? bsearch(&key, s->p, s->n, sizeof(key), by_pid) : NULL;
}

/* The same life in another sample. */
static struct sample_proc *
again(const struct sample *s, const struct sample_proc *p)
{
	struct sample_proc *q = sample_find(s, p->pid);

	return q && q->start == p->start ? q : NULL;
}

void
sample_inherit(struct sample *now, const struct sample *before, bool children)
{
	bool moved = children;

	for (size_t i = 0; i < now->n; i++) {
		const struct sample_proc *old = again(before, &now->p[i]);

		if (old)
			now->p[i].groups |= old->groups;
	}
	while (moved) {		/* a pass per generation that comes in the wrong order */
		moved = false;
		for (size_t i = 0; i < now->n; i++) {
			struct sample_proc *p = &now->p[i], *parent = sample_find(now, p->ppid);

			if (parent && (p->groups | parent->groups) != p->groups) {
				p->groups |= parent->groups;
				moved = true;
			}
		}
	}
}

/* Who of the group has waited for p, which is gone: the nearest ancestor that
 * still lives. NULL when the group has none (reaped by init). */
static const struct sample_proc *
reaper(const struct sample *before, const struct sample *now, const struct sample_proc *p,
    uint64_t group)
{
	for (int depth = 0; depth < 4096; depth++) {
		const struct sample_proc *parent = sample_find(before, p->ppid), *live;

		if (!parent || !(parent->groups & group))
			return NULL;
		if ((live = again(now, parent)))
			return live;
		p = parent;
	}
	return NULL;
}

uint64_t
sample_ticks(const struct sample *before, const struct sample *now, uint64_t group)
{
	uint64_t *known = calloc(now->n + 1, sizeof(*known)), sum = 0;

	if (!known)
		return 0;
	for (size_t i = 0; i < before->n; i++) {
		const struct sample_proc *p = &before->p[i], *r;

		if ((p->groups & group) && !again(now, p) && (r = reaper(before, now, p, group)))
			known[r - now->p] += p->own + p->reaped;
	}
	for (size_t i = 0; i < now->n; i++) {
		const struct sample_proc *p = &now->p[i], *old = again(before, p);
		uint64_t reaped;

		if (!(p->groups & group))
			continue;
		if (old && !(old->groups & group))
			continue;	/* joined just now: what it used before is not ours */
		sum += p->own - (old ? old->own : 0);
		reaped = p->reaped - (old ? old->reaped : 0);
		if (reaped > known[i])
			sum += reaped - known[i];
	}
	free(known);
	return sum;
}
