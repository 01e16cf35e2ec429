/*
 * call.h - one model call: what its request said, kept until the answer is there
 *
 * call_request turns a request into the text of half an llm.call and the little
 * that has to be remembered; call_emit adds the answer and writes the line.
 */
#ifndef LLM_CALL_H
#define LLM_CALL_H

#include "llmparse/client.h"
#include "llmparse/conversation.h"
#include "llmparse/route.h"

enum call_content { CONTENT_NONE, CONTENT_LAST, CONTENT_ALL };

struct flow_table;

/* What making calls needs; one per stage. */
struct caller {
	enum call_content content;
	struct history *history;
	struct relays *relays;
	struct flow_table *tools;	/* calls of tools, by conversation and id */
	uint64_t tools_forgotten;
	struct line_out scratch;	/* memory only */
	struct section list, system, definitions, calls, results, finish;
	struct value *item;		/* elements of the request's list */
	struct digest *at;
	size_t nitem, itemcap;
	/* while a request, or an answer, is looked at */
	const struct vendor *vendor;
	struct event *ev;
	const char *conversation, *id;	/* of the call */
	struct digest said;		/* of the last text of its answer */
	struct value wanted, found;	/* an id whose name is sought in the list */
};

/* memory: how many requests are remembered. -1: out of memory. */
int caller_init(struct caller *, enum call_content, size_t memory);
void caller_free(struct caller *);

struct call {
	const struct vendor *vendor;	/* NULL: nothing is here yet */
	enum route_confidence confidence;	/* POSSIBLE: its response decides */
	unsigned lenient;		/* marks of its request (lenient.h) */
	bool stream;			/* one was asked for */
	bool responded;			/* the head of an answer was seen ... */
	int64_t status;			/* ... with this status; 0: none */
	uint64_t start_ns;		/* 0: the request was not seen */
	uint64_t pid, peer_pid;		/* who asks, who is asked; 0: not known */
	struct digest asked;		/* of the last text of its request; zero: none */
	unsigned rivals;		/* open calls that its peer may work for, too */
	const char *provider;		/* by host; NULL: not a vendor's */
	char *host;			/* without its port; NULL: not known */
	bool hostless;			/* it is among headers that were not seen */
	bool pathless;			/* so is the path: the body alone says what it is */
	const char *operation;
	char *head;			/* of the line: from the type to the id */
	char *model, *tail;		/* what the request says: the model; all else */
	size_t headlen, modellen, taillen;
	char *id, *conversation;	/* of the exchange; NULL: of none */
	/* the call whose list it continues, from the first on; NULL: no list */
	char *chain;
	bool sent;			/* the conversation's name is the client's */
	struct digest digest;		/* of its list */
	bool listed;
	bool background;		/* its response may be asked for later */
};

/* A request, or what a response says of one that was not seen. */
struct call_request {
	struct event *ev;		/* the line, whose envelope is the call's */
	const struct vendor *vendor;
	const struct route *route;
	struct value body;		/* VALUE_NONE: none, or not JSON */
	struct value headers;
	struct client_text host, comm;
	struct client_text agent, conversation;	/* when known otherwise (WebSocket) */
	uint64_t turn;			/* on a WebSocket; 0: none */
	struct value incomplete;	/* why it is not whole, as a JSON string */
	unsigned lenient;		/* marks of the body */
	bool unseen;
};

/* An answer, or why there is none. */
struct call_response {
	struct event *ev;		/* any event: its scratch is used */
	struct value body;
	struct value headers;
	struct value error;		/* that the stream reports */
	struct value incomplete;	/* reason, as a JSON string */
	const char *why;		/* reason, when there is no answer */
	int64_t status;			/* 0: not known */
	uint64_t first_ns, end_ns;	/* first token, last byte; 0: not known */
	struct value duration;		/* in ms, instead of end_ns */
	unsigned lenient;		/* marks of the body */
	bool stream;
	bool uncertain;			/* it may answer another request */
};

/* -1: out of memory. */
int call_request(struct caller *, struct call *, const struct call_request *);
void call_emit(struct caller *, const struct call *, const struct call_response *,
    struct line_out *);
void call_free(struct call *);
size_t call_size(const struct call *);

#endif
