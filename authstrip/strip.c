/* strip.c - see strip.h */
#include "strip.h"

#include "conn.h"

#include "event.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_TEXT = 16 << 10 };	/* bytes of one stream that may be undecided */

struct strip {
	struct strip_conf conf;
	struct streams all;
	struct walk_list strings;
	struct conns conns;
	struct pending *cur;	/* the line at hand */
	struct stream_head heads;	/* its headers and trailers */
	/* the base64 string that was decoded last */
	struct { const char *of, *bytes; size_t n; } decoded;
	struct pending *head, **tail;	/* lines that wait */
	size_t bytes;		/* of them */
	uint64_t waited;
	struct arena arena;
	struct stream bad;	/* lines that are no events and come in pieces */
	char *text;
	size_t textlen, textcap;
	uint64_t counts[RULES_MAX];
};

struct strip *
strip_new(const struct strip_conf *conf)
{
	struct strip *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->conf = *conf;
	s->tail = &s->head;
	s->all = (struct streams){ .rules = conf->rules, .hash = conf->hash, .max = STREAM_TEXT,
	    .counts = s->counts, .strings = &s->strings };
	memcpy(s->all.key, conf->key, sizeof(conf->key));
	s->cur = calloc(1, sizeof(*s->cur));
	if (!s->cur || conns_init(&s->conns, &s->all, conf->streams)) {
		strip_free(s);
		return NULL;
	}
	return s;
}

void
strip_free(struct strip *s)
{
	if (!s)
		return;
	conns_free(&s->conns);
	for (struct pending *h = s->head, *next; h; h = next) {
		next = h->next;
		pending_free(h);
		free(h);
	}
	if (s->cur)
		pending_free(s->cur);
	free(s->cur);
	stream_free(&s->bad);
	secret_list_free(&s->all.seam);
	secret_list_free(&s->all.own);
	secret_list_free(&s->all.rest);
	anchor_hits_free(&s->all.words);
	anchor_hits_free(&s->all.part);
	anchor_hits_free(&s->all.around);
	free(s->strings.v);
	arena_free(&s->arena);
	free(s->text);
	free(s);
}

uint64_t
strip_waited(const struct strip *s)
{
	return s->waited;
}

const uint64_t *
strip_counts(const struct strip *s)
{
	return s->counts;
}

/* --- lines that wait ---------------------------------------------------------- */

static void
release(struct strip *s)
{
	struct pending *h;

	while ((h = s->head) && !h->waits) {
		bool changed;

		if (!(s->head = h->next))
			s->tail = &s->head;
		s->bytes -= h->n;
		if (pending_ready(h, &s->arena, &changed))
			pending_write(h, s->conf.piece, s->conf.arg);
		else
			s->conf.lost(s->conf.arg, h->n);
		arena_reset(&s->arena);
		pending_free(h);
		free(h);
	}
}

/* The line at hand goes to the end of the queue. */
static bool
enqueue(struct strip *s, uint64_t now)
{
	struct pending *h = s->cur, *next = calloc(1, sizeof(*next));

	if (!next || !(h->copy = malloc(h->n ? h->n : 1))) {
		free(next);
		return false;
	}
	memcpy(h->copy, h->line, h->n);
	h->line = h->copy;
	h->since = now;
	s->waited += h->waits > 0;
	h->next = NULL;
	*s->tail = h;
	s->tail = &h->next;
	s->bytes += h->n;
	s->cur = next;
	return true;
}

static void
keep_bounds(struct strip *s, uint64_t now)
{
	release(s);
	while (s->head && (s->bytes > s->conf.hold_bytes ||
	    (now > s->head->since && now - s->head->since > s->conf.hold_ns))) {
		stream_decide_line(&s->all, s->head);
		release(s);
	}
}

static const struct value none;

/* --- the texts of a line --------------------------------------------------------- */

/* Where an event's headers and trailers are. */
static void
find_heads(struct strip *s, const struct event *ev)
{
	static const char *const keys[] = { "headers", "trailers" };

	memset(&s->heads, 0, sizeof(s->heads));
	for (int i = 0; i < 2; i++) {
		struct value v = event_get(ev, keys[i]);

		if (v.kind != VALUE_OBJECT)
			continue;
		s->heads.at[i] = v.p - ev->line;
		s->heads.end[i] = v.p - ev->line + v.n;
	}
}

/* The line from one place to another, as one text. */
static void
strip_range(struct strip *s, const struct event *ev, size_t from, size_t to)
{
	struct stream_head head = { { 0 }, { 0 } };

	for (int i = 0; i < 2; i++) {
		if (s->heads.at[i] < from || s->heads.end[i] > to)
			continue;
		head.at[i] = s->heads.at[i] - from;
		head.end[i] = s->heads.end[i] - from;
	}
	stream_text(&s->all, s->cur, -1, ev->line + from, to - from, from, &head, true);
}

