/*
 * plain.h - a text without the escapes that hide ASCII, and the way back
 *
 * "\/" and "\u0041" become the bytes that they stand for, at any level of
 * quoting, so that a credential cannot hide in them; everything else stays.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include <stddef.h>

struct plain {
	unsigned refs;		/* the users'; the last frees it */
	char *s;
	size_t n;
	struct plain_step { size_t at, from; } *step;	/* s[at..] stood at from.. */
	size_t nstep, cap;
};

/* -1: out of memory. Reuses p's memory; start with it zeroed. */
int plain_make(struct plain *p, const char *s, size_t n);
void plain_free(struct plain *p);

/* Where the byte at position i of p->s begins in the text that it was made of. */
size_t plain_from(const struct plain *p, size_t i);

#endif
