/* preview.c - an event line with what is long cut; see preview.h */
#include "preview.h"

#include "event.h"
#include "jput.h"
#include "line.h"

#include <string.h>

/* Bytes of the character or escape at p, a JSON string's inside; pairs of
 * surrogates are one. */
static size_t
step(const char *p, const char *end)
{
	unsigned char c = *p;

	if (c == '\\' && p[1] == 'u') {
		bool pair = end - p >= 12 && (p[2] == 'd' || p[2] == 'D') && strchr("89abAB", p[3]);
		return pair ? 12 : 6;
	}
	if (c == '\\')
		return 2;
	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* The first PREVIEW_KEEP bytes of a string, closed again; base64 in whole groups. */
static void
put_start(struct jput *j, const char *key, struct value v)
{
	const char *p = v.p + 1, *end = v.p + v.n - 1;
	char text[PREVIEW_KEEP + 2];
	size_t n = 0, k;

	while ((k = step(p + n, end)) <= PREVIEW_KEEP - n)
		n += k;
	k = strlen(key);
	if (k > 4 && !strcmp(key + k - 4, "_b64"))
		n -= n % 4;
	text[0] = '"';
	memcpy(text + 1, p, n);
	text[n + 1] = '"';
	jput_raw(j, key, text, n + 2);
}

static bool
is_long(const struct event_field *f)
{
	return f->value.n > PREVIEW_VALUE && !f->keyescaped &&
	    (f->value.kind == VALUE_STRING ||
	    (f->value.kind == VALUE_OBJECT && f->keylen == 7 && !memcmp(f->key, "message", 7)));
}

static const char *
key_of(struct event *ev, const struct event_field *f)
{
	char *key = arena_get(&ev->arena, f->keylen + 1);

	if (key) {
		memcpy(key, f->key, f->keylen);
		key[f->keylen] = '\0';
	}
	return key;
}

static bool
all_keys(struct event *ev, const char **keys)
{
	for (size_t i = 0; i < ev->nfields; i++)
		if (!(keys[i] = key_of(ev, &ev->fields[i])))
			return false;
	return true;
}

bool
preview_event(struct event *ev, struct line_out *out)
{
	struct jput j = { .out = out };
	const char **keys;
	size_t nlong = 0;

	if (ev->len <= PREVIEW_LINE || event_is(ev, "llm.call") || event_is(ev, "mcp.call"))
		return false;
	for (size_t i = 0; i < ev->nfields; i++)
		nlong += is_long(&ev->fields[i]);
	if (!nlong || !(keys = arena_get(&ev->arena, ev->nfields * sizeof(*keys))) ||
	    !all_keys(ev, keys))
		return false;
	jput_object(&j, NULL);
	for (size_t i = 0; i < ev->nfields; i++) {
		struct value v = ev->fields[i].value;

		if (!is_long(&ev->fields[i]))
			jput_value(&j, keys[i], v);
		else if (v.kind == VALUE_STRING)
			put_start(&j, keys[i], v);
		else
			jput_raw(&j, keys[i], "{}", 2);
	}
	jput_object(&j, "cut");
	for (size_t i = 0; i < ev->nfields; i++)
		if (is_long(&ev->fields[i]))
			jput_uint(&j, keys[i], ev->fields[i].value.n);
	jput_object_end(&j);
	jput_object_end(&j);
	return true;
}
