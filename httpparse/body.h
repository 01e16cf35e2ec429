/*
 * body.h - what a message's body is made of: codings removed, units told apart
 *
 * From the bytes that framing by HTTP leaves, through content and transfer
 * codings, to plain bytes; of AWS event streams the messages, of gRPC and
 * Connect the messages without their five bytes in front.
 */
#ifndef BODY_H
#define BODY_H

#include "head.h"

#include <stdbool.h>
#include <stdint.h>

struct body;

struct body_ops {
	int (*data)(void *arg, const void *p, size_t n);	/* nonzero: no more */
	/* What was given since the last is one AWS event of this type (may be empty). */
	int (*event)(void *arg, const char *type, size_t n);
	/* What was given since the last is one gRPC message. */
	void (*message)(void *arg, uint64_t len);
	/* What gRPC-Web and Connect send in place of trailers. */
	void (*trailer)(void *arg, const char *p, size_t n);
};

enum body_rc { BODY_OK, BODY_BAD, BODY_NOMEM };

/* NULL: the body is plain, or out of memory (*nomem). max: of one AWS event or
 * gRPC message; larger ones are not taken apart. *undecoded: it has a coding
 * that is not known. */
struct body *body_new(const struct head *, size_t max, const struct body_ops *, void *arg,
    bool *undecoded, bool *nomem);
void body_free(struct body *);
size_t body_memory(const struct body *);

/* flush: give out all there is. Once BODY_BAD, always. */
enum body_rc body_feed(struct body *, const void *p, size_t n, bool flush);
/* NULL when it ended as it should, else "encoding" or "malformed". */
const char *body_end(struct body *, bool *nomem);
bool body_is_coded(const struct body *);	/* compressed, in whatever layer */
/* The coding that its first bytes showed, where the header that names it was not
 * seen; NULL. */
const char *body_found(const struct body *);
bool body_is_events(const struct body *);	/* AWS: given event by event */
bool body_is_raw(const struct body *);	/* see decode_is_raw */

/* The media type of a Content-Type value: does it equal type? */
bool media_is(const char *p, size_t n, const char *type);

#endif
