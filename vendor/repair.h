/*
 * repair.h - JSON that was cut off
 */
#ifndef REPAIR_H
#define REPAIR_H

#include <jansson.h>
#include <stddef.h>

/* The beginning of a JSON text as a whole value: what is open is closed, an
 * unfinished string, number, word or key at the end is left out. NULL when it
 * is not the beginning of any, or holds no value yet. What only JavaScript
 * would read is added to *marks (lenient.h). */
json_t *repair_cut(const char *p, size_t n, unsigned *marks);

#endif
