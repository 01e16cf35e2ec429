/*
 * httpparse_h2.c - HTTP/2 frames out of any bytes: never out of bounds, every
 * byte decided once, the same headers and data however the bytes were cut
 *
 * Input: flags, seed of the cuts, place of a hole, the stream.
 */
#include "httpparse/h2.h"

#include <stdlib.h>
#include <string.h>

struct log {
	struct bytes text;
	uint64_t decided;
	uint32_t data;		/* the stream whose data came last */
};

static void
add(struct log *l, char what, uint32_t stream, const void *p, size_t n)
{
	if (what != 'D' || l->data != stream) {
		if (bytes_add(&l->text, &what, 1) || bytes_add(&l->text, &stream, sizeof(stream)))
			abort();
	}
	l->data = what == 'D' ? stream : 0;
	if (n && bytes_add(&l->text, p, n))
		abort();
}

static void
on_begin(void *arg, struct h2 *h)
{
	add(arg, 'b', 0, &h->pos, sizeof(h->pos));
}

static void
on_headers(void *arg, struct h2 *h, uint32_t stream, uint32_t promised)
{
	add(arg, 'H', stream, &promised, sizeof(promised));
	add(arg, 'm', h->head.status, head_at(&h->head, h->head.method_text),
	    h->head.method_text.n);
	for (size_t i = 0; i < h->head.nfields; i++) {
		add(arg, 'n', 0, head_at(&h->head, h->head.field[i].name), h->head.field[i].name.n);
		add(arg, 'v', 0, head_at(&h->head, h->head.field[i].value),
		    h->head.field[i].value.n);
	}
	if (stream % 3 == 1) {
		struct head mine;

		h2_head_take(h, &mine);
		head_free(&mine);
	}
}

static void
on_data(void *arg, struct h2 *h, uint32_t stream, const char *p, size_t n)
{
	(void)h;
	add(arg, 'D', stream, p, n);
}

static void
on_end(void *arg, struct h2 *h, uint32_t stream)
{
	(void)h;
	add(arg, 'E', stream, NULL, 0);
}

static void
on_reset(void *arg, struct h2 *h, uint32_t stream, uint32_t code)
{
	(void)h;
	add(arg, 'R', stream, &code, sizeof(code));
}

static void
on_hole(void *arg, struct h2 *h, uint32_t stream)
{
	(void)h;
	add(arg, 'L', stream, NULL, 0);
}

static void
on_decided(void *arg, struct h2 *h, uint64_t upto, bool ours)
{
	struct log *l = arg;

	(void)h, (void)ours;
	if (upto <= l->decided)
		abort();
	l->decided = upto;
}

static const struct h2_ops ops = {
	.begin = on_begin, .headers = on_headers, .data = on_data, .end = on_end,
	.reset = on_reset, .hole = on_hole, .decided = on_decided,
};

static void
feed(struct h2 *h, const uint8_t *p, size_t n, unsigned step)
{
	uint32_t rnd = step * 2654435761u;

	while (n) {
		size_t k = n;

		if (step) {
			rnd = rnd * 1664525 + 1013904223;
			k = 1 + (rnd >> 16) % step;
			k = k < n ? k : n;
		}
		h2_feed(h, p, k);
		p += k;
		n -= k;
	}
}

static void
run(const uint8_t *data, size_t n, unsigned step, struct log *l)
{
	size_t at = (size_t)data[2] * (n - 3) / 255;
	struct h2 h;

	if (h2_init(&h, &ops, l, 2048, data[0] & 1, 0))
		abort();
	feed(&h, data + 3, at, step);
	if (data[0] & 2)
		h2_hole(&h, 1 + (data[0] >> 2) * 3);
	feed(&h, data + 3 + at, n - 3 - at, step);
	if (h.nomem)
		abort();
	h2_free(&h);
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
	    (one.text.n && memcmp(one.text.p, cut.text.p, one.text.n)) ||
	    one.decided != cut.decided)
		abort();
	bytes_free(&one.text);
	bytes_free(&cut.text);
	return 0;
}
