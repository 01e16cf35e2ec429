/* tool.c - see tool.h */
#include "tool.h"

#include "sqlitesink/text.h"

#include <string.h>

enum { NAMES = 256 };	/* of tools in one call, that are told apart by place */

/* How often each name came so far in a list of tools. */
struct places {
	struct value name[NAMES];
	int64_t count[NAMES];
	size_t n;
};

static int64_t
place_of(struct places *all, struct value name)
{
	size_t i = 0;

	while (i < all->n && (all->name[i].n != name.n || memcmp(all->name[i].p, name.p, name.n)))
		i++;
	if (i == NAMES)
		return 0;
	if (i == all->n) {
		all->name[all->n] = name;
		all->count[all->n++] = 0;
	}
	return all->count[i]++;
}

/* A tool call that is in the file; id 0: none. */
struct known {
	int64_t id, answered_ns;
};

static struct known
known_get(struct row *r)
{
	struct known k = { 0 };

	if (row_step(r)) {
		k.id = sqlite3_column_int64(r->of->st, 0);
		k.answered_ns = sqlite3_column_int64(r->of->st, 1);
	}
	row_end(r);
	return k;
}

static void
put_chain(struct row *r, const struct call *call)
{
	row_int(r, "run_id", call->db->run);
	row_str(r, "chain_id", *call->chain ? call->chain : NULL);
}

/* --- calls --------------------------------------------------------------------------- */

/* What a result made that came before this. */
static struct known
find_result(struct call *call, struct value id, struct value name)
{
	struct row r = row_of(call->db, SQL_TOOL_RESULT_ALONE);

	put_chain(&r, call);
	row_key(&r, "conversation_id", call->ev, "conversation_id");
	row_value(&r, "id", call->ev, id);
	row_value(&r, "name", call->ev, name);
	row_int(&r, "ns", call->ended_ns);
	return known_get(&r);
}

static void
tool_call(struct call *call, struct value v)
{
	int64_t arguments = text_of_value(call->db, call->ev, value_get(v, "arguments"));
	struct value id = value_get(v, "id"), name = value_get(v, "name");
	struct known k = find_result(call, id, name);
	struct row r = row_of(call->db, k.id ? SQL_TOOL_REQUESTED : SQL_TOOL_NEW);

	row_id(&r, "call_id", call->id);
	row_int(&r, "asked_ns", call->ended_ns);
	row_id(&r, "arguments_id", arguments);
	row_id(&r, "process_id", call->agent);
	if (k.id) {
		row_int(&r, "id", k.id);
	} else {
		put_chain(&r, call);
		row_key(&r, "conversation_id", call->ev, "conversation_id");
		row_value(&r, "tool_call_id", call->ev, id);
		row_value(&r, "name", call->ev, name);
	}
	if (!row_run(&r))
		return;
	if (!k.id)
		k.id = sqlite3_last_insert_rowid(call->db->sq);
	work_requested(call->work, call->agent, k.id, event_time(call->ev), call->ev,
	    value_get(v, "arguments"));
	if (k.answered_ns)
		work_responded(call->work, call->agent, k.id, k.answered_ns);
}

/* --- results -------------------------------------------------------------------------- */

static struct known
find_call(struct call *call, struct value result, int64_t place)
{
	struct value id = value_get(result, "id"), from = value_get(result, "call");
	struct event *ev = call->ev;
	struct known k = { 0 };
	struct row r;

	if (id.kind && from.kind) {
		r = row_of(call->db, SQL_TOOL_OF_CALL);
		row_int(&r, "run_id", call->db->run);
		row_value(&r, "call", ev, from);
		row_value(&r, "id", ev, id);
		k = known_get(&r);
	}
	if (!k.id && id.kind) {
		r = row_of(call->db, SQL_TOOL_OF_ID);
		row_int(&r, "run_id", call->db->run);
		row_key(&r, "conversation_id", ev, "conversation_id");
		row_value(&r, "id", ev, id);
		row_int(&r, "ns", event_time(ev));
		k = known_get(&r);
	}
	if (!k.id) {
		r = row_of(call->db, SQL_TOOL_OF_NAME);
		put_chain(&r, call);
		row_value(&r, "name", ev, value_get(result, "name"));
		row_int(&r, "ns", event_time(ev));
		row_int(&r, "place", place);
		k = known_get(&r);
	}
	return k;
}

/* Whether the model has been given it before: an answer stands behind it in the list, and more
 * behind that. Then the tool was at work before the recording began. (codex 0.20 sends a result
 * before the text of the answer that asked for it.) */
static bool
is_history(struct call *call, struct value id)
{
	struct value list = event_get(call->ev, "input_messages"), k, v, kp, part, parts;
	struct value_iter it, ip;
	bool seen = false, answered = false, more = false;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		bool assistant = value_eq(value_get(v, "role"), "assistant");

		more |= answered && !assistant;
		answered |= seen && assistant;
		parts = value_get(v, "parts");
		value_iter(&ip, parts);
		while (!seen && parts.kind == VALUE_ARRAY && value_next(&ip, &kp, &part)) {
			struct value other = value_get(part, "id");

			seen = id.kind && other.n == id.n && !memcmp(other.p, id.p, id.n) &&
			    value_eq(value_get(part, "type"), "tool_call_response");
		}
	}
	return more;
}

static void
tool_result(struct call *call, struct value result, int64_t place)
{
	struct value id = value_get(result, "id");
	struct known k = find_call(call, result, place);
	int64_t text, ns = event_time(call->ev);
	struct row r;

	if (k.id ? k.answered_ns && k.answered_ns <= ns : is_history(call, id))
		return;		/* sent again */
	text = text_of_value(call->db, call->ev, value_get(result, "response"));
	r = row_of(call->db, k.id ? SQL_TOOL_RESULT : SQL_TOOL_NEW);
	row_id(&r, "result_call_id", call->id);
	row_int(&r, "answered_ns", ns);
	row_id(&r, "result_id", text);
	row_int(&r, "is_error", value_get(result, "is_error").kind == VALUE_TRUE);
	if (k.id) {
		row_int(&r, "id", k.id);
	} else {	/* asked before the recording began, or the call's line is still to come */
		put_chain(&r, call);
		row_id(&r, "process_id", call->agent);
		row_key(&r, "conversation_id", call->ev, "conversation_id");
		row_value(&r, "tool_call_id", call->ev, id);
		row_value(&r, "name", call->ev, value_get(result, "name"));
	}
	row_run(&r);
	if (k.id)
		work_responded(call->work, call->agent, k.id, ns);
}

bool
tools_of(struct call *call)
{
	struct value results = event_get(call->ev, "tool_results"),
	    calls = event_get(call->ev, "tool_calls"), k, v;
	struct places places = { .n = 0 };
	struct value_iter it;

	value_iter(&it, results);
	while (results.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		if (v.kind == VALUE_OBJECT)
			tool_result(call, v, place_of(&places, value_get(v, "name")));
	value_iter(&it, calls);
	while (calls.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		if (v.kind == VALUE_OBJECT)
			tool_call(call, v);
	return calls.kind == VALUE_ARRAY || results.kind == VALUE_ARRAY;
}
