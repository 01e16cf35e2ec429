/* talk.c - Gemini Live over a WebSocket; see talk.h */
#include "llmparse/talk.h"

#include "lib/flow.h"
#include "lib/lenient.h"
#include "lib/loss.h"

#include <err.h>
#include <stdlib.h>

enum { SAID_MAX = 4 << 20 };	/* bytes kept of one turn, in each direction */

/* JSON that is put together. */
struct made {
	char *p;
	size_t n, cap;
};

struct talk {
	struct talk *next, **prev;
	struct made conn, headers, host;
	struct made model, setup;	/* of the setup message: its model; all of it */
	struct made said;		/* contents since the last turn, with commas */
	struct made heard;		/* the model's parts, with commas */
	struct made usage;
	struct made first;		/* the line in which the turn began: its envelope */
	enum { OPEN_NOT, OPEN_TEXT, OPEN_THOUGHT, OPEN_SPOKEN } open;	/* the last part may grow */
	enum { USER_NOT, USER_SPOKEN } user;	/* so may the user's last */
	uint64_t first_ns;
	uint64_t turns;
	size_t charged;
	unsigned marks;
	bool cut;			/* something did not fit */
};

struct talks {
	struct talks_conf conf;
	struct flow_table *flows;
	struct talk *first;
	struct event scan, line;
	struct line_out scratch;	/* memory only */
	struct event *at;		/* the line at hand; NULL: none */
};

static void
add(struct made *k, const char *p, size_t n)
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
	if (n)
		memcpy(k->p + k->n, p, n);
	k->n += n;
}

static void
put(struct made *k, struct value v)
{
	k->n = 0;
	if (is_given(v))
		add(k, v.p, v.n);
}

static void
text(struct made *k, const char *s)
{
	add(k, s, strlen(s));
}

/* Room for n more of a turn. */
static bool
fits(struct talks *w, struct talk *s, const struct made *k, size_t n)
{
	if (k->n + n <= SAID_MAX)
		return true;
	if (!s->cut)
		loss_add(w->conf.loss, "evicted", 1, n);
	s->cut = true;
	return false;
}

/* --- turns ------------------------------------------------------------------------------- */

/* The request that the turn answers, as it would have been sent to generateContent. */
static void
request_make(struct talk *s, struct made *to, struct value setup)
{
	static const char *const key[] = { "systemInstruction", "system_instruction", "tools",
		"generationConfig",
		"generation_config" };

	text(to, "{\"contents\":[");
	add(to, s->said.p, s->said.n);
	text(to, "]");
	for (size_t i = 0; i < sizeof(key) / sizeof(*key); i++) {
		struct value v = value_get(setup, key[i]);

		if (!is_given(v))
			continue;
		text(to, ",\"");
		text(to, key[i]);
		text(to, "\":");
		add(to, v.p, v.n);
	}
	text(to, "}");
}

static void
response_make(struct talk *s, struct made *to, const char *finish)
{
	text(to, "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[");
	add(to, s->heard.p, s->heard.n);
	text(to, "]}");
	if (finish) {
		text(to, ",\"finishReason\":\"");
		text(to, finish);
		text(to, "\"");
	}
	text(to, "}]");
	if (s->usage.n) {
		text(to, ",\"usageMetadata\":");
		add(to, s->usage.p, s->usage.n);
	}
	text(to, "}");
}

static void
turn_clear(struct talk *s)
{
	s->said.n = s->heard.n = s->usage.n = s->first.n = 0;
	s->open = OPEN_NOT;
	s->user = USER_NOT;
	s->first_ns = 0;
	s->marks = 0;
	s->cut = false;
}

