/* mcp.c - tool servers, over stdio and HTTP; see mcp.h */
#include "llmparse/mcp.h"

#include "lib/flow.h"
#include "lib/jput.h"
#include "lib/lenient.h"
#include "lib/line.h"
#include "lib/loss.h"
#include "llmparse/client.h"
#include "llmparse/lines.h"
#include "vendor/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A request whose response has not come. */
struct pending {
	struct pending *next;
	char *text;		/* of the line: up to the arguments */
	size_t textlen;
	char *id;		/* of the JSON-RPC request, as JSON */
	size_t idlen;
	uint64_t start_ns;
	uint64_t hash;		/* of the request's text: the other end's view has the same */
	int64_t pid, fd;
	bool server;		/* seen at the server's end */
	unsigned lenient;	/* marks of it */
	bool stdio;
};

/* Where responses to the requests in it can come. */
struct scope {
	struct pending *first;
	char *session;		/* HTTP */
	size_t held;
};

/* One direction of one descriptor of a process. */
struct stream {
	struct lines lines;
	size_t charged;
	bool rpc;	/* it had a message */
};

/* How often a call was seen at each end, and emitted. */
struct sight {
	uint32_t seen[2], emitted;
	int64_t pid[2];		/* [server] */
};

/* What a server says of itself. */
struct name {
	char *text, *version;	/* as JSON; of the protocol */
};

struct mcp {
	struct mcp_conf conf;
	struct flow_table *scopes, *streams;
	struct flow_table *sights;	/* by hash of request and response */
	struct flow_table *names;	/* of servers, by process and descriptor */
	struct flow_table *pairs;	/* descriptor of answers, by that of requests */
	struct flow_table *states;	/* a request that wants input, by the state it gave out */
	struct line_out scratch;
	struct event scan;
	const struct mcp_event *at;
};

/* A message and where it was seen. */
struct seen {
	struct mcp *mcp;
	struct event *ev;
	struct rpc rpc;
	const char *text;	/* stdio: its line */
	size_t textlen;
	int64_t pid, fd;
	bool write, server;
	bool http, had_rpc;
	struct value session, version, duration;
	int64_t status;
	uint64_t end_ns;
	const char *why;
	unsigned lenient;	/* marks of the message */
};

static uint64_t
hash_bytes(uint64_t h, const char *p, size_t n)
{
	for (; n; p++, n--)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h ^ h >> 29;
}

/* --- what is kept --------------------------------------------------------------- */

static void
pending_free(struct pending *p)
{
	free(p->text);
	free(p->id);
	free(p);
}

static void emit(struct mcp *, const struct pending *, const struct seen *);

static void
scope_finish(void *arg, void *entry, enum flow_why why)
{
	struct mcp *m = arg;
	struct scope *s = entry;
	struct seen none = { .mcp = m, .why = flow_why_name(why) };

	if (why == FLOW_FULL && s->first)
		loss_add(m->conf.loss, "evicted", 1, s->held);
	while (s->first) {
		struct pending *p = s->first;

		s->first = p->next;
		if (why != FLOW_END)
			emit(m, p, &none);
		pending_free(p);
	}
	free(s->session);
}

static void
stream_finish(void *arg, void *entry, enum flow_why why)
{
	struct mcp *m = arg;
	struct stream *s = entry;

	if (why == FLOW_FULL && s->lines.n)
		loss_add(m->conf.loss, "evicted", 1, s->lines.n);
	lines_free(&s->lines);
}

static void
name_finish(void *arg, void *entry, enum flow_why why)
{
	struct name *n = entry;

	(void)arg;
	(void)why;
	free(n->text);
	free(n->version);
}

static void
state_finish(void *arg, void *entry, enum flow_why why)
{
	(void)arg;
	(void)why;
	free(*(char **)entry);
}

