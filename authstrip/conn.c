/* conn.c - see conn.h */
#include "conn.h"

#include "event.h"
#include "flow.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEY_MAX = 512 };

/* What ends here does not go on in what follows. whole: it has ended by itself. */
static void
cut(struct conns *cs, struct conn *c, bool whole)
{
	stream_decide(cs->all, &c->text, whole, true);
	paths_end(cs->all, &c->paths, whole);
}

static void
finish(void *arg, void *entry, enum flow_why why)
{
	struct conn *c = entry;

	cut(arg, c, why == FLOW_END);
	stream_free(&c->text);
	paths_free(&c->paths);
}

int
conns_init(struct conns *cs, struct streams *all, size_t max)
{
	cs->all = all;
	cs->flows = flow_new(sizeof(struct conn), max, SIZE_MAX, finish, cs);
	return cs->flows ? 0 : -1;
}

void
conns_finish(struct conns *cs)
{
	flow_finish_all(cs->flows, FLOW_EOF);
}

void
conns_free(struct conns *cs)
{
	if (cs->flows)
		flow_free(cs->flows);
}

/* --- which stream ------------------------------------------------------------------ */

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

/* The end of a connection: what waits for more of it gets no more. */
static void
close_both(struct conns *cs, struct event *ev, uint64_t now)
{
	static const char *const functions[] = { "\"READ/RECV\"", "\"WRITE/SEND\"" };

	for (int i = 0; i < 2; i++) {
		struct value function = { functions[i], strlen(functions[i]), VALUE_STRING, false };
		char key[KEY_MAX + 8] = "s";
		size_t n = key_add(key, 1, event_get(ev, "conn"));
		struct conn *c;

		n = key_add(key, n, function);
		if ((c = flow_find(cs->flows, key, n, now)))
			flow_drop(cs->flows, c, FLOW_END);
	}
}

static struct conn *
find(struct conns *cs, struct event *ev, struct piece *p, uint64_t now)
{
	char key[KEY_MAX + 8];
	struct value type = event_get(ev, "type");
	uint64_t len;
	size_t n = 1;

	memset(p, 0, sizeof(*p));
	if (value_eq(type, "ssl.data") || value_eq(type, "tcp.data")) {
		p->bytes = true;
		key[0] = 's';
		n = key_add(key, n, event_get(ev, "conn"));
		n = key_add(key, n, event_get(ev, "function"));
	} else if (value_eq(type, "http.body")) {
		struct conn *c;

		n = key_add(key, n, event_get(ev, "id"));
		if ((p->counted = event_u64(ev, "seq", &p->at)))
			p->next = p->at + 1;
		/* only the first piece of a response says that it is one */
		key[0] = 'b';
		if (!event_get(ev, "status_code").kind &&
		    (!p->at || !(c = flow_find(cs->flows, key, n, now)) || c->next != p->at))
			key[0] = 'B';
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
	} else if (value_eq(type, "sse.delta")) {
		key[0] = 'd';
		n = key_add(key, n, event_get(ev, "id"));
		p->members = true;
	} else {
		if (value_eq(type, "ssl.close") || value_eq(type, "tcp.close"))
			close_both(cs, ev, now);
		return NULL;
	}
	if ((key[0] == 's' || key[0] == 't') && event_u64(ev, "off", &p->at) &&
	    event_u64(ev, "len", &len)) {
		p->counted = true;
		p->next = p->at + len;
	}
	p->hole = event_bool(ev, "truncated") && !p->alone;
	return flow_get(cs->flows, key, n, now);
}

bool
conn_begin(struct conns *cs, struct event *ev, uint64_t now, struct piece *p)
{
	struct conn *c;

	if (!(c = p->conn = find(cs, ev, p, now)))
		return false;
	if (p->counted && c->known && p->at != c->next) {
		cut(cs, c, false);
		c->frames.on = c->chunked = c->chunk_ends = false;
	}
	c->known = p->counted;
	c->next = p->next;
	return true;
}

