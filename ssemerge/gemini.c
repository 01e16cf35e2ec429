/*
 * gemini.c - Google Gemini and Vertex: event stream or JSON array of whole
 * responses, each with the next parts; Code Assist wraps each in "response"
 *
 * Parts of plain text that follow each other are one, thoughts apart; parts
 * with a signature stay as they are, for the signature is over that part.
 */
#include "ssemerge/merge.h"

#include <stdlib.h>
#include <string.h>

struct candidate {
	int64_t index;
	json_t *object, *content;	/* content is in object */
	struct rest rest;
	bool finished;
	enum { OPEN_NOT, OPEN_TEXT, OPEN_THOUGHT } open;	/* the last part may grow */
};

struct gemini {
	struct rest rest;
	struct candidate *candidate;
	size_t n, cap;
};

static bool
is_chunk(struct value v, const struct event *ev)
{
	static const char *const key[] = { "candidates", "usageMetadata", "promptFeedback" };
	enum value_kind want[] = { VALUE_ARRAY, VALUE_OBJECT, VALUE_OBJECT };

	for (size_t i = 0; i < 3; i++)
		if ((ev ? event_get(ev, key[i]) : value_get(v, key[i])).kind == want[i])
			return true;
	return false;
}

static bool
detect(const struct merge_input *in)
{
	return is_chunk((struct value){ 0 }, in->json) || is_chunk(event_get(in->json, "response"), NULL);
}

static struct candidate *
candidate_get(struct merge *m, int64_t index)
{
	struct gemini *g = m->own;
	struct candidate *c;

	for (size_t i = 0; i < g->n; i++)
		if (g->candidate[i].index == index)
			return &g->candidate[i];
	if (g->n == 1024 || !builder_grow(&m->builder, &g->candidate, g->n, &g->cap, sizeof(*c)))
		return NULL;
	c = &g->candidate[g->n];
	*c = (struct candidate){ .index = index, .object = json_object() };
	if (!c->object) {
		m->builder.nomem = true;
		return NULL;
	}
	g->n++;
	return c;
}

static void
part(struct merge *m, struct candidate *c, json_t *parts, struct value v)
{
	struct value_iter it;
	struct value key, val, text = { 0 };
	bool thought = false, plain = true;
	int open;

	if (v.kind != VALUE_OBJECT)
		return;
	value_iter(&it, v);
	while (value_next(&it, &key, &val)) {
		if (value_eq(key, "text") && val.kind == VALUE_STRING)
			text = val;
		else if (value_eq(key, "thought") && (val.kind == VALUE_TRUE || val.kind == VALUE_FALSE))
			thought = val.kind == VALUE_TRUE;
		else
			plain = false;
	}
	open = !plain || !text.kind ? OPEN_NOT : thought ? OPEN_THOUGHT : OPEN_TEXT;
	if (open != OPEN_NOT && (int)c->open == open)
		merge_grow(m, json_array_get(parts, json_array_size(parts) - 1), "text", text);
	else
		builder_push(&m->builder, parts, v);
	m->content |= value_says(text) || !plain;
	c->open = open;
}

static void
content(struct merge *m, struct candidate *c, struct value v)
{
	struct value_iter it, in;
	struct value key, val, k, p;
	json_t *parts;

	c->content = builder_object(&m->builder, c->object, "content");
	value_iter(&it, v);
	while (c->content && v.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		if (!value_eq(key, "parts")) {
			if (!json_object_get(c->content, "role") || !value_eq(key, "role"))
				builder_set_member(&m->builder, c->content, key, val);
			continue;
		}
		parts = builder_array(&m->builder, c->content, "parts");
		value_iter(&in, val);
		while (val.kind == VALUE_ARRAY && value_next(&in, &k, &p))
			part(m, c, parts, p);
	}
}

/* Lists that go on from chunk to chunk inside an object: citations, logprobs. */
static void
lists(struct merge *m, struct candidate *c, const char *name, const char *const *list, size_t n, struct value v)
{
	json_t *o = builder_object(&m->builder, c->object, name);
	struct value_iter it;
	struct value key, val;

	value_iter(&it, v);
	while (o && v.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		size_t i = 0;

		while (i < n && !value_eq(key, list[i]))
			i++;
		if (i < n)
			merge_extend(m, o, list[i], val);
		else
			builder_set_member(&m->builder, o, key, val);
	}
}

