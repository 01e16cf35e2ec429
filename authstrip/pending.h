/*
 * pending.h - one line, what is to be changed in it, and the queue of lines that wait
 *
 * A change replaces a piece of the line, or of the bytes that a base64 value of
 * the line stands for; then that is written anew. Lines leave in the order in which they came,
     so one that
 * waits for the next piece of its connection holds up all behind it; how much
 * and how long is bounded by who calls pending_oldest.
 */
#ifndef PENDING_H
#define PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct edit {
	size_t at, end;
	int quote;		/* backslashes before the quotes that it needs, -1: none */
	bool empty;		/* nothing in its place: the mark is where the value begins */
	char hash[17];		/* fingerprint; "" for none */
	/* in base64: bytes of the first and the last group that stay */
	bool base64, open;	/* open: it may end in a group that is not full */
	uint8_t nlead, ntrail;
	char lead[2], trail[2];
};

struct edits { struct edit *v; size_t n, cap; };

/* A member of the line whose key ends in _b64: one base64 string, or a list of
 * some. When its bytes are text after the edits, it loses that ending. */
struct pending_field {
	size_t key, at, end;	/* where its key's quote is, where its value is */
	size_t name;		/* bytes of the key without _b64 */
	bool keep;		/* the name without it is taken */
	char *text;		/* what it becomes, from its key on; NULL: it stays */
	size_t n;
};
struct pending_part { unsigned field; size_t at, end; struct edits edits; };

struct pending {
	struct pending *next;
	const char *line;
	char *copy;		/* the line's copy, once it waits */
	size_t n;
	uint64_t since;		/* event time */
	unsigned waits;		/* pieces of streams that are not decided */
	struct edits edits;
	struct pending_field *field;	/* by place */
	struct pending_part *part;		/* the strings in them, by place within each */
	unsigned nfield, npart;
	bool failed;		/* out of memory: it must not pass */
};

void pending_init(struct pending *, const char *line, size_t n);
void pending_free(struct pending *);	/* what it points to, not itself */

/* part: -1 for the line, else the index that pending_part gave. */
void pending_edit(struct pending *, int part, const struct edit *);
/* Notes such a member, and a base64 string of it, with its quotes. -1: out of memory. */
int pending_field(struct pending *, const struct pending_field *);
int pending_part(struct pending *, int field, size_t at, size_t end);

/* Sorts and joins the edits, and makes the text of members that change. scratch
 * is for the latter; false: out of memory. */
struct arena;
bool pending_ready(struct pending *, struct arena *scratch, bool *changed);
/* Calls put for each change in order, with what takes its place. */
void pending_changes(const struct pending *,
    void (*put)(void *arg, size_t at, size_t end, const char *text, size_t n), void *arg);
/* The line with its changes, in pieces. */
void pending_write(const struct pending *,
    void (*piece)(void *arg, const char *, size_t, bool last), void *arg);

#endif
