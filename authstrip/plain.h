/*
 * plain.h - a text without the escapes that hide ASCII, and the way back
 *
 * "\/" and "\u0041" become the bytes that they stand for, at any level of
 * quoting, so that a credential cannot hide in them; everything else stays.
 * Bytes that are no JSON string get JSON's escapes, so that the pieces of one
 * connection are one text, whether they came as text or as base64.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain {
	unsigned refs;		/* the users'; the last frees it */
	char *s;
	size_t n;
	bool bytes;		/* made of bytes: one level of escapes was added */
	struct plain_step { uint32_t at, from; } *step;	/* s[at..] stood at from.. */
	size_t nstep, cap;
};

/* -1: out of memory, or it is longer than 700 MB. Reuses p's memory; start with it zeroed. */
int plain_make(struct plain *p, const char *s, size_t n, bool bytes);
void plain_free(struct plain *p);
void plain_unref(struct plain *);	/* one that calloc made; NULL: nothing */

/* Where the byte at position i of p->s begins in the text that it was made of. */
size_t plain_from(const struct plain *p, size_t i);

#endif
