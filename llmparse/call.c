/* call.c - one model call, from its request to its llm.call; see call.h */
#include "llmparse/call.h"

#include "lib/flow.h"
#include "lib/lenient.h"
#include "llmparse/relay.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* A call of a tool that an answer asked for. */
struct tool {
	char *name;		/* as JSON */
	char *call;		/* id of the llm.call */
};

static void
tool_finish(void *arg, void *entry, enum flow_why why)
{
	struct caller *c = arg;
	struct tool *t = entry;

	if (why == FLOW_FULL)
		c->tools_forgotten++;
	free(t->name);
	free(t->call);
}

static struct section *
section_at(struct caller *c, int i)
{
	struct section *const all[] = { &c->list, &c->system, &c->definitions, &c->calls,
		&c->results, &c->finish };

	return i < 6 ? all[i] : NULL;
}

int
caller_init(struct caller *c, enum call_content content, size_t memory)
{
	*c = (struct caller){ .content = content };
	line_out_init(&c->scratch, -1);
	for (int i = 0; section_at(c, i); i++)
		section_init(section_at(c, i));
	c->history = history_new(memory);
	c->relays = relays_new();
	c->tools = flow_new(sizeof(struct tool), memory, 0, tool_finish, c);
	if (c->history && c->relays && c->tools)
		return 0;
	caller_free(c);
	return -1;
}

void
caller_free(struct caller *c)
{
	line_out_free(&c->scratch);
	for (int i = 0; section_at(c, i); i++)
		section_free(section_at(c, i));
	history_free(c->history);
	relays_free(c->relays);
	flow_free(c->tools);
	free(c->item);
	free(c->at);
}

void
call_free(struct call *call)
{
	free(call->head);
	free(call->host);
	free(call->model);
	free(call->tail);
	free(call->id);
	free(call->conversation);
	free(call->chain);
	*call = (struct call){ 0 };
}

size_t
call_size(const struct call *call)
{
	return call->headlen + call->modellen + call->taillen + 256;
}

/* --- the list of messages ----------------------------------------------------------- */

static bool
item_add(struct caller *c, struct value v)
{
	if (c->nitem == c->itemcap) {
		size_t cap = c->itemcap ? c->itemcap * 2 : 64;
		struct value *item = realloc(c->item, cap * sizeof(*item));
		struct digest *at;

		if (!item)
			return false;
		c->item = item;
		if (!(at = realloc(c->at, cap * sizeof(*at))))
			return false;
		c->at = at;
		c->itemcap = cap;
	}
	c->item[c->nitem++] = v;
	return true;
}

static int
items_find(struct caller *c, struct value list)
{
	struct value_iter it;
	struct value k, v;

	c->nitem = 0;
	if (list.kind != VALUE_ARRAY)
		return !is_given(list) || item_add(c, list) ? 0 : -1;
	value_iter(&it, list);
	while (value_next(&it, &k, &v))
		if (!item_add(c, v))
			return -1;
	return 0;
}

/* Behind the last message of the model, unless it ends the list (then it is
 * the beginning of the answer, given by the client). */
static size_t
behind_responses(const struct caller *c)
{
	size_t i = c->nitem;

	while (i && item_is_response(c->vendor, c->item[i - 1]))
		i--;
	while (i && !item_is_response(c->vendor, c->item[i - 1]))
		i--;
	return i;
}

static bool
any_response(const struct caller *c)
{
	for (size_t i = 0; i < c->nitem; i++)
		if (item_is_response(c->vendor, c->item[i]))
			return true;
	return false;
}

/* --- the conversation ------------------------------------------------------------------ */

static char *
text_dup(const char *p, size_t n)
{
	char *t = malloc(n + 1);

	if (t) {
		memcpy(t, p, n);
		t[n] = '\0';
	}
	return t;
}

/* Which conversation this is, and where what the request adds begins. */
struct continued {
	struct client_text id;
	bool sent;
	size_t from;
	struct thread *thread;	/* the request that it continues */
	size_t known;		/* its length */
};

static void
continued_name(struct caller *c, struct continued *o, const struct thread *linked, const char *own)
{
	const struct thread *t = o->thread;

	if (o->id.n) {
		o->sent = true;
		return;
	}
	/* the same first question again, when it has been answered, begins anew */
	if (!linked && t && o->known == c->nitem && t->answered && !any_response(c))
		t = NULL;
	if (linked)
		t = linked;
	o->id.p = t ? t->id : own;
	o->id.n = strlen(o->id.p);
	o->sent = t && t->sent;
}

