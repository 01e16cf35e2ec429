/*
 * dashscope.c - Alibaba's DashScope: Chat Completions' messages within
 * {"input":{"messages"}} and {"output":{"choices"}}
 */
#include "llmparse/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "messages", "prompt" };
	struct value m[2];

	MEMBERS(value_get(body, "input"), key, m);
	return (m[0].kind == VALUE_ARRAY || m[1].kind == VALUE_STRING) && is_text(value_get(body, "model"));
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "choices", "text" };
	struct value m[2];

	MEMBERS(value_get(body, "output"), key, m);
	return (m[0].kind == VALUE_ARRAY || m[1].kind == VALUE_STRING) && is_text(value_get(body, "request_id"));
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "model", "input", "parameters" };
	static const char *const ikey[] = { "messages", "prompt", "session_id" };
	struct value m[3], i[3];

	MEMBERS(body, key, m);
	MEMBERS(m[1], ikey, i);
	request_common(a, m[2]);
	a->model = m[0];
	a->list = first_given(i[0], i[1]);
	a->conversation = i[2];
	a->stream = value_get(m[2], "incremental_output").kind == VALUE_TRUE;
}

static void
block(struct messages *m, struct value b)
{
	static const char *const key[] = { "text", "image", "audio", "video" };
	struct value v[4], none = { 0 };

	MEMBERS(b, key, v);
	if (is_given(v[0]))
		part_text(m, v[0]);
	else if (is_given(v[1]))
		part_uri(m, "image", none, v[1]);
	else if (is_given(v[2]))
		part_uri(m, "audio", none, v[2]);
	else
		part_other(m, "unknown", b);
}

/* The multimodal service has its own blocks, without a type. */
static void
item(struct messages *m, struct value v)
{
	struct value content = value_get(v, "content"), role = value_get(v, "role");

	if (content.kind != VALUE_ARRAY || value_eq(role, "tool")) {
		vendor_chat.item(m, v);
		return;
	}
	message_open_value(m, role);
	content_put(m, content, block);
	message_close(m, NULL);
}

static void
choice_put(struct response *a, struct messages *m, struct value choice)
{
	static const char *const key[] = { "content", "reasoning_content", "tool_calls" };
	struct value v[3], k, call, f;
	struct value_iter it;

	MEMBERS(value_get(choice, "message"), key, v);
	message_open(m, "assistant");
	part_reasoning(m, v[1]);
	if (v[0].kind == VALUE_ARRAY || is_text(v[0]))
		content_put(m, v[0], block);
	value_iter(&it, v[2]);
	while (v[2].kind == VALUE_ARRAY && value_next(&it, &k, &call)) {
		f = value_get(call, "function");
		part_call(m, value_get(call, "id"), value_get(f, "name"), value_get(f, "arguments"));
	}
	message_close(m, response_finish(a, m, value_get(choice, "finish_reason")));
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "request_id", "output", "usage" };
	static const char *const okey[] = { "choices", "text", "finish_reason" };
	struct value v[3], o[3], k, choice;
	struct value_iter it;

	MEMBERS(body, key, v);
	MEMBERS(v[1], okey, o);
	a->id = v[0];
	usage_dashscope(&a->usage, v[2]);
	value_iter(&it, o[0]);
	while (o[0].kind == VALUE_ARRAY && value_next(&it, &k, &choice))
		choice_put(a, m, choice);
	if (is_given(o[0]) || !is_given(o[1]))
		return;
	message_open(m, "assistant");
	part_text(m, o[1]);
	message_close(m, response_finish(a, m, o[2]));
}

const struct vendor vendor_dashscope = {
	.api = "dashscope", .operation = "chat", .provider = "alibaba_cloud", .format = "dashscope",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
};
