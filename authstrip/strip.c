/* strip.c - see strip.h */
#include "strip.h"

#include "frames.h"
#include "stream.h"

#include "event.h"
#include "flow.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_TEXT = 16 << 10, KEY_MAX = 512 };

/* One direction of a connection, one body, one terminal. */
struct flow {
	struct stream text, output;
	struct frames frames;	/* of HTTP/2 */
	uint32_t h2;		/* the stream of HTTP/2 that text is of */
	uint64_t next;		/* where its next piece begins */
	bool known;
};

struct strip {
	struct strip_conf conf;
	struct streams all;
	struct flow_table *flows;
	struct held *cur;	/* the line at hand */
	struct stream_head heads;	/* its headers and trailers */
	struct { const char *of, *bytes; size_t n; } decoded;	/* the base64 string that was decoded last */
	struct held *head, **tail;	/* lines that wait */
	size_t bytes;		/* of them */
	struct arena arena;
	struct stream bad;	/* lines that are no events and come in pieces */
	char *text;
	size_t textlen, textcap;
	uint64_t counts[RULES_MAX];
};

static void
finish_flow(void *arg, void *entry, enum flow_why why)
{
	struct strip *s = arg;
	struct flow *f = entry;

	stream_decide(&s->all, &f->text, why == FLOW_END, true);
	stream_decide(&s->all, &f->output, why == FLOW_END, true);
	stream_free(&f->text);
	stream_free(&f->output);
}

struct strip *
strip_new(const struct strip_conf *conf)
{
	struct strip *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->conf = *conf;
	s->tail = &s->head;
	s->all = (struct streams){ .rules = conf->rules, .hash = conf->hash, .max = STREAM_TEXT, .counts = s->counts };
	memcpy(s->all.key, conf->key, sizeof(conf->key));
	s->cur = calloc(1, sizeof(*s->cur));
	s->flows = flow_new(sizeof(struct flow), conf->streams, SIZE_MAX, finish_flow, s);
	if (!s->cur || !s->flows) {
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
	if (s->flows)
		flow_free(s->flows);
	for (struct held *h = s->head, *next; h; h = next) {
		next = h->next;
		held_free(h);
		free(h);
	}
	if (s->cur)
		held_free(s->cur);
	free(s->cur);
	stream_free(&s->bad);
	for (int i = 0; i < 4; i++)
		secret_list_free(&s->all.list[i / 2][i % 2]);
	arena_free(&s->arena);
	free(s->text);
	free(s);
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
	struct held *h;

	while ((h = s->head) && !h->waits) {
		bool changed;

		if (!(s->head = h->next))
			s->tail = &s->head;
		s->bytes -= h->n;
		if (held_ready(h, &s->arena, &changed))
			held_write(h, s->conf.piece, s->conf.arg);
		else
			s->conf.lost(s->conf.arg, h->n);
		arena_reset(&s->arena);
		held_free(h);
		free(h);
	}
}

/* The line at hand goes to the end of the queue. */
static bool
enqueue(struct strip *s, uint64_t now)
{
	struct held *h = s->cur, *next = calloc(1, sizeof(*next));

	if (!next || !(h->own = malloc(h->n ? h->n : 1))) {
		free(next);
		return false;
	}
	memcpy(h->own, h->line, h->n);
	h->line = h->own;
	h->since = now;
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
	while (s->head && (s->bytes > s->conf.hold_bytes || (now > s->head->since && now - s->head->since > s->conf.hold_ns))) {
		stream_decide_line(&s->all, s->head);
		release(s);
	}
}

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

	if (bytes && (*part = held_part(s->cur, field, v.p - ev->line, v.p - ev->line + v.n)) < 0)
		return NULL;
	return bytes;
}

/* Whether a member is one base64 string, or a list of nothing else. */
static bool
is_base64(struct strip *s, struct event *ev, const struct event_field *f)
{
	struct value_iter it;
	struct value none, v;
	size_t n;

	if (f->keylen < 5 || memcmp(f->key + f->keylen - 4, "_b64", 4))
		return false;
	if (f->value.kind != VALUE_ARRAY)
		return decode(s, ev, f->value, &n) != NULL;
	value_iter(&it, f->value);
	while (value_next(&it, &none, &v))
		if (!decode(s, ev, v, &n))
			return false;
	return true;
}

