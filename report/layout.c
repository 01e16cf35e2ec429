/* layout.c - see layout.h */
#include "layout.h"

#include <string.h>

enum { LAST_RESORT = 4 };	/* columns that are left of a text when nothing can leave */

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* --- headings ----------------------------------------------------------------------- */

/* How much of a heading stands together: up to a "_" or blank, and with it. */
static size_t
piece(const char *name)
{
	size_t n = strcspn(name, "_ ");

	return n + (name[n] != '\0');
}

static size_t
widest_piece(const char *name)
{
	size_t most = 0;

	for (; *name; name += piece(name))
		most = larger(most, piece(name));
	return most;
}

/* How much of a heading goes into a line: as many pieces as fit, or what fits of one. */
static size_t
line_of(const char *name, size_t width)
{
	size_t n = 0;

	while (name[n] && n + piece(name + n) <= width)
		n += piece(name + n);
	return n ? n : smaller(strlen(name), larger(width, 1));
}

static size_t
lines_of(const char *name, size_t width)
{
	size_t lines = 0;

	for (; *name; name += line_of(name, width))
		lines++;
	return lines;
}

size_t
layout_head(const char *name, size_t width, size_t line, size_t lines, const char **part)
{
	size_t mine = smaller(lines_of(name, width), lines);

	*part = name;
	if (line + mine < lines)
		return 0;
	for (line -= lines - mine; line; line--)
		*part += line_of(*part, width);
	return line_of(*part, width);
}

/* --- widths --------------------------------------------------------------------------- */

/* The least that a column can do with; the first one needs more than others. */
static size_t
least(const struct layout *c, size_t text, bool key)
{
	if (key && text == LAYOUT_SHORT)
		text = LAYOUT_KEY;
	if (c->wraps && text > LAYOUT_WRAP)
		text = LAYOUT_WRAP;
	return larger(c->number ? c->text : smaller(c->text, text),
	    smaller(widest_piece(c->name), text));
}

static size_t
total(struct layout *c, size_t n, size_t text)
{
	size_t sum = 0, shown = 0;

	for (size_t i = 0; i < n; i++)
		if (c[i].shown) {
			c[i].width = least(&c[i], text, i == 0);
			sum += c[i].width;
			shown++;
		}
	return sum + (shown ? (shown - 1) * LAYOUT_GAP : 0);
}

/* The column that leaves next: those that say when, then from the right. n: none. */
static size_t
next_to_leave(const struct layout *c, size_t n)
{
	size_t found = n;

	for (size_t i = 1; i < n; i++)
		if (c[i].shown && c[i].leaves && (found == n || c[i].leaves < c[found].leaves))
			found = i;
	for (size_t i = n; found == n && i-- > 1;)
		if (c[i].shown)
			found = i;
	return found;
}

/* Gives what is left of the line to the column that lacks some and has least. */
static void
widen(struct layout *c, size_t n, size_t left, bool heads)
{
	for (; left; left--) {
		size_t found = n;

		for (size_t i = 0; i < n; i++) {
			size_t want = heads ? larger(c[i].text, strlen(c[i].name)) : c[i].text;

			if (c[i].shown && c[i].width < want &&
			    (found == n || c[i].width < c[found].width))
				found = i;
		}
		if (found == n)
			return;
		c[found].width++;
	}
}

static size_t
used(const struct layout *c, size_t n)
{
	size_t sum = 0, shown = 0;

	for (size_t i = 0; i < n; i++)
		if (c[i].shown) {
			sum += c[i].width;
			shown++;
		}
	return sum + (shown ? (shown - 1) * LAYOUT_GAP : 0);
}

static size_t
head_lines(const struct layout *c, size_t n)
{
	size_t most = 1;

	for (size_t i = 0; i < n; i++)
		if (c[i].shown)
			most = larger(most, lines_of(c[i].name, c[i].width));
	return smaller(most, LAYOUT_HEAD);
}

size_t
layout_fit(struct layout *c, size_t n, size_t width)
{
	size_t text = LAYOUT_SHORT, out;

	for (size_t i = 0; i < n; i++) {
		c[i].shown = true;
		c[i].width = larger(c[i].text, strlen(c[i].name));
	}
	if (!width || used(c, n) <= width)
		return 1;
	while (total(c, n, text) > width && (out = next_to_leave(c, n)) < n)
		c[out].shown = false;
	while (total(c, n, text) > width && text > LAST_RESORT)
		text--;
	if (used(c, n) < width)
		widen(c, n, width - used(c, n), false);
	if (used(c, n) < width)
		widen(c, n, width - used(c, n), true);
	return head_lines(c, n);
}
