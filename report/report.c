/*
 * agentsight-report - asks a recording
 * reads   databases of sqlitesink(1), event lines; reports/NAME.sql, prices.csv
 * writes  a table, JSON, CSV, Markdown; with export whole documents
 * keeps   TABLE_LOOK rows of a table
 */
#include "cell.h"
#include "merge.h"
#include "pager.h"
#include "rows.h"
#include "source.h"
#include "when.h"

#include "nearest.h"
#include "opt.h"
#include "query.h"
#include "reports.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT = 100, CHARS = 300, PORT_UNSET = -1, NAMES = 256, PATIENCE_S = 600,
    SUMMARY_MAX = 1 << 28 };

static struct request {
	/* options */
	struct opt_list dbs;
	bool json, csv, md, list, help, no_pager;
	int64_t limit, run, call, port;
	const char *agent, *since, *until, *by, *output, *format;
	/* what they come to */
	const char *name;	/* of the report */
	struct source *sources;
	size_t n;
	char *words;
	enum rows_form form;
} self = { .limit = LIMIT, .port = PORT_UNSET };

static const struct opt options[] = {
	{ .kind = OPT_LIST, .name = "db", .arg = "FILE", .to = &self.dbs,
	    .help = "the recording; again for more of them" },
	{ .kind = OPT_FLAG, .name = "json", .to = &self.json, .help = "an array of objects" },
	{ .kind = OPT_FLAG, .name = "csv", .to = &self.csv, .help = "comma-separated values" },
	{ .kind = OPT_FLAG, .name = "md", .to = &self.md, .help = "a Markdown table" },
	{ .kind = OPT_NUM, .name = "limit", .arg = "N", .to = &self.limit,
	    .help = "at most N rows (100; 0: all)", .hi = INT64_MAX },
	{ .kind = OPT_NUM, .name = "run", .arg = "N", .to = &self.run,
	    .help = "this run alone (report runs has them)", .lo = 1, .hi = INT64_MAX },
	{ .kind = OPT_STR, .name = "agent", .arg = "NAME|PID", .to = &self.agent,
	    .help = "this agent, and all that runs under it" },
	{ .kind = OPT_NUM, .name = "call", .arg = "N", .to = &self.call,
	    .help = "this call of a model (report calls has them)", .lo = 1, .hi = INT64_MAX },
	{ .kind = OPT_STR, .name = "since", .arg = "TIME", .to = &self.since,
	    .help = "from then on: '2026-11-24 04:12', 04:12, 10m before the end" },
	{ .kind = OPT_STR, .name = "until", .arg = "TIME", .to = &self.until,
	    .help = "up to then" },
	{ .kind = OPT_STR, .name = "by", .arg = "KEY", .to = &self.by,
	    .help = "of tokens: model, provider, agent, conversation, directory, process, hour" },
	{ .kind = OPT_STR, .letter = 'o', .name = "output", .arg = "FILE", .to = &self.output,
	    .help = "write to FILE (0600)" },
	{ .kind = OPT_STR, .name = "format", .arg = "NAME", .to = &self.format,
	    .help = "of export: snapshot, ndjson, otlp-json, har, folded" },
	{ .kind = OPT_NUM, .name = "port", .arg = "N", .to = &self.port,
	    .help = "of serve: the page on this port (7395; 0: a free one)", .hi = 65535 },
	{ .kind = OPT_FLAG, .name = "no-pager", .to = &self.no_pager,
	    .help = "do not page long tables on a terminal" },
	{ .kind = OPT_FLAG, .name = "list", .to = &self.list, .help = "the reports there are" },
	{ .kind = OPT_END },
};
/* --help behind a name is about that report */
static const struct opt help_option[] = {
	{ .kind = OPT_FLAG, .letter = 'h', .name = "help", .to = &self.help },
	{ .kind = OPT_END },
};

#define USE \
	.name = "agentsight report", .synopsis = "[FILE]... [NAME] [OPTION]... [WORD]...", \
	.about = "Answers from a recording: a database, or event lines." \
	    " NAME is summary when none is given;\n" \
	    "--list has all. Without FILE: $AGENTSIGHT_DB_PATH, or the newest agentsight-*.db here."