static int
field_of(struct strip *s, const struct event *ev, const struct event_field *f)
{
	struct held_field to = {
		.key = f->key - 1 - ev->line, .at = f->value.p - ev->line, .end = f->value.p - ev->line + f->value.n, .name = f->keylen - 4,
	};

	for (size_t i = 0; i < ev->nfields; i++)
		to.keep = to.keep || (ev->fields[i].keylen == to.name && !memcmp(ev->fields[i].key, f->key, to.name));
	return held_field(s->cur, &to);
}

/* What is said of a value that is not searched as the others are. */
typedef void special_fn(struct strip *, struct event *, struct value, int field, void *arg);

static void
strip_base64(struct strip *s, struct event *ev, struct value v, int field)
{
	const char *bytes;
	size_t n;
	int part;

	if ((bytes = part_of(s, ev, field, v, &part, &n)))
		stream_text(&s->all, s->cur, part, bytes, n, 0, NULL, false);
}

/* The whole line: what base64 stands for as bytes, the rest as one text. The
 * value `but`, in base64 or not, is special's instead. */
static void
strip_line(struct strip *s, struct event *ev, struct value but, special_fn *special, void *arg)
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
		if (f->value.p == but.p) {
			special(s, ev, f->value, field, arg);
		} else if (f->value.kind == VALUE_STRING) {
			strip_base64(s, ev, f->value, field);
		} else {
			struct value_iter it;
			struct value none, v;

			value_iter(&it, f->value);
			while (value_next(&it, &none, &v))
				strip_base64(s, ev, v, field);
		}
	}
	strip_range(s, ev, from, ev->len);
}

/* A value that goes as a whole. */
static void
strip_whole(struct strip *s, struct event *ev, struct value v, int field, void *arg)
{
	struct edit e = { .quote = -1 };
	const char *p = v.p + 1;
	size_t n = v.n - 2;
	int part = -1;

	(void)arg;
	if (field >= 0 && !(p = part_of(s, ev, field, v, &part, &n)))
		return;
	e.at = field >= 0 ? 0 : p - ev->line;
	e.end = e.at + n;
	if (!n || secret_mark(p, n) == n)
		return;
	s->counts[RULE_BODY]++;
	held_edit(s->cur, part, &e);
}

/* The body of an endpoint that hands out tokens; false: this is none. */
static bool
strip_endpoint(struct strip *s, struct event *ev)
{
	static const char *const keys[] = { "body", "data", "body_b64", "data_b64" };
	size_t n, hostlen = 0;
	const char *path = event_str(ev, "path", &n), *host = path ? event_str(ev, "host", &hostlen) : NULL;
	struct value v = { .p = NULL };

	if (!path || !secret_endpoint(path, n, host ? host : "", hostlen))
		return false;
	for (int i = 0; i < 4 && v.kind != VALUE_STRING; i++)
		v = event_get(ev, keys[i]);
	strip_line(s, ev, v.kind == VALUE_STRING ? v : (struct value){ .p = NULL }, strip_whole, NULL);
	return true;
}

/* --- streams ------------------------------------------------------------------------ */

static size_t
key_add(char *key, size_t n, struct value v)
{
	if (v.kind && n + v.n + 1 < KEY_MAX) {
		memcpy(key + n, v.p, v.n);
		n += v.n;
	}
	key[n++] = ' ';
	return n;
}

/* The stream of a line of one of these types, and where in it the line stands:
 * `at` is where it begins, *next where the one after it does. */
struct piece {
	bool tls;
	bool counted;		/* at and next are known */
	uint64_t at, next;
	bool last, alone;	/* alone: a message, whole */
	bool hole;		/* something behind it is missing */
};

static struct flow *
flow_of(struct strip *s, struct event *ev, struct piece *p, uint64_t now)
{
	char key[KEY_MAX + 8];
	struct value type = event_get(ev, "type");
	uint64_t len;
	size_t n = 1;

	memset(p, 0, sizeof(*p));
	if (value_eq(type, "ssl.data")) {
		p->tls = true;
		key[0] = 's';
		n = key_add(key, n, event_get(ev, "conn"));
		n = key_add(key, n, event_get(ev, "function"));
	} else if (value_eq(type, "http.body")) {
		key[0] = event_get(ev, "status_code").kind ? 'b' : 'B';
		n = key_add(key, n, event_get(ev, "id"));
		if ((p->counted = event_u64(ev, "seq", &p->at)))
			p->next = p->at + 1;
		p->last = event_bool(ev, "last");
	} else if (value_eq(type, "stdio.data")) {
		key[0] = 't';
		n = key_add(key, n, event_get(ev, "pid"));
		n = key_add(key, n, event_get(ev, "fd"));
		n = key_add(key, n, event_get(ev, "direction"));
	} else if (value_eq(type, "ws.message")) {
		key[0] = 'w';
		n = key_add(key, n, event_get(ev, "id"));
		n = key_add(key, n, event_get(ev, "direction"));
		p->alone = true;
	} else {
		return NULL;
	}
	if ((key[0] == 's' || key[0] == 't') && event_u64(ev, "off", &p->at) && event_u64(ev, "len", &len)) {
		p->counted = true;
		p->next = p->at + len;
	}
	p->hole = event_bool(ev, "truncated") && !p->alone;
	return flow_get(s->flows, key, n, now);
}

