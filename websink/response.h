/*
 * response.h - what the API responds, but for the stream: JSON from what is held
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include <stddef.h>

struct server;

struct response {
	unsigned status;	/* of HTTP */
	char *text;		/* JSON; to be freed. NULL: out of memory */
	size_t n;
};

/* path is what comes behind /api/v1/; argument looks up one of the address. */
void response_get(struct response *, struct server *, const char *path,
    const char *(*argument)(void *arg, const char *name), void *arg);

#endif