static const struct opt_use use = { USE, .tables = { help_option, options } };
static const struct opt_use general = { USE, .tables = { options } };

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void
say(const char *fmt, ...)
{
	va_list ap;

	fputs("agentsight report: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static _Noreturn void
die(const char *why)
{
	if (*why)
		say("%s", why);
	exit(1);
}

/* --- names ---------------------------------------------------------------------------- */

static const struct special { const char *name, *title; } specials[] = {
	{ "export", "Everything as one document: snapshot, ndjson, otlp-json, har, folded" },
	{ "html", "The page of websink with the run inside, as one file" },
	{ "list", "The runs in all agentsight-*.db here" },
	{ "serve", "The page of websink" },
};

static bool
is_special(const char *name)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(*specials); i++)
		if (!strcmp(name, specials[i].name))
			return true;
	return false;
}

static bool
is_report(const char *name)
{
	struct report r;
	bool found = is_special(name) || !report_find(&r, name);

	if (found && !is_special(name))
		report_free(&r);
	return found;
}

static void
print_title(const char *name, const char *title)
{
	struct line_out out;

	line_out_init(&out, -1);
	cell_put(&out, title, strlen(title), 0);
	printf("%-12s %.*s\n", name, (int)out.len, out.buf);
	line_out_free(&out);
}

static void
list_one(void *arg, const struct report *r)
{
	size_t *special = arg, all = sizeof(specials) / sizeof(*specials);
	char title[REPORT_TITLE + 1];

	for (; *special < all && (!r || strcmp(specials[*special].name, r->name) < 0); ++*special)
		print_title(specials[*special].name, specials[*special].title);
	if (!r)
		return;
	report_title(r, title);
	print_title(r->name, title);
}

static void
note_refused(void)
{
	if (report_refused())
		say("the reports in %s are not run: they belong to another user", report_refused());
}

static void
list_reports(void)
{
	size_t special = 0;

	report_each(list_one, &special);
	list_one(&special, NULL);
	note_refused();
}

struct names { const char *v[NAMES]; size_t n; };

static void
collect(void *arg, const struct report *r)
{
	struct names *all = arg;

	if (all->n < NAMES && (all->v[all->n] = strdup(r->name)))
		all->n++;
}

/* "there is no X 'NAME'", with the nearest there is; exit 2. */
static _Noreturn void
unknown(const char *what, const char *name, const char *const *known, size_t n, const char *where)
{
	const char *near = nearest_name(name, known, n);

	if (near)
		say("there is no %s '%s'; did you mean '%s'?", what, name, near);
	else
		say("there is no %s '%s' (%s)", what, name, where);
	exit(2);
}

static _Noreturn void
no_report(const char *name)
{
	struct names all = { .n = 0 };

	note_refused();
	report_each(collect, &all);
	for (size_t i = 0; i < sizeof(specials) / sizeof(*specials) && all.n < NAMES; i++)
		all.v[all.n++] = specials[i].name;
	unknown("report", name, all.v, all.n, "agentsight report --list has all");
}

/* The comment at the head of a report, without what is for us. */
static void
describe(const char *name)
{
	struct report r;
	const char *s;

	if (report_find(&r, strcmp(name, "list") ? name : "runs"))
		exit(2);
	for (s = r.text; !strncmp(s, "--", 2);
	    s += strcspn(s, "\n") + (s[strcspn(s, "\n")] == '\n')) {
		const char *from = s + 2 + (s[2] == ' ');

		if (strncmp(from, "leave first:", 12) && strncmp(from, "wrap:", 5) &&
		    strncmp(from, "collected by:", 13))
			printf("%.*s\n", (int)strcspn(from, "\n"), from);
	}
	report_free(&r);
}

/* --- recordings ------------------------------------------------------------------------- */

static void
add_source(const char *name)
{
	char why[SOURCE_WHY];

	self.sources = realloc(self.sources, (self.n + 1) * sizeof(*self.sources));
	if (!self.sources)
		die("out of memory");
	self.sources[self.n] = (struct source){ .name = name };
	if (source_become_owner(&self.sources[self.n], why) ||
	    source_look(&self.sources[self.n], name, why))
		die(why);
	self.n++;
}