/* What ends here does not go on in what follows. */
static void
cut(struct strip *s, struct flow *f)
{
	stream_decide(&s->all, &f->text, false, true);
	stream_decide(&s->all, &f->output, false, true);
}

/* The bytes of a piece and where they stand: at `at` of the line, with JSON's
 * escapes (raw), or in a base64 value of it (raw NULL). */
struct bytes {
	const char *p;
	size_t n;
	int part;
	const char *raw;
	size_t at;
	size_t done, rawdone;	/* raw[rawdone] stands for p[done] */
};

/* Over an escape at raw[rawdone]. */
static void
step_escape(struct bytes *b)
{
	const char *r = b->raw + b->rawdone;
	bool unicode = r[1] == 'u';
	unsigned c = unicode ? strtoul((char[5]){ r[2], r[3], r[4], r[5] }, NULL, 16) : 0;
	bool pair = c >= 0xd800 && c <= 0xdbff;

	b->done += pair ? 4 : c >= 0x800 ? 3 : c >= 0x80 ? 2 : 1;
	b->rawdone += pair ? 12 : unicode ? 6 : 2;
}

/* Where byte i stands; i does not go back. */
static size_t
place(struct bytes *b, size_t i)
{
	if (!b->raw)
		return i;
	while (b->done < i) {
		const char *r = b->raw + b->rawdone, *escape = memchr(r, '\\', i - b->done);
		size_t run = escape ? (size_t)(escape - r) : i - b->done;

		b->done += run;
		b->rawdone += run;
		if (escape)
			step_escape(b);
	}
	return b->rawdone;
}

static void
feed(struct strip *s, struct flow *f, struct bytes *b, size_t i, size_t n, bool last)
{
	size_t from = place(b, i), end = place(b, i + n);

	stream_feed(&s->all, &f->text, &f->output, s->cur, b->part, (b->raw ? b->raw : b->p) + from, end - from, b->at + from, last);
}

/* HTTP/2: header blocks go, what DATA frames of one stream hold is one text. */
static void
strip_frames(struct strip *s, struct flow *f, struct bytes *b)
{
	struct frames_run r;

	for (size_t i = 0; i < b->n; i += r.n) {
		struct edit e = { .quote = -1 };

		r = frames_next(&f->frames, b->p + i, b->n - i);
		switch (r.kind) {
		case FRAMES_BLOCK:
			e.at = b->at + place(b, i);
			e.end = b->at + place(b, i + r.n);
			e.empty = !r.first;
			s->counts[RULE_HPACK] += r.first;
			held_edit(s->cur, b->part, &e);
			break;
		case FRAMES_DATA:
			if (f->h2 != r.stream)
				cut(s, f);
			f->h2 = r.stream;
			feed(s, f, b, i, r.n, r.end);
			break;
		case FRAMES_OTHER:
		case FRAMES_NONE:
			cut(s, f);
			feed(s, f, b, i, r.n, false);
			break;
		case FRAMES_FRAME:
			break;
		}
	}
}

/* The bytes of a connection. In a line that was redacted before, nothing is where
 * frames would say. */
static void
strip_bytes(struct strip *s, struct event *ev, struct flow *f, const struct piece *p, struct bytes *b)
{
	bool start = p->at == 0, http2 = false;
	struct value v = event_get(ev, "data");

	if (p->tls && p->counted && b->n &&
	    (f->frames.on || !b->raw || (start && b->raw[0] == 'P') || !memcmp(b->raw, "\\u0000", b->n < 6 ? b->n : 6))) {
		if (b->raw && !(b->p = value_str(&ev->arena, v, &b->n)))
			s->cur->failed = true;
		else if (b->n != p->next - p->at)
			f->frames.on = false;
		else
			http2 = f->frames.on || frames_begin(&f->frames, b->p, b->n, start);
	}
	if (http2)
		strip_frames(s, f, b);
	else
		stream_feed(&s->all, &f->text, &f->output, s->cur, b->part, b->raw ? b->raw : b->p, b->raw ? v.n - 2 : b->n, b->at, p->last || p->alone);
}

