/*
 * pattern.h - what a token looks like: a literal start, and classes of bytes
 *
 *	ghp_[A-Za-z0-9]{36,}	AKIA[A-Z0-9]{16}!	[A-Za-z0-9]{14}<\.atlasv1\.[\w-]{60,}
 *
 * Literals, [classes] with ranges, \w (A-Z a-z 0-9 _) and \d, also inside a
 * class, \ before any other byte for itself, a repeat {n} {n,} {n,m} + * ? behind
 * a class. "!" at the end: no byte of the last class may follow. Each class takes
 * as much as it can and never gives back, so matching is linear. What stands
 * before the literal is followed by "<", and is matched from there backwards.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_PARTS = 20, PATTERN_BEFORE = 6, PATTERN_START = 31, PATTERN_REPEAT = 1 << 20 };

struct pattern_part {
	uint8_t set[32];	/* a bit per byte */
	unsigned min, max;
};

struct pattern {
	unsigned n, nbefore;
	bool exact;		/* "!" */
	struct pattern_part part[PATTERN_PARTS];	/* behind the literal start */
	struct pattern_part before[PATTERN_BEFORE];	/* the last of them next to it */
};

/* The parts before (NULL: none) and behind a literal start. NULL, or what is wrong. */
const char *pattern_parse(struct pattern *, const char *before, const char *behind);
/* A whole pattern; its literal start goes to start, which has room for PATTERN_START
 * bytes and a NUL. */
const char *pattern_parse_whole(struct pattern *, const char *text, char *start);

/* The length of what matches at s; *fits says whether all does. *more is set when the
 * end of s was reached, so that more bytes could change the answer. */
size_t pattern_match(const struct pattern *, const char *s, size_t n, bool *fits, bool *more);
/* How many bytes before s[pos], and not before s[low], belong to it; SIZE_MAX: they
 * do not fit. */
size_t pattern_before(const struct pattern *, const char *s, size_t low, size_t pos);

#endif
