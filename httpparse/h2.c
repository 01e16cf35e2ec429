/* h2.c - HTTP/2 frames and header blocks; see h2.h */
#include "h2.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

enum {
	HEAD = 9,
	/* the largest table that an encoder may use here; browsers use 64 KiB */
	TABLE = 1 << 20,
	/* most use 4096; this is what stands for entries not seen */
	UNKNOWN_TABLE = 16 << 10,
	UNKNOWNS = UNKNOWN_TABLE / 33,	/* entries of one byte that fill it */
	PREFACE = 24,
	FRAME_MAX = 16384,	/* of a frame that is guessed */
	AHEAD = 400,		/* streams that may have been opened unseen */
};

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
    CONTINUATION };
enum { END_STREAM = 1, END_HEADERS = 4, PADDED = 8, PRIORITY_FLAG = 32 };

static const char unknown[] = "\1";	/* no header's name */

/* --- header blocks ---------------------------------------------------------------- */

/* A literal with a name of one byte, to be put into the table. */
static bool
inflate_entry(nghttp2_hd_inflater *hd)
{
	const unsigned char entry[] = { 0x40, 1, unknown[0], 0 };
	nghttp2_nv nv;
	int flags = 0;

	if (nghttp2_hd_inflate_hd2(hd, &nv, &flags, entry, sizeof(entry), 1) < 0)
		return false;
	return nghttp2_hd_inflate_hd2(hd, &nv, &flags, NULL, 0, 1) >= 0 &&
	    nghttp2_hd_inflate_end_headers(hd) == 0;
}

/* An inflater whose table is empty, or holds what we do not know. */
static bool
hpack_renew(struct h2 *h, bool fresh)
{
	/* table size UNKNOWN_TABLE */
	static const unsigned char grow[] = { 0x3f, 0xe1, 0x7f };
	nghttp2_nv nv;
	int flags = 0;

	if (h->hpack)
		nghttp2_hd_inflate_del(h->hpack);
	h->hpack = NULL;
	if (nghttp2_hd_inflate_new(&h->hpack))
		return false;
	/* the limit that the peer set is between those two: any size will do */
	nghttp2_hd_inflate_change_table_size(h->hpack, TABLE);
	if (fresh)
		return true;
	if (nghttp2_hd_inflate_hd2(h->hpack, &nv, &flags, grow, sizeof(grow), 1) < 0 ||
	    nghttp2_hd_inflate_end_headers(h->hpack))
		return false;
	for (int i = 0; i < UNKNOWNS; i++)
		if (!inflate_entry(h->hpack))
			return false;
	return true;
}

static bool
name_is(const nghttp2_nv *nv, const char *name)
{
	return nv->namelen == strlen(name) && !memcmp(nv->name, name, nv->namelen);
}

static int
pseudo_add(struct head *h, const nghttp2_nv *nv)
{
	const char *v = (const char *)nv->value;
	struct span *to = name_is(nv, ":method") ? &h->method_text :
	    name_is(nv, ":path") ? &h->target :
	    name_is(nv, ":authority") ? &h->authority : name_is(nv, ":scheme") ? &h->scheme :
	    name_is(nv, ":protocol") ? &h->protocol : NULL;

	if (name_is(nv, ":status")) {
		h->response = true;
		h->status = 0;
		for (size_t i = 0; i < nv->valuelen && i < 3 && v[i] >= '0' && v[i] <= '9'; i++)
			h->status = h->status * 10 + (v[i] - '0');
		return 0;
	}
	if (!to || to->n)
		return 0;
	return head_text(h, to, v, nv->valuelen);
}

static void
field_add(struct h2 *h, const nghttp2_nv *nv)
{
	struct head *head = &h->head;

	if (name_is(nv, unknown)) {
		head->unknown = true;
		return;
	}
	if (h->full)
		return;		/* inflated all the same, for the table's sake */
	if (nv->namelen && nv->name[0] == ':') {
		h->full = pseudo_add(head, nv) != 0;
		return;
	}
	for (size_t i = 0; i < nv->namelen; i++)
		if (!head_is_token(nv->name[i])) {
			/* no header's name: table and stream are out of step */
			head->unknown = true;
			return;
		}
	if (head_field(head)) {
		h->full = true;
	} else if (head_name(head, (const char *)nv->name, nv->namelen) ||
	    head_value(head, (const char *)nv->value, nv->valuelen)) {
		head_field_drop(head);
		h->full = true;
	} else {
		head_value_end(head);
	}
}

/* The block goes on with p[0..n). */
static void
block_feed(struct h2 *h, const unsigned char *p, size_t n, bool final)
{
	while (!h->skip_block) {
		nghttp2_nv nv;
		int flags = 0;
		ssize_t used = nghttp2_hd_inflate_hd2(h->hpack, &nv, &flags, p, n, final);

		if (used < 0) {
			/* what it would have put into the table is not known */
			h->skip_block = h->head.unknown = true;
			h->nomem |= !hpack_renew(h, false);
			return;
		}
		p += used;
		n -= used;
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			field_add(h, &nv);
		if (flags & NGHTTP2_HD_INFLATE_FINAL) {
			nghttp2_hd_inflate_end_headers(h->hpack);
			return;
		}
		if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && !n)
			return;
	}
}

