/* head.c - heads of HTTP messages; see head.h */
#include "head.h"

#include "jput.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEEP = 8 << 10 };	/* buffers up to this size stay for the next message */

bool
head_is_token(unsigned char c)
{
	static const char token[256] = {
		['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1,
		['+'] = 1,
		['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1,
		['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
	};

	return token[c];
}

void
head_reset(struct head *h)
{
	struct head old = *h;

	*h = (struct head){ .field = old.field, .fieldcap = old.fieldcap, .text = old.text,
		.max = old.max };
	bytes_reset(&h->text, KEEP);
}

void
head_free(struct head *h)
{
	bytes_free(&h->text);
	free(h->field);
	h->field = NULL;
	h->nfields = h->fieldcap = h->trailers = 0;
}

size_t
head_memory(const struct head *h)
{
	return h->text.cap + h->fieldcap * sizeof(*h->field);
}

int
head_text(struct head *h, struct span *s, const char *p, size_t n)
{
	if (h->text.n + n > h->max)
		return -1;
	if (!s->n)
		s->at = h->text.n;
	if (bytes_add(&h->text, p, n))
		return -1;
	s->n += n;
	return 0;
}

int
head_field(struct head *h)
{
	if (h->nfields == HEAD_FIELDS)
		return -1;
	if (h->nfields == h->fieldcap) {
		size_t cap = h->fieldcap ? h->fieldcap * 2 : 16;
		struct field *f = realloc(h->field, cap * sizeof(*f));

		if (!f)
			return -1;
		h->field = f;
		h->fieldcap = cap;
	}
	h->field[h->nfields++] = (struct field){ .name.at = h->text.n };
	if (!h->in_trailers)
		h->trailers = h->nfields;
	return 0;
}

int
head_name(struct head *h, const char *p, size_t n)
{
	struct span *s = &h->field[h->nfields - 1].name;
	size_t from = h->text.n;

	if (head_text(h, s, p, n))
		return -1;
	for (size_t i = from; i < h->text.n; i++)
		if (h->text.p[i] >= 'A' && h->text.p[i] <= 'Z')
			h->text.p[i] += 'a' - 'A';
	return 0;
}

int
head_value(struct head *h, const char *p, size_t n)
{
	return head_text(h, &h->field[h->nfields - 1].value, p, n);
}

void
head_value_end(struct head *h)
{
	struct span *s = &h->field[h->nfields - 1].value;
	const char *p = head_at(h, *s);

	while (s->n && (p[s->n - 1] == ' ' || p[s->n - 1] == '\t'))
		s->n--;
	while (s->n && (*p == ' ' || *p == '\t'))
		s->n--, s->at++, p++;
}

void
head_field_drop(struct head *h)
{
	h->nfields--;
	if (h->trailers > h->nfields)
		h->trailers = h->nfields;
}

const char *
head_at(const struct head *h, struct span s)
{
	return s.n ? h->text.p + s.at : "";
}

static bool
span_is(const struct head *h, struct span s, const char *name, size_t n)
{
	return s.n == n && !memcmp(head_at(h, s), name, n);
}

const char *
head_find(const struct head *h, const char *name, size_t *n)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < h->trailers; i++)
		if (span_is(h, h->field[i].name, name, len)) {
			*n = h->field[i].value.n;
			return head_at(h, h->field[i].value);
		}
	*n = 0;
	return NULL;
}

int
head_join(const struct head *h, const char *name, struct bytes *out)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < h->trailers; i++) {
		struct span v = h->field[i].value;

		if (!span_is(h, h->field[i].name, name, len))
			continue;
		if ((out->n && bytes_add(out, ", ", 2)) || bytes_add(out, head_at(h, v), v.n))
			return -1;
	}
	return 0;
}

