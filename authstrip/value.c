/* value.c - see named.h. Which values are credentials, by the kind of the name; strings */
#include "named.h"

#include <stdint.h>
#include <stdlib.h>

/* Behind what separates words on a line: spaces, tabs as they are or escaped, blanks
 * that nobody sees. */
size_t
named_skip_blank(struct scan *c, size_t i)
{
	for (size_t from = i; i - from < 32; ) {
		size_t k = backslashes(c, i);

		if (at(c, i) == ' ' || at(c, i) == '\t')
			i++;
		else if (k && at(c, i + k) == 't')
			i += k + 1;
		else if (k && c->n - i > k + 5 &&
		    (!strncasecmp(c->s + i + k, "u00a0", 5) ||
		    !strncasecmp(c->s + i + k, "u200", 4) ||
		    !strncasecmp(c->s + i + k, "ufeff", 5)))
			i += k + 5;
		else if (at(c, i) == 0xc2 && at(c, i + 1) == 0xa0)
			i += 2;
		else if (at(c, i) == 0xe2 && at(c, i + 1) == 0x80 && at(c, i + 2) >= 0x8b &&
		    at(c, i + 2) <= 0x8f)
			i += 3;
		else
			break;
	}
	return i;
}

int
named_rule_of(const struct named *nm, int rule)
{
	return nm->kind == NAME_USER ? nm->rule : nm->kind == NAME_ID ? RULE_ID :
	    nm->head ? RULE_HEADER : rule;
}

bool
named_short_name(struct scan *c, const struct named *nm)
{
	return nm->end - nm->from <= 4 && strncasecmp(c->s + nm->from, "code", 4);
}

static bool
header_value(struct scan *c, const struct named *nm, size_t v, size_t e)
{
	if (nm->kind == NAME_RANDOM || nm->kind == NAME_QUERY || nm->kind == NAME_KEY) {
		size_t n = nm->end - nm->from;
		const char *s = c->s + nm->from;

		return looks_secret(c->s + v, e - v, 8) ||
		    (n >= 7 && !strncasecmp(s, "session", 7)) ||
		    (n == 9 && !strncasecmp(s, "signature", 9));
	}
	return true;
}

/* A name that says it all; an environment variable's does. */
bool
named_is_sure(const struct named *nm)
{
	return nm->kind == NAME_HEADER || nm->kind == NAME_SECRET || nm->kind == NAME_USER ||
	    (nm->caps && (nm->kind == NAME_TOKEN || nm->kind == NAME_KEY));
}

bool
named_has_digit(const char *s, size_t n)
{
	while (n && !isdigit((unsigned char)s[n - 1]))
		n--;
	return n;
}

/* Something that is no digit. */
bool
named_has_other(const char *s, size_t n)
{
	while (n && (isdigit((unsigned char)s[n - 1]) || s[n - 1] == 'u' || s[n - 1] == 'L' ||
	    s[n - 1] == 'x'))
		n--;
	return n;
}

/* In quotes: a JSON string, a string of a program. */
bool
named_quoted_value(struct scan *c, const struct named *nm, size_t v, size_t e)
{
	const char *s = c->s + v;
	size_t n = e - v;

	if (nm->head)
		return header_value(c, nm, v, e);
	if (looks_hollow(s, n))
		return false;
	switch (nm->kind) {
	case NAME_HEADER: case NAME_SECRET: case NAME_USER: case NAME_ID: case NAME_CHALLENGE:
	case NAME_PROTOCOL:
		return true;
	case NAME_COOKIE:
		return memchr(s, '=', n) != NULL;
	case NAME_TOKEN:
		return looks_secret(s, n, 6) || (n >= 16 && !memchr(s, ' ', n));
	case NAME_AUTH:
		return looks_secret(s, n, 8) || (memchr(s, ':', n) && !memchr(s, ' ', n) &&
		    *s != ':' && n > 5 && !memmem(s, n, "://", 3));
	case NAME_KEY:
		return looks_secret(s, n, 8) && named_has_other(s, n) &&
		    (n >= 16 || named_has_digit(s, n)) && strspn(s, "0123456789.") < n;
	case NAME_RANDOM:
		return looks_random(s, n);
	case NAME_PWD:
		return *s != '/' && *s != '~' && *s != '.' && (n < 2 || s[1] != ':');
	default:
		return false;
	}
}

/* Words that follow a name in prose. */
bool
named_prose(const char *s, size_t n)
{
	static const char *const words[] = {
		"is", "to", "for", "the", "and", "or", "option", "options", "flag", "flags",
		"argument", "value", "parameter", "required", "optional", "from", "with", "must",
		"should", "can", "will", "when", "if", "in", "on", "string", "true", "false",
		"null", "none", "nil", "undefined", "password", "secret", "token", "missing",
		"invalid", "incorrect", "expired", "wrong", "a", "an", "of", "not", "was", "has",
		"are", "be", "as", "by", "instead", "yes", "no", "str", "hidden", "text", "empty",
		"unset", "set", "changed", "reset", "protected", "encrypted", "authentication",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == n && !strncasecmp(words[i], s, n))
			return true;
	return n == 0;
}

