/* socket.c - OpenAI Responses over a WebSocket; see socket.h */
#include "llmparse/socket.h"

#include "lib/flow.h"
#include "lib/lenient.h"
#include "lib/line.h"
#include "lib/loss.h"

#include <err.h>
#include <stdlib.h>

enum {
	EMITTED = 8,		/* ids of responses remembered, so that none is emitted twice */
	/* bytes that are said in a Realtime session between two responses */
	SAID_MAX = 1 << 20,
};

/* A piece of JSON kept. */
struct kept {
	char *p;
	size_t n, cap;
};

struct turn {
	struct turn *next;
	struct call call;
	struct kept lane;	/* stream_id */
	struct kept response;	/* the response's id */
	struct kept begun;	/* the response as it began */
	struct kept items;	/* of the output that are complete, with commas */
	uint64_t first_ns;
	size_t charged;
};

struct socket {
	struct socket *next, **prev;
	struct turn *first;
	struct kept conn, headers, host, path;
	uint64_t turns;
	uint64_t emitted[EMITTED];	/* hashes */
	unsigned nemitted;
	bool hinted;		/* by the upgrade: host or path */
	bool realtime;
	/* of Realtime: of the session; what was said since the last turn */
	struct kept model, instructions, input;
};

struct sockets {
	struct sockets_conf conf;
	struct flow_table *flows;
	struct socket *first;	/* all */
	struct line_out scratch;
	struct event scan;
	struct event *at;	/* the event at hand; NULL: none */
	unsigned marks;		/* of it (lenient.h) */
};

static void
keep(struct kept *k, const char *p, size_t n)
{
	if (k->n + n > k->cap) {
		size_t cap = k->cap ? k->cap : 64;
		char *t;

		while (cap < k->n + n)
			cap *= 2;
		if (!(t = realloc(k->p, cap)))
			err(1, "websocket");
		k->p = t;
		k->cap = cap;
	}
	memcpy(k->p + k->n, p, n);
	k->n += n;
}

static void
keep_value(struct kept *k, struct value v)
{
	k->n = 0;
	if (is_given(v))
		keep(k, v.p, v.n);
}

static struct value
kept_value(const struct kept *k, enum value_kind kind)
{
	struct value v = { k->p, k->n, k->n ? kind : VALUE_NONE, k->n && memchr(k->p, '\\', k->n) };

	return v;
}

static bool
kept_is(const struct kept *k, struct value v)
{
	return v.kind == VALUE_STRING && k->n == v.n && !memcmp(k->p, v.p, v.n);
}

/* --- turns ------------------------------------------------------------------------- */

static void
turn_free(struct turn *t)
{
	call_free(&t->call);
	free(t->lane.p);
	free(t->response.p);
	free(t->begun.p);
	free(t->items.p);
	free(t);
}

static uint64_t
hash_of(struct value id)
{
	return list_digest(&id, 1, NULL).h[0];
}

static bool
was_emitted(const struct socket *s, struct value id)
{
	for (unsigned i = 0; i < EMITTED && i < s->nemitted; i++)
		if (s->emitted[i] == hash_of(id))
			return true;
	return false;
}

/* The response in which the output is what came before: the members of the
 * last one, or of the first when no last came. In scratch memory. */
static struct value
with_items(struct sockets *w, const struct turn *t, struct value response)
{
	struct line_out *out = &w->scratch;
	struct jput j = { out, false };
	struct value_iter it;
	struct value k, v;

	out->len = 0;
	arena_reset(&w->scan.arena);
	jput_object(&j, NULL);
	value_iter(&it, response);
	while (response.kind == VALUE_OBJECT && value_next(&it, &k, &v)) {
		char name[64];

		if (value_eq(k, "output") || k.escaped || k.n > sizeof(name))
			continue;
		memcpy(name, k.p + 1, k.n - 2);
		name[k.n - 2] = '\0';
		jput_value(&j, name, v);
	}
	jput_array(&j, "output");
	jput_raw(&j, NULL, t->items.p ? t->items.p : "", t->items.n);
	jput_array_end(&j);
	jput_object_end(&j);
	return out->err ? response : event_scan_value(&w->scan, out->buf, out->len);
}

