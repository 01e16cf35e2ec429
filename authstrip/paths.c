/* paths.c - see paths.h */
#include "paths.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEADY_MAX = 64,	/* a longer string is not looked at for coming again */
	HEAD = 3,		/* bytes of a string that tell whether it is a document */
};

struct path {
	uint64_t key;
	uint64_t path, places, index;	/* all that it is of, if it is of one of each */
	bool parted;		/* it is of several, which have entries of their own */
	struct stream text;
	uint32_t round;		/* when it was last used */
	/* bytes of the string that changes nothing when it comes once more */
	unsigned steady;
	char tail[256];		/* what text held before, to see that */
};

/* The document within the string at hand. */
struct nested {
	enum { NESTED_NONE, NESTED_UNSURE, NESTED_JSON, NESTED_BASE64 } kind;
	struct walk walk;
	struct inner_rest rest;
	char head[HEAD];	/* the string's first bytes, while they tell too little */
	unsigned nhead;
};

/* --- the table -------------------------------------------------------------- */

static struct path *
add_path(struct streams *all, struct paths *p, uint64_t key)
{
	struct path *e;
	unsigned k = 0;

	if (p->n < PATHS_MAX) {
		struct path **v = p->n & (p->n - 1) ? p->v :
		    realloc(p->v, (p->n ? 2 * p->n : 1) * sizeof(*v));

		if (!v)
			return NULL;
		p->v = v;
		if (!(e = calloc(1, sizeof(*e))))
			return NULL;
		k = p->n++;
		p->v[k] = e;
	} else {
		for (unsigned i = 1; i < p->n; i++)
			if (p->v[i]->round < p->v[k]->round)
				k = i;
		e = p->v[k];
		if (e->round == p->round)
			return NULL;	/* as many as there may be in this piece alone */
		stream_decide(all, &e->text, false, true);
		e->steady = 0;
	}
	e->key = key;
	e->path = e->index = 0;
	e->parted = false;
	e->text.max = PATHS_TEXT;
	p->guess = k;
	return e;
}

/* The text of a path. They come in the same order again and again. */
static struct path *
find_path(struct streams *all, struct paths *p, uint64_t key)
{
	struct path *e = NULL;

	for (unsigned i = 0, k = p->guess; i < p->n && !e; i++) {
		if (++k >= p->n)
			k = 0;
		if (p->v[k]->key == key) {
			e = p->v[k];
			p->guess = k;
		}
	}
	if (!e && !(e = add_path(all, p, key)))
		return NULL;
	e->round = p->round;
	return e;
}

static uint64_t
path_key(uint64_t path)
{
	return walk_mix(path, 1);
}

static uint64_t
index_key(uint64_t keys, uint64_t places, uint64_t index)
{
	return walk_mix(walk_mix(keys, places), walk_mix(index, 2));
}

/* Of the keys that e was of there is a second path or index: e goes on as the text of the
 * first path, and a copy of it as that of its index. */
static struct path *
part_path(struct streams *all, struct paths *p, struct path *e)
{
	uint64_t keys = e->key;
	struct path *copy;

	e->key = path_key(e->path);
	if (e->index && (copy = find_path(all, p, index_key(keys, e->places, e->index))))
		stream_copy(all, &copy->text, &e->text);
	if ((e = find_path(all, p, keys)))
		e->parted = true;
	return e;
}

/* The texts that a string belongs to, one or two; NULL where there is no room. */
static unsigned
find_paths(struct streams *all, struct paths *p, const struct walk_string *s, struct path *v[2])
{
	struct path *e = find_path(all, p, s->keys);

	if (e && !e->parted) {
		if (!e->path) {
			e->path = s->path;
			e->places = s->places;
			e->index = s->index;
		}
		if (e->path == s->path && e->index == s->index) {
			v[0] = e;
			return 1;
		}
		part_path(all, p, e);
	}
	v[0] = find_path(all, p, path_key(s->path));
	if (!s->index)
		return 1;
	v[1] = find_path(all, p, index_key(s->keys, s->places, s->index));
	return 2;
}

/* --- one string --------------------------------------------------------------- */

