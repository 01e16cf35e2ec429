/* response.c - one streamed answer; see response.h */
#include "ssemerge/response.h"

#include "lib/jput.h"
#include "lib/lenient.h"

#include <stdlib.h>
#include <string.h>

enum { PENDING_MAX = 64 << 10 };	/* bytes of events kept until the format is known */

enum framing
framing_of(const char *type, bool *lines)
{
	static const struct { const char *type; enum framing framing; bool lines; } known[] = {
		/* also of event streams: errors come as plain JSON */
		{ "text/", FRAMING_UNKNOWN, false },
		{ "application/x-ndjson", FRAMING_VALUES, true },
		{ "application/ndjson", FRAMING_VALUES, true },
		{ "application/jsonl", FRAMING_VALUES, true },
		{ "application/x-jsonl", FRAMING_VALUES, true },
		{ "application/stream+json", FRAMING_VALUES, true },
		/* and what gateways call an event stream, too: the first byte tells */
		{ "application/json", FRAMING_UNKNOWN, false },
		{ "application/vnd.amazon.eventstream", FRAMING_AWS, false },
		{ "application/grpc", FRAMING_NONE, false },
		{ "application/connect+", FRAMING_NONE, false },
		{ "application/proto", FRAMING_NONE, false },
		{ "application/x-proto", FRAMING_NONE, false },
		{ "application/octet-stream", FRAMING_UNKNOWN, false },
		{ "audio/", FRAMING_NONE, false },
		{ "image/", FRAMING_NONE, false },
		{ "video/", FRAMING_NONE, false },
	};

	*lines = false;
	for (size_t i = 0; type && i < sizeof(known) / sizeof(*known); i++)
		if (!strncasecmp(type, known[i].type, strlen(known[i].type))) {
			*lines = known[i].lines;
			return known[i].framing;
		}
	return FRAMING_UNKNOWN;
}

void
response_init(struct response *a, struct event *scan, const char *content_type, const char *path,
    size_t pathlen, size_t max)
{
	bool lines;

	memset(a, 0, sizeof(*a));
	a->framing = framing_of(content_type, &lines);
	a->scan = scan;
	a->hint = path ? merge_by_path(path, pathlen) : NULL;
	builder_init(&a->readers, SIZE_MAX);
	merge_init(&a->merge, max);
	sse_init(&a->sse, &a->readers, max);
	values_init(&a->values, &a->readers, max, lines);
	aws_init(&a->aws, &a->readers, max);
}

void
response_free(struct response *a)
{
	sse_free(&a->sse);
	values_free(&a->values);
	aws_free(&a->aws);
	merge_free(&a->merge);
	builder_drop(&a->readers, &a->pending);
	free(a->repaired);
	a->repaired = NULL;
}

/* --- one event ---------------------------------------------------------------- */

static bool
input_json(struct response *a, struct merge_input *in, const char *p, size_t n)
{
	enum event_rc rc = event_scan(a->scan, p, n);

	in->json = rc == EVENT_OK || rc == EVENT_NOTYPE ? a->scan : NULL;
	in->type = in->json ? event_get(in->json, "type") : (struct value){ 0 };
	return in->json;
}

/* Scans the data, read leniently when that is what it takes. */
static void
input_scan(struct response *a, struct merge_input *in)
{
	unsigned marks = 0;
	size_t n = 0;

	if (input_json(a, in, in->data, in->len))
		return;
	if (in->len >= 6 && !memcmp(in->data, "[DONE]", 6)) {
		in->done = true;
		return;
	}
	free(a->repaired);
	if ((a->repaired = lenient_json(in->data, in->len, true, &n, &marks)))
		input_json(a, in, a->repaired, n);
	else if (utf8_valid(in->data, in->len) < in->len && (marks = LENIENT_UTF8))
		a->repaired = lenient_utf8(in->data, in->len, &n);
	if (marks & LENIENT_UTF8 && !a->cut) {
		a->bad_utf8++;
		a->bad_utf8_bytes += in->len;
	}
	a->merge.lenient |= marks;
	a->merge.builder.halves |= (marks & LENIENT_SURROGATE) != 0;
	if (a->repaired) {
		in->data = a->repaired;
		in->len = n;
	}
}

/* Names and ids are labels; what is no UTF-8 is not worth repairing. */
static void
input_labels(struct merge_input *in, const struct sse_event *e)
{
	if (utf8_valid(e->name, e->namelen) == e->namelen) {
		in->name = e->name;
		in->namelen = e->namelen;
	}
	if (utf8_valid(e->id, e->idlen) == e->idlen) {
		in->id = e->id;
		in->idlen = e->idlen;
	}
}

static void
pending_add(struct response *a, const struct merge_input *in)
{
	size_t len[3] = { in->namelen, in->idlen, in->len };

	builder_add(&a->readers, &a->pending, len, sizeof(len));
	builder_add(&a->readers, &a->pending, in->name, in->namelen);
	builder_add(&a->readers, &a->pending, in->id, in->idlen);
	builder_add(&a->readers, &a->pending, in->data, in->len);
}

