/*
 * typed.h - what a user typed of a message, and what an agent added to it
 *
 * Agents send more than was typed in the user's name: <system-reminder>, <environment_context>,
 * instructions of files, output of commands. Some wrap what was typed (<task>, <user_query>);
 * then all around it is the agent's. Text that is neither is the user's, tags and all.
 */
#ifndef SQLITESINK_TYPED_H
#define SQLITESINK_TYPED_H

#include "lib/line.h"

#include <stdbool.h>
#include <stddef.h>

struct typed {
	struct line_out plain;		/* outside of all tags of agents */
	struct line_out wrapped;	/* inside of a tag for what was typed */
	struct line_out added;		/* by the agent */
};

void typed_init(struct typed *);
void typed_free(struct typed *);
/* Another message begins: forgets what was typed; with added, that too. */
void typed_clear(struct typed *, bool added);

/* One part of a message. Parts are joined by an empty line. */
void typed_part(struct typed *, const char *text, size_t n);

/* What was typed, NULL when nothing was; what stood around a wrapped text is added then.
 * Borrowed until typed_clear. */
const char *typed_text(struct typed *, size_t *n);

#endif
