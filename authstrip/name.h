/*
 * name.h - what a name says about the value behind it
 *
 * Names of headers, parameters, JSON keys, environment variables and options,
 * in any spelling: api_key, apiKey, API-KEY and "x-api-key" are alike.
 */
#ifndef NAME_H
#define NAME_H

#include <stdbool.h>
#include <stddef.h>

enum name_kind {
	NAME_NONE,
	NAME_HEADER,	/* a credential; as a header the whole line is its value */
	NAME_SECRET,	/* a credential wherever it has a value */
	NAME_TOKEN,	/* "token": a credential unless it is a word of a model's output */
	NAME_COOKIE,	/* a header of cookies */
	NAME_CHALLENGE,	/* www-authenticate; its scheme stays */
	NAME_PROTOCOL,	/* sec-websocket-protocol: may carry a key */
	NAME_AUTH,	/* "auth": when the value looks like a credential */
	NAME_RANDOM,	/* a parameter of a query; elsewhere only when the value looks random */
	NAME_QUERY,	/* only as a parameter of a query */
	NAME_PWD,	/* a password or the working directory */
	NAME_KEY,	/* FOO_KEY=, an environment variable */
	NAME_ANY,	/* a header that sounds like one: only in the headers of an event */
	NAME_ID,	/* an account or organisation (--ids) */
	NAME_USER,	/* of the user's rules; the rule is told beside */
};

/* The kind of s[0..n). */
enum name_kind name_kind(const char *s, size_t n);

/* The spelling that all others of it share: letters lower case, no - _ . and
 * space. to has room for n bytes; returns the length. */
size_t name_plain(char *to, const char *s, size_t n);

enum { NAME_MAX_LEN = 64 };

#endif