/* Those that were named, else those that are here. */
static void
find_sources(void)
{
	const char *path = getenv("AGENTSIGHT_DB_PATH");
	char **here;
	size_t n;

	for (size_t i = 0; i < self.dbs.n; i++)
		add_source(self.dbs.v[i]);
	if (self.n)
		return;
	if (path && *path) {
		add_source(path);
		return;
	}
	here = source_here(strcmp(self.name, "list"), &n);
	for (size_t i = 0; i < n; i++)
		add_source(here[i]);
	free(here);
	if (!self.n)
		die("no agentsight-*.db here (name a recording: agentsight report FILE)");
}

static void merge_sources(void);

static void
open_sources(bool keep)
{
	char why[SOURCE_WHY];

	for (size_t i = 0; i < self.n; i++)
		if (source_open(&self.sources[i], keep, why))
			die(why);
	merge_sources();
}

/* --- parts of one recording ------------------------------------------------------------------ */

static int64_t
ask_source(const struct source *s, const char *sql)
{
	struct query q;
	int64_t n;

	if (query_open(&q, s->path, 0))
		return 0;
	n = query_number(&q, sql, 0);
	query_close(&q);
	return n;
}

static int
by_time(const void *a, const void *b)
{
	static const char sql[] = "SELECT min(first_ns) FROM runs";
	int64_t x = ask_source(a, sql), y = ask_source(b, sql);

	return (x > y) - (x < y);
}

/* The files of before that belong to the one that was named; false: there is none. */
static bool
add_set(void)
{
	const char *name = self.sources[0].name;
	uint64_t bytes = 0;
	struct stat st;
	size_t n, found;
	char **set = merge_set(name, &n);

	if (!set)
		die("out of memory");
	found = n;
	for (size_t i = 0; i < n; i++)
		bytes += stat(set[i], &st) ? 0 : st.st_size;
	if (n > 1 && !strcmp(self.name, "recorded") && bytes > SUMMARY_MAX) {
		say("these are numbers of the last of %zu files alone"
		    " (agentsight report %s reads all)", n, name);
		n = 1;
	}
	if (n > 1) {
		free(self.sources);
		self.sources = NULL;
		self.n = 0;
		for (size_t i = 0; i < n; i++)
			add_source(set[i]);
	} else {	/* its name is known already */
		while (found)
			free(set[--found]);
	}
	free(set);
	return n > 1;
}

/* Whether those that were named are parts of a recording. */
static bool
are_parts(void)
{
	bool any = false;

	for (size_t i = 0; i < self.n; i++) {
		if (self.sources[i].lines)
			return false;
		any |= ask_source(&self.sources[i],
		    "SELECT max(part > 1 OR continued) FROM runs") > 0;
	}
	return any;
}

/* They become one database, under the name of the last one. */
static void
merge_sources(void)
{
	char why[SOURCE_WHY], missing[MERGE_WHY];
	const char **from, *to;

	if (!strcmp(self.name, "list") ||
	    (self.n == 1 && !self.sources[0].lines && !add_set() && !are_parts()) ||
	    (self.n > 1 && !are_parts()) || self.sources[0].lines)
		return;
	qsort(self.sources, self.n, sizeof(*self.sources), by_time);
	if (!(from = calloc(self.n, sizeof(*from))))
		die("out of memory");
	for (size_t i = 0; i < self.n; i++)
		from[i] = self.sources[i].path;
	if (!(to = source_empty(why)) || merge_parts(to, from, self.n, missing, why))
		die(why);
	if (*missing)
		say("%s", missing);
	self.sources[0] = self.sources[self.n - 1];
	self.sources[0].path = to;
	self.n = 1;
	free(from);
}

/* Whether the database was read already: lines of several files are in one. */
static bool
requested_before(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(self.sources[k].path, self.sources[i].path))
			return true;
	return false;
}

/* --- parameters --------------------------------------------------------------------------- */

