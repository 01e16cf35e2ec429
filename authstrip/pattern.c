/* pattern.c - see pattern.h */
#include "pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void
set_add(uint8_t *set, unsigned char from, unsigned char to)
{
	for (unsigned c = from; c <= to; c++)
		set[c >> 3] |= 1u << (c & 7);
}

static bool
set_has(const uint8_t *set, unsigned char c)
{
	return set[c >> 3] >> (c & 7) & 1;
}

/* An escape behind its backslash; returns the byte it stands for, or -1 for a
 * class (added to the set). */
static int
escape(uint8_t *set, char c)
{
	if (c == 'w') {
		set_add(set, 'a', 'z');
		set_add(set, 'A', 'Z');
		set_add(set, '_', '_');
	}
	if (c == 'w' || c == 'd') {
		set_add(set, '0', '9');
		return -1;
	}
	return (unsigned char)c;
}

/* [...]; *p is behind the bracket. */
static const char *
parse_class(struct pattern_part *part, const char **p)
{
	const char *s = *p;

	for (; *s && *s != ']'; s++) {
		int c = (unsigned char)*s;

		if (c == '\\' && s[1])
			c = escape(part->set, *++s);
		if (c < 0)
			continue;
		if (s[1] == '-' && s[2] && s[2] != ']') {
			s += 2;
			if ((unsigned char)*s < c)
				return "a range runs backwards";
			set_add(part->set, c, *s);
		} else {
			set_add(part->set, c, c);
		}
	}
	if (!*s)
		return "a class is not closed";
	*p = s + 1;
	return NULL;
}

static const char *
parse_repeat(struct pattern_part *part, const char **p)
{
	char *end;

	part->min = part->max = 1;
	if (**p == '+' || **p == '*') {
		part->min = *(*p)++ == '+';
		part->max = PATTERN_REPEAT;
	} else if (**p == '?') {
		part->min = 0;
		++*p;
	} else if (**p == '{') {
		if (!isdigit((unsigned char)*++*p))
			return "a repeat is {n}, {n,} or {n,m}";
		part->min = part->max = strtoul(*p, &end, 10);
		if (*end == ',') {
			*p = end + 1;
			part->max = isdigit((unsigned char)**p) ? strtoul(*p, &end, 10) : (end = (char *)*p, PATTERN_REPEAT);
		}
		if (*end != '}')
			return "a repeat is not closed";
		*p = end + 1;
	}
	if (part->max < part->min || part->max > PATTERN_REPEAT || !part->max)
		return "a repeat is out of range";
	return NULL;
}

/* The literal start: parts that are one byte, once. */
static const char *
find_start(struct pattern *pt)
{
	size_t n = 0;

	for (unsigned i = 0; i < pt->n && n < sizeof(pt->start) - 1; i++) {
		int byte = -1;

		for (int c = 0; c < 256; c++)
			if (set_has(pt->part[i].set, c))
				byte = byte == -1 ? c : 256;
		if (byte < 1 || byte > 255 || pt->part[i].min != 1 || pt->part[i].max != 1)
			break;
		pt->start[n++] = byte;
	}
	return n < 3 ? "it must begin with at least 3 bytes that are always the same" : NULL;
}

const char *
pattern_parse(struct pattern *pt, const char *p)
{
	const char *bad = NULL;

	memset(pt, 0, sizeof(*pt));
	while (*p && !bad) {
		struct pattern_part *part = &pt->part[pt->n];
		int c = (unsigned char)*p++;

		if (c == '!' && !*p) {
			pt->exact = true;
			break;
		}
		if (pt->n++ == PATTERN_PARTS)
			return "too long";
		if (c == '[') {
			bad = parse_class(part, &p);
		} else {
			if (c == '\\' && *p)
				c = escape(part->set, *p++);
			if (c >= 0)
				set_add(part->set, c, c);
		}
		if (!bad)
			bad = parse_repeat(part, &p);
	}
	return bad ? bad : find_start(pt);
}

size_t
pattern_match(const struct pattern *pt, const char *s, size_t n, bool *more)
{
	size_t i = 0;

	for (unsigned k = 0; k < pt->n; k++) {
		const struct pattern_part *part = &pt->part[k];
		size_t from = i;

		while (i < n && i - from < part->max && set_has(part->set, s[i]))
			i++;
		if (i == n && i - from < part->max)
			*more = true;
		if (i - from < part->min)
			return 0;
	}
	if (pt->exact && i == n)
		*more = true;
	if (pt->exact && i < n && set_has(pt->part[pt->n - 1].set, s[i]))
		return 0;
	return i;
}
