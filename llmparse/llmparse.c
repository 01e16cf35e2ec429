/*
 * llmparse - find model calls among other HTTP, and what they say
 * reads   http.request http.response    by id
 *         sse.message                   the answer of a stream, same id
 *         ws.message                    OpenAI Responses, Realtime, Gemini Live
 *         stdio.data                    MCP over standard input and output
 *         ssl.close tcp.close           end what is open on a connection
 *         process.exit                  ends what was asked of a tool server
 * writes  llm.call   one per model call, and
 *         mcp.call   one per MCP request or notification, after the line that
 *                    completes it; everything else goes on unchanged
 * keeps   per open call the half of its line that the request gives, at most
 *         --max-calls and --max-memory; of --max-history requests a digest and
 *         the name of the conversation
 */
#include "lib/flow.h"
#include "lib/lenient.h"
#include "lib/stage.h"
#include "llmparse/call.h"
#include "llmparse/talk.h"
#include "llmparse/mcp.h"
#include "llmparse/socket.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* A call that is open, in the table by its id. */
struct open {
	struct call call;
	char *conn;		/* as JSON */
	size_t connlen;
	struct open *next, **prev;
};

/* A call whose response is still being made, in the table by the response's id. */
struct background {
	struct call call;
	char *body;		/* the response as it was last, as JSON */
	size_t len;
	int64_t status;
	bool stream;
};

struct llmparse {
	int64_t max_calls, max_history;
	uint64_t max_memory, max_message, idle_ns;
	enum call_content content;
	struct flow_table *calls, *background;
	struct flow_table *emitted;	/* ids of calls whose requests had not been seen */
	struct open *first;	/* of all in the table */
	struct caller caller;
	struct sockets *sockets;
	struct talks *talks;
	struct mcp *mcp;
	struct stage_io *io;
	struct event scratch;	/* for calls that end without a line of their own */
	uint64_t forgotten;
	bool passed;		/* the line at hand has been written */
};

/* --- lines ------------------------------------------------------------------------ */

/* New lines come behind the one that completes them. */
static void
pass_first(void *arg, const struct event *ev)
{
	struct llmparse *self = arg;

	if (self->passed)
		return;
	line_put(&self->io->out, ev->line, ev->len);
	self->passed = true;
}

static struct client_text
text_of(struct event *ev, const char *key)
{
	struct client_text t = { 0 };

	t.p = event_bytes(ev, key, &t.n);
	return t.p ? t : (struct client_text){ 0 };
}

/* Does the text begin as a JSON object or array does? n bytes as they stand in the
 * line (raw: with escapes). */
static bool
looks_json(const char *p, size_t n, bool raw)
{
	const char *end = p + n;

	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	else if (raw && n >= 6 && !strncasecmp(p, "\\ufeff", 6))
		p += 6;
	while (p < end &&
	    (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t' ||
	    (raw && *p == '\\' && end - p > 1 &&
	    (p[1] == 'n' || p[1] == 'r' || p[1] == 't') && p++)))
		p++;
	return p < end && (*p == '{' || *p == '[');
}

/* The body as JSON; kind VALUE_NONE when it is none. */
static struct value
body_of(struct event *ev, unsigned *marks)
{
	struct value text = event_get(ev, "body"), none = { 0 };
	const char *p;
	size_t n;

	if (text.kind == VALUE_STRING && !looks_json(text.p + 1, text.n - 2, true))
		return none;
	if (!(p = event_bytes(ev, "body", &n)) || !looks_json(p, n, false))
		return none;
	return lenient_scan(ev, p, n, marks);
}

static struct value
word(const char *json)
{
	return (struct value){ .kind = VALUE_STRING, .p = json, .n = strlen(json) };
}

/* A body of a call that cannot be read: counted, and a reason why the call is not whole. */
static void
bad_body(struct llmparse *self, struct value body, struct value *incomplete)
{
	loss_add(&self->io->loss, "bad_body", 1, body.n);
	if (!is_text(*incomplete))
		*incomplete = word("\"not_json\"");
}

