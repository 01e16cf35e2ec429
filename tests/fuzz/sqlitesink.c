/*
 * sqlitesink.c - any lines into the tables: nothing fails, rows refer to rows, and
 * what a line did not fit is counted
 */
#include "event.h"
#include "sqlitesink/index.h"
#include "sqlitesink/store.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct db db;
static char path[64];

static void
gone(void)
{
	char log[80];

	unlink(path);
	snprintf(log, sizeof(log), "%s-wal", path);
	unlink(log);
	snprintf(log, sizeof(log), "%s-shm", path);
	unlink(log);
}

static void
start(void)
{
	int fd;

	strcpy(path, "/tmp/agentsight-fuzz.XXXXXX");
	if ((fd = mkstemp(path)) < 0 || db_open(&db, "fuzz", path))
		exit(1);
	close(fd);
	atexit(gone);
	sqlite3_exec(db.sq, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
}

static int
any_row(void *found, int n, char **value, char **name)
{
	(void)n, (void)value, (void)name;
	*(int *)found = 1;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data, *end = p + n, *nl;
	struct store store = { 0 };
	struct event ev;
	int found = 0;

	if (!db.sq)
		start();
	if (db_begin(&db) || store_new(&store, &db))
		abort();
	event_init(&ev);
	for (; p < end; p = nl + 1) {
		if (!(nl = memchr(p, '\n', end - p)))
			nl = end;
		if (event_scan(&ev, p, nl - p) == EVENT_OK)
			store_event(&store, &ev);
		db.refused = false;
	}
	store_flush(&store);
	index_more(&db, 1 << 20);
	if (db.failed || sqlite3_exec(db.sq, "PRAGMA foreign_key_check", any_row, &found,
	    NULL) != SQLITE_OK || found)
		abort();
	event_free(&ev);
	store_free(&store);
	/* the next input finds an empty file */
	if (sqlite3_exec(db.sq, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		abort();
	db.open = false;
	return 0;
}
