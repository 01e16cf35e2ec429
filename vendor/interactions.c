/*
 * interactions.c - Google's Interactions API: a list of steps instead of candidates;
 * what came before is the server's, by previous_interaction_id
 */
#include "vendor/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "input", "model", "agent" };
	struct value m[3];

	MEMBERS(body, key, m);
	return is_given(m[0]) && (is_text(m[1]) || is_text(m[2]));
}

/* Steps; outputs before they were called so. */
static struct value
steps_of(struct value body)
{
	return first_given(value_get(body, "steps"), value_get(body, "outputs"));
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "id", "status", "usage", "model", "agent" };
	struct value m[5];

	MEMBERS(body, key, m);
	return is_text(m[0]) && is_text(m[1]) && (steps_of(body).kind == VALUE_ARRAY ||
	    (is_given(value_get(m[2], "total_input_tokens")) && (is_text(m[3]) || is_text(m[4]))));
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "input", "system_instruction", "generation_config",
		"previous_interaction_id", "agent", "background", "response_mime_type" };
	static const char *const conf[] = { "max_output_tokens", "temperature", "top_p", "seed",
		"stop_sequences",
		"thinking_level" };
	struct value m[7], c[6];

	request_common(a, body);
	MEMBERS(body, key, m);
	MEMBERS(m[2], conf, c);
	a->model = first_given(a->model, m[4]);
	a->list = m[0];
	a->system = m[1];
	a->previous = m[3];
	a->background = m[5].kind == VALUE_TRUE;
	a->json = value_eq(m[6], "application/json");
	a->max_tokens = c[0];
	a->temperature = c[1];
	a->top_p = c[2];
	a->seed = c[3];
	a->stop = c[4];
	a->reasoning = c[5];
}

/* One content: text, or a medium. */
static void
content(struct messages *m, struct value v)
{
	static const char *const key[] = { "type", "text", "data", "uri", "mime_type" };
	static const char *const media[] = { "image", "audio", "video", "document" };
	struct value c[5];
	size_t i = 0;

	MEMBERS(v, key, c);
	while (i < 4 && !value_eq(c[0], media[i]))
		i++;
	if (c[1].kind == VALUE_STRING)
		part_text(m, c[1]);
	else if (i < 4 && is_text(c[2]))
		part_blob(m, media[i], c[4], c[2]);
	else if (i < 4 && is_text(c[3]))
		part_uri(m, media[i], c[4], c[3]);
	else
		part_other(m, "unknown", v);
}

static void
thought(struct messages *m, struct value v)
{
	part_reasoning(m, value_get(v, "text"));
}

/* The parts that a step is. */
static void
step(struct messages *m, struct value v)
{
	static const char *const key[] = { "type", "content", "summary", "id", "name", "arguments",
		"call_id",
		"result", "is_error" };
	struct value s[9];

	MEMBERS(v, key, s);
	if (value_eq(s[0], "user_input") || value_eq(s[0], "model_output") ||
	(!is_given(s[0]) && is_given(s[1])))
		content_put(m, s[1], content);
	else if (value_eq(s[0], "thought"))
		content_put(m, s[2], thought);
	else if (value_eq(s[0], "function_call"))
		part_call(m, s[3], s[4], s[5]);
	else if (value_eq(s[0], "function_result"))
		part_result(m, s[6], s[4], s[7], s[8].kind == VALUE_TRUE);
	else if (text_ends(s[0], "_call"))
		part_server_call(m, s[3], is_text(s[4]) ? s[4] : s[0], v);
	else if (text_ends(s[0], "_result"))
		part_server_result(m, s[6], v);
	else
		content(m, v);
}

static bool
is_said(struct value v)
{
	struct value type = value_get(v, "type"), role = value_get(v, "role");

	return value_eq(type, "model_output") || value_eq(type, "thought") ||
	text_ends(type, "_call") ||
	    (text_ends(type, "_result") && !value_eq(type, "function_result")) ||
	    value_eq(role, "model");
}

