/* opt.c - options from a table; see opt.h */
#include "opt.h"

#include "nearest.h"
#include "show.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTS_MAX = 96, LONG_BASE = 256 };

static const struct opt builtin[] = {
	{ .kind = OPT_FLAG, .letter = 'h', .name = "help", .help = "show this help" },
	{ .kind = OPT_FLAG, .letter = 'V', .name = "version", .help = "show the version" },
	{ .kind = OPT_END },
};

void
opt_fail(const struct opt_use *u, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", u->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (see %s --help)\n", u->name);
	exit(2);
}

const char *
opt_number(const char *s, long long lo, long long hi, long long *to)
{
	static char why[96];
	char *end;

	errno = 0;
	*to = strtoll(s, &end, 10);
	if (end == s || *end)
		return "is not a number";
	if (errno || *to < lo || *to > hi) {
		snprintf(why, sizeof(why), "is out of range %lld..%lld", lo, hi);
		return why;
	}
	return NULL;
}

const char *
opt_numbers(const char *s, uint32_t lo, uint32_t hi, uint32_t *to, uint32_t max, uint32_t *n)
{
	char *copy = strdup(s), *save = NULL;
	const char *wrong = copy ? NULL : "out of memory";
	static char full[40];
	long long v;

	for (char *p = copy ? strtok_r(copy, ",", &save) : NULL; p && !wrong;
	    p = strtok_r(NULL, ",", &save)) {
		wrong = opt_number(p, lo, hi, &v);
		if (wrong)
			break;
		if (*n == max) {
			snprintf(full, sizeof(full), "too many of them (at most %u)", max);
			wrong = full;
			break;
		}
		to[(*n)++] = v;
	}
	free(copy);
	return wrong || *n ? wrong : "is empty";
}

static const char *
parse_size(const char *s, const struct opt *o)
{
	static const char suffix[] = "kmgt";
	char *end;
	unsigned long long v;
	const char *k;
	int shift = 0;

	errno = 0;
	if (!isdigit((unsigned char)*s))
		return "is not a size";
	v = strtoull(s, &end, 10);
	if (*end && (k = strchr(suffix, tolower((unsigned char)*end)))) {
		shift = 10 * (int)(k - suffix + 1);
		end++;
	}
	if (*end)
		return "is not a size (a number with k, M or G)";
	if (errno || v > (UINT64_MAX >> shift))
		return "is too large";
	v <<= shift;
	if ((o->lo || o->hi) && (v < (unsigned long long)o->lo || v > (unsigned long long)o->hi))
		return "is out of range";
	*(uint64_t *)o->to = v;
	return NULL;
}

static const char *
parse_time(const char *s, const struct opt *o)
{
	static const struct { const char *unit; double ns; } unit[] = {
		{ "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "m", 60e9 },
		{ "h", 3600e9 },
	};
	char *end;
	double v;

	if (!isdigit((unsigned char)*s) && *s != '.')
		return "is not a time";
	v = strtod(s, &end);
	for (size_t i = 0; i < sizeof(unit) / sizeof(*unit); i++)
		if (!strcmp(end, unit[i].unit)) {
			if (v * unit[i].ns >= 9.2e18)
				return "is too long";
			*(uint64_t *)o->to = v * unit[i].ns;
			return NULL;
		}
	return "is not a time (250ms, 2s, 5m, 1h; plain numbers are seconds)";
}

static const char *
opt_set(const struct opt *o, const char *arg)
{
	const char *bad = NULL;
	struct opt_list *l;
	long long n;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)o->to = true;
		break;
	case OPT_NUM:
		bad = opt_number(arg, o->lo || o->hi ? o->lo : LLONG_MIN,
		    o->lo || o->hi ? o->hi : LLONG_MAX, &n);
		if (!bad)
			*(int64_t *)o->to = n;
		break;
	case OPT_SIZE:
		bad = parse_size(arg, o);
		break;
	case OPT_TIME:
		bad = parse_time(arg, o);
		break;
	case OPT_STR:
		*(const char **)o->to = arg;
		break;
	case OPT_LIST:
		l = o->to;
		l->v = realloc(l->v, (l->n + 1) * sizeof(*l->v));
		if (!l->v)
			return "out of memory";
		l->v[l->n++] = arg;
		break;
	case OPT_CALL:
		bad = o->call(arg);
		break;
	case OPT_HEAD:
	case OPT_END:
		break;
	}
	return bad;
}

