/*
 * attr.h - attributes: a list of keys and values, collected, then written
 *
 * Keys are string constants. Text is borrowed: it must stay until the list has
 * been written.
 */
#ifndef OTEL_ATTR_H
#define OTEL_ATTR_H

#include "lib/event.h"
#include "otelsink/wire.h"

enum attr_kind {
	ATTR_STR,	/* p, n: UTF-8 */
	ATTR_INT,
	ATTR_REAL,
	ATTR_BOOL,
	ATTR_STRS,	/* json: a string, or an array of which the strings count */
	ATTR_TEXT,	/* json as the text it is */
	ATTR_TREE,	/* json as the value it is */
};

struct attr {
	const char *key;
	enum attr_kind kind;
	const char *p;
	size_t n;
	int64_t i;
	double d;
	struct value json;
};

enum { ATTRS_MAX = 64 };

struct attrs {
	struct attr at[ATTRS_MAX];
	size_t n;
};

void attr_str(struct attrs *, const char *key, const char *s);		/* NULL: nothing */
void attr_text(struct attrs *, const char *key, const void *p, size_t n);
void attr_int(struct attrs *, const char *key, int64_t);
void attr_real(struct attrs *, const char *key, double);
void attr_bool(struct attrs *, const char *key, bool);
void attr_json(struct attrs *, const char *key, enum attr_kind, struct value);

/* Text that is UTF-8 already as it is, else a copy with U+FFFD for what is not. */
const char *text_clean(struct arena *, const char *p, size_t *n);

/* Writes the repeated field; strings are decoded into the arena. JSON that is
 * nested more than 16 deep goes on as text: receivers limit the depth. */
void attrs_put(struct wire *, struct field, const struct attrs *, struct arena *);
/* An AnyValue. */
void any_put(struct wire *, struct field, struct value, struct arena *);

#endif
