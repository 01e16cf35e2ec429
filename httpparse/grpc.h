/*
 * grpc.h - the message framing of gRPC, gRPC-Web and Connect bodies undone
 *
 * Each message has a byte of flags and a length of four bytes, big endian, in
 * front. Flags: 1 compressed; 2 (Connect) or 128 (gRPC-Web) not a message but
 * what would be trailers.
 */
#ifndef GRPC_H
#define GRPC_H

#include "bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRPC_COMPRESSED = 1, GRPC_CONNECT_END = 2, GRPC_WEB_TRAILERS = 128 };

struct grpc {
	unsigned char head[5];
	size_t nhead;
	uint32_t left;
	bool inside;
};

struct grpc_ops {
	void (*begin)(void *arg, unsigned flags, uint32_t len);
	int (*data)(void *arg, const char *p, size_t n);	/* nonzero: no more */
	int (*end)(void *arg);
};

/* The next bytes of a body. */
int grpc_feed(struct grpc *, const void *p, size_t n, const struct grpc_ops *, void *arg);
/* Does the body end within a message? */
bool grpc_is_cut(const struct grpc *);

#endif
