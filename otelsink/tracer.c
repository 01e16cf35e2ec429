/* tracer.c - spans out of events; see tracer.h */
#include "otelsink/tracer.h"

#include "lib/counted.h"
#include "lib/flow.h"
#include "otelsink/conversation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ARGUMENTS_MAX = 64 << 10,	/* of a tool, kept to tell whose a process is */
	TOOL_WAITS = 4,			/* idle times that an open tool is waited for */
};

/* how much later than others a stage's lines may come */
static const uint64_t LATE_NS = 10000000000;
static const uint64_t SWEEP_NS = 1000000000;

/* A process or a call of a tool server whose place may still become known. */
struct waiting {
	struct waiting *next;
	uint64_t at_ns;
	struct proc *proc;		/* a reference */
	char *line;			/* of an mcp.call, of the budget; NULL: it is the process */
	size_t len;
};

struct tracer {
	struct tracer_conf conf;
	struct tracer_counts counts;
	struct flow_table *conversations;
	struct conversation *oldest, *newest;	/* the open ones, by use */
	struct procs *procs;
	struct waiting *waiting, **last;
	size_t nwaiting;
	struct event scratch;
	uint64_t now;
	uint64_t swept_ns;		/* when those that wait were looked at last */
	struct budget budget;
	uint64_t evicted, refused, refused_bytes;	/* as reported so far */
	bool ending;
};

static void conversation_close(struct tracer *, struct conversation *);
static void waiting_retry(struct tracer *, uint64_t before);

/* --- helpers ------------------------------------------------------------------ */

static uint64_t
time_behind(const struct event *ev, const char *key_ms)
{
	double ms;

	/* three decimals: whole microseconds */
	return event_time(ev) + (value_f64(event_get(ev, key_ms), &ms) &&
	    ms > 0 ? llround(ms * 1e3) * 1000 : 0);
}

static void
write_span(struct tracer *t, struct observed *o, const struct span *s, const struct attrs *a,
    struct event *ev)
{
	if (!t->conf.spans)
		return;
	span_put(batch_item(t->conf.spans, o->resource), s, a, &ev->arena);
	if (batch_item_end(t->conf.spans))
		t->counts.spans++;
	else
		loss_add(t->conf.loss, "too_large", 1, 0);
}

static void
name_attr(struct tracer *t, struct attrs *a, enum name n, const char *text)
{
	const char *name = semconv_name(t->conf.semconv, n);

	if (name)
		attr_str(a, name, text);
}

static void
json_attr(struct tracer *t, struct attrs *a, enum name n, enum attr_kind kind, struct value v)
{
	const char *name = semconv_name(t->conf.semconv, n);

	if (name && v.kind)
		attr_json(a, name, kind, v);
}

static void
int_attr(struct tracer *t, struct attrs *a, enum name n, int64_t v)
{
	attr_int(a, semconv_name(t->conf.semconv, n), v);
}

/* --- conversations -------------------------------------------------------------- */

static void
open_unlink(struct tracer *t, struct conversation *c)
{
	*(c->newer ? &c->newer->older : &t->newest) = c->older;
	*(c->older ? &c->older->newer : &t->oldest) = c->newer;
	c->older = c->newer = NULL;
}

static void
open_link(struct tracer *t, struct conversation *c)
{
	c->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = c;
	t->newest = c;
}

static void
conversation_use(struct tracer *t, struct conversation *c)
{
	c->used_ns = t->now;
	open_unlink(t, c);
	open_link(t, c);
}

static void
conversation_finish(void *arg, void *entry, enum flow_why why)
{
	struct tracer *t = arg;
	struct conversation *c = entry;

	if (c->open) {
		if (why == FLOW_FULL)
			loss_add(t->conf.loss, "evicted", 1, 0);
		conversation_close(t, c);
	}
	budget_free(c->id);
}

/* What it is called: the client's own name with the agent's, or the name that
 * llmparse gave it, or the run of a process. */
