/* cohere.c - Cohere's Chat API v2, embeddings, and rerankers in its shape */
#include "vendor/vendor.h"

#include <string.h>

static bool
is_request(struct value body)
{
	static const char *const key[] = { "messages", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && is_text(m[1]);
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "message", "finish_reason", "usage" };
	struct value m[3];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_OBJECT && is_text(m[1]) &&
	    value_get(m[0], "role").kind == VALUE_STRING;
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "messages", "p", "k", "stop_sequences" };
	struct value m[4];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = m[0];
	a->top_p = first_given(m[1], a->top_p);
	a->top_k = first_given(m[2], a->top_k);
	a->stop = m[3];
}

static void
block(struct messages *m, struct value b)
{
	static const char *const key[] = { "type", "text", "thinking", "image_url" };
	struct value v[4];

	MEMBERS(b, key, v);
	if (value_eq(v[0], "text"))
		part_text(m, v[1]);
	else if (value_eq(v[0], "thinking"))
		part_reasoning(m, v[2]);
	else if (value_eq(v[0], "image_url"))
		part_uri(m, "image", (struct value){ 0 }, value_get(v[3], "url"));
	else
		part_other(m, "unknown", b);
}

static void
message(struct messages *m, struct value v)
{
	static const char *const key[] = { "content", "tool_plan", "tool_calls" };
	struct value i[3], k, call, f;
	struct value_iter it;

	MEMBERS(v, key, i);
	part_reasoning(m, i[1]);
	content_put(m, i[0], block);
	value_iter(&it, i[2]);
	while (i[2].kind == VALUE_ARRAY && value_next(&it, &k, &call)) {
		f = value_get(call, "function");
		part_call(m, value_get(call, "id"), value_get(f, "name"),
		    value_get(f, "arguments"));
	}
}

static void
item(struct messages *m, struct value v)
{
	static const char *const key[] = { "role", "content", "tool_call_id" };
	struct value i[3];

	MEMBERS(v, key, i);
	message_open_value(m, i[0]);
	if (value_eq(i[0], "tool"))
		part_result(m, i[2], (struct value){ 0 }, i[1], false);
	else
		message(m, v);
	message_close(m, NULL);
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "message", "finish_reason", "usage" };
	struct value v[4];

	MEMBERS(body, key, v);
	a->id = v[0];
	usage_cohere(&a->usage, v[3]);
	if (v[1].kind != VALUE_OBJECT)	/* of an error it is text */
		return;
	message_open(m, "assistant");
	message(m, v[1]);
	message_close(m, response_finish(a, m, v[2]));
}

/* --- embeddings ------------------------------------------------------------------- */

static bool
is_embed(struct value body)
{
	static const char *const key[] = { "texts", "inputs", "images", "model" };
	struct value m[4];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_ARRAY || m[1].kind == VALUE_ARRAY || m[2].kind == VALUE_ARRAY) &&
	    is_text(m[3]);
}

static bool
is_embedded(struct value body)
{
	static const char *const key[] = { "embeddings", "meta", "response_type" };
	struct value m[3];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_ARRAY || m[0].kind == VALUE_OBJECT) &&
	    (is_given(m[1]) || is_given(m[2]));
}

static void
embed(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = first_given(value_get(body, "texts"), value_get(body, "inputs"));
}

static void
text_item(struct messages *m, struct value v)
{
	message_open(m, "user");
	if (v.kind == VALUE_STRING)
		part_text(m, v);
	else
		content_put(m, value_get(v, "content"), block);
	message_close(m, NULL);
}

static void
embedded(struct response *a, struct messages *m, struct value body)
{
	(void)m;
	a->id = value_get(body, "id");
	a->ended = is_embedded(body);
	usage_cohere(&a->usage, value_get(body, "meta"));
}

/* --- rerank: Cohere, Voyage, Jina and what imitates them ---------------------------- */

static bool
is_rerank(struct value body)
{
	static const char *const key[] = { "query", "documents", "model" };
	struct value m[3];

	MEMBERS(body, key, m);
	return is_given(m[0]) && m[1].kind == VALUE_ARRAY && is_text(m[2]);
}

static bool
is_ranked(struct value body)
{
	struct value list = first_given(value_get(body, "results"), value_get(body, "data"));

	return list.kind == VALUE_ARRAY &&
	    is_given(value_get(value_element(list, 0), "relevance_score"));
}

static void
rerank(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = value_get(body, "query");
}

