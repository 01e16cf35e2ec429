/*
 * response.h - one streamed answer: from the bytes of a body to the message
 *
 * Finds the framing (event stream, JSON values, AWS event stream) and the format, by content
 * type and path where they tell and by what comes where they do not; bytes go
 * in cut anywhere. No I/O, no clock.
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include "ssemerge/aws.h"
#include "vendor/merge.h"
#include "ssemerge/sse.h"
#include "ssemerge/values.h"

enum framing {
	FRAMING_UNKNOWN,	/* the first byte that is no space will tell */
	FRAMING_SSE,
	FRAMING_VALUES,
	FRAMING_AWS,
	FRAMING_NONE,		/* the content type is of no stream of events */
};

struct response {
	enum framing framing;
	struct sse sse;
	struct values values;
	struct aws aws;
	struct merge merge;
	struct builder readers;	/* accounts what the readers hold */
	const struct merge_format *hint;	/* by path */
	struct text pending;	/* events from before the format was known */
	struct event *scan;	/* borrowed; used only during a call */
	char *repaired;		/* the data of this event, when it needed repair */
	uint64_t events;
	uint64_t bad_utf8, bad_utf8_bytes;	/* events with replaced characters */
	bool cut;		/* the end was not regular: its last event may be half */
	bool done;		/* nothing belongs to it any more: what comes is ignored */
};

/* What a content type (NULL: not known) says. */
enum framing framing_of(const char *content_type, bool *lines);

/* path (NULL: not known) is not kept. max: bytes of the message, and of one
 * event. scan is scratch that may be shared by answers. */
void response_init(struct response *, struct event *scan, const char *content_type,
    const char *path, size_t pathlen, size_t max);
void response_free(struct response *);

/* 0, or -1 when out of memory. */
int response_feed(struct response *, const void *p, size_t n);
/* One event whole, its data being JSON, where the framing is another's. */
int response_value(struct response *, const void *p, size_t n);
/* Bytes are missing here. What is merged so far stands, and so does what comes. */
void response_hole(struct response *);
/* The body is over; cut: not by its own end. The format is known after it. */
int response_end(struct response *, bool cut);

/* The message, borrowed; its text is appended to text. Only after response_end,
 * or once done; nothing can be fed any more. */
const json_t *response_message(struct response *, struct text *text);

size_t response_memory(const struct response *);	/* bytes */
/* Whether something did not fit into max, and how many bytes. */
bool response_limited(const struct response *, uint64_t *bytes);

#endif
