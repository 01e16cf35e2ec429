/*
 * aws.h - reader of AWS event streams (application/vnd.amazon.eventstream)
 *
 * Bytes come in pieces cut anywhere. After a hole or a damaged message
 * (lib/awsevent.h) the reader finds the next one by the CRC of its first bytes.
 */
#ifndef AWS_H
#define AWS_H

#include "lib/awsevent.h"
#include "ssemerge/draft.h"

typedef void aws_event_fn(void *arg, const struct awsevent *);

struct aws {
	struct draft *d;	/* accounts what is held */
	struct text text;	/* a message that has not come whole */
	size_t max;		/* bytes of one message */
	size_t skip;		/* bytes of one that is too long */
	uint64_t long_events, long_bytes;
	uint64_t bad;		/* damaged messages */
	bool lost;		/* looking for where a message begins */
};

/* max, d: as in sse.h. */
void aws_init(struct aws *, struct draft *, size_t max);
void aws_free(struct aws *);
void aws_feed(struct aws *, const void *p, size_t n, aws_event_fn *, void *arg);
void aws_hole(struct aws *);

#endif