/* Removes a turn and emits it. */
static void
turn_emit(struct sockets *w, struct socket *s, struct turn *t, struct call_response *r)
{
	struct turn **at = &s->first;
	struct value response = r->body;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (!is_given(response))
		response = kept_value(&t->begun, VALUE_OBJECT);
	t->call.responded = is_given(response) || t->items.n;
	if (!is_given(value_element(value_get(response, "output"), 0)) && t->items.n)
		r->body = with_items(w, t, response);
	else
		r->body = response;
	r->stream = true;
	r->first_ns = t->first_ns;
	if (is_text(value_get(r->body, "id")))
		s->emitted[s->nemitted++ % EMITTED] = hash_of(value_get(r->body, "id"));
	if (w->at)
		w->conf.first(w->conf.arg, w->at);
	call_emit(w->conf.caller, &t->call, r, w->conf.out);
	turn_free(t);
}

/* --- sockets ----------------------------------------------------------------------- */

/* Emits all turns. The socket itself stays: a merged message of a turn that
 * was cut comes later still. */
static void
socket_cut(struct sockets *w, struct socket *s, const char *why)
{
	while (s->first) {
		struct call_response r = { .ev = &w->scan, .why = why };

		arena_reset(&w->scan.arena);
		turn_emit(w, s, s->first, &r);
	}
}

static void
socket_finish(void *arg, void *entry, enum flow_why why)
{
	struct sockets *w = arg;
	struct socket *s = entry;

	for (struct turn *t = s->first; t && why == FLOW_FULL; t = t->next)
		loss_add(w->conf.loss, "evicted", 1, t->charged);
	socket_cut(w, s, flow_why_name(why));
	if (s->prev && (*s->prev = s->next))
		s->next->prev = s->prev;
	free(s->conn.p);
	free(s->headers.p);
	free(s->host.p);
	free(s->path.p);
	free(s->model.p);
	free(s->instructions.p);
	free(s->input.p);
}

struct sockets *
sockets_new(const struct sockets_conf *conf)
{
	struct sockets *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->conf = *conf;
	line_out_init(&w->scratch, -1);
	event_init(&w->scan);
	if ((w->flows = flow_new(sizeof(struct socket), conf->max, conf->max_memory, socket_finish,
	    w)))
		return w;
	free(w);
	return NULL;
}

void
sockets_free(struct sockets *w)
{
	if (!w)
		return;
	w->at = NULL;
	flow_free(w->flows);
	line_out_free(&w->scratch);
	event_free(&w->scan);
	free(w);
}

void
sockets_expire(struct sockets *w, uint64_t now, uint64_t idle_ns)
{
	w->at = NULL;
	flow_expire(w->flows, now, idle_ns);
}

static struct socket *
socket_at(struct sockets *w, struct event *ev, uint64_t now, bool make)
{
	size_t n;
	const char *id = event_str(ev, "id", &n);
	struct socket *s = id ? flow_find(w->flows, id, n, now) : NULL;

	if (s || !id || !make)
		return s;
	if (!(s = flow_get(w->flows, id, n, now)))
		err(1, "websocket");
	keep_value(&s->conn, event_get(ev, "conn"));
	if ((s->next = w->first))
		w->first->prev = &s->next;
	s->prev = &w->first;
	w->first = s;
	return s;
}

/* ?model=NAME of the upgrade. */
static void
realtime_model(struct socket *s, const char *path, size_t n)
{
	const char *at = memmem(path, n, "model=", 6), *end = path + n,
	    *stop = at ? memchr(at, '&', end - at) : NULL;

	if (!at)
		return;
	at += 6;
	end = stop ? stop : end;
	for (stop = at; stop < end; stop++)
		if (*stop == '"' || *stop == '\\' || (unsigned char)*stop < ' ')
			return;
	s->model.n = 0;
	keep(&s->model, "\"", 1);
	keep(&s->model, at, end - at);
	keep(&s->model, "\"", 1);
}

