/*
 * values.h - reader of bodies that are JSON values one after the other
 *
 * NDJSON (one value per line), JSON text sequences (RFC 7464), values with
 * nothing but space between them, and one JSON array whose elements arrive as
 * they are made (Gemini without alt=sse). Bytes come in pieces cut anywhere.
 */
#ifndef VALUES_H
#define VALUES_H

#include "vendor/builder.h"

/* One value's text; whether it is JSON is for the caller to see. */
typedef void values_fn(void *arg, const char *p, size_t n);

struct values {
	struct builder *d;	/* accounts what is held */
	struct text text;	/* a value whose end has not come */
	size_t max;		/* bytes of one value */
	uint64_t long_events, long_bytes;	/* ignored for being longer */
	uint64_t unexpected;	/* bytes that belong to no value */
	bool lines;		/* one value per line: a broken one ends there */
	bool begun, array;	/* anything but space has come; it was a '[' */
	bool string, escape;
	bool skip;		/* ignore this line */
	bool toolong;		/* ignore this value, and count it */
	bool lost;		/* ignore everything */
	unsigned depth;		/* of the open value */
};

/* lines: the content type says one value per line. max, d: as in sse.h. */
void values_init(struct values *, struct builder *, size_t max, bool lines);
void values_free(struct values *);

void values_feed(struct values *, const void *p, size_t n, values_fn *, void *arg);
/* The body is over: gives a last line that has no newline. */
void values_end(struct values *, values_fn *, void *arg);
/* Bytes are missing here. With lines reading goes on at the next one; else
 * there is no telling where a value begins, and the rest is unexpected. */
void values_hole(struct values *);

#endif
