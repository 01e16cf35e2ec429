/* span.c - ids, spans and log records; see span.h */
#include "otelsink/span.h"

#include <openssl/sha.h>
#include <string.h>

/* opentelemetry/proto/trace/v1/trace.proto */
static const struct field span_self = { 2, "spans" };
static const struct field span_trace = { 1, "traceId" }, span_span = { 2, "spanId" },
    span_parent = { 4, "parentSpanId" },
    span_name = { 5, "name" }, span_kind = { 6, "kind" }, span_start = { 7, "startTimeUnixNano" },
    span_end = { 8, "endTimeUnixNano" }, span_attributes = { 9, "attributes" },
    span_events = { 11, "events" },
    span_links = { 13, "links" }, span_status = { 15, "status" }, span_flags = { 16, "flags" };
static const struct field event_time_ = { 1, "timeUnixNano" }, event_name = { 2, "name" };
static const struct field link_trace = { 1, "traceId" }, link_span = { 2, "spanId" },
    link_flags = { 6, "flags" };
static const struct field status_message = { 2, "message" }, status_code = { 3, "code" };

/* opentelemetry/proto/logs/v1/logs.proto */
static const struct field log_self = { 2, "logRecords" };
static const struct field log_time = { 1, "timeUnixNano" }, log_severity = { 2, "severityNumber" },
    log_attributes = { 6, "attributes" }, log_flags = { 8, "flags" }, log_trace = { 9, "traceId" },
    log_span = { 10, "spanId" }, log_observed = { 11, "observedTimeUnixNano" },
    log_event = { 12, "eventName" };

enum { STATUS_ERROR = 2, SEVERITY_INFO = 9, SAMPLED = 1, HAS_IS_REMOTE = 0x100 };

static void
digest(unsigned char out[SHA256_DIGEST_LENGTH], const char *kind, const void *name, size_t n,
    uint64_t number)
{
	unsigned char buf[512], whole[SHA256_DIGEST_LENGTH];
	size_t k = strlen(kind) + 1;

	if (n > sizeof(buf) - 64) {	/* a long name by its digest */
		SHA256(name, n, whole);
		name = whole;
		n = sizeof(whole);
	}
	memcpy(buf, kind, k);
	for (int i = 0; i < 8; i++)
		buf[k++] = number >> 8 * i;
	memcpy(buf + k, name, n);
	SHA256(buf, k + n, out);
	out[7] |= !memcmp(out, "\0\0\0\0\0\0\0", 8);	/* all zeros is no id */
}

struct trace_id
trace_id_of(const char *kind, const void *name, size_t n, uint64_t number)
{
	unsigned char d[SHA256_DIGEST_LENGTH];
	struct trace_id id;

	digest(d, kind, name, n, number);
	memcpy(id.b, d, sizeof(id.b));
	return id;
}

struct span_id
span_id_of(const char *kind, const void *name, size_t n, uint64_t number)
{
	unsigned char d[SHA256_DIGEST_LENGTH];
	struct span_id id;

	digest(d, kind, name, n, number);
	memcpy(id.b, d, sizeof(id.b));
	return id;
}

static bool
is_given(struct span_id id)
{
	static const struct span_id none;

	return memcmp(&id, &none, sizeof(id));
}

static void
name_put(struct wire *w, const struct span *s, struct arena *arena)
{
	size_t verb = strlen(s->verb);
	char *name;

	if (!s->objectlen || !(name = arena_get(arena, verb + 1 + s->objectlen))) {
		wire_str(w, span_name, s->verb, verb);
		return;
	}
	memcpy(name, s->verb, verb);
	name[verb] = ' ';
	memcpy(name + verb + 1, s->object, s->objectlen);
	if (!verb)
		name++, verb = (size_t)-1;
	wire_str(w, span_name, name, verb + 1 + s->objectlen);
}

static void
event_put(struct wire *w, const struct span *s)
{
	wire_list(w, span_events);
	wire_open(w, span_events);
	wire_fixed64(w, event_time_, s->first_ns);
	wire_str(w, event_name, "first_token", 11);
	wire_close(w);
	wire_list_end(w);
}

static void
link_put(struct wire *w, const struct span *s)
{
	wire_list(w, span_links);
	wire_open(w, span_links);
	wire_id(w, link_trace, s->trace.b, sizeof(s->trace.b));
	wire_id(w, link_span, s->link.b, sizeof(s->link.b));
	wire_fixed32(w, link_flags, HAS_IS_REMOTE | SAMPLED);
	wire_close(w);
	wire_list_end(w);
}

void
span_put(struct wire *w, const struct span *s, const struct attrs *a, struct arena *arena)
{
	wire_open(w, span_self);
	wire_id(w, span_trace, s->trace.b, sizeof(s->trace.b));
	wire_id(w, span_span, s->id.b, sizeof(s->id.b));
	if (is_given(s->parent))
		wire_id(w, span_parent, s->parent.b, sizeof(s->parent.b));
	name_put(w, s, arena);
	wire_enum(w, span_kind, s->kind);
	wire_fixed64(w, span_start, s->start_ns);
	wire_fixed64(w, span_end, s->end_ns > s->start_ns ? s->end_ns : s->start_ns);
	attrs_put(w, span_attributes, a, arena);
	if (s->first_ns)
		event_put(w, s);
	if (is_given(s->link))
		link_put(w, s);
	if (s->error) {
		wire_open(w, span_status);
		if (s->message)
			wire_str(w, status_message, s->message, s->messagelen);
		wire_enum(w, status_code, STATUS_ERROR);
		wire_close(w);
	}
	wire_fixed32(w, span_flags, HAS_IS_REMOTE | SAMPLED);
	wire_close(w);
}

void
record_put(struct wire *w, const struct span *s, const char *event, const struct attrs *a,
    struct arena *arena)
{
	wire_open(w, log_self);
	wire_fixed64(w, log_time, s->start_ns);
	wire_fixed64(w, log_observed, s->start_ns);
	wire_enum(w, log_severity, SEVERITY_INFO);
	attrs_put(w, log_attributes, a, arena);
	wire_fixed32(w, log_flags, SAMPLED);
	wire_id(w, log_trace, s->trace.b, sizeof(s->trace.b));
	wire_id(w, log_span, s->id.b, sizeof(s->id.b));
	wire_str(w, log_event, event, strlen(event));
	wire_close(w);
}
