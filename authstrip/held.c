/* held.c - see held.h */
#include "held.h"

#include "event.h"

#include <stdlib.h>
#include <string.h>

void
held_init(struct held *h, const char *line, size_t n)
{
	memset(h, 0, sizeof(*h));
	h->line = line;
	h->n = n;
}

void
held_free(struct held *h)
{
	for (size_t i = 0; i < h->nb64; i++) {
		free(h->b64[i].edits.v);
		free(h->b64[i].text);
	}
	free(h->b64);
	free(h->edits.v);
	free(h->own);
	memset(h, 0, sizeof(*h));
}

static bool
add(struct edits *l, const struct edit *e)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 8;
		struct edit *v = realloc(l->v, cap * sizeof(*v));

		if (!v)
			return false;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = *e;
	return true;
}

void
held_edit(struct held *h, int part, const struct edit *e)
{
	if (e->at < e->end && !add(part < 0 ? &h->edits : &h->b64[part].edits, e))
		h->failed = true;
}

int
held_part(struct held *h, size_t at, size_t end)
{
	struct held_b64 *v = realloc(h->b64, (h->nb64 + 1) * sizeof(*v));

	if (!v) {
		h->failed = true;
		return -1;
	}
	h->b64 = v;
	v[h->nb64] = (struct held_b64){ .at = at, .end = end };
	return h->nb64++;
}

static int
by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end;
}

/* Edits may overlap: two views of a line (its text, and the model's output in
 * it) may each see a credential. */
static void
join(struct edits *l)
{
	size_t k = 0;

	if (l->n < 2)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_place);
	for (size_t i = 1; i < l->n; i++) {
		struct edit *last = &l->v[k], *e = &l->v[i];

		if (e->at >= last->end) {
			l->v[++k] = *e;
			continue;
		}
		if (e->end > last->end)
			last->end = e->end;
		if (!e->empty && last->empty) {
			last->empty = false;
			memcpy(last->hash, e->hash, sizeof(e->hash));
		}
	}
	l->n = k + 1;
}

/* What takes an edit's place. */
static size_t
text_of(const struct edit *e, char *to)
{
	/* at more than four levels of quoting a bare mark will do: outside of
	 * it all is a string anyway */
	size_t n = 0, k = e->quote > 15 ? 0 : e->quote;

	if (e->empty)
		return 0;
	if (e->quote >= 0 && e->quote <= 15) {
		memset(to, '\\', k);
		n = k;
		to[n++] = '"';
	}
	memcpy(to + n, "[REDACTED", 9);
	n += 9;
	if (*e->hash) {
		to[n++] = ':';
		memcpy(to + n, e->hash, 16);
		n += 16;
	}
	to[n++] = ']';
	if (e->quote >= 0 && e->quote <= 15) {
		memset(to + n, '\\', k);
		n += k;
		to[n++] = '"';
	}
	return n;
}

enum { TEXT_MAX = 64 };

static char *
put_base64(char *to, const unsigned char *p, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; n >= 3; p += 3, n -= 3) {
		*to++ = digit[p[0] >> 2];
		*to++ = digit[(p[0] & 3) << 4 | p[1] >> 4];
		*to++ = digit[(p[1] & 15) << 2 | p[2] >> 6];
		*to++ = digit[p[2] & 63];
	}
	if (n) {
		*to++ = digit[p[0] >> 2];
		*to++ = digit[(p[0] & 3) << 4 | (n > 1 ? p[1] >> 4 : 0)];
		*to++ = n > 1 ? digit[(p[1] & 15) << 2] : '=';
		*to++ = '=';
	}
	return to;
}

/* Decodes a value, edits its bytes, encodes them. */
static bool
edit_base64(struct held *h, struct held_b64 *b, struct arena *scratch)
{
	struct value v = { h->line + b->at, b->end - b->at, VALUE_STRING, memchr(h->line + b->at, '\\', b->end - b->at) != NULL };
	const char *bytes;
	char *plain, *to;
	size_t all, n = 0, from = 0;

	join(&b->edits);
	if (!(bytes = value_base64(scratch, v, &all)))
		return false;
	if (!(plain = arena_get(scratch, all + b->edits.n * TEXT_MAX)))
		return false;
	for (size_t i = 0; i < b->edits.n; i++) {
		const struct edit *e = &b->edits.v[i];

		memcpy(plain + n, bytes + from, e->at - from);
		n += e->at - from;
		n += text_of(e, plain + n);
		from = e->end;
	}
	memcpy(plain + n, bytes + from, all - from);
	n += all - from;
	if (!(b->text = malloc((n + 2) / 3 * 4 + 2)))
		return false;
	to = b->text;
	*to++ = '"';
	to = put_base64(to, (unsigned char *)plain, n);
	*to++ = '"';
	b->n = to - b->text;
	return true;
}

static int
by_value(const void *a, const void *b)
{
	const struct held_b64 *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

bool
held_ready(struct held *h, struct arena *scratch, bool *changed)
{
	*changed = h->edits.n > 0;
	if (h->failed)
		return false;
	for (size_t i = 0; i < h->nb64; i++) {
		if (!h->b64[i].edits.n)
			continue;
		if (!edit_base64(h, &h->b64[i], scratch))
			return false;
		*changed = true;
	}
	join(&h->edits);
	if (h->nb64 > 1)
		qsort(h->b64, h->nb64, sizeof(*h->b64), by_value);
	return true;
}

void
held_changes(const struct held *h, void (*put)(void *, size_t, size_t, const char *, size_t), void *arg)
{
	char text[TEXT_MAX];
	size_t i = 0, k = 0;

	for (;;) {
		const struct edit *e = i < h->edits.n ? &h->edits.v[i] : NULL;
		const struct held_b64 *b;

		while (k < h->nb64 && (!h->b64[k].text || (e && h->b64[k].at > e->at && h->b64[k].at < e->end)))
			k++;
		b = k < h->nb64 ? &h->b64[k] : NULL;
		if (b && (!e || b->at <= e->at)) {
			put(arg, b->at, b->end, b->text, b->n);
			while (i < h->edits.n && h->edits.v[i].at < b->end)
				i++;	/* the whole value goes before a part of it */
			k++;
		} else if (e) {
			put(arg, e->at, e->end, text, text_of(e, text));
			i++;
		} else {
			return;
		}
	}
}

struct writer { const struct held *h; void (*piece)(void *, const char *, size_t, bool); void *arg; size_t from; };

static void
write_change(void *arg, size_t at, size_t end, const char *text, size_t n)
{
	struct writer *w = arg;

	w->piece(w->arg, w->h->line + w->from, at - w->from, false);
	w->piece(w->arg, text, n, false);
	w->from = end;
}

void
held_write(const struct held *h, void (*piece)(void *, const char *, size_t, bool), void *arg)
{
	struct writer w = { h, piece, arg, 0 };

	held_changes(h, write_change, &w);
	piece(arg, h->line + w.from, h->n - w.from, true);
}