/* A request that offers tools and one that does not are not the same one again: a title
 * is asked for with the same first message as the work itself, at the same time. */
static void
digests_mark(struct caller *c, bool tools)
{
	for (size_t i = 0; tools && i < c->nitem; i++)
		c->at[i].h[1] ^= UINT64_C(0x9e3779b97f4a7c15);
}

static void
thread_find(struct caller *c, struct call *call, struct continued *o, bool tools)
{
	struct thread *other;
	size_t known;

	list_digest(c->item, c->nitem, c->at);
	digests_mark(c, !tools);
	other = history_find(c->history, c->at, c->nitem - 1, &known);
	digests_mark(c, true);
	call->digest = c->at[c->nitem - 1];
	call->listed = true;
	o->thread = history_find(c->history, c->at, c->nitem, &o->known);
	if (known > o->known) {	/* a summary of it all, say */
		o->thread = other;
		o->known = known;
	}
}

/* The call that the chain of requests began with. */
static int
chain_find(struct caller *c, struct call *call, const struct continued *o,
    const struct thread *linked)
{
	const struct thread *t = linked ? linked : o->thread;
	const char *first;

	if (!linked && t && o->known == c->nitem && t->answered && !any_response(c))
		t = NULL;
	first = t && t->first ? t->first : call->id;
	return call->listed || linked ? -!(call->chain = text_dup(first, strlen(first))) : 0;
}

static void
continued_from(struct caller *c, struct continued *o, bool remembered)
{
	const struct thread *t = o->thread;
	bool seen = history_seen(c->history, o->id.p, o->id.n);

	if (remembered)
		o->from = 0;
	else if (t && o->known == c->nitem)	/* again */
		o->from = t->from < c->nitem ? t->from : 0;
	else if (t)
		for (o->from = o->known; t->answered && o->from < c->nitem &&
		    item_is_response(c->vendor, c->item[o->from]);)
			o->from++;
	else if (seen)		/* a list that was rewritten */
		o->from = behind_responses(c);
}

/* The name that stands in the path. */
static struct client_text
path_conversation(const struct call_request *rq)
{
	struct client_text path = { 0 }, none = { 0 };
	const char *at, *end;

	if (!rq->vendor->conversation || !(path.p = event_str(rq->ev, "path", &path.n)) ||
	    !(at = memmem(path.p, path.n, rq->vendor->conversation,
	    strlen(rq->vendor->conversation))))
		return none;
	at += strlen(rq->vendor->conversation);
	for (end = at; end < path.p + path.n && *end != '/' && *end != '?'; end++)
		;
	/* "/threads/runs" makes a new one */
	return end < path.p + path.n && *end == '?' && end == at ? none :
	    end - at == 4 && !memcmp(at, "runs", 4) ? none : (struct client_text){ at, end - at };
}

/* c->item is the list. */
static int
conversation_find(struct caller *c, struct call *call, const struct call_request *rq,
    const struct request *a,
    struct continued *o)
{
	const struct thread *linked = NULL;
	struct thread *t;
	bool chats = !strcmp(a->operation, "chat") || !strcmp(a->operation, "generate_content");
	struct client_text named = { 0 };
	const char *previous;
	size_t n;

	*o = (struct continued){ .id = client_conversation(rq->ev, rq->headers, a) };
	if (!o->id.n)
		o->id = rq->conversation;
	if (!o->id.n && (named = path_conversation(rq)).n &&
	    !(linked = history_linked(c->history, named.p, named.n)))
		o->id = named;
	if (is_text(a->previous) && (previous = value_str(&rq->ev->arena, a->previous, &n)))
		linked = history_linked(c->history, previous, n);
	if (chats && c->nitem && !is_text(a->previous) && !named.n) {
		thread_find(c, call, o, value_element(a->tools, 0).kind != VALUE_NONE);
	}
	if (chain_find(c, call, o, linked))
		return -1;
	if (!o->id.n && !chats)
		return 0;
	continued_name(c, o, linked, call->id);
	continued_from(c, o, is_text(a->previous) || named.n);
	call->sent = o->sent;
	if (!(call->conversation = text_dup(o->id.p, o->id.n)))
		return -1;
	o->id.p = call->conversation;	/* the thread's own may go now */
	if (call->listed &&
	    (t = history_add(c->history, call->digest, o->id.p, o->id.n, o->sent))) {
		t->from = o->from;
		t->answered = false;
		thread_begin(t, call->chain);
	}
	return 0;
}

/* --- tools across requests ---------------------------------------------------------- */

