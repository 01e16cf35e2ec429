/* message.c - HTTP messages into event lines; see message.h */
#include "message.h"

#include "decode.h"
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
	*to = (struct envelope_text){ .p = malloc(w->line.len), .n = w->line.len, .ns = event_time(ev) };
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

struct exchange *
exchange_new(const struct head *h, const char *sep, uint64_t number)
{
	size_t method = 0, host = 0, path = h ? h->target.n : 0;
	const char *m = h ? head_method(h, &method) : NULL, *a = h ? head_host(h, &host) : NULL;
	struct exchange *x = calloc(1, sizeof(*x) + method + path + host);

	if (!x)
		return NULL;
	x->refs = 1;
	x->sep = sep;
	x->number = number;
	x->request = h != NULL;
	x->method = method;
	x->path = path;
	x->host = host;
	if (m)
		memcpy(x->text, m, method);
	if (path)
		memcpy(x->text + method, head_at(h, h->target), path);
	if (a)
		memcpy(x->text + method + path, a, host);
	x->connect = method == 7 && !memcmp(x->text, "CONNECT", 7);
	return x;
}

void
exchange_drop(struct exchange *x)
{
	if (x && !--x->refs)
		free(x);
}

size_t
exchange_held(const struct exchange *x)
{
	return sizeof(*x) + x->method + x->path + x->host;
}

bool
exchange_is_head(const struct exchange *x)
{
	return x->method == 4 && !memcmp(x->text, "HEAD", 4);
}

/* --- what kind of body ------------------------------------------------------------ */

static bool
media_is(const char *p, size_t n, const char *type)
{
	const char *stop = memchr(p, ';', n);

	if (stop)
		n = stop - p;
	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return strlen(type) == n && !strncasecmp(p, type, n);
}

/* Bodies that are read while they come. Gemini streams a JSON array unless
 * asked for SSE; only its path tells. */
