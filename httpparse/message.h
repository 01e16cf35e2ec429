/*
 * message.h - one HTTP message on its way from bytes to event lines
 *
 * Knows nothing of framing: HTTP/1 and HTTP/2 hand it a head, body bytes and
 * an end. It decodes the body as it arrives, bounds it, and writes
 * http.request, http.response and, for streaming bodies, http.body.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "bytes.h"
#include "endmark.h"
#include "event.h"
#include "head.h"
#include "line.h"
#include "loss.h"
#include "ws.h"

#include <stdbool.h>
#include <stdint.h>

enum { MESSAGE_INTERIM = 16 };

/* Where events go, and what they say of the connection and the moment. */
struct body;

struct writer {
	struct line_out *out;
	struct loss *loss;
	uint64_t max_body;	/* decoded bytes kept of one body */
	const char *conn;	/* borrowed */
	size_t connlen;
	uint64_t now;		/* timestamp_ns of the line being read */
	bool plain;		/* its connection is without TLS */
	uint64_t peer_pid;	/* the process at its other end; 0: not known */
	uint64_t passed;	/* lines that were pending and went on after all */
	bool nomem;
	/* scratch */
	struct event env;
	struct line_out line;
	struct bytes id;
};

void writer_init(struct writer *, struct line_out *, struct loss *, uint64_t max_body);
void writer_free(struct writer *);

/* The envelope of an event: what messages that begin in it inherit. */
struct envelope_text { char *p; size_t n; uint64_t ns; };
/* -1: no memory */
int envelope_take(struct writer *, const struct event *, struct envelope_text *);
void envelope_drop(struct envelope_text *);

/* What a response needs to know of its request. Shared by the two. */
struct exchange {
	unsigned refs;
	const char *sep;	/* between conn and number in id: "/" or "/s" */
	uint64_t number;
	bool request;		/* a request is known */
	bool ended;		/* it was seen to its end */
	bool answered;		/* its response has begun */
	bool connect, upgrade;
	bool pushed;		/* the server asked it for the client */
	bool uncertain;		/* behind a hole: its response may be another's */
	bool stream;		/* the request asks for one */
	uint64_t start;		/* stream position of the request; UINT64_MAX: not known */
	uint64_t first_ns, last_ns;	/* of the request; 0: not known */
	size_t method, path, host;	/* lengths; one behind the other in text */
	struct exchange *next;
	char *text;
};
/* request: NULL when it was not seen. NULL: out of memory. */
struct exchange *exchange_new(const struct head *request, const char *sep, uint64_t number);
/* What is known of its request now. False: out of memory. */
bool exchange_know(struct exchange *, const struct head *request);
void exchange_drop(struct exchange *);
size_t exchange_memory(const struct exchange *);
bool exchange_is_head(const struct exchange *);	/* the method is HEAD */

/* Writes a ws.message of the socket that exchange x opened. read: the process
 * that was watched received it. */
void exchange_ws(struct writer *, const struct exchange *, const struct envelope_text *, bool read,
    const struct ws_message *);

/* Writes an http.other: a connection, or a stream, that speaks another protocol.
 * x: what opened it, or NULL; protocol: its name, or empty. */
struct other {
	struct exchange *x;
	const char *protocol;
	size_t n;
	uint64_t bytes[2];	/* written and read by the process that was watched */
};
void other_write(struct writer *, const struct envelope_text *, const struct other *);

struct message {
	bool open;
	struct exchange *x;
	struct envelope_text env;	/* of the line in which it began */
	uint64_t last_ns;
	const struct head *head;	/* borrowed, until message_end */
	bool server;		/* seen at the server's end */
	bool response, streaming, coded, undecoded, truncated, closed, failed;
	bool sniffing;		/* its first bytes may show that it streams */
	struct body *units;	/* NULL: the body is plain */
	bool events;		/* it is an event stream, */
	struct endmark mark;	/* which may say that it is over */
	const char *event;	/* type of the AWS event that the next piece is */
	size_t eventlen;
	struct bytes parts, trailer;	/* gRPC: lengths of messages; what ends them */
	struct bytes body;	/* whole, or of a streaming one what is not written yet */
	uint64_t raw_len, len;	/* body bytes before and after decoding */
	uint64_t seq, off;	/* of the next http.body */
	unsigned interim[MESSAGE_INTERIM], ninterim;	/* 1xx before a response */
	struct writer *w;
};

/* Takes over env and one reference of x. head must stay until message_end. */
void message_begin(struct message *, struct writer *, const struct head *, struct exchange *x,
    struct envelope_text *env);
void message_body(struct message *, const char *p, size_t n);
/* Writes what a streaming body has gathered: at the end of each input line. */
void message_flush(struct message *);
/* The rest of the body will not be known. */
void message_cut(struct message *, const char *why);
/* why: NULL, or why it is incomplete. Writes the event, and forgets. */
void message_end(struct message *, const char *why);
/* Forgets without a word. */
void message_drop(struct message *);
size_t message_memory(const struct message *);

#endif
