/* bytes.c - a growing run of bytes; see bytes.h */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

int
bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->cap - b->n < n) {
		size_t cap = b->cap ? b->cap : 512;
		char *to;

		while (cap - b->n < n)
			cap += cap < ((size_t)1 << 20) ? cap : cap / 2;
		if (!(to = realloc(b->p, cap)))
			return -1;
		b->p = to;
		b->cap = cap;
	}
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

void
bytes_shift(struct bytes *b, size_t n)
{
	b->n -= n;
	if (n && b->n)
		memmove(b->p, b->p + n, b->n);
}

void
bytes_reset(struct bytes *b, size_t keep)
{
	b->n = 0;
	if (b->cap > keep)
		bytes_free(b);
}

void
bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ 0 };
}
