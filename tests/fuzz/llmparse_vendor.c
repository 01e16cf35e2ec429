/*
 * llmparse_vendor.c - any JSON as request and as answer of any vendor: what is
 * written is one event line, and the same for the same input
 *
 * First byte: vendor; second: how much content; the rest: a body, or two with
 * a newline between, the request's and the answer's.
 */
#include "event.h"
#include "jput.h"
#include "line.h"
#include "llmparse/call.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
must(int good, const char *what, const char *p, size_t n)
{
	if (good)
		return;
	fprintf(stderr, "%s: %.*s\n", what, (int)n, p);
	abort();
}

static void
check(struct line_out *out)
{
	struct event ev;
	size_t n = out->len;

	must(n && out->buf[n - 1] == '\n', "no line", out->buf, n);
	must(!memchr(out->buf, '\n', n - 1), "two lines", out->buf, n);
	event_init(&ev);
	must(event_scan(&ev, out->buf, n - 1) == EVENT_OK &&
	    event_is(&ev, "llm.call"), "no event", out->buf, n);
	event_free(&ev);
	out->len = 0;
}

static void
one_call(struct caller *c, struct line_out *out, const struct vendor *v, const char *id,
    const char *p, size_t n)
{
	const char *nl = memchr(p, '\n', n);
	size_t request = nl ? (size_t)(nl - p) : n, response = nl ? n - request - 1 : n;
	struct route route = { .stream = true };
	struct call_request rq = { .vendor = v, .route = &route };
	struct call_response r = { 0 };
	struct call call = { 0 };
	struct event ev;
	char line[256];

	event_init(&ev);
	snprintf(line, sizeof(line),
	    "{\"type\":\"http.request\",\"timestamp_ns\":1,\"pid\":1,\"tid\":1,\"uid\":0,"
	    "\"comm\":\"x\",\"conn\":\"c\",\"id\":\"%s\",\"host\":\"h:1\",\"headers\":{}}", id);
	event_scan(&ev, line, strlen(line));
	rq.ev = r.ev = &ev;
	rq.body = event_scan_value(&ev, p, request);
	rq.headers = event_get(&ev, "headers");
	must(!call_request(c, &call, &rq), "request", p, n);
	r.body = event_scan_value(&ev, nl ? nl + 1 : p, response);
	v->is_request(rq.body);
	v->is_response(r.body);
	call_emit(c, &call, &r, out);
	call_free(&call);
	event_free(&ev);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data + 2;
	const struct vendor *const *at = NULL, *v, *last = NULL;
	struct line_out out;
	struct caller c;

	if (n < 2)
		return 0;
	for (unsigned i = 0; (v = vendor_next(&at)) && i < data[0]; i++)
		last = v;
	v = v ? v : last;
	line_out_init(&out, -1);
	if (caller_init(&c, data[1] % 3, 4))
		abort();
	for (int i = 1; i < 4; i++) {
		char id[16];

		snprintf(id, sizeof(id), "c/%d", i);
		/* line_end flushes what is large; to nowhere, which is an error */
		one_call(&c, &out, v, id, p, n - 2);
		if (!out.err)
			check(&out);
		out.err = 0;
	}
	caller_free(&c);
	line_out_free(&out);
	return 0;
}
