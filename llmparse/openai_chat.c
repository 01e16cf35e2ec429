/*
 * openai_chat.c - OpenAI Chat Completions and its many imitators, the text
 * completions of before, and embeddings
 */
#include "llmparse/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "messages", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && is_text(m[1]) && value_get(value_element(m[0], 0), "role").kind == VALUE_STRING;
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "choices", "object", "usage", "id" };
	struct value m[4];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && (text_begins(m[1], "chat.completion") ||
	    value_get(value_element(m[0], 0), "message").kind == VALUE_OBJECT);
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "messages", "reasoning_effort", "functions" };
	struct value m[3];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = m[0];
	a->reasoning = m[1];
	a->tools = first_given(a->tools, m[2]);
}

static void
part(struct messages *m, struct value p)
{
	static const char *const key[] = { "type", "text", "image_url", "input_audio", "file", "refusal",
		"thinking", "audio_url", "video_url" };
	struct value v[9], url;

	MEMBERS(p, key, v);
	if (v[0].kind != VALUE_STRING || value_eq(v[0], "text")) {
		part_text(m, v[1]);
	} else if (value_eq(v[0], "image_url") || value_eq(v[0], "audio_url") || value_eq(v[0], "video_url")) {
		struct value media = first_given(v[2], first_given(v[7], v[8]));

		url = media.kind == VALUE_OBJECT ? value_get(media, "url") : media;
		part_uri(m, is_given(v[2]) ? "image" : is_given(v[7]) ? "audio" : "video", (struct value){ 0 }, url);
	} else if (value_eq(v[0], "input_audio")) {
		part_blob(m, "audio", (struct value){ 0 }, value_get(v[3], "data"));
	} else if (value_eq(v[0], "file") && is_text(value_get(v[4], "file_id"))) {
		part_file(m, "document", (struct value){ 0 }, value_get(v[4], "file_id"));
	} else if (value_eq(v[0], "file") && is_text(value_get(v[4], "file_data"))) {
		part_uri(m, "document", (struct value){ 0 }, value_get(v[4], "file_data"));
	} else if (value_eq(v[0], "refusal")) {
		part_refusal(m, v[5]);
	} else if (value_eq(v[0], "thinking")) {	/* Mistral: a list of text chunks */
		part_reasoning(m, sole_text(v[6]));
	} else {
		part_other(m, "unknown", p);
	}
}

static void
tool_calls(struct messages *m, struct value list)
{
	struct value_iter it;
	struct value k, call;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &call)) {
		static const char *const key[] = { "id", "function", "custom" };
		static const char *const fkey[] = { "name", "arguments", "input" };
		struct value v[3], f[3];

		MEMBERS(call, key, v);
		MEMBERS(first_given(v[1], v[2]), fkey, f);
		part_call(m, v[0], f[0], first_given(f[1], f[2]));
	}
}

/* What a message holds besides its role; the same in requests and answers. */
static void
message(struct messages *m, struct value v)
{
	static const char *const key[] = { "content", "reasoning_content", "reasoning", "refusal",
		"tool_calls", "function_call", "audio" };
	struct value i[7], f;

	MEMBERS(v, key, i);
	part_reasoning(m, is_text(i[1]) ? i[1] : i[2]);
	if (i[0].kind == VALUE_ARRAY || is_text(i[0]))
		content_put(m, i[0], part);
	part_refusal(m, i[3]);
	if (i[6].kind == VALUE_OBJECT && is_text(value_get(i[6], "transcript")))
		part_text(m, value_get(i[6], "transcript"));
	tool_calls(m, i[4]);
	f = i[5];
	if (f.kind == VALUE_OBJECT)
		part_call(m, (struct value){ 0 }, value_get(f, "name"), value_get(f, "arguments"));
}

