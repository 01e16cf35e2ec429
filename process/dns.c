/*
 * dns.c - see dns.h
 */
#include <stdio.h>
#include <string.h>

#include "dns.h"

enum { HEADER = 12, RR_FIXED = 10, TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, CLASS_IN = 1 };
enum { JUMPS = 32 };	/* compression pointers in one name; a loop has no end */

static unsigned
get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* One byte of a label, as text. */
static size_t
put_byte(char *out, uint8_t c)
{
	if (c == '.' || c == '\\')
		return sprintf(out, "\\%c", c);
	if (c <= ' ' || c >= 0x7f)
		return sprintf(out, "\\%03u", c);
	*out = c;
	return 1;
}

/* Decodes a name at *at; *at is moved behind it. False: it is broken. */
static bool
get_name(const uint8_t *p, size_t n, size_t *at, char *out)
{
	size_t pos = *at, len = 0, wire = 0;
	int jumps = 0;

	for (;;) {
		unsigned c;

		if (pos >= n)
			return false;
		c = p[pos++];
		if (c >= 0xc0) {
			if (pos >= n || ++jumps > JUMPS)
				return false;
			if (jumps == 1)
				*at = pos + 1;
			pos = (c & 0x3f) << 8 | p[pos];
			continue;
		}
		if (c > 63 || c > n - pos || (wire += c + 1) > 255)
			return false;
		if (c == 0)
			break;
		if (len)
			out[len++] = '.';
		while (c--)
			len += put_byte(out + len, p[pos++]);
	}
	if (!jumps)
		*at = pos;
	if (!len)
		out[len++] = '.';
	out[len] = '\0';
	return true;
}

/* An answer record at *at. False: it is broken or cut. */
static bool
get_record(struct dns_message *m, const uint8_t *p, size_t n, size_t *at)
{
	char owner[DNS_NAME];
	unsigned type, class, len;
	size_t data;

	if (!get_name(p, n, at, owner) || n - *at < RR_FIXED)
		return false;
	type = get16(p + *at);
	class = get16(p + *at + 2);
	len = get16(p + *at + 8);
	data = *at + RR_FIXED;
	if (len > n - data)
		return false;
	*at = data + len;
	if (class != CLASS_IN)
		return true;
	if ((type == TYPE_A && len == 4) || (type == TYPE_AAAA && len == 16)) {
		if (m->naddresses < DNS_ADDRESSES) {
			struct dns_address *a = &m->addresses[m->naddresses++];

			a->len = len;
			memcpy(a->bytes, p + data, len);
		}
	} else if (type == TYPE_CNAME && m->naliases < DNS_ALIASES) {
		if (!get_name(p, *at, &data, m->aliases[m->naliases]))
			return false;
		m->naliases++;
	}
	return true;
}

bool
dns_parse(struct dns_message *m, const void *buf, size_t n)
{
	const uint8_t *p = buf;
	size_t at = HEADER;
	unsigned flags;

	m->naddresses = m->naliases = 0;
	if (n < HEADER)
		return false;
	m->id = get16(p);
	flags = get16(p + 2);
	m->answer = flags & 0x8000;
	m->truncated = flags & 0x0200;
	m->rcode = flags & 15;
	if (get16(p + 4) != 1 || !get_name(p, n, &at, m->name) || n - at < 4)
		return false;
	m->type = get16(p + at);
	at += 4;
	for (unsigned i = get16(p + 6); m->answer && i; i--)
		if (!get_record(m, p, n, &at))
			break;
	return true;
}

const char *
dns_type_name(uint16_t type)
{
	switch (type) {
	case TYPE_A: return "A";
	case 2: return "NS";
	case TYPE_CNAME: return "CNAME";
	case 6: return "SOA";
	case 12: return "PTR";
	case 15: return "MX";
	case 16: return "TXT";
	case TYPE_AAAA: return "AAAA";
	case 33: return "SRV";
	case 65: return "HTTPS";
	case 255: return "ANY";
	}
	return NULL;
}

const char *
dns_rcode_name(uint8_t rcode)
{
	static const char *const names[] = {
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
	};

	return rcode < sizeof(names) / sizeof(names[0]) ? names[rcode] : NULL;
}
