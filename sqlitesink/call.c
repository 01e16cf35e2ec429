/* call.c - see call.h */
#include "call.h"

#include "lib/counted.h"
#include "lib/jput.h"
#include "lib/line.h"
#include "sqlitesink/agent.h"
#include "sqlitesink/prompt.h"
#include "sqlitesink/text.h"
#include "sqlitesink/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct calls {
	struct db *db;
	struct lives *lives;
	struct work *work;
	struct line_out scratch;	/* JSON that is put together */
	struct typed typed;
};

struct calls *
calls_new(struct db *db, struct lives *lives, struct work *work)
{
	struct calls *c = calloc(1, sizeof(*c));

	if (c) {
		c->db = db;
		c->lives = lives;
		c->work = work;
		line_out_init(&c->scratch, -1);
		typed_init(&c->typed);
	}
	return c;
}

void
calls_free(struct calls *c)
{
	line_out_free(&c->scratch);
	typed_free(&c->typed);
	free(c);
}

/* --- messages -------------------------------------------------------------------- */

/* The members of an object but those named, as JSON in scratch; empty when there
 * are none. */
static void
rest_of(struct calls *c, struct value object, const char *but, const char *but2)
{
	struct jput j = { .out = &c->scratch };
	struct value_iter it;
	struct value k, v;
	bool any = false;

	c->scratch.len = 0;
	jput_object(&j, NULL);
	value_iter(&it, object);
	while (object.kind == VALUE_OBJECT && value_next(&it, &k, &v)) {
		char name[64];

		if (value_eq(k, but) || (but2 && value_eq(k, but2)))
			continue;
		if (k.escaped || k.n - 2 >= sizeof(name)) {
			c->db->refused = true;
			continue;
		}
		memcpy(name, k.p + 1, k.n - 2);
		name[k.n - 2] = '\0';
		jput_value(&j, name, v);
		any = true;
	}
	jput_object_end(&j);
	if (!any)
		c->scratch.len = 0;
}

static void
put_scratch(struct row *r, const char *name, struct calls *c)
{
	row_bytes(r, name, c->scratch.len ? c->scratch.buf : NULL, c->scratch.len);
}

/* Where a part is: of which message of which list. */
struct place {
	const char *direction;
	int64_t message, part;
	struct value role, finish;
};

static void
part(struct call *call, const struct place *at, struct value part)
{
	static const char *const main_key[] = { "content", "arguments", "response" };
	struct calls *c = call->calls;
	struct value text = { 0 };
	const char *key = NULL;
	int64_t id;
	struct row r;

	for (size_t i = 0; i < sizeof(main_key) / sizeof(main_key[0]) && !text.kind; i++)
		if ((text = value_get(part, main_key[i])).kind)
			key = main_key[i];
	id = text_of_value(c->db, call->ev, text);
	rest_of(c, part, "type", key);
	r = row_of(c->db, SQL_MESSAGE_NEW);
	row_id(&r, "call_id", call->id);
	row_str(&r, "direction", at->direction);
	row_int(&r, "message", at->message);
	row_int(&r, "part", at->part);
	row_value(&r, "role", call->ev, at->role);
	row_value(&r, "type", call->ev, value_get(part, "type"));
	row_str(&r, "text_key", key);
	row_int(&r, "text_json", text.kind && text.kind != VALUE_STRING);
	row_id(&r, "text_id", id);
	put_scratch(&r, "attributes", c);
	row_value(&r, "finish_reason", call->ev, at->finish);
	row_run(&r);
}

static void
parts(struct call *call, struct place *at, struct value list)
{
	struct value_iter it;
	struct value k, v;

	at->part = 0;
	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		if (v.kind == VALUE_OBJECT)
			part(call, at, v);
		at->part++;
	}
}

static void
messages(struct call *call, const char *direction, const char *key)
{
	struct value list = event_get(call->ev, key), k, v;
	struct place at = { .direction = direction };
	struct value_iter it;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		at.role = value_get(v, "role");
		at.finish = value_get(v, "finish_reason");
		parts(call, &at, value_get(v, "parts"));
		at.message++;
	}
}

static void
instructions(struct call *call)
{
	struct place at = { .direction = "system" };

	parts(call, &at, event_get(call->ev, "system_instructions"));
}

