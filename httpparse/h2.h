/*
 * h2.h - one direction of one HTTP/2 connection: frames, header blocks, data
 *
 * RFC 9113, RFC 7541. A reader of our own for the frames, which may be cut
 * anywhere; nghttp2's inflater for the header blocks. Where the beginning of
 * the stream, or a part that may have held header blocks, was not seen, the
 * inflater's table is filled with entries that say "unknown", so that later
 * ones still have their right numbers; a header that uses an unknown entry is
 * marked (head->unknown) and the rest of it given. After a hole the next frame
 * is found by what its first 9 bytes may be.
 */
#ifndef H2_H
#define H2_H

#include "bytes.h"
#include "head.h"

#include <stdbool.h>
#include <stdint.h>

struct nghttp2_hd_inflater;
struct h2;

struct h2_ops {
	/* A header block begins with the byte at hand. */
	void (*begin)(void *arg, struct h2 *);
	/* It is complete, and is h->head until this returns; take it with
	 * h2_head_take. promised: the stream that a server announces, else 0. */
	void (*headers)(void *arg, struct h2 *, uint32_t stream, uint32_t promised);
	void (*data)(void *arg, struct h2 *, uint32_t stream, const char *p, size_t n);
	/* The stream's last frame in this direction. */
	void (*end)(void *arg, struct h2 *, uint32_t stream);
	void (*reset)(void *arg, struct h2 *, uint32_t stream, uint32_t code);
	/* Bytes are missing: of this stream's data, or (0) of any stream. */
	void (*hole)(void *arg, struct h2 *, uint32_t stream);
	/* Bytes up to stream position upto are read; ours: they are frames. */
	void (*decided)(void *arg, struct h2 *, uint64_t upto, bool ours);
};

struct h2 {
	const struct h2_ops *ops;
	void *arg;
	uint64_t pos;		/* stream position of the next byte */
	struct head head;	/* the block under way */
	uint32_t highest;	/* largest stream number seen */
	bool nomem;

	/* private */
	struct nghttp2_hd_inflater *hpack;
	bool begun;		/* a byte was read */
	bool lost;		/* looking for a frame */
	size_t preface;		/* bytes of the client's preface still to come */
	unsigned char buf[16];	/* a frame's first bytes; then those of its payload's fixed part */
	size_t nbuf, fixed;
	bool in_payload, in_fixed;
	unsigned type, flags;
	uint32_t stream, promised;
	uint32_t block;		/* the stream whose header block goes on in CONTINUATION; 0: none */
	bool block_end;		/* its HEADERS frame had END_STREAM */
	bool skip_block;	/* its inflater failed */
	bool full;		/* its fields do not fit */
	uint64_t left, pad;	/* of the payload: content, padding */
};

/* max_head: bytes kept of a header. fresh: this is the stream's beginning, at
 * stream position pos. -1: out of memory. */
int h2_init(struct h2 *, const struct h2_ops *, void *arg, size_t max_head, bool fresh,
    uint64_t pos);
void h2_free(struct h2 *);
size_t h2_memory(const struct h2 *);

void h2_feed(struct h2 *, const void *p, size_t n);
void h2_hole(struct h2 *, uint64_t n);

/* Moves the header that ops->headers tells of to *to, which must be free. */
void h2_head_take(struct h2 *, struct head *to);

/* Could these 9 bytes begin a frame, of a stream up to highest? */
bool h2_frame_plausible(const unsigned char *p, uint32_t highest);

#endif
