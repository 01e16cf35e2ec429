/* attr.c - attributes and values of OTLP; see attr.h */
#include "otelsink/attr.h"

#include <string.h>

/* opentelemetry/proto/common/v1/common.proto */
static const struct field kv_key = { 1, "key" }, kv_value = { 2, "value" };
static const struct field any_string = { 1, "stringValue" }, any_bool = { 2, "boolValue" },
    any_int = { 3, "intValue" }, any_double = { 4, "doubleValue" }, any_array = { 5, "arrayValue" },
    any_kvlist = { 6, "kvlistValue" };
static const struct field list_values = { 1, "values" };

enum { NEST_MAX = 16 };

static struct attr *
add(struct attrs *a, const char *key, enum attr_kind kind)
{
	static struct attr spare;	/* cannot happen: the tables are shorter than that */
	struct attr *at = a->n < ATTRS_MAX ? &a->at[a->n++] : &spare;

	at->key = key;
	at->kind = kind;
	return at;
}

void
attr_text(struct attrs *a, const char *key, const void *p, size_t n)
{
	struct attr *at = add(a, key, ATTR_STR);

	at->p = p;
	at->n = n;
}

void
attr_str(struct attrs *a, const char *key, const char *s)
{
	if (s)
		attr_text(a, key, s, strlen(s));
}

void
attr_int(struct attrs *a, const char *key, int64_t v)
{
	add(a, key, ATTR_INT)->i = v;
}

void
attr_real(struct attrs *a, const char *key, double v)
{
	add(a, key, ATTR_REAL)->d = v;
}

void
attr_bool(struct attrs *a, const char *key, bool v)
{
	add(a, key, ATTR_BOOL)->i = v;
}

void
attr_json(struct attrs *a, const char *key, enum attr_kind kind, struct value v)
{
	add(a, key, kind)->json = v;
}

const char *
text_clean(struct arena *arena, const char *p, size_t *n)
{
	size_t good = utf8_valid(p, *n), at = 0, left = *n;
	char *clean;

	if (good == *n || !(clean = arena_get(arena, 3 * *n)))
		return good == *n ? p : "";
	while (left) {
		good = utf8_valid(p, left);
		memcpy(clean + at, p, good);
		at += good;
		p += good;
		left -= good;
		if (left) {
			memcpy(clean + at, "\xef\xbf\xbd", 3);
			at += 3;
			p++;
			left--;
		}
	}
	*n = at;
	return clean;
}

static void
any_json(struct wire *w, struct value v, struct arena *arena, int depth)
{
	struct value_iter it;
	struct value k, e;
	const char *s;
	int64_t i;
	double d;
	size_t n;

	if (depth > NEST_MAX && (v.kind == VALUE_ARRAY || v.kind == VALUE_OBJECT)) {
		wire_str(w, any_string, v.p, v.n);
		return;
	}
	switch (v.kind) {
	case VALUE_NONE:
	case VALUE_NULL:	/* an AnyValue without a value */
		break;
	case VALUE_FALSE:
	case VALUE_TRUE:
		wire_bool(w, any_bool, v.kind == VALUE_TRUE);
		break;
	case VALUE_INT:
		if (value_i64(v, &i))
			wire_int(w, any_int, i);
		break;
	case VALUE_REAL:
		if (value_f64(v, &d))
			wire_double(w, any_double, d);
		break;
	case VALUE_STRING:
		if ((s = value_str(arena, v, &n)))
			wire_str(w, any_string, s, n);
		break;
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		wire_open(w, v.kind == VALUE_ARRAY ? any_array : any_kvlist);
		wire_list(w, list_values);
		value_iter(&it, v);
		while (value_next(&it, &k, &e)) {
			wire_open(w, list_values);
			if (v.kind == VALUE_OBJECT) {
				if ((s = value_str(arena, k, &n)))
					wire_str(w, kv_key, s, n);
				wire_open(w, kv_value);
			}
			any_json(w, e, arena, depth + 1);
			if (v.kind == VALUE_OBJECT)
				wire_close(w);
			wire_close(w);
		}
		wire_list_end(w);
		wire_close(w);
		break;
	}
}

void
any_put(struct wire *w, struct field f, struct value v, struct arena *arena)
{
	wire_open(w, f);
	any_json(w, v, arena, 1);
	wire_close(w);
}

static void
strings_put(struct wire *w, struct value v, struct arena *arena)
{
	struct value_iter it;
	struct value k, e;

	wire_open(w, any_array);
	wire_list(w, list_values);
	if (v.kind == VALUE_STRING)
		any_put(w, list_values, v, arena);
	value_iter(&it, v);
	while (v.kind == VALUE_ARRAY && value_next(&it, &k, &e))
		if (e.kind == VALUE_STRING)
			any_put(w, list_values, e, arena);
	wire_list_end(w);
	wire_close(w);
}

static void
attr_put(struct wire *w, struct field f, const struct attr *a, struct arena *arena)
{
	wire_open(w, f);
	wire_str(w, kv_key, a->key, strlen(a->key));
	wire_open(w, kv_value);
	switch (a->kind) {
	case ATTR_STR:
		wire_str(w, any_string, a->p, a->n);
		break;
	case ATTR_INT:
		wire_int(w, any_int, a->i);
		break;
	case ATTR_REAL:
		wire_double(w, any_double, a->d);
		break;
	case ATTR_BOOL:
		wire_bool(w, any_bool, a->i);
		break;
	case ATTR_STRS:
		strings_put(w, a->json, arena);
		break;
	case ATTR_TEXT:
		wire_str(w, any_string, a->json.p, a->json.n);
		break;
	case ATTR_TREE:
		any_json(w, a->json, arena, 1);
		break;
	}
	wire_close(w);
	wire_close(w);
}

void
attrs_put(struct wire *w, struct field f, const struct attrs *a, struct arena *arena)
{
	if (!a->n)
		return;
	wire_list(w, f);
	for (size_t i = 0; i < a->n; i++)
		attr_put(w, f, &a->at[i], arena);
	wire_list_end(w);
}
