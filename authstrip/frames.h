/*
 * frames.h - where the header blocks of an HTTP/2 connection are
 *
 * HPACK (RFC 7541) leaves no text of a header to be searched, so that a block goes
 * as a whole. For that the frames (RFC 9113 section 4.1) of one direction are
 * followed, however they are cut; after a hole from the next piece on that begins
 * as a frame does.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frames {
	bool on;		/* it is HTTP/2 */
	unsigned preface;	/* bytes seen of the client's preface, 24 when it is past */
	unsigned nhead;		/* bytes seen of the next frame's header */
	unsigned char head[9];
	uint32_t left;		/* bytes of the payload to come */
};

enum frames_kind {
	FRAMES_FRAME,		/* a frame's header, the preface */
	FRAMES_BLOCK,		/* a header block, with what is around it in its frame */
	FRAMES_DATA,
	FRAMES_OTHER,		/* any other frame's payload */
	FRAMES_NONE,		/* no frame: from here on it is no HTTP/2 (on is false) */
};

struct frames_run {
	enum frames_kind kind;
	size_t n;		/* bytes */
	uint32_t stream;
	bool first, last;	/* of the payload */
	bool end;		/* the stream's last frame */
};

/* Whether s[0..n), n > 0, begins HTTP/2: the connection (start), or a frame. Sets on. */
bool frames_begin(struct frames *, const void *s, size_t n, bool start);

/* The next bytes that are one thing; n > 0. */
struct frames_run frames_next(struct frames *, const void *s, size_t n);

#endif
