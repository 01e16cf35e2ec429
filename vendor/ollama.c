/*
 * ollama.c - Ollama's own API: /api/chat, /api/generate, /api/embed. Its
 * streams are merged by ssemerge to the object that stream:false gives.
 */
#include "vendor/vendor.h"

static bool
is_chat(struct value body)
{
	static const char *const key[] = { "messages", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && is_text(m[1]);
}

static bool
is_generate(struct value body)
{
	static const char *const key[] = { "prompt", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_STRING && is_text(m[1]);
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "model", "done", "message", "response" };
	struct value m[4];

	MEMBERS(body, key, m);
	return is_text(m[0]) && (m[1].kind == VALUE_TRUE || m[1].kind == VALUE_FALSE) &&
	    (m[2].kind == VALUE_OBJECT || m[3].kind == VALUE_STRING);
}

static void
common(struct request *a, struct value body)
{
	static const char *const key[] = { "options", "stream", "think", "format" };
	static const char *const okey[] = { "num_predict", "temperature", "top_p", "top_k", "seed",
		"stop",
		"frequency_penalty", "presence_penalty" };
	struct value m[4], o[8];

	request_common(a, body);
	MEMBERS(body, key, m);
	MEMBERS(m[0], okey, o);
	a->stream = m[1].kind != VALUE_FALSE;	/* its default */
	a->max_tokens = first_given(o[0], a->max_tokens);
	a->temperature = first_given(o[1], a->temperature);
	a->top_p = first_given(o[2], a->top_p);
	a->top_k = first_given(o[3], a->top_k);
	a->seed = first_given(o[4], a->seed);
	a->stop = first_given(o[5], a->stop);
	a->frequency_penalty = first_given(o[6], a->frequency_penalty);
	a->presence_penalty = first_given(o[7], a->presence_penalty);
	a->json = is_given(m[3]);
	a->reasoning = m[2].kind == VALUE_STRING ? m[2] : (struct value){ 0 };
}

static void
chat(struct request *a, struct value body)
{
	common(a, body);
	a->list = value_get(body, "messages");
}

static void
generate(struct request *a, struct value body)
{
	common(a, body);
	a->list = value_get(body, "prompt");
	a->system = value_get(body, "system");
}

static void
message(struct messages *m, struct value v)
{
	static const char *const key[] = { "content", "thinking", "tool_calls", "images" };
	struct value i[4], k, c, f;
	struct value_iter it;

	MEMBERS(v, key, i);
	part_reasoning(m, i[1]);
	if (is_text(i[0]))
		part_text(m, i[0]);
	value_iter(&it, i[3]);
	while (i[3].kind == VALUE_ARRAY && value_next(&it, &k, &c))
		part_blob(m, "image", (struct value){ 0 }, c);
	value_iter(&it, i[2]);
	while (i[2].kind == VALUE_ARRAY && value_next(&it, &k, &c)) {
		f = value_get(c, "function");
		part_call(m, first_given(value_get(c, "id"), value_get(f, "id")),
		value_get(f, "name"),
		    value_get(f, "arguments"));
	}
}

static void
item(struct messages *m, struct value v)
{
	static const char *const key[] = { "role", "content", "tool_name", "tool_call_id", "name" };
	struct value i[5];

	if (v.kind == VALUE_STRING) {	/* a prompt */
		message_open(m, "user");
		part_text(m, v);
		message_close(m, NULL);
		return;
	}
	MEMBERS(v, key, i);
	message_open_value(m, i[0]);
	if (value_eq(i[0], "tool"))
		part_result(m, i[3], first_given(i[2], i[4]), i[1], false);
	else
		message(m, v);
	message_close(m, NULL);
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "model", "message", "response", "thinking",
	"done_reason", "done", "error" };
	static const struct value stop = { "\"stop\"", 6, VALUE_STRING, false };
	struct value v[7];

	MEMBERS(body, key, v);
	a->model = v[0];
	a->error = v[6];
	usage_ollama(&a->usage, body);
	if (!is_given(v[1]) && !is_given(v[2]))
		return;
	message_open(m, "assistant");
	if (is_given(v[1])) {
		message(m, v[1]);
	} else {
		part_reasoning(m, v[3]);
		part_text(m, v[2]);
	}
	if (!is_text(v[4]) && v[5].kind == VALUE_TRUE)	/* before 0.1.39 */
		v[4] = stop;
	message_close(m, response_finish(a, m, v[4]));
}

static bool
is_embed(struct value body)
{
	static const char *const key[] = { "input", "prompt", "model" };
	struct value m[3];

	MEMBERS(body, key, m);
	return (is_given(m[0]) || m[1].kind == VALUE_STRING) && is_text(m[2]);
}

static bool
is_embedded(struct value body)
{
	return value_get(body, "embeddings").kind == VALUE_ARRAY ||
	value_get(body, "embedding").kind == VALUE_ARRAY;
}

static void
embed(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = first_given(value_get(body, "input"), value_get(body, "prompt"));
}

static void
embedded(struct response *a, struct messages *m, struct value body)
{
	(void)m;
	a->model = value_get(body, "model");
	a->error = value_get(body, "error");
	a->ended = is_embedded(body);
	usage_ollama(&a->usage, body);
}

/* === streams ==================================================================== */

/*
 * Ollama's own API (/api/chat, /api/generate): one JSON object per
 * line, the last with "done":true and the counts
 */

struct ollama {
	struct rest rest, message;	/* members that do not grow */
	bool chat;
};

static bool
detect(const struct merge_input *in)
{
	enum value_kind done = event_get(in->json, "done").kind;

	return (done == VALUE_TRUE || done == VALUE_FALSE) &&
	    event_get(in->json, "model").kind == VALUE_STRING &&
	    (event_get(in->json, "message").kind == VALUE_OBJECT ||
	    event_get(in->json, "response").kind == VALUE_STRING);
}

static void
stream_message(struct merge *m, struct value v)
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
			merge_say(m, MERGE_TOOL,
			    value_get(value_get(value_element(val, 0), "function"), "name"));
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
			stream_message(m, val);
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

/* === the entries ================================================================= */

static const struct vendor_host hosts[] = { { "ollama.com", "ollama" }, { NULL, NULL } };

static const struct vendor_path chat_paths[] = {
	{ .end = "/api/chat" }, { .end = NULL },
}, generate_paths[] = {
	{ .end = "/api/generate" }, { .end = NULL },
}, embed_paths[] = {
	{ .end = "/api/embed" }, { .end = "/api/embeddings" }, { .end = NULL },
};

const struct vendor vendor_ollama_chat = {
	.api = "ollama_chat", .operation = "chat", .provider = "ollama",
	.is_request = is_chat, .is_response = is_response,
	.request = chat, .item = item, .response = response,
	.hosts = hosts, .paths = chat_paths, .response_rank = 6, .stream = &merge_ollama,
};
VENDOR_ENTRY(vendor_ollama_chat);

const struct vendor vendor_ollama_generate = {
	.api = "ollama_generate", .operation = "text_completion", .provider = "ollama",
	.is_request = is_generate, .is_response = is_response,
	.request = generate, .item = item, .response = response,
	.paths = generate_paths, .stream = &merge_ollama,
};
VENDOR_ENTRY(vendor_ollama_generate);

const struct vendor vendor_ollama_embed = {
	.api = "ollama_embed", .operation = "embeddings", .provider = "ollama",
	.is_request = is_embed, .is_response = is_embedded,
	.request = embed, .item = item, .response = embedded,
	.paths = embed_paths,
};
VENDOR_ENTRY(vendor_ollama_embed);
