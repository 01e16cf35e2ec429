/* rotate.c - see rotate.h */
#include "rotate.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_LEN = 4096, CARRY_NS = 2000000000 };

const char *
rotate_parse(struct rotate *ro, const char *arg)
{
	static const struct { const char *name; uint64_t ns, bytes; } unit[] = {
		{ "s", 1000000000, 0 }, { "m", 60000000000, 0 }, { "h", 3600000000000, 0 },
		{ "d", 86400000000000, 0 },
		{ "k", 0, 1 << 10 }, { "K", 0, 1 << 10 }, { "M", 0, 1 << 20 }, { "G", 0, 1 << 30 },
	};
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || errno || !n || n > 1000000000)
		return "is neither a time nor a size";
	for (size_t i = 0; i < sizeof(unit) / sizeof(*unit); i++)
		if (!strcmp(end, unit[i].name)) {
			ro->ns = n * unit[i].ns;
			ro->bytes = n * unit[i].bytes;
			return NULL;
		}
	return "is neither a time (s, m, h, d) nor a size (k, M, G)";
}

static uint64_t
size_of(const char *path, const char *suffix)
{
	char name[PATH_LEN];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) ? 0 : st.st_size;
}

bool
rotate_overdue(const struct rotate *ro, uint64_t opened_ns, uint64_t last_ns)
{
	return ro->ns && opened_ns && last_ns - opened_ns >= ro->ns;
}

bool
rotate_due(const struct rotate *ro, const struct db *db, uint64_t opened_ns, uint64_t last_ns)
{
	if (ro->ns)
		return rotate_overdue(ro, opened_ns, last_ns);
	return ro->bytes && size_of(db->path, "") + size_of(db->path, "-wal") >= ro->bytes;
}

/* The name without .db */
static int
stem(const char *path)
{
	size_t n = strlen(path);

	return n > 3 && !strcmp(path + n - 3, ".db") ? n - 3 : n;
}

/* Names of the past sort by time. */
static void
prune(const struct rotate *ro, const char *path)
{
	static const char digits[] = "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"
	    "-[0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9]";
	char pattern[2 * PATH_LEN + 128];
	size_t n = 0;
	glob_t g;

	for (int i = 0; i < stem(path) && n < 2 * PATH_LEN; i++) {
		if (strchr("\\*?[", path[i]))
			pattern[n++] = '\\';
		pattern[n++] = path[i];
	}
	snprintf(pattern + n, sizeof(pattern) - n, ".%s.db", digits);
	if (!ro->keep || glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i + ro->keep < g.gl_pathc; i++)
		unlink(g.gl_pathv[i]);
	globfree(&g);
}

bool
rotate_move(const struct rotate *ro, const struct db *db, uint64_t opened_ns, char *old,
    size_t size)
{
	uint64_t ms = opened_ns / 1000000;
	char at[32] = "";

	if (size_of(db->path, "-wal"))
		return false;
	do {	/* two in one millisecond: the next that is free */
		time_t t = ms / 1000;
		struct tm tm;

		if (gmtime_r(&t, &tm))
			strftime(at, sizeof(at), "%Y%m%d-%H%M%S", &tm);
		snprintf(old, size, "%.*s.%s-%03u.db", stem(db->path), db->path, at,
		    (unsigned)(ms++ % 1000));
	} while (access(old, F_OK) == 0);
	if (rename(db->path, old)) {
		fprintf(stderr, "%s: rename %s to %s: %s\n", db->tool, db->path, old,
		    strerror(errno));
		return false;
	}
	prune(ro, db->path);
	return true;
}

/* What was said of the run, and of its stages, before: in the database of this name. */
static void
carry_books(struct db *db, const char *from, int64_t before)
{
	static const char sql[] =
	    "UPDATE main.runs SET (run, began_ns, kernel, stages, command, options, part)"
	    " = (SELECT run, began_ns, kernel,"
	    "	stages, command, options, part + 1 FROM %s.runs WHERE id = %lld) WHERE id = %lld;"
	    "INSERT INTO main.stages(run_id, stage, version, pid, began_ns, ended_ns, lines_read,"
	    " lines_written, lost, why,"
	    "	collects)"
	    "	SELECT %lld, stage, version, pid, began_ns, ended_ns, lines_read, lines_written,"
	    " lost, why,"
	    "	collects FROM %s.stages"
	    "	WHERE run_id = %lld AND stage <> 'sqlitesink'";
	char *text = sqlite3_mprintf(sql, from, (long long)before, (long long)db->run,
	    (long long)db->run, from,
	    (long long)before);

	if (!text || sqlite3_exec(db->sq, text, NULL, NULL, NULL) != SQLITE_OK)
		db_fail(db, "take the books over into");
	sqlite3_free(text);
}

static void
carry_processes(struct db *db, uint64_t last_ns, int64_t before)
{
	/* rows refer to each other in circles, and to a run of the other file */
	static const char sql[] =
	    "PRAGMA defer_foreign_keys = ON;"
	    "CREATE TEMP TABLE needed AS WITH RECURSIVE n(id) AS ("
	    "	SELECT id FROM old.processes WHERE run_id = %lld"
	    " AND (end_ns IS NULL OR end_ns > %lld)"
	    "	UNION SELECT p.parent_id FROM n JOIN old.processes p USING (id)"
	    " WHERE p.parent_id IS NOT NULL"
	    "	UNION SELECT p.agent_id FROM n JOIN old.processes p USING (id)"
	    " WHERE p.agent_id IS NOT NULL"
	    "	UNION SELECT a.parent_id FROM n JOIN old.agents a ON a.process_id = n.id"
	    " WHERE a.parent_id IS NOT NULL)"
	    "	SELECT id FROM n;"
	    "INSERT INTO main.processes SELECT * FROM old.processes"
	    " WHERE id IN (SELECT id FROM needed);"
	    /* those stay where they were */
	    "UPDATE main.processes SET run_id = %lld, tool_use_id = NULL;"
	    "INSERT INTO main.agents SELECT * FROM old.agents"
	    " WHERE process_id IN (SELECT id FROM needed);"
	    "INSERT INTO main.execs SELECT * FROM old.execs"
	    " WHERE id IN (SELECT exec_id FROM main.processes)";
	char *text = sqlite3_mprintf(sql, (long long)before, (long long)(last_ns - CARRY_NS),
	    (long long)db->run);

	if (!text || sqlite3_exec(db->sq, text, NULL, NULL, NULL) != SQLITE_OK)
		db_fail(db, "take processes over into");
	sqlite3_free(text);
}

void
rotate_carry(struct db *db, const char *old, int64_t before, uint64_t last_ns)
{
	char *attach = old ? sqlite3_mprintf("ATTACH %Q AS old", old) : NULL;

	if (old && (!attach || sqlite3_exec(db->sq, attach, NULL, NULL, NULL) != SQLITE_OK))
		db_fail(db, "take over what was before into");
	sqlite3_free(attach);
	if (db_begin(db))
		return;
	carry_books(db, old ? "old" : "main", before);
	if (old)
		carry_processes(db, last_ns, before);
	db_commit(db);
	if (old && !db->failed)
		sqlite3_exec(db->sq, "DROP TABLE temp.needed; DETACH old", NULL, NULL, NULL);
}
