/*
 * otelsink_events.c - any lines as events: what comes out is JSON as JSON and a
 * well-formed message as protobuf, and the same number of items in both; tables
 * are as small as they can be
 *
 * First byte: how many conversations are remembered, and whether content is
 * wanted.
 */
#include "event.h"
#include "loss.h"
#include "otelsink/batch.h"
#include "otelsink/observed.h"
#include "otelsink/tracer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct sum {
	bool json;
	uint64_t items;
};

/* Messages within messages cannot be told from text; the outermost can. */
static void
check_protobuf(const unsigned char *p, size_t n)
{
	const unsigned char *end = p + n;

	while (p < end) {
		uint64_t len = 0;
		int shift = 0;

		if (*p++ != 0x0a)	/* field 1, a message */
			abort();
		do {
			if (p == end || shift > 56)
				abort();
			len |= (uint64_t)(*p & 0x7f) << shift;
			shift += 7;
		} while (*p++ & 0x80);
		if (len > (uint64_t)(end - p))
			abort();
		p += len;
	}
}

static void
sealed(void *arg, struct request *r, unsigned n)
{
	struct sum *sum = arg;
	struct event ev;

	if (!r)
		return;
	sum->items += n;
	if (r->json) {
		event_init(&ev);
		if (event_scan(&ev, r->body, r->len) != EVENT_NOTYPE)
			abort();
		event_free(&ev);
	} else {
		check_protobuf((const unsigned char *)r->body, r->len);
	}
	request_free(r);
}

static void
lost(void *arg, unsigned items)
{
	(void)arg, (void)items;
}

static uint64_t
feed(const char *p, size_t n, unsigned how, bool json)
{
	struct sum sum = { json, 0 };
	struct batch *b[SIGNALS];
	unsigned series = 0;
	struct loss loss;
	struct event ev;
	uint64_t now = 0;
	struct observeds *o;
	struct tracer *t;

	for (int i = 0; i < SIGNALS; i++) {
		struct batch_conf conf = { i, json, SEMCONV_141, 7, sealed, &sum };

		b[i] = batch_new(&conf);
	}
	loss_init(&loss, "fuzz");
	event_init(&ev);
	o = observeds_new(&(struct observeds_conf){ .who = { "fuzz", "host", NULL },
	    .meter = { json, SEMCONV_141, how & 16, &series },
	    .content = how & 32, .max = 2, .metrics = b[METRICS_SIGNAL], .lost = lost });
	t = tracer_new(&(struct tracer_conf){ SEMCONV_141, how & 32, how & 64, 1000000000,
	    1 + how % 8, 4, 4, 1 << 12, b[TRACES], b[LOGS], o,
	    &loss });
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl ? (size_t)(nl - p) : n;

		if (event_scan(&ev, p, len) == EVENT_OK) {
			now = event_time(&ev) > now ? event_time(&ev) : now;
			tracer_event(t, &ev, now);
		}
		p += len + (nl != NULL);
		n -= len + (nl != NULL);
	}
	tracer_end(t, now);
	observeds_put(o);
	tracer_free(t);
	for (int i = 0; i < SIGNALS; i++)
		batch_seal(b[i]);
	observeds_free(o);
	for (int i = 0; i < SIGNALS; i++) {
		batch_seal(b[i]);
		batch_free(b[i]);
	}
	if (series)
		abort();
	event_free(&ev);
	return sum.items;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n && feed((const char *)data + 1, n - 1, data[0], true) != feed((const char *)data + 1,
	    n - 1, data[0], false))
		abort();
	return 0;
}
