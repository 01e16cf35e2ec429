/*
 * http1.h - one direction of one HTTP/1.x connection, from bytes to messages
 *
 * RFC 9112. llhttp reads the messages; this finds where they begin: at the
 * start of the stream, right behind one another, and again after a hole, after
 * garbage, or when the capture began in the middle. What comes out depends on
 * the bytes alone, never on how they were cut.
 *
 * Every byte is decided once: it belongs to a message or to none.
 */
#ifndef HTTP1_H
#define HTTP1_H

#include "bytes.h"
#include "head.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

enum http1_role { HTTP1_ANY, HTTP1_REQUEST, HTTP1_RESPONSE };

enum http1_state {
	HTTP1_SEEK,	/* looking for the start of a message */
	HTTP1_HEAD,	/* found; its header is not complete yet */
	HTTP1_BODY,
	HTTP1_WAIT,	/* behind a request to switch protocols: the answer decides */
	HTTP1_OTHER,	/* not HTTP/1 any more; bytes are not taken */
};

struct http1;

struct http1_ops {
	/* A message's header is known (h->head) and began at stream position
	 * start. True: it has no body, whatever the header says (HEAD). Where that
	 * cannot be known h->unasked is set: it has none if another response begins
	 * in its place. */
	bool (*head)(void *arg, struct http1 *, uint64_t start);
	/* A part of the body, transfer coding removed. */
	void (*body)(void *arg, struct http1 *, const char *p, size_t n);
	/* The body has a hole from here on; what follows is not given. */
	void (*cut)(void *arg, struct http1 *, const char *why);
	/* The message ended; why: NULL when complete, or what cut it. May call
	 * http1_wait or http1_other. */
	void (*end)(void *arg, struct http1 *, const char *why);
	/* Bytes up to stream position upto are decided. */
	void (*decided)(void *arg, struct http1 *, uint64_t upto, bool ours);
};

struct http1 {
	const struct http1_ops *ops;
	void *arg;
	enum http1_role role;	/* what this direction may carry */
	enum http1_state state;
	struct head head;	/* of the message under way */
	uint64_t pos;		/* stream position of the first undecided byte */
	uint64_t first;		/* of the first byte that was seen */
	struct bytes pend;	/* undecided bytes */
	bool lost;		/* something is missing before this message */
	bool h2;		/* HTTP1_OTHER because it is HTTP/2 */
	bool nomem;
	const char *odd;	/* why a header was given up last; NULL */
	uint64_t behind;	/* body bytes of this message that came behind a hole */
	bool unasked;		/* ops->head: a response to a request that was not seen */
	bool misframed;		/* a line that says how long the body is cannot be read */

	/* private */
	llhttp_t parser;
	struct bytes clean;	/* the header as llhttp is shown it */
	uint64_t scanned;	/* stream position: no header ends before */
	bool dirty;		/* not known to be between two messages */
	bool open;		/* ops->head was called, ops->end not yet */
	bool in_field, done, muted, filling;
	bool in_size, in_extension, digits, last_chunk, in_trailers;	/* between chunks */
	bool counted;		/* left is the rest of a body or chunk of known length */
	uint64_t left;
	const char *why;
};

/* max_head: bytes of one message's header. */
void http1_init(struct http1 *, const struct http1_ops *, void *arg, size_t max_head);
void http1_free(struct http1 *);
size_t http1_memory(const struct http1 *);	/* bytes of memory */

/* The next n bytes of the stream. Returns how many were taken: fewer when the
 * state became HTTP1_OTHER; the rest is somebody else's, and so are, before
 * it, the bytes left in pend. */
size_t http1_feed(struct http1 *, const void *p, size_t n);

/* A header is under way (HTTP1_HEAD): h->head becomes what is known of it. False:
 * none is, or not even its start line is there. */
bool http1_peek(struct http1 *);

/* n bytes of the stream are missing here. */
void http1_hole(struct http1 *, uint64_t n);

/* No more bytes come. closed: the stream itself ended, which completes a body
 * that is ended by close; else why cuts what is under way. */
void http1_finish(struct http1 *, const char *why, bool closed);

/* From ops->end: hold what follows until http1_resume or http1_other. */
void http1_wait(struct http1 *);
void http1_resume(struct http1 *);	/* it is HTTP/1 after all */
/* Not HTTP/1 from here on. Bytes that were pending stay in pend for the caller. */
void http1_other(struct http1 *);

#endif
