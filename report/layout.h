/*
 * layout.h - which columns of a table are shown, and how wide, so that it fits
 *
 * Numbers are never cut, nor are texts of up to LAYOUT_SHORT columns: rather does a whole
 * column leave, the least important first. The first column always stays: it says what a
 * row is about. Decides over widths alone.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum {
	LAYOUT_GAP = 2,		/* blanks between columns */
	LAYOUT_SHORT = 16,	/* a text up to here is never cut while a column can leave */
	LAYOUT_KEY = 28,	/* the same of the first column */
	LAYOUT_WRAP = 12,	/* the same of one whose texts go on in the next line */
	LAYOUT_HEAD = 4,	/* lines that headings may take */
};

struct layout {
	const char *name;	/* the heading, ASCII; broken behind "_" when it must be */
	size_t text;		/* the widest value, as it is */
	bool number;		/* right-aligned, never cut */
	bool wraps;		/* a long text goes on in the next line */
	int leaves;		/* what leaves first has 1, then 2 ...; 0: does not say */
	/* the result */
	bool shown;
	size_t width;
};

/* Sets shown and width of n columns for a line of `width` columns (0: any length).
 * Returns how many lines the headings take. */
size_t layout_fit(struct layout *, size_t n, size_t width);

/* The part of a heading that stands in line `line` of `lines`, for a column of this
 * width; empty when there is none. Headings end at the bottom. */
size_t layout_head(const char *name, size_t width, size_t line, size_t lines, const char **part);

#endif
