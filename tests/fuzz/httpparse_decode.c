/*
 * httpparse_decode.c - content decoding: never out of bounds, and the same
 * bytes out however they went in
 *
 * Input: one byte that picks the codings, one that seeds the cuts, the body.
 */
#include "httpparse/bytes.h"
#include "httpparse/decode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int
sink(void *arg, const void *p, size_t n)
{
	struct bytes *b = arg;

	if (n > ((size_t)1 << 20) - b->n)
		n = ((size_t)1 << 20) - b->n;
	if (bytes_add(b, p, n))
		abort();
	return b->n == (size_t)1 << 20;
}

/* step 0: all at once; else pieces of 1..step bytes. */
static int
decode(const char *codings, const uint8_t *p, size_t n, unsigned step, bool flush,
    struct bytes *out)
{
	bool unknown, none;
	struct decode *d = decode_new(codings, strlen(codings), sink, out, &unknown, &none);
	uint32_t rnd = step * 2654435761u;
	int rc = 0;

	if (!d)
		abort();
	while (n) {
		size_t k = n;

		if (step) {
			rnd = rnd * 1664525 + 1013904223;
			k = 1 + (rnd >> 16) % step;
			k = k < n ? k : n;
		}
		rc = decode_feed(d, p, k, flush);
		p += k;
		n -= k;
	}
	rc = rc ? rc : (int)decode_end(d);
	rc |= decode_is_raw(d) << 8;
	if (decode_memory(d) > (size_t)64 << 20)
		abort();
	decode_free(d);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const codings[] = {
		"gzip", "deflate", "br", "zstd", "gzip, br", "zstd, gzip", "deflate,deflate",
		"br, identity , X-GZIP",
	};
	struct bytes one = { 0 }, cut = { 0 };
	const char *c;
	int a, b;

	if (n < 2)
		return 0;
	c = codings[data[0] % 8];
	a = decode(c, data + 2, n - 2, 0, false, &one);
	b = decode(c, data + 2, n - 2, 1 + data[1], false, &cut);
	if (a != b || one.n != cut.n || (one.n && memcmp(one.p, cut.p, one.n)))
		abort();
	bytes_free(&cut);
	/* given out at once: a corrupt stream may end earlier or later, a good one not */
	b = decode(c, data + 2, n - 2, 1 + data[1], true, &cut);
	if (a == DECODE_OK &&
	    (b != DECODE_OK || one.n != cut.n || (one.n && memcmp(one.p, cut.p, one.n))))
		abort();
	bytes_free(&one);
	bytes_free(&cut);
	return 0;
}
