/*
 * dns.h - reads DNS messages (RFC 1035 section 4, RFC 3596)
 */
#ifndef DNS_H
#define DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DNS_NAME = 1024,	/* a name of 255 bytes, all of them escaped, and NUL */
	DNS_ADDRESSES = 64,	/* kept of one message */
	DNS_ALIASES = 8,
};

struct dns_message {
	uint16_t id;
	bool answer;		/* else a query */
	uint16_t type;		/* of the first question */
	uint8_t rcode;
	bool truncated;		/* TC: the rest goes by TCP */
	char name[DNS_NAME];	/* of the first question; "." for the root */
	size_t naddresses, naliases;
	struct dns_address {
		uint8_t len;	/* 4 or 16 */
		uint8_t bytes[16];
	} addresses[DNS_ADDRESSES];
	char aliases[DNS_ALIASES][DNS_NAME];	/* CNAMEs, in order */
};

/* False: not a DNS message, or not with exactly one question. An answer whose
 * records end too soon keeps those that are whole, as TC has it. Bytes of
 * names that are not printable, dots and backslashes within labels are
 * escaped (RFC 1035 section 5.1). */
bool dns_parse(struct dns_message *, const void *p, size_t n);

/* "A", "AAAA", ..., NULL when it has no name here. */
const char *dns_type_name(uint16_t type);
/* "NOERROR", "NXDOMAIN", ..., NULL when it has no name here. */
const char *dns_rcode_name(uint8_t rcode);

#endif
