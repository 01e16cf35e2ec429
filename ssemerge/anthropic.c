/*
 * anthropic.c - Anthropic Messages; also the old text completions
 *
 * message_start brings the message, blocks grow by index, message_delta
 * overwrites: its usage is cumulative and null means "as it was". Tool input
 * comes as pieces of JSON text, parsed when its block is over.
 */
#include "ssemerge/merge.h"

#include <stdlib.h>
#include <string.h>

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
	static const char *const type[] = { "content_block_delta", "message_start", "content_block_start",
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
	m->builder.held += sizeof(*b);
	return b;
}

/* The block of a delta whose beginning was not seen: attached late, or a hole. */
static struct block *
block_guess(struct merge *m, int64_t index, struct value type)
{
	static const struct { const char *delta, *block; } guess[] = {
		{ "text_delta", "{\"type\":\"text\"}" }, { "citations_delta", "{\"type\":\"text\"}" },
		{ "thinking_delta", "{\"type\":\"thinking\"}" }, { "signature_delta", "{\"type\":\"thinking\"}" },
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
			builder_set(&m->builder, b->object, "signature", value_get(delta, "signature"));
	} else if (value_eq(type, "citations_delta")) {
		if (b->text)
			builder_push(&m->builder, builder_array(&m->builder, b->object, "citations"),
			    value_get(delta, "citation"));
	} else if (value_eq(type, "compaction_delta")) {
		builder_set(&m->builder, b->object, "content", value_get(delta, "content"));
		builder_set(&m->builder, b->object, "encrypted_content", value_get(delta, "encrypted_content"));
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
		if (!a->content || !value_eq(key, "content"))	/* blocks may be there after a hole */
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
		if (value_int(val, 1) != 0 || json_integer_value(old) <= 0 || !strcmp(name, "output_tokens"))
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
