/*
 * stage.h - the loop every filter shares: read, recognise or pass, finish
 *
 * Owns input, output, signals, limits, counting and exit status, so that a
 * filter is one function from an event to a verdict. design.md section 5 is
 * its contract: SIGINT ignored, SIGTERM ends cleanly, a closed output ends
 * quietly, bad lines pass unchanged and are counted.
 */
#ifndef STAGE_H
#define STAGE_H

#include "books.h"
#include "event.h"
#include "line.h"
#include "loss.h"
#include "opt.h"
#include "sandbox.h"

#include <stdbool.h>

enum verdict {
	STAGE_PASS,	/* the line goes on unchanged, after anything written meanwhile */
	STAGE_DROP,	/* it does not; or not yet, see stage_passed */
	STAGE_WRITTEN,	/* the stage has written it itself, before what it made of it */
	STAGE_EDIT,	/* it goes on with its event_replace()d values */
};

struct stage_io {
	struct line_out out;
	bool tee;		/* lines are written there; false in a sink without --tee */
	bool quiet;		/* --quiet */
	struct loss loss;
	uint64_t now;		/* event time: the largest timestamp_ns so far; 0 before any */
	uint64_t lines, passed, dropped;	/* input lines and what became of them */
	bool stop;		/* set by a stage that cannot go on: ends as at end of input */
	bool silent;		/* set by a start whose output is no stream of events: no
				 * stage.begin, no stage.end */
	enum books_why why;	/* it ends; set before the stage's end is called */
};

struct stage {
	struct opt_use use;	/* tables[0]: own options; the shared ones are added */
	/* Lines end here: nothing is written, no loss either, unless --tee, which
	 * makes it a filter that passes all. */
	bool sink;
	/* Of every line one comes out: stage.begin and stage.end are added only where
	 * lines of books come in, so that from plain lines come as many. */
	bool same_lines;
	/* After options are parsed; may opt_fail. argv holds the operands; a
	 * stage that takes some as its own returns how many. NULL: none. */
	int (*start)(void *self, struct stage_io *, int argc, char **argv);
	/* What the sandbox must leave it, beside what is open: sandbox_allow_...
	 * NULL: nothing. */
	void (*confine)(void *self, struct sandbox *);
	/* When all is open and the sandbox is entered: threads begin here, for it is
	 * of those alone that come after it. NULL: nothing to do. */
	void (*ready)(void *self, struct stage_io *);
	enum verdict (*event)(void *self, struct event *, struct stage_io *);
	/* Called every tick_ms or a little later, also while no line comes: for sinks,
	 * who owe what they hold to somebody else. NULL: never. */
	void (*tick)(void *self, struct stage_io *);
	int tick_ms;
	/* End of input: write what is held. NULL: nothing is. */
	void (*end)(void *self, struct stage_io *);
	/* Says whether lines that are no events (bad, too long) pass. NULL: yes. */
	bool (*bad)(void *self, struct stage_io *);
	/* In place of bad: writes such a line itself (with line_piece), changed
	 * or not. A longer one comes in pieces, last tells the final one. False: it
	 * did not pass. NULL: bad decides. */
	bool (*text)(void *self, const char *s, size_t n, bool last, struct stage_io *);
	/* Counts of its own, told on stderr with --verbose and at SIGUSR1. NULL: none. */
	void (*summary)(void *self, const struct stage_io *);
	/* Exit status in place of 0 (jsonfilter: 1, nothing matched). NULL: 0. */
	int (*status)(void *self);
};

/* A line that an event of before got STAGE_DROP for, because it was pending, has been
 * written now (n of them). */
void stage_passed(struct stage_io *, uint64_t n);

/* Runs until end of input; returns the exit status. Reads the FILE operands,
 * or standard input. */
int stage_run(const struct stage *, void *self, int argc, char **argv);

/* For the end function of a sink that serves on when its input has ended: waits
 * for SIGINT or SIGTERM; not at all when SIGTERM is what ended the input. */
void stage_wait(void);

#endif