/* An opening quote at *i, behind backslashes; steps over it. */
int
named_open_quote(struct scan *c, size_t *i, size_t *k)
{
	int q;

	*k = backslashes(c, *i);
	q = at(c, *i + *k);
	if (q != '"' && q != '\'' && q != '`')
		return 0;
	*i += *k + 1;
	return q;
}

size_t
named_skip_space(struct scan *c, size_t i)
{
	for (size_t k = 0; k < 64; k++, i++) {
		int ch = at(c, i);

		if (ch == ' ' || ch == '\t')
			continue;
		/* indented JSON inside of a string */
		if (ch != '\n' && ch != '\r' && !(ch == '\\' && scan_eol(c, i)))
			break;
		if (ch == '\\')
			i += backslashes(c, i);
	}
	return i;
}

bool
named_has_line_end(struct scan *c, size_t i, size_t end)
{
	for (; i < end; i++)
		if ((c->s[i] == '\n' || c->s[i] == '\\') && scan_eol(c, i))
			return true;
	return false;
}

/* {"token":"the","logprob":-0.1}: a word of the model's */
static bool
is_logprob(struct scan *c, size_t e)
{
	size_t i = e, k;
	static const char word[] = "logprob";

	if (!named_open_quote(c, &i, &k))
		return false;
	i = named_skip_space(c, i);
	if (at(c, i) != ',')
		return false;
	i = named_skip_space(c, i + 1);
	if (!named_open_quote(c, &i, &k))
		return false;
	for (size_t j = 0; j < sizeof(word) - 1; j++)
		if (at(c, i + j) != word[j])
			return false;
	return true;
}

/* Only a part of these is secret. */
void
named_add_part(struct scan *c, const struct named *nm, size_t v, size_t e, int rule)
{
	if (nm->kind == NAME_CHALLENGE) {
		while (v < e && c->s[v] != ' ' && c->s[v] != ',')
			v++;
		while (v < e && (c->s[v] == ' ' || c->s[v] == ','))
			v++;
	}
	if (nm->kind == NAME_PROTOCOL)
		return;		/* its tokens have shapes of their own */
	scan_add(c, v, e, rule, -1);
}

/* Whether the quote at i ends a string of JSON, in which the name's quotes are
 * not closed: "} or ] or ," follow. */
bool
named_string_ends(struct scan *c, size_t i)
{
	int ch = at(c, ++i), next;

	if (ch == '}' || ch == ']') {
		next = at(c, i + 1);
		return next < 0 || strchr("}],\\ \n\r\"", next);
	}
	if (ch != ',')
		return false;
	i += at(c, i + 1) == ' ' ? 2 : 1;
	return at(c, i + backslashes(c, i)) == '"';
}

/* A string at i; returns the end, 0 when there is none or it is none of ours. */
size_t
named_string_value(struct scan *c, const struct named *nm, size_t i, int rule)
{
	bool sure = nm->kind == NAME_HEADER || nm->kind == NAME_SECRET || nm->kind == NAME_USER ||
	    nm->head;
	size_t v = i, e, k;
	int q = named_open_quote(c, &v, &k);

	if (!q)
		return 0;
	if (q == '"' && k % 2 == 0 && c->t->line && !nm->outer)
		return 0;	/* it ends the string that the name is in */
	if (q == '"' && !nm->quoted && named_string_ends(c, v - 1))
		return 0;
	c->value = v;
	if (nm->flag && at(c, v) == '-')
		return 0;	/* another option */
	e = scan_quote_end(c, v, q, k, sure ? SIZE_MAX / 2 : SECRET_LOOK);
	if (!nm->quoted && !nm->caps && named_has_line_end(c, v, e))
		return 0;	/* the quote closed something: 'password: ' */
	if (e == v || scan_mark(c, v))
		return e == v ? v : scan_mark(c, v);
	if (!named_quoted_value(c, nm, v, e))
		return 0;
	if (nm->kind == NAME_TOKEN && is_logprob(c, e))
		return 0;
	if (!sure)	/* now it is: to its end */
		e = scan_quote_end(c, v, q, k, SIZE_MAX / 2);
	named_add_part(c, nm, v, e, rule);
	return e;
}

/* Keys of an object below the name of a credential, whose values are it. */
static bool
is_value_key(const char *s, size_t n)
{
	static const char *const keys[] = {
		"value", "val", "values", "current", "previous", "secret", "plain", "plaintext",
		"raw", "data", "text", "content", "password", "token", "key", "default", "string",
		"stringvalue", "string_value", "access", "refresh", "#text", "secretvalue",
		"secret_value", "new", "old",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strlen(keys[i]) == n && !strncasecmp(keys[i], s, n))
			return true;
	return false;
}