static void
item(struct messages *m, struct value v)
{
	static const char *const key[] = { "role", "content", "tool_call_id", "name" };
	struct value i[4];

	if (v.kind != VALUE_OBJECT) {	/* a prompt */
		message_open(m, "user");
		part_text(m, v);
		message_close(m, NULL);
		return;
	}
	MEMBERS(v, key, i);
	message_open_value(m, i[0]);
	if (value_eq(i[0], "tool") || value_eq(i[0], "function"))
		part_result(m, i[2], i[3], i[1], false);
	else
		message(m, v);
	message_close(m, NULL);
}

static void
choices(struct response *a, struct messages *m, struct value list)
{
	struct value_iter it;
	struct value k, choice;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &choice)) {
		static const char *const key[] = { "message", "text", "finish_reason", "usage", "delta" };
		struct value c[5];

		MEMBERS(choice, key, c);
		message_open(m, "assistant");
		part_text(m, c[1]);
		message(m, first_given(c[0], c[4]));
		message_close(m, response_finish(a, m, c[2]));
		if (c[3].kind == VALUE_OBJECT)	/* Moonshot */
			usage_openai(&a->usage, c[3]);
	}
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "choices", "usage", "error", "service_tier", "x_groq" };
	struct value v[7];

	MEMBERS(body, key, v);
	a->id = v[0];
	a->model = v[1];
	a->error = v[4];
	a->tier = v[5];
	choices(a, m, v[2]);
	if (!is_given(v[3]))
		v[3] = value_get(v[6], "usage");
	usage_openai(&a->usage, v[3]);
	if (is_text(v[1]) && memmem(v[1].p, v[1].n, "gemini", 6))
		usage_hidden(&a->usage);
	response_cost(a, v[3]);
}

const struct vendor vendor_chat = {
	.api = "chat_completions", .operation = "chat", .provider = "openai", .format = "openai-chat",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
};

/* --- text completions ------------------------------------------------------------- */

static bool
is_prompt(struct value body)
{
	static const char *const key[] = { "prompt", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_STRING || m[0].kind == VALUE_ARRAY) && is_text(m[1]);
}

static bool
is_text_completion(struct value body)
{
	struct value list = value_get(body, "choices");

	return list.kind == VALUE_ARRAY && (value_eq(value_get(body, "object"), "text_completion") ||
	    value_get(value_element(list, 0), "text").kind == VALUE_STRING);
}

static void
prompt(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = value_get(body, "prompt");
}

const struct vendor vendor_completions = {
	.api = "completions", .operation = "text_completion", .provider = "openai", .format = "openai-chat",
	.is_request = is_prompt, .is_response = is_text_completion,
	.request = prompt, .item = item, .response = response,
};

/* --- embeddings ------------------------------------------------------------------- */

static bool
is_input(struct value body)
{
	static const char *const key[] = { "input", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_STRING || m[0].kind == VALUE_ARRAY) && is_text(m[1]);
}

static bool
is_vectors(struct value body)
{
	struct value data = value_get(body, "data");

	return data.kind == VALUE_ARRAY && is_given(value_get(value_element(data, 0), "embedding"));
}

static void
input(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = value_get(body, "input");
}

/* Vectors are no message; what they cost is reported. */
static void
vectors(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "model", "usage", "error" };
	struct value v[3];

	(void)m;
	MEMBERS(body, key, v);
	a->model = v[0];
	a->error = v[2];
	a->ended = value_get(body, "data").kind == VALUE_ARRAY;
	usage_openai(&a->usage, v[1]);
	if (a->usage.n[USAGE_INPUT] < 0 && a->usage.n[USAGE_OUTPUT] < 0)	/* Voyage: the total alone */
		a->usage.n[USAGE_INPUT] = a->usage.n[USAGE_TOTAL];
}

const struct vendor vendor_embeddings = {
	.api = "embeddings", .operation = "embeddings", .provider = "openai",
	.is_request = is_input, .is_response = is_vectors,
	.request = input, .item = item, .response = vectors,
};
