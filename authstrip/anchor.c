/* anchor.c - see anchor.h. The first filter is the nibble masks of Hyperscan's
 * Teddy: a byte's two halves each name the buckets it may belong to. */
#include "anchor.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_SSSE3 1
#endif

static unsigned
fold(char c)
{
	return (unsigned char)c | 0x20;
}

static unsigned
hash(const char *s)
{
	return (fold(s[0]) * 31 * 31 + fold(s[1]) * 31 + fold(s[2])) & 4095;
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
	a->len = n;
	a->kind = kind;
	a->arg = arg;
	head = &t->head[hash(word)];
	a->next = *head;
	*head = t->n++;
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	const struct anchor *x = *(const struct anchor *const *)a, *y = *(const struct anchor *const *)b;

	return memcmp(x->text, y->text, 3);
}

/* Similar words share a bucket, so that the halves' cross products stay small. */
void
anchor_ready(struct anchors *t)
{
	const struct anchor *sorted[ANCHOR_MAX];

	for (unsigned i = 0; i < t->n; i++)
		sorted[i] = &t->a[i];
	qsort(sorted, t->n, sizeof(*sorted), by_text);
	for (unsigned i = 0; i < t->n; i++) {
		uint8_t bucket = 1u << (i * 8 / t->n);

		for (int k = 0; k < 3; k++) {
			unsigned c = (unsigned char)sorted[i]->text[k];

			t->by[k][c] |= bucket;
			t->by[k][c & ~0x20u] |= bucket;
			t->lo[k][c & 15] |= bucket;
			t->hi[k][c >> 4] |= bucket;
		}
	}
}

static int
word_at(const struct anchors *t, const char *s, size_t n, const struct anchor *a)
{
	(void)t;
	if (n < a->len)
		return 0;
	for (unsigned i = 0; i < a->len; i++)
		if (fold(s[i]) != (unsigned char)a->text[i])
			return 0;
	return 1;
}

int
anchor_at(const struct anchors *t, const char *s, size_t n, int i)
{
	if (n < 3)
		return -1;
	for (i = i < 0 ? t->head[hash(s)] : t->a[i].next; i >= 0; i = t->a[i].next)
		if (word_at(t, s, n, &t->a[i]))
			return i;
	return -1;
}

/* "\/", or "\u00" and what may be printable */
static int
escape_at(const char *s, size_t n)
{
	if (n < 2 || s[0] != '\\')
		return 0;
	return s[1] == '/' || (n >= 6 && s[1] == 'u' && s[2] == '0' && s[3] == '0' && s[4] >= '2' && s[4] <= '7');
}

static int
hit(const struct anchors *t, const char *s, size_t n, int *esc)
{
	return (*esc = escape_at(s, n)) || anchor_at(t, s, n, -1) >= 0;
}

#ifdef HAVE_SSSE3
/* Which of the 16 positions at s may be hits. */
__attribute__((target("ssse3"))) static inline unsigned
may_be(const __m128i *lo, const __m128i *hi, const char *s)
{
	const __m128i bit = _mm_set1_epi8(0x20), half = _mm_set1_epi8(15);
	__m128i all = _mm_set1_epi8(-1), raw0, raw1, esc;

	for (int k = 0; k < 3; k++) {
		__m128i v = _mm_or_si128(_mm_loadu_si128((const __m128i *)(s + k)), bit);

		all = _mm_and_si128(all, _mm_and_si128(
		    _mm_shuffle_epi8(lo[k], _mm_and_si128(v, half)),
		    _mm_shuffle_epi8(hi[k], _mm_and_si128(_mm_srli_epi16(v, 4), half))));
	}
	raw0 = _mm_loadu_si128((const __m128i *)s);
	raw1 = _mm_loadu_si128((const __m128i *)(s + 1));
	esc = _mm_and_si128(_mm_cmpeq_epi8(raw0, _mm_set1_epi8('\\')),
	    _mm_or_si128(_mm_cmpeq_epi8(raw1, _mm_set1_epi8('/')), _mm_cmpeq_epi8(raw1, _mm_set1_epi8('u'))));
	return (~_mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_setzero_si128())) & 0xffff) | _mm_movemask_epi8(esc);
}

/* As anchor_find as far as whole blocks go; *from is where the rest begins. */
__attribute__((target("ssse3"))) static size_t
find_blocks(const struct anchors *t, const char *s, size_t n, size_t *from, int *esc)
{
	__m128i lo[3], hi[3];
	size_t i = *from;

	for (int k = 0; k < 3; k++) {
		lo[k] = _mm_loadu_si128((const __m128i *)t->lo[k]);
		hi[k] = _mm_loadu_si128((const __m128i *)t->hi[k]);
	}
	for (; i + 18 <= n; i += 16)
		for (unsigned m = may_be(lo, hi, s + i); m; m &= m - 1) {
			size_t at = i + __builtin_ctz(m);

			if (hit(t, s + at, n - at, esc))
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

#ifdef HAVE_SSSE3
	if (__builtin_cpu_supports("ssse3")) {
		size_t at = find_blocks(t, s, n, &from, esc);

		if (at < n)
			return at;
	}
#endif
	for (size_t i = from; i + 2 <= n; i++) {
		int may = i + 3 <= n && t->by[0][u[i]] & t->by[1][u[i + 1]] & t->by[2][u[i + 2]];

		if ((may || u[i] == '\\') && hit(t, s + i, n - i, esc))
			return i;
	}
	*esc = 0;
	return n;
}
