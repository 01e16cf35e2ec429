/*
 * procs.h - the processes that were seen, and who started whom
 *
 * A process stays in the table for a while after its end, because what belongs
 * to it may be emitted later; and longer, as long as somebody holds it.
 */
#ifndef OTEL_PROCS_H
#define OTEL_PROCS_H

#include "lib/event.h"
#include "otelsink/budget.h"
#include "otelsink/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conversation;
struct observed;

enum proc_state {
	PROC_PLAIN,	/* no span: not started by a tool, or not known to be */
	PROC_WAITING,	/* whose it is may still become known */
	PROC_PLACED,	/* belongs to a tool */
};

struct proc {
	int refs;
	uint32_t pid;
	struct proc *up;		/* its parent; a reference; NULL: not seen */
	uint64_t start_ns, end_ns;	/* of its first program; its end, 0: not seen */
	uint64_t gone_ns;		/* when it left the table; 0: it is there */
	bool executed;			/* it runs a program of its own */
	/* of its program; of the budget, as the two below; NULL: not known */
	char *path;
	char *argv;			/* as JSON */
	char *cwd;
	int64_t exit_code, signal;	/* -1: not known */
	enum proc_state state;
	bool emitted;			/* its span was written */
	struct trace_id trace;		/* when placed */
	struct span_id id, parent;
	struct observed *observed;
	struct conversation *conversations;	/* of an agent: the open ones */
	struct proc *older, *newer;	/* among the ended ones */
};

struct procs;
/* out is called when a process leaves the table; text is paid for by the budget,
 * which outlives the table. NULL: out of memory. */
struct procs *procs_new(size_t max, struct budget *, void (*out)(void *arg, struct proc *),
    void *arg);
void procs_free(struct procs *);

struct proc *proc_ref(struct proc *);
void proc_unref(struct proc *);

/* The process of that number now, made when it was not seen. NULL: no memory. */
struct proc *procs_get(struct procs *, uint32_t pid, uint64_t now);
struct proc *procs_find(struct procs *, uint32_t pid, uint64_t now);

void procs_fork(struct procs *, struct event *);
/* The process; *first says that it has executed nothing before. */
struct proc *procs_exec(struct procs *, struct event *, bool *first);
struct proc *procs_exit(struct procs *, struct event *);	/* NULL: not known */

/* Lets go of those that ended before. */
void procs_expire(struct procs *, uint64_t before_ns);
uint64_t procs_evicted(const struct procs *);	/* how many left for want of room */

#endif
