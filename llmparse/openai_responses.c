/*
 * openai_responses.c - OpenAI Responses, as JSON, as a stream, and over
 * WebSocket (where a request is an event "response.create")
 */
#include "llmparse/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "input", "model", "instructions", "previous_response_id", "prompt",
		"tools", "store", "conversation", "reasoning", "stream" };
	struct value m[10];

	MEMBERS(body, key, m);
	/* an input with a model could be an embedding's */
	return (m[0].kind == VALUE_STRING || m[0].kind == VALUE_ARRAY) && is_text(m[1]) &&
	    (is_given(m[2]) || is_given(m[3]) || is_given(m[5]) || is_given(m[6]) || is_given(m[7]) ||
	    is_given(m[8]) || is_given(m[9]) || value_get(value_element(m[0], 0), "role").kind == VALUE_STRING);
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "object", "output", "status" };
	struct value m[3];

	MEMBERS(body, key, m);
	return m[1].kind == VALUE_ARRAY && (value_eq(m[0], "response") || text_begins(m[0], "response.") ||
	    is_text(m[2]));
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "input", "instructions", "previous_response_id", "conversation",
		"reasoning", "text" };
	struct value m[6];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = m[0];
	a->system = m[1];
	a->previous = m[2];
	a->conversation = first_given(m[3], a->conversation);
	a->reasoning = value_get(m[4], "effort");
	a->background = value_get(body, "background").kind == VALUE_TRUE;
	a->prewarm = value_get(body, "generate").kind == VALUE_FALSE;
	a->json = text_begins(value_get(value_get(m[5], "format"), "type"), "json_");
}

static void
part(struct messages *m, struct value p)
{
	static const char *const key[] = { "type", "text", "refusal", "image_url", "file_id", "file_url",
		"file_data", "input_audio", "transcript" };
	struct value v[9], none = { 0 };

	MEMBERS(p, key, v);
	if (value_eq(v[0], "refusal"))
		part_refusal(m, v[2]);
	else if (v[1].kind == VALUE_STRING)	/* input_text output_text summary_text text */
		part_text(m, v[1]);
	else if (is_text(v[8]))			/* of what was spoken, or heard */
		part_text(m, v[8]);
	else if (value_eq(v[0], "input_image") && is_text(v[3]))
		part_uri(m, "image", none, v[3]);
	else if (value_eq(v[0], "input_image") && is_text(v[4]))
		part_file(m, "image", none, v[4]);
	else if (value_eq(v[0], "input_file") && is_text(v[4]))
		part_file(m, "document", none, v[4]);
	else if (value_eq(v[0], "input_file") && is_text(v[5]))
		part_uri(m, "document", none, v[5]);
	else if (value_eq(v[0], "input_file") && is_text(v[6]))
		part_uri(m, "document", none, v[6]);
	else if (value_eq(v[0], "input_audio"))
		part_blob(m, "audio", none, value_get(v[7], "data"));
	else
		part_other(m, "unknown", p);
}

static void
reasoning_list(struct messages *m, struct value list)
{
	struct value_iter it;
	struct value k, v;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		part_reasoning(m, value_get(v, "text"));
}

/* "shell" for an item of type "shell_call" that has no name: made in the arena,
 * with its quotes, to stand as a JSON string. */
static struct value
name_of_type(struct messages *m, struct value type)
{
	size_t n = type.n - 2 - strlen("_call");
	char *p = arena_get(&m->ev->arena, n + 2);

	if (!p)
		return type;
	p[0] = '"';
	memcpy(p + 1, type.p + 1, n);
	p[n + 1] = '"';
	return (struct value){ p, n + 2, VALUE_STRING, type.escaped };
}

