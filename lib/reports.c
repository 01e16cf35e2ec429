/* reports.c - see reports.h */
#include "reports.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };	/* bytes of a report or price table */

/* --- folders --------------------------------------------------------------------- */

/* Where this program is. */
static const char *
beside(void)
{
	static _Thread_local char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	dir[n > 0 ? n : 0] = '\0';
	if ((slash = strrchr(dir, '/')))
		*slash = '\0';
	return dir;
}

static void
config_path(char *to, size_t size, const char *rest)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg && *xdg == '/')
		snprintf(to, size, "%s/agentsight%s", xdg, rest);
	else
		snprintf(to, size, "%s/.config/agentsight%s", home && *home ? home : "/nonexistent",
		    rest);
}

/* Ours, or root's: nobody else can have put something there for us to run. */
static bool
is_mine(const struct stat *st)
{
	return st->st_uid == geteuid() || st->st_uid == 0;
}

/* A folder of the user's: 1 when it is there and ours, 0 when it is not there, -1 when it is
 * somebody else's. */
static int
config_folder(char *to, size_t size, const char *rest)
{
	struct stat st;

	config_path(to, size, rest);
	if (stat(to, &st) || !S_ISDIR(st.st_mode))
		return 0;
	return is_mine(&st) ? 1 : -1;
}

const char *
report_folder(void)
{
	static _Thread_local char dir[PATH_MAX];
	char above[PATH_MAX];

	return config_folder(above, sizeof(above), "") == 1 &&
	    config_folder(dir, sizeof(dir), "/reports") == 1 ?
	    dir : NULL;
}

const char *
report_refused(void)
{
	static _Thread_local char dir[PATH_MAX];
	struct stat st;

	config_path(dir, sizeof(dir), "/reports");
	return !report_folder() && !stat(dir, &st) && S_ISDIR(st.st_mode) ? dir : NULL;
}

/* --- files ----------------------------------------------------------------------- */

/* A file of text, to be freed; of the user's folders only when it is theirs. NULL: errno. */
static char *
read_file(const char *dir, const char *path, bool own)
{
	char name[PATH_MAX], *text = NULL;
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (snprintf(name, sizeof(name), "%s/%s", dir, path) >= (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if ((fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX ||
	    (own && !is_mine(&st)))
		errno = EACCES;
	else if ((text = malloc(st.st_size + 1)) && (n = read(fd, text, st.st_size)) >= 0)
		text[n] = '\0';
	close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *
report_file(const char *path)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "reports/%s", path);
	return read_file(beside(), name, false);
}

/* A report's name is a file's, so it may not lead elsewhere. */
static bool
is_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && (*p != '-' || p == name))
			return false;
	return *name && strlen(name) <= REPORT_NAME;
}

int
report_export(struct report *r, const char *name)
{
	char path[REPORT_NAME + 16];

	*r = (struct report){ .text = NULL };
	if (!is_name(name))
		return -1;
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(path, sizeof(path), "export/%s.sql", name);
	r->text = report_file(path);
	return r->text ? 0 : -1;
}

int
report_find(struct report *r, const char *name)
{
	char path[REPORT_NAME + 8], *own = NULL;
	const char *folder = report_folder();

	*r = (struct report){ .text = NULL };
	if (!is_name(name))
		return -1;
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(path, sizeof(path), "%s.sql", name);
	if (folder)
		own = read_file(folder, path, true);
	if ((r->text = report_file(path))) {
		r->shadows = own;
		free(own);
	} else {
		r->text = own;
		r->own = true;
	}
	return r->text ? 0 : -1;
}

void
report_free(struct report *r)
{
	free(r->text);
	r->text = NULL;
}

void
report_title(const struct report *r, char *to)
{
	const char *s = r->text;

	*to = '\0';
	if (strncmp(s, "--", 2))
		return;
	s += 2;
	s += strspn(s, " ");
	snprintf(to, REPORT_TITLE + 1, "%.*s", (int)strcspn(s, "\r\n"), s);
}

/* --- all of them --------------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_names(const char *dir, char ***names, size_t *n)
{
	struct dirent *e;
	DIR *d;

	if (!dir || !(d = opendir(dir)))
		return;
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);
		char **more;

		if (len < 5 || strcmp(e->d_name + len - 4, ".sql") ||
		    !(more = realloc(*names, (*n + 1) * sizeof(*more))))
			continue;
		*names = more;
		if ((more[*n] = strndup(e->d_name, len - 4)))
			(*n)++;
	}
	closedir(d);
}

void
report_each(void (*take)(void *, const struct report *), void *arg)
{
	char **names = NULL, dir[PATH_MAX + 16];
	size_t n = 0;

	snprintf(dir, sizeof(dir), "%s/reports", beside());
	add_names(dir, &names, &n);
	add_names(report_folder(), &names, &n);
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		struct report r;

		if ((i && !strcmp(names[i], names[i - 1])) || report_find(&r, names[i]))
			continue;
		take(arg, &r);
		report_free(&r);
	}
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* --- prices ------------------------------------------------------------------------- */

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

