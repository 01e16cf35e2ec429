/*
 * streams.h - the streams of one HTTP/2 connection: frames in, exchanges out
 *
 * Two frame readers, one per direction, and the messages that are under way on
 * each stream; WebSockets over HTTP/2 (RFC 8441), pushed requests, tunnels.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include "h2.h"
#include "message.h"

#include <stdbool.h>
#include <stdint.h>

enum { STREAMS_MAX = 1000 };

struct streams_ops {
	/* The envelope of the line that holds stream position pos of a direction;
	 * UINT64_MAX: of the line at hand. */
	void (*envelope)(void *arg, int dir, uint64_t pos, struct envelope_text *);
	void (*decided)(void *arg, int dir, uint64_t upto, bool ours);
};

struct streams;

/* dir: 0 or 1, the caller's. requests: the direction that carries requests, -1
 * not known yet. fresh, pos: per direction, whether the beginning of HTTP/2 is at
 * hand, and at which stream position the next byte is. NULL: out of memory. */
struct streams *streams_new(struct writer *, const struct streams_ops *, void *arg, size_t max_head,
    int requests, const bool fresh[2], const uint64_t pos[2]);
/* The direction that carries requests; -1 not known. */
int streams_requests(const struct streams *);
void streams_free(struct streams *);
size_t streams_memory(const struct streams *);
bool streams_open(const struct streams *);	/* is a message under way? */

/* The connection came from HTTP/1 by an upgrade: stream 1 answers the request of this
 * exchange, which was its first (RFC 7540 3.2). */
void streams_answer(struct streams *, struct exchange *);

void streams_feed(struct streams *, int dir, const void *p, size_t n);
void streams_hole(struct streams *, int dir, uint64_t n);
void streams_finish(struct streams *, const char *why);

#endif
