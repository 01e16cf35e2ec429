/* walk.c - see walk.h */
#include "walk.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum state { TOP, FIRST, KEY, KEY_STRING, COLON, VALUE, STRING, LITERAL, AFTER, RAW };
enum {
	WORDS = 24,	/* "\r\n1f40\r\n", "\ndata: " between the parts of a document */
	PLACES = 16,	/* of strings in an outermost array that are told apart */
};

uint64_t
walk_mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15u;
	return a ^ a >> 29;
}

void
walk_init(struct walk *w, unsigned quote, uint64_t path, uint64_t keys)
{
	w->quote = quote;
	w->state = TOP;
	w->depth = 0;
	w->run = w->words = 0;
	w->broken = false;
	w->line = (struct walk_line){ .begins = true };
	w->level[0] = (struct walk_level){ .path = walk_mix(path, 1), .keys = walk_mix(keys, 1) };
}

void
walk_message(struct walk *w)
{
	w->line.data = true;
}

bool
walk_inside(const struct walk *w)
{
	return w->state != TOP || w->line.data || (w->line.begins && w->line.n);
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

	if (w->state == RAW)
		return walk_mix(l->path, RAW);
	if (!w->depth)
		return l->path;
	if (!l->array)
		return walk_mix(l->path, w->key);
	/* a place in an array around all is no part of a path */
	return w->depth == 1 ? l->path : walk_mix(l->path, l->place + 2);
}

static uint64_t
keys_here(struct walk *w)
{
	const struct walk_level *l = level(w);

	return w->state == RAW ? walk_mix(l->keys, RAW) :
	    !w->depth ? l->keys : walk_mix(l->keys, l->array ? 1 : w->key);
}

/* What the place of the element at hand, in an array that is none around all, adds to
 * the places of what is in it. */
static uint64_t
place_here(struct walk *w)
{
	const struct walk_level *l = level(w);

	return l->array && w->depth > 1 ? walk_mix(w->depth, l->place + 1) : 0;
}

static uint64_t
index_here(struct walk *w)
{
	const struct walk_level *l = level(w);

	if (!w->depth)
		return 0;
	return w->depth == 1 && l->array && l->place < PLACES ? walk_mix(l->index, l->place + 1) :
	    l->index;
}

static void
open_level(struct walk *w, bool array, const struct walk_list *list)
{
	struct walk_level l = {
		.path = path_here(w), .keys = keys_here(w), .index = w->depth ? level(w)->index : 0,
		.own = place_here(w), .strings = list->n, .array = array,
	};

	l.places = w->depth ? level(w)->places + l.own : 0;

	if (w->depth < UINT_MAX)
		w->depth++;
	*level(w) = l;
	w->state = array ? VALUE : w->depth == 1 ? FIRST : KEY;
	w->run = w->words = 0;
	w->line.begins = false;
}

static void
give_up(struct walk *w)
{
	w->depth = 0;
	w->state = TOP;
	w->run = w->words = 0;
	w->broken = true;
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
	l->v[l->n++] = (struct walk_string){
		.path = path_here(w), .keys = keys_here(w),
		.places = level(w)->places + place_here(w), .index = index_here(w),
		.from = from, .end = end, .first = first, .last = last,
	};
}

enum control { CONTROL_NONE, CONTROL_LINE, CONTROL_OTHER };

/* What control character is at s[i..n), its length to *len: a line's end, or RFC 7464's
 * mark of one, or another. */
static enum control
control_at(const struct walk *w, const char *s, size_t n, size_t i, size_t *len)
{
	size_t run, k = w->quote;

	*len = 1;
	if (!k)
		return (unsigned char)s[i] >= ' ' ? CONTROL_NONE :
		    s[i] == '\n' || s[i] == '\r' || s[i] == '\x1e' ? CONTROL_LINE : CONTROL_OTHER;
	for (run = 0; i + run < n && s[i + run] == '\\'; run++)
		;
	*len = run + 1;
	if (run != (k + 1) / 2 || i + run == n)
		return CONTROL_NONE;
	if (s[i + run] == 'n' || s[i + run] == 'r')
		return CONTROL_LINE;
	*len = run + 5;
	if (n - i < *len || memcmp(s + i + run, "u00", 3) || s[i + run + 3] > '1')
		return CONTROL_NONE;
	return !memcmp(s + i + run, "u001e", 5) ? CONTROL_LINE : CONTROL_OTHER;
}

