/* stream.c - see stream.h */
#include "stream.h"

#include <ctype.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONTEXT = 96,	/* bytes that are kept behind us: a name and what is around it */
	SEAM = 64,	/* what begins this far into a piece may begin in the one before */
	BEGINNING = 256,	/* of a long value, enough to know it by */
	KEEP_ROOM = 4096,	/* of a stream's buffer, between pieces */
	HEAD = 512,	/* of a piece, enough to decide that as a rule */
};

/* --- edits ------------------------------------------------------------------- */

/* The same credential has the same fingerprint wherever it is: without the word
 * before it that says what kind it is. */
static void
fingerprint(const struct streams *all, const char *s, size_t n, char *to)
{
	static const char *const schemes[] = { "Bearer ", "bearer ", "Basic ", "basic ", "token ",
	    "Token " };
	uint8_t mac[EVP_MAX_MD_SIZE];

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (n > strlen(schemes[i]) && !memcmp(s, schemes[i], strlen(schemes[i]))) {
			s += strlen(schemes[i]);
			n -= strlen(schemes[i]);
			break;
		}
	if (!HMAC(EVP_sha256(), all->key, sizeof(all->key), (const uint8_t *)s, n, mac, NULL))
		return;		/* out of memory: no fingerprint */
	for (int i = 0; i < 8; i++) {
		to[2 * i] = "0123456789abcdef"[mac[i] >> 4];
		to[2 * i + 1] = "0123456789abcdef"[mac[i] & 15];
	}
	to[16] = '\0';
}

/* Where text stands that is to be changed. */
struct spot { struct pending *line; int part; const struct plain *plain; const struct inner *inner;
    size_t at; };

/* False: it has no place there. */
static bool
edit_spot(struct streams *all, const struct spot *p, size_t from, size_t end, struct edit e)
{
	if (p->plain && p->plain->bytes && e.quote > 0)
		e.quote /= 2;		/* one level less than where it was seen */
	e.at = p->at + (p->plain ? plain_from(p->plain, from) : from);
	e.end = p->at + (p->plain ? plain_from(p->plain, end) : end);
	if (p->inner && !inner_edit(p->inner, e.at, e.end, &e))
		return false;
	all->edits++;
	pending_edit(p->line, p->part, &e);
	return true;
}

/* A credential at [a, b) of st->buf followed by p (NULL: by nothing); bytes are
 * those at a. Its mark goes where it begins, nothing where it goes on. */
static void
apply(struct streams *all, struct stream *st, const struct text_piece *p, const char *bytes,
    size_t a, size_t b, int rule, int quote)
{
	struct edit e = { .quote = -1 };
	size_t base = st->len;

	if (b <= st->decided)
		return;
	if (a < st->decided) {
		e.empty = st->inside;
		a = st->decided;
	} else if (all->hash) {
		fingerprint(all, bytes, b - a, e.hash);
	}
	if (!e.empty)
		all->counts[rule]++;
	for (size_t i = 0; i < st->npiece; i++) {
		const struct stream_piece *pc = &st->piece[i];
		size_t x = a > pc->buf ? a : pc->buf, y = b < pc->buf + pc->n ? b : pc->buf + pc->n;

		if (x >= y)
			continue;
		if (x == a)
			e.quote = quote;
		/* where it has no place the mark goes with the next piece */
		if (edit_spot(all, &(struct spot){ pc->line, pc->part, pc->plain, pc->inner,
		    pc->at },
		    pc->from + x - pc->buf, pc->from + y - pc->buf, e))
			e.empty = true;
	}
	if (p && b > base) {
		size_t x = a > base ? a - base : 0;

		if (!e.empty && a >= base)
			e.quote = quote;
		edit_spot(all, &(struct spot){ p->line, p->part, p->plain, p->inner, p->at }, x,
		    b - base, e);
	}
}

/* --- what waits ------------------------------------------------------------------ */