/* Why a message is not whole, as a JSON string; VALUE_NONE: it is. */
static struct value
missing_of(struct event *ev)
{
	struct value v = event_get(ev, "incomplete");

	return is_text(v) || !event_bool(ev, "truncated") ? v : word("\"truncated\"");
}

/* The marks that a stage before has put on the line. */
static unsigned
marks_of(const struct event *ev)
{
	struct value list = event_get(ev, "lenient"), k, v;
	struct value_iter it;
	unsigned marks = 0;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		if (v.kind == VALUE_STRING)
			marks |= lenient_mark(v.p + 1, v.n - 2);
	return marks;
}

static void
route_of(struct event *ev, struct route *p)
{
	struct client_text host = text_of(ev, "host"), path = text_of(ev, "path");

	route_find(p, host.p, host.n, path.p, path.n);
}

/* --- open calls --------------------------------------------------------------------- */

static void
open_release(struct open *o)
{
	if (o->prev && (*o->prev = o->next))
		o->next->prev = o->prev;
	o->prev = NULL;
	free(o->conn);
	call_free(&o->call);
}

/* The one way out of the table. A call that was emitted has no vendor any more. */
static void
open_finish(void *arg, void *entry, enum flow_why why)
{
	struct llmparse *self = arg;
	struct open *o = entry;
	struct call_response r = { .ev = &self->scratch, .why = why == FLOW_ERROR ? "close" :
		flow_why_name(why) };

	if (why == FLOW_FULL && o->call.vendor)
		loss_add(&self->io->loss, "evicted", 1, call_size(&o->call));
	if (o->call.vendor && o->call.confidence == ROUTE_CERTAIN && why != FLOW_END)
		call_emit(&self->caller, &o->call, &r, &self->io->out);
	open_release(o);
}

static struct open *
open_find(struct llmparse *self, struct event *ev)
{
	size_t n;
	const char *id = event_str(ev, "id", &n);

	return id ? flow_find(self->calls, id, n, self->io->now) : NULL;
}

static struct open *
open_new(struct llmparse *self, struct event *ev)
{
	struct value conn = event_get(ev, "conn");
	size_t n;
	const char *id = event_str(ev, "id", &n);
	struct open *o = id ? flow_get(self->calls, id, n, self->io->now) : NULL;

	if (!id)
		return NULL;
	if (!o || !(o->conn = malloc(conn.n + 1)))
		err(1, "new call");
	memcpy(o->conn, conn.p ? conn.p : "", conn.n);
	o->connlen = conn.n;
	if ((o->next = self->first))
		self->first->prev = &o->next;
	o->prev = &self->first;
	self->first = o;
	return o;
}

static bool background_keep(struct llmparse *, struct call *, const struct call_response *);

/* Open calls that the process which this one was sent to may work for, too. */
static unsigned
rivals_of(struct llmparse *self, const struct open *o)
{
	unsigned n = 0;

	for (const struct open *other = self->first; other; other = other->next)
		n += other != o && other->call.pid != o->call.peer_pid &&
		    (!other->call.peer_pid || other->call.peer_pid == o->call.peer_pid);
	return n;
}

static void
open_emit(struct llmparse *self, struct event *ev, struct open *o, const struct call_response *r)
{
	event_u64(ev, "peer_pid", &o->call.peer_pid);
	if (o->call.peer_pid)
		o->call.rivals = rivals_of(self, o);
	if (!background_keep(self, &o->call, r)) {
		pass_first(self, ev);
		call_emit(&self->caller, &o->call, r, &self->io->out);
	}
	flow_drop(self->calls, o, FLOW_END);
}

/* --- responses in the background ------------------------------------------------------ */

static void
background_finish(void *arg, void *entry, enum flow_why why)
{
	struct llmparse *self = arg;
	struct background *b = entry;
	struct call_response r = { .ev = &self->scratch, .why = flow_why_name(why),
		.status = b->status,
	    .stream = b->stream };

	if (why == FLOW_FULL && b->call.vendor)
		loss_add(&self->io->loss, "evicted", 1, call_size(&b->call) + b->len);
	if (b->call.vendor && why != FLOW_END) {
		arena_reset(&self->scratch.arena);
		r.body = event_scan_value(&self->scratch, b->body ? b->body : "", b->len);
		call_emit(&self->caller, &b->call, &r, &self->io->out);
	}
	call_free(&b->call);
	free(b->body);
}