/* --- calls --------------------------------------------------------------------------- */

static void
put_usage(struct row *r, struct event *ev)
{
	static const char *const key[] = { "input_tokens", "output_tokens", "cache_read_tokens",
	    "cache_creation_tokens",
		"reasoning_tokens", "total_tokens" };
	struct value usage = event_get(ev, "usage");

	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		row_value(r, key[i], ev,
		    usage.kind == VALUE_OBJECT ? value_get(usage, key[i]) : (struct value){ 0 });
	row_value(r, "usage", ev, usage);
}

/* What was asked for beside the messages: request_max_tokens and so on. */
static void
parameters(struct calls *c, struct event *ev)
{
	struct jput j = { .out = &c->scratch };
	bool any = false;

	c->scratch.len = 0;
	jput_object(&j, NULL);
	for (size_t i = 0; i < ev->nfields; i++) {
		const struct event_field *f = &ev->fields[i];
		char name[64];

		if (f->keylen < 9 || f->keylen >= sizeof(name) || f->keyescaped)
			continue;
		memcpy(name, f->key, f->keylen);
		name[f->keylen] = '\0';
		if (strncmp(name, "request_", 8) || !strcmp(name, "request_model"))
			continue;
		jput_value(&j, name, f->value);
		any = true;
	}
	jput_object_end(&j);
	if (!any)
		c->scratch.len = 0;
}

static int64_t
ended(const struct event *ev)
{
	int64_t ns = event_time(ev);
	double ms;

	return value_f64(event_get(ev, "duration_ms"), &ms) && ms > 0 && ms < 1e12 ?
	    ns + (int64_t)(ms * 1e6) : ns;
}

/* What the agent is called, when the call has just the name of a process. */
static bool
agent_of(struct call *call, char *to, size_t size)
{
	size_t n = 0, commlen = 0;
	const char *name = event_str(call->ev, "agent", &n),
	    *comm = event_str(call->ev, "comm", &commlen), *known;
	bool found = false;
	struct row r;

	if (call->agent == call->process && name &&
	    !agent_is_process(name, n, comm ? comm : "", commlen))
		return false;
	r = row_of(call->db, SQL_AGENT_NAME);
	row_id(&r, "id", call->agent);
	if (row_step(&r) && (known = (const char *)sqlite3_column_text(r.of->st, 0)))
		found = snprintf(to, size, "%s", known) > 0;
	row_end(&r);
	return found;
}

static int64_t
call_insert(struct call *call)
{
	struct calls *c = call->calls;
	struct event *ev = call->ev;
	int64_t tools = text_of_value(c->db, ev, event_get(ev, "tools"));
	char name[64];
	bool named = agent_of(call, name, sizeof(name));
	struct row r = row_of(c->db, SQL_CALL_NEW);

	parameters(c, ev);
	row_int(&r, "run_id", c->db->run);
	row_id(&r, "process_id", call->process);
	row_id(&r, "agent_id", call->agent);
	if (named)
		row_str(&r, "agent", name);
	row_id(&r, "prompt_id", 0);	/* prompts_of says which */
	row_str(&r, "chain_id", *call->chain ? call->chain : NULL);
	row_int(&r, "ended_ns", call->ended_ns);
	row_int(&r, "counted", call_is_counted(ev));
	put_usage(&r, ev);
	put_scratch(&r, "parameters", c);
	row_id(&r, "tools_id", tools);
	row_keys(&r, ev);
	return row_run(&r);
}

static int64_t
call_at(struct call *call, struct value exchange)
{
	struct row r = row_of(call->db, SQL_CALL_AT);
	int64_t id = 0;

	row_value(&r, "exchange", call->ev, exchange);
	row_int(&r, "run_id", call->db->run);
	return row_get(&r, &id) ? id : 0;
}

static void
relayed(struct call *call, int64_t inner, int64_t outer)
{
	struct row r = row_of(call->db, SQL_CALL_RELAYED);

	row_int(&r, "id", inner);
	row_int(&r, "parent", outer);
	row_run(&r);
}

/* A call that was there before this one, which it was made for. */
static void
relayed_to(struct call *call, int64_t inner)
{
	static const enum sql drop[] = { SQL_CALL_NO_PROMPT, SQL_PROMPTS_DROP, SQL_TOOLS_DROP };

	relayed(call, inner, call->id);
	for (size_t i = 0; i < sizeof(drop) / sizeof(*drop); i++) {
		struct row r = row_of(call->db, drop[i]);

		row_int(&r, "id", inner);
		row_run(&r);
	}
}

