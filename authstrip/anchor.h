/*
 * anchor.h - where in a text any of many short words stands
 *
 * The words are what credentials begin with ("ghp_", in this very case) or are
 * named by ("token", in any case). All are found in one pass of libhs (Vectorscan,
 * or Hyperscan, whose interface it keeps). Two words may begin alike, or be alike.
 */
#ifndef ANCHOR_H
#define ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANCHOR_MAX = 4096, ANCHOR_TEXT = 32 };

struct anchor {
	char text[ANCHOR_TEXT];
	unsigned len;
	bool any;		/* in any case */
	int kind, arg;		/* the caller's */
};

/* The words found in one text, by place. */
struct anchor_hits {
	uint64_t *v;		/* see anchor_hit_at, anchor_hit_word */
	size_t n, cap;
	bool nomem;
};

struct anchors {
	unsigned n;
	struct anchor a[ANCHOR_MAX];
	short order[ANCHOR_MAX];	/* by rank: of words at one place the lower is first */
	short rank[ANCHOR_MAX];
	struct hs_database *db;
	struct hs_scratch *scratch;
	struct anchor_hits hits;	/* of the text at hand; there is one at a time */
};

void anchor_init(struct anchors *);
void anchor_free(struct anchors *);

/* A word of two bytes or more, at most ANCHOR_TEXT. -1: too many, or too short or
 * too long to be one. */
int anchor_add(struct anchors *, const char *word, bool any, int kind, int arg);

/* After the last anchor_add. NULL, or what went wrong. */
const char *anchor_ready(struct anchors *);

/* Finds every word in s[0..n), from `from` on; at one place those of this very case
 * come first, and of each the last added. They are the anchors' until the next call.
 * nomem: some are missing. */
const struct anchor_hits *anchor_find(struct anchors *, const char *s, size_t n, size_t from);

static inline size_t
anchor_hit_at(const struct anchor_hits *h, size_t i)
{
	return h->v[i] >> 16;
}

static inline const struct anchor *
anchor_hit_word(const struct anchors *t, size_t i)
{
	return &t->a[t->order[t->hits.v[i] & 0xffff]];
}

#endif