void
sockets_request(struct sockets *w, struct event *ev, uint64_t now)
{
	struct route route;
	struct socket *s;
	size_t host = 0, path = 0;
	const char *h = event_str(ev, "host", &host), *p = event_str(ev, "path", &path);

	bool realtime = path && memmem(p, path, "/realtime", 9);

	route_find(&route, h, host, p, path);
	if (!route.provider && route.vendor != &vendor_responses && !realtime)
		return;
	w->at = ev;
	if ((s = socket_at(w, ev, now, false)))	/* the same id again */
		flow_drop(w->flows, s, FLOW_EOF);
	if (!(s = socket_at(w, ev, now, true)))
		return;
	keep_value(&s->headers, event_get(ev, "headers"));
	keep_value(&s->host, event_get(ev, "host"));
	keep_value(&s->path, event_get(ev, "path"));
	s->hinted = true;
	s->realtime = realtime;
	if (realtime)
		realtime_model(s, p, path);
}

static void
charge(struct sockets *w, struct socket *s, struct turn *t)
{
	size_t now = call_size(&t->call) + sizeof(*t) + t->begun.cap + t->items.cap;

	if (flow_charge(w->flows, s, (ptrdiff_t)now - (ptrdiff_t)t->charged) == 0) {
		t->charged = now;
		return;
	}
	loss_add(w->conf.loss, "evicted", 1, t->items.n);	/* alone too large: grows no more */
	t->items.n = 0;
	free(t->items.p);
	t->items = (struct kept){ 0 };
}

/* --- the client's side ------------------------------------------------------------- */

static void
on_create(struct sockets *w, struct socket *s, struct event *ev, struct value v)
{
	struct value nested = value_get(v, "response"), none = { 0 };
	struct value body = nested.kind == VALUE_OBJECT ? nested : v;
	struct call_request rq = { .ev = ev, .vendor = s->realtime ? &vendor_realtime :
		&vendor_responses, .body = body };
	struct turn *t = calloc(1, sizeof(*t)), **end = &s->first;
	struct route route;

	if (!t)
		err(1, "websocket");
	rq.host.p = value_str(&ev->arena, kept_value(&s->host, VALUE_STRING), &rq.host.n);
	if (!rq.host.p)
		rq.host.n = 0;
	rq.comm.p = event_str(ev, "comm", &rq.comm.n);
	if (!rq.comm.p)
		rq.comm.n = 0;
	route_find(&route, rq.host.p, rq.host.n, NULL, 0);
	route.stream = true;
	rq.route = &route;
	rq.headers = s->headers.n ? kept_value(&s->headers, VALUE_OBJECT) : none;
	rq.turn = ++s->turns;
	rq.lenient = w->marks;
	if (call_request(w->conf.caller, &t->call, &rq))
		err(1, "websocket");
	t->call.confidence = ROUTE_CERTAIN;
	keep_value(&t->lane, value_get(v, "stream_id"));
	while (*end)
		end = &(*end)->next;
	*end = t;
	charge(w, s, t);
}

/* --- the server's side ------------------------------------------------------------- */

/* Whose event this is: by stream, by response, else the one that waits longest. */
static struct turn *
turn_of(struct socket *s, struct value lane, struct value response)
{
	struct turn *t;

	for (t = s->first; t; t = t->next)
		if (is_text(lane) ? kept_is(&t->lane, lane) : is_text(response) &&
		    kept_is(&t->response, response))
			return t;
	for (t = s->first; t && !is_text(lane); t = t->next)
		if (!is_text(response) || !t->response.n)
			return t;
	return NULL;
}

/* --- Realtime ----------------------------------------------------------------------- */

