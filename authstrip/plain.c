/* plain.c - see plain.h */
#include "plain.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

static int
step(struct plain *p, size_t from)
{
	if (p->nstep == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64;
		struct plain_step *v = realloc(p->step, cap * sizeof(*v));

		if (!v)
			return -1;
		p->step = v;
		p->cap = cap;
	}
	p->step[p->nstep++] = (struct plain_step){ p->n, from };
	return 0;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The printable ASCII that s[0..n), behind the backslashes, stands for; 0: none.
 * A backslash stays as it is: it would change the level of what follows. */
static int
hidden(const char *s, size_t n, size_t *len)
{
	int c;

	*len = 1;
	if (n && s[0] == '/')
		return '/';
	*len = 5;
	if (n < 5 || s[0] != 'u' || s[1] != '0' || s[2] != '0' || hex(s[3]) < 2 || hex(s[3]) > 7 ||
	    hex(s[4]) < 0)
		return 0;
	c = hex(s[3]) << 4 | hex(s[4]);
	return c == 0x7f || c == '\\' ? 0 : c;
}

/* Adds s[i..i+n), with escapes where they are bytes. -1: out of memory. */
static int
put(struct plain *p, const char *s, size_t i, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	static const char letter[128] = { ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };

	if (!p->bytes) {
		memcpy(p->s + p->n, s + i, n);
		p->n += n;
		return 0;
	}
	for (size_t end = i + n; i < end; i++) {
		size_t run = text_copy_plain((unsigned char *)p->s + p->n,
		    (const unsigned char *)s + i, (const unsigned char *)s + end);
		unsigned char c;

		p->n += run;
		if ((i += run) == end)
			break;
		c = s[i];
		if (c >= 0x80) {
			p->s[p->n++] = c;
			continue;
		}
		p->s[p->n++] = '\\';
		if (c == '"' || c == '\\' || letter[c]) {
			p->s[p->n++] = c < ' ' ? letter[c] : c;
		} else {
			memcpy(p->s + p->n, "u00", 3);
			p->s[p->n + 3] = digit[c >> 4];
			p->s[p->n + 4] = digit[c & 15];
			p->n += 5;
		}
		if (step(p, i + 1))
			return -1;
	}
	return 0;
}

int
plain_make(struct plain *p, const char *s, size_t n, bool bytes)
{
	char *to = n < UINT32_MAX / 6 ? realloc(p->s, bytes ? 6 * n + 1 : n + 1) : NULL;
	size_t i = 0, k, len;

	if (!to)
		return -1;
	p->s = to;
	p->n = p->nstep = 0;
	p->bytes = bytes;
	if (step(p, 0))
		return -1;
	while (i < n) {
		const char *b = memchr(s + i, '\\', n - i);
		size_t at = b ? (size_t)(b - s) : n;
		int c;

		if (put(p, s, i, at - i))
			return -1;
		if ((i = at) == n)
			break;
		for (k = 0; i + k < n && s[i + k] == '\\'; k++)
			;
		c = hidden(s + i + k, n - i - k, &len);
		/* a hidden quote is an escaped one */
		if (!c || c == '"') {
			if (put(p, s, i, k))
				return -1;
			i += k;
		}
		if (c) {
			if (bytes && c == '"')
				p->s[p->n++] = '\\';
			p->s[p->n++] = c;
			i += c == '"' ? len : k + len;
			if (step(p, i))
				return -1;
		} else if (i < n) {
			if (put(p, s, i++, 1))	/* what is escaped */
				return -1;
		}
	}
	return 0;
}

void
plain_free(struct plain *p)
{
	free(p->s);
	free(p->step);
	memset(p, 0, sizeof(*p));
}

void
plain_unref(struct plain *p)
{
	if (p && --p->refs == 0) {
		plain_free(p);
		free(p);
	}
}

size_t
plain_from(const struct plain *p, size_t i)
{
	size_t lo = 0, hi = p->nstep;

	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (p->step[mid].at <= i)
			lo = mid;
		else
			hi = mid;
	}
	return p->step[lo].from + (i - p->step[lo].at);
}
