/*
 * ends.h - connections that are two ends of one
 *
 * When the processes at both ends are observed, the same bytes come twice. The client's
 * end is emitted; the server's is left out, once it is known that the client's is there. The
 * two are found by their addresses, each the other's. A server's end that is seen first
 * waits for a moment of event time, unless its addresses are known and of two machines;
 * for longer while there are ends whose addresses are not known yet.
 * Of tcp.data the collector has left out the server's end already.
 */
#ifndef ENDS_H
#define ENDS_H

#include "event.h"
#include "flow.h"
#include "line.h"

#include <stdbool.h>
#include <stdint.h>

enum end_state {
	END_OPEN,	/* nothing is known yet */
	END_EMITS,
	END_WAITS,	/* a server's: its lines are pending */
	END_MUTE,	/* the client's end emits them */
};

/* One end, part of what is known of a connection. Zeroed, it is one that begins. */
struct end {
	enum end_state state;
	bool entered;		/* a client's, in the table */
	bool found;		/* the addresses, in the line at hand */
	bool unnamed;		/* it is one of those without */
	char *local, *peer;	/* addresses; NULL: not known, neither */
	uint64_t pid, peer_pid;	/* 0: not known */
	uint64_t since;		/* event time from which it waits */
	struct line_out pending;
	struct end *next;	/* one that began to wait later */
};

struct ends {
	struct flow_table *clients;
	struct end *waiting, **last;
	size_t unnamed;		/* clients, and servers that wait, whose addresses are not known */
	struct line_out *out;	/* where lines go */
};

/* max: ends at once. -1: out of memory. */
int ends_open(struct ends *, size_t max, struct line_out *out);
void ends_close(struct ends *);

/* A line of this end. Where what comes of it is to be written; NULL: to the output. */
struct line_out *end_line(struct end *, struct event *);
/* After it; requests: the direction that carries them, 0 WRITE, 1 READ, -1 not known. */
void end_settle(struct ends *, struct end *, int requests, uint64_t now);
/* No more comes; what is pending is written or dropped. */
void end_finish(struct ends *, struct end *);

/* Time goes on: those that waited long enough emit. */
void ends_pass(struct ends *, uint64_t now);

#endif