/* Key of a call of a tool: conversation, NUL, id as JSON. */
static void *
tool_at(struct caller *c, struct value id, bool make)
{
	struct line_out *s = &c->scratch;
	size_t conv, before = s->len;
	void *t = NULL;
	char *key;

	if (!c->conversation || !is_text(id))
		return NULL;
	conv = strlen(c->conversation) + 1;
	if ((key = line_room(s, conv + id.n))) {
		memcpy(key, c->conversation, conv);
		memcpy(key + conv, id.p, id.n);
		t = make ? flow_get(c->tools, key, conv + id.n, 0) :
		    flow_find(c->tools, key, conv + id.n, 0);
	}
	s->len = before;
	return t;
}

static void
on_response_call(void *arg, struct value id, struct value name)
{
	struct caller *c = arg;
	struct tool *t = tool_at(c, id, true);

	if (!t)
		return;
	free(t->name);
	free(t->call);
	t->name = is_text(name) ? text_dup(name.p, name.n) : NULL;
	t->call = text_dup(c->id, strlen(c->id));
}

static void
on_listed_call(void *arg, struct value id, struct value name)
{
	struct caller *c = arg;

	if (id.n == c->wanted.n && !memcmp(id.p, c->wanted.p, id.n))
		c->found = name;
}

/* The name of a call that was made before we looked: the list itself has it. */
static struct value
name_in_list(struct caller *c, struct value id)
{
	struct messages m = { .ev = c->ev, .call = on_listed_call, .arg = c };

	c->wanted = id;
	c->found = (struct value){ 0 };
	for (size_t i = c->nitem; i-- > 0 && !c->found.kind;)
		if (item_is_response(c->vendor, c->item[i]))
			c->vendor->item(&m, c->item[i]);
	return c->found;
}

static void
on_result(void *arg, struct jput *j, struct value id, struct value name)
{
	struct caller *c = arg;
	const struct tool *t = tool_at(c, id, false);

	if (!is_text(name) && !(t && t->name) && is_text(id))
		name = name_in_list(c, id);
	if (is_text(name))
		jput_value(j, "name", name);
	else if (t && t->name)
		jput_raw(j, "name", t->name, strlen(t->name));
	if (t && t->call)
		jput_str(j, "call", t->call);
}

/* --- the request -------------------------------------------------------------------- */

static void
put_model(struct jput *j, const struct call_request *rq, const struct request *a)
{
	char name[512];

	if (is_text(a->model))
		jput_value(j, "request_model", a->model);
	else if (rq->route->modellen && rq->route->modellen <= sizeof(name))
		jput_bytes(j, "request_model", name,
		    percent_decode(rq->route->model, rq->route->modellen, name));
}

static char *
take(struct line_out *scratch, size_t *n)
{
	char *t = scratch->err ? NULL : malloc(scratch->len + 1);

	if (t)
		memcpy(t, scratch->buf, scratch->len);
	*n = scratch->len;
	scratch->len = 0;
	return t;
}

static int
head_make(struct caller *c, struct call *call, const struct call_request *rq,
    const struct request *a)
{
	struct jput j, m = { &c->scratch, true };
	unsigned port;

	c->scratch.len = 0;
	jput_open(&j, &c->scratch, "llm.call");
	jput_inherit(&j, rq->ev, 0);
	jput_copy(&j, rq->ev, "conn");
	jput_copy(&j, rq->ev, "id");
	jput_copy(&j, rq->ev, "hpack_incomplete");
	if (rq->turn)
		jput_uint(&j, "turn", rq->turn);
	call->head = take(&c->scratch, &call->headlen);
	put_model(&m, rq, a);
	call->model = take(&c->scratch, &call->modellen);
	call->provider = rq->route->provider;
	call->pathless = !rq->route->known;
	call->hostless = !rq->host.n && event_bool(rq->ev, "hpack_incomplete");
	if (rq->host.n &&
	    !(call->host = text_dup(rq->host.p, host_split(rq->host.p, rq->host.n, &port))))
		return -1;
	call->operation = a->operation;
	return call->head && call->model ? 0 : -1;
}

static void
put_number(struct jput *j, const char *key, struct value v)
{
	if (v.kind == VALUE_INT || v.kind == VALUE_REAL)
		jput_value(j, key, v);
}

