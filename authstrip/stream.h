/*
 * stream.h - credentials cut across the events of one connection
 *
 * A stream is one direction of a connection, one body, one terminal, or what
 * stands at one path of the JSON within one of these (paths.h). It keeps
 * the end of the last piece, so that a name in one line and its value in the next
 * are seen together. When a credential may have begun and is not decided, the
 * line waits (pending.h) until the next piece decides it or the caller gives up;
 * what is given up is taken for a credential.
 */
#ifndef STREAM_H
#define STREAM_H

#include "inner.h"
#include "pending.h"
#include "plain.h"
#include "secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What all streams share. */
struct streams {
	struct rules *rules;
	bool hash;			/* edits get fingerprints */
	uint8_t key[32];
	size_t max;			/* bytes of one stream's undecided text */
	uint64_t *counts;		/* per rule */
	uint64_t edits;			/* made so far */
	struct secret_list seam, own, rest;	/* scratch */
	struct anchor_hits words;	/* of the last piece that is none of another */
	struct anchor_hits part, around;	/* scratch: of a piece, of where it begins */
	struct walk_list *strings;	/* scratch of paths.h */
	struct stream *holding;		/* the streams for which lines wait */
};

struct walk_list;
struct stream {
	size_t max;		/* as of streams, when it has its own; else 0 */
	char *buf;		/* the end of what came so far */
	size_t len, cap;
	size_t decided;		/* nothing before it in buf can change any more */
	size_t value;		/* the undecided begins here; SIZE_MAX: nothing is undecided */
	int rule;
	bool cut;		/* buf does not begin where the stream did */
	bool quiet;		/* no word begins in buf that credentials begin with */
	bool inside;		/* what was given up ended in a credential */
	struct stream *prev, *next;	/* of those that hold lines */
	struct stream_piece {	/* where undecided text stands */
		struct pending *line;
		int part;
		/* buf[buf..+n) is the line's (or part's, or inner's) at.. */
		size_t buf, n, at;
		struct plain *plain;	/* the way back, when it was written with escapes */
		struct inner *inner;	/* it stands in base64 */
		size_t from;		/* in plain, of buf */
	} *piece;
	size_t npiece, piececap;
};

/* A piece: raw[0..n), JSON's escapes and all, stands at `at` of the line (part
 * -1); or is bytes of a base64 value of it; or (inner) a string of the JSON in a
 * base64 string, `at` of its bytes. stream_piece_init sets the form s of it in
 * which it is read; it is known after the first stream_feed. */
struct text_piece {
	struct pending *line;
	int part;
	bool bytes;
	unsigned quote;		/* backslashes before the quotes of JSON in it */
	const char *s;
	size_t n, at;
	const char *raw;
	size_t rawlen;
	struct plain *plain;	/* s is plain->s, made of raw */
	struct inner *inner;	/* borrowed */
	const struct anchor_hits *words;	/* of a text in which s stands ... */
	size_t shift;		/* ... here; NULL: they are not known yet */
};
void stream_piece_init(struct text_piece *, struct pending *line, int part, const char *raw,
    size_t n, size_t at);
/* The part s[from..end) of a piece, as a piece. */
void stream_piece_part(struct text_piece *, const struct text_piece *of, size_t from, size_t end);
void stream_piece_free(struct text_piece *);

/* The next piece of the stream. last: nothing follows. */
void stream_feed(struct streams *, struct stream *st, struct text_piece *, bool last);

/* Decides everything for which a line waits: stream_decide of each such stream. */
void stream_decide_line(struct streams *, const struct pending *);

/* Decides what waits. whole: the stream has ended, nothing was cut off. Else
 * what may be a credential is taken for one. The text so far stays for the next
 * piece unless reset. */
void stream_decide(struct streams *, struct stream *, bool whole, bool reset);
void stream_free(struct stream *);	/* decided before */
/* What `of` holds goes on in `to` as well, which holds nothing. Without memory it holds
 * the less. */
void stream_copy(struct streams *, struct stream *to, const struct stream *of);

/* Credentials of a text that nothing follows, as edits of the line. head: the
 * headers' and trailers' places, or NULL. */
struct stream_head { size_t at[2], end[2]; };
void stream_text(struct streams *, struct pending *line, int part, const char *text, size_t n,
    size_t at,
    const struct stream_head *head, bool json);

#endif
