/*
 * generic.c - event streams of nobody that is known here: the list of events
 *
 * {"events":[{"event":NAME,"id":ID,"data":TEXT}]}, name and id when there are
 * any. Data stays text, so that nothing of it is lost or guessed.
 */
#include "vendor/merge.h"

#include <string.h>

static bool
detect(const struct merge_input *in)
{
	(void)in;
	return false;	/* what is left when no other does */
}

static void
add(struct merge *m, json_t *event, const char *key, const char *p, size_t n)
{
	if (json_object_set_new(event, key, json_stringn(p, n)))
		m->builder.nomem = true;
}

static void
event(struct merge *m, const struct merge_input *in)
{
	enum { COST = 700 };	/* of an object with three members */
	json_t *events = builder_array(&m->builder, m->root, "events"), *event;
	size_t cost = COST + in->namelen + in->idlen + in->len;

	/* an error of JSON-RPC is an answer like any other */
	if (in->json && !event_get(in->json, "jsonrpc").kind)
		merge_error(m, event_get(in->json, "error"));
	m->ended |= in->done;
	m->content = true;
	if (m->builder.memory + cost > m->builder.max) {
		m->builder.lost += in->len;
		return;
	}
	m->builder.memory += cost;
	if (!(event = json_object()) || json_array_append_new(events, event)) {
		m->builder.nomem = true;
		return;
	}
	if (in->namelen)
		add(m, event, "event", in->name, in->namelen);
	if (in->idlen)
		add(m, event, "id", in->id, in->idlen);
	add(m, event, "data", in->data, in->len);
}

static void
finish(struct merge *m, struct text *text)
{
	(void)text;
	builder_array(&m->builder, m->root, "events");
}

const struct merge_format merge_generic = {
	.name = "generic",
	.detect = detect,
	.event = event,
	.finish = finish,
};
