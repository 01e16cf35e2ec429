/* authstrip.c - a search with vectors finds what one without does, at every length
 * and place */
#include "../../authstrip/rules.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static struct rules rules;

static uint32_t seed = 1;

static uint32_t
dice(uint32_t n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* Letters, marks and now and then a word that is looked for. */
static size_t
make_text(char *s, size_t max)
{
	static const char letters[] = "aeinrst kpg0123_-.:/\"\\uKAMS$";
	size_t n = 0, len = dice(max);

	while (n < len) {
		const struct anchor *a = &rules.anchors.a[dice(rules.anchors.n)];

		if (dice(8) || n + a->len > len) {
			s[n++] = letters[dice(sizeof(letters) - 1)];
			continue;
		}
		memcpy(s + n, a->text, a->len);
		n += a->len;
	}
	return n;
}

int
main(void)
{
	size_t found = 0, wrong = 0;

	if (rules_init(&rules))
		abort();
	rules_ready(&rules);
	ok(rules.anchors.n > 500, "there are words to look for");
	for (int round = 0; round < 4000; round++) {
		char text[400], *s;
		size_t n = make_text(text, sizeof(text)), i = 0;
		struct anchor_look fast = { 0 }, slow = { .slow = true };

		/* on the heap, of that very size: a byte beyond is seen by the sanitizer */
		s = malloc(n ? n : 1);
		memcpy(s, text, n);
		do {
			int e, f;
			size_t k = anchor_find(&rules.anchors, &fast, s, n, i, &e);

			wrong += k != anchor_find(&rules.anchors, &slow, s, n, i, &f) || e != f;
			found += k < n;
			i = k + 1 + dice(3);
		} while (i < n);
		free(s);
	}
	ok(found > 10000, "many were found");
	ok(!wrong, "both ways found the same");
	rules_free(&rules);
	return done();
}
