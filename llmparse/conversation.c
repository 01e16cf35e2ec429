/* conversation.c - which earlier request a request continues; see conversation.h */
#include "llmparse/conversation.h"

#include "lib/flow.h"
#include "vendor/values.h"

#include <stdlib.h>
#include <string.h>

struct history {
	struct flow_table *threads;	/* by digest */
	struct flow_table *names;	/* by id of a response; entries are threads, too */
	struct flow_table *marks;
	uint64_t forgotten;
};

/* --- digests ------------------------------------------------------------------ */

static uint64_t
mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t
load(const char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

/* Two independent multiply-and-fold chains over the same bytes. */
static struct digest
add_bytes(struct digest d, const char *p, size_t n)
{
	const uint64_t k0 = 0x9e3779b97f4a7c15u, k1 = 0xc2b2ae3d27d4eb4fu, k2 = 0x165667b19e3779f9u;
	uint64_t a = d.h[0] ^ mix(n ^ k0, k1), b = d.h[1] ^ mix(n ^ k2, k0);

	for (; n >= 16; p += 16, n -= 16) {
		uint64_t x = load(p, 8), y = load(p + 8, 8);

		a = mix(a ^ x ^ k1, y ^ k2 ^ a >> 7);
		b = mix(b ^ y ^ k0, x ^ k1 ^ b >> 9);
	}
	if (n) {
		uint64_t x = load(p, n < 8 ? n : 8), y = n > 8 ? load(p + 8, n - 8) : 0;

		a = mix(a ^ x ^ k1, y ^ k2);
		b = mix(b ^ y ^ k0, x ^ k1);
	}
	return (struct digest){ { mix(a ^ k2, k0 ^ a), mix(b ^ k1, k2 ^ b) } };
}

static struct digest
add_value(struct digest d, struct value v)
{
	return add_bytes(d, v.p, v.n);
}

static struct digest add_content(struct digest d, struct value v);

/* Walked even when there are no marks in it now: there may be in the next request. */
static struct digest
add_block(struct digest d, struct value v)
{
	struct value_iter it;
	struct value k, e;

	if (value_eq(value_get(v, "type"), "text") && value_get(v, "text").kind == VALUE_STRING) {
		e = value_get(v, "text");
		return add_bytes(add_bytes(d, "text", 4), e.p, e.n);
	}
	if (v.kind != VALUE_OBJECT)
		return add_value(d, v);
	value_iter(&it, v);
	while (value_next(&it, &k, &e)) {
		if (value_eq(k, "content"))	/* of the result of a tool */
			d = add_content(d, e);
		else if (!value_eq(k, "cache_control"))
			d = add_value(add_bytes(d, k.p, k.n), e);
	}
	return add_bytes(d, "end", 3);
}

static struct digest
add_content(struct digest d, struct value v)
{
	struct value_iter it;
	struct value k, e;

	if (v.kind == VALUE_STRING)
		return add_bytes(add_bytes(d, "text", 4), v.p, v.n);
	if (v.kind != VALUE_ARRAY)
		return add_value(d, v);
	value_iter(&it, v);
	while (value_next(&it, &k, &e))
		d = add_block(d, e);
	return d;
}

static struct digest
add_item(struct digest d, struct value v)
{
	struct value_iter it;
	struct value k, e;

	if (v.kind != VALUE_OBJECT)
		return add_content(d, v);
	value_iter(&it, v);
	while (value_next(&it, &k, &e)) {
		if (value_eq(k, "content"))
			d = add_content(d, e);
		else if (!value_eq(k, "cache_control"))
			d = add_value(add_bytes(d, k.p, k.n), e);
	}
	return add_bytes(d, "item", 4);
}

struct digest
list_digest(const struct value *item, size_t n, struct digest *at)
{
	struct digest d = { { 1, 2 } };

	for (size_t i = 0; i < n; i++) {
		d = add_item(d, item[i]);
		if (at)
			at[i] = d;
	}
	return d;
}

struct digest
text_digest(const char *p, size_t n)
{
	struct digest d = add_bytes((struct digest){ { 7, 8 } }, p, n);

	d.h[0] |= 1;
	return d;
}

struct digest
content_digest(struct value v, const char *except)
{
	struct digest d = { { 5, 6 } };
	struct value_iter it;
	struct value k, e;

	if (v.kind != VALUE_ARRAY)
		return v.kind == VALUE_OBJECT ? add_block(d, v) : add_content(d, v);
	value_iter(&it, v);
	while (value_next(&it, &k, &e))
		if (!text_begins(value_get(e, "text"), except))
			d = e.kind == VALUE_STRING ? add_content(d, e) : add_block(d, e);
	return d;
}

/* --- what is kept --------------------------------------------------------------- */

static void
thread_finish(void *arg, void *entry, enum flow_why why)
{
	struct history *h = arg;
	struct thread *t = entry;

	if (why == FLOW_FULL)
		h->forgotten++;
	free(t->id);
	free(t->first);
}

static void
mark_finish(void *arg, void *entry, enum flow_why why)
{
	struct history *h = arg;

	(void)entry;
	if (why == FLOW_FULL)
		h->forgotten++;
}

struct history *
history_new(size_t max)
{
	struct history *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->threads = flow_new(sizeof(struct thread), max, 0, thread_finish, h);
	h->names = flow_new(sizeof(struct thread), max, 0, thread_finish, h);
	h->marks = flow_new(1, max, 0, mark_finish, h);
	if (!h->threads || !h->names || !h->marks) {
		history_free(h);
		return NULL;
	}
	return h;
}

void
history_free(struct history *h)
{
	if (!h)
		return;
	flow_free(h->threads);
	flow_free(h->names);
	flow_free(h->marks);
	free(h);
}

uint64_t
history_forgotten(const struct history *h)
{
	return h->forgotten;
}

struct thread *
history_at(struct history *h, struct digest d)
{
	return flow_find(h->threads, &d, sizeof(d), 0);
}

struct thread *
history_find(struct history *h, const struct digest *at, size_t n, size_t *known)
{
	for (size_t i = n; i-- > 0;) {
		struct thread *t = history_at(h, at[i]);

		if (t && t->id) {
			*known = i + 1;
			return t;
		}
	}
	*known = 0;
	return NULL;
}

static bool
thread_name(struct thread *t, const char *id, size_t n, bool sent)
{
	char *copy = malloc(n + 1);

	if (!copy)
		return false;
	memcpy(copy, id, n);
	copy[n] = '\0';
	free(t->id);
	t->id = copy;
	t->sent = sent;
	return true;
}

struct thread *
history_add(struct history *h, struct digest d, const char *id, size_t n, bool sent)
{
	struct thread *t = flow_get(h->threads, &d, sizeof(d), 0);

	return t && thread_name(t, id, n, sent) ? t : NULL;
}

void
thread_begin(struct thread *t, const char *first)
{
	char *copy = first ? strdup(first) : NULL;

	free(t->first);
	t->first = copy;
}

struct thread *
history_link(struct history *h, const char *name, size_t n, const char *id, bool sent)
{
	struct thread *t = flow_get(h->names, name, n, 0);

	return t && thread_name(t, id, strlen(id), sent) ? t : NULL;
}

const struct thread *
history_linked(struct history *h, const char *name, size_t n)
{
	struct thread *t = flow_find(h->names, name, n, 0);

	return t && t->id ? t : NULL;
}

bool
history_seen(struct history *h, const void *mark, size_t n)
{
	bool seen = flow_find(h->marks, mark, n, 0) != NULL;

	if (!seen)
		flow_get(h->marks, mark, n, 0);
	return seen;
}
