/*
 * dashscope.c - Alibaba DashScope's own API (Qwen)
 *
 * Every event is a whole response. With incremental_output its strings are the
 * next piece, without it all text so far, and no event says which. So it is
 * found out: what always begins with what came before is all so far. Until
 * that is sure both are kept.
 */
#include "ssemerge/merge.h"

#include <stdlib.h>
#include <string.h>

enum {
	CONFIDENT = 16,	/* bytes that two pieces do not have in common by chance */
	FIELDS = 64,	/* strings at a time */
};

enum mode { UNSURE, PIECES, ALL };

/* A string: output.text, or in output.choices[i].message. */
struct field {
	json_t *object;
	const char *key;
	struct text last, joined;
};

struct dashscope {
	struct rest rest, output;
	enum mode mode;
	struct field field[FIELDS];
	size_t n;
};

static bool
detect(const struct merge_input *in)
{
	struct value output = event_get(in->json, "output");

	return output.kind == VALUE_OBJECT && (value_get(output, "choices").kind == VALUE_ARRAY ||
	    value_get(output, "text").kind == VALUE_STRING) &&
	    (event_get(in->json, "request_id").kind || event_get(in->json, "usage").kind);
}

static struct field *
field_get(struct merge *m, json_t *object, const char *key)
{
	struct dashscope *d = m->own;
	struct field *f;

	for (size_t i = 0; i < d->n; i++)
		if (d->field[i].object == object && !strcmp(d->field[i].key, key))
			return &d->field[i];
	if (d->n == FIELDS)
		return NULL;
	f = &d->field[d->n++];
	*f = (struct field){ .object = json_incref(object), .key = key };
	return f;
}

static void
decide(struct merge *m, enum mode mode)
{
	struct dashscope *d = m->own;

	d->mode = mode;
	for (size_t i = 0; i < d->n; i++)
		builder_drop(&m->builder, mode == ALL ? &d->field[i].joined : &d->field[i].last);
}

/* The string as it comes with this event. */
static void
grow(struct merge *m, json_t *object, const char *key, struct value v)
{
	struct dashscope *d = m->own;
	struct field *f = v.kind == VALUE_STRING && object ? field_get(m, object, key) : NULL;
	char *text;
	size_t n;

	if (!f || !(text = malloc(v.n)))
		return;
	n = value_decode(v, text);
	m->content |= n > 0;
	if (d->mode == UNSURE && f->last.n) {
		if (n < f->last.n || memcmp(text, f->last.p, f->last.n))
			decide(m, PIECES);
		else if (f->last.n >= CONFIDENT)
			decide(m, ALL);
	}
	if (d->mode != ALL)
		builder_add(&m->builder, &f->joined, text, n);
	if (d->mode != PIECES) {
		f->last.n = 0;
		builder_add(&m->builder, &f->last, text, n);
	}
	free(text);
}

static void
tool_calls(struct merge *m, json_t *message, struct value v)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false }, call, k, function;
	json_t *calls = builder_array(&m->builder, message, "tool_calls"), *o, *f;
	struct value_iter it;
	size_t at = 0;

	value_iter(&it, v);
	for (; v.kind == VALUE_ARRAY && value_next(&it, &k, &call); at++) {
		size_t i = value_int(value_get(call, "index"), at);

		if (call.kind != VALUE_OBJECT || i > json_array_size(calls))
			continue;
		if (i == json_array_size(calls))
			builder_push(&m->builder, calls, none);
		if (!(o = json_array_get(calls, i)))
			continue;
		if (value_says(value_get(call, "id")))
			builder_set(&m->builder, o, "id", value_get(call, "id"));
		builder_set(&m->builder, o, "type", value_get(call, "type"));
		builder_set(&m->builder, o, "index", value_get(call, "index"));
		function = value_get(call, "function");
		f = builder_object(&m->builder, o, "function");
		if (value_says(value_get(function, "name")))
			builder_set(&m->builder, f, "name", value_get(function, "name"));
		grow(m, f, "arguments", value_get(function, "arguments"));
	}
}

/* Content of multimodal models: [{"text":...}]. */
static void
parts(struct merge *m, json_t *array, struct value v)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false }, part, key, val;
	struct value_iter it, in;

	value_iter(&it, v);
	for (size_t i = 0; array && value_next(&it, &key, &part); i++) {
		json_t *o;

		if (i == json_array_size(array))
			builder_push(&m->builder, array, none);
		o = json_array_get(array, i);
		value_iter(&in, part);
		while (o && part.kind == VALUE_OBJECT && value_next(&in, &key, &val)) {
			if (value_eq(key, "text"))
				grow(m, o, "text", val);
			else
				builder_set_member(&m->builder, o, key, val);
		}
	}
}

