/*
 * call.h - llm.call and mcp.call: calls, messages, prompts, tools
 */
#ifndef SQLITESINK_CALL_H
#define SQLITESINK_CALL_H

#include "sqlitesink/life.h"

struct calls;
struct typed;

struct calls *calls_new(struct db *, struct lives *, struct work *);	/* NULL: out of memory */
void calls_free(struct calls *);

/* The call at hand, for what is put together of it elsewhere. */
struct call {
	struct db *db;
	struct calls *calls;
	struct event *ev;
	int64_t id, ended_ns;
	int64_t process, agent;	/* that made it, and whose it is; mostly the same */
	char chain[256];	/* of messages, that it belongs to; empty: none */
	struct typed *typed;
	struct work *work;
};

/* agent: of an llm.call, whose it is. False: not an event that belongs here. */
bool call_event(struct calls *, struct event *, int64_t process, int64_t agent);

#endif