struct mcp *
mcp_new(const struct mcp_conf *conf)
{
	struct mcp *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->conf = *conf;
	line_out_init(&m->scratch, -1);
	event_init(&m->scan);
	m->scopes = flow_new(sizeof(struct scope), conf->max_calls, conf->max_memory, scope_finish,
	    m);
	m->streams = flow_new(sizeof(struct stream), conf->max_calls, conf->max_memory,
	    stream_finish, m);
	m->sights = flow_new(sizeof(struct sight), conf->max_calls, 0, NULL, m);
	m->names = flow_new(sizeof(struct name), conf->max_calls, 0, name_finish, m);
	m->pairs = flow_new(sizeof(int64_t), conf->max_calls, 0, NULL, m);
	m->states = flow_new(sizeof(char *), conf->max_calls, 0, state_finish, m);
	if (m->scopes && m->streams && m->sights && m->names && m->pairs && m->states)
		return m;
	mcp_free(m);
	return NULL;
}

void
mcp_free(struct mcp *m)
{
	if (!m)
		return;
	m->at = NULL;
	flow_free(m->scopes);	/* the others serve what it tells */
	flow_free(m->streams);
	flow_free(m->sights);
	flow_free(m->names);
	flow_free(m->pairs);
	flow_free(m->states);
	line_out_free(&m->scratch);
	event_free(&m->scan);
	free(m);
}

void
mcp_expire(struct mcp *m, uint64_t now)
{
	m->at = NULL;
	flow_expire(m->scopes, now, m->conf.idle_ns);
	flow_expire(m->streams, now, m->conf.idle_ns);
}

/* --- lines ------------------------------------------------------------------------ */

/* Names of servers by the end where they were seen: descriptor -1 at the
 * server's own. */
static struct name *
name_at(struct mcp *m, int64_t pid, int64_t fd, bool make)
{
	int64_t key[2] = { pid, fd };

	return make ? flow_get(m->names, key, sizeof(key), 0) :
	    flow_find(m->names, key, sizeof(key), 0);
}

static int64_t
name_fd(const struct pending *p)
{
	return p->server ? -1 : p->fd;
}

static void
text_keep(char **to, struct value v)
{
	if (!is_text(v))
		return;
	free(*to);
	if ((*to = malloc(v.n + 1))) {
		memcpy(*to, v.p, v.n);
		(*to)[v.n] = '\0';
	}
}

/* At initialize, by server/discover, or with any result. */
static void
name_learn(struct mcp *m, const struct pending *p, struct value result)
{
	struct value info = value_get(result, "serverInfo"),
	    version = value_get(result, "protocolVersion");
	struct value name = value_get(info.kind == VALUE_OBJECT ? info :
	    value_get(value_get(result, "_meta"), "io.modelcontextprotocol/serverInfo"), "name");
	struct name *n = p->stdio &&
	    (is_text(name) || is_text(version)) ? name_at(m, p->pid, name_fd(p), true) : NULL;

	if (!n)
		return;
	text_keep(&n->text, name);
	text_keep(&n->version, version);
}

/* The call may have been seen at the other end of the pipe as well. */
static bool
emitted_before(struct mcp *m, const struct pending *p, const struct seen *s, int64_t pids[2])
{
	struct { uint64_t request, response; } key = { p->hash, 0 };
	struct sight *sight;

	pids[p->server] = p->pid;
	if (!p->stdio)
		return false;
	if ((sight = flow_find(m->sights, &key, sizeof(key), 0)))
		pids[!p->server] = sight->pid[!p->server];
	key.response = s->text ? hash_bytes(7, s->text, s->textlen) : 1;
	if (!(sight = flow_get(m->sights, &key, sizeof(key), 0)))
		return false;
	if (++sight->seen[p->server] <= sight->emitted)
		return true;
	sight->emitted++;
	return false;
}

static void
put_result(struct mcp *m, struct jput *j, const struct rpc *r)
{
	struct value code = value_get(r->error, "code");
	char word[32];
	int64_t n;

	if (is_given(r->error)) {
		if (value_i64(code, &n)) {
			snprintf(word, sizeof(word), "%" PRId64, n);
			jput_str(j, "error_type", word);
		} else {
			jput_str(j, "error_type", "_OTHER");
		}
		if (m->conf.content)
			put_json(j, "error", r->error);
		return;
	}
	if (value_get(r->result, "isError").kind == VALUE_TRUE)
		jput_str(j, "error_type", "tool_error");
	if (m->conf.content && r->result.kind)
		put_json(j, "result", r->result);
}