static void
release(struct streams *all, struct stream *st)
{
	for (size_t i = 0; i < st->npiece; i++) {
		st->piece[i].line->waits--;
		plain_unref(st->piece[i].plain);
		inner_unref(st->piece[i].inner);
	}
	if (st->npiece) {
		*(st->prev ? &st->prev->next : &all->holding) = st->next;
		if (st->next)
			st->next->prev = st->prev;
	}
	if (st->cap > KEEP_ROOM) {	/* no longer what it had to be */
		char *buf = realloc(st->buf, st->len + 1);

		st->cap = buf ? st->len + 1 : st->cap;
		st->buf = buf ? buf : st->buf;
	}
	st->npiece = 0;
	st->value = SIZE_MAX;
	st->decided = st->len;
}

static bool
reserve(struct stream *st, size_t n)
{
	if (st->len + n > st->cap) {
		size_t cap = (st->len + n) * 2 + 256;
		char *buf = realloc(st->buf, cap);

		if (!buf)
			return false;
		st->buf = buf;
		st->cap = cap;
	}
	return true;
}

/* Lines begin to wait for the stream. */
static void
link_holding(struct streams *all, struct stream *st)
{
	st->prev = NULL;
	st->next = all->holding;
	if (st->next)
		st->next->prev = st;
	all->holding = st;
}

/* The piece, from x on, waits at the end of buf. */
static void
hold(struct streams *all, struct stream *st, const struct text_piece *p, size_t x)
{
	struct stream_piece *pc;

	if (st->npiece == st->piececap) {
		size_t cap = st->piececap ? st->piececap * 2 : 8;

		if (!(pc = realloc(st->piece, cap * sizeof(*pc)))) {
			p->line->failed = true;
			return;
		}
		st->piece = pc;
		st->piececap = cap;
	}
	if (!reserve(st, p->n - x)) {
		p->line->failed = true;
		return;
	}
	memcpy(st->buf + st->len, p->s + x, p->n - x);
	if (!st->npiece)
		link_holding(all, st);
	st->quiet = false;
	st->piece[st->npiece++] = (struct stream_piece){
		.line = p->line, .part = p->part, .buf = st->len, .n = p->n - x,
		.at = p->plain ? p->at : p->at + x, .plain = p->plain, .from = p->plain ? x : 0,
		.inner = p->inner,
	};
	st->len += p->n - x;
	if (p->plain)
		p->plain->refs++;
	if (p->inner)
		p->inner->refs++;
	p->line->waits++;
}

/* Keeps the end of buf followed by the piece, from place `from` on. */
static void
keep(struct stream *st, const struct text_piece *p, size_t from)
{
	size_t base = st->len;

	if (from)
		st->cut = true;
	if (from >= base) {
		st->len = 0;
		from -= base;
	} else {
		memmove(st->buf, st->buf + from, base - from);
		st->len = base - from;
		from = 0;
	}
	if (from < p->n && reserve(st, p->n - from)) {
		memcpy(st->buf + st->len, p->s + from, p->n - from);
		st->len += p->n - from;
	}
	st->decided = st->len;
}

static size_t
last_end(const struct secret_list *l)
{
	return l->n ? l->v[l->n - 1].end : 0;
}

void
stream_decide(struct streams *all, struct stream *st, bool whole, bool reset)
{
	struct secret_list *l = &all->rest;
	struct secret_text t = { .s = st->buf, .n = st->len, .plain = true, .from = st->cut,
	    .limit = st->len };
	size_t from;

	if (st->npiece) {
		l->n = 0;
		secret_scan(all->rules, &t, l, NULL);
		for (size_t i = 0; i < l->n; i++)
			apply(all, st, NULL, st->buf + l->v[i].at, l->v[i].at, l->v[i].end,
			    l->v[i].rule, l->v[i].quote);
		st->inside = last_end(l) == st->len;
		/* a token that was cut before it was long enough to be sure */
		if (!whole && !st->inside && st->rule >= RULE_TOKENS && st->value < st->len &&
		    st->len - st->value >= 8) {
			from = st->value > last_end(l) ? st->value : last_end(l);
			apply(all, st, NULL, st->buf + from, from, st->len, st->rule, -1);
			st->inside = true;
		}
		from = st->value;
		release(all, st);
		/* of a long value its beginning is enough to know what goes on */
		if (from < st->len && st->len - from > 2 * BEGINNING)
			st->len = from + BEGINNING;
		if (from < st->len && from > CONTEXT) {
			memmove(st->buf, st->buf + from - CONTEXT, st->len - from + CONTEXT);
			st->len -= from - CONTEXT;
			st->cut = true;
		}
		st->decided = st->len;
	}
	if (reset) {
		st->len = st->decided = 0;
		st->inside = false;
		st->cut = false;
	}
}

