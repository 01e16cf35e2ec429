/*
 * export.h - requests on their way to a receiver: a bounded queue and a thread
 *
 * One exporter per signal, so that one that is refused does not hold up the
 * others. The thread sends, waits and tries again; whoever puts a request in
 * never waits. What finds no room, or is not delivered in time, is counted.
 */
#ifndef OTEL_EXPORT_H
#define OTEL_EXPORT_H

#include "otelsink/batch.h"
#include "otelsink/conf.h"
#include "otelsink/spool.h"

#include <stdint.h>

struct export_conf {
	enum signal signal;
	const struct endpoint *to;
	uint64_t queue_bytes;		/* of requests in memory that wait */
	/* after so long a request is given up, unless it is spooled */
	uint64_t retry_ns;
	struct spool *spool;		/* NULL: none */
	bool quiet;
};

/* Items, and bytes of their requests. */
struct export_counts {
	struct export_count { uint64_t items, bytes; }
	    sent,		/* taken by the receiver */
	    rejected,		/* of those sent: not wanted by it (partial success) */
	    refused,		/* in requests that it will never take */
	    unsent,		/* given up */
	    queue_full,		/* found no room */
	    spool_full,		/* the same, on disk */
	    spool_lost;		/* their file could not be read back */
	uint64_t requests, retries;
	uint64_t waiting;	/* items in the queue now; after export_stop: left on disk */
};

struct exporter;
struct exporter *exporter_new(const struct export_conf *);	/* NULL: errno */
/* Takes the request, whatever becomes of it. */
void exporter_put(struct exporter *, struct request *);
void exporter_counts(struct exporter *, struct export_counts *);

/* Sends what there is, until the time of the monotonic clock; what is left then
 * is given up, or stays on disk. All exporters are told first (say), then each
 * is waited for (join); false: its thread hangs in a system call, what it
 * waits with is lost, and it must not be freed. */
void exporter_say_stop(struct exporter *, uint64_t until_ns);
bool exporter_join(struct exporter *);
void exporter_free(struct exporter *);	/* after join */

uint64_t export_clock(void);	/* CLOCK_MONOTONIC, nanoseconds */

#endif
