/* repair.c - texts that are not quite what they should be; see repair.h */
#include "ssemerge/repair.h"

#include "lib/jput.h"
#include "lib/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char REPLACED[] = "\xef\xbf\xbd";		/* U+FFFD */

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
repair_utf8(const char *text, size_t n, size_t *len)
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

/* The code unit of \uXXXX at p, -1 when there is none. */
static int
code_unit(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
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

/* Copies the escape at *p, half a surrogate pair as U+FFFD. */
static char *
copy_escape(char *d, const char **p, const char *end, bool *lossy)
{
	int v = code_unit(*p, end), low = v >= 0 ? code_unit(*p + 6, end) : -1;
	size_t n = v >= 0 ? 6 : end - *p < 2 ? 1 : 2;

	if (v >= 0xd800 && v <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
		n = 12;
	} else if (v >= 0xd800 && v <= 0xdfff) {
		memcpy(d, "\\ufffd", 6);
		*lossy = true;
		*p += 6;
		return d + 6;
	}
	memcpy(d, *p, n);
	*p += n;
	return d + n;
}

/* Copies the number at *p. d has room for three bytes per byte of it. */
static char *
copy_number(char *d, const char **p)
{
	/* the text ends in a NUL, which ends the number */
	size_t n = strspn(*p, "+-.eE0123456789");
	bool real = strcspn(*p, ".eE") < n;
	char *to;

	memcpy(d, *p, n);
	d[n] = '\0';
	errno = 0;
	if (real && !isfinite(strtod(d, &to))) {
		memcpy(d, "null", 4);
		*p += n;
		return d + 4;
	}
	if (!real)
		(void)strtoll(d, &to, 10);
	*p += n;
	d += n;
	if (!real && errno == ERANGE) {
		memcpy(d, ".0", 2);
		d += 2;
	}
	return d;
}

char *
repair_json(const char *text, size_t n, size_t *len, bool *lossy)
{
	bool string = false;
	char *clean, *out = NULL, *d, *result = NULL;
	const char *p, *end;
	json_t *j;
	size_t k;

	*lossy = utf8_valid(text, n) < n;
	if (!(clean = repair_utf8(text, n, &k)) || k > SIZE_MAX / 4 || !(d = out = malloc(k * 3 + 8)))
		goto end;
	for (p = clean, end = clean + k; p < end;) {
		if (string && *p == '\\') {
			d = copy_escape(d, &p, end, lossy);
		} else if (!string && (*p == '-' || (*p >= '0' && *p <= '9'))) {
			d = copy_number(d, &p);
		} else {
			string ^= *p == '"';
			*d++ = *p++;
		}
	}
	if (!(j = json_loadb(out, d - out, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)))
		goto end;
	if ((result = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY)))
		*len = strlen(result);
	json_decref(j);
end:
	free(out);
	free(clean);
	return result;
}

/* --- JSON that was cut off ---------------------------------------------------- */

struct token {
	char type;		/* one of {}[]:, or "string" 'n'umber 'w'ord */
	bool whole;
	size_t end;		/* offset behind it */
};

enum { TAIL = 8 };		/* more tokens than can be taken back */

struct cut {
	const char *p;
	size_t n, at;
	char *open;		/* what closes the containers that are open */
	size_t nopen, cap;
	struct token tail[TAIL];	/* the last tokens, the newest first */
	size_t ntail;
};

/* A string at c->at; false when it has no end. */
static bool
cut_string(struct cut *c, struct token *t)
{
	size_t i = c->at + 1;

	while (i < c->n && c->p[i] != '"')
		i += c->p[i] == '\\' ? 2 : 1;
	c->at = i < c->n ? i + 1 : c->n;
	*t = (struct token){ '"', true, c->at };
	return i < c->n;
}

static bool
cut_bracket(struct cut *c, char b)
{
	if (b == '}' || b == ']')
		return c->nopen && c->open[--c->nopen] == b;
	if (c->nopen == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 32;
		char *open = realloc(c->open, cap);

		if (!open)
			return false;
		c->open = open;
		c->cap = cap;
	}
	c->open[c->nopen++] = b == '{' ? '}' : ']';
	return true;
}

/* A number or a word. A number that runs to the end may go on; a word that is
 * cut there is left out. */
static bool
cut_scalar(struct cut *c, struct token *t)
{
	static const char *const word[] = { "true", "false", "null" };
	const char *p = c->p + c->at;
	size_t n = 0, left = c->n - c->at;

	if (*p == '-' || (*p >= '0' && *p <= '9')) {
		while (n < left && p[n] && strchr("+-.eE0123456789", p[n]))
			n++;
		c->at += n;
		*t = (struct token){ 'n', n < left && p[n - 1] >= '0', c->at };
		return true;
	}
	for (size_t i = 0; i < 3; i++) {
		size_t k = strlen(word[i]), m = k < left ? k : left;

		if (memcmp(p, word[i], m))
			continue;
		c->at += m;
		*t = (struct token){ 'w', m == k, c->at };
		return true;
	}
	return false;
}

static bool
cut_scan(struct cut *c)
{
	while (c->at < c->n) {
		char b = c->p[c->at];
		struct token t = { b, true, c->at + 1 };

		if (b == ' ' || b == '\t' || b == '\n' || b == '\r') {
			c->at++;
			continue;
		}
		if (b == '"') {
			if (!cut_string(c, &t))
				return true;
		} else if (strchr("{}[]:,", b) && b) {
			if (strchr("{}[]", b) && !cut_bracket(c, b))
				return false;
			c->at++;
		} else if (!cut_scalar(c, &t)) {
			return false;
		}
		memmove(c->tail + 1, c->tail, (TAIL - 1) * sizeof(*c->tail));
		c->tail[0] = t;
		c->ntail += c->ntail < TAIL;
	}
	return true;
}

/* The offset up to which the text can stay. */
static size_t
cut_keep(const struct cut *c)
{
	bool object = c->nopen && c->open[c->nopen - 1] == '}';

	for (size_t i = 0; i < c->ntail; i++) {
		const struct token *t = &c->tail[i];
		char before = i + 1 < c->ntail ? t[1].type : 0;

		if (t->type == ',')	/* what is before it is whole */
			return i + 1 < c->ntail ? t[1].end : 0;
		if (t->type == ':' || !t->whole ||
		    (t->type == '"' && object && (before == ',' || before == '{')))
			continue;
		return t->end;
	}
	return 0;
}

json_t *
repair_cut(const char *p, size_t n)
{
	struct cut c = { .p = p, .n = n };
	json_t *j = NULL;
	char *text, *d;
	size_t keep, len;
	bool lossy;

	if (cut_scan(&c) && (keep = cut_keep(&c)) && (text = malloc(keep + c.nopen + 1))) {
		memcpy(text, p, keep);
		for (d = text + keep; c.nopen; d++)
			*d = c.open[--c.nopen];
		if (!(j = json_loadb(text, d - text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)) &&
		    (d = repair_json(text, d - text, &len, &lossy))) {
			j = json_loadb(d, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
			free(d);
		}
		free(text);
	}
	free(c.open);
	return j;
}