static void
put_sampling(struct jput *j, const struct request *a)
{
	put_number(j, "request_max_tokens", a->max_tokens);
	put_number(j, "request_temperature", a->temperature);
	put_number(j, "request_top_p", a->top_p);
	put_number(j, "request_top_k", a->top_k);
	put_number(j, "request_seed", a->seed);
	put_number(j, "request_frequency_penalty", a->frequency_penalty);
	put_number(j, "request_presence_penalty", a->presence_penalty);
	if (count_of(a->choices) > 1)
		jput_value(j, "request_choices", a->choices);
	if (a->stop.kind == VALUE_STRING ||
	    (a->stop.kind == VALUE_ARRAY && is_given(value_element(a->stop, 0))))
		put_json(j, "request_stop", a->stop);
	if (is_text(a->reasoning))
		jput_value(j, "request_reasoning", a->reasoning);
	if (a->json)
		jput_str(j, "request_output", "json");
	if (value_element(a->tools, 0).kind != VALUE_NONE)
		jput_bool(j, "request_tools", true);
}

/* How many times the client's library has tried this before, as it says. */
static void
put_retry(struct jput *j, struct value headers)
{
	struct value v = header_get(headers, "x-stainless-retry-count");
	uint64_t n = 0;

	for (const char *p = v.p; v.kind == VALUE_STRING && ++p < v.p + v.n - 1 && n < 1000;) {
		if (*p < '0' || *p > '9')
			return;
		n = n * 10 + *p - '0';
	}
	if (n)
		jput_uint(j, "retry", n);
}

/* instructions are reported when they are new to the conversation. The line that
 * Claude Code puts before them for billing changes each time. */
static bool
system_new(struct caller *c, struct value system)
{
	struct digest d = content_digest(system, "x-anthropic-billing-header");
	char mark[256];
	int n;

	if (!c->conversation)
		return true;
	n = snprintf(mark, sizeof(mark), "%.200s%c%016llx%016llx", c->conversation, 1,
	    (unsigned long long)d.h[0], (unsigned long long)d.h[1]);
	return !history_seen(c->history, mark, n);
}

/* Of a text, however it is escaped; zero: there is none. */
static struct digest
digest_of(struct event *ev, struct value text)
{
	const char *p;
	size_t n;

	return is_text(text) && (p = value_str(&ev->arena, text, &n)) ? text_digest(p, n) :
	    (struct digest){ 0 };
}

static void
put_messages(struct caller *c, struct call *call, const struct call_request *rq, size_t from)
{
	struct messages m = { .ev = rq->ev, .content = c->content != CONTENT_NONE,
		.known = on_result, .arg = c };
	size_t first = c->content == CONTENT_ALL ? 0 : from;

	section_begin(&c->list);
	section_begin(&c->results);
	m.list = m.content ? &c->list : NULL;
	for (size_t i = first; i < c->nitem; i++) {
		m.results = i >= from ? &c->results : NULL;
		rq->vendor->item(&m, c->item[i]);
	}
	m.list = m.results = NULL;
	if (!is_text(m.last) && c->nitem)	/* the same list again */
		rq->vendor->item(&m, c->item[c->nitem - 1]);
	call->asked = digest_of(rq->ev, m.last);
	call->lenient |= m.lenient;
	section_end(&c->list);
	section_end(&c->results);
}

