/*
 * ollama.c - Ollama's own API: /api/chat, /api/generate, /api/embed. Its
 * streams are merged by ssemerge to the object that stream:false gives.
 */
#include "llmparse/vendor.h"

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
	static const char *const okey[] = { "num_predict", "temperature", "top_p", "top_k", "seed", "stop",
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
		part_call(m, first_given(value_get(c, "id"), value_get(f, "id")), value_get(f, "name"),
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
	static const char *const key[] = { "model", "message", "response", "thinking", "done_reason", "done", "error" };
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

const struct vendor vendor_ollama_chat = {
	.api = "ollama_chat", .operation = "chat", .provider = "ollama", .format = "ollama",
	.is_request = is_chat, .is_response = is_response,
	.request = chat, .item = item, .response = response,
};

const struct vendor vendor_ollama_generate = {
	.api = "ollama_generate", .operation = "text_completion", .provider = "ollama", .format = "ollama",
	.is_request = is_generate, .is_response = is_response,
	.request = generate, .item = item, .response = response,
};

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
	return value_get(body, "embeddings").kind == VALUE_ARRAY || value_get(body, "embedding").kind == VALUE_ARRAY;
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

const struct vendor vendor_ollama_embed = {
	.api = "ollama_embed", .operation = "embeddings", .provider = "ollama",
	.is_request = is_embed, .is_response = is_embedded,
	.request = embed, .item = item, .response = embedded,
};
