/* streams.c - the streams of an HTTP/2 connection; see streams.h */
#include "streams.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REQUEST, RESPONSE };

/* One direction of one stream. */
struct part {
	struct stream *st;
	bool server;
	bool ended;		/* it was seen to end, or given up */
	bool hole;		/* what comes cannot be placed */
	bool emitted;		/* as a loss, that its data is of no use */
	uint64_t other;		/* bytes of a tunnel */
	struct message m;
	struct head head;
	struct ws *ws;
	struct envelope_text wsenv[2];	/* of a data message, of a control frame */
};

struct stream {
	struct stream *next;		/* used less recently */
	struct stream *touched;		/* next one that the line at hand fed */
	bool is_touched, tunnel;
	struct streams *s;
	uint32_t id;
	struct exchange *x;
	struct envelope_text other_env;	/* of the first line of a tunnel */
	struct part part[2];		/* REQUEST, RESPONSE */
	size_t memory;
};

struct line_dir { struct streams *s; int dir; };

struct streams {
	struct writer *w;
	const struct streams_ops *ops;
	void *arg;
	size_t max_head;
	int requests;			/* direction; -1 unknown */
	struct h2 h2[2];
	struct line_dir dir[2];
	struct stream *first, *touched;
	unsigned n;
	size_t memory;
	uint64_t begun[2];		/* where the header block under way begins */
};

/* --- streams ------------------------------------------------------------------------ */

static size_t
part_memory(const struct part *p)
{
	return message_memory(&p->m) + head_memory(&p->head) + (p->ws ? ws_memory(p->ws) : 0);
}

static void
stream_weigh(struct stream *st)
{
	size_t memory = sizeof(*st) + part_memory(&st->part[0]) + part_memory(&st->part[1]) +
	    (st->x ? exchange_memory(st->x) : 0);

	st->s->memory += memory - st->memory;
	st->memory = memory;
}

static void
ws_drop(struct part *p, const char *why)
{
	if (!p->ws)
		return;
	ws_finish(p->ws, why);
	ws_free(p->ws);
	free(p->ws);
	p->ws = NULL;
	envelope_drop(&p->wsenv[0]);
	envelope_drop(&p->wsenv[1]);
}

/* What a tunnel carried. The request's side is the one that wrote, or read. */
static void
tunnel_end(struct stream *st)
{
	const struct streams *s = st->s;
	const struct part *req = &st->part[REQUEST];
	struct other o = { .x = st->x, .protocol = head_at(&req->head, req->head.protocol),
		.n = req->head.protocol.n };

	o.bytes[s->requests == 1] = req->other;
	o.bytes[s->requests != 1] = st->part[RESPONSE].other;
	if (st->other_env.p && o.bytes[0] + o.bytes[1])
		other_write(s->w, &st->other_env, &o);
	envelope_drop(&st->other_env);
}

/* Ends what is under way, and forgets the stream. */
static void
stream_drop(struct stream *st, const char *why)
{
	struct streams *s = st->s;
	struct stream **at = &s->first;

	tunnel_end(st);
	for (int i = 0; i < 2; i++) {
		struct part *p = &st->part[i];

		ws_drop(p, why);
		if (p->m.open)
			message_end(&p->m, p->hole ? "hole" : why);
		bytes_free(&p->m.body);
		head_free(&p->head);
	}
	exchange_drop(st->x);
	while (*at != st)
		at = &(*at)->next;
	*at = st->next;
	for (at = &s->touched; *at; at = &(*at)->touched)
		if (*at == st) {
			*at = st->touched;
			break;
		}
	s->n--;
	s->memory -= st->memory;
	free(st);
}

static struct stream *
stream_find(struct streams *s, uint32_t id)
{
	struct stream **at = &s->first, *st;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	if (!(st = *at))
		return NULL;
	*at = st->next;
	st->next = s->first;
	s->first = st;
	return st;
}

static struct stream *
stream_get(struct streams *s, uint32_t id)
{
	struct stream *st = stream_find(s, id), *last = s->first;

	if (st)
		return st;
	if (s->n == STREAMS_MAX) {
		while (last->next)
			last = last->next;
		loss_add(s->w->loss, "evicted", 1, 0);
		stream_drop(last, "evicted");
	}
	if (!(st = calloc(1, sizeof(*st)))) {
		s->w->nomem = true;
		return NULL;
	}
	*st = (struct stream){ .s = s, .id = id, .next = s->first };
	for (int i = 0; i < 2; i++)
		st->part[i] = (struct part){ .st = st, .server = i == RESPONSE };
	s->first = st;
	s->n++;
	stream_weigh(st);
	return st;
}

