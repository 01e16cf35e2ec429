/* walk.c - see walk.h */
#include "walk.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum state { TOP, FIRST, KEY, KEY_STRING, COLON, VALUE, STRING, LITERAL, AFTER };
enum { WORDS = 24 };	/* "\r\n1f40\r\n", "\ndata: " between the parts of a document */

uint64_t
walk_mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15u;
	return a ^ a >> 29;
}

void
walk_init(struct walk *w, unsigned quote, uint64_t base)
{
	w->quote = quote;
	w->state = TOP;
	w->depth = 0;
	w->run = w->words = 0;
	w->level[0] = (struct walk_level){ .path = walk_mix(base, 1) };
}

bool
walk_inside(const struct walk *w)
{
	return w->state != TOP;
}

/* The level at hand; what is deeper than there is room for shares the last. */
static struct walk_level *
level(struct walk *w)
{
	return &w->level[w->depth < WALK_DEPTH ? w->depth : WALK_DEPTH];
}

static uint64_t
path_here(struct walk *w)
{
	const struct walk_level *l = level(w);

	if (!w->depth)
		return l->path;
	if (!l->array)
		return walk_mix(l->path, w->key);
	/* a place in an array around all is no part of a path */
	return w->depth == 1 ? l->path : walk_mix(l->path, l->place + 2);
}

static void
open_level(struct walk *w, bool array, const struct walk_list *list)
{
	uint64_t path = path_here(w), index = w->depth ? level(w)->index : 0;

	if (w->depth < UINT16_MAX)
		w->depth++;
	*level(w) = (struct walk_level){ .path = path, .index = index, .strings = list->n, .array = array };
	w->state = array ? VALUE : w->depth == 1 ? FIRST : KEY;
	w->words = 0;
}

static void
give_up(struct walk *w)
{
	w->depth = 0;
	w->state = TOP;
	w->run = w->words = 0;
}

static void
close_level(struct walk *w)
{
	w->words = 0;
	if (!--w->depth)
		w->state = TOP;
	else
		w->state = AFTER;
}

static void
add_string(struct walk *w, struct walk_list *l, size_t from, size_t end, bool first, bool last)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct walk_string *v = realloc(l->v, cap * sizeof(*v));

		if (!v) {
			l->nomem = true;
			return;
		}
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct walk_string){ path_here(w), level(w)->index, from, end, first,
	    last };
}

/* An "index" member is known: it belongs to the strings that came before it in
 * its object, too. */
static void
end_number(struct walk *w, struct walk_list *list)
{
	static const uint64_t name = 0x7865646e69u;	/* "index", the first letter lowest */
	struct walk_level *l = level(w);

	if (l->array || (w->tail & 0xffffffffffu) != name || w->number == UINT64_MAX)
		return;
	l->index = walk_mix(walk_mix(l->index, w->key), w->number + 1);
	for (size_t i = l->strings; i < list->n; i++)
		list->v[i].index = walk_mix(walk_mix(list->v[i].index, w->key), w->number + 1);
}

/* The end of the string whose part begins at i, without its quote's backslashes. */
static size_t
string_end(struct walk *w, const char *s, size_t n, size_t i, size_t *next)
{
	size_t from = i, k = w->quote, run;
	const char *q;

	for (; (q = memchr(s + i, '"', n - i)); i++) {
		size_t end;

		i = q - s;
		for (run = 0; i - run > from && s[i - run - 1] == '\\'; run++)
			;
		end = i - run;
		if (end == from)
			run += w->run;
		if (run % (2 * (k + 1)) == k || run < k) {
			*next = i + 1;
			w->run = 0;
			return i - from > k ? i - k : from;
		}
	}
	for (run = 0; n - run > from && s[n - run - 1] == '\\'; run++)
		;
	w->run = n - run == from ? w->run + run : run;
	*next = n + 1;
	return n;
}

static size_t
walk_string(struct walk *w, const char *s, size_t n, size_t i, bool first, struct walk_list *list)
{
	size_t next, end = string_end(w, s, n, i, &next);
	bool last = next <= n;

	if (w->state == KEY_STRING) {
		for (size_t j = i; j < end; j++) {
			w->key = (w->key ^ (unsigned char)s[j]) * 0x100000001b3u;
			w->tail = w->tail >> 8 | (uint64_t)((unsigned char)s[j] | 0x20) << 32;
		}
	} else if (end > i) {
		add_string(w, list, i, end, first, last);
	}
	if (last)
		w->state = w->state == KEY_STRING ? COLON : AFTER;
	return last ? next : n;
}

/* What stands at i outside of strings, and how long it is. */
enum thing { MORE, SPACE, LINE_END, QUOTE, OTHER, BAD };

