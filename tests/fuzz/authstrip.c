/*
 * authstrip.c - whatever comes in, a planted token does not come out, what comes
 * out is events, and a second run changes nothing
 *
 * The first byte says how the rest is dressed: as a value of an event, as one or
 * two pieces of a connection, or as the line itself. The next two say where a
 * token is planted and where it is cut.
 */
#include "../../authstrip/strip.h"

#include "event.h"
#include "jput.h"
#include "line.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 4096 };

static const char token[] = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
static struct rules rules;
static struct strip_conf conf;

static void
must(int good, const char *what, const struct line_out *in, const struct line_out *out)
{
	if (good)
		return;
	fprintf(stderr, "%s\n<< ", what);
	fwrite(in->buf, 1, in->len, stderr);
	fprintf(stderr, ">> ");
	fwrite(out->buf, 1, out->len, stderr);
	abort();
}

static void
piece(void *arg, const char *p, size_t n, bool last)
{
	line_piece(arg, p, n, last);
}

static void
lost(void *arg, size_t n)
{
	(void)arg;
	(void)n;
	abort();
}

/* All lines of in through authstrip, into out. */
static void
strip_all(const struct line_out *in, struct line_out *out)
{
	struct strip *s;
	struct event ev;
	const char *p = in->buf, *end = p + in->len, *nl;

	line_out_init(out, -1);
	conf.arg = out;
	s = strip_new(&conf);
	event_init(&ev);
	for (; p < end; p = nl + 1) {
		size_t n = (nl = memchr(p, '\n', end - p)) - p, len;

		if (event_scan(&ev, p, n) != EVENT_OK) {
			const char *t = strip_text(s, p, n, true, &len);

			line_piece(out, t, len, true);
			continue;
		}
		switch (strip_event(s, &ev, event_time(&ev))) {
		case STRIP_SAME: line_put(out, p, n); break;
		case STRIP_CHANGED: event_write(&ev, out); break;
		case STRIP_PENDING: break;
		case STRIP_LOST: abort();
		}
	}
	strip_end(s);
	strip_free(s);
	event_free(&ev);
}

/* The bytes of all lines' data, one after another. */
static size_t
all_data(const struct line_out *o, char *to)
{
	struct event ev;
	const char *p = o->buf, *end = p + o->len, *nl, *bytes;
	size_t n, k = 0;

	event_init(&ev);
	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', end - p);
		if (event_scan(&ev, p, nl - p) == EVENT_OK &&
		    (bytes = event_bytes(&ev, "data", &n))) {
			memcpy(to + k, bytes, n);
			k += n;
		}
	}
	event_free(&ev);
	return k;
}

static void
put_piece(struct line_out *o, const char *type, unsigned n, size_t off, const void *p, size_t len)
{
	struct jput j;

	jput_open(&j, o, type);
	jput_uint(&j, "timestamp_ns", 1000 + n);
	jput_str(&j, "conn", "c");
	jput_str(&j, "id", "c/1");
	jput_str(&j, "function", "WRITE/SEND");
	jput_uint(&j, "seq", n);
	jput_uint(&j, "off", off);
	jput_uint(&j, "len", len);
	jput_bytes(&j, "data", p, len);
	jput_close(&j);
}

static bool
is_event(const struct line_out *o)
{
	struct event ev;
	bool yes;

	event_init(&ev);
	yes = event_scan(&ev, o->buf, o->len - 1) == EVENT_OK;
	event_free(&ev);
	return yes;
}

/* Whether a second run has to change nothing. Not where "curl" may stand so far
 * before -u that a piece does not show it, nor where bytes may look like frames
 * of HTTP/2 until they are redacted, nor for a line that became an event. */
static bool
settled(const struct line_out *in, const struct line_out *once, bool pieces)
{
	static char data[16 * MAX];

	return pieces ? !memmem(data, all_data(in, data), "curl", 4) &&
	    !event_type_is(in->buf, in->len, "ssl.data") : is_event(in) == is_event(once);
}

static void
check(const struct line_out *in, bool pieces, bool events)
{
	struct line_out once, twice;
	struct event ev;
	static char data[16 * MAX];
	const char *p, *nl;
	size_t n = 0;

	strip_all(in, &once);
	strip_all(&once, &twice);
	must(once.lines == in->lines, "another number of lines", in, &once);
	must(!settled(in, &once, pieces) ||
	    (once.len == twice.len && !memcmp(once.buf, twice.buf, once.len)),
	    "a second run changes it", &once, &twice);
	must(!memmem(once.buf, once.len, token + 4, 20), "the token is still there", in, &once);
	event_init(&ev);
	for (p = once.buf; events && p < once.buf + once.len; p = nl + 1) {
		nl = memchr(p, '\n', once.buf + once.len - p);
		must(event_scan(&ev, p, nl - p) == EVENT_OK, "it is no event any more", in, &once);
	}
	event_free(&ev);
	n = all_data(&once, data);
	must(!memmem(data, n, token + strlen(token) - 20, 20), "the token is still in its data", in,
	    &once);
	line_out_free(&once);
	line_out_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char text[MAX + sizeof(token) + 2];
	struct line_out in;
	size_t at, cut, len;
	unsigned how;
	struct jput j;

	if (!rules.n) {
		if (rules_init(&rules))
			abort();
		if (rules_ready(&rules))
			abort();
		conf = (struct strip_conf){ .rules = &rules, .hold_ns = 1000000000,
		    .hold_bytes = 1 << 20, .streams = 8, .piece = piece, .lost = lost };
	}
	/* a fuzzer learns the token */
	if (n < 3 || n > MAX || memmem(p + 3, n - 3, token + 10, 8) ||
	    memmem(p + 3, n - 3, token + 30, 8))
		return 0;
	how = p[0];
	at = p[1] * (n - 3) / 255;
	memcpy(text, p + 3, at);
	len = at;
	text[len++] = ' ';
	memcpy(text + len, token, sizeof(token) - 1);
	len += sizeof(token) - 1;
	text[len++] = ' ';
	memcpy(text + len, p + 3 + at, n - 3 - at);
	len += n - 3 - at;
	cut = how & 8 ? at + 1 + p[2] % sizeof(token) : p[2] * len / 255;
	line_out_init(&in, -1);
	switch (how % 4) {
	case 0:
		jput_open(&j, &in, "x.y");
		jput_bytes(&j, "t", text, len);
		jput_close(&j);
		break;
	case 1:
		put_piece(&in, "ssl.data", 0, 0, text, cut);
		put_piece(&in, "ssl.data", 1, cut, text + cut, len - cut);
		break;
	case 2:
		put_piece(&in, "http.body", 0, 0, text, cut);
		put_piece(&in, "http.body", 1, cut, text + cut, len - cut);
		break;
	case 3:
		for (size_t i = 0; i < len; i++)
			if (text[i] == '\n')
				text[i] = ' ';
		line_put(&in, text, len);
		break;
	}
	check(&in, how % 4 == 1 || how % 4 == 2, how % 4 != 3);
	line_out_free(&in);
	return 0;
}