bool
head_has_token(const struct head *h, const char *name, const char *token)
{
	size_t len = strlen(name), want = strlen(token);

	for (size_t i = 0; i < h->trailers; i++) {
		const char *p = head_at(h, h->field[i].value), *end = p + h->field[i].value.n;

		if (!span_is(h, h->field[i].name, name, len))
			continue;
		while (p < end) {
			const char *stop = memchr(p, ',', end - p), *q;

			q = stop = stop ? stop : end;
			while (p < q && (*p == ' ' || *p == '\t'))
				p++;
			while (p < q && (q[-1] == ' ' || q[-1] == '\t'))
				q--;
			if ((size_t)(q - p) == want && !strncasecmp(p, token, want))
				return true;
			p = stop + 1;
		}
	}
	return false;
}

const char *
head_method(const struct head *h, size_t *n)
{
	if (h->method) {
		*n = strlen(h->method);
		return h->method;
	}
	*n = h->method_text.n;
	return h->method_text.n ? head_at(h, h->method_text) : NULL;
}

const char *
head_host(const struct head *h, size_t *n)
{
	const char *p = head_at(h, h->target), *end = p + h->target.n, *from;

	if (h->authority.n) {
		*n = h->authority.n;
		return head_at(h, h->authority);
	}
	/* absolute form wins over Host, RFC 9112 3.2.2 */
	if (h->target.n && *p != '/' && *p != '*' && (from = memmem(p, end - p, "://", 3))) {
		const char *stop = from += 3;

		while (stop < end && *stop != '/' && *stop != '?' && *stop != '#')
			stop++;
		for (const char *at = from; at < stop; at++)
			if (*at == '@')
				from = at + 1;
		*n = stop - from;
		return from;
	}
	if ((from = head_find(h, "host", n)))
		return from;
	if (h->method && !strcmp(h->method, "CONNECT")) {
		*n = h->target.n;
		return p;
	}
	return NULL;
}

/* A value that is not UTF-8 is ISO-8859-1, as RFC 9110 5.5 says it was: each
 * byte becomes a character, so that nothing is lost. name NULL: in an array. */
static void
value_put(const struct head *h, struct jput *j, const struct span *name, struct span value)
{
	const char *p = head_at(h, value);
	struct bytes latin = { 0 };

	if (utf8_valid(p, value.n) < value.n) {
		for (size_t i = 0; i < value.n; i++) {
			unsigned char c = p[i];
			char two[2] = { 0xc0 | c >> 6, 0x80 | (c & 0x3f) };

			if (bytes_add(&latin, c < 0x80 ? &p[i] : two, c < 0x80 ? 1 : 2))
				break;
		}
		p = latin.p;
		value.n = latin.n;
	}
	if (name)
		jput_bytes_key(j, head_at(h, *name), name->n, p, value.n);
	else
		jput_bytes(j, NULL, p, value.n);
	bytes_free(&latin);
}

static bool
same_name(const struct head *h, size_t a, size_t b)
{
	return span_is(h, h->field[a].name, head_at(h, h->field[b].name), h->field[b].name.n);
}

static void
fields_put(const struct head *h, struct jput *j, const char *key, size_t from, size_t to)
{
	jput_object(j, key);
	for (size_t i = from; i < to; i++) {
		size_t k;

		for (k = from; k < i && !same_name(h, k, i); k++)
			;
		if (k < i)
			continue;	/* written with the first of its name */
		for (k = i + 1; k < to && !same_name(h, k, i); k++)
			;
		if (k == to) {
			value_put(h, j, &h->field[i].name, h->field[i].value);
			continue;
		}
		jput_array_key(j, head_at(h, h->field[i].name), h->field[i].name.n);
		value_put(h, j, NULL, h->field[i].value);
		for (; k < to; k++)
			if (same_name(h, k, i))
				value_put(h, j, NULL, h->field[k].value);
		jput_array_end(j);
	}
	jput_object_end(j);
}

void
head_put(const struct head *h, struct jput *j)
{
	fields_put(h, j, "headers", 0, h->trailers);
	if (h->bad_lines)
		jput_uint(j, "bad_lines", h->bad_lines);
}

void
head_put_trailers(const struct head *h, struct jput *j)
{
	if (h->nfields > h->trailers)
		fields_put(h, j, "trailers", h->trailers, h->nfields);
}
