/*
 * owner.h - whose a call is, when another process makes it for an agent
 *
 * A script asks by a curl for each call; agents speak through a process beside them. What the
 * answers lead to happens elsewhere then: in the process that got them.
 */
#ifndef SQLITESINK_OWNER_H
#define SQLITESINK_OWNER_H

#include "sqlitesink/db.h"
#include "sqlitesink/work.h"

/* The nearest process above a program that only transfers (curl, wget) that is not such a one, nor
 * a shell between; the process itself when it is another program, or when none is known.
 * Lives are flushed. */
int64_t owner_above(struct db *, int64_t process);

/* A process that did what a tool call says, between its answer and its result, and belongs to no
 * agent so far. */
struct did {
	/* the program that was started for it; 0: the owner itself did it */
	int64_t process;
	int64_t owner, tool;
};

/* Those of the tool calls that a call of this caller brought the results of, at most max.
 * None when the caller has started a program for any tool. Lives are flushed. */
size_t owner_did(struct db *, struct work *, int64_t caller, int64_t call, struct did *,
    size_t max);

#endif
