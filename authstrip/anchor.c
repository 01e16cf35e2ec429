/* anchor.c - see anchor.h */
#include "anchor.h"

#include <hs/hs.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void
anchor_init(struct anchors *t)
{
	memset(t, 0, sizeof(*t));
}

void
anchor_free(struct anchors *t)
{
	hs_free_scratch(t->scratch);
	hs_free_database(t->db);
	anchor_init(t);
}

int
anchor_add(struct anchors *t, const char *word, bool any, int kind, int arg)
{
	struct anchor *a = &t->a[t->n];
	size_t n = strlen(word);

	if (t->n == ANCHOR_MAX || n < 2 || n > sizeof(a->text))
		return -1;
	memcpy(a->text, word, n);
	a->len = n;
	a->any = any;
	a->kind = kind;
	a->arg = arg;
	t->n++;
	return 0;
}

/* Who comes first at one place: those of this very case, then the last added. */
static void
set_ranks(struct anchors *t)
{
	unsigned n = 0;

	for (int any = 0; any < 2; any++)
		for (unsigned i = t->n; i--; )
			if (t->a[i].any == any) {
				t->rank[i] = n;
				t->order[n++] = i;
			}
}

/* --- words over the end of a text --------------------------------------------- */

static unsigned
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)c | 0x20 : (unsigned char)c;
}

static unsigned
pair_of(char a, char b)
{
	return lower(a) << 8 | lower(b);
}

static unsigned
three_of(char a, char b, char c)
{
	return (lower(a) * 0x9e5 ^ lower(b) * 0x6d ^ lower(c) << 8) % ANCHOR_BITS;
}

static bool
bit(const uint8_t *bits, unsigned i)
{
	return bits[i >> 3] >> (i & 7) & 1;
}

static void
set_bits(struct anchors *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		const char *s = t->a[i].text;
		unsigned pair = pair_of(s[0], s[1]);

		t->begin[pair >> 3] |= 1u << (pair & 7);
		for (unsigned k = 2; k < t->a[i].len; k++) {
			unsigned three = three_of(s[k - 2], s[k - 1], s[k]);

			t->within[three >> 3] |= 1u << (three & 7);
		}
	}
}

bool
anchor_may_cross(const struct anchors *t, const char *s, size_t n, const char *behind)
{
	return bit(t->begin, pair_of(s[n - 1], behind[0])) ||
	    (n > 1 && bit(t->within, three_of(s[n - 2], s[n - 1], behind[0])));
}

/* --- finding ---------------------------------------------------------------------- */

const char *
anchor_ready(struct anchors *t)
{
	static const char *text[ANCHOR_MAX];
	static unsigned flags[ANCHOR_MAX], id[ANCHOR_MAX];
	static size_t len[ANCHOR_MAX];
	static char wrong[128];
	hs_compile_error_t *error = NULL;

	set_ranks(t);
	set_bits(t);
	for (unsigned i = 0; i < t->n; i++) {
		text[i] = t->a[i].text;
		len[i] = t->a[i].len;
		flags[i] = t->a[i].any ? HS_FLAG_CASELESS : 0;
		id[i] = i;
	}
	if (hs_compile_lit_multi(text, flags, id, len, t->n, HS_MODE_BLOCK, NULL, &t->db, &error)) {
		strncpy(wrong, error && error->message ? error->message : "out of memory",
		    sizeof(wrong) - 1);
		hs_free_compile_error(error);
		return wrong;
	}
	if (hs_alloc_scratch(t->db, &t->scratch))
		return "out of memory";
	return NULL;
}

struct found { struct anchors *t; struct anchor_hits *hits; size_t from; };

static bool
reserve(struct anchor_hits *h, size_t n)
{
	if (h->n + n > h->cap) {
		size_t cap = 2 * h->cap + n + 64;
		uint64_t *p = realloc(h->v, cap * sizeof(*p));

		if (!p) {
			h->nomem = true;
			return false;
		}
		h->v = p;
		h->cap = cap;
	}
	return true;
}

/* Words come by where they end. */
static int
add_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	struct found *f = arg;
	struct anchor_hits *h = f->hits;
	uint64_t v = (uint64_t)(f->from + to - f->t->a[id].len) << 16 | (uint16_t)f->t->rank[id];
	size_t i;

	(void)from;
	(void)flags;
	if (!reserve(h, 1))
		return 1;
	/* only the few that end within a word's length are out of order */
	for (i = h->n++; i && h->v[i - 1] > v; i--)
		h->v[i] = h->v[i - 1];
	h->v[i] = v;
	return 0;
}

void
anchor_find(struct anchors *t, struct anchor_hits *h, const char *s, size_t n, size_t from)
{
	struct found f = { t, h, from };

	h->n = 0;
	h->nomem = false;
	if (from < n && (n - from > UINT_MAX ||
	    hs_scan(t->db, s + from, n - from, 0, t->scratch, add_hit, &f)))
		h->nomem = true;
}

void
anchor_hits_free(struct anchor_hits *h)
{
	free(h->v);
	memset(h, 0, sizeof(*h));
}

size_t
anchor_hits_from(const struct anchor_hits *h, size_t pos)
{
	size_t lo = 0, hi = h->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (anchor_hit_at(h, mid) < pos)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
anchor_hits_add(struct anchor_hits *h, const struct anchor_hits *of, size_t from, size_t end,
    size_t by)
{
	size_t i = anchor_hits_from(of, from), n = anchor_hits_from(of, end);

	h->nomem = h->nomem || of->nomem;
	if (i >= n || !reserve(h, n - i))
		return;
	for (; i < n; i++)
		h->v[h->n++] = of->v[i] + ((uint64_t)by << 16);
}
