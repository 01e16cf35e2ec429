/*
 * insert - the limit for whoever stores in SQLite, in the transactions and with
 * the settings of sqlitesink
 *
 *   insert DB <lines        one INSERT per line, into one table without an index
 *   insert DB FROM          one INSERT per row of the database FROM, into the same
 *                           tables: what is left when nothing has to be understood
 */
#include "line.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3 *db;
static unsigned long rows;

static int
run(const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK)
		return 0;
	fprintf(stderr, "insert: %s: %s\n", sql, why);
	exit(1);
}

static sqlite3_stmt *
prepare(const char *sql)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK)
		return st;
	fprintf(stderr, "insert: %s: %s\n", sql, sqlite3_errmsg(db));
	exit(1);
}

static void
step(sqlite3_stmt *st)
{
	if (sqlite3_step(st) != SQLITE_DONE)
		fprintf(stderr, "insert: %s\n", sqlite3_errmsg(db));
	sqlite3_reset(st);
	if (++rows % 1000 == 0)
		run("COMMIT; BEGIN");
}

static void
lines(void)
{
	struct line_in *in = line_in_new(LINE_MAX_DEFAULT);
	sqlite3_stmt *st;
	const char *s;
	size_t n;

	run("CREATE TABLE lines(id INTEGER PRIMARY KEY, line TEXT) STRICT; BEGIN");
	st = prepare("INSERT INTO lines(line) VALUES(?)");
	if (!in || line_in_open(in, "-"))
		exit(2);
	while (line_next(in, &s, &n) == LINE_OK) {
		sqlite3_bind_text64(st, 1, s, n, SQLITE_STATIC, SQLITE_UTF8);
		step(st);
	}
	sqlite3_finalize(st);
}

/* Row by row, values bound, as a program does that has them. */
static void
table(const char *name)
{
	char sql[1024], marks[512] = "?";
	sqlite3_stmt *from, *to;

	snprintf(sql, sizeof(sql), "SELECT * FROM old.%s", name);
	from = prepare(sql);
	for (int i = 1; i < sqlite3_column_count(from); i++)
		strcat(marks, ",?");
	snprintf(sql, sizeof(sql), "INSERT INTO main.%s VALUES(%s)", name, marks);
	to = prepare(sql);
	while (sqlite3_step(from) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(from); i++)
			sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
		step(to);
	}
	sqlite3_finalize(from);
	sqlite3_finalize(to);
}

static void
copy(const char *from)
{
	char sql[4096];
	sqlite3_stmt *st;

	sqlite3_snprintf(sizeof(sql), sql, "ATTACH %Q AS old", from);
	run(sql);
	st = prepare("SELECT sql FROM old.sqlite_schema WHERE type IN ('table', 'index') AND sql NOT NULL"
	    " AND tbl_name NOT LIKE 'search%' AND tbl_name NOT LIKE 'sqlite%' ORDER BY rowid");
	while (sqlite3_step(st) == SQLITE_ROW)
		run((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	run("BEGIN; PRAGMA defer_foreign_keys=OFF");
	st = prepare("SELECT name FROM old.sqlite_schema WHERE type='table' AND name NOT LIKE 'search%' AND name NOT LIKE 'sqlite%'");
	while (sqlite3_step(st) == SQLITE_ROW)
		table((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
}

int
main(int argc, char **argv)
{
	if (argc < 2 || sqlite3_open_v2(argv[1], &db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return 2;
	run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-6000; PRAGMA wal_autocheckpoint=2000");
	argc > 2 ? copy(argv[2]) : lines();
	run("COMMIT");
	return sqlite3_close(db) != SQLITE_OK;
}
