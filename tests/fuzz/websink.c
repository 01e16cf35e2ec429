/* websink.c - a text, again and again until it is long, cut short; and any text as the host of a request */
#include "../../websink/origin.h"
#include "../../websink/preview.h"
#include "event.h"
#include "line.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = 6000 };

/* The short form is an event, shorter than the line, and begins as the text does. */
static void
cut(const uint8_t *p, size_t n)
{
	size_t times = LONG / n + 1, len = 0, cap = times * n + 64;
	char *line = malloc(cap);
	struct line_out out;
	struct event ev, short_ev;

	len += sprintf(line, "{\"type\":\"a.b\",\"data\":\"");
	for (size_t i = 0; i < times; i++, len += n)
		memcpy(line + len, p, n);
	len += sprintf(line + len, "\",\"z\":1}");
	line_out_init(&out, -1);
	event_init(&ev);
	event_init(&short_ev);
	if (event_scan(&ev, line, len) == EVENT_OK && preview_event(&ev, &out)) {
		struct value whole = event_get(&ev, "data"), part;

		if (event_scan(&short_ev, out.buf, out.len) != EVENT_OK || out.len >= len)
			__builtin_trap();
		part = event_get(&short_ev, "data");
		if (whole.n > PREVIEW_VALUE &&
		    (part.n > PREVIEW_KEEP + 2 || memcmp(part.p, whole.p, part.n - 1)))
			__builtin_trap();
	}
	event_free(&short_ev);
	event_free(&ev);
	line_out_free(&out);
	free(line);
}

/* Without the token nothing passes; with it only our own names do. */
static void
ask(const uint8_t *p, size_t n)
{
	static const char *const names[] = { "127.0.0.1", "[::1]" };
	struct origin g = { .port = 7395, .hosts = names, .nhosts = 2 };
	char *text = strndup((const char *)p, n);
	struct origin_request a = { .host = text, .nhost = 1 };

	memset(g.token, 'a', ORIGIN_TOKEN);
	if (origin_check(&g, &a) == ORIGIN_PASS || origin_check(&g, &a) == ORIGIN_EXCHANGE)
		__builtin_trap();
	a.cookie = g.token;
	if (origin_check(&g, &a) == ORIGIN_PASS && strcmp(text, "127.0.0.1:7395") &&
	    strcmp(text, "[::1]:7395"))
		__builtin_trap();
	a = (struct origin_request){ .host = "127.0.0.1:7395", .nhost = 1, .origin = text,
	    .cookie = text, .bearer = text, .token = text };
	if (origin_check(&g, &a) == ORIGIN_PASS)
		__builtin_trap();
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n && n <= 512)
		cut(p, n);
	ask(p, n);
	return 0;
}