static void
message(struct merge *m, json_t *choice, struct value v)
{
	json_t *o = builder_object(&m->builder, choice, "message");
	struct value_iter it;
	struct value key, val;

	value_iter(&it, v);
	while (o && v.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		if (value_eq(key, "content") && val.kind == VALUE_ARRAY)
			parts(m, builder_array(&m->builder, o, "content"), val);
		else if (value_eq(key, "content"))
			grow(m, o, "content", val);
		else if (value_eq(key, "reasoning_content"))
			grow(m, o, "reasoning_content", val);
		else if (value_eq(key, "tool_calls"))
			tool_calls(m, o, val);
		else
			builder_set_member(&m->builder, o, key, val);
	}
}

static void
choices(struct merge *m, json_t *output, struct value v)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false }, choice, key, val;
	json_t *all = builder_array(&m->builder, output, "choices"), *o;
	struct value_iter it, in;
	size_t at = 0;

	value_iter(&it, v);
	for (; value_next(&it, &key, &choice); at++) {
		size_t i = value_int(value_get(choice, "index"), at);

		if (choice.kind != VALUE_OBJECT || i > json_array_size(all))
			continue;
		if (i == json_array_size(all))
			builder_push(&m->builder, all, none);
		o = json_array_get(all, i);
		value_iter(&in, choice);
		while (o && value_next(&in, &key, &val)) {
			if (value_eq(key, "message"))
				message(m, o, val);
			else
				builder_set_member(&m->builder, o, key, val);
			/* until the end the reason is the text "null" */
			m->ended |= value_eq(key, "finish_reason") && value_says(val) && !value_eq(val, "null");
		}
	}
}

static void
output(struct merge *m, struct value v)
{
	struct dashscope *d = m->own;
	json_t *o = builder_object(&m->builder, m->root, "output");
	struct value_iter it;
	struct value key, val;

	rest_begin(&d->output);
	value_iter(&it, v);
	while (o && value_next(&it, &key, &val)) {
		if (value_eq(key, "text"))
			grow(m, o, "text", val);
		else if (value_eq(key, "choices") && val.kind == VALUE_ARRAY)
			choices(m, o, val);
		else
			rest_put(&m->builder, &d->output, key, val);
		m->ended |= value_eq(key, "finish_reason") && value_says(val) && !value_eq(val, "null");
	}
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct dashscope *d = m->own;
	struct value o = event_get(in->json, "output");

	if (o.kind != VALUE_OBJECT && event_get(in->json, "code").kind) {
		merge_error(m, input_object(in));
		return;
	}
	rest_begin(&d->rest);
	for (size_t i = 0; i < in->json->nfields; i++) {
		struct value key = field_key(&in->json->fields[i]), val = in->json->fields[i].value;

		if (value_eq(key, "output") && val.kind == VALUE_OBJECT)
			output(m, val);
		else
			rest_put(&m->builder, &d->rest, key, val);
	}
}

static void
finish(struct merge *m, struct text *text)
{
	struct dashscope *d = m->own;
	json_t *output = json_object_get(m->root, "output"), *message, *part;
	size_t k;

	for (size_t i = 0; i < d->n; i++) {
		/* never longer than what came before, and unsure still: one event, or repetitions */
		const struct text *t = d->mode == PIECES ? &d->field[i].joined : &d->field[i].last;

		builder_set_json(&m->builder, d->field[i].object, d->field[i].key, json_stringn(t->p ? t->p : "", t->n));
	}
	rest_build(&m->builder, &d->output, output);
	rest_build(&m->builder, &d->rest, m->root);
	merge_text(text, output, "text");
	message = json_object_get(json_array_get(json_object_get(output, "choices"), 0), "message");
	merge_text(text, message, "content");
	json_array_foreach(json_object_get(message, "content"), k, part)
		merge_text(text, part, "text");
}

static void
free_own(struct merge *m)
{
	struct dashscope *d = m->own;

	for (size_t i = 0; i < d->n; i++) {
		json_decref(d->field[i].object);
		builder_drop(&m->builder, &d->field[i].last);
		builder_drop(&m->builder, &d->field[i].joined);
	}
	rest_free(&m->builder, &d->rest);
	rest_free(&m->builder, &d->output);
}

const struct merge_format merge_dashscope = {
	.name = "dashscope",
	.own = sizeof(struct dashscope),
	.detect = detect,
	.path = { "/services/aigc/" },
	.event = event,
	.finish = finish,
	.free = free_own,
};