static void
background_body(struct background *b, const struct call_response *r)
{
	free(b->body);
	b->len = r->body.n;
	b->status = r->status;
	b->stream |= r->stream;
	if (!(b->body = malloc(b->len + 1)))
		err(1, "call in the background");
	memcpy(b->body, r->body.p, b->len);
}

/* Takes a call over whose response is still being made. */
static bool
background_keep(struct llmparse *self, struct call *call, const struct call_response *r)
{
	struct value id = value_get(r->body, "id");
	struct background *b;

	if (!call->background || !is_text(id) || !call->vendor->is_pending ||
	    !call->vendor->is_pending(r->body))
		return false;
	if (!(b = flow_get(self->background, id.p, id.n, self->io->now)))
		err(1, "call in the background");
	call_free(&b->call);	/* the same id again */
	b->call = *call;
	*call = (struct call){ 0 };
	background_body(b, r);
	if (flow_charge(self->background, b, call_size(&b->call) + b->len))
		flow_drop(self->background, b, FLOW_FULL);
	return true;
}

/* The call whose response this is, asked for by id: by the body's, else the path's. */
static struct background *
background_find(struct llmparse *self, struct event *ev, struct value body)
{
	struct value id = value_get(body, "id");
	const char *path, *at, *end;
	struct background *b = NULL;
	char key[256];
	size_t n;

	if (is_text(id))
		b = flow_find(self->background, id.p, id.n, self->io->now);
	if (b || !(path = event_str(ev, "path", &n)) || !(at = memmem(path, n, "/responses/", 11)))
		return b;
	for (end = at += 11; end < path + n && *end != '/' && *end != '?'; end++)
		;
	if (end == at || end - at > (ptrdiff_t)sizeof(key) - 2)
		return NULL;
	snprintf(key, sizeof(key), "\"%.*s\"", (int)(end - at), at);
	return flow_find(self->background, key, end - at + 2, self->io->now);
}

/* Is this what became of a call in the background? */
static bool
background_emit(struct llmparse *self, struct event *ev, struct call_response *r)
{
	struct background *b = flow_count(self->background) ? background_find(self, ev, r->body) :
	    NULL;

	if (!b || r->status >= 300 || r->body.kind != VALUE_OBJECT)
		return b;
	if (b->call.vendor->is_pending(r->body) || !b->call.vendor->is_response(r->body)) {
		if (b->call.vendor->is_response(r->body))
			background_body(b, r);
		return true;
	}
	r->duration = (struct value){ 0 };	/* of the last question only */
	if (!r->end_ns)
		r->end_ns = event_time(ev);
	r->first_ns = 0;
	r->stream |= b->stream;
	pass_first(self, ev);
	call_emit(&self->caller, &b->call, r, &self->io->out);
	flow_drop(self->background, b, FLOW_END);
	return true;
}

/* --- requests ------------------------------------------------------------------------- */

static bool
has_header(void *arg, const char *name)
{
	const struct value *headers = arg;

	return is_given(header_get(*headers, name));
}

static struct mcp_event
mcp_event(struct llmparse *self, struct event *ev)
{
	return (struct mcp_event){ .ev = ev, .now = self->io->now, .first = pass_first,
	    .arg = self };
}

/* MCP over HTTP; also a GET, on whose stream a server may ask. */
static bool
mcp_takes(struct llmparse *self, struct event *ev, struct value body)
{
	struct mcp_event at = mcp_event(self, ev);
	bool session = is_given(header_get(event_get(ev, "headers"), "mcp-session-id"));
	bool rpc = body.kind && memmem(body.p, body.n, "jsonrpc\\\"", 9);
	struct value v = { 0 };

	if (rpc)
		v = body_of(ev, &at.lenient);
	return (session || rpc) && mcp_request(self->mcp, &at, v);
}

