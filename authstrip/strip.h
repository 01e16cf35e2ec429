/*
 * strip.h - credentials out of event lines: which text of a line is what
 */
#ifndef STRIP_H
#define STRIP_H

#include "rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct strip;

struct strip_conf {
	struct rules *rules;		/* borrowed; rules_ready */
	bool hash;			/* [REDACTED:FINGERPRINT], by HMAC-SHA256 with key */
	uint8_t key[32];
	uint64_t hold_ns;		/* how long, by event time, a line may wait */
	size_t hold_bytes;		/* of lines that wait */
	size_t streams;			/* connections remembered */
	/* A piece of a line that waited, and now leaves. */
	void (*piece)(void *arg, const char *, size_t, bool last);
	/* A line was lost for lack of memory. */
	void (*lost)(void *arg, size_t n);
	void *arg;
};

struct strip *strip_new(const struct strip_conf *);	/* NULL: out of memory */
void strip_free(struct strip *);

enum strip_rc {
	STRIP_SAME,	/* the line goes on as it is */
	STRIP_CHANGED,	/* with its event_replace()d values */
	STRIP_PENDING,	/* it waits; piece is called for it later */
	STRIP_LOST,	/* out of memory: it must not go on */
};
/* Lines that waited and need not any more leave before this returns. now: event
 * time. */
enum strip_rc strip_event(struct strip *, struct event *, uint64_t now);

/* A line that is no event, or a piece of one (last false but for the final): the
 * changed text, borrowed; NULL: out of memory. All that waits leaves before. */
const char *strip_text(struct strip *, const char *s, size_t n, bool last, size_t *len);

/* The end: all that waits leaves. */
void strip_end(struct strip *);

/* How many lines had to wait for the next of their stream, those behind them apart. */
uint64_t strip_waited(const struct strip *);
const uint64_t *strip_counts(const struct strip *);	/* RULES_MAX of them, by rule */

#endif