static void
feed_path(struct streams *all, struct path *e, struct text_piece *piece)
{
	struct stream *st;
	size_t n = piece->rawlen;
	bool again;

	if (!e) {	/* more paths than there is room for */
		struct stream none = { .max = PATHS_TEXT, .value = SIZE_MAX };

		stream_feed(all, &none, piece, false);
		stream_decide(all, &none, false, true);
		stream_free(&none);
		return;
	}
	st = &e->text;
	again = !st->npiece && n <= STEADY_MAX && n <= st->len &&
	    !memcmp(st->buf + st->len - n, piece->raw, n);
	if (again && e->steady == n)
		return;
	if (again && st->len <= sizeof(e->tail)) {
		size_t len = st->len;
		uint64_t edits = all->edits;

		memcpy(e->tail, st->buf, len);
		stream_feed(all, st, piece, false);
		again = edits == all->edits && !st->npiece && st->len == len &&
		    !memcmp(e->tail, st->buf, len);
		e->steady = again ? n : 0;
		return;
	}
	e->steady = 0;
	stream_feed(all, st, piece, false);
}

static void
feed_string(struct streams *all, struct paths *p, const struct text_piece *of,
    const struct walk_string *s)
{
	struct path *v[2];
	unsigned n = find_paths(all, p, s, v);
	struct text_piece part;

	stream_piece_part(&part, of, s->from, s->end);
	for (unsigned i = 0; i < n; i++)
		feed_path(all, v[i], &part);
	stream_piece_free(&part);
}

/* --- JSON in a string ----------------------------------------------------------- */

/* What a string holds that begins so. */
static int
nested_kind(const char *s, size_t n)
{
	/* "{" and a quote, a space or a line's end, in base64; the same behind "[" */
	static const char *const starts[] = { "eyI", "eyJ", "eyK", "eyL", "eyA", "eyB", "ewo",
	    "ew0", "ewk",
	    "W3s", "W1s", "WyI", "WyJ", "WyK", "WyL", "WyA", "Wwo", "Ww0" };

	if (n > 1 && (*s == '{' || *s == '['))
		return strchr("\\{[ ", s[1]) || isdigit((unsigned char)s[1]) ? NESTED_JSON :
		    NESTED_NONE;
	for (size_t i = 0; n >= HEAD && i < sizeof(starts) / sizeof(*starts); i++)
		if (!memcmp(s, starts[i], HEAD))
			return NESTED_BASE64;
	return NESTED_NONE;
}

/* The string that s is a piece of, when it may hold a document; NULL: it does not. */
static struct nested *
find_nested(struct paths *p, const struct text_piece *of, const struct walk_string *s,
    unsigned depth)
{
	struct nested *in;

	if (depth == PATHS_NESTED)
		return NULL;
	in = p->nested[depth];
	if (!s->first)
		return in && in->kind ? in : NULL;
	if (!memchr("{[eW", of->s[s->from], 4)) {
		if (in)
			in->kind = NESTED_NONE;
		return NULL;
	}
	if (!in && !(in = p->nested[depth] = calloc(1, sizeof(*in)))) {
		of->line->failed = true;
		return NULL;
	}
	in->kind = NESTED_UNSURE;
	in->nhead = in->rest.n = 0;
	return in;
}

/* Finds out what it is, as soon as enough of it came. */
static void
tell_nested(struct streams *all, struct nested *in, const struct text_piece *of,
    const struct walk_string *s, unsigned quote)
{
	unsigned old = in->nhead;
	size_t before = all->strings->n;

	for (unsigned i = 0; i < s->lead && in->nhead < HEAD; i++)
		in->head[in->nhead++] = '\\';
	for (size_t i = s->from; i < s->end && in->nhead < HEAD; i++)
		in->head[in->nhead++] = of->s[i];
	if (in->nhead < HEAD && !s->last)
		return;
	in->kind = nested_kind(in->head, in->nhead);
	/* of JSON in base64 no base64 is opened */
	if (in->kind == NESTED_BASE64 && of->inner)
		in->kind = NESTED_NONE;
	if (!in->kind)
		return;
	walk_init(&in->walk, in->kind == NESTED_JSON ? 2 * quote + 1 : 0, s->path, s->keys);
	if (in->kind == NESTED_JSON) {
		walk_piece(&in->walk, in->head, old, all->strings);
		all->strings->n = before;
	} else {
		memcpy(in->rest.letter, in->head, old);
		in->rest.n = old;
	}
}

static void one_string(struct streams *, struct paths *, const struct text_piece *,
    const struct walk_string *, unsigned quote, unsigned depth);

/* True: the string is one document in base64, and no head of a token (RFC 7515
 * section 4.1). */
