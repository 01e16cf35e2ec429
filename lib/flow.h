/*
 * flow.h - state per key, bounded in count and bytes
 *
 * Least recently used goes first. However an entry leaves, it leaves through
 * the one finish function with the reason, so that what it holds is written
 * and labelled, never dropped in silence.
 */
#ifndef FLOW_H
#define FLOW_H

#include <stddef.h>
#include <stdint.h>

enum flow_why {
	FLOW_END,	/* its own end: flow_drop */
	FLOW_IDLE,	/* flow_expire */
	FLOW_FULL,	/* the table was full: evicted */
	FLOW_ERROR,	/* flow_drop by a caller that gave up on it */
	FLOW_EOF,	/* flow_finish_all, the end of input */
};
const char *flow_why_name(enum flow_why);	/* "end" "idle" "evicted" "error" "eof" */

struct flow_table;
typedef void flow_finish(void *arg, void *entry, enum flow_why);

/* entry: bytes of the caller's state, zeroed for every new key. max: entries.
 * max_bytes: sum of what flow_charge may add over all entries. finish is
 * called before an entry's memory goes; it must not touch the table. NULL:
 * out of memory. */
struct flow_table *flow_new(size_t entry, size_t max, size_t max_bytes,
    flow_finish *, void *arg);
void flow_free(struct flow_table *);	/* flow_finish_all, then frees */

/* The entry for a key, made (evicting if need be) or only looked up; either
 * way it becomes the most recently used. time_ns is event time, for expiry.
 * NULL: out of memory, or not there. */
void *flow_get(struct flow_table *, const void *key, size_t n, uint64_t time_ns);
void *flow_find(struct flow_table *, const void *key, size_t n, uint64_t time_ns);

/* Accounts bytes held by an entry; negative gives back. Evicts others to stay
 * below max_bytes. -1: this entry alone is over the limit; nothing was charged. */
int flow_charge(struct flow_table *, void *entry, ptrdiff_t delta);

void flow_drop(struct flow_table *, void *entry, enum flow_why);
/* Finishes entries not used since time_ns - idle_ns, oldest first. */
void flow_expire(struct flow_table *, uint64_t time_ns, uint64_t idle_ns);
void flow_finish_all(struct flow_table *, enum flow_why);	/* oldest first */

const void *flow_key(const void *entry, size_t *n);	/* borrowed */
size_t flow_count(const struct flow_table *);

#endif