/* Calls that a proxy made to answer this one, or the one that this was made for; true: what
 * it says is said there. */
static bool
link_calls(struct call *call)
{
	struct value list = event_get(call->ev, "relayed_to"), k, v;
	struct value_iter it;
	int64_t other;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		if ((other = call_at(call, v)))
			relayed_to(call, other);
	v = event_get(call->ev, "relayed_for");
	if (!v.kind || !(other = call_at(call, v)))
		return false;
	relayed(call, call->id, other);
	return true;
}

/* The chain of a call whose messages lead nowhere is that of the call that asked for the
 * tools whose results it carries: the list was rewritten. */
static void
chain_of(struct call *call)
{
	struct event *ev = call->ev;
	const char *chain = event_str(ev, "chain_id", NULL), *id = event_str(ev, "id", NULL),
	    *asked;
	struct row r;

	if (!chain)
		chain = event_str(ev, "conversation_id", NULL);
	snprintf(call->chain, sizeof(call->chain), "%s", chain ? chain : "");
	if (!chain || !id || strcmp(chain, id))
		return;
	r = row_of(call->db, SQL_CHAIN_OF);
	row_value(&r, "exchange", ev,
	    value_get(value_element(event_get(ev, "tool_results"), 0), "call"));
	row_int(&r, "run_id", call->db->run);
	if (row_step(&r) && (asked = (const char *)sqlite3_column_text(r.of->st, 0)))
		snprintf(call->chain, sizeof(call->chain), "%s", asked);
	row_end(&r);
}

/* Whose the chain is, as far as this process made calls of it before. */
static void
agent_of_chain(struct call *call)
{
	struct row r = row_of(call->db, SQL_CHAIN_AGENT);
	int64_t agent;

	row_str(&r, "chain_id", call->chain);
	row_int(&r, "run_id", call->db->run);
	row_id(&r, "process_id", call->process);
	if (row_get(&r, &agent))
		call->agent = agent;
}

/* What became of tools whose results came. */
static void
tools_did(struct call *call, struct lives *lives)
{
	struct row r;

	/* that its own command has what it sends makes it no tool's */
	if (call->agent != call->process) {
		r = row_of(call->db, SQL_CALLER_NO_TOOL);
		row_id(&r, "process_id", call->process);
		row_int(&r, "call", call->id);
		row_run(&r);
	}
	life_work(lives, call->agent, event_time(call->ev));
	if (call->agent == call->process && event_get(call->ev, "tool_results").kind)
		life_adopt(lives, call->process, call->id);
}

static void
llm_call(struct calls *c, struct event *ev, int64_t process, int64_t agent)
{
	struct call call = { .db = c->db, .calls = c, .ev = ev, .process = process, .agent = agent,
	    .ended_ns = ended(ev), .typed = &c->typed, .work = c->work };
	bool again;

	chain_of(&call);
	if (call.agent == process && *call.chain)
		agent_of_chain(&call);
	if (!(call.id = call_insert(&call)))
		return;
	again = link_calls(&call);
	instructions(&call);
	messages(&call, "input", "input_messages");
	messages(&call, "output", "output_messages");
	if (again)
		return;
	prompts_of(&call);
	if (tools_of(&call))
		tools_did(&call, c->lives);
}

static void
mcp_call(struct calls *c, struct event *ev, int64_t process)
{
	int64_t arguments = text_of_value(c->db, ev, event_get(ev, "arguments"));
	int64_t result = text_of_value(c->db, ev, event_get(ev, "result"));
	struct row r = row_of(c->db, SQL_MCP_NEW);

	row_id(&r, "process_id", process);
	row_id(&r, "arguments_id", arguments);
	row_id(&r, "result_id", result);
	row_keys(&r, ev);
	row_run(&r);
}

bool
call_event(struct calls *c, struct event *ev, int64_t process, int64_t agent)
{
	if (event_is(ev, "llm.call"))
		llm_call(c, ev, process, agent);
	else if (event_is(ev, "mcp.call"))
		mcp_call(c, ev, process);
	else
		return false;
	return true;
}
