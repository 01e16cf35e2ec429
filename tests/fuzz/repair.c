/*
 * repair.c - what was cut off and is closed is JSON, and whole JSON stays itself
 */
#include "lib/event.h"
#include "vendor/repair.h"

#include <stdint.h>
#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *s = (const char *)p;
	struct event ev;
	json_t *j = json_loadb(s, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *k;
	unsigned marks = 0;

	event_init(&ev);
	k = repair_cut(s, n, &marks);
	/* jansson takes a NUL between two values for space; the scanner does not */
	if (j && event_scan_value(&ev, s, n).kind && (json_is_object(j) || json_is_array(j)) &&
	    !(k && json_equal(j, k)))
		abort();
	json_decref(k);
	json_decref(j);
	event_free(&ev);
	return 0;
}