static struct conversation *
conversation_find(struct tracer *t, struct event *ev)
{
	struct value pid = event_get(ev, "pid");
	bool sent = value_eq(event_get(ev, "conversation_source"), "sent");
	size_t idlen, agentlen = 0, n;
	const char *id = event_str(ev, "conversation_id", &idlen), *agent = sent ?
	    event_bytes(ev, "agent", &agentlen) : NULL;
	const char *first = id ? id : pid.p;
	struct conversation *c;
	char *key;

	idlen = id ? idlen : pid.n;
	agentlen = agent ? agentlen : 0;
	n = idlen + agentlen + 2;
	if (!(key = arena_get(&ev->arena, n)))
		return NULL;
	key[0] = !id ? 'r' : sent ? 's' : 'd';
	memcpy(key + 1, first ? first : "", idlen);
	key[1 + idlen] = '\0';
	memcpy(key + 2 + idlen, agent ? agent : "", agentlen);
	if (!(c = flow_get(t->conversations, key, n, t->now)) || c->known)
		return c;
	/* a name that was not sent is unique within its recording only */
	c->trace = trace_id_of("conversation", key, n, sent ? 0 : event_time(ev));
	if (sent && id)
		c->id = budget_copy(&t->budget, id, idlen);
	c->known = true;
	c->run = key[0] == 'r';
	return c;
}

static void
set_text(struct tracer *t, char **to, bool *several, struct event *ev, const char *key)
{
	size_t n;
	const char *s = event_bytes(ev, key, &n);

	if (!s || (several && *several))
		return;
	s = text_clean(&ev->arena, s, &n);
	if (*to && several && (strlen(*to) != n || memcmp(*to, s, n))) {
		*several = true;
		budget_free(*to);
		*to = NULL;
	} else if (!*to) {
		*to = budget_copy(&t->budget, s, n);
	}
}

static void
conversation_join(struct conversation *c, struct proc *p)
{
	c->proc = proc_ref(p);
	c->sibling = p->conversations;
	p->conversations = c;
}

static void
conversation_leave(struct conversation *c)
{
	struct conversation **at = &c->proc->conversations;

	while (*at != c)
		at = &(*at)->sibling;
	*at = c->sibling;
	proc_unref(c->proc);
}

static bool
conversation_open(struct tracer *t, struct conversation *c, struct event *ev)
{
	uint64_t pid = 0;
	struct proc *p;
	size_t n;
	const char *id;

	event_u64(ev, "pid", &pid);
	if (!(p = procs_get(t->procs, pid, t->now)) ||
	    !(c->observed = observeds_get(t->conf.observeds, ev, p)))
		return false;
	conversation_join(c, p);
	id = event_str(ev, "id", &n);
	c->open = true;
	c->start_ns = c->end_ns = event_time(ev);
	c->span = span_id_of("invoke_agent", id ? id : "", id ? n : 0, c->start_ns);
	c->input_tokens = c->output_tokens = -1;
	c->providers = c->models = false;
	c->last = &c->tools;
	open_link(t, c);
	t->counts.conversations++;
	return true;
}

static void
add_tokens(int64_t *sum, struct value usage, const char *key)
{
	int64_t n;

	if (value_i64(value_get(usage, key), &n))
		*sum = (*sum < 0 ? 0 : *sum) + n;
}

/* Its process and agent are those that called last. */
static bool
conversation_home(struct tracer *t, struct conversation *c, struct event *ev)
{
	struct observed *o;
	struct proc *p;
	uint64_t pid = 0;

	event_u64(ev, "pid", &pid);
	if (!(p = procs_get(t->procs, pid, t->now)))	/* also: the one used least goes first */
		return false;
	if (!c->open)
		return true;	/* making room has closed it */
	if (!(o = observeds_get(t->conf.observeds, ev, p)))
		return false;
	observed_unref(c->observed);
	c->observed = o;
	if (p != c->proc) {
		conversation_leave(c);
		conversation_join(c, p);
	}
	return true;
}

/* A call of a model in it. */
static void
conversation_call(struct tracer *t, struct conversation *c, struct event *ev, uint64_t end_ns)
{
	struct value usage = event_get(ev, "usage");

	set_text(t, &c->agent, NULL, ev, "agent");
	set_text(t, &c->agent, NULL, ev, "comm");	/* else */
	set_text(t, &c->version, NULL, ev, "agent_version");
	set_text(t, &c->provider, &c->providers, ev, "provider");
	set_text(t, &c->model, &c->models, ev, "request_model");
	if (call_is_counted(ev)) {
		add_tokens(&c->input_tokens, usage, "input_tokens");
		add_tokens(&c->output_tokens, usage, "output_tokens");
	}
	if (event_time(ev) < c->start_ns)
		c->start_ns = event_time(ev);
	if (end_ns > c->end_ns)
		c->end_ns = end_ns;
	conversation_use(t, c);
	c->waits = 0;
}

