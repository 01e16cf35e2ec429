/*
 * counted.h - which calls of models totals have
 *
 * A call that an observed proxy passes on comes by twice. One of the two says so
 * (llm.call in agentsight-events(5)), and has no part in totals.
 */
#ifndef COUNTED_H
#define COUNTED_H

#include "event.h"

/* ev: an llm.call. */
static inline bool
call_is_counted(const struct event *ev)
{
	return !event_get(ev, "relayed_to").kind && !event_get(ev, "relayed_for").kind;
}

#endif
