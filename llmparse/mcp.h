/*
 * mcp.h - tool servers: MCP over standard input and output, and over HTTP
 *
 * A request is kept until its response is there, in the scope where that can
 * come: the same HTTP exchange, the same session, or the other direction of
 * the same process. Both ends of a pipe may be seen; a call is emitted once.
 */
#ifndef LLM_MCP_H
#define LLM_MCP_H

#include "llmparse/rpc.h"

struct line_out;
struct loss;
struct mcp;

struct mcp_conf {
	bool content;		/* arguments and results too */
	size_t max_calls, max_line;
	uint64_t max_memory, idle_ns;
	struct line_out *out;
	struct loss *loss;
};

/* NULL: out of memory. */
struct mcp *mcp_new(const struct mcp_conf *);
void mcp_free(struct mcp *);	/* emits what is open */

/* Each returns whether the event was MCP's. Before the first line it writes
 * it calls first(arg), so that the event itself can go before. */
struct mcp_event {
	struct event *ev;
	uint64_t now;
	void (*first)(void *arg, const struct event *);
	void *arg;
	unsigned lenient;	/* marks of the body (lenient.h) */
};
bool mcp_stdio(struct mcp *, const struct mcp_event *);
bool mcp_request(struct mcp *, const struct mcp_event *, struct value body);
/* A process has ended (process.exit): what was asked of it, or by it, has no response. */
void mcp_exit(struct mcp *, const struct mcp_event *);
/* body: of an http.response, VALUE_NONE when it is no JSON. */
bool mcp_response(struct mcp *, const struct mcp_event *, struct value body);
bool mcp_message(struct mcp *, const struct mcp_event *);	/* sse.message */
/* Is something open in the exchange of this event? */
bool mcp_knows(struct mcp *, struct event *, uint64_t now);
void mcp_expire(struct mcp *, uint64_t now);

#endif