/* The letter of option i, unless an earlier one has it: a tool's own go first. */
static int
letter(const struct opt *const *all, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (all[k]->letter == all[i]->letter)
			return 0;
	return all[i]->letter;
}

static void
help(const struct opt_use *u, const struct opt *const *all)
{
	printf("usage: %s %s\n%s\n\n", u->name, u->synopsis, u->about);
	for (size_t i = 0; all[i]; i++) {
		const struct opt *o = all[i];
		int c = letter(all, i);
		char left[64];

		if (o->kind == OPT_HEAD) {
			printf("%s\n", o->help);
			continue;
		}
		snprintf(left, sizeof(left), "%c%c%s--%s%s%s", c ? '-' : ' ', c ? c : ' ',
		    c ? ", " : "  ",
		    o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		printf("  %-28s %s\n", left, o->help);
	}
}

/* "unknown option --duratoin: did you mean --duration?" */
static _Noreturn void
unknown_option(const struct opt_use *u, const char *given, const struct option *longs)
{
	const char *names[OPTS_MAX], *near;
	char name[64];
	size_t n = 0;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="), given);
	for (; longs[n].name; n++)
		names[n] = longs[n].name;
	near = strncmp(name, "--", 2) ? NULL : nearest_name(name + 2, names, n);
	if (near)
		opt_fail(u, "unknown option %s; did you mean --%s?", name, near);
	opt_fail(u, "unknown option %s", given);
}

int
opt_parse(const struct opt_use *u, int argc, char **argv)
{
	const struct opt *all[OPTS_MAX + 1];
	struct option longs[OPTS_MAX + 1];
	char shorts[2 * OPTS_MAX + 2] = ":";
	size_t n = 0, ns = 1;
	int c, index;

	show_messages();
	for (size_t t = 0; t <= sizeof(u->tables) / sizeof(*u->tables); t++) {
		const struct opt *o = t < sizeof(u->tables) / sizeof(*u->tables) ? u->tables[t] :
		    builtin;

		for (; o && o->kind != OPT_END && n < OPTS_MAX; o++)
			all[n++] = o;
	}
	all[n] = NULL;
	memset(longs, 0, sizeof(longs));
	for (size_t i = 0, k = 0; i < n; i++) {
		if (all[i]->kind == OPT_HEAD)
			continue;
		longs[k++] = (struct option){ all[i]->name,
		    all[i]->kind == OPT_FLAG ? no_argument : required_argument, NULL,
		    LONG_BASE + (int)i };
		if (letter(all, i)) {
			shorts[ns++] = all[i]->letter;
			if (all[i]->kind != OPT_FLAG)
				shorts[ns++] = ':';
		}
	}
	shorts[ns] = '\0';
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, &index)) != -1) {
		const struct opt *o = NULL;
		const char *bad;

		if (c >= LONG_BASE)
			o = all[c - LONG_BASE];
		for (size_t i = 0; i < n && !o; i++)
			if (all[i]->letter && all[i]->letter == c)
				o = all[i];
		if (c == ':')
			opt_fail(u, "option %s needs an argument", argv[optind - 1]);
		if (!o && optopt && optopt < LONG_BASE)
			opt_fail(u, "unknown option -%c", optopt);
		if (!o)
			unknown_option(u, argv[optind - 1], longs);
		if (o == &builtin[0]) {
			help(u, all);
			exit(fflush(stdout) ? 1 : 0);
		}
		if (o == &builtin[1]) {
			printf("%s (agentsight) %s\n", u->name, VERSION);
			exit(fflush(stdout) ? 1 : 0);
		}
		if ((bad = opt_set(o, optarg)))
			opt_fail(u, "--%s %s: %s", o->name, optarg, bad);
	}
	return optind;
}
