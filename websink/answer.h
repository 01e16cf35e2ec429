/*
 * answer.h - what the API answers, but for the stream: JSON from what is held
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stddef.h>

struct server;

struct answer {
	unsigned status;	/* of HTTP */
	char *text;		/* JSON; to be freed. NULL: out of memory */
	size_t n;
};

/* path is what comes behind /api/v1/; argument looks up one of the address. */
void answer_get(struct answer *, struct server *, const char *path,
    const char *(*argument)(void *arg, const char *name), void *arg);

#endif
