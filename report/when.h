/*
 * when.h - a point in time as people write it
 */
#ifndef WHEN_H
#define WHEN_H

#include <stdint.h>

/* Reads
 *	2026-11-24, 2026-11-24 04:12, 2026-11-24T04:12:36.5; local, or UTC with Z behind it
 *	04:12, 04:12:36		on the day of first_ns
 *	10m, 2h, 90s, 3d	before last_ns
 *	1795493553		seconds since 1970; ms, us or ns by the number of digits
 * into nanoseconds since 1970. first_ns and last_ns are those of the recording. NULL, or
 * what is wrong. */
const char *when_parse(const char *s, int64_t first_ns, int64_t last_ns, int64_t *to);

#endif
