/*
 * site.h - places in a file to put probes on
 *
 * What a finder gives and the attacher takes; how a place was found does not
 * matter here.
 */
#ifndef SITE_H
#define SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum site_prog { SITE_ENTER, SITE_LEAVE, SITE_FREE, SITE_NAME, SITE_PROGS };

struct site {
	const char *name;	/* of the function, static */
	uint64_t offset;	/* in the file */
	uint64_t cookie;	/* COOKIE of sslsniff.h */
	enum site_prog prog;
	bool ret;		/* when the function returns */
};

enum { SITE_MAX = 64 };

struct sites {
	struct site v[SITE_MAX];
	size_t n;
};

/* False: the table is full. */
static inline bool
site_add(struct sites *s, struct site site)
{
	if (s->n == SITE_MAX)
		return false;
	s->v[s->n++] = site;
	return true;
}

/* Both ends of a function. */
static inline bool
site_add_call(struct sites *s, const char *name, uint64_t offset, uint64_t cookie)
{
	return site_add(s, (struct site){ name, offset, cookie, SITE_ENTER, false }) &&
	    site_add(s, (struct site){ name, offset, cookie, SITE_LEAVE, true });
}

#endif
