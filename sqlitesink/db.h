/*
 * db.h - one SQLite file: opened for us alone to write, in transactions
 *
 * Every statement that is ever run is one of enum sql. The first failure is reported on
 * standard error, with what to do; after it everything does nothing, so callers
 * look once per batch (db->failed).
 */
#ifndef SQLITESINK_DB_H
#define SQLITESINK_DB_H

#include "lib/event.h"
#include "sqlitesink/sql.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A statement, prepared, and the names of its parameters; of those of a table, too, what
 * they are filled from. */
struct statement {
	sqlite3_stmt *st;
	int n;
	struct column {
		char name[24], key[24];	/* key empty: name */
		char kind;		/* b, f, j, or 0 */
	} column[];
};

struct db {
	bool keep_mode;	/* set before db_open: the mode of a file that is there stays */
	mode_t mode;		/* then, of the file; 0: not known */
	sqlite3 *sq;
	const char *tool, *path;	/* for messages */
	int lock;		/* descriptor that holds the lock of the only writer */
	dev_t dev;
	ino_t ino;
	int64_t run;		/* runs.id of this run */
	bool open, failed;	/* a transaction is; nothing can be written any more */
	bool orphan;		/* its log is that of no file any more */
	/* a row did not fit its table: a value of another type; for the caller to reset */
	bool refused;
	/* there was none for a row, which is not there; for the caller to reset */
	bool no_memory;
	struct statement *stmt[SQL_COUNT];
};

/* Opens path, or makes it (0600, owned by the user behind sudo), brings its schema
 * to our version, and begins a run. 0, or -1 when that failed and was reported. */
int db_open(struct db *, const char *tool, const char *path);

/* Begins another run in it. */
void db_run_new(struct db *);

/* Begins a transaction when none is open; -1 after a failure. */
int db_begin(struct db *);
/* Ends it: from here on its rows are there whatever happens to us. */
void db_commit(struct db *);
/* Whether the -wal file is longer than max bytes, for a program that reads in one long
 * transaction keeps it from being folded in. Between transactions. */
bool db_log_full(struct db *, uint64_t max);
/* Commits, folds the -wal file in, closes. */
void db_close(struct db *);

/* A statement being filled in, value by value, by name. What is not given is null. */
struct row {
	struct db *db;
	const struct statement *of;	/* NULL: after a failure; then all of these do nothing */
	uint64_t given;			/* which parameters, by position */
	int at;				/* the one that was given last */
};
struct row row_of(struct db *, enum sql);
void row_int(struct row *, const char *name, int64_t);
void row_id(struct row *, const char *name, int64_t);	/* 0 is null */
void row_str(struct row *, const char *name, const char *);	/* NULL is null */
/* Bytes: text when they are UTF-8 without NUL, else a blob; NULL is null. They
 * must stay in place until row_run. */
void row_bytes(struct row *, const char *name, const void *, size_t n);
void row_blob(struct row *, const char *name, const void *, size_t n);
/* A JSON value: text, number, boolean as 0 or 1, the JSON text of arrays and
 * objects; absent is null. */
void row_value(struct row *, const char *name, struct event *, struct value);
/* An event's key, as it is, and as JSON text whatever it is. */
void row_key(struct row *, const char *name, struct event *, const char *key);
void row_key_json(struct row *, const char *name, struct event *, const char *key);
/* All that is not given yet, from the event's keys, as the table of columns says. */
void row_keys(struct row *, struct event *);
/* Runs it. row_run: the rowid of the row it inserted. row_get: true with the
 * first column of the first row; false when there is none. */
int64_t row_run(struct row *);
bool row_get(struct row *, int64_t *);
/* For several columns or rows: SQLITE_ROW as long as there is one, and row_end. */
bool row_step(struct row *);
void row_end(struct row *);

/* Says that act failed, and why; nothing is done any more. */
void db_fail(struct db *, const char *act);

#endif