static void
put_outcome(struct mcp *m, struct jput *j, const struct seen *s)
{
	char word[32];

	if (s->status)
		jput_int(j, "status_code", s->status);
	if (s->rpc.kind == RPC_RESPONSE) {
		put_result(m, j, &s->rpc);
	} else if (s->status >= 300) {
		snprintf(word, sizeof(word), "%" PRId64, s->status);
		jput_str(j, "error_type", word);
	} else if (s->why && !strcmp(s->why, "cancelled")) {
		jput_str(j, "error_type", "cancelled");
	} else {
		jput_str(j, "error_type", "no_response");
	}
}

/* A result that wants more input first gives a state out, which comes back with
 * the request that goes on. */
static void
state_keep(struct mcp *m, const struct pending *p, struct value result)
{
	struct value state = value_get(result, "requestState");
	char **id = is_text(state) ? flow_get(m->states, state.p, state.n, 0) : NULL;

	if (!id)
		return;
	free(*id);
	if ((*id = malloc(p->idlen + 1))) {
		memcpy(*id, p->id, p->idlen);
		(*id)[p->idlen] = '\0';
	}
}

static void
put_server(struct jput *j, const struct name *n)
{
	if (n && n->text)
		jput_raw(j, "server", n->text, strlen(n->text));
}

/* The line of a request and what became of it. s: the response, or why there
 * is none. */
static void
emit(struct mcp *m, const struct pending *p, const struct seen *s)
{
	struct line_out *out = m->conf.out;
	struct jput j = { out, true };
	int64_t pids[2] = { 0, 0 };
	const struct name *name;
	struct value type = value_get(s->rpc.result, "resultType");
	bool wants = value_eq(type, "input_required");

	name_learn(m, p, s->rpc.result);
	if (wants)
		state_keep(m, p, s->rpc.result);
	if (emitted_before(m, p, s, pids))
		return;
	if (m->at)
		m->at->first(m->at->arg, m->at->ev);
	line_add(out, p->text, p->textlen);
	name = p->stdio ? name_at(m, p->pid, name_fd(p), false) : NULL;
	put_server(&j, name);
	if (name && name->version && !memmem(p->text, p->textlen, "\"protocol_version\":", 19))
		jput_raw(&j, "protocol_version", name->version, strlen(name->version));
	if (p->stdio && pids[0])
		jput_int(&j, "client_pid", pids[0]);
	if (p->stdio && pids[1])
		jput_int(&j, "server_pid", pids[1]);
	put_outcome(m, &j, s);
	if (is_given(s->duration))
		jput_value(&j, "duration_ms", s->duration);
	else if (p->start_ns && s->end_ns >= p->start_ns)
		jput_ms(&j, "duration_ms", s->end_ns - p->start_ns);
	if (is_text(type))
		jput_value(&j, "result_type", type);
	if (s->why)
		jput_str(&j, "incomplete", s->why);
	else if (wants)
		jput_str(&j, "incomplete", "input_required");
	lenient_put(p->lenient | s->lenient, &j);
	jput_close(&j);
}

/* --- requests ---------------------------------------------------------------------- */

static void
put_what(struct mcp *m, struct jput *j, const struct rpc *r)
{
	static const char *const key[] = { "name", "uri", "arguments" };
	struct value p[3], arguments = r->params;

	MEMBERS(r->params, key, p);
	jput_value(j, "method", r->method);
	if (value_eq(r->method, "tools/call") && is_text(p[0])) {
		jput_value(j, "tool", p[0]);
		arguments = p[2];
	} else if (value_eq(r->method, "prompts/get") && is_text(p[0])) {
		jput_value(j, "prompt", p[0]);
		arguments = p[2];
	} else if (text_begins(r->method, "resources/") && is_text(p[1])) {
		jput_value(j, "resource", p[1]);
	}
	if (m->conf.content && is_given(arguments))
		put_json(j, "arguments", arguments);
}

