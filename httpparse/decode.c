/* decode.c - streaming content decoding; see decode.h */
#include "decode.h"

#include <brotli/decode.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

enum {
	BLOCK = 4096,
	OUT = 32 << 10,
	WINDOW_LOG = 23,	/* RFC 9659: 8 MiB */
	ZLIB_HELD = 48 << 10,	/* window and tables of an inflater, about */
};

enum coding { GZIP, DEFLATE, BROTLI, ZSTD };

struct layer {
	enum coding coding;
	bool started, ended;
	bool again;		/* a gzip member after the first */
	bool over;		/* ended, and what followed was no member or frame */
	bool begun;		/* zstd: a frame has */
	unsigned char magic[4];	/* what may begin one */
	size_t nmagic;
	uint64_t out;		/* bytes given by this member */
	unsigned char probe;	/* DEFLATE: its first byte, until there are two */
	bool probed;
	z_stream z;
	BrotliDecoderState *br;
	ZSTD_DStream *zs;
};

struct decode {
	struct layer layer[DECODE_LAYERS];
	int nlayers;
	decode_sink *sink;
	void *arg;
	enum decode_rc rc;
	uint64_t out;
	bool raw, first;	/* first: nothing but block[] has been taken so far */
	size_t memory;
	size_t n, done;		/* of block: filled, worked on */
	unsigned char block[BLOCK];
};

static enum decode_rc layer_feed(struct decode *, int i, const unsigned char *p, size_t n);

/* --- setting up ------------------------------------------------------------ */

/* Brotli's windows are up to 16 MiB; their size is kept in front of each. */
static void *
br_alloc(void *opaque, size_t n)
{
	size_t *p = malloc(n + 16);

	if (!p)
		return NULL;
	*p = n;
	*(size_t *)opaque += n;
	return (char *)p + 16;
}

static void
br_free(void *opaque, void *p)
{
	size_t *at;

	if (!p)
		return;
	at = (size_t *)(void *)((char *)p - 16);
	*(size_t *)opaque -= *at;
	free(at);
}

static int
coding_of(const char *p, size_t n)
{
	static const struct { const char *name; int coding; } known[] = {
		{ "gzip", GZIP }, { "x-gzip", GZIP }, { "deflate", DEFLATE },
		{ "br", BROTLI }, { "zstd", ZSTD }, { "identity", -2 }, { "", -2 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i].name) == n && !strncasecmp(known[i].name, p, n))
			return known[i].coding;
	return -1;
}

/* The codings of a list, last applied first. -1: an unknown one, or too many. */
static int
codings_parse(const char *p, size_t n, struct layer *layer)
{
	const char *end = p + n;
	int count = 0;
	enum coding found[DECODE_LAYERS];

	while (p < end) {
		const char *stop = memchr(p, ',', end - p), *q;
		int c;

		q = stop = stop ? stop : end;
		while (p < q && (*p == ' ' || *p == '\t'))
			p++;
		while (p < q && (q[-1] == ' ' || q[-1] == '\t'))
			q--;
		c = coding_of(p, q - p);
		if (c == -1 || (c >= 0 && count == DECODE_LAYERS))
			return -1;
		if (c >= 0)
			found[count++] = c;
		p = stop + 1;
	}
	for (int i = 0; i < count; i++)
		layer[i].coding = found[count - 1 - i];
	return count;
}

static int
layer_start(struct decode *d, struct layer *l)
{
	switch (l->coding) {
	case GZIP:
		return inflateInit2(&l->z, 15 + 16) == Z_OK ? 0 : -1;
	case DEFLATE:
		return 0;	/* when two bytes are there */
	case BROTLI:
		l->br = BrotliDecoderCreateInstance(br_alloc, br_free, &d->memory);
		return l->br ? 0 : -1;
	case ZSTD:
		if (!(l->zs = ZSTD_createDStream()))
			return -1;
		ZSTD_DCtx_setParameter(l->zs, ZSTD_d_windowLogMax, WINDOW_LOG);
		return 0;
	}
	return -1;
}

struct decode *
decode_new(const char *codings, size_t n, decode_sink *sink, void *arg, bool *unknown, bool *none)
{
	struct layer layer[DECODE_LAYERS] = { 0 };
	int count = codings_parse(codings, n, layer);
	struct decode *d;

	*unknown = count < 0;
	*none = count == 0;
	if (count <= 0 || !(d = calloc(1, sizeof(*d))))
		return NULL;
	memcpy(d->layer, layer, sizeof(layer));
	d->nlayers = count;
	d->sink = sink;
	d->arg = arg;
	d->first = true;
	for (int i = 0; i < count; i++) {
		if (layer_start(d, &d->layer[i])) {
			decode_free(d);
			return NULL;
		}
		d->layer[i].started = true;
	}
	return d;
}

