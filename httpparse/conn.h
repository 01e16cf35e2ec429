/*
 * conn.h - one connection: two byte streams in, exchanges out
 *
 * Which direction carries the requests is found from the bytes, so the view
 * of the client and that of the server give the same. Requests and responses
 * are matched first in, first out; behind a hole as well as can be, and marked.
 * Lines whose bytes may or may not be HTTP are pending until that is decided; those
 * that are not are passed on.
 */
#ifndef CONN_H
#define CONN_H

#include "http1.h"
#include "message.h"
#include "streams.h"

#include <stdbool.h>
#include <stdint.h>

/* A line that waits for its bytes to be decided. */
struct pending {
	struct pending *next;
	uint64_t off, end;	/* stream positions */
	size_t n;
	char line[];
};

struct conn;

enum { EARLY_MAX = 16, OTHER_NAME = 64 };

struct side {
	struct conn *c;
	struct http1 h;
	struct message m;
	struct pending *pending, **pendtail;
	size_t pendbytes;
	uint64_t decided, ours;	/* stream positions up to which bytes are decided; of a message */
	uint64_t line_off;	/* of the line being read */
	const struct event *ev;	/* that line; NULL between lines */
	struct envelope_text tail;	/* of the line in which the undecided bytes begin */
	bool seen, emitted;	/* any byte; as a loss, that some are not HTTP */
	bool whole;		/* a message was seen */
	bool gap;		/* something is missing before the next response: */
	uint64_t gap_end;	/* how far the requests had come when it was */
	/* where a header began that goes on; how far they had come then */
	uint64_t begun, begun_end;
	uint64_t other;		/* bytes that are no HTTP, as long as nothing here is */
};

/* One direction of a WebSocket. */
struct sock {
	struct side *s;
	struct ws ws;
	struct envelope_text env[2];	/* of a data message, of a control frame */
};

struct conn {
	struct side side[2];	/* 0 WRITE/SEND, 1 READ/RECV */
	struct writer *w;
	int requests;		/* the side that carries requests; -1 not known yet */
	struct exchange *first, **last;	/* requests without a response, oldest first */
	unsigned waiting;
	/* responses that came before their requests were complete, oldest first */
	struct exchange *early[EARLY_MAX];
	unsigned nearly;
	uint64_t number;	/* of the newest exchange */
	size_t xbytes;
	bool plain;		/* without TLS; for the caller */
	bool raw;		/* lines are passed on by the caller, never from here */
	bool broken;		/* something was not seen, or was no HTTP */
	bool http;		/* there was HTTP, or there may have been some that was not seen */
	struct envelope_text other_env;	/* of the first line that is no HTTP, while http is false */
	struct other tunnel;	/* what other is, when the protocol is not known */
	char protocol[OTHER_NAME];
	bool other;		/* both directions switched to another protocol: */
	struct streams *h2;	/* HTTP/2, */
	struct sock *sock[2];	/* WebSocket, opened by up, */
	struct exchange *up;	/* or none that we know */
	uint64_t charged;	/* for the caller */
};

struct conn_limits { size_t max_head; };

void conn_init(struct conn *, struct writer *, const struct conn_limits *, bool raw);

enum conn_rc {
	CONN_PASS,	/* the line holds nothing of a message */
	CONN_TAKEN,	/* it does */
	CONN_PENDING,	/* not known yet; a copy is kept */
};

/* One ssl.data event of direction dir: n bytes at stream position off, then
 * missing more that were not captured. has_off false: off is not known, they
 * follow the ones before. line is what waits or is passed. */
enum conn_rc conn_data(struct conn *, int dir, const struct event *, const char *line,
    size_t linelen,
    bool has_off, uint64_t off, const void *p, size_t n, uint64_t missing);

/* No more comes. why: "close" "eof" "evicted"; the stream's own end when closed. */
void conn_finish(struct conn *, const char *why, bool closed);
void conn_free(struct conn *);
int conn_requests(const struct conn *);	/* the side that carries them; -1 not known */
bool conn_open(const struct conn *);	/* is a message under way? */
size_t conn_memory(const struct conn *);	/* bytes of memory */

#endif
