/*
 * ws.h - one direction of a WebSocket: frames into messages
 *
 * RFC 6455: masking, fragments, control frames between them. RFC 7692:
 * permessage-deflate, with and without context takeover. Bytes may be cut
 * anywhere.
 */
#ifndef WS_H
#define WS_H

#include "bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <zlib.h>

enum { WS_MORE = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_message {
	unsigned opcode;	/* WS_TEXT.. */
	const char *p;		/* unmasked, inflated */
	size_t n;
	uint64_t len;		/* n, and what was cut */
	bool truncated;		/* longer than max */
	bool undecoded;		/* still compressed: what came before is missing */
	const char *incomplete;	/* NULL, or why */
};

struct ws;

struct ws_ops {
	/* A message begins with the byte at hand. */
	void (*begin)(void *arg, bool control);
	void (*message)(void *arg, const struct ws_message *);
};

struct ws {
	const struct ws_ops *ops;
	void *arg;
	size_t max;		/* bytes kept of a message */
	bool deflate, takeover;
	/* the frame under way */
	unsigned char head[14];
	size_t nhead, need;
	uint64_t left;		/* payload bytes still to come */
	unsigned char mask[4];
	unsigned maskat;
	bool in_payload, masked, fin, control;
	unsigned opcode;
	/* the messages under way: a fragmented one, and a control frame inside it */
	struct bytes data, ctl;
	unsigned data_opcode;	/* 0: none */
	bool compressed, truncated, undecoded, ctl_hole;
	uint64_t len;
	const char *why;
	/* inflater */
	z_stream z;
	bool zready, zdead;
};

/* deflate: permessage-deflate was agreed on; takeover: its context goes on
 * from message to message in this direction. */
void ws_init(struct ws *, const struct ws_ops *, void *arg, size_t max, bool deflate,
    bool takeover);
void ws_free(struct ws *);
size_t ws_memory(const struct ws *);

/* What the answer to the upgrade says of one direction ("Sec-WebSocket-Extensions"). */
void ws_extensions(const char *p, size_t n, bool server, bool *deflate, bool *takeover);

/* The next bytes. Returns how many were taken; fewer than n: they break the
 * rules, and where the next frame begins is not known. */
size_t ws_feed(struct ws *, const void *p, size_t n);
/* n bytes are missing. False: where the next frame begins is not known. */
bool ws_hole(struct ws *, uint64_t n);
/* No more comes: what is under way is given as it is. */
void ws_finish(struct ws *, const char *why);

#endif
