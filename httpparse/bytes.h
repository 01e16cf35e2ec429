/*
 * bytes.h - a growing run of bytes
 */
#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>

struct bytes {
	char *p;
	size_t n, cap;
};

/* Adds n bytes. -1: out of memory, nothing was added. */
int bytes_add(struct bytes *, const void *p, size_t n);
/* Takes n bytes away at the front. */
void bytes_shift(struct bytes *, size_t n);
/* Empties it; a buffer above keep bytes goes back to the heap. */
void bytes_reset(struct bytes *, size_t keep);
void bytes_free(struct bytes *);

#endif
