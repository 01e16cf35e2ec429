/*
 * assistants.c - OpenAI's Assistants: runs of threads. A run that is not streamed is
 * asked for until it is done, and has its counts then; what it said is in the thread,
 * and not in it.
 */
#include "vendor/vendor.h"

static bool
is_request(struct value body)
{
	return is_text(value_get(body, "assistant_id")) ||
	    value_get(body, "tool_outputs").kind == VALUE_ARRAY;
}

static bool
is_response(struct value body)
{
	return value_eq(value_get(body, "object"), "thread.run") &&
	    is_text(value_get(body, "status"));
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "assistant_id", "instructions", "additional_messages",
		"thread",
		"max_completion_tokens", "tool_outputs", "reasoning_effort" };
	struct value m[7];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->model = first_given(a->model, m[0]);
	a->system = m[1];
	a->list = first_given(first_given(m[2], value_get(m[3], "messages")), m[5]);
	a->max_tokens = first_given(m[4], a->max_tokens);
	a->reasoning = m[6];
	a->background = !a->stream;
}

/* Of a message: {"type":"text","text":"..." or {"value":"..."}} and others. */
static void
part(struct messages *m, struct value v)
{
	static const char *const key[] = { "type", "text", "image_url", "image_file", "refusal" };
	struct value p[5], none = { 0 };

	MEMBERS(v, key, p);
	if (value_eq(p[0], "text"))
		part_text(m, p[1].kind == VALUE_OBJECT ? value_get(p[1], "value") : p[1]);
	else if (value_eq(p[0], "refusal"))
		part_refusal(m, p[4]);
	else if (value_eq(p[0], "image_url"))
		part_uri(m, "image", none, value_get(p[2], "url"));
	else if (value_eq(p[0], "image_file"))
		part_file(m, "image", none, value_get(p[3], "file_id"));
	else
		part_other(m, "unknown", v);
}

static void
item(struct messages *m, struct value v)
{
	struct value id = value_get(v, "tool_call_id"), none = { 0 };

	if (is_text(id)) {
		message_open(m, "tool");
		part_result(m, id, none, value_get(v, "output"), false);
	} else {
		message_open_value(m, value_get(v, "role"));
		content_put(m, value_get(v, "content"), part);
	}
	message_close(m, NULL);
}

static bool
is_pending(struct value body)
{
	struct value status = value_get(body, "status");

	return value_eq(status, "queued") || value_eq(status, "in_progress") ||
	value_eq(status, "cancelling");
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "status", "usage", "last_error",
		"incomplete_details",
		"required_action", "content" };
	struct value v[8], list, k, c, f, none = { 0 };
	struct value_iter it;

	MEMBERS(body, key, v);
	a->id = v[0];
	a->model = v[1];
	a->error = v[4];
	usage_openai(&a->usage, v[3]);
	if (!is_text(v[2]))
		return;
	list = value_get(value_get(v[6], "submit_tool_outputs"), "tool_calls");
	message_open(m, "assistant");
	content_put(m, v[7], part);
	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &c)) {
		f = value_get(c, "function");
		part_call(m, value_get(c, "id"), value_get(f, "name"), value_get(f, "arguments"));
	}
	k = value_eq(v[2], "incomplete") ? first_given(value_get(v[5], "reason"), v[2]) : v[2];
	message_close(m, response_finish(a, m, is_pending(body) ? none : k));
	if ((value_eq(v[2], "failed") || value_eq(v[2], "expired")) && !is_given(v[4]))
		a->failed = value_eq(v[2], "failed") ? "failed" : "expired";
}

/* === streams ==================================================================== */

static bool
detect(const struct merge_input *in)
{
	return value_begins(event_get(in->json, "object"), "thread.");
}

/* A message grows by the index of its contents; those of several messages follow. */
static void
message_delta(struct merge *m, struct value delta)
{
	static const char empty[] = "{\"type\":\"text\",\"text\":{\"value\":\"\"}}";
	struct value list = value_get(delta, "content"), k, c,
	v = { empty, sizeof(empty) - 1, VALUE_OBJECT, false };
	json_t *all = builder_array(&m->builder, m->root, "content"), *last, *text;
	struct value_iter it;

	value_iter(&it, list);
	while (all && list.kind == VALUE_ARRAY && value_next(&it, &k, &c)) {
		if (!value_eq(value_get(c, "type"), "text")) {
			builder_push(&m->builder, all, c);
			m->content = true;
			continue;
		}
		last = json_array_get(all, json_array_size(all) - 1);
		text = json_object_get(last, "text");
		if (!text ||
		json_integer_value(json_object_get(last, "index")) != value_int(value_get(c,
		"index"), 0)) {
			builder_push(&m->builder, all, v);
			last = json_array_get(all, json_array_size(all) - 1);
			builder_set(&m->builder, last, "index", value_get(c, "index"));
			text = json_object_get(last, "text");
		}
		if (text)
			merge_grow(m, text, "value", value_get(value_get(c, "text"), "value"));
	}
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct value object = event_get(in->json, "object"), status = event_get(in->json, "status");

	if (value_eq(object, "thread.run")) {
		for (size_t i = 0; i < in->json->nfields; i++)
			builder_set_member(&m->builder, m->root, field_key(&in->json->fields[i]),
			in->json->fields[i].value);
		m->ended |= value_says(status) && !value_eq(status, "queued") &&
		!value_eq(status, "in_progress") &&
		    !value_eq(status, "cancelling");
	} else if (value_eq(object, "thread.message.delta")) {
		message_delta(m, event_get(in->json, "delta"));
	} else if (value_given(event_get(in->json, "error"))) {
		merge_error(m, event_get(in->json, "error"));
	}
}

static void
finish(struct merge *m, struct text *text)
{
	json_t *part;
	size_t i;

	json_array_foreach(json_object_get(m->root, "content"), i, part)
		merge_text(text, json_object_get(part, "text"), "value");
}

const struct merge_format merge_assistants = {
	.name = "openai-assistants",
	.detect = detect,
	.path = { "/threads/" },
	.own_end = true,
	.event = event,
	.finish = finish,
};

/* === the entry ================================================================== */

static const struct vendor_path paths[] = {
	{ .end = "/runs", .within = "/threads/" }, { .end = "/threads/runs" },
	{ .end = "/submit_tool_outputs", .within = "/threads/" }, { .end = NULL },
};

static const struct vendor_word finishes[] = {
	{ "max_completion_tokens", "length" }, { "max_prompt_tokens", "length" },
	{ "expired", "error" }, { NULL, NULL },
};

const struct vendor vendor_assistants = {
	.api = "assistants", .operation = "chat", .provider = "openai", .conversation = "/threads/",
	.is_request = is_request, .is_response = is_response, .is_pending = is_pending,
	.request = request, .item = item, .response = response,
	.paths = paths, .finishes = finishes, .response_rank = 13, .stream = &merge_assistants,
};
VENDOR_ENTRY(vendor_assistants);
