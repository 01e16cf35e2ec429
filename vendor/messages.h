/*
 * messages.h - messages and tools in the shape of OpenTelemetry's GenAI schemas
 *
 * Written straight from the vendor's JSON text: strings, numbers and arguments
 * stand in the result as they stood in the body. A vendor's file calls
 * message_open, parts, message_close; what becomes of it (everything, or only
 * the tool calls' names) is decided here.
 */
#ifndef LLM_MESSAGES_H
#define LLM_MESSAGES_H

#include "lib/event.h"
#include "lib/jput.h"
#include "lib/line.h"

/* A JSON array in the making. */
struct section {
	struct line_out out;	/* memory only */
	struct jput j;
	size_t count;		/* elements */
};
void section_init(struct section *);
void section_free(struct section *);
void section_begin(struct section *);
void section_end(struct section *);
/* "key":[...], nothing when the array is empty. */
void section_put(const struct section *, struct jput *, const char *key);

struct messages {
	struct event *ev;	/* scratch: scans text that holds JSON */
	struct section *list;	/* messages; NULL: none are wanted */
	struct section *calls;	/* [{id,name,arguments}]; NULL: not wanted */
	struct section *results;	/* [{id,name,response,is_error}]; NULL: not wanted */
	bool content;		/* arguments and responses too */
	unsigned lenient;	/* marks of JSON in texts that was no strict JSON (lenient.h) */
	struct value last;	/* the text that came last */
	/* Writes what is known of the call that a result answers: its name. */
	void (*known)(void *arg, struct jput *, struct value id, struct value name);
	/* Told of every call, id and name; either may be absent. */
	void (*call)(void *arg, struct value id, struct value name);
	void *arg;
};

/* role: one of the schema's; the _value form takes a vendor's. */
void message_open(struct messages *, const char *role);
void message_open_value(struct messages *, struct value role);
/* finish: NULL when the message has no such member (it is of the input). */
void message_close(struct messages *, const char *finish);

/* Values that are not given make no part. */
void part_text(struct messages *, struct value text);
void part_reasoning(struct messages *, struct value text);
void part_refusal(struct messages *, struct value text);
/* arguments: any JSON; a string that holds JSON becomes that JSON. */
void part_call(struct messages *, struct value id, struct value name, struct value arguments);
void part_result(struct messages *, struct value id, struct value name, struct value response,
    bool error);
/* A tool that runs at the vendor's. what: its JSON. */
void part_server_call(struct messages *, struct value id, struct value name, struct value what);
void part_server_result(struct messages *, struct value id, struct value what);
/* Bytes, or where they are. mime may be absent. modality NULL: by mime. */
void part_blob(struct messages *, const char *modality, struct value mime, struct value base64);
void part_uri(struct messages *, const char *modality, struct value mime, struct value uri);
void part_file(struct messages *, const char *modality, struct value mime, struct value id);
/* Anything else: the object as it is; type when it has none of its own. */
void part_other(struct messages *, const char *type, struct value object);

/* Instructions apart from the list, in whatever shape: parts into a section. */
void instructions_put(struct section *, struct value);
/* A definition of a tool, or several in one. */
void tool_put(struct section *, struct value);
/* The text of a list of blocks when it is just one; else v itself. */
struct value sole_text(struct value v);

/* JSON text on one line. What nests too deep for an event line becomes a
 * string that holds it. */
void put_json(struct jput *, const char *key, struct value);

#endif