static void
ranked(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "meta", "usage" };
	struct value v[4];

	(void)m;
	MEMBERS(body, key, v);
	a->id = v[0];
	a->model = v[1];
	a->ended = is_ranked(body);
	usage_cohere(&a->usage, v[2]);
	usage_set(&a->usage, USAGE_INPUT, value_get(v[3], "total_tokens"));
}

/* === streams ==================================================================== */

/*
 * Cohere Chat, version 2
 *
 * Events nest like the answer: each has a delta with the part of the message
 * that it begins, or that it appends to, by index.
 */

enum { PAD_MAX = 64 };	/* parts that may be missing in a row */

static bool
detect(const struct merge_input *in)
{
	static const char *const type[] = { "message-start", "content-start", "content-delta",
		"content-end",
	    "tool-plan-delta", "tool-call-start", "tool-call-delta", "tool-call-end",
	    "citation-start",
	    "citation-end", "message-end" };

	for (size_t i = 0; i < sizeof(type) / sizeof(*type); i++)
		if (value_eq(in->type, type[i]))
			return true;
	return false;
}

static json_t *
stream_message(struct merge *m)
{
	return builder_object(&m->builder, m->root, "message");
}

/* message.key[index], made with what it takes to get there. */
static json_t *
element(struct merge *m, const char *key, const struct event *ev)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false };
	json_t *array = builder_array(&m->builder, stream_message(m), key);
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
		merge_grow(m, stream_message(m), "tool_plan", value_get(v, "tool_plan"));
	} else if (value_eq(in->type, "tool-call-start")) {
		merge_overwrite(m, element(m, "tool_calls", in->json), calls);
		merge_say(m, MERGE_TOOL, value_get(value_get(calls, "function"), "name"));
		m->content = true;
	} else if (value_eq(in->type, "tool-call-delta")) {
		o = element(m, "tool_calls", in->json);
		merge_grow(m, o ? builder_object(&m->builder, o, "function") : NULL, "arguments",
		    value_get(value_get(calls, "function"), "arguments"));
	} else if (value_eq(in->type, "citation-start")) {
		merge_overwrite(m, element(m, "citations", in->json), value_get(v, "citations"));
	} else if (value_eq(in->type, "message-start")) {
		builder_set(&m->builder, m->root, "id", event_get(in->json, "id"));
		merge_overwrite(m, stream_message(m), v);
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
	return (json_is_array(j) && !json_array_size(j)) ||
	(json_is_string(j) && !json_string_length(j)) ||
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

/* === the entries ================================================================= */

static const struct vendor_host hosts[] = {
	{ "api.cohere.com", "cohere" }, { "api.cohere.ai", "cohere" }, { NULL, NULL },
};

static const struct vendor_path paths[] = {
	{ .end = "/v2/chat" }, { .end = NULL },
}, embed_paths[] = {
	{ .end = "/embed" }, { .end = NULL },
}, rerank_paths[] = {
	{ .end = "/rerank" }, { .end = NULL },
};

static const struct vendor_word roles[] = {
	{ "CHATBOT", "assistant" }, { "Chatbot", "assistant" }, { "USER", "user" },
	{ "User", "user" },
	{ "SYSTEM", "system" }, { "TOOL", "tool" }, { NULL, NULL },
}, finishes[] = {
	{ "COMPLETE", "stop" }, { "STOP_SEQUENCE", "stop" }, { "MAX_TOKENS", "length" },
	{ "TOOL_CALL", "tool_call" },
	{ "TOOL_CALLS", "tool_call" }, { "ERROR_TOXIC", "content_filter" }, { "ERROR", "error" },
	{ "TIMEOUT", "error" },
	{ NULL, NULL },
};

const struct vendor vendor_cohere = {
	.api = "cohere_chat", .operation = "chat", .provider = "cohere",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.hosts = hosts, .paths = paths, .roles = roles, .finishes = finishes, .response_rank = 7,
	.stream = &merge_cohere,
};
VENDOR_ENTRY(vendor_cohere);

const struct vendor vendor_cohere_embed = {
	.api = "cohere_embed", .operation = "embeddings", .provider = "cohere",
	.is_request = is_embed, .is_response = is_embedded,
	.request = embed, .item = text_item, .response = embedded,
	.paths = embed_paths,
};
VENDOR_ENTRY(vendor_cohere_embed);

const struct vendor vendor_rerank = {
	.api = "rerank", .operation = "rerank", .provider = "cohere",
	.is_request = is_rerank, .is_response = is_ranked,
	.request = rerank, .item = text_item, .response = ranked,
	.paths = rerank_paths,
};
VENDOR_ENTRY(vendor_rerank);
