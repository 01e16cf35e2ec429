/* query.c - see query.h */
#include "query.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_MS = 10000, STEPS = 100000, CACHE_KB = 65536 };

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int
on_steps(void *arg)
{
	const struct query *q = arg;

	return q->patience_s && now_ms() > q->deadline_ms;
}

int
query_fail(struct query *q, const char *act)
{
	if (q->denied)	/* says it better */
		return -1;
	if (sqlite3_errcode(q->sq) == SQLITE_INTERRUPT)
		snprintf(q->why, sizeof(q->why), "%s: given up after %d s", act, q->patience_s);
	else
		snprintf(q->why, sizeof(q->why), "%s: %s", act, sqlite3_errmsg(q->sq));
	return -1;
}

/* --- what a question may do ---------------------------------------------------- */

static bool
is_one_of(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(s, list[i]))
			return true;
	return false;
}

/* Functions that reach beyond the database. Some are of the sqlite3 shell alone, and
 * would be unknown here; a library may be built with more. */
static bool
is_harmless(const char *function)
{
	static const char *const refused[] = {
		"load_extension", "readfile", "writefile", "edit", "fsdir", "lsmode",
		"fts3_tokenizer", "sqlite_log",
		"sqlite_source_dump",
	};

	return !is_one_of(function, refused, sizeof(refused) / sizeof(*refused));
}

/* Pragmas that the full-text index asks for itself, and those that only describe what there is. */
static bool
is_describing(const char *pragma)
{
	static const char *const allowed[] = {
		"data_version", "table_info", "table_xinfo", "table_list", "index_list",
		"index_info", "index_xinfo",
		"foreign_key_list", "function_list", "collation_list",
	};

	return is_one_of(pragma, allowed, sizeof(allowed) / sizeof(*allowed));
}

static int
deny(struct query *q, const char *what, const char *name)
{
	if (!q->denied)
		snprintf(q->why, sizeof(q->why),
		    "not allowed in a report, which is one SELECT: %s%s%s", what,
		    name ? " " : "", name ? name : "");
	q->denied = true;
	return SQLITE_DENY;
}

static int
may(void *arg, int action, const char *a, const char *b, const char *database, const char *inner)
{
	struct query *q = arg;

	(void)database, (void)inner;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return is_harmless(b) ? SQLITE_OK : deny(q, "the function", b);
	case SQLITE_PRAGMA:
		return is_describing(a) ? SQLITE_OK : deny(q, "PRAGMA", a);
	case SQLITE_UPDATE:
		/* asked of every virtual table (json_each, the full-text index) when it is
		 * connected; nobody can change the schema so: sqlite3_declare_vtab alone gets
		 * that far */
		if (!strcmp(a, "sqlite_master") || q->ours)
			return SQLITE_OK;
		return deny(q, "UPDATE", a);
	case SQLITE_ATTACH:
		return deny(q, "ATTACH", NULL);
	case SQLITE_DETACH:
		return deny(q, "DETACH", NULL);
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return q->ours ? SQLITE_OK : deny(q, "a transaction", NULL);
	default:
		if (q->ours)
			return SQLITE_OK;
		if (action == SQLITE_INSERT || action == SQLITE_DELETE)
			return deny(q, action == SQLITE_INSERT ? "INSERT" : "DELETE", a);
		return deny(q, "a statement that changes something", NULL);
	}
}

/* --- opening --------------------------------------------------------------------- */

bool
query_is_database(const void *start, size_t n)
{
	static const char magic[] = "SQLite format 3";

	return n >= sizeof(magic) && !memcmp(start, magic, sizeof(magic));
}

