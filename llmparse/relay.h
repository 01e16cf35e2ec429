/*
 * relay.h - calls that a proxy makes for calls that it gets
 *
 * Where an agent's call goes to an observed process that asks a provider in turn, the same
 * tokens come by twice. The provider's call is the one that counts: it has the model, the
 * usage and the price of what was really asked. The other one says which calls those are
 * ("relayed_to"). Only when it was emitted before them, for lines of several collectors can
 * come in another order, it counts, and they say for which one they were ("relayed_for").
 */
#ifndef LLM_RELAY_H
#define LLM_RELAY_H

#include "lib/jput.h"
#include "llmparse/conversation.h"

/* A call that is emitted. */
struct relay_call {
	const char *id;
	uint64_t pid, peer_pid;		/* who asked, who was asked; 0: not known */
	uint64_t start_ns, end_ns;	/* 0: not known, then it takes no part */
	struct digest asked, said;	/* of the last text of either; zero: none */
	unsigned rivals;		/* open calls that the same peer may work for, too */
};

struct relays;

struct relays *relays_new(void);	/* NULL: out of memory */
void relays_free(struct relays *);
/* Puts what the call has to say of others into its line, and remembers it: the last 1024 are.
 * -1: out of memory; the call is not remembered. */
int relays_emit(struct relays *, const struct relay_call *, struct jput *);

#endif
