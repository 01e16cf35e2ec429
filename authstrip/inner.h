/*
 * inner.h - the bytes that a base64 string within a text stands for
 *
 * Keeps the way back: a change of the bytes is one of the whole groups of four
 * letters that hold them.
 */
#ifndef INNER_H
#define INNER_H

#include "pending.h"
#include "plain.h"

#include <stdbool.h>
#include <stddef.h>

struct inner {
	unsigned refs;		/* the users'; the last frees it */
	char *p;
	size_t n;
	size_t lead;		/* bytes of the group that began in the piece before */
	size_t from, end;	/* in the text around it: its groups, those of lead apart */
	bool last;		/* the string ends here */
	size_t base;		/* where that text stands in its line; the caller's */
	struct plain *plain;	/* that text was made of another; NULL: it was not */
};

/* What was left of a string's last group when its piece ended. */
struct inner_rest { char letter[4]; unsigned n; };

/* Decodes s[from..end), as far as it is base64; rest is of the piece before and
 * for the next. The plain is borrowed until inner_unref, and counted. NULL: out
 * of memory. */
struct inner *inner_new(const char *s, size_t from, size_t end, bool last, struct inner_rest *rest,
    struct plain *plain);
void inner_unref(struct inner *);

/* Makes an edit of bytes [a, b) one of the text around; false: it has no place there. */
bool inner_edit(const struct inner *, size_t a, size_t b, struct edit *);

#endif
