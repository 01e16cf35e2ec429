/*
 * http.h - one POST of an OTLP request, with libcurl
 *
 * Connections are kept; proxies as in curl(1) (http_proxy, https_proxy,
 * no_proxy); redirects are not followed. What may be tried again is OTLP 1.9,
 * section "Failures".
 */
#ifndef OTEL_HTTP_H
#define OTEL_HTTP_H

#include "otelsink/batch.h"
#include "otelsink/conf.h"
#include "otelsink/reply.h"

enum http_rc {
	HTTP_TAKEN,	/* 2xx: never to be sent again */
	HTTP_RETRY,	/* 429, 502, 503, 504, or no answer */
	HTTP_REFUSED,	/* any other status: it will not be taken */
	HTTP_GIVEN_UP,	/* stop said so */
};

struct http_result {
	enum http_rc rc;
	int64_t wait_s;		/* Retry-After; -1: none */
	struct reply reply;
	char why[320];		/* when not taken: for a message */
};

struct http;
/* NULL: out of memory. The endpoint is borrowed. stop is asked about once a
 * second while a request is under way, and ends it when true. */
struct http *http_new(const struct endpoint *, bool (*stop)(void *arg), void *arg);
void http_free(struct http *);

/* Sends the body; gzipped first when the endpoint says so. */
void http_post(struct http *, const char *body, size_t n, bool json, struct http_result *);

#endif
