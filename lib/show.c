/* show.c - see show.h */
#include "show.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Length of the character at p and its number; 0: not UTF-8 (RFC 3629). */
static size_t
decode(const unsigned char *p, size_t n, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = *p < 0x80 ? 1 : *p >= 0xf0 && *p < 0xf5 ? 4 : *p >= 0xe0 ? 3 : 2;

	*c = *p;
	if (len == 1)
		return 1;
	if (*p < 0xc2 || *p > 0xf4 || len > n)
		return 0;
	*c = *p & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	return *c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000) ? 0 : len;
}

static bool
is_shown(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	return c != 0x61c && c != 0x200e && c != 0x200f && !(c >= 0x2028 && c <= 0x202e) &&
	    !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff;
}

/* One character, to out[SHOW_MAX + 1]; how many bytes of it were taken. */
static size_t
show_one(char *out, const unsigned char *p, size_t n)
{
	uint32_t c;
	size_t len = decode(p, n, &c);

	if (len && is_shown(c)) {
		memcpy(out, p, len);
		out[len] = '\0';
		return len;
	}
	snprintf(out, SHOW_MAX + 1, len > 1 ? "\\u%04x" : "\\x%02x",
	    (unsigned)(len ? c : *p) & 0xffff);
	return len ? len : 1;
}

size_t
show_bytes(char *to, size_t size, const char *s, size_t n)
{
	char one[SHOW_MAX + 1];
	size_t at = 0;

	for (size_t i = 0; i < n;) {
		size_t len;

		i += show_one(one, (const unsigned char *)s + i, n - i);
		len = strlen(one);
		if (at + len >= size)
			break;
		memcpy(to + at, one, len);
		at += len;
	}
	if (size)
		to[at] = '\0';
	return at;
}

const char *
show_text(char *to, size_t size, const char *s)
{
	show_bytes(to, size, s, strlen(s));
	return to;
}

static ssize_t
on_write(void *arg, const char *s, size_t n)
{
	char out[4096];
	size_t at = 0;

	(void)arg;
	for (size_t i = 0; i < n;) {
		if (s[i] == '\t' || (s[i] == '\n' && i + 1 == n)) {
			out[at++] = s[i++];
			out[at] = '\0';
		} else {
			i += show_one(out + at, (const unsigned char *)s + i, n - i);
			at += strlen(out + at);
		}
		if (at + SHOW_MAX + 1 > sizeof(out) || i == n) {
			if (write(STDERR_FILENO, out, at) != (ssize_t)at)
				return 0;
			at = 0;
		}
	}
	return n;
}

void
show_messages(void)
{
	FILE *f = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = on_write });

	if (!f)
		return;
	setvbuf(f, NULL, _IONBF, 0);	/* a message is written in one piece all the same */
	stderr = f;
}
