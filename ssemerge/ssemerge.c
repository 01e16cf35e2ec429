/*
 * ssemerge - join the pieces of streamed model answers
 * reads   http.body     pieces of a streaming body, by id
 *         http.response whose body is a stream, whatever its headers say
 *         ws.message    of OpenAI Responses over WebSocket
 * writes  sse.delta     what has grown, with --deltas
 *         sse.message   one per stream: the object that the vendor would have
 *                       sent unstreamed; everything else goes on unchanged
 * keeps   per stream the message so far and the event that is incomplete; at
 *         most --max-streams of --max-message, together --max-memory
 */
#include "lib/flow.h"
#include "lib/jput.h"
#include "lib/lenient.h"
#include "lib/stage.h"
#include "ssemerge/response.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

/* One body. Once written it stays, empty, until its last piece. */
struct stream {
	struct response response;
	char *head;		/* of the sse.message line: up to "id"; then "path" and so on */
	size_t headlen, taillen;
	uint64_t seq, off;	/* expected next */
	uint64_t first_ns, last_ns, token_ns;	/* times of pieces */
	size_t charged;
	bool begun, hole, token, written;
	bool foreign;		/* no stream of events: its lines pass */
	const char *incomplete;	/* what the last piece said */
};

struct ssemerge {
	int64_t max_streams;
	uint64_t max_message, max_memory, idle_ns;
	bool raw, deltas;
	struct event *at;	/* the event at hand; NULL: none */
	struct flow_table *flows;
	struct flow_table *gone;	/* ids of streams that were written early */
	struct stage_io *io;
	struct event scan;	/* of the data of events */
	struct line_out scratch;	/* JSON made in memory; never flushed */
	char *repaired;		/* a message of a socket that is no strict JSON */
};

/* --- the message out -------------------------------------------------------- */

/* NULL when the message is whole. why: what ended the stream. */
static const char *
why_incomplete(const struct stream *s, const char *why)
{
	const struct response *a = &s->response;
	uint64_t bytes;

	if (s->hole || a->aws.bad)
		return "hole";
	if (response_limited(a, &bytes))
		return "limit";
	if (a->merge.ended)
		return NULL;
	if (a->merge.error)
		return "error";
	return why || a->merge.format == &merge_generic ? why : "no_end";
}

static void
count_losses(struct ssemerge *self, const struct stream *s)
{
	struct loss *loss = &self->io->loss;
	const struct response *a = &s->response;
	uint64_t bytes, unexpected = a->values.unexpected;

	if (response_limited(a, &bytes))
		loss_add(loss, "max_message", 1, bytes);
	if (a->merge.bad || unexpected || a->aws.bad)
		loss_add(loss, "bad_data", a->merge.bad + a->aws.bad + (unexpected > 0),
		    unexpected);
	if (a->bad_utf8 || a->merge.halves)
		loss_add(loss, "bad_utf8", a->bad_utf8 + a->merge.halves, a->bad_utf8_bytes);
}

static void
stream_release(struct stream *s)
{
	response_free(&s->response);
	free(s->head);
	s->head = NULL;
}

/* How much of a text that goes on can be shown: whole words, so that what is to be
 * looked for in it (a key) comes in one piece. */
static size_t
words_of(const struct text *t)
{
	enum { LONG = 4096 };	/* longer than any word */
	size_t n = t->n;

	while (n && !strchr(" \n\t", t->p[n - 1]))
		n--;
	return n || t->n < LONG ? n : t->n;
}

/* What has grown, as sse.delta lines. last: nothing grows any more. */
static void
stream_deltas(struct ssemerge *self, struct stream *s, bool last)
{
	static const char *const kinds[] = { "text", "reasoning", "tool", "arguments" };
	struct merge *m = &s->response.merge;
	const json_t *model = json_object_get(m->root, "model");
	size_t done = 0, unused = 0;

	for (; done < m->ndelta && self->at; done++) {
		struct merge_delta *d = &m->delta[done];
		bool goes_on = done + 1 == m->ndelta && !last && d->kind != MERGE_TOOL;
		size_t n = goes_on ? words_of(&d->text) : d->text.n, whole = n;
		struct jput j;

		if (n) {
			if (m->builder.halves && !goes_on)
				n = lenient_settle(d->text.p, n, &unused);
			jput_open(&j, &self->io->out, "sse.delta");
			jput_inherit(&j, self->at, 0);
			jput_copy(&j, self->at, "conn");
			jput_copy(&j, self->at, "id");
			jput_str(&j, "kind", kinds[d->kind]);
			jput_bytes(&j, "text", d->text.p, n);
			if (json_string_length(model))
				jput_str(&j, "model", json_string_value(model));
			jput_close(&j);
		}
		if (goes_on) {
			if (whole)
				memmove(d->text.p, d->text.p + whole, d->text.n - whole);
			d->text.n -= whole;
			break;
		}
	}
	merge_said(m, done);
}

