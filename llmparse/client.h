/*
 * client.h - who asks: the agent, and what it calls its conversation
 */
#ifndef LLM_CLIENT_H
#define LLM_CLIENT_H

#include "vendor/vendor.h"

/* A header's value, the first one when it occurs more than once. */
struct value header_get(struct value headers, const char *name);

/* Text that is not NUL-terminated. */
struct client_text {
	const char *p;
	size_t n;
};

/* The agent by its user agent ("claude-code"), else by the process, else the
 * first product of the user agent unless that is just a library. Borrowed from
 * the arguments or static; n 0 when there is nothing to go by. version: of the
 * user agent's product, n 0 when it says none. */
struct client_text client_agent(struct client_text user_agent, struct client_text comm,
    struct client_text *version);

/* What the client calls the conversation: in its headers, in the body. Text in
 * the event's arena; n 0 when it says nothing. */
struct client_text client_conversation(struct event *, struct value headers,
    const struct request *);

#endif
