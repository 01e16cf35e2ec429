/*
 * conversation.h - conversations, the tools open in them, and whose a process is
 *
 * State only; what is written is the tracer's affair.
 */
#ifndef OTEL_CONVERSATION_H
#define OTEL_CONVERSATION_H

#include "otelsink/observed.h"
#include "otelsink/procs.h"
#include "otelsink/span.h"

enum { TOOLS_MAX = 1024 };	/* open at a time in one conversation */

/* A tool that an answer asked for, and no request has brought the result of. */
struct tool {
	struct tool *next;
	/* of the budget */
	char *name;		/* UTF-8; NULL: not told */
	char *id;		/* as JSON, NULL: none */
	char *arguments;	/* as JSON, NULL: none, or too long to keep */
	struct span_id span;
	struct span_id asked;	/* the call of the model that asked */
	uint64_t start_ns;
	uint64_t end_ns;	/* when its result was sent; 0: not known yet */
	struct value response;	/* of the result, while that event is looked at */
	bool is_error;
	uint64_t used_ns;	/* the last end of a process or call of it; 0: none belongs to it */
};

struct conversation {
	char *id;		/* the client's own name for it; NULL: it has none */
	struct trace_id trace;
	bool known;		/* the fields above are set */
	bool run;		/* it is the calls of a process that belong to no conversation */
	bool open;		/* and those below */
	struct span_id span;	/* of its invoke_agent */
	uint64_t start_ns, end_ns, used_ns;
	char *agent, *version, *provider, *model;	/* UTF-8; NULL: not told, or several */
	bool providers, models;	/* several */
	int64_t input_tokens, output_tokens;		/* -1: not told */
	struct observed *observed;
	struct proc *proc;	/* a reference */
	struct conversation *sibling;			/* of the same process */
	struct conversation *older, *newer;		/* by use */
	struct tool *tools, **last;
	unsigned ntools, waits;
};

void tool_free(struct tool *);

/* Adds a tool at the end; NULL: out of memory, or there are too many. */
struct tool *tool_add(struct conversation *);
/* The tool of that id that has not ended, else, when there is no id, the first of
 * that name; NULL: not known. */
struct tool *tool_find(struct conversation *, struct value id, const char *name, size_t n);
/* Takes out the first that has ended; NULL: none has. */
struct tool *tool_take_ended(struct conversation *);

/* Whose a process (argv) or a call of a tool server (tool) of an agent is. */
struct claim {
	uint64_t at_ns;
	const char *argv;	/* JSON; NULL: none */
	const char *tool;	/* name at its server; NULL: none */
	size_t toollen;
};
enum claim_verdict {
	CLAIM_NONE,		/* no tool was open then */
	CLAIM_OPEN,		/* one was, but none of these has ended: it is too early to tell */
	CLAIM_TOOL,		/* this one */
	CLAIM_CONVERSATION,	/* one of several of this conversation */
	CLAIM_UNCLEAR,		/* of several conversations */
};
/* early: never CLAIM_OPEN. */
enum claim_verdict claim_decide(const struct proc *agent, const struct claim *, bool early,
    struct conversation **,
    struct tool **, struct event *scratch);

#endif
