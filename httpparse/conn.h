/*
 * conn.h - one connection: two byte streams in, exchanges out
 *
 * Which direction carries the requests is found from the bytes, so the view
 * of the client and that of the server give the same. Requests and responses
 * are matched first in, first out. Lines whose bytes may or may not be HTTP
 * are held until that is decided; those that are not are passed on.
 */
#ifndef CONN_H
#define CONN_H

#include "http1.h"
#include "message.h"
#include "streams.h"

#include <stdbool.h>
#include <stdint.h>

/* A line that waits for its bytes to be decided. */
struct held {
	struct held *next;
	uint64_t off, end;	/* stream positions */
	size_t n;
	char line[];
};

struct conn;

struct side {
	struct conn *c;
	struct http1 h;
	struct message m;
	struct held *held, **heldtail;
	size_t heldbytes;
	uint64_t decided, ours;	/* stream positions up to which bytes are decided; of a message */
	uint64_t line_off;	/* of the line being read */
	const struct event *ev;	/* that line; NULL between lines */
	struct envelope_text tail;	/* of the line in which the undecided bytes begin */
	bool seen, told;	/* any byte; that it is not HTTP */
	bool gap;		/* something is missing before the next response */
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
	uint64_t number;	/* of the newest exchange */
	size_t xbytes;
	bool raw;		/* lines are passed on by the caller, never from here */
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
	CONN_HELD,	/* not known yet; a copy is kept */
};

/* One ssl.data event of direction dir: n bytes at stream position off, then
 * missing more that were not captured. has_off false: off is not known, they
 * follow the ones before. line is what is held or passed. */
enum conn_rc conn_data(struct conn *, int dir, const struct event *, const char *line, size_t linelen,
    bool has_off, uint64_t off, const void *p, size_t n, uint64_t missing);

/* No more comes. why: "close" "eof" "evicted"; the stream's own end when closed. */
void conn_finish(struct conn *, const char *why, bool closed);
void conn_free(struct conn *);
bool conn_open(const struct conn *);	/* is a message under way? */
size_t conn_held(const struct conn *);	/* bytes of memory */

#endif