struct feed { struct flow *f; const struct piece *p; bool done; };

/* The value that is a piece of a stream. */
static void
feed_value(struct strip *s, struct event *ev, struct value v, int field, void *arg)
{
	struct feed *to = arg;
	struct bytes b = { .part = -1 };

	if (v.kind != VALUE_STRING)
		return;
	if (field < 0) {
		b.raw = v.p + 1;
		b.n = v.n - 2;
		b.at = b.raw - ev->line;
	} else if (!(b.p = part_of(s, ev, field, v, &b.part, &b.n))) {
		return;
	}
	to->done = true;
	strip_bytes(s, ev, to->f, to->p, &b);
}

static bool
strip_piece(struct strip *s, struct event *ev, uint64_t now)
{
	struct piece p;
	struct flow *f = flow_of(s, ev, &p, now);
	struct value v = event_get(ev, "data");
	struct feed to = { f, &p, false };

	if (!f)
		return false;
	if (p.counted && f->known && p.at != f->next) {
		cut(s, f);
		f->frames.on = false;
	}
	f->known = p.counted;
	f->next = p.next;
	strip_line(s, ev, v.kind ? v : event_get(ev, "data_b64"), feed_value, &to);
	if (p.last && !to.done)
		stream_decide(&s->all, &f->text, true, true);
	if (p.last)
		stream_decide(&s->all, &f->output, true, true);
	if (p.hole)
		cut(s, f);
	return true;
}

/* The end of a connection: what waits for more of it gets no more. */
static void
strip_close(struct strip *s, struct event *ev, uint64_t now)
{
	static const char *const functions[] = { "\"READ/RECV\"", "\"WRITE/SEND\"" };

	for (int i = 0; i < 2; i++) {
		struct value function = { functions[i], strlen(functions[i]), VALUE_STRING, false };
		char key[KEY_MAX + 8] = "s";
		size_t n = key_add(key, 1, event_get(ev, "conn"));
		struct flow *f;

		n = key_add(key, n, function);
		if ((f = flow_find(s->flows, key, n, now)))
			flow_drop(s->flows, f, FLOW_END);
	}
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
	bool changed;

	held_init(s->cur, ev->line, ev->len);
	find_heads(s, ev);
	s->decoded.of = NULL;
	if (event_is(ev, "ssl.close"))
		strip_close(s, ev, now);
	if (!strip_endpoint(s, ev) && !strip_piece(s, ev, now))
		strip_line(s, ev, (struct value){ .p = NULL }, NULL, NULL);
	keep_bounds(s, now);
	if (s->cur->failed) {
		rc = STRIP_LOST;
	} else if (s->head || s->cur->waits) {
		rc = enqueue(s, now) ? STRIP_HELD : STRIP_LOST;
		if (rc == STRIP_HELD)
			keep_bounds(s, now);
	} else {
		if (!held_ready(s->cur, &s->arena, &changed))
			rc = STRIP_LOST;
		else if (changed) {
			held_changes(s->cur, replace, &r);
			rc = r.failed ? STRIP_LOST : STRIP_CHANGED;
		}
		arena_reset(&s->arena);
	}
	if (rc == STRIP_LOST && s->cur->waits)
		stream_decide_line(&s->all, s->cur);
	if (rc != STRIP_HELD)
		held_free(s->cur);
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
	bool changed, good;

	while (s->head) {
		stream_decide_line(&s->all, s->head);
		release(s);
	}
	s->textlen = 0;
	held_init(s->cur, p, n);
	stream_feed(&s->all, &s->bad, NULL, s->cur, -1, p, n, 0, last);
	/* a line in pieces does not wait */
	stream_decide(&s->all, &s->bad, last, last);
	good = held_ready(s->cur, &s->arena, &changed);
	if (good)
		held_write(s->cur, add_text, s);
	good = good && !s->cur->failed;
	arena_reset(&s->arena);
	held_free(s->cur);
	*len = s->textlen;
	return good ? s->text : NULL;
}

void
strip_end(struct strip *s)
{
	flow_finish_all(s->flows, FLOW_EOF);
	release(s);
}
