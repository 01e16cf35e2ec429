/*
 * books.h - stage.begin and stage.end: where a stage's part in a stream begins and ends
 *
 * A stage that begins and does not end was cut off: end of input alone says nothing.
 * Both lines count as lines that the stage wrote, so that what one stage has written
 * is what the next has read.
 */
#ifndef BOOKS_H
#define BOOKS_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct line_out;

enum books_why {
	BOOKS_INPUT_END,	/* all was read, or what was observed has ended */
	BOOKS_DURATION,		/* the time that was given is over */
	BOOKS_SIGNAL,		/* SIGTERM, or to a collector SIGINT */
	BOOKS_OUTPUT_CLOSED,	/* nobody reads what it writes */
	BOOKS_FAILED,		/* standard error has the message */
};

struct books {
	const char *stage;
	uint64_t timestamp_ns;	/* 0: not known */
	uint32_t pid;		/* 0: none; filters have none, so that a replay gives the same */
	/* what it was asked to collect, NULL-ended; NULL: not said */
	const char *const *collects;
	uint64_t read;		/* events that a collector saw, lines that a filter read */
	uint64_t written;	/* lines, the one that says so included */
	uint64_t lost;		/* events, as in the loss lines */
	enum books_why why;
};

/* Write the line; begin looks at the first four only. */
void books_begin(struct line_out *, const struct books *);
void books_end(struct line_out *, const struct books *);

const char *books_why(enum books_why);	/* "input_end", ... */

/* Whether the event is one of these, or run.begin or run.end. */
bool books_event(const struct event *);

#endif
