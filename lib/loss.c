/* loss.c - counted losses; see loss.h */
#include "loss.h"

#include "jput.h"
#include "line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
loss_init(struct loss *l, const char *stage)
{
	memset(l, 0, sizeof(*l));
	l->stage = stage;
}

void
loss_add(struct loss *l, const char *reason, uint64_t events, uint64_t bytes)
{
	unsigned i;

	if (!events && !bytes)
		return;
	for (i = 0; i < l->n && strcmp(l->by[i].reason, reason); i++)
		;
	if (i == l->n) {
		if (i == LOSS_REASONS)
			/* cannot happen: reasons are few and constant */
			reason = l->by[--i].reason;
		else
			l->by[l->n++] = (struct loss_reason){ .reason = reason, .next = 1 };
	}
	l->by[i].events += events;
	l->by[i].bytes += bytes;
	l->moved = true;
}

void
loss_blame(struct loss *l, const char *reason, const struct loss_who *who)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->by[i].reason, reason) == 0)
			l->by[i].who = *who;
}

uint64_t
loss_total(const struct loss *l)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < l->n; i++)
		n += l->by[i].events;
	return n;
}

void
loss_emit(struct loss *l, struct line_out *out, uint64_t timestamp_ns, bool all)
{
	if (!l->moved)
		return;
	l->moved = false;
	for (unsigned i = 0; i < l->n; i++) {
		struct loss_reason *r = &l->by[i];
		struct jput j;

		if (r->events == r->emitted_events && r->bytes == r->emitted_bytes)
			continue;
		if (!all && r->events < r->next) {
			l->moved = true;
			continue;
		}
		jput_open(&j, out, "loss");
		if (timestamp_ns)
			jput_uint(&j, "timestamp_ns", timestamp_ns);
		if (r->who.pid)
			jput_uint(&j, "pid", r->who.pid);
		if (r->who.pid && r->who.comm[0])
			jput_bytes(&j, "comm", r->who.comm,
			    strnlen(r->who.comm, sizeof(r->who.comm)));
		jput_str(&j, "stage", l->stage);
		jput_str(&j, "reason", r->reason);
		jput_uint(&j, "events", r->events - r->emitted_events);
		jput_uint(&j, "bytes", r->bytes - r->emitted_bytes);
		if (r->who.pid)
			jput_uint(&j, "pid_events", r->who.events);
		jput_close(&j);
		r->who.pid = 0;
		r->emitted_events = r->events;
		r->emitted_bytes = r->bytes;
		r->next = r->events * 2;
	}
}

void
loss_follow(struct loss *l, const struct loss *other)
{
	for (unsigned i = 0; i < other->n; i++) {
		const struct loss_reason *o = &other->by[i];

		if (i == l->n)
			l->by[l->n++] = (struct loss_reason){ .reason = o->reason, .next = 1 };
		l->moved |= l->by[i].events != o->events || l->by[i].bytes != o->bytes;
		l->by[i].events = o->events;
		l->by[i].bytes = o->bytes;
	}
}

const char *
loss_text(const struct loss *l)
{
	static char text[1024];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < l->n && n < sizeof(text); i++) {
		const struct loss_reason *r = &l->by[i];

		n += snprintf(text + n, sizeof(text) - n, "%s%s %" PRIu64,
		    i ? ", " : "", r->reason, r->events);
		if (r->bytes && n < sizeof(text))
			n += snprintf(text + n, sizeof(text) - n, " (%" PRIu64 " bytes)", r->bytes);
	}
	return text;
}
