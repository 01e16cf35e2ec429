/*
 * caps.h - capabilities(7) of a collector: what it lacks, what it may give up
 */
#ifndef CAPS_H
#define CAPS_H

#include <stddef.h>
#include <stdint.h>

#define CAPS_BIT(cap) (1ull << (cap))

/* Names of the wanted capabilities that the process does not have, with " and "
 * between them; "" when it has all. wanted: a set of CAPS_BIT. */
const char *caps_missing(uint64_t wanted, char *buf, size_t size);

/* Gives up all but these for good, of all threads started from now on: bounding
 * set, permitted, effective, inheritable and ambient; no new ones by exec. 0, or
 * -1 with errno. */
int caps_keep(uint64_t keep);

#endif