/* Lets go of what only an open conversation has. */
static void
conversation_clear(struct tracer *t, struct conversation *c)
{
	conversation_leave(c);
	open_unlink(t, c);
	budget_free(c->agent);
	budget_free(c->version);
	budget_free(c->provider);
	budget_free(c->model);
	c->agent = c->version = c->provider = c->model = NULL;
	observed_unref(c->observed);
	c->open = false;
	c->known &= !c->run;	/* the number of a process may come again, and is another then */
	t->counts.conversations--;
}

/* --- tools ---------------------------------------------------------------------- */

static void
emit_tool(struct tracer *t, struct conversation *c, const struct tool *tool, struct event *ev)
{
	struct attrs a = { .n = 0 };
	struct span s = { .trace = c->trace, .id = tool->span, .parent = c->span,
	    .link = tool->asked, .kind = SPAN_INTERNAL,
	    .verb = "execute_tool", .object = tool->name,
	    .objectlen = tool->name ? strlen(tool->name) : 0,
	    .start_ns = tool->start_ns, .end_ns = tool->end_ns, .error = tool->is_error };
	struct value id = event_scan_value(&t->scratch, tool->id ? tool->id : "",
	    tool->id ? strlen(tool->id) : 0);
	size_t n;
	const char *text = id.kind == VALUE_STRING ? value_str(&ev->arena, id, &n) : NULL;

	name_attr(t, &a, NAME_OPERATION, "execute_tool");
	name_attr(t, &a, NAME_TOOL, tool->name);
	if (text)
		attr_text(&a, semconv_name(t->conf.semconv, NAME_TOOL_ID), text, n);
	name_attr(t, &a, NAME_TOOL_TYPE, "function");
	name_attr(t, &a, NAME_CONVERSATION, c->id);
	name_attr(t, &a, NAME_AGENT, c->agent);
	if (tool->is_error)
		name_attr(t, &a, NAME_ERROR, "tool_error");
	if (t->conf.content_in_spans) {
		const char *json = tool->arguments;

		json_attr(t, &a, NAME_TOOL_ARGUMENTS, ATTR_TEXT,
		    (struct value){ json, json ? strlen(json) : 0, json ? VALUE_OBJECT : VALUE_NONE,
		    false });
		json_attr(t, &a, NAME_TOOL_RESULT, ATTR_TEXT, tool->response);
	}
	write_span(t, c->observed, &s, &a, ev);
	t->counts.tools++;
}

/* Results in a request end their tools. What belongs to these is placed before
 * they are emitted. */
static void
tools_end(struct tracer *t, struct conversation *c, struct event *ev)
{
	struct value list = event_get(ev, "tool_results");
	struct value_iter it;
	struct value k, v;
	struct tool *tool;
	bool any = false;

	value_iter(&it, list);
	while (c->tools && list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		struct value name = value_get(v, "name");
		size_t n = 0;
		const char *s = name.kind == VALUE_STRING ? value_str(&ev->arena, name, &n) : NULL;

		if (!(tool = tool_find(c, value_get(v, "id"), s, n)))
			continue;	/* asked for before we looked, or emitted already */
		tool->end_ns = event_time(ev) > tool->start_ns ? event_time(ev) : tool->start_ns;
		tool->response = value_get(v, "response");
		tool->is_error = value_get(v, "is_error").kind == VALUE_TRUE;
		any = true;
	}
	if (!any)
		return;
	waiting_retry(t, 0);
	while ((tool = tool_take_ended(c))) {
		emit_tool(t, c, tool, ev);
		tool_free(tool);
	}
}

/* The tools that an answer asks for begin with its end. */
static void
tools_begin(struct tracer *t, struct conversation *c, struct event *ev, struct span_id asked,
    uint64_t end_ns)
{
	struct value list = event_get(ev, "tool_calls");
	struct value_iter it;
	struct value k, v;
	uint64_t number = 0;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		struct value id = value_get(v, "id"), name = value_get(v, "name"),
		    args = value_get(v, "arguments");
		size_t n = 0;
		const char *s = name.kind == VALUE_STRING ? value_str(&ev->arena, name, &n) : NULL;
		struct tool *tool = tool_add(c);

		if (!tool) {
			loss_add(t->conf.loss, "tools_full", 1, 0);
			continue;
		}
		tool->name = budget_copy(&t->budget, s, n);
		tool->id = budget_copy(&t->budget, id.kind == VALUE_STRING ? id.p : NULL, id.n);
		if (args.kind && (t->conf.content_in_spans || args.n <= ARGUMENTS_MAX))
			tool->arguments = budget_copy(&t->budget, args.p, args.n);
		tool->asked = asked;
		tool->span = span_id_of("execute_tool", asked.b, sizeof(asked.b), number++);
		tool->start_ns = end_ns;
	}
}

