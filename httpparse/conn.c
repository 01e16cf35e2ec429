/* conn.c - one connection; see conn.h */
#include "conn.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	/* requests in a row without a response; older ones are emitted already */
	WAITING_MAX = 128,
};

static struct side *
other_side(struct side *s)
{
	return &s->c->side[s == &s->c->side[0]];
}

/* --- lines pending until their bytes are decided ---------------------------------- */

static void
pending_pop(struct side *s, bool pass)
{
	struct pending *l = s->pending;

	if (!(s->pending = l->next))
		s->pendtail = &s->pending;
	s->pendbytes -= sizeof(*l) + l->n;
	if (pass && !s->c->raw) {
		line_put(s->c->w->out, l->line, l->n);
		s->c->w->passed++;
	}
	free(l);
}

static void
pending_add(struct side *s, const char *line, size_t n, uint64_t off, uint64_t end)
{
	struct pending *l = malloc(sizeof(*l) + n);

	if (!l) {
		s->c->w->nomem = true;
		return;
	}
	*l = (struct pending){ .off = off, .end = end, .n = n };
	memcpy(l->line, line, n);
	*s->pendtail = l;
	s->pendtail = &l->next;
	s->pendbytes += sizeof(*l) + n;
}

/* The envelope of the line that holds stream position pos. */
static void
envelope_at(struct side *s, uint64_t pos, struct envelope_text *to)
{
	struct writer *w = s->c->w;
	const struct event *ev = s->ev ? s->ev : other_side(s)->ev;

	for (struct pending *l = s->pending; l; l = l->next)
		if (pos >= l->off && pos < l->end) {
			if (event_scan(&w->env, l->line, l->n) == EVENT_OK)
				envelope_take(w, &w->env, to);
			return;
		}
	if (s->tail.p && (pos < s->line_off || !s->ev)) {
		/* a copy: another message may begin in that line */
		if (event_scan(&w->env, s->tail.p, s->tail.n) == EVENT_OK)
			envelope_take(w, &w->env, to);
	} else if (ev) {
		envelope_take(w, ev, to);
	}
}

/* --- what the readers report ------------------------------------------------------------ */

/* Is a part of a request there that is not complete? */
static bool
is_partial(const struct http1 *h)
{
	return h->pend.n && (h->state == HTTP1_HEAD || h->state == HTTP1_SEEK);
}

/* How far the direction has come. */
static uint64_t
side_end(const struct side *s)
{
	return s->h.pos + s->h.pend.n;
}

/* Something of this direction is not known, before what comes next: the answers to all
 * requests so far, also to one that is not complete, may have been in it. */
static void
side_lost(struct side *s)
{
	s->gap = true;
	s->gap_end = side_end(other_side(s));
	s->c->broken = true;
}

/* It is HTTP, or may be: what was not is a loss after all. */
static void
conn_is_http(struct conn *c)
{
	if (c->http)
		return;
	c->http = true;
	for (int i = 0; i < 2; i++) {
		loss_add(c->w->loss, "not_http", c->side[i].other > 0, c->side[i].other);
		c->side[i].emitted |= c->side[i].other > 0;
		c->side[i].other = 0;
	}
	envelope_drop(&c->other_env);
}

/* Bytes up to upto that belong to no message. */
static void
side_other(struct side *s, uint64_t upto)
{
	struct conn *c = s->c;
	struct http1 *h = &s->h;
	uint64_t from = s->decided, n = upto - from;

	s->decided = upto;
	if (h->odd) {
		loss_add(c->w->loss, h->odd, 1, 0);
		conn_is_http(c);
	}
	h->odd = NULL;
	side_lost(s);
	if (!c->http || c->tunnel.x) {
		if (!c->other_env.p)
			envelope_at(s, from, &c->other_env);
		s->other += n;
	} else {
		loss_add(c->w->loss, "not_http", !s->emitted, n);
		s->emitted = true;
	}
	while (s->pending && s->pending->end <= upto)
		pending_pop(s, true);
}

