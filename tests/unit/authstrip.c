/* authstrip.c - the words that are looked for are found at every length and place, in
 * their order, as a search one by one finds them */
#include "../../authstrip/rules.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static bool
stands(const struct anchor *a, const char *s, size_t n)
{
	return n >= a->len &&
	    !(a->any ? strncasecmp(s, a->text, a->len) : memcmp(s, a->text, a->len));
}

/* Whether h is what is at s[at], and nothing else; i goes on behind it. */
static bool
same_at(const struct anchor_hits *h, size_t *i, const char *s, size_t n, size_t at)
{
	for (unsigned rank = 0; rank < rules.anchors.n; rank++) {
		const struct anchor *a = &rules.anchors.a[rules.anchors.order[rank]];

		if (!stands(a, s + at, n - at))
			continue;
		if (*i == h->n || anchor_hit_at(h, *i) != at ||
		    anchor_hit_word(&rules.anchors, h, *i) != a)
			return false;
		++*i;
	}
	return true;
}

int
main(void)
{
	size_t found = 0, wrong = 0, crossing = 0;
	struct anchor_hits hits = { 0 };

	if (rules_init(&rules) || rules_ready(&rules))
		abort();
	ok(rules.anchors.n > 500, "there are words to look for");
	for (int round = 0; round < 300; round++) {
		char text[400], *s;
		size_t n = make_text(text, sizeof(text)), i = 0, from = dice(4);
		const struct anchor_hits *h = &hits;

		/* on the heap, of that very size: a byte beyond is seen by the sanitizer */
		s = malloc(n ? n : 1);
		memcpy(s, text, n);
		anchor_find(&rules.anchors, &hits, s, n, from);
		for (size_t at = from; at < n; at++)
			wrong += !same_at(h, &i, s, n, at);
		wrong += i != h->n;
		found += h->n;
		for (size_t k = 0; k < h->n; k++) {
			size_t at = anchor_hit_at(h, k),
			    end = at + anchor_hit_word(&rules.anchors, h, k)->len;

			for (size_t cut = at + 1; cut < end; cut++)
				crossing += !anchor_may_cross(&rules.anchors, s, cut, s + cut);
		}
		free(s);
	}
	ok(found > 5000, "many were found");
	ok(!wrong, "they are those that stand there, in their order");
	ok(!crossing, "and each may stand over the end of a text, wherever it is cut");
	anchor_hits_free(&hits);
	rules_free(&rules);
	return done();
}
