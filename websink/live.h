/*
 * live.h - the stream of event lines to one client, at the client's pace
 *
 * Server-sent events (HTML standard, section 9.2): each line is an event with
 * its number as id, so that a client that comes back with Last-Event-ID gets
 * what it missed. A client that is too slow loses what has left the memory, and
 * learns how much by an event named "gap". Or plain lines, up to the newest.
 */
#ifndef LIVE_H
#define LIVE_H

#include "recent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { LIVE_PING_MS = 15000 };	/* a comment, so that a client that left is noticed */

struct live {
	struct recent *recent;
	uint64_t next;		/* number of the line that comes next */
	uint64_t until;		/* lines only: the newest when it began */
	bool lines;		/* plain lines, no server-sent events */
	bool preview;		/* short forms where there are */
	bool end_reported;
	uint64_t missed;	/* lines that left before this client got them */
	/* what is being sent: a head, the line, a tail */
	struct recent_line *line;
	char head[128];
	const char *part[3];
	size_t len[3], at, off;
};

/* after: the number of the last line that the client has, 0 for none. */
void live_init(struct live *, struct recent *, uint64_t after);
void live_free(struct live *);

/* Fills buf with what comes next: how many bytes, 0 at the end of the stream, -1
 * when plain lines have left in between. With wait, waits for the first byte. */
ssize_t live_read(struct live *, char *buf, size_t max, bool wait);

#endif