/* Refuses what the report could only ignore. */
static void
check_use(const struct report *r)
{
	const struct { const char *option, *parameter; bool given; } uses[] = {
		{ "--run", ":run", self.run != 0 }, { "--agent", ":agent", self.agent != NULL },
		{ "--call", ":call", self.call != 0 }, { "--since", ":since", self.since != NULL },
		{ "--until", ":until", self.until != NULL }, { "--by", ":by", self.by != NULL },
	};

	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++)
		if (uses[i].given && !report_uses(r, uses[i].parameter))
			opt_fail(&use, "the report %s takes no %s", r->name, uses[i].option);
	if (*self.words && !report_uses(r, ":query") && strcmp(r->name, "recorded"))
		opt_fail(&use, "the report %s takes no words ('%s')", r->name, self.words);
	if (!strcmp(r->name, "search") && !*self.words)
		opt_fail(&use, "search takes what to look for");
}

static void
check_by(void)
{
	static const char *const keys[] = { "model", "provider", "agent", "conversation",
	    "directory", "process", "hour" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!self.by || !strcmp(self.by, keys[i]))
			return;
	unknown("key for --by called", self.by, keys, sizeof(keys) / sizeof(*keys),
	    "model, provider, agent, conversation, directory, process, hour");
}

static void
set_time(struct query *q, const char *option, const char *text, int64_t *to)
{
	int64_t first = query_number(q, "SELECT min(first_ns) FROM runs", 0);
	int64_t last = query_number(q, "SELECT max(last_ns) FROM runs", 0);
	const char *bad = text ? when_parse(text, first, last, to) : NULL;

	if (bad)
		opt_fail(&use, "%s %s: %s", option, text, bad);
}

static void
check_agent(struct query *q, const struct query_args *a)
{
	static const char sql[] = "SELECT DISTINCT n FROM (SELECT a.name AS n FROM agents a"
	    " UNION SELECT CAST(p.comm AS TEXT) FROM agents a"
	    " JOIN processes p ON p.id = a.process_id"
	    " UNION SELECT CAST(p.pid AS TEXT) FROM agents a"
	    " JOIN processes p ON p.id = a.process_id"
	    " UNION SELECT agent FROM model_calls) WHERE n IS NOT NULL";
	struct names all = { .n = 0 };
	sqlite3_stmt *st = query_select(q, sql, a);
	bool found = false;

	while (st && !found && sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);

		found = !strcmp(name, self.agent);
		if (all.n < NAMES && (all.v[all.n] = strdup(name)))
			all.n++;
	}
	sqlite3_finalize(st);
	for (size_t i = 0; found && i < all.n; i++)
		free((char *)all.v[i]);
	if (!found)
		unknown("agent", self.agent, all.v, all.n, "agentsight report top has all");
}

/* What there is none of is said, rather than that nothing was found. */
static void
check_numbers(struct query *q)
{
	char sql[96];

	if (self.run) {
		snprintf(sql, sizeof(sql), "SELECT id FROM runs WHERE id = %" PRId64, self.run);
		if (!query_number(q, sql, 0))
			opt_fail(&use, "there is no run %" PRId64 " in %s (agentsight report runs)",
			    self.run, q->path);
	}
	if (self.call) {
		snprintf(sql, sizeof(sql), "SELECT id FROM model_calls WHERE id = %" PRId64,
		    self.call);
		if (!query_number(q, sql, 0))
			opt_fail(&use, "there is no call %" PRId64
			    " in %s (agentsight report calls)", self.call, q->path);
	}
}

/* `recorded` is about one run: that of the name in words, which its recorder knows, else the
 * last; others may have written into the database since. */
static int64_t
recorded_run(struct query *q, const struct query_args *a)
{
	sqlite3_stmt *st = query_select(q,
	    "SELECT max(id) FROM runs WHERE :query = '' OR run = :query", a);
	int64_t id = st && sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;

	sqlite3_finalize(st);
	if (!id && *self.words)
		opt_fail(&use, "there is no run %s in %s", self.words, q->path);
	return id;
}

