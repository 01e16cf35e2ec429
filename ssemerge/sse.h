/*
 * sse.h - reader of event streams (WHATWG HTML, "Parsing an event stream")
 *
 * Bytes come in pieces cut anywhere; events go out as they are complete. Lines
 * end CR, LF or CRLF; a BOM at the start is skipped; comments and unknown
 * fields are ignored. Unlike a browser's, the reader gives the last event also
 * when the body ends without a blank line: some servers leave it out.
 */
#ifndef SSE_H
#define SSE_H

#include "vendor/builder.h"

struct sse_event {
	const char *name;	/* "event:", empty when it had none */
	size_t namelen;
	const char *id;		/* the last "id:" so far */
	size_t idlen;
	const char *data;	/* "data:" lines joined by newlines; any bytes */
	size_t len;
};
typedef void sse_event_fn(void *arg, const struct sse_event *);

struct sse {
	struct builder *d;	/* accounts what is held */
	struct text line;	/* a line whose end has not come */
	struct text data, name, id;
	size_t max;		/* bytes of one event's data, and of one line */
	uint64_t long_events, long_bytes;	/* ignored for being longer */
	unsigned char bom;	/* bytes of it seen; past it: BOM_DONE */
	bool cr;		/* the last line ended in CR; a LF belongs to it */
	bool hasdata;
	bool skip;		/* ignore everything up to a blank line */
	bool toolong;		/* the same, and count it */
	bool longline;		/* the rest of this line is not kept */
};

/* max: see above. d is charged for what is held and must outlive the reader. */
void sse_init(struct sse *, struct builder *, size_t max);
void sse_free(struct sse *);

void sse_feed(struct sse *, const void *p, size_t n, sse_event_fn *, void *arg);
/* The body is over: gives what has no blank line behind it. */
void sse_end(struct sse *, sse_event_fn *, void *arg);
/* Bytes are missing here: drops the event that is open, and what follows up
 * to the next blank line, which may belong to an event without a beginning. */
void sse_hole(struct sse *);

#endif