/* Begins the message, with what was pending. */
static void
start(struct response *a, const struct merge_format *format)
{
	struct text pending = a->pending;
	size_t len[3];

	a->pending = (struct text){ 0 };
	if (merge_start(&a->merge, format)) {
		a->readers.nomem = a->done = true;
		pending.n = 0;
	}
	/* nothing pending is of an AWS stream: those decide at once */
	for (const char *p = pending.p,
	    *end = pending.n ? p + pending.n : p; p < end; p += len[2]) {
		struct merge_input in = { 0 };

		memcpy(len, p, sizeof(len));
		p += sizeof(len);
		in = (struct merge_input){ .name = p, .namelen = len[0], .id = p + len[0],
		    .idlen = len[1] };
		in.data = p += len[0] + len[1];
		in.len = len[2];
		input_json(a, &in, in.data, in.len);
		merge_event(&a->merge, &in);
	}
	builder_drop(&a->readers, &pending);
}

/* The format of a stream whose events so far could be anybody's. False: this
 * one could be, too. */
static bool
decide(struct response *a, struct merge_input *in)
{
	const struct merge_format *format = merge_detect(in);
	bool error = in->json && value_given(event_get(in->json, "error"));

	if (!format && (in->done || error || in->framed || a->pending.n + in->len > PENDING_MAX))
		format = a->hint ? a->hint : in->framed ? &merge_bedrock_converse : &merge_generic;
	if (!format) {
		pending_add(a, in);
		return false;
	}
	start(a, format);
	input_json(a, in, in->data, in->len);	/* the scan was used for what was pending */
	return !a->done;
}

static void
take(struct response *a, const struct sse_event *e, struct merge_input *in)
{
	if (a->done)
		return;
	in->name = in->id = "";
	in->data = e->data;
	in->len = e->len;
	input_scan(a, in);
	if (a->cut && !in->json && !in->done)
		return;
	a->events++;
	input_labels(in, e);
	if (!a->merge.format && !decide(a, in))
		return;
	merge_event(&a->merge, in);
	a->done |= a->merge.closed;
}

static void
on_event(void *arg, const struct sse_event *e)
{
	struct merge_input in = { 0 };

	take(arg, e, &in);
}

static void
on_value(void *arg, const char *p, size_t n)
{
	struct sse_event e = { .name = "", .id = "", .data = p, .len = n };

	on_event(arg, &e);
}

/* An error that comes without a payload has its text in a header: the id. */
static void
on_aws(void *arg, const struct aws_event *x)
{
	struct sse_event e = { x->type, x->typelen, x->error, x->errorlen, x->payload, x->len };
	struct merge_input in = { .framed = true, .exception = x->exception };

	take(arg, &e, &in);
}

/* --- bytes -------------------------------------------------------------------- */

/* Looks at the first byte of a body that may be SSE or JSON; empty lines before
 * it say nothing. Returns how many bytes those are. */
static size_t
sniff(struct response *a, const char *p, size_t n)
{
	size_t skip = 0;

	while (skip < n && (p[skip] == '\r' || p[skip] == '\n'))
		skip++;
	if (skip < n)
		a->framing = p[skip] == '{' || p[skip] == '[' ? FRAMING_VALUES : FRAMING_SSE;
	return skip;
}

int
response_feed(struct response *a, const void *data, size_t n)
{
	const char *p = data;
	size_t skip = 0;

	if (!a->done && n && a->framing == FRAMING_UNKNOWN)
		skip = sniff(a, p, n);
	if (a->done || skip == n)
		return a->readers.nomem ? -1 : 0;
	if (a->framing == FRAMING_SSE)
		sse_feed(&a->sse, p + skip, n - skip, on_event, a);
	else if (a->framing == FRAMING_VALUES)
		values_feed(&a->values, p + skip, n - skip, on_value, a);
	else if (a->framing == FRAMING_AWS)
		aws_feed(&a->aws, p, n, on_aws, a);
	return a->readers.nomem ? -1 : 0;
}

int
response_value(struct response *a, const void *p, size_t n)
{
	on_value(a, p, n);
	return a->readers.nomem ? -1 : 0;
}

void
response_hole(struct response *a)
{
	if (a->framing == FRAMING_UNKNOWN)
		a->framing = FRAMING_SSE;
	if (a->framing == FRAMING_SSE)
		sse_hole(&a->sse);
	else if (a->framing == FRAMING_AWS)
		aws_hole(&a->aws);
	else
		values_hole(&a->values);
}

int
response_end(struct response *a, bool cut)
{
	a->cut = cut;
	if (!a->done)
		sse_end(&a->sse, on_event, a);
	if (!a->done)
		values_end(&a->values, on_value, a);
	if (!a->done && !cut && a->aws.text.n)
		a->aws.bad++;
	if (!a->merge.format)
		start(a, a->hint ? a->hint : &merge_generic);
	return a->readers.nomem ? -1 : 0;
}

const json_t *
response_message(struct response *a, struct text *text)
{
	a->done = true;
	return merge_finish(&a->merge, text);
}

size_t
response_memory(const struct response *a)
{
	return a->merge.builder.memory + a->readers.memory;
}

bool
response_limited(const struct response *a, uint64_t *bytes)
{
	*bytes = a->merge.builder.lost + a->sse.long_bytes + a->values.long_bytes +
	    a->aws.long_bytes;
	return a->merge.builder.lost || a->merge.builder.nomem || a->sse.long_events ||
	    a->values.long_events ||
	    a->aws.long_events;
}
