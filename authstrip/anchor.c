/* anchor.c - see anchor.h. The first filter is the nibble masks of Hyperscan's
 * Teddy: a byte's two halves each name the buckets it may belong to. */
#include "anchor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_AVX2 1
#endif

enum { BUCKETS = 16 };

static inline unsigned
fold(char c)
{
	return (unsigned char)c | 0x20;
}

/* Of three folded bytes, the lowest of v. */
static inline unsigned
hash(uint32_t v)
{
	return (v & 0xffffff) * 2654435761u >> 20;
}

static inline uint32_t
load3(const char *s)
{
	return fold(s[0]) | fold(s[1]) << 8 | fold(s[2]) << 16;
}

void
anchor_init(struct anchors *t)
{
	memset(t, 0, sizeof(*t));
	memset(t->head, -1, sizeof(t->head));
}

int
anchor_add(struct anchors *t, const char *word, int kind, int arg)
{
	size_t n = strlen(word);
	struct anchor *a = &t->a[t->n];
	short *head;

	if (t->n == ANCHOR_MAX || n < 3 || n > sizeof(a->text))
		return -1;
	for (size_t i = 0; i < n; i++)
		a->text[i] = fold(word[i]);
	memcpy(&a->first, a->text, 8);
	memset(&a->mask, 0xff, n < 8 ? n : 8);
	a->first &= a->mask;
	a->len = n;
	a->kind = kind;
	a->arg = arg;
	head = &t->head[hash(load3(word))];
	a->next = *head;
	*head = t->n++;
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	const struct anchor *x = *(const struct anchor *const *)a, *y = *(const struct anchor *const *)b;

	return memcmp(x->text, y->text, 4);
}

/* Words that begin alike share a bucket, so that the cross products of their
 * halves of bytes stay small. */
void
anchor_ready(struct anchors *t)
{
	const struct anchor *sorted[ANCHOR_MAX];

	for (unsigned i = 0; i < t->n; i++)
		sorted[i] = &t->a[i];
	qsort(sorted, t->n, sizeof(*sorted), by_text);
	for (unsigned i = 0; i < t->n; i++) {
		unsigned b = i * BUCKETS / t->n;

		for (int k = 0; k < 4; k++)
			for (unsigned c = 0; c < 256; c++) {
				unsigned f = c | 0x20;

				if (k == 3 && sorted[i]->len == 3 ? 0 : f != (unsigned char)sorted[i]->text[k])
					continue;
				t->by[k][c] |= 1u << b;
				t->lo[b / 8][k][f & 15] |= 1u << b % 8;
				t->hi[b / 8][k][f >> 4] |= 1u << b % 8;
			}
	}
}

/* --- search ----------------------------------------------------------------------- */

static inline int
word_at(const char *s, size_t n, const struct anchor *a)
{
	unsigned i = 0;

	if (n < a->len)
		return 0;
	if (n >= 8) {
		uint64_t v;

		memcpy(&v, s, 8);
		if (((v | 0x2020202020202020u) & a->mask) != a->first)
			return 0;
		i = 8;
	}
	for (; i < a->len; i++)
		if (fold(s[i]) != (unsigned char)a->text[i])
			return 0;
	return 1;
}

int
anchor_at(const struct anchors *t, const char *s, size_t n, int i)
{
	if (n < 3)
		return -1;
	for (i = i < 0 ? t->head[hash(load3(s))] : t->a[i].next; i >= 0; i = t->a[i].next)
		if (word_at(s, n, &t->a[i]))
			return i;
	return -1;
}

/* "\/", or "\u00" and what may be printable */
static inline int
escape_at(const char *s, size_t n)
{
	if (n < 2 || s[0] != '\\')
		return 0;
	return s[1] == '/' || (n >= 6 && s[1] == 'u' && s[2] == '0' && s[3] == '0' && s[4] >= '2' && s[4] <= '7');
}

static inline int
hit(const struct anchors *t, const char *s, size_t n, int *esc)
{
	return (*esc = escape_at(s, n)) || anchor_at(t, s, n, -1) >= 0;
}

#ifdef HAVE_AVX2
struct masks { __m256i lo[2][4], hi[2][4]; };

/* Which of the 32 positions at s may be hits. */
__attribute__((target("avx2"))) static inline unsigned
may_be(const struct masks *m, const char *s)
{
	const __m256i bit = _mm256_set1_epi8(0x20), half = _mm256_set1_epi8(15), back = _mm256_set1_epi8('\\');
	__m256i a = _mm256_set1_epi8(-1), b = a, raw0, raw1, esc;

#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) {
		__m256i v = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(s + k)), bit);
		__m256i l = _mm256_and_si256(v, half), h = _mm256_and_si256(_mm256_srli_epi16(v, 4), half);

		a = _mm256_and_si256(a, _mm256_and_si256(_mm256_shuffle_epi8(m->lo[0][k], l), _mm256_shuffle_epi8(m->hi[0][k], h)));
		b = _mm256_and_si256(b, _mm256_and_si256(_mm256_shuffle_epi8(m->lo[1][k], l), _mm256_shuffle_epi8(m->hi[1][k], h)));
	}
	raw0 = _mm256_loadu_si256((const __m256i *)s);
	raw1 = _mm256_loadu_si256((const __m256i *)(s + 1));
	esc = _mm256_and_si256(_mm256_cmpeq_epi8(raw0, back), _mm256_or_si256(_mm256_cmpeq_epi8(raw1, _mm256_set1_epi8('/')),
	    _mm256_cmpeq_epi8(raw1, _mm256_set1_epi8('u'))));
	return ~_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_or_si256(a, b), _mm256_setzero_si256())) | _mm256_movemask_epi8(esc);
}

/* As anchor_find as far as whole blocks go; *from is where the rest begins. */
__attribute__((target("avx2"))) static size_t
find_blocks(const struct anchors *t, const char *s, size_t n, size_t *from, int *esc)
{
	struct masks m;
	size_t i = *from;

	for (int g = 0; g < 2; g++)
		for (int k = 0; k < 4; k++) {
			m.lo[g][k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->lo[g][k]));
			m.hi[g][k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->hi[g][k]));
		}
	for (; i + 35 <= n; i += 32)
		for (unsigned bits = may_be(&m, s + i); bits; bits &= bits - 1) {
			size_t at = i + __builtin_ctz(bits);

			/* most are none: seen without a call */
			if ((t->head[hash(load3(s + at))] >= 0 || s[at] == '\\') && hit(t, s + at, n - at, esc))
				return at;
		}
	*from = i;
	return n;
}
#endif

size_t
anchor_find(const struct anchors *t, const char *s, size_t n, size_t from, int *esc)
{
	const unsigned char *u = (const unsigned char *)s;

#ifdef HAVE_AVX2
	if (__builtin_cpu_supports("avx2")) {
		size_t at = find_blocks(t, s, n, &from, esc);

		if (at < n)
			return at;
	}
#endif
	for (size_t i = from; i + 2 <= n; i++) {
		int may = i + 3 <= n && t->by[0][u[i]] & t->by[1][u[i + 1]] & t->by[2][u[i + 2]] &
		    (i + 4 <= n ? t->by[3][u[i + 3]] : 1);

		if ((may || u[i] == '\\') && hit(t, s + i, n - i, esc))
			return i;
	}
	*esc = 0;
	return n;
}