/* A tool without a result has a span only when something belongs to it: then
 * its end is the end of that. */
static void
tools_give_up(struct tracer *t, struct conversation *c)
{
	struct tool *tool;

	if (!c->tools)
		return;
	for (tool = c->tools; tool; tool = tool->next)
		tool->end_ns = t->now > tool->start_ns ? t->now : tool->start_ns;
	waiting_retry(t, 0);
	while ((tool = tool_take_ended(c))) {
		if (tool->used_ns) {
			tool->end_ns = tool->used_ns;
			emit_tool(t, c, tool, &t->scratch);
		} else {
			t->counts.unanswered++;
		}
		if (tool->used_ns > c->end_ns)
			c->end_ns = tool->used_ns;
		tool_free(tool);
	}
}

static void
conversation_close(struct tracer *t, struct conversation *c)
{
	struct attrs a = { .n = 0 };
	struct span s;

	tools_give_up(t, c);
	s = (struct span){ .trace = c->trace, .id = c->span, .kind = SPAN_INTERNAL,
	    .verb = "invoke_agent",
	    .object = c->agent, .objectlen = c->agent ? strlen(c->agent) :
	    0, .start_ns = c->start_ns, .end_ns = c->end_ns };
	name_attr(t, &a, NAME_OPERATION, "invoke_agent");
	name_attr(t, &a, NAME_PROVIDER, c->provider);
	name_attr(t, &a, NAME_AGENT, c->agent);
	name_attr(t, &a, NAME_AGENT_VERSION, c->version);
	name_attr(t, &a, NAME_CONVERSATION, c->id);
	name_attr(t, &a, NAME_MODEL, c->model);
	if (c->input_tokens >= 0)
		int_attr(t, &a, NAME_INPUT_TOKENS, c->input_tokens);
	if (c->output_tokens >= 0)
		int_attr(t, &a, NAME_OUTPUT_TOKENS, c->output_tokens);
	int_attr(t, &a, NAME_PID, c->proc->pid);
	write_span(t, c->observed, &s, &a, &t->scratch);
	t->counts.agents++;
	arena_reset(&t->scratch.arena);
	conversation_clear(t, c);
}

/* --- processes -------------------------------------------------------------------- */

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void
emit_process(struct tracer *t, struct proc *p)
{
	struct attrs a = { .n = 0 };
	const char *name = p->path ? base_name(p->path) : "unknown";
	struct span s = { .trace = p->trace, .id = p->id, .parent = p->parent,
	    .kind = SPAN_INTERNAL, .verb = name,
	    .start_ns = p->start_ns,
	    .end_ns = p->end_ns ? p->end_ns : p->gone_ns ? p->gone_ns : t->now,
	    .error = p->exit_code > 0 || p->signal > 0 };
	char number[24];

	if (p->emitted || p->state != PROC_PLACED || !p->observed)
		return;
	p->emitted = true;
	name_attr(t, &a, NAME_EXECUTABLE, name);
	int_attr(t, &a, NAME_PID, p->pid);
	if (p->up)
		int_attr(t, &a, NAME_PARENT_PID, p->up->pid);
	name_attr(t, &a, NAME_EXECUTABLE_PATH, p->path);
	name_attr(t, &a, NAME_CWD, p->cwd);
	if (p->exit_code >= 0)
		int_attr(t, &a, NAME_EXIT_CODE, p->exit_code);
	if (p->signal > 0)
		int_attr(t, &a, NAME_EXIT_CODE, 128 + p->signal);	/* as a shell has it */
	if (s.error) {
		snprintf(number, sizeof(number), p->signal > 0 ? "signal_%d" : "%d",
		    (int)(p->signal > 0 ? p->signal : p->exit_code));
		name_attr(t, &a, NAME_ERROR, number);
	}
	if (p->argv && t->conf.content_in_spans)
		json_attr(t, &a, NAME_ARGS, ATTR_STRS,
		    (struct value){ p->argv, strlen(p->argv), VALUE_ARRAY, false });
	write_span(t, p->observed, &s, &a, &t->scratch);
	arena_reset(&t->scratch.arena);
	t->counts.processes++;
}

static void
tool_use(struct tool *tool, uint64_t until_ns)
{
	if (until_ns > tool->used_ns)
		tool->used_ns = until_ns;
}

