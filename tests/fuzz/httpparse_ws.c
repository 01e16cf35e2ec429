/*
 * httpparse_ws.c - WebSocket frames and AWS events out of any bytes: never out
 * of bounds, and the same messages however the bytes were cut
 *
 * Input: flags, seed of the cuts, the bytes.
 */
#include "httpparse/eventstream.h"
#include "httpparse/grpc.h"
#include "httpparse/ws.h"

#include <stdlib.h>
#include <string.h>

static void
add(struct bytes *b, const void *p, size_t n)
{
	if (n && bytes_add(b, p, n))
		abort();
}

static void
on_begin(void *arg, bool control)
{
	add(arg, control ? "b" : "B", 1);
}

static void
on_message(void *arg, const struct ws_message *m)
{
	unsigned char what[] = { m->opcode, m->truncated, m->undecoded };

	add(arg, what, sizeof(what));
	add(arg, &m->len, sizeof(m->len));
	add(arg, m->p, m->n);
	if (m->incomplete)
		add(arg, m->incomplete, strlen(m->incomplete));
}

static const struct ws_ops ws_ops = { .begin = on_begin, .message = on_message };

static int
on_event(void *arg, const struct eventstream_event *e)
{
	if (e->good) {
		add(arg, &e->n, sizeof(e->n));
		add(arg, e->type, e->typelen);
	}
	add(arg, e->p, e->n);
	return 0;
}

static void
on_grpc_begin(void *arg, unsigned flags, uint32_t len)
{
	add(arg, &flags, sizeof(flags));
	add(arg, &len, sizeof(len));
}

static int
on_grpc_data(void *arg, const char *p, size_t n)
{
	add(arg, p, n);
	return 0;
}

static int
on_grpc_end(void *arg)
{
	add(arg, "E", 1);
	return 0;
}

static const struct grpc_ops grpc_ops = { .begin = on_grpc_begin, .data = on_grpc_data,
    .end = on_grpc_end };

static void
run(const uint8_t *data, size_t n, unsigned step, struct bytes *out)
{
	uint32_t rnd = step * 2654435761u;
	struct ws w;
	struct eventstream e;
	struct grpc g = { .nhead = 0 };
	bool good = true;
	unsigned what = data[0] >> 2 & 3;

	ws_init(&w, &ws_ops, out, 4096, data[0] & 1, data[0] & 2);
	eventstream_init(&e, 4096);
	data += 2;
	for (n -= 2; n;) {
		size_t k = n;

		if (step) {
			rnd = rnd * 1664525 + 1013904223;
			k = 1 + (rnd >> 16) % step;
			k = k < n ? k : n;
		}
		if (what == 1)
			eventstream_feed(&e, data, k, on_event, out);
		else if (what == 2)
			grpc_feed(&g, data, k, &grpc_ops, out);
		else if (good)
			good = ws_feed(&w, data, k) == k;
		data += k;
		n -= k;
	}
	ws_finish(&w, "eof");
	eventstream_end(&e, on_event, out);
	ws_free(&w);
	eventstream_free(&e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes one = { 0 }, cut = { 0 };

	if (n < 2)
		return 0;
	run(data, n, 0, &one);
	run(data, n, 1 + data[1] % 64, &cut);
	if (one.n != cut.n || (one.n && memcmp(one.p, cut.p, one.n)))
		abort();
	bytes_free(&one);
	bytes_free(&cut);
	return 0;
}
