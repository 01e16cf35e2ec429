/* eventstream.c - AWS event streams; see eventstream.h */
#include "eventstream.h"

#include "awsevent.h"

enum { KEEP = 8 << 10 };

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

/* The length of the message at p; 0: more bytes are needed; -1: it is none. */
static int64_t
message_length(const struct eventstream *e, const char *p, size_t n)
{
	uint32_t total;

	if (n < AWSEVENT_PRELUDE)
		return 0;
	total = awsevent_length(p);
	if (!total || total > e->max)
		return -1;
	if (n < total)
		return 0;
	return awsevent_good(p, total) ? (int64_t)total : -1;
}

/* Gives the messages in p[0..n); returns how many bytes they were, -1: stop. */
static int64_t
messages(struct eventstream *e, const char *p, size_t n, eventstream_fn *fn, void *arg)
{
	size_t at = 0;
	int64_t len;

	while (!e->broken && (len = message_length(e, p + at, n - at))) {
		struct eventstream_event ev = { .p = p + at, .n = len, .good = true };
		struct awsevent says;

		if (len < 0) {
			e->broken = true;
			e->bad++;
			break;
		}
		awsevent_read(ev.p, ev.n, &says);
		ev.type = says.type;
		ev.typelen = says.typelen;
		if (fn(arg, &ev))
			return -1;
		at += len;
	}
	if (e->broken && at < n) {
		struct eventstream_event ev = { .p = p + at, .n = n - at };

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
	if (bytes_add(&e->buf, p, n) || (used = messages(e, e->buf.p, e->buf.n, fn, arg)) < 0)
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
