/* ws.c - WebSocket frames into messages; see ws.h */
#include "ws.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONTROL_MAX = 125, KEEP = 8 << 10, INFLATER = 48 << 10 };

void
ws_init(struct ws *w, const struct ws_ops *ops, void *arg, size_t max, bool deflate, bool takeover)
{
	*w = (struct ws){ .ops = ops, .arg = arg, .max = max, .deflate = deflate,
		.takeover = takeover, .need = 2 };
}

void
ws_free(struct ws *w)
{
	if (w->zready)
		inflateEnd(&w->z);
	w->zready = false;
	bytes_free(&w->data);
	bytes_free(&w->ctl);
}

size_t
ws_memory(const struct ws *w)
{
	return sizeof(*w) + w->data.cap + w->ctl.cap + (w->zready ? INFLATER : 0);
}

/* Is text one of the ;-separated parameters of p[0..n)? */
static bool
has_param(const char *p, size_t n, const char *text)
{
	const char *end = p + n;
	size_t len = strlen(text);

	while (p < end) {
		const char *stop = memchr(p, ';', end - p), *q;

		q = stop = stop ? stop : end;
		while (p < q && (*p == ' ' || *p == '\t'))
			p++;
		while (p < q && (q[-1] == ' ' || q[-1] == '\t'))
			q--;
		if ((size_t)(q - p) == len && !strncasecmp(p, text, len))
			return true;
		p = stop + 1;
	}
	return false;
}

void
ws_extensions(const char *p, size_t n, bool server, bool *deflate, bool *takeover)
{
	const char *end = p + n;

	*deflate = false;
	*takeover = true;
	while (p < end) {
		const char *stop = memchr(p, ',', end - p);

		stop = stop ? stop : end;
		if (has_param(p, stop - p, "permessage-deflate")) {
			*deflate = true;
			*takeover = !has_param(p, stop - p,
			    server ? "server_no_context_takeover" : "client_no_context_takeover");
			return;
		}
		p = stop + 1;
	}
}

/* --- payload ------------------------------------------------------------------ */

static void
keep(struct ws *w, const char *p, size_t n)
{
	size_t take = n < w->max - w->data.n ? n : w->max - w->data.n;

	w->len += n;
	w->truncated |= take < n;
	if (bytes_add(&w->data, p, take))
		w->truncated = true;
}

/* A deflate block marked as the last is not the end of the context (RFC 7692
 * 7.2.3.4): the window goes over to a new stream. */
static bool
inflate_on(struct ws *w)
{
	unsigned char *window = malloc(32 << 10);
	unsigned n = 0;
	bool good = window && inflateGetDictionary(&w->z, window, &n) == Z_OK &&
	    inflateReset(&w->z) == Z_OK &&
	    (!n || inflateSetDictionary(&w->z, window, n) == Z_OK);

	free(window);
	return good;
}

static bool
inflate_some(struct ws *w, const char *p, size_t n)
{
	unsigned char out[16 << 10];
	int r;

	if (!w->zready) {
		memset(&w->z, 0, sizeof(w->z));
		if (inflateInit2(&w->z, -15) != Z_OK)
			return false;
		w->zready = true;
	}
	w->z.next_in = (unsigned char *)(uintptr_t)p;
	w->z.avail_in = n;
	do {
		w->z.next_out = out;
		w->z.avail_out = sizeof(out);
		r = inflate(&w->z, Z_SYNC_FLUSH);
		keep(w, (char *)out, sizeof(out) - w->z.avail_out);
		if (r == Z_STREAM_END && !inflate_on(w))
			return false;
	} while (r == Z_STREAM_END ? w->z.avail_in > 0 : r == Z_OK &&
	    (w->z.avail_in || !w->z.avail_out));
	return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR;
}

/* Unmasked bytes of the data message. */
static void
data_add(struct ws *w, const char *p, size_t n)
{
	if (w->why)
		return;		/* behind a hole or an error: cannot be placed */
	if (!w->compressed || w->undecoded) {
		keep(w, p, n);
	} else if (!inflate_some(w, p, n)) {
		w->why = "encoding";
		w->zdead = true;
	}
}

static void
payload(struct ws *w, const unsigned char *p, size_t n)
{
	char out[4096];

	while (n) {
		size_t k = n < sizeof(out) ? n : sizeof(out);

		for (size_t i = 0; i < k; i++)
			out[i] = p[i] ^ (w->masked ? w->mask[(w->maskat + i) & 3] : 0);
		w->maskat += k;
		if (!w->control)
			data_add(w, out, k);
		else if (!w->ctl_hole)
			w->ctl_hole = bytes_add(&w->ctl, out, k);
		p += k;
		n -= k;
	}
}

/* --- messages ------------------------------------------------------------------- */