static void
request_fill(struct call_request *rq, struct event *ev)
{
	rq->ev = ev;
	rq->headers = event_get(ev, "headers");
	rq->host = text_of(ev, "host");
	rq->comm = text_of(ev, "comm");
}

/* Has the call been emitted, because its response came first? */
static bool
is_emitted(struct llmparse *self, struct event *ev)
{
	size_t n;
	const char *id = event_str(ev, "id", &n);
	void *entry = id ? flow_find(self->emitted, id, n, self->io->now) : NULL;

	if (entry)
		flow_drop(self->emitted, entry, FLOW_END);
	return entry;
}

static void
on_request(struct llmparse *self, struct event *ev)
{
	struct value body = first_given(event_get(ev, "body"), event_get(ev, "body_b64"));
	bool coded = !event_get(ev, "body").kind;
	struct call_request rq = { 0 };
	enum route_confidence confidence;
	struct route route;
	struct open *o = open_find(self, ev);

	if (o) {	/* the same id again: a second recording behind the first */
		pass_first(self, ev);
		flow_drop(self->calls, o, FLOW_EOF);
	}
	if (flow_count(self->emitted) && is_emitted(self, ev))
		return;
	if (value_eq(event_get(ev, "upgrade"), "websocket")) {
		if (!talks_request(self->talks, ev, self->io->now))
			sockets_request(self->sockets, ev, self->io->now);
		return;
	}
	if (mcp_takes(self, ev, body))
		return;
	/* with a table of headers that is not whole, the method may be one that is not known */
	if (!value_eq(event_get(ev, "method"), "POST") &&
	    (event_get(ev, "method").kind || !event_bool(ev, "hpack_incomplete")))
		return;
	route_of(ev, &route);
	if (route.never ||
	    (!route.vendor && (!body.kind || (!coded && !vendor_marks(body.p, body.n)))))
		return;
	request_fill(&rq, ev);
	rq.incomplete = missing_of(ev);
	rq.body = body_of(ev, &rq.lenient);
	rq.route = &route;
	confidence = route_request(&route, rq.body, has_header, &rq.headers, &rq.vendor);
	if (confidence == ROUTE_NO)
		return;
	/* what a table of headers that is not whole leaves open, the body has to tell */
	if (!route.known && event_bool(ev, "hpack_incomplete"))
		confidence = ROUTE_CERTAIN;
	if (confidence == ROUTE_CERTAIN && body.kind && rq.body.kind == VALUE_NONE)
		bad_body(self, body, &rq.incomplete);
	if (!(o = open_new(self, ev)))
		return;
	o->call.confidence = confidence;
	if (call_request(&self->caller, &o->call, &rq))
		err(1, "new call");
	if (flow_charge(self->calls, o, call_size(&o->call)))
		flow_drop(self->calls, o, FLOW_FULL);
}

/* --- answers --------------------------------------------------------------------------- */

/* An answer whose request was not taken for a call, or not seen at all. */
static void
emit_unexpected(struct llmparse *self, struct event *ev, struct call_response *r,
    struct value format)
{
	struct call_request rq = { .body = { 0 }, .unseen = true };
	struct value method = event_get(ev, "method");
	struct call call = { 0 };
	struct route route;

	if (method.kind && !value_eq(method, "POST"))
		return;
	route_of(ev, &route);
	rq.vendor = route_response(&route, r->body, format);
	if (!rq.vendor || (!is_given(r->body) && r->status < 400))
		return;
	request_fill(&rq, ev);
	rq.route = &route;
	if (call_request(&self->caller, &call, &rq))
		err(1, "new call");
	pass_first(self, ev);
	call_emit(&self->caller, &call, r, &self->io->out);
	if (call.id && !flow_get(self->emitted, call.id, strlen(call.id), self->io->now))
		err(1, "new call");
	call_free(&call);
}

/* Does a response that came whole say that this was no call after all? The path and
 * the body may look like an API's on any host; a vendor's own is believed. */
