/*
 * mistral.c - Mistral's conversations: entries instead of messages; what came before is
 * the server's. Its chat completions are openai_chat.c's.
 */
#include "vendor/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "inputs", "model", "agent_id", "completion_args",
		"stream", "store",
		"handoff_execution" };
	struct value m[7];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_STRING || m[0].kind == VALUE_ARRAY) &&
	(is_given(m[1]) || is_given(m[2]) ||
	    is_given(m[3]) || is_given(m[4]) || is_given(m[5]) || is_given(m[6]));
}

static bool
is_response(struct value body)
{
	return value_eq(value_get(body, "object"), "conversation.response") &&
	    value_get(body, "outputs").kind == VALUE_ARRAY;
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "inputs", "instructions", "completion_args",
	"agent_id" };
	static const char *const args[] = { "max_tokens", "temperature", "top_p", "random_seed",
		"stop",
		"frequency_penalty", "presence_penalty", "response_format", "reasoning_effort" };
	struct value m[4], c[9];

	request_common(a, body);
	MEMBERS(body, key, m);
	MEMBERS(m[2], args, c);
	a->model = first_given(a->model, m[3]);
	a->list = m[0];
	a->system = m[1];
	a->max_tokens = c[0];
	a->temperature = c[1];
	a->top_p = c[2];
	a->seed = c[3];
	a->stop = c[4];
	a->frequency_penalty = c[5];
	a->presence_penalty = c[6];
	a->json = text_begins(value_get(c[7], "type"), "json_");
	a->reasoning = c[8];
}

static void
thinking(struct messages *m, struct value v)
{
	part_reasoning(m, value_get(v, "text"));
}

static void
chunk(struct messages *m, struct value v)
{
	static const char *const key[] = { "type", "text", "thinking", "image_url",
	"document_url" };
	struct value c[5], none = { 0 };

	MEMBERS(v, key, c);
	if (value_eq(c[0], "text"))
		part_text(m, c[1]);
	else if (value_eq(c[0], "thinking"))
		content_put(m, c[2], thinking);
	else if (value_eq(c[0], "image_url"))
		part_uri(m, "image", none, c[3].kind == VALUE_OBJECT ? value_get(c[3], "url") :
		c[3]);
	else if (value_eq(c[0], "document_url"))
		part_uri(m, "document", none, c[4]);
	else
		part_other(m, "unknown", v);
}

/* The parts that an entry is. */
static void
entry(struct messages *m, struct value v)
{
	static const char *const key[] = { "type", "content", "tool_call_id", "name", "arguments",
	"result", "id" };
	struct value e[7];

	MEMBERS(v, key, e);
	if (value_eq(e[0], "function.call"))
		part_call(m, e[2], e[3], e[4]);
	else if (value_eq(e[0], "function.result"))
		part_result(m, e[2], e[3], e[5], false);
	else if (value_eq(e[0], "tool.execution"))
		part_server_call(m, e[6], e[3], v);
	else if (is_given(e[1]))
		content_put(m, e[1], chunk);
	else
		part_other(m, "unknown", v);
}

static bool
is_said(struct value v)
{
	struct value type = value_get(v, "type");

	return value_eq(type, "message.output") || value_eq(type, "function.call") ||
	value_eq(type, "tool.execution") ||
	    value_eq(type, "agent.handoff") || value_eq(value_get(v, "role"), "assistant");
}

static void
item(struct messages *m, struct value v)
{
	message_open(m, value_eq(value_get(v, "type"), "function.result") ? "tool" :
	is_said(v) ? "assistant" : "user");
	if (v.kind == VALUE_STRING)
		part_text(m, v);
	else
		entry(m, v);
	message_close(m, NULL);
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const struct value call = { "\"tool_calls\"", 12, VALUE_STRING, false };
	static const struct value stop = { "\"stop\"", 6, VALUE_STRING, false };
	static const char *const key[] = { "conversation_id", "outputs", "usage", "error" };
	struct value v[4], k, e, none = { 0 };
	struct value_iter it;
	bool calls = false;

	MEMBERS(body, key, v);
	a->id = v[0];
	a->error = v[3];
	usage_openai(&a->usage, v[2]);
	if (v[1].kind != VALUE_ARRAY)
		return;
	message_open(m, "assistant");
	value_iter(&it, v[1]);
	while (value_next(&it, &k, &e)) {
		calls |= value_eq(value_get(e, "type"), "function.call");
		a->model = first_given(value_get(e, "model"), a->model);
		entry(m, e);
	}
	/* there is no reason; of a stream the counts come last */
	message_close(m,
	response_finish(a, m, a->stream && !is_given(v[2]) ? none : calls ? call : stop));
}

/* === streams ==================================================================== */