static void
block_begin(struct h2 *h)
{
	head_reset(&h->head);
	h->head.major = 2;
	h->block = h->stream;
	h->block_end = h->type == HEADERS && (h->flags & END_STREAM);
	h->skip_block = h->full = false;
	if (h->type == HEADERS)
		h->promised = 0;
}

static void
block_finish(struct h2 *h)
{
	uint32_t stream = h->block;
	bool end = h->block_end;

	block_feed(h, (const unsigned char *)"", 0, true);
	h->head.truncated = h->full;
	h->block = 0;
	h->ops->headers(h->arg, h, stream, h->promised);
	if (end)
		h->ops->end(h->arg, h, stream);
}

void
h2_head_take(struct h2 *h, struct head *to)
{
	size_t max = h->head.max;

	*to = h->head;
	h->head = (struct head){ .max = max };
}

/* --- frames --------------------------------------------------------------------------- */

int
h2_init(struct h2 *h, const struct h2_ops *ops, void *arg, size_t max_head, bool fresh,
    uint64_t pos)
{
	*h = (struct h2){ .ops = ops, .arg = arg, .head.max = max_head, .pos = pos,
		.lost = !fresh };
	return hpack_renew(h, fresh) ? 0 : -1;
}

void
h2_free(struct h2 *h)
{
	if (h->hpack)
		nghttp2_hd_inflate_del(h->hpack);
	h->hpack = NULL;
	head_free(&h->head);
}

size_t
h2_memory(const struct h2 *h)
{
	/* an entry costs nghttp2 about a hundred bytes beside its text */
	size_t tables = h->hpack ? nghttp2_hd_inflate_get_dynamic_table_size(h->hpack) +
	    100 * nghttp2_hd_inflate_get_num_table_entries(h->hpack) : 0;

	return head_memory(&h->head) + tables;
}

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Is a frame of this type, length and stream one that the rules allow? */
static bool
frame_allowed(unsigned type, uint32_t len, unsigned flags, uint32_t stream)
{
	unsigned before = (flags & PADDED ? 1 : 0) + (type == HEADERS &&
	    (flags & PRIORITY_FLAG) ? 5 : 0) +
	    (type == PUSH_PROMISE ? 4 : 0);

	switch (type) {
	case DATA:
	case HEADERS:
	case PUSH_PROMISE:
		return stream && len >= before;
	case CONTINUATION:
		return stream;
	case PRIORITY:
		return stream && len == 5;
	case RST_STREAM:
		return stream && len == 4;
	case SETTINGS:
		return !stream && len % 6 == 0 && !(flags & 1 && len);
	case PING:
		return !stream && len == 8;
	case GOAWAY:
		return !stream && len >= 8;
	case WINDOW_UPDATE:
		return len == 4;
	}
	return true;		/* unknown types are to be ignored */
}

bool
h2_frame_plausible(const unsigned char *p, uint32_t highest)
{
	static const unsigned char flags[] = {
		[DATA] = 0x9, [HEADERS] = 0x2d, [SETTINGS] = 1, [PUSH_PROMISE] = 0xc, [PING] = 1,
		[CONTINUATION] = 4,
	};
	uint32_t len = be32(p) >> 8, stream = be32(p + 5);

	return len <= FRAME_MAX && p[3] <= CONTINUATION && !(p[4] & ~flags[p[3]]) &&
	    stream <= (highest ? highest + AHEAD : 1 << 20) &&
	    frame_allowed(p[3], len, p[4], stream) &&
	    !(p[3] == SETTINGS && len > 600);
}

/* The 9 bytes of a frame are in buf. False: they cannot be one. */
static bool
frame_begin(struct h2 *h)
{
	h->left = be32(h->buf) >> 8;
	h->type = h->buf[3];
	h->flags = h->buf[4];
	h->stream = be32(h->buf + 5) & 0x7fffffff;
	if (!frame_allowed(h->type, h->left, h->flags, h->stream))
		return false;
	if (h->block ? h->type != CONTINUATION || h->stream != h->block : h->type == CONTINUATION &&
	    !h->lost)
		return false;
	if (h->stream > h->highest)
		h->highest = h->stream;
	h->fixed = 0;
	if ((h->type == DATA || h->type == HEADERS || h->type == PUSH_PROMISE) &&
	    (h->flags & PADDED))
		h->fixed++;
	if (h->type == HEADERS && (h->flags & PRIORITY_FLAG))
		h->fixed += 5;
	if (h->type == PUSH_PROMISE || h->type == RST_STREAM)
		h->fixed += 4;
	h->left -= h->fixed;
	h->pad = 0;
	h->nbuf = 0;
	h->in_payload = true;
	h->in_fixed = h->fixed > 0;
	if (h->type == HEADERS || h->type == PUSH_PROMISE)
		block_begin(h);
	return true;
}

