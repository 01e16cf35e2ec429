/*
 * anthropic.c - Anthropic Messages (also on Bedrock, Vertex and the gateways
 * that speak it), and the text completions of before
 */
#include "vendor/vendor.h"

#include <stdlib.h>
#include <string.h>

static bool
is_request(struct value body)
{
	static const char *const key[] = { "messages", "max_tokens", "model", "anthropic_version" };
	struct value m[4];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && m[1].kind == VALUE_INT &&
	    (is_text(m[2]) || is_text(m[3]));
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "type", "role", "content", "usage" };
	struct value m[4];

	MEMBERS(body, key, m);
	return (value_eq(m[0], "message") && value_eq(m[1], "assistant") &&
	    m[2].kind == VALUE_ARRAY) ||
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
	static const char *const key[] = { "type", "media_type", "data", "url", "file_id",
		"content" };
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
	static const char *const key[] = { "id", "model", "content", "stop_reason", "usage",
		"completion",
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

/* --- /v1/complete --------------------------------------------------------------- */

static bool
is_complete(struct value body)
{
	return value_get(body, "prompt").kind == VALUE_STRING &&
	is_given(value_get(body, "max_tokens_to_sample"));
}

static bool
is_completion(struct value body)
{
	return value_eq(value_get(body, "type"), "completion") &&
	value_get(body, "completion").kind == VALUE_STRING;
}

static void
complete(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = value_get(body, "prompt");
	a->max_tokens = value_get(body, "max_tokens_to_sample");
	a->stop = value_get(body, "stop_sequences");
}

/* === streams ==================================================================== */

/*
 * Anthropic Messages; also the old text completions
 *
 * message_start brings the message, blocks grow by index, message_delta
 * overwrites: its usage is cumulative and null means "as it was". Tool input
 * comes as pieces of JSON text, parsed when its block is over.
 */

struct block {
	int64_t index;
	json_t *object;		/* in content */
	struct text input;	/* JSON text so far */
	bool hasinput;
	bool text, thinking;	/* its type */
};

struct anthropic {
	json_t *content;	/* in root */
	struct block *block;	/* beside it, the same order */
	size_t n, cap;
};

static bool
detect(const struct merge_input *in)
{
	static const char *const type[] = { "content_block_delta", "message_start",
		"content_block_start",
	    "content_block_stop", "message_delta", "message_stop" };

	for (size_t i = 0; i < sizeof(type) / sizeof(*type); i++)
		if (value_eq(in->type, type[i]))
			return true;
	return value_eq(in->type, "completion") &&
	    event_get(in->json, "completion").kind == VALUE_STRING;
}

static struct block *
block_find(struct anthropic *a, int64_t index)
{
	if (index >= 0 && (size_t)index < a->n && a->block[index].index == index)
		return &a->block[index];
	for (size_t i = a->n; i-- > 0;)
		if (a->block[i].index == index)
			return &a->block[i];
	return NULL;
}

static struct block *
block_new(struct merge *m, int64_t index, json_t *object)
{
	struct anthropic *a = m->own;
	const char *type = json_string_value(json_object_get(object, "type"));
	struct block *b;

	if (!a->content)
		a->content = builder_array(&m->builder, m->root, "content");
	if (!builder_grow(&m->builder, &a->block, a->n, &a->cap, sizeof(*b))) {
		json_decref(object);
		return NULL;
	}
	if (!object || json_array_append_new(a->content, object)) {
		m->builder.nomem |= object != NULL;
		return NULL;
	}
	b = &a->block[a->n++];
	*b = (struct block){ .index = index, .object = object,
	    .text = type && !strcmp(type, "text"), .thinking = type && !strcmp(type, "thinking") };
	m->builder.memory += sizeof(*b);
	return b;
}

/* The block of a delta whose beginning was not seen: attached late, or a hole. */
static struct block *
block_guess(struct merge *m, int64_t index, struct value type)
{
	static const struct { const char *delta, *block; } guess[] = {
		{ "text_delta", "{\"type\":\"text\"}" },
		{ "citations_delta", "{\"type\":\"text\"}" },
		{ "thinking_delta", "{\"type\":\"thinking\"}" },
		{ "signature_delta", "{\"type\":\"thinking\"}" },
		{ "input_json_delta", "{\"type\":\"tool_use\"}" },
	};

	for (size_t i = 0; i < sizeof(guess) / sizeof(*guess); i++) {
		struct value v = { guess[i].block, strlen(guess[i].block), VALUE_OBJECT, false };

		if (value_eq(type, guess[i].delta))
			return block_new(m, index, builder_json(&m->builder, v));
	}
	return NULL;
}

static void
input_delta(struct merge *m, struct block *b, struct value json)
{
	b->hasinput |= json.kind == VALUE_STRING;
	m->content |= builder_decode(&m->builder, &b->input, json);
	merge_say(m, MERGE_ARGUMENTS, json);
}

static void
block_delta(struct merge *m, const struct event *ev)
{
	static const char *const key[] = { "type", "text", "thinking", "partial_json" };
	struct value delta = event_get(ev, "delta"), v[4], type;
	int64_t index = value_int(event_get(ev, "index"), -1);
	struct block *b = block_find(m->own, index);

	value_pick(delta, key, v, 4);
	type = v[0];
	if (!b && !(b = block_guess(m, index, type)))
		return;
	if (value_eq(type, "text_delta")) {
		if (b->text)
			merge_grow(m, b->object, "text", v[1]);
	} else if (value_eq(type, "thinking_delta")) {
		if (b->thinking)
			merge_grow(m, b->object, "thinking", v[2]);
	} else if (value_eq(type, "input_json_delta")) {
		input_delta(m, b, v[3]);
	} else if (value_eq(type, "signature_delta")) {
		if (b->thinking)
			builder_set(&m->builder, b->object, "signature",
			    value_get(delta, "signature"));
	} else if (value_eq(type, "citations_delta")) {
		if (b->text)
			builder_push(&m->builder,
			    builder_array(&m->builder, b->object, "citations"),
			    value_get(delta, "citation"));
	} else if (value_eq(type, "compaction_delta")) {
		builder_set(&m->builder, b->object, "content", value_get(delta, "content"));
		builder_set(&m->builder, b->object, "encrypted_content",
		    value_get(delta, "encrypted_content"));
	}
}

/* Parses what tool input has come. */
static void
block_stop(struct merge *m, struct block *b)
{
	json_t *j;

	if (!b || !b->hasinput)
		return;
	b->hasinput = false;
	j = merge_arguments(m, b->input.p, b->input.n);
	builder_drop(&m->builder, &b->input);
	builder_set_json(&m->builder, b->object, "input", j);
}

static void
block_start(struct merge *m, const struct event *ev)
{
	struct value v = event_get(ev, "content_block");
	struct value model = value_get(value_get(v, "to"), "model");
	json_t *object = v.kind == VALUE_OBJECT ? builder_json(&m->builder, v) : NULL;

	if (text_ends(value_get(v, "type"), "tool_use"))
		merge_say(m, MERGE_TOOL, value_get(v, "name"));
	merge_say(m, MERGE_TEXT, value_get(v, "text"));
	if (object)
		block_new(m, value_int(event_get(ev, "index"), -1), object);
	else if (v.kind != VALUE_OBJECT)
		m->bad++;
	/* the block that says which model took over names it for the message */
	if (value_eq(value_get(v, "type"), "fallback") && model.kind == VALUE_STRING)
		builder_set(&m->builder, m->root, "model", model);
}

static void
message_start(struct merge *m, const struct event *ev)
{
	struct anthropic *a = m->own;
	struct value v = event_get(ev, "message"), key, val;
	struct value_iter it;

	if (v.kind != VALUE_OBJECT) {
		m->bad++;
		return;
	}
	value_iter(&it, v);
	while (value_next(&it, &key, &val))
		/* blocks may be there after a hole */
		if (!a->content || !value_eq(key, "content"))
			builder_set_member(&m->builder, m->root, key, val);
	a->content = builder_array(&m->builder, m->root, "content");
	if (a->n)
		return;
	/* a message that begins with blocks: they have the first indexes */
	for (size_t i = 0; i < json_array_size(a->content); i++) {
		json_t *object = json_incref(json_array_get(a->content, 0));

		json_array_remove(a->content, 0);
		block_new(m, i, object);
	}
}

/* The delta's members; a null reason overwrites, other nulls say nothing new. */
static void
delta_members(struct merge *m, struct value delta)
{
	struct value_iter it;
	struct value key, val;

	value_iter(&it, delta);
	while (delta.kind == VALUE_OBJECT && value_next(&it, &key, &val))
		if (value_given(val) || value_begins(key, "stop_"))
			builder_set_member(&m->builder, m->root, key, val);
}

/* Counts are cumulative: a 0 behind a number is a proxy's that does not know, but
 * for an output of nothing. */
static void
usage_delta(struct merge *m, struct value usage)
{
	json_t *to = builder_object(&m->builder, m->root, "usage"), *old;
	struct value_iter it;
	struct value key, val;
	char name[64];

	value_iter(&it, usage);
	while (to && usage.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		if (!value_given(val) || key.n > sizeof(name))
			continue;
		name[value_decode(key, name)] = '\0';
		old = json_object_get(to, name);
		if (value_int(val, 1) != 0 || json_integer_value(old) <= 0 ||
		    !strcmp(name, "output_tokens"))
			builder_set_member(&m->builder, to, key, val);
	}
}

static void
message_delta(struct merge *m, const struct event *ev)
{
	delta_members(m, event_get(ev, "delta"));
	for (size_t i = 0; i < ev->nfields; i++) {
		struct value key = field_key(&ev->fields[i]), val = ev->fields[i].value;

		if (value_eq(key, "usage"))
			usage_delta(m, val);
		else if (!value_eq(key, "type") && !value_eq(key, "delta") && value_given(val))
			builder_set_member(&m->builder, m->root, key, val);
	}
}

/* The text completions of before: every event has the next piece. */
static void
completion(struct merge *m, const struct event *ev)
{
	for (size_t i = 0; i < ev->nfields; i++) {
		struct value key = field_key(&ev->fields[i]), val = ev->fields[i].value;

		if (value_eq(key, "completion"))
			merge_grow(m, m->root, "completion", val);
		else
			builder_set_member(&m->builder, m->root, key, val);
	}
	m->ended |= value_given(event_get(ev, "stop_reason"));
}

static void
event(struct merge *m, const struct merge_input *in)
{
	if (value_eq(in->type, "content_block_delta")) {
		block_delta(m, in->json);
	} else if (value_eq(in->type, "content_block_start")) {
		block_start(m, in->json);
	} else if (value_eq(in->type, "content_block_stop")) {
		block_stop(m, block_find(m->own, value_int(event_get(in->json, "index"), -1)));
		builder_settle(&m->builder);
	} else if (value_eq(in->type, "message_start")) {
		message_start(m, in->json);
	} else if (value_eq(in->type, "message_delta")) {
		message_delta(m, in->json);
	} else if (value_eq(in->type, "message_stop")) {
		m->ended = m->closed = true;
	} else if (value_eq(in->type, "completion")) {
		completion(m, in->json);
	} else if (value_given(event_get(in->json, "error"))) {
		merge_error(m, event_get(in->json, "error"));
		m->closed = true;
	}
}

static void
finish(struct merge *m, struct text *text)
{
	struct anthropic *a = m->own;

	merge_text(text, m->root, "completion");
	for (size_t i = 0; i < a->n; i++) {
		block_stop(m, &a->block[i]);
		if (a->block[i].text)
			merge_text(text, a->block[i].object, "text");
	}
}

static void
free_own(struct merge *m)
{
	struct anthropic *a = m->own;

	for (size_t i = 0; i < a->n; i++)
		builder_drop(&m->builder, &a->block[i].input);
	free(a->block);
}

const struct merge_format merge_anthropic = {
	.name = "anthropic",
	.own = sizeof(struct anthropic),
	.detect = detect,
	.path = { "/v1/messages", "/v1/complete", ":streamRawPredict" },
	.own_end = true,
	.event = event,
	.finish = finish,
	.free = free_own,
};

/* === the entries ================================================================= */

/* Nearly that of Chat Completions: what only this API has. */
static bool
is_request_alone(struct value body)
{
	static const char *const key[] = { "system", "anthropic_version", "tools", "thinking",
		"stop_sequences" };
	struct value m[5];

	MEMBERS(body, key, m);
	return is_request(body) &&
	    (is_given(m[0]) || is_given(m[1]) || is_given(m[3]) || is_given(m[4]) ||
	    is_given(value_get(value_element(m[2], 0), "input_schema")));
}

/* Gateways take Chat Completions' bodies at these paths, too. */
static bool
fits(struct value body)
{
	return vendor_chat.is_request(body);
}

static const struct vendor_host hosts[] = {
	{ "anthropic.com", "anthropic" }, { "claude.ai", "anthropic" },
	{ "claude.com", "anthropic" }, { NULL, NULL },
};

static const struct vendor_path paths[] = {
	{ .end = "/messages" }, { .end = ":rawPredict" },
	{ .end = ":streamRawPredict", .stream = true }, { .end = NULL },
}, complete_paths[] = {
	{ .end = "/complete" }, { .end = NULL },
};

static const struct vendor_word finishes[] = {
	{ "end_turn", "stop" }, { "stop_sequence", "stop" }, { "max_tokens", "length" },
	{ "tool_use", "tool_call" },
	{ "model_context_window_exceeded", "length" }, { "refusal", "content_filter" },
	{ NULL, NULL },
};

const struct vendor vendor_messages = {
	.api = "messages", .operation = "chat", .provider = "anthropic",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.hosts = hosts, .paths = paths, .finishes = finishes, .header = "anthropic-version",
	.mark = "messages",
	.request_rank = 1, .response_rank = 1, .is_request_alone = is_request_alone, .fits = fits,
	.stream = &merge_anthropic,
};
VENDOR_ENTRY(vendor_messages);

const struct vendor vendor_complete = {
	.api = "complete", .operation = "text_completion", .provider = "anthropic",
	.is_request = is_complete, .is_response = is_completion,
	.request = complete, .item = item, .response = response,
	.paths = complete_paths, .mark = "prompt", .request_rank = 6, .response_rank = 9,
	.stream = &merge_anthropic,
};
VENDOR_ENTRY(vendor_complete);