/* The line of a request as far as it is known now. */
static void
put_request(struct mcp *m, struct line_out *out, const struct seen *s)
{
	const struct rpc *r = &s->rpc;
	struct value host = event_get(s->ev, "host"), version,
	    state = value_get(r->params, "requestState");
	char *const *before = is_text(state) ? flow_find(m->states, state.p, state.n, 0) : NULL;
	struct jput j;

	jput_open(&j, out, "mcp.call");
	jput_inherit(&j, s->ev, 0);
	if (s->http) {
		jput_copy(&j, s->ev, "conn");
		jput_copy(&j, s->ev, "id");
	}
	jput_str(&j, "transport", s->http ? "http" : "stdio");
	if (!s->http)
		jput_str(&j, "role", s->server ? "server" : "client");
	if (s->http && is_text(host))
		jput_value(&j, "server", host);
	if (is_text(s->session))
		jput_value(&j, "session_id", s->session);
	version = is_text(s->version) ? s->version :
	    value_get(value_get(r->params, "_meta"), "io.modelcontextprotocol/protocolVersion");
	if (is_text(version))
		jput_value(&j, "protocol_version", version);
	if (r->kind == RPC_REQUEST)
		jput_value(&j, "request_id", r->id);
	else
		jput_bool(&j, "notification", true);
	if (before && *before)
		jput_raw(&j, "continues", *before, strlen(*before));
	if (rpc_from_server(r->method))
		jput_bool(&j, "from_server", true);
	put_what(m, &j, r);
}

/* The descriptor that requests go out on, of the one at hand. */
static int64_t
asks_on(struct mcp *m, const struct seen *s)
{
	int64_t key[2] = { s->pid, s->fd };
	const int64_t *pair = s->write ? NULL : flow_find(m->pairs, key, sizeof(key), 0);

	return pair ? *pair : s->fd;
}

static void
notification(struct mcp *m, const struct seen *s)
{
	struct pending p = { .hash = s->text ? hash_bytes(5, s->text, s->textlen) : 0,
		.pid = s->pid,
	    .server = s->server, .stdio = !s->http };
	struct line_out *out = m->conf.out;
	struct jput j = { out, true };
	int64_t pids[2] = { 0, 0 };

	if (emitted_before(m, &p, s, pids))
		return;
	m->at->first(m->at->arg, m->at->ev);
	put_request(m, out, s);
	if (!s->http)
		put_server(&j, name_at(m, s->pid, s->server ? -1 : asks_on(m, s), false));
	lenient_put(s->lenient, &j);
	jput_close(&j);
}

static struct scope *
scope_get(struct mcp *m, const char *key, size_t n, bool make)
{
	return make ? flow_get(m->scopes, key, n, m->at->now) :
	    flow_find(m->scopes, key, n, m->at->now);
}

static struct pending *
pending_new(struct mcp *m, const struct seen *s)
{
	struct pending *p = calloc(1, sizeof(*p));

	m->scratch.len = 0;
	put_request(m, &m->scratch, s);
	if (!p || !(p->text = malloc(m->scratch.len)) || !(p->id = malloc(s->rpc.id.n))) {
		if (p)
			pending_free(p);
		return NULL;
	}
	memcpy(p->text, m->scratch.buf, p->textlen = m->scratch.len);
	memcpy(p->id, s->rpc.id.p, p->idlen = s->rpc.id.n);
	p->start_ns = event_time(s->ev);
	p->hash = s->text ? hash_bytes(5, s->text, s->textlen) : 0;
	p->pid = s->pid;
	p->fd = s->fd;
	p->server = s->server;
	p->stdio = !s->http;
	p->lenient = s->lenient;
	return p;
}

static size_t
pending_size(const struct pending *p)
{
	return sizeof(*p) + p->textlen + p->idlen;
}

