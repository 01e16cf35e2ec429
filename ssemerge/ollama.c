/*
 * ollama.c - Ollama's own API (/api/chat, /api/generate): one JSON object per
 * line, the last with "done":true and the counts
 */
#include "ssemerge/merge.h"

struct ollama {
	struct rest rest, message;	/* members that do not grow */
	bool chat;
};

static bool
detect(const struct merge_input *in)
{
	enum value_kind done = event_get(in->json, "done").kind;

	return (done == VALUE_TRUE || done == VALUE_FALSE) && event_get(in->json, "model").kind == VALUE_STRING &&
	    (event_get(in->json, "message").kind == VALUE_OBJECT || event_get(in->json, "response").kind == VALUE_STRING);
}

static void
message(struct merge *m, struct value v)
{
	struct ollama *o = m->own;
	json_t *to = builder_object(&m->builder, m->root, "message");
	struct value_iter it;
	struct value key, val;

	o->chat = true;
	rest_begin(&o->message);
	value_iter(&it, v);
	while (to && value_next(&it, &key, &val)) {
		if (value_eq(key, "content")) {
			merge_grow(m, to, "content", val);
		} else if (value_eq(key, "thinking")) {
			merge_grow(m, to, "thinking", val);
		} else if (value_eq(key, "tool_calls")) {
			merge_extend(m, to, "tool_calls", val);
			m->content = true;
		} else if (value_eq(key, "images")) {
			merge_extend(m, to, "images", val);
		} else {
			rest_put(&m->builder, &o->message, key, val);
		}
	}
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct ollama *o = m->own;

	rest_begin(&o->rest);
	for (size_t i = 0; i < in->json->nfields; i++) {
		struct value key = field_key(&in->json->fields[i]), val = in->json->fields[i].value;

		if (value_eq(key, "message") && val.kind == VALUE_OBJECT)
			message(m, val);
		else if (value_eq(key, "response") && val.kind == VALUE_STRING)
			merge_grow(m, m->root, "response", val);
		else if (value_eq(key, "thinking") && val.kind == VALUE_STRING)
			merge_grow(m, m->root, "thinking", val);
		else if (value_eq(key, "logprobs") && val.kind == VALUE_ARRAY)
			merge_extend(m, m->root, "logprobs", val);
		else if (value_eq(key, "error"))
			merge_error(m, val);
		else
			rest_put(&m->builder, &o->rest, key, val);
	}
	if (event_get(in->json, "done").kind == VALUE_TRUE)
		m->ended = m->closed = true;
}

static void
finish(struct merge *m, struct text *text)
{
	struct ollama *o = m->own;
	json_t *message = json_object_get(m->root, "message");

	rest_build(&m->builder, &o->rest, m->root);
	if (o->chat)
		rest_build(&m->builder, &o->message, message);
	merge_text(text, message, "content");
	merge_text(text, m->root, "response");
}

static void
free_own(struct merge *m)
{
	struct ollama *o = m->own;

	rest_free(&m->builder, &o->rest);
	rest_free(&m->builder, &o->message);
}

const struct merge_format merge_ollama = {
	.name = "ollama",
	.own = sizeof(struct ollama),
	.detect = detect,
	.path = { "/api/chat", "/api/generate" },
	.event = event,
	.finish = finish,
	.free = free_own,
};