/* The fixed part of the payload is in buf. */
static bool
fixed_read(struct h2 *h)
{
	bool padded = h->type != RST_STREAM && (h->flags & PADDED);

	h->in_fixed = false;
	h->nbuf = 0;
	if (padded) {
		h->pad = h->buf[0];
		if (h->pad > h->left)
			return false;
		h->left -= h->pad;
	}
	if (h->type == PUSH_PROMISE)
		h->promised = be32(h->buf + padded) & 0x7fffffff;
	else if (h->type == RST_STREAM)
		h->ops->reset(h->arg, h, h->stream, be32(h->buf));
	return true;
}

static void
frame_end(struct h2 *h)
{
	h->in_payload = false;
	h->nbuf = 0;
	if (h->type == DATA && (h->flags & END_STREAM))
		h->ops->end(h->arg, h, h->stream);
	if ((h->type == HEADERS || h->type == CONTINUATION || h->type == PUSH_PROMISE) &&
	    (h->flags & END_HEADERS) && h->block)
		block_finish(h);
}

static void
content(struct h2 *h, const unsigned char *p, size_t n)
{
	if (h->type == DATA)
		h->ops->data(h->arg, h, h->stream, (const char *)p, n);
	else if ((h->type == HEADERS || h->type == CONTINUATION || h->type == PUSH_PROMISE) &&
	    h->block)
		block_feed(h, p, n, false);
}

/* Payload out of p[0..n); returns how many bytes were read. */
static size_t
payload_run(struct h2 *h, const unsigned char *p, size_t n, bool *good)
{
	size_t k = 0;

	if (h->in_fixed) {
		while (h->nbuf < h->fixed && k < n)
			h->buf[h->nbuf++] = p[k++];
		if (h->nbuf < h->fixed)
			return k;
		if (!(*good = fixed_read(h)))
			return k;
	} else if (h->left) {
		k = n < h->left ? n : h->left;
		content(h, p, k);
		h->left -= k;
	} else {
		k = n < h->pad ? n : h->pad;
		h->pad -= k;
	}
	return k;
}

/* Not a frame: nothing of what follows can be trusted until one is found. */
static void
lose(struct h2 *h)
{
	h->lost = true;
	h->in_payload = h->in_fixed = false;
	h->block = 0;
	h->nbuf = 0;
	h->nomem |= !hpack_renew(h, false);
	h->ops->hole(h->arg, h, 0);
}

static void
decide(struct h2 *h, size_t n, bool ours)
{
	if (!n)
		return;
	h->pos += n;
	h->ops->decided(h->arg, h, h->pos, ours);
}

/* Fills buf up to 9 bytes; a byte that cannot begin a frame leaves at the front. */
static size_t
head_run(struct h2 *h, const unsigned char *p, size_t n)
{
	size_t k = 0;

	while (h->nbuf < HEAD && k < n)
		h->buf[h->nbuf++] = p[k++];
	if (h->nbuf < HEAD)
		return k;
	if (h->lost) {
		size_t drop = 0;

		while (h->nbuf == HEAD && !h2_frame_plausible(h->buf, h->highest)) {
			memmove(h->buf, h->buf + 1, --h->nbuf);
			drop++;
			if (k < n)
				h->buf[h->nbuf++] = p[k++];
		}
		decide(h, drop, false);
		if (h->nbuf < HEAD)
			return k;
	}
	if (h->buf[3] == HEADERS || h->buf[3] == PUSH_PROMISE)
		h->ops->begin(h->arg, h);
	decide(h, HEAD, true);
	if (frame_begin(h))
		h->lost = false;
	else
		lose(h);
	return k;
}

void
h2_feed(struct h2 *h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes, *end = p + n;

	/* the client's preface; as a frame it would be one of 5 MB */
	if (!h->begun && n && !h->lost && *p == 'P')
		h->preface = PREFACE;
	h->begun |= n > 0;
	while (p < end || (h->in_payload && !h->in_fixed && !h->left && !h->pad)) {
		size_t k;
		bool good = true;

		if (h->preface) {
			k = (size_t)(end - p) < h->preface ? (size_t)(end - p) : h->preface;
			h->preface -= k;
			decide(h, k, true);
		} else if (!h->in_payload) {
			k = head_run(h, p, end - p);
		} else if (!h->in_fixed && !h->left && !h->pad) {
			frame_end(h);
			k = 0;
		} else {
			k = payload_run(h, p, end - p, &good);
			decide(h, k, true);
			if (!good)
				lose(h);
		}
		p += k;
	}
}

void
h2_hole(struct h2 *h, uint64_t n)
{
	bool inside = h->in_payload && !h->in_fixed && n <= h->left + h->pad &&
	    (h->type == DATA || !h->block);
	uint64_t k = n < h->left ? n : h->left;

	if (!h->in_payload) {
		size_t part = h->nbuf;	/* of a frame's beginning */

		h->nbuf = h->preface = 0;
		decide(h, part, false);
	}
	h->pos += n;
	if (!inside) {
		lose(h);
		return;
	}
	if (h->type == DATA && k)
		h->ops->hole(h->arg, h, h->stream);
	h->left -= k;
	h->pad -= n - k;
	h2_feed(h, "", 0);
}