/* The bytes of a base64 string; the last ones are remembered. */
static const char *
decode(struct strip *s, struct event *ev, struct value v, size_t *n)
{
	if (s->decoded.of != v.p) {
		s->decoded.bytes = value_base64(&ev->arena, v, &s->decoded.n);
		s->decoded.of = v.p;
	}
	*n = s->decoded.n;
	return s->decoded.bytes;
}

/* The same, and the part of the line at hand that they are. */
static const char *
part_of(struct strip *s, struct event *ev, int field, struct value v, int *part, size_t *n)
{
	const char *bytes = decode(s, ev, v, n);

	if (bytes && (*part = pending_part(s->cur, field, v.p - ev->line,
	    v.p - ev->line + v.n)) < 0)
		return NULL;
	return bytes;
}

/* Whether a member is one base64 string, or a list of nothing else. */
static bool
is_base64(struct strip *s, struct event *ev, const struct event_field *f)
{
	struct value_iter it;
	struct value key, v;
	size_t n;

	if (f->keylen < 5 || memcmp(f->key + f->keylen - 4, "_b64", 4))
		return false;
	if (f->value.kind != VALUE_ARRAY)
		return decode(s, ev, f->value, &n) != NULL;
	value_iter(&it, f->value);
	while (value_next(&it, &key, &v))
		if (!decode(s, ev, v, &n))
			return false;
	return true;
}

static int
field_of(struct strip *s, const struct event *ev, const struct event_field *f)
{
	struct pending_field to = {
		.key = f->key - 1 - ev->line, .at = f->value.p - ev->line,
		.end = f->value.p - ev->line + f->value.n, .name = f->keylen - 4,
	};

	for (size_t i = 0; i < ev->nfields; i++)
		to.keep = to.keep || (ev->fields[i].keylen == to.name &&
		    !memcmp(ev->fields[i].key, f->key, to.name));
	return pending_field(s->cur, &to);
}

static void
strip_base64(struct strip *s, struct event *ev, struct value v, int field)
{
	const char *bytes;
	size_t n;
	int part;

	if ((bytes = part_of(s, ev, field, v, &part, &n)))
		stream_text(&s->all, s->cur, part, bytes, n, 0, NULL, false);
}

/* A value that goes as a whole. */
static void
strip_whole(struct strip *s, struct event *ev, struct value v, int field)
{
	struct edit e = { .quote = -1 };
	const char *p = v.p + 1;
	size_t n = v.n - 2;
	int part = -1;

	if (field >= 0 && !(p = part_of(s, ev, field, v, &part, &n)))
		return;
	e.at = field >= 0 ? 0 : p - ev->line;
	e.end = e.at + n;
	if (!n || secret_mark(p, n) == n)
		return;
	s->counts[RULE_BODY]++;
	pending_edit(s->cur, part, &e);
}

/* The value that is a piece of a stream. */
static void
strip_piece(struct strip *s, struct event *ev, struct value v, int field, const struct piece *p)
{
	struct conn_bytes b = { v.p + 1, v.n - 2, v.p + 1 - ev->line, -1 };

	if (field >= 0) {
		b.at = 0;
		if (!(b.p = part_of(s, ev, field, v, &b.part, &b.n)))
			return;
	}
	conn_feed(&s->conns, ev, s->cur, p, &b);
}

/* The whole line: what base64 stands for as bytes, the rest as one text. The
 * string `but`, in base64 or not, is a piece, or (NULL) goes as a whole. */
static void
strip_line(struct strip *s, struct event *ev, struct value but, const struct piece *piece)
{
	size_t from = 0;

	for (size_t i = 0; i < ev->nfields; i++) {
		const struct event_field *f = &ev->fields[i];
		bool base64 = is_base64(s, ev, f);
		size_t at = f->value.p - ev->line, quote = f->value.kind == VALUE_STRING;
		int field = -1;

		if (!base64 && f->value.p != but.p)
			continue;
		strip_range(s, ev, from, at + quote);
		from = at + f->value.n - quote;
		if (base64 && (field = field_of(s, ev, f)) < 0)
			return;
		if (f->value.p == but.p && piece) {
			strip_piece(s, ev, f->value, field, piece);
		} else if (f->value.p == but.p) {
			strip_whole(s, ev, f->value, field);
		} else if (f->value.kind == VALUE_STRING) {
			strip_base64(s, ev, f->value, field);
		} else {
			struct value_iter it;
			struct value key, v;

			value_iter(&it, f->value);
			while (value_next(&it, &key, &v))
				strip_base64(s, ev, v, field);
		}
	}
	strip_range(s, ev, from, ev->len);
}

