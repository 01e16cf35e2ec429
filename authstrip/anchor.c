/* anchor.c - see anchor.h. The first filter is the nibble masks of Hyperscan's
 * Teddy: a byte's two halves each name the buckets it may belong to. */
#include "anchor.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define VECTORS 1
#define VECTOR_CODE __attribute__((target("avx2")))
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define VECTORS 1
#define VECTOR_CODE
#endif

enum { BUCKETS = 8, EXACT = 0, ANY = 1, SETS = 3 };	/* two sets of buckets are of words in any case */

static const char marks[] = "_-.:$/+~|{^";

static inline unsigned
fold(char c)
{
	return (unsigned char)c | 0x20;
}

/* Of three bytes, the lowest of v. */
static inline unsigned
hash(uint32_t v)
{
	return (v & 0xffffff) * 2654435761u >> 20;
}

static inline uint32_t
load3(const char *s)
{
	return (unsigned char)s[0] | (unsigned char)s[1] << 8 | (unsigned char)s[2] << 16;
}

static inline uint32_t
load2(const char *s)
{
	return (unsigned char)s[0] | (unsigned char)s[1] << 8;
}

void
anchor_init(struct anchors *t)
{
	memset(t, 0, sizeof(*t));
	memset(t->exact, -1, sizeof(t->exact));
	memset(t->any, -1, sizeof(t->any));
	memset(t->two, -1, sizeof(t->two));
}

int
anchor_add(struct anchors *t, const char *word, bool any, int kind, int arg)
{
	size_t n = strlen(word);
	struct anchor *a = &t->a[t->n];
	short *head;

	if (t->n == ANCHOR_MAX || n < (any ? 3 : 2) || n > sizeof(a->text))
		return -1;
	for (size_t i = 0; i < n; i++)
		a->text[i] = any ? (char)fold(word[i]) : word[i];
	memcpy(&a->first, a->text, 8);
	memset(&a->mask, 0xff, n < 8 ? n : 8);
	a->fold = any ? 0x2020202020202020u : 0;
	a->first &= a->mask;
	a->len = n;
	for (size_t i = 1; i < n && i < ANCHOR_MARK && !any && isalnum((unsigned char)word[0]) && !a->mark; i++)
		a->mark = strchr(marks, word[i]) ? i : 0;
	a->any = any;
	a->kind = kind;
	a->arg = arg;
	head = any ? &t->any[hash(load3(a->text))] : n == 2 ? &t->two[hash(load2(a->text))] : &t->exact[hash(load3(a->text))];
	a->next = *head;
	*head = t->n++;
	return 0;
}

/* --- buckets ------------------------------------------------------------------------
 * A bucket says "maybe" for every mix of the halves of its words' bytes: words go
 * where that adds least, by how often bytes are in the texts that we read. */

struct bucket { uint16_t lo[4], hi[4]; double often; };

/* Of a thousand bytes; capital letters and control bytes are 1. */
static double
frequency(unsigned c)
{
	static const char *const common = " etaoinsrhldcumfpgwybvk";
	const char *p = c ? strchr(common, c) : NULL;

	if (p)
		return c == ' ' ? 130 : 85 - 3.4 * (p - common);
	if (c == '"' || c == '\\')
		return 40;
	if (strchr("xqjz:,.{}0123456789_-/", c) && c)
		return 9;
	return c < 0x80 ? 1.5 : 0.3;
}

/* How often a byte has halves of both masks. */
static double
share(const double (*sum)[16], unsigned lo, unsigned hi)
{
	double p = 0;

	for (unsigned h = 0; h < 16; h++)
		for (unsigned l = 0; hi >> h & 1 && l < 16; l++)
			if (lo >> l & 1)
				p += sum[h][l];
	return p;
}

static double
cost(const struct bucket *b, const double (*sum)[16])
{
	double p = 1;

	for (unsigned k = 0; k < 4; k++)
		p *= share(sum, b->lo[k], b->hi[k]);
	return p;
}

static struct bucket
of_word(const struct anchor *a, const double (*sum)[16])
{
	struct bucket b;

	for (unsigned k = 0; k < 4; k++) {
		unsigned char c = k < a->len ? a->text[k] : 0;

		b.lo[k] = k < a->len ? 1u << (c & 15) : 0xffff;
		b.hi[k] = k < a->len ? 1u << (c >> 4) : 0xffff;
	}
	b.often = cost(&b, sum);
	return b;
}

static struct bucket
of_both(const struct bucket *a, const struct bucket *b, const double (*sum)[16])
{
	struct bucket r = *a;

	for (unsigned k = 0; k < 4; k++) {
		r.lo[k] |= b->lo[k];
		r.hi[k] |= b->hi[k];
	}
	r.often = cost(&r, sum);
	return r;
}

