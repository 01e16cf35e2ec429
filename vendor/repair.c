/* repair.c - JSON that was cut off; see repair.h */
#include "vendor/repair.h"

#include "lib/lenient.h"

#include <stdlib.h>
#include <string.h>

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
repair_cut(const char *p, size_t n, unsigned *marks)
{
	struct cut c = { .p = p, .n = n };
	json_t *j = NULL;
	char *text, *d;
	size_t keep, len;

	if (cut_scan(&c) && (keep = cut_keep(&c)) && (text = malloc(keep + c.nopen + 1))) {
		memcpy(text, p, keep);
		for (d = text + keep; c.nopen; d++)
			*d = c.open[--c.nopen];
		if (!(j = json_loadb(text, d - text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)) &&
		    (d = lenient_json(text, d - text, false, &len, marks))) {
			j = json_loadb(d, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
			free(d);
		}
		free(text);
	}
	free(c.open);
	return j;
}