static void
realtime_say(struct sockets *w, struct socket *s, struct value item)
{
	if (item.kind != VALUE_OBJECT)
		return;
	if (s->input.n + item.n > SAID_MAX) {
		loss_add(w->conf.loss, "evicted", 1, item.n);
		return;
	}
	if (s->input.n)
		keep(&s->input, ",", 1);
	keep(&s->input, item.p, item.n);
}

/* The words of what a user said, once they are known. */
static void
realtime_heard(struct sockets *w, struct socket *s, struct value transcript)
{
	struct jput j = { &w->scratch, false };
	struct value v;

	w->scratch.len = 0;
	jput_object(&j, NULL);
	jput_str(&j, "role", "user");
	jput_array(&j, "content");
	jput_object(&j, NULL);
	jput_str(&j, "type", "input_text");
	jput_value(&j, "text", transcript);
	jput_object_end(&j);
	jput_array_end(&j);
	jput_object_end(&j);
	v = (struct value){ w->scratch.buf, w->scratch.len, VALUE_OBJECT, true };
	if (!w->scratch.err && is_text(transcript))
		realtime_say(w, s, v);
}

/* A turn with all that was said since the one before. */
static void
realtime_create(struct sockets *w, struct socket *s, struct event *ev, struct value v)
{
	struct jput j = { &w->scratch, false };
	struct value own = value_get(value_get(v, "response"), "instructions");

	w->scratch.len = 0;
	jput_object(&j, NULL);
	if (s->model.n)
		jput_raw(&j, "model", s->model.p, s->model.n);
	if (is_text(own))
		jput_value(&j, "instructions", own);
	else if (s->instructions.n)
		jput_raw(&j, "instructions", s->instructions.p, s->instructions.n);
	jput_array(&j, "input");
	if (s->input.n)
		jput_raw(&j, NULL, s->input.p, s->input.n);
	jput_array_end(&j);
	jput_object_end(&j);
	s->input.n = 0;
	if (!w->scratch.err)
		on_create(w, s, ev, event_scan_value(ev, w->scratch.buf, w->scratch.len));
}

/* What Realtime has besides responses. True: it is dealt with. */
static bool
realtime_event(struct sockets *w, struct socket *s, struct event *ev, struct value type,
    struct value v)
{
	struct value session = value_get(v, "session");

	if (text_begins(type, "session.") || value_eq(type, "transcription_session.update")) {
		if (is_text(value_get(session, "model")))
			keep_value(&s->model, value_get(session, "model"));
		if (is_text(value_get(session, "instructions")))
			keep_value(&s->instructions, value_get(session, "instructions"));
	} else if (value_eq(type, "conversation.item.create")) {
		realtime_say(w, s, value_get(v, "item"));
	} else if (value_eq(type, "conversation.item.input_audio_transcription.completed")) {
		realtime_heard(w, s, value_get(v, "transcript"));
	} else if (value_eq(type, "response.create")) {
		realtime_create(w, s, ev, v);
	} else if (value_eq(type, "response.created") && !s->first) {
		realtime_create(w, s, ev, (struct value){ 0 });	/* the user stopped to speak */
		return false;
	} else {
		return !text_begins(type, "response.") && !value_eq(type, "error");
	}
	return true;
}

/* --- the server's side, of both ------------------------------------------------------- */

static void
on_item(struct sockets *w, struct socket *s, struct turn *t, struct value item)
{
	if (item.kind != VALUE_OBJECT)
		return;
	if (t->items.n)
		keep(&t->items, ",", 1);
	keep(&t->items, item.p, item.n);
	charge(w, s, t);
}

static bool
is_last(struct value type)
{
	return value_eq(type, "response.completed") || value_eq(type, "response.incomplete") ||
	    value_eq(type, "response.failed") || value_eq(type, "response.done") ||
	    value_eq(type, "error") ||
	    value_eq(type, "response.cancelled");
}

