/*
 * query.h - a database of sqlitesink(1), asked read only: its reports
 *
 * A report is the very SQL file that agentsight report runs, with the same
 * parameters, temporary tables and prices. Opened for each question anew, so
 * that questions hold each other up as little as they hold up the writer.
 */
#ifndef QUERY_H
#define QUERY_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jput;

enum { QUERY_WHY = 256 };

struct query {
	sqlite3 *sq;
	const char *path;	/* the caller's */
	char why[QUERY_WHY];	/* what went wrong, for the user */
	int64_t deadline_ms;	/* of CLOCK_MONOTONIC; a question that takes longer is given up */
};

/* Opens path. -1: why says what is wrong; there is nothing to close. */
int query_open(struct query *, const char *path);
void query_close(struct query *);

/* The parameters that reports have. */
struct query_args {
	int64_t limit;		/* -1: all */
	const char *words;	/* :query, or NULL */
	bool brief;		/* long texts are cut, for a table */
};

/* Writes {"name":...,"title":...,"columns":[...],"rows":[[...],...]} as a value of
 * an answer. -1: why says what went wrong (there is no such report: why is empty). */
int query_report(struct query *, const char *name, const struct query_args *, struct jput *);
/* The same for one of export/: its only value, a JSON text, as it is. */
int query_export(struct query *, const char *name, const struct query_args *, struct jput *);

/* An array of {"name","title"} of all reports, those of the user among them. */
void query_list(struct jput *, const char *key);
/* The prices: an array of {"model","input","output","cache_read","cache_creation","as_of"}. */
void query_prices(struct jput *, const char *key);

/* Prepares the statements of a report or export in turn, with its parameters. tail
 * begins as the text; NULL at the end or on failure (why is then not empty). */
sqlite3_stmt *query_next(struct query *, const char **tail, const struct query_args *);
/* The text of PATH beneath the folder of reports; to be freed. NULL: errno. */
char *query_text(const char *path);

#endif