/* Digits, and a point among them: nothing else that strtod knows. */
static bool
is_price(const char *s)
{
	size_t n = strspn(s, "0123456789"),
	    m = s[n] == '.' ? 1 + strspn(s + n + 1, "0123456789") : 0;

	return !*s || (n && !s[n + m]);
}

/* Takes a line apart; false when it is no price. */
static bool
price_line(char *line, char *field[PRICE_FIELDS])
{
	char *at = line;

	static char none[] = "";

	for (int i = 0; i < PRICE_FIELDS; i++)
		if ((field[i] = strsep(&at, ",")))
			field[i] = trim(field[i]);
		else if (i <= PRICE_DAY)
			return false;
		else
			field[i] = none;
	for (char *p = field[PRICE_MODEL]; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("._:*?/@-|~", *p))
			return false;
		*p = tolower((unsigned char)*p);
	}
	for (int i = PRICE_INPUT; i <= PRICE_ABOVE; i++)
		if (i != PRICE_DAY && !is_price(field[i]))
			return false;
	if (field[PRICE_SINCE][strspn(field[PRICE_SINCE], "0123456789-")] ||
	    field[PRICE_PROVIDER][strspn(field[PRICE_PROVIDER],
	    "abcdefghijklmnopqrstuvwxyz0123456789._-")])
		return false;
	return !at && *field[PRICE_MODEL] && isdigit((unsigned char)*field[PRICE_DAY]) &&
	    !field[PRICE_DAY][strspn(field[PRICE_DAY], "0123456789-")];
}

void
price_each(void (*take)(void *, char *const field[PRICE_FIELDS]),
    void (*bad)(void *, const char *file, unsigned line), void *arg)
{
	char dir[PATH_MAX], file[PATH_MAX + 16], *text = NULL, *at, *line, *field[PRICE_FIELDS];
	unsigned number = 0;

	if (config_folder(dir, sizeof(dir), "") == 1)
		text = read_file(dir, "prices.csv", true);
	if (!text) {
		snprintf(dir, sizeof(dir), "%s", beside());
		text = read_file(dir, "prices.csv", false);
	}
	snprintf(file, sizeof(file), "%s/prices.csv", dir);
	for (at = text; at && (line = strsep(&at, "\n"));) {
		number++;
		line = trim(line);
		if (!*line || *line == '#')
			continue;
		if (price_line(line, field))
			take(arg, field);
		else if (bad)
			bad(arg, file, number);
	}
	free(text);
}

/* --- running ---------------------------------------------------------------------------- */

/* A row for one pattern: a name, and what may follow it. */
static void
insert_name(sqlite3_stmt *st, const char *name, size_t n, const char *behind,
    char *const field[PRICE_FIELDS])
{
	char pattern[256];

	snprintf(pattern, sizeof(pattern), "%.*s%s", (int)n, name, behind);
	for (int i = 0; i < PRICE_FIELDS; i++) {
		if (i == PRICE_MODEL)
			sqlite3_bind_text(st, i + 1, pattern, -1, SQLITE_TRANSIENT);
		else if (i == PRICE_DAY || i >= PRICE_SINCE)
			sqlite3_bind_text(st, i + 1, field[i], -1, SQLITE_TRANSIENT);
		else if (i == PRICE_ABOVE)
			sqlite3_bind_double(st, i + 1, strtod(field[i], NULL));
		else if (*field[i])
			sqlite3_bind_double(st, i + 1, strtod(field[i], NULL));
		else
			sqlite3_bind_null(st, i + 1);
	}
	sqlite3_step(st);
	sqlite3_reset(st);
}

/* "A|B~": a row for A, and for B with and without a date. */
static void
insert_price(void *arg, char *const field[PRICE_FIELDS])
{
	static const char *const dated[] = { "", "-20??????", "@20??????", "-20?\?-?\?-?\?",
	    "-latest" };

	for (const char *p = field[PRICE_MODEL]; *p; p += *p == '|') {
		size_t n = strcspn(p, "|"), name = n && p[n - 1] == '~' ? n - 1 : n;

		for (size_t i = 0; i < (name < n ? sizeof(dated) / sizeof(*dated) : 1) && name; i++)
			insert_name(arg, p, name, dated[i], field);
		p += n;
	}
}

