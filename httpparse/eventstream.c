/* eventstream.c - AWS event streams; see eventstream.h */
#include "eventstream.h"

#include <string.h>
#include <zlib.h>

enum { PRELUDE = 12, LEAST = 16, KEEP = 8 << 10, STRING = 7 };

void
eventstream_init(struct eventstream *e, size_t max)
{
	*e = (struct eventstream){ .max = max };
}

void
eventstream_free(struct eventstream *e)
{
	bytes_free(&e->buf);
}

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The length of a header's value, which begins at p with its type. 0: wrong. */
static size_t
value_length(const unsigned char *p, size_t n)
{
	static const unsigned char fixed[] = { 1, 1, 2, 3, 5, 9, 0, 0, 9, 17 };

	if (!n || *p >= sizeof(fixed))
		return 0;
	if (fixed[*p])
		return fixed[*p];
	return n >= 3 ? 3 + (size_t)(p[1] << 8 | p[2]) : 0;
}

static void
type_find(struct eventstream_event *ev, const unsigned char *p, size_t n)
{
	static const char *const name[] = { ":event-type", ":exception-type", ":error-code" };

	while (n) {
		size_t len = 1 + p[0], v = len < n ? value_length(p + len, n - len) : 0;

		if (!v || len + v > n)
			return;
		for (size_t i = 0; i < 3; i++)
			if (p[0] == strlen(name[i]) && !memcmp(p + 1, name[i], p[0]) &&
			    p[len] == STRING) {
				ev->type = (const char *)p + len + 3;
				ev->typelen = v - 3;
			}
		p += len + v;
		n -= len + v;
	}
}

/* The length of the message at p; 0: more bytes are needed; -1: it is none. */
static int64_t
message_length(const struct eventstream *e, const unsigned char *p, size_t n)
{
	uint32_t total, head;

	if (n < PRELUDE)
		return 0;
	total = be32(p);
	head = be32(p + 4);
	if (total < LEAST || total > e->max || head > total - LEAST ||
	    be32(p + 8) != crc32(0, p, 8))
		return -1;
	if (n < total)
		return 0;
	return be32(p + total - 4) == crc32(0, p, total - 4) ? (int64_t)total : -1;
}

/* Gives the messages in p[0..n); returns how many bytes they were, -1: stop. */
static int64_t
messages(struct eventstream *e, const unsigned char *p, size_t n, eventstream_fn *fn, void *arg)
{
	size_t at = 0;
	int64_t len;

	while (!e->broken && (len = message_length(e, p + at, n - at))) {
		struct eventstream_event ev = { .p = (const char *)p + at, .n = len, .good = true };

		if (len < 0) {
			e->broken = true;
			e->bad++;
			break;
		}
		type_find(&ev, p + at + PRELUDE, be32(p + at + 4));
		if (fn(arg, &ev))
			return -1;
		at += len;
	}
	if (e->broken && at < n) {
		struct eventstream_event ev = { .p = (const char *)p + at, .n = n - at };

		if (fn(arg, &ev))
			return -1;
		at = n;
	}
	return at;
}

int
eventstream_feed(struct eventstream *e, const void *p, size_t n, eventstream_fn *fn, void *arg)
{
	int64_t used;

	if (!e->buf.n) {
		if ((used = messages(e, p, n, fn, arg)) < 0)
			return -1;
		return bytes_add(&e->buf, (const char *)p + used, n - used);
	}
	if (bytes_add(&e->buf, p, n) ||
	    (used = messages(e, (unsigned char *)e->buf.p, e->buf.n, fn, arg)) < 0)
		return -1;
	bytes_shift(&e->buf, used);
	if (!e->buf.n)
		bytes_reset(&e->buf, KEEP);
	return 0;
}

int
eventstream_end(struct eventstream *e, eventstream_fn *fn, void *arg)
{
	struct eventstream_event ev = { .p = e->buf.p, .n = e->buf.n };
	int rc = e->buf.n ? fn(arg, &ev) : 0;

	e->buf.n = 0;
	return rc;
}
