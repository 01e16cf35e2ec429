/*
 * socket.h - OpenAI Responses over a WebSocket: several calls, one exchange
 *
 * The client's "response.create" is a request; the events that follow are
 * those of the SSE stream, and the last of them has the whole response. Turns
 * may run at the same time, told apart by stream_id.
 */
#ifndef LLM_SOCKET_H
#define LLM_SOCKET_H

#include "llmparse/call.h"

struct line_out;
struct loss;
struct sockets;

/* Calls first(arg, ev) before the first line that an event gives. NULL: out of
 * memory. */
struct sockets_conf {
	size_t max;
	uint64_t max_memory;
	struct caller *caller;
	struct line_out *out;
	struct loss *loss;
	void (*first)(void *arg, const struct event *);
	void *arg;
};
struct sockets *sockets_new(const struct sockets_conf *);
void sockets_free(struct sockets *);	/* emits what is open */
void sockets_expire(struct sockets *, uint64_t now, uint64_t idle_ns);

/* An upgrade: remembers who asks. */
void sockets_request(struct sockets *, struct event *, uint64_t now);
void sockets_message(struct sockets *, struct event *, uint64_t now);	/* ws.message */
/* Is this sse.message a socket's? Then it has been dealt with. */
bool sockets_merged(struct sockets *, struct event *, const struct call_response *, uint64_t now);
void sockets_close(struct sockets *, struct event *, struct value conn);	/* ssl.close */

#endif
