/*
 * cell.h - a value of a report as text that a terminal may be given
 *
 * What was captured is other people's. What a terminal would obey, or what would make a
 * line look like another one, is shown by its number: control characters (C0, C1),
 * marks that turn the direction of the text, line breaks, bytes that are not UTF-8.
 */
#ifndef CELL_H
#define CELL_H

#include <stdbool.h>
#include <stddef.h>

struct line_out;

/* To be called first: takes the widths of characters from the C library. */
void cell_init(void);

/* How many columns the text takes when it is shown. */
size_t cell_width(const char *s, size_t n);

/* Adds it in at most max columns (0: however many), an ellipsis in place of what does not
 * fit. Returns how many it took. */
size_t cell_put(struct line_out *, const char *s, size_t n, size_t max);

/* How many of the n bytes go into a line of max columns (1 at least), so that it ends
 * behind a blank when there is one. All of them when they fit. */
size_t cell_line(const char *s, size_t n, size_t max);

/* Whether it looks like a number. */
bool cell_is_number(const char *s, size_t n);

#endif
