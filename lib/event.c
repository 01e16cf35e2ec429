/*
 * event.c - one pass over a line: is it JSON, and where are its values
 *
 * The walk keeps a bit per open container and a list of the keys of the open
 * objects, so that its memory is bounded by the line and reused.
 */
#include "event.h"

#include "line.h"
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 2048 };	/* JSON_PARSER_MAX_DEPTH of jansson 2.14 */

/* --- arena --------------------------------------------------------------- */

struct arena_block {
	struct arena_block *next;
	_Alignas(max_align_t) char data[];
};

void *
arena_get(struct arena *a, size_t n)
{
	struct arena_block *b;
	char *p;

	n = (n + 15) & ~(size_t)15;
	a->total += n;
	if (a->cap - a->len >= n) {
		p = a->base + a->len;
		a->len += n;
		return p;
	}
	if (!(b = malloc(sizeof(*b) + n)))
		return NULL;
	b->next = a->more;
	a->more = b;
	return b->data;
}

static void
arena_drop_blocks(struct arena *a)
{
	while (a->more) {
		struct arena_block *b = a->more;

		a->more = b->next;
		free(b);
	}
}

void
arena_reset(struct arena *a)
{
	if (a->more) {
		/* the base was too small for this round: let it fit the next */
		size_t cap = a->total + a->total / 4;

		arena_drop_blocks(a);
		free(a->base);
		a->base = malloc(cap);
		a->cap = a->base ? cap : 0;
	}
	a->len = a->total = 0;
}

void
arena_free(struct arena *a)
{
	arena_drop_blocks(a);
	free(a->base);
	memset(a, 0, sizeof(*a));
}

/* --- scanner ------------------------------------------------------------- */

struct event_key {
	const char *p;		/* decoded */
	size_t n;
	uint32_t hash;
};

struct event_edit {
	struct value at;
	const char *json;
	size_t n;
};

struct scan {
	struct event *ev;
	const unsigned char *p, *end;
	size_t nkeys;
	bool nomem;
	uint64_t isobject[DEPTH_MAX / 64 + 1];
	uint32_t firstkey[DEPTH_MAX + 1];
	unsigned depth;
};

void
event_init(struct event *ev)
{
	memset(ev, 0, sizeof(*ev));
}

void
event_free(struct event *ev)
{
	free(ev->fields);
	free(ev->keys);
	free(ev->edits);
	arena_free(&ev->arena);
}

static void
skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
}