static struct value
string_of(const struct event *ev, const char *key)
{
	struct value v = event_get(ev, key);

	return v.kind == VALUE_STRING ? v : none;
}

/* The body of an endpoint that hands out tokens; false: this is none. */
static bool
strip_endpoint(struct strip *s, struct event *ev)
{
	static const char *const keys[] = { "body", "data", "body_b64", "data_b64" };
	size_t n, hostlen = 0;
	const char *path = event_str(ev, "path", &n),
	    *host = path ? event_str(ev, "host", &hostlen) : NULL;
	struct value v = none;

	if (!path || !secret_endpoint(path, n, host ? host : "", hostlen))
		return false;
	for (int i = 0; i < 4 && v.kind != VALUE_STRING; i++)
		v = string_of(ev, keys[i]);
	strip_line(s, ev, v, NULL);
	return true;
}

/* --- lines --------------------------------------------------------------------------- */

struct replace { struct event *ev; bool failed; };

static void
replace(void *arg, size_t at, size_t end, const char *text, size_t n)
{
	struct replace *r = arg;
	struct value v = { r->ev->line + at, end - at, VALUE_STRING, false };

	if (event_replace(r->ev, v, text, n))
		r->failed = true;
}

enum strip_rc
strip_event(struct strip *s, struct event *ev, uint64_t now)
{
	struct replace r = { ev, false };
	enum strip_rc rc = STRIP_SAME;
	struct piece piece;
	struct value v;
	bool changed;

	pending_init(s->cur, ev->line, ev->len);
	find_heads(s, ev);
	s->decoded.of = NULL;
	if (strip_endpoint(s, ev)) {
		/* done */
	} else if (conn_begin(&s->conns, ev, now, &piece) && piece.members) {
		strip_line(s, ev, none, NULL);
		conn_members(&s->conns, ev, s->cur, &piece);
	} else if (piece.conn) {
		v = string_of(ev, "data");
		strip_line(s, ev, v.kind ? v : string_of(ev, "data_b64"), &piece);
		conn_end(&s->conns, &piece);
	} else {
		strip_line(s, ev, none, NULL);
	}
	keep_bounds(s, now);
	if (s->cur->failed) {
		rc = STRIP_LOST;
	} else if (s->head || s->cur->waits) {
		rc = enqueue(s, now) ? STRIP_PENDING : STRIP_LOST;
		if (rc == STRIP_PENDING)
			keep_bounds(s, now);
	} else {
		if (!pending_ready(s->cur, &s->arena, &changed))
			rc = STRIP_LOST;
		else if (changed) {
			pending_changes(s->cur, replace, &r);
			rc = r.failed ? STRIP_LOST : STRIP_CHANGED;
		}
		arena_reset(&s->arena);
	}
	if (rc == STRIP_LOST && s->cur->waits)
		stream_decide_line(&s->all, s->cur);
	if (rc != STRIP_PENDING)
		pending_free(s->cur);
	return rc;
}

/* --- lines that are no events ----------------------------------------------------------- */

static void
add_text(void *arg, const char *p, size_t n, bool last)
{
	struct strip *s = arg;

	(void)last;
	if (!s->text || s->textlen + n > s->textcap) {
		size_t cap = (s->textlen + n) * 2 + 1;
		char *text = realloc(s->text, cap);

		if (!text) {
			s->cur->failed = true;
			return;
		}
		s->text = text;
		s->textcap = cap;
	}
	memcpy(s->text + s->textlen, p, n);
	s->textlen += n;
}

const char *
strip_text(struct strip *s, const char *p, size_t n, bool last, size_t *len)
{
	struct text_piece piece;
	bool changed, good;

	while (s->head) {
		stream_decide_line(&s->all, s->head);
		release(s);
	}
	s->textlen = 0;
	pending_init(s->cur, p, n);
	stream_piece_init(&piece, s->cur, -1, p, n, 0);
	stream_feed(&s->all, &s->bad, &piece, last);
	stream_piece_free(&piece);
	/* a line in pieces does not wait */
	stream_decide(&s->all, &s->bad, last, last);
	good = pending_ready(s->cur, &s->arena, &changed);
	if (good)
		pending_write(s->cur, add_text, s);
	good = good && !s->cur->failed;
	arena_reset(&s->arena);
	pending_free(s->cur);
	*len = s->textlen;
	return good ? s->text : NULL;
}

void
strip_end(struct strip *s)
{
	conns_finish(&s->conns);
	release(s);
}
