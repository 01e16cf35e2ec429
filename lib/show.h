/*
 * show.h - texts that somebody else chose, on a terminal
 *
 * Names of files, processes and functions are whatever their owner wants: with an escape
 * sequence in one he could rewrite what was said, with a newline add a line of his own.
 * What is no letter, no sign and no space is shown by its number: \x1b, \u202e.
 */
#ifndef SHOW_H
#define SHOW_H

#include <stddef.h>

enum { SHOW_MAX = 6 };		/* bytes that one may become */

/* Writes s[0..n) to to, which ends with NUL, cut where it is full; the length. Shown by
 * number: C0, DEL, C1, what turns the direction of text (Unicode, UAX 9), line and
 * paragraph separators, bytes that are not UTF-8. */
size_t show_bytes(char *to, size_t size, const char *s, size_t n);
/* The same for a string; to itself. */
const char *show_text(char *to, size_t size, const char *s);

/* From now on all that is written to stderr is shown so, up to the newline at the end of
 * a message and the tabs in it. opt_parse calls it. */
void show_messages(void);

#endif
