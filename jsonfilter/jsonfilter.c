/*
 * jsonfilter - select and merge event lines
 * reads   any events, from several inputs at once
 * writes  the lines of which an expression is true, byte for byte
 * keeps   nothing; with --sort the lines of a window, at most --sort-max bytes
 */
#include "expr.h"
#include "order.h"

#include "stage.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct jsonfilter {
	struct opt_list exprs, files, types;	/* -e, -f, -t */
	bool invert, count, only_lines;
	int64_t sort_ms;
	uint64_t sort_max;
	struct expr **expr;
	size_t n;
	const char *only;	/* what type a line must have, when all expressions say the same */
	struct order *order;
	uint64_t matched, dropped, early;
} self = { .sort_max = 64 << 20 };

static const struct opt options[] = {
	{ .kind = OPT_FLAG, .letter = 'v', .name = "invert-match", .to = &self.invert,
	    .help = "lines of which no expression is true" },
	{ .kind = OPT_FLAG, .letter = 'c', .name = "count", .to = &self.count,
	    .help = "only say how many lines match" },
	{ .kind = OPT_FLAG, .name = "only", .to = &self.only_lines,
	    .help = "leave out run.* and stage.*, which pass else, and write none" },
	{ .kind = OPT_LIST, .letter = 't', .name = "type", .arg = "TYPE", .to = &self.types,
	    .help = "ask only lines of this type, the others pass (repeatable)" },
	{ .kind = OPT_LIST, .letter = 'e', .name = "expr", .arg = "EXPR", .to = &self.exprs,
	    .help = "an expression; operands are then all files (repeatable)" },
	{ .kind = OPT_LIST, .letter = 'f', .name = "expr-file", .arg = "FILE", .to = &self.files,
	    .help = "expressions, one a line, # for comments (repeatable)" },
	{ .kind = OPT_NUM, .name = "sort", .arg = "MS", .to = &self.sort_ms,
	    .help = "order by time within a window of MS", .lo = 0, .hi = 3600000 },
	{ .kind = OPT_SIZE, .name = "sort-max", .arg = "SIZE", .to = &self.sort_max,
	    .help = "of lines held for that (64M)", .lo = 1, .hi = 1LL << 40 },
	{ .kind = OPT_END },
};

static const struct opt_use use = {
	.name = "jsonfilter", .synopsis = "[OPTION]... [EXPR]... [FILE]...",
	.about = "Prints the event lines of which any EXPR is true;"
	" merges its inputs line by line.",
	.tables = { options },
};

/* --- expressions ----------------------------------------------------------- */

/* The expression with a mark below the place where it is wrong. */
static void
show_place(const char *text, size_t n, size_t at)
{
	fprintf(stderr, "  %.*s\n", (int)n, text);
	fputs("  ", stderr);
	for (size_t i = 0; i < at; i++)
		if ((text[i] & 0xc0) != 0x80)	/* a character, not a byte */
			fputc(text[i] == '\t' ? '\t' : ' ', stderr);
	fputs("^\n", stderr);
}

/* where: of the file that it is from, or "". */
static void
add_expr(struct jsonfilter *f, const char *where, const char *text, size_t n)
{
	const char *why;
	size_t at;
	struct expr **list = realloc(f->expr, (f->n + 1) * sizeof(*list));

	if (!list)
		opt_fail(&use, "out of memory");
	f->expr = list;
	if (!(f->expr[f->n++] = expr_parse(text, n, &why, &at))) {
		fprintf(stderr, "jsonfilter: %s%s\n", where, why);
		show_place(text, n, at);
		exit(2);
	}
}

static void
add_file(struct jsonfilter *f, const char *path)
{
	FILE *in = fopen(path, "re");
	char *line = NULL, where[4200];
	size_t cap = 0;
	ssize_t n;

	if (!in)
		opt_fail(&use, "open %s: %s", path, strerror(errno));
	for (unsigned no = 1; (n = getline(&line, &cap, in)) >= 0; no++) {
		char *p = line;

		if (n && line[n - 1] == '\n')
			n--;
		while (n && isspace((unsigned char)*p))
			p++, n--;
		snprintf(where, sizeof(where), "%s line %u: ", path, no);
		if (n && *p != '#')
			add_expr(f, where, p, n);
	}
	if (ferror(in))
		opt_fail(&use, "read %s: %s", path, strerror(errno));
	free(line);
	fclose(in);
}

/* Operands up to the first that names a file are expressions. A word that looks
 * more like a file than a field is one, so that a file that is missing is an
 * error, and not a field that no line has. */
static bool
is_file(const char *s, bool first)
{
	static const char *const ends[] = { ".ndjson", ".jsonl", ".json", ".log" };
	struct stat st;
	size_t n = strlen(s);

	if (!strcmp(s, "-") || stat(s, &st) == 0)
		return true;
	if (strpbrk(s, "=<>~!|&() ") || !*s)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (n > strlen(ends[i]) && !strcmp(s + n - strlen(ends[i]), ends[i]))
			return true;
	return !first && *s != '/';
}

