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

enum { ANCHOR_MAX = 4096, ANCHOR_TEXT = 32, ANCHOR_BITS = 1 << 16 };

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
	/* a bit for each pair of bytes that begins a word, and for each three in a row,
	 * hashed; in lower case */
	uint8_t begin[ANCHOR_BITS / 8], within[ANCHOR_BITS / 8];
	struct hs_database *db;
	struct hs_scratch *scratch;
};

void anchor_init(struct anchors *);
void anchor_free(struct anchors *);

/* A word of two bytes or more, at most ANCHOR_TEXT. -1: too many, or too short or
 * too long to be one. */
int anchor_add(struct anchors *, const char *word, bool any, int kind, int arg);

/* After the last anchor_add. NULL, or what went wrong. */
const char *anchor_ready(struct anchors *);

/* Finds every word in s[0..n), from `from` on; at one place those of this very case
 * come first, and of each the last added. hits holds them from then on (zeroed before its
 * first use, anchor_hits_free after the last). nomem: some are missing. */
void anchor_find(struct anchors *, struct anchor_hits *hits, const char *s, size_t n, size_t from);
void anchor_hits_free(struct anchor_hits *);
/* Whether a word may begin in s[0..n) and end in the text behind it; both hold a byte. */
bool anchor_may_cross(const struct anchors *, const char *s, size_t n, const char *behind);
/* Those of `of` that begin in [from, end) of its text, behind those of hits, as standing
 * `by` bytes further. */
void anchor_hits_add(struct anchor_hits *hits, const struct anchor_hits *of, size_t from,
    size_t end, size_t by);
/* The first one at pos or behind it; n: there is none. */
size_t anchor_hits_from(const struct anchor_hits *, size_t pos);

static inline size_t
anchor_hit_at(const struct anchor_hits *h, size_t i)
{
	return h->v[i] >> 16;
}

static inline const struct anchor *
anchor_hit_word(const struct anchors *t, const struct anchor_hits *h, size_t i)
{
	return &t->a[t->order[h->v[i] & 0xffff]];
}

#endif
