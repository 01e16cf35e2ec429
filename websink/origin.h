/*
 * origin.h - who may ask: the token, the host and the origin of a request
 *
 * A server on loopback can be reached by every user of the machine, and by
 * every page that any browser on it shows: through a name that is made to
 * resolve to 127.0.0.1 (DNS rebinding), or straight, as a request across
 * origins (Fetch Standard; Fetch Metadata, W3C). Decides over strings alone.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORIGIN_TOKEN = 64 };	/* hex digits: 256 bits */

struct origin {
	char token[ORIGIN_TOKEN + 1];
	char cookie[24];	/* its name; of this port, for cookies do not tell ports apart */
	uint16_t port;
	const char *const *hosts;	/* names and addresses that we go by, without port */
	size_t nhosts;
	bool any_address;	/* any address in place of a name is ours, too */
};

/* What a request says of itself; NULL when it does not. */
struct origin_request {
	const char *host;	/* Host */
	unsigned nhost;		/* how many of them there are */
	const char *origin;	/* Origin */
	const char *site, *mode, *dest;	/* Sec-Fetch-Site, -Mode, -Dest */
	const char *cookie;	/* the value of our cookie */
	const char *bearer;	/* Authorization */
	const char *token;	/* token= of the address */
};

enum origin_rc {
	ORIGIN_PASS,
	ORIGIN_EXCHANGE,	/* pass, and put the token of the address into a cookie */
	ORIGIN_HOST,	/* 421: not a name of ours */
	ORIGIN_FOREIGN,	/* 403: another page asks */
	ORIGIN_STRANGER,	/* 401: no token, or a wrong one */
};

/* A new token from the kernel (getrandom(2)), and the name of the cookie. -1: errno. */
int origin_init(struct origin *, uint16_t port);
enum origin_rc origin_check(const struct origin *, const struct origin_request *);

#endif
