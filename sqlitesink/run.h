/*
 * run.h - run.begin, run.end, stage.begin, stage.end: the books of a recording
 *
 * They decide whether it is whole (the views run_gaps and verdicts of schema2.sql). Our
 * own part in it is a row of stages as those of others are.
 */
#ifndef SQLITESINK_RUN_H
#define SQLITESINK_RUN_H

#include "lib/books.h"
#include "sqlitesink/db.h"

struct run_books {
	struct db *db;
	char run[17];		/* of run.begin; empty before */
	int64_t begins;		/* stages.id of the first of the stage.begin lines just read; 0 */
};

/* A run of db begins, which has its row already. */
void run_start(struct run_books *, struct db *);

/* Whether the event is the run.begin of another recording than that at hand: then the
 * caller ends this one, begins a row of runs, and calls run_next. */
bool run_is_next(struct run_books *, struct event *);
/* What of the row `before` belongs to the new one: stages that began just now. */
void run_next(struct run_books *, int64_t before);

/* False: none of these. */
bool run_event(struct run_books *, struct event *);

/* Our own part has ended; to be followed by run_close or a rotation. */
void run_end(struct run_books *, const struct books *);
/* It goes on in another file. */
void run_continues(struct run_books *);
/* Nothing more comes: whether something other than counted losses is missing. */
void run_close(struct run_books *);

#endif