/* Which process is at which end of this request's pipe. */
static void
sight_pid(struct mcp *m, const struct pending *p)
{
	struct { uint64_t request, response; } key = { p->hash, 0 };
	struct sight *sight = p->stdio ? flow_get(m->sights, &key, sizeof(key), 0) : NULL;

	if (sight)
		sight->pid[p->server] = p->pid;
}

static void
pending_add(struct mcp *m, struct scope *scope, const struct seen *s)
{
	struct pending *p = pending_new(m, s), **end = &scope->first;
	size_t n;

	if (!p) {
		loss_add(m->conf.loss, "no_memory", 1, s->textlen);
		return;
	}
	n = pending_size(p);
	if (flow_charge(m->scopes, scope, n)) {
		loss_add(m->conf.loss, "evicted", 1, n);
		pending_free(p);
		return;
	}
	sight_pid(m, p);
	scope->held += n;
	while (*end)
		end = &(*end)->next;
	*end = p;
}

static void
pending_remove(struct mcp *m, struct scope *scope, struct pending **at)
{
	struct pending *p = *at;
	size_t n = pending_size(p);

	*at = p->next;
	scope->held -= n;
	flow_charge(m->scopes, scope, -(ptrdiff_t)n);
	pending_free(p);
}

static bool
id_is(const struct pending *p, struct value id)
{
	return p->idlen == id.n && !memcmp(p->id, id.p, id.n);
}

/* --- standard input and output --------------------------------------------------------- */

/* Responses come on another descriptor than requests go; which, is learned.
 * Where several requests have the same id (a client numbers for each server
 * anew), the descriptor that was made together with this one is the nearest. */
static struct pending **
pending_choose(struct mcp *m, struct scope *scope, const struct seen *s)
{
	int64_t key[2] = { s->pid, s->fd };
	const int64_t *pair = flow_find(m->pairs, key, sizeof(key), 0);
	struct pending **best = NULL;
	int64_t nearest = INT64_MAX;

	for (struct pending **at = &scope->first; *at; at = &(*at)->next) {
		int64_t far = s->fd > (*at)->fd ? 2 * (s->fd - (*at)->fd) :
		    2 * ((*at)->fd - s->fd) + 1;

		if (!id_is(*at, s->rpc.id))
			continue;
		if (pair && *pair == (*at)->fd)
			return at;
		if (far < nearest) {
			nearest = far;
			best = at;
		}
	}
	return best;
}

static void
pair_learn(struct mcp *m, const struct seen *s, int64_t fd)
{
	int64_t key[2] = { s->pid, s->fd }, *pair = flow_get(m->pairs, key, sizeof(key), 0);

	if (pair)
		*pair = fd;
}

/* A request that its sender takes back gets no response. */
static void
stdio_cancel(struct mcp *m, struct seen *s, struct scope *scope)
{
	struct value id = value_get(s->rpc.params, "requestId");
	struct seen end = { .mcp = m, .ev = s->ev, .end_ns = s->end_ns, .why = "cancelled" };

	if (!scope || !value_eq(s->rpc.method, "notifications/cancelled") || !id.kind)
		return;
	for (struct pending **at = &scope->first; *at; at = &(*at)->next)
		if (id_is(*at, id) && (*at)->fd == s->fd) {
			emit(m, *at, &end);
			pending_remove(m, scope, at);
			return;
		}
}

static size_t
stdio_key(char *key, size_t size, int64_t pid, bool write)
{
	return snprintf(key, size, "s%" PRId64 "%c", pid, write ? 'w' : 'r');
}

static void
stdio_rpc(struct mcp *m, struct seen *s)
{
	char key[40];
	size_t n = stdio_key(key, sizeof(key), s->pid, s->rpc.kind == RPC_RESPONSE ? !s->write :
	    s->write);
	struct scope *scope;
	struct pending **at;

	if (s->rpc.kind == RPC_NOTIFICATION) {
		stdio_cancel(m, s, scope_get(m, key, n, false));
		notification(m, s);
	} else if (s->rpc.kind == RPC_REQUEST) {
		if ((scope = scope_get(m, key, n, true)))
			pending_add(m, scope, s);
	} else if ((scope = scope_get(m, key, n, false)) && (at = pending_choose(m, scope, s))) {
		pair_learn(m, s, (*at)->fd);
		emit(m, *at, s);
		pending_remove(m, scope, at);
	}
}

