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
	static const char *const event[] = { "message_stop", "response.completed", "response.incomplete",
		"response.failed", "message-end" };

	if (!e->n)
		e->over |= e->last;
	e->over |= line_is(e, "data:", "[DONE]");
	for (size_t i = 0; i < sizeof(event) / sizeof(*event); i++)
		e->last |= line_is(e, "event:", event[i]);
	e->n = 0;
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
		if (e->n == sizeof(e->line) && (p = line_rest(p, end)) == end)
			return;
		if (*p == '\n' && e->cr) {
			e->cr = false;
			continue;
		}
		e->cr = *p == '\r';
		if (*p == '\n' || *p == '\r')
			line_end(e);
		else if (e->n < sizeof(e->line))
			e->line[e->n++] = *p;
	}
}