static int
class_of(const struct anchor *a, unsigned i)
{
	unsigned char c = a->text[i];

	return i >= a->len ? 4 : islower(c) ? 0 : isupper(c) ? 1 : isdigit(c) ? 2 : 3;
}

/* Words that look alike come together: by where they have letters, digits, marks. */
static int
by_look(const void *a, const void *b)
{
	const struct anchor *x = *(const struct anchor *const *)a, *y = *(const struct anchor *const *)b;

	for (unsigned i = 4; i--; )
		if (class_of(x, i) != class_of(y, i))
			return class_of(x, i) - class_of(y, i);
	return memcmp(x->text, y->text, 4);
}

/* From a bucket for each word down to n, always joining the two neighbours that
 * lose least by it. */
static unsigned
join_buckets(struct bucket *b, unsigned m, unsigned n, const double (*sum)[16])
{
	static double loss[ANCHOR_MAX];
	struct bucket both;

	for (unsigned i = 0; i + 1 < m; i++) {
		both = of_both(&b[i], &b[i + 1], sum);
		loss[i] = both.often - b[i].often - b[i + 1].often;
	}
	for (; m > n; m--) {
		unsigned best = 0;

		for (unsigned i = 1; i + 1 < m; i++)
			if (loss[i] < loss[best])
				best = i;
		b[best] = of_both(&b[best], &b[best + 1], sum);
		memmove(&b[best + 1], &b[best + 2], (m - best - 2) * sizeof(*b));
		memmove(&loss[best], &loss[best + 1], (m - best - 1) * sizeof(*loss));
		for (unsigned i = best ? best - 1 : 0; i <= best && i + 2 < m; i++) {
			both = of_both(&b[i], &b[i + 1], sum);
			loss[i] = both.often - b[i].often - b[i + 1].often;
		}
	}
	return m;
}

static void
fill_buckets(struct anchors *t, bool any)
{
	static struct bucket b[ANCHOR_MAX];
	const struct anchor *sorted[ANCHOR_MAX];
	unsigned n = 0, m = 0;
	double sum[16][16] = { 0 }, all = 0;

	for (unsigned c = 0; c < 256; c++)
		all += frequency(c);
	for (unsigned c = 0; c < 256; c++) {
		unsigned f = any ? c | 0x20 : c;

		sum[f >> 4][f & 15] += frequency(c) / all;
	}
	for (unsigned i = 0; i < t->n; i++)
		if (t->a[i].any == any && !t->a[i].mark)
			sorted[n++] = &t->a[i];
	qsort(sorted, n, sizeof(*sorted), by_look);
	for (unsigned i = 0; i < n; i++)
		if (!i || by_look(&sorted[i - 1], &sorted[i]))
			b[m++] = of_word(sorted[i], (const double (*)[16])sum);
	n = join_buckets(b, m, any ? 2 * BUCKETS : BUCKETS, (const double (*)[16])sum);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < 4; k++)
			for (unsigned half = 0; half < 16; half++) {
				unsigned set = any ? ANY + i / BUCKETS : EXACT;

				t->lo[set][k][half] |= (b[i].lo[k] >> half & 1) << i % BUCKETS;
				t->hi[set][k][half] |= (b[i].hi[k] >> half & 1) << i % BUCKETS;
			}
}

/* The hash of the first two, three or four bytes, in this case or in any. */
static inline unsigned
may_hash(uint32_t v, unsigned n, bool any)
{
	static const uint32_t keep[5] = { 0, 0, 0xffff, 0xffffff, 0xffffffff };

	if (any)
		v |= 0x20202020;
	return ((v & keep[n]) * 2654435761u + n * 2246822519u + any * 3266489917u) >> 16;
}

static void
set_bit(uint64_t *bits, unsigned i)
{
	bits[i >> 6] |= 1ull << (i & 63);
}

static inline bool
has_bit(const uint64_t *bits, unsigned i)
{
	return bits[i >> 6] >> (i & 63) & 1;
}

/* A mark's halves: a bucket for those of each upper half. */
static void
fill_marks(struct anchors *t)
{
	for (const char *p = marks; *p; p++) {
		unsigned b = *p >> 4;	/* below eight */

		t->mark_hi[b] |= 1u << b;
		t->mark_lo[*p & 15] |= 1u << b;
	}
}

