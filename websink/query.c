/* query.c - reports of a database; see query.h */
#include "query.h"

#include "jput.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { APPLICATION = 1634169716, PATIENCE_MS = 30000, STEPS = 100000 };

/* --- files: those of the user first, then those beside this program ----------- */

static const char *
shipped(void)
{
	static _Thread_local char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	dir[n > 0 ? n : 0] = '\0';
	if ((slash = strrchr(dir, '/')))
		*slash = '\0';
	return dir;
}

static const char *
config(void)
{
	static _Thread_local char dir[PATH_MAX];
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg && *xdg)
		snprintf(dir, sizeof(dir), "%s/agentsight", xdg);
	else
		snprintf(dir, sizeof(dir), "%s/.config/agentsight", home && *home ? home : "/nonexistent");
	return dir;
}

static char *
read_file(const char *dir, const char *path)
{
	char name[PATH_MAX], *text = NULL;
	size_t n = 0;
	FILE *f;

	if (snprintf(name, sizeof(name), "%s/%s", dir, path) >= (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (!(f = fopen(name, "re")))
		return NULL;
	if (getdelim(&text, &n, '\0', f) < 0) {
		free(text);
		text = NULL;
		errno = EIO;
	}
	fclose(f);
	return text;
}

char *
query_text(const char *path)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "reports/%s", path);
	return read_file(shipped(), name);
}

/* A report's name is a file's, so it may not lead elsewhere. */
static char *
report_text(const char *name)
{
	char path[PATH_MAX], *text;

	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && (*p != '-' || p == name))
			return NULL;
	if (!*name || strlen(name) > 64)
		return NULL;
	snprintf(path, sizeof(path), "reports/%s.sql", name);
	text = read_file(config(), path);
	return text ? text : read_file(shipped(), path);
}

/* The first line of a report is its title. */
static void
title_of(const char *text, char *to, size_t size)
{
	size_t n;

	*to = '\0';
	if (strncmp(text, "--", 2))
		return;
	for (text += 2; *text == ' '; text++)
		;
	n = strcspn(text, "\n");
	snprintf(to, size, "%.*s", (int)(n < 200 ? n : 200), text);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_names(const char *dir, char ***names, size_t *n)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/reports", dir);
	if (!(d = opendir(path)))
		return;
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);
		char **more;

		if (len < 5 || strcmp(e->d_name + len - 4, ".sql") || !(more = realloc(*names, (*n + 1) * sizeof(*more))))
			continue;
		*names = more;
		if ((more[*n] = strndup(e->d_name, len - 4)))
			(*n)++;
	}
	closedir(d);
}

