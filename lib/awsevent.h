/*
 * awsevent.h - one message of an AWS event stream
 *
 * application/vnd.amazon.eventstream: total length, headers length, CRC-32 of
 * these 8 bytes, headers, payload, CRC-32 of all before it; numbers are 32
 * bits, big endian (Smithy, "Amazon Event Stream Specification"). CRCs are
 * zlib's.
 */
#ifndef AWSEVENT_H
#define AWSEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AWSEVENT_PRELUDE = 12,			/* two lengths and their CRC */
	AWSEVENT_LEAST = AWSEVENT_PRELUDE + 4,	/* a message without headers and payload */
};

/* What a message says; points into it. */
struct awsevent {
	const char *type;	/* ":event-type", or ":exception-type", ":error-code"; NULL: none */
	size_t typelen;
	bool exception;		/* ":message-type" is "exception" or "error" */
	const char *error;	/* ":error-message"; NULL: none */
	size_t errorlen;
	const char *payload;
	size_t len;
};

/* The length of the message that begins with these AWSEVENT_PRELUDE bytes, at
 * least AWSEVENT_LEAST; 0: none does. */
uint32_t awsevent_length(const void *prelude);
/* Are these n bytes, as many as awsevent_length says, a message undamaged? */
bool awsevent_good(const void *p, size_t n);
/* Reads one that is. False: its headers are broken; what came before is there. */
bool awsevent_read(const void *p, size_t n, struct awsevent *);

#endif
