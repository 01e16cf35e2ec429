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
		{ "s", 1000000000, 0 }, { "m", 60000000000, 0 }, { "h", 3600000000000, 0 }, { "d", 86400000000000, 0 },
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
rotate_due(const struct rotate *ro, const struct db *db, uint64_t first_ns, uint64_t last_ns)
{
	if (ro->ns)
		return first_ns && last_ns - first_ns >= ro->ns;
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
	static const char digits[] = "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]";
	char pattern[2 * PATH_LEN + 128];
	size_t n = 0;
	glob_t g;

	for (int i = 0; i < stem(path) && n < 2 * PATH_LEN; i++) {
		if (strchr("\\*?[", path[i]))
			pattern[n++] = '\\';
		pattern[n++] = path[i];
	}
	snprintf(pattern + n, sizeof(pattern) - n, ".%s*.db", digits);
	if (!ro->keep || glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i + ro->keep < g.gl_pathc; i++)
		unlink(g.gl_pathv[i]);
	globfree(&g);
}

bool
rotate_move(const struct rotate *ro, const struct db *db, uint64_t first_ns, char *old, size_t size)
{
	time_t t = first_ns / 1000000000;
	char at[32] = "";
	struct tm tm;

	if (size_of(db->path, "-wal"))
		return false;
	if (localtime_r(&t, &tm))
		strftime(at, sizeof(at), "%Y%m%d-%H%M%S", &tm);
	snprintf(old, size, "%.*s.%s.db", stem(db->path), db->path, at);
	for (int i = 2; access(old, F_OK) == 0; i++)
		snprintf(old, size, "%.*s.%s-%d.db", stem(db->path), db->path, at, i);
	if (rename(db->path, old)) {
		fprintf(stderr, "%s: rename %s to %s: %s\n", db->tool, db->path, old, strerror(errno));
		return false;
	}
	prune(ro, db->path);
	return true;
}

void
rotate_carry(struct db *db, const char *old, uint64_t last_ns)
{
	/* rows refer to each other in circles, and to a run of the other file */
	static const char sql[] =
	    "ATTACH %Q AS old; BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON;"
	    "CREATE TEMP TABLE needed AS WITH RECURSIVE n(id) AS ("
	    "	SELECT id FROM old.processes WHERE run_id = (SELECT max(id) FROM old.runs) AND (end_ns IS NULL OR end_ns > %lld)"
	    "	UNION SELECT p.parent_id FROM n JOIN old.processes p USING (id) WHERE p.parent_id IS NOT NULL"
	    "	UNION SELECT p.agent_id FROM n JOIN old.processes p USING (id) WHERE p.agent_id IS NOT NULL"
	    "	UNION SELECT a.parent_id FROM n JOIN old.agents a ON a.process_id = n.id WHERE a.parent_id IS NOT NULL)"
	    "	SELECT id FROM n;"
	    "INSERT INTO main.processes SELECT * FROM old.processes WHERE id IN (SELECT id FROM needed);"
	    "UPDATE main.processes SET run_id = %lld;"
	    "INSERT INTO main.agents SELECT * FROM old.agents WHERE process_id IN (SELECT id FROM needed);"
	    "INSERT INTO main.execs SELECT * FROM old.execs WHERE id IN (SELECT exec_id FROM main.processes);"
	    "COMMIT; DROP TABLE needed; DETACH old";
	char *text = sqlite3_mprintf(sql, old, (long long)(last_ns - CARRY_NS), (long long)db->run);

	if (!text || sqlite3_exec(db->sq, text, NULL, NULL, NULL) != SQLITE_OK)
		db_fail(db, "take processes over into");
	sqlite3_free(text);
}
