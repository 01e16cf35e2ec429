/*
 * lines.h - text lines out of pieces of a stream, for those that may be JSON
 *
 * A line that does not begin with a brace or a bracket is not kept: most of
 * what programs write is no JSON.
 */
#ifndef LLM_LINES_H
#define LLM_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines {
	char *p;		/* the line so far */
	size_t n, cap, max;
	uint64_t off;		/* expected next */
	bool skip;		/* the line at hand is not wanted */
	bool begun;
	uint64_t toolong, holes;	/* counted for the caller */
};

/* A line without its newline, borrowed until the next call. */
typedef void lines_fn(void *arg, const char *p, size_t n);

void lines_free(struct lines *);
/* off: where in the stream the piece begins, when known (has_off). Gives each
 * line that it completes. -1: out of memory; the line at hand is lost. */
int lines_feed(struct lines *, uint64_t off, bool has_off, const char *p, size_t n, lines_fn *,
    void *arg);
/* What follows the last piece was left out, up to off: no hole. */
void lines_cut(struct lines *, uint64_t off);

#endif
