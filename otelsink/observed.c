/* observed.c - resources and metrics of agents; see observed.h */
#include "otelsink/observed.h"

#include "lib/flow.h"
#include "otelsink/procs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct observeds {
	struct observeds_conf conf;
	struct flow_table *table;	/* entries are struct observed * */
	struct observed *all;
	struct observed *own;
};

struct observed *
observed_ref(struct observed *o)
{
	if (o)
		o->refs++;
	return o;
}

void
observed_unref(struct observed *o)
{
	if (!o || --o->refs)
		return;
	resource_unref(o->resource);
	meter_free(o->meter);
	free(o);
}

static void
put_one(struct observeds *t, struct observed *o)
{
	unsigned lost;

	if (t->conf.metrics && (lost = meter_put(o->meter, t->conf.metrics)))
		t->conf.lost(t->conf.arg, lost);
}

static void
finish(void *arg, void *entry, enum flow_why why)
{
	struct observeds *t = arg;
	struct observed *o = *(struct observed **)entry;

	(void)why;
	if (!o)
		return;
	put_one(t, o);
	*(o->prev ? &o->prev->next : &t->all) = o->next;
	if (o->next)
		o->next->prev = o->prev;
	observed_unref(o);
}

struct observeds *
observeds_new(const struct observeds_conf *conf)
{
	struct observeds *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->conf = *conf;
	if (!(t->table = flow_new(sizeof(struct observed *), conf->max, SIZE_MAX, finish, t))) {
		free(t);
		return NULL;
	}
	return t;
}

void
observeds_free(struct observeds *t)
{
	if (!t)
		return;
	flow_free(t->table);
	observed_unref(t->own);
	free(t);
}

void
observeds_put(struct observeds *t)
{
	for (struct observed *o = t->all; o; o = o->next)
		put_one(t, o);
	if (t->own)
		put_one(t, t->own);
}

/* --- the resource --------------------------------------------------------------- */

/* OTEL_RESOURCE_ATTRIBUTES last, in place of what has the same key; there an
 * empty value takes a key away. */
static void
add_given(struct attrs *a, const struct identity *who)
{
	for (size_t i = 0; who->given && i < who->given->n; i++) {
		const struct attr *g = &who->given->at[i];
		size_t k = 0;

		if (who->service && !strcmp(g->key, "service.name"))
			continue;
		while (k < a->n && strcmp(a->at[k].key, g->key))
			k++;
		if (g->n && k < a->n)
			a->at[k] = *g;
		else if (g->n)
			attr_text(a, g->key, g->p, g->n);
		else if (k < a->n)
			memmove(&a->at[k], &a->at[k + 1], (--a->n - k) * sizeof(*a->at));
	}
}

static void
add_common(struct attrs *a, const struct identity *who)
{
	attr_str(a, "host.name", who->host);
	attr_str(a, "os.type", "linux");
	attr_str(a, "telemetry.sdk.name", "agentsight");
	attr_str(a, "telemetry.sdk.language", "c");
	attr_str(a, "telemetry.sdk.version", VERSION);
}

/* A UUID (RFC 9562, version 8) that the same process of the same recording has
 * each time. */
static const char *
instance_id(char text[37], const void *key, size_t n, uint64_t first_ns)
{
	struct trace_id id = trace_id_of("instance", key, n, first_ns);
	const unsigned char *b = id.b;

	id.b[6] = 0x80 | (b[6] & 0x0f);
	id.b[8] = 0x80 | (b[8] & 0x3f);
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	    b[0], b[1], b[2], b[3],
	    b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return text;
}

static void
add_process(struct attrs *a, struct event *ev, const struct proc *p, bool content)
{
	size_t n;
	const char *s;
	int64_t i;

	if (event_i64(ev, "pid", &i))
		attr_int(a, "process.pid", i);
	if (p && p->up)
		attr_int(a, "process.parent_pid", p->up->pid);
	if ((s = event_bytes(ev, "comm", &n))) {
		s = text_clean(&ev->arena, s, &n);
		attr_text(a, "process.executable.name", s, n);
	}
	if (p && p->path)
		attr_str(a, "process.executable.path", p->path);
	if (p && p->argv && content)
		attr_json(a, "process.command_args", ATTR_STRS,
		    (struct value){ p->argv, strlen(p->argv), VALUE_ARRAY, false });
	if ((s = event_str(ev, "container_id", &n)))
		attr_text(a, "container.id", s, n);
}

static struct observed *
make(struct observeds *t, const struct attrs *a, struct arena *arena)
{
	struct observed *o = calloc(1, sizeof(*o));

	if (!o || !(o->resource = resource_new(a, t->conf.meter.json, arena)) ||
	    !(o->meter = meter_new(&t->conf.meter, o->resource))) {
		if (o)
			resource_unref(o->resource);
		free(o);
		return NULL;
	}
	o->refs = 1;
	return o;
}

/* The agent's name; its process's, when no name is known. */
static const char *
agent_of(struct event *ev, size_t *n)
{
	const char *s = event_bytes(ev, "agent", n);

	if (!s)
		s = event_bytes(ev, "comm", n);
	if (!s) {
		*n = 7;
		return "unknown";
	}
	return text_clean(&ev->arena, s, n);
}

static struct observed *
make_agent(struct observeds *t, struct event *ev, const struct proc *p, const char *key,
    size_t keylen)
{
	struct attrs a = { .n = 0 };
	char id[37];
	const char *s;
	size_t n;

	if (t->conf.who.service) {
		attr_str(&a, "service.name", t->conf.who.service);
	} else {
		s = agent_of(ev, &n);
		attr_text(&a, "service.name", s, n);
	}
	if ((s = event_str(ev, "agent_version", &n)))
		attr_text(&a, "service.version", s, n);
	attr_str(&a, "service.instance.id", instance_id(id, key, keylen, event_time(ev)));
	add_process(&a, ev, p, t->conf.content);
	add_common(&a, &t->conf.who);
	add_given(&a, &t->conf.who);
	return make(t, &a, &ev->arena);
}

struct observed *
observeds_get(struct observeds *t, struct event *ev, const struct proc *p)
{
	struct observed **entry;
	struct value version = event_get(ev, "agent_version"), pid = event_get(ev, "pid");
	size_t n;
	const char *agent = agent_of(ev, &n);
	size_t keylen = n + 2 + pid.n + version.n;
	char *key = arena_get(&ev->arena, keylen);

	if (!key)
		return NULL;
	memcpy(key, agent, n);
	key[n] = '\0';
	memcpy(key + n + 1, pid.p ? pid.p : "", pid.n);
	key[n + 1 + pid.n] = '\0';
	memcpy(key + n + 2 + pid.n, version.p ? version.p : "", version.n);
	if (!(entry = flow_get(t->table, key, keylen, event_time(ev))))
		return NULL;
	if (!*entry) {
		if (!(*entry = make_agent(t, ev, p, key, keylen))) {
			flow_drop(t->table, entry, FLOW_ERROR);
			return NULL;
		}
		(*entry)->next = t->all;
		if (t->all)
			t->all->prev = *entry;
		t->all = *entry;
	}
	return observed_ref(*entry);
}

struct observed *
observeds_own(struct observeds *t, struct arena *arena)
{
	struct attrs a = { .n = 0 };
	struct identity who = t->conf.who;

	if (t->own)
		return t->own;
	who.service = "agentsight";	/* the user's name is for what is observed */
	attr_str(&a, "service.name", who.service);
	attr_str(&a, "service.version", VERSION);
	add_common(&a, &who);
	add_given(&a, &who);
	return t->own = make(t, &a, arena);
}
