/*
 * opt.h - command-line options, from one table: parsing, ranges, --help
 *
 * GNU conventions (getopt_long(3)); -h/--help to stdout with exit 0,
 * -V/--version; a wrong option is one line on stderr and exit 2.
 */
#ifndef OPT_H
#define OPT_H

#include <stddef.h>
#include <stdint.h>

enum opt_kind {
	OPT_END,	/* ends a table */
	OPT_FLAG,	/* to: bool */
	OPT_NUM,	/* to: int64_t, within lo..hi */
	OPT_SIZE,	/* to: uint64_t bytes, suffix k M G (powers of 1024), within lo..hi */
	OPT_TIME,	/* to: uint64_t nanoseconds from "250ms" "2s" "5m" "1h", plain is seconds */
	OPT_STR,	/* to: const char * */
	OPT_LIST,	/* to: struct opt_list, one more entry each time */
	OPT_CALL,	/* call(arg), 0 or a message that says what is wrong */
	OPT_HEAD,	/* a heading in --help */
};

struct opt_list { const char **v; size_t n; };

struct opt {
	enum opt_kind kind;
	int letter;		/* 0: long only */
	const char *name;
	const char *arg;	/* its name in --help, NULL for a flag */
	void *to;
	const char *help;
	long long lo, hi;	/* OPT_NUM, OPT_SIZE: both 0 means any */
	const char *(*call)(const char *arg);
};

struct opt_use {
	const char *name;	/* of the tool */
	const char *synopsis;	/* "[OPTION]... [FILE]..." */
	const char *about;	/* one line */
	const struct opt *tables[4];	/* shown in this order; unused ones NULL */
};

/* Parses; exits for --help, --version and errors. Returns the index of the
 * first operand. */
int opt_parse(const struct opt_use *, int argc, char **argv);

/* "sslsniff: MESSAGE", a hint to --help, exit 2. */
_Noreturn void opt_fail(const struct opt_use *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Number with range, for arguments that are not plain options. NULL or what
 * is wrong with it. */
const char *opt_number(const char *s, long long lo, long long hi, long long *to);
/* The same for "N,N,...": appends to to[0..*n), which has room for max. */
const char *opt_numbers(const char *s, uint32_t lo, uint32_t hi, uint32_t *to, uint32_t max,
    uint32_t *n);

#endif