static void
side_decided(struct side *s, uint64_t upto, bool ours)
{
	if (!ours) {
		side_other(s, upto);
		return;
	}
	s->decided = s->ours = upto;
	while (s->pending && s->pending->off < upto)
		pending_pop(s, false);
}

static void
on_decided(void *arg, struct http1 *h, uint64_t upto, bool ours)
{
	(void)h;
	side_decided(arg, upto, ours);
}

static void
roles_set(struct side *s, bool response)
{
	struct conn *c = s->c;

	if (c->requests >= 0)
		return;
	c->requests = response ? s == &c->side[0] : s != &c->side[0];
	c->side[c->requests].h.role = HTTP1_REQUEST;
	c->side[!c->requests].h.role = HTTP1_RESPONSE;
}

static struct exchange *
exchange_pop(struct conn *c)
{
	struct exchange *x = c->first;

	if (!x)
		return NULL;
	if (!(c->first = x->next))
		c->last = &c->first;
	c->waiting--;
	c->xbytes -= exchange_memory(x);
	return x;
}

/* The response that came before this request was complete; NULL: none. start: of the
 * request. lost: what is before it is not known. */
static struct exchange *
early_take(struct conn *c, uint64_t start, bool lost)
{
	struct exchange *x = NULL;

	while (c->nearly && !x) {
		if (!lost || c->early[0]->start == start)
			x = c->early[0];
		else
			exchange_drop(c->early[0]);	/* its request is in what is lost */
		memmove(c->early, c->early + 1, --c->nearly * sizeof(*c->early));
	}
	return x;
}

/* A new request: it waits for its response, unless that is here already. */
static struct exchange *
request_exchange(struct side *s, const struct head *head, uint64_t ns, uint64_t start, bool lost)
{
	struct conn *c = s->c;
	struct exchange *x = early_take(c, start, lost);

	if (x) {
		if (!exchange_know(x, head))
			c->w->nomem = true;
		x->first_ns = ns;
		return x;
	}
	if (!(x = exchange_new(head, "/", ++c->number)))
		return NULL;
	x->first_ns = ns;
	x->start = start;
	/* whose response comes next is not sure when one before it may have been lost */
	x->uncertain = c->first && (lost || c->first->uncertain);
	if (c->waiting == WAITING_MAX)
		exchange_drop(exchange_pop(c));
	x->refs++;
	*c->last = x;
	c->last = &x->next;
	c->waiting++;
	c->xbytes += exchange_memory(x);
	return x;
}

/* A response to a request that is not complete yet, or whose line is still to come.
 * limit: as in response_exchange. NULL: nothing says so. */
static struct exchange *
early_new(struct side *s, uint64_t limit)
{
	struct conn *c = s->c;
	struct side *o = other_side(s);
	struct envelope_text env = { 0 };
	struct exchange *x;
	bool begun = o->h.pos < limit && http1_peek(&o->h);

	if (begun && c->nearly && c->early[c->nearly - 1]->start == o->h.pos)
		return NULL;		/* that one has its answer */
	if (c->nearly == EARLY_MAX ||
	    (!begun && (c->broken || !o->whole || o->h.state != HTTP1_SEEK || o->h.pend.n)))
		return NULL;
	if (!(x = exchange_new(begun ? &o->h.head : NULL, "/", ++c->number)))
		return NULL;
	x->start = begun ? o->h.pos : UINT64_MAX;
	x->uncertain = begun && o->h.lost;
	if (begun) {
		envelope_at(o, o->h.pos, &env);
		x->first_ns = env.ns;
		envelope_drop(&env);
	}
	x->refs++;
	c->early[c->nearly++] = x;
	return x;
}

/* The header of a message may have begun, and goes on in another line: a request that
 * comes meanwhile is none that it answers. */
static void
side_begun(struct side *s)
{
	if (!is_partial(&s->h) || s->begun == s->h.pos)
		return;
	s->begun = s->h.pos;
	s->begun_end = side_end(other_side(s));
}

/* The request that a response answers. Behind a gap those that were waiting may have
 * had their answers in it; it is the newest one, for no client sends the next request
 * before it has its answer. */