static void
item(struct messages *m, struct value v)
{
	message_open(m, value_eq(value_get(v, "type"), "function_result") ? "tool" :
	is_said(v) ? "assistant" : "user");
	if (v.kind == VALUE_STRING)
		part_text(m, v);
	else
		step(m, v);
	message_close(m, NULL);
}

/* Thoughts are beside the output, tools' own prompts beside the input. */
static void
counts(struct usage *u, struct value usage)
{
	static const char *const key[] = { "total_input_tokens", "total_output_tokens",
		"total_thought_tokens",
		"total_cached_tokens", "total_tool_use_tokens", "total_tokens" };
	struct value m[6];

	MEMBERS(usage, key, m);
	usage_set_sum(u, USAGE_INPUT, m[0], m[4]);
	usage_set_sum(u, USAGE_OUTPUT, m[1], m[2]);
	usage_set(u, USAGE_REASONING, m[2]);
	usage_set(u, USAGE_CACHE_READ, m[3]);
	usage_set(u, USAGE_TOTAL, m[5]);
}

static bool
is_pending(struct value body)
{
	struct value status = value_get(body, "status");

	return value_eq(status, "queued") || value_eq(status, "in_progress");
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "agent", "usage", "status", "error",
	"errors", "service_tier" };
	struct value v[8], list = steps_of(body), k, s, none = { 0 };
	struct value_iter it;

	MEMBERS(body, key, v);
	a->id = v[0];
	a->model = first_given(v[1], v[2]);
	a->tier = v[7];
	a->error = first_given(v[5], value_element(v[6], 0));
	counts(&a->usage, v[3]);
	if (list.kind != VALUE_ARRAY && !is_text(v[4]))
		return;
	message_open(m, "assistant");
	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &s))
		if (!value_eq(value_get(s, "type"), "user_input") &&
		!value_eq(value_get(s, "type"), "function_result"))
			step(m, s);
	message_close(m, response_finish(a, m, is_pending(body) ? none : v[4]));
	if (value_eq(v[4], "failed") && !is_given(a->error))
		a->failed = "failed";
}

/* === streams ==================================================================== */

static bool
detect(const struct merge_input *in)
{
	struct value type = event_get(in->json, "event_type");

	return value_begins(type, "interaction.") || value_begins(type, "step.") ||
	value_begins(type, "content.");
}

static json_t *
step_at(struct merge *m, const struct event *ev)
{
	return merge_element(m, builder_array(&m->builder, m->root, "steps"),
	value_int(event_get(ev, "index"), -1), NULL);
}

static void
step_start(struct merge *m, const struct event *ev)
{
	struct value v = first_given(event_get(ev, "step"), event_get(ev, "content"));

	if (value_eq(value_get(v, "type"), "function_call"))
		merge_say(m, MERGE_TOOL, value_get(v, "name"));
	merge_element_set(m, builder_array(&m->builder, m->root, "steps"),
	value_int(event_get(ev, "index"), -1), v);
}

/* Text goes on with the last text of the list, or is a new one. */
static void
text_grow(struct merge *m, json_t *list, enum merge_kind kind, struct value text)
{
	static const char empty[] = "{\"type\":\"text\",\"text\":\"\"}";
	struct value v = { empty, sizeof(empty) - 1, VALUE_OBJECT, false };
	json_t *last = json_array_get(list, json_array_size(list) - 1);
	const char *type = json_string_value(json_object_get(last, "type"));

	if (!type || strcmp(type, "text")) {
		builder_push(&m->builder, list, v);
		last = json_array_get(list, json_array_size(list) - 1);
	}
	if (last)
		merge_grow_as(m, kind, last, "text", text);
}