static void
on_line(void *arg, const char *p, size_t n)
{
	struct seen *s = arg;
	struct value v, k, e;
	struct value_iter it;

	if (!memmem(p, n, "\"jsonrpc\"", 9))
		return;
	s->had_rpc = true;
	arena_reset(&s->mcp->scan.arena);
	s->lenient = 0;
	v = lenient_scan(&s->mcp->scan, p, n, &s->lenient);
	s->text = p;
	s->textlen = n;
	value_iter(&it, v);
	if (v.kind == VALUE_OBJECT && (s->rpc = rpc_read(v)).kind)
		stdio_rpc(s->mcp, s);
	while (v.kind == VALUE_ARRAY && value_next(&it, &k, &e)) {	/* a batch */
		s->text = e.p;
		s->textlen = e.n;
		if ((s->rpc = rpc_read(e)).kind)
			stdio_rpc(s->mcp, s);
	}
}

static struct stream *
stream_get(struct mcp *m, const struct seen *s)
{
	char key[64];
	size_t n = snprintf(key, sizeof(key), "%" PRId64 "/%" PRId64 "%c", s->pid, s->fd,
	    s->write ? 'w' : 'r');
	struct stream *st = flow_get(m->streams, key, n, m->at->now);

	if (st)
		st->lines.max = m->conf.max_line;
	return st;
}

bool
mcp_stdio(struct mcp *m, const struct mcp_event *at)
{
	struct event *ev = at->ev;
	struct seen s = { .mcp = m, .ev = ev, .end_ns = event_time(ev) };
	struct value direction = event_get(ev, "direction"), role = event_get(ev, "fd_role");
	struct stream *st;
	uint64_t off = 0, len = 0;
	const char *data;
	size_t n;
	bool has_off = event_u64(ev, "off", &off);

	m->at = at;
	if (!event_i64(ev, "pid", &s.pid) || !event_i64(ev, "fd", &s.fd) ||
	    !(data = event_bytes(ev, "data", &n)))
		return false;
	s.write = value_eq(direction, "WRITE");
	/* its own standard input and output, however numbered: that is the server's end */
	s.server = is_given(role) ? value_eq(role, "stdin") || value_eq(role, "stdout") :
	    s.fd == 0 || s.fd == 1;
	if (!(st = stream_get(m, &s)))
		return false;
	if (lines_feed(&st->lines, off, has_off, data, n, on_line, &s))
		loss_add(m->conf.loss, "no_memory", 1, n);
	st->rpc |= s.had_rpc;
	/* of what goes to a terminal a part may be left out (stdiocap --max-bytes) */
	if (has_off && event_u64(ev, "len", &len) && len > n) {
		lines_cut(&st->lines, off + len);
		st->lines.holes += st->rpc;
	}
	if (st->lines.holes || st->lines.toolong) {
		if (st->lines.holes)
			loss_add(m->conf.loss, "hole", st->lines.holes, 0);
		if (st->lines.toolong)
			loss_add(m->conf.loss, "max_line", st->lines.toolong, 0);
		st->lines.holes = st->lines.toolong = 0;
	}
	if (flow_charge(m->streams, st, (ptrdiff_t)st->lines.cap - (ptrdiff_t)st->charged) == 0)
		st->charged = st->lines.cap;
	return true;
}

void
mcp_exit(struct mcp *m, const struct mcp_event *at)
{
	struct seen end = { .mcp = m, .ev = at->ev, .end_ns = event_time(at->ev), .why = "exit" };
	struct scope *scope;
	char key[40];
	size_t n;

	m->at = at;
	if (!event_i64(at->ev, "pid", &end.pid))
		return;
	for (int write = 0; write < 2; write++) {
		n = stdio_key(key, sizeof(key), end.pid, write);
		if (!(scope = scope_get(m, key, n, false)))
			continue;
		while (scope->first) {
			emit(m, scope->first, &end);
			pending_remove(m, scope, &scope->first);
		}
	}
}