/* finish: NULL with why, what ended it before its time. end_ns 0: not known. */
static void
turn_emit(struct talks *w, struct talk *s, const char *finish, const char *why, uint64_t end_ns)
{
	struct call_request rq = { .ev = &w->line, .vendor = &vendor_live, .turn = ++s->turns,
	.lenient = s->marks };
	struct call_response r = { .ev = &w->scan, .stream = true, .why = why, .end_ns = end_ns,
	.first_ns = s->first_ns };
	struct made asked = { 0 }, answer = { 0 };
	struct call call = { 0 };
	struct route route;

	event_scan(&w->line, s->first.p, s->first.n);
	arena_reset(&w->scan.arena);
	request_make(s, &asked,
	event_scan_value(&w->scan, s->setup.p ? s->setup.p : "", s->setup.n));
	rq.body = event_scan_value(&w->line, asked.p, asked.n);
	if (s->host.n > 2)
		rq.host = (struct client_text){ s->host.p + 1, s->host.n - 2 };
	rq.comm.p = event_str(&w->line, "comm", &rq.comm.n);
	if (!rq.comm.p)
		rq.comm.n = 0;
	if (s->headers.n)
		rq.headers = (struct value){ s->headers.p, s->headers.n, VALUE_OBJECT, false };
	route_find(&route, rq.host.p, rq.host.n, NULL, 0);
	route.stream = true;
	route.model = s->model.n > 2 ? s->model.p + 1 : NULL;
	route.modellen = s->model.n > 2 ? s->model.n - 2 : 0;
	if (route.modellen > 7 && !memcmp(route.model, "models/", 7)) {
		route.model += 7;
		route.modellen -= 7;
	}
	rq.route = &route;
	if (call_request(w->conf.caller, &call, &rq))
		err(1, "websocket");
	call.confidence = ROUTE_CERTAIN;
	call.responded = s->heard.n || s->usage.n;
	arena_reset(&w->scan.arena);
	response_make(s, &answer, finish);
	r.body = event_scan_value(&w->scan, answer.p, answer.n);
	if (w->at)
		w->conf.first(w->conf.arg, w->at);
	call_emit(w->conf.caller, &call, &r, w->conf.out);
	call_free(&call);
	free(asked.p);
	free(answer.p);
	turn_clear(s);
}

static void
turn_cut(struct talks *w, struct talk *s, const char *why)
{
	if (s->first.n && (s->heard.n || s->said.n))
		turn_emit(w, s, NULL, why, 0);
}

/* What begins a turn: its envelope is the call's. */
static void
turn_begin(struct talks *w, struct talk *s, struct event *ev)
{
	struct jput j;

	if (s->first.n)
		return;
	w->scratch.len = 0;
	jput_open(&j, &w->scratch, "ws.message");
	jput_inherit(&j, ev, 0);
	jput_copy(&j, ev, "conn");
	jput_copy(&j, ev, "id");
	add(&s->first, w->scratch.buf, w->scratch.len);
	text(&s->first, "}");
}

/* --- sessions ---------------------------------------------------------------------------- */

static void
talk_finish(void *arg, void *entry, enum flow_why why)
{
	struct talks *w = arg;
	struct talk *s = entry;

	if (why == FLOW_FULL)
		loss_add(w->conf.loss, "evicted", 1, s->charged);
	turn_cut(w, s, flow_why_name(why));
	if (s->prev && (*s->prev = s->next))
		s->next->prev = s->prev;
	free(s->conn.p);
	free(s->headers.p);
	free(s->host.p);
	free(s->model.p);
	free(s->setup.p);
	free(s->said.p);
	free(s->heard.p);
	free(s->usage.p);
	free(s->first.p);
}

struct talks *
talks_new(const struct talks_conf *conf)
{
	struct talks *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->conf = *conf;
	event_init(&w->scan);
	event_init(&w->line);
	line_out_init(&w->scratch, -1);
	if ((w->flows = flow_new(sizeof(struct talk), conf->max, conf->max_memory, talk_finish, w)))
		return w;
	free(w);
	return NULL;
}

void
talks_free(struct talks *w)
{
	if (!w)
		return;
	w->at = NULL;
	flow_free(w->flows);
	event_free(&w->scan);
	event_free(&w->line);
	line_out_free(&w->scratch);
	free(w);
}

void
talks_expire(struct talks *w, uint64_t now, uint64_t idle_ns)
{
	w->at = NULL;
	flow_expire(w->flows, now, idle_ns);
}

bool
talks_request(struct talks *w, struct event *ev, uint64_t now)
{
	size_t n, k;
	const char *path = event_str(ev, "path", &n), *id = event_str(ev, "id", &k);
	struct talk *s;

	if (!path || !id || !memmem(path, n, "BidiGenerateContent", 19))
		return false;
	w->at = ev;
	if ((s = flow_find(w->flows, id, k, now)))	/* the same id again */
		flow_drop(w->flows, s, FLOW_EOF);
	if (!(s = flow_get(w->flows, id, k, now)))
		err(1, "websocket");
	put(&s->conn, event_get(ev, "conn"));
	put(&s->headers, event_get(ev, "headers"));
	put(&s->host, event_get(ev, "host"));
	if ((s->next = w->first))
		w->first->prev = &s->next;
	s->prev = &w->first;
	w->first = s;
	return true;
}

