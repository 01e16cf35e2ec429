/*
 * event.h - one event: a JSON object on a line, read without building a tree
 *
 * event_scan walks the line once, checks that it is JSON, and notes where the
 * top-level values are. Values are spans of the line; text is decoded only
 * when asked for. In the steady state nothing is allocated.
 *
 * The scanner accepts what jansson 2.14 accepts with JSON_REJECT_DUPLICATES |
 * JSON_ALLOW_NUL (tests/fuzz/event.c holds the two against each other): UTF-8
 * is checked, integers must fit int64, reals must be finite, keys are unique
 * in every object and hold no NUL, nesting is at most 2048. One difference:
 * jansson steps over a raw NUL behind a number or a word, the scanner refuses.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_out;

enum value_kind {
	VALUE_NONE,	/* absent */
	VALUE_NULL, VALUE_FALSE, VALUE_TRUE, VALUE_INT, VALUE_REAL,
	VALUE_STRING, VALUE_ARRAY, VALUE_OBJECT,
};

/* The text of one JSON value where it stands: a string with its quotes. */
struct value {
	const char *p;
	size_t n;
	enum value_kind kind;
	bool escaped;		/* a string that holds a backslash */
};

/* Scratch memory handed out in pieces and taken back all at once. */
struct arena {
	char *base;
	size_t len, cap;
	struct arena_block *more;	/* blocks of this round, when base was too small */
	size_t total;
};
void *arena_get(struct arena *, size_t n);	/* NULL: out of memory */
void arena_reset(struct arena *);
void arena_free(struct arena *);

struct event {
	const char *line;	/* the line without its newline; borrowed */
	size_t len;
	struct event_field *fields;	/* top-level members, in order */
	size_t nfields, fieldcap;
	struct arena arena;	/* decoded text; gone at the next scan */
	struct event_key *keys;	/* scanner scratch */
	size_t keycap;
	struct event_edit *edits;
	size_t nedits, editcap;
};
struct event_field {
	const char *key;	/* raw, without quotes */
	size_t keylen;
	bool keyescaped;
	struct value value;
};

enum event_rc {
	EVENT_OK,
	EVENT_BAD,	/* not one JSON object */
	EVENT_NOTYPE,	/* an object, but "type" is missing or no string */
	EVENT_NOMEM,
};

void event_init(struct event *);
void event_free(struct event *);

/* Scans s[0..n). With EVENT_NOTYPE the getters work; with EVENT_BAD there are
 * no fields. s must stay in place as long as the event is used. */
enum event_rc event_scan(struct event *, const char *s, size_t n);

/* Whether the line starts as {"type":"TYPE". No scan is needed before. */
bool event_type_is(const char *line, size_t n, const char *type);

/* Is the event's type `type`? */
bool event_is(const struct event *, const char *type);

/* A top-level value, kind VALUE_NONE when absent. */
struct value event_get(const struct event *, const char *key);

/* A value by dotted path with indexes: "headers.content-type", "argv[0]".
 * Where a key itself holds a dot, the longest matching key wins. */
struct value event_path(const struct event *, const char *path);

/* Typed getters of top-level keys. Text is decoded into the event's arena
 * (borrowed until the next event_scan) and NUL-terminated for convenience; it
 * may itself hold NULs, so *n (may be NULL) is its length. NULL when the key is
 * absent or of another kind. event_bytes reads KEY, else decodes KEY_b64. */
const char *event_str(struct event *, const char *key, size_t *n);
const void *event_bytes(struct event *, const char *key, size_t *n);
bool event_i64(const struct event *, const char *key, int64_t *);
bool event_u64(const struct event *, const char *key, uint64_t *);
bool event_bool(const struct event *, const char *key);	/* absent is false */
uint64_t event_time(const struct event *);	/* timestamp_ns, 0 when absent */

/* Any value. value_str decodes a string into the arena as event_str does. */
const char *value_str(struct arena *, struct value, size_t *n);
size_t value_decode(struct value, char *dst);	/* string; dst holds v.n bytes; returns length */
bool value_i64(struct value, int64_t *);
bool value_u64(struct value, uint64_t *);
bool value_f64(struct value, double *);
bool value_eq(struct value, const char *text);	/* a string equal to text */
/* Bytes of standard base64 with padding, RFC 4648 section 4; NULL when it is not. */
const void *value_base64(struct arena *, struct value, size_t *n);

/* Walks the members of an object or the elements of an array (key.kind is
 * VALUE_NONE there). The value must come from a successful scan. */
struct value_iter { const char *p, *end; };
void value_iter(struct value_iter *, struct value);
bool value_next(struct value_iter *, struct value *key, struct value *val);
struct value value_get(struct value object, const char *key);
struct value value_element(struct value array, size_t index);

/* Replaces value v (a span of this event's line) by JSON text when the event
 * is written. json is copied. Spans must not overlap. -1: out of memory. */
int event_replace(struct event *, struct value v, const char *json, size_t n);
/* Writes the line with its replacements; without any, the very same bytes. */
void event_write(struct event *, struct line_out *);

/* Scans any JSON value, not just an object, with the same rules; for text
 * that carries JSON inside. kind VALUE_NONE when it is not JSON. Uses the
 * event's scratch, leaves its fields alone. */
struct value event_scan_value(struct event *, const char *s, size_t n);

#endif