/* temp.prices, which temp.costs is computed from. */
static int
make_prices(struct query *q, const struct query_args *a)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (query_run(q, "CREATE TEMP TABLE IF NOT EXISTS prices(model, input REAL, output REAL,"
	    " cache_read REAL, cache_creation REAL,"
	    " as_of, cache_creation_1h REAL, above REAL, since, provider);"
	    /* one transaction for all rows takes half the time */
	    " DELETE FROM temp.prices; BEGIN", a))
		return -1;
	q->ours = true;
	rc = sqlite3_prepare_v2(q->sq, "INSERT INTO temp.prices VALUES(?,?,?,?,?,?,?,?,?,?)", -1,
	    &st, NULL);
	q->ours = false;
	if (rc)
		return query_fail(q, "prices");
	price_each(insert_price, NULL, st);
	sqlite3_finalize(st);
	return query_run(q, "CREATE INDEX IF NOT EXISTS temp.prices_model ON prices(model); COMMIT",
	    a);
}

/* Whether the text refers to temp.NAME. */
static bool
refers_to(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; (p = strstr(p, "temp.")); p++)
		if (!strncmp(p + 5, name, n) && !isalnum((unsigned char)p[5 + n]) &&
		    p[5 + n] != '_')
			return true;
	return false;
}

static const char *const preludes[] = { "costs", "chosen", "audit", "windows", "work", "outcomes",
    "used" };
enum { PRELUDES = sizeof(preludes) / sizeof(*preludes) };

static char *
prelude_text(size_t i)
{
	char path[64];

	snprintf(path, sizeof(path), "prelude/%s.sql", preludes[i]);
	return report_file(path);
}

/* Makes what a text refers to, and first what that refers to; each once: made has a bit for it. */
static int
make_all(struct query *q, const char *text, const struct query_args *a, unsigned *made)
{
	int rc = refers_to(text, "prices") ? make_prices(q, a) : 0;

	for (size_t i = 0; !rc && i < PRELUDES; i++) {
		char *sql;

		if (*made & 1u << i || !refers_to(text, preludes[i]) || !(sql = prelude_text(i)))
			continue;
		*made |= 1u << i;
		rc = make_all(q, sql, a, made) || query_run(q, sql, a) ? -1 : 0;
		free(sql);
	}
	return rc;
}

sqlite3_stmt *
report_start(struct query *q, const struct report *r, const struct query_args *a)
{
	unsigned made = 0;

	q->act = r->name;
	return make_all(q, r->text, a, &made) ? NULL : query_select(q, r->text, a);
}

void
report_missing(struct query *q, const struct report *r, int64_t run, char *to, size_t size)
{
	static const char key[] = "\n-- collected by: ", sql[] =
	    "SELECT group_concat(k.sees, ', ') FROM stage_ranks k WHERE k.rank = 0"
	    " AND instr(' ' || :query || ' ', ' ' || k.stage || ' ')"
	    " AND EXISTS (SELECT 1 FROM runs r WHERE :run IS NULL OR r.id = :run)"
	    " AND NOT EXISTS (SELECT 1 FROM runs r WHERE (:run IS NULL OR r.id = :run)"
	    " AND (r.stages IS NULL"
	    " OR EXISTS (SELECT 1 FROM json_each(r.stages) j WHERE j.value = k.stage)))";
	const char *at = strstr(r->text, key);
	struct query_args a = { .run = run };
	char names[128];
	sqlite3_stmt *st;

	*to = '\0';
	if (!at)
		return;
	at += strlen(key);
	snprintf(names, sizeof(names), "%.*s", (int)strcspn(at, "\n"), at);
	a.words = names;
	if ((st = query_select(q, sql, &a)) && sqlite3_step(st) == SQLITE_ROW &&
	    sqlite3_column_type(st, 0) != SQLITE_NULL)
		snprintf(to, size, "%s", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
}

/* Whether a text uses a parameter, or what it refers to does. */
static bool
uses(const char *text, const char *parameter, unsigned seen)
{
	size_t n = strlen(parameter);
	const char *p = text;
	bool found = false;

	while (!strncmp(p, "--", 2))	/* what its comment says is not used yet */
		p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n');
	for (; (p = strstr(p, parameter)); p++)
		if (!isalnum((unsigned char)p[n]) && p[n] != '_')
			return true;
	for (size_t i = 0; !found && i < PRELUDES; i++) {
		char *sql = seen & 1u << i || !refers_to(text, preludes[i]) ? NULL :
		    prelude_text(i);

		found = sql && uses(sql, parameter, seen | 1u << i);
		free(sql);
	}
	return found;
}

bool
report_uses(const struct report *r, const char *parameter)
{
	return uses(r->text, parameter, 0);
}