static void
place(struct proc *p, struct trace_id trace, struct span_id parent, struct observed *o)
{
	p->state = PROC_PLACED;
	p->trace = trace;
	p->parent = parent;
	p->id = span_id_of("process", &p->pid, sizeof(p->pid), p->start_ns);
	observed_unref(p->observed);
	p->observed = observed_ref(o);
}

/* The nearest process above (or p itself, with self) that is an agent with open
 * conversations, or that is placed or waits. */
static struct proc *
responsible(struct proc *p, bool self)
{
	int depth = 0;

	for (struct proc *a = self ? p : p->up; a && depth < 64; a = a->up, depth++)
		if (a->conversations || a->state != PROC_PLAIN)
			return a;
	return NULL;
}

/* decided; nobody's so far; it is too early */
enum placing { PLACE_DONE, PLACE_NONE, PLACE_OPEN };

static enum placing
place_process(struct tracer *t, struct proc *p, bool early)
{
	struct proc *a = responsible(p, false);
	struct claim claim = { .at_ns = p->start_ns, .argv = p->argv };
	struct conversation *c;
	struct tool *tool;

	if (!a)
		return PLACE_NONE;
	if (a->state == PROC_WAITING && !a->conversations)
		return early ? PLACE_NONE : PLACE_OPEN;
	if (a->state == PROC_PLACED && !a->conversations) {
		place(p, a->trace, a->id, a->observed);
		return PLACE_DONE;
	}
	switch (claim_decide(a, &claim, early, &c, &tool, &t->scratch)) {
	case CLAIM_NONE:
		if (a->state != PROC_PLACED)
			return PLACE_NONE;
		place(p, a->trace, a->id, a->observed);	/* an agent that is a tool of another */
		break;
	case CLAIM_OPEN:
		return PLACE_OPEN;
	case CLAIM_TOOL:
		place(p, c->trace, tool->span, c->observed);
		tool_use(tool, p->end_ns ? p->end_ns : t->now);
		break;
	case CLAIM_CONVERSATION:
		place(p, c->trace, c->span, c->observed);
		break;
	case CLAIM_UNCLEAR:
		loss_add(t->conf.loss, "unplaced", 1, 0);
		p->state = PROC_PLAIN;
		break;
	}
	return PLACE_DONE;
}

/* --- calls of tool servers --------------------------------------------------------- */

/* What names a call; not its line, which may be written otherwise another time. */
static const char *
mcp_key(struct event *ev, size_t *n)
{
	static const char *const part[] = { "id", "pid", "client_pid", "request_id", "method",
	    "tool" };
	size_t count = sizeof(part) / sizeof(*part);
	struct value v[sizeof(part) / sizeof(*part)];
	char *key;

	*n = count;
	for (size_t i = 0; i < count; i++) {
		v[i] = event_get(ev, part[i]);
		if (v[i].kind == VALUE_STRING)		/* 7 is "7", as a store may have it */
			v[i].p++, v[i].n -= 2;
		*n += v[i].n;
	}
	if (!(key = arena_get(&ev->arena, *n))) {
		*n = 0;
		return "";
	}
	*n = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(key + *n, v[i].p ? v[i].p : "", v[i].n);
		*n += v[i].n;
		key[(*n)++] = '\0';
	}
	return key;
}

static void
emit_mcp(struct tracer *t, struct event *ev, struct observed *o, struct trace_id trace,
    struct span_id parent)
{
	static const char *const target[] = { "tool", "prompt" };
	enum content content = t->conf.content_in_spans ? CONTENT_TEXT : CONTENT_NONE;
	struct attrs a = { .n = 0 };
	struct span s = { .trace = trace, .parent = parent, .kind = SPAN_CLIENT, .verb = "mcp",
	    .start_ns = event_time(ev), .end_ns = time_behind(ev, "duration_ms"),
	    .error = event_get(ev, "error_type").kind };
	struct value role = event_get(ev, "role"),
	    message = value_get(event_get(ev, "error"), "message");
	const char *verb, *key;
	size_t n;

	if (value_eq(role, "server"))
		s.kind = SPAN_SERVER;
	if (event_bool(ev, "from_server"))
		s.kind = s.kind == SPAN_SERVER ? SPAN_CLIENT : SPAN_SERVER;
	if ((verb = event_str(ev, "method", &n)))
		s.verb = verb;
	for (int i = 0; i < 2 && !s.objectlen; i++)
		s.object = event_str(ev, target[i], &s.objectlen);
	if (s.error && message.kind == VALUE_STRING)
		s.message = value_str(&ev->arena, message, &s.messagelen);
	key = mcp_key(ev, &n);
	s.id = span_id_of("mcp", key, n, s.start_ns);
	semconv_attrs(&a, semconv_mcp, t->conf.semconv, ev, IN_SPAN, content);
	write_span(t, o, &s, &a, ev);
	t->counts.mcp++;
}

