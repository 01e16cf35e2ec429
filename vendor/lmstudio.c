/*
 * lmstudio.c - LM Studio's own chat (/api/v1/chat); its older /api/v0 and what imitates
 * OpenAI are openai_chat.c's and openai_responses.c's
 */
#include "vendor/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "input", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_STRING || m[0].kind == VALUE_ARRAY) && is_text(m[1]);
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "model_instance_id", "output" };
	struct value m[2];

	MEMBERS(body, key, m);
	return is_text(m[0]) && m[1].kind == VALUE_ARRAY;
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "input", "system_prompt", "previous_response_id",
		"reasoning" };
	struct value m[4];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = m[0];
	a->system = m[1];
	a->previous = m[2];
	a->reasoning = m[3];
}

static void
item(struct messages *m, struct value v)
{
	struct value none = { 0 };

	message_open(m, "user");
	if (v.kind == VALUE_STRING)
		part_text(m, v);
	else if (value_eq(value_get(v, "type"), "image"))
		part_uri(m, "image", none, value_get(v, "data_url"));
	else
		part_text(m, value_get(v, "content"));
	message_close(m, NULL);
}

/* The tools run at the server's. */
static void
output(struct messages *m, struct value v)
{
	static const char *const key[] = { "type", "content", "tool" };
	struct value o[3], none = { 0 };

	MEMBERS(v, key, o);
	if (value_eq(o[0], "reasoning"))
		part_reasoning(m, o[1]);
	else if (value_eq(o[0], "message"))
		part_text(m, o[1]);
	else if (value_eq(o[0], "tool_call") || value_eq(o[0], "invalid_tool_call"))
		part_server_call(m, none, o[2], v);
	else
		part_other(m, "unknown", v);
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const struct value stop = { "\"stop\"", 6, VALUE_STRING, false };
	static const char *const key[] = { "model_instance_id", "output", "stats", "response_id",
		"error" };
	static const char *const count[] = { "input_tokens", "total_output_tokens",
		"reasoning_output_tokens" };
	struct value v[5], n[3], none = { 0 };

	MEMBERS(body, key, v);
	MEMBERS(v[2], count, n);
	a->model = v[0];
	a->id = v[3];
	a->error = v[4];
	usage_set(&a->usage, USAGE_INPUT, n[0]);
	usage_set(&a->usage, USAGE_OUTPUT, n[1]);
	usage_set(&a->usage, USAGE_REASONING, n[2]);
	if (v[1].kind != VALUE_ARRAY)
		return;
	message_open(m, "assistant");
	content_put(m, v[1], output);
	/* it does not say why; the counts come with the end */
	message_close(m, response_finish(a, m, a->stream && !is_given(v[2]) ? none : stop));
}

/* === streams ==================================================================== */

static bool
detect(const struct merge_input *in)
{
	return (value_eq(in->type, "chat.start") &&
	    event_get(in->json, "model_instance_id").kind == VALUE_STRING) ||
	    (value_eq(in->type, "chat.end") && event_get(in->json, "result").kind == VALUE_OBJECT);
}

/* The last output, made when it is not of this type. */
static json_t *
last_of(struct merge *m, const char *type)
{
	static const char empty[] = "{\"content\":\"\"}";
	struct value v = { empty, sizeof(empty) - 1, VALUE_OBJECT, false };
	json_t *list = builder_array(&m->builder, m->root, "output");
	json_t *last = json_array_get(list, json_array_size(list) - 1);
	const char *is = json_string_value(json_object_get(last, "type"));

	if (is && !strcmp(is, type))
		return last;
	builder_push(&m->builder, list, v);
	last = json_array_get(list, json_array_size(list) - 1);
	if (last)
		builder_set_json(&m->builder, last, "type", json_string(type));
	return last;
}

static void
tool_result(struct merge *m, const struct event *ev)
{
	static const char *const key[] = { "tool", "arguments", "output", "provider_info" };
	static const char empty[] = "{\"type\":\"tool_call\"}";
	struct value v = { empty, sizeof(empty) - 1, VALUE_OBJECT, false };
	json_t *list = builder_array(&m->builder, m->root, "output"), *call;

	builder_push(&m->builder, list, v);
	call = json_array_get(list, json_array_size(list) - 1);
	for (size_t i = 0; call && i < 4; i++)
		if (value_given(event_get(ev, key[i])))
			builder_set(&m->builder, call, key[i], event_get(ev, key[i]));
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct value content = event_get(in->json, "content"), k, v;
	struct value result = event_get(in->json, "result");
	struct value_iter it;
	json_t *to;

	if (value_eq(in->type, "chat.start")) {
		builder_set(&m->builder, m->root, "model_instance_id",
		    event_get(in->json, "model_instance_id"));
	} else if (value_eq(in->type, "message.delta") && (to = last_of(m, "message"))) {
		merge_grow(m, to, "content", content);
	} else if (value_eq(in->type, "reasoning.delta") && (to = last_of(m, "reasoning"))) {
		merge_grow_as(m, MERGE_REASONING, to, "content", content);
	} else if (value_eq(in->type, "tool_call.start")) {
		merge_say(m, MERGE_TOOL, event_get(in->json, "tool"));
	} else if (value_eq(in->type, "tool_call.result")) {
		tool_result(m, in->json);
	} else if (value_eq(in->type, "error")) {
		merge_error(m, event_get(in->json, "error"));
	} else if (value_eq(in->type, "chat.end")) {
		builder_settle(&m->builder);
		value_iter(&it, result);
		while (result.kind == VALUE_OBJECT && value_next(&it, &k, &v))
			builder_set_member(&m->builder, m->root, k, v);
		builder_sweep(&m->builder);
		m->ended = m->closed = true;
	}
}

static void
finish(struct merge *m, struct text *text)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(m->root, "output"), i, o) {
		const char *type = json_string_value(json_object_get(o, "type"));

		if (type && !strcmp(type, "message"))
			merge_text(text, o, "content");
	}
}

const struct merge_format merge_lmstudio = {
	.name = "lmstudio",
	.detect = detect,
	.path = { "/api/v1/chat" },
	.own_end = true,
	.event = event,
	.finish = finish,
};

/* === the entry ================================================================== */

static const struct vendor_path paths[] = { { .end = "/api/v1/chat", .shape = true },
	{ .end = NULL } };

const struct vendor vendor_lmstudio = {
	.api = "lmstudio_chat", .operation = "chat", .provider = "lmstudio",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.paths = paths, .response_rank = 16, .stream = &merge_lmstudio,
};
VENDOR_ENTRY(vendor_lmstudio);
