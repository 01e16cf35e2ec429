/*
 * lenient.h - foreign JSON, read as JavaScript reads it
 *
 * Vendors, gateways and tool servers send what JSON.parse takes and our scanner
 * (event.h) does not. The result here says the same in text that the scanner
 * takes, and marks say what was unusual. Nothing is lost that can be kept:
 * numbers that do not fit stay as they were written, within quotes.
 */
#ifndef LENIENT_H
#define LENIENT_H

#include <stdbool.h>
#include <stddef.h>

struct event;
struct jput;
struct value;

enum lenient {
	/* an integer beyond 63 bits or a real beyond a double: a string of it */
	LENIENT_NUMBER = 1,
	LENIENT_SURROGATE = 2,	/* half a surrogate pair: U+FFFD */
	/* a key twice in one object: the last value, in the first's place */
	LENIENT_DUPLICATE = 4,
	LENIENT_NUL = 8,	/* NUL in a key: the six characters \u0000 */
	LENIENT_BOM = 16,	/* a byte order mark before the value: left out */
	LENIENT_UTF8 = 32,	/* bytes that are no UTF-8: U+FFFD, as browsers do it */
};

/* p[0..n) as compact JSON text that event_scan_value takes, malloced and *len
 * long, with what was unusual added to *marks. With halves, halves of surrogate
 * pairs in strings stand as code points from U+10F800 on, for lenient_join and
 * lenient_settle. NULL: JSON.parse would refuse it as well, it nests deeper than
 * the scanner goes, or out of memory. */
char *lenient_json(const char *p, size_t n, bool halves, size_t *len, unsigned *marks);

/* p[0..n) as a value, read strictly if that does, else leniently; what is made
 * for that is in the event's arena. Kind VALUE_NONE when it is no JSON at all. */
struct value lenient_scan(struct event *, const char *p, size_t n, unsigned *marks);

/* In text with halves: makes one character of two that meet at `at`. Returns
 * the text's new length. */
size_t lenient_join(char *text, size_t n, size_t at);
/* Replaces the halves that are left by U+FFFD and adds how many to *count;
 * returns the new length, never more than before. */
size_t lenient_settle(char *text, size_t n, size_t *count);

/* p[0..n) with every ill-formed sequence replaced by U+FFFD, as the WHATWG
 * Encoding standard does ("maximal subparts", Unicode 3.9). The result is
 * malloced, *len long; NULL: out of memory. */
char *lenient_utf8(const char *p, size_t n, size_t *len);

/* Writes "lenient":[NAME,...]; nothing when there are no marks. */
void lenient_put(unsigned marks, struct jput *);
/* The mark of a name as lenient_put writes it, 0 when it is none; n long. */
unsigned lenient_mark(const char *name, size_t n);

#endif
