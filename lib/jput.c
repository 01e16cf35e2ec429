/* jput.c - JSON straight into the output; see jput.h */
#include "jput.h"

#include "event.h"
#include "line.h"
#include "text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 4096 };	/* input escaped at a time: room is asked for its worst case */

size_t
utf8_valid(const void *bytes, size_t n)
{
	const unsigned char *p = bytes, *end = p + n;
	size_t k;

	while (p < end) {
		p = text_plain(p, end);
		if (p == end)
			break;
		if (!(k = text_utf8(p, end)))
			break;
		p += k;
	}
	return p - (const unsigned char *)bytes;
}

static void
put(struct jput *j, const char *s, size_t n)
{
	char *to = line_room(j->out, n);

	if (to) {
		memcpy(to, s, n);
		j->out->len += n;
	}
}

static void
put_c(struct jput *j, char c)
{
	put(j, &c, 1);
}

static size_t
put_escape(unsigned char *d, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	d[0] = '\\';
	if (text_letter[c]) {
		d[1] = text_letter[c];
		return 2;
	}
	memcpy(d + 1, "u00", 3);
	d[4] = hex[c >> 4];
	d[5] = hex[c & 15];
	return 6;
}

/* Writes p..stop escaped to *to and moves it behind them, up to the first byte that is
 * not UTF-8; returns where it stopped. A character may reach past stop, but not past end. */
static const unsigned char *
escape(unsigned char **to, const unsigned char *p, const unsigned char *stop,
    const unsigned char *end)
{
	unsigned char *d = *to;
	size_t n;

	while (p < stop) {
#ifdef __SSE2__
		if (stop - p >= 64 && end - p >= 64 + 16) {
			n = text_escape64(&d, p);
			p += n;
			if (n == 64)
				continue;
		}
#endif
		n = text_copy_plain(d, p, stop);
		d += n;
		p += n;
		if (p < stop && *p < 0x80)
			d += put_escape(d, *p++);
		for (; p < stop && *p >= 0x80; p += n, d += n) {
			if (!(n = text_utf8(p, end))) {
				*to = d;
				return p;
			}
			memcpy(d, p, n);
		}
	}
	*to = d;
	return p;
}

/* Adds p..end escaped, up to the first byte that is not UTF-8; returns where
 * it stopped. */
static const unsigned char *
put_text(struct jput *j, const unsigned char *p, const unsigned char *end)
{
	while (p < end) {
		const unsigned char *stop = end - p > PIECE ? p + PIECE : end, *at;
		char *from = line_room(j->out, 6 * PIECE + 32);	/* 32: what may reach past stop */
		unsigned char *d = (unsigned char *)from;

		if (!from)
			return end;
		at = escape(&d, p, stop, end);
		j->out->len += (char *)d - from;
		if (at < stop)
			return at;
		p = at;
	}
	return p;
}

static void
put_base64(struct jput *j, const unsigned char *p, size_t n)
{
	static const char digit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *d = line_room(j->out, n / 3 * 4 + 4), *from = d;

	if (!d)
		return;
	for (; n >= 3; n -= 3, p += 3, d += 4) {
		d[0] = digit[p[0] >> 2];
		d[1] = digit[(p[0] & 3) << 4 | p[1] >> 4];
		d[2] = digit[(p[1] & 15) << 2 | p[2] >> 6];
		d[3] = digit[p[2] & 63];
	}
	if (n) {
		d[0] = digit[p[0] >> 2];
		d[1] = digit[(p[0] & 3) << 4 | (n > 1 ? p[1] >> 4 : 0)];
		d[2] = n > 1 ? digit[(p[1] & 15) << 2] : '=';
		d[3] = '=';
		d += 4;
	}
	j->out->len += d - from;
}

static void
put_comma(struct jput *j)
{
	if (j->comma)
		put_c(j, ',');
	j->comma = true;
}

static void
put_key(struct jput *j, const char *key)
{
	put_comma(j);
	if (key) {
		put_c(j, '"');
		put(j, key, strlen(key));
		put(j, "\":", 2);
	}
}

void
jput_open(struct jput *j, struct line_out *out, const char *type)
{
	j->out = out;
	j->comma = false;
	put_c(j, '{');
	jput_str(j, "type", type);
}

void
jput_close(struct jput *j)
{
	put_c(j, '}');
	line_end(j->out);
}

void
jput_bytes(struct jput *j, const char *key, const void *p, size_t n)
{
	const unsigned char *end = n ? (const unsigned char *)p + n : p;	/* p may be NULL */
	size_t before = j->out->len;
	bool comma = j->comma;

	put_key(j, key);
	put_c(j, '"');
	if (put_text(j, p, end) != end && !j->out->err) {
		j->out->len = before;
		j->comma = comma;
		put_comma(j);
		if (key) {
			put_c(j, '"');
			put(j, key, strlen(key));
			put(j, "_b64\":", 6);
		}
		put_c(j, '"');
		put_base64(j, p, n);
	}
	put_c(j, '"');
}

void
jput_base64(struct jput *j, const char *key, const void *p, size_t n)
{
	put_key(j, key);
	put_c(j, '"');
	put_base64(j, p, n);
	put_c(j, '"');
}

void
jput_str(struct jput *j, const char *key, const char *s)
{
	jput_bytes(j, key, s, strlen(s));
}

/* Text with what is not UTF-8 replaced. */
static void
put_lossy(struct jput *j, const unsigned char *p, size_t n)
{
	const unsigned char *end = p + n;

	put_c(j, '"');
	while ((p = put_text(j, p, end)) < end) {
		put(j, "\xef\xbf\xbd", 3);
		p++;
	}
	put_c(j, '"');
}