/* With early, it is emitted as far as it is known: below the conversation of its
 * process, else alone. */
static enum placing
place_mcp(struct tracer *t, struct event *ev, struct proc *p, bool early)
{
	struct proc *a = responsible(p, true);
	struct claim claim = { .at_ns = event_time(ev) };
	struct conversation *c = NULL;
	struct tool *tool;
	struct observed *o;
	enum claim_verdict verdict = CLAIM_NONE;

	if (a && !a->conversations && a->state == PROC_PLACED) {
		emit_mcp(t, ev, a->observed, a->trace, a->id);
		return PLACE_DONE;
	}
	claim.tool = event_str(ev, "tool", &claim.toollen);
	if (a && a->conversations && claim.tool)
		verdict = claim_decide(a, &claim, early, &c, &tool, &t->scratch);
	if (verdict == CLAIM_TOOL) {
		tool_use(tool, time_behind(ev, "duration_ms"));
		emit_mcp(t, ev, c->observed, c->trace, tool->span);
		return PLACE_DONE;
	}
	if (!early)
		return verdict == CLAIM_OPEN ? PLACE_OPEN : PLACE_NONE;
	c = a ? a->conversations : NULL;
	if (c && !c->sibling) {
		emit_mcp(t, ev, c->observed, c->trace, c->span);
	} else if ((o = observeds_get(t->conf.observeds, ev, p))) {
		size_t n;
		const char *key = mcp_key(ev, &n);

		emit_mcp(t, ev, o, trace_id_of("mcp", key, n, event_time(ev)),
		    (struct span_id){ { 0 } });
		observed_unref(o);
	}
	return PLACE_DONE;
}

/* --- waiting ------------------------------------------------------------------------ */

/* True: it waits no longer. */
static bool
waiting_try(struct tracer *t, struct waiting *w, uint64_t before, bool early)
{
	enum placing now;

	if (w->line) {
		if (event_scan(&t->scratch, w->line, w->len) != EVENT_OK)
			return true;
		now = place_mcp(t, &t->scratch, w->proc, early);
		if (now == PLACE_NONE && w->at_ns < before)
			now = place_mcp(t, &t->scratch, w->proc, true);
		arena_reset(&t->scratch.arena);
		return now == PLACE_DONE;
	}
	now = w->proc->state == PROC_WAITING ? place_process(t, w->proc, early) : PLACE_DONE;
	if (now == PLACE_NONE && (early || w->at_ns < before)) {
		w->proc->state = PROC_PLAIN;
		return true;
	}
	if (now == PLACE_DONE && (w->proc->end_ns || w->proc->gone_ns))
		emit_process(t, w->proc);
	return now == PLACE_DONE;
}

static void
waiting_free(struct waiting *w)
{
	proc_unref(w->proc);
	budget_free(w->line);
	free(w);
}

static struct waiting **
waiting_remove(struct tracer *t, struct waiting **at)
{
	struct waiting *w = *at;

	if (!(*at = w->next))
		t->last = at;
	t->nwaiting--;
	waiting_free(w);
	return at;
}

/* Tries all again; nobody's that are from before `before` wait no longer. */
static void
waiting_retry(struct tracer *t, uint64_t before)
{
	struct waiting **at = &t->waiting;

	while (*at)
		at = waiting_try(t, *at, before, false) ? waiting_remove(t, at) : &(*at)->next;
}

/* Decides on the oldest, as far as it is known. */
static void
waiting_force(struct tracer *t, size_t most)
{
	while (t->nwaiting > most) {
		waiting_try(t, t->waiting, 0, true);
		waiting_remove(t, &t->waiting);
	}
}

static void
waiting_add(struct tracer *t, struct proc *p, struct event *mcp)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w && mcp)
		w->line = budget_copy(&t->budget, mcp->line, mcp->len);
	if (!w || (mcp && !w->line)) {		/* as far as it is known now */
		free(w);
		mcp ? place_mcp(t, mcp, p, true) : place_process(t, p, true);
		return;
	}
	w->len = mcp ? mcp->len : 0;
	w->proc = proc_ref(p);
	w->at_ns = mcp ? event_time(mcp) : p->start_ns;
	*t->last = w;
	t->last = &w->next;
	t->nwaiting++;
	waiting_force(t, t->conf.max_waiting);
}