static struct exchange *
response_exchange(struct side *s, uint64_t start)
{
	struct conn *c = s->c;
	const struct side *o = other_side(s);
	uint64_t limit = s->begun == start ? s->begun_end : UINT64_MAX;
	bool begun = s->gap && o->h.pos < limit && http1_peek(&other_side(s)->h), doubt = false;
	struct exchange *x = NULL;

	while (s->gap && c->first && c->first->start < s->gap_end && (c->waiting > 1 || begun)) {
		exchange_drop(exchange_pop(c));
		doubt = true;
	}
	if (c->first && c->first->start < limit && (x = exchange_pop(c)))
		doubt |= s->gap && x->start < s->gap_end;
	else if (c->first || !(x = early_new(s, limit)))
		x = exchange_new(NULL, "/", ++c->number);
	s->gap = false;
	if (!x)
		return NULL;
	x->uncertain |= doubt;
	x->answered = true;
	return x;
}

/* Is this the answer that makes the connection something else? */
static bool
switches(const struct head *h, const struct exchange *x)
{
	return h->status == 101 || (x->connect && h->status / 100 == 2);
}

static bool
on_head(void *arg, struct http1 *h, uint64_t start)
{
	struct side *s = arg;
	struct conn *c = s->c;
	struct envelope_text env = { 0 };
	struct exchange *x;
	const struct head *head = &h->head;
	bool none;

	roles_set(s, head->response);
	conn_is_http(c);
	if (head->response && head->status / 100 == 1 && head->status != 101) {
		if (s->m.ninterim < MESSAGE_INTERIM)
			s->m.interim[s->m.ninterim++] = head->status;
		return true;	/* the response proper is still to come */
	}
	envelope_at(s, start, &env);
	if (!env.p)
		c->w->nomem = true;
	x = head->response ? response_exchange(s, start) :
	    request_exchange(s, head, env.ns, start, h->lost);
	if (!x || c->w->nomem) {
		c->w->nomem = true;
		envelope_drop(&env);
		exchange_drop(x);
		return false;
	}
	none = head->response && (exchange_is_head(x) || switches(head, x));
	h->unasked = head->response && !x->request;
	loss_add(c->w->loss, "bad_line", head->bad_lines, head->bad_bytes);
	loss_add(c->w->loss, "long_header", head->truncated, 0);
	message_begin(&s->m, c->w, head, x, &env);
	s->m.server = c->requests == 1;
	/* refused: the request's side goes on with HTTP */
	if (head->response && !switches(head, x) && (x->upgrade || x->connect))
		http1_resume(&other_side(s)->h);
	return none;
}

static void
on_body(void *arg, struct http1 *h, const char *p, size_t n)
{
	struct side *s = arg;

	(void)h;
	if (s->m.open)
		message_body(&s->m, p, n);
}

static void
on_cut(void *arg, struct http1 *h, const char *why)
{
	struct side *s = arg;

	(void)h;
	if (s->m.open)
		message_cut(&s->m, why);
}

static void protocol_begin(struct side *s, struct exchange *x);

static void
on_end(void *arg, struct http1 *h, const char *why)
{
	struct side *s = arg;
	struct exchange *x = NULL;
	bool change, wait;

	if (!s->m.open)
		return;		/* an interim response */
	change = h->head.response && switches(&h->head, s->m.x);
	wait = !h->head.response && !why && (s->m.x->upgrade || s->m.x->connect) &&
	    !s->m.x->answered;
	if (h->behind)
		loss_add(s->c->w->loss, "behind_hole", 1, h->behind);
	if (why && !strcmp(why, "malformed"))
		loss_add(s->c->w->loss, why, 1, 0);
	if (h->lost)
		side_lost(s);
	else
		s->whole = true;
	if (change && !why) {
		x = s->m.x;
		x->refs++;
	}
	message_end(&s->m, why);
	if (x) {
		s->c->other = true;
		http1_other(h);
		http1_other(&other_side(s)->h);
		protocol_begin(s, x);
		exchange_drop(x);
	} else if (wait) {
		http1_wait(h);
	}
}

static const struct http1_ops ops = {
	.head = on_head, .body = on_body, .cut = on_cut, .end = on_end, .decided = on_decided,
};