static void
stream_touch(struct stream *st)
{
	if (!st->is_touched) {
		st->is_touched = true;
		st->touched = st->s->touched;
		st->s->touched = st;
	}
}

/* Which part of its streams a direction carries; NULL: not known. */
static struct part *
part_of(struct stream *st, const struct h2 *h)
{
	const struct line_dir *d = h->arg;

	if (d->s->requests < 0)
		return NULL;
	return &st->part[d->dir == d->s->requests ? REQUEST : RESPONSE];
}

/* --- WebSocket over HTTP/2 -------------------------------------------------------------- */

static void
on_ws_begin(void *arg, bool control)
{
	struct part *p = arg;
	struct streams *s = p->st->s;

	s->ops->envelope(s->arg, p->server != s->requests, UINT64_MAX, &p->wsenv[control]);
}

static void
on_ws_message(void *arg, const struct ws_message *m)
{
	struct part *p = arg;
	struct streams *s = p->st->s;

	exchange_ws(s->w, p->st->x, &p->wsenv[m->opcode >= 8], (s->requests == 1) != p->server, m);
}

static const struct ws_ops ws_ops = { .begin = on_ws_begin, .message = on_ws_message };

static void
ws_begin(struct part *p, const struct head *answer)
{
	struct streams *s = p->st->s;
	struct bytes ext = { 0 };
	bool deflate, takeover;

	p->ws = malloc(sizeof(*p->ws));
	if (!p->ws || head_join(answer, "sec-websocket-extensions", &ext)) {
		s->w->nomem = true;
		free(p->ws);
		p->ws = NULL;
	} else {
		ws_extensions(ext.p ? ext.p : "", ext.n, p->server, &deflate, &takeover);
		ws_init(p->ws, &ws_ops, p, s->w->max_body, deflate, takeover);
	}
	bytes_free(&ext);
}

/* CONNECT was answered: both messages are over, the stream is something else. */
static void
tunnel_begin(struct stream *st)
{
	struct part *req = &st->part[REQUEST], *res = &st->part[RESPONSE];
	bool ws = req->head.protocol.n == 9 &&
	    !strncasecmp(head_at(&req->head, req->head.protocol), "websocket", 9);

	st->tunnel = true;
	if (ws) {
		ws_begin(req, &res->head);
		ws_begin(res, &res->head);
	}
	if (req->m.open) {
		uint64_t now = st->s->w->now;

		st->s->w->now = 0;	/* it ended where its header did */
		message_end(&req->m, NULL);
		st->s->w->now = now;
	}
	message_end(&res->m, NULL);
}

/* --- frames ----------------------------------------------------------------------------- */

static void
on_begin(void *arg, struct h2 *h)
{
	struct line_dir *d = arg;

	d->s->begun[d->dir] = h->pos;
}

/* What is between two messages may end the stream's use. */
static void
stream_check(struct stream *st)
{
	bool asked = !st->x || !st->x->request || st->part[REQUEST].ended;

	if (st->part[RESPONSE].ended && asked)
		stream_drop(st, "close");
	else
		stream_weigh(st);
}

/* Fields behind the body. */
static void
trailers_add(struct part *p, const struct head *from)
{
	p->head.in_trailers = true;
	p->head.unknown |= from->unknown;
	for (size_t i = 0; i < from->nfields; i++) {
		const struct field *f = &from->field[i];

		if (head_field(&p->head))
			break;
		if (head_name(&p->head, head_at(from, f->name), f->name.n) ||
		    head_value(&p->head, head_at(from, f->value), f->value.n)) {
			head_field_drop(&p->head);
			break;
		}
	}
	p->head.truncated |= from->truncated;
}

static void
request_begin(struct stream *st, struct envelope_text *env, bool pushed)
{
	struct part *p = &st->part[REQUEST];
	struct exchange *x;

	if (!p->head.target.n)
		p->head.target = p->head.authority;	/* CONNECT, RFC 9113 8.5 */
	if (!(x = exchange_new(&p->head, "/s", st->id)))
		return;
	x->first_ns = env->ns;
	x->pushed = pushed;
	exchange_drop(st->x);
	st->x = x;
	x->refs++;
	message_begin(&p->m, st->s->w, &p->head, x, env);
	p->m.server = st->s->requests == 1;
}

