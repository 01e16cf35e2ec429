/*
 * secret.h - where in a text the credentials are
 *
 * A text is a line of JSON as it stands, a piece of one, or bytes. JSON in
 * strings in JSON is all one text: quotes and line ends are known behind any
 * number of backslashes. One pass, linear in the length: anchor.h says where to
 * look, and every look that may be in vain is bounded.
 */
#ifndef SECRET_H
#define SECRET_H

#include "rules.h"

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_LOOK = 1024 };	/* bytes that a look in vain may cost */

struct secret_text {
	const char *s;
	size_t n;
	bool line;		/* JSON: a bare quote ends a string */
	bool soft;		/* more may follow at the end */
	bool plain;		/* no escape hides ASCII here */
	size_t head[2], head_end[2];	/* where an event's headers and trailers are */
	size_t from, limit;	/* where anchors are looked for */
	const struct anchor_hits *hits;	/* those of a text in which this stands ... */
	size_t shift;		/* ... here; NULL: they are to be found */
	size_t floor;		/* nothing before it belongs to a name: it was redacted */
};

struct secret_span {
	size_t at, end;
	int rule;
	int quote;	/* backslashes before the quotes that it needs; -1: has its own */
};

struct secret_list {
	struct secret_span *v;
	size_t n, cap;
	bool nomem;
};
void secret_list_free(struct secret_list *);

/* What stands at a soft end and is not decided. */
struct secret_open {
	bool open;
	size_t from;	/* where it begins, its name included */
	size_t value;	/* where what may be secret begins; SIZE_MAX: it has not */
	int rule;
};

/* Adds what it finds to the list, in order, not overlapping. Returns false when
 * it met ASCII hidden in escapes (\u0041, \/): then the text must be
 * scanned in its plain form (plain.h). open may be NULL for a text without a
 * soft end. */
bool secret_scan(struct rules *, const struct secret_text *, struct secret_list *,
    struct secret_open *);

/* Whether a path is that of an endpoint that hands out tokens. */
bool secret_endpoint(const char *path, size_t n, const char *host, size_t hostlen);

/* The length of the mark at s that a credential was replaced by; 0: none. */
size_t secret_mark(const char *s, size_t n);

#endif