void
stream_decide_line(struct streams *all, const struct pending *line)
{
	struct stream *st, *next;

	for (st = all->holding; st && line->waits; st = next) {
		bool its = false;

		next = st->next;
		for (size_t i = 0; i < st->npiece && !its; i++)
			its = st->piece[i].line == line;
		if (its)
			stream_decide(all, st, false, false);
	}
}

void
stream_copy(struct streams *all, struct stream *to, const struct stream *of)
{
	struct stream_piece *piece = of->npiece ? malloc(of->npiece * sizeof(*piece)) : NULL;

	to->len = 0;
	if (!reserve(to, of->len) || (of->npiece && !piece)) {
		free(piece);
		return;
	}
	memcpy(to->buf, of->buf, of->len);
	to->len = of->len;
	to->decided = of->decided;
	to->value = of->value;
	to->rule = of->rule;
	to->cut = of->cut;
	to->inside = of->inside;
	if (!piece)
		return;
	memcpy(piece, of->piece, of->npiece * sizeof(*piece));
	free(to->piece);
	to->piece = piece;
	to->npiece = to->piececap = of->npiece;
	for (size_t i = 0; i < to->npiece; i++) {
		piece[i].line->waits++;
		if (piece[i].plain)
			piece[i].plain->refs++;
		if (piece[i].inner)
			piece[i].inner->refs++;
	}
	link_holding(all, to);
}

void
stream_free(struct stream *st)
{
	free(st->buf);
	free(st->piece);
	memset(st, 0, sizeof(*st));
}

/* --- pieces ------------------------------------------------------------------------------ */

/* Whether a word begins in what came and ends in the piece, from what is next to it. */
static bool
has_crossing(struct streams *all, const struct stream *st, const struct text_piece *p)
{
	char s[2 * ANCHOR_TEXT];
	size_t n = st->len < ANCHOR_TEXT ? st->len : ANCHOR_TEXT,
	    more = p->n < ANCHOR_TEXT ? p->n : ANCHOR_TEXT;

	if (!more || !anchor_may_cross(&all->rules->anchors, st->buf, st->len, p->s))
		return false;
	memcpy(s, st->buf + st->len - n, n);
	memcpy(s + n, p->s, more);
	anchor_find(&all->rules->anchors, &all->around, s, n + more, 0);
	return all->around.nomem || (all->around.n && anchor_hit_at(&all->around, 0) < n);
}

/* Whether nothing begins before the piece, or so near to its beginning that what was
 * before could matter. */
static bool
is_quiet(struct streams *all, const struct stream *st, const struct text_piece *p)
{
	size_t first = anchor_hits_from(p->words, p->shift);

	return st->quiet && !st->npiece && !p->words->nomem && (first == p->words->n ||
	    anchor_hit_at(p->words, first) - p->shift >= (p->n < SEAM ? p->n : SEAM)) &&
	    !has_crossing(all, st, p);
}

/* Looks at the end of what came and the beginning of the piece as one text, as
 * much of it as it takes. False: the piece has escapes to be undone. */
static bool
scan_seam(struct streams *all, struct stream *st, const struct text_piece *p, bool last,
    struct secret_list *l, struct secret_open *open)
{
	size_t w = p->n < HEAD ? p->n : HEAD, near = p->n < ANCHOR_TEXT ? p->n : ANCHOR_TEXT;
	struct anchor_hits *around = &all->around;

