/*
 * openai_responses.c - OpenAI Responses, as JSON, as a stream, and over
 * WebSocket (where a request is an event "response.create")
 */
#include "vendor/vendor.h"

#include <string.h>

static bool
is_request(struct value body)
{
	static const char *const key[] = { "input", "model", "instructions", "previous_response_id",
		"prompt",
		"tools", "store", "conversation", "reasoning", "stream" };
	struct value m[10];

	MEMBERS(body, key, m);
	/* an input with a model could be an embedding's */
	return (m[0].kind == VALUE_STRING || m[0].kind == VALUE_ARRAY) && is_text(m[1]) &&
	    (is_given(m[2]) || is_given(m[3]) || is_given(m[5]) || is_given(m[6]) ||
	    is_given(m[7]) ||
	    is_given(m[8]) || is_given(m[9]) ||
	    value_get(value_element(m[0], 0), "role").kind == VALUE_STRING);
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "object", "output", "status" };
	struct value m[3];

	MEMBERS(body, key, m);
	return m[1].kind == VALUE_ARRAY &&
	(value_eq(m[0], "response") || text_begins(m[0], "response.") ||
	    is_text(m[2]));
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "input", "instructions", "previous_response_id",
		"conversation",
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
	static const char *const key[] = { "type", "text", "refusal", "image_url", "file_id",
		"file_url",
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
	static const char *const key[] = { "type", "content", "summary", "call_id", "name",
		"arguments", "input",
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
		message_open(m, item_is_response(&vendor_responses, v) ? "assistant" : "user");
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
		calls |= text_ends(value_get(v, "type"), "_call") &&
		is_text(value_get(v, "call_id"));
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
		return is_text(value_get(details, "reason")) ? value_get(details, "reason") :
		status;
	if (value_eq(status, "cancelled"))
		return status;
	return none;	/* queued, in_progress */
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "output", "usage", "error",
		"service_tier", "status",
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

/* Over a WebSocket with a session: what is said goes into the conversation piece
 * by piece, a response is asked for, or comes when the user stops to speak. */
/* === streams ==================================================================== */

/*
 * OpenAI Responses
 *
 * The last event carries the whole response, so what was put together on the
 * way matters only when that event does not come, or (as with ChatGPT's own
 * backend) comes without the output. Until then output items, their parts and
 * strings are addressed by index.
 */

/* Where the strings of deltas are: in the item, or in a part of it. */
static const struct place {
	const char *event;	/* "response.EVENT.delta" and ".done" */
	const char *done;	/* the whole string in the ".done" event */
	const char *item;	/* the type that an item has whose beginning was not seen */
	const char *parts, *index, *part;	/* array of parts, its index, type of a new one */
	const char *key;
} places[] = {
	{ "output_text", "text", "message", "content", "content_index", "output_text", "text" },
	{ "function_call_arguments", "arguments", "function_call", NULL, NULL, NULL, "arguments" },
	{ "reasoning_summary_text", "text", "reasoning", "summary", "summary_index", "summary_text",
	"text" },
	{ "reasoning_text", "text", "reasoning", "content", "content_index", "reasoning_text",
	"text" },
	{ "refusal", "refusal", "message", "content", "content_index", "refusal", "refusal" },
	{ "custom_tool_call_input", "input", "custom_tool_call", NULL, NULL, NULL, "input" },
	{ "mcp_call_arguments", "arguments", "mcp_call", NULL, NULL, NULL, "arguments" },
	{ "code_interpreter_call_code", "code", "code_interpreter_call", NULL, NULL, NULL, "code" },
};

static bool
detect(const struct merge_input *in)
{
	return value_begins(in->type, "response.") &&
	    (event_get(in->json, "response").kind == VALUE_OBJECT ||
	    event_get(in->json, "output_index").kind == VALUE_INT);
}

static json_t *
item_get(struct merge *m, const struct event *ev, const char *type)
{
	return merge_element(m, builder_array(&m->builder, m->root, "output"),
	    value_int(event_get(ev, "output_index"), -1), type);
}

static const struct place *
place_of(struct value type, bool *delta)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		size_t n = strlen(places[i].event);
		/* behind the quote, "response." and the event */
		const char *rest = type.p + 10 + n;

		if (type.n < 10 + n + 6 || memcmp(type.p + 10, places[i].event, n))
			continue;
		*delta = type.n == 10 + n + 7 && !memcmp(rest, ".delta", 6);
		if (*delta || (type.n == 10 + n + 6 && !memcmp(rest, ".done", 5)))
			return &places[i];
	}
	return NULL;
}

