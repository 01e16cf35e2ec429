/*
 * tracer.h - spans, log records and metrics out of events
 *
 * One trace per conversation: its root is invoke_agent, below it each call of
 * a model and each execute_tool, below that the processes that the tool
 * started and what they started. Calls without a conversation belong to the
 * run of their process. Ids come from the events, so a replay gives the same.
 *
 * A tool runs from the end of the answer that asked for it to the request that
 * brought its result. A process of the agent that began in between is the
 * tool's when no other was open, or when its command line holds an argument of
 * that tool and of no other; of several of one conversation it is emitted below
 * the conversation, of several conversations not at all (loss "unplaced").
 */
#ifndef OTEL_TRACER_H
#define OTEL_TRACER_H

#include "lib/loss.h"
#include "otelsink/batch.h"
#include "otelsink/observed.h"
#include "otelsink/semconv.h"

struct tracer_conf {
	enum semconv semconv;
	bool content_in_spans, content_in_logs;
	uint64_t idle_ns;		/* a conversation ends after so long without a call */
	size_t max_conversations, max_procs, max_waiting;
	size_t max_memory;		/* of the text that is kept */
	struct batch *spans, *logs;	/* NULL: not wanted */
	struct observeds *observeds;
	struct loss *loss;
};

struct tracer;
struct tracer *tracer_new(const struct tracer_conf *);	/* NULL: out of memory */
void tracer_free(struct tracer *);

/* An event of any type; now: the largest time so far. */
void tracer_event(struct tracer *, struct event *, uint64_t now);
/* End of input: ends all that is open. */
void tracer_end(struct tracer *, uint64_t now);

struct tracer_counts {
	uint64_t spans, records;
	uint64_t calls, tools, processes, mcp, agents;	/* spans of each kind */
	uint64_t unanswered;	/* tools that no request brought a result of: no span */
	uint64_t conversations;	/* open now */
};
const struct tracer_counts *tracer_counts(const struct tracer *);

#endif