void
conn_end(struct conns *cs, const struct piece *p)
{
	if (p->last)
		cut(cs, p->conn, true);
	if (p->hole)
		cut(cs, p->conn, false);
}

/* --- HTTP/2 -------------------------------------------------------------------------- */

/* Decoded bytes, and the way back to where they stand. */
struct back {
	const char *p;
	size_t n;
	const char *raw;	/* NULL: they stand as they are */
	size_t done, rawdone;	/* raw[rawdone] stands for p[done] */
};

/* Over an escape at raw[rawdone]. */
static void
step_escape(struct back *b)
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
place(struct back *b, size_t i)
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

/* The bytes of a piece as text, and the strings of the JSON in them. message: nothing
 * goes on behind it, but the strings of JSON do. */
static void
feed_text(struct conns *cs, struct conn *c, struct text_piece *p, bool last, bool message)
{
	stream_feed(cs->all, &c->text, p, last || message);
	if (p->n)
		paths_piece(cs->all, &c->paths, p, c->h2, message);
	stream_piece_free(p);
}

/* --- chunks --------------------------------------------------------------------------- */

/* The length of a line's end at s[0..n), in text with JSON's escapes or in bytes; 0: there
 * is none. */
static size_t
line_end(const char *s, size_t n, bool text)
{
	if (text)
		return n >= 4 && !memcmp(s, "\\r\\n", 4) ? 4 : 0;
	return n >= 2 && !memcmp(s, "\r\n", 2) ? 2 : 0;
}

/* The length of a chunk's size at s[0..n), its line's end included (RFC 9112 section 7.1). */
static size_t
chunk_size(const char *s, size_t n, bool text)
{
	size_t k = 0, end;

	while (k < n && k < 8 && isxdigit((unsigned char)s[k]))
		k++;
	end = k ? line_end(s + k, n - k, text) : 0;
	return end ? k + end : 0;
}

/* Whether a message begins that says of its body that it comes in chunks. */
static bool
begins_chunked(const char *s, size_t n)
{
	enum { HEAD_MAX = 8192 };
	const char *p;

	if (n > HEAD_MAX)
		n = HEAD_MAX;
	for (size_t i = 0; (p = memmem(s + i, n - i, "ransfer-", 8)); i = p + 8 - s)
		if (n - (p - s) > 25 && !strncasecmp(p, "ransfer-encoding: chunked", 25))
			return true;
	return false;
}

static bool
begins_message(const char *s, size_t n)
{
	return n > 8 && (!memcmp(s, "HTTP/1.", 7) || !memcmp(s, "POST /", 6) ||
	    !memcmp(s, "PUT /", 5) || !memcmp(s, "PATCH /", 7));
}

/* What stands in chunks is one text without their sizes: a chunk may end within a
 * credential. */
static void
feed_chunks(struct conns *cs, struct conn *c, struct pending *line, const struct conn_bytes *b)
{
	bool text = b->part < 0;
	size_t from = c->chunk_ends ? chunk_size(b->p, b->n, text) : 0, i = from;
	struct text_piece piece;

	/* it was a line's end in a chunk: what follows is another */
	if (c->chunk_ends && !from)
		stream_decide(cs->all, &c->text, false, true);
	c->chunk_ends = false;
	while (i < b->n) {
		const char *q = memmem(b->p + i, b->n - i, text ? "\\r\\n" : "\r\n", text ? 4 : 2);
		size_t end = q ? (size_t)(q - b->p) : b->n, eol, behind, size;

		if (!q)
			break;
		eol = line_end(q, b->n - end, text);
		behind = end + eol;
		size = chunk_size(b->p + behind, b->n - behind, text);
		i = behind + size;
		/* an empty line ends the head */
		c->in_chunks = c->in_chunks || size ||
		    (end - from >= eol && line_end(q - eol, eol, text));
		if (!size && (behind < b->n || !c->in_chunks))
			continue;
		stream_piece_init(&piece, line, b->part, b->p + from, end - from, b->at + from);
		feed_text(cs, c, &piece, false, false);
		c->chunk_ends = behind == b->n;
		from = i;
	}
	stream_piece_init(&piece, line, b->part, b->p + from, b->n - from, b->at + from);
	feed_text(cs, c, &piece, false, false);
}