static size_t
line_end(const struct walk *w, const char *s, size_t n, size_t i)
{
	size_t len;

	return control_at(w, s, n, i, &len) == CONTROL_LINE ? len : 0;
}

/* Whether a control character is in s[i..n): in no string of JSON there is. */
static bool
has_control(const struct walk *w, const char *s, size_t n, size_t i)
{
	size_t len;

	while (i < n) {
		const char *p = w->quote ? memchr(s + i, '\\', n - i) : s + i;

		if (!p)
			return false;
		i = p - s;
		if (control_at(w, s, n, i, &len))
			return true;
		i += len;
	}
	return false;
}

/* An "index" member is known: it belongs to the strings that came before it in
 * its object, too. It says what is meant, not the place of the object in an array. */
static void
end_number(struct walk *w, struct walk_list *list)
{
	static const uint64_t name = 0x7865646e69u;	/* "index", the first letter lowest */
	struct walk_level *l = level(w);

	if (l->array || (w->tail & 0xffffffffffu) != name || w->number == UINT64_MAX)
		return;
	l->index = walk_mix(walk_mix(l->index, w->key), w->number + 1);
	l->places -= l->own;
	for (size_t i = l->strings; i < list->n; i++) {
		list->v[i].index = walk_mix(walk_mix(list->v[i].index, w->key), w->number + 1);
		list->v[i].places -= l->own;
	}
	l->own = 0;
}