static void
control_end(struct ws *w, const char *why)
{
	struct ws_message m = { .opcode = w->opcode, .p = w->ctl.p ? w->ctl.p : "", .n = w->ctl.n,
		.len = w->ctl.n,
		.incomplete = why };

	w->ops->message(w->arg, &m);
	w->ctl.n = 0;
	w->ctl_hole = false;
}

static void
data_end(struct ws *w, const char *why)
{
	if (w->compressed && !w->undecoded && !w->why && !why &&
	    !inflate_some(w, "\0\0\xff\xff", 4)) {
		w->why = "encoding";
		w->zdead = true;
	}
	struct ws_message m = { .opcode = w->data_opcode, .p = w->data.p ? w->data.p : "",
		.n = w->data.n, .len = w->len,
		.truncated = w->truncated, .undecoded = w->undecoded,
		    .incomplete = w->why ? w->why : why };

	/* a context that missed something is of no use to what follows */
	w->zdead = w->takeover && (w->zdead || (w->compressed && m.incomplete));
	w->ops->message(w->arg, &m);
	if (w->zready && !w->takeover)
		inflateReset(&w->z);
	bytes_reset(&w->data, KEEP);
	w->data_opcode = 0;
	w->len = 0;
	w->why = NULL;
	w->truncated = w->compressed = w->undecoded = false;
}

static void
frame_end(struct ws *w)
{
	w->in_payload = false;
	w->nhead = 0;
	w->need = 2;
	if (w->control)
		control_end(w, w->ctl_hole ? "hole" : NULL);
	else if (w->fin)
		data_end(w, NULL);
}

/* The first two bytes are here: do they begin a frame? Sets need. */
static bool
head_begin(struct ws *w)
{
	unsigned rsv = w->head[0] & 0x70, len = w->head[1] & 0x7f;

	w->opcode = w->head[0] & 15;
	w->fin = w->head[0] & 0x80;
	w->control = w->opcode >= 8;
	w->masked = w->head[1] & 0x80;
	if (w->control ? w->opcode > WS_PONG || rsv || !w->fin || len > CONTROL_MAX :
	    w->opcode > WS_BINARY || (rsv & ~0x40u) ||
	    (rsv && (!w->deflate || w->opcode == WS_MORE)) ||
	    (w->opcode == WS_MORE) != (w->data_opcode != 0))
		return false;
	w->need = 2 + (len == 126 ? 2 : len == 127 ? 8 : 0) + (w->masked ? 4 : 0);
	if (!w->control && w->opcode != WS_MORE) {
		w->data_opcode = w->opcode;
		w->compressed = rsv;
		w->undecoded = w->compressed && w->zdead;
	}
	return true;
}

static bool
head_end(struct ws *w)
{
	unsigned len = w->head[1] & 0x7f, at = 2;

	w->left = len;
	if (len >= 126) {
		w->left = 0;
		for (unsigned i = 0; i < (len == 126 ? 2 : 8); i++)
			w->left = w->left << 8 | w->head[at++];
	}
	if (w->masked)
		memcpy(w->mask, w->head + at, 4);
	w->maskat = 0;
	w->in_payload = true;
	return !(w->left >> 62);
}

size_t
ws_feed(struct ws *w, const void *bytes, size_t n)
{
	const unsigned char *p = bytes, *end = p + n;

	while (p < end) {
		size_t k;

		if (!w->in_payload) {
			if (!w->nhead && (*p & 15) != WS_MORE)
				w->ops->begin(w->arg, *p & 8);
			w->head[w->nhead++] = *p++;
			if ((w->nhead == 2 && !head_begin(w)) ||
			    (w->nhead == w->need && !head_end(w))) {
				w->nhead = 0;	/* it is no frame: not to be finished */
				w->in_payload = false;
				return p - 1 - (const unsigned char *)bytes;
			}
			if (w->nhead < w->need)
				continue;
		}
		k = (size_t)(end - p) < w->left ? (size_t)(end - p) : w->left;
		payload(w, p, k);
		p += k;
		w->left -= k;
		if (!w->left)
			frame_end(w);
	}
	return n;
}

bool
ws_hole(struct ws *w, uint64_t n)
{
	if (!w->in_payload || n > w->left)
		return false;
	if (w->control)
		w->ctl_hole = true;
	else if (!w->why)
		w->why = "hole";
	w->maskat += n;
	w->left -= n;
	if (!w->left)
		frame_end(w);
	return true;
}

void
ws_finish(struct ws *w, const char *why)
{
	if (w->control && (w->in_payload || w->nhead >= 2))
		control_end(w, why);
	if (w->data_opcode)
		data_end(w, why);
	w->in_payload = false;
	w->nhead = 0;
	w->need = 2;
}