/* --- HTTP ------------------------------------------------------------------------------ */

enum { KEY = 512 };

static size_t
http_key(char *key, struct event *ev)
{
	struct value id = event_get(ev, "id");

	if (!is_text(id) || id.n > KEY - 1)
		return 0;
	key[0] = 'h';
	memcpy(key + 1, id.p, id.n);
	return id.n + 1;
}

/* Where a response can come that does not come in the request's own exchange. */
static size_t
session_key(char *key, struct value session, struct value host)
{
	struct value v = is_text(session) ? session : host;

	if (!is_text(v) || v.n > KEY - 1)
		return 0;
	key[0] = is_text(session) ? 'q' : 'o';
	memcpy(key + 1, v.p, v.n);
	return v.n + 1;
}

static bool
emit_in(struct mcp *m, const char *key, size_t n, const struct seen *s)
{
	struct scope *scope = n ? scope_get(m, key, n, false) : NULL;

	for (struct pending **at = scope ? &scope->first : NULL; at && *at; at = &(*at)->next)
		if (id_is(*at, s->rpc.id)) {
			emit(m, *at, s);
			pending_remove(m, scope, at);
			return true;
		}
	return false;
}

/* One message of a body. */
static void
http_rpc(struct mcp *m, struct seen *s, bool reply)
{
	struct value host = event_get(s->ev, "host");
	char own[KEY + 1], other[KEY + 1];
	size_t n = http_key(own, s->ev), o = session_key(other, s->session, host);
	struct scope *scope;

	s->http = true;
	if (s->rpc.kind == RPC_NOTIFICATION) {
		notification(m, s);
	} else if (s->rpc.kind == RPC_REQUEST) {
		/* a server's request is answered by another POST */
		n = reply ? o : n;
		if (n && (scope = scope_get(m, reply ? other : own, n, true)))
			pending_add(m, scope, s);
	} else if (s->rpc.kind == RPC_RESPONSE && (!reply || !emit_in(m, own, n, s))) {
		emit_in(m, other, o, s);
	}
}

static bool
http_body(struct mcp *m, struct seen *s, struct value v, bool reply)
{
	struct value_iter it;
	struct value k, e;
	bool any = false;

	if (v.kind == VALUE_OBJECT && (s->rpc = rpc_read(v)).kind) {
		http_rpc(m, s, reply);
		return true;
	}
	value_iter(&it, v);
	while (v.kind == VALUE_ARRAY && value_next(&it, &k, &e))
		if ((s->rpc = rpc_read(e)).kind) {
			http_rpc(m, s, reply);
			any = true;
		}
	return any;
}

static void
session_set(struct scope *scope, struct value session)
{
	if (!scope || !is_text(session))
		return;
	free(scope->session);
	if ((scope->session = malloc(session.n + 1))) {
		memcpy(scope->session, session.p, session.n);
		scope->session[session.n] = '\0';
	}
}

bool
mcp_request(struct mcp *m, const struct mcp_event *at, struct value body)
{
	struct value headers = event_get(at->ev, "headers");
	struct seen s = { .mcp = m, .ev = at->ev, .session = header_get(headers, "mcp-session-id"),
	    .version = header_get(headers, "mcp-protocol-version"), .end_ns = event_time(at->ev),
	    .lenient = at->lenient };
	char key[KEY + 1];
	size_t n = http_key(key, at->ev);
	struct scope *scope;

	m->at = at;
	if (n && (scope = scope_get(m, key, n, false)))
		flow_drop(m->scopes, scope, FLOW_EOF);	/* the same id again */
	if (!http_body(m, &s, body, false) && !is_text(s.session))
		return false;
	/* a stream that the server may send requests on */
	if (n && (is_text(s.session) || scope_get(m, key, n, false)))
		session_set(scope_get(m, key, n, true), s.session);
	return true;
}

