/* endmark.c - the end of model APIs' event streams; see endmark.h */
#include "endmark.h"

#include <string.h>

static bool
line_is(const struct endmark *e, const char *field, const char *value)
{
	size_t f = strlen(field), v = strlen(value), at = f + (e->n > f && e->line[f] == ' ');

	return e->n == at + v && !memcmp(e->line, field, f) && !memcmp(e->line + at, value, v);
}

static void
line_end(struct endmark *e)
{
	static const char *const event[] = { "message_stop", "response.completed",
		"response.incomplete",
		"response.failed", "message-end" };

	if (!e->n) {
		e->over |= e->last;
		return;
	}
	e->over |= line_is(e, "data:", "[DONE]");
	for (size_t i = 0; i < sizeof(event) / sizeof(*event); i++)
		e->last |= line_is(e, "event:", event[i]);
}

enum { LOOK = 8 };

/* By its first LOOK bytes: can the line be one of these? Nearly none can. */
static bool
line_may(const struct endmark *e)
{
	const char *p = e->line + (*e->line == 'd' ? 5 : 6);

	p += *p == ' ';
	return *e->line == 'd' ? *p == '[' : *p == 'm' || *p == 'r';
}

/* The first line end in [p, end), or end. */
static const char *
line_rest(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', end - p), *cr;

	nl = nl ? nl : end;
	cr = memchr(p, '\r', nl - p);
	return cr ? cr : nl;
}

void
endmark_feed(struct endmark *e, const char *p, size_t n)
{
	for (const char *end = p + n; p < end && !e->over; p++) {
		bool crlf;

		if (e->n == sizeof(e->line) && (p = line_rest(p, end)) == end)
			return;
		crlf = *p == '\n' && e->cr;

		e->cr = *p == '\r';
		if (crlf)
			continue;
		if (*p == '\n' || *p == '\r') {
			if (e->n < sizeof(e->line))
				line_end(e);
			e->n = 0;
		} else {
			e->line[e->n++] = *p;
		}
		if (e->n == LOOK && !line_may(e))
			e->n = sizeof(e->line);
	}
}
