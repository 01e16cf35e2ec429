/*
 * site.h - probes to put on a file: which program, where, with what cookie
 *
 * Made from what a finder found (find.h), taken by the attacher.
 */
#ifndef SITE_H
#define SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct found;

enum site_prog { SITE_ENTER, SITE_LEAVE, SITE_FREE, SITE_NAME, SITE_PROGS };

struct site {
	char name[48];		/* of the function */
	uint64_t offset;	/* in the file */
	uint64_t cookie;	/* COOKIE of sslsniff.h */
	enum site_prog prog;
	bool ret;		/* when the function returns */
};

enum { SITE_MAX = 512 };

struct sites {
	size_t n;
	bool reads, writes;	/* plaintext in that direction is seen */
	char why[160];		/* why some or all of what was found is not used */
	struct site v[SITE_MAX];
};

/* The probes for what was found. False when nothing of it can be used. */
bool site_plan(struct sites *, const struct found *, bool handshake);

/* The functions, once each, separated by spaces. */
void site_names(const struct sites *, char *buf, size_t size);

#endif
