/*
 * rules.h - what counts as a credential: the built-in rules and those of --rules
 *
 *	token NAME PATTERN	what it looks like (pattern.h)
 *	name NAME WORD...	headers, keys, parameters, variables that hold one
 *	keep WORD...		names that hold none, whatever the built-in rules say
 *
 * A line each; "#" begins a comment line.
 */
#ifndef RULES_H
#define RULES_H

#include "anchor.h"
#include "name.h"
#include "pattern.h"
#include "shapes.h"

#include <stdbool.h>
#include <stdint.h>

/* The rules that are not one token's shape. */
enum {
	RULE_HEADER,	/* a header's value */
	RULE_KEY,	/* a JSON key's value */
	RULE_PARAM,	/* a parameter of a query or form */
	RULE_ENV,	/* NAME=VALUE, name: value */
	RULE_FLAG,	/* --name VALUE, curl -u */
	RULE_URL,	/* scheme://user:VALUE@ */
	RULE_PEM,
	RULE_BEARER,
	RULE_BASIC,
	RULE_BODY,	/* what an endpoint that hands out tokens is told and says */
	RULE_HPACK,	/* a block of HTTP/2 headers in raw bytes */
	RULE_ID,
	RULE_TOKENS,	/* the first of the shapes */
	RULES_MAX = 512
};

/* What an anchor begins. */
enum { ANCHOR_TOKEN, ANCHOR_NAME, ANCHOR_URL, ANCHOR_URL_HEX, ANCHOR_PEM, ANCHOR_BEARER,
    ANCHOR_BASIC, ANCHOR_USER,
	ANCHOR_OPTION, ANCHOR_LOGIN, ANCHOR_THIRD, ANCHOR_ECHO, ANCHOR_HERE, ANCHOR_IDENTIFIED,
	ANCHOR_CALL, ANCHOR_PGPASS, ANCHOR_ORACLE,
	ANCHOR_PATH, ANCHOR_JAR, ANCHOR_JWK, ANCHOR_LINES, ANCHOR_VALUE, ANCHOR_QUOTED, ANCHOR_SAID,
	ANCHOR_ESCAPE };	/* "\/", "\u00" and what may be printable: hides ASCII */

struct rule {
	char name[32];
	int flags;		/* shapes.h */
	struct pattern pattern;
};
/* What a shape begins with. */
struct rule_start { short rule; unsigned char len; };

struct rules {
	bool ids;
	unsigned n;
	struct rule rule[RULES_MAX];
	struct anchors anchors;
	struct anchor_hits hits;	/* of a text for which they are not given */
	unsigned nstart;
	struct rule_start start[ANCHOR_MAX];	/* by an anchor's arg */
	struct user_name { char *plain; int rule; } *user;	/* rule -1: keep */
	size_t nuser;
};

/* The built-in ones. NULL, or what is wrong (which is a bug). */
const char *rules_init(struct rules *);
/* One line of a rules file, changed in place. NULL, or what is wrong. */
const char *rules_line(struct rules *, char *line);
/* After the last line. NULL, or what is wrong. */
const char *rules_ready(struct rules *);
void rules_free(struct rules *);

/* The kind of a name, the user's among them; *rule is for NAME_USER. */
enum name_kind rules_name(const struct rules *, const char *s, size_t n, int *rule);

#endif
