/*
 * repair.c - what is repaired passes the scanner, and says the same where jansson
 * reads the original; what is closed is JSON, and whole JSON stays itself
 */
#include "lib/event.h"
#include "lib/jput.h"
#include "ssemerge/repair.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *s = (const char *)p;
	struct event ev;
	json_t *j = json_loadb(s, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *k;
	bool lossy = true;
	size_t len;
	char *t;

	event_init(&ev);
	if ((t = repair_json(s, n, &len, &lossy))) {
		k = json_loadb(t, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if (!k || !event_scan_value(&ev, t, len).kind || (j && !json_equal(j, k)))
			abort();
		json_decref(k);
		free(t);
	} else if (j) {
		abort();
	}
	if (!(t = repair_utf8(s, n, &len)) || utf8_valid(t, len) < len)
		abort();
	free(t);
	k = repair_cut(s, n);
	/* jansson takes a NUL between two values for space; the scanner does not */
	if (j && event_scan_value(&ev, s, n).kind && (json_is_object(j) || json_is_array(j)) && !(k && json_equal(j, k)))
		abort();
	json_decref(k);
	json_decref(j);
	event_free(&ev);
	return 0;
}
