/*
 * lenient.c - what is read leniently passes the scanner, and says the same where
 * the scanner takes the original; read once more it stays as it is
 */
#include "lib/event.h"
#include "lib/jput.h"
#include "lib/lenient.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void
check(const char *s, size_t n, bool halves)
{
	size_t len, again, count = 0;
	unsigned marks = 0, more = 0;
	char *t = lenient_json(s, n, halves, &len, &marks), *u;
	struct event ev;
	json_t *j, *k;
	bool strict;

	event_init(&ev);
	strict = event_scan_value(&ev, s, n).kind;
	if (strict && (!t || marks))
		abort();
	if (t) {
		if (!event_scan_value(&ev, t, len).kind)
			abort();
		k = json_loadb(t, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
		    NULL);
		j = strict ? json_loadb(s, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
		if (!k || (j && !json_equal(j, k)))
			abort();
		json_decref(j);
		json_decref(k);
		u = lenient_json(t, len, halves, &again, &more);
		if (!u || more || again != len || memcmp(t, u, len))
			abort();
		free(u);
		if (utf8_valid(t, lenient_settle(t, len, &count)) > len)
			abort();
	}
	free(t);
	event_free(&ev);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *s = (const char *)p;
	size_t len;
	char *t;

	check(s, n, false);
	check(s, n, true);
	if (!(t = lenient_utf8(s, n, &len)) || utf8_valid(t, len) < len)
		abort();
	free(t);
	return 0;
}
