/* aws.c - reader of AWS event streams; see aws.h */
#include "ssemerge/aws.h"

#include <string.h>

enum {
	PRELUDE = 12,		/* two lengths and their CRC */
	LEAST = PRELUDE + 4,	/* a message without headers and payload */
	KEEP = 64 << 10,	/* a buffer larger than this is freed between messages */
};

uint32_t
aws_crc32(const void *data, size_t n)
{
	static uint32_t table[256];
	const unsigned char *p = data;
	uint32_t c = 0xffffffff;

	if (!table[1])
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t v = i;

			for (int k = 0; k < 8; k++)
				v = v & 1 ? v >> 1 ^ 0xedb88320 : v >> 1;
			table[i] = v;
		}
	while (n--)
		c = table[(c ^ *p++) & 255] ^ c >> 8;
	return ~c;
}

static uint32_t
be32(const void *data)
{
	const unsigned char *p = data;

	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

void
aws_init(struct aws *a, struct builder *d, size_t max)
{
	memset(a, 0, sizeof(*a));
	a->d = d;
	a->max = max;
}

void
aws_free(struct aws *a)
{
	builder_drop(a->d, &a->text);
}

/* The length of the value at p of a header type, -1 when it is none. */
static long
value_len(unsigned type, const unsigned char *p, size_t n, size_t *skip)
{
	static const signed char fixed[] = { 0, 0, 1, 2, 4, 8, -1, -1, 8, 16 };

	*skip = 0;
	if (type >= sizeof(fixed))
		return -1;
	if (fixed[type] >= 0)
		return (size_t)fixed[type] <= n ? fixed[type] : -1;
	*skip = 2;
	if (n < 2 || (size_t)(p[0] << 8 | p[1]) > n - 2)
		return -1;
	return p[0] << 8 | p[1];
}

static bool
is(const unsigned char *p, size_t n, const char *name)
{
	return n == strlen(name) && !memcmp(p, name, n);
}

/* Reads headers p[0..n) into e; false when they are broken. */
static bool
headers(struct aws_event *e, const unsigned char *p, size_t n)
{
	const unsigned char *end = p + n;

	while (p < end) {
		size_t name = *p, skip;
		const unsigned char *key = p + 1, *v = key + name + 1;
		long len;

		if ((size_t)(end - p) < name + 2)
			return false;
		if ((len = value_len(key[name], v, end - v, &skip)) < 0)
			return false;
		v += skip;
		if (key[name] == 7 && is(key, name, ":message-type")) {
			e->exception = is(v, len, "exception") || is(v, len, "error");
		} else if (key[name] == 7 && (is(key, name, ":event-type") ||
		    is(key, name, ":exception-type") || is(key, name, ":error-code"))) {
			e->type = (const char *)v;
			e->typelen = len;
		} else if (key[name] == 7 && is(key, name, ":error-message")) {
			e->error = (const char *)v;
			e->errorlen = len;
		}
		p = v + len;
	}
	return true;
}

/* Whether a message may begin at p. */
static bool
prelude_good(const char *p)
{
	uint32_t total = be32(p);

	return total >= LEAST && be32(p + 4) <= total - LEAST && be32(p + 8) == aws_crc32(p, 8);
}

static bool
message(const char *p, size_t n, aws_event_fn *fn, void *arg)
{
	struct aws_event e = { .type = "", .error = "" };
	size_t head = be32(p + 4);

	if (be32(p + n - 4) != aws_crc32(p, n - 4) ||
	    !headers(&e, (const unsigned char *)p + PRELUDE, head))
		return false;
	e.payload = p + PRELUDE + head;
	e.len = n - LEAST - head;
	fn(arg, &e);
	return true;
}

/* Takes what is whole from p[0..n); returns how many bytes that was. What is
 * left is less than a prelude, or begins with a good one. */
static size_t
take(struct aws *a, const char *p, size_t n, aws_event_fn *fn, void *arg)
{
	size_t at = 0;

	while (n - at >= PRELUDE) {
		size_t total = be32(p + at);

		if (!prelude_good(p + at)) {
			a->bad += !a->lost;
			a->lost = true;
			at++;
			continue;
		}
		a->lost = false;
		if (total > a->max + LEAST) {
			a->long_events++;
			a->long_bytes += total;
			a->skip = total;
			return at;
		}
		if (n - at < total)
			break;
		if (message(p + at, total, fn, arg)) {
			at += total;
		} else {
			a->bad++;
			a->lost = true;
			at++;
		}
	}
	return at;
}

void
aws_feed(struct aws *a, const void *data, size_t n, aws_event_fn *fn, void *arg)
{
	const char *p = data;

	while (n) {
		size_t k = a->skip < n ? a->skip : n, held = a->text.n, used;

		if (k) {
			a->skip -= k;
			p += k;
			n -= k;
			continue;
		}
		if (held) {	/* up to what the message needs */
			size_t want = held < PRELUDE ? PRELUDE : be32(a->text.p);

			k = want - held < n ? want - held : n;
			if (!builder_add(a->d, &a->text, p, k))
				return;
			p += k;
			n -= k;
			used = take(a, a->text.p, a->text.n, fn, arg);
			memmove(a->text.p, a->text.p + used, a->text.n - used);
			a->text.n -= used;
			if (a->skip) {	/* it begins with what is held */
				a->skip -= a->text.n < a->skip ? a->text.n : a->skip;
				a->text.n = 0;
			}
			if (!a->text.n && a->text.cap > KEEP)
				builder_drop(a->d, &a->text);
			continue;
		}
		used = take(a, p, n, fn, arg);
		p += used;
		n -= used;
		if (!a->skip) {
			builder_add(a->d, &a->text, p, n);
			return;
		}
	}
}

void
aws_hole(struct aws *a)
{
	a->text.n = 0;
	a->skip = 0;
	a->lost = true;
}