static bool
contradicted(const struct open *o, const struct call_response *r, struct value text)
{
	const struct vendor *v = o->call.vendor;
	const struct route anywhere = { .known = false };

	if (o->call.provider || r->why || is_given(r->incomplete) || r->stream || r->status < 200 ||
	    r->status >= 300)
		return false;
	if (is_given(r->body))
		return !v->is_response(r->body) && !is_given(value_get(r->body, "error")) &&
		    !route_response(&anywhere, r->body, (struct value){ 0 });
	return is_text(text);
}

/* Is what was only likely a call one, now that its answer is here? */
static bool
confirmed(struct open *o, const struct call_response *r, struct value format)
{
	const struct vendor *v = o->call.vendor;

	/* requests of several APIs look alike: the response tells which */
	if ((o->call.confidence != ROUTE_CERTAIN || o->call.pathless) && !v->is_response(r->body) &&
	    vendor_of_response(r->body))
		v = o->call.vendor = vendor_of_response(r->body);
	return o->call.confidence == ROUTE_CERTAIN ||
	    (v->is_response(r->body) && !is_given(value_get(r->body, "error"))) ||
	    route_streams(v, format);
}

static void
answered(struct llmparse *self, struct event *ev, struct call_response *r, struct value format)
{
	struct open *o = open_find(self, ev);

	if (!o && background_emit(self, ev, r))
		return;
	if (o && contradicted(o, r, event_get(ev, "body"))) {
		flow_drop(self->calls, o, FLOW_END);
		return;
	}
	if (!o)
		emit_unexpected(self, ev, r, format);
	else if (confirmed(o, r, format))
		open_emit(self, ev, o, r);
	else
		flow_drop(self->calls, o, FLOW_END);
}

static bool
response_worth_reading(struct llmparse *self, struct event *ev, const struct open *o)
{
	struct route route;

	if (o || flow_count(self->background))
		return true;
	route_of(ev, &route);
	return !route.never && (!route.known || route.vendor || route.provider);
}

/* The number of an exchange of HTTP/1, whose answers come one after another; 0: of none. */
static uint64_t
number_of(const char *id, size_t n)
{
	const char *slash = memrchr(id, '/', n);
	uint64_t number = 0;

	while (slash && ++slash < id + n)
		if (*slash < '0' || *slash > '9' || number > UINT64_MAX / 16)
			return 0;
		else
			number = number * 10 + (*slash - '0');
	return number;
}

/* Behind a hole: the answers to the requests before this one were in it. */
static void
answers_lost(struct llmparse *self, struct event *ev)
{
	struct call_response r = { .ev = &self->scratch, .why = "hole", .uncertain = true };
	struct value conn = event_get(ev, "conn");
	size_t n;
	const char *id = event_str(ev, "id", &n);
	uint64_t number = id ? number_of(id, n) : 0;

	for (struct open *o = self->first, *next; o; o = next) {
		next = o->next;
		if (o->call.responded || o->connlen != conn.n || memcmp(o->conn, conn.p, conn.n) ||
		    number_of(o->call.id, strlen(o->call.id)) >= number)
			continue;
		pass_first(self, ev);
		if (o->call.confidence == ROUTE_CERTAIN)
			call_emit(&self->caller, &o->call, &r, &self->io->out);
		flow_drop(self->calls, o, FLOW_END);
	}
}

static void
on_response(struct llmparse *self, struct event *ev)
{
	struct value body = first_given(event_get(ev, "body"), event_get(ev, "body_b64")), v;
	struct call_response r = { .ev = ev };
	struct open *o = open_find(self, ev);
	struct mcp_event at = mcp_event(self, ev);

	value_i64(event_get(ev, "status_code"), &r.status);
	if (r.status == 101)
		return;
	if ((r.uncertain = event_bool(ev, "pairing_uncertain")))
		answers_lost(self, ev);
	if (event_bool(ev, "streaming")) {	/* emitted by its sse.message */
		if (o) {
			event_u64(ev, "peer_pid", &o->call.peer_pid);
			o->call.responded = true;
			o->call.status = r.status;
		}
		return;
	}
	if (mcp_knows(self->mcp, ev, self->io->now)) {
		v = body_of(ev, &at.lenient);
		mcp_response(self->mcp, &at, v);
		return;
	}
	if (!response_worth_reading(self, ev, o))
		return;
	r.headers = event_get(ev, "headers");
	r.body = body_of(ev, &r.lenient);
	r.duration = event_get(ev, "duration_ms");
	r.incomplete = missing_of(ev);
	if (o && o->call.confidence == ROUTE_CERTAIN && is_text(body) && !is_given(r.body) &&
	    r.status < 300 && !contradicted(o, &r, event_get(ev, "body")))
		bad_body(self, body, &r.incomplete);
	answered(self, ev, &r, (struct value){ 0 });
}