void
decode_free(struct decode *d)
{
	if (!d)
		return;
	for (int i = 0; i < d->nlayers; i++) {
		struct layer *l = &d->layer[i];

		inflateEnd(&l->z);	/* of a stream never set up: harmless */
		if (l->br)
			BrotliDecoderDestroyInstance(l->br);
		ZSTD_freeDStream(l->zs);
	}
	free(d);
}

size_t
decode_memory(const struct decode *d)
{
	size_t n = sizeof(*d) + d->memory;

	for (int i = 0; i < d->nlayers; i++)
		n += d->layer[i].zs ? ZSTD_sizeof_DStream(d->layer[i].zs) :
		    d->layer[i].br ? 0 : ZLIB_HELD;
	return n;
}

bool
decode_is_raw(const struct decode *d)
{
	return d->raw;
}

/* --- one layer --------------------------------------------------------------- */

/* What layer i gives goes to the next one, or out. */
static enum decode_rc
layer_out(struct decode *d, int i, const unsigned char *p, size_t n)
{
	if (!n)
		return DECODE_OK;
	d->layer[i].out += n;
	if (i + 1 < d->nlayers)
		return layer_feed(d, i + 1, p, n);
	d->out += n;
	return d->sink(d->arg, p, n) ? DECODE_STOP : DECODE_OK;
}

/* Behind a gzip member: another one, or padding that is ignored as gzip(1) does. */
static bool
member_next(struct layer *l, const unsigned char *p)
{
	if (l->coding != GZIP || l->over || *p != 0x1f) {
		l->over = true;
		return false;
	}
	inflateReset(&l->z);
	l->ended = false;
	l->again = true;
	l->out = 0;
	return true;
}

static enum decode_rc
zlib_feed(struct decode *d, int i, const unsigned char *p, size_t n)
{
	struct layer *l = &d->layer[i];
	unsigned char out[OUT];
	enum decode_rc rc;

	l->z.next_in = (unsigned char *)(uintptr_t)p;
	l->z.avail_in = n;
	while (!l->ended || (l->z.avail_in && member_next(l, l->z.next_in))) {
		int r;

		l->z.next_out = out;
		l->z.avail_out = sizeof(out);
		r = inflate(&l->z, Z_SYNC_FLUSH);
		if ((rc = layer_out(d, i, out, sizeof(out) - l->z.avail_out)))
			return rc;
		if (r == Z_STREAM_END) {
			l->ended = true;
		} else if (r == Z_BUF_ERROR || (r == Z_OK && !l->z.avail_in && l->z.avail_out)) {
			break;
		} else if (r == Z_MEM_ERROR) {
			return DECODE_NOMEM;
		} else if (r != Z_OK) {
			if (!l->again || l->out)
				return DECODE_BAD;
			l->ended = l->over = true;	/* no member after all */
			break;
		}
	}
	return DECODE_OK;
}

/* RFC 1950 says zlib; some servers send raw deflate. A zlib header cannot
 * begin a deflate stream that any encoder makes. */
static enum decode_rc
deflate_feed(struct decode *d, int i, const unsigned char *p, size_t n)
{
	struct layer *l = &d->layer[i];
	bool raw;
	enum decode_rc rc;

	if (l->z.state)
		return zlib_feed(d, i, p, n);
	if (!l->probed) {
		l->probe = *p++;
		l->probed = true;
		if (!--n)
			return DECODE_OK;
	}
	raw = (l->probe & 15) != 8 || l->probe >> 4 > 7 || (l->probe << 8 | *p) % 31;
	if (inflateInit2(&l->z, raw ? -15 : 15) != Z_OK)
		return DECODE_NOMEM;
	rc = zlib_feed(d, i, &l->probe, 1);
	return rc ? rc : zlib_feed(d, i, p, n);
}