static enum merge_kind
kind_of(const struct place *at)
{
	return !strncmp(at->event, "reasoning", 9) ? MERGE_REASONING : at->parts ? MERGE_TEXT :
	    MERGE_ARGUMENTS;
}

static bool
place_event(struct merge *m, const struct merge_input *in)
{
	bool delta;
	const struct place *at = place_of(in->type, &delta);
	json_t *object;

	if (!at)
		return false;
	object = item_get(m, in->json, at->item);
	if (at->parts && object)
		object = merge_element(m, builder_array(&m->builder, object, at->parts),
		    value_int(event_get(in->json, at->index), -1), at->part);
	if (!object)
		return true;
	if (delta)
		merge_grow_as(m, kind_of(at), object, at->key, event_get(in->json, "delta"));
	else
		builder_set(&m->builder, object, at->key, event_get(in->json, at->done));
	return true;
}

/* The response as it is now; an empty output says nothing about what came. */
static void
response_set(struct merge *m, struct value v)
{
	struct value_iter it;
	struct value key, val;
	bool have = json_array_size(json_object_get(m->root, "output"));

	value_iter(&it, v);
	while (v.kind == VALUE_OBJECT && value_next(&it, &key, &val))
		if (!value_eq(key, "output") || !have ||
		    (val.kind == VALUE_ARRAY && memchr(val.p, '{', val.n)))
			builder_set_member(&m->builder, m->root, key, val);
	builder_sweep(&m->builder);
}

/* "response.web_search_call.searching" and such: the item's status. */
static void
status_set(struct merge *m, const struct merge_input *in)
{
	static const char *const status[] = { "in_progress", "searching", "interpreting",
		"generating",
	    "completed", "failed" };
	const char *name = in->type.p + 10, *end = in->type.p + in->type.n - 1;
	const char *dot = memrchr(name, '.', end - name);
	json_t *item = dot ? item_get(m, in->json, NULL) : NULL;
	const char *type = json_string_value(json_object_get(item, "type"));

	if (!type || strlen(type) != (size_t)(dot - name) || memcmp(type, name, dot - name) ||
	    !strcmp(type, "mcp_list_tools"))	/* which has none */
		return;
	for (size_t i = 0; i < sizeof(status) / sizeof(*status); i++)
		if (strlen(status[i]) == (size_t)(end - dot - 1) &&
		!memcmp(status[i], dot + 1, end - dot - 1))
			builder_set_json(&m->builder, item, "status", json_string(status[i]));
}

static void
part_event(struct merge *m, const struct merge_input *in)
{
	bool summary = value_begins(in->type, "response.reasoning_summary_part.");
	json_t *item = item_get(m, in->json, summary ? "reasoning" : "message"), *parts;
	struct value index = event_get(in->json, summary ? "summary_index" : "content_index");

	if (!item)
		return;
	parts = builder_array(&m->builder, item, summary ? "summary" : "content");
	merge_element_set(m, parts, value_int(index, -1), event_get(in->json, "part"));
}

static void
annotation(struct merge *m, const struct event *ev)
{
	json_t *item = item_get(m, ev, "message");
	json_t *part = item ? merge_element(m, builder_array(&m->builder, item, "content"),
	    value_int(event_get(ev, "content_index"), -1), "output_text") : NULL;

	if (part)
		merge_element_set(m, builder_array(&m->builder, part, "annotations"),
		    value_int(event_get(ev, "annotation_index"), -1), event_get(ev, "annotation"));
}

static void
error(struct merge *m, const struct merge_input *in)
{
	struct value nested = event_get(in->json, "error");

	merge_error(m, value_given(nested) ? nested : input_object(in));
	m->closed = true;
}

/* The last event. ChatGPT's backend leaves the status out that its name says. */
static void
response_end(struct merge *m, struct value response, size_t i)
{
	static const char *const status[] = { "completed", "incomplete", "failed", "cancelled" };

	if (!value_given(value_get(response, "status")))
		builder_set_json(&m->builder, m->root, "status", json_string(status[i]));
	merge_error(m, value_get(response, "error"));
	m->ended = m->closed = true;
}