bool
mcp_knows(struct mcp *m, struct event *ev, uint64_t now)
{
	char key[KEY + 1];
	size_t n = http_key(key, ev);

	return n && flow_find(m->scopes, key, n, now);
}

/* The session that the exchange's request named. */
static struct value
session_of(struct mcp *m, struct event *ev)
{
	struct value v = { 0 };
	char key[KEY + 1];
	size_t n = http_key(key, ev);
	struct scope *scope = n ? scope_get(m, key, n, false) : NULL;

	if (scope && scope->session)
		v = (struct value){ scope->session, strlen(scope->session), VALUE_STRING, false };
	return v;
}

/* What was just accepted is answered on another stream (the transport of
 * 2024-11-05 had one for all answers). */
static void
exchange_defer(struct mcp *m, const char *key, size_t n, struct seen *s)
{
	char other[KEY + 1];
	size_t o = session_key(other, s->session, event_get(s->ev, "host"));
	struct scope *to = o ? scope_get(m, other, o, true) : NULL,
	    *scope = scope_get(m, key, n, false);
	struct pending **end = to ? &to->first : NULL;

	while (end && *end)
		end = &(*end)->next;
	while (end && scope && scope->first) {
		struct pending *p = scope->first;
		size_t size = pending_size(p);

		scope->first = p->next;
		scope->held -= size;
		flow_charge(m->scopes, scope, -(ptrdiff_t)size);
		p->next = NULL;
		if (flow_charge(m->scopes, to, size)) {
			emit(m, p, s);
			pending_free(p);
			continue;
		}
		to->held += size;
		*end = p;
		end = &p->next;
	}
}

/* The exchange is over. What it did not answer failed with it. */
static void
exchange_end(struct mcp *m, struct seen *s)
{
	char key[KEY + 1];
	size_t n = http_key(key, s->ev);
	struct scope *scope;

	s->rpc = (struct rpc){ 0 };
	if (s->status == 202)
		exchange_defer(m, key, n, s);
	if (!(scope = scope_get(m, key, n, false)))
		return;
	while (scope->first) {
		emit(m, scope->first, s);
		pending_remove(m, scope, &scope->first);
	}
	flow_drop(m->scopes, scope, FLOW_END);
}

bool
mcp_response(struct mcp *m, const struct mcp_event *at, struct value body)
{
	struct seen s = { .mcp = m, .ev = at->ev, .duration = event_get(at->ev, "duration_ms"),
	    .end_ns = event_time(at->ev), .lenient = at->lenient };

	if (!mcp_knows(m, at->ev, at->now))
		return false;
	m->at = at;
	s.session = session_of(m, at->ev);
	event_i64(at->ev, "status_code", &s.status);
	http_body(m, &s, body, true);
	exchange_end(m, &s);
	return true;
}

bool
mcp_message(struct mcp *m, const struct mcp_event *at)
{
	struct event *ev = at->ev;
	struct seen s = { .mcp = m, .ev = ev, .end_ns = event_time(ev) };
	struct value events = value_get(event_get(ev, "message"), "events"), k, e, data;
	struct value_iter it;
	const char *p;
	double ms;
	size_t n;

	if (!mcp_knows(m, ev, at->now))
		return false;
	m->at = at;
	s.session = session_of(m, ev);
	event_i64(ev, "status_code", &s.status);
	if (value_f64(event_get(ev, "duration_ms"), &ms) && ms >= 0 && ms < 1e12 && s.end_ns)
		s.end_ns += (uint64_t)(ms * 1e6 + 0.5);
	value_iter(&it, events);
	while (events.kind == VALUE_ARRAY && value_next(&it, &k, &e)) {
		data = value_get(e, "data");
		if (!text_begins(data, "{") || !(p = value_str(&ev->arena, data, &n)))
			continue;
		http_body(m, &s, lenient_scan(ev, p, n, &s.lenient), true);
	}
	exchange_end(m, &s);
	return true;
}
