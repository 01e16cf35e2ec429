/* lines.c - text lines out of pieces of a stream; see lines.h */
#include "llmparse/lines.h"

#include <stdlib.h>
#include <string.h>

void
lines_free(struct lines *l)
{
	free(l->p);
	*l = (struct lines){ .max = l->max };
}

static int
keep(struct lines *l, const char *p, size_t n)
{
	if (l->skip)
		return 0;
	if (l->n + n > l->max) {
		l->skip = true;
		l->n = 0;
		l->toolong++;
		return 0;
	}
	if (l->n + n > l->cap) {
		size_t cap = l->cap ? l->cap : 1024;
		char *t;

		while (cap < l->n + n)
			cap *= 2;
		if (!(t = realloc(l->p, cap))) {
			l->skip = true;
			l->n = 0;
			return -1;
		}
		l->p = t;
		l->cap = cap;
	}
	memcpy(l->p + l->n, p, n);
	l->n += n;
	return 0;
}

/* The beginning of a line decides. */
static void
look(struct lines *l, const char *p, size_t n)
{
	if (l->begun || !n)
		return;
	while (n && (*p == ' ' || *p == '\t' || *p == '\r')) {
		p++;
		n--;
	}
	if (n) {
		l->begun = true;
		l->skip = *p != '{' && *p != '[' && *p != '\xef';	/* a byte order mark */
	}
}

static void
reset(struct lines *l)
{
	l->n = 0;
	l->skip = l->begun = false;
}

void
lines_cut(struct lines *l, uint64_t off)
{
	reset(l);
	l->off = off;
}

int
lines_feed(struct lines *l, uint64_t off, bool has_off, const char *p, size_t n, lines_fn *fn,
    void *arg)
{
	const char *end = p + n;
	int rc = 0;

	if (has_off && off != l->off) {
		if (l->off && off > l->off)
			l->holes++;
		reset(l);
		/* behind a hole, and where we came late, what comes first is the
		 * rest of a line, unless it looks like one */
	}
	l->off = has_off ? off + n : l->off + n;
	while (p < end) {
		const char *nl = memchr(p, '\n', end - p), *stop = nl ? nl : end;

		look(l, p, stop - p);
		if (nl && !l->n) {	/* whole as it stands: no copy */
			if (!l->skip && l->begun)
				fn(arg, p, stop - p);
		} else {
			if (keep(l, p, stop - p))
				rc = -1;
			if (nl && !l->skip && l->n)
				fn(arg, l->p, l->n);
		}
		if (nl)
			reset(l);
		p = nl ? nl + 1 : end;
	}
	if (!l->n && l->cap > 65536) {	/* one long line is no reason to hold memory */
		free(l->p);
		l->p = NULL;
		l->cap = 0;
	}
	return rc;
}