/* --- the client's side ------------------------------------------------------------------- */

static void
say(struct talks *w, struct talk *s, struct event *ev, struct value content)
{
	if (content.kind != VALUE_OBJECT || !fits(w, s, &s->said, content.n + 1))
		return;
	turn_begin(w, s, ev);
	if (s->said.n)
		text(&s->said, ",");
	add(&s->said, content.p, content.n);
	s->user = USER_NOT;
}

static void
say_all(struct talks *w, struct talk *s, struct event *ev, struct value list)
{
	struct value_iter it;
	struct value k, v;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		say(w, s, ev, v);
}

/* {"text":...} of what was typed or, piece by piece, spoken. */
static void
say_text(struct talks *w, struct talk *s, struct event *ev, struct value t, bool spoken)
{
	static const char before[] = "{\"role\":\"user\",\"parts\":[{\"text\":", after[] = "}]}";

	if (!is_text(t) || !fits(w, s, &s->said, t.n + sizeof(before) + sizeof(after)))
		return;
	turn_begin(w, s, ev);
	if (spoken && s->user == USER_SPOKEN) {
		s->said.n -= strlen(after) + 1;		/* into the string */
		add(&s->said, t.p + 1, t.n - 1);
	} else {
		if (s->said.n)
			text(&s->said, ",");
		text(&s->said, before);
		add(&s->said, t.p, t.n);
	}
	text(&s->said, after);
	s->user = spoken ? USER_SPOKEN : USER_NOT;
}

/* The results of tools, as a content. */
static void
say_results(struct talks *w, struct talk *s, struct event *ev, struct value list)
{
	struct value_iter it;
	struct value k, v;
	bool any = false;

	if (list.kind != VALUE_ARRAY || !fits(w, s, &s->said, list.n * 2 + 64))
		return;
	turn_begin(w, s, ev);
	text(&s->said, s->said.n ? ",{\"role\":\"user\",\"parts\":[" :
	"{\"role\":\"user\",\"parts\":[");
	value_iter(&it, list);
	while (value_next(&it, &k, &v)) {
		text(&s->said, any ? ",{\"functionResponse\":" : "{\"functionResponse\":");
		add(&s->said, v.p, v.n);
		text(&s->said, "}");
		any = true;
	}
	text(&s->said, "]}");
	s->user = USER_NOT;
}

static struct value
either(struct value v, const char *a, const char *b)
{
	return first_given(value_get(v, a), value_get(v, b));
}

static bool
on_client(struct talks *w, struct talk *s, struct event *ev, struct value v)
{
	struct value setup = value_get(v, "setup"),
	content = either(v, "clientContent", "client_content");
	struct value input = either(v, "realtimeInput", "realtime_input"),
	tool = either(v, "toolResponse", "tool_response");

	if (is_given(setup)) {
		put(&s->setup, setup);
		put(&s->model, value_get(setup, "model"));
	} else if (is_given(content)) {
		say_all(w, s, ev, value_get(content, "turns"));
	} else if (is_given(input)) {
		say_text(w, s, ev, value_get(input, "text"), false);
	} else if (is_given(tool)) {
		say_results(w, s, ev, either(tool, "functionResponses", "function_responses"));
	} else {
		return false;
	}
	return true;
}

/* --- the server's side ------------------------------------------------------------------- */

/* Adds a part; text of the same kind goes on with the one before. */
static void
hear(struct talks *w, struct talk *s, struct event *ev, struct value part, struct value t, int kind)
{
	static const char *const before[] = { "", "{\"text\":", "{\"thought\":true,\"text\":",
	"{\"text\":" };

	if (!fits(w, s, &s->heard, part.n + 32))
		return;
	turn_begin(w, s, ev);
	if (!s->first_ns)
		s->first_ns = event_time(ev);
	if (kind != OPEN_NOT && (int)s->open == kind) {
		s->heard.n -= 2;	/* the quote and the brace */
		add(&s->heard, t.p + 1, t.n - 1);
		text(&s->heard, "}");
		return;
	}
	if (s->heard.n)
		text(&s->heard, ",");
	if (kind == OPEN_NOT) {
		add(&s->heard, part.p, part.n);
	} else {
		text(&s->heard, before[kind]);
		add(&s->heard, t.p, t.n);
		text(&s->heard, "}");
	}
	s->open = kind;
}