static bool
feed_nested(struct streams *all, struct paths *p, struct nested *nested,
    const struct text_piece *of, const struct walk_string *s, unsigned depth)
{
	struct walk_list *list = all->strings;
	struct text_piece bytes = *of;
	size_t before = list->n, shift = 0, n;
	struct inner *in = NULL;
	bool whole;

	if (nested->kind == NESTED_BASE64) {
		if (!(in = inner_new(of->s, s->from, s->end, s->last, &nested->rest, of->plain))) {
			of->line->failed = true;
			return false;
		}
		in->base = of->at;
		stream_piece_init(&bytes, of->line, of->part, in->p, in->n, 0);
		bytes.bytes = false;
		bytes.inner = in;
		walk_piece(&nested->walk, in->p, in->n, list);
	} else {
		shift = s->from;
		nested->walk.run += s->lead;
		walk_piece(&nested->walk, of->s + s->from, s->end - s->from, list);
	}
	n = list->n;
	for (size_t i = before; i < n; i++) {
		struct walk_string str = list->v[i];

		str.from += shift;
		str.end += shift;
		str.places += s->places;
		str.index = s->index && str.index ? walk_mix(s->index, str.index) :
		    s->index | str.index;
		one_string(all, p, &bytes, &str, nested->walk.quote, depth + 1);
	}
	list->n = before;
	whole = in && s->first && s->last && in->end == s->end && !nested->walk.broken &&
	    !walk_inside(&nested->walk) && !memmem(in->p, in->n, "\"alg\"", 5);
	inner_unref(in);
	return whole;
}

static bool
is_open(struct streams *all, struct paths *p, const struct walk_string *s)
{
	struct path *v[2];

	find_paths(all, p, s, v);
	return !v[0] || v[0]->text.npiece || v[0]->text.inside;
}

/* A string of a document with so many backslashes before its quotes, that stands within
 * so many strings. */
static void
one_string(struct streams *all, struct paths *p, const struct text_piece *of,
    const struct walk_string *s, unsigned quote, unsigned depth)
{
	struct nested *in = find_nested(p, of, s, depth);
	bool whole = false;

	if (in && in->kind == NESTED_UNSURE)
		tell_nested(all, in, of, s, quote);
	if (in && in->kind > NESTED_UNSURE)
		whole = feed_nested(all, p, in, of, s, depth);
	/* where a token goes on that began before, its middle may look like a document */
	if (!whole || is_open(all, p, s))
		feed_string(all, p, of, s);
	if (in && s->last)
		in->kind = NESTED_NONE;
}

/* --- pieces ------------------------------------------------------------------------ */

/* Whether there may be a document in the piece. */
static bool
may_begin(const struct text_piece *piece, bool message)
{
	return message || memchr(piece->s, '{', piece->n) || memchr(piece->s, '[', piece->n) ||
	    memchr(piece->s, '"', piece->n) || memmem(piece->s, piece->n, "data:", 5);
}

void
paths_piece(struct streams *all, struct paths *p, const struct text_piece *piece, uint64_t base,
    bool message)
{
	struct walk_list *list = all->strings;

	if (!p->walk) {
		if (!may_begin(piece, message))
			return;
		if (!(p->walk = calloc(1, sizeof(*p->walk)))) {
			piece->line->failed = true;
			return;
		}
	}
	if (message || !walk_inside(p->walk))
		walk_init(p->walk, piece->quote, base, base);
	if (message)
		walk_message(p->walk);
	p->round++;
	list->n = 0;
	walk_piece(p->walk, piece->s, piece->n, list);
	/* what feed_nested adds is taken away again */
	for (size_t i = 0, n = list->n; i < n; i++) {
		struct walk_string s = list->v[i];

		one_string(all, p, piece, &s, p->walk->quote, 0);
	}
	if (list->nomem)
		piece->line->failed = true;
}

void
paths_turn(struct paths *p)
{
	if (p->walk)
		walk_init(p->walk, 1, 0, 0);
	for (unsigned i = 0; i < PATHS_NESTED && p->nested[i]; i++)
		p->nested[i]->kind = NESTED_NONE;
}

void
paths_end(struct streams *all, struct paths *p, bool whole)
{
	for (unsigned i = 0; i < p->n; i++) {
		stream_decide(all, &p->v[i]->text, whole, true);
		p->v[i]->steady = 0;
	}
	paths_turn(p);
}

void
paths_free(struct paths *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		stream_free(&p->v[i]->text);
		free(p->v[i]);
	}
	for (unsigned i = 0; i < PATHS_NESTED; i++)
		free(p->nested[i]);
	free(p->v);
	free(p->walk);
	memset(p, 0, sizeof(*p));
}
