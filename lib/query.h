/*
 * query.h - a recording in a database (sqlitesink(1)), asked and never changed
 *
 * Whoever made the file, or wrote the question, gets no further than its rows: it is
 * opened read only, and the authorizer of SQLite (sqlite.org/c3ref/set_authorizer.html)
 * lets a question, and the views that it uses, be one SELECT alone: no ATTACH, no write,
 * no pragma, no function that reaches a file or loads code. A question that takes too
 * long is given up.
 */
#ifndef QUERY_H
#define QUERY_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	QUERY_APPLICATION = 1634169716,	/* PRAGMA application_id of our databases */
	/* PRAGMA user_version: the schema that reports are written for */
	QUERY_VERSION = 3,
	QUERY_WHY = 512,
};

struct query {
	sqlite3 *sq;
	const char *path;	/* the caller's */
	char why[QUERY_WHY];	/* what went wrong, for the user */
	const char *act;	/* what is being done, for why; the caller's */
	int patience_s;		/* a question that takes longer is given up; 0: none is */
	int64_t deadline_ms;	/* of CLOCK_MONOTONIC */
	bool ours;		/* statements of our own, which may make temporary tables */
	bool denied;		/* the authorizer refused something: what, is in why */
};

/* The parameters that a question may use. What it does not use is left out. */
struct query_args {
	int64_t limit;		/* :limit, rows; -1: all */
	int64_t run;		/* :run, runs.id; 0: NULL, all */
	int64_t call;		/* :call, model_calls.id; 0: NULL, all */
	/* :since, :until, nanoseconds since 1970; INT64_MIN, INT64_MAX: any */
	int64_t since, until;
	const char *agent;	/* :agent, its name or pid; NULL: all */
	const char *by;		/* :by, how to group */
	const char *words;	/* :query */
	const char *file;	/* :file, what the user calls the recording */
	const char *zone;	/* :zone, "localtime" or "+00:00", of strftime() */
	const char *time;	/* :time, a format of strftime() */
	int64_t chars;		/* :chars, how much of a text is shown */
};

/* Opens path, and looks that it is a recording of a version that we know. 0, or -1:
 * why says what is wrong, and there is nothing to close. */
int query_open(struct query *, const char *path, int patience_s);
void query_close(struct query *);

/* Runs statements of our own, one after the other, for their effect on the temporary
 * database. 0, or -1 and why. */
int query_run(struct query *, const char *sql, const struct query_args *);

/* The one SELECT that sql is, with its parameters, under the authorizer. To be
 * finalized by the caller. NULL: why says what is wrong with it. */
sqlite3_stmt *query_select(struct query *, const char *sql, const struct query_args *);

/* The SELECTs that sql is, in turn: *tail begins as sql. NULL at the end (why is
 * empty), or on failure. */
sqlite3_stmt *query_next(struct query *, const char **tail, const struct query_args *);

/* The first column of the first row as a number; `missing` when there is none. */
int64_t query_number(struct query *, const char *sql, int64_t missing);

/* Says in why that act failed, as SQLite tells it. Returns -1. */
int query_fail(struct query *, const char *act);

/* Whether the n bytes at the start of a file are an SQLite database's. */
bool query_is_database(const void *start, size_t n);

#endif
