/*
 * llmparse_rpc.c - any bytes as what a tool server reads and writes, and as
 * what comes over a WebSocket: what is written are event lines, and cutting
 * the bytes elsewhere changes nothing
 *
 * First byte: how long the pieces are. A line that begins with '<' is read by
 * the server, any other written; '!' goes over the WebSocket.
 */
#include "event.h"
#include "jput.h"
#include "line.h"
#include "llmparse/mcp.h"
#include "llmparse/socket.h"
#include "loss.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
	struct mcp *mcp;
	struct sockets *sockets;
	struct line_out *line;
	struct event ev;
};

static void
first(void *arg, const struct event *ev)
{
	(void)arg;
	(void)ev;
}

static void
piece(struct run *r, char kind, const char *p, size_t n)
{
	struct jput j;
	struct mcp_event at = { .ev = &r->ev, .now = 1, .first = first };

	r->line->len = 0;
	jput_open(&j, r->line, kind == '!' ? "ws.message" : "stdio.data");
	jput_uint(&j, "timestamp_ns", 1);
	jput_uint(&j, "pid", 7);
	jput_str(&j, "conn", "c");
	jput_str(&j, "id", "c/1");
	jput_str(&j, "direction", kind == '<' ? "READ" : "WRITE");
	jput_uint(&j, "fd", kind != '<');
	jput_bytes(&j, "data", p, n);
	line_room(r->line, 1);
	r->line->buf[r->line->len++] = '}';
	if (event_scan(&r->ev, r->line->buf, r->line->len) != EVENT_OK)
		abort();
	if (kind == '!')
		sockets_message(r->sockets, &r->ev, 1);
	else
		mcp_stdio(r->mcp, &at);
}

static void
feed(const char *p, size_t n, size_t step, struct line_out *out)
{
	struct line_out line;
	struct loss loss;
	struct caller caller;
	struct run r = { .line = &line };
	/* what is not needed is not made: it takes longer than all else */
	bool socket = memchr(p, '!', n);
	struct mcp_conf mcp = { true, 16, 1 << 16, 1 << 20, 1, out, &loss };
	struct sockets_conf sockets = { 16, 1 << 20, &caller, out, &loss, first, NULL };

	loss_init(&loss, "fuzz");
	line_out_init(&line, -1);
	event_init(&r.ev);
	if (!(r.mcp = mcp_new(&mcp)))
		abort();
	if (socket && (caller_init(&caller, CONTENT_ALL, 16) ||
	    !(r.sockets = sockets_new(&sockets))))
		abort();
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl ? (size_t)(nl - p) + 1 : n;

		for (size_t at = 1; at < len; at += *p == '!' ? len : step)
			piece(&r, *p, p + at, *p != '!' && len - at > step ? step : len - at);
		p += len;
		n -= len;
	}
	mcp_free(r.mcp);
	sockets_free(r.sockets);
	if (socket)
		caller_free(&caller);
	event_free(&r.ev);
	line_out_free(&line);
}

static void
check(const struct line_out *out)
{
	const char *p = out->buf, *end = p + out->len, *nl;
	struct event ev;

	event_init(&ev);
	for (; p < end; p = nl + 1) {
		if (!(nl = memchr(p, '\n', end - p)) || event_scan(&ev, p, nl - p) != EVENT_OK) {
			fprintf(stderr, "no event: %.*s\n", (int)(end - p), p);
			abort();
		}
	}
	event_free(&ev);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct line_out whole, cut;

	if (n < 1)
		return 0;
	line_out_init(&whole, -1);
	line_out_init(&cut, -1);
	feed((const char *)data + 1, n - 1, SIZE_MAX / 2, &whole);
	feed((const char *)data + 1, n - 1, 1 + data[0] % 64, &cut);
	if (!whole.err && !cut.err) {
		check(&whole);
		if (whole.len != cut.len || (whole.len && memcmp(whole.buf, cut.buf, whole.len))) {
			fprintf(stderr, "whole: %.*s\ncut: %.*s\n", (int)whole.len, whole.buf,
			    (int)cut.len, cut.buf);
			abort();
		}
	}
	line_out_free(&whole);
	line_out_free(&cut);
	return 0;
}
