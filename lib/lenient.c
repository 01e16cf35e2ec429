/* lenient.c - foreign JSON, read as JavaScript reads it; see lenient.h */
#include "lenient.h"

#include "event.h"
#include "jput.h"
#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH = 2048,		/* as the scanner's */
	HALF = 0x10f800,	/* stands for half a surrogate pair: HALF + unit - 0xd800 */
};
static const char REPLACED[] = "\xef\xbf\xbd";		/* U+FFFD */

/* A member of an object that is open, in the text made so far. */
struct member {
	uint64_t hash;
	size_t begin, key, end;	/* key: behind its quotes */
	size_t order;
};

struct reader {
	const char *p, *end;
	char *out;
	size_t n, cap;
	struct member *member;	/* of all open objects, those of the innermost last */
	size_t nmember, membercap;
	size_t first[DEPTH];	/* of an open object: where its members begin */
	bool object[DEPTH];
	size_t depth;
	bool halves, nomem;
	unsigned marks;
};

/* --- text ------------------------------------------------------------------------ */

/* The length of the ill-formed sequence at p: what could still have become a
 * character, at least one byte. */
static size_t
bad_len(const unsigned char *p, const unsigned char *end)
{
	unsigned c = p[0], need = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	unsigned lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	unsigned hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	size_t n = 1;

	if (c < 0xc2 || c > 0xf4)
		return 1;
	while (n <= need && p + n < end && p[n] >= lo && p[n] <= hi) {
		lo = 0x80;
		hi = 0xbf;
		n++;
	}
	return n;
}

char *
lenient_utf8(const char *text, size_t n, size_t *len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + n;
	char *out, *d;

	/* one byte may become three */
	if (n > SIZE_MAX / 4 || !(d = out = malloc(n * 3 + 1)))
		return NULL;
	while (p < end) {
		size_t k = utf8_valid(p, end - p);

		memcpy(d, p, k);
		d += k;
		p += k;
		if (p < end) {
			memcpy(d, REPLACED, 3);
			d += 3;
			p += bad_len(p, end);
		}
	}
	*d = '\0';
	*len = d - out;
	return out;
}

static size_t
utf8_put(char *d, unsigned c)
{
	if (c < 0x80) {
		d[0] = c;
		return 1;
	}
	if (c < 0x800) {
		d[0] = 0xc0 | c >> 6;
		d[1] = 0x80 | (c & 63);
		return 2;
	}
	if (c < 0x10000) {
		d[0] = 0xe0 | c >> 12;
		d[1] = 0x80 | (c >> 6 & 63);
		d[2] = 0x80 | (c & 63);
		return 3;
	}
	d[0] = 0xf0 | c >> 18;
	d[1] = 0x80 | (c >> 12 & 63);
	d[2] = 0x80 | (c >> 6 & 63);
	d[3] = 0x80 | (c & 63);
	return 4;
}

/* The code unit that the four bytes stand for, 0 when they stand for none. */
static unsigned
half_at(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	if (u[0] != 0xf4 || u[1] != 0x8f || u[2] < 0xa0)
		return 0;
	return 0xd800 + ((u[2] & 0x1f) << 6 | (u[3] & 63));
}

size_t
lenient_join(char *text, size_t n, size_t at)
{
	unsigned high, low;

	if (at < 4 || at > n || n - at < 4)
		return n;
	high = half_at(text + at - 4);
	low = half_at(text + at);
	if (high < 0xd800 || high > 0xdbff || low < 0xdc00)
		return n;
	utf8_put(text + at - 4, 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00)));
	memmove(text + at, text + at + 4, n - at - 4);
	return n - 4;
}

size_t
lenient_settle(char *text, size_t n, size_t *count)
{
	char *d = text;

	for (size_t i = 0; i < n; i++) {
		if (n - i >= 4 && half_at(text + i)) {
			memcpy(d, REPLACED, 3);
			d += 3;
			i += 3;
			++*count;
		} else {
			*d++ = text[i];
		}
	}
	return d - text;
}

/* --- out --------------------------------------------------------------------------- */

