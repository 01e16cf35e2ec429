/*
 * span.h - ids, and one span or log record as OTLP has it
 *
 * Ids are derived from what the events say, never from chance or from a
 * clock: the same recording gives the same traces, whenever it is exported, and
 * a store that is sent them twice has them once.
 */
#ifndef OTEL_SPAN_H
#define OTEL_SPAN_H

#include "otelsink/attr.h"

#include <stdint.h>

struct trace_id { unsigned char b[16]; };
struct span_id { unsigned char b[8]; };

/* From a kind of thing and what names it among its kind (SHA-256, cut). */
struct trace_id trace_id_of(const char *kind, const void *name, size_t n, uint64_t number);
struct span_id span_id_of(const char *kind, const void *name, size_t n, uint64_t number);

enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 };

struct span {
	struct trace_id trace;
	struct span_id id;
	struct span_id parent;		/* zero: a root */
	struct span_id link;		/* a span of the same trace; zero: none */
	enum span_kind kind;
	const char *verb;		/* the name, in two parts: "chat", "claude-x" */
	const char *object;
	size_t objectlen;		/* 0: the verb alone */
	uint64_t start_ns, end_ns;
	uint64_t first_ns;		/* event: the first piece of the answer; 0: none */
	bool error;
	const char *message;		/* of the error, NULL: none */
	size_t messagelen;
};

/* Writes a Span as element of its list. */
void span_put(struct wire *, const struct span *, const struct attrs *, struct arena *);

/* Writes a LogRecord of that span, time start_ns, named event. */
void record_put(struct wire *, const struct span *, const char *event, const struct attrs *,
    struct arena *);

#endif
