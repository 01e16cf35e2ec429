/*
 * redact.h - where in a text the credentials are
 *
 * The text is JSON as it stands on the line, or plain bytes: quotes and line
 * ends are recognised behind any number of backslashes, so that JSON in strings
 * in JSON, headers in commands and URLs in prose are all one text. One pass,
 * linear: a table of byte pairs finds the places worth a look.
 */
#ifndef REDACT_H
#define REDACT_H

#include <stdbool.h>
#include <stddef.h>

enum redact_rule {
	REDACT_HEADER,	/* the value of a header, by name */
	REDACT_KEY,	/* the value of a JSON key or of KEY=VALUE, by name */
	REDACT_PARAM,	/* a query or form parameter, by name */
	REDACT_FLAG,	/* what follows --password and its like */
	REDACT_TOKEN,	/* a token of a known shape */
	REDACT_JWT,
	REDACT_BEARER,	/* behind Bearer or Basic */
	REDACT_PEM,	/* a private key */
	REDACT_USERINFO,	/* user:PASSWORD@ in a URL */
	REDACT_BODY,	/* the whole body, of a token endpoint */
	REDACT_ID,	/* account and organisation ids, when asked for */
	REDACT_RULES
};
extern const char *const redact_rule_name[REDACT_RULES];

struct redact_span {
	size_t at, end;
	enum redact_rule rule;
	int quote;	/* the value has no quotes of its own: it needs some, behind
			 * this many backslashes; -1: no */
};

struct redact_list {
	struct redact_span *v;
	size_t n, cap;
	bool nomem;
};
void redact_list_free(struct redact_list *);

struct redact_conf {
	bool ids;
};

/* Finds the credentials in text[0..n), in order, not overlapping. */
void redact_find(const struct redact_conf *, const char *text, size_t n, struct redact_list *);

/* Whether the value of a header of this name is a credential as a whole. Names
 * compare without regard to case. */
bool redact_header(const struct redact_conf *, const char *name, size_t n);

/* Whether a path is that of an endpoint that hands out tokens. */
bool redact_token_endpoint(const char *path, size_t n);

#endif