static int
start(void *arg, struct stage_io *io, int argc, char **argv)
{
	struct jsonfilter *f = arg;
	int i = 0;

	for (size_t k = 0; k < f->exprs.n; k++)
		add_expr(f, "", f->exprs.v[k], strlen(f->exprs.v[k]));
	for (size_t k = 0; k < f->files.n; k++)
		add_file(f, f->files.v[k]);
	if (!f->exprs.n && !f->files.n)
		for (; i < argc && !is_file(argv[i], i == 0); i++)
			add_expr(f, "", argv[i], strlen(argv[i]));
	if (f->invert && !f->n)
		opt_fail(&use, "--invert-match needs an expression");
	if (f->sort_ms && !(f->order = order_new(f->sort_ms * 1000000, f->sort_max)))
		opt_fail(&use, "out of memory");
	for (size_t k = 0; k < f->n; k++) {
		const char *t = expr_type(f->expr[k]);

		if (!t || (k && (!f->only || strcmp(t, f->only)))) {
			f->only = NULL;
			break;
		}
		f->only = t;
	}
	io->silent = f->count || f->only_lines;
	return i;
}

/* --- lines ------------------------------------------------------------------ */

static bool
asked(const struct jsonfilter *f, const struct event *ev)
{
	for (size_t i = 0; i < f->types.n; i++)
		if (event_is(ev, f->types.v[i]))
			return true;
	return !f->types.n;
}

static bool
matches(const struct jsonfilter *f, struct event *ev)
{
	bool any = !f->n;

	if (f->only && !event_is(ev, f->only))
		return f->invert;
	for (size_t i = 0; i < f->n && !any; i++)
		any = expr_true(f->expr[i], ev);
	return any != f->invert;
}

static void
release(struct jsonfilter *f, struct stage_io *io, bool all)
{
	const char *s;
	size_t n;

	while ((s = order_next(f->order, all, &n, &f->early)))
		line_put(&io->out, s, n);
}

/* Whether the expressions ask for this type by its name. */
static bool
named(const struct jsonfilter *f, const struct event *ev)
{
	return (f->types.n && asked(f, ev)) || (f->only && event_is(ev, f->only));
}

/* What is no data of anybody passes, or is left out, but is no match: run.*, stage.*. */
static bool
wanted(struct jsonfilter *f, struct event *ev)
{
	bool ask, yes;

	if (books_event(ev) && !named(f, ev))
		return !f->only_lines && !f->count;
	ask = asked(f, ev);
	yes = !ask || matches(f, ev);
	f->matched += ask && yes;
	f->dropped += !yes;
	return yes && !f->count;
}

static enum verdict
on_event(void *arg, struct event *ev, struct stage_io *io)
{
	struct jsonfilter *f = arg;
	uint64_t t;

	if (!wanted(f, ev))
		return STAGE_DROP;
	if (!f->order)
		return STAGE_PASS;
	t = event_time(ev);
	if (order_add(f->order, t ? t : io->now, ev->line, ev->len)) {
		loss_add(&io->loss, "no_memory", 1, ev->len);
		return STAGE_PASS;
	}
	release(f, io, false);
	return STAGE_DROP;
}

static bool
on_bad(void *arg, struct stage_io *io)
{
	(void)io;
	return !((struct jsonfilter *)arg)->count;
}

static void
at_end(void *arg, struct stage_io *io)
{
	struct jsonfilter *f = arg;

	if (f->order)
		release(f, io, true);
	if (f->early)
		fprintf(stderr, "jsonfilter: %" PRIu64 " lines left before their time:"
		    " raise --sort-max\n", f->early);
	if (f->count) {
		char *to = line_room(&io->out, 24);

		if (to)
			io->out.len += sprintf(to, "%" PRIu64, f->matched);
		line_end(&io->out);
	}
	order_free(f->order);
	for (size_t i = 0; i < f->n; i++)
		expr_free(f->expr[i]);
	free(f->expr);
}

static void
metrics(void *arg, const struct stage_io *io)
{
	const struct jsonfilter *f = arg;

	fprintf(stderr, "[jsonfilter Metrics] Total: %" PRIu64 ", Filtered: %" PRIu64
	    ", Passed: %" PRIu64 "\n",
	    io->lines, f->dropped, io->lines - f->dropped);
}

static int
status(void *arg)
{
	const struct jsonfilter *f = arg;

	return f->matched || !f->n ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const struct stage stage = {
		.use = use, .start = start, .event = on_event, .bad = on_bad,
		.end = at_end, .summary = metrics, .status = status,
	};

	return stage_run(&stage, &self, argc, argv);
}
