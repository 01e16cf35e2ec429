/* inner.c - see inner.h */
#include "inner.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* The bytes of a group of n letters. */
static size_t
put_group(char *to, const char *letters, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v = v << 6 | (i < n ? (uint32_t)digit(letters[i]) : 0);
	to[0] = v >> 16;
	to[1] = v >> 8;
	to[2] = v;
	return n < 2 ? 0 : n - 1;
}

struct inner *
inner_new(const char *s, size_t from, size_t end, bool last, struct inner_rest *rest,
    struct plain *plain)
{
	struct inner *in = calloc(1, sizeof(*in));
	size_t i = from;

	if (!in || !(in->p = malloc((end - from) / 4 * 3 + 8))) {
		free(in);
		return NULL;
	}
	in->refs = 1;
	in->last = last;
	if ((in->plain = plain))
		plain->refs++;
	if (rest->n) {
		while (rest->n < 4 && i < end && digit(s[i]) >= 0)
			rest->letter[rest->n++] = s[i++];
		if (rest->n == 4 || i < end || last) {
			in->n = in->lead = put_group(in->p, rest->letter, rest->n);
			rest->n = 0;
		}
	}
	in->from = i;
	while (i < end && digit(s[i]) >= 0) {
		unsigned k = 0;

		while (k < 4 && i + k < end && digit(s[i + k]) >= 0)
			k++;
		if (k < 4 && i + k == end && !last) {	/* the rest is in the next piece */
			memcpy(rest->letter, s + i, k);
			rest->n = k;
			break;
		}
		in->n += put_group(in->p + in->n, s + i, k);
		i += k;
		if (k < 4)
			break;
	}
	while (i < end && s[i] == '=' && (i - in->from) % 4)
		i++;
	in->end = i;
	return in;
}

void
inner_unref(struct inner *in)
{
	if (!in || --in->refs)
		return;
	plain_unref(in->plain);
	free(in->p);
	free(in);
}

bool
inner_edit(const struct inner *in, size_t a, size_t b, struct edit *e)
{
	size_t first, last;

	if (a < in->lead)
		a = in->lead;
	if (a >= b)
		return false;
	first = (a - in->lead) / 3;
	last = (b - in->lead + 2) / 3;
	e->base64 = true;
	e->nlead = a - in->lead - 3 * first;
	memcpy(e->lead, in->p + a - e->nlead, e->nlead);
	e->ntrail = in->lead + 3 * last > in->n ? in->n - b : in->lead + 3 * last - b;
	memcpy(e->trail, in->p + b, e->ntrail);
	e->quote = -1;
	a = in->from + 4 * first;
	b = in->from + 4 * last;
	if (b >= in->end) {
		b = in->end;
		e->open = in->last;	/* nothing follows that must stay in its groups */
	}
	e->at = in->base + (in->plain ? plain_from(in->plain, a) : a);
	e->end = in->base + (in->plain ? plain_from(in->plain, b) : b);
	return true;
}
