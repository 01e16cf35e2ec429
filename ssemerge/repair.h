/*
 * repair.h - texts that are not quite what they should be
 *
 * What the scanner refuses and the vendors' SDKs nevertheless read: bytes that
 * are no UTF-8, halves of surrogate pairs, numbers beyond 64 bits, names that
 * occur twice. And JSON that was cut off.
 */
#ifndef REPAIR_H
#define REPAIR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* p[0..n) with every ill-formed sequence replaced by U+FFFD, as the WHATWG
 * Encoding standard does ("maximal subparts", Unicode 3.9). The result is
 * malloced, *len long; NULL: out of memory. */
char *repair_utf8(const char *p, size_t n, size_t *len);

/* JSON text that says the same and passes the scanner, malloced; NULL when
 * p[0..n) is not even loosely JSON, or out of memory. *lossy is set when
 * characters had to be replaced. Of names that occur twice the last counts;
 * integers beyond 64 bits become reals, reals beyond a double null. */
char *repair_json(const char *p, size_t n, size_t *len, bool *lossy);

/* The beginning of a JSON text as a whole value: what is open is closed, an
 * unfinished string, number, word or key at the end is left out. NULL when it
 * is not the beginning of any, or holds no value yet. */
json_t *repair_cut(const char *p, size_t n);

#endif