	if (!reserve(st, w)) {
		p->line->failed = true;
		return true;
	}
	memcpy(st->buf + st->len, p->s, w);
	anchor_find(&all->rules->anchors, around, st->buf, st->len + near, 0);
	around->n = anchor_hits_from(around, st->len);
	for (size_t n = around->n;; around->n = n) {
		struct secret_text t = {
			.n = st->len + w, .soft = w < p->n || !last, .plain = p->plain != NULL,
			.from = st->cut, .limit = st->len + (p->n < SEAM ? p->n : SEAM),
			.hits = around,
		};

		t.s = st->buf;
		anchor_hits_add(around, p->words, p->shift, p->shift + w, st->len - p->shift);
		l->n = 0;
		if (!secret_scan(all->rules, &t, l, open))
			return false;
		if (!open->open || w == p->n)
			return true;
		w = p->n / 16 > w ? w * 16 : p->n;
		if (!reserve(st, w)) {
			p->line->failed = true;
			return true;
		}
		memcpy(st->buf + st->len, p->s, w);
	}
}

/* Whether none of the words begin in [from, end) of a text. */
static bool
no_words(const struct anchor_hits *h, size_t from, size_t end)
{
	size_t i = anchor_hits_from(h, from);

	return !h->nomem && (i == h->n || anchor_hit_at(h, i) >= end);
}

/* False: nothing was done, the piece has escapes to be undone. */
static bool
feed(struct streams *all, struct stream *st, const struct text_piece *p, bool last)
{
	struct secret_list *seam = &all->seam, *own = &all->own;
	struct secret_open so = { .value = SIZE_MAX }, o = { .value = SIZE_MAX };
	struct secret_text t = { .s = p->s, .n = p->n, .soft = !last, .plain = p->plain != NULL,
	    .limit = p->n, .hits = p->words, .shift = p->shift };
	size_t base = st->len, from, done;
	bool quiet = base && is_quiet(all, st, p);

	seam->n = own->n = 0;
	if (base && !quiet && !scan_seam(all, st, p, last, seam, &so))
		return false;
	done = last_end(seam);
	if (base)
		t.from = p->n < SEAM ? p->n : SEAM;
	if (done > base)
		t.floor = done - base;
	if (t.floor > t.from)
		t.from = t.floor;
	if (so.value == SIZE_MAX && !secret_scan(all->rules, &t, own, &o))
		return false;
	for (size_t i = 0; i < seam->n; i++)
		apply(all, st, p, st->buf + seam->v[i].at, seam->v[i].at, seam->v[i].end,
		    seam->v[i].rule, seam->v[i].quote);
	for (size_t i = 0; i < own->n; i++)
		apply(all, st, p, p->s + own->v[i].at, base + own->v[i].at, base + own->v[i].end,
		    own->v[i].rule, own->v[i].quote);
	if (so.value != SIZE_MAX) {
		if (done > st->decided)
			st->decided = done;
		st->value = so.value;
		st->rule = so.rule;
		hold(all, st, p, 0);
	} else if (o.value != SIZE_MAX) {
		size_t past = last_end(own);

		release(all, st);
		st->cut = st->cut || base || o.from;
		st->len = 0;
		st->inside = false;
		hold(all, st, p, o.from);
		st->decided = past > o.from ? past - o.from : 0;
		st->value = o.value - o.from;
		st->rule = o.rule;
	} else {
		release(all, st);
		st->inside = false;
		from = base + p->n > CONTEXT ? base + p->n - CONTEXT : 0;
		if (so.open && so.from < from)
			from = so.from;
		if (o.open && base + o.from < from)
			from = base + o.from;
		quiet = (quiet || from >= base || no_words(&all->around, from, base)) &&
		    no_words(p->words, p->shift + (from > base ? from - base : 0), p->shift + p->n);
		keep(st, p, from);
		st->quiet = quiet;
	}
	if (st->npiece && st->len > (st->max ? st->max + CONTEXT : all->max))
		stream_decide(all, st, false, false);
	if (last)
		stream_decide(all, st, true, true);
	if (own->nomem || seam->nomem)
		p->line->failed = true;
	return true;
}

