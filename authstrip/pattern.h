/*
 * pattern.h - what a token looks like: a literal start and classes of bytes
 *
 *	ghp_[A-Za-z0-9]{36,}	sk-[\w-]{20,}	AKIA[A-Z0-9]{16}!
 *
 * Literals, [classes] with ranges, \w (A-Z a-z 0-9 _) and \d, also inside a
 * class, \ before any other byte for itself, a repeat {n} {n,} {n,m} + * ? behind
 * a class. "!" at the end: no byte of the last class may follow. Each class takes
 * as much as it can and never gives back, so matching is linear.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_PARTS = 32, PATTERN_REPEAT = 1 << 20 };

struct pattern {
	unsigned n;
	bool exact;		/* "!" */
	struct pattern_part {
		uint8_t set[32];	/* a bit per byte */
		unsigned min, max;
	} part[PATTERN_PARTS];
	char start[32];		/* the literal that it begins with, at least 3 bytes */
};

/* NULL, or what is wrong with the text. */
const char *pattern_parse(struct pattern *, const char *text);

/* The length of the match at s; 0 when there is none. *more is set when the end
 * of s was reached, so that more bytes could change the answer. */
size_t pattern_match(const struct pattern *, const char *s, size_t n, bool *more);

#endif
