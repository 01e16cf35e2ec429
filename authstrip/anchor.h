/*
 * anchor.h - where in a text any of many short words stands
 *
 * The words are what credentials begin with ("ghp_", in this very case) or are
 * named by ("token", in any case). Most of the former have a mark early, which is
 * rare enough in texts to look at what is before each: the others are found by
 * their first four bytes. Both with 32 positions at a time with AVX2, 16 with
 * NEON, one by one without, and only where a word may be is looked closer. Two
 * words may begin alike.
 */
#ifndef ANCHOR_H
#define ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ANCHOR_MAX = 2048, ANCHOR_TEXT = 32,
	ANCHOR_MARK = 9,	/* a mark in a word's first bytes is looked for */
};

struct anchor {
	uint64_t first, mask, fold;	/* up to eight bytes of text at once */
	char text[ANCHOR_TEXT];
	unsigned len;
	unsigned mark;		/* where its first mark is, behind the first byte; 0: it has none early */
	bool any;		/* in any case: text has every byte | 0x20, which makes letters lower case */
	int kind, arg;		/* the caller's */
	int next;		/* in the list of those with the same first bytes, or -1 */
};

struct anchors {
	unsigned n;
	struct anchor a[ANCHOR_MAX];
	/* by a hash of the first three bytes, in this case or in any, or two; -1: none */
	short exact[4096], any[4096], two[4096];
	uint64_t may[1024];	/* a bit for the hash of the first bytes of each word */
	uint64_t marked[1024];	/* a bit for the hash of the bytes up to its mark */
	/* Buckets (bits) that have this half of a byte at place 0..3: a set of those of
	 * words without a mark in this very case, two of those in any. */
	uint8_t lo[3][4][16], hi[3][4][16];
	uint8_t mark_lo[16], mark_hi[16];	/* the marks, in the same way */
};

void anchor_init(struct anchors *);
/* A word of three bytes or more, of two when any case is not meant. -1: too many,
 * or too short or too long to be one. */
int anchor_add(struct anchors *, const char *word, bool any, int kind, int arg);
/* After the last anchor_add. */
void anchor_ready(struct anchors *);

/* How far a search has got; begin a text with it zeroed. */
struct anchor_look { size_t plain, marked; int esc; bool slow; };

/* The first position >= from in s[0..n) where a word stands or an escape that
 * hides ASCII ("\/" or "\u00") begins; n when there is none. *esc says which.
 * from must not go back from one call to the next. look->slow: as on a machine
 * without vectors. */
size_t anchor_find(const struct anchors *, struct anchor_look *, const char *s, size_t n, size_t from, int *esc);

/* The words at s, one after another: start with i = -1; -1 ends. */
int anchor_at(const struct anchors *, const char *s, size_t n, int i);

#endif