static void
stream_write(struct ssemerge *self, struct stream *s, const char *why)
{
	struct line_out *out = &self->io->out;
	struct jput j = { out, true };
	struct text text = { 0 };
	const json_t *message;

	if (self->deltas)
		stream_deltas(self, s, true);
	message = response_message(&s->response, &text);

	why = why_incomplete(s, why);
	line_add(out, s->head, s->headlen);
	jput_str(&j, "format", s->response.merge.format->name);
	line_add(out, s->head + s->headlen, s->taillen);
	jput_json(&j, "message", message);
	jput_bytes(&j, "text", text.p ? text.p : "", text.n);
	jput_uint(&j, "events", s->response.events);
	if (s->token && s->token_ns >= s->first_ns)
		jput_ms(&j, "first_token_ms", s->token_ns - s->first_ns);
	if (s->last_ns >= s->first_ns)
		jput_ms(&j, "duration_ms", s->last_ns - s->first_ns);
	jput_bool(&j, "complete", !why);
	if (why)
		jput_str(&j, "incomplete", why);
	if (s->response.merge.error)
		jput_json(&j, "error", s->response.merge.error);
	lenient_put(s->response.merge.lenient, &j);
	jput_close(&j);
	free(text.p);
	count_losses(self, s);
	stream_release(s);
	s->written = true;
}

/* --- pieces ------------------------------------------------------------------- */

/* Renders what the message inherits from its first piece. */
static void
stream_head(struct ssemerge *self, struct stream *s, const struct event *ev)
{
	static const char *const tail[] = { "path", "path_b64", "host", "method", "status_code",
		"headers", "pairing_uncertain" };
	struct line_out *out = &self->scratch;
	struct jput j;

	jput_open(&j, out, "sse.message");
	jput_inherit(&j, ev, 0);
	jput_copy(&j, ev, "conn");
	jput_copy(&j, ev, "id");
	s->headlen = out->len;
	for (size_t i = 0; i < sizeof(tail) / sizeof(*tail); i++)
		jput_copy(&j, ev, tail[i]);
	s->taillen = out->len - s->headlen;
	if (out->err || !(s->head = malloc(out->len)))
		err(1, "start of a stream");
	memcpy(s->head, out->buf, out->len);
	out->len = 0;
}

static void
stream_begin(struct ssemerge *self, struct stream *s, struct event *ev)
{
	const char *type = event_str(ev, "content_type", NULL), *path;
	size_t n = 0;
	bool lines;

	s->begun = true;
	s->foreign = framing_of(type, &lines) == FRAMING_NONE || event_bool(ev, "undecoded");
	if (s->foreign)
		return;
	path = event_str(ev, "path", &n);
	response_init(&s->response, &self->scan, type, path, n, self->max_message);
	s->response.merge.watched = self->deltas;
	stream_head(self, s, ev);
	s->first_ns = event_time(ev);
}

/* Bytes of the body; whole: the data of one event. */
static void
stream_feed(struct ssemerge *self, struct stream *s, const char *p, size_t n, bool whole)
{
	if (s->written)
		return;
	if (whole ? response_value(&s->response, p, n) : response_feed(&s->response, p, n))
		errx(1, "out of memory in a stream");
	if (s->response.merge.content && !s->token) {
		s->token = true;
		s->token_ns = s->last_ns;
	}
	if (s->response.done)
		stream_write(self, s, NULL);
	else if (self->deltas)
		stream_deltas(self, s, false);
}

/* The one way out of the table. */
static void
stream_finish(void *arg, void *entry, enum flow_why why)
{
	struct ssemerge *self = arg;
	struct stream *s = entry;
	const char *reason = s->incomplete ? s->incomplete : why == FLOW_END ? NULL :
	flow_why_name(why);

	if (!s->begun || s->foreign)
		return;
	if (why == FLOW_FULL || why == FLOW_IDLE) {	/* more of it may come */
		size_t n;
		const void *key = flow_key(s, &n);

		flow_get(self->gone, key, n, self->io->now);
	}
	if (s->written)
		return;
	if (why == FLOW_FULL)
		loss_add(&self->io->loss, "evicted", 1, s->charged);
	if (response_end(&s->response, reason))
		errx(1, "out of memory at the end of a stream");
	stream_write(self, s, reason);
}