static void
candidate(struct merge *m, struct value v)
{
	static const char *const cited[] = { "citations", "citationSources" };
	static const char *const probs[] = { "topCandidates", "chosenCandidates" };
	struct candidate *c = candidate_get(m, value_int(value_get(v, "index"), 0));
	struct value_iter it;
	struct value key, val;

	if (!c)
		return;
	rest_begin(&c->rest);
	value_iter(&it, v);
	while (value_next(&it, &key, &val)) {
		if (value_eq(key, "content"))
			content(m, c, val);
		else if (value_eq(key, "citationMetadata"))
			lists(m, c, "citationMetadata", cited, 2, val);
		else if (value_eq(key, "logprobsResult"))
			lists(m, c, "logprobsResult", probs, 2, val);
		else if (value_eq(key, "groundingMetadata"))
			merge_overwrite(m, builder_object(&m->builder, c->object, "groundingMetadata"), val);
		else if (value_given(val))
			rest_put(&m->builder, &c->rest, key, val);
		c->finished |= value_eq(key, "finishReason") && value_says(val);
	}
}

static void
member(struct merge *m, struct value key, struct value val)
{
	struct gemini *g = m->own;
	struct value_iter it;
	struct value k, v;

	if (value_eq(key, "error")) {
		merge_error(m, val);
	} else if (value_eq(key, "candidates") && val.kind == VALUE_ARRAY) {
		value_iter(&it, val);
		while (value_next(&it, &k, &v))
			if (v.kind == VALUE_OBJECT)
				candidate(m, v);
	} else if (value_given(val)) {
		rest_put(&m->builder, &g->rest, key, val);
		m->ended |= value_eq(key, "promptFeedback") && value_says(value_get(val, "blockReason"));
	}
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct gemini *g = m->own;
	struct value wrapped = event_get(in->json, "response"), key, val;
	struct value_iter it;

	rest_begin(&g->rest);
	if (wrapped.kind == VALUE_OBJECT && !event_get(in->json, "candidates").kind) {
		value_iter(&it, wrapped);
		while (value_next(&it, &key, &val))
			member(m, key, val);
		merge_error(m, event_get(in->json, "error"));
		return;
	}
	for (size_t i = 0; i < in->json->nfields; i++)
		member(m, field_key(&in->json->fields[i]), in->json->fields[i].value);
}

/* What a user sees: the text parts that are no thoughts. */
static void
visible(struct text *text, const json_t *content)
{
	json_t *part;
	size_t i;

	json_array_foreach(json_object_get(content, "parts"), i, part)
		if (!json_is_true(json_object_get(part, "thought")))
			merge_text(text, part, "text");
}

static int
order(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static void
finish(struct merge *m, struct text *text)
{
	struct gemini *g = m->own;
	json_t *all = g->n ? json_array() : NULL;
	bool finished = g->n > 0;

	if (g->n)
		qsort(g->candidate, g->n, sizeof(*g->candidate), order);
	for (size_t i = 0; i < g->n; i++) {
		struct candidate *c = &g->candidate[i];

		rest_build(&m->builder, &c->rest, c->object);
		json_array_append(all, c->object);
		finished = finished && c->finished;
	}
	if (all) {
		json_object_set_new(m->root, "candidates", all);
		visible(text, g->candidate[0].content);
	}
	rest_build(&m->builder, &g->rest, m->root);
	m->ended |= finished;
}

static void
free_own(struct merge *m)
{
	struct gemini *g = m->own;

	for (size_t i = 0; i < g->n; i++) {
		json_decref(g->candidate[i].object);
		rest_free(&m->builder, &g->candidate[i].rest);
	}
	free(g->candidate);
	rest_free(&m->builder, &g->rest);
}

const struct merge_format merge_gemini = {
	.name = "gemini",
	.own = sizeof(struct gemini),
	.detect = detect,
	.path = { ":streamGenerateContent" },
	.event = event,
	.finish = finish,
	.free = free_own,
};