/* --- the connection -------------------------------------------------------------------- */

void
conn_init(struct conn *c, struct writer *w, const struct conn_limits *limits, bool raw)
{
	*c = (struct conn){ .w = w, .requests = -1, .raw = raw };
	c->last = &c->first;
	for (int i = 0; i < 2; i++) {
		c->side[i].c = c;
		c->side[i].pendtail = &c->side[i].pending;
		c->side[i].begun = UINT64_MAX;
		http1_init(&c->side[i].h, &ops, &c->side[i], limits->max_head);
	}
}

/* --- other protocols ------------------------------------------------------------------- */

static void
on_ws_begin(void *arg, bool control)
{
	struct sock *k = arg;

	envelope_at(k->s, UINT64_MAX, &k->env[control]);
}

static void
on_ws_message(void *arg, const struct ws_message *m)
{
	struct sock *k = arg;
	struct conn *c = k->s->c;

	exchange_ws(c->w, c->up, &k->env[m->opcode >= 8], k->s == &c->side[1], m);
}

static const struct ws_ops ws_ops = { .begin = on_ws_begin, .message = on_ws_message };

static void
sock_drop(struct conn *c, int dir, const char *why)
{
	struct sock *k = c->sock[dir];

	if (!k)
		return;
	ws_finish(&k->ws, why);
	ws_free(&k->ws);
	envelope_drop(&k->env[0]);
	envelope_drop(&k->env[1]);
	free(k);
	c->sock[dir] = NULL;
}

static void
sock_new(struct conn *c, int dir, const struct head *answer)
{
	struct sock *k = calloc(1, sizeof(*k));
	struct bytes ext = { 0 };
	bool deflate, takeover;

	if (!k || head_join(answer, "sec-websocket-extensions", &ext)) {
		c->w->nomem = true;
		free(k);
		return;
	}
	ws_extensions(ext.p ? ext.p : "", ext.n, dir != c->requests, &deflate, &takeover);
	k->s = &c->side[dir];
	ws_init(&k->ws, &ws_ops, k, c->w->max_body, deflate, takeover);
	c->sock[dir] = k;
	bytes_free(&ext);
}

static void
on_h2_envelope(void *arg, int dir, uint64_t pos, struct envelope_text *to)
{
	struct conn *c = arg;

	envelope_at(&c->side[dir], pos, to);
}

static void
on_h2_decided(void *arg, int dir, uint64_t upto, bool ours)
{
	struct conn *c = arg;

	side_decided(&c->side[dir], upto, ours);
}

static const struct streams_ops streams_ops = { .envelope = on_h2_envelope,
	.decided = on_h2_decided };

/* HTTP/2 from here on, in both directions. fresh: this is its beginning. */
static void
h2_begin(struct conn *c, bool fresh0, bool fresh1)
{
	bool is_fresh[2] = { fresh0, fresh1 };
	uint64_t pos[2] = { c->side[0].h.pos, c->side[1].h.pos };

	c->other = true;
	conn_is_http(c);
	http1_other(&c->side[0].h);
	http1_other(&c->side[1].h);
	c->h2 = streams_new(c->w, &streams_ops, c, c->side[0].h.head.max, c->requests, is_fresh,
	    pos);
	c->w->nomem |= !c->h2;
}

/* x was answered, and side s with it: what follows is what it asked for. */
static void
protocol_begin(struct side *s, struct exchange *x)
{
	struct conn *c = s->c;
	size_t n;
	const char *to = s->h.head.status == 101 ? head_find(&s->h.head, "upgrade", &n) : NULL;

	if (to && n == 9 && !strncasecmp(to, "websocket", 9)) {
		x->refs++;
		c->up = x;
		sock_new(c, 0, &s->h.head);
		sock_new(c, 1, &s->h.head);
	} else if (to && n == 3 && !strncasecmp(to, "h2c", 3)) {
		h2_begin(c, true, true);
		if (c->h2)
			streams_answer(c->h2, x);
	} else {
		x->refs++;
		c->tunnel = (struct other){ .x = x, .protocol = c->protocol };
		if (to)
			memcpy(c->protocol, to, c->tunnel.n = n < OTHER_NAME ? n : OTHER_NAME);
	}
}

