/*
 * httpparse_conn.c - a whole connection: whatever comes, what is written is
 * JSON, nothing is held at the end, and no line is lost that is not HTTP
 *
 * Input: records of direction and flags, length, then that many bytes.
 */
#include "httpparse/conn.h"

#include "jput.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	struct line_out out, line;
	struct loss loss;
	struct event ev, check;
} self = { .out.fd = -1, .line.fd = -1 };

static void
lines_check(void)
{
	const char *p = self.out.buf, *end = self.out.len ? p + self.out.len : p;

	while (p < end) {
		const char *nl = memchr(p, '\n', end - p);

		if (!nl || event_scan(&self.check, p, nl - p) != EVENT_OK)
			abort();
		p = nl + 1;
	}
	self.out.len = 0;
}

static void
one(struct conn *c, struct writer *w, int dir, unsigned flags, const uint8_t *p, size_t n,
    uint64_t off)
{
	struct jput j;
	const char *line;
	size_t len;

	self.line.len = 0;
	jput_open(&j, &self.line, "ssl.data");
	jput_uint(&j, "timestamp_ns", 1000 + off);
	jput_uint(&j, "pid", 1);
	jput_bytes(&j, "data", p, n);
	jput_close(&j);
	len = self.line.len - 1;
	line = self.line.buf;
	if (event_scan(&self.ev, line, len) != EVENT_OK)
		abort();
	w->now = 1000 + off;
	conn_data(c, dir, &self.ev, line, len, !(flags & 2), off, p, n, flags & 4 ? 5 : 0);
	lines_check();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct conn_limits limits = { .max_head = 2048 };
	uint64_t off[2] = { 0, 0 };
	struct writer w;
	struct conn c;

	loss_init(&self.loss, "fuzz");
	writer_init(&w, &self.out, &self.loss, 1 << 16);
	w.conn = "1:2:3";
	w.connlen = 5;
	conn_init(&c, &w, &limits, false);
	while (n >= 3) {
		unsigned flags = data[0];
		int dir = flags & 1;
		size_t len = data[1] | (data[2] & 3) << 8;

		data += 3;
		n -= 3;
		len = len < n ? len : n;
		if (flags & 8)
			off[dir] += flags >> 4;
		one(&c, &w, dir, flags, data, len, off[dir]);
		off[dir] += len + (flags & 4 ? 5 : 0);
		data += len;
		n -= len;
	}
	conn_finish(&c, "close", true);
	lines_check();
	if (c.side[0].pending || c.side[1].pending || c.side[0].m.open || c.side[1].m.open ||
	    w.nomem)
		abort();
	conn_free(&c);
	writer_free(&w);
	return 0;
}