void
anchor_ready(struct anchors *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		const struct anchor *a = &t->a[i];
		unsigned n = a->len < 4 ? a->len : 4, m = a->mark < 4 ? a->mark + 1 : 4;
		uint32_t v = 0;

		if (a->mark) {
			memcpy(&v, a->text + a->mark + 1 - m, m);
			set_bit(t->marked, may_hash(v, m, false));
		} else {
			memcpy(&v, a->text, n);
			set_bit(t->may, may_hash(v, n, a->any));
		}
	}
	fill_marks(t);
	fill_buckets(t, false);
	fill_buckets(t, true);
}

/* Whether a word without a mark may stand where v are the next four bytes. */
static inline bool
may_stand(const struct anchors *t, uint32_t v, bool exact, bool any)
{
	return (any && (has_bit(t->may, may_hash(v, 4, true)) || has_bit(t->may, may_hash(v, 3, true)))) ||
	    (exact && (has_bit(t->may, may_hash(v, 4, false)) || has_bit(t->may, may_hash(v, 3, false)) || has_bit(t->may, may_hash(v, 2, false))));
}

/* Whether one with a mark may when v are the four bytes up to that. */
static inline bool
may_end(const struct anchors *t, uint32_t v)
{
	return has_bit(t->marked, may_hash(v, 4, false)) || has_bit(t->marked, may_hash(v >> 8, 3, false)) ||
	    has_bit(t->marked, may_hash(v >> 16, 2, false));
}

/* --- search ----------------------------------------------------------------------- */

static inline int
word_at(const char *s, size_t n, const struct anchor *a)
{
	if (n < a->len)
		return 0;
	if (n >= 8) {
		uint64_t v;

		memcpy(&v, s, 8);
		if (((v | a->fold) & a->mask) != a->first)
			return 0;
		if (a->len <= 8)
			return 1;
		if (!a->any)
			return !memcmp(s + 8, a->text + 8, a->len - 8);
	}
	for (unsigned i = 0; i < a->len; i++)
		if (a->any ? fold(s[i]) != (unsigned char)a->text[i] : s[i] != a->text[i])
			return 0;
	return 1;
}

/* The lists in which the words at s are, each after the other. */
static inline int
list_at(const struct anchors *t, const char *s, size_t n, int which)
{
	switch (which) {
	case 0: return n >= 3 ? t->exact[hash(load3(s))] : -1;
	case 1: return n >= 3 ? t->any[hash(load3(s) | 0x202020)] : -1;
	default: return n >= 2 ? t->two[hash(load2(s))] : -1;
	}
}

int
anchor_at(const struct anchors *t, const char *s, size_t n, int i)
{
	int which = 0;

	if (i >= 0) {
		which = t->a[i].any ? 1 : t->a[i].len == 2 ? 2 : 0;
		for (i = t->a[i].next; i >= 0; i = t->a[i].next)
			if (word_at(s, n, &t->a[i]))
				return i;
		which++;
	}
	for (; which < 3; which++)
		for (i = list_at(t, s, n, which); i >= 0; i = t->a[i].next)
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

/* An escape, or a word without a mark. */
static inline int
hit(const struct anchors *t, const char *s, size_t n, int *esc)
{
	if ((*esc = escape_at(s, n)))
		return 1;
	for (int i = anchor_at(t, s, n, -1); i >= 0; i = anchor_at(t, s, n, i))
		if (!t->a[i].mark)
			return 1;
	return 0;
}

/* --- many positions at once ------------------------------------------------------- */

#if defined(__x86_64__) && defined(__GNUC__)
typedef __m256i vector;
enum { LANES = 32, LANE_BITS = 1 };
typedef uint32_t lanes;

#define have_vectors() __builtin_cpu_supports("avx2")
VECTOR_CODE static inline vector v_load(const void *p) { return _mm256_loadu_si256(p); }
VECTOR_CODE static inline vector v_table(const uint8_t *p) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)p)); }
VECTOR_CODE static inline vector v_all(uint8_t c) { return _mm256_set1_epi8(c); }
VECTOR_CODE static inline vector v_and(vector a, vector b) { return _mm256_and_si256(a, b); }
VECTOR_CODE static inline vector v_or(vector a, vector b) { return _mm256_or_si256(a, b); }
VECTOR_CODE static inline vector v_equal(vector a, vector b) { return _mm256_cmpeq_epi8(a, b); }
VECTOR_CODE static inline vector v_low(vector a) { return _mm256_and_si256(a, _mm256_set1_epi8(15)); }
VECTOR_CODE static inline vector v_high(vector a) { return v_low(_mm256_srli_epi16(a, 4)); }
VECTOR_CODE static inline vector v_look(vector table, vector i) { return _mm256_shuffle_epi8(table, i); }
/* Which lanes are not zero: a bit each, LANE_BITS apart. */
VECTOR_CODE static inline lanes v_lanes(vector a) { return ~_mm256_movemask_epi8(v_equal(a, v_all(0))); }
#elif defined(VECTORS)
typedef uint8x16_t vector;
enum { LANES = 16, LANE_BITS = 4 };
typedef uint64_t lanes;