static void
put(struct reader *r, const char *p, size_t n)
{
	if (r->n + n > r->cap) {
		size_t cap = (r->n + n) + (r->n + n) / 2 + 64;
		char *out = realloc(r->out, cap);

		if (!out) {
			r->nomem = true;
			return;
		}
		r->out = out;
		r->cap = cap;
	}
	memcpy(r->out + r->n, p, n);
	r->n += n;
}

static uint64_t
hash_of(const char *p, size_t n)
{
	uint64_t h = 1469598103934665603u;

	for (; n; p++, n--)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h;
}

/* --- strings ------------------------------------------------------------------------- */

static int
code_unit(const struct reader *r, const char *p)
{
	int v = 0;

	if (r->end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int c = p[i], d = c >= '0' && c <= '9' ? c - '0' :
		    (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* A character of a key: always in the same form, so that equal keys are equal text. */
static void
put_key_char(struct reader *r, unsigned c)
{
	static const char hex[] = "0123456789abcdef";
	char t[8] = "\\u00";

	if (!c) {
		r->marks |= LENIENT_NUL;
		put(r, "\\\\u0000", 7);
	} else if (c == '"' || c == '\\') {
		t[1] = c;
		put(r, t, 2);
	} else if (c < 0x20) {
		t[4] = hex[c >> 4];
		t[5] = hex[c & 15];
		put(r, t, 6);
	} else {
		put(r, t, utf8_put(t, c));
	}
}

/* \uXXXX, alone or as a pair. */
static bool
read_unit(struct reader *r, bool key)
{
	int v = code_unit(r, r->p), low = v >= 0xd800 && v <= 0xdbff ? code_unit(r, r->p + 6) : -1;
	char t[4];

	if (v < 0)
		return false;
	if (low >= 0xdc00 && low <= 0xdfff) {
		if (key)
			put_key_char(r, 0x10000 + ((v - 0xd800) << 10 | (low - 0xdc00)));
		else
			put(r, r->p, 12);
		r->p += 12;
		return true;
	}
	if (v >= 0xd800 && v <= 0xdfff) {
		r->marks |= LENIENT_SURROGATE;
		if (r->halves && !key)
			put(r, t, utf8_put(t, HALF + v - 0xd800));
		else
			put(r, REPLACED, 3);
	} else if (key) {
		put_key_char(r, v);
	} else {
		put(r, r->p, 6);
	}
	r->p += 6;
	return true;
}

static bool
read_escape(struct reader *r, bool key)
{
	static const char letter[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	const char *at = r->end - r->p > 1 && r->p[1] ? strchr(letter, r->p[1]) : NULL;

	if (!at)
		return read_unit(r, key);
	if (key)
		put_key_char(r, is[at - letter]);
	else
		put(r, r->p, 2);
	r->p += 2;
	return true;
}

/* What stands for itself, in one go. */
static void
read_plain(struct reader *r)
{
	const char *to = (const char *)text_plain((const unsigned char *)r->p,
	    (const unsigned char *)r->end);

	put(r, r->p, to - r->p);
	r->p = to;
}

static bool
read_string(struct reader *r, bool key)
{
	put(r, "\"", 1);
	for (r->p++; r->p < r->end && *r->p != '"';) {
		const unsigned char *u = (const unsigned char *)r->p,
		    *end = (const unsigned char *)r->end;
		size_t n;

		if (*u < 0x20)
			return false;
		if (*u == '\\') {
			if (!read_escape(r, key))
				return false;
		} else if (*u < 0x80) {
			read_plain(r);
		} else if ((n = text_utf8(u, end))) {
			put(r, r->p, n);
			r->p += n;
		} else {
			r->marks |= LENIENT_UTF8;
			put(r, REPLACED, 3);
			r->p += bad_len(u, end);
		}
	}
	if (r->p == r->end)
		return false;
	r->p++;
	put(r, "\"", 1);
	return true;
}

/* --- numbers and words ------------------------------------------------------------------ */

static const char *
digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Where the number at p ends, NULL when it is none. */
static const char *
number_end(const char *p, const char *end, bool *real)
{
	const char *from;

	p += p < end && *p == '-';
	from = p;
	p = digits(p, end);
	if (p == from || (*from == '0' && p - from > 1))
		return NULL;
	*real = p < end && (*p == '.' || *p == 'e' || *p == 'E');
	if (p < end && *p == '.') {
		from = ++p;
		if ((p = digits(p, end)) == from)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		from = p;
		if ((p = digits(p, end)) == from)
			return NULL;
	}
	return p;
}

static bool
read_number(struct reader *r)
{
	bool real, fits;
	const char *to = number_end(r->p, r->end, &real);
	char small[512], *text = small;
	size_t n;

	if (!to)
		return false;
	n = to - r->p;
	if (n >= sizeof(small) && !(text = malloc(n + 1))) {
		r->nomem = true;
		return false;
	}
	memcpy(text, r->p, n);
	text[n] = '\0';
	errno = 0;
	if (real)
		fits = isfinite(strtod(text, NULL));
	else
		fits = (strtoll(text, NULL, 10), errno != ERANGE);
	if (text != small)
		free(text);
	if (!fits) {
		r->marks |= LENIENT_NUMBER;
		put(r, "\"", 1);
	}
	put(r, r->p, n);
	if (!fits)
		put(r, "\"", 1);
	r->p = to;
	return true;
}

static bool
read_scalar(struct reader *r)
{
	static const char *const word[] = { "true", "false", "null" };

	if (*r->p == '"')
		return read_string(r, false);
	if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))
		return read_number(r);
	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(word[i]);

		if ((size_t)(r->end - r->p) >= n && !memcmp(r->p, word[i], n)) {
			put(r, r->p, n);
			r->p += n;
			return true;
		}
	}
	return false;
}

/* --- objects ------------------------------------------------------------------------------ */

static int
by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int
by_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static bool
same_key(const struct reader *r, const struct member *x, const struct member *y)
{
	return x->hash == y->hash && x->key - x->begin == y->key - y->begin &&
	    !memcmp(r->out + x->begin, r->out + y->begin, x->key - x->begin);
}

/* The members again from offset `from` on, each key once: where it stood first,
 * with its last value. */
static void
write_once(struct reader *r, const struct member *m, size_t n, size_t from)
{
	size_t len = 0;
	char *t = malloc(r->n - from);

	if (!t) {
		r->nomem = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (m[i].begin == SIZE_MAX)
			continue;
		if (len)
			t[len++] = ',';
		memcpy(t + len, r->out + m[i].begin, m[i].end - m[i].begin);
		len += m[i].end - m[i].begin;
	}
	memcpy(r->out + from, t, len);
	r->n = from + len;
	free(t);
}

/* The innermost object is over: looks for keys that it has twice. The last
 * one's span goes to the member that was first. */
static void
close_object(struct reader *r)
{
	struct member *m = r->member + r->first[r->depth - 1];
	size_t n = r->nmember - r->first[r->depth - 1], from = n ? m[0].begin : 0;
	bool twice = false;

	r->nmember -= n;
	if (n < 2 || r->nomem)
		return;
	qsort(m, n, sizeof(*m), by_key);
	for (size_t i = n - 1; i-- > 0;)
		if (same_key(r, &m[i], &m[i + 1])) {
			m[i].begin = m[i + 1].begin;
			m[i].key = m[i + 1].key;
			m[i].end = m[i + 1].end;
			m[i + 1].begin = SIZE_MAX;
			twice = true;
		}
	if (!twice)
		return;
	r->marks |= LENIENT_DUPLICATE;
	qsort(m, n, sizeof(*m), by_order);
	write_once(r, m, n, from);
}

static bool
read_key(struct reader *r)
{
	struct member *m;

	if (r->nmember == r->membercap) {
		size_t cap = r->membercap ? r->membercap * 2 : 64;

		if (!(m = realloc(r->member, cap * sizeof(*m)))) {
			r->nomem = true;
			return false;
		}
		r->member = m;
		r->membercap = cap;
	}
	m = &r->member[r->nmember];
	*m = (struct member){ .begin = r->n, .order = r->nmember };
	r->nmember++;
	if (*r->p != '"' || !read_string(r, true) || r->nomem)
		return false;
	m->key = r->n;
	m->hash = hash_of(r->out + m->begin, m->key - m->begin);
	return true;
}

/* --- documents ------------------------------------------------------------------------------- */

enum want { VALUE, FIRST_VALUE, KEY, FIRST_KEY, COLON, AFTER };

static bool
open_container(struct reader *r, enum want *want)
{
	bool object = *r->p == '{';

	if (r->depth == DEPTH)
		return false;
	r->object[r->depth] = object;
	r->first[r->depth++] = r->nmember;
	put(r, r->p++, 1);
	*want = object ? FIRST_KEY : FIRST_VALUE;
	return true;
}

static bool
close_container(struct reader *r, enum want *want)
{
	if (!r->depth || *r->p != (r->object[r->depth - 1] ? '}' : ']'))
		return false;
	if (r->object[r->depth - 1]) {
		if (*want == AFTER && r->nmember > r->first[r->depth - 1])
			r->member[r->nmember - 1].end = r->n;
		close_object(r);
	}
	r->depth--;
	put(r, r->p++, 1);
	*want = AFTER;
	return true;
}

/* Behind a value: a comma or the end of what it is in. */
static bool
read_after(struct reader *r, enum want *want)
{
	if (*r->p != ',')
		return close_container(r, want);
	if (!r->depth)
		return false;
	if (r->object[r->depth - 1])
		r->member[r->nmember - 1].end = r->n;
	put(r, r->p++, 1);
	*want = r->object[r->depth - 1] ? KEY : VALUE;
	return true;
}

static bool
read_token(struct reader *r, enum want *want)
{
	char c = *r->p;

	switch (*want) {
	case FIRST_KEY:
	case FIRST_VALUE:
		if (c == '}' || c == ']')
			return close_container(r, want);
		*want = *want == FIRST_KEY ? KEY : VALUE;
		return true;
	case KEY:
		*want = COLON;
		return read_key(r);
	case COLON:
		put(r, r->p++, 1);
		*want = VALUE;
		return c == ':';
	case VALUE:
		if (c == '{' || c == '[')
			return open_container(r, want);
		*want = AFTER;
		return read_scalar(r);
	case AFTER:
		return read_after(r, want);
	}
	return false;
}

static bool
read_document(struct reader *r)
{
	enum want want = VALUE;

	if (r->end - r->p >= 3 && !memcmp(r->p, "\xef\xbb\xbf", 3)) {
		r->marks |= LENIENT_BOM;
		r->p += 3;
	}
	for (; r->p < r->end && !r->nomem;) {
		if (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r')
			r->p++;
		else if (!read_token(r, &want))
			return false;
	}
	return want == AFTER && !r->depth && !r->nomem;
}

char *
lenient_json(const char *p, size_t n, bool halves, size_t *len, unsigned *marks)
{
	struct reader *r = calloc(1, sizeof(*r));
	char *out = NULL;

	if (!r)
		return NULL;
	r->p = p;
	r->end = p + n;
	r->halves = halves;
	if (read_document(r)) {
		put(r, "", 1);
		if (!r->nomem) {
			out = r->out;
			*len = r->n - 1;
			*marks |= r->marks;
		}
	}
	if (!out)
		free(r->out);
	free(r->member);
	free(r);
	return out;
}

struct value
lenient_scan(struct event *ev, const char *p, size_t n, unsigned *marks)
{
	struct value v = event_scan_value(ev, p, n);
	size_t len;
	char *t, *kept;

	if (v.kind || !(t = lenient_json(p, n, false, &len, marks)))
		return v;
	if ((kept = arena_get(&ev->arena, len + 1))) {
		memcpy(kept, t, len);
		v = event_scan_value(ev, kept, len);
	}
	free(t);
	return v;
}

/* --- marks ----------------------------------------------------------------------------------- */

static const char *const names[] = { "big_number", "surrogate", "duplicate_key", "nul_in_key",
    "bom", "bad_utf8" };

void
lenient_put(unsigned marks, struct jput *j)
{
	if (!marks)
		return;
	jput_array(j, "lenient");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (marks & 1u << i)
			jput_str(j, NULL, names[i]);
	jput_array_end(j);
}

unsigned
lenient_mark(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == n && !memcmp(names[i], name, n))
			return 1u << i;
	return 0;
}