static enum decode_rc
br_feed(struct decode *d, int i, const unsigned char *p, size_t n)
{
	struct layer *l = &d->layer[i];
	enum decode_rc rc;

	while (!l->ended) {
		size_t none = 0;
		BrotliDecoderResult r = BrotliDecoderDecompressStream(l->br, &n, &p, &none, NULL,
		    NULL);

		while (BrotliDecoderHasMoreOutput(l->br)) {
			size_t len = 0;
			const uint8_t *out = BrotliDecoderTakeOutput(l->br, &len);

			if ((rc = layer_out(d, i, out, len)))
				return rc;
		}
		if (r == BROTLI_DECODER_RESULT_ERROR)
			return DECODE_BAD;
		if (r == BROTLI_DECODER_RESULT_SUCCESS)
			l->ended = true;
		else if (r == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
			break;
	}
	return DECODE_OK;
}

/* One frame, or its part that is here. *used: bytes taken. */
static enum decode_rc
frame_feed(struct decode *d, int i, const unsigned char *p, size_t n, size_t *used)
{
	struct layer *l = &d->layer[i];
	unsigned char out[OUT];
	ZSTD_inBuffer in = { p, n, 0 };
	enum decode_rc rc;

	for (;;) {
		ZSTD_outBuffer o = { out, sizeof(out), 0 };
		size_t r = ZSTD_decompressStream(l->zs, &o, &in);

		if ((rc = layer_out(d, i, out, o.pos)))
			return rc;
		if (ZSTD_isError(r))
			return DECODE_BAD;
		*used = in.pos;
		l->ended = r == 0;
		l->nmagic = 0;
		if (l->ended || (in.pos == in.size && o.pos < o.size))
			return DECODE_OK;
	}
}

/* Does this begin a frame? RFC 8878 3.1: frames and skippable frames. Anything
 * else is padding behind one (libzstd would also take what zstd 0.4 wrote). */
static bool
frame_begins(const unsigned char *p, size_t n)
{
	static const unsigned char frame[] = { 0x28, 0xb5, 0x2f, 0xfd },
		skip[] = { 0x50, 0x2a, 0x4d, 0x18 };

	return !memcmp(p, frame, n) || ((*p & 0xf0) == skip[0] && !memcmp(p + 1, skip + 1, n - 1));
}

static enum decode_rc
zstd_feed(struct decode *d, int i, const unsigned char *p, size_t n)
{
	struct layer *l = &d->layer[i];
	enum decode_rc rc;
	size_t used;

	while (n && !l->over) {
		if (l->begun && !l->ended) {
			if ((rc = frame_feed(d, i, p, n, &used)))
				return rc;
			p += used;
			n -= used;
			continue;
		}
		l->magic[l->nmagic++] = *p++;
		n--;
		if (!frame_begins(l->magic, l->nmagic)) {
			if (!l->begun)
				return DECODE_BAD;
			l->over = true;
		} else if (l->nmagic == sizeof(l->magic)) {
			l->begun = true;
			if ((rc = frame_feed(d, i, l->magic, sizeof(l->magic), &used)))
				return rc;
		}
	}
	return DECODE_OK;
}

static enum decode_rc
layer_feed(struct decode *d, int i, const unsigned char *p, size_t n)
{
	if (!n)
		return DECODE_OK;
	switch (d->layer[i].coding) {
	case GZIP:
		return zlib_feed(d, i, p, n);
	case DEFLATE:
		return deflate_feed(d, i, p, n);
	case BROTLI:
		return br_feed(d, i, p, n);
	case ZSTD:
		return zstd_feed(d, i, p, n);
	}
	return DECODE_BAD;
}

/* --- the chain ----------------------------------------------------------------- */

/* Works on what is new in the block. */
static void
block_run(struct decode *d)
{
	if (d->n > d->done)
		d->rc = layer_feed(d, 0, d->block + d->done, d->n - d->done);
	d->done = d->n;
	if (d->rc == DECODE_BAD && d->first && !d->out) {
		d->raw = true;
		d->rc = d->sink(d->arg, d->block, d->n) ? DECODE_STOP : DECODE_OK;
	} else if (d->n == BLOCK) {
		d->first = false;
		d->n = d->done = 0;
	}
}

enum decode_rc
decode_feed(struct decode *d, const void *bytes, size_t n, bool flush)
{
	const unsigned char *p = bytes;

	while (n && d->rc == DECODE_OK && !d->raw) {
		size_t take = n < BLOCK - d->n ? n : BLOCK - d->n;

		memcpy(d->block + d->n, p, take);
		d->n += take;
		p += take;
		n -= take;
		if (d->n == BLOCK || flush)
			block_run(d);
	}
	if (n && d->raw && d->rc == DECODE_OK && d->sink(d->arg, p, n))
		d->rc = DECODE_STOP;
	return d->rc;
}

enum decode_rc
decode_end(struct decode *d)
{
	if (d->rc == DECODE_OK && !d->raw)
		block_run(d);
	if (d->rc != DECODE_OK || d->raw)
		return d->rc;
	for (int i = 0; i < d->nlayers; i++)
		if (!d->layer[i].ended)
			return DECODE_CUT;
	return DECODE_OK;
}
