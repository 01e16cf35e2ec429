/* message.c - HTTP messages into event lines; see message.h */
#include "message.h"

#include "body.h"
#include "jput.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	PIECE = 256 << 10,	/* an http.body is written when it has grown to this */
	RATIO = 100,		/* growth at which a compressed stream past max_body is a bomb */
	KEEP = 8 << 10,
	PARTS = 10000,		/* lengths of gRPC messages that are listed */
};

/* --- envelopes, exchanges ------------------------------------------------------- */

void
writer_init(struct writer *w, struct line_out *out, struct loss *loss, uint64_t max_body)
{
	*w = (struct writer){ .out = out, .loss = loss, .max_body = max_body, .line.fd = -1 };
	event_init(&w->env);
}

void
writer_free(struct writer *w)
{
	event_free(&w->env);
	line_out_free(&w->line);
	bytes_free(&w->id);
}

int
envelope_take(struct writer *w, const struct event *ev, struct envelope_text *to)
{
	struct jput j;

	w->line.len = 0;
	jput_open(&j, &w->line, "");
	jput_inherit(&j, ev, 0);
	/* closed by hand: the line is for us, not for a descriptor */
	if (line_room(&w->line, 1))
		w->line.buf[w->line.len++] = '}';
	free(to->p);
	*to = (struct envelope_text){ .p = malloc(w->line.len), .n = w->line.len,
		.ns = event_time(ev) };
	if (!to->p || w->line.err) {
		w->nomem = true;
		return -1;
	}
	memcpy(to->p, w->line.buf, w->line.len);
	return 0;
}

void
envelope_drop(struct envelope_text *e)
{
	free(e->p);
	*e = (struct envelope_text){ 0 };
}

bool
exchange_know(struct exchange *x, const struct head *h)
{
	size_t method, host, path = h->target.n;
	const char *m = head_method(h, &method), *a = head_host(h, &host);
	char *text;

	if (!m)
		method = 0;
	if (!a)
		host = 0;
	if (!(text = malloc(method + path + host + 1)))
		return false;
	memcpy(text, m ? m : "", method);
	memcpy(text + method, head_at(h, h->target), path);
	memcpy(text + method + path, a ? a : "", host);
	free(x->text);
	x->text = text;
	x->method = method;
	x->path = path;
	x->host = host;
	x->request = true;
	x->connect = method == 7 && !memcmp(text, "CONNECT", 7);
	x->upgrade = head_has_token(h, "connection", "upgrade");
	return true;
}

struct exchange *
exchange_new(const struct head *h, const char *sep, uint64_t number)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->refs = 1;
	x->sep = sep;
	x->number = number;
	if (h && !exchange_know(x, h)) {
		exchange_drop(x);
		return NULL;
	}
	return x;
}

void
exchange_drop(struct exchange *x)
{
	if (!x || --x->refs)
		return;
	free(x->text);
	free(x);
}

size_t
exchange_memory(const struct exchange *x)
{
	return sizeof(*x) + x->method + x->path + x->host;
}

bool
exchange_is_head(const struct exchange *x)
{
	return x->method == 4 && !memcmp(x->text, "HEAD", 4);
}

/* --- what kind of body ------------------------------------------------------------ */

/* Bodies that are read while they come. Gemini streams a JSON array unless
 * asked for SSE; only its path tells. */
static bool
is_streaming(const struct message *m)
{
	static const char *const type[] = {
		"text/event-stream", "application/x-ndjson", "application/ndjson",
		"application/jsonl",
		"application/x-jsonlines", "application/stream+json", "application/json-seq",
		"application/vnd.amazon.eventstream",
	};
	size_t n;
	const char *p = head_find(m->head, "content-type", &n);

	if (!p || !m->response)
		return false;
	for (size_t i = 0; i < sizeof(type) / sizeof(*type); i++)
		if (media_is(p, n, type[i]))
			return true;
	return m->head->status == 200 && media_is(p, n, "application/json") && m->x->path &&
	    memmem(m->x->text + m->x->method, m->x->path, ":streamGenerateContent", 22);
}

/* May the first bytes show that it is an event stream, or JSON values? Where no type is
 * given, or one that says nothing while the request asked for a stream. */
static bool
may_stream(const struct message *m)
{
	size_t n;
	const char *p = head_find(m->head, "content-type", &n);

	if (!m->response || m->streaming || m->head->status / 100 != 2)
		return false;
	return !p ||
	    (m->x->stream && (media_is(p, n, "text/plain") || media_is(p, n, "application/json") ||
	    media_is(p, n, "application/octet-stream")));
}