/* Accounts what the stream holds now; others may have to go for it. */
static void
stream_charge(struct ssemerge *self, struct stream *s)
{
	size_t now = s->written ? 0 : response_memory(&s->response) + s->headlen + s->taillen;

	if (flow_charge(self->flows, s, (ptrdiff_t)now - (ptrdiff_t)s->charged) == 0)
		s->charged = now;
	else	/* alone too large: it grows no more */
		s->response.merge.builder.max = s->response.merge.builder.memory;
}

/* The reason that a last piece gives. */
static const char *
reason_of(const struct event *ev)
{
	static const char *const known[] = { "eof", "idle", "evicted", "hole", "error", "limit",
		"close",
	    "malformed", "encoding", "max_body" };
	struct value v = event_get(ev, "incomplete");

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (value_eq(v, known[i]))
			return known[i];
	return value_given(v) && v.kind != VALUE_FALSE ? "error" : NULL;
}

/* Whether the piece is the one expected; finds holes and repetitions. */
static bool
in_order(struct ssemerge *self, struct stream *s, const struct event *ev, size_t n)
{
	uint64_t seq = s->seq, off = s->off;

	event_u64(ev, "seq", &seq);
	event_u64(ev, "off", &off);
	if (off < s->off || seq < s->seq) {
		loss_add(&self->io->loss, "repeated", 1, n);
		return false;
	}
	if (off > s->off || seq > s->seq) {
		loss_add(&self->io->loss, "hole", 1, off - s->off);
		s->hole = true;
		if (!s->written)
			response_hole(&s->response);
	}
	s->seq = seq + 1;
	s->off = off + n;
	return true;
}

static struct stream *
stream_get(struct ssemerge *self, struct event *ev, const char *id, size_t n)
{
	uint64_t seq = 1, t = self->io->now;
	struct stream *s = flow_find(self->flows, id, n, t);

	/* the same id from its beginning: a second recording behind the first */
	if (s && event_u64(ev, "seq", &seq) && seq == 0 && s->seq > 0) {
		flow_drop(self->flows, s, FLOW_EOF);
		s = NULL;
	}
	if (!s && !(s = flow_get(self->flows, id, n, t)))
		err(1, "new stream");
	if (!s->begun)
		stream_begin(self, s, ev);
	return s;
}

/* A piece of a stream whose message was written before its time: there is one
 * message per stream, so it is counted and ignored. */
static bool
too_late(struct ssemerge *self, struct event *ev, const char *id, size_t n)
{
	void *gone = flow_find(self->gone, id, n, self->io->now);
	uint64_t seq = 1;
	size_t len = 0;

	if (!gone)
		return false;
	if (event_u64(ev, "seq", &seq) && seq == 0) {
		flow_drop(self->gone, gone, FLOW_END);
		return false;
	}
	event_bytes(ev, "data", &len);
	loss_add(&self->io->loss, "late", 1, len);
	if (event_bool(ev, "last"))
		flow_drop(self->gone, gone, FLOW_END);
	return true;
}

/* Passes a line on before what it completes, not behind: STAGE_WRITTEN. */
static void
pass_first(struct stage_io *io, const struct event *ev)
{
	line_put(&io->out, ev->line, ev->len);
}

static enum verdict
body(struct ssemerge *self, struct event *ev, struct stage_io *io)
{
	struct stream *s;
	const char *id, *data;
	size_t idlen, n = 0;
	enum verdict done = self->raw ? STAGE_WRITTEN : STAGE_DROP;

	if (!(id = event_str(ev, "id", &idlen))) {	/* it belongs nowhere */
		loss_add(&io->loss, "bad_piece", 1, ev->len);
		return STAGE_PASS;
	}
	if (too_late(self, ev, id, idlen)) {
		return self->raw ? STAGE_PASS : STAGE_DROP;
	}
	s = stream_get(self, ev, id, idlen);
	if (s->foreign) {
		if (event_bool(ev, "last"))
			flow_drop(self->flows, s, FLOW_END);
		return STAGE_PASS;
	}
	if (self->raw)
		pass_first(io, ev);
	data = event_bytes(ev, "data", &n);
	if (!in_order(self, s, ev, n))
		return done;
	if (event_time(ev) > s->last_ns && !s->written)
		s->last_ns = event_time(ev);
	stream_feed(self, s, data, n, false);
	if (event_bool(ev, "last")) {
		s->incomplete = reason_of(ev);
		flow_drop(self->flows, s, FLOW_END);
	} else {
		stream_charge(self, s);
	}
	return done;
}

