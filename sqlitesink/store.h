/*
 * store.h - an event into its tables
 *
 * What is known of processes, files and paths is kept here between events, so that
 * one that says little becomes the row it belongs to; sums are written by store_flush.
 */
#ifndef SQLITESINK_STORE_H
#define SQLITESINK_STORE_H

#include "sqlitesink/db.h"

struct store {
	struct db *db;
	bool bodies;		/* HTTP bodies of model calls are kept */
	struct work *work;
	struct lives *lives;
	struct files *files;
	struct nets *nets;
	struct calls *calls;
};

/* -1: out of memory. */
int store_new(struct store *, struct db *);
void store_free(struct store *);
/* The database is another file now: forgets all but the processes, whose rows it has
 * (rotate_carry). -1: out of memory. */
int store_restart(struct store *);

/* Another run of the same database begins: forgets all. -1: out of memory. */
int store_next(struct store *);

/* False: no table is this event's. db->refused: a value did not fit. */
bool store_event(struct store *, struct event *);
void store_flush(struct store *);	/* before db_commit */

#endif
