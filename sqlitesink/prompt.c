/* prompt.c - see prompt.h */
#include "prompt.h"

#include "sqlitesink/text.h"

#include <string.h>

/* of one call, that are told apart; more are counted as bad_event */
enum { PROMPTS_MAX = 4096 };

struct found {
	int64_t text, added;	/* texts.id; added 0: the agent added nothing */
};

/* The parts of a message of the user into call->typed. */
static void
message_parts(struct call *call, struct value message)
{
	struct value list = value_get(message, "parts"), k, v, text;
	struct value_iter it;
	const char *p;
	size_t n;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		text = value_get(v, "content");
		if (text.kind == VALUE_STRING && value_eq(value_get(v, "type"), "text") &&
		    (p = value_str(&call->ev->arena, text, &n)))
			typed_part(call->typed, p, n);
	}
}

/* The user's messages in the input; returns how many. What an agent adds in messages of
 * their own belongs to the next that was typed. */
static size_t
prompts_find(struct call *call, struct found *all, bool *answers)
{
	struct value list = event_get(call->ev, "input_messages"), k, v;
	struct typed *t = call->typed;
	struct value_iter it;
	const char *text;
	size_t n = 0, len;

	typed_clear(t, true);
	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		struct value role = value_get(v, "role");

		*answers |= value_eq(role, "assistant");
		if (!value_eq(role, "user"))
			continue;
		message_parts(call, v);
		if ((text = typed_text(t, &len)) && n < PROMPTS_MAX) {
			all[n].text = text_id(call->db, text, len);
			all[n++].added =
			    t->added.len ? text_id(call->db, t->added.buf, t->added.len) : 0;
		} else if (text) {
			call->db->refused = true;
		}
		typed_clear(t, text != NULL);
	}
	return n;
}

/* How many of the prompts the chain has already: all of its own, when the request carries
 * the whole list again (llmparse --messages all). */
static size_t
prompts_known(struct call *call, const struct found *all, size_t n)
{
	struct row r = row_of(call->db, SQL_PROMPT_LIST);
	size_t known = 0;
	bool same = true;

	row_str(&r, "chain_id", call->chain);
	row_int(&r, "run_id", call->db->run);
	while (same && row_step(&r)) {
		same = known < n && sqlite3_column_int64(r.of->st, 0) == all[known].text;
		known++;
	}
	row_end(&r);
	return same ? known : 0;
}

/* The same prompt, sent again for nothing came of it; 0: it is new. */
static int64_t
prompt_again(struct call *call, int64_t text)
{
	struct row r = row_of(call->db, SQL_PROMPT_AGAIN);
	int64_t id = 0;

	row_str(&r, "chain_id", call->chain);
	row_int(&r, "run_id", call->db->run);
	row_int(&r, "text_id", text);
	row_int(&r, "ns", event_time(call->ev));
	if (!row_get(&r, &id))
		return 0;
	r = row_of(call->db, SQL_PROMPT_EARLIER);	/* when its line came behind the other's */
	row_int(&r, "id", id);
	row_int(&r, "call_id", call->id);
	row_int(&r, "ns", event_time(call->ev));
	row_run(&r);
	return id;
}

static int64_t
prompt_new(struct call *call, const struct found *p)
{
	struct row r = row_of(call->db, SQL_PROMPT_NEW);

	row_int(&r, "run_id", call->db->run);
	row_id(&r, "call_id", call->id);
	row_id(&r, "process_id", call->agent);
	row_str(&r, "chain_id", *call->chain ? call->chain : NULL);
	row_id(&r, "text_id", p->text);
	row_id(&r, "added_id", p->added);
	row_keys(&r, call->ev);
	return row_run(&r);
}

/* The last prompt of the chain before the call; 0: none was seen. */
static int64_t
prompt_before(struct call *call)
{
	struct row r = row_of(call->db, SQL_PROMPT_LAST);
	int64_t id = 0;

	row_str(&r, "chain_id", call->chain);
	row_int(&r, "run_id", call->db->run);
	row_int(&r, "ns", event_time(call->ev));
	return row_get(&r, &id) ? id : 0;
}

static void
prompt_set(struct call *call, int64_t prompt, bool is_new)
{
	struct row r = row_of(call->db, SQL_CALL_PROMPT);

	row_int(&r, "prompt_id", prompt);
	row_int(&r, "id", call->id);
	row_run(&r);
	if (!is_new || !*call->chain)
		return;
	r = row_of(call->db, SQL_CALLS_BEHIND);	/* whose lines came before */
	row_int(&r, "prompt_id", prompt);
	row_str(&r, "chain_id", call->chain);
	row_int(&r, "run_id", call->db->run);
	row_int(&r, "ns", event_time(call->ev));
	row_run(&r);
}

void
prompts_of(struct call *call)
{
	struct found all[PROMPTS_MAX];
	bool answers = false;
	size_t n = prompts_find(call, all, &answers), i = answers ? prompts_known(call, all, n) : 0;
	int64_t last = 0;

	for (; i < n; i++)
		if (!(last = prompt_again(call, all[i].text)))
			last = prompt_new(call, &all[i]);
	if (last)
		prompt_set(call, last, true);
	else if ((last = prompt_before(call)))
		prompt_set(call, last, false);
}