/* Times for people are local and short, for programs UTC and whole. */
static struct query_args
parameters(struct query *q, const struct source *s, bool people)
{
	struct query_args a = {
		.limit = self.limit ? self.limit : -1, .run = self.run, .call = self.call,
		.since = INT64_MIN, .until = INT64_MAX, .agent = self.agent, .by = self.by,
		.words = self.words, .file = s->name,
		.zone = people ? "localtime" : "+00:00",
		.time = people ? "%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%fZ",
		.chars = people ? CHARS : 1000000000,
	};

	set_time(q, "--since", self.since, &a.since);
	set_time(q, "--until", self.until, &a.until);
	if (self.n == 1)
		check_numbers(q);
	if (self.agent)
		check_agent(q, &a);
	if (!a.run && !strcmp(self.name, "recorded"))
		a.run = recorded_run(q, &a);
	return a;
}

/* --- a report -------------------------------------------------------------------------------- */

static void
take_no_price(void *arg, char *const field[PRICE_FIELDS])
{
	(void)arg, (void)field;
}

static void
bad_price(void *arg, const char *file, unsigned line)
{
	(void)arg;
	say("%s: line %u is not a price", file, line);
}

/* How large the terminal is that standard output is; 0: none, or it does not say. */
static void
look_at_terminal(struct rows *r)
{
	const char *columns = getenv("COLUMNS"), *term = getenv("TERM"),
	    *plain = getenv("NO_COLOR");
	struct winsize w = { .ws_col = 0 };
	long long n;

	r->terminal = isatty(STDOUT_FILENO);
	if (r->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0) {
		r->table.width = w.ws_col ? w.ws_col : 80;
		r->table.height = self.no_pager ? 0 : w.ws_row;
	}
	if (columns && *columns && !opt_number(columns, 1, 100000, &n))
		r->table.width = n;
	r->table.colour = r->terminal && !(plain && *plain) && term && strcmp(term, "dumb");
}

/* 0, or the exit status. */
static int
finish(struct line_out *out)
{
	line_flush(out);
	if (out->err && !line_out_closed(out)) {
		say("write: %s", strerror(out->err));
		return 1;
	}
	return 0;
}

/* One more row than requested is looked for, to know whether there is one. */
static int
ask(struct rows *rows, const struct report *r, struct source *s)
{
	struct query q;
	struct query_args a;
	sqlite3_stmt *st;
	int rc = SQLITE_ERROR;

	if (query_open(&q, s->path, PATIENCE_S)) {
		say("open %s", q.why);
		return -1;
	}
	a = parameters(&q, s, rows->form == ROWS_TABLE || rows->form == ROWS_MD);
	rows->limit = a.limit;
	if (a.limit > 0 && a.limit < INT64_MAX)
		a.limit++;
	if ((st = report_start(&q, r, &a)) && (rc = rows_write(rows, st)) != SQLITE_DONE)
		query_fail(&q, r->name);
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		say("%s", q.why);
	else
		report_missing(&q, r, self.run, s->missing, sizeof(s->missing));
	query_close(&q);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* What a line of a report's comment says; NULL. */
static const char *
columns_of(const struct report *r, const char *key)
{
	const char *at = strstr(r->text, key);

	return at ? at + strlen(key) : NULL;
}

static int
report_all(const struct report *r)
{
	char title[REPORT_TITLE + 1];
	struct line_out out;
	struct rows rows = { .form = self.form, .out = &out };
	int rc = 0, status;

	line_out_init(&out, STDOUT_FILENO);
	report_title(r, title);
	rows.table.title = title;
	rows.table.leave = columns_of(r, "-- leave first:");
	rows.table.wrap = columns_of(r, "-- wrap:");
	look_at_terminal(&rows);
	for (size_t i = 0; i < self.n && !rc; i++)
		if (!requested_before(i))
			rc = ask(&rows, r, &self.sources[i]);
	if (!rc)
		rows_end(&rows);
	status = finish(&out);
	pager_end();
	if (!rc && rows.more && !rows.text && rows.limit == 1)
		say("the first row; --limit 0 shows all");
	else if (!rc && rows.more && !rows.text)
		say("the first %" PRId64 " rows; --limit 0 shows all", rows.limit);
	for (size_t i = 0; i < self.n && !rc; i++)
		if (self.sources[i].missing[0])
			say("%s%snot recorded: %s", self.n > 1 ? self.sources[i].name : "",
			    self.n > 1 ? ": " : "", self.sources[i].missing);
	line_out_free(&out);
	return rc ? 1 : status;
}

static int
run_report(void)
{
	struct report r;
	int status;

	if (report_find(&r, strcmp(self.name, "list") ? self.name : "runs"))
		no_report(self.name);
	check_by();
	check_use(&r);
	if (r.shadows)
		say("%s is the program's own report; yours in %s is not run (give it another name)",
		    r.name, report_folder());
	if (strstr(r.text, "temp.costs"))
		price_each(take_no_price, bad_price, NULL);
	open_sources(false);
	status = report_all(&r);
	report_free(&r);
	return status;
}

/* --- documents ------------------------------------------------------------------------------- */

/* Standard output becomes the input of `otelsink --file -`; its pid. */
static pid_t
start_otelsink(void)
{
	char *argv[] = { "otelsink", "--file", "-", NULL };
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) || (pid = fork()) < 0) {
		say("start otelsink: %s", strerror(errno));
		exit(1);
	}
	if (pid == 0) {
		dup2(fds[0], STDIN_FILENO);
		source_exec("otelsink", argv);
		say("otelsink is neither beside it nor in PATH: it writes otlp-json");
		_exit(127);
	}
	dup2(fds[1], STDOUT_FILENO);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static int
