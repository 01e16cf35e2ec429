/*
 * held.h - one line, what is to be changed in it, and the queue of lines that wait
 *
 * A change replaces a piece of the line, or of the bytes that a base64 value of
 * the line stands for. Lines leave in the order in which they came, so one that
 * waits for the next piece of its connection holds up all behind it; how much
 * and how long is bounded by who calls held_oldest.
 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct edit {
	size_t at, end;
	int quote;		/* backslashes before the quotes that it needs, -1: none */
	bool empty;		/* nothing in its place: the mark is where the value begins */
	char hash[17];		/* fingerprint; "" for none */
};

struct edits { struct edit *v; size_t n, cap; };

/* A base64 value, with its quotes, and what it becomes. */
struct held_b64 { size_t at, end; struct edits edits; char *text; size_t n; };

struct held {
	struct held *next;
	const char *line;
	char *own;		/* the line's copy, once it waits */
	size_t n;
	uint64_t since;		/* event time */
	unsigned waits;		/* pieces of streams that are not decided */
	struct edits edits;
	struct held_b64 *b64;
	size_t nb64;
	bool failed;		/* out of memory: it must not pass */
};

void held_init(struct held *, const char *line, size_t n);
void held_free(struct held *);	/* what it points to, not itself */

/* part: -1 for the line, else the index that held_part gave. */
void held_edit(struct held *, int part, const struct edit *);
/* Notes a base64 value of the line; -1: out of memory. */
int held_part(struct held *, size_t at, size_t end);

/* Sorts and joins the edits, and turns those of base64 values into such of the
 * line. scratch is for the latter; false: out of memory. */
struct arena;
bool held_ready(struct held *, struct arena *scratch, bool *changed);
/* Calls put for each change in order, with what takes its place. */
void held_changes(const struct held *, void (*put)(void *arg, size_t at, size_t end, const char *text, size_t n), void *arg);
/* The line with its changes, in pieces. */
void held_write(const struct held *, void (*piece)(void *arg, const char *, size_t, bool last), void *arg);

#endif