/* --- events ------------------------------------------------------------------------- */

static void
measure(struct tracer *t, struct observed *o, struct event *ev, uint64_t end_ns)
{
	static const char *const key[] = { "input_tokens", "output_tokens" },
	    *const type[] = { "input", "output" };
	struct attrs a = { .n = 0 };
	struct measured m = { .since_ns = event_time(ev), .time_ns = end_ns };
	struct value usage = event_get(ev, "usage"), ms = event_get(ev, "first_token_ms");
	bool good = true;
	size_t n, before;
	const char *error;

	semconv_attrs(&a, semconv_llm, t->conf.semconv, ev, IN_METRIC, CONTENT_NONE);
	before = a.n;
	for (int i = 0; i < 2; i++) {
		if (!value_f64(value_get(usage, key[i]), &m.value))
			continue;
		name_attr(t, &a, NAME_TOKEN_TYPE, type[i]);
		good &= meter_add(o->meter, METRIC_TOKENS, &a, &m, &ev->arena);
		a.n = before;
	}
	if (value_f64(ms, &m.value) && event_bool(ev, "stream")) {
		m.value /= 1e3;
		good &= meter_add(o->meter, METRIC_FIRST_CHUNK, &a, &m, &ev->arena);
	}
	if (value_f64(event_get(ev, "duration_ms"), &m.value)) {
		m.value /= 1e3;
		if ((error = event_str(ev, "error_type", &n)))
			attr_text(&a, semconv_name(t->conf.semconv, NAME_ERROR), error, n);
		good &= meter_add(o->meter, METRIC_DURATION, &a, &m, &ev->arena);
	}
	if (!good)
		loss_add(t->conf.loss, "no_memory", 1, 0);
}

static void
emit_details(struct tracer *t, struct observed *o, struct event *ev, const struct span *s)
{
	const char *name = semconv_name(t->conf.semconv, NAME_DETAILS);
	struct attrs a = { .n = 0 };

	if (!t->conf.logs || !t->conf.content_in_logs || !name)
		return;
	semconv_attrs(&a, semconv_llm, t->conf.semconv, ev, IN_SPAN, CONTENT_TREE);
	record_put(batch_item(t->conf.logs, o->resource), s, name, &a, &ev->arena);
	if (batch_item_end(t->conf.logs))
		t->counts.records++;
	else
		loss_add(t->conf.loss, "too_large", 1, 0);
}

static struct span_id
emit_call(struct tracer *t, struct conversation *c, struct event *ev, uint64_t end_ns)
{
	struct attrs a = { .n = 0 };
	struct span s = { .trace = c->trace, .parent = c->span, .kind = SPAN_CLIENT, .verb = "chat",
	    .start_ns = event_time(ev), .end_ns = end_ns,
	    .error = event_get(ev, "error_type").kind };
	size_t n = 0, conn = 0;
	const char *id = event_str(ev, "id", &n), *verb = event_str(ev, "operation", &conn);
	int64_t turn = 0;

	if (verb)
		s.verb = verb;
	s.object = event_str(ev, "request_model", &s.objectlen);
	event_i64(ev, "turn", &turn);
	s.id = span_id_of("chat", id ? id : "", n, s.start_ns + turn);
	if (event_get(ev, "first_token_ms").kind && event_bool(ev, "stream"))
		s.first_ns = time_behind(ev, "first_token_ms");
	if (s.error)
		s.message = event_str(ev, "error_message", &s.messagelen);
	semconv_attrs(&a, semconv_llm, t->conf.semconv, ev, IN_SPAN,
	    t->conf.content_in_spans ? CONTENT_TEXT : CONTENT_NONE);
	write_span(t, c->observed, &s, &a, ev);
	emit_details(t, c->observed, ev, &s);
	t->counts.calls++;
	return s.id;
}

static void
on_call(struct tracer *t, struct event *ev)
{
	struct conversation *c = conversation_find(t, ev);
	uint64_t end_ns = time_behind(ev, "duration_ms");
	struct span_id call;

	if (!c || (c->open && !conversation_home(t, c, ev)) ||
	    (!c->open && !conversation_open(t, c, ev))) {
		loss_add(t->conf.loss, "no_memory", 1, 0);
		return;
	}
	conversation_call(t, c, ev, end_ns);
	tools_end(t, c, ev);
	call = emit_call(t, c, ev, end_ns);
	if (call_is_counted(ev))
		measure(t, c->observed, ev, end_ns);
	tools_begin(t, c, ev, call, end_ns);
}

