/*
 * cohere_v1.c - Cohere's Chat API v1, which Cohere calls legacy: the message that is
 * asked stands apart from the history, and a stream ends with the whole answer.
 */
#include "vendor/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "message", "messages", "model", "chat_history",
		"stream", "preamble", "conversation_id" };
	struct value m[7];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_STRING && !is_given(m[1]) && (is_text(m[2]) ||
	    m[3].kind == VALUE_ARRAY || m[4].kind == VALUE_TRUE || m[4].kind == VALUE_FALSE ||
	    is_text(m[5]) || is_text(m[6]));
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "text", "generation_id", "response_id" };
	struct value m[3];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_STRING && (is_text(m[1]) || is_text(m[2]));
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "message", "chat_history", "tool_results", "preamble",
		"p", "k", "stop_sequences" };
	struct value m[7];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = m[1];
	a->last = is_text(m[0]) || m[2].kind != VALUE_ARRAY ? m[0] : m[2];
	a->system = m[3];
	a->top_p = first_given(m[4], a->top_p);
	a->top_k = first_given(m[5], a->top_k);
	a->stop = first_given(m[6], a->stop);
}

/* [{"call":{"name","parameters"},"outputs":[...]}]: calls have no ids. */
static void
results(struct messages *m, struct value list)
{
	struct value k, v, none = { 0 };
	struct value_iter it;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		part_result(m, none, value_get(value_get(v, "call"), "name"),
		    value_get(v, "outputs"), false);
}

static void
calls(struct messages *m, struct value list)
{
	struct value k, v, none = { 0 };
	struct value_iter it;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		part_call(m, none, value_get(v, "name"), value_get(v, "parameters"));
}

/* Of the history; the message itself, a text; or results at the end, a list. */
static void
item(struct messages *m, struct value v)
{
	static const char *const key[] = { "role", "message", "tool_calls", "tool_results" };
	struct value i[4];

	if (v.kind != VALUE_OBJECT) {
		message_open(m, v.kind == VALUE_ARRAY ? "tool" : "user");
		v.kind == VALUE_ARRAY ? results(m, v) : part_text(m, v);
	} else {
		MEMBERS(v, key, i);
		message_open_value(m, i[0]);
		part_text(m, i[1]);
		calls(m, i[2]);
		results(m, i[3]);
	}
	message_close(m, NULL);
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "response_id", "generation_id", "text", "tool_calls",
		"finish_reason", "meta" };
	struct value v[6];

	MEMBERS(body, key, v);
	a->id = first_given(v[0], v[1]);
	usage_cohere(&a->usage, v[5]);
	if (v[2].kind != VALUE_STRING)	/* an error */
		return;
	message_open(m, "assistant");
	part_text(m, v[2]);
	calls(m, v[3]);
	message_close(m, response_finish(a, m, v[4]));
}

/* === streams ==================================================================== */

static bool
detect(const struct merge_input *in)
{
	static const char *const type[] = { "stream-start", "text-generation", "stream-end",
		"search-queries-generation", "search-results", "citation-generation",
		"tool-calls-chunk", "tool-calls-generation" };
	struct value v = event_get(in->json, "event_type");

	for (size_t i = 0; i < sizeof(type) / sizeof(*type); i++)
		if (value_eq(v, type[i]))
			return true;
	return false;
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct value type = event_get(in->json, "event_type");
	const struct event *ev = in->json;

	if (value_eq(type, "text-generation") || value_eq(type, "tool-calls-chunk")) {
		merge_grow(m, m->root, "text", event_get(ev, "text"));
	} else if (value_eq(type, "stream-start")) {
		builder_set(&m->builder, m->root, "generation_id", event_get(ev, "generation_id"));
	} else if (value_eq(type, "tool-calls-generation")) {
		builder_set(&m->builder, m->root, "tool_calls", event_get(ev, "tool_calls"));
		m->content = true;
	} else if (value_eq(type, "citation-generation")) {
		merge_extend(m, m->root, "citations", event_get(ev, "citations"));
	} else if (value_eq(type, "stream-end")) {
		merge_overwrite(m, m->root, event_get(ev, "response"));
		builder_set(&m->builder, m->root, "finish_reason", event_get(ev, "finish_reason"));
		merge_error(m, event_get(ev, "error"));
		m->ended = m->closed = true;
	} else {
		merge_error(m, event_get(ev, "error"));
	}
}

static void
finish(struct merge *m, struct text *text)
{
	merge_text(text, m->root, "text");
}

const struct merge_format merge_cohere_v1 = {
	.name = "cohere-v1",
	.detect = detect,
	.own_end = true,
	.event = event,
	.finish = finish,
};

/* === the entry =================================================================== */

static const struct vendor_path paths[] = {
	{ .end = "/v1/chat", .shape = true }, { .end = NULL },
};

/* Roles and finish words are those of version 2 (cohere.c). */
static const struct vendor vendor_cohere_v1 = {
	.api = "cohere_chat_v1", .operation = "chat", .provider = "cohere",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.paths = paths,
	.stream = &merge_cohere_v1,
};
VENDOR_ENTRY(vendor_cohere_v1);
