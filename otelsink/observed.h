/*
 * observed.h - the agents that are observed: each has a resource and metrics
 *
 * An agent is a process and the name it gives itself. Its resource says which
 * service, process, container and host that is.
 */
#ifndef OTEL_OBSERVED_H
#define OTEL_OBSERVED_H

#include "otelsink/meter.h"

#include <stdint.h>

struct proc;

/* What every resource says. */
struct identity {
	const char *service;	/* OTEL_SERVICE_NAME; NULL: the agent's name */
	const char *host;	/* NULL: not said */
	const struct attrs *given;	/* OTEL_RESOURCE_ATTRIBUTES: these win */
};

struct observed {
	int refs;
	struct resource *resource;
	struct meter *meter;
	struct observed *prev, *next;
};

struct observeds;
struct observeds_conf {
	struct identity who;
	struct meter_conf meter;
	bool content;		/* arguments of the process, too */
	size_t max;
	/* what an agent has when it leaves is written there; NULL: nowhere */
	struct batch *metrics;
	void (*lost)(void *arg, unsigned items);	/* items that could not be written */
	void *arg;
};
struct observeds *observeds_new(const struct observeds_conf *);	/* NULL: out of memory */
void observeds_free(struct observeds *);

/* The agent of an event, with the process that it is, which may be NULL. A
 * reference of its own; NULL: out of memory. */
struct observed *observeds_get(struct observeds *, struct event *, const struct proc *);
void observed_unref(struct observed *);
struct observed *observed_ref(struct observed *);

/* Our own pipeline; borrowed. NULL: out of memory. */
struct observed *observeds_own(struct observeds *, struct arena *);

/* Writes the metrics that moved, of all. */
void observeds_put(struct observeds *);

#endif
