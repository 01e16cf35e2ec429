/*
 * reply.h - what a receiver answers: how much it took, or why not
 *
 * 200: an Export*ServiceResponse, of which partial_success matters; else a
 * google.rpc.Status. Both as protobuf or JSON, as the request was. What is not
 * understood is nothing said.
 */
#ifndef OTEL_REPLY_H
#define OTEL_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply {
	int64_t rejected;	/* of the items; 0: none, or not told */
	char message[256];	/* the receiver's words, UTF-8 */
};

void reply_success(struct reply *, const char *p, size_t n, bool json);
void reply_error(struct reply *, const char *p, size_t n, bool json);

#endif
