/*
 * httpparse_http1.c - HTTP/1 out of any bytes: never out of bounds, every byte
 * decided once, and the same messages however the bytes were cut
 *
 * Input: role and a hole, seed of the cuts, where the hole is, the stream.
 */
#include "httpparse/http1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct log {
	struct bytes text;
	char last;
	uint64_t decided, ours;
	bool open;
};

static void
add(struct log *l, char what, const void *p, size_t n)
{
	if (what != l->last || what != 'B') {
		if (bytes_add(&l->text, &what, 1))
			abort();
	}
	l->last = what;
	if (n && bytes_add(&l->text, p, n))
		abort();
}

static bool
on_head(void *arg, struct http1 *h, uint64_t start)
{
	struct log *l = arg;

	if (l->open)
		abort();
	l->open = true;
	add(l, 'H', &start, sizeof(start));
	add(l, 's', &h->head.status, sizeof(h->head.status));
	add(l, 't', head_at(&h->head, h->head.target), h->head.target.n);
	for (size_t i = 0; i < h->head.nfields; i++) {
		add(l, 'n', head_at(&h->head, h->head.field[i].name), h->head.field[i].name.n);
		add(l, 'v', head_at(&h->head, h->head.field[i].value), h->head.field[i].value.n);
	}
	return false;
}

static void
on_body(void *arg, struct http1 *h, const char *p, size_t n)
{
	(void)h;
	add(arg, 'B', p, n);
}

static void
on_cut(void *arg, struct http1 *h, const char *why)
{
	(void)h;
	add(arg, 'C', why, strlen(why));
}

static void
on_end(void *arg, struct http1 *h, const char *why)
{
	struct log *l = arg;

	if (!l->open)
		abort();
	l->open = false;
	for (size_t i = h->head.trailers; i < h->head.nfields; i++)
		add(l, 'T', head_at(&h->head, h->head.field[i].value), h->head.field[i].value.n);
	add(l, 'E', why ? why : "", why ? strlen(why) : 0);
	if (h->head.response && h->head.status == 101)
		http1_other(h);
	else if (!h->head.response && h->head.method && !strcmp(h->head.method, "CONNECT"))
		http1_wait(h);
}

static void
on_decided(void *arg, struct http1 *h, uint64_t upto, bool ours)
{
	struct log *l = arg;

	(void)h;
	if (upto <= l->decided)
		abort();
	if (ours)
		l->ours += upto - l->decided;
	l->decided = upto;
}

static const struct http1_ops ops = {
	.head = on_head, .body = on_body, .cut = on_cut, .end = on_end, .decided = on_decided,
};

static void
feed(struct http1 *h, const uint8_t *p, size_t n, unsigned step)
{
	uint32_t rnd = step * 2654435761u;

	while (n) {
		size_t k = n;

		if (step) {
			rnd = rnd * 1664525 + 1013904223;
			k = 1 + (rnd >> 16) % step;
			k = k < n ? k : n;
		}
		http1_feed(h, p, k);
		while (h->state == HTTP1_WAIT)
			http1_resume(h);
		p += k;
		n -= k;
	}
}

static void
run(const uint8_t *data, size_t n, unsigned step, struct log *l)
{
	size_t at = (size_t)data[2] * (n - 3) / 255;
	struct http1 h;

	http1_init(&h, &ops, l, 4096);
	h.role = data[0] % 3;
	feed(&h, data + 3, at, step);
	if (data[0] & 128) {
		http1_hole(&h, 1 + (data[0] >> 2 & 31) * 7);
		l->decided = h.pos;
	}
	feed(&h, data + 3 + at, n - 3 - at, step);
	http1_finish(&h, "eof", data[0] & 64);
	if (l->open || h.nomem)
		abort();
	http1_free(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct log one = { 0 }, cut = { 0 };

	if (n < 3)
		return 0;
	run(data, n, 0, &one);
	run(data, n, 1 + data[1] % 64, &cut);
	if (one.text.n != cut.text.n ||
	    (one.text.n && memcmp(one.text.p, cut.text.p, one.text.n)) || one.ours != cut.ours)
		abort();
	bytes_free(&one.text);
	bytes_free(&cut.text);
	return 0;
}
