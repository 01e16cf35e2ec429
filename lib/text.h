/*
 * text.h - the inner loops over JSON text, 16 bytes at a time where SSE2 is
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef __SSE2__
/* Of 16 bytes, how many stand before the first that text_plain would stop at. */
static inline unsigned
text_special16(const unsigned char *p)
{
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
	__m128i v = _mm_loadu_si128((const __m128i *)p);
	/* signed: bytes >= 0x80 are below ' ' as well */
	unsigned m = _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(v, space),
	    _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back))));

	return m ? __builtin_ctz(m) : 16;
}
#endif

/* The first byte in [p, end) that a JSON string cannot simply hold: a quote, a
 * backslash, a control character, or one >= 0x80 (which needs a UTF-8 check). */
static inline const unsigned char *
text_plain(const unsigned char *p, const unsigned char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(' ');

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		/* signed: bytes >= 0x80 are below ' ' as well */
		unsigned m = _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(v, space),
		    _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back))));

		if (m)
			return p + __builtin_ctz(m);
	}
#endif
	while (p < end && *p >= ' ' && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* Copies [p, end) to d up to the first byte that text_plain would stop at; the
 * second, up to a backslash. Returns how many. What is written behind them is
 * no more than what is left to read. */
static inline size_t
text_copy_plain(unsigned char *d, const unsigned char *p, const unsigned char *end)
{
	const unsigned char *from = p;

#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(' ');

	for (; end - p >= 16; p += 16, d += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		unsigned m = _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(v, space),
		    _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back))));

		_mm_storeu_si128((__m128i *)d, v);
		if (m)
			return p - from + __builtin_ctz(m);
	}
#endif
	while (p < end && *p >= ' ' && *p < 0x80 && *p != '"' && *p != '\\')
		*d++ = *p++;
	return p - from;
}

static inline size_t
text_copy_unescaped(unsigned char *d, const unsigned char *p, const unsigned char *end)
{
	const unsigned char *from = p;

#ifdef __SSE2__
	const __m128i back = _mm_set1_epi8('\\');

	for (; end - p >= 16; p += 16, d += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		unsigned m = _mm_movemask_epi8(_mm_cmpeq_epi8(v, back));

		_mm_storeu_si128((__m128i *)d, v);
		if (m)
			return p - from + __builtin_ctz(m);
	}
#endif
	while (p < end && *p != '\\')
		*d++ = *p++;
	return p - from;
}

#ifdef __SSE2__
/* What 64 bytes hold, a bit each. */
struct text_block {
	uint64_t quote, backslash;
	uint64_t letter;	/* n r t /: with the two above, nearly all that is escaped */
	uint64_t other;		/* below 0x20, or above 0x7f */
};

static inline struct text_block
text_block(const unsigned char *p)
{
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(' '), n = _mm_set1_epi8('n');
	const __m128i r = _mm_set1_epi8('r'), t = _mm_set1_epi8('t'), slash = _mm_set1_epi8('/');
	struct text_block b = { 0, 0, 0, 0 };

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(p + 16 * i));
		__m128i l = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, n), _mm_cmpeq_epi8(v, slash)),
		    _mm_or_si128(_mm_cmpeq_epi8(v, r), _mm_cmpeq_epi8(v, t)));

		b.quote |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, quote)) << 16 * i;
		b.backslash |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, back)) << 16 * i;
		b.letter |= (uint64_t)_mm_movemask_epi8(l) << 16 * i;
		b.other |= (uint64_t)_mm_movemask_epi8(_mm_cmplt_epi8(v, space)) << 16 * i;
	}
	return b;
}

/* The bytes that a backslash before them escapes. *carry says, before and
 * after, whether the first byte of a block is one of them. The addition finds
 * the end of each run of backslashes; only runs of odd length escape. */
static inline uint64_t
text_escaped(uint64_t backslash, unsigned *carry)
{
	const uint64_t even = 0x5555555555555555u;
	uint64_t follows, sum;

	backslash &= ~(uint64_t)*carry;
	follows = backslash << 1 | *carry;
	*carry = __builtin_add_overflow(backslash & ~even & ~follows, backslash, &sum);
	return (even ^ sum << 1) & follows;
}
#endif

/* The length of the UTF-8 sequence at p (RFC 3629), 0 when it is none. */
static inline size_t
text_utf8(const unsigned char *p, const unsigned char *end)
{
	size_t n = end - p;
	unsigned c = p[0];

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || n < 2 || (p[1] & 0xc0) != 0x80)
		return 0;
	if (c < 0xe0)
		return 2;
	if (n < 3 || (p[2] & 0xc0) != 0x80)
		return 0;
	if (c < 0xf0)	/* no overlong forms, no surrogates */
		return (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ? 0 : 3;
	if (n < 4 || (p[3] & 0xc0) != 0x80)
		return 0;
	return (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f) ? 0 : 4;
}

#endif