#define have_vectors() 1
static inline vector v_load(const void *p) { return vld1q_u8(p); }
static inline vector v_table(const uint8_t *p) { return vld1q_u8(p); }
static inline vector v_all(uint8_t c) { return vdupq_n_u8(c); }
static inline vector v_and(vector a, vector b) { return vandq_u8(a, b); }
static inline vector v_or(vector a, vector b) { return vorrq_u8(a, b); }
static inline vector v_equal(vector a, vector b) { return vceqq_u8(a, b); }
static inline vector v_low(vector a) { return vandq_u8(a, vdupq_n_u8(15)); }
static inline vector v_high(vector a) { return vshrq_n_u8(a, 4); }
static inline vector v_look(vector table, vector i) { return vqtbl1q_u8(table, i); }
static inline lanes
v_lanes(vector a)
{
	uint8x8_t half = vshrn_n_u16(vreinterpretq_u16_u8(vtstq_u8(a, a)), 4);

	return vget_lane_u64(vreinterpret_u64_u8(half), 0) & 0x1111111111111111u;
}
#endif

/* A word that has its mark at s[p]; where it begins, not before from. n: none. */
static size_t
marked_at(const struct anchors *t, const char *s, size_t n, size_t from, size_t p)
{
	for (size_t m = p - from < ANCHOR_MARK ? p - from : ANCHOR_MARK - 1; m; m--)
		for (int i = anchor_at(t, s + p - m, n - (p - m), -1); i >= 0; i = anchor_at(t, s + p - m, n - (p - m), i))
			if (t->a[i].mark == m)
				return p - m;
	return n;
}

#ifdef VECTORS
struct masks { vector lo[SETS][4], hi[SETS][4], mark_lo, mark_hi; };

/* The positions that may be hits. */
struct maybe { lanes exact, any, all; };

VECTOR_CODE static inline void
load_masks(struct masks *m, const struct anchors *t)
{
	for (int g = 0; g < SETS; g++)
		for (int k = 0; k < 4; k++) {
			m->lo[g][k] = v_table(t->lo[g][k]);
			m->hi[g][k] = v_table(t->hi[g][k]);
		}
	m->mark_lo = v_table(t->mark_lo);
	m->mark_hi = v_table(t->mark_hi);
}

/* Which of the positions at s may be hits. */
VECTOR_CODE static inline struct maybe
may_be(const struct masks *m, const char *s)
{
	vector a = v_all(255), b = a, d = a, esc;
	struct maybe r;

#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) {
		vector v = v_load(s + k), f = v_or(v, v_all(0x20)), low = v_low(v), flow = v_low(f), fhigh = v_high(f);

		a = v_and(a, v_and(v_look(m->lo[EXACT][k], low), v_look(m->hi[EXACT][k], v_high(v))));
		b = v_and(b, v_and(v_look(m->lo[ANY][k], flow), v_look(m->hi[ANY][k], fhigh)));
		d = v_and(d, v_and(v_look(m->lo[ANY + 1][k], flow), v_look(m->hi[ANY + 1][k], fhigh)));
	}
	esc = v_and(v_equal(v_load(s), v_all('\\')), v_or(v_equal(v_load(s + 1), v_all('/')), v_equal(v_load(s + 1), v_all('u'))));
	r.exact = v_lanes(a);
	r.any = v_lanes(v_or(b, d));
	r.all = r.exact | r.any | v_lanes(esc);
	return r;
}

/* Which of the positions at s are marks behind a letter or digit. */
VECTOR_CODE static inline lanes
may_mark(const struct masks *m, const char *s)
{
	vector v = v_load(s), before = v_load(s - 1);

	v = v_and(v_look(m->mark_lo, v_low(v)), v_look(m->mark_hi, v_high(v)));
	/* most follow a quote or a space */
	return v_lanes(v) & ~v_lanes(v_or(v_equal(before, v_all('"')), v_equal(before, v_all(' '))));
}