static void
on_mcp(struct tracer *t, struct event *ev)
{
	uint64_t pid;
	struct proc *p;

	if (!event_u64(ev, "client_pid", &pid) && !event_u64(ev, "pid", &pid))
		return;
	if (!(p = procs_get(t->procs, pid, t->now)))
		loss_add(t->conf.loss, "no_memory", 1, 0);
	else if (place_mcp(t, ev, p, false) != PLACE_DONE)
		waiting_add(t, p, ev);
}

static void
on_exec(struct tracer *t, struct event *ev)
{
	bool first;
	struct proc *p;

	if (event_str(ev, "error", NULL))
		return;		/* nothing was executed */
	p = procs_exec(t->procs, ev, &first);

	if (!p || !first || event_bool(ev, "seed") || p->conversations)
		return;
	p->state = PROC_WAITING;
	if (place_process(t, p, false) != PLACE_DONE)
		waiting_add(t, p, NULL);
}

static void
on_ended(struct tracer *t, struct event *ev)
{
	struct proc *p = procs_exit(t->procs, ev);

	if (p)
		emit_process(t, p);
}

/* A process leaves the table: what it is of is over. */
static void
on_gone(void *arg, struct proc *p)
{
	struct tracer *t = arg;

	while (p->conversations)
		conversation_close(t, p->conversations);
	p->gone_ns = t->now;
	emit_process(t, p);
}

static void
report_losses(struct tracer *t)
{
	uint64_t evicted = procs_evicted(t->procs);

	loss_add(t->conf.loss, "procs_full", evicted - t->evicted, 0);
	loss_add(t->conf.loss, "max_memory", t->budget.refused - t->refused,
	    t->budget.bytes - t->refused_bytes);
	t->evicted = evicted;
	t->refused = t->budget.refused;
	t->refused_bytes = t->budget.bytes;
}

static void
expire(struct tracer *t)
{
	uint64_t late = t->now > LATE_NS ? t->now - LATE_NS : 0;
	uint64_t idle = t->now > t->conf.idle_ns ? t->now - t->conf.idle_ns : 0;
	struct conversation *c;

	if (t->now >= t->swept_ns + SWEEP_NS) {
		t->swept_ns = t->now;
		waiting_retry(t, late);
		report_losses(t);
	}
	procs_expire(t->procs, late);
	while ((c = t->oldest) && c->used_ns < idle) {
		/* a tool may take its time, but an answer that nobody wants is none */
		if (c->tools && !c->proc->end_ns && c->waits++ < TOOL_WAITS)
			conversation_use(t, c);
		else
			conversation_close(t, c);
	}
}

void
tracer_event(struct tracer *t, struct event *ev, uint64_t now)
{
	static const struct {
		const char *type;
		void (*call)(struct tracer *, struct event *);
	} known[] = {
		{ "llm.call", on_call }, { "mcp.call", on_mcp },
		{ "process.exec", on_exec }, { "process.exit", on_ended },
	};

	t->now = now;
	expire(t);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (event_is(ev, known[i].type))
			known[i].call(t, ev);
	if (event_is(ev, "process.fork"))
		procs_fork(t->procs, ev);
}

void
tracer_end(struct tracer *t, uint64_t now)
{
	t->now = now;
	waiting_retry(t, 0);
	for (struct conversation *c = t->oldest; c; c = c->newer)
		tools_give_up(t, c);
	waiting_force(t, 0);
	while (t->oldest)
		conversation_close(t, t->oldest);
	report_losses(t);
	procs_free(t->procs);
	t->procs = NULL;
}

const struct tracer_counts *
tracer_counts(const struct tracer *t)
{
	return &t->counts;
}

struct tracer *
tracer_new(const struct tracer_conf *conf)
{
	struct tracer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->conf = *conf;
	t->last = &t->waiting;
	event_init(&t->scratch);
	t->conversations = flow_new(sizeof(struct conversation), conf->max_conversations, SIZE_MAX,
	    conversation_finish, t);
	t->budget.max = conf->max_memory;
	t->procs = procs_new(conf->max_procs, &t->budget, on_gone, t);
	if (t->conversations && t->procs)
		return t;
	tracer_free(t);
	return NULL;
}

void
tracer_free(struct tracer *t)
{
	if (!t)
		return;
	while (t->waiting) {
		struct waiting *w = t->waiting;

		t->waiting = w->next;
		waiting_free(w);
	}
	flow_free(t->conversations);
	procs_free(t->procs);
	event_free(&t->scratch);
	free(t);
}
