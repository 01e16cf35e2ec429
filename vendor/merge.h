/*
 * merge.h - from the events of a stream to the message they stand for
 *
 * One struct merge_format per kind of stream, named by the vendors that have it.
 * Events come already read from their framing and scanned; the message is the
 * vendor's own object as it would have come unstreamed, which is what the vendor's
 * SDK makes of the same events.
 */
#ifndef MERGE_H
#define MERGE_H

#include "vendor/builder.h"

/* One event. */
struct merge_input {
	const char *name;	/* "event:", ":event-type"; empty when there is none */
	size_t namelen;
	const char *id;		/* "id:" */
	size_t idlen;
	const char *data;	/* its text, UTF-8 */
	size_t len;
	const struct event *json;	/* the data scanned; NULL: it is not a JSON object */
	struct value type;	/* its "type" */
	bool done;		/* "[DONE]" */
	bool framed;		/* of an AWS event stream: name is its type */
	bool exception;		/* and it is an exception, or an error */
};

struct merge;

struct merge_format {
	const char *name;	/* of sse.message.format */
	size_t own;		/* bytes of the vendor's state, zeroed: merge.own */
	/* Is this surely an event of the vendor's? */
	bool (*detect)(const struct merge_input *);
	/* Would this path be the vendor's, when the events do not tell? */
	const char *path[4];	/* parts of it */
	bool own_end;		/* streams have an end of their own: "[DONE]" before it is none */
	void (*event)(struct merge *, const struct merge_input *);
	/* No more events: makes m->root whole (the builder is settled before)
	 * and appends the answer that is visible to a user to text. */
	void (*finish)(struct merge *, struct text *text);
	void (*free)(struct merge *);	/* what own points to */
};

/* What is nobody's, and what comes framed without saying whose it is. */
extern const struct merge_format merge_generic, merge_bedrock_converse;

struct merge {
	const struct merge_format *format;	/* NULL: not known yet */
	void *own;
	struct builder builder;
	json_t *root;		/* the message, an object */
	json_t *error;		/* the vendor's error object, when one came */
	bool content;		/* a piece of the answer has come */
	bool ended;		/* the vendor's end marker came */
	bool closed;		/* nothing belongs to the message any more */
	uint64_t bad;		/* events that are not what the format has */
	unsigned lenient;	/* marks of what was no strict JSON (lenient.h) */
	size_t halves;		/* halves of surrogate pairs that stayed alone */
	bool watched;		/* what grows is wanted as it comes: */
	struct merge_delta {
		enum merge_kind { MERGE_TEXT, MERGE_REASONING, MERGE_TOOL, MERGE_ARGUMENTS } kind;
		struct text text;
	} *delta;		/* since they were taken, kinds that follow each other are one */
	size_t ndelta, deltacap;
};

void merge_init(struct merge *, size_t max);
/* 0, or -1 when out of memory. */
int merge_start(struct merge *, const struct merge_format *);
void merge_event(struct merge *, const struct merge_input *);
/* The message, borrowed, complete as far as it came; its text is appended to
 * text. After it only merge_free. */
const json_t *merge_finish(struct merge *, struct text *text);
void merge_free(struct merge *);

/* The format that an event belongs to for certain, or NULL. */
const struct merge_format *merge_detect(const struct merge_input *);
/* The format that a request path speaks, or NULL. */
const struct merge_format *merge_by_path(const char *path, size_t n);

/* For formats. */
/* The whole data of an event that is a JSON object. */
struct value input_object(const struct merge_input *);
/* The error that the stream tells; the first one counts. What is no object
 * becomes {"message":VALUE}. */
void merge_error(struct merge *, struct value);
/* Appends to the string object[key] as builder_append; it is part of the answer. */
void merge_grow(struct merge *, json_t *object, const char *key, struct value);
/* ... as what; merge_grow goes by the key: "arguments", "thinking" and so on, else text. */
void merge_grow_as(struct merge *, enum merge_kind, json_t *object, const char *key, struct value);
/* What a user sees grow that is put into the message in another way: a tool's name,
 * a part that comes whole. */
void merge_say(struct merge *, enum merge_kind, struct value);
void merge_say_bytes(struct merge *, enum merge_kind, const char *p, size_t n);	/* UTF-8 */
/* Forgets the first n deltas. */
void merge_said(struct merge *, size_t n);
/* Arguments of a tool, which came as pieces of JSON text, as a value: nothing
 * is {}, what was cut is closed, what is no JSON at all stays text. */
json_t *merge_arguments(struct merge *, const char *p, size_t n);
/* Appends the elements of an array to those of object[key]. */
void merge_extend(struct merge *, json_t *object, const char *key, struct value array);
/* array[index]. type: made when it is not there, as an object of that type; places
 * before it that were not seen are empty objects, until merge_unpad. NULL: none. */
json_t *merge_element(struct merge *, json_t *array, int64_t index, const char *type);
/* array[index] = v, an object. */
void merge_element_set(struct merge *, json_t *array, int64_t index, struct value);
void merge_unpad(json_t *array);
/* Members overwrite those of object; null ones say nothing new. */
void merge_overwrite(struct merge *, json_t *object, struct value from);
/* Adds the string object[key] to the text of the answer. */
void merge_text(struct text *, const json_t *object, const char *key);
/* Adds the texts of a list of parts of the type "text". */
void merge_parts(struct text *, const json_t *list);
/* A member of the scanned object, its key with the quotes. */
struct value field_key(const struct event_field *);
/* Several members of an object in one pass: to[i] is that of key[i]. */
void value_pick(struct value object, const char *const *key, struct value *to, size_t n);
/* Does a JSON string begin with this? */
bool value_begins(struct value, const char *text);
int64_t value_int(struct value, int64_t otherwise);
/* A string that is not empty. */
bool value_says(struct value);
/* Neither absent nor null. */
bool value_given(struct value);

#endif