static void
response_begin(struct stream *st, struct envelope_text *env)
{
	struct part *p = &st->part[RESPONSE];

	if (!st->x && !(st->x = exchange_new(NULL, "/s", st->id)))
		return;
	st->x->answered = true;
	st->x->refs++;
	message_begin(&p->m, st->s->w, &p->head, st->x, env);
	p->m.server = st->s->requests == 1;
	if (st->x->connect && p->head.status / 100 == 2)
		tunnel_begin(st);
}

static void
message_start(struct line_dir *d, struct h2 *h, struct part *p, bool pushed)
{
	struct streams *s = d->s;
	struct envelope_text env = { 0 };

	if (p->server && h->head.status / 100 == 1) {
		if (p->m.ninterim < MESSAGE_INTERIM)
			p->m.interim[p->m.ninterim++] = h->head.status;
		return;
	}
	head_free(&p->head);
	h2_head_take(h, &p->head);
	p->head.response = p->server;
	s->ops->envelope(s->arg, d->dir, s->begun[d->dir], &env);
	if (!env.p) {
		s->w->nomem = true;
		return;
	}
	if (p->head.truncated)
		loss_add(s->w->loss, "long_header", 1, 0);
	if (p->server)
		response_begin(p->st, &env);
	else
		request_begin(p->st, &env, pushed);
	s->w->nomem |= !p->st->tunnel && !p->m.open;
	envelope_drop(&env);
}

static void
on_headers(void *arg, struct h2 *h, uint32_t id, uint32_t promised)
{
	struct line_dir *d = arg;
	struct streams *s = d->s;
	bool request = h->head.method_text.n, response = h->head.response, fresh;
	struct stream *st;
	struct part *p;

	if (s->requests < 0 && (request || response))
		s->requests = (request && !promised) ? d->dir : !d->dir;
	if (s->requests < 0) {
		loss_add(s->w->loss, "no_head", 1, 0);
		return;
	}
	if (promised && !request)
		return;
	fresh = !stream_find(s, promised ? promised : id);
	if (!(st = stream_get(s, promised ? promised : id)))
		return;
	p = promised ? &st->part[REQUEST] : part_of(st, h);
	/* what says which of both it is may be among the fields that are not known */
	if (!request && !response && h->head.unknown && !h->block_end &&
	    (p->server ? !p->ended : fresh))
		request = !(response = p->server);
	if (p->m.open) {
		trailers_add(p, &h->head);
	} else if (p->ended || st->tunnel) {
		loss_add(s->w->loss, "no_head", 1, 0);
	} else if (p->server ? response : request) {
		message_start(d, h, p, promised);
		if (promised && p->m.open)
			message_end(&p->m, NULL);
		p->ended |= promised;
	} else {
		loss_add(s->w->loss, "no_head", 1, 0);	/* trailers of what was not seen */
	}
	stream_check(st);
}

static void
on_data(void *arg, struct h2 *h, uint32_t id, const char *p, size_t n)
{
	struct line_dir *d = arg;
	struct streams *s = d->s;
	struct stream *st = stream_get(s, id);
	struct part *part = st ? part_of(st, h) : NULL;

	if (!st)
		return;
	if (!part) {
		loss_add(s->w->loss, "no_head", !st->part[0].emitted, n);
		st->part[0].emitted = true;
	} else if (part->hole) {
		loss_add(s->w->loss, "behind_hole", 0, n);
	} else if (part->ws) {
		if (ws_feed(part->ws, p, n) < n) {
			loss_add(s->w->loss, "malformed", 1, 0);
			ws_drop(part, "malformed");
		}
	} else if (part->m.open) {
		message_body(&part->m, p, n);
		stream_touch(st);
	} else if (st->tunnel) {
		if (!st->other_env.p)
			s->ops->envelope(s->arg, d->dir, UINT64_MAX, &st->other_env);
		part->other += n;
	} else {
		loss_add(s->w->loss, "no_head", !part->emitted, n);
		part->emitted = true;
	}
	stream_weigh(st);
}

static void
on_stream_end(void *arg, struct h2 *h, uint32_t id)
{
	struct line_dir *d = arg;
	struct stream *st = stream_find(d->s, id);
	struct part *p = st ? part_of(st, h) : NULL;

	if (!p)
		return;
	ws_drop(p, "close");
	if (p->m.open)
		message_end(&p->m, p->hole ? "hole" : NULL);
	p->ended = true;
	stream_check(st);
}

