/* flow.c - bounded state per key; see flow.h */
#include "flow.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct node {
	struct node *chain;		/* same bucket */
	struct node *newer, *older;	/* use order */
	uint64_t used_ns;
	uint64_t hash;
	size_t bytes;			/* charged */
	size_t keylen;
	char *key;			/* behind the entry */
	_Alignas(max_align_t) unsigned char entry[];
};

struct flow_table {
	size_t entry, max, max_bytes, count, bytes;
	flow_finish *finish;
	void *arg;
	struct node **bucket;
	size_t nbucket;			/* a power of two */
	struct node *newest, *oldest;
};

const char *
flow_why_name(enum flow_why why)
{
	static const char *const name[] = { "end", "idle", "evicted", "error", "eof" };

	return name[why];
}

struct flow_table *
flow_new(size_t entry, size_t max, size_t max_bytes, flow_finish *finish, void *arg)
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->entry = entry;
	t->max = max ? max : 1;
	t->max_bytes = max_bytes;
	t->finish = finish;
	t->arg = arg;
	t->nbucket = 64;
	if (!(t->bucket = calloc(t->nbucket, sizeof(*t->bucket)))) {
		free(t);
		return NULL;
	}
	return t;
}

void
flow_free(struct flow_table *t)
{
	if (!t)
		return;
	flow_finish_all(t, FLOW_EOF);
	free(t->bucket);
	free(t);
}

static struct node *
node_of(const void *entry)
{
	return (struct node *)((char *)(uintptr_t)entry - offsetof(struct node, entry));
}

/* FNV-1a, finished so that the low bits depend on all. */
static uint64_t
key_hash(const void *key, size_t n)
{
	const unsigned char *p = key;
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211u;
	return h ^ h >> 32;
}

static void
use_unlink(struct flow_table *t, struct node *e)
{
	*(e->newer ? &e->newer->older : &t->newest) = e->older;
	*(e->older ? &e->older->newer : &t->oldest) = e->newer;
}

static void
use_link(struct flow_table *t, struct node *e)
{
	e->older = t->newest;
	e->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = e;
	t->newest = e;
}

static void
node_remove(struct flow_table *t, struct node *e, enum flow_why why)
{
	struct node **p = &t->bucket[e->hash & (t->nbucket - 1)];

	while (*p != e)
		p = &(*p)->chain;
	*p = e->chain;
	use_unlink(t, e);
	t->count--;
	if (t->finish)
		t->finish(t->arg, e->entry, why);
	t->bytes -= e->bytes;
	free(e);
}

static void
table_grow(struct flow_table *t)
{
	size_t n = t->nbucket * 2;
	struct node **bucket = calloc(n, sizeof(*bucket));

	if (!bucket)
		return;		/* longer chains, nothing worse */
	for (struct node *e = t->oldest; e; e = e->newer) {
		e->chain = bucket[e->hash & (n - 1)];
		bucket[e->hash & (n - 1)] = e;
	}
	free(t->bucket);
	t->bucket = bucket;
	t->nbucket = n;
}

void *
flow_find(struct flow_table *t, const void *key, size_t n, uint64_t time_ns)
{
	uint64_t h = key_hash(key, n);
	struct node *e = t->bucket[h & (t->nbucket - 1)];

	while (e && (e->hash != h || e->keylen != n || memcmp(e->key, key, n)))
		e = e->chain;
	if (!e)
		return NULL;
	if (e != t->newest) {
		use_unlink(t, e);
		use_link(t, e);
	}
	if (e->used_ns < time_ns)
		e->used_ns = time_ns;
	return e->entry;
}

void *
flow_get(struct flow_table *t, const void *key, size_t n, uint64_t time_ns)
{
	void *entry = flow_find(t, key, n, time_ns);
	struct node *e;

	if (entry)
		return entry;
	while (t->count >= t->max)
		node_remove(t, t->oldest, FLOW_FULL);
	if (t->count >= t->nbucket)
		table_grow(t);
	if (!(e = calloc(1, sizeof(*e) + t->entry + n)))
		return NULL;
	e->key = (char *)e->entry + t->entry;
	memcpy(e->key, key, n);
	e->keylen = n;
	e->hash = key_hash(key, n);
	e->used_ns = time_ns;
	e->chain = t->bucket[e->hash & (t->nbucket - 1)];
	t->bucket[e->hash & (t->nbucket - 1)] = e;
	use_link(t, e);
	t->count++;
	return e->entry;
}

int
flow_charge(struct flow_table *t, void *entry, ptrdiff_t delta)
{
	struct node *e = node_of(entry);

	if (delta <= 0) {
		size_t back = (size_t)-delta < e->bytes ? (size_t)-delta : e->bytes;

		e->bytes -= back;
		t->bytes -= back;
		return 0;
	}
	if (e->bytes + (size_t)delta > t->max_bytes)
		return -1;
	while (t->bytes + (size_t)delta > t->max_bytes) {
		/* the oldest that holds anything and is not this one */
		struct node *v = t->oldest;

		while (v && (v == e || !v->bytes))
			v = v->newer;
		if (!v)
			return -1;
		node_remove(t, v, FLOW_FULL);
	}
	e->bytes += delta;
	t->bytes += delta;
	return 0;
}

void
flow_drop(struct flow_table *t, void *entry, enum flow_why why)
{
	node_remove(t, node_of(entry), why);
}

void
flow_expire(struct flow_table *t, uint64_t time_ns, uint64_t idle_ns)
{
	while (t->oldest && t->oldest->used_ns + idle_ns < time_ns)
		node_remove(t, t->oldest, FLOW_IDLE);
}

void
flow_finish_all(struct flow_table *t, enum flow_why why)
{
	while (t->oldest)
		node_remove(t, t->oldest, why);
}

const void *
flow_key(const void *entry, size_t *n)
{
	const struct node *e = node_of(entry);

	*n = e->keylen;
	return e->key;
}

size_t
flow_count(const struct flow_table *t)
{
	return t->count;
}
