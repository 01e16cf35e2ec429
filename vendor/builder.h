/*
 * builder.h - a message in the making: a jansson tree with strings that grow
 *
 * jansson's strings cannot be appended to, so text that arrives in pieces is
 * kept beside the tree and put into it by builder_settle. Every byte kept is
 * counted; what would go over the limit is left out and counted too.
 */
#ifndef BUILDER_H
#define BUILDER_H

#include "lib/event.h"

#include <jansson.h>

/* Bytes that grow. */
struct text {
	char *p;
	size_t n, cap;
};

struct builder {
	struct builder_slot *slot;	/* strings that grow, newest last */
	size_t nslot, slotcap;
	size_t hot;		/* the slot used last */
	size_t memory, max;	/* bytes kept, and how many may be */
	uint64_t lost;		/* bytes that did not fit */
	bool nomem;
	bool halves;		/* texts may hold halves of surrogate pairs (lenient.h) */
};

void builder_init(struct builder *, size_t max);
void builder_free(struct builder *);

/* Room for one more element of that size in an array of n; array points at the
 * pointer to it. False: out of memory, which is noted. */
bool builder_grow(struct builder *, void *array, size_t n, size_t *cap, size_t size);

/* Room for n more bytes behind t; the caller advances t->n. NULL: over the
 * limit or out of memory; n is counted in lost. */
char *builder_room(struct builder *, struct text *, size_t n);
bool builder_add(struct builder *, struct text *, const void *p, size_t n);
/* Appends a JSON string, decoded; halves of a surrogate pair that meet become one
 * character. Values of other kinds add nothing. True when bytes were added. */
bool builder_decode(struct builder *, struct text *, struct value);
void builder_drop(struct builder *, struct text *);	/* frees t, gives its bytes back */

/* Appends a JSON string, decoded, to the string object[key] (made when absent;
 * another kind of value is replaced). key must outlive the builder. Values of
 * other kinds add nothing. True when bytes were added. */
bool builder_append(struct builder *, json_t *object, const char *key, struct value);

/* object[key] = value, which may be any JSON. The _json form takes over a new
 * reference (NULL: out of memory) and is not held to the limit. */
void builder_set(struct builder *, json_t *object, const char *key, struct value);
void builder_set_json(struct builder *, json_t *object, const char *key, json_t *);
/* As builder_set, for a key as it stands in the JSON text. */
void builder_set_member(struct builder *, json_t *object, struct value key, struct value);
void builder_push(struct builder *, json_t *array, struct value);

/* A value as a tree, counted; NULL when it does not fit. */
json_t *builder_json(struct builder *, struct value);
/* object[key], made as an empty object or array when it is not one yet. */
json_t *builder_object(struct builder *, json_t *object, const char *key);
json_t *builder_array(struct builder *, json_t *object, const char *key);

/* Replaces halves of surrogate pairs that are left in the strings of a tree by
 * U+FFFD; returns how many there were. */
size_t builder_whole(json_t *);

/* Puts the growing strings into the tree. They may be appended to again. */
void builder_settle(struct builder *);
/* Frees growing strings of objects that are no longer in any tree. */
void builder_sweep(struct builder *);

/*
 * Members of which the last one wins and that repeat in every event: kept as
 * JSON text, compared, and made a tree once at the end.
 */
struct rest {
	struct rest_field {
		struct text key, value;	/* key with its quotes */
		enum value_kind kind;
	} *f;
	size_t n, cap;
	size_t at;		/* where the next is expected */
};
/* Begins an event. */
void rest_begin(struct rest *);
void rest_put(struct builder *, struct rest *, struct value key, struct value);
/* The kind that a member has so far. */
enum value_kind rest_kind(const struct rest *, const char *key);
/* Adds the members to object, in the order of their first appearance. */
void rest_build(struct builder *, const struct rest *, json_t *object);
void rest_free(struct builder *, struct rest *);

#endif
