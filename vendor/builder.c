/* builder.c - a message in the making; see builder.h */
#include "vendor/builder.h"

#include "lib/lenient.h"

#include <stdlib.h>
#include <string.h>

enum {
	SLOTS_MAX = 64,		/* growing strings at a time; more are settled */
	/* over the limit, for what is small and comes last: usage, reasons */
	RESERVE = 64 << 10,
	REST_MAX = 256,		/* different members of one object */
	NODE_COST = 64,		/* what jansson needs per value, about */
	OBJECT_COST = 320,
};

struct builder_slot {
	json_t *object;		/* a reference of our own */
	const char *key;
	struct text text;
};

void
builder_init(struct builder *d, size_t max)
{
	memset(d, 0, sizeof(*d));
	d->max = max;
}

/* Tree costs are estimates, so the sum may drift: never below nothing. */
static void
release(struct builder *d, size_t n)
{
	d->memory -= n < d->memory ? n : d->memory;
}

void
builder_drop(struct builder *d, struct text *t)
{
	release(d, t->cap);
	free(t->p);
	memset(t, 0, sizeof(*t));
}

static void
slot_free(struct builder *d, struct builder_slot *s)
{
	builder_drop(d, &s->text);
	json_decref(s->object);
}

void
builder_free(struct builder *d)
{
	for (size_t i = 0; i < d->nslot; i++)
		slot_free(d, &d->slot[i]);
	free(d->slot);
	d->slot = NULL;
	d->nslot = d->slotcap = 0;
}

/* Whether n more bytes fit; what does not is counted. */
static bool
fits(struct builder *d, size_t n, size_t reserve)
{
	if (d->memory < d->max + reserve && n <= d->max + reserve - d->memory)
		return true;
	d->lost += n;
	return false;
}

char *
builder_room(struct builder *d, struct text *t, size_t n)
{
	size_t want, left;
	char *p;

	if (t->cap - t->n >= n)
		return t->p + t->n;
	if (!fits(d, n - (t->cap - t->n), 0))
		return NULL;
	want = t->n + n;
	left = d->max - d->memory;
	if (want < t->cap * 2)
		want = t->cap * 2;
	if (want < 64)
		want = 64;
	if (want - t->cap > left)	/* near the limit: no slack */
		want = t->n + n;
	if (!(p = realloc(t->p, want))) {
		d->nomem = true;
		d->lost += n;
		return NULL;
	}
	d->memory += want - t->cap;
	t->p = p;
	t->cap = want;
	return p + t->n;
}

bool
builder_add(struct builder *d, struct text *t, const void *p, size_t n)
{
	char *to;

	if (!n)
		return true;
	if (!(to = builder_room(d, t, n)))
		return false;
	memcpy(to, p, n);
	t->n += n;
	return true;
}

bool
builder_decode(struct builder *d, struct text *t, struct value v)
{
	size_t at = t->n;
	char *to;

	/* decoded text is never longer than the JSON between the quotes */
	if (v.kind != VALUE_STRING || v.n == 2 || !(to = builder_room(d, t, v.n - 2)))
		return false;
	t->n += value_decode(v, to);
	if (d->halves)
		t->n = lenient_join(t->p, t->n, at);
	return true;
}

/* What a tree holds, about. Nesting is at most what jansson parses. */
static size_t
tree_cost(const json_t *j)
{
	size_t n = NODE_COST, i;
	const char *key;
	json_t *v;

	if (json_is_string(j)) {
		n += json_string_length(j);
	} else if (json_is_object(j)) {
		n += OBJECT_COST;
		json_object_foreach((json_t *)(uintptr_t)j, key, v)
			n += NODE_COST + strlen(key) + tree_cost(v);
	} else if (json_is_array(j)) {
		json_array_foreach(j, i, v)
			n += sizeof(v) + tree_cost(v);
	}
	return n;
}

