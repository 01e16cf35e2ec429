/* replay.c - a database as event lines; see replay.h and events.sql */
#include "replay.h"

#include "query.h"
#include "reports.h"

#include "event.h"
#include "jput.h"
#include "line.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES = 32 };

/* events.sql, by way of the assembler. */
__asm__(
	"	.section .rodata\n"
	"replay_sql:\n"
	"	.incbin \"websink/events.sql\"\n"
	"	.byte 0\n"
	"	.previous\n"
);
extern const char replay_sql[];

/* One query, at its next row. */
struct source {
	sqlite3_stmt *st;
	uint64_t at;		/* nanoseconds */
	bool lines;		/* its rows are lines already */
};

struct replay {
	struct query *q;
	struct source src[SOURCES];
	size_t n;
	struct event ev;	/* to see the time of a line */
	struct line_out out;	/* a row becomes a line here */
};

/* A column by the rules of events.sql. */
static void
put_column(struct jput *j, sqlite3_stmt *st, int i)
{
	const char *name = sqlite3_column_name(st, i), *colon = strchr(name, ':');
	size_t n = sqlite3_column_bytes(st, i);
	char key[64];

	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return;
	snprintf(key, sizeof(key), "%.*s", (int)(colon ? colon - name : (long)strlen(name)), name);
	if (colon && !strcmp(colon, ":json"))
		jput_raw(j, key, (const char *)sqlite3_column_text(st, i), n);
	else if (colon) {
		if (sqlite3_column_int(st, i))
			jput_bool(j, key, true);
	} else if (sqlite3_column_type(st, i) == SQLITE_INTEGER)
		jput_int(j, key, sqlite3_column_int64(st, i));
	else if (sqlite3_column_type(st, i) == SQLITE_FLOAT)
		jput_real(j, key, sqlite3_column_double(st, i));
	else
		jput_bytes(j, key, n ? sqlite3_column_blob(st, i) : "", n);
}

static void
take_row(struct replay *t, struct source *s, void (*take)(void *, const char *, size_t), void *arg)
{
	struct jput j = { .out = &t->out };

	if (s->lines) {
		take(arg, (const char *)sqlite3_column_text(s->st, 0),
		    sqlite3_column_bytes(s->st, 0));
		return;
	}
	t->out.len = 0;
	jput_object(&j, NULL);
	for (int i = 0; i < sqlite3_column_count(s->st); i++)
		put_column(&j, s->st, i);
	jput_object_end(&j);
	if (!t->out.err)
		take(arg, t->out.buf, t->out.len);
}

/* To the next row; a source that has none leaves. Lines without a time keep their place. */
static int
step(struct replay *t, struct source *s)
{
	int rc = sqlite3_step(s->st);
	uint64_t at;

	if (rc == SQLITE_ROW) {
		if (!s->lines)
			s->at = sqlite3_column_int64(s->st, 1);
		else if (event_scan(&t->ev, (const char *)sqlite3_column_text(s->st, 0),
		    sqlite3_column_bytes(s->st, 0)) == EVENT_OK &&
		    (at = event_time(&t->ev)))
			s->at = at;
		return 0;
	}
	if (rc != SQLITE_DONE)
		snprintf(t->q->why, sizeof(t->q->why), "read: %s", sqlite3_errmsg(t->q->sq));
	sqlite3_finalize(s->st);
	*s = t->src[--t->n];
	return rc == SQLITE_DONE ? 0 : -1;
}

static int
add_sources(struct replay *t, const char *text, bool lines)
{
	static const struct query_args all = { .limit = -1, .since = INT64_MIN, .until = INT64_MAX,
	    .chars = 1000000000 };
	sqlite3_stmt *st;

	while (t->n < SOURCES && (st = query_next(t->q, &text, &all))) {
		t->src[t->n++] = (struct source){ .st = st, .lines = lines };
		if (step(t, &t->src[t->n - 1]))
			return -1;
	}
	return *t->q->why ? -1 : 0;
}

static int
start(struct replay *t)
{
	char *exact = report_file("export/ndjson.sql");
	int rc = -1;

	if (!exact)
		snprintf(t->q->why, sizeof(t->q->why),
		    "the reports are not beside websink: export/ndjson.sql");
	else if (!query_run(t->q, "CREATE TEMP TABLE quiet AS SELECT id FROM runs"
	    " WHERE id NOT IN (SELECT run_id FROM events);"
	    "CREATE TEMP VIEW played AS SELECT * FROM processes"
	    " WHERE run_id IN (SELECT id FROM quiet)", &(struct query_args){ .limit = -1 }))
		rc = add_sources(t, exact, true) || add_sources(t, replay_sql, false) ? -1 : 0;
	free(exact);
	return rc;
}

int
replay_events(struct query *q, void (*take)(void *, const char *, size_t), void *arg)
{
	struct replay t = { .q = q };
	int rc;

	event_init(&t.ev);
	line_out_init(&t.out, -1);
	rc = start(&t);
	while (!rc && t.n) {
		struct source *first = &t.src[0];

		for (size_t i = 1; i < t.n; i++)
			if (t.src[i].at < first->at)
				first = &t.src[i];
		take_row(&t, first, take, arg);
		rc = step(&t, first);
	}
	while (t.n)
		sqlite3_finalize(t.src[--t.n].st);
	line_out_free(&t.out);
	event_free(&t.ev);
	return rc;
}
