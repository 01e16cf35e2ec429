/* conversation.c - tools of conversations, and what belongs to them; see conversation.h */
#include "otelsink/conversation.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_MIN = 3 };	/* shorter arguments say nothing about a command line */

void
tool_free(struct tool *t)
{
	if (!t)
		return;
	budget_free(t->name);
	budget_free(t->id);
	budget_free(t->arguments);
	free(t);
}

struct tool *
tool_add(struct conversation *c)
{
	struct tool *t = c->ntools < TOOLS_MAX ? calloc(1, sizeof(*t)) : NULL;

	if (!t)
		return NULL;
	*(c->tools ? c->last : &c->tools) = t;
	c->last = &t->next;
	c->ntools++;
	return t;
}

struct tool *
tool_find(struct conversation *c, struct value id, const char *name, size_t n)
{
	for (struct tool *t = c->tools; t; t = t->next) {
		bool same = id.kind ? t->id && strlen(t->id) == id.n && !memcmp(t->id, id.p, id.n) :
		    !t->id && name && t->name && strlen(t->name) == n && !memcmp(t->name, name, n);

		if (same && !t->end_ns)
			return t;
	}
	return NULL;
}

struct tool *
tool_take_ended(struct conversation *c)
{
	for (struct tool **at = &c->tools; *at; at = &(*at)->next) {
		struct tool *t = *at;

		if (!t->end_ns)
			continue;
		*at = t->next;
		if (c->last == &t->next)
			c->last = at;
		c->ntools--;
		t->next = NULL;
		return t;
	}
	return NULL;
}

/* --- claims ------------------------------------------------------------------- */

/* The longest argument of the tool that stands in the command line. */
static size_t
common(const char *arguments, const char *argv, struct event *scratch)
{
	struct value args = event_scan_value(scratch, arguments, strlen(arguments));
	struct value words = event_scan_value(scratch, argv, strlen(argv));
	struct value_iter i, k;
	struct value key, arg, word;
	size_t best = 0;

	value_iter(&i, args);
	while (args.kind == VALUE_OBJECT && value_next(&i, &key, &arg)) {
		size_t n, len;
		const char *s = arg.kind == VALUE_STRING ? value_str(&scratch->arena, arg, &n) :
		    NULL;

		if (!s || n < WORD_MIN || n <= best)
			continue;
		value_iter(&k, words);
		while (words.kind == VALUE_ARRAY && value_next(&k, &key, &word)) {
			const char *w = value_str(&scratch->arena, word, &len);

			if (w && memmem(w, len, s, n))
				best = n;
		}
	}
	arena_reset(&scratch->arena);
	return best;
}

/* A model calls the tool "add" of a server by names that end in it. */
static bool
is_named(const struct tool *t, const char *name, size_t n)
{
	size_t len = t->name ? strlen(t->name) : 0;

	if (len < n || memcmp(t->name + len - n, name, n))
		return false;
	return len == n || t->name[len - n - 1] == '_' || t->name[len - n - 1] == '.' ||
	    t->name[len - n - 1] == '-' ||
	    t->name[len - n - 1] == '/' || t->name[len - n - 1] == ':';
}

static size_t
fit(const struct tool *t, const struct claim *c, struct event *scratch)
{
	if (c->tool)
		return is_named(t, c->tool, c->toollen);
	return t->arguments && c->argv ? common(t->arguments, c->argv, scratch) : 0;
}

enum claim_verdict
claim_decide(const struct proc *agent, const struct claim *claim, bool early,
    struct conversation **in,
    struct tool **tool, struct event *scratch)
{
	struct conversation *of_best = NULL;
	struct tool *best = NULL;
	size_t n = 0, most = 0;
	bool several = false, tie = false, ended = early;

	*in = NULL;
	for (struct conversation *c = agent->conversations; c; c = c->sibling) {
		for (struct tool *t = c->tools; t; t = t->next) {
			size_t f;

			if (t->start_ns > claim->at_ns || (t->end_ns && t->end_ns < claim->at_ns))
				continue;
			f = fit(t, claim, scratch);
			if (claim->tool && !f)
				continue;
			n++;
			ended |= t->end_ns > 0;
			several |= *in && *in != c;
			*in = c;
			tie = n > 1 && (f == most || (tie && f < most));
			if (f > most || n == 1)
				best = t, of_best = c, most = f;
		}
	}
	if (!n || !ended)
		return n ? CLAIM_OPEN : CLAIM_NONE;
	if (tie)
		return several ? CLAIM_UNCLEAR : CLAIM_CONVERSATION;
	*in = of_best;
	*tool = best;
	return CLAIM_TOOL;
}
