/*
 * paths.h - one text for each JSON path of a stream
 *
 * A model's answer comes in pieces, a few letters each, in documents whose shape
 * is its vendor's. Whatever the shape, the strings at one path of documents that
 * follow each other belong together: as a text of its own, and, where an "index"
 * stands beside the path, as one for each of its values as well, wherever in an array
 * it stands. While there is one path and one index of some keys, both are one text.
 * JSON within a string, in base64 or not, has paths of its own.
 */
#ifndef PATHS_H
#define PATHS_H

#include "inner.h"
#include "stream.h"
#include "walk.h"

#include <stdint.h>

enum {
	PATHS_MAX = 64,		/* of one stream; those of the document at hand come first */
	/* bytes of one that may be undecided; what is more is taken for a credential */
	PATHS_TEXT = 256,
	PATHS_NESTED = 3,	/* documents within strings of documents that are opened */
};

struct paths {
	struct walk *walk;	/* NULL: no document was seen */
	/* in the string at hand; NULL: there was none yet */
	struct nested *nested[PATHS_NESTED];
	struct path **v;
	unsigned n, guess;
	uint32_t round;		/* counts pieces */
};

/* The strings of the next piece of the stream. base: what keeps the paths apart
 * from others'; message: it is one by itself. */
void paths_piece(struct streams *, struct paths *, const struct text_piece *, uint64_t base,
    bool message);
/* What is undecided is decided, nothing goes on. whole: see stream_decide. */
void paths_end(struct streams *, struct paths *, bool whole);
/* What comes next belongs to another document. */
void paths_turn(struct paths *);
void paths_free(struct paths *);	/* ended before */

#endif
