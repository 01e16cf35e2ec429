/*
 * eventstream.h - AWS event streams cut into their messages
 *
 * application/vnd.amazon.eventstream: total length, headers length, CRC-32 of
 * these 8 bytes, headers, payload, CRC-32 of all before it; numbers are 32
 * bits, big endian. Messages are given as they came, prelude and checksums
 * included, so that nothing is lost; both checksums have been verified.
 */
#ifndef EVENTSTREAM_H
#define EVENTSTREAM_H

#include "bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct eventstream_event {
	const char *p;		/* the whole message */
	size_t n;
	bool good;		/* false: bytes that are no message (from there on) */
	/* its ":event-type", or ":exception-type", ":error-code"; NULL: none */
	const char *type;
	size_t typelen;
};
/* Nonzero: no more. */
typedef int eventstream_fn(void *arg, const struct eventstream_event *);

struct eventstream {
	struct bytes buf;	/* a message that has not come whole */
	size_t max;		/* of one message; a larger one is not read */
	bool broken;		/* a checksum was wrong: the rest is given as it comes */
	uint64_t bad;
};

void eventstream_init(struct eventstream *, size_t max);
void eventstream_free(struct eventstream *);
int eventstream_feed(struct eventstream *, const void *p, size_t n, eventstream_fn *, void *arg);
/* The end of the body: gives what is left, which is no whole message. */
int eventstream_end(struct eventstream *, eventstream_fn *, void *arg);

#endif
