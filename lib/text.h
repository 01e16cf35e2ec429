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

/* What stands behind the backslash of what a JSON string escapes with one more
 * character; 0: it takes \u00XX, or nothing. */
static const unsigned char text_letter['\\' + 1] = {
	['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"',
	    ['\\'] = '\\'
};

#ifdef __SSE2__
/* Of 16 bytes, how many stand before the first that text_plain would stop at. */
static inline unsigned
text_special16(const unsigned char *p)
{
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'),
	    space = _mm_set1_epi8(' ');
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
		__m128i l = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, n),
		    _mm_cmpeq_epi8(v, slash)),
		    _mm_or_si128(_mm_cmpeq_epi8(v, r), _mm_cmpeq_epi8(v, t)));

		b.quote |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, quote)) << 16 * i;
		b.backslash |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, back)) << 16 * i;
		b.letter |= (uint64_t)_mm_movemask_epi8(l) << 16 * i;
		b.other |= (uint64_t)_mm_movemask_epi8(_mm_cmplt_epi8(v, space)) << 16 * i;
	}
	return b;
}

/* Copies n bytes in steps of 16: reads and writes up to 16 more. */
static inline void
text_copy16(unsigned char *d, const unsigned char *p, size_t n)
{
	size_t i = 0;

	do
		_mm_storeu_si128((__m128i *)(d + i), _mm_loadu_si128((const __m128i *)(p + i)));
	while ((i += 16) < n);
}

/* Which of the 64 bytes at p are tab, newline or carriage return. */
static inline uint64_t
text_white64(const unsigned char *p)
{
	const __m128i tab = _mm_set1_epi8('\t'), nl = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
	uint64_t white = 0;

	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(p + 16 * i));

		white |= (uint64_t)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, tab),
		    _mm_or_si128(_mm_cmpeq_epi8(v, nl), _mm_cmpeq_epi8(v, cr)))) << 16 * i;
	}
	return white;
}

/* Writes the 64 bytes at p to *d as the inside of a JSON string and moves *d behind
 * them, up to the first that is not ASCII or takes \u00XX; returns how many. Where each
 * one goes is known from how many before it are escaped, so nothing waits for what was
 * written. Reads 16 bytes more, and writes up to 16 more. */
static inline size_t
text_escape64(unsigned char **d, const unsigned char *p)
{
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'),
	    space = _mm_set1_epi8(' ');
	uint64_t two = 0, other = 0;	/* takes a backslash and one more; or something else */
	unsigned char *to = *d;
	size_t n = 64, from = 0;

	/* not text_block: its masks apart cost plain text half as much again */
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(p + 16 * i));

		two |= (uint64_t)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, quote),
		    _mm_cmpeq_epi8(v, back))) << 16 * i;
		/* signed: bytes >= 0x80 are below ' ' as well */
		other |= (uint64_t)_mm_movemask_epi8(_mm_cmplt_epi8(v, space)) << 16 * i;
	}
	if (other) {
		uint64_t white = text_white64(p);

		two |= white;
		other &= ~white;
	}
	if (other) {
		n = __builtin_ctzll(other);
		two &= (1ull << n) - 1;
	}
	for (; two; two &= two - 1) {
		size_t at = __builtin_ctzll(two);

		text_copy16(to + from, p + from, at - from);
		to[at] = '\\';
		to[at + 1] = text_letter[p[at]];
		to++;
		from = at + 1;
	}
	text_copy16(to + from, p + from, n - from);
	*d = to + n;
	return n;
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
