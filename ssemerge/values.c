/* values.c - JSON values one after the other; see values.h */
#include "ssemerge/values.h"

#include "lib/text.h"

#include <string.h>

enum { KEEP = 64 << 10 };	/* a buffer larger than this is freed between values */

void
values_init(struct values *v, struct builder *d, size_t max, bool lines)
{
	memset(v, 0, sizeof(*v));
	v->d = d;
	v->max = max;
	v->lines = lines;
}

void
values_free(struct values *v)
{
	builder_drop(v->d, &v->text);
}

static void
empty(struct values *v)
{
	v->text.n = 0;
	if (v->text.cap > KEEP)
		builder_drop(v->d, &v->text);
}

static void
keep(struct values *v, const char *p, size_t n)
{
	if (v->skip ||
	    (!v->toolong && v->text.n + n <= v->max && builder_add(v->d, &v->text, p, n)))
		return;
	if (!v->toolong)
		v->long_events++;
	v->long_bytes += v->text.n + n;
	v->toolong = true;
	empty(v);
}

/* The end of a value; p[0..n) is its last part. */
static void
give(struct values *v, const char *p, size_t n, values_fn *fn, void *arg)
{
	if (v->text.n || v->toolong || n > v->max) {
		keep(v, p, n);
		p = v->text.p;
		n = v->text.n;
	}
	if (n && !v->skip && !v->toolong)
		fn(arg, p, n);
	v->skip = v->toolong = false;
	empty(v);
}

static bool
is_space(char c)
{
	/* and the record separator of RFC 7464 */
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\x1e';
}

/* Past the space that a line begins with. */
static const char *
past_space(const struct values *v, const char *p, const char *end)
{
	while (p < end && !v->text.n && is_space(*p))
		p++;
	return p;
}

static void
feed_lines(struct values *v, const char *p, const char *end, values_fn *fn, void *arg)
{
	const char *lf;

	for (; (lf = memchr(p, '\n', end - p)); p = lf + 1) {
		p = past_space(v, p, lf);
		give(v, p, lf - p, fn, arg);
	}
	p = past_space(v, p, end);
	if (p < end)
		keep(v, p, end - p);
}

/* One byte between two values. True when a value begins. */
static bool
between(struct values *v, char c)
{
	if (is_space(c))
		return false;
	if (c == '{' || (c == '[' && v->begun)) {
		v->begun = true;
		return true;
	}
	if (c == '[')
		v->begun = v->array = true;
	else if (!v->array || (c != ',' && c != ']'))
		v->unexpected++;
	return false;
}

/* The end of the value that is open at p, NULL when it is not here. */
static const char *
find_end(struct values *v, const char *p, const char *end)
{
	while (p < end) {
		if (v->escape) {
			v->escape = false;
			p++;
		} else if (v->string) {
			p = (const char *)text_plain((const unsigned char *)p,
			    (const unsigned char *)end);
			if (p == end)
				break;
			v->escape = *p == '\\';
			v->string = *p++ != '"';
		} else {
			v->string = *p == '"';
			v->depth += *p == '{' || *p == '[';
			v->depth -= *p == '}' || *p == ']';
			p++;
			if (!v->depth)
				return p;
		}
	}
	return NULL;
}

void
values_feed(struct values *v, const void *data, size_t n, values_fn *fn, void *arg)
{
	const char *p = data, *end = p + n, *to;

	if (v->lost) {
		v->unexpected += n;
		return;
	}
	if (v->lines) {
		feed_lines(v, p, end, fn, arg);
		return;
	}
	while (p < end) {
		if (!v->depth && !between(v, *p)) {
			p++;
			continue;
		}
		if (!(to = find_end(v, p, end))) {
			keep(v, p, end - p);
			return;
		}
		give(v, p, to - p, fn, arg);
		p = to;
	}
}

void
values_end(struct values *v, values_fn *fn, void *arg)
{
	give(v, "", 0, fn, arg);
	v->depth = 0;
	v->string = v->escape = false;
}

void
values_hole(struct values *v)
{
	empty(v);
	v->string = v->escape = false;
	v->depth = 0;
	v->toolong = false;
	v->skip = v->lines;	/* the rest of the line that the hole ends in */
	v->lost = !v->lines;
}
