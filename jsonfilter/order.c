/* order.c - a heap of lines by time, then by arrival; see order.h */
#include "order.h"

#include <stdlib.h>
#include <string.h>

struct held {
	uint64_t time, serial;
	char *line;
	size_t n;
};

struct order {
	uint64_t window, latest, serial;
	size_t max, bytes;
	struct held *heap;
	size_t n, cap;
	char *given;
};

struct order *
order_new(uint64_t window_ns, size_t max_bytes)
{
	struct order *o = calloc(1, sizeof(*o));

	if (o) {
		o->window = window_ns;
		o->max = max_bytes;
	}
	return o;
}

void
order_free(struct order *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n; i++)
		free(o->heap[i].line);
	free(o->heap);
	free(o->given);
	free(o);
}

static int
before(const struct held *a, const struct held *b)
{
	return a->time != b->time ? a->time < b->time : a->serial < b->serial;
}

int
order_add(struct order *o, uint64_t time_ns, const char *line, size_t n)
{
	struct held h = { time_ns, o->serial++, malloc(n + 1), n };
	size_t i;

	if (!h.line)
		return -1;
	if (o->n == o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 64;
		struct held *heap = realloc(o->heap, cap * sizeof(*heap));

		if (!heap) {
			free(h.line);
			return -1;
		}
		o->heap = heap;
		o->cap = cap;
	}
	memcpy(h.line, line, n);
	for (i = o->n++; i && before(&h, &o->heap[(i - 1) / 2]); i = (i - 1) / 2)
		o->heap[i] = o->heap[(i - 1) / 2];
	o->heap[i] = h;
	o->bytes += n;
	if (time_ns > o->latest)
		o->latest = time_ns;
	return 0;
}

const char *
order_next(struct order *o, int all, size_t *n, uint64_t *early)
{
	struct held last;
	size_t i, child;

	free(o->given);
	o->given = NULL;
	if (!o->n)
		return NULL;
	if (!all && o->latest - o->heap[0].time < o->window) {
		if (o->bytes <= o->max)
			return NULL;
		++*early;
	}
	o->given = o->heap[0].line;
	*n = o->heap[0].n;
	o->bytes -= *n;
	last = o->heap[--o->n];
	for (i = 0; (child = 2 * i + 1) < o->n; i = child) {
		if (child + 1 < o->n && before(&o->heap[child + 1], &o->heap[child]))
			child++;
		if (!before(&o->heap[child], &last))
			break;
		o->heap[i] = o->heap[child];
	}
	o->heap[i] = last;
	return o->given;
}