/* Milliseconds, as written by jput_ms, in nanoseconds. */
static uint64_t
ms_of(const struct event *ev, const char *key)
{
	double d;

	return value_f64(event_get(ev, key), &d) && d >= 0 && d < 1e12 ? (uint64_t)(d * 1e6 + 0.5) :
	    0;
}

static void
on_message(struct llmparse *self, struct event *ev)
{
	struct call_response r = { .ev = ev, .stream = true, .error = event_get(ev, "error"),
		.lenient = marks_of(ev) };
	struct mcp_event at = mcp_event(self, ev);
	uint64_t t = event_time(ev);

	if (mcp_message(self->mcp, &at))
		return;
	value_i64(event_get(ev, "status_code"), &r.status);
	r.headers = event_get(ev, "headers");
	r.uncertain = event_bool(ev, "pairing_uncertain");
	r.body = event_get(ev, "message");
	r.incomplete = event_get(ev, "incomplete");
	if (t && event_get(ev, "first_token_ms").kind)
		r.first_ns = t + ms_of(ev, "first_token_ms");
	if (t)
		r.end_ns = t + ms_of(ev, "duration_ms");
	if (!sockets_merged(self->sockets, ev, &r, self->io->now))
		answered(self, ev, &r, event_get(ev, "format"));
}

static void
on_socket(struct llmparse *self, struct event *ev)
{
	if (!talks_message(self->talks, ev, self->io->now))
		sockets_message(self->sockets, ev, self->io->now);
}

static void
on_stdio(struct llmparse *self, struct event *ev)
{
	struct mcp_event at = mcp_event(self, ev);

	mcp_stdio(self->mcp, &at);
}

static void
on_exit_process(struct llmparse *self, struct event *ev)
{
	struct mcp_event at = mcp_event(self, ev);

	mcp_exit(self->mcp, &at);
}

static void
on_close(struct llmparse *self, struct event *ev)
{
	struct value conn = event_get(ev, "conn");

	sockets_close(self->sockets, ev, conn);
	talks_close(self->talks, ev, conn);
	for (struct open *o = self->first, *next; o; o = next) {
		next = o->next;
		if (o->connlen != conn.n || memcmp(o->conn, conn.p, conn.n))
			continue;
		pass_first(self, ev);
		flow_drop(self->calls, o, FLOW_ERROR);
	}
}

/* --- the stage ---------------------------------------------------------------------------- */

static void
count_forgotten(struct llmparse *self)
{
	uint64_t now = history_forgotten(self->caller.history) + self->caller.tools_forgotten;

	if (now > self->forgotten)
		loss_add(&self->io->loss, "forgotten", now - self->forgotten, 0);
	self->forgotten = now;
}

static enum verdict
event(void *arg, struct event *ev, struct stage_io *io)
{
	static const struct {
		const char *type;
		void (*on)(struct llmparse *, struct event *);
	} ours[] = {
		{ "http.request", on_request }, { "http.response", on_response },
		{ "sse.message", on_message }, { "ws.message", on_socket },
		{ "stdio.data", on_stdio }, { "ssl.close", on_close },
		{ "tcp.close", on_close }, { "process.exit", on_exit_process },
	};
	struct llmparse *self = arg;
	struct value type = event_get(ev, "type");

	self->passed = false;
	flow_expire(self->calls, io->now, self->idle_ns);
	flow_expire(self->background, io->now, self->idle_ns);
	sockets_expire(self->sockets, io->now, self->idle_ns);
	talks_expire(self->talks, io->now, self->idle_ns);
	mcp_expire(self->mcp, io->now);
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (value_eq(type, ours[i].type)) {
			ours[i].on(self, ev);
			count_forgotten(self);
			break;
		}
	return self->passed ? STAGE_WRITTEN : STAGE_PASS;
}