/* The text may be shorter than its tree by far, so that is looked at as well. */
json_t *
builder_json(struct builder *d, struct value v)
{
	size_t reserve = v.n <= RESERVE / 4 ? RESERVE : 0, cost;
	json_t *j;

	if (!fits(d, v.n, reserve))
		return NULL;
	if (!(j = json_loadb(v.p, v.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL))) {
		d->nomem = true;	/* the text was scanned before */
		return NULL;
	}
	cost = tree_cost(j);
	if (cost > v.n && !fits(d, cost, reserve)) {
		json_decref(j);
		return NULL;
	}
	d->memory += cost;
	return j;
}

static struct builder_slot *
slot_find(struct builder *d, const json_t *object, const char *key)
{
	for (size_t i = d->nslot; i-- > 0;)
		if (d->slot[i].object == object &&
		    (d->slot[i].key == key || !strcmp(d->slot[i].key, key))) {
			d->hot = i;
			return &d->slot[i];
		}
	return NULL;
}

bool
builder_grow(struct builder *d, void *array, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap * 2 : 4;
	void *p;

	if (n < *cap)
		return true;
	memcpy(&p, array, sizeof(p));
	if (!(p = realloc(p, want * size))) {
		d->nomem = true;
		return false;
	}
	memcpy(array, &p, sizeof(p));
	*cap = want;
	return true;
}

/* A new slot that begins with the string that object[key] is so far. */
static struct builder_slot *
slot_new(struct builder *d, json_t *object, const char *key)
{
	const json_t *old = json_object_get(object, key);
	struct builder_slot *s;

	if (d->nslot == SLOTS_MAX)
		builder_settle(d);
	if (!builder_grow(d, &d->slot, d->nslot, &d->slotcap, sizeof(*s)))
		return NULL;
	d->hot = d->nslot++;
	s = &d->slot[d->hot];
	*s = (struct builder_slot){ .object = json_incref(object), .key = key };
	if (json_is_string(old)) {
		size_t n = json_string_length(old);

		release(d, tree_cost(old));
		builder_add(d, &s->text, json_string_value(old), n);
	}
	return s;
}

bool
builder_append(struct builder *d, json_t *object, const char *key, struct value v)
{
	struct builder_slot *s = d->hot < d->nslot ? &d->slot[d->hot] : NULL;

	if (v.kind != VALUE_STRING || !object)
		return false;
	if (!s || s->object != object || s->key != key)
		s = slot_find(d, object, key);
	if (!s && !(s = slot_new(d, object, key)))
		return false;
	return builder_decode(d, &s->text, v);
}

/* Puts a tree that is counted already in the place of another. */
static void
put(struct builder *d, json_t *object, const char *key, json_t *j)
{
	struct builder_slot *s = slot_find(d, object, key);
	const json_t *old = json_object_get(object, key);

	if (s) {	/* what grew is void */
		slot_free(d, s);
		*s = d->slot[--d->nslot];
	}
	if (old)
		release(d, tree_cost(old));
	if (json_object_set_new(object, key, j))
		d->nomem = true;
}

void
builder_set_json(struct builder *d, json_t *object, const char *key, json_t *j)
{
	if (!j) {
		d->nomem = true;
		return;
	}
	d->memory += tree_cost(j);
	put(d, object, key, j);
}

void
builder_set(struct builder *d, json_t *object, const char *key, struct value v)
{
	json_t *j = object && v.kind ? builder_json(d, v) : NULL;

	if (j)
		put(d, object, key, j);
}

void
builder_set_member(struct builder *d, json_t *object, struct value key, struct value v)
{
	char buf[256], *name = key.n < sizeof(buf) ? buf : malloc(key.n + 1);

	if (!name) {
		d->nomem = true;
		return;
	}
	name[value_decode(key, name)] = '\0';	/* keys hold no NUL */
	builder_set(d, object, name, v);
	if (name != buf)
		free(name);
}

void
builder_push(struct builder *d, json_t *array, struct value v)
{
	json_t *j = array ? builder_json(d, v) : NULL;

	if (j && json_array_append_new(array, j))
		d->nomem = true;
}

static json_t *
container(struct builder *d, json_t *object, const char *key, bool array)
{
	json_t *j = json_object_get(object, key);

	if (!object || (array ? json_is_array(j) : json_is_object(j)))
		return j;
	builder_set_json(d, object, key, array ? json_array() : json_object());
	return json_object_get(object, key);
}

