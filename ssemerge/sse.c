/* sse.c - reader of event streams; see sse.h */
#include "ssemerge/sse.h"

#include <string.h>

enum {
	BOM_DONE = 4,
	FIELD = 16,		/* a line is longer than its data by this at most */
	KEEP = 64 << 10,	/* buffers larger than this are freed between events */
};

void
sse_init(struct sse *s, struct builder *d, size_t max)
{
	memset(s, 0, sizeof(*s));
	s->d = d;
	s->max = max;
}

void
sse_free(struct sse *s)
{
	builder_drop(s->d, &s->line);
	builder_drop(s->d, &s->data);
	builder_drop(s->d, &s->name);
	builder_drop(s->d, &s->id);
}

static void
empty(struct sse *s, struct text *t)
{
	t->n = 0;
	if (t->cap > KEEP)
		builder_drop(s->d, t);
}

/* Gives up on the event that is open, for its size. */
static void
too_long(struct sse *s, size_t n)
{
	if (!s->toolong)
		s->long_events++;
	s->long_bytes += s->data.n + n;
	s->toolong = true;
	empty(s, &s->data);
}

static void
dispatch(struct sse *s, sse_event_fn *fn, void *arg)
{
	if (s->hasdata && !s->skip && !s->toolong) {
		struct sse_event e = { s->name.p ? s->name.p : "", s->name.n,
		    s->id.p ? s->id.p : "", s->id.n, s->data.p ? s->data.p : "", s->data.n };

		fn(arg, &e);
	}
	empty(s, &s->data);
	empty(s, &s->name);
	s->hasdata = s->skip = s->toolong = false;
}

static void
add_data(struct sse *s, const char *p, size_t n)
{
	size_t room = s->data.n < s->max ? s->max - s->data.n : 0;
	bool join = s->hasdata;

	if (s->skip)
		return;
	s->hasdata = true;
	if (s->toolong || n + join > room ||
	    (join && !builder_add(s->d, &s->data, "\n", 1)) || !builder_add(s->d, &s->data, p, n))
		too_long(s, n);
}

static void
take_line(struct sse *s, const char *p, size_t n, sse_event_fn *fn, void *arg)
{
	const char *colon, *value;
	size_t name, len;

	if (!n) {
		dispatch(s, fn, arg);
		return;
	}
	colon = n > 4 && p[4] == ':' && *p == 'd' ? p + 4 : memchr(p, ':', n);
	name = colon ? (size_t)(colon - p) : n;
	value = colon ? colon + 1 : p + n;
	if (value < p + n && *value == ' ')
		value++;
	len = p + n - value;
	if (name == 4 && !memcmp(p, "data", 4)) {
		add_data(s, value, len);
	} else if (name == 5 && !memcmp(p, "event", 5)) {
		s->name.n = 0;
		builder_add(s->d, &s->name, value, len);
	} else if (name == 2 && !memcmp(p, "id", 2) && !memchr(value, '\0', len)) {
		s->id.n = 0;
		builder_add(s->d, &s->id, value, len);
	}
}

/* The BOM may be cut as well; bytes that only began like one are a line's. */
static size_t
skip_bom(struct sse *s, const char *p, size_t n)
{
	static const char bom[] = "\xef\xbb\xbf";
	size_t i = 0;

	while (i < n && s->bom < 3 && p[i] == bom[s->bom]) {
		s->bom++;
		i++;
	}
	if (s->bom < 3 && i < n) {
		builder_add(s->d, &s->line, bom, s->bom);
		s->bom = BOM_DONE;
	} else if (s->bom == 3) {
		s->bom = BOM_DONE;
	}
	return i;
}

/* Part of a line; its end has not come. */
static void
keep(struct sse *s, const char *p, size_t n)
{
	if (s->longline || s->line.n + n > s->max + FIELD || !builder_add(s->d, &s->line, p, n)) {
		too_long(s, s->line.n + n);
		empty(s, &s->line);
		s->longline = true;
	}
}

static void
end_line(struct sse *s, const char *p, size_t n, sse_event_fn *fn, void *arg)
{
	if (s->longline) {
		s->long_bytes += n;
		s->longline = false;
	} else if (!s->line.n && n <= s->max + FIELD) {
		take_line(s, p, n, fn, arg);
	} else {
		keep(s, p, n);
		if (!s->longline)
			take_line(s, s->line.p, s->line.n, fn, arg);
		s->longline = false;
		empty(s, &s->line);
	}
}

void
sse_feed(struct sse *s, const void *data, size_t n, sse_event_fn *fn, void *arg)
{
	const char *p = data, *end = p + n, *lf, *cr;
	bool crs = memchr(p, '\r', n);

	if (s->bom != BOM_DONE)
		p += skip_bom(s, p, n);
	if (n && s->cr) {
		p += *p == '\n';
		s->cr = false;
	}
	while (p < end) {
		lf = memchr(p, '\n', end - p);
		cr = crs ? memchr(p, '\r', (lf ? lf : end) - p) : NULL;
		if (!lf && !cr) {
			keep(s, p, end - p);
			return;
		}
		end_line(s, p, (cr ? cr : lf) - p, fn, arg);
		p = (cr ? cr : lf) + 1;
		if (cr && p < end && *p == '\n')
			p++;
		else if (cr && p == end)
			s->cr = true;
	}
}

void
sse_end(struct sse *s, sse_event_fn *fn, void *arg)
{
	if (s->bom && s->bom < 3)
		skip_bom(s, "", 1);
	if (s->line.n || s->longline)
		end_line(s, "", 0, fn, arg);
	dispatch(s, fn, arg);
}

void
sse_hole(struct sse *s)
{
	empty(s, &s->line);
	empty(s, &s->data);
	empty(s, &s->name);
	s->hasdata = s->cr = s->longline = s->toolong = false;
	s->bom = BOM_DONE;
	s->skip = true;
}