/* --- Responses over WebSocket --------------------------------------------------- */

/* The turn that a message belongs to: begun by response.created, one at a time
 * per socket, or per stream_id where turns run beside each other. */
static struct stream *
turn_get(struct ssemerge *self, struct event *ev, bool created)
{
	size_t idlen = 0, sidlen = 0;
	const char *id = event_str(ev, "id", &idlen);
	const char *sid = value_str(&ev->arena, event_get(&self->scan, "stream_id"), &sidlen);
	char *key = id ? arena_get(&ev->arena, idlen + sidlen + 4) : NULL;
	struct stream *s;
	size_t n;

	if (!key)
		return NULL;
	memcpy(key, "ws", 3);
	memcpy(key + 3, id, idlen);
	key[3 + idlen] = '\0';
	memcpy(key + 4 + idlen, sid ? sid : "", sidlen);
	n = 4 + idlen + sidlen;
	s = flow_find(self->flows, key, n, self->io->now);
	if (!created)
		return s;
	if (s)
		flow_drop(self->flows, s, FLOW_EOF);
	if (!(s = flow_get(self->flows, key, n, self->io->now)))
		err(1, "new stream");
	s->begun = true;
	response_init(&s->response, &self->scan, NULL, "/responses", 10, self->max_message);
	s->response.merge.watched = self->deltas;
	stream_head(self, s, ev);
	s->first_ns = event_time(ev);
	return s;
}

/* Scans a message, leniently when that is what it takes; false: no event. */
static bool
socket_scan(struct ssemerge *self, const char *p, size_t n)
{
	enum event_rc rc = event_scan(&self->scan, p, n);
	unsigned marks = 0;

	if (rc == EVENT_BAD) {
		free(self->repaired);
		self->repaired = lenient_json(p, n, false, &n, &marks);
		rc = self->repaired ? event_scan(&self->scan, self->repaired, n) : EVENT_BAD;
	}
	return rc == EVENT_OK;
}

/* The messages go on: they are also the requests, and not all of them events. */
static enum verdict
socket_message(struct ssemerge *self, struct event *ev, struct stage_io *io)
{
	size_t n = 0;
	const char *data = event_bytes(ev, "data", &n);
	struct value type;
	struct stream *s;
	bool created;

	if (!n || *data != '{' ||
	(!memmem(data, n, "response.", 9) && !memmem(data, n, "\"error\"", 7)))
		return STAGE_PASS;
	if (!socket_scan(self, data, n))
		return STAGE_PASS;
	type = event_get(&self->scan, "type");
	created = value_eq(type, "response.created") &&
	    value_eq(value_get(event_get(&self->scan, "response"), "object"), "response");
	/* what clients send */
	if ((!value_begins(type, "response.") && !value_eq(type, "error")) ||
	value_eq(type, "response.create") ||
	    value_eq(type, "response.cancel") || value_eq(type, "response.steer"))
		return STAGE_PASS;
	if (!(s = turn_get(self, ev, created)))
		return STAGE_PASS;
	pass_first(io, ev);
	s->last_ns = event_time(ev);
	stream_feed(self, s, data, n, true);
	if (s->written)
		flow_drop(self->flows, s, FLOW_END);
	else
		stream_charge(self, s);
	return STAGE_WRITTEN;
}

/* --- streams that came as a whole body ------------------------------------------------ */

/* Does a line of p[0..n) begin with this? */
static bool
has_line(const char *p, size_t n, const char *text)
{
	size_t k = strlen(text);

	for (const char *end = p + n, *at = p; (at = memmem(at, end - at, text, k)); at += k)
		if (at == p || at[-1] == '\n' || at[-1] == '\r')
			return true;
	return false;
}

/* Is a body that no header calls a stream one? Events begin with a field's name
 * or a comment and have data; values come one in a line. */
static bool
is_stream(const char *p, size_t n)
{
	static const char *const field[] = { "data:", "event:", "id:", "retry:", ":" };
	enum { LOOK = 64 << 10 };

	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
		p += 3;
		n -= 3;
	}
	for (; n && (*p == '\n' || *p == '\r'); n--)
		p++;
	if (n && *p == '{')
		return memmem(p, n, "}\n{", 3) || memmem(p, n, "}\r\n{", 4);
	for (size_t i = 0; i < sizeof(field) / sizeof(*field); i++)
		if (n > strlen(field[i]) && !memcmp(p, field[i], strlen(field[i])))
			return has_line(p, n < LOOK ? n : LOOK, "data:");
	return false;
}

