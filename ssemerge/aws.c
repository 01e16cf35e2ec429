/* aws.c - reader of AWS event streams; see aws.h */
#include "ssemerge/aws.h"

#include <string.h>

enum { KEEP = 64 << 10 };	/* a buffer larger than this is freed between messages */

void
aws_init(struct aws *a, struct draft *d, size_t max)
{
	memset(a, 0, sizeof(*a));
	a->d = d;
	a->max = max;
}

void
aws_free(struct aws *a)
{
	draft_drop(a->d, &a->text);
}

/* Takes what is whole from p[0..n); returns how many bytes that was. What is
 * left is less than a prelude, or begins with a good one. */
static size_t
take(struct aws *a, const char *p, size_t n, aws_event_fn *fn, void *arg)
{
	size_t at = 0;

	while (n - at >= AWSEVENT_PRELUDE) {
		size_t total = awsevent_length(p + at);
		struct awsevent e;

		if (!total) {
			a->bad += !a->lost;
			a->lost = true;
			at++;
			continue;
		}
		a->lost = false;
		if (total > a->max + AWSEVENT_LEAST) {
			a->long_events++;
			a->long_bytes += total;
			a->skip = total;
			return at;
		}
		if (n - at < total)
			break;
		if (awsevent_good(p + at, total) && awsevent_read(p + at, total, &e)) {
			fn(arg, &e);
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
			size_t want = held < AWSEVENT_PRELUDE ? AWSEVENT_PRELUDE : awsevent_length(a->text.p);

			k = want - held < n ? want - held : n;
			if (!draft_add(a->d, &a->text, p, k))
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
				draft_drop(a->d, &a->text);
			continue;
		}
		used = take(a, p, n, fn, arg);
		p += used;
		n -= used;
		if (!a->skip) {
			draft_add(a->d, &a->text, p, n);
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
