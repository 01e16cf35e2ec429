/*
 * head.h - the head of an HTTP message: start line, header fields, trailers
 *
 * Names and values come in pieces (llhttp hands out spans, HPACK whole
 * fields) and are kept in one buffer. Names are lower case. Bounded: past
 * HEAD_FIELDS fields or the given bytes, adding fails.
 */
#ifndef HEAD_H
#define HEAD_H

#include "bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct jput;

enum { HEAD_FIELDS = 1000 };

/* A piece of a head's text. */
struct span { uint32_t at, n; };

struct field { struct span name, value; };

struct head {
	bool response;
	unsigned status;		/* response */
	unsigned major, minor;		/* HTTP version */
	const char *method;		/* request; a constant, or NULL: see method_text */
	struct span method_text, target, reason, authority, scheme, protocol;
	bool unknown;			/* HTTP/2: some fields are not known */
	bool truncated;			/* some fields did not fit */
	struct field *field;
	size_t nfields, fieldcap;
	size_t trailers;		/* index of the first trailer; nfields when none */
	bool in_trailers;
	size_t bad_lines, bad_bytes;	/* lines that are no fields: left out */
	struct bytes text;
	size_t max;			/* bytes of text */
};

/* May a field's name hold it? RFC 9110 5.6.2. */
bool head_is_token(unsigned char);

void head_reset(struct head *);
void head_free(struct head *);
size_t head_memory(const struct head *);	/* bytes of memory */

/* Adds bytes to the end of a span that is the newest text. -1: over the limit
 * or out of memory. */
int head_text(struct head *, struct span *, const char *p, size_t n);
/* Begins a field; then its name and value in pieces. */
int head_field(struct head *);
int head_name(struct head *, const char *p, size_t n);
int head_value(struct head *, const char *p, size_t n);
/* White space around the newest value goes. */
void head_value_end(struct head *);

void head_field_drop(struct head *);	/* takes the newest field back */

const char *head_at(const struct head *, struct span);
/* The first header (not trailer) of that lower-case name; NULL: none. */
const char *head_find(const struct head *, const char *name, size_t *n);
/* All values of a name, joined with ", ", added to out. -1: out of memory. */
int head_join(const struct head *, const char *name, struct bytes *out);
/* Does a comma-separated header hold this token, whatever its case? */
bool head_has_token(const struct head *, const char *name, const char *token);

/* The request's method and authority (Host, :authority, or of an absolute target). */
const char *head_method(const struct head *, size_t *n);
const char *head_host(const struct head *, size_t *n);

/* Writes "headers" and, when there are any, "bad_lines" (their number); "trailers". */
void head_put(const struct head *, struct jput *);
void head_put_trailers(const struct head *, struct jput *);

#endif