/* --- frames ---------------------------------------------------------------------------- */

/* Header blocks go; what DATA frames of one stream hold is one text. */
static void
feed_frames(struct conns *cs, struct conn *c, struct pending *line, struct back *b,
    const struct conn_bytes *bytes)
{
	struct frames_run r;
	struct text_piece piece;

	for (size_t i = 0; i < b->n; i += r.n) {
		size_t from, end;

		r = frames_next(&c->frames, b->p + i, b->n - i);
		from = place(b, i);
		end = place(b, i + r.n);
		if (r.kind == FRAMES_FRAME)
			continue;
		if (r.kind == FRAMES_BLOCK) {
			struct edit e = { .at = bytes->at + from, .end = bytes->at + end,
			    .quote = -1, .empty = !r.first };

			cs->all->counts[RULE_HPACK] += r.first;
			pending_edit(line, bytes->part, &e);
			continue;
		}
		if (r.kind != FRAMES_DATA || c->h2 != r.stream)
			stream_decide(cs->all, &c->text, false, true);
		if (c->h2 != r.stream)
			paths_turn(&c->paths);
		c->h2 = r.stream;
		stream_piece_init(&piece, line, bytes->part, bytes->p + from, end - from,
		    bytes->at + from);
		feed_text(cs, c, &piece, r.end, false);
	}
}

/* Whether the bytes are HTTP/2. In a line that was redacted before, nothing is
 * where frames would say. */
static bool
is_http2(struct conn *c, const struct piece *p, const struct back *b)
{
	if (b->n != p->next - p->at)
		return c->frames.on = false;
	return c->frames.on || frames_begin(&c->frames, b->p, b->n, p->at == 0);
}

/* --- feeding --------------------------------------------------------------------------- */

void
conn_members(struct conns *cs, const struct event *ev, struct pending *line, const struct piece *p)
{
	struct text_piece piece;

	stream_piece_init(&piece, line, -1, ev->line, ev->len, 0);
	piece.quote = 0;
	paths_piece(cs->all, &p->conn->paths, &piece, 0, false);
}

void
conn_feed(struct conns *cs, struct event *ev, struct pending *line, const struct piece *p,
    const struct conn_bytes *bytes)
{
	struct conn *c = p->conn;
	bool text = bytes->part < 0;
	struct back b = { bytes->p, bytes->n, NULL, 0, 0 };
	struct text_piece piece;

	/* text that cannot be HTTP/2 is not decoded to see that */
	if (p->bytes && p->counted && bytes->n &&
	    (c->frames.on || !text || (p->at == 0 && *b.p == 'P') ||
	    !memcmp(b.p, "\\u0000", b.n < 6 ? b.n : 6))) {
		if (text) {
			b.raw = bytes->p;
			b.p = value_str(&ev->arena, event_get(ev, "data"), &b.n);
		}
		if (!b.p) {
			line->failed = true;
			return;
		}
		if (is_http2(c, p, &b)) {
			feed_frames(cs, c, line, &b, bytes);
			return;
		}
	}
	if (p->bytes && begins_message(bytes->p, bytes->n)) {
		c->chunked = begins_chunked(bytes->p, bytes->n);
		c->in_chunks = c->chunk_ends = false;
	}
	if (p->bytes && c->chunked) {
		feed_chunks(cs, c, line, bytes);
		return;
	}
	stream_piece_init(&piece, line, bytes->part, bytes->p, bytes->n, bytes->at);
	feed_text(cs, c, &piece, p->last, p->alone);
}
