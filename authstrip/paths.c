/* paths.c - see paths.h */
#include "paths.h"

#include <stdlib.h>
#include <string.h>

enum {
	BASE64_MIN = 16,	/* letters: less is not opened */
	STEADY_MAX = 64,	/* a longer string is not looked at for coming again */
};

struct path {
	uint64_t key;
	struct stream text;
	uint32_t round;		/* when it was last used */
	unsigned steady;	/* bytes of the string that changes nothing when it comes once more */
	char tail[256];		/* what text held before, to see that */
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

/* --- one string --------------------------------------------------------------- */

static void
feed_path(struct streams *all, struct paths *paths, uint64_t key, struct text_piece *piece)
{
	struct path *e = find_path(all, paths, key);
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
    const struct walk_string *s, uint64_t index)
{
	struct text_piece part;

	stream_piece_part(&part, of, s->from, s->end);
	feed_path(all, p, s->path, &part);
	if (index)
		feed_path(all, p, walk_mix(s->path, index), &part);
	stream_piece_free(&part);
}

/* --- JSON in a string ----------------------------------------------------------- */

/* What the string that begins at s->from holds. */
static int
inner_kind(const struct walk *w, const struct text_piece *of, const struct walk_string *s)
{
	const char *p = of->s + s->from;
	size_t n = s->end - s->from;

	if (n > 1 && (*p == '{' || *p == '[') && (p[1] == '\\' || p[1] == '{' || p[1] == ' '))
		return INNER_JSON;
	/* "{" and a quote, a space or a line's end; the quotes of bytes have no backslashes */
	if (n >= BASE64_MIN && p[0] == 'e' &&
	    ((p[1] == 'y' && (p[2] == 'J' || p[2] == 'A' || p[2] == 'I')) ||
	    (p[1] == 'w' && (p[2] == 'o' || p[2] == '0'))))
		return INNER_BASE64;
	(void)w;
	return INNER_NONE;
}

/* True: the string is one document in base64, and no head of a token (RFC 7515
 * section 4.1). */
static bool
feed_inner(struct streams *all, struct paths *p, const struct text_piece *of,
    const struct walk_string *s)
{
	struct walk_list *list = all->strings;
	struct text_piece bytes = *of;
	size_t before = list->n;
	struct inner *in = NULL;
	size_t shift = 0;
	bool whole;

	if (p->inner == INNER_BASE64) {
		if (!(in = inner_new(of->s, s->from, s->end, s->last, &p->rest, of->plain))) {
			of->line->failed = true;
			return false;
		}
		in->base = of->at;
		stream_piece_init(&bytes, of->line, of->part, in->p, in->n, 0);
		bytes.bytes = false;
		bytes.inner = in;
		walk_piece(&p->inner_walk, in->p, in->n, list);
	} else {
		shift = s->from;
		walk_piece(&p->inner_walk, of->s + s->from, s->end - s->from, list);
	}
	for (size_t i = before; i < list->n; i++) {
		struct walk_string str = list->v[i];

		str.from += shift;
		str.end += shift;
		feed_string(all, p, &bytes, &str,
		    s->index && str.index ? walk_mix(s->index, str.index) : s->index | str.index);
	}
	list->n = before;
	whole = in && s->first && s->last && in->end == s->end && !walk_inside(&p->inner_walk) &&
	    !memmem(in->p, in->n, "\"alg\"", 5);
	inner_unref(in);
	return whole;
}

static bool
is_open(struct streams *all, struct paths *p, const struct walk_string *s)
{
	struct path *e = find_path(all, p, s->path);

	return !e || e->text.npiece || e->text.inside;
}

static void
one_string(struct streams *all, struct paths *p, const struct text_piece *of,
    const struct walk_string *s)
{
	/* JSON in base64 has no base64 in it that is opened */
	if (s->first && !of->inner) {
		p->inner = inner_kind(p->walk, of, s);
		p->rest.n = 0;
		if (p->inner)
			walk_init(&p->inner_walk,
			    p->inner == INNER_JSON ? 2 * p->walk->quote + 1 : 0, s->path);
	}
	/* where a token goes on that began before, its middle may look like a document */
	if (!p->inner || !feed_inner(all, p, of, s) || is_open(all, p, s))
		feed_string(all, p, of, s, s->index);
	if (s->last)
		p->inner = INNER_NONE;
}

/* --- pieces ------------------------------------------------------------------------ */

void
paths_piece(struct streams *all, struct paths *p, const struct text_piece *piece, uint64_t base)
{
	struct walk_list *list = all->strings;

	if (!p->walk) {
		if (!memchr(piece->s, '{', piece->n) && !memchr(piece->s, '[', piece->n))
			return;
		if (!(p->walk = calloc(1, sizeof(*p->walk)))) {
			piece->line->failed = true;
			return;
		}
	}
	if (!walk_inside(p->walk))
		walk_init(p->walk, piece->quote, base);
	p->round++;
	list->n = 0;
	walk_piece(p->walk, piece->s, piece->n, list);
	/* what feed_inner adds is taken away again */
	for (size_t i = 0, n = list->n; i < n; i++) {
		struct walk_string s = list->v[i];

		one_string(all, p, piece, &s);
	}
	if (list->nomem)
		piece->line->failed = true;
}

void
paths_turn(struct paths *p)
{
	if (p->walk)
		walk_init(p->walk, 1, 0);
	p->inner = INNER_NONE;
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
	free(p->v);
	free(p->walk);
	memset(p, 0, sizeof(*p));
}
