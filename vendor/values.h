/*
 * values.h - small readers of scanned JSON values that every vendor's file uses
 */
#ifndef LLM_VALUES_H
#define LLM_VALUES_H

#include "lib/event.h"

#include <string.h>

/* Several members of an object in one walk: to[i] is that of key[i], kind
 * VALUE_NONE when absent. */
static inline void
members_get(struct value object, const char *const *key, struct value *to, size_t n)
{
	struct value_iter it;
	struct value k, v;

	memset(to, 0, n * sizeof(*to));
	if (object.kind != VALUE_OBJECT)
		return;
	value_iter(&it, object);
	while (value_next(&it, &k, &v))
		for (size_t i = 0; i < n; i++)
			if (value_eq(k, key[i])) {
				to[i] = v;
				break;
			}
}

#define MEMBERS(object, key, to) \
	members_get(object, key, to, sizeof(key) / sizeof(*(key)))

/* Neither absent nor null. */
static inline bool
is_given(struct value v)
{
	return v.kind != VALUE_NONE && v.kind != VALUE_NULL;
}

/* A string with something in it. */
static inline bool
is_text(struct value v)
{
	return v.kind == VALUE_STRING && v.n > 2;
}

static inline struct value
first_given(struct value a, struct value b)
{
	return is_given(a) ? a : b;
}

/* Does the text of a JSON string begin, or end, like this? (raw comparison:
 * the words looked for need no escapes) */
static inline bool
text_begins(struct value v, const char *with)
{
	size_t n = strlen(with);

	return v.kind == VALUE_STRING && v.n >= n + 2 && !memcmp(v.p + 1, with, n);
}

static inline bool
text_ends(struct value v, const char *with)
{
	size_t n = strlen(with);

	return v.kind == VALUE_STRING && v.n >= n + 2 && !memcmp(v.p + v.n - 1 - n, with, n);
}

/* Number of an integer, or of a real without a fraction; -1 for all else:
 * counts are never negative. */
static inline int64_t
count_of(struct value v)
{
	int64_t i;
	double d;

	if (v.kind == VALUE_INT && value_i64(v, &i))
		return i >= 0 ? i : -1;
	if (v.kind == VALUE_REAL && value_f64(v, &d) && d >= 0 && d < 9e15 &&
	    d == (double)(int64_t)d)
		return (int64_t)d;
	return -1;
}

#endif