void
query_list(struct jput *j, const char *key)
{
	char **names = NULL, title[256];
	size_t n = 0;

	add_names(shipped(), &names, &n);
	add_names(config(), &names, &n);
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	jput_array(j, key);
	for (size_t i = 0; i < n; i++) {
		char *text = i && !strcmp(names[i], names[i - 1]) ? NULL : report_text(names[i]);

		if (text) {
			title_of(text, title, sizeof(title));
			jput_object(j, NULL);
			jput_str(j, "name", names[i]);
			jput_str(j, "title", title);
			jput_object_end(j);
			free(text);
		}
	}
	jput_array_end(j);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* --- prices: MODEL,INPUT,OUTPUT,CACHE_READ,CACHE_CREATION,DAY ------------------- */

enum { PRICE_FIELDS = 6 };

static char *
trim(char *s)
{
	size_t n;

	while (*s == ' ' || *s == '\t')
		s++;
	n = strlen(s);
	while (n && strchr(" \t\r", s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

/* Takes a line apart; false when it is no price. Lines that report.sh complains of. */
static bool
price_line(char *line, char *field[PRICE_FIELDS])
{
	char *at = line, *end;

	for (int i = 0; i < PRICE_FIELDS; i++)
		if (!(field[i] = strsep(&at, ",")))
			return false;
		else
			field[i] = trim(field[i]);
	for (char *p = field[0]; *p; p++)
		*p = tolower((unsigned char)*p);
	for (int i = 1; i < PRICE_FIELDS - 1; i++) {
		if (*field[i] && (strtod(field[i], &end) < 0 || *end || !isdigit((unsigned char)*field[i])))
			return false;
	}
	return !at && *field[0] && *field[0] != '#';
}

static void
each_price(void (*take)(void *, char *field[PRICE_FIELDS]), void *arg)
{
	char *text = read_file(config(), "prices.csv"), *at, *line, *field[PRICE_FIELDS];

	if (!text)
		text = read_file(shipped(), "prices.csv");
	for (at = text; at && (line = strsep(&at, "\n"));)
		if (price_line(line, field))
			take(arg, field);
	free(text);
}

static void
insert_price(void *arg, char *field[PRICE_FIELDS])
{
	sqlite3_stmt *st = arg;

	for (int i = 0; i < PRICE_FIELDS; i++) {
		if (i == 0 || i == PRICE_FIELDS - 1)
			sqlite3_bind_text(st, i + 1, field[i], -1, SQLITE_TRANSIENT);
		else if (*field[i])
			sqlite3_bind_double(st, i + 1, strtod(field[i], NULL));
		else
			sqlite3_bind_null(st, i + 1);
	}
	sqlite3_step(st);
	sqlite3_reset(st);
}

static void
put_price(void *arg, char *field[PRICE_FIELDS])
{
	static const char *const key[] = { "model", "input", "output", "cache_read", "cache_creation", "as_of" };
	struct jput *j = arg;

	jput_object(j, NULL);
	for (int i = 0; i < PRICE_FIELDS; i++) {
		if (i == 0 || i == PRICE_FIELDS - 1)
			jput_str(j, key[i], field[i]);
		else if (*field[i])
			jput_real(j, key[i], strtod(field[i], NULL));
	}
	jput_object_end(j);
}

void
query_prices(struct jput *j, const char *key)
{
	jput_array(j, key);
	each_price(put_price, j);
	jput_array_end(j);
}

/* --- the database ---------------------------------------------------------------- */

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
	return now_ms() > ((struct query *)arg)->deadline_ms;
}

/* Reading changes nothing, also when a report of the user's own says otherwise. */
static int
may(void *arg, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)arg, (void)a, (void)b, (void)c, (void)d;
	return action == SQLITE_ATTACH || action == SQLITE_DETACH ? SQLITE_DENY : SQLITE_OK;
}

static int
fail(struct query *q, const char *act)
{
	if (sqlite3_errcode(q->sq) == SQLITE_INTERRUPT)
		snprintf(q->why, sizeof(q->why), "%s: given up after %d s", act, PATIENCE_MS / 1000);
	else
		snprintf(q->why, sizeof(q->why), "%s: %s", act, sqlite3_errmsg(q->sq));
	return -1;
}

static int64_t
ask_int(struct query *q, const char *sql)
{
	sqlite3_stmt *st;
	int64_t n = -1;

	if (sqlite3_prepare_v2(q->sq, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
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
		n += snprintf(to + n, size - n, strchr("%?#", *path) ? "%%%02X" : "%c", (unsigned char)*path);
	snprintf(to + n, size - n, "?%s", how);
}

static int
open_as(struct query *q, const char *path, const char *how)
{
	char uri[3 * PATH_MAX];

	uri_of(path, how, uri, sizeof(uri));
	if (sqlite3_open_v2(uri, &q->sq, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(q->sq, 10000);
		if (ask_int(q, "SELECT count(*) FROM sqlite_schema") >= 0)
			return 0;
	}
	return -1;
}

int
query_open(struct query *q, const char *path)
{
	*q = (struct query){ .path = path, .deadline_ms = now_ms() + PATIENCE_MS };
	/* a folder that cannot be written to has no room for the index of the log;
	 * without a log nobody writes, and the file is all there is */
	if (open_as(q, path, "mode=ro") && (sqlite3_errcode(q->sq) != SQLITE_CANTOPEN || access(path, R_OK) ||
	    (sqlite3_close(q->sq), open_as(q, path, "mode=ro&immutable=1"))))
		fail(q, path);
	else if (ask_int(q, "PRAGMA application_id") != APPLICATION)
		snprintf(q->why, sizeof(q->why), "%s: not a database of agentsight", path);
	else if (ask_int(q, "PRAGMA user_version") != 1)
		snprintf(q->why, sizeof(q->why), "%s: written by another version of agentsight", path);
	if (*q->why) {
		query_close(q);
		return -1;
	}
	sqlite3_progress_handler(q->sq, STEPS, on_steps, q);
	sqlite3_set_authorizer(q->sq, may, NULL);
	return 0;
}

void
query_close(struct query *q)
{
	sqlite3_close(q->sq);
	q->sq = NULL;
}

static void
bind_text(sqlite3_stmt *st, const char *name, const char *value)
{
	int i = sqlite3_bind_parameter_index(st, name);

	if (i)
		sqlite3_bind_text(st, i, value, -1, SQLITE_TRANSIENT);
}

static void
bind_int(sqlite3_stmt *st, const char *name, int64_t value)
{
	int i = sqlite3_bind_parameter_index(st, name);

	if (i)
		sqlite3_bind_int64(st, i, value);
}

sqlite3_stmt *
query_next(struct query *q, const char **tail, const struct query_args *a)
{
	sqlite3_stmt *st = NULL;

	while (!st && **tail) {
		if (sqlite3_prepare_v2(q->sq, *tail, -1, &st, tail) != SQLITE_OK) {
			fail(q, "report");
			return NULL;
		}
	}
	if (!st)
		return NULL;
	bind_int(st, ":limit", a->limit);
	bind_text(st, ":by", "model");
	bind_text(st, ":query", a->words ? a->words : "");
	bind_text(st, ":zone", "+00:00");
	bind_text(st, ":time", a->brief ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%fZ");
	bind_int(st, ":chars", a->brief ? 2000 : 1000000000);
	bind_text(st, ":file", q->path);
	bind_text(st, ":prices", "");
	return st;
}

/* Runs a whole text for its effect. */
static int
run_all(struct query *q, const char *text, const struct query_args *a)
{
	sqlite3_stmt *st;

	while ((st = query_next(q, &text, a))) {
		int rc = sqlite3_step(st);

		sqlite3_finalize(st);
		if (rc != SQLITE_DONE && rc != SQLITE_ROW)
			return fail(q, "prelude");
	}
	return *q->why ? -1 : 0;
}

/* What report.sh puts before every report. */
static int
prelude(struct query *q, const struct query_args *a)
{
	char *costs = query_text("prelude/costs.sql");
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (!costs)
		snprintf(q->why, sizeof(q->why), "the reports are not beside websink: prelude/costs.sql: %s", strerror(errno));
	else if (sqlite3_exec(q->sq, "PRAGMA temp_store=MEMORY; CREATE TEMP TABLE prices(model, input REAL, output REAL,"
	    " cache_read REAL, cache_creation REAL, as_of)", NULL, NULL, NULL) ||
	    sqlite3_prepare_v2(q->sq, "INSERT INTO prices VALUES(?,?,?,?,?,?)", -1, &st, NULL))
		fail(q, "prelude");
	else {
		each_price(insert_price, st);
		rc = run_all(q, costs, a);
	}
	sqlite3_finalize(st);
	free(costs);
	return rc;
}

static void
put_value(struct jput *j, sqlite3_stmt *st, int i)
{
	switch (sqlite3_column_type(st, i)) {
	case SQLITE_INTEGER:
		jput_int(j, NULL, sqlite3_column_int64(st, i));
		break;
	case SQLITE_FLOAT:
		jput_real(j, NULL, sqlite3_column_double(st, i));
		break;
	case SQLITE_NULL:
		jput_raw(j, NULL, "null", 4);
		break;
	default: {
		const char *p = sqlite3_column_blob(st, i);
		size_t n = sqlite3_column_bytes(st, i), good = utf8_valid(p, n);

		/* bytes that are no text, up to where they are none */
		jput_bytes(j, NULL, p ? p : "", good);
	}
	}
}

static int
put_rows(struct query *q, sqlite3_stmt *st, struct jput *j)
{
	int n = sqlite3_column_count(st), rc;

	jput_array(j, "columns");
	for (int i = 0; i < n; i++)
		jput_str(j, NULL, sqlite3_column_name(st, i));
	jput_array_end(j);
	jput_array(j, "rows");
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		jput_array(j, NULL);
		for (int i = 0; i < n; i++)
			put_value(j, st, i);
		jput_array_end(j);
	}
	jput_array_end(j);
	return rc == SQLITE_DONE ? 0 : fail(q, "report");
}

int
query_report(struct query *q, const char *name, const struct query_args *a, struct jput *j)
{
	char *text = report_text(name), title[256];
	const char *tail = text;
	sqlite3_stmt *st;
	int rc = -1;

	if (!text || prelude(q, a) || !(st = query_next(q, &tail, a))) {
		free(text);
		return -1;
	}
	title_of(text, title, sizeof(title));
	jput_object(j, NULL);
	jput_str(j, "name", name);
	jput_str(j, "title", title);
	rc = put_rows(q, st, j);
	jput_object_end(j);
	sqlite3_finalize(st);
	free(text);
	return rc;
}

int
query_export(struct query *q, const char *name, const struct query_args *a, struct jput *j)
{
	char path[64], *text;
	const char *tail;
	sqlite3_stmt *st;
	int rc = -1;

	snprintf(path, sizeof(path), "export/%s.sql", name);
	if (!(tail = text = query_text(path))) {
		snprintf(q->why, sizeof(q->why), "the reports are not beside websink: %s: %s", path, strerror(errno));
		return -1;
	}
	if (!prelude(q, a) && (st = query_next(q, &tail, a))) {
		if (sqlite3_step(st) == SQLITE_ROW) {
			jput_raw(j, NULL, (const char *)sqlite3_column_text(st, 0), sqlite3_column_bytes(st, 0));
			rc = 0;
		} else
			fail(q, name);
		sqlite3_finalize(st);
	}
	free(text);
	return rc;
}
