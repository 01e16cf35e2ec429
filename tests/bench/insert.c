/*
 * insert - the limit for whoever stores lines in SQLite: one INSERT per line,
 * into one table without an index, in the transactions and with the settings of
 * sqlitesink
 *
 *   insert DB <lines
 */
#include "line.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static sqlite3 *db;

static void
run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "insert: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	struct line_in *in = line_in_new(LINE_MAX_DEFAULT);
	unsigned long lines = 0;
	sqlite3_stmt *st;
	const char *s;
	size_t n;

	if (argc != 2 || !in || line_in_open(in, "-") || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return 2;
	run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-6000; PRAGMA wal_autocheckpoint=2000;"
	    "CREATE TABLE lines(id INTEGER PRIMARY KEY, line TEXT) STRICT; BEGIN");
	sqlite3_prepare_v2(db, "INSERT INTO lines(line) VALUES(?)", -1, &st, NULL);
	while (line_next(in, &s, &n) == LINE_OK) {
		sqlite3_bind_text64(st, 1, s, n, SQLITE_STATIC, SQLITE_UTF8);
		sqlite3_step(st);
		sqlite3_reset(st);
		if (++lines % 1000 == 0)
			run("COMMIT; BEGIN");
	}
	run("COMMIT");
	sqlite3_finalize(st);
	return sqlite3_close(db) != SQLITE_OK;
}