static bool
is_streaming(const struct message *m)
{
	static const char *const type[] = {
		"text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl",
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
	return m->head->status == 200 && media_is(p, n, "application/json") &&
	    memmem(m->x->text + m->x->method, m->x->path, ":streamGenerateContent", 22);
}

static int body_sink(void *arg, const void *p, size_t n);

/* Content codings, then transfer codings but chunked, as they were applied. */
static void
decoder_set(struct message *m)
{
	struct bytes list = { 0 };
	bool unknown = false, none = true;
	int rc = head_join(m->head, "content-encoding", &list);
	size_t len;

	m->coded = list.n > 0;
	rc |= head_join(m->head, "transfer-encoding", &list);
	len = list.n;
	if (len >= 7 && !strncasecmp(list.p + len - 7, "chunked", 7))
		len -= 7;
	while (len && (list.p[len - 1] == ' ' || list.p[len - 1] == ','))
		len--;
	if (len)
		m->dec = decode_new(list.p, len, body_sink, m, &unknown, &none);
	m->undecoded = unknown;
	if (rc || (len && !m->dec && !unknown && !none))
		m->w->nomem = true;
	bytes_free(&list);
}

/* --- lines -------------------------------------------------------------------------- */

/* Type, envelope, conn, id. ns 0: when the message began. */
static void
line_begin(const struct message *m, struct jput *j, const char *type, uint64_t ns)
{
	struct writer *w = m->w;
	char number[32];
	int n = snprintf(number, sizeof(number), "%s%" PRIu64, m->x->sep, m->x->number);

	event_scan(&w->env, m->env.p, m->env.n);
	jput_open(j, w->out, type);
	jput_inherit(j, &w->env, ns);
	jput_bytes(j, "conn", w->conn, w->connlen);
	w->id.n = 0;
	if (bytes_add(&w->id, w->conn, w->connlen) || bytes_add(&w->id, number, n))
		w->nomem = true;
	jput_bytes(j, "id", w->id.p, w->id.n);
}

static void
put_request_line(const struct message *m, struct jput *j)
{
	const struct exchange *x = m->x;

	if (!x->request)
		return;
	jput_bytes(j, "method", x->text, x->method);
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
	bytes_free(&coding);
	if (m->undecoded && m->len)
		jput_bool(j, "undecoded", true);
}

static void
put_protocol(const struct head *h, struct jput *j)
{
	char text[32];

	if (h->major >= 2)
		snprintf(text, sizeof(text), "HTTP/%u", h->major);
	else
		snprintf(text, sizeof(text), "HTTP/%u.%u", h->major, h->minor);
	jput_str(j, "protocol", text);
}

static void
put_upgrade(const struct head *h, struct jput *j)
{
	size_t n;
	const char *p = head_find(h, "upgrade", &n);

	if (p && head_has_token(h, "connection", "upgrade") && (!h->response || h->status == 101))
		jput_bytes(j, "upgrade", p, n);
}

static void
request_write(const struct message *m, const char *why)
{
	struct jput j;

	line_begin(m, &j, "http.request", 0);
	put_request_line(m, &j);
	put_protocol(m->head, &j);
	head_put(m->head, &j);
	put_body(m, &j);
	put_upgrade(m->head, &j);
	if (why)
		jput_str(&j, "incomplete", why);
	if (m->truncated)
		jput_bool(&j, "truncated", true);
	jput_close(&j);
}

static void
response_write(const struct message *m, const char *why)
{
	const struct exchange *x = m->x;
	struct jput j;

	line_begin(m, &j, "http.response", 0);
	put_request_line(m, &j);
	jput_uint(&j, "status_code", m->head->status);
	if (m->head->reason.n)
		jput_bytes(&j, "status_text", head_at(m->head, m->head->reason), m->head->reason.n);
	put_protocol(m->head, &j);
	if (m->ninterim) {
		jput_array(&j, "interim");
		for (unsigned i = 0; i < m->ninterim; i++)
			jput_uint(&j, NULL, m->interim[i]);
		jput_array_end(&j);
	}
	head_put(m->head, &j);
	put_body(m, &j);
	put_upgrade(m->head, &j);
	if (x->request && x->ended && m->env.ns >= x->last_ns)
		jput_ms(&j, "ttfb_ms", m->env.ns - x->last_ns);
	if (x->request && m->last_ns >= x->first_ns)
		jput_ms(&j, "duration_ms", m->last_ns - x->first_ns);
	if (m->streaming)
		jput_bool(&j, "streaming", true);
	if (why)
		jput_str(&j, "incomplete", why);
	if (m->truncated)
		jput_bool(&j, "truncated", true);
	jput_close(&j);
}

/* One http.body with what has gathered. */
static void
piece_write(struct message *m, bool last, const char *why)
{
	struct jput j;
	size_t n;
	const char *type = head_find(m->head, "content-type", &n);

	line_begin(m, &j, "http.body", m->last_ns);
	jput_uint(&j, "seq", m->seq);
	jput_uint(&j, "off", m->off);
	if (m->seq == 0) {
		put_request_line(m, &j);
		jput_uint(&j, "status_code", m->head->status);
		if (type)
			jput_bytes(&j, "content_type", type, n);
	}
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
		if (m->dec && m->len > w->max_body && m->len / RATIO > m->raw_len)
			take = 0;
	} else if (m->body.n + n > w->max_body) {
		take = w->max_body - m->body.n;
	}
	if (take && bytes_add(&m->body, p, take)) {
		w->nomem = true;
		return 1;
	}
	if (take < n) {
		loss_add(w->loss, "max_body", !m->truncated, m->dec ? 0 : n - take);
		m->truncated = true;
		if (m->dec) {
			m->len += take;
			if (m->streaming)
				piece_write(m, true, "max_body");
			return 1;
		}
	}
	m->len += n;
	if (m->streaming && m->body.n >= PIECE)
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

void
message_begin(struct message *m, struct writer *w, const struct head *h, struct exchange *x,
    struct envelope_text *env)
{
	struct message old = *m;

	*m = (struct message){ .open = true, .w = w, .head = h, .x = x, .env = *env, .last_ns = env->ns,
		.response = h->response, .body = old.body };
	*env = (struct envelope_text){ 0 };
	memcpy(m->interim, old.interim, sizeof(m->interim));
	m->ninterim = old.ninterim;
	m->body.n = 0;
	if (w->now > m->last_ns)
		m->last_ns = w->now;
	m->streaming = is_streaming(m);
	decoder_set(m);
}

void
message_body(struct message *m, const char *p, size_t n)
{
	if (m->w->now > m->last_ns)
		m->last_ns = m->w->now;
	m->raw_len += n;
	if (!m->dec) {
		body_sink(m, p, n);
		return;
	}
	if (m->closed || m->failed)
		return;
	switch (decode_feed(m->dec, p, n, m->streaming)) {
	case DECODE_BAD:
		m->failed = true;
		loss_add(m->w->loss, "bad_coding", 1, 0);
		message_cut(m, "encoding");
		break;
	case DECODE_NOMEM:
		m->w->nomem = true;
		break;
	default:
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
		piece_write(m, true, why);
}

/* Why a whole message is not whole after all: its coding had no end. */
static const char *
decoder_end(struct message *m)
{
	enum decode_rc rc;

	if (!m->dec || m->failed)
		return m->failed ? "encoding" : NULL;
	rc = decode_end(m->dec);
	m->undecoded = decode_is_raw(m->dec);
	if (rc == DECODE_BAD) {
		loss_add(m->w->loss, "bad_coding", 1, 0);
		return "encoding";
	}
	if (rc == DECODE_NOMEM)
		m->w->nomem = true;
	return rc == DECODE_CUT && m->raw_len ? "encoding" : NULL;
}

void
message_end(struct message *m, const char *why)
{
	const char *coding = decoder_end(m);

	if (!why) {
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
		request_write(m, why);
	}
	message_drop(m);
}

void
message_drop(struct message *m)
{
	decode_free(m->dec);
	m->dec = NULL;
	envelope_drop(&m->env);
	exchange_drop(m->x);
	m->x = NULL;
	m->open = false;
	bytes_reset(&m->body, KEEP);
}

size_t
message_held(const struct message *m)
{
	return m->body.cap + m->env.n + (m->dec ? decode_held(m->dec) : 0);
}
