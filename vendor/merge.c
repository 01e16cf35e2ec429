/* merge.c - what all vendors' merges share; see merge.h */
#include "vendor/merge.h"

#include "lib/lenient.h"
#include "vendor/repair.h"

#include <stdlib.h>
#include <string.h>

void
merge_init(struct merge *m, size_t max)
{
	memset(m, 0, sizeof(*m));
	builder_init(&m->builder, max);
}

int
merge_start(struct merge *m, const struct merge_format *format)
{
	if (!(m->root = json_object()) || !(m->own = calloc(1, format->own + 1)))
		return -1;
	m->format = format;
	return 0;
}

/* An exception of an AWS stream: its payload, and its name as "type". */
static void
exception(struct merge *m, const struct merge_input *in)
{
	if (m->error)
		return;
	if (in->json)
		merge_error(m, input_object(in));
	if (!m->error && (m->error = json_object()) && in->idlen)
		json_object_set_new(m->error, "message", json_stringn(in->id, in->idlen));
	if (in->namelen && !json_object_get(m->error, "type"))
		json_object_set_new(m->error, "type", json_stringn(in->name, in->namelen));
	m->closed = true;
}

static void
done(struct merge *m)
{
	m->ended |= !m->format->own_end;
	m->closed = true;
}

void
merge_event(struct merge *m, const struct merge_input *in)
{
	if (in->exception)
		exception(m, in);
	else if (in->done && m->format != &merge_generic)
		done(m);
	else if (!in->json && m->format != &merge_generic)
		m->bad++;
	else
		m->format->event(m, in);
}

const json_t *
merge_finish(struct merge *m, struct text *text)
{
	builder_settle(&m->builder);
	m->format->finish(m, text);
	builder_settle(&m->builder);
	if (m->builder.halves) {
		size_t twice = 0;

		m->halves += builder_whole(m->root);
		text->n = lenient_settle(text->p ? text->p : "", text->n, &twice);
	}
	if (!m->halves)
		m->lenient &= ~LENIENT_SURROGATE;
	return m->root;
}

void
merge_free(struct merge *m)
{
	if (m->own && m->format->free)
		m->format->free(m);
	free(m->own);
	merge_said(m, m->ndelta);
	free(m->delta);
	builder_free(&m->builder);
	json_decref(m->root);
	json_decref(m->error);
	memset(m, 0, sizeof(*m));
}

struct value
input_object(const struct merge_input *in)
{
	const char *p = memchr(in->data, '{', in->len), *end = in->data + in->len;

	while (end[-1] != '}')		/* there may be space around it */
		end--;
	return (struct value){ p, end - p, VALUE_OBJECT, false };
}

void
merge_error(struct merge *m, struct value v)
{
	if (m->error || !value_given(v))
		return;
	if (v.kind == VALUE_OBJECT)
		m->error = builder_json(&m->builder, v);
	else if ((m->error = json_object()))	/* some say it with a string */
		builder_set(&m->builder, m->error, "message", v);
}

/* Where more of that kind goes; NULL: nowhere. */
static struct text *
delta_text(struct merge *m, enum merge_kind kind)
{
	struct merge_delta *d = m->ndelta ? &m->delta[m->ndelta - 1] : NULL;

	if (!m->watched)
		return NULL;
	if (!d || d->kind != kind || kind == MERGE_TOOL) {
		if (!builder_grow(&m->builder, &m->delta, m->ndelta, &m->deltacap, sizeof(*d)))
			return NULL;
		d = &m->delta[m->ndelta++];
		*d = (struct merge_delta){ .kind = kind };
	}
	return &d->text;
}

void
merge_say(struct merge *m, enum merge_kind kind, struct value v)
{
	struct text *t = v.kind == VALUE_STRING && v.n > 2 ? delta_text(m, kind) : NULL;

	if (t)
		builder_decode(&m->builder, t, v);
}

void
merge_say_bytes(struct merge *m, enum merge_kind kind, const char *p, size_t n)
{
	struct text *t = n ? delta_text(m, kind) : NULL;

	if (t)
		builder_add(&m->builder, t, p, n);
}

void
merge_said(struct merge *m, size_t n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		builder_drop(&m->builder, &m->delta[i].text);
	m->ndelta -= n;
	memmove(m->delta, m->delta + n, m->ndelta * sizeof(*m->delta));
}

void
merge_grow_as(struct merge *m, enum merge_kind kind, json_t *object, const char *key,
    struct value v)
{
	m->content |= builder_append(&m->builder, object, key, v);
	merge_say(m, kind, v);
}