/* Does an event stream begin so? 1 yes, 0 no, -1 more bytes will tell. */
static int
is_sse(const char *p, size_t n)
{
	static const char *const begin[] = { "data:", "event:", "id:", "retry:", ": ", ":\n",
		":\r" };
	int found = 0;

	for (size_t i = 0; i < sizeof(begin) / sizeof(*begin) && found <= 0; i++) {
		size_t len = strlen(begin[i]);

		if (!memcmp(p, begin[i], n < len ? n : len))
			found = n < len ? -1 : 1;
	}
	return found;
}

/* Looks at the beginning of the decoded body. */
static void
stream_sniff(struct message *m)
{
	const char *p = m->body.p, *end = p + m->body.n;
	size_t n;
	const char *type = head_find(m->head, "content-type", &n);
	int found;

	if (end - p >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	while (p < end && (*p == '\n' || *p == '\r'))
		p++;
	if (p == end || (end - p < 3 && !memcmp(p, "\xef\xbb", end - p)))
		return;
	found = is_sse(p, end - p);
	if (found < 0)
		return;
	m->sniffing = false;
	m->events = found;
	m->streaming = found || (m->x->stream && (*p == '{' || *p == '[') &&
	    !(type && media_is(type, n, "application/json")));
}

/* Does the body of a request ask for a stream? "stream":true, not inside a string. */
static bool
asks_stream(const char *p, size_t n)
{
	const char *end = p + n, *at = p, *q;

	if (!n)
		return false;
	while ((q = at = memmem(at, end - at, "\"stream\"", 8))) {
		for (q += 8, at += 8; q < end && strchr(" \t\r\n:", *q); q++)
			;
		if (end - q >= 4 && !memcmp(q, "true", 4) && (at - 8 == p || at[-9] != '\\'))
			return true;
	}
	return false;
}

/* Is it compressed? */
static bool
is_packed(const struct message *m)
{
	return m->units && body_is_coded(m->units);
}

/* --- lines -------------------------------------------------------------------------- */

static void
id_put(struct writer *w, const struct exchange *x, struct jput *j)
{
	char number[32];
	int n = snprintf(number, sizeof(number), "%s%" PRIu64, x->sep, x->number);

	w->id.n = 0;
	if (bytes_add(&w->id, w->conn, w->connlen) || bytes_add(&w->id, number, n))
		w->nomem = true;
	jput_bytes(j, "id", w->id.p, w->id.n);
}

/* Type, envelope, conn, id. ns 0: when the message began. */
static void
line_begin(struct writer *w, const struct envelope_text *env, const struct exchange *x,
    struct jput *j,
    const char *type, uint64_t ns)
{
	event_scan(&w->env, env->p, env->n);
	jput_open(j, w->out, type);
	jput_inherit(j, &w->env, ns);
	jput_bytes(j, "conn", w->conn, w->connlen);
	id_put(w, x, j);
}

static void
put_request_line(const struct message *m, struct jput *j)
{
	const struct exchange *x = m->x;

	if (!x->request)
		return;
	if (x->method)
		jput_bytes(j, "method", x->text, x->method);
	if (x->path)
		jput_bytes(j, "path", x->text + x->method, x->path);
	if (x->host)
		jput_bytes(j, "host", x->text + x->method + x->path, x->host);
}

static void
put_body(const struct message *m, struct jput *j)
{
	struct bytes coding = { 0 };

	if (m->body.n && !m->streaming)
		jput_bytes(j, "body", m->body.p, m->body.n);
	jput_uint(j, "body_len", m->len);
	if (m->coded && head_join(m->head, "content-encoding", &coding) == 0)
		jput_bytes(j, "content_encoding", coding.p, coding.n);
	else if (m->units && body_found(m->units))
		jput_str(j, "content_encoding", body_found(m->units));
	bytes_free(&coding);
	if (m->undecoded && m->len)
		jput_bool(j, "undecoded", true);
	if (m->parts.n > sizeof(uint64_t)) {
		jput_array(j, "message_lens");
		for (size_t i = 0; i < m->parts.n; i += sizeof(uint64_t)) {
			uint64_t len;

			memcpy(&len, m->parts.p + i, sizeof(len));
			jput_uint(j, NULL, len);
		}
		jput_array_end(j);
	}
	if (m->trailer.n)
		jput_bytes(j, "message_end", m->trailer.p, m->trailer.n);
}

static void
put_protocol(const struct message *m, struct jput *j)
{
	const struct head *h = m->head;
	char text[32];

	if (h->major >= 2)
		snprintf(text, sizeof(text), "HTTP/%u", h->major);
	else
		snprintf(text, sizeof(text), "HTTP/%u.%u", h->major, h->minor);
	jput_str(j, "protocol", text);
	jput_str(j, "scheme", m->w->plain ? "http" : "https");
	jput_str(j, "side", m->server ? "server" : "client");
	if (m->w->peer_pid)
		jput_uint(j, "peer_pid", m->w->peer_pid);
}

static void
put_upgrade(const struct head *h, struct jput *j)
{
	size_t n;
	const char *p = head_find(h, "upgrade", &n);

	if (h->protocol.n)	/* RFC 8441 */
		jput_bytes(j, "upgrade", head_at(h, h->protocol), h->protocol.n);
	else if (p && head_has_token(h, "connection", "upgrade") &&
	    (!h->response || h->status == 101))
		jput_bytes(j, "upgrade", p, n);
}

/* How much of it is missing. */
static void
put_state(const struct message *m, struct jput *j, const char *why)
{
	if (m->head->unknown)
		jput_bool(j, "hpack_incomplete", true);
	if (m->head->truncated)
		jput_bool(j, "headers_truncated", true);
	if (m->response && m->x->uncertain)
		jput_bool(j, "pairing_uncertain", true);
	if (why)
		jput_str(j, "incomplete", why);
	if (m->truncated)
		jput_bool(j, "truncated", true);
}

static void
request_write(const struct message *m, const char *why)
{
	struct jput j;

	line_begin(m->w, &m->env, m->x, &j, "http.request", 0);
	put_request_line(m, &j);
	put_protocol(m, &j);
	head_put(m->head, &j);
	head_put_trailers(m->head, &j);
	put_body(m, &j);
	put_upgrade(m->head, &j);
	if (m->x->pushed)
		jput_bool(&j, "pushed", true);
	put_state(m, &j, why);
	jput_close(&j);
}

static void
response_write(const struct message *m, const char *why)
{
	const struct exchange *x = m->x;
	struct jput j;

	line_begin(m->w, &m->env, m->x, &j, "http.response", 0);
	put_request_line(m, &j);
	if (m->head->status >= 100)
		jput_uint(&j, "status_code", m->head->status);
	if (m->head->reason.n)
		jput_bytes(&j, "status_text", head_at(m->head, m->head->reason), m->head->reason.n);
	put_protocol(m, &j);
	if (m->ninterim) {
		jput_array(&j, "interim");
		for (unsigned i = 0; i < m->ninterim; i++)
			jput_uint(&j, NULL, m->interim[i]);
		jput_array_end(&j);
	}
	head_put(m->head, &j);
	head_put_trailers(m->head, &j);
	put_body(m, &j);
	put_upgrade(m->head, &j);
	if (x->request && x->ended && m->env.ns >= x->last_ns)
		jput_ms(&j, "ttfb_ms", m->env.ns - x->last_ns);
	if (x->request && x->first_ns && m->last_ns >= x->first_ns)
		jput_ms(&j, "duration_ms", m->last_ns - x->first_ns);
	if (m->streaming)
		jput_bool(&j, "streaming", true);
	put_state(m, &j, why);
	jput_close(&j);
}

/* One http.body with what has gathered. */
static void
piece_write(struct message *m, bool last, const char *why)
{
	struct jput j;
	size_t n;
	const char *type = head_find(m->head, "content-type", &n);

	line_begin(m->w, &m->env, m->x, &j, "http.body", m->last_ns);
	jput_str(&j, "of", m->response ? "response" : "request");
	jput_uint(&j, "seq", m->seq);
	jput_uint(&j, "off", m->off);
	if (m->seq == 0) {
		put_request_line(m, &j);
		if (m->head->status >= 100)
			jput_uint(&j, "status_code", m->head->status);
		if (type)
			jput_bytes(&j, "content_type", type, n);
		if (m->x->uncertain)
			jput_bool(&j, "pairing_uncertain", true);
		head_put(m->head, &j);
	}
	if (m->event && m->eventlen)
		jput_bytes(&j, "event_type", m->event, m->eventlen);
	jput_bool(&j, "last", last);
	if (why)
		jput_str(&j, "incomplete", why);
	if (last && m->truncated)
		jput_bool(&j, "truncated", true);
	if (last && m->undecoded)
		jput_bool(&j, "undecoded", true);
	jput_bytes(&j, "data", m->body.p ? m->body.p : "", m->body.n);
	jput_close(&j);
	m->seq++;
	m->off += m->body.n;
	m->body.n = 0;
	m->closed |= last;
}

/* --- the body -------------------------------------------------------------------------- */

/* A decoded part that is at most a piece long. Nonzero: no more. */
static int
body_part(struct message *m, const char *p, size_t n)
{
	struct writer *w = m->w;
	size_t take = n;

	if (m->streaming) {
		if (is_packed(m) && m->len > w->max_body && m->len / RATIO > m->raw_len)
			take = 0;
	} else if (m->body.n + n > w->max_body) {
		take = w->max_body - m->body.n;
	}
	if (take && bytes_add(&m->body, p, take)) {
		w->nomem = true;
		return 1;
	}
	if (take < n) {
		loss_add(w->loss, "max_body", !m->truncated, is_packed(m) ? 0 : n - take);
		m->truncated = true;
		if (is_packed(m)) {
			m->len += take;
			if (m->streaming)
				piece_write(m, true, "max_body");
			return 1;
		}
	}
	m->len += n;
	if (m->events)
		endmark_feed(&m->mark, p, n);
	if (m->sniffing) {
		stream_sniff(m);
		if (m->events)
			endmark_feed(&m->mark, m->body.p, m->body.n);
	}
	if (m->streaming && m->body.n >= PIECE && !(m->units && body_is_events(m->units)))
		piece_write(m, false, NULL);
	return 0;
}

/* Decoded bytes come out here. */
static int
body_sink(void *arg, const void *bytes, size_t n)
{
	struct message *m = arg;
	const char *p = bytes;

	while (n && !m->closed) {
		size_t part = n < PIECE ? n : PIECE;

		if (body_part(m, p, part))
			return 1;
		p += part;
		n -= part;
	}
	return m->closed;
}

/* An AWS event is complete: one piece. */
static int
body_event(void *arg, const char *type, size_t n)
{
	struct message *m = arg;

	if (!m->streaming || m->closed)
		return m->closed;
	m->event = type;
	m->eventlen = n;
	if (m->body.n)
		piece_write(m, false, NULL);
	m->event = NULL;
	return 0;
}

static void
body_message(void *arg, uint64_t len)
{
	struct message *m = arg;

	if (m->parts.n / sizeof(len) < PARTS && bytes_add(&m->parts, &len, sizeof(len)))
		m->w->nomem = true;
}

static void
body_trailer(void *arg, const char *p, size_t n)
{
	struct message *m = arg;

	m->trailer.n = 0;
	if (bytes_add(&m->trailer, p, n < KEEP ? n : KEEP))
		m->w->nomem = true;
}

static const struct body_ops body_ops = {
	.data = body_sink, .event = body_event, .message = body_message, .trailer = body_trailer,
};

void
message_begin(struct message *m, struct writer *w, const struct head *h, struct exchange *x,
    struct envelope_text *env)
{
	struct message old = *m;
	const char *type;
	size_t n;

	*m = (struct message){ .open = true, .w = w, .head = h, .x = x, .env = *env,
		.last_ns = env->ns,
		.response = h->response, .body = old.body };
	*env = (struct envelope_text){ 0 };
	memcpy(m->interim, old.interim, sizeof(m->interim));
	m->ninterim = old.ninterim;
	m->body.n = 0;
	if (w->now > m->last_ns)
		m->last_ns = w->now;
	m->streaming = is_streaming(m);
	type = head_find(h, "content-type", &n);
	m->events = m->streaming && media_is(type, n, "text/event-stream");
	m->sniffing = may_stream(m);
	m->units = body_new(h, w->max_body, &body_ops, m, &m->undecoded, &w->nomem);
	m->coded = head_find(h, "content-encoding", &n) != NULL;
}

void
message_body(struct message *m, const char *p, size_t n)
{
	if (m->w->now > m->last_ns)
		m->last_ns = m->w->now;
	m->raw_len += n;
	if (!m->units) {
		body_sink(m, p, n);
		return;
	}
	if (m->closed || m->failed)
		return;
	switch (body_feed(m->units, p, n, m->streaming || (m->sniffing && m->x->stream))) {
	case BODY_BAD:
		m->failed = true;
		loss_add(m->w->loss, "bad_coding", 1, 0);
		message_cut(m, "encoding");
		break;
	case BODY_NOMEM:
		m->w->nomem = true;
		break;
	case BODY_OK:
		break;
	}
}

void
message_flush(struct message *m)
{
	if (m->open && m->streaming && !m->closed && m->body.n)
		piece_write(m, false, NULL);
}

void
message_cut(struct message *m, const char *why)
{
	if (m->streaming && !m->closed)
		piece_write(m, true, m->mark.over ? NULL : why);
}

/* Why a whole message is not whole after all: its coding had no end. Of one
 * that was cut that is no news. */
static const char *
units_end(struct message *m, bool cut)
{
	const char *why;

	if (!m->units || m->failed)
		return m->failed ? "encoding" : NULL;
	why = body_end(m->units, &m->w->nomem);
	m->undecoded = body_is_raw(m->units);
	if (m->truncated || !m->raw_len)
		return NULL;
	if (why && !cut)
		loss_add(m->w->loss, strcmp(why, "malformed") ? "bad_coding" : "malformed", 1, 0);
	return why;
}

void
message_end(struct message *m, const char *why)
{
	const char *coding = units_end(m, why != NULL);

	if (why && m->mark.over) {
		why = NULL;	/* the client had all it wanted, and left */
	} else if (!why) {
		why = coding;
		if (m->w->now > m->last_ns)
			m->last_ns = m->w->now;
	}
	if (m->response) {
		if (m->streaming && !m->closed)
			piece_write(m, true, why);
		response_write(m, why);
		m->ninterim = 0;
	} else {
		m->x->ended = true;
		m->x->last_ns = m->last_ns;
		m->x->stream = asks_stream(m->body.p, m->body.n);
		request_write(m, why);
	}
	message_drop(m);
}

void
message_drop(struct message *m)
{
	body_free(m->units);
	m->units = NULL;
	bytes_free(&m->parts);
	bytes_free(&m->trailer);
	envelope_drop(&m->env);
	exchange_drop(m->x);
	m->x = NULL;
	m->open = false;
	bytes_reset(&m->body, KEEP);
}

size_t
message_memory(const struct message *m)
{
	return m->body.cap + m->env.n + m->parts.cap + m->trailer.cap +
	    (m->units ? body_memory(m->units) : 0);
}

void
exchange_ws(struct writer *w, const struct exchange *x, const struct envelope_text *env, bool read,
    const struct ws_message *ws)
{
	static const char *const name[16] = {
		[WS_TEXT] = "text", [WS_BINARY] = "binary", [WS_CLOSE] = "close",
		[WS_PING] = "ping", [WS_PONG] = "pong",
	};
	const unsigned char *p = (const unsigned char *)ws->p;
	bool code = ws->opcode == WS_CLOSE && ws->n >= 2;
	struct jput j;

	line_begin(w, env, x, &j, "ws.message", 0);
	jput_str(&j, "direction", read ? "READ/RECV" : "WRITE/SEND");
	jput_str(&j, "opcode", name[ws->opcode & 15]);
	jput_uint(&j, "len", ws->len);
	if (code)
		jput_uint(&j, "code", p[0] << 8 | p[1]);
	if (ws->undecoded)
		jput_bool(&j, "undecoded", true);
	if (ws->incomplete)
		jput_str(&j, "incomplete", ws->incomplete);
	if (ws->truncated)
		jput_bool(&j, "truncated", true);
	jput_bytes(&j, "data", ws->p + 2 * code, ws->n - 2 * code);
	jput_close(&j);
}

void
other_write(struct writer *w, const struct envelope_text *env, const struct other *o)
{
	static const struct exchange none = { .sep = "" };
	const struct exchange *x = o->x ? o->x : &none;
	struct jput j;

	event_scan(&w->env, env->p, env->n);
	jput_open(&j, w->out, "http.other");
	jput_inherit(&j, &w->env, 0);
	jput_bytes(&j, "conn", w->conn, w->connlen);
	if (o->x)
		id_put(w, x, &j);
	if (x->host)
		jput_bytes(&j, "host", x->text + x->method + x->path, x->host);
	if (o->n)
		jput_bytes(&j, "protocol", o->protocol, o->n);
	jput_uint(&j, "written_bytes", o->bytes[0]);
	jput_uint(&j, "read_bytes", o->bytes[1]);
	jput_close(&j);
}