static void
on_reset(void *arg, struct h2 *h, uint32_t id, uint32_t code)
{
	struct line_dir *d = arg;
	struct stream *st = stream_find(d->s, id);

	(void)h, (void)code;
	if (st)
		stream_drop(st, "reset");
}

/* A hole: in one stream's data, or anywhere. */
static void
on_hole(void *arg, struct h2 *h, uint32_t id)
{
	struct line_dir *d = arg;

	for (struct stream *st = d->s->first, *next; st; st = next) {
		struct part *p = part_of(st, h);

		next = st->next;
		if (!p || (id && st->id != id) || p->hole || (!p->m.open && !p->ws))
			continue;
		ws_drop(p, "hole");
		if (p->m.open)
			message_cut(&p->m, "hole");
		loss_add(d->s->w->loss, "behind_hole", 1, 0);
		p->hole = true;
		if (!id && p->m.open) {
			/* whether its end was in the hole is not known either */
			message_end(&p->m, "hole");
			p->ended = true;
			stream_check(st);
		}
	}
}

static void
on_decided(void *arg, struct h2 *h, uint64_t upto, bool ours)
{
	struct line_dir *d = arg;

	(void)h;
	d->s->ops->decided(d->s->arg, d->dir, upto, ours);
}

static const struct h2_ops h2_ops = {
	.begin = on_begin, .headers = on_headers, .data = on_data, .end = on_stream_end,
	.reset = on_reset, .hole = on_hole, .decided = on_decided,
};

/* --- the connection ---------------------------------------------------------------------- */

struct streams *
streams_new(struct writer *w, const struct streams_ops *ops, void *arg, size_t max_head,
    int requests, const bool fresh[2], const uint64_t pos[2])
{
	struct streams *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct streams){ .w = w, .ops = ops, .arg = arg, .max_head = max_head,
		.requests = requests };
	for (int i = 0; i < 2; i++) {
		s->dir[i] = (struct line_dir){ .s = s, .dir = i };
		if (h2_init(&s->h2[i], &h2_ops, &s->dir[i], max_head, fresh[i], pos[i])) {
			streams_free(s);
			return NULL;
		}
	}
	return s;
}

int
streams_requests(const struct streams *s)
{
	return s->requests;
}

void
streams_free(struct streams *s)
{
	if (!s)
		return;
	while (s->first)
		stream_drop(s->first, "eof");
	h2_free(&s->h2[0]);
	h2_free(&s->h2[1]);
	free(s);
}

size_t
streams_memory(const struct streams *s)
{
	return sizeof(*s) + s->memory + h2_memory(&s->h2[0]) + h2_memory(&s->h2[1]);
}

bool
streams_open(const struct streams *s)
{
	for (const struct stream *st = s->first; st; st = st->next)
		if (st->part[0].m.open || st->part[1].m.open)
			return true;
	return false;
}

void
streams_answer(struct streams *s, struct exchange *x)
{
	struct stream *st = stream_get(s, 1);

	if (!st)
		return;
	x->refs++;
	st->x = x;
	st->part[REQUEST].ended = true;
	stream_weigh(st);
}

void
streams_feed(struct streams *s, int dir, const void *p, size_t n)
{
	if (n && s->requests < 0 && !s->h2[dir].begun && !s->h2[dir].lost &&
	    *(const char *)p == 'P')
		s->requests = dir;	/* the client's preface */
	h2_feed(&s->h2[dir], p, n);
	s->w->nomem |= s->h2[dir].nomem;
	while (s->touched) {
		struct stream *st = s->touched;

		s->touched = st->touched;
		st->touched = NULL;
		st->is_touched = false;
		message_flush(&st->part[REQUEST].m);
		message_flush(&st->part[RESPONSE].m);
		stream_weigh(st);
	}
}

void
streams_hole(struct streams *s, int dir, uint64_t n)
{
	h2_hole(&s->h2[dir], n);
	s->w->nomem |= s->h2[dir].nomem;
}

void
streams_finish(struct streams *s, const char *why)
{
	while (s->first) {
		struct stream *least = s->first;

		for (struct stream *st = least->next; st; st = st->next)
			if (st->id < least->id)
				least = st;
		stream_drop(least, why);
	}
}
