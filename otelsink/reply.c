/* reply.c - answers of a receiver; see reply.h */
#include "otelsink/reply.h"

#include "lib/event.h"
#include "lib/jput.h"

#include <stdlib.h>
#include <string.h>

static void
set_message(struct reply *r, const char *p, size_t n)
{
	if (n >= sizeof(r->message))
		n = sizeof(r->message) - 1;
	n = utf8_valid(p, n);
	for (size_t i = 0; i < n; i++)	/* it goes to a terminal */
		r->message[i] = (unsigned char)p[i] < ' ' || p[i] == 0x7f ? ' ' : p[i];
	r->message[n] = '\0';
}

/* --- protobuf ---------------------------------------------------------------------- */

struct reader { const unsigned char *p, *end; };

static bool
read_varint(struct reader *r, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && r->p < r->end; shift += 7) {
		*v |= (uint64_t)(*r->p & 0x7f) << shift;
		if (!(*r->p++ & 0x80))
			return true;
	}
	return false;
}

/* The next field: a number in *v, or bytes in *in. False: the end, or not protobuf. */
static bool
read_field(struct reader *r, unsigned *number, uint64_t *v, struct reader *in)
{
	uint64_t tag, n;

	*in = (struct reader){ NULL, NULL };
	if (!read_varint(r, &tag))
		return false;
	*number = tag >> 3;
	switch (tag & 7) {
	case 0:
		return read_varint(r, v);
	case 1:
	case 5:
		n = (tag & 7) == 1 ? 8 : 4;
		break;
	case 2:
		if (!read_varint(r, &n))
			return false;
		break;
	default:
		return false;
	}
	if (n > (uint64_t)(r->end - r->p))
		return false;
	*in = (struct reader){ r->p, r->p + n };
	r->p += n;
	return true;
}

/* A message of a number and a text: both ExportPartialSuccess (1, 2) and Status. */
static void
read_pair(struct reply *r, struct reader in, bool rejected)
{
	unsigned number;
	uint64_t v;
	struct reader text;

	while (read_field(&in, &number, &v, &text)) {
		if (number == 1 && !text.p && rejected)
			r->rejected = v <= INT64_MAX ? v : 0;
		else if (number == 2 && text.p)
			set_message(r, (const char *)text.p, text.end - text.p);
	}
}

/* --- JSON --------------------------------------------------------------------------- */

static void
json_message(struct reply *r, struct event *ev, struct value v)
{
	size_t n;
	const char *s = v.kind == VALUE_STRING ? value_str(&ev->arena, v, &n) : NULL;

	if (s)
		set_message(r, s, n);
}

static void
json_success(struct reply *r, struct event *ev)
{
	static const char *const key[] = { "rejectedSpans", "rejectedDataPoints",
	    "rejectedLogRecords" };
	struct value partial = event_get(ev, "partialSuccess");
	size_t n;

	for (int i = 0; i < 3; i++) {
		struct value v = value_get(partial, key[i]);
		const char *s = v.kind == VALUE_STRING ? value_str(&ev->arena, v, &n) : NULL;

		if (s)
			r->rejected = strtoll(s, NULL, 10);
		else
			value_i64(v, &r->rejected);
	}
	if (r->rejected < 0)
		r->rejected = 0;
	json_message(r, ev, value_get(partial, "errorMessage"));
}

static void
parse(struct reply *r, const char *p, size_t n, bool json, bool success)
{
	struct reader in = { (const unsigned char *)p, (const unsigned char *)p + n }, sub;
	struct event ev;
	unsigned number;
	uint64_t v;

	*r = (struct reply){ 0 };
	if (!n)
		return;
	if (json) {
		event_init(&ev);
		if (event_scan(&ev, p, n) != EVENT_BAD)
			success ? json_success(r, &ev) :
			    json_message(r, &ev, event_get(&ev, "message"));
		event_free(&ev);
	} else if (!success) {
		read_pair(r, in, false);
	} else {
		while (read_field(&in, &number, &v, &sub))
			if (number == 1 && sub.p)
				read_pair(r, sub, true);
	}
}

void
reply_success(struct reply *r, const char *p, size_t n, bool json)
{
	parse(r, p, n, json, true);
}

void
reply_error(struct reply *r, const char *p, size_t n, bool json)
{
	parse(r, p, n, json, false);
}