/* Whole blocks of b[i..end): what stands there is s[at + i..]. */
VECTOR_CODE static size_t
plain_blocks(const struct anchors *t, const char *b, size_t i, size_t end, const char *s, size_t n, size_t at, int *esc)
{
	struct masks m;

	for (load_masks(&m, t); i < end; i += LANES) {
		struct maybe may = may_be(&m, b + i);

		for (lanes bits = may.all; bits; bits &= bits - 1) {
			size_t k = i + __builtin_ctzll(bits) / LANE_BITS, p = at + k;
			lanes one = bits & -bits;
			uint32_t v;

			memcpy(&v, b + k, 4);
			/* most are none: seen without a call */
			if (p < n && (b[k] == '\\' || may_stand(t, v, may.exact & one, may.any & one)) && hit(t, s + p, n - p, esc))
				return p;
		}
	}
	return n;
}

VECTOR_CODE static size_t
marked_blocks(const struct anchors *t, const char *b, size_t i, size_t end, const char *s, size_t n, size_t at, size_t from)
{
	struct masks m;

	for (load_masks(&m, t); i < end; i += LANES)
		for (lanes bits = may_mark(&m, b + i); bits; bits &= bits - 1) {
			size_t k = i + __builtin_ctzll(bits) / LANE_BITS, p;
			uint32_t v;

			memcpy(&v, b + k - 3, 4);
			if (may_end(t, v) && at + k < n && (p = marked_at(t, s, n, from, at + k)) < n)
				return p;
		}
	return n;
}

enum { TAIL = 2 * LANES + 8, LEAD = 4 };

/* What is less than a block behind from, with zeros around: [LEAD..] of to. */
static size_t
copy_tail(char *to, const char *s, size_t n, size_t from)
{
	size_t lead = from < LEAD ? from : LEAD;

	memset(to, 0, LEAD + TAIL);
	memcpy(to + LEAD - lead, s + from - lead, lead + n - from);
	return n - from;
}

static size_t
find_plain(const struct anchors *t, const char *s, size_t n, size_t from, int *esc)
{
	size_t whole = n < from + LANES + 4 ? 0 : (n - from - 4) / LANES * LANES, p;
	char tail[LEAD + TAIL];

	if (whole && (p = plain_blocks(t, s, from, from + whole, s, n, 0, esc)) < n)
		return p;
	whole += from;
	copy_tail(tail, s, n, whole);
	return plain_blocks(t, tail + LEAD, 0, n - whole, s, n, whole, esc);
}

static size_t
find_marked(const struct anchors *t, const char *s, size_t n, size_t from)
{
	size_t at = from < LEAD ? LEAD : from, whole, p;
	char tail[LEAD + TAIL];

	if (at >= n)		/* a few bytes: all of them are a tail */
		at = from;
	whole = at < LEAD || n < at + LANES ? 0 : (n - at) / LANES * LANES;
	if (at > from) {	/* the first bytes have too few before them */
		copy_tail(tail, s, at, from);
		if ((p = marked_blocks(t, tail + LEAD, 0, at - from, s, n, from, from)) < n)
			return p;
	}
	if (whole && (p = marked_blocks(t, s, at, at + whole, s, n, 0, from)) < n)
		return p;
	whole += at;
	copy_tail(tail, s, n, whole);
	return marked_blocks(t, tail + LEAD, 0, n - whole, s, n, whole, from);
}
#else
#define have_vectors() 0
#define find_plain find_plain_slowly
#define find_marked find_marked_slowly
#endif

/* --- one by one ----------------------------------------------------------------------- */

static size_t
find_plain_slowly(const struct anchors *t, const char *s, size_t n, size_t from, int *esc)
{
	for (size_t i = from; i < n; i++) {
		uint32_t v = 0;

		memcpy(&v, s + i, n - i < 4 ? n - i : 4);
		if ((s[i] == '\\' || may_stand(t, v, true, true)) && hit(t, s + i, n - i, esc))
			return i;
	}
	return n;
}

static size_t
find_marked_slowly(const struct anchors *t, const char *s, size_t n, size_t from)
{
	size_t p;

	for (size_t i = from; i < n; i++)
		if (s[i] && strchr(marks, s[i]) && (p = marked_at(t, s, n, from, i)) < n)
			return p;
	return n;
}

size_t
anchor_find(const struct anchors *t, struct anchor_look *l, const char *s, size_t n, size_t from, int *esc)
{
	bool slow = l->slow || !have_vectors();

	*esc = 0;
	if (from >= n)
		return n;
	if (l->plain < from + 1) {	/* zero: not looked for yet */
		l->esc = 0;
		l->plain = 1 + (slow ? find_plain_slowly : find_plain)(t, s, n, from, &l->esc);
	}
	if (l->marked < from + 1)
		l->marked = 1 + (slow ? find_marked_slowly : find_marked)(t, s, n, from);
	if (l->plain > l->marked)
		return l->marked - 1;
	*esc = l->plain <= n && l->esc;
	return l->plain - 1;
}