/* From the first byte of the response to its last. */
static uint64_t
response_ns(const struct event *ev)
{
	double ttfb = 0, all = 0;

	value_f64(event_get(ev, "ttfb_ms"), &ttfb);
	value_f64(event_get(ev, "duration_ms"), &all);
	return all > ttfb && all - ttfb < 1e12 ? (uint64_t)((all - ttfb) * 1e6 + 0.5) : 0;
}

/* The message goes before the response: whoever reads on has it by then. When its
 * first piece came is not known. */
static enum verdict
whole(struct ssemerge *self, struct event *ev)
{
	struct value text = event_get(ev, "body");
	struct stream s = { .token = true };
	const char *reason = reason_of(ev), *p;
	int64_t status = 200;
	size_t n;

	event_i64(ev, "status_code", &status);
	if (status >= 400 || event_bool(ev, "streaming") || event_bool(ev, "undecoded") ||
	!event_get(ev, "id").kind ||
	    (text.kind == VALUE_STRING && text.n > 3 && text.p[1] == '<'))
		return STAGE_PASS;
	if (!(p = event_bytes(ev, "body", &n)) || !is_stream(p, n))
		return STAGE_PASS;
	stream_begin(self, &s, ev);
	s.last_ns = s.first_ns + response_ns(ev);
	stream_feed(self, &s, p, n, false);
	if (!s.written) {
		if (response_end(&s.response, reason))
			errx(1, "out of memory at the end of a stream");
		stream_write(self, &s, reason);
	}
	return STAGE_PASS;
}

/* --- the stage ---------------------------------------------------------------- */

static enum verdict
event(void *arg, struct event *ev, struct stage_io *io)
{
	struct ssemerge *self = arg;

	self->at = NULL;
	flow_expire(self->flows, io->now, self->idle_ns);
	self->at = ev;
	if (event_is(ev, "http.body"))
		return body(self, ev, io);
	if (event_is(ev, "http.response"))
		return whole(self, ev);
	return event_is(ev, "ws.message") ? socket_message(self, ev, io) : STAGE_PASS;
}

static int
start(void *arg, struct stage_io *io, int argc, char **argv)
{
	struct ssemerge *self = arg;

	(void)argc;
	(void)argv;
	self->io = io;
	event_init(&self->scan);
	line_out_init(&self->scratch, -1);
	self->flows = flow_new(sizeof(struct stream), self->max_streams, self->max_memory,
	stream_finish, self);
	self->gone = flow_new(1, self->max_streams, 0, NULL, NULL);
	if (!self->flows || !self->gone)
		err(1, "table of streams");
	return 0;
}

static void
end(void *arg, struct stage_io *io)
{
	struct ssemerge *self = arg;

	(void)io;
	self->at = NULL;
	flow_free(self->flows);
	flow_free(self->gone);
	event_free(&self->scan);
	free(self->repaired);
	line_out_free(&self->scratch);
}

int
main(int argc, char **argv)
{
	static struct ssemerge self = {
		.max_streams = 4096,
		.max_message = 16 << 20,
		.max_memory = 256 << 20,
		.idle_ns = 120 * 1000000000ull,
	};
	const struct opt opts[] = {
		{ .kind = OPT_FLAG, .name = "deltas", .to = &self.deltas,
		    .help = "write what grows as it comes, as sse.delta lines" },
		{ .kind = OPT_FLAG, .name = "raw", .to = &self.raw,
		.help = "pass the http.body lines on as well" },
		{ .kind = OPT_TIME, .name = "idle", .arg = "TIME", .to = &self.idle_ns,
		    .help = "write streams that were silent this long, as incomplete (120s)" },
		{ .kind = OPT_NUM, .name = "max-streams", .arg = "N", .to = &self.max_streams,
		    .help = "streams open at a time (4096)", .lo = 1, .hi = 1 << 24 },
		{ .kind = OPT_SIZE, .name = "max-message", .arg = "SIZE", .to = &self.max_message,
		    .help = "largest message, and largest event (16M)", .lo = 1 << 10,
		    .hi = 1LL << 32 },
		{ .kind = OPT_SIZE, .name = "max-memory", .arg = "SIZE", .to = &self.max_memory,
		    .help = "all messages in the making together (256M)", .lo = 1 << 16,
		    .hi = 1LL << 40 },
		{ .kind = OPT_END },
	};
	const struct stage stage = {
		.use = { "ssemerge", "[OPTION]... [FILE]...",
		"Join the pieces of streamed model answers.", { opts } },
		.start = start,
		.event = event,
		.end = end,
	};

	return stage_run(&stage, &self, argc, argv);
}
