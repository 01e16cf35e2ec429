/*
 * scan.h - what the parts of secret_scan share: reading with care for the end
 */
#ifndef SCAN_H
#define SCAN_H

#include "secret.h"

#include <ctype.h>
#include <string.h>

struct scan {
	const struct rules *r;
	const struct secret_text *t;
	const struct anchor_hits *h;	/* they stand t->shift further */
	const char *s;
	size_t n;
	struct secret_list *list;
	bool more;	/* a look reached the end of the text */
	size_t value;	/* where the value at hand begins */
	bool ssh2;	/* pem_end is "---- END" */
	size_t pem_end;	/* the next "-----END"; 0: not looked for */
	size_t floor;	/* nothing before this is looked at again */
};

/* The byte at i, or -1 behind the end. */
static inline int
at(struct scan *c, size_t i)
{
	if (i < c->n)
		return (unsigned char)c->s[i];
	c->more = true;
	return -1;
}

static inline size_t
backslashes(struct scan *c, size_t i)
{
	size_t k = 0;

	while (k < SECRET_LOOK && at(c, i + k) == '\\')
		k++;
	return k;
}

/* A line end, as a byte or behind backslashes. */
bool scan_eol(struct scan *, size_t i);
/* Whether a word may begin at i. */
bool scan_edge(struct scan *, size_t i);
/* The first position that belongs to a word found at i..; not i when an escape's letter
 * was taken for it. */
size_t scan_word_start(struct scan *, size_t from, size_t i);
/* The end of the string whose opening quote q, behind k backslashes, is before i;
 * of this and of words, no more than max bytes are looked at. */
size_t scan_quote_end(struct scan *, size_t i, int q, size_t k, size_t max);
/* The end of a word: at a space, a quote, a backslash or any of stop. */
size_t scan_word_end(struct scan *, size_t i, const char *stop, size_t max);

/* Behind the mark that a run before put at i; 0: none is there. */
size_t scan_mark(struct scan *, size_t i);

/* A credential at [from, end). */
void scan_add(struct scan *, size_t from, size_t end, int rule, int quote);

/* Has digits, or both cases, and no space, and at least min bytes. */
bool looks_secret(const char *s, size_t n, size_t min);
/* Long and mixed, and no UUID and no hash. */
bool looks_random(const char *s, size_t n);
/* As if thrown by dice: letters and digits by turns, and no word and no hash. */
bool looks_dice(const char *s, size_t n);
/* settings.api_key, process.env.KEY: where a program has it from. */
bool looks_code(const char *s, size_t n);
/* $NAME, ${NAME}, {name}, <name>: a place for a credential, not one. */
bool looks_hollow(const char *s, size_t n);

/* A password that somebody chose, or a token: letters and digits or marks, no space. */
bool looks_strong(const char *s, size_t n);

/* Behind a terminal's colours at i: ESC [ 1 ; 32 m */
size_t scan_color(struct scan *, size_t i);
/* A quoted string or a word at i: where it is. False: there is none. */
bool scan_argument(struct scan *, size_t i, const char *stop, size_t *from, size_t *end);

/* The looks at one kind of anchor. They return where to go on, 0 for nothing there. */
size_t scan_name(struct scan *, size_t pos, size_t len, int arg);
size_t scan_pair(struct scan *, size_t pos, size_t len);
size_t scan_quoted(struct scan *, size_t pos, size_t len);
size_t scan_said(struct scan *, size_t pos, size_t len);
size_t scan_option(struct scan *, size_t pos);
size_t scan_login(struct scan *, size_t pos, size_t len);
size_t scan_third(struct scan *, size_t pos, size_t len);
size_t scan_echo(struct scan *, size_t pos, size_t len);
size_t scan_here(struct scan *, size_t pos);
size_t scan_identified(struct scan *, size_t pos, size_t len);
size_t scan_call(struct scan *, size_t pos, size_t len, int sure);
size_t scan_pgpass(struct scan *, size_t pos, size_t len);
size_t scan_oracle(struct scan *, size_t pos, size_t len);
size_t scan_path(struct scan *, size_t pos, size_t len);
size_t scan_jar(struct scan *, size_t pos, size_t len);
size_t scan_jwk(struct scan *, size_t pos, size_t len);

#endif