/* {"value":"..."} below the name: what its keys say, and what looks like it. */
static size_t
object_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t last = 0, end = c->n - i > SECRET_LOOK ? i + SECRET_LOOK : c->n, depth = 0;

	while (i < end) {
		size_t k = backslashes(c, i), from, e, v;
		int ch = at(c, i + k);

		if (ch == '{' || ch == '[')
			depth++;
		if ((ch == '}' || ch == ']') && !--depth)
			break;
		if (ch != '"' && ch != '\'') {
			i += k + 1;
			continue;
		}
		from = i + k + 1;
		e = scan_quote_end(c, from, ch, k, SECRET_LOOK);
		v = named_skip_space(c, e + k + 1);
		if (at(c, v) != ':') {
			i = e + k + 1;
			continue;
		}
		v = named_skip_space(c, v + 1);
		if (at(c, v + backslashes(c, v)) == ch) {
			size_t at_ = v + backslashes(c, v) + 1,
			    to = scan_quote_end(c, at_, ch, k, SECRET_LOOK);

			if (to > at_ && !scan_mark(c, at_) && !looks_hollow(c->s + at_, to - at_) &&
			    to < c->n &&
			    (is_value_key(c->s + from, e - from) ?
			        looks_strong(c->s + at_, to - at_) || nm->kind == NAME_SECRET :
			        looks_dice(c->s + at_, to - at_))) {
				scan_add(c, at_, to, named_rule_of(nm, RULE_KEY), -1);
				last = to;
			}
			i = to + k + 1;
		} else {
			i = v;
		}
	}
	return last;
}

/* A value as in JSON: behind the colon. nq: the backslashes of the name's quote. */
size_t
named_json_value(struct scan *c, const struct named *nm, size_t i, int nq)
{
	size_t e, last;
	int ch;

	i = named_skip_space(c, i);
	ch = at(c, i);
	if (ch > 0 && strchr("fFrRbBuU", ch) && (at(c, i + 1) == '"' || at(c, i + 1) == '\''))
		i++;		/* a string of Python's */
	if (ch == '{' && (named_is_sure(nm) || nm->kind == NAME_RANDOM))
		return object_value(c, nm, i);
	if (ch == '[' && at(c, named_skip_space(c, i + 1)) == '{' && named_is_sure(nm))
		return object_value(c, nm, i);
	if (ch == '[') {
		for (last = 0, i = named_skip_space(c, i + 1);
		    (e = named_string_value(c, nm, i, named_rule_of(nm, RULE_KEY))); ) {
			size_t k = backslashes(c, e);

			last = e;
			i = named_skip_space(c, e + k + 1);
			if (at(c, i) != ',')
				break;
			i = named_skip_space(c, i + 1);
		}
		return last;
	}
	if ((isdigit(ch) || ch == '-') &&
	    (nm->kind == NAME_SECRET || nm->kind == NAME_HEADER || nm->kind == NAME_USER)) {
		c->value = i;
		for (e = i; isdigit(ch = at(c, e)) || (ch > 0 && strchr("+-.eE", ch)); e++)
			;
		if ((ch != ',' && ch != '}' && ch != ' ' && ch != '\n' && ch != '\\') || e - i < 3)
			return 0;	/* 0 and 1 say whether there is one */
		scan_add(c, i, e, named_rule_of(nm, RULE_KEY), nq);
		return e;
	}
	return named_string_value(c, nm, i, named_rule_of(nm, RULE_KEY));
}

bool
named_same(struct scan *c, const struct named *nm, const char *word)
{
	return nm->end - nm->from == strlen(word) &&
	    !strncasecmp(c->s + nm->from, word, strlen(word));
}

/* A word that is a credential, to its end. */
size_t
named_add_word(struct scan *c, size_t i, const char *stop, int rule)
{
	size_t e = scan_word_end(c, i, stop, SIZE_MAX);

	scan_add(c, i, e, rule, -1);
	return e;
}

/* Marks that end a value end none of a line's only value when more follows at once. */
size_t
named_line_word_end(struct scan *c, size_t i, size_t e)
{
	while (e > i && e < c->n && strchr(",;)}]&", c->s[e]) && isalnum(at(c, e + 1)) &&
	    !memchr(c->s + e, '=', c->n - e < 40 ? c->n - e : 40))
		e = scan_word_end(c, e + 1, ",;)}]&", SECRET_LOOK);
	return e;
}

/* Behind a line end at i; *indent: the spaces after it. 0: there is none. */
size_t
named_next_line(struct scan *c, size_t i, size_t *indent)
{
	size_t k;

	for (int ends = 0; ends < 2 && scan_eol(c, i); ends++) {	/* CR and LF */
		k = backslashes(c, i);
		i += k + 1;
		if (c->s[i - 1] == 'u')
			i += 4;
		if (c->s[i - 1] == '\n' || c->s[i - 1] == 'n' || !scan_eol(c, i))
			break;
	}
	for (*indent = 0; at(c, i + *indent) == ' '; ++*indent)
		;
	return i;
}
