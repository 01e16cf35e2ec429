/*
 * anthropic.c - Anthropic Messages (also on Bedrock, Vertex and the gateways
 * that speak it), and the text completions of before
 */
#include "llmparse/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "messages", "max_tokens", "model", "anthropic_version" };
	struct value m[4];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && m[1].kind == VALUE_INT && (is_text(m[2]) || is_text(m[3]));
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "type", "role", "content", "usage" };
	struct value m[4];

	MEMBERS(body, key, m);
	return (value_eq(m[0], "message") && value_eq(m[1], "assistant") && m[2].kind == VALUE_ARRAY) ||
	    (value_eq(m[0], "error") && value_get(body, "error").kind == VALUE_OBJECT);
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "messages", "system", "stop_sequences", "thinking" };
	struct value m[4];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = m[0];
	a->system = m[1];
	a->stop = m[2];
}

/* {"source":{type:base64|url|file|text|content,...}} of an image or a document */
static void
source(struct messages *m, const char *modality, struct value block)
{
	static const char *const key[] = { "type", "media_type", "data", "url", "file_id", "content" };
	struct value src = value_get(block, "source"), s[6];

	MEMBERS(src, key, s);
	if (value_eq(s[0], "base64"))
		part_blob(m, modality, s[1], s[2]);
	else if (value_eq(s[0], "url"))
		part_uri(m, modality, s[1], s[3]);
	else if (value_eq(s[0], "file"))
		part_file(m, modality, s[1], s[4]);
	else if (value_eq(s[0], "text"))
		part_text(m, s[2]);
	else
		part_other(m, modality, block);
}

static void
block(struct messages *m, struct value b)
{
	static const char *const key[] = { "type", "text", "thinking", "id", "name", "input",
		"tool_use_id", "content", "is_error" };
	struct value v[9];
	struct value type;

	MEMBERS(b, key, v);
	type = v[0];
	if (value_eq(type, "text"))
		part_text(m, v[1]);
	else if (value_eq(type, "thinking"))
		part_reasoning(m, v[2]);
	else if (value_eq(type, "tool_use"))
		part_call(m, v[3], v[4], v[5]);
	else if (value_eq(type, "tool_result"))
		part_result(m, v[6], (struct value){ 0 }, v[7], v[8].kind == VALUE_TRUE);
	else if (value_eq(type, "server_tool_use") || value_eq(type, "mcp_tool_use"))
		part_server_call(m, v[3], v[4], b);
	else if (text_ends(type, "_tool_result"))
		part_server_result(m, v[6], b);
	else if (value_eq(type, "image"))
		source(m, "image", b);
	else if (value_eq(type, "document"))
		source(m, "document", b);
	else
		part_other(m, "unknown", b);
}

/* Results of tools come as the user's; when there is nothing else, they are
 * a tool's. */
static bool
only_results(struct value content)
{
	struct value_iter it;
	struct value k, v;
	bool any = false;

	value_iter(&it, content);
	while (content.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		if (!value_eq(value_get(v, "type"), "tool_result"))
			return false;
		any = true;
	}
	return any;
}

static void
item(struct messages *m, struct value v)
{
	static const char *const key[] = { "role", "content" };
	struct value i[2];

	if (v.kind == VALUE_STRING) {	/* a prompt */
		message_open(m, "user");
		part_text(m, v);
	} else {
		MEMBERS(v, key, i);
		if (only_results(i[1]))
			message_open(m, "tool");
		else
			message_open_value(m, i[0]);
		content_put(m, i[1], block);
	}
	message_close(m, NULL);
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "content", "stop_reason", "usage", "completion",
		"error", "amazon-bedrock-invocationMetrics" };
	struct value v[8];

	MEMBERS(body, key, v);
	a->id = v[0];
	a->model = v[1];
	a->error = v[6];
	a->tier = value_get(v[4], "service_tier");
	usage_invocation(&a->usage, v[7]);
	usage_anthropic(&a->usage, v[4]);
	if (is_given(v[6]) && !is_given(v[2]))
		return;
	if (!is_given(v[2]) && !is_given(v[5]) && !is_given(v[3]))
		return;
	message_open(m, "assistant");
	part_text(m, v[5]);
	content_put(m, v[2], block);
	message_close(m, response_finish(a, m, v[3]));
	/* cut before message_delta: what message_start says of the output is no count of it */
	if (a->stream && !a->ended && is_given(v[4])) {
		a->usage.n[USAGE_OUTPUT] = -1;
		a->usage_open = true;
	}
}

const struct vendor vendor_messages = {
	.api = "messages", .operation = "chat", .provider = "anthropic", .format = "anthropic",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
};

/* --- /v1/complete --------------------------------------------------------------- */

static bool
is_complete(struct value body)
{
	return value_get(body, "prompt").kind == VALUE_STRING && is_given(value_get(body, "max_tokens_to_sample"));
}

static bool
is_completion(struct value body)
{
	return value_eq(value_get(body, "type"), "completion") && value_get(body, "completion").kind == VALUE_STRING;
}

static void
complete(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = value_get(body, "prompt");
	a->max_tokens = value_get(body, "max_tokens_to_sample");
	a->stop = value_get(body, "stop_sequences");
}

const struct vendor vendor_complete = {
	.api = "complete", .operation = "text_completion", .provider = "anthropic", .format = "anthropic",
	.is_request = is_complete, .is_response = is_completion,
	.request = complete, .item = item, .response = response,
};
