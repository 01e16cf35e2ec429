/*
 * table.h - rows as a table for people
 *
 * Widths are decided by the first TABLE_LOOK rows; what comes behind them is written as it
 * comes, so that a report of any length takes the memory of a short one.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct line_out;
struct layout;

enum { TABLE_LOOK = 5000 };

struct table {
	struct line_out *out;
	const char *title;
	/* names of columns, with blanks or commas between, to the end of the line; may be NULL */
	const char *leave;	/* that leave first */
	const char *wrap;	/* whose texts go on in the next line */
	size_t width, height;	/* of the terminal; 0: any, no pager */
	bool colour;
	/* its own */
	struct layout *column;
	bool *some;		/* of each column: a value that is not empty was there */
	size_t n;
	struct cell { char *s; size_t n; } *cells, *rest;	/* rest: what is left of a row */
	size_t rows, cap;
	size_t lines;		/* of the heading; 0: not yet written */
};

/* Begins with n columns. -1: out of memory. */
int table_begin(struct table *, const char *const *names, size_t n);
/* Adds a cell of the row; the cells of a row come from left to right. -1: out of memory. */
int table_cell(struct table *, size_t column, const char *s, size_t n);
/* Writes what is pending. */
void table_end(struct table *);

#endif