static int
hex4(const unsigned char *p, const unsigned char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int c = p[i], d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' &&
		    (c | 32) <= 'f' ?
		    (c | 32) - 'a' + 10 : -1;

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

static const bool simple_escape[256] = {
	['"'] = 1, ['\\'] = 1, ['/'] = 1, ['b'] = 1, ['f'] = 1, ['n'] = 1, ['r'] = 1, ['t'] = 1,
};

/* The length of the escape at p (a backslash), 0 when it is not valid. */
static size_t
escape_len(const unsigned char *p, const unsigned char *end)
{
	int v;

	if (end - p < 2)
		return 0;
	if (p[1] != 'u')
		return simple_escape[p[1]] * 2;
	if ((v = hex4(p + 2, end)) < 0 || (v >= 0xdc00 && v <= 0xdfff))
		return 0;
	if (v < 0xd800 || v > 0xdbff)
		return 6;
	if (end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return 0;
	v = hex4(p + 8, end);
	return v >= 0xdc00 && v <= 0xdfff ? 12 : 0;
}

/* Goes on inside a string, 64 bytes at a time, to its closing quote or to what
 * needs a closer look: \u, an error, or fewer than 64 bytes left. */
static const unsigned char *
string_blocks(const unsigned char *p, const unsigned char *end, bool *escaped)
{
#ifdef __SSE2__
	unsigned carry = 0;	/* the first byte is escaped */
	size_t skip = 0;	/* the first bytes end a UTF-8 sequence */

	for (; end - p >= 64; p += 64) {
		struct text_block b = text_block(p);
		uint64_t esc = text_escaped(b.backslash, &carry), stop = b.quote & ~esc;
		uint64_t before = stop ? (stop & -stop) - 1 : ~(uint64_t)0;

		*escaped |= (b.backslash & before) != 0;
		esc &= before & ~(b.quote | b.backslash | b.letter);
		while (esc && simple_escape[p[__builtin_ctzll(esc)]])
			esc &= esc - 1;
		if (esc)
			/* what stands before that backslash */
			before &= ((esc & -esc) - 1) >> 1;
		b.other &= before & ~(((uint64_t)1 << skip) - 1);
		for (skip = 0; b.other;) {
			unsigned at = __builtin_ctzll(b.other);
			size_t n = p[at] < 0x80 ? 0 : text_utf8(p + at, end);

			if (!n)
				return p + at;
			skip = at + n > 64 ? at + n - 64 : 0;
			b.other &= skip ? 0 : at + n == 64 ? 0 : ~(uint64_t)0 << (at + n);
		}
		if (esc)
			return p + __builtin_ctzll(esc) - 1;
		if (stop)
			return p + __builtin_ctzll(stop);
	}
	p -= carry;
	p += skip;
#else
	(void)end;
	(void)escaped;
#endif
	return p;
}

/* A string at s->p, which is its quote. */
static bool
scan_string(struct scan *s, struct value *v)
{
	const unsigned char *p = s->p + 1, *end = s->end;
	bool escaped = false;

#ifdef __SSE2__
	if (end - p >= 16) {	/* most keys, and many values, end here */
		p += text_special16(p);
		if (p < s->p + 17 && *p == '"')
			goto done;
	}
#endif
	for (;;) {
		size_t n;

		p = string_blocks(p, end, &escaped);
		do {		/* one by one near the end of the text */
			p = text_plain(p, end);
			if (p == end)
				return false;
			if (*p == '"')
				goto done;
			if (*p == '\\') {
				escaped = true;
				if (!(n = escape_len(p, end)))
					return false;
			} else if (*p < 0x80 || !(n = text_utf8(p, end))) {
				return false;	/* a control character, or no UTF-8 */
			}
			p += n;
		} while (end - p < 64);
	}
done:
	*v = (struct value){ (const char *)s->p, p + 1 - s->p, VALUE_STRING, escaped };
	s->p = p + 1;
	return true;
}

/* The text of a number as a C string in the arena, for strtoll and strtod. */
static const char *
number_text(struct scan *s, const unsigned char *p, size_t n)
{
	char *t = arena_get(&s->ev->arena, n + 1);

	if (!t) {
		s->nomem = true;
		return NULL;
	}
	memcpy(t, p, n);
	t[n] = '\0';
	return t;
}

static bool
digits(const unsigned char **p, const unsigned char *end)
{
	const unsigned char *from = *p;

	while (*p < end && **p >= '0' && **p <= '9')
		++*p;
	return *p > from;
}

static bool
scan_number(struct scan *s, struct value *v)
{
	const unsigned char *from = s->p, *p = from, *intpart;
	bool real = false, exponent = false;
	const char *t;

	if (*p == '-')
		p++;
	intpart = p;
	if (!digits(&p, s->end) || (*intpart == '0' && p - intpart > 1))
		return false;
	if (p < s->end && *p == '.') {
		p++;
		real = true;
		if (!digits(&p, s->end))
			return false;
	}
	if (p < s->end && (*p | 32) == 'e') {
		p++;
		real = exponent = true;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		if (!digits(&p, s->end))
			return false;
	}
	*v = (struct value){ (const char *)from, p - from, real ? VALUE_REAL : VALUE_INT, false };
	s->p = p;
	if (!real && p - intpart <= 18)
		return true;
	if (real && !exponent && p - intpart < 300)
		return true;
	if (!(t = number_text(s, from, p - from)))
		return false;
	errno = 0;
	if (real)
		return isfinite(strtod(t, NULL));
	(void)strtoll(t, NULL, 10);
	return errno == 0;
}

static bool
scan_word(struct scan *s, struct value *v)
{
	static const struct { const char *w; size_t n; enum value_kind kind; } word[] = {
		{ "true", 4, VALUE_TRUE }, { "false", 5, VALUE_FALSE }, { "null", 4, VALUE_NULL },
	};

	for (size_t i = 0; i < 3; i++) {
		if ((size_t)(s->end - s->p) < word[i].n || memcmp(s->p, word[i].w, word[i].n))
			continue;
		*v = (struct value){ (const char *)s->p, word[i].n, word[i].kind, false };
		s->p += word[i].n;
		/* a letter behind would make it another word */
		return s->p == s->end || !((*s->p | 32) >= 'a' && (*s->p | 32) <= 'z');
	}
	return false;
}

/* Notes a key of the innermost object. */
static bool
key_add(struct scan *s, struct value k)
{
	struct event *ev = s->ev;
	struct event_key *e;
	uint32_t h = 2166136261u;

	if (s->nkeys == ev->keycap) {
		size_t cap = ev->keycap ? ev->keycap * 2 : 256;
		struct event_key *keys = cap < UINT32_MAX ? realloc(ev->keys, cap * sizeof(*keys)) :
		    NULL;

		if (!keys) {
			s->nomem = true;
			return false;
		}
		ev->keys = keys;
		ev->keycap = cap;
	}
	e = &ev->keys[s->nkeys++];
	e->p = k.p + 1;
	e->n = k.n - 2;
	if (k.escaped) {
		char *t = arena_get(&ev->arena, k.n);

		if (!t) {
			s->nomem = true;
			return false;
		}
		e->n = value_decode(k, t);
		e->p = t;
		if (memchr(t, '\0', e->n))
			return false;
	}
	for (size_t i = 0; i < e->n; i++)
		h = (h ^ (unsigned char)e->p[i]) * 16777619u;
	e->hash = h;
	return true;
}

static int
key_order(const void *a, const void *b)
{
	const struct event_key *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->p, y->p, x->n);
}

/* Forgets the keys of the innermost object; false when two are equal. */
static bool
keys_close(struct scan *s)
{
	struct event_key *k = s->ev->keys + s->firstkey[s->depth];
	size_t n = s->nkeys - s->firstkey[s->depth];

	s->nkeys = s->firstkey[s->depth];
	if (n > 24) {
		qsort(k, n, sizeof(*k), key_order);
		for (size_t i = 1; i < n; i++)
			if (!key_order(&k[i - 1], &k[i]))
				return false;
		return true;
	}
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (k[i].hash == k[j].hash && !key_order(&k[i], &k[j]))
				return false;
	return true;
}

static bool
field_add(struct scan *s, struct value key)
{
	struct event *ev = s->ev;

	if (ev->nfields == ev->fieldcap) {
		size_t cap = ev->fieldcap ? ev->fieldcap * 2 : 64;
		struct event_field *f = realloc(ev->fields, cap * sizeof(*f));

		if (!f) {
			s->nomem = true;
			return false;
		}
		ev->fields = f;
		ev->fieldcap = cap;
	}
	ev->fields[ev->nfields++] = (struct event_field){ key.p + 1, key.n - 2, key.escaped,
	    { 0 } };
	return true;
}

/* A key and its colon. */
static bool
scan_key(struct scan *s, bool isfield)
{
	struct value k;

	skip_space(s);
	if (s->p == s->end || *s->p != '"' || !scan_string(s, &k) || !key_add(s, k))
		return false;
	if (isfield && !field_add(s, k))
		return false;
	skip_space(s);
	if (s->p == s->end || *s->p++ != ':')
		return false;
	return true;
}

/* Opens a container at s->p. Sets *empty when it is closed again at once. */
static bool
scan_open(struct scan *s, bool fields, bool *empty)
{
	bool object = *s->p++ == '{';

	s->depth++;
	if (object)
		s->isobject[s->depth / 64] |= (uint64_t)1 << s->depth % 64;
	else
		s->isobject[s->depth / 64] &= ~((uint64_t)1 << s->depth % 64);
	s->firstkey[s->depth] = s->nkeys;
	skip_space(s);
	*empty = s->p < s->end && *s->p == (object ? '}' : ']');
	if (*empty) {
		s->p++;
		s->depth--;
		return true;
	}
	return !object || scan_key(s, fields && s->depth == 1);
}

/* After a value: closes what ends here, steps over the comma otherwise. Sets
 * *more when another value follows. */
static bool
scan_after(struct scan *s, bool fields, bool *more)
{
	while (s->depth) {
		bool object = s->isobject[s->depth / 64] >> s->depth % 64 & 1;

		if (fields && s->depth == 1 && s->ev->nfields) {
			struct value *v = &s->ev->fields[s->ev->nfields - 1].value;

			v->n = (const char *)s->p - v->p;	/* containers end here */
		}
		skip_space(s);
		if (s->p == s->end)
			return false;
		if (*s->p == ',') {
			s->p++;
			*more = true;
			return !object || scan_key(s, fields && s->depth == 1);
		}
		if (*s->p++ != (object ? '}' : ']') || (object && !keys_close(s)))
			return false;
		s->depth--;
	}
	*more = false;
	return true;
}

/* Any JSON value. With fields, a top-level object's members are noted. */
static bool
scan_value(struct scan *s, bool fields, struct value *top)
{
	bool more = true;

	skip_space(s);
	*top = (struct value){ (const char *)s->p, 0, VALUE_NONE, false };
	while (more) {
		struct value v = { 0 };
		bool empty = true, ok;

		skip_space(s);
		if (s->p == s->end || s->depth >= DEPTH_MAX)
			return false;
		v.p = (const char *)s->p;
		switch (*s->p) {
		case '{':
		case '[':
			v.kind = *s->p == '{' ? VALUE_OBJECT : VALUE_ARRAY;
			break;
		case '"':
			ok = scan_string(s, &v);
			break;
		case '-': case '0': case '1': case '2': case '3': case '4':
		case '5': case '6': case '7': case '8': case '9':
			ok = scan_number(s, &v);
			break;
		default:
			ok = scan_word(s, &v);
		}
		if (s->depth == 0)
			*top = v;
		else if (fields && s->depth == 1)
			s->ev->fields[s->ev->nfields - 1].value = v;
		if (v.kind >= VALUE_ARRAY)
			ok = scan_open(s, fields, &empty);
		if (!ok)
			return false;
		if (empty && !scan_after(s, fields, &more))
			return false;
	}
	top->n = (const char *)s->p - top->p;
	skip_space(s);
	return s->p == s->end;
}

enum event_rc
event_scan(struct event *ev, const char *line, size_t n)
{
	struct scan s;
	struct value top;

	s.ev = ev;
	s.p = (const unsigned char *)line;
	s.end = s.p + n;
	s.nkeys = 0;
	s.nomem = false;
	s.depth = 0;
	arena_reset(&ev->arena);
	ev->line = line;
	ev->len = n;
	ev->nfields = ev->nedits = 0;
	skip_space(&s);
	if (s.p == s.end || *s.p != '{' || !scan_value(&s, true, &top)) {
		ev->nfields = 0;
		return s.nomem ? EVENT_NOMEM : EVENT_BAD;
	}
	return event_get(ev, "type").kind == VALUE_STRING ? EVENT_OK : EVENT_NOTYPE;
}

struct value
event_scan_value(struct event *ev, const char *text, size_t n)
{
	struct scan s;
	struct value top;

	s.ev = ev;
	s.p = (const unsigned char *)text;
	s.end = s.p + n;
	s.nkeys = 0;
	s.nomem = false;
	s.depth = 0;
	if (!scan_value(&s, false, &top))
		top.kind = VALUE_NONE;
	return top;
}

/* --- finding values ------------------------------------------------------ */

bool
event_type_is(const char *line, size_t n, const char *type)
{
	size_t t = strlen(type);

	return n > t + 9 && !memcmp(line, "{\"type\":\"", 9) && !memcmp(line + 9, type, t) &&
	    line[9 + t] == '"';
}

static bool
key_is(const char *raw, size_t n, bool escaped, const char *name, size_t len)
{
	struct value v = { raw - 1, n + 2, VALUE_STRING, escaped };
	char buf[256], *t = buf;
	bool equal;

	if (!escaped)
		return n == len && !memcmp(raw, name, n);
	/* an escape is at most 6 times as long as what it stands for */
	if (n > len * 6 || (v.n > sizeof(buf) && !(t = malloc(v.n))))
		return false;
	equal = value_decode(v, t) == len && !memcmp(t, name, len);
	if (t != buf)
		free(t);
	return equal;
}

static struct value
field_get(const struct event *ev, const char *key, size_t n)
{
	for (size_t i = 0; i < ev->nfields; i++) {
		const struct event_field *f = &ev->fields[i];

		if (key_is(f->key, f->keylen, f->keyescaped, key, n))
			return f->value;
	}
	return (struct value){ 0 };
}

struct value
event_get(const struct event *ev, const char *key)
{
	return field_get(ev, key, strlen(key));
}

bool
event_is(const struct event *ev, const char *type)
{
	return value_eq(event_get(ev, "type"), type);
}

static struct value
object_get(struct value object, const char *key, size_t n)
{
	struct value_iter it;
	struct value k, v;

	value_iter(&it, object);
	while (object.kind == VALUE_OBJECT && value_next(&it, &k, &v))
		if (key_is(k.p + 1, k.n - 2, k.escaped, key, n))
			return v;
	return (struct value){ 0 };
}

struct value
value_get(struct value object, const char *key)
{
	return object_get(object, key, strlen(key));
}

struct value
value_element(struct value array, size_t index)
{
	struct value_iter it;
	struct value k, v;

	value_iter(&it, array);
	while (array.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		if (index-- == 0)
			return v;
	return (struct value){ 0 };
}

struct value
event_path(const struct event *ev, const char *path)
{
	struct value at = { 0 };
	bool top = true;

	while (*path) {
		struct value next = { 0 };
		size_t n;

		if (*path == '[') {
			char *end;
			unsigned long i = strtoul(path + 1, &end, 10);

			if (top || end == path + 1 || *end != ']')
				return (struct value){ 0 };
			at = value_element(at, i);
			path = end + 1;
		} else {
			/* the longest key first: keys may hold dots themselves */
			for (n = strlen(path); n && !next.kind; n--) {
				if (path[n] && path[n] != '.' && path[n] != '[')
					continue;
				next = top ? field_get(ev, path, n) : object_get(at, path, n);
				if (next.kind)
					break;
			}
			at = next;
			path += n;
		}
		if (!at.kind)
			return at;
		top = false;
		if (*path == '.')
			path++;
	}
	return at;
}

/* --- walking containers -------------------------------------------------- */

static const char *
past_string(const char *from, const char *end)
{
	const char *p = from + 1;
#ifdef __SSE2__
	unsigned carry = 0;

	if (end - p >= 16) {	/* as scan_string does */
		p += text_special16((const unsigned char *)p);
		if (p < from + 17 && *p == '"')
			return p + 1;
	}
	for (; end - p >= 64; p += 64) {
		struct text_block b = text_block((const unsigned char *)p);
		uint64_t stop = b.quote & ~text_escaped(b.backslash, &carry);

		if (stop)
			return p + __builtin_ctzll(stop) + 1;
	}
	p += carry;
#endif
	for (; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static const char *
past_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* The value at p in text that has been scanned before. */
static struct value
value_at(const char *p, const char *end)
{
	struct value v = { p, 0, VALUE_NONE, false };
	size_t depth = 0;

	switch (*p) {
	case '"':
		v.kind = VALUE_STRING;
		v.n = past_string(p, end) - p;
		v.escaped = memchr(p, '\\', v.n) != NULL;
		return v;
	case 't': v.kind = VALUE_TRUE; v.n = 4; return v;
	case 'f': v.kind = VALUE_FALSE; v.n = 5; return v;
	case 'n': v.kind = VALUE_NULL; v.n = 4; return v;
	case '{': v.kind = VALUE_OBJECT; break;
	case '[': v.kind = VALUE_ARRAY; break;
	default:
		v.kind = VALUE_INT;
		for (; p < end && strchr("+-.eE0123456789", *p) && *p; p++)
			if (*p == '.' || (*p | 32) == 'e')
				v.kind = VALUE_REAL;
		v.n = p - v.p;
		return v;
	}
	do {
		if (*p == '"') {
			p = past_string(p, end);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	} while (depth && p < end);
	v.n = p - v.p;
	return v;
}

void
value_iter(struct value_iter *it, struct value v)
{
	it->p = it->end = v.p;
	if (v.kind == VALUE_ARRAY || v.kind == VALUE_OBJECT) {
		it->p = v.p + 1;
		it->end = v.p + v.n;
	}
}

bool
value_next(struct value_iter *it, struct value *key, struct value *val)
{
	const char *p = past_space(it->p, it->end);

	if (p < it->end && *p == ',')
		p = past_space(p + 1, it->end);
	if (p >= it->end || *p == '}' || *p == ']')
		return false;
	*key = (struct value){ 0 };
	*val = value_at(p, it->end);
	p = past_space(val->p + val->n, it->end);
	if (p < it->end && *p == ':') {
		*key = *val;
		*val = value_at(past_space(p + 1, it->end), it->end);
		p = val->p + val->n;
	}
	it->p = p;
	return true;
}

/* --- reading values ------------------------------------------------------ */

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

size_t
value_decode(struct value v, char *dst)
{
	const char *p = v.p + 1, *end = v.p + v.n - 1;
	char *d = dst;

	if (!v.escaped) {
		memcpy(d, p, end - p);
		return end - p;
	}
	while (p < end) {
		size_t n = text_copy_unescaped((unsigned char *)d, (const unsigned char *)p,
		    (const unsigned char *)end);
		unsigned c;

		d += n;
		p += n;
		if (p == end)
			break;
		switch (p[1]) {
		case 'b': *d++ = '\b'; break;
		case 'f': *d++ = '\f'; break;
		case 'n': *d++ = '\n'; break;
		case 'r': *d++ = '\r'; break;
		case 't': *d++ = '\t'; break;
		case 'u':
			c = hex4((const unsigned char *)p + 2, (const unsigned char *)end);
			if (c >= 0xd800 && c <= 0xdbff) {
				c = 0x10000 + ((c & 0x3ff) << 10) +
				    (hex4((const unsigned char *)p + 8,
				    (const unsigned char *)end) & 0x3ff);
				p += 6;
			}
			d += utf8_put(d, c);
			p += 4;
			break;
		default:
			*d++ = p[1];
		}
		p += 2;
	}
	return d - dst;
}

const char *
value_str(struct arena *a, struct value v, size_t *n)
{
	char *t;
	size_t len;

	if (v.kind != VALUE_STRING || !(t = arena_get(a, v.n)))
		return NULL;
	len = value_decode(v, t);
	t[len] = '\0';		/* the quotes made room for it */
	if (n)
		*n = len;
	return t;
}

const char *
event_str(struct event *ev, const char *key, size_t *n)
{
	return value_str(&ev->arena, event_get(ev, key), n);
}

/* 1 + the value of a byte of the alphabet, 0 for any other. */
static const unsigned char b64[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
	40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};

const void *
value_base64(struct arena *a, struct value v, size_t *len)
{
	const unsigned char *p, *end;
	unsigned char *d, *out;
	size_t n;
	bool bad = false;

	if (v.kind != VALUE_STRING)
		return NULL;
	p = (const unsigned char *)v.p + 1;
	n = v.n - 2;
	if (v.escaped && !(p = (const unsigned char *)value_str(a, v, &n)))
		return NULL;
	if (n % 4 || !(d = out = arena_get(a, n / 4 * 3 + 1)))
		return NULL;
	for (end = p + n; p < end; p += 4) {
		unsigned c0 = b64[p[0]], c1 = b64[p[1]], c2 = b64[p[2]], c3 = b64[p[3]];
		unsigned w = (c0 - 1) << 18 | (c1 - 1) << 12 | (c2 - 1) << 6 | (c3 - 1);

		if (end - p == 4 && p[3] == '=')
			break;
		bad |= !c0 | !c1 | !c2 | !c3;
		d[0] = w >> 16;
		d[1] = w >> 8;
		d[2] = w;
		d += 3;
	}
	if (p < end) {		/* padded: one or two bytes */
		unsigned c0 = b64[p[0]], c1 = b64[p[1]], c2 = p[2] == '=' ? 1 : b64[p[2]];

		bad |= !c0 | !c1 | !c2;
		*d++ = (c0 - 1) << 2 | (c1 - 1) >> 4;
		if (p[2] != '=')
			*d++ = (c1 - 1) << 4 | (c2 - 1) >> 2;
	}
	if (bad)
		return NULL;
	*d = 0;
	if (len)
		*len = d - out;
	return out;
}

const void *
event_bytes(struct event *ev, const char *key, size_t *n)
{
	char name[128];
	size_t len = strlen(key);
	struct value v = event_get(ev, key);

	if (v.kind == VALUE_STRING)
		return value_str(&ev->arena, v, n);
	if (v.kind || len + 5 > sizeof(name))
		return NULL;
	memcpy(name, key, len);
	memcpy(name + len, "_b64", 5);
	return value_base64(&ev->arena, event_get(ev, name), n);
}

bool
value_i64(struct value v, int64_t *to)
{
	const char *p, *end;
	bool neg;
	uint64_t n = 0;

	if (v.kind != VALUE_INT)
		return false;
	neg = *v.p == '-';
	end = v.p + v.n;
	for (p = v.p + neg; p < end; p++)	/* the scan has checked the range */
		n = n * 10 + (*p - '0');
	*to = neg ? -n : n;
	return true;
}

bool
value_u64(struct value v, uint64_t *to)
{
	int64_t i;

	if (!value_i64(v, &i) || i < 0)
		return false;
	*to = i;
	return true;
}

bool
value_f64(struct value v, double *to)
{
	char buf[400];
	char *t = buf;

	if (v.kind != VALUE_INT && v.kind != VALUE_REAL)
		return false;
	if (v.n >= sizeof(buf) && !(t = malloc(v.n + 1)))
		return false;
	memcpy(t, v.p, v.n);
	t[v.n] = '\0';
	*to = strtod(t, NULL);
	if (t != buf)
		free(t);
	return true;
}

bool
value_eq(struct value v, const char *text)
{
	return v.kind == VALUE_STRING && key_is(v.p + 1, v.n - 2, v.escaped, text, strlen(text));
}

bool
event_i64(const struct event *ev, const char *key, int64_t *to)
{
	return value_i64(event_get(ev, key), to);
}

bool
event_u64(const struct event *ev, const char *key, uint64_t *to)
{
	return value_u64(event_get(ev, key), to);
}

bool
event_bool(const struct event *ev, const char *key)
{
	return event_get(ev, key).kind == VALUE_TRUE;
}

uint64_t
event_time(const struct event *ev)
{
	uint64_t t = 0;

	event_u64(ev, "timestamp_ns", &t);
	return t;
}

/* --- editing ------------------------------------------------------------- */

int
event_replace(struct event *ev, struct value v, const char *json, size_t n)
{
	struct event_edit *e;
	char *copy;
	size_t i;

	if (ev->nedits == ev->editcap) {
		size_t cap = ev->editcap ? ev->editcap * 2 : 16;

		if (!(e = realloc(ev->edits, cap * sizeof(*e))))
			return -1;
		ev->edits = e;
		ev->editcap = cap;
	}
	if (!(copy = arena_get(&ev->arena, n + 1)))
		return -1;
	memcpy(copy, json, n);
	for (i = ev->nedits; i && ev->edits[i - 1].at.p > v.p; i--)
		ev->edits[i] = ev->edits[i - 1];
	ev->edits[i] = (struct event_edit){ v, copy, n };
	ev->nedits++;
	return 0;
}

void
event_write(struct event *ev, struct line_out *out)
{
	const char *p = ev->line, *end = p + ev->len;

	for (size_t i = 0; i < ev->nedits; i++) {
		const struct event_edit *e = &ev->edits[i];

		line_piece(out, p, e->at.p - p, false);
		line_piece(out, e->json, e->n, false);
		p = e->at.p + e->at.n;
	}
	line_put(out, p, end - p);
}