void
stream_piece_init(struct text_piece *p, struct pending *line, int part, const char *raw, size_t n,
    size_t at)
{
	*p = (struct text_piece){ .line = line, .part = part, 
		.bytes = part >= 0, .quote = 1, .s = raw, .n = n, .at = at, .raw = raw,
		.rawlen = n };
}

void
stream_piece_part(struct text_piece *to, const struct text_piece *of, size_t from, size_t end)
{
	if (of->plain) {
		from = plain_from(of->plain, from);
		end = plain_from(of->plain, end);
	}
	stream_piece_init(to, of->line, of->part, of->raw + from, end - from, of->at + from);
	to->bytes = of->bytes;
	to->inner = of->inner;
	if (!of->plain && of->words) {
		to->words = of->words;
		to->shift = of->shift + from;
	}
}

void
stream_piece_free(struct text_piece *p)
{
	plain_unref(p->plain);
}

/* The form without escapes that hide something. */
static bool
make_plain(struct text_piece *p)
{
	struct plain *plain = calloc(1, sizeof(*plain));

	if (!plain || plain_make(plain, p->raw, p->rawlen, p->bytes)) {
		p->line->failed = true;
		free(plain);
		return false;
	}
	plain->refs = 1;
	p->plain = plain;
	p->s = plain->s;
	p->n = plain->n;
	p->words = NULL;
	return true;
}

/* The words in the piece, where they are not known. */
static void
find_words(struct streams *all, const struct stream *st, struct text_piece *p)
{
	struct anchor_hits *words = st->max ? &all->part : &all->words;

	if (p->words)
		return;
	anchor_find(&all->rules->anchors, words, p->s, p->n, 0);
	p->words = words;
	p->shift = 0;
}

void
stream_feed(struct streams *all, struct stream *st, struct text_piece *p, bool last)
{
	if (!p->n && !last)
		return;
	if (!p->plain && !p->bytes) {
		find_words(all, st, p);
		if (feed(all, st, p, last))
			return;
	}
	if (p->plain || make_plain(p)) {
		find_words(all, st, p);
		feed(all, st, p, last);
	}
}

/* --- texts that are whole --------------------------------------------------------------------- */

void
stream_text(struct streams *all, struct pending *line, int part, const char *text, size_t n,
    size_t at,
    const struct stream_head *head, bool json)
{
	struct secret_list *l = &all->own;
	struct secret_text t = { .s = text, .n = n, .line = json, .limit = n };
	struct stream none = { 0 };
	struct text_piece p;
	struct plain plain = { 0 };

	stream_piece_init(&p, line, part, text, n, at);
	for (int i = 0; head && i < 2; i++) {
		t.head[i] = head->at[i];
		t.head_end[i] = head->end[i];
	}
	l->n = 0;
	if (!secret_scan(all->rules, &t, l, NULL)) {
		if (plain_make(&plain, text, n, false)) {
			line->failed = true;
			plain_free(&plain);
			return;
		}
		for (int i = 0; head && i < 2; i++) {
			t.head[i] = t.head_end[i] = 0;
			for (size_t k = 0; k <= plain.n && head->end[i]; k++) {
				size_t from = plain_from(&plain, k);

				if (from <= head->at[i])
					t.head[i] = k;
				if (from <= head->end[i])
					t.head_end[i] = k;
				else
					break;
			}
		}
		t.s = p.s = plain.s;
		t.n = p.n = t.limit = plain.n;
		t.plain = true;
		p.plain = &plain;
		l->n = 0;
		secret_scan(all->rules, &t, l, NULL);
	}
	for (size_t i = 0; i < l->n; i++)
		apply(all, &none, &p, t.s + l->v[i].at, l->v[i].at, l->v[i].end, l->v[i].rule,
		    l->v[i].quote);
	line->failed = line->failed || l->nomem;
	l->nomem = false;
	plain_free(&plain);
}