json_t *
builder_object(struct builder *d, json_t *object, const char *key)
{
	return container(d, object, key, false);
}

json_t *
builder_array(struct builder *d, json_t *object, const char *key)
{
	return container(d, object, key, true);
}

void
builder_settle(struct builder *d)
{
	for (size_t i = 0; i < d->nslot; i++) {
		struct builder_slot *s = &d->slot[i];
		/* the scanner has checked that it is UTF-8 */
		json_t *j = json_stringn_nocheck(s->text.p ? s->text.p : "", s->text.n);
		size_t n = s->text.n;

		if (!j || json_object_set_new(s->object, s->key, j))
			d->nomem = true;
		slot_free(d, s);
		d->memory += NODE_COST + n;
	}
	d->nslot = 0;
}

static void
string_whole(json_t *j, size_t *count)
{
	size_t before = *count, n = json_string_length(j);
	char *t = malloc(n + 1);

	if (!t)
		return;
	memcpy(t, json_string_value(j), n);
	n = lenient_settle(t, n, count);
	if (*count > before)
		json_string_setn_nocheck(j, t, n);
	free(t);
}

size_t
builder_whole(json_t *j)
{
	size_t count = 0, i;
	const char *key;
	json_t *v;

	if (json_is_string(j))
		string_whole(j, &count);
	json_object_foreach(j, key, v)
		count += builder_whole(v);
	json_array_foreach(j, i, v)
		count += builder_whole(v);
	return count;
}

void
builder_sweep(struct builder *d)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < d->nslot; i++) {
			if (d->slot[i].object->refcount > 1)
				continue;
			slot_free(d, &d->slot[i]);
			d->slot[i--] = d->slot[--d->nslot];
			again = true;	/* its parts may be free now */
		}
	}
}

/* --- members of which the last wins ----------------------------------------- */

void
rest_begin(struct rest *r)
{
	r->at = 0;
}

static bool
text_is(const struct text *t, struct value v)
{
	return t->n == v.n && !memcmp(t->p, v.p, v.n);
}

static struct rest_field *
rest_find(struct rest *r, struct value key)
{
	/* members come in the same order every time, as a rule */
	for (size_t i = r->at; i < r->n; i++)
		if (text_is(&r->f[i].key, key)) {
			r->at = i + 1;
			return &r->f[i];
		}
	for (size_t i = 0; i < r->at && i < r->n; i++)
		if (text_is(&r->f[i].key, key))
			return &r->f[i];
	return NULL;
}

void
rest_put(struct builder *d, struct rest *r, struct value key, struct value v)
{
	struct rest_field *f = rest_find(r, key);

	if (f && text_is(&f->value, v))
		return;
	if (!f) {
		if (r->n == REST_MAX) {
			d->lost += key.n + v.n;
			return;
		}
		if (!builder_grow(d, &r->f, r->n, &r->cap, sizeof(*f)))
			return;
		f = &r->f[r->n];
		memset(f, 0, sizeof(*f));
		if (!builder_add(d, &f->key, key.p, key.n))
			return;
		r->at = ++r->n;
	}
	f->value.n = 0;
	/* a value that did not fit leaves its member out */
	f->kind = builder_add(d, &f->value, v.p, v.n) ? v.kind : VALUE_NONE;
}

enum value_kind
rest_kind(const struct rest *r, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < r->n; i++)
		if (r->f[i].key.n == n + 2 && !memcmp(r->f[i].key.p + 1, key, n))
			return r->f[i].kind;
	return VALUE_NONE;
}

void
rest_build(struct builder *d, const struct rest *r, json_t *object)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct rest_field *f = &r->f[i];
		struct value key = { f->key.p, f->key.n, VALUE_STRING, true };

		if (f->kind)
			builder_set_member(d, object, key,
			    (struct value){ f->value.p, f->value.n, f->kind, true });
	}
}

void
rest_free(struct builder *d, struct rest *r)
{
	for (size_t i = 0; i < r->n; i++) {
		builder_drop(d, &r->f[i].key);
		builder_drop(d, &r->f[i].value);
	}
	free(r->f);
	memset(r, 0, sizeof(*r));
}
