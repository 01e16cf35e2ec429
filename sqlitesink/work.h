/*
 * work.h - for which tool call a program was started
 *
 * An agent asks for a tool, and a little later a program begins whose command is in the tool's
 * arguments: as a string, in an array of words, among the lines of a script. Tools are
 * remembered for a while, by the process of their agent.
 */
#ifndef SQLITESINK_WORK_H
#define SQLITESINK_WORK_H

#include "lib/event.h"

#include <stddef.h>
#include <stdint.h>

struct work;

struct work *work_new(void);	/* NULL: out of memory */
void work_free(struct work *);
void work_clear(struct work *);	/* forgets all tools */

/* agent: processes.id; tool: tool_uses.id. from_ns: when its call began, for agents start a
 * tool before the rest of the answer is there. arguments: a value of the event's. */
void work_requested(struct work *, int64_t agent, int64_t tool, uint64_t from_ns, struct event *,
    struct value arguments);
/* Its result was sent then. */
void work_responded(struct work *, int64_t agent, int64_t tool, uint64_t to_ns);

/* How well a command has to fit. */
enum work_fit {
	WORK_ANY = 1,	/* it is one of those of a script */
	WORK_COMMAND = 3,	/* a command of the arguments is in it */
};

/* The tool that a program began for at ns; 0: none. parent_ns: when the process began that
 * started it, 0 when that is the agent itself: an older one, a shell that stays, can begin
 * programs for a tool, and one that the tool began can not. Of tools with the same command
 * side by side each gets a program of its own. */
int64_t work_find(struct work *, int64_t agent, uint64_t ns, uint64_t parent_ns,
    const char *command, size_t n, enum work_fit least);
/* Another process is the agent of a tool. */
void work_move(struct work *, int64_t from, int64_t to, int64_t tool);

#endif
