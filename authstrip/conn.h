/*
 * conn.h - lines that are pieces: of a connection, a body, a terminal
 *
 * Says of which stream (stream.h) a line is a piece, whether the piece follows
 * the one before it, and hands on its bytes; those of HTTP/2 frame by frame.
 */
#ifndef CONN_H
#define CONN_H

#include "frames.h"
#include "paths.h"
#include "stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct flow_table;

struct conns {
	struct streams *all;
	struct flow_table *flows;
};
/* max: streams remembered. -1: out of memory. all stays the caller's. */
int conns_init(struct conns *, struct streams *all, size_t max);
/* Decides what waits: no more comes. */
void conns_finish(struct conns *);
void conns_free(struct conns *);

/* What is remembered of one direction of a connection, one body, one terminal. */
struct conn {
	struct stream text;
	struct paths paths;	/* of the JSON in it */
	struct frames frames;	/* of HTTP/2 */
	uint32_t h2;		/* the stream of HTTP/2 that text is of */
	uint64_t next;		/* where its next piece begins */
	bool known;
	/* a body in chunks; one has begun; one may have ended with the last piece */
	bool chunked, in_chunks, chunk_ends;
};

/* Where in its stream a line stands: `at` is where it begins, next where the one
 * after it does. */
struct piece {
	struct conn *conn;
	bool bytes;		/* of a connection: may be HTTP/2 */
	bool members;		/* the event itself is the piece, by its members */
	bool counted;		/* at and next are known */
	uint64_t at, next;
	bool last, alone;	/* alone: a message, whole */
	bool hole;		/* something behind it is missing */
};

/* The bytes of a piece and where they stand: text with JSON's escapes at `at` of
 * the line (part -1), or bytes of a base64 part of it. */
struct conn_bytes {
	const char *p;
	size_t n, at;
	int part;
};

/* Finds the stream that the event is a piece of; false: of none. What a hole or
 * ssl.close ends is decided. */
bool conn_begin(struct conns *, struct event *, uint64_t now, struct piece *);
/* Its bytes, if it has any; edits go to line. */
void conn_feed(struct conns *, struct event *, struct pending *line, const struct piece *,
    const struct conn_bytes *);
/* The members of an event that is a piece by itself. */
void conn_members(struct conns *, const struct event *, struct pending *line, const struct piece *);
/* After them. */
void conn_end(struct conns *, const struct piece *);

#endif
