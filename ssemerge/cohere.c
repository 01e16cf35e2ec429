/*
 * cohere.c - Cohere Chat, version 2
 *
 * Events nest like the answer: each has a delta with the part of the message
 * that it begins, or that it appends to, by index.
 */
#include "ssemerge/merge.h"

#include <string.h>

enum { PAD_MAX = 64 };	/* parts that may be missing in a row */

static bool
detect(const struct merge_input *in)
{
	static const char *const type[] = { "message-start", "content-start", "content-delta", "content-end",
	    "tool-plan-delta", "tool-call-start", "tool-call-delta", "tool-call-end", "citation-start",
	    "citation-end", "message-end" };

	for (size_t i = 0; i < sizeof(type) / sizeof(*type); i++)
		if (value_eq(in->type, type[i]))
			return true;
	return false;
}

static json_t *
message(struct merge *m)
{
	return builder_object(&m->builder, m->root, "message");
}

/* message.key[index], made with what it takes to get there. */
static json_t *
element(struct merge *m, const char *key, const struct event *ev)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false };
	json_t *array = builder_array(&m->builder, message(m), key);
	int64_t index = value_int(event_get(ev, "index"), -1);
	size_t n = json_array_size(array);

	if (index < 0 || index > (int64_t)n + PAD_MAX)
		return NULL;
	while (n <= (size_t)index) {
		builder_push(&m->builder, array, none);
		if (json_array_size(array) != ++n)
			return NULL;
	}
	return json_array_get(array, index);
}

static void
content_delta(struct merge *m, const struct event *ev, struct value v)
{
	json_t *o = element(m, "content", ev), *probs;

	if (value_get(v, "thinking").kind) {
		if (o && !json_object_get(o, "type"))
			builder_set_json(&m->builder, o, "type", json_string("thinking"));
		merge_grow(m, o, "thinking", value_get(v, "thinking"));
	} else {
		if (o && !json_object_get(o, "type"))
			builder_set_json(&m->builder, o, "type", json_string("text"));
		merge_grow(m, o, "text", value_get(v, "text"));
	}
	if (event_get(ev, "logprobs").kind == VALUE_OBJECT) {
		probs = builder_array(&m->builder, m->root, "logprobs");
		builder_push(&m->builder, probs, event_get(ev, "logprobs"));
	}
}

static void
message_end(struct merge *m, struct value delta)
{
	merge_overwrite(m, m->root, delta);
	merge_error(m, value_get(delta, "error"));
	if (json_object_get(m->root, "error"))
		json_object_del(m->root, "error");
	m->ended = m->closed = true;
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct value delta = event_get(in->json, "delta"), v = value_get(delta, "message");
	struct value calls = value_get(v, "tool_calls");
	json_t *o;

	if (value_eq(in->type, "content-delta")) {
		content_delta(m, in->json, value_get(v, "content"));
	} else if (value_eq(in->type, "content-start")) {
		merge_overwrite(m, element(m, "content", in->json), value_get(v, "content"));
	} else if (value_eq(in->type, "tool-plan-delta")) {
		merge_grow(m, message(m), "tool_plan", value_get(v, "tool_plan"));
	} else if (value_eq(in->type, "tool-call-start")) {
		merge_overwrite(m, element(m, "tool_calls", in->json), calls);
		m->content = true;
	} else if (value_eq(in->type, "tool-call-delta")) {
		o = element(m, "tool_calls", in->json);
		merge_grow(m, o ? builder_object(&m->builder, o, "function") : NULL, "arguments",
		    value_get(value_get(calls, "function"), "arguments"));
	} else if (value_eq(in->type, "citation-start")) {
		merge_overwrite(m, element(m, "citations", in->json), value_get(v, "citations"));
	} else if (value_eq(in->type, "message-start")) {
		builder_set(&m->builder, m->root, "id", event_get(in->json, "id"));
		merge_overwrite(m, message(m), v);
	} else if (value_eq(in->type, "message-end")) {
		message_end(m, delta);
	} else {
		merge_error(m, event_get(in->json, "error"));
	}
}

/* An empty list, object or text, which the unstreamed answer leaves out. */
static bool
is_empty(const json_t *j)
{
	return (json_is_array(j) && !json_array_size(j)) || (json_is_string(j) && !json_string_length(j)) ||
	    (json_is_object(j) && !json_object_size(j));
}

static void
finish(struct merge *m, struct text *text)
{
	static const char *const part[] = { "content", "tool_calls", "citations", "tool_plan" };
	json_t *message = json_object_get(m->root, "message"), *j;

	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++) {
		json_t *list = json_object_get(message, part[i]);

		for (size_t k = json_array_size(list); k-- > 0;)
			if (is_empty(json_array_get(list, k)))
				json_array_remove(list, k);
		if (is_empty(list))
			json_object_del(message, part[i]);
	}
	for (size_t i = 0; (j = json_array_get(json_object_get(message, "content"), i)); i++)
		merge_text(text, j, "text");
}

const struct merge_format merge_cohere = {
	.name = "cohere",
	.detect = detect,
	.path = { "/v2/chat" },
	.event = event,
	.finish = finish,
};
