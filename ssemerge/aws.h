/*
 * aws.h - reader of AWS event streams (application/vnd.amazon.eventstream)
 *
 * A message is: total length, headers length, CRC32 of these 8 bytes, headers,
 * payload, CRC32 of all before it; numbers are 32 bits, big endian. Bytes come
 * in pieces cut anywhere. After a hole or a damaged message the reader finds
 * the next one by the CRC of its first bytes.
 */
#ifndef AWS_H
#define AWS_H

#include "vendor/builder.h"

struct aws_event {
	const char *type;	/* ":event-type", or ":exception-type", ":error-code" */
	size_t typelen;
	bool exception;		/* ":message-type" is "exception" or "error" */
	const char *error;	/* ":error-message" */
	size_t errorlen;
	const char *payload;
	size_t len;
};
typedef void aws_event_fn(void *arg, const struct aws_event *);

struct aws {
	struct builder *d;	/* accounts what is held */
	struct text text;	/* a message that has not come whole */
	size_t max;		/* bytes of one message */
	size_t skip;		/* bytes of one that is too long */
	uint64_t long_events, long_bytes;
	uint64_t bad;		/* damaged messages */
	bool lost;		/* looking for where a message begins */
};

/* max, d: as in sse.h. */
void aws_init(struct aws *, struct builder *, size_t max);
void aws_free(struct aws *);
void aws_feed(struct aws *, const void *p, size_t n, aws_event_fn *, void *arg);
void aws_hole(struct aws *);

/* CRC-32 of IEEE 802.3, as zlib's. */
uint32_t aws_crc32(const void *p, size_t n);

#endif