/* The end of the string whose part begins at i, without its quote's backslashes. */
static size_t
string_end(struct walk *w, const char *s, size_t n, size_t i, size_t *next)
{
	size_t from = i, k = w->quote, run, end;
	const char *q;

	for (; (q = memchr(s + i, '"', n - i)); i++) {
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
	end = n - run;
	if (end == from)
		run += w->run;
	w->run = run;
	*next = n + 1;
	/* what may be the beginning of the quote behind it is none of it, until more comes */
	w->withheld = run <= k ? run : 0;
	return run <= k ? end : n;
}

/* A piece of a key. */
static void
add_key(struct walk *w, const char *s, size_t i, size_t end)
{
	uint64_t key = w->key, tail = w->tail;

	for (; i < end; i++) {
		unsigned char c = s[i];

		if (c == '\\')	/* of a quote behind it, if it is cut there */
			continue;
		key = (key ^ c) * 0x100000001b3u;
		tail = tail >> 8 | (uint64_t)(c | 0x20) << 32;
	}
	w->key = key;
	w->tail = tail;
}

static size_t
walk_string(struct walk *w, const char *s, size_t n, size_t i, struct walk_list *list)
{
	unsigned lead = w->withheld;
	size_t next, end;
	bool last;

	w->withheld = 0;
	end = string_end(w, s, n, i, &next);
	last = next <= n;
	if ((!w->depth || w->state == KEY_STRING) && has_control(w, s, end, i)) {
		give_up(w);	/* a quote of something else began it, of a frame's checksum */
		return i;
	}
	if (w->state == KEY_STRING) {
		add_key(w, s, i, end);
	} else if (end > i) {
		add_string(w, list, i, end, w->first, last);
		if (list->n)
			list->v[list->n - 1].lead = lead;
		w->first = false;
	}
	if (last)
		w->state = w->state == KEY_STRING ? COLON : w->depth ? AFTER : TOP;
	return last ? next : n;
}

/* What stands at i outside of strings, and how long it is. */
enum thing { MORE, SPACE, LINE_END, QUOTE, OTHER, BAD };

static enum thing
thing_at(struct walk *w, const char *s, size_t n, size_t i, size_t *len)
{
	size_t run = w->run, k = w->quote;

	if (k == 1 && !run && n - i > 1 && s[i] == '\\' && s[i + 1] == '"') {
		*len = 2;	/* most are so */
		return QUOTE;
	}
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

/* --- outside of documents ----------------------------------------------------- */

/* The first one in s[i..n), its length to *len; n: there is none. */
static size_t
next_line_end(const struct walk *w, const char *s, size_t n, size_t i, size_t *len)
{
	while (i < n) {
		const char *p = memchr(s + i, w->quote ? '\\' : '\n', n - i);

		if (!p)
			break;
		i = p - s;
		if ((*len = line_end(w, s, n, i)))
			return i;
		while (i < n && s[i] == '\\')
			i++;
		i++;
	}
	*len = 0;
	return n;
}

/* Whether the quote of a string is at s[i]; its length to *len. */
static bool
opens_string(const struct walk *w, const char *s, size_t n, size_t i, size_t *len)
{
	size_t run = 0;

	while (i + run < n && s[i + run] == '\\')
		run++;
	*len = run + 1;
	return run == w->quote && i + run < n && s[i + run] == '"';
}

/* A byte of what may stand before a document on its line: a word of two letters or some
 * digits, "data", a colon behind either, a space behind that. False: none does. */
static bool
line_word(struct walk_line *l, char c)
{
	if (c == ' ' && !l->n)
		return true;
	if (c == ':' && l->n) {
		bool data = l->n == 4 && !memcmp(l->word, "data", 4);

		if (!data && l->n > 2)
			return false;
		l->data = l->data || data;
		l->n = l->letters = 0;
		return true;
	}
	if (!isalnum((unsigned char)c) || l->n == sizeof(l->word))
		return false;
	l->word[l->n++] = c;
	l->letters += !isdigit((unsigned char)c);
	return true;
}

/* Where a line begins; returns where to go on. What begins there is in w->state. */
static size_t
walk_line(struct walk *w, const char *s, size_t n, size_t i, struct walk_list *list)
{
	struct walk_line *l = &w->line;
	size_t len, end;

	for (; l->begins && i < n; i++) {
		if (s[i] == '{')
			return i;
		if (s[i] == '[' && (!l->n || l->n == 1 || !l->letters)) {
			open_level(w, true, list);
			return i + 1;
		}
		if (!l->n && opens_string(w, s, n, i, &len)) {
			w->state = STRING;
			w->run = w->withheld = 0;
			l->begins = false;
			return i + len;
		}
		len = line_end(w, s, n, i);
		if (len && l->data && l->n)
			break;
		if (len) {
			*l = (struct walk_line){ .begins = true };
			i += len - 1;
			continue;
		}
		l->begins = line_word(l, s[i]);
		if (!l->begins)
			break;
	}
	if (!l->data || (l->begins && !l->n))
		return i;
	/* behind "data:" */
	i -= l->n < i ? l->n : i;
	end = next_line_end(w, s, n, i, &len);
	if (end > i && !memchr(s + i, '{', end - i))
		w->state = RAW;
	*l = (struct walk_line){ .begins = false };
	return i;
}

/* The rest of a line that is a string. */
static size_t
walk_raw(struct walk *w, const char *s, size_t n, size_t i, struct walk_list *list)
{
	size_t len, end = next_line_end(w, s, n, i, &len);

	if (end > i) {
		add_string(w, list, i, end, w->first, len);
		w->first = false;
	}
	if (len)
		w->state = TOP;
	return end;
}

/* Outside of strings and documents: goes to where one begins. */
static size_t
find_document(struct walk *w, const char *s, size_t n, size_t i, struct walk_list *list)
{
	const char *p = memchr(s + i, '{', n - i);
	size_t end = p ? (size_t)(p - s) : n, len;

	while (w->state == TOP && i < end) {
		if (w->line.begins) {
			i = walk_line(w, s, n, i, list);
			continue;
		}
		i = next_line_end(w, s, end, i, &len);
		if (len)
			w->line = (struct walk_line){ .begins = true };
		i += len;
	}
	if (w->state != TOP || i >= n)
		return i;
	open_level(w, false, list);
	return i + 1;
}

void
walk_piece(struct walk *w, const char *s, size_t n, struct walk_list *list)
{
	size_t i = 0, len;

	for (unsigned d = 0; d <= w->depth && d <= WALK_DEPTH; d++)
		w->level[d].strings = list->n;
	while (i < n) {
		enum thing t;

		if (w->state == TOP) {
			i = find_document(w, s, n, i, list);
			w->first = true;
			continue;
		}
		if (w->state == RAW) {
			i = walk_raw(w, s, n, i, list);
			continue;
		}
		if (w->state == STRING || w->state == KEY_STRING) {
			i = walk_string(w, s, n, i, list);
			continue;
		}
		t = thing_at(w, s, n, i, &len);
		if (t == MORE)
			return;
		w->run = 0;
		if (t == QUOTE && (w->state == VALUE || w->state == KEY || w->state == FIRST)) {
			w->withheld = 0;
			w->first = w->state == VALUE;
			w->state = w->first ? STRING : KEY_STRING;
			w->words = 0;
			if (!w->first) {
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
