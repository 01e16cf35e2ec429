/*
 * recent.h - the newest event lines, numbered, in bounded memory
 *
 * One thread adds, any number read at their own pace: a reader asks for line
 * after line by number, so that a slow one holds nobody up. What is too old
 * leaves; a reader that was still to get it sees a jump in the numbers. A line
 * that is being read stays until it is released.
 */
#ifndef RECENT_H
#define RECENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An event line, and as the page first gets it: the same, or cut (preview.h). */
struct recent_line {
	atomic_uint refs;
	size_t n, preview_n;	/* bytes, without a newline; preview_n 0: no other form */
	char text[];		/* the line, then its short form */
};

struct recent;

/* Keeps at most max_bytes (with 64 for each line) and max_lines. NULL: out of memory. */
struct recent *recent_new(size_t max_bytes, size_t max_lines);
void recent_free(struct recent *);

/* Adds a line, the next in number; the first is 1. preview may be NULL. -1: out of memory. */
int recent_add(struct recent *, const char *s, size_t n, const char *preview, size_t preview_n);
/* No more lines come: readers that wait are told. */
void recent_end(struct recent *);
/* Readers that wait, and those to come, are asked to leave. */
void recent_stop(struct recent *);

/* Line *id, or the oldest that is kept if that one has left (*id is then set to
 * it). NULL: not there yet, or out of range. To be given back by recent_release. */
struct recent_line *recent_get(struct recent *, uint64_t *id);
void recent_release(struct recent_line *);

enum recent_rc { RECENT_MORE, RECENT_IDLE, RECENT_ENDED, RECENT_STOPPED };
/* Waits until line id is there, for ms at most. ENDED: it will never be. */
enum recent_rc recent_wait(struct recent *, uint64_t id, int ms);

struct recent_state {
	uint64_t first, next;	/* numbers: the oldest kept, the one to come */
	uint64_t bytes;		/* held */
	uint64_t left, left_bytes;	/* lines that are not kept any more */
	bool ended;
};
struct recent_state recent_state(struct recent *);

#endif