int64_t
query_number(struct query *q, const char *sql, int64_t missing)
{
	sqlite3_stmt *st = NULL;
	int64_t n = missing;

	if (sqlite3_prepare_v2(q->sq, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* "file:PATH?..." with what has a meaning there escaped. */
static void
uri_of(const char *path, const char *how, char *to, size_t size)
{
	size_t n = snprintf(to, size, "file:%s", *path == '/' ? "" : "./");

	for (; *path && n + 4 < size; path++)
		n += snprintf(to + n, size - n, strchr("%?#", *path) ? "%%%02X" : "%c",
		    (unsigned char)*path);
	snprintf(to + n, size - n, "?%s", how);
}

static int
open_as(struct query *q, const char *path, const char *how)
{
	char uri[3 * PATH_MAX];

	uri_of(path, how, uri, sizeof(uri));
	if (sqlite3_open_v2(uri, &q->sq, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
	    NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(q->sq, BUSY_MS);
		if (query_number(q, "SELECT count(*) FROM sqlite_schema", -1) >= 0)
			return 0;
	}
	return -1;
}

/* A folder that cannot be written to has no room for the index of the log; without a log
 * nobody writes, and the file is all there is. */
static int
open_file(struct query *q, const char *path)
{
	if (!open_as(q, path, "mode=ro"))
		return 0;
	if (sqlite3_errcode(q->sq) != SQLITE_CANTOPEN || access(path, R_OK))
		return -1;
	sqlite3_close(q->sq);
	return open_as(q, path, "mode=ro&immutable=1");
}

/* The file may have been made by anybody: what its views do goes by the authorizer, too. */
static void
confine(struct query *q)
{
	char sql[160];

	sqlite3_db_config(q->sq, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(q->sq, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(q->sq, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	snprintf(sql, sizeof(sql),
	    "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA cache_size=-%d", CACHE_KB);
	sqlite3_exec(q->sq, sql, NULL, NULL, NULL);
	sqlite3_progress_handler(q->sq, STEPS, on_steps, q);
	sqlite3_set_authorizer(q->sq, may, q);
}

int
query_open(struct query *q, const char *path, int patience_s)
{
	int64_t version;

	*q = (struct query){ .path = path, .patience_s = patience_s,
	    .deadline_ms = now_ms() + 1000LL * patience_s };
	if (open_file(q, path))
		query_fail(q, path);
	else if (query_number(q, "PRAGMA application_id", 0) != QUERY_APPLICATION)
		snprintf(q->why, sizeof(q->why), "%s: not a database of agentsight", path);
	else if ((version = query_number(q, "PRAGMA user_version", 0)) < QUERY_VERSION)
		snprintf(q->why, sizeof(q->why),
		    "%s: written by an older version of agentsight (sqlitesink %s </dev/null "
		    "brings it up to date)", path, path);
	else if (version > QUERY_VERSION)
		snprintf(q->why, sizeof(q->why), "%s: written by a newer version of agentsight",
		    path);
	if (*q->why) {
		query_close(q);
		return -1;
	}
	confine(q);
	return 0;
}

void
query_close(struct query *q)
{
	sqlite3_close(q->sq);
	q->sq = NULL;
}

/* --- asking ------------------------------------------------------------------------ */

static void
bind_text(sqlite3_stmt *st, const char *name, const char *value)
{
	int i = sqlite3_bind_parameter_index(st, name);

	if (i && value)
		sqlite3_bind_text(st, i, value, -1, SQLITE_TRANSIENT);
}

static void
bind_int(sqlite3_stmt *st, const char *name, int64_t value)
{
	int i = sqlite3_bind_parameter_index(st, name);

	if (i)
		sqlite3_bind_int64(st, i, value);
}

static void
bind(sqlite3_stmt *st, const struct query_args *a)
{
	bind_int(st, ":limit", a->limit);
	if (a->run)
		bind_int(st, ":run", a->run);
	if (a->call)
		bind_int(st, ":call", a->call);
	bind_int(st, ":since", a->since);
	bind_int(st, ":until", a->until);
	bind_int(st, ":all", !a->run && !a->agent);
	bind_text(st, ":agent", a->agent);
	bind_text(st, ":by", a->by ? a->by : "model");
	bind_text(st, ":query", a->words ? a->words : "");
	bind_text(st, ":file", a->file);
	bind_text(st, ":zone", a->zone);
	bind_text(st, ":time", a->time);
	bind_int(st, ":chars", a->chars);
}

/* Says in which line of the text it is wrong. */
static void
fail_at(struct query *q, const char *text)
{
	int at = sqlite3_error_offset(q->sq), line = 1;
	char act[128];

	for (int i = 0; i < at && text[i]; i++)
		line += text[i] == '\n';
	if (at >= 0)
		snprintf(act, sizeof(act), "%s, line %d", q->act ? q->act : "read", line);
	else
		snprintf(act, sizeof(act), "%s", q->act ? q->act : "read");
	query_fail(q, act);
}

/* Prepares the next statement behind blanks and comments. NULL at the end, or why. */
static sqlite3_stmt *
next(struct query *q, const char **tail, const struct query_args *a)
{
	sqlite3_stmt *st = NULL;

	while (!st && **tail) {
		const char *from = *tail;

		if (sqlite3_prepare_v2(q->sq, from, -1, &st, tail) != SQLITE_OK) {
			fail_at(q, from);
			return NULL;
		}
	}
	if (st)
		bind(st, a);
	return st;
}

sqlite3_stmt *
query_next(struct query *q, const char **tail, const struct query_args *a)
{
	sqlite3_stmt *st;

	q->denied = false;
	*q->why = '\0';
	if ((st = next(q, tail, a)) && (!sqlite3_stmt_readonly(st) || !sqlite3_column_count(st) ||
	    sqlite3_stmt_isexplain(st))) {
		deny(q, "a statement that is none", NULL);
		sqlite3_finalize(st);
		return NULL;
	}
	return st;
}

/* Where the first word stands, behind blanks and comments. */
static const char *
first_word(const char *s)
{
	for (;;) {
		s += strspn(s, " \t\r\n\f;");
		if (!strncmp(s, "--", 2))
			s += strcspn(s, "\n");
		else if (!strncmp(s, "/*", 2))
			s = strstr(s + 2, "*/") ? strstr(s + 2, "*/") + 2 : s + strlen(s);
		else
			return s;
	}
}

static bool
is_select(const char *sql)
{
	static const char *const words[] = { "select", "with", "values" };
	const char *at = first_word(sql);

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		if (!strncasecmp(at, words[i], n) && strchr(" \t\r\n\f(*/-'\"", at[n]))
			return true;
	}
	return false;
}

sqlite3_stmt *
query_select(struct query *q, const char *sql, const struct query_args *a)
{
	const char *tail = sql;
	sqlite3_stmt *st;

	q->denied = false;
	*q->why = '\0';
	if (!is_select(sql)) {
		const char *at = first_word(sql);

		deny(q, *at ? "it begins with" : "it is empty", NULL);
		if (*at)
			snprintf(q->why + strlen(q->why), sizeof(q->why) - strlen(q->why), " %.*s",
			    (int)strcspn(at, " \t\r\n;"), at);
		return NULL;
	}
	if (!(st = query_next(q, &tail, a)))
		return NULL;
	if (*first_word(tail)) {
		deny(q, "more than one statement", NULL);
		sqlite3_finalize(st);
		return NULL;
	}
	return st;
}

int
query_run(struct query *q, const char *sql, const struct query_args *a)
{
	sqlite3_stmt *st;

	q->ours = true;
	q->denied = false;
	*q->why = '\0';
	while ((st = next(q, &sql, a))) {
		int rc = sqlite3_step(st);

		sqlite3_finalize(st);
		if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
			query_fail(q, q->act ? q->act : "read");
			break;
		}
	}
	q->ours = false;
	return *q->why ? -1 : 0;
}