write_document(const struct report *r, const struct source *s, struct line_out *out)
{
	sqlite3_stmt *st = NULL;
	struct query_args a;
	struct query q;
	int rc = SQLITE_ERROR;

	if (query_open(&q, s->path, PATIENCE_S)) {
		say("open %s", q.why);
		return -1;
	}
	a = parameters(&q, s, false);
	if ((st = report_start(&q, r, &a))) {
		while ((rc = sqlite3_step(st)) == SQLITE_ROW && !out->err)
			line_put(out, (const char *)sqlite3_column_text(st, 0),
			    sqlite3_column_bytes(st, 0));
		if (rc != SQLITE_DONE && rc != SQLITE_ROW)
			query_fail(&q, r->name);
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		say("%s", q.why);
	sqlite3_finalize(st);
	query_close(&q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -1;
}

static int
run_export(void)
{
	static const char *const formats[] = { "snapshot", "ndjson", "otlp-json", "har", "folded" };
	const char *format = self.format ? self.format : "snapshot";
	bool otlp = !strcmp(format, "otlp-json");
	int status = 0, rc, child = 0;
	struct line_out out;
	struct report r;
	pid_t pid = 0;

	if (report_export(&r, otlp ? "ndjson" : format))
		unknown("format", format, formats, sizeof(formats) / sizeof(*formats),
		    "snapshot, ndjson, otlp-json, har, folded");
	/* some of what it has would be left in */
	if (self.agent || self.call || self.since || self.until)
		opt_fail(&use, "export takes no --agent, --call, --since, --until");
	check_use(&r);
	open_sources(!strcmp(r.name, "ndjson"));
	if (self.n > 1)
		opt_fail(&use, "export takes one recording");
	if (otlp)
		pid = start_otelsink();
	line_out_init(&out, STDOUT_FILENO);
	rc = write_document(&r, &self.sources[0], &out);
	status = finish(&out);
	line_out_free(&out);
	report_free(&r);
	if (pid) {
		close(STDOUT_FILENO);
		while (waitpid(pid, &child, 0) < 0 && errno == EINTR)
			;
	}
	return rc || child ? 1 : status;
}

/* html and serve are websink's. */
static _Noreturn void
run_websink(void)
{
	char **argv = calloc(self.n + 8, sizeof(*argv)), port[32];
	size_t n = 0, dbs = 0;

	if (!argv)
		die("out of memory");
	argv[n++] = "websink";
	if (!strcmp(self.name, "html")) {
		argv[n++] = "--html";
		argv[n++] = (char *)self.output;
	}
	if (self.port != PORT_UNSET) {
		snprintf(port, sizeof(port), "%" PRId64, self.port);
		argv[n++] = "--port";
		argv[n++] = port;
	}
	for (size_t i = 0; i < self.n; i++)
		if (!self.sources[i].lines) {
			argv[n++] = "--db";
			argv[n++] = (char *)self.sources[i].path;
			dbs++;
		}
	if (dbs > 1)
		opt_fail(&use, "%s takes one database", self.name);
	argv[n++] = "--";
	for (size_t i = 0; i < self.n; i++)
		if (self.sources[i].lines)
			argv[n++] = (char *)self.sources[i].path;
	source_exec("websink", argv);
	die("websink is neither beside it nor in PATH: it makes the page");
}

/* --- the command line ----------------------------------------------------------------------- */

/* Files, the name of a report, files, words. A report goes before a file of its name. */
static void
take_operands(int argc, char **argv)
{
	int i = 0;

	for (; i < argc && !is_report(argv[i]) && source_is_file(argv[i]); i++)
		add_source(argv[i]);
	self.name = i < argc ? argv[i++] : "summary";
	if (!is_report(self.name) && (strpbrk(self.name, "/.") != NULL)) {
		char why[SOURCE_WHY];
		struct source s;

		if (source_look(&s, self.name, why))
			die(why);
	}
	if (!is_report(self.name))
		no_report(self.name);
	self.words = calloc(1, 1);
	for (; i < argc && self.words; i++) {
		char *more = NULL;

		if (strcmp(self.name, "search") && source_is_file(argv[i])) {
			add_source(argv[i]);
			continue;
		}
		if (asprintf(&more, "%s%s%s", self.words, *self.words ? " " : "", argv[i]) < 0)
			more = NULL;
		free(self.words);
		self.words = more;
	}
	if (!self.words)
		die("out of memory");
}

static void
redirect(void)
{
	int fd;

	umask(077);
	if (!self.output || !strcmp(self.output, "-"))
		return;
	fd = open(self.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) {
		say("write %s: %s", self.output, strerror(errno));
		exit(1);
	}
	close(fd);
}

static void
show_help(void)
{
	static char *argv[] = { "agentsight report", "--help", NULL };

	if (self.name && !is_special(self.name))
		describe(self.name);
	else {
		optind = 0;
		opt_parse(&general, 2, argv);
	}
	exit(fflush(stdout) ? 1 : 0);
}

/* --server-port was the name of --port once. */
static void
rename_port(char **argv)
{
	static char port[] = "--port";

	for (; *argv && strcmp(*argv, "--"); argv++)
		if (!strcmp(*argv, "--server-port"))
			*argv = port;
		else if (!strncmp(*argv, "--server-port=", 14)) {
			memmove(*argv + 2, *argv + 9, strlen(*argv + 9) + 1);
		}
}

static void
parse(int argc, char **argv)
{
	int at;

	rename_port(argv);
	at = opt_parse(&use, argc, argv);
	if (self.help && at == argc)
		show_help();
	if (self.list) {
		list_reports();
		exit(fflush(stdout) ? 1 : 0);
	}
	take_operands(argc - at, argv + at);
	if (self.help)
		show_help();
	if (self.json + self.csv + self.md > 1)
		opt_fail(&use, "one of --json, --csv, --md");
	self.form = self.json ? ROWS_JSON : self.csv ? ROWS_CSV : self.md ? ROWS_MD : ROWS_TABLE;
	if (!strcmp(self.name, "html") && !self.output)
		opt_fail(&use, "html takes -o FILE");
	find_sources();
}

int
main(int argc, char **argv)
{
	int status;

	signal(SIGPIPE, SIG_IGN);	/* a reader that left is no failure */
	cell_init();
	parse(argc, argv);
	if (!strcmp(self.name, "html") || !strcmp(self.name, "serve"))
		run_websink();
	redirect();
	status = strcmp(self.name, "export") ? run_report() : run_export();
	source_clean();
	return status;
}
