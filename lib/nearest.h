/*
 * nearest.h - "did you mean": the name that a wrong one is closest to
 */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

/* Of names, the one with the fewest letters left out, added, changed or swapped with their
 * neighbour (optimal string alignment); of those, the first. Case does not count. NULL
 * when more than a third of the letters differ. */
const char *nearest_name(const char *wrong, const char *const *names, size_t n);

#endif
