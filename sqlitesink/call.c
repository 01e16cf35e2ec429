/* call.c - see call.h */
#include "call.h"

#include "lib/jput.h"
#include "lib/line.h"
#include "sqlitesink/text.h"

#include <stdlib.h>
#include <string.h>

enum { PROMPTS_MAX = 4096 };	/* of one call, that are told apart; more are counted as bad_event */

struct calls {
	struct db *db;
	struct line_out scratch;	/* JSON that is put together */
};

/* The call at hand. */
struct call {
	struct calls *all;
	struct event *ev;
	int64_t id, process, ended_ns;
	bool answers;	/* its input has messages of the assistant */
};

struct calls *
calls_new(struct db *db)
{
	struct calls *c = calloc(1, sizeof(*c));

	if (c) {
		c->db = db;
		line_out_init(&c->scratch, -1);
	}
	return c;
}

void
calls_free(struct calls *c)
{
	line_out_free(&c->scratch);
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
	struct calls *c = call->all;
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

/* --- prompts ----------------------------------------------------------------------- */

/* The text of a message, its parts with an empty line between them, in scratch.
 * False: it has none. */
static bool
message_text(struct call *call, struct value message)
{
	struct value list = value_get(message, "parts"), k, v, text;
	struct line_out *out = &call->all->scratch;
	struct value_iter it;
	bool any = false;
	char *to;

	out->len = 0;
	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		text = value_get(v, "content");
		if (text.kind != VALUE_STRING || !value_eq(value_get(v, "type"), "text") || !(to = line_room(out, text.n + 2)))
			continue;
		if (any) {
			memcpy(to, "\n\n", 2);
			out->len += 2;
			to += 2;
		}
		out->len += value_decode(text, to);
		any = true;
	}
	return any;
}

/* How many of the prompts ids[0..n) the conversation has already: all of its own,
 * when the request carries the whole list again (llmparse --messages all). */
static size_t
prompts_known(struct call *call, const int64_t *ids, size_t n)
{
	struct row r;
	size_t known = 0;
	bool same = true;

	if (!call->answers)
		return 0;
	r = row_of(call->all->db, SQL_PROMPT_LIST);
	row_key(&r, "conversation_id", call->ev, "conversation_id");
	row_int(&r, "run_id", call->all->db->run);
	while (same && row_step(&r)) {
		same = known < n && sqlite3_column_int64(r.of->st, 0) == ids[known];
		known++;
	}
	row_end(&r);
	return same ? known : 0;
}

/* The user's messages in the input; returns how many. */
static size_t
prompts_find(struct call *call, int64_t *ids)
{
	struct value list = event_get(call->ev, "input_messages"), k, v;
	struct value_iter it;
	size_t n = 0;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		struct value role = value_get(v, "role");

		call->answers |= value_eq(role, "assistant");
		if (!value_eq(role, "user") || !message_text(call, v))
			continue;
		if (n < PROMPTS_MAX)
			ids[n++] = text_id(call->all->db, call->all->scratch.buf, call->all->scratch.len);
		else
			call->all->db->refused = true;
	}
	return n;
}

static void
prompts(struct call *call)
{
	int64_t ids[PROMPTS_MAX], last = 0;
	size_t n = prompts_find(call, ids);
	struct db *db = call->all->db;
	struct row r;

	for (size_t i = prompts_known(call, ids, n); i < n; i++) {
		r = row_of(db, SQL_PROMPT_NEW);
		row_int(&r, "run_id", db->run);
		row_id(&r, "call_id", call->id);
		row_id(&r, "process_id", call->process);
		row_id(&r, "text_id", ids[i]);
		row_keys(&r, call->ev);
		last = row_run(&r);
	}
	if (!last)
		return;
	r = row_of(db, SQL_CALL_PROMPT);
	row_int(&r, "prompt_id", last);
	row_id(&r, "id", call->id);
	row_run(&r);
}

static int64_t
prompt_before(struct db *db, struct event *ev)
{
	struct row r = row_of(db, SQL_PROMPT_LAST);
	int64_t id;

	row_key(&r, "conversation_id", ev, "conversation_id");
	row_int(&r, "run_id", db->run);
	return row_get(&r, &id) ? id : 0;
}

/* --- tools -------------------------------------------------------------------------- */

