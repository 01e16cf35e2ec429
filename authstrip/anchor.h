/*
 * anchor.h - where in a text any of many short words stands, without regard to case
 *
 * The words are what credentials begin with ("ghp_", "://") or are named by
 * ("token"). One pass over the text tells by the first four bytes where a word
 * may be, 32 positions at a time where the machine can, and only there looks
 * closer. Words have at least three bytes; two words may begin alike.
 */
#ifndef ANCHOR_H
#define ANCHOR_H

#include <stddef.h>
#include <stdint.h>

enum { ANCHOR_MAX = 512 };

struct anchor {
	uint64_t first, mask;	/* up to eight bytes of text at once */
	char text[32];		/* folded: every byte | 0x20, which makes letters lower case */
	unsigned len;
	int kind, arg;		/* the caller's */
	int next;		/* in the list of those with the same first three bytes, or -1 */
};

struct anchors {
	unsigned n;
	struct anchor a[ANCHOR_MAX];
	short head[4096];	/* by a hash of three bytes; -1: none */
	uint16_t by[4][256];	/* buckets (bits) that have this byte at place 0..3 */
	uint8_t lo[2][4][16], hi[2][4][16];	/* the same by half bytes, eight buckets each */
};

void anchor_init(struct anchors *);
/* -1: too many, or too short or too long to be one. */
int anchor_add(struct anchors *, const char *word, int kind, int arg);
/* After the last anchor_add. */
void anchor_ready(struct anchors *);

/* The first position >= from in s[0..n) where a word stands or an escape that
 * hides ASCII ("\/" or "\u00") begins; n when there is none. *esc says which. */
size_t anchor_find(const struct anchors *, const char *s, size_t n, size_t from, int *esc);

/* The words at s, one after another: start with i = -1; -1 ends. */
int anchor_at(const struct anchors *, const char *s, size_t n, int i);

#endif
