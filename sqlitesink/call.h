/*
 * call.h - llm.call and mcp.call: calls, messages, prompts, tools
 */
#ifndef SQLITESINK_CALL_H
#define SQLITESINK_CALL_H

#include "sqlitesink/db.h"

struct calls;

struct calls *calls_new(struct db *);	/* NULL: out of memory */
void calls_free(struct calls *);

/* False: not an event that belongs here. */
bool call_event(struct calls *, struct event *, int64_t process);

#endif