/* Bytes of what is not HTTP/1; those that were pending in HTTP/1 come first. */
static void
other_bytes(struct side *s, const char *p, size_t n)
{
	struct conn *c = s->c;
	int dir = s == &c->side[1];
	size_t used = 0;

	if (!n)
		return;
	s->h.pos += n;
	if (c->h2) {
		streams_feed(c->h2, dir, p, n);
		return;
	}
	if (c->sock[dir]) {
		used = ws_feed(&c->sock[dir]->ws, p, n);
		if (used)
			side_decided(s, s->h.pos - n + used, true);
	}
	if (used == n)
		return;
	if (c->sock[dir]) {
		loss_add(c->w->loss, "malformed", 1, 0);
		sock_drop(c, dir, "malformed");
	}
	side_decided(s, s->h.pos, false);
}

static void
other_feed(struct side *s, const char *p, size_t n)
{
	struct bytes pend = s->h.pend;

	s->h.pend = (struct bytes){ 0 };
	other_bytes(s, pend.p, pend.n);
	bytes_free(&pend);
	other_bytes(s, p, n);
}

static void
other_hole(struct side *s, uint64_t n)
{
	struct conn *c = s->c;
	int dir = s == &c->side[1];

	s->h.pos += n;
	if (c->h2)
		streams_hole(c->h2, dir, n);
	else if (c->sock[dir] && !ws_hole(&c->sock[dir]->ws, n))
		sock_drop(c, dir, "hole");
}

static void
side_feed(struct side *s, const char *p, size_t n)
{
	size_t used = http1_feed(&s->h, p, n);

	if (s->h.h2 && !s->c->other) {
		const unsigned char *q = (const unsigned char *)(s->h.pend.n ? s->h.pend.p :
		    p + used);

		/* both begin with SETTINGS, behind the client's preface */
		bool fresh = s->h.pos == 0 && (*q == 'P' || (q[3] == 4 && !(q[4] & 1)));
		bool both = fresh && other_side(s)->h.pos == 0;

		h2_begin(s->c, s == &s->c->side[0] ? fresh : both, s == &s->c->side[1] ? fresh :
		    both);
	}
	if (s->h.state == HTTP1_OTHER)
		other_feed(s, p + used, n - used);
	if (other_side(s)->h.state == HTTP1_OTHER)
		other_feed(other_side(s), NULL, 0);
	message_flush(&s->m);
	side_begun(s);
	s->c->w->nomem |= s->h.nomem;
}

/* A gap before stream position pos. */
static void
side_hole(struct side *s, uint64_t n)
{
	loss_add(s->c->w->loss, "hole", 1, n);
	conn_is_http(s->c);
	if (s->h.state == HTTP1_OTHER)
		other_hole(s, n);
	else
		http1_hole(&s->h, n);
	if (s->h.lost)
		side_lost(s);
	s->decided = s->h.pos;
}

/* Brings off in step with the stream. False: nothing of the line is new. */
static bool
side_align(struct side *s, uint64_t off, const char **p, size_t *n, uint64_t *missing)
{
	uint64_t next = s->h.pos + s->h.pend.n, end;

	if (!s->seen && off) {
		/* not seen from its beginning: lost, or evicted before. Numbers go
		 * on from the offset, so that no id is given twice. */
		loss_add(s->c->w->loss, "late", 1, 0);
		if (s->c->number < off)
			s->c->number = off;
		conn_is_http(s->c);
		side_lost(s);
		http1_hole(&s->h, off);
		s->decided = s->h.pos;
	} else if (off > next) {
		side_hole(s, off - next);
	} else if (off < next) {
		uint64_t again = next - off;

		end = off + *n + *missing;
		loss_add(s->c->w->loss, "repeat", 1, end < next ? end - off : again);
		if (end <= next)
			return false;
		if (again > *n) {
			*missing -= again - *n;
			again = *n;
		}
		*p += again;
		*n -= again;
	}
	s->seen = true;
	return true;
}