/* What a delta adds to a step of steps; before steps, to a content of outputs. */
static void
step_delta(struct merge *m, const struct event *ev)
{
	static const char *const key[] = { "type", "text", "content", "signature", "arguments",
	"annotations" };
	struct value d = event_get(ev, "delta"), v[6];
	json_t *step = step_at(m, ev);
	const char *type = json_string_value(json_object_get(step, "type"));
	bool bare = type && !strcmp(type, "text");

	value_pick(d, key, v, 6);
	if (!step) {
		m->bad++;
	} else if (value_eq(v[0], "arguments_delta")) {
		if (!json_is_string(json_object_get(step, "arguments")))
			builder_set_json(&m->builder, step, "arguments", json_string(""));
		merge_grow(m, step, "arguments", v[4]);
	} else if (value_eq(v[0], "text") && bare) {
		merge_grow(m, step, "text", v[1]);
	} else if (value_eq(v[0], "text")) {
		text_grow(m, builder_array(&m->builder, step, "content"), MERGE_TEXT, v[1]);
	} else if (value_eq(v[0], "thought_summary")) {
		text_grow(m, builder_array(&m->builder, step, "summary"), MERGE_REASONING,
		value_get(v[2], "text"));
	} else if (value_eq(v[0], "thought_signature")) {
		builder_set(&m->builder, step, "signature", v[3]);
	} else if (value_eq(v[0], "text_annotation_delta")) {
		merge_extend(m, step, "annotations", v[5]);
	} else if (type && !strcmp(type, "model_output")) {
		builder_push(&m->builder, builder_array(&m->builder, step, "content"), d);
		m->content = true;
	} else {
		merge_overwrite(m, step, d);
	}
}

static void
about(struct merge *m, struct value interaction)
{
	struct value_iter it;
	struct value k, v;
	bool have = json_array_size(json_object_get(m->root, "steps"));

	value_iter(&it, interaction);
	while (interaction.kind == VALUE_OBJECT && value_next(&it, &k, &v))
		if (value_given(v) && !(have && (value_eq(k, "steps") || value_eq(k, "outputs"))))
			builder_set_member(&m->builder, m->root, k, v);
	builder_sweep(&m->builder);
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct value type = event_get(in->json, "event_type"),
	status = event_get(in->json, "status");

	if (value_begins(type, "interaction.")) {
		about(m, event_get(in->json, "interaction"));
		if (value_says(status))
			builder_set(&m->builder, m->root, "status", status);
		if (value_given(event_get(in->json, "usage")))
			builder_set(&m->builder, m->root, "usage", event_get(in->json, "usage"));
		m->ended |= value_eq(type, "interaction.completed") ||
		value_eq(type, "interaction.complete");
	} else if (value_eq(type, "step.start") || value_eq(type, "content.start")) {
		step_start(m, in->json);
	} else if (value_eq(type, "step.delta") || value_eq(type, "content.delta")) {
		step_delta(m, in->json);
	} else if (value_given(event_get(in->json, "error"))) {
		merge_error(m, event_get(in->json, "error"));
	}
}

static void
finish(struct merge *m, struct text *text)
{
	json_t *steps = json_object_get(m->root, "steps"), *step, *args;
	size_t i;

	merge_unpad(steps);
	json_array_foreach(steps, i, step) {
		const char *type = json_string_value(json_object_get(step, "type"));

		if (json_is_string(args = json_object_get(step, "arguments")))
			builder_set_json(&m->builder, step, "arguments",
			    merge_arguments(m, json_string_value(args), json_string_length(args)));
		if (type && !strcmp(type, "model_output"))
			merge_parts(text, json_object_get(step, "content"));
		else if (type && !strcmp(type, "text"))
			merge_text(text, step, "text");
	}
}

const struct merge_format merge_interactions = {
	.name = "gemini-interactions",
	.detect = detect,
	.path = { "/interactions" },
	.own_end = true,
	.event = event,
	.finish = finish,
};

/* === the entry ================================================================== */

static const struct vendor_path paths[] = { { .end = "/interactions" }, { .end = NULL } };

static const struct vendor_word finishes[] = {
	{ "completed", "stop" }, { "requires_action", "tool_call" },
	{ "budget_exceeded", "length" }, { "failed", "error" },
	{ NULL, NULL },
};

const struct vendor vendor_interactions = {
	.api = "interactions", .operation = "generate_content", .provider = "gcp.gen_ai",
	.is_request = is_request, .is_response = is_response, .is_pending = is_pending,
	.request = request, .item = item, .item_is_response = is_said, .response = response,
	.paths = paths, .finishes = finishes, .response_rank = 11, .stream = &merge_interactions,
};
VENDOR_ENTRY(vendor_interactions);