static void
hear_parts(struct talks *w, struct talk *s, struct event *ev, struct value list)
{
	struct value_iter it;
	struct value k, v, t;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		t = value_get(v, "text");
		if (t.kind == VALUE_STRING)
			hear(w, s, ev, v, t,
			value_get(v, "thought").kind == VALUE_TRUE ? OPEN_THOUGHT : OPEN_TEXT);
		/* audio: what is said is its transcript */
		else if (!is_given(value_get(v, "inlineData")))
			hear(w, s, ev, v, t, OPEN_NOT);
		else if (!s->first_ns)
			s->first_ns = event_time(ev);
	}
}

static void
hear_calls(struct talks *w, struct talk *s, struct event *ev, struct value list)
{
	struct value_iter it;
	struct value k, v;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		struct made part = { 0 };

		text(&part, "{\"functionCall\":");
		add(&part, v.p, v.n);
		text(&part, "}");
		hear(w, s, ev, (struct value){ part.p, part.n, VALUE_OBJECT, false },
		(struct value){ 0 }, OPEN_NOT);
		free(part.p);
	}
}

static void
on_content(struct talks *w, struct talk *s, struct event *ev, struct value v)
{
	static const char *const key[] = { "modelTurn", "inputTranscription", "outputTranscription",
		"turnComplete",
		"interrupted" };
	struct value c[5], t;

	MEMBERS(v, key, c);
	say_text(w, s, ev, value_get(c[1], "text"), true);
	hear_parts(w, s, ev, value_get(c[0], "parts"));
	t = value_get(c[2], "text");
	if (is_text(t))
		hear(w, s, ev, t, t, OPEN_SPOKEN);
	if (c[3].kind == VALUE_TRUE && s->first.n && (s->heard.n || s->first_ns || s->usage.n))
		turn_emit(w, s, "STOP", NULL, event_time(ev));
	else if (c[4].kind == VALUE_TRUE && s->first.n && (s->heard.n || s->first_ns))
		turn_emit(w, s, NULL, "interrupted", event_time(ev));
}

static bool
on_server(struct talks *w, struct talk *s, struct event *ev, struct value v)
{
	struct value content = value_get(v, "serverContent"), tool = value_get(v, "toolCall");
	struct value usage = value_get(v, "usageMetadata");

	if (is_given(usage))
		put(&s->usage, usage);
	if (is_given(content))
		on_content(w, s, ev, content);
	if (is_given(tool)) {
		hear_calls(w, s, ev, value_get(tool, "functionCalls"));
		if (s->first.n)
			turn_emit(w, s, "STOP", NULL, event_time(ev));
	}
	return is_given(content) || is_given(tool) || is_given(usage) ||
	is_given(value_get(v, "setupComplete")) ||
	    is_given(value_get(v, "goAway")) || is_given(value_get(v, "toolCallCancellation")) ||
	    is_given(value_get(v, "sessionResumptionUpdate"));
}

static void
charge(struct talks *w, struct talk *s)
{
	size_t now = s->said.cap + s->heard.cap + s->setup.cap + s->first.cap + sizeof(*s);

	if (flow_charge(w->flows, s, (ptrdiff_t)now - (ptrdiff_t)s->charged) == 0)
		s->charged = now;
	else
		turn_clear(s);
}

bool
talks_message(struct talks *w, struct event *ev, uint64_t now)
{
	size_t k, n;
	const char *id = event_str(ev, "id", &k), *p;
	struct talk *s = id ? flow_find(w->flows, id, k, now) : NULL;
	struct value v;
	unsigned marks = 0;

	if (!s)
		return false;
	w->at = ev;
	if (value_eq(event_get(ev, "opcode"), "close")) {
		turn_cut(w, s, "close");
		return true;
	}
	/* the server's messages are JSON in binary frames */
	if (!(p = event_bytes(ev, "data", &n)) || !n || *p != '{')
		return true;
	v = lenient_scan(ev, p, n, &marks);
	s->marks |= marks;
	if (v.kind == VALUE_OBJECT && !on_client(w, s, ev, v))
		on_server(w, s, ev, v);
	charge(w, s);
	return true;
}

void
talks_close(struct talks *w, struct event *ev, struct value conn)
{
	w->at = ev;
	for (struct talk *s = w->first; s; s = s->next)
		if (s->conn.n == conn.n && !memcmp(s->conn.p, conn.p, conn.n))
			turn_cut(w, s, "close");
}
