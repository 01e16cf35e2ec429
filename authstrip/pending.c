/* pending.c - see pending.h */
#include "pending.h"

#include "event.h"
#include "jput.h"
#include "line.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void
pending_init(struct pending *h, const char *line, size_t n)
{
	memset(h, 0, sizeof(*h));
	h->line = line;
	h->n = n;
}

void
pending_free(struct pending *h)
{
	for (unsigned i = 0; i < h->npart; i++)
		free(h->part[i].edits.v);
	for (unsigned i = 0; i < h->nfield; i++)
		free(h->field[i].text);
	free(h->part);
	free(h->field);
	free(h->edits.v);
	free(h->copy);
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
pending_edit(struct pending *h, int part, const struct edit *e)
{
	if (e->at < e->end && !add(part < 0 ? &h->edits : &h->part[part].edits, e))
		h->failed = true;
}

int
pending_field(struct pending *h, const struct pending_field *f)
{
	struct pending_field *v = realloc(h->field, (h->nfield + 1) * sizeof(*v));

	if (!v) {
		h->failed = true;
		return -1;
	}
	h->field = v;
	v[h->nfield] = *f;
	return h->nfield++;
}

int
pending_part(struct pending *h, int field, size_t at, size_t end)
{
	struct pending_part *v;

	if (!(h->npart & (h->npart - 1))) {	/* full: its size is a power of two */
		if (!(v = realloc(h->part, (h->npart ? h->npart * 2 : 1) * sizeof(*v)))) {
			h->failed = true;
			return -1;
		}
		h->part = v;
	}
	h->part[h->npart] = (struct pending_part){ .field = field, .at = at, .end = end };
	return h->npart++;
}

static int
by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end;
}

enum { TEXT_MAX = 64 };

/* Of two that share a group of base64, what neither takes stays. */
static void
join_base64(struct edit *a, const struct edit *b)
{
	if (!a->base64 || !b->base64)
		return;
	if (b->at == a->at && b->nlead < a->nlead)
		a->nlead = b->nlead;
	if (b->end > a->end || (b->end == a->end && b->ntrail < a->ntrail)) {
		a->ntrail = b->ntrail;
		memcpy(a->trail, b->trail, sizeof(a->trail));
		a->open = b->open;
	}
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
		join_base64(last, e);
		if (e->end > last->end)
			last->end = e->end;
		if (!e->empty && last->empty) {
			last->empty = false;
			memcpy(last->hash, e->hash, sizeof(e->hash));
		}
	}
	l->n = k + 1;
}

static size_t
put_base64(char *to, const char *s, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t k = 0;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)s[i] << 16;

		v |= i + 1 < n ? (uint32_t)(unsigned char)s[i + 1] << 8 : 0;
		v |= i + 2 < n ? (unsigned char)s[i + 2] : 0;
		to[k++] = digits[v >> 18];
		to[k++] = digits[v >> 12 & 63];
		to[k++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		to[k++] = i + 2 < n ? digits[v & 63] : '=';
	}
	return k;
}

static size_t mark_of(const struct edit *, char *to);

/* What takes an edit's place. What follows in base64 has to begin a group: spaces
 * make up for what is missing. */
static size_t
text_of(const struct edit *e, char *to)
{
	char bytes[TEXT_MAX];
	size_t n = e->nlead;

	if (!e->base64)
		return mark_of(e, to);
	memcpy(bytes, e->lead, n);
	n += mark_of(e, bytes + n);
	while (!e->open && (n + e->ntrail) % 3)
		bytes[n++] = ' ';
	memcpy(bytes + n, e->trail, e->ntrail);
	return put_base64(to, bytes, n + e->ntrail);
}

static size_t
mark_of(const struct edit *e, char *to)
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

struct bytes { const char *p; size_t n; };

/* The bytes of a part with its edits made. */
static bool
part_bytes(const struct pending *h, struct pending_part *pt, struct arena *scratch,
    struct bytes *to)
{
	struct value v = { h->line + pt->at, pt->end - pt->at, VALUE_STRING,
	    memchr(h->line + pt->at, '\\', pt->end - pt->at) != NULL };
	size_t all, n = 0, from = 0;
	const char *bytes;
	char *p;