static void
put_definitions(struct caller *c, struct value tools)
{
	struct value_iter it;
	struct value k, v;

	section_begin(&c->definitions);
	value_iter(&it, tools);
	while (c->content == CONTENT_ALL && tools.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		tool_put(&c->definitions, v);
	section_end(&c->definitions);
}

static void
put_system(struct caller *c, struct value system)
{
	section_begin(&c->system);
	if (c->content == CONTENT_ALL ||
	    (c->content == CONTENT_LAST && is_given(system) && system_new(c, system)))
		instructions_put(&c->system, system);
	section_end(&c->system);
}

static void
put_client(struct jput *j, const struct call_request *rq)
{
	struct value ua = header_get(rq->headers, "user-agent");
	struct client_text text = { 0 }, version, agent;
	unsigned port;
	size_t host;

	if (!rq->unseen)
		text.p = value_str(&rq->ev->arena, ua, &text.n);
	if (!text.p)
		text = rq->agent;
	agent = client_agent(text, rq->comm, &version);
	if (agent.n)
		jput_bytes(j, "agent", agent.p, agent.n);
	if (agent.n && version.n)
		jput_bytes(j, "agent_version", version.p, version.n);
	if (!rq->host.n)
		return;
	host = host_split(rq->host.p, rq->host.n, &port);
	jput_bytes(j, "server_address", rq->host.p, host);
	if (port)
		jput_uint(j, "server_port", port);
}

int
call_request(struct caller *c, struct call *call, const struct call_request *rq)
{
	struct request a = { .operation = rq->vendor->operation, .stream = rq->route->stream,
	    .path_model = rq->route->model, .path_modellen = rq->route->modellen };
	struct continued o = { 0 };
	struct jput j = { &c->scratch, true };
	const char *id;
	size_t n = 0;

	call->vendor = c->vendor = rq->vendor;
	c->ev = rq->ev;
	if (rq->body.kind == VALUE_OBJECT)
		rq->vendor->request(&a, rq->body);
	id = event_str(rq->ev, "id", &n);
	if (!(call->id = text_dup(id ? id : "", n)) || items_find(c, a.list) ||
	    (is_given(a.last) && !item_add(c, a.last)) || head_make(c, call, rq, &a))
		return -1;
	if (!rq->unseen && conversation_find(c, call, rq, &a, &o))
		return -1;
	call->stream = a.stream;
	call->lenient = rq->lenient;
	call->background = a.background;
	call->start_ns = rq->unseen ? 0 : event_time(rq->ev);
	event_u64(rq->ev, "pid", &call->pid);
	event_u64(rq->ev, "peer_pid", &call->peer_pid);
	c->conversation = call->conversation;
	put_system(c, a.system);
	put_messages(c, call, rq, o.from);
	put_definitions(c, a.tools);
	put_sampling(&j, &a);
	put_retry(&j, rq->headers);
	if (a.background)
		jput_bool(&j, "background", true);
	if (a.prewarm)
		jput_bool(&j, "prewarm", true);
	section_put(&c->system, &j, "system_instructions");
	section_put(&c->list, &j, "input_messages");
	section_put(&c->definitions, &j, "tools");
	section_put(&c->results, &j, "tool_results");
	if (call->conversation) {
		jput_str(&j, "conversation_id", call->conversation);
		jput_str(&j, "conversation_source", call->sent ? "sent" : "derived");
	}
	if (call->chain && call->conversation && strcmp(call->chain, call->conversation))
		jput_str(&j, "chain_id", call->chain);
	put_client(&j, rq);
	if (rq->unseen)
		jput_str(&j, "request_incomplete", "unknown");
	else if (is_text(rq->incomplete))
		jput_value(&j, "request_incomplete", rq->incomplete);
	return (call->tail = take(&c->scratch, &call->taillen)) ? 0 : -1;
}

/* --- the answer ----------------------------------------------------------------------- */

/* What went wrong, as far as it is said. */
struct failure {
	struct value type, message;
	const char *word;	/* instead of type */
};

static void
failure_read(struct failure *f, struct value v)
{
	static const char *const key[] = { "code", "type", "status", "__type", "message", "Message",
		"detail" };
	struct value e, m[7];

	if (v.kind == VALUE_ARRAY)
		v = value_element(v, 0);
	e = value_get(v, "error");
	if (!is_given(e))
		e = v;
	if (e.kind == VALUE_STRING) {
		/* Ollama's text; Gemini's reason has no blanks */
		if (memchr(e.p, ' ', e.n))
			f->message = e;
		else if (is_text(e))
			f->type = e;
		return;
	}
	MEMBERS(e, key, m);
	for (int i = 0; i < 4 && !is_text(f->type); i++)
		if (is_text(m[i]))
			f->type = m[i];
	f->message = is_text(m[4]) ? m[4] : is_text(m[5]) ? m[5] : m[6];
}

static bool
is_cut(const struct call_response *r)
{
	return r->why || is_given(r->incomplete);
}

/* Does every choice say how it ended? */
static bool
is_whole(const struct response *a)
{
	return a->ended && !a->unended;
}

/* Is it the recording that lacks what is missing, and not the call? */
static bool
unrecorded(const struct call_response *r)
{
	static const char *const why[] = { "hole", "evicted", "truncated", "not_json" };

	for (size_t i = 0; i < sizeof(why) / sizeof(*why); i++)
		if (r->why ? !strcmp(r->why, why[i]) : value_eq(r->incomplete, why[i]))
			return true;
	return false;
}

static void
failure_find(struct failure *f, const struct call *call, const struct response *a,
    const struct call_response *r)
{
	int64_t status = r->status ? r->status : call->status;
	struct value header = header_get(r->headers, "x-amzn-errortype");

	if (status >= 300) {
		failure_read(f, is_given(r->error) ? r->error : r->body);
		if (is_text(header))
			f->type = header;
		if (!is_text(f->type))
			f->word = "";	/* the status itself */
	} else if (is_given(a->error) || is_given(r->error)) {
		failure_read(f, is_given(a->error) ? a->error : r->error);
		if (!is_text(f->type))
			f->word = "_OTHER";
	} else if (a->failed) {
		f->word = a->failed;
	} else if (unrecorded(r)) {
		return;
	} else if (r->why && !call->responded) {
		f->word = "no_response";
	} else if (is_cut(r) && !is_whole(a)) {
		f->word = "incomplete_response";
	}
}

/* Is one word in the other, whatever their case? */
static bool
holds(struct value v, const char *word)
{
	size_t k = strlen(word);

	for (const char *p = v.p, *end = v.p + v.n; is_text(v) && (size_t)(end - p) >= k; p++)
		if (!strncasecmp(p, word, k))
			return true;
	return false;
}

/* What kind of failure a vendor's word is of, in small letters; the first counts. */
static const char *
class_of_word(struct value type, struct value message)
{
	static const struct { const char *in, *class; } word[] = {
		{ "context_length", "context_overflow" }, { "context_window", "context_overflow" },
		{ "string_above_max", "context_overflow" },
		{ "request_too_large", "context_overflow" },
		{ "exceed_context", "context_overflow" },
		{ "insufficient_quota", "quota" }, { "billing", "quota" },
		{ "servicequotaexceeded", "quota" },
		{ "arrearage", "quota" }, { "usage_limit_reached", "quota" },
		{ "insufficient_credits", "quota" },
		{ "resource_exhausted", "rate_limit" }, { "rate_limit", "rate_limit" },
		{ "ratelimit", "rate_limit" },
		{ "throttling", "rate_limit" }, { "toomanyrequests", "rate_limit" },
		{ "too_many_requests", "rate_limit" },
		{ "overloaded", "overloaded" }, { "unavailable", "overloaded" },
		{ "capacity", "overloaded" },
		{ "modelnotready", "overloaded" },
		{ "authentication", "auth" }, { "permission", "auth" }, { "api_key", "auth" },
		{ "apikey", "auth" },
		{ "unauthorized", "auth" }, { "unauthenticated", "auth" },
		{ "accessdenied", "auth" },
		{ "access_denied", "auth" }, { "forbidden", "auth" }, { "expiredtoken", "auth" },
		{ "unrecognizedclient", "auth" }, { "invalidsignature", "auth" },
		{ "content_filter", "safety" }, { "content_policy", "safety" },
		{ "safety", "safety" },
		{ "prohibited_content", "safety" }, { "blocklist", "safety" },
		{ "moderation", "safety" },
		{ "datainspection", "safety" }, { "responsibleai", "safety" },
		{ "cyber_policy", "safety" },
		{ "timeout", "timeout" }, { "deadline_exceeded", "timeout" },
		{ "timed_out", "timeout" },
		{ "not_found", "not_found" }, { "notfound", "not_found" },
		{ "invalid_request", "invalid_request" }, { "invalid_argument", "invalid_request" },
		{ "invalidparameter", "invalid_request" }, { "validation", "invalid_request" },
		{ "badrequest", "invalid_request" }, { "bad_request", "invalid_request" },
		{ "server_error", "server" }, { "servererror", "server" },
		{ "api_error", "server" },
		{ "internal", "server" }, { "modelerror", "server" },
		{ "modelstreamerror", "server" },
	};
	static const char *const overflow[] = { "maximum context length", "prompt is too long",
		"context window",
		"too many tokens", "input is too long", "exceeds the maximum number of tokens",
		"context size",
		"exceed context limit", "maximum prompt length", "range of input length" };

	for (size_t i = 0; i < sizeof(overflow) / sizeof(*overflow); i++)
		if (holds(message, overflow[i]))
			return "context_overflow";
	for (size_t i = 0; i < sizeof(word) / sizeof(*word); i++)
		if (holds(type, word[i].in))
			return word[i].class;
	return NULL;
}

static const char *
class_of_status(int64_t status)
{
	return status == 401 || status == 403 ? "auth" : status == 404 ? "not_found" :
	status == 408 || status == 504 ? "timeout" :
	    status == 413 ? "context_overflow" : status == 429 ? "rate_limit" : status == 503 ||
	    status == 529 ? "overloaded" :
	    status >= 500 ? "server" : status >= 400 ? "invalid_request" : NULL;
}

/* AWS: "ThrottlingException:http://...", "com.amazon.coral#ThrottlingException" */
static void
put_error_type(struct jput *j, struct value type)
{
	const char *p = type.p + 1, *end = type.p + type.n - 1, *at;

	if (type.escaped) {
		jput_value(j, "error_type", type);
		return;
	}
	if ((at = memchr(p, '#', end - p)) && at + 1 < end)
		p = at + 1;
	if ((at = memchr(p, ':', end - p)) && at > p)
		end = at;
	jput_bytes(j, "error_type", p, end - p);
}

static void
put_failure(struct caller *c, struct jput *j, const struct failure *f, int64_t status)
{
	char number[32];

	if (is_text(f->type)) {
		put_error_type(j, f->type);
	} else if (f->word && *f->word) {
		jput_str(j, "error_type", f->word);
	} else if (f->word) {
		snprintf(number, sizeof(number), "%lld", (long long)status);
		jput_str(j, "error_type", number);
	}
	if (is_text(f->type) || f->word) {
		const char *class = class_of_word(f->type, f->message),
		*known = class_of_status(status);

		/* a word for any wrong request says less than a status does */
		if (known && (!class || (!strcmp(class, "invalid_request") && status != 400)))
			class = known;
		if (class)
			jput_str(j, "error_class", class);
	}
	if (is_text(f->message) && c->content != CONTENT_NONE)
		jput_value(j, "error_message", f->message);
}

/* What the provider says, in the body or (LiteLLM) in a header. */
static double
cost_of(const struct response *a, const struct call_response *r)
{
	struct value v = header_get(r->headers, "x-litellm-response-cost");
	double cost = a->cost;
	char text[32] = "", *end;

	if (cost < 0 && is_text(v) && v.n < sizeof(text)) {
		memcpy(text, v.p + 1, v.n - 2);
		cost = strtod(text, &end);
		if (*end)
			cost = -1;
	}
	return cost;
}

/* Counts that come with each piece of a stream are those of its beginning when it is cut. */
static void
put_usage(struct jput *j, const struct call *call, const struct response *a,
    const struct call_response *r)
{
	bool open = a->usage_open ||
	    (r->stream && is_cut(r) && !is_whole(a) && usage_any(&a->usage));
	bool input = !strcmp(call->operation, "embeddings") || !strcmp(call->operation, "rerank");

	usage_put(&a->usage, j, open ? USAGE_NO_TOTAL : input ? USAGE_OF_INPUT : USAGE_OF_BOTH,
	    cost_of(a, r));
	if (open)
		jput_bool(j, "usage_incomplete", true);
}

/* The provider's own name for the call, and what it leaves to its client. */
static void
put_headers(struct jput *j, struct value headers)
{
	static const char *const id[] = { "request-id", "x-request-id", "x-amzn-requestid",
		"x-goog-request-id",
		"apim-request-id", "x-github-request-id", "x-dashscope-request-id",
		"mistral-correlation-id" };
	static const struct { const char *header, *key; } limit[] = {
		{ "anthropic-ratelimit-requests-remaining", "requests_remaining" },
		{ "anthropic-ratelimit-tokens-remaining", "tokens_remaining" },
		{ "x-ratelimit-remaining-requests", "requests_remaining" },
		{ "x-ratelimit-remaining-tokens", "tokens_remaining" },
		{ "x-ratelimit-remaining-tokens-minute", "tokens_remaining" },
		{ "retry-after", "retry_after" },
		{ "anthropic-ratelimit-unified-status", "status" },
	};
	struct value v;
	bool any = false, tokens = false, requests = false;

	for (size_t i = 0; headers.kind == VALUE_OBJECT && i < sizeof(id) / sizeof(*id); i++)
		if (is_text(v = header_get(headers, id[i]))) {
			jput_value(j, "provider_request_id", v);
			break;
		}
	for (size_t i = 0; headers.kind == VALUE_OBJECT &&
	    i < sizeof(limit) / sizeof(*limit); i++) {
		bool *twice = !strncmp(limit[i].key, "tokens", 6) ? &tokens :
		    !strncmp(limit[i].key, "requests", 8) ? &requests : NULL;

		if (!is_text(v = header_get(headers, limit[i].header)) || (twice && *twice))
			continue;
		if (twice)
			*twice = true;
		if (!any)
			jput_object(j, "rate_limit");
		any = true;
		jput_value(j, limit[i].key, v);
	}
	if (any)
		jput_object_end(j);
}

static void
put_times(struct jput *j, const struct call *call, const struct call_response *r)
{
	if (call->start_ns && r->first_ns >= call->start_ns)
		jput_ms(j, "first_token_ms", r->first_ns - call->start_ns);
	if (is_given(r->duration))
		jput_value(j, "duration_ms", r->duration);
	else if (call->start_ns && r->end_ns >= call->start_ns)
		jput_ms(j, "duration_ms", r->end_ns - call->start_ns);
}

/* What is known now serves later requests. */
static void
remember(struct caller *c, const struct call *call, const struct response *a, bool failed)
{
	struct thread *t = call->listed ? history_at(c->history, call->digest) : NULL;
	struct thread *link;
	const char *id;
	size_t n;

	if (t && !failed)
		t->answered = true;
	if (call->conversation && is_text(a->id) && (id = value_str(&c->ev->arena, a->id, &n)) &&
	    (link = history_link(c->history, id, n, call->conversation, call->sent)))
		thread_begin(link, call->chain ? call->chain : call->id);
}

static void
response_read(struct caller *c, const struct call *call, const struct call_response *r,
    struct response *a)
{
	struct messages m = { .ev = r->ev, .calls = &c->calls,
		.content = c->content != CONTENT_NONE,
	    .call = on_response_call, .arg = c };

	c->ev = r->ev;
	c->conversation = call->conversation;
	c->id = call->id;
	c->scratch.len = 0;
	section_begin(&c->list);
	section_begin(&c->calls);
	section_begin(&c->finish);
	usage_init(&a->usage);
	a->finish = &c->finish;
	a->stream = r->stream;
	m.list = m.content ? &c->list : NULL;
	if (r->body.kind >= VALUE_ARRAY)
		call->vendor->response(a, &m, r->body);
	a->lenient = m.lenient;
	c->said = digest_of(r->ev, m.last);
	usage_headers(&a->usage, header_get(r->headers, "x-amzn-bedrock-input-token-count"),
	    header_get(r->headers, "x-amzn-bedrock-output-token-count"));
	section_end(&c->list);
	section_end(&c->calls);
	section_end(&c->finish);
}

static uint64_t
end_of(const struct call *call, const struct call_response *r)
{
	double ms;

	if (r->end_ns || !value_f64(r->duration, &ms) || ms < 0 || ms > 1e12)
		return r->end_ns ? r->end_ns : event_time(r->ev);
	return call->start_ns + (uint64_t)(ms * 1e6);
}

/* What it has to do with calls of a proxy. */
static void
put_relays(struct caller *c, const struct call *call, const struct call_response *r,
    struct jput *j)
{
	struct relay_call relay = { .id = call->id, .pid = call->pid, .peer_pid = call->peer_pid,
		.start_ns = call->start_ns, .end_ns = end_of(call, r), .asked = call->asked,
		.said = c->said, .rivals = call->rivals };

	event_u64(r->ev, "peer_pid", &relay.peer_pid);
	if (relays_emit(c->relays, &relay, j))
		err(1, "new call");
}

/* Whoever speaks a vendor's dialect need not be the vendor. */
static void
put_provider(struct jput *j, const struct call *call)
{
	if (call->provider)
		jput_str(j, "provider", call->provider);
	else if (call->host && *call->host)
		jput_str(j, "provider", call->host);
	else
		jput_str(j, "provider", call->hostless ? "unknown" : call->vendor->provider);
}

void
call_emit(struct caller *c, const struct call *call, const struct call_response *r,
    struct line_out *out)
{
	int64_t status = r->status ? r->status : call->status;
	struct response a = { .cost = -1 };
	struct failure f = { 0 };
	struct jput j = { out, true };

	response_read(c, call, r, &a);
	failure_find(&f, call, &a, r);
	line_add(out, call->head, call->headlen);
	put_provider(&j, call);
	jput_str(&j, "api", call->vendor->api);
	jput_str(&j, "operation", call->operation);
	line_add(out, call->model, call->modellen);
	if (is_text(a.model))
		jput_value(&j, "response_model", a.model);
	if (is_text(a.id))
		jput_value(&j, "response_id", a.id);
	jput_bool(&j, "stream", r->stream || (call->stream && (r->why || status >= 300)));
	if (status)
		jput_int(&j, "status_code", status);
	put_failure(c, &j, &f, status);
	section_put(&c->finish, &j, "finish_reasons");
	put_usage(&j, call, &a, r);
	if (is_text(a.tier))
		jput_value(&j, "service_tier", a.tier);
	section_put(&c->list, &j, "output_messages");
	section_put(&c->calls, &j, "tool_calls");
	line_add(out, call->tail, call->taillen);
	put_times(&j, call, r);
	put_headers(&j, r->headers);
	if (r->why)
		jput_str(&j, "incomplete", r->why);
	else if (is_text(r->incomplete))
		jput_value(&j, "incomplete", r->incomplete);
	if (r->uncertain)
		jput_bool(&j, "pairing_uncertain", true);
	put_relays(c, call, r, &j);
	lenient_put(call->lenient | r->lenient | a.lenient, &j);
	jput_close(&j);
	remember(c, call, &a, f.word || is_text(f.type));
}
