/* response.c - what the API responds; see response.h */
#include "response.h"

#include "database.h"
#include "recent.h"
#include "recorded.h"
#include "server.h"

#include "event.h"
#include "jput.h"
#include "line.h"
#include "opt.h"

#include "jsonfilter/expr.h"

#include <inttypes.h>
#include <string.h>

enum { MATCH_MAX = 200000 };	/* numbers in one response */

struct ask {
	struct server *server;
	const char *(*argument)(void *, const char *);
	void *arg;
	struct line_out out;	/* the response grows here */
	struct jput put;
	unsigned status;
};

static void
fail(struct ask *a, unsigned status, const char *why)
{
	a->status = status;
	a->out.len = 0;
	a->put.comma = false;
	jput_object(&a->put, NULL);
	jput_str(&a->put, "error", why);
	jput_object_end(&a->put);
}

/* A number of the address: missing is `missing`, nonsense false. */
static bool
number(struct ask *a, const char *name, uint64_t missing, uint64_t *to)
{
	const char *s = a->argument(a->arg, name);
	long long n;

	*to = missing;
	if (!s || !*s)
		return true;
	if (opt_number(s, 0, INT64_MAX, &n)) {
		fail(a, 400, "not a number");
		return false;
	}
	*to = n;
	return true;
}

/* --- info: what there is --------------------------------------------------- */

static void
get_info(struct ask *a)
{
	struct recent_state is = recent_state(a->server->recent);

	jput_object(&a->put, NULL);
	jput_str(&a->put, "product", "agentsight");
	jput_str(&a->put, "version", VERSION);
	jput_str(&a->put, "source", a->server->source);
	jput_uint(&a->put, "first_id", is.first);
	jput_uint(&a->put, "next_id", is.next);
	jput_uint(&a->put, "held_bytes", is.bytes);
	jput_uint(&a->put, "left_events", is.left);
	jput_bool(&a->put, "ended", is.ended);
	recorded_list(&a->put, "reports");
	recorded_prices(&a->put, "prices");
	jput_object_end(&a->put);
}

/* --- event/N: one line, whole ---------------------------------------------- */

static void
get_event(struct ask *a, const char *id_text)
{
	struct recent_line *l;
	long long n;
	uint64_t id;

	if (opt_number(id_text, 1, INT64_MAX, &n)) {
		fail(a, 400, "not the number of an event");
		return;
	}
	id = n;
	l = recent_get(a->server->recent, &id);
	if (!l || id != (uint64_t)n)
		fail(a, 404, "this event is not kept any more, or not yet there");
	else
		jput_raw(&a->put, NULL, l->text, l->n);
	recent_release(l);
}

/* --- match: the numbers of lines of which an expression is true ------------- */

static void
match_all(struct ask *a, const struct expr *e, uint64_t after, uint64_t limit)
{
	struct recent_line *l;
	uint64_t id = after + 1, n = 0;
	struct event ev;

	event_init(&ev);
	jput_object(&a->put, NULL);
	jput_array(&a->put, "ids");
	for (; n < limit && (l = recent_get(a->server->recent, &id)); id++) {
		if (event_scan(&ev, l->text, l->n) == EVENT_OK && expr_true(e, &ev)) {
			jput_uint(&a->put, NULL, id);
			n++;
		}
		recent_release(l);
	}
	jput_array_end(&a->put);
	jput_uint(&a->put, "last_id", id - 1);
	jput_bool(&a->put, "more", n == limit);
	jput_object_end(&a->put);
	event_free(&ev);
}

static void
get_match(struct ask *a)
{
	const char *text = a->argument(a->arg, "expr"), *why;
	uint64_t after, limit;
	struct expr *e;
	size_t at;

	if (!number(a, "after", 0, &after) || !number(a, "limit", MATCH_MAX, &limit))
		return;
	if (limit > MATCH_MAX)
		limit = MATCH_MAX;
	if (!text || !(e = expr_parse(text, strlen(text), &why, &at))) {
		fail(a, 400, text ? why : "expr is missing");
		if (text) {
			a->out.len--;	/* the error goes on */
			jput_uint(&a->put, "at", at);
			jput_object_end(&a->put);
		}
		return;
	}
	match_all(a, e, after, limit);
	expr_free(e);
}

/* --- reports, search, snapshot: asked of the database ------------------------ */

enum question { REPORT, SEARCH, SNAPSHOT };

static int
ask_database(struct ask *a, struct query *q, enum question what, const char *name)
{
	const char *words = a->argument(a->arg, "q");
	uint64_t limit;
	int64_t rows;

	if (!number(a, what == SNAPSHOT ? "audit_limit" : "limit", what == SNAPSHOT ? 10000 : 1000,
	    &limit))
		return 0;
	rows = limit ? (int64_t)limit : -1;
	if (what == SNAPSHOT)
		return recorded_export(q, "snapshot", rows, &a->put);
	if (what == SEARCH && (!words || !*words)) {
		fail(a, 400, "q is missing: the words to look for");
		return 0;
	}
	return recorded_report(q, what == SEARCH ? "search" : name, rows, words, &a->put);
}

static void
get_from_database(struct ask *a, enum question what, const char *name)
{
	const char *path = a->server->db_path, *why = "there is no database";
	struct query q = { .sq = NULL };

	if (!path && a->server->database)
		path = database_path(a->server->database, &why);
	if (!path) {
		fail(a, 500, why);
		return;
	}
	if (query_open(&q, path, RECORDED_PATIENCE_S) || ask_database(a, &q, what, name))
		fail(a, *q.why ? 500 : 404, *q.why ? q.why : "there is no such report");
	query_close(&q);
}

void
response_get(struct response *to, struct server *s, const char *path,
    const char *(*argument)(void *, const char *), void *arg)
{
	struct ask a = { .server = s, .argument = argument, .arg = arg, .status = 200 };

	line_out_init(&a.out, -1);
	a.put.out = &a.out;
	if (!strcmp(path, "info"))
		get_info(&a);
	else if (!strncmp(path, "event/", 6))
		get_event(&a, path + 6);
	else if (!strcmp(path, "match"))
		get_match(&a);
	else if (!strncmp(path, "report/", 7))
		get_from_database(&a, REPORT, path + 7);
	else if (!strcmp(path, "search"))
		get_from_database(&a, SEARCH, NULL);
	else if (!strcmp(path, "snapshot"))
		get_from_database(&a, SNAPSHOT, NULL);
	else
		fail(&a, 404, "no such thing; websink(1) lists what there is");
	if (a.out.err)
		line_out_free(&a.out);
	*to = (struct response){ .status = a.status, .text = a.out.buf, .n = a.out.len };
}
