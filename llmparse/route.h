/*
 * route.h - is this a model call, and which API's?
 *
 * By host, path and the shape of the body: two of the three have to agree,
 * so that gateways, proxies and local servers count, and what a vendor's host
 * serves besides (telemetry, lists of models, counting of tokens) does not. A
 * request of which only one agrees may still be one: its answer decides.
 */
#ifndef LLM_ROUTE_H
#define LLM_ROUTE_H

#include "vendor/vendor.h"

struct route {
	const char *provider;		/* by host; NULL: not a vendor's */
	const struct vendor *vendor;	/* by path; NULL: not an API's */
	bool known;			/* there is a path */
	bool stream;			/* the path asks for a stream */
	bool shape;			/* others use the path: the body must have the shape */
	bool never;			/* the path says that it is no call */
	const char *model;		/* in the path, still %-encoded */
	size_t modellen;
};

enum route_confidence { ROUTE_NO, ROUTE_POSSIBLE, ROUTE_CERTAIN };

/* host may have a port; either may be empty. */
void route_find(struct route *, const char *host, size_t hostlen, const char *path, size_t pathlen);

/* Whose request this is. body: kind VALUE_NONE when there is none or it is not
 * JSON. header: is one of that name there? */
enum route_confidence route_request(const struct route *, struct value body,
    bool (*header)(void *arg, const char *name), void *arg, const struct vendor **);

/* Whose answer this is, when its request was not taken for a call, or not
 * seen: two of path, host and shape; where no path is known, the shape alone.
 * format: of an sse.message, else empty. NULL: nobody's. */
const struct vendor *route_response(const struct route *, struct value body, struct value format);

/* Is that the format of the vendor's streams? */
bool route_streams(const struct vendor *, struct value format);

/* The host without its port; *port 0 when it has none. */
size_t host_split(const char *host, size_t n, unsigned *port);
/* A piece of a path with its %-escapes undone, in place of at most n bytes. */
size_t percent_decode(const char *s, size_t n, char *to);

#endif
