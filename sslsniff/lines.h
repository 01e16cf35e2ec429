/*
 * lines.h - from records to event lines
 *
 * Keeps, per connection, its server name and its addresses, of at most 16384
 * connections; emits the end of those whose library did not say it.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>

struct flow_table;
struct held;
struct probe;
struct record;

struct lines {
	struct probe *probe;
	int names, conns, images, aliases, gocalls;	/* the maps of these names */
	struct flow_table *known;
};

/* False: out of memory. The caller sets the rest. */
bool lines_open(struct lines *);

/* A record of the ring (sslsniff.h), n bytes; of an unknown kind: ignored. */
void lines_record(struct lines *, const struct record *, size_t n);

/* A program that was held until it was attached. */
void lines_held(struct lines *, const struct held *);

/* Now and then: ends connections whose process or socket is gone, and forgets what
 * the tables hold for them. */
void lines_sweep(struct lines *);

#endif
