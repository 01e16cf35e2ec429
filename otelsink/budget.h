/*
 * budget.h - copies of text, all together at most so many bytes
 */
#ifndef OTEL_BUDGET_H
#define OTEL_BUDGET_H

#include <stddef.h>
#include <stdint.h>

struct budget {
	size_t used, max;
	uint64_t refused, bytes;	/* copies that were not made, and of how much */
};

/* A copy of p[0..n), ended with NUL. NULL: p is NULL, the budget is spent, or
 * there is no memory; the last two are counted. */
char *budget_copy(struct budget *, const void *p, size_t n);
/* Gives a copy back; s may be NULL. */
void budget_free(char *s);

#endif