static void
on_last(struct sockets *w, struct socket *s, struct turn *t, struct event *ev, struct value v)
{
	static const char *const key[] = { "type", "response", "error", "status", "status_code" };
	struct call_response r = { .ev = ev, .end_ns = event_time(ev), .lenient = w->marks };
	struct value m[5];

	MEMBERS(v, key, m);
	r.body = m[1];
	if (value_eq(m[0], "error")) {
		r.error = is_given(m[2]) ? m[2] : v;
		if (!value_i64(first_given(m[3], m[4]), &r.status))
			r.status = 0;
		if (r.status < 100 || r.status > 999)
			r.status = 0;
	}
	turn_emit(w, s, t, &r);
}

static void
on_server(struct sockets *w, struct socket *s, struct event *ev, struct value v)
{
	static const char *const key[] = { "type", "response", "stream_id", "item", "response_id" };
	struct value m[5], id;
	struct turn *t;

	MEMBERS(v, key, m);
	id = first_given(value_get(m[1], "id"), m[4]);
	if ((is_text(id) && was_emitted(s, id)) || !(t = turn_of(s, m[2], id)))
		return;
	if (is_text(id) && !t->response.n)
		keep_value(&t->response, id);
	if (is_last(m[0])) {
		on_last(w, s, t, ev, v);
	} else if (value_eq(m[0], "response.output_item.done")) {
		on_item(w, s, t, m[3]);
	} else if (text_ends(m[0], ".delta")) {
		if (!t->first_ns)
			t->first_ns = event_time(ev);
	} else if (m[1].kind == VALUE_OBJECT && !t->begun.n) {
		keep_value(&t->begun, m[1]);
		charge(w, s, t);
	}
}

static bool
is_close(struct value opcode)
{
	int64_t n;

	return value_eq(opcode, "close") || (value_i64(opcode, &n) && n == 8);
}

void
sockets_message(struct sockets *w, struct event *ev, uint64_t now)
{
	struct socket *s = socket_at(w, ev, now, false);
	struct value type, v, data = event_get(ev, "data");
	const char *p;
	size_t n;

	w->at = ev;
	w->marks = 0;
	if (is_close(event_get(ev, "opcode"))) {
		if (s)
			socket_cut(w, s, "close");
		return;
	}
	/* without its upgrade, a socket is known by its first request */
	if (!text_begins(data, "{") || (!s && !memmem(data.p, data.n, "response.create\\\"", 17)) ||
	    !(p = event_str(ev, "data", &n)))
		return;
	v = lenient_scan(ev, p, n, &w->marks);
	type = value_get(v, "type");
	if (s && s->realtime && realtime_event(w, s, ev, type, v))
		return;
	if (value_eq(type, "response.create")) {
		struct value body = value_get(v, "response").kind == VALUE_OBJECT ? value_get(v,
		    "response") : v;

		if ((s && s->hinted) ||
		    (is_text(value_get(body, "model")) && is_given(value_get(body, "input"))))
			on_create(w, socket_at(w, ev, now, true), ev, v);
	} else if (s && (text_begins(type, "response.") || value_eq(type, "error"))) {
		on_server(w, s, ev, v);
	}
}

bool
sockets_merged(struct sockets *w, struct event *ev, const struct call_response *merged,
    uint64_t now)
{
	struct socket *s = socket_at(w, ev, now, false);
	struct value id = value_get(merged->body, "id");
	struct call_response r = *merged;
	struct turn *t;

	if (!s)
		return false;
	w->at = ev;
	if (is_text(id) && !was_emitted(s, id) &&
	    (t = turn_of(s, value_get(merged->body, "stream_id"), id)))
		turn_emit(w, s, t, &r);
	return true;
}

void
sockets_close(struct sockets *w, struct event *ev, struct value conn)
{
	w->at = ev;
	for (struct socket *s = w->first; s; s = s->next)
		if (s->conn.n == conn.n && !memcmp(s->conn.p, conn.p, conn.n))
			socket_cut(w, s, "close");
}