static int
start(void *arg, struct stage_io *io, int argc, char **argv)
{
	struct llmparse *self = arg;
	const struct sockets_conf sockets = { self->max_calls, self->max_memory, &self->caller,
	    &io->out, &io->loss,
	    pass_first, self };
	const struct talks_conf talks = { &self->caller, self->max_calls, self->max_memory,
	    &io->out, &io->loss,
	    pass_first, self };
	const struct mcp_conf mcp = { self->content != CONTENT_NONE, self->max_calls,
	    self->max_message,
	    self->max_memory, self->idle_ns, &io->out, &io->loss };

	(void)argc;
	(void)argv;
	self->io = io;
	event_init(&self->scratch);
	self->calls = flow_new(sizeof(struct open), self->max_calls, self->max_memory, open_finish,
	    self);
	self->background = flow_new(sizeof(struct background), self->max_calls, self->max_memory,
	    background_finish, self);
	self->emitted = flow_new(1, self->max_calls, 0, NULL, NULL);
	self->sockets = sockets_new(&sockets);
	self->talks = talks_new(&talks);
	self->mcp = mcp_new(&mcp);
	if (!self->calls || !self->background || !self->emitted || !self->sockets || !self->talks ||
	    !self->mcp || caller_init(&self->caller, self->content, self->max_history))
		err(1, "table of calls");
	return 0;
}

static void
end(void *arg, struct stage_io *io)
{
	struct llmparse *self = arg;

	(void)io;
	flow_free(self->calls);
	flow_free(self->background);
	flow_free(self->emitted);
	sockets_free(self->sockets);
	talks_free(self->talks);
	mcp_free(self->mcp);
	caller_free(&self->caller);
	event_free(&self->scratch);
}

static struct llmparse self = {
	.max_calls = 4096,
	.max_history = 16384,
	.max_memory = 256 << 20,
	.max_message = 16 << 20,
	.idle_ns = 900 * 1000000000ull,
	.content = CONTENT_LAST,
};

static const char *
set_messages(const char *arg)
{
	static const char *const name[] = { "none", "last", "all" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(arg, name[i])) {
			self.content = i;
			return NULL;
		}
	return "must be none, last or all";
}

int
main(int argc, char **argv)
{
	static const struct opt opts[] = {
		{ .kind = OPT_CALL, .name = "messages", .arg = "none|last|all",
		.call = set_messages,
		    .help = "what of the messages: nothing, what a request adds, or all (last)" },
		{ .kind = OPT_TIME, .name = "idle", .arg = "TIME", .to = &self.idle_ns,
		    .help = "report calls without a response after this long (15m)" },
		{ .kind = OPT_NUM, .name = "max-calls", .arg = "N", .to = &self.max_calls,
		    .help = "calls open at a time (4096)", .lo = 1, .hi = 1 << 24 },
		{ .kind = OPT_NUM, .name = "max-history", .arg = "N", .to = &self.max_history,
		    .help = "requests, answers, tool calls remembered, each (16384)", .lo = 1,
		    .hi = 1 << 24 },
		{ .kind = OPT_SIZE, .name = "max-message", .arg = "SIZE", .to = &self.max_message,
		    .help = "longest line of a tool server (16M)", .lo = 1 << 10, .hi = 1LL << 32 },
		{ .kind = OPT_SIZE, .name = "max-memory", .arg = "SIZE", .to = &self.max_memory,
		    .help = "all open calls of models together (256M)", .lo = 1 << 16,
		    .hi = 1LL << 40 },
		{ .kind = OPT_END },
	};
	static const struct stage stage = {
		.use = { "llmparse", "[OPTION]... [FILE]...",
		"Tell model calls and tool calls, whatever the vendor.", { opts } },
		.start = start,
		.event = event,
		.end = end,
	};

	return stage_run(&stage, &self, argc, argv);
}
