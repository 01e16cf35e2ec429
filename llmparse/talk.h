/*
 * talk.h - Gemini Live: turns of a conversation over a WebSocket
 *
 * A session is set up once; then both sides send pieces. A turn of the model, from what
 * was said before it to its end (or to the tools that it asks for), is one call.
 */
#ifndef LLM_TALK_H
#define LLM_TALK_H

#include "llmparse/call.h"

struct talks;
struct loss;

struct talks_conf {
	struct caller *caller;
	int64_t max;			/* sessions at a time */
	uint64_t max_memory;
	struct line_out *out;
	struct loss *loss;
	/* The line at hand goes on first, before what it completes. */
	void (*first)(void *arg, const struct event *);
	void *arg;
};

struct talks *talks_new(const struct talks_conf *);	/* NULL: out of memory */
void talks_free(struct talks *);

/* An upgrade of whose path it is. True: it is a session's. */
bool talks_request(struct talks *, struct event *, uint64_t now);
/* A ws.message. True: it is of a session. */
bool talks_message(struct talks *, struct event *, uint64_t now);
/* The connection closed (conn: its name as JSON). */
void talks_close(struct talks *, struct event *, struct value conn);
void talks_expire(struct talks *, uint64_t now, uint64_t idle_ns);

#endif
