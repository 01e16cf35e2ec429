/*
 * conf.h - what options and the OTEL_* variables say, put together
 *
 * OpenTelemetry specification 1.x: "OTLP Exporter Configuration", "Environment
 * Variable Specification". An option beats every variable, the variable of one
 * signal beats the general one, an empty variable is an unset one, and one that
 * makes no sense is told and ignored.
 */
#ifndef OTEL_CONF_H
#define OTEL_CONF_H

#include "lib/opt.h"
#include "otelsink/attr.h"
#include "otelsink/batch.h"

#include <stdbool.h>
#include <stdint.h>

/* Where and how the requests of one signal are sent. */
struct endpoint {
	bool wanted;
	char *url;
	bool json, gzip;
	uint64_t timeout_ns;
	char **headers;			/* "Name: value" */
	size_t nheaders;
	const char *ca, *cert, *key;	/* files; NULL: the system's, none */
};

/* Options as given; NULL or 0: not given. */
struct conf_given {
	const char *endpoint, *protocol, *compression, *ca, *cert, *key;
	struct opt_list headers;	/* NAME=VALUE */
	uint64_t timeout_ns, batch_ns, metric_ns;
	int64_t batch_size;
	bool content;
};

struct conf {
	struct endpoint to[SIGNALS];
	const char *service;		/* NULL: the agent's name */
	struct attrs resource;
	bool disabled;			/* OTEL_SDK_DISABLED */
	bool content_in_spans, content_in_logs;
	bool delta;
	uint64_t batch_ns, metric_ns;
	unsigned batch_size;
};

/* get: as getenv(3). NULL, or what is wrong (static): then nothing can be sent. */
const char *conf_read(struct conf *, const struct conf_given *, char *(*get)(const char *name));
void conf_free(struct conf *);

#endif
