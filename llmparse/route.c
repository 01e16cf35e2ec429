/* route.c - is this a model call, and which API's? see route.h */
#include "llmparse/route.h"

#include <stdlib.h>
#include <strings.h>

size_t
host_split(const char *host, size_t n, unsigned *port)
{
	size_t i = n;

	*port = 0;
	while (i && host[i - 1] >= '0' && host[i - 1] <= '9')
		i--;
	/* a bare IPv6 address has colons, but no port */
	if (i < 1 || i == n || n - i > 5 || host[i - 1] != ':' ||
	    (memchr(host, ':', i - 1) && host[i - 2] != ']'))
		return n;
	for (size_t d = i; d < n; d++)
		*port = *port * 10 + (host[d] - '0');
	return i - 1;
}

/* The model, where it is a part of the path: /models/M:verb, /model/M/verb,
 * /deployments/M/..., /serving-endpoints/M/... */
static void
path_model(struct route *p, const char *path, size_t n)
{
	static const char *const before[] = { "/models/", "/model/", "/deployments/",
		"/serving-endpoints/" };

	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
		size_t b = strlen(before[i]);
		const char *at = memmem(path, n, before[i], b), *end = path + n, *stop;

		if (!at)
			continue;
		at += b;
		for (stop = at; stop < end && *stop != '/'; stop++)
			if (*stop == ':' && i == 0)	/* the verb; Bedrock's ids have colons */
				break;
		if (stop > at && stop < end) {
			p->model = at;
			p->modellen = stop - at;
		}
		return;
	}
}

static void
path_find(struct route *p, const char *path, size_t n)
{
	const char *query = memchr(path, '?', n);
	const struct vendor_path *found;

	if (query)
		n = query - path;
	while (n > 1 && path[n - 1] == '/')
		n--;
	p->vendor = vendor_path(path, n, &found, &p->never);
	if (p->vendor) {
		p->stream = found->stream;
		p->shape = found->shape;
	}
	path_model(p, path, n);
}

void
route_find(struct route *p, const char *host, size_t hostlen, const char *path, size_t pathlen)
{
	unsigned port;

	*p = (struct route){ .known = pathlen > 0 };
	if (hostlen)
		p->provider = vendor_host(host, host_split(host, hostlen, &port));
	if (pathlen)
		path_find(p, path, pathlen);
}

static int
hex(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' &&
	    (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

size_t
percent_decode(const char *s, size_t n, char *to)
{
	char *d = to;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%' && n - i > 2 && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			*d++ = hex(s[i + 1]) << 4 | hex(s[i + 2]);
			i += 2;
		} else {
			*d++ = s[i];
		}
	}
	return d - to;
}

/* --- shapes ------------------------------------------------------------------- */

static bool
shape_fits(const struct vendor *v, struct value body)
{
	return body.kind == VALUE_OBJECT && (v->is_request(body) || (v->fits && v->fits(body)));
}

enum route_confidence
route_request(const struct route *p, struct value body, bool (*header)(void *arg, const char *name),
    void *arg,
    const struct vendor **v)
{
	if (p->never)
		return ROUTE_NO;
	if ((*v = p->vendor) && p->shape && !shape_fits(*v, body))
		return ROUTE_NO;
	if (*v)
		return p->provider || shape_fits(*v, body) ? ROUTE_CERTAIN : ROUTE_POSSIBLE;
	if ((*v = vendor_of_request(body, header, arg)))
		return p->provider ? ROUTE_CERTAIN : ROUTE_POSSIBLE;
	return ROUTE_NO;
}

const struct vendor *
route_response(const struct route *p, struct value body, struct value format)
{
	if (p->never || (p->known && !p->vendor && !p->provider))
		return NULL;
	if (p->vendor &&
	    ((p->provider && !p->shape) || p->vendor->is_response(body) ||
	    route_streams(p->vendor, format)))
		return p->vendor;
	return is_given(value_get(body, "error")) ? NULL : vendor_of_response(body);
}

bool
route_streams(const struct vendor *v, struct value format)
{
	return v->stream && value_eq(format, v->stream->name);
}
