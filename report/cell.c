/* cell.c - see cell.h */
#include "cell.h"

#include "line.h"
#include "text.h"

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

static const char ellipsis[] = "\xe2\x80\xa6";

void
cell_init(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
}

/* The character at p and how many bytes it has; 0: no UTF-8. */
static size_t
decode(const unsigned char *p, const unsigned char *end, unsigned *c)
{
	size_t n = text_utf8(p, end);

	*c = n == 1 ? p[0] : n == 2 ? p[0] & 0x1f : n == 3 ? p[0] & 0x0f : p[0] & 0x07;
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | (p[i] & 0x3f);
	return n;
}

/* Marks that turn the direction, separators of lines, and what is never seen. */
static bool
is_hidden(unsigned c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0x061c || c == 0x180e || c == 0x200b ||
	    c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	    (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* One character as it is shown: its bytes in to[16], how many columns they take in *w;
 * moves *p behind it. Returns the number of bytes. */
static size_t
show(const unsigned char **p, const unsigned char *end, char to[16], size_t *w)
{
	unsigned c = **p;
	size_t n;
	int k;

	if (c >= ' ' && c < 0x7f) {
		to[0] = c;
		(*p)++;
		*w = 1;
		return 1;
	}
	if (c < 0x80 || !(n = decode(*p, end, &c))) {
		return *w = sprintf(to, "\\x%02x", *(*p)++);
	}
	if (is_hidden(c)) {
		*p += n;
		return *w = sprintf(to, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
	}
	memcpy(to, *p, n);
	*p += n;
	k = wcwidth(c);
	*w = k >= 0 ? k : c >= 0x1f000 ? 2 : 1;	/* newer than the library */
	return n;
}

size_t
cell_width(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;
	size_t sum = 0, w;
	char to[16];

	for (; p < end; sum += w)
		show(&p, end, to, &w);
	return sum;
}

size_t
cell_put(struct line_out *out, const char *s, size_t n, size_t max)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;
	size_t sum = 0, kept = 0, mark = out->len, w;
	char to[16];

	for (; p < end; sum += w) {
		size_t k = show(&p, end, to, &w);

		if (max && sum + w > max) {	/* back to where the ellipsis fits */
			out->len = mark;
			line_add(out, ellipsis, sizeof(ellipsis) - 1);
			return kept + 1;
		}
		line_add(out, to, k);
		if (max && sum + w < max) {
			mark = out->len;
			kept = sum + w;
		}
	}
	return sum;
}

size_t
cell_line(const char *s, size_t n, size_t max)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n, *from = p, *blank = NULL;
	size_t sum = 0, w;
	char to[16];

	while (p < end) {
		const unsigned char *at = p;

		show(&p, end, to, &w);
		if (sum + w > max && *at != ' ')
			return blank ? blank - from : at > from ? at - from : p - from;
		sum += w;
		if (*at == ' ')
			blank = p;
	}
	return n;
}

bool
cell_is_number(const char *s, size_t n)
{
	size_t i = n && *s == '-', from = i;

	while (i < n && isdigit((unsigned char)s[i]))
		i++;
	if (i == from)
		return false;
	if (i < n && s[i] == '.')
		for (from = ++i; i < n && isdigit((unsigned char)s[i]);)
			i++;
	if (i == from)
		return false;
	if (i < n && s[i] == 'e') {
		i += 1 + (i + 1 < n && strchr("+-", s[i + 1]) != NULL);
		for (from = i; i < n && isdigit((unsigned char)s[i]);)
			i++;
	}
	return i == n && i > from;
}
