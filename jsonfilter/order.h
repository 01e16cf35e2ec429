/*
 * order.h - lines held back for a while, to leave in the order of their times
 */
#ifndef ORDER_H
#define ORDER_H

#include <stddef.h>
#include <stdint.h>

struct order;

/* window_ns: how long, by event time, a line waits for earlier ones. max_bytes:
 * of lines held; above it the earliest leaves at once. NULL: out of memory. */
struct order *order_new(uint64_t window_ns, size_t max_bytes);
void order_free(struct order *);

/* Copies a line in; 0, or -1: out of memory. Lines of equal time keep their order. */
int order_add(struct order *, uint64_t time_ns, const char *line, size_t n);

/* The next line that may leave, or NULL. all: whatever is left. *early counts
 * up when it leaves before its window has passed. Borrowed until the next call. */
const char *order_next(struct order *, int all, size_t *n, uint64_t *early);

#endif