enum conn_rc
conn_data(struct conn *c, int dir, const struct event *ev, const char *line, size_t linelen,
    bool has_off, uint64_t off, const void *bytes, size_t n, uint64_t missing)
{
	struct side *s = &c->side[dir];
	const char *p = bytes;
	uint64_t end;

	s->ev = ev;
	if (!c->http && event_bool(ev, "late"))
		conn_is_http(c);
	s->line_off = has_off ? off : s->h.pos + s->h.pend.n;
	if (has_off && !side_align(s, off, &p, &n, &missing)) {
		s->ev = NULL;
		return CONN_TAKEN;
	}
	s->line_off = s->h.pos + s->h.pend.n;
	s->seen = true;
	end = s->line_off + n;
	if (n)
		side_feed(s, p, n);
	if (missing)
		side_hole(s, missing);
	if (s->decided >= end)
		envelope_drop(&s->tail);
	else if (s->decided >= s->line_off)
		envelope_take(c->w, ev, &s->tail);
	s->ev = NULL;
	if (s->ours > s->line_off)
		return CONN_TAKEN;
	if (s->decided >= end)
		return CONN_PASS;
	pending_add(s, line, linelen, s->line_off, end);
	while (s->pendbytes > 4 * s->h.head.max) {
		/* its envelope is still needed when a message begins in it */
		if (event_scan(&c->w->env, s->pending->line, s->pending->n) == EVENT_OK)
			envelope_take(c->w, &c->w->env, &s->tail);
		pending_pop(s, true);
	}
	return CONN_PENDING;
}

void
conn_finish(struct conn *c, const char *why, bool closed)
{
	int first = c->requests > 0;	/* the requests' side; finishing may make it known */

	/* nothing arrives with the end: a message ended with its last byte */
	c->w->now = 0;
	for (int i = 0; i < 2; i++) {
		struct side *s = &c->side[i ^ first];

		if (s->h.state == HTTP1_OTHER)
			other_feed(s, NULL, 0);
		else
			http1_finish(&s->h, why, closed);
		if (s->m.open)
			message_end(&s->m, why);
		sock_drop(c, i ^ first, why);
		while (s->pending)
			pending_pop(s, true);
	}
	if (c->h2)
		streams_finish(c->h2, why);
	c->tunnel.bytes[0] = c->side[0].other;
	c->tunnel.bytes[1] = c->side[1].other;
	if (c->other_env.p && c->tunnel.bytes[0] + c->tunnel.bytes[1])
		other_write(c->w, &c->other_env, &c->tunnel);
}

void
conn_free(struct conn *c)
{
	for (int i = 0; i < 2; i++) {
		struct side *s = &c->side[i];

		while (s->pending)
			pending_pop(s, true);
		message_drop(&s->m);
		bytes_free(&s->m.body);
		envelope_drop(&s->tail);
		http1_free(&s->h);
	}
	while (c->first)
		exchange_drop(exchange_pop(c));
	while (c->nearly)
		exchange_drop(c->early[--c->nearly]);
	exchange_drop(c->tunnel.x);
	envelope_drop(&c->other_env);
	sock_drop(c, 0, "eof");
	sock_drop(c, 1, "eof");
	exchange_drop(c->up);
	streams_free(c->h2);
	c->h2 = NULL;
	c->up = NULL;
}

int
conn_requests(const struct conn *c)
{
	return c->requests < 0 && c->h2 ? streams_requests(c->h2) : c->requests;
}

bool
conn_open(const struct conn *c)
{
	return c->side[0].m.open || c->side[1].m.open || (c->h2 && streams_open(c->h2));
}

size_t
conn_memory(const struct conn *c)
{
	size_t n = c->xbytes + (c->h2 ? streams_memory(c->h2) : 0) + c->other_env.n;

	for (unsigned i = 0; i < c->nearly; i++)
		n += exchange_memory(c->early[i]);
	for (int i = 0; i < 2; i++) {
		const struct side *s = &c->side[i];

		n += http1_memory(&s->h) + message_memory(&s->m) + s->pendbytes + s->tail.n;
		n += c->sock[i] ? ws_memory(&c->sock[i]->ws) : 0;
	}
	return n;
}
