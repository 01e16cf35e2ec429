/* origin.c - who may ask; see origin.h */
#include "origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

int
origin_init(struct origin *g, uint16_t port)
{
	unsigned char raw[ORIGIN_TOKEN / 2];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return -1;
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(g->token + 2 * i, 3, "%02x", raw[i]);
	snprintf(g->cookie, sizeof(g->cookie), "agentsight-%u", port);
	g->port = port;
	return 0;
}

/* Takes as long for a wrong token as for the right one. */
static bool
token_is(const struct origin *g, const char *s)
{
	unsigned differ = 0;

	if (!s || strlen(s) != ORIGIN_TOKEN)
		return false;
	for (int i = 0; i < ORIGIN_TOKEN; i++)
		differ |= (unsigned char)s[i] ^ (unsigned char)g->token[i];
	return !differ;
}

/* An address in place of a name cannot be made to lead elsewhere. */
static bool
is_address(const char *host, size_t n)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr any;
	bool six = n > 2 && *host == '[' && host[n - 1] == ']';

	if (n >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(six ? n - 2 : n), host + six);
	return inet_pton(six ? AF_INET6 : AF_INET, text, &any) == 1;
}

/* "name", "name:7395", "[::1]:7395": is it one of ours? */
static bool
host_is_ours(const struct origin *g, const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL;
	const char *colon = strchr(end ? end : host, ':');
	size_t n = colon ? (size_t)(colon - host) : strlen(host);
	char port[8];

	snprintf(port, sizeof(port), ":%u", g->port);
	if (colon ? strcmp(colon, port) : g->port != 80)
		return false;
	for (size_t i = 0; i < g->nhosts; i++)
		if (strlen(g->hosts[i]) == n && !strncasecmp(g->hosts[i], host, n))
			return true;
	return g->any_address && is_address(host, n);
}

/* An origin is "http://HOST:PORT" (RFC 6454), or "null". */
static bool
origin_is_ours(const struct origin *g, const char *origin)
{
	return !strncmp(origin, "http://", 7) && host_is_ours(g, origin + 7);
}

/* A page of another site may lead here by a link, but not load, frame or ask
 * anything of us. */
static bool
site_may(const struct origin_request *a)
{
	if (!a->site || !strcmp(a->site, "same-origin") || !strcmp(a->site, "none"))
		return true;
	return a->mode && !strcmp(a->mode, "navigate") && a->dest && !strcmp(a->dest, "document");
}

enum origin_rc
origin_check(const struct origin *g, const struct origin_request *a)
{
	if (!a->host || a->nhost != 1 || !host_is_ours(g, a->host))
		return ORIGIN_HOST;
	if ((a->origin && !origin_is_ours(g, a->origin)) || !site_may(a))
		return ORIGIN_FOREIGN;
	if (token_is(g, a->token))
		return ORIGIN_EXCHANGE;
	if (token_is(g, a->cookie))
		return ORIGIN_PASS;
	if (a->bearer && !strncasecmp(a->bearer, "Bearer ", 7) && token_is(g, a->bearer + 7))
		return ORIGIN_PASS;
	return ORIGIN_STRANGER;
}