static void
response_event(struct merge *m, const struct merge_input *in, struct value response)
{
	static const char *const last[] = { "response.completed", "response.incomplete",
		"response.failed",
	    "response.cancelled" };

	response_set(m, response);
	for (size_t i = 0; i < sizeof(last) / sizeof(*last); i++)
		if (value_eq(in->type, last[i]))
			response_end(m, response, i);
}

/* A call of a tool begins; false for other items. */
static bool
item_name(struct merge *m, struct value item)
{
	struct value type = value_get(item, "type"), name = value_get(item, "name");

	if (!text_ends(type, "_call"))
		return false;
	merge_say(m, MERGE_TOOL, value_says(name) ? name : type);
	return true;
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct value response = event_get(in->json, "response");

	if (!value_begins(in->type, "response.")) {
		if (value_eq(in->type, "error") || value_given(event_get(in->json, "error")))
			error(m, in);
	} else if (response.kind == VALUE_OBJECT) {
		response_event(m, in, response);
	} else if (place_event(m, in)) {
		return;
	} else if (value_eq(in->type, "response.output_item.added") &&
	item_name(m, event_get(in->json, "item"))) {
		merge_element_set(m, builder_array(&m->builder, m->root, "output"),
		    value_int(event_get(in->json, "output_index"), -1),
		    event_get(in->json, "item"));
	} else if (value_eq(in->type, "response.output_item.added") ||
	value_eq(in->type, "response.output_item.done")) {
		merge_element_set(m, builder_array(&m->builder, m->root, "output"),
		    value_int(event_get(in->json, "output_index"), -1),
		    event_get(in->json, "item"));
	} else if (value_begins(in->type, "response.content_part.") ||
	    value_begins(in->type, "response.reasoning_summary_part.")) {
		part_event(m, in);
	} else if (value_eq(in->type, "response.output_text.annotation.added")) {
		annotation(m, in->json);
	} else {
		status_set(m, in);
	}
}

static void
finish(struct merge *m, struct text *text)
{
	json_t *output = json_object_get(m->root, "output"), *item, *part;
	size_t i, k;

	merge_unpad(output);
	json_array_foreach(output, i, item) {
		const char *type = json_string_value(json_object_get(item, "type"));

		merge_unpad(json_object_get(item, "content"));
		merge_unpad(json_object_get(item, "summary"));
		if (!type || strcmp(type, "message"))
			continue;
		json_array_foreach(json_object_get(item, "content"), k, part) {
			type = json_string_value(json_object_get(part, "type"));
			if (type && !strcmp(type, "output_text"))
				merge_text(text, part, "text");
		}
	}
}

const struct merge_format merge_openai_responses = {
	.name = "openai-responses",
	.detect = detect,
	.path = { "/responses" },
	.own_end = true,
	.event = event,
	.finish = finish,
};

/* === the entries ================================================================= */

/* An input with a model alone could be an embedding's. */
static bool
fits(struct value body)
{
	return vendor_embeddings.is_request(body);
}

/* Items of the input that the model made. */
static bool
is_said(struct value item)
{
	static const char *const key[] = { "role", "type" };
	struct value m[2];

	MEMBERS(item, key, m);
	if (is_text(m[0]))
		return value_eq(m[0], "assistant");
	return value_eq(m[1], "reasoning") || text_ends(m[1], "_call") ||
	    value_eq(m[1], "mcp_list_tools") ||
	    text_begins(m[1], "compaction");
}

static const struct vendor_host hosts[] = {
	{ "openai.com", "openai" }, { "chatgpt.com", "openai" }, { NULL, NULL },
};

static const struct vendor_path paths[] = {
	{ .end = "/responses" }, { .end = "/responses/compact" }, { .end = NULL },
};

static const struct vendor_word finishes[] = {
	{ "max_output_tokens", "length" }, { NULL, NULL },
};

const struct vendor vendor_responses = {
	.api = "responses", .operation = "chat", .provider = "openai",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response, .is_pending = is_pending,
	.hosts = hosts, .paths = paths, .finishes = finishes, .mark = "input", .request_rank = 5,
	.response_rank = 3,
	.fits = fits, .item_is_response = is_said, .stream = &merge_openai_responses,
};
VENDOR_ENTRY(vendor_responses);

const struct vendor vendor_realtime = {
	.api = "realtime", .operation = "chat", .provider = "openai",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.item_is_response = is_said,
};
VENDOR_ENTRY(vendor_realtime);
