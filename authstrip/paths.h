/*
 * paths.h - one text for each JSON path of a stream
 *
 * A model's answer comes in pieces, a few letters each, in documents whose shape
 * is its vendor's. Whatever the shape, the strings at one path of documents that
 * follow each other belong together: as a text of its own, and, where an "index"
 * stands beside the path, as one for each of its values as well. JSON within a
 * string, in base64 or not, has paths of its own.
 */
#ifndef PATHS_H
#define PATHS_H

#include "inner.h"
#include "stream.h"
#include "walk.h"

#include <stdint.h>

enum {
	PATHS_MAX = 64,		/* of one stream; those of the document at hand come first */
	PATHS_TEXT = 256,	/* bytes of one that may be undecided; what is more is taken for a credential */
};

struct paths {
	struct walk *walk;	/* NULL: no document was seen */
	struct walk inner_walk;	/* of the string at hand */
	struct inner_rest rest;
	enum { INNER_NONE, INNER_JSON, INNER_BASE64 } inner;
	struct path **v;
	unsigned n, guess;
	uint32_t round;		/* counts pieces */
};

/* The strings of the next piece of the stream. base: what keeps the paths apart
 * from others'. */
void paths_piece(struct streams *, struct paths *, const struct text_piece *, uint64_t base);
/* What is undecided is decided, nothing goes on. whole: see stream_decide. */
void paths_end(struct streams *, struct paths *, bool whole);
/* What comes next belongs to another document. */
void paths_turn(struct paths *);
void paths_free(struct paths *);	/* ended before */

#endif
