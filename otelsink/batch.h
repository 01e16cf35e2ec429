/*
 * batch.h - resources, and batches: what goes to a receiver in one request
 *
 * A batch collects encoded items (spans, metrics or log records) by resource.
 * It is sealed, that is made into the body of a request, when it holds enough
 * items or bytes, or when its owner says so.
 */
#ifndef OTEL_BATCH_H
#define OTEL_BATCH_H

#include "otelsink/semconv.h"
#include "otelsink/wire.h"

#include <stddef.h>
#include <stdint.h>

enum signal { TRACES, METRICS_SIGNAL, LOGS, SIGNALS };
extern const char *const signal_name[SIGNALS];	/* "traces" "metrics" "logs" */

/* Who is observed: a Resource, encoded. Batches hold references to it. */
struct resource {
	int refs;
	char *body;		/* a Resource: protobuf without its head, or a JSON object */
	size_t len;
};
/* The attributes as they are to be sent; NULL: out of memory. One reference. */
struct resource *resource_new(const struct attrs *, bool json, struct arena *);
struct resource *resource_ref(struct resource *);
void resource_unref(struct resource *);

/* A request's body, ready to be sent. */
struct request {
	struct request *next;
	enum signal signal;
	bool json;
	unsigned items;
	char *body;		/* NULL: on disk */
	size_t len;
	uint64_t number;	/* of its file on disk; 0: it has none */
};
void request_free(struct request *);

enum {
	BATCH_BYTES = 4 << 20,		/* sealed when it is larger */
	/* no request is larger (OTLP 1.9, section "Payload size") */
	REQUEST_BYTES = 64 << 20,
};

struct batch_conf {
	enum signal signal;
	bool json;
	enum semconv semconv;
	unsigned max_items;
	/* Takes the request; NULL when there was no memory for one of n items. */
	void (*sealed)(void *arg, struct request *, unsigned n);
	void *arg;
};

struct batch;
struct batch *batch_new(const struct batch_conf *);	/* NULL: out of memory */
void batch_free(struct batch *);

/* Begins an item; write it with the wire, as an element. */
struct wire *batch_item(struct batch *, struct resource *);
/* Ends it. Its size in bytes; 0 when it was too large, or memory too small, and
 * was left out. */
size_t batch_item_end(struct batch *);
unsigned batch_items(const struct batch *);
void batch_seal(struct batch *);	/* nothing when empty */

#endif
