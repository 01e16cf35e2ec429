/* awsevent.c - messages of AWS event streams; see awsevent.h */
#include "awsevent.h"

#include <string.h>
#include <zlib.h>

enum { STRING = 7 };	/* of the kinds of header values */

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint32_t
awsevent_length(const void *prelude)
{
	const unsigned char *p = prelude;
	uint32_t total = be32(p);

	return total >= AWSEVENT_LEAST && be32(p + 4) <= total - AWSEVENT_LEAST && be32(p + 8) == crc32(0, p, 8) ? total : 0;
}

bool
awsevent_good(const void *message, size_t n)
{
	const unsigned char *p = message;

	return be32(p + n - 4) == crc32(0, p, n - 4);
}

/* The length of a header's value, which begins at p with its kind. 0: wrong. */
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

static bool
is(const void *p, size_t n, const char *name)
{
	return n == strlen(name) && !memcmp(p, name, n);
}

static void
string_header(struct awsevent *e, const char *name, size_t n, const char *v, size_t len)
{
	if (is(name, n, ":message-type")) {
		e->exception = is(v, len, "exception") || is(v, len, "error");
	} else if (is(name, n, ":event-type") || is(name, n, ":exception-type") || is(name, n, ":error-code")) {
		e->type = v;
		e->typelen = len;
	} else if (is(name, n, ":error-message")) {
		e->error = v;
		e->errorlen = len;
	}
}

bool
awsevent_read(const void *message, size_t n, struct awsevent *e)
{
	const unsigned char *p = message;
	size_t left = be32(p + 4);

	*e = (struct awsevent){ .payload = (const char *)p + AWSEVENT_PRELUDE + left, .len = n - AWSEVENT_LEAST - left };
	for (p += AWSEVENT_PRELUDE; left;) {
		size_t name = p[0], head = 1 + name, v = head < left ? value_length(p + head, left - head) : 0;

		if (!v || head + v > left)
			return false;
		if (p[head] == STRING)
			string_header(e, (const char *)p + 1, name, (const char *)p + head + 3, v - 3);
		p += head + v;
		left -= head + v;
	}
	return true;
}