static bool
detect(const struct merge_input *in)
{
	return value_begins(in->type, "conversation.response.") ||
	value_begins(in->type, "message.output.") ||
	    value_begins(in->type, "function.call.") || value_begins(in->type, "tool.execution.");
}

/* The output that an event belongs to. */
static json_t *
output(struct merge *m, const struct event *ev, const char *type)
{
	static const char *const same[] = { "id", "model", "agent_id", "role", "name",
	"tool_call_id" };
	json_t *o = merge_element(m, builder_array(&m->builder, m->root, "outputs"),
	    value_int(event_get(ev, "output_index"), -1), type);

	for (size_t i = 0; o && i < sizeof(same) / sizeof(*same); i++) {
		struct value v = event_get(ev, same[i]);

		if (value_says(v) && !json_object_get(o, same[i])) {
			builder_set(&m->builder, o, same[i], v);
			if (!strcmp(same[i], "name"))
				merge_say(m, MERGE_TOOL, v);
		}
	}
	return o;
}

static void
message_delta(struct merge *m, const struct event *ev)
{
	static const char empty[] = "{\"type\":\"text\",\"text\":\"\"}";
	struct value v = { empty, sizeof(empty) - 1, VALUE_OBJECT, false },
	text = event_get(ev, "content");
	json_t *o = output(m, ev, "message.output"), *list, *last;
	const char *type;

	if (!o)
		return;
	list = builder_array(&m->builder, o, "content");
	last = json_array_get(list, json_array_size(list) - 1);
	type = json_string_value(json_object_get(last, "type"));
	if (text.kind == VALUE_OBJECT && !value_eq(value_get(text, "type"), "text")) {
		builder_push(&m->builder, list, text);
		m->content = true;
		return;
	}
	if (text.kind == VALUE_OBJECT)
		text = value_get(text, "text");
	if (!type || strcmp(type, "text")) {
		builder_push(&m->builder, list, v);
		last = json_array_get(list, json_array_size(list) - 1);
	}
	if (last)
		merge_grow(m, last, "text", text);
}

static void
event(struct merge *m, const struct merge_input *in)
{
	json_t *o;

	if (value_eq(in->type, "conversation.response.started")) {
		builder_set_json(&m->builder, m->root, "object",
		json_string("conversation.response"));
		builder_set(&m->builder, m->root, "conversation_id",
		event_get(in->json, "conversation_id"));
		builder_array(&m->builder, m->root, "outputs");
	} else if (value_eq(in->type, "message.output.delta")) {
		message_delta(m, in->json);
	} else if (value_eq(in->type, "function.call.delta")) {
		if ((o = output(m, in->json, "function.call")))
			merge_grow(m, o, "arguments", event_get(in->json, "arguments"));
	} else if (value_begins(in->type, "tool.execution.")) {
		if ((o = output(m, in->json, "tool.execution"))) {
			merge_grow(m, o, "arguments", event_get(in->json, "arguments"));
			if (value_given(event_get(in->json, "info")))
				builder_set(&m->builder, o, "info", event_get(in->json, "info"));
		}
	} else if (value_begins(in->type, "agent.handoff.")) {
		output(m, in->json, "agent.handoff");
	} else if (value_eq(in->type, "conversation.response.done")) {
		builder_set(&m->builder, m->root, "usage", event_get(in->json, "usage"));
		m->ended = m->closed = true;
	} else if (value_eq(in->type, "conversation.response.error")) {
		merge_error(m, input_object(in));
		m->closed = true;
	}
}

static void
finish(struct merge *m, struct text *text)
{
	json_t *outputs = json_object_get(m->root, "outputs"), *o, *list, *only;
	size_t i;

	merge_unpad(outputs);
	json_array_foreach(outputs, i, o) {
		list = json_object_get(o, "content");
		merge_parts(text, list);
		only = json_object_get(json_array_get(list, 0), "text");
		/* as it would have come whole */
		if (json_array_size(list) == 1 && json_is_string(only))
			json_object_set(o, "content", only);
	}
}

const struct merge_format merge_mistral = {
	.name = "mistral-conversations",
	.detect = detect,
	.path = { "/v1/conversations" },
	.own_end = true,
	.event = event,
	.finish = finish,
};

/* === the entry ================================================================== */

/* OpenAI's conversations have these paths, too: they hold items, and generate nothing. */
static const struct vendor_path paths[] = {
	{ .end = "/conversations", .within = "/conversations", .shape = true },
	{ .end = "", .within = "/conversations/", .shape = true }, { .end = NULL },
};

const struct vendor vendor_mistral = {
	.api = "conversations", .operation = "chat", .provider = "mistral_ai",
	.conversation = "/conversations/",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .item_is_response = is_said, .response = response,
	.paths = paths, .response_rank = 12, .stream = &merge_mistral,
};
VENDOR_ENTRY(vendor_mistral);
