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
			part->max = isdigit((unsigned char)**p) ? strtoul(*p, &end, 10) :
			    (end = (char *)*p, PATTERN_REPEAT);
		}
		if (*end != '}')
			return "a repeat is not closed";
		*p = end + 1;
	}
	if (part->max < part->min || part->max > PATTERN_REPEAT || !part->max)
		return "a repeat is out of range";
	return NULL;
}

/* One part at *p: a class, a byte, and its repeat. */
static const char *
parse_part(struct pattern_part *part, const char **p)
{
	const char *bad = NULL;
	int c = (unsigned char)*(*p)++;

	if (c == '[') {
		bad = parse_class(part, p);
	} else {
		if (c == '\\' && **p)
			c = escape(part->set, *(*p)++);
		if (c >= 0)
			set_add(part->set, c, c);
	}
	return bad ? bad : parse_repeat(part, p);
}

/* The parts of [p, end); the number of them goes to *n. */
static const char *
parse_parts(struct pattern_part *part, unsigned max, unsigned *n, const char *p, const char *end)
{
	const char *bad = NULL;

	for (*n = 0; p < end && !bad; ++*n) {
		if (*n == max)
			return "too long";
		bad = parse_part(&part[*n], &p);
	}
	return bad;
}

const char *
pattern_parse(struct pattern *pt, const char *before, const char *behind)
{
	const char *end = behind + strlen(behind), *bad;

	memset(pt, 0, sizeof(*pt));
	if (before && (bad = parse_parts(pt->before, PATTERN_BEFORE, &pt->nbefore, before,
	    before + strlen(before))))
		return bad;
	if (end > behind && end[-1] == '!' && (end - behind < 2 || end[-2] != '\\')) {
		pt->exact = true;
		end--;
	}
	return parse_parts(pt->part, PATTERN_PARTS, &pt->n, behind, end);
}

/* The literal byte at *p, which stands there once; -1: none does. */
static int
literal(const char **p)
{
	const char *s = *p;
	int c = (unsigned char)*s++;

	if (!c || c == '[' || (c == '!' && !*s))
		return -1;
	if (c == '\\' && (c = (unsigned char)*s++) && (c == 'w' || c == 'd'))
		return -1;
	if (!c || strchr("{+*?", *s ? *s : ' '))
		return -1;
	*p = s;
	return c;
}

const char *
pattern_parse_whole(struct pattern *pt, const char *text, char *start)
{
	const char *p = text, *bad;
	char *before = NULL;
	size_t n = 0;
	bool class = false;
	int c;

	for (const char *s = text; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '[' || *s == ']')
			class = *s == '[';
		else if (*s == '<' && !class && !before) {
			if (!(before = strndup(text, s - text)))
				return "out of memory";
			p = s + 1;
		}
	}
	while (n < PATTERN_START && (c = literal(&p)) >= 0)
		start[n++] = c;
	start[n] = '\0';
	bad = pattern_parse(pt, before, p);
	free(before);
	return bad ? bad : n < 3 ? "it must begin with at least 3 bytes that are always the same" :
	    NULL;
}

size_t
pattern_match(const struct pattern *pt, const char *s, size_t n, bool *fits, bool *more)
{
	size_t i = 0;

	*fits = false;
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
	*fits = !(pt->exact && pt->n && i < n && set_has(pt->part[pt->n - 1].set, s[i]));
	return i;
}

size_t
pattern_before(const struct pattern *pt, const char *s, size_t low, size_t pos)
{
	size_t i = pos;

	for (unsigned k = pt->nbefore; k--; ) {
		const struct pattern_part *part = &pt->before[k];
		size_t from = i;

		while (i > low && from - i < part->max && set_has(part->set, s[i - 1]))
			i--;
		if (from - i < part->min)
			return SIZE_MAX;
	}
	return pos - i;
}
