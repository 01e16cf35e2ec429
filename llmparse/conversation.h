/*
 * conversation.h - which earlier request a request continues
 *
 * APIs without memory send the whole list of messages each time. The list is
 * hashed message by message; a request whose messages begin with all those of
 * an earlier one continues it. Kept: a digest per request and the name of its
 * conversation, so many of them; least recently used are forgotten first.
 */
#ifndef LLM_CONVERSATION_H
#define LLM_CONVERSATION_H

#include "lib/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest { uint64_t h[2]; };

struct history;

/* What is known of one request's list. */
struct thread {
	char *id;		/* of the conversation */
	/* the call whose list this one continues, from the first on; NULL */
	char *first;
	bool sent;		/* the client's own name for it */
	bool answered;
	size_t from;		/* where what the request added began */
};

struct history *history_new(size_t max);
void history_free(struct history *);
uint64_t history_forgotten(const struct history *);	/* threads, names, marks */

/* Digest of a list of n items, and in at[0..n-1] of each of its beginnings. A
 * "cache_control" does not count, for it moves on with each request, nor does
 * whether a text stands alone or in a list. at may be NULL. */
struct digest list_digest(const struct value *item, size_t n, struct digest *at);
/* Digest of a text or a list of blocks, without those whose text begins so. */
struct digest content_digest(struct value, const char *except);
/* Digest of bytes, never zero. */
struct digest text_digest(const char *, size_t);

/* The longest beginning that an earlier request consisted of; *known items. */
struct thread *history_find(struct history *, const struct digest *at, size_t n, size_t *known);
/* The request itself. NULL: out of memory. */
struct thread *history_add(struct history *, struct digest, const char *id, size_t idlen,
    bool sent);
struct thread *history_at(struct history *, struct digest);

/* Says which call its list began with. Without memory: none. */
void thread_begin(struct thread *, const char *first);

/* Names that lead to a conversation: ids of responses. NULL: out of memory. */
struct thread *history_link(struct history *, const char *name, size_t n, const char *id,
    bool sent);
const struct thread *history_linked(struct history *, const char *name, size_t n);

/* Was this mark made before? It is now. */
bool history_seen(struct history *, const void *mark, size_t n);

#endif