	join(&pt->edits);
	if (!(bytes = value_base64(scratch, v, &all)) ||
	    !(p = arena_get(scratch, all + pt->edits.n * TEXT_MAX)))
		return false;
	for (size_t i = 0; i < pt->edits.n; i++) {
		const struct edit *e = &pt->edits.v[i];

		memcpy(p + n, bytes + from, e->at - from);
		n += e->at - from;
		n += text_of(e, p + n);
		from = e->end;
	}
	memcpy(p + n, bytes + from, all - from);
	*to = (struct bytes){ p, n + all - from };
	return true;
}

/* Writes member f, of whose parts [first, end) some have edits. */
static bool
write_field(const struct pending *h, struct pending_field *f, unsigned first, unsigned end,
    struct arena *scratch)
{
	struct bytes *b = arena_get(scratch, (end - first + 1) * sizeof(*b));
	char *name = arena_get(scratch, f->name + 5);
	bool list = h->line[f->at] == '[', text = !f->keep;
	struct line_out out;
	struct jput j = { &out, false };

	if (!b || !name)
		return false;
	for (unsigned i = first; i < end; i++) {
		if (!part_bytes(h, &h->part[i], scratch, &b[i - first]))
			return false;
		text = text && utf8_valid(b[i - first].p, b[i - first].n) == b[i - first].n;
	}
	memcpy(name, h->line + f->key + 1, f->name);
	strcpy(name + f->name, text ? "" : "_b64");
	line_out_init(&out, -1);
	if (list)
		jput_array(&j, name);
	for (unsigned i = 0; i < end - first; i++) {
		if (text)
			jput_bytes(&j, list ? NULL : name, b[i].p, b[i].n);
		else
			jput_base64(&j, list ? NULL : name, b[i].p, b[i].n);
	}
	if (list)
		jput_array_end(&j);
	f->text = out.buf;
	f->n = out.len;
	return !out.err;
}

bool
pending_ready(struct pending *h, struct arena *scratch, bool *changed)
{
	*changed = h->edits.n > 0;
	if (h->failed)
		return false;
	for (unsigned f = 0, first = 0, i; f < h->nfield; f++, first = i) {
		bool edited = false;

		for (i = first; i < h->npart && h->part[i].field == f; i++)
			edited = edited || h->part[i].edits.n;
		if (edited && !write_field(h, &h->field[f], first, i, scratch))
			return false;
		*changed = *changed || edited;
	}
	join(&h->edits);
	return true;
}

void
pending_changes(const struct pending *h, void (*put)(void *, size_t, size_t, const char *, size_t),
    void *arg)
{
	char text[TEXT_MAX];
	size_t i = 0;
	unsigned k = 0;

	for (;;) {
		const struct edit *e = i < h->edits.n ? &h->edits.v[i] : NULL;
		const struct pending_field *f;

		while (k < h->nfield && !h->field[k].text)
			k++;
		f = k < h->nfield ? &h->field[k] : NULL;
		if (f && (!e || f->key <= e->at)) {
			put(arg, f->key, f->end, f->text, f->n);
			while (i < h->edits.n && h->edits.v[i].at < f->end)
				i++;
			k++;
		} else if (e) {
			put(arg, e->at, f && f->key < e->end ? f->key : e->end, text,
			    text_of(e, text));
			i++;
		} else {
			return;
		}
	}
}

struct writer { const struct pending *h; void (*piece)(void *, const char *, size_t, bool);
    void *arg; size_t from; };

static void
write_change(void *arg, size_t at, size_t end, const char *text, size_t n)
{
	struct writer *w = arg;

	w->piece(w->arg, w->h->line + w->from, at - w->from, false);
	w->piece(w->arg, text, n, false);
	w->from = end;
}

void
pending_write(const struct pending *h, void (*piece)(void *, const char *, size_t, bool), void *arg)
{
	struct writer w = { h, piece, arg, 0 };

	pending_changes(h, write_change, &w);
	piece(arg, h->line + w.from, h->n - w.from, true);
}