void
merge_grow(struct merge *m, json_t *object, const char *key, struct value v)
{
	static const struct { const char *key; enum merge_kind kind; } other[] = {
		{ "arguments", MERGE_ARGUMENTS }, { "input", MERGE_ARGUMENTS },
		{ "code", MERGE_ARGUMENTS },
		{ "thinking", MERGE_REASONING }, { "reasoning_content", MERGE_REASONING },
		{ "reasoning", MERGE_REASONING },
		{ "reasoning_text", MERGE_REASONING }, { "tool_plan", MERGE_REASONING },
	};
	static const char *const bytes[] = { "data", "bytes", "redactedContent" };
	enum merge_kind kind = MERGE_TEXT;

	for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
		if (!strcmp(key, bytes[i])) {
			m->content |= builder_append(&m->builder, object, key, v);
			return;
		}
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		if (!strcmp(key, other[i].key))
			kind = other[i].kind;
	merge_grow_as(m, kind, object, key, v);
}

json_t *
merge_arguments(struct merge *m, const char *p, size_t n)
{
	json_t *j = n ? json_loadb(p, n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
	    NULL) : json_object();
	size_t len;
	char *t;

	if (!j && (t = lenient_json(p, n, false, &len, &m->lenient))) {
		j = json_loadb(t, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		free(t);
	}
	if (!j && !(j = repair_cut(p, n, &m->lenient)))
		j = json_stringn(p, n);
	return j;
}

void
merge_extend(struct merge *m, json_t *object, const char *key, struct value array)
{
	struct value_iter it;
	struct value k, v;
	json_t *to;

	if (array.kind != VALUE_ARRAY)
		return;
	to = builder_array(&m->builder, object, key);
	value_iter(&it, array);
	while (value_next(&it, &k, &v))
		builder_push(&m->builder, to, v);
}

void
merge_overwrite(struct merge *m, json_t *object, struct value from)
{
	struct value_iter it;
	struct value key, val;

	value_iter(&it, from);
	while (object && from.kind == VALUE_OBJECT && value_next(&it, &key, &val))
		if (value_given(val))
			builder_set_member(&m->builder, object, key, val);
}

/* Not held to the limit: it repeats what the message has. */
void
merge_text(struct text *t, const json_t *object, const char *key)
{
	const json_t *s = json_object_get(object, key);
	size_t n = json_string_length(s);
	char *p;

	if (!n || !(p = realloc(t->p, t->n + n)))
		return;
	memcpy(p + t->n, json_string_value(s), n);
	t->p = p;
	t->cap = t->n += n;
}

void
merge_parts(struct text *t, const json_t *list)
{
	const char *type;
	json_t *part;
	size_t i;

	json_array_foreach(list, i, part)
		if ((type = json_string_value(json_object_get(part, "type"))) &&
		    !strcmp(type, "text"))
			merge_text(t, part, "text");
}

struct value
field_key(const struct event_field *f)
{
	return (struct value){ f->key - 1, f->keylen + 2, VALUE_STRING, f->keyescaped };
}

void
value_pick(struct value object, const char *const *name, struct value *to, size_t n)
{
	struct value_iter it;
	struct value key, val;

	memset(to, 0, n * sizeof(*to));
	value_iter(&it, object);
	while (object.kind == VALUE_OBJECT && value_next(&it, &key, &val))
		for (size_t i = 0; i < n; i++)
			if (value_eq(key, name[i]))
				to[i] = val;
}

bool
value_begins(struct value v, const char *text)
{
	size_t n = strlen(text);

	return v.kind == VALUE_STRING && v.n >= n + 2 && !memcmp(v.p + 1, text, n);
}

int64_t
value_int(struct value v, int64_t otherwise)
{
	int64_t n;

	return value_i64(v, &n) ? n : otherwise;
}

bool
value_says(struct value v)
{
	return v.kind == VALUE_STRING && v.n > 2;
}

bool
value_given(struct value v)
{
	return v.kind != VALUE_NONE && v.kind != VALUE_NULL;
}

enum { PAD_MAX = 64 };	/* elements that may be missing in a row */

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

json_t *
merge_element(struct merge *m, json_t *array, int64_t index, const char *type)
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

void
merge_element_set(struct merge *m, json_t *array, int64_t index, struct value v)
{
	json_t *j;

	if (v.kind != VALUE_OBJECT || !pad(m, array, index) || !(j = builder_json(&m->builder, v)))
		return;
	json_array_set_new(array, index, j);
	builder_sweep(&m->builder);
}

void
merge_unpad(json_t *array)
{
	for (size_t i = json_array_size(array); i-- > 0;) {
		json_t *j = json_array_get(array, i);

		if (json_is_object(j) && !json_object_size(j))
			json_array_remove(array, i);
	}
}