void
jput_bytes_key(struct jput *j, const void *key, size_t keylen, const void *p, size_t n)
{
	put_comma(j);
	put_lossy(j, key, keylen);
	put_c(j, ':');
	put_lossy(j, p, n);
}

void
jput_array_key(struct jput *j, const void *key, size_t keylen)
{
	put_comma(j);
	put_lossy(j, key, keylen);
	put(j, ":[", 2);
	j->comma = false;
}

void
jput_uint(struct jput *j, const char *key, uint64_t v)
{
	char buf[24], *p = buf + sizeof(buf);

	do
		*--p = '0' + v % 10;
	while (v /= 10);
	put_key(j, key);
	put(j, p, buf + sizeof(buf) - p);
}

void
jput_int(struct jput *j, const char *key, int64_t v)
{
	char buf[24];

	if (v >= 0) {
		jput_uint(j, key, v);
		return;
	}
	put_key(j, key);
	put(j, buf, snprintf(buf, sizeof(buf), "%" PRId64, v));
}

void
jput_bool(struct jput *j, const char *key, bool v)
{
	put_key(j, key);
	put(j, v ? "true" : "false", v ? 4 : 5);
}

void
jput_real(struct jput *j, const char *key, double v)
{
	char buf[40];
	int n = 0;

	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(buf, sizeof(buf), "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			break;
	}
	if (!memchr(buf, '.', n) && !memchr(buf, 'e', n)) {
		memcpy(buf + n, ".0", 2);	/* stays a real for whoever reads it */
		n += 2;
	}
	put_key(j, key);
	put(j, buf, n);
}

void
jput_ms(struct jput *j, const char *key, uint64_t ns)
{
	char buf[40];

	put_key(j, key);
	put(j, buf, snprintf(buf, sizeof(buf), "%" PRIu64 ".%03u",
	    ns / 1000000, (unsigned)(ns / 1000 % 1000)));
}

void
jput_raw(struct jput *j, const char *key, const char *json, size_t n)
{
	put_key(j, key);
	put(j, json, n);
}

void
jput_value(struct jput *j, const char *key, struct value v)
{
	jput_raw(j, key, v.p, v.n);
}

void
jput_object(struct jput *j, const char *key)
{
	put_key(j, key);
	put_c(j, '{');
	j->comma = false;
}

void
jput_object_end(struct jput *j)
{
	put_c(j, '}');
	j->comma = true;
}

void
jput_array(struct jput *j, const char *key)
{
	put_key(j, key);
	put_c(j, '[');
	j->comma = false;
}

void
jput_array_end(struct jput *j)
{
	put_c(j, ']');
	j->comma = true;
}

static void
put_json_object(struct jput *j, const json_t *v)
{
	json_t *o = (json_t *)(uintptr_t)v;	/* jansson iterates non-const only */

	for (void *it = json_object_iter(o); it; it = json_object_iter_next(o, it)) {
		const char *k = json_object_iter_key(it);

		put_comma(j);
		put_lossy(j, (const unsigned char *)k, strlen(k));
		put_c(j, ':');
		j->comma = false;
		jput_json(j, NULL, json_object_iter_value(it));
	}
}

void
jput_json(struct jput *j, const char *key, const struct json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		jput_object(j, key);
		put_json_object(j, v);
		jput_object_end(j);
		break;
	case JSON_ARRAY:
		jput_array(j, key);
		for (size_t i = 0; i < json_array_size(v); i++)
			jput_json(j, NULL, json_array_get(v, i));
		jput_array_end(j);
		break;
	case JSON_STRING:
		/* not jput_bytes: jansson's strings are UTF-8 already */
		put_key(j, key);
		put_lossy(j, (const unsigned char *)json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
		jput_int(j, key, json_integer_value(v));
		break;
	case JSON_REAL:
		jput_real(j, key, json_real_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		jput_bool(j, key, json_is_true(v));
		break;
	case JSON_NULL:
		jput_raw(j, key, "null", 4);
		break;
	}
}

/* --- envelope ------------------------------------------------------------ */

void
jput_envelope(struct jput *j, const struct envelope *e)
{
	size_t comm = strnlen(e->comm, sizeof(e->comm));
	size_t thread = strnlen(e->thread, sizeof(e->thread));

	jput_uint(j, "timestamp_ns", e->timestamp_ns);
	jput_uint(j, "pid", e->pid);
	jput_uint(j, "tid", e->tid);
	jput_uint(j, "uid", e->uid);
	jput_bytes(j, "comm", e->comm, comm);
	if (thread && (thread != comm || memcmp(e->comm, e->thread, comm)))
		jput_bytes(j, "thread", e->thread, thread);
	if (e->ns_pid)
		jput_uint(j, "ns_pid", e->ns_pid);
	if (e->container_id)
		jput_str(j, "container_id", e->container_id);
}

void
jput_copy(struct jput *j, const struct event *from, const char *key)
{
	struct value v = event_get(from, key);

	if (v.kind)
		jput_value(j, key, v);
}

void
jput_inherit(struct jput *j, const struct event *from, uint64_t timestamp_ns)
{
	static const char *const key[] = {
		"pid", "tid", "uid", "comm", "comm_b64", "thread", "thread_b64", "ns_pid",
		"container_id",
	};

	if (timestamp_ns)
		jput_uint(j, "timestamp_ns", timestamp_ns);
	else
		jput_copy(j, from, "timestamp_ns");
	for (size_t i = 0; i < sizeof(key) / sizeof(*key); i++)
		jput_copy(j, from, key[i]);
}
