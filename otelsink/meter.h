/*
 * meter.h - metrics: histograms and counters, by resource and attributes
 *
 * Bounded: when there are as many series as OpenTelemetry's default limit for
 * one metric allows, further combinations of attributes are added up in one
 * series with otel.metric.overflow (metrics SDK, "Cardinality limits").
 */
#ifndef OTEL_METER_H
#define OTEL_METER_H

#include "otelsink/attr.h"
#include "otelsink/batch.h"

enum {
	METER_SERIES = 2000,	/* of one resource and metric */
	METER_TOTAL = 65536,	/* of all */
};

struct meter_conf {
	bool json;
	enum semconv semconv;
	bool delta;		/* temporality; else cumulative */
	unsigned *total;	/* series of all meters; theirs to count */
};

/* The metrics of one resource. */
struct meter;
/* holds a reference; NULL: no memory */
struct meter *meter_new(const struct meter_conf *, struct resource *);
void meter_free(struct meter *);

/* What was measured: a value, and when it came about. */
struct measured {
	double value;
	uint64_t since_ns, time_ns;
};
/* Histograms take the value in, counters add it up. Attributes are copied.
 * False: out of memory, not counted. */
bool meter_add(struct meter *, enum metric, const struct attrs *, const struct measured *,
    struct arena *);

/* Writes what there is, when anything was added since the last time, as items:
 * one for each metric. The batch may be sealed on the way. Returns how many
 * items were left out because they were too large or memory too small. */
unsigned meter_put(struct meter *, struct batch *);

#endif
