/*
 * response.h - the property that all merges are held to: a body gives the same
 * message however it is cut, and nothing that is not JSON
 */
#include "ssemerge/response.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESPONSE_MAX = 4096 };	/* small, so that limits are met */

struct emitted {
	json_t *message, *error;
	struct text text;
	uint64_t events, bad;
	bool ended, content, limited;
};

/* Feeds p[0..n) in pieces of step bytes (0: whole). hole: drops the second piece. */
static struct emitted
response_emit(const struct merge_format *format, const char *type, const uint8_t *p, size_t n,
    size_t step, bool hole, bool cut)
{
	struct event scan;
	struct response a;
	struct emitted t = { 0 };
	uint64_t bytes;

	event_init(&scan);
	response_init(&a, &scan, type, NULL, 0, RESPONSE_MAX);
	if (format)
		merge_start(&a.merge, format);
	for (size_t at = 0, piece = 0; at < n; piece++) {
		size_t k = step && n - at > step ? step : n - at;
		char *copy = malloc(k);		/* so that a read past the end is caught */

		memcpy(copy, p + at, k);
		if (hole && piece == 1)
			response_hole(&a);
		else
			response_feed(&a, copy, k);
		free(copy);
		at += k;
	}
	if (!a.done)
		response_end(&a, cut);
	t.message = json_deep_copy(response_message(&a, &t.text));
	t.error = json_deep_copy(a.merge.error);
	t.events = a.events;
	t.bad = a.merge.bad;
	t.ended = a.merge.ended;
	t.content = a.merge.content;
	t.limited = response_limited(&a, &bytes);
	response_free(&a);
	event_free(&scan);
	return t;
}

static void
emitted_free(struct emitted *t)
{
	json_decref(t->message);
	json_decref(t->error);
	free(t->text.p);
}

static void
response_check(const struct merge_format *format, const char *type, const uint8_t *p, size_t n)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64 };
	struct emitted whole = response_emit(format, type, p, n, 0, false, false), t;
	char *dump = json_dumps(whole.message, 0);
	size_t step = 0;
	bool same;

	if (!dump)
		abort();	/* every message can be written */
	free(dump);
	for (size_t i = 0; i < n; i++)
		step += p[i];
	step = steps[step % 5];
	t = response_emit(format, type, p, n, step, false, false);
	same = json_equal(t.message, whole.message) && t.events == whole.events &&
	    t.bad == whole.bad &&
	    t.ended == whole.ended && t.content == whole.content && t.limited == whole.limited &&
	    (t.error ? json_equal(t.error, whole.error) : !whole.error) &&
	    t.text.n == whole.text.n &&
	    (!t.text.n || !memcmp(t.text.p, whole.text.p, t.text.n));
	if (!same) {
		fprintf(stderr, "pieces of %zu bytes give another message\n", step);
		abort();
	}
	emitted_free(&t);
	t = response_emit(format, type, p, n, n / 3 + 1, true, true);
	emitted_free(&t);
	emitted_free(&whole);
}
