/*
 * openai_responses.c - OpenAI Responses
 *
 * The last event carries the whole response, so what was put together on the
 * way matters only when that event does not come, or (as with ChatGPT's own
 * backend) comes without the output. Until then output items, their parts and
 * strings are addressed by index.
 */
#include "ssemerge/merge.h"

#include <string.h>

enum { PAD_MAX = 64 };	/* parts that may be missing in a row */

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
	{ "reasoning_summary_text", "text", "reasoning", "summary", "summary_index", "summary_text", "text" },
	{ "reasoning_text", "text", "reasoning", "content", "content_index", "reasoning_text", "text" },
	{ "refusal", "refusal", "message", "content", "content_index", "refusal", "refusal" },
	{ "custom_tool_call_input", "input", "custom_tool_call", NULL, NULL, NULL, "input" },
	{ "mcp_call_arguments", "arguments", "mcp_call", NULL, NULL, NULL, "arguments" },
	{ "code_interpreter_call_code", "code", "code_interpreter_call", NULL, NULL, NULL, "code" },
};

static bool
detect(const struct merge_input *in)
{
	return value_begins(in->type, "response.") && (event_get(in->json, "response").kind == VALUE_OBJECT ||
	    event_get(in->json, "output_index").kind == VALUE_INT);
}

/* Fills an array up to index with empty objects: places of what was not seen.
 * They are taken out at the end. */
static bool
pad(struct merge *m, json_t *array, int64_t index)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false };
	size_t n = json_array_size(array);

	if (!array || index < 0 || index > (int64_t)n + PAD_MAX)
		return false;
	while (n <= (size_t)index) {
		builder_push(&m->builder, array, none);
		if (json_array_size(array) != ++n)
			return false;
	}
	return true;
}

/* array[index]; type: made when it is not there, as an object of that type. */
static json_t *
element(struct merge *m, json_t *array, int64_t index, const char *type)
{
	json_t *j = index >= 0 ? json_array_get(array, index) : NULL;

	if (!type || (j && json_object_size(j)))
		return j;
	if (!pad(m, array, index))
		return NULL;
	j = json_array_get(array, index);
	if (json_is_object(j))
		builder_set_json(&m->builder, j, "type", json_string(type));
	return j;
}

static json_t *
item_get(struct merge *m, const struct event *ev, const char *type)
{
	return element(m, builder_array(&m->builder, m->root, "output"),
	    value_int(event_get(ev, "output_index"), -1), type);
}

static void
element_set(struct merge *m, json_t *array, int64_t index, struct value v)
{
	json_t *j;

	if (v.kind != VALUE_OBJECT || !pad(m, array, index) || !(j = builder_json(&m->builder, v)))
		return;
	json_array_set_new(array, index, j);
	builder_sweep(&m->builder);
}

static const struct place *
place_of(struct value type, bool *delta)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		size_t n = strlen(places[i].event);
		const char *rest = type.p + 10 + n;	/* behind the quote, "response." and the event */

		if (type.n < 10 + n + 6 || memcmp(type.p + 10, places[i].event, n))
			continue;
		*delta = type.n == 10 + n + 7 && !memcmp(rest, ".delta", 6);
		if (*delta || (type.n == 10 + n + 6 && !memcmp(rest, ".done", 5)))
			return &places[i];
	}
	return NULL;
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
		object = element(m, builder_array(&m->builder, object, at->parts),
		    value_int(event_get(in->json, at->index), -1), at->part);
	if (!object)
		return true;
	if (delta)
		merge_grow(m, object, at->key, event_get(in->json, "delta"));
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
		if (!value_eq(key, "output") || !have || (val.kind == VALUE_ARRAY && memchr(val.p, '{', val.n)))
			builder_set_member(&m->builder, m->root, key, val);
	builder_sweep(&m->builder);
}

/* "response.web_search_call.searching" and such: the item's status. */
static void
status_set(struct merge *m, const struct merge_input *in)
{
	static const char *const status[] = { "in_progress", "searching", "interpreting", "generating",
	    "completed", "failed" };
	const char *name = in->type.p + 10, *end = in->type.p + in->type.n - 1;
	const char *dot = memrchr(name, '.', end - name);
	json_t *item = dot ? item_get(m, in->json, NULL) : NULL;
	const char *type = json_string_value(json_object_get(item, "type"));

	if (!type || strlen(type) != (size_t)(dot - name) || memcmp(type, name, dot - name) ||
	    !strcmp(type, "mcp_list_tools"))	/* which has none */
		return;
	for (size_t i = 0; i < sizeof(status) / sizeof(*status); i++)
		if (strlen(status[i]) == (size_t)(end - dot - 1) && !memcmp(status[i], dot + 1, end - dot - 1))
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
	element_set(m, parts, value_int(index, -1), event_get(in->json, "part"));
}

static void
annotation(struct merge *m, const struct event *ev)
{
	json_t *item = item_get(m, ev, "message");
	json_t *part = item ? element(m, builder_array(&m->builder, item, "content"),
	    value_int(event_get(ev, "content_index"), -1), "output_text") : NULL;

	if (part)
		element_set(m, builder_array(&m->builder, part, "annotations"),
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
	static const char *const last[] = { "response.completed", "response.incomplete", "response.failed",
	    "response.cancelled" };

	response_set(m, response);
	for (size_t i = 0; i < sizeof(last) / sizeof(*last); i++)
		if (value_eq(in->type, last[i]))
			response_end(m, response, i);
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
	} else if (value_eq(in->type, "response.output_item.added") || value_eq(in->type, "response.output_item.done")) {
		element_set(m, builder_array(&m->builder, m->root, "output"),
		    value_int(event_get(in->json, "output_index"), -1), event_get(in->json, "item"));
	} else if (value_begins(in->type, "response.content_part.") ||
	    value_begins(in->type, "response.reasoning_summary_part.")) {
		part_event(m, in);
	} else if (value_eq(in->type, "response.output_text.annotation.added")) {
		annotation(m, in->json);
	} else {
		status_set(m, in);
	}
}

/* Takes out what pad put in and nothing came for. */
static void
unpad(json_t *array)
{
	for (size_t i = json_array_size(array); i-- > 0;) {
		json_t *j = json_array_get(array, i);

		if (json_is_object(j) && !json_object_size(j))
			json_array_remove(array, i);
	}
}

static void
finish(struct merge *m, struct text *text)
{
	json_t *output = json_object_get(m->root, "output"), *item, *part;
	size_t i, k;

	unpad(output);
	json_array_foreach(output, i, item) {
		const char *type = json_string_value(json_object_get(item, "type"));

		unpad(json_object_get(item, "content"));
		unpad(json_object_get(item, "summary"));
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