static void
tool_calls(struct call *call)
{
	struct value list = event_get(call->ev, "tool_calls"), k, v;
	struct db *db = call->all->db;
	struct value_iter it;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		int64_t arguments = text_of_value(db, call->ev, value_get(v, "arguments"));
		struct row r = row_of(db, SQL_TOOL_NEW);

		row_int(&r, "run_id", db->run);
		row_id(&r, "process_id", call->process);
		row_id(&r, "call_id", call->id);
		row_key(&r, "conversation_id", call->ev, "conversation_id");
		row_value(&r, "tool_call_id", call->ev, value_get(v, "id"));
		row_value(&r, "name", call->ev, value_get(v, "name"));
		row_int(&r, "asked_ns", call->ended_ns);
		row_id(&r, "arguments_id", arguments);
		row_run(&r);
	}
}

/* A result whose call was not seen is a row of its own. */
static void
tool_result(struct call *call, struct value result)
{
	struct db *db = call->all->db;
	struct event *ev = call->ev;
	int64_t text = text_of_value(db, ev, value_get(result, "response")), id = 0;
	bool is_error = value_get(result, "is_error").kind == VALUE_TRUE;
	struct row r = row_of(db, SQL_TOOL_FIND);

	row_value(&r, "call", ev, value_get(result, "call"));
	row_int(&r, "run_id", db->run);
	row_value(&r, "id", ev, value_get(result, "id"));
	row_value(&r, "name", ev, value_get(result, "name"));
	if (row_get(&r, &id)) {
		r = row_of(db, SQL_TOOL_RESULT);
		row_id(&r, "result_call_id", call->id);
		row_int(&r, "answered_ns", event_time(ev));
		row_id(&r, "result_id", text);
		row_int(&r, "is_error", is_error);
		row_int(&r, "id", id);
		row_run(&r);
		return;
	}
	r = row_of(db, SQL_TOOL_NEW);
	row_int(&r, "run_id", db->run);
	row_id(&r, "process_id", call->process);
	row_id(&r, "result_call_id", call->id);
	row_key(&r, "conversation_id", ev, "conversation_id");
	row_value(&r, "tool_call_id", ev, value_get(result, "id"));
	row_value(&r, "name", ev, value_get(result, "name"));
	row_int(&r, "answered_ns", event_time(ev));
	row_id(&r, "result_id", text);
	row_int(&r, "is_error", is_error);
	row_run(&r);
}

static void
tool_results(struct call *call)
{
	struct value list = event_get(call->ev, "tool_results"), k, v;
	struct value_iter it;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		if (v.kind == VALUE_OBJECT)
			tool_result(call, v);
}

/* --- calls --------------------------------------------------------------------------- */

static void
put_usage(struct row *r, struct event *ev)
{
	static const char *const key[] = { "input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens",
		"reasoning_tokens", "total_tokens" };
	struct value usage = event_get(ev, "usage");

	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		row_value(r, key[i], ev, usage.kind == VALUE_OBJECT ? value_get(usage, key[i]) : (struct value){ 0 });
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

	return value_f64(event_get(ev, "duration_ms"), &ms) && ms > 0 && ms < 1e12 ? ns + (int64_t)(ms * 1e6) : ns;
}

static int64_t
call_insert(struct call *call)
{
	struct calls *c = call->all;
	struct event *ev = call->ev;
	int64_t prompt = prompt_before(c->db, ev), tools = text_of_value(c->db, ev, event_get(ev, "tools"));
	struct row r = row_of(c->db, SQL_CALL_NEW);

	parameters(c, ev);
	row_int(&r, "run_id", c->db->run);
	row_id(&r, "process_id", call->process);
	row_id(&r, "prompt_id", prompt);
	row_int(&r, "ended_ns", call->ended_ns);
	put_usage(&r, ev);
	put_scratch(&r, "parameters", c);
	row_id(&r, "tools_id", tools);
	row_keys(&r, ev);
	return row_run(&r);
}

static void
llm_call(struct calls *c, struct event *ev, int64_t process)
{
	struct call call = { .all = c, .ev = ev, .process = process, .ended_ns = ended(ev) };

	if (!(call.id = call_insert(&call)))
		return;
	instructions(&call);
	messages(&call, "input", "input_messages");
	messages(&call, "output", "output_messages");
	prompts(&call);
	tool_results(&call);
	tool_calls(&call);
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
call_event(struct calls *c, struct event *ev, int64_t process)
{
	if (event_is(ev, "llm.call"))
		llm_call(c, ev, process);
	else if (event_is(ev, "mcp.call"))
		mcp_call(c, ev, process);
	else
		return false;
	return true;
}
