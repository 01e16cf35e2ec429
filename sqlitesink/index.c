/* index.c - see index.h */
#include "index.h"

enum { KINDS = 4 };

static const enum sql from[KINDS] = { SQL_TEXTS_FROM, SQL_EXECS_FROM, SQL_PATHS_FROM,
    SQL_SHELL_LINES_FROM };

/* Adds rows of one kind, from the one that is next; returns the bytes left. */
static size_t
index_kind(struct db *db, int kind, size_t bytes)
{
	struct row rows, r = row_of(db, SQL_SEARCH_DONE);
	int64_t upto = 0, begin;

	row_int(&r, "kind", kind);
	if (!row_get(&r, &upto))
		return bytes;
	begin = upto;
	rows = row_of(db, from[kind]);
	row_int(&rows, "upto", upto);
	while (bytes && row_step(&rows)) {
		const void *text = sqlite3_column_blob(rows.of->st, 1);
		size_t n = sqlite3_column_bytes(rows.of->st, 1);

		upto = sqlite3_column_int64(rows.of->st, 0);
		r = row_of(db, SQL_SEARCH_ADD);
		row_int(&r, "rowid", 4 * upto + kind);
		row_bytes(&r, "text", text, n);
		row_run(&r);
		bytes -= n + 32 < bytes ? n + 32 : bytes;
	}
	row_end(&rows);
	if (upto == begin)
		return bytes;
	r = row_of(db, SQL_SEARCH_UPTO);
	row_int(&r, "upto", upto);
	row_int(&r, "kind", kind);
	row_run(&r);
	return bytes;
}

bool
index_more(struct db *db, size_t bytes)
{
	size_t left = bytes;

	for (int kind = 0; kind < KINDS && left && !db->failed; kind++)
		left = index_kind(db, kind, left);
	return left < bytes;
}