/* The parts of one item. */
static void
parts(struct messages *m, struct value v)
{
	static const char *const key[] = { "type", "content", "summary", "call_id", "name", "arguments", "input",
		"action", "output", "id", "operation", "status", "error" };
	struct value i[13];

	MEMBERS(v, key, i);
	if (i[0].kind != VALUE_STRING || value_eq(i[0], "message")) {
		content_put(m, i[1], part);
	} else if (value_eq(i[0], "reasoning")) {
		reasoning_list(m, i[2]);
		reasoning_list(m, i[1]);
	} else if (text_ends(i[0], "_call_output")) {
		part_result(m, i[3], i[4], i[8], value_eq(i[11], "failed") || is_given(i[12]));
	} else if (text_ends(i[0], "_call") && is_text(i[3])) {
		part_call(m, i[3], is_text(i[4]) ? i[4] : name_of_type(m, i[0]),
		    first_given(first_given(i[5], i[6]), first_given(i[7], i[10])));
	} else if (text_ends(i[0], "_call")) {	/* run at the vendor's, its outcome in it */
		part_server_call(m, i[9], is_text(i[4]) ? i[4] : name_of_type(m, i[0]), v);
	} else {
		part_other(m, "unknown", v);
	}
}

static void
item(struct messages *m, struct value v)
{
	struct value role = value_get(v, "role");

	if (v.kind == VALUE_STRING) {
		message_open(m, "user");
		part_text(m, v);
		message_close(m, NULL);
		return;
	}
	if (is_text(role))
		message_open_value(m, role);
	else if (text_ends(value_get(v, "type"), "_call_output"))
		message_open(m, "tool");
	else
		message_open(m, item_is_response(v) ? "assistant" : "user");
	parts(m, v);
	message_close(m, NULL);
}

/* Every item of the output is a part of the one answer. */
static bool
output(struct messages *m, struct value list)
{
	struct value_iter it;
	struct value k, v;
	bool calls = false;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		calls |= text_ends(value_get(v, "type"), "_call") && is_text(value_get(v, "call_id"));
		parts(m, v);
	}
	return calls;
}

/* The reason in words that response_finish knows: there is a status instead. */
static struct value
finish_of(struct value status, struct value details, bool calls)
{
	static const struct value call = { "\"tool_calls\"", 12, VALUE_STRING, false };
	static const struct value stop = { "\"stop\"", 6, VALUE_STRING, false };
	static const struct value failed = { "\"error\"", 7, VALUE_STRING, false };
	static const struct value none = { 0 };

	if (value_eq(status, "completed"))
		return calls ? call : stop;
	if (value_eq(status, "failed"))
		return failed;
	if (value_eq(status, "incomplete"))
		return is_text(value_get(details, "reason")) ? value_get(details, "reason") : status;
	if (value_eq(status, "cancelled"))
		return status;
	return none;	/* queued, in_progress */
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "output", "usage", "error", "service_tier", "status",
		"incomplete_details", "object" };
	struct value v[9];
	bool calls;

	MEMBERS(body, key, v);
	a->id = v[0];
	a->model = v[1];
	a->error = v[4];
	a->tier = v[5];
	usage_openai(&a->usage, v[3]);
	response_cost(a, v[3]);
	if (v[2].kind != VALUE_ARRAY)
		return;
	message_open(m, "assistant");
	calls = output(m, v[2]);
	/* a compaction has no status; of a stream that was cut there is none either */
	if (!is_given(v[6]) && (!a->stream || text_begins(v[8], "response."))) {
		static const struct value done = { "\"completed\"", 11, VALUE_STRING, false };

		v[6] = done;
	}
	message_close(m, response_finish(a, m, finish_of(v[6], v[7], calls)));
	if (value_eq(v[6], "failed") && !is_given(v[4]))
		a->failed = "failed";
}

static bool
is_pending(struct value body)
{
	struct value status = value_get(body, "status");

	return value_eq(status, "queued") || value_eq(status, "in_progress");
}

const struct vendor vendor_responses = {
	.api = "responses", .operation = "chat", .provider = "openai", .format = "openai-responses",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response, .is_pending = is_pending,
};

/* Over a WebSocket with a session: what is said goes into the conversation piece
 * by piece, a response is asked for, or comes when the user stops to speak. */
const struct vendor vendor_realtime = {
	.api = "realtime", .operation = "chat", .provider = "openai",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
};