static enum thing
thing_at(struct walk *w, const char *s, size_t n, size_t i, size_t *len)
{
	size_t run = w->run, k = w->quote;

	*len = 1;
	if (s[i] == ' ')
		return SPACE;
	if (s[i] == '\n' || s[i] == '\r' || s[i] == '\t')
		return k ? BAD : LINE_END;
	if (s[i] != '\\' && s[i] != '"' && !run)
		return OTHER;
	for (*len = 0; i + *len < n && s[i + *len] == '\\'; ++*len)
		run++;
	if (i + *len == n) {
		w->run = run;
		return MORE;
	}
	switch (s[i + (*len)++]) {
	case '"': return run == k ? QUOTE : BAD;
	case 'n': case 'r': case 't': return run == (k + 1) / 2 ? LINE_END : BAD;
	default: return BAD;
	}
}

/* A byte that is neither space nor quote. False: it fits nowhere. */
static bool
take(struct walk *w, char c, struct walk_list *list)
{
	if (w->state == LITERAL) {
		if (isdigit((unsigned char)c) && w->number < UINT64_MAX / 16) {
			w->number = w->number * 10 + (c - '0');
			return true;
		}
		if (isalnum((unsigned char)c) || c == '.' || c == '-' || c == '+') {
			w->number = UINT64_MAX;
			return true;
		}
		if (c == ':' && w->words) {	/* data: */
			w->state = VALUE;
			return true;
		}
		end_number(w, list);
		w->state = AFTER;
	}
	switch (c) {
	case '{':
	case '[':
		if (w->state != VALUE)
			return false;
		open_level(w, c == '[', list);
		return true;
	case '}':
		if (level(w)->array || w->state == VALUE || w->state == COLON)
			return false;
		close_level(w);
		return true;
	case ']':
		if (!level(w)->array)
			return false;
		close_level(w);
		return true;
	case ',':
		if (w->state != AFTER)
			return false;
		level(w)->place++;
		w->state = level(w)->array ? VALUE : KEY;
		return true;
	case ':':
		if (w->state != COLON)
			return w->words;
		w->state = VALUE;
		return true;
	}
	if (w->state == VALUE && (isalnum((unsigned char)c) || c == '-')) {
		w->state = LITERAL;
		w->framed = w->words;
		w->number = isdigit((unsigned char)c) ? (uint64_t)(c - '0') : UINT64_MAX;
		return true;
	}
	return w->words && isalnum((unsigned char)c);
}

/* Outside of strings and documents: where the next document may begin. */
static size_t
find_document(struct walk *w, const char *s, size_t n, size_t i, struct walk_list *list)
{
	const char *p;
	size_t j = i;

	if (!i) {		/* an array around all, behind a number (42[...]) or not */
		while (j < n && (s[j] == ' ' || isdigit((unsigned char)s[j])))
			j++;
		if (j < n && s[j] == '[') {
			open_level(w, true, list);
			return j + 1;
		}
	}
	if (!(p = memchr(s + i, '{', n - i)))
		return n;
	open_level(w, false, list);
	return p - s + 1;
}

void
walk_piece(struct walk *w, const char *s, size_t n, struct walk_list *list)
{
	size_t i = 0, len;
	bool first = false;

	for (unsigned d = 0; d <= w->depth && d <= WALK_DEPTH; d++)
		w->level[d].strings = list->n;
	while (i < n) {
		enum thing t;

		if (w->state == TOP) {
			i = find_document(w, s, n, i, list);
			continue;
		}
		if (w->state == STRING || w->state == KEY_STRING) {
			i = walk_string(w, s, n, i, first, list);
			first = false;
			continue;
		}
		t = thing_at(w, s, n, i, &len);
		if (t == MORE)
			return;
		w->run = 0;
		if (t == QUOTE && (w->state == VALUE || w->state == KEY || w->state == FIRST)) {
			first = w->state == VALUE;
			w->state = first ? STRING : KEY_STRING;
			w->words = 0;
			if (!first) {
				w->key = 0xcbf29ce484222325u;
				w->tail = 0;
			}
		} else if (t == LINE_END) {
			if (w->state == LITERAL && !w->framed)
				end_number(w, list);
			if (w->state == LITERAL)	/* of a frame: the value is to come */
				w->state = w->framed ? VALUE : AFTER;
			w->words = WORDS;
		} else if (t == QUOTE || t == BAD || (t == OTHER && !take(w, s[i], list))) {
			give_up(w);
			continue;	/* it may begin another */
		}
		i += len;
		if (t == OTHER && w->words)
			w->words--;
	}
}
