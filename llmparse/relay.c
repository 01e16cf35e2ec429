/* relay.c - see relay.h */
#include "llmparse/relay.h"

#include <stdlib.h>
#include <string.h>

enum {
	KEPT = 1024,
	RELAYED_MAX = 64,	/* calls that are named for one */
};

struct kept {
	char *id;
	uint64_t pid, peer_pid, start_ns, end_ns;
	struct digest asked, said;
	bool claimed;		/* as one that was made for another */
	bool relayed;		/* others were made for it */
};

struct relays {
	struct kept ring[KEPT];
	size_t n;		/* all that were ever put in */
};

struct relays *
relays_new(void)
{
	return calloc(1, sizeof(struct relays));
}

void
relays_free(struct relays *rs)
{
	for (size_t i = 0; rs && i < KEPT; i++)
		free(rs->ring[i].id);
	free(rs);
}

static bool
same_text(struct digest a, struct digest b)
{
	return (a.h[0] || a.h[1]) && a.h[0] == b.h[0] && a.h[1] == b.h[1];
}

static bool
same_texts(const struct kept *k, const struct relay_call *c)
{
	return same_text(k->asked, c->asked) || same_text(k->said, c->said);
}

/* The i-th of those that are kept, the oldest first. */
static struct kept *
kept_at(struct relays *rs, size_t i)
{
	return &rs->ring[(rs->n > KEPT ? rs->n + i : i) % KEPT];
}

static size_t
kept_count(const struct relays *rs)
{
	return rs->n < KEPT ? rs->n : KEPT;
}

/* Was it made by the process that the call went to, while that was open? */
static bool
can_be_for(const struct kept *k, const struct relay_call *c)
{
	return !k->claimed && k->pid == c->peer_pid && k->start_ns >= c->start_ns &&
	    k->end_ns <= c->end_ns;
}

/* Claims the calls that were made for this one: those with the same texts; when there are
 * none, for a proxy may rewrite them, all, or the first while it works for others, too. */
static size_t
claim(struct relays *rs, const struct relay_call *c, struct kept **claimed)
{
	size_t n = 0;

	for (int alike = 1; alike >= 0 && !n; alike--)
		for (size_t i = 0; i < kept_count(rs) && n < RELAYED_MAX; i++) {
			struct kept *k = kept_at(rs, i);

			if (!can_be_for(k, c) || (alike && !same_texts(k, c)) ||
			    (!alike && n && c->rivals))
				continue;
			k->claimed = true;
			claimed[n++] = k;
		}
	return n;
}

/* The call that this one was made for, emitted already and counted: with the same texts, else
 * one that this lies within. */
static struct kept *
emitted_before(struct relays *rs, const struct relay_call *c)
{
	struct kept *found = NULL;

	for (size_t i = kept_count(rs); i-- > 0;) {
		struct kept *k = kept_at(rs, i);

		if (k->relayed || !k->peer_pid || k->peer_pid != c->pid ||
		    k->start_ns > c->start_ns || k->end_ns < c->start_ns)
			continue;
		if (same_texts(k, c))
			return k;
		if (!found && k->end_ns >= c->end_ns)
			found = k;
	}
	return found;
}

static int
keep(struct relays *rs, const struct relay_call *c, bool claimed, bool relayed)
{
	struct kept *k = &rs->ring[rs->n % KEPT];
	char *id = strdup(c->id);

	if (!id)
		return -1;
	free(k->id);
	*k = (struct kept){ id, c->pid, c->peer_pid, c->start_ns, c->end_ns, c->asked, c->said,
		claimed, relayed };
	rs->n++;
	return 0;
}

int
relays_emit(struct relays *rs, const struct relay_call *c, struct jput *j)
{
	struct kept *claimed[RELAYED_MAX], *outer = NULL;
	size_t n = 0;

	if (!c->pid || !c->start_ns || !*c->id)
		return 0;
	if (c->peer_pid && c->peer_pid != c->pid && (n = claim(rs, c, claimed))) {
		jput_array(j, "relayed_to");
		for (size_t i = 0; i < n; i++)
			jput_str(j, NULL, claimed[i]->id);
		jput_array_end(j);
	} else if ((outer = emitted_before(rs, c))) {
		jput_str(j, "relayed_for", outer->id);
		outer->relayed = true;
	}
	return keep(rs, c, outer, n);
}
