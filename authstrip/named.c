/* named.c - values that are credentials because of the name before them */
#include "scan.h"

#include <stdint.h>
#include <strings.h>

struct named {
	size_t from, end;	/* the name */
	enum name_kind kind;
	int rule;		/* of the user's names; else -1 */
	bool head;		/* in the headers of an event */
	bool flag;		/* an option: --name */
	bool caps;		/* an environment variable's spelling */
	bool outer;		/* in quotes of the line's own JSON */
	bool quoted;		/* in quotes */
};

static size_t pair_value(struct scan *, const struct named *, size_t i);
static size_t compared_value(struct scan *, const struct named *, size_t i);

static bool
name_char(int ch)
{
	return isalnum(ch) || ch == '_' || ch == '-';
}

/* Behind what separates words on a line: spaces, tabs as they are or escaped, blanks
 * that nobody sees. */
static size_t
skip_blank(struct scan *c, size_t i)
{
	for (size_t from = i; i - from < 32; ) {
		size_t k = backslashes(c, i);

		if (at(c, i) == ' ' || at(c, i) == '\t')
			i++;
		else if (k && at(c, i + k) == 't')
			i += k + 1;
		else if (k && c->n - i > k + 5 && (!strncasecmp(c->s + i + k, "u00a0", 5) || !strncasecmp(c->s + i + k, "u200", 4) || !strncasecmp(c->s + i + k, "ufeff", 5)))
			i += k + 5;
		else if (at(c, i) == 0xc2 && at(c, i + 1) == 0xa0)
			i += 2;
		else if (at(c, i) == 0xe2 && at(c, i + 1) == 0x80 && at(c, i + 2) >= 0x8b && at(c, i + 2) <= 0x8f)
			i += 3;
		else
			break;
	}
	return i;
}

static int
rule_of(const struct named *nm, int rule)
{
	return nm->kind == NAME_USER ? nm->rule : nm->kind == NAME_ID ? RULE_ID : nm->head ? RULE_HEADER : rule;
}

/* --- what a value must be, by the kind of its name ----------------------------- */

static bool
short_name(struct scan *c, const struct named *nm)
{
	return nm->end - nm->from <= 4 && strncasecmp(c->s + nm->from, "code", 4);
}

static bool
header_value(struct scan *c, const struct named *nm, size_t v, size_t e)
{
	if (nm->kind == NAME_RANDOM || nm->kind == NAME_QUERY || nm->kind == NAME_KEY) {
		size_t n = nm->end - nm->from;
		const char *s = c->s + nm->from;

		return looks_secret(c->s + v, e - v, 8) || (n >= 7 && !strncasecmp(s, "session", 7)) ||
		    (n == 9 && !strncasecmp(s, "signature", 9));
	}
	return true;
}

/* A name that says it all; an environment variable's does. */
static bool
is_sure(const struct named *nm)
{
	return nm->kind == NAME_HEADER || nm->kind == NAME_SECRET || nm->kind == NAME_USER || (nm->caps && (nm->kind == NAME_TOKEN || nm->kind == NAME_KEY));
}

static bool
has_digit(const char *s, size_t n)
{
	while (n && !isdigit((unsigned char)s[n - 1]))
		n--;
	return n;
}

/* Something that is no digit. */
static bool
has_other(const char *s, size_t n)
{
	while (n && (isdigit((unsigned char)s[n - 1]) || s[n - 1] == 'u' || s[n - 1] == 'L' || s[n - 1] == 'x'))
		n--;
	return n;
}

/* In quotes: a JSON string, a string of a program. */
static bool
quoted_value(struct scan *c, const struct named *nm, size_t v, size_t e)
{
	const char *s = c->s + v;
	size_t n = e - v;

	if (nm->head)
		return header_value(c, nm, v, e);
	if (looks_hollow(s, n))
		return false;
	switch (nm->kind) {
	case NAME_HEADER: case NAME_SECRET: case NAME_USER: case NAME_ID: case NAME_CHALLENGE: case NAME_PROTOCOL:
		return true;
	case NAME_COOKIE:
		return memchr(s, '=', n) != NULL;
	case NAME_TOKEN:
		return looks_secret(s, n, 6) || (n >= 16 && !memchr(s, ' ', n));
	case NAME_AUTH:
		return looks_secret(s, n, 8) || (memchr(s, ':', n) && !memchr(s, ' ', n) && *s != ':' && n > 5 && !memmem(s, n, "://", 3));
	case NAME_KEY:
		return looks_secret(s, n, 8) && has_other(s, n) && (n >= 16 || has_digit(s, n)) && strspn(s, "0123456789.") < n;
	case NAME_RANDOM:
		return looks_random(s, n);
	case NAME_PWD:
		return *s != '/' && *s != '~' && *s != '.' && (n < 2 || s[1] != ':');
	default:
		return false;
	}
}

/* Words that follow a name in prose. */
static bool
prose(const char *s, size_t n)
{
	static const char *const words[] = {
		"is", "to", "for", "the", "and", "or", "option", "options", "flag", "flags", "argument", "value", "parameter",
		"required", "optional", "from", "with", "must", "should", "can", "will", "when", "if", "in", "on", "string", "true",
		"false", "null", "none", "nil", "undefined", "password", "secret", "token", "missing", "invalid", "incorrect",
		"expired", "wrong", "a", "an", "of", "not", "was", "has", "are", "be", "as", "by", "instead", "yes", "no", "str",
		"hidden", "text", "empty", "unset", "set", "changed", "reset", "protected", "encrypted", "authentication",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == n && !strncasecmp(words[i], s, n))
			return true;
	return n == 0;
}

/* --- quoted values -------------------------------------------------------------- */

/* An opening quote at *i, behind backslashes; steps over it. */
static int
open_quote(struct scan *c, size_t *i, size_t *k)
{
	int q;

	*k = backslashes(c, *i);
	q = at(c, *i + *k);
	if (q != '"' && q != '\'' && q != '`')
		return 0;
	*i += *k + 1;
	return q;
}

static size_t
skip_space(struct scan *c, size_t i)
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

static bool
has_line_end(struct scan *c, size_t i, size_t end)
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

	if (!open_quote(c, &i, &k))
		return false;
	i = skip_space(c, i);
	if (at(c, i) != ',')
		return false;
	i = skip_space(c, i + 1);
	if (!open_quote(c, &i, &k))
		return false;
	for (size_t j = 0; j < sizeof(word) - 1; j++)
		if (at(c, i + j) != word[j])
			return false;
	return true;
}

/* Only a part of these is secret. */
static void
add_part(struct scan *c, const struct named *nm, size_t v, size_t e, int rule)
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
static bool
string_ends(struct scan *c, size_t i)
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
static size_t
string_value(struct scan *c, const struct named *nm, size_t i, int rule)
{
	bool sure = nm->kind == NAME_HEADER || nm->kind == NAME_SECRET || nm->kind == NAME_USER || nm->head;
	size_t v = i, e, k;
	int q = open_quote(c, &v, &k);

	if (!q)
		return 0;
	if (q == '"' && k % 2 == 0 && c->t->line && !nm->outer)
		return 0;	/* it ends the string that the name is in */
	if (q == '"' && !nm->quoted && string_ends(c, v - 1))
		return 0;
	c->value = v;
	if (nm->flag && at(c, v) == '-')
		return 0;	/* another option */
	e = scan_quote_end(c, v, q, k, sure ? SIZE_MAX / 2 : SECRET_LOOK);
	if (!nm->quoted && !nm->caps && has_line_end(c, v, e))
		return 0;	/* the quote closed something: 'password: ' */
	if (e == v || scan_mark(c, v))
		return e == v ? v : scan_mark(c, v);
	if (!quoted_value(c, nm, v, e))
		return 0;
	if (nm->kind == NAME_TOKEN && is_logprob(c, e))
		return 0;
	if (!sure)	/* now it is: to its end */
		e = scan_quote_end(c, v, q, k, SIZE_MAX / 2);
	add_part(c, nm, v, e, rule);
	return e;
}

/* Keys of an object below the name of a credential, whose values are it. */
static bool
is_value_key(const char *s, size_t n)
{
	static const char *const keys[] = {
		"value", "val", "values", "current", "previous", "secret", "plain", "plaintext", "raw", "data", "text", "content", "password", "token", "key",
		"default", "string", "stringvalue", "string_value", "access", "refresh", "#text", "secretvalue", "secret_value", "new", "old",
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
		v = skip_space(c, e + k + 1);
		if (at(c, v) != ':') {
			i = e + k + 1;
			continue;
		}
		v = skip_space(c, v + 1);
		if (at(c, v + backslashes(c, v)) == ch) {
			size_t at_ = v + backslashes(c, v) + 1, to = scan_quote_end(c, at_, ch, k, SECRET_LOOK);

			if (to > at_ && !scan_mark(c, at_) && !looks_hollow(c->s + at_, to - at_) && to < c->n &&
			    (is_value_key(c->s + from, e - from) ? looks_strong(c->s + at_, to - at_) || nm->kind == NAME_SECRET : looks_dice(c->s + at_, to - at_))) {
				scan_add(c, at_, to, rule_of(nm, RULE_KEY), -1);
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
static size_t
json_value(struct scan *c, const struct named *nm, size_t i, int nq)
{
	size_t e, last;
	int ch;

	i = skip_space(c, i);
	ch = at(c, i);
	if (ch > 0 && strchr("fFrRbBuU", ch) && (at(c, i + 1) == '"' || at(c, i + 1) == '\''))
		i++;		/* a string of Python's */
	if (ch == '{' && (is_sure(nm) || nm->kind == NAME_RANDOM))
		return object_value(c, nm, i);
	if (ch == '[' && at(c, skip_space(c, i + 1)) == '{' && is_sure(nm))
		return object_value(c, nm, i);
	if (ch == '[') {
		for (last = 0, i = skip_space(c, i + 1); (e = string_value(c, nm, i, rule_of(nm, RULE_KEY))); ) {
			size_t k = backslashes(c, e);

			last = e;
			i = skip_space(c, e + k + 1);
			if (at(c, i) != ',')
				break;
			i = skip_space(c, i + 1);
		}
		return last;
	}
	if ((isdigit(ch) || ch == '-') && (nm->kind == NAME_SECRET || nm->kind == NAME_HEADER || nm->kind == NAME_USER)) {
		c->value = i;
		for (e = i; isdigit(ch = at(c, e)) || (ch > 0 && strchr("+-.eE", ch)); e++)
			;
		if ((ch != ',' && ch != '}' && ch != ' ' && ch != '\n' && ch != '\\') || e - i < 3)
			return 0;	/* 0 and 1 say whether there is one */
		scan_add(c, i, e, rule_of(nm, RULE_KEY), nq);
		return e;
	}
	return string_value(c, nm, i, rule_of(nm, RULE_KEY));
}

/* --- bare values ------------------------------------------------------------------ */

/* How the name begins: at the start of a line, behind CR LF, in quotes. */
struct start { bool line, crlf; int q; size_t k; };

static struct start
start_of(struct scan *c, size_t i)
{
	struct start st = { .line = i == 0, .q = 0 };
	size_t k = 0;

	if (!i)
		return st;
	if (c->s[i - 1] == '"' || c->s[i - 1] == '\'' || c->s[i - 1] == '`') {
		st.q = c->s[i - 1];
		while (i - 1 > k && c->s[i - 2 - k] == '\\')
			k++;
		st.k = k;
		return st;
	}
	if (c->s[i - 1] == '\n') {
		st.line = true;
		st.crlf = i >= 2 && c->s[i - 2] == '\r';
	} else if (i >= 2 && (c->s[i - 1] == 'n' || c->s[i - 1] == 'r') && c->s[i - 2] == '\\') {
		st.line = true;
		for (i -= 2; i && c->s[i - 1] == '\\'; i--)
			;
		st.crlf = i >= 2 && c->s[i - 1] == 'r' && c->s[i - 2] == '\\';
	}
	return st;
}

/* Whether the quote at i is the one that ends what the name begins: "Password: " */
static bool
closes(struct scan *c, size_t i, struct start st)
{
	return st.q && backslashes(c, i) == st.k && at(c, i + st.k) == st.q;
}

/* The end of a header's value: of the line, or of the quotes that it is in. */
static size_t
header_end(struct scan *c, size_t i, struct start st)
{
	if (st.q) {
		size_t e = scan_quote_end(c, i, st.q, st.k, SIZE_MAX / 2);

		for (size_t j = i; j < e; j++) {
			if ((c->s[j] == '\n' || c->s[j] == '\\') && scan_eol(c, j))
				return j;
			if (st.q != '"' && c->s[j] == '"' && string_ends(c, j)) {
				while (j > i && c->s[j - 1] == '\\')
					j--;
				return j;
			}
		}
		return e;
	}
	for (; at(c, i) >= 0; i++) {
		int ch = (unsigned char)c->s[i];

		if (ch == '\n' || ch == '\r')
			break;
		if (ch == '\\') {
			size_t k = backslashes(c, i);

			if (scan_eol(c, i) || (at(c, i + k) == '"' && c->t->line && k % 2 == 0) ||
			    (!st.line && (at(c, i + k) == '"' || at(c, i + k) == '\'')))
				break;
			i += k;
			continue;
		}
		if (ch == '"' && (c->t->line || !st.line))
			break;
		if ((ch == '\'' || ch == '`') && !st.line)
			break;
	}
	return i < c->n ? i : c->n;
}

/* A short one without "=" is the word of a sentence. */
static bool
cookie_value(struct scan *c, size_t i, struct start st)
{
	for (size_t e = i; e - i < 256; e++) {
		int ch = at(c, e);

		if (ch == '=')
			return true;
		if (ch < 0 || scan_eol(c, e) || (ch == '"' && (c->t->line || !st.line)))
			return false;
	}
	return true;
}

static size_t
header_line(struct scan *c, const struct named *nm, size_t i, struct start st)
{
	const char *s = c->s + i;
	size_t e;

	if (scan_mark(c, i))
		return scan_mark(c, i);
	if (nm->kind == NAME_COOKIE && !cookie_value(c, i, st))
		return 0;
	for (e = i; isalpha(at(c, e)) || at(c, e) == '_' || at(c, e) == '.'; e++)
		;
	if (e > i && at(c, e) == '(')	/* a call, in a program */
		return 0;
	e = header_end(c, i, st);
	while (e > i && c->s[e - 1] == ' ' && e < c->n)
		e--;
	if (e == i || looks_hollow(s, e - i))
		return 0;
	add_part(c, nm, i, e, rule_of(nm, RULE_HEADER));
	return e;
}

static bool
same(struct scan *c, const struct named *nm, const char *word)
{
	return nm->end - nm->from == strlen(word) && !strncasecmp(c->s + nm->from, word, strlen(word));
}

/* A word that is a credential, to its end. */
static size_t
add_word(struct scan *c, size_t i, const char *stop, int rule)
{
	size_t e = scan_word_end(c, i, stop, SIZE_MAX);

	scan_add(c, i, e, rule, -1);
	return e;
}

/* Marks that end a value end none of a line's only value when more follows at once. */
static size_t
line_word_end(struct scan *c, size_t i, size_t e)
{
	while (e > i && e < c->n && strchr(",;)}]&", c->s[e]) && isalnum(at(c, e + 1)) && !memchr(c->s + e, '=', c->n - e < 40 ? c->n - e : 40))
		e = scan_word_end(c, e + 1, ",;)}]&", SECRET_LOOK);
	return e;
}

/* Behind a line end at i; *indent: the spaces after it. 0: there is none. */
static size_t
next_line(struct scan *c, size_t i, size_t *indent)
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

/* How far the name is from the beginning of its line. */
static size_t
indent_of(struct scan *c, size_t from)
{
	size_t n = 0;

	while (n < 64 && from - n > c->floor && from > n && (c->s[from - 1 - n] == ' ' || c->s[from - 1 - n] == '-' || c->s[from - 1 - n] == '"'))
		n++;
	return n;
}

/* A block of YAML below the name: "|" or ">" and lines, "value:" of an object, a list. */
static size_t
yaml_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t indent, own = indent_of(c, nm->from), line, from = 0, e = 0, end;
	bool block = at(c, i) == '|' || at(c, i) == '>';

	if (block)
		for (i++; at(c, i) == '-' || at(c, i) == '+' || isdigit(at(c, i)); i++)
			;
	while (at(c, i) == ' ')
		i++;
	if (!scan_eol(c, i))
		return 0;
	line = next_line(c, i, &indent);
	if (indent <= own && !(indent == own && at(c, line + indent) == '-'))
		return 0;
	if (!block) {
		if (at(c, line + indent) == '-' && at(c, line + indent + 1) == ' ') {	/* a list */
			size_t last = 0;

			for (int items = 0; items < 32 && at(c, line + indent) == '-' && at(c, line + indent + 1) == ' '; items++) {
				if (!scan_argument(c, line + indent + 2, ",", &from, &end) || !looks_strong(c->s + from, end - from))
					return last;
				scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
				last = end;
				end += end < c->n && (c->s[end] == '"' || c->s[end] == '\'') ? 1 : 0;
				if (!scan_eol(c, end))
					return last;
				line = next_line(c, end, &indent);
			}
			return last;
		}
		return pair_value(c, nm, i);
	}
	c->value = line + indent;
	for (int lines = 0; lines < 200 && indent > own; lines++) {
		from = from ? from : line + indent;
		for (end = line + indent; at(c, end) >= 0 && !scan_eol(c, end) && !(c->s[end] == '"' && (c->t->line || end == 0)); end++)
			;
		e = end;
		if (!scan_eol(c, end))
			break;
		line = next_line(c, end, &indent);
	}
	if (e <= from || looks_hollow(c->s + from, e - from))
		return 0;
	scan_add(c, from, e, rule_of(nm, RULE_ENV), -1);
	return e;
}

/* Behind a tag or an anchor of YAML: !!str &name */
static size_t
yaml_tag(struct scan *c, size_t i)
{
	size_t e = i;

	while (at(c, e) == '!' || (at(c, e) == '&' && isalpha(at(c, e + 1)))) {
		while (at(c, e) > ' ' && c->s[e] != '"' && c->s[e] != '\\')
			e++;
		if (at(c, e) != ' ')
			return i;
		while (at(c, e) == ' ')
			e++;
	}
	return e;
}

/* name: type = "value" */
static size_t
typed_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const types[] = { "str", "&str", "&'sta", "final", "optio", "char", "std::", "text", "bytes", "secre", "any " };
	size_t e = i;
	bool type = false;

	for (size_t k = 0; k < sizeof(types) / sizeof(*types); k++)
		type = type || (c->n - i > strlen(types[k]) && !strncasecmp(c->s + i, types[k], strlen(types[k])));
	if (!type)
		return 0;

	while (e - i < 40 && (isalnum(at(c, e)) || (at(c, e) > 0 && strchr("_&'<>[]. :?", c->s[e]))))
		e++;
	if (e == i || at(c, e) != '=' || at(c, e + 1) == '=' || c->s[e - 1] != ' ')
		return 0;
	for (e++; at(c, e) == ' '; e++)
		;
	return string_value(c, nm, e, rule_of(nm, RULE_ENV));
}

/* Letters alone, or an identifier: no digit, and no mark but "_". */
static bool
is_word_only(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalpha((unsigned char)s[i]) && s[i] != '_')
			return false;
	return n < 24;
}

/* name: value */
static size_t
colon_value(struct scan *c, const struct named *nm, size_t i)
{
	struct start st = start_of(c, nm->from);
	bool dashed = memchr(c->s + nm->from, '-', nm->end - nm->from) != NULL, header;
	size_t e, space = i;

	if (at(c, i) == ':' || at(c, i) == '/')
		return 0;
	while (i - space < 16 && (at(c, i) == ' ' || at(c, i) == '\t'))
		i++;
	c->value = i;
	header = nm->kind == NAME_CHALLENGE || nm->kind == NAME_COOKIE || same(c, nm, "authorization") ||
	    (nm->kind == NAME_HEADER && (dashed || st.line)) || (nm->kind == NAME_USER && (dashed || st.line)) ||
	    (nm->kind == NAME_ID && dashed) || (st.crlf && dashed && nm->kind != NAME_QUERY);
	if (header && (i > space || st.line || st.q))
		return header_line(c, nm, i, st);
	if (closes(c, i, st))
		return 0;
	if ((e = typed_value(c, nm, i)))
		return e;
	if (at(c, i) == '*' && at(c, i + 1) == '*') {	/* **API key:** `value` */
		for (i += 2; at(c, i) == ' '; i++)
			;
		c->value = i;
	}
	if (scan_eol(c, i) && is_sure(nm) && (e = compared_value(c, nm, skip_space(c, i))))
		return e;
	if (is_sure(nm) || nm->kind == NAME_TOKEN) {
		if ((e = yaml_value(c, nm, i)))
			return e;
		i = yaml_tag(c, i);
	}
	i = scan_color(c, i);
	if ((e = string_value(c, nm, i, rule_of(nm, RULE_ENV))))
		return e;
	e = scan_word_end(c, i, ",;)}]", SECRET_LOOK);
	if (st.line || nm->caps)
		e = line_word_end(c, i, e);
	if (e == c->n && !st.line && !nm->caps && (prose(c->s + i, e - i) ||
	    ((nm->kind == NAME_AUTH || nm->kind == NAME_RANDOM) && e - i < 4 && islower((unsigned char)c->s[i]))))
		c->value = SIZE_MAX;	/* nothing waits for the end of "the" */
	if (nm->kind == NAME_NONE || nm->kind == NAME_ANY || nm->kind == NAME_QUERY || nm->kind == NAME_COOKIE)
		return 0;
	if (nm->kind == NAME_PWD && at(c, i) == '/')
		return 0;
	if (looks_hollow(c->s + i, e - i) || looks_code(c->s + i, e - i) || at(c, e) == '(' || memchr(c->s + i, '[', e - i) ||
	    memchr(c->s + i, '(', e - i))
		return 0;
	/* password: readPassword, of a program; secret: Unicode, of a sentence */
	if (nm->kind != NAME_USER && nm->kind != NAME_ID && is_word_only(c->s + i, e - i) && !(st.line && scan_eol(c, e)))
		return 0;
	if (nm->kind == NAME_RANDOM ? !looks_random(c->s + i, e - i) : nm->kind == NAME_USER || nm->kind == NAME_ID ? e == i :
	    !looks_secret(c->s + i, e - i, nm->kind == NAME_SECRET || nm->kind == NAME_HEADER ? 6 : 8) &&
	    !(nm->kind == NAME_SECRET && st.line && e - i >= 6 && scan_eol(c, e) && !prose(c->s + i, e - i)))
		return 0;
	e = st.line || nm->caps ? line_word_end(c, i, scan_word_end(c, i, ",;)}]", SIZE_MAX)) : scan_word_end(c, i, ",;)}]", SIZE_MAX);
	scan_add(c, i, e, rule_of(nm, RULE_ENV), -1);
	return e;
}

/* How long the value of a query's parameter must be to be one. */
static size_t
param_min(struct scan *c, const struct named *nm)
{
	switch (nm->kind) {
	case NAME_HEADER: case NAME_SECRET: case NAME_TOKEN: case NAME_AUTH: case NAME_PWD: case NAME_USER: case NAME_ID:
		return 1;
	case NAME_KEY:
		return 4;
	case NAME_RANDOM:
		return short_name(c, nm) ? 4 : 8;
	case NAME_QUERY:
		return 8;
	default:
		return SIZE_MAX;
	}
}

/* ?name=value&, also behind percent codes */
static size_t
param_value(struct scan *c, const struct named *nm, size_t i, bool hex)
{
	size_t e = i, min = param_min(c, nm);

	if (min == SIZE_MAX)
		return 0;
	c->value = i;
	while (at(c, e) >= 0) {
		int ch = (unsigned char)c->s[e];

		if (ch <= ' ' || ch == 0x7f || strchr("\"'\\`<>&#", ch))
			break;
		if (hex && ch == '%' && (at(c, e + 1) == '2' || at(c, e + 1) == '3') && strchr("36", at(c, e + 2) > 0 ? at(c, e + 2) : 'x'))
			break;		/* %26 & %23 # */
		e++;
	}
	if (scan_mark(c, i))
		return scan_mark(c, i);
	if (e - i < min || looks_hollow(c->s + i, e - i) || (nm->kind == NAME_RANDOM && e - i < 16 && !looks_secret(c->s + i, e - i, 4)))
		return 0;
	scan_add(c, i, e, rule_of(nm, RULE_PARAM), -1);
	return e;
}

/* A word that is a value in a shell, a file of settings, a program. */
static bool
word_value(struct scan *c, const struct named *nm, struct start st, size_t v, size_t e)
{
	bool secret = nm->kind == NAME_HEADER || nm->kind == NAME_SECRET || nm->kind == NAME_USER || nm->kind == NAME_ID;
	const char *s = c->s + v;
	size_t n = e - v;
	int after = at(c, e);

	if (!n || looks_hollow(s, n) || (!nm->caps && !nm->flag && looks_code(s, n)) || nm->kind == NAME_QUERY || nm->kind == NAME_ANY || nm->kind == NAME_COOKIE)
		return false;
	if (after == '(' || s[n - 1] == '(' || s[n - 1] == '[' || (s[n - 1] == ')' && isalpha((unsigned char)*s) && memchr(s, '(', n)))
		return false;	/* a call, in a program */
	if (nm->kind == NAME_PWD)
		return *s != '/' && *s != '~' && *s != '.' && !prose(s, n) &&
		    (after == ';' || (nm->from && c->s[nm->from - 1] == ';') || looks_secret(s, n, 4));
	/* TOKEN = 64, of a program */
	if (nm->caps && v > nm->end + 1 && n < 8 && !has_other(s, n - (s[n - 1] == ',')))
		return false;
	if (n == 1 && !isalnum((unsigned char)*s))	/* TOKEN = { */
		return false;
	if (nm->flag || nm->caps)
		return secret || ((nm->kind == NAME_TOKEN || nm->kind == NAME_AUTH) && (nm->flag || looks_secret(s, n, 6))) || looks_secret(s, n, 8);
	if (nm->kind == NAME_RANDOM)
		return looks_random(s, n);
	if (secret && (after == ';' || (nm->from && c->s[nm->from - 1] == ';')) && !prose(s, n))
		return true;	/* a connection string */
	if (secret && (st.line || st.q) && n >= 3 && (after < 0 || after == '"' || after == '\'' || scan_eol(c, e)) && !prose(s, n))
		return true;
	if (secret && v == nm->end + 1 && looks_strong(s, n) && (after < 0 || after == ' ' || after == '"' || after == '\'' || scan_eol(c, e)))
		return true;
	return looks_secret(s, n, 8) && (n >= 20 || has_digit(s, n)) && after != '[' && !memchr(s, '(', n) && !memchr(s, '[', n) &&
	    (!memchr(s, '.', n) || looks_random(s, n));
}

/* Of a signature of AWS, version 4 */
static bool
aws_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e;

	if (same(c, nm, "signature"))
		return (e = scan_word_end(c, i, ",;&", SECRET_LOOK)) - i >= 32 && looks_secret(c->s + i, e - i, 32) &&
		    !memchr(c->s + i, '(', e - i) && !memchr(c->s + i, '.', e - i);
	return same(c, nm, "credential") && (e = scan_word_end(c, i, ",;&", SECRET_LOOK)) - i >= 20 && memchr(c->s + i, '/', e - i);
}

/* &quot;value&quot; */
static size_t
entity_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const quotes[] = { "&quot;", "&#34;", "&#39;", "&apos;", "&#x27;" };
	size_t e;

	for (size_t k = 0; k < sizeof(quotes) / sizeof(*quotes); k++) {
		size_t n = strlen(quotes[k]);

		if (c->n - i < n || memcmp(c->s + i, quotes[k], n))
			continue;
		c->value = i += n;
		e = scan_word_end(c, i, "&<", SECRET_LOOK);
		if (at(c, e) != '&' || !quoted_value(c, nm, i, e) || scan_mark(c, i))
			return 0;
		scan_add(c, i, e, rule_of(nm, RULE_ENV), -1);
		return e;
	}
	return 0;
}

/* Behind a backslash and the end of a line. */
static size_t
continued(struct scan *c, size_t i)
{
	size_t k = backslashes(c, i), indent;

	if ((k == 1 && at(c, i + 1) == '\n') || (k >= 3 && at(c, i + k) == 'n')) {
		i = next_line(c, i + k - (at(c, i + k) == 'n'), &indent);
		return i + indent;
	}
	return i;
}

/* r"...", N'...', Some("...") */
static size_t
string_prefix(struct scan *c, size_t i)
{
	size_t e = i;

	if ((at(c, i) == '$' || at(c, i) == '@') && (at(c, i + 1) == '\'' || at(c, i + 1 + backslashes(c, i + 1)) == '"'))
		return i + 1;
	while (e - i < 24 && isalpha(at(c, e)))
		e++;
	if (e - i == 1 && strchr("fFrRbBuUN", c->s[i]) && (at(c, e) == '\'' || at(c, e + backslashes(c, e)) == '"'))
		return e;
	if (e > i && at(c, e) == '(' && (!strncmp(c->s + i, "Some", e - i) || !strncmp(c->s + i, "String.new", e - i) || !strncasecmp(c->s + i, "password", e - i)))
		return e + 1;
	return i;
}

/* """...""" and '''...''' */
static size_t
triple_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t k = backslashes(c, i), from, e;
	int q = at(c, i + k);

	if ((q != '"' && q != '\'') || !(is_sure(nm) || nm->kind == NAME_TOKEN))
		return 0;
	from = i + k + 1;
	if (backslashes(c, from) != k || at(c, from + k) != q || backslashes(c, from + k + 1) != k || at(c, from + 2 * k + 1) != q)
		return 0;
	from += 2 * k + 2;
	c->value = from;
	e = scan_quote_end(c, from, q, k, SECRET_LOOK);
	if (e <= from || e == c->n)
		return 0;
	scan_add(c, from, e, rule_of(nm, RULE_ENV), -1);
	return e;
}

/* if password == "value" */
static size_t
compared_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t from, end;

	i += at(c, i) == '=';
	while (at(c, i) == ' ')
		i++;
	if (at(c, i + backslashes(c, i)) != '"' && at(c, i + backslashes(c, i)) != '\'')
		return 0;
	c->value = i + backslashes(c, i) + 1;
	if (!scan_argument(c, i, "", &from, &end) || !looks_strong(c->s + from, end - from))
		return 0;
	scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
	return end;
}

/* A string on the next line, in brackets, in a call: ("value"), []byte("value") */
static size_t
wrapped_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t from = i, end;
	bool call = false;

	if (!is_sure(nm) && nm->kind != NAME_TOKEN)
		return 0;
	if (scan_eol(c, i) || at(c, i) == '(') {
		i = skip_space(c, i + (at(c, i) == '('));
		return compared_value(c, nm, i);
	}
	while (i - from < 32 && (isalnum(at(c, i)) || (at(c, i) > 0 && strchr("_.[]:$(", c->s[i])))) {
		call = c->s[i] == '(';
		i++;
		if (call)
			break;
	}
	if (!call || (at(c, i + backslashes(c, i)) != '"' && at(c, i) != '\''))
		return 0;
	c->value = i + backslashes(c, i) + 1;
	if (!scan_argument(c, i, "", &from, &end) ||
	    !looks_dice(c->s + from, end - from))
		return 0;
	c->value = from;
	scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
	return end;
}

/* name=value; i behind the sign */
static size_t
equals_value(struct scan *c, const struct named *nm, size_t i, bool hex)
{
	struct start st = start_of(c, nm->from);
	int before = nm->from ? (unsigned char)c->s[nm->from - 1] : -1;
	bool url = before == '?' || before == '&';
	const char *stop = nm->caps || nm->flag ? ";" : ",;)}]&";
	size_t e;

	if (hex || (nm->from >= 3 && c->s[nm->from - 3] == '%' && strchr("23", c->s[nm->from - 2]) && strchr("6Ff", before)))
		return param_value(c, nm, i, true);
	if (url)
		return param_value(c, nm, i, false);
	if (at(c, i) == '&' && (e = entity_value(c, nm, i)))
		return e;
	/* a form: name=value& from the start */
	if (st.line || st.q) {
		e = scan_word_end(c, i, "&#", SECRET_LOOK);
		if (at(c, e) == '&' && at(c, e + 1) != '&')
			return param_value(c, nm, i, false);
	}
	i = skip_blank(c, i);
	c->value = i;
	if (closes(c, i, st))
		return 0;
	i = scan_color(c, continued(c, i));
	if ((e = triple_value(c, nm, i)) || (e = string_value(c, nm, string_prefix(c, i), rule_of(nm, RULE_ENV))) ||
	    (e = wrapped_value(c, nm, i)))
		return e;
	if (aws_value(c, nm, i))
		return add_word(c, i, ",;&", RULE_KEY);
	e = scan_word_end(c, i, stop, SECRET_LOOK);
	if (st.line && !nm->flag)
		e = line_word_end(c, i, e);
	if (!word_value(c, nm, st, i, e))
		return 0;
	e = scan_word_end(c, i, stop, SIZE_MAX);
	if (st.line && !nm->flag)
		e = line_word_end(c, i, e);
	scan_add(c, i, e, rule_of(nm, nm->flag ? RULE_FLAG : RULE_ENV), -1);
	return e;
}

/* --name value */
static size_t
flag_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e, n;

	while (at(c, i) == ' ')
		i++;
	c->value = i;
	if ((e = string_value(c, nm, i, rule_of(nm, RULE_FLAG))))
		return e;
	e = scan_word_end(c, i, ";|&", SECRET_LOOK);
	n = e - i;
	if (!n || c->s[i] == '-' || looks_hollow(c->s + i, n) || prose(c->s + i, n) ||
	    !(nm->kind == NAME_SECRET || nm->kind == NAME_HEADER || nm->kind == NAME_USER || looks_secret(c->s + i, n, 6)))
		return 0;
	return add_word(c, i, ";|&", rule_of(nm, RULE_FLAG));
}

/* --- names ---------------------------------------------------------------------- */

/* Where a name begins with what is before its dots: "db.password", "#password". */
static size_t
dotted(struct scan *c, const struct named *nm)
{
	size_t i = nm->from;

	while (i > c->floor && nm->from - i < NAME_MAX_LEN && (name_char((unsigned char)c->s[i - 1]) || c->s[i - 1] == '.' || c->s[i - 1] == '#'))
		i--;
	return i;
}

/* What stands before the name's opening quote. */
static int
before_quote(struct scan *c, const struct named *nm)
{
	size_t i = dotted(c, nm);

	i -= i > 0;

	while (i && (c->s[i - 1] == '\\' || c->s[i - 1] == ' ' || c->s[i - 1] == 'N'))
		i--;
	return i ? (unsigned char)c->s[i - 1] : -1;
}

/* define("NAME", "value"), ["name", "value"] */
static size_t
second_value(struct scan *c, const struct named *nm, size_t v, int q)
{
	size_t from = v, e, k, n;
	int vq = open_quote(c, &from, &k), before = before_quote(c, nm);
	bool header = nm->kind == NAME_HEADER || nm->kind == NAME_COOKIE;

	e = vq ? scan_quote_end(c, from, vq, k, SECRET_LOOK) : 0;
	if (vq && (before == '(' || before == '[' || before == ',') && (is_sure(nm) || nm->kind == NAME_TOKEN))
		c->value = from;
	if (e <= from || looks_hollow(c->s + from, e - from))
		return 0;
	n = e - from;
	if (header && (memchr(c->s + from, ' ', n) || memchr(c->s + from, '=', n) || looks_dice(c->s + from, n)))
		return string_value(c, nm, v, rule_of(nm, RULE_HEADER));
	if (before != '(' && before != '[' && !(before == ',' && is_sure(nm) && looks_dice(c->s + from, n)))
		return 0;
	(void)q;
	if (before == '(' && nm->caps && is_sure(nm) ? n < 3 || prose(c->s + from, n) || memchr(c->s + from, ' ', n) :
	    !(is_sure(nm) || nm->kind == NAME_TOKEN) || !looks_strong(c->s + from, n) || (before == '[' && !looks_dice(c->s + from, n)))
		return 0;
	c->value = from;
	scan_add(c, from, e, rule_of(nm, RULE_ENV), -1);
	return e;
}

/* Whether the name in quotes is what <x name="..."> or <x key="..."> is called. */
static bool
is_attribute(struct scan *c, const struct named *nm)
{
	size_t i = dotted(c, nm);

	while (i && (c->s[i - 1] == '\\' || c->s[i - 1] == '"' || c->s[i - 1] == '\'' || c->s[i - 1] == '='))
		i--;
	return (i >= 4 && !strncasecmp(c->s + i - 4, "name", 4)) || (i >= 3 && !strncasecmp(c->s + i - 3, "key", 3));
}

/* {"name":"NAME","value":"..."}, <x key="NAME" value="..."/>, <x name="NAME">...</x>; i is
 * behind the name. */
static size_t
pair_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const keys[] = { "value", "content", "val", "default", "string", "newvalue", "new_value", "parametervalue", "settingvalue" };
	size_t end = c->n - i > 160 ? i + 160 : c->n, from, e, n;

	if (!is_sure(nm) && nm->kind != NAME_TOKEN && nm->kind != NAME_RANDOM && nm->kind != NAME_COOKIE && nm->kind != NAME_PWD)
		return 0;
	for (; i < end; i++) {
		int ch = at(c, i);
		size_t w, k, v;

		if (ch == '}' || ch == '{' || ch == ';' || ch == '(')
			return 0;
		if (ch == '>' && at(c, i + 1) != '<' && at(c, i + 1) != '\\' && at(c, i + 1) != '\n') {
			if (!is_attribute(c, nm))
				return 0;
			e = c->value = i + 1;
			while (e - i < SECRET_LOOK && at(c, e) >= 0 && c->s[e] != '<')
				e++;
			if (at(c, e) != '<' || at(c, e + 1) != '/' || !quoted_value(c, nm, i + 1, e) || prose(c->s + i + 1, e - i - 1))
				return 0;
			scan_add(c, i + 1, e, rule_of(nm, RULE_KEY), -1);
			return e;
		}
		if (!isalpha(ch) || (i && (isalnum((unsigned char)c->s[i - 1]) || c->s[i - 1] == '_')))
			continue;
		for (w = 0; w < sizeof(keys) / sizeof(*keys); w++)
			if (c->n - i > strlen(keys[w]) && !strncasecmp(c->s + i, keys[w], strlen(keys[w])) && !name_char(at(c, i + strlen(keys[w]))))
				break;
		if (w == sizeof(keys) / sizeof(*keys))
			continue;
		v = i + strlen(keys[w]);
		k = backslashes(c, v);
		if (at(c, v + k) == '"' || at(c, v + k) == '\'')
			v += k + 1;
		if (at(c, v) == '>' && c->s[i - 1] == '<') {	/* <value>...</value> */
			i = v - 1;
			continue;
		}
		v = skip_space(c, v);
		if (at(c, v) != ':' && at(c, v) != '=')
			continue;
		v = skip_space(c, v + 1);
		if (!scan_argument(c, v, ",}", &from, &e))
			return 0;
		n = e - from;
		c->value = from;
		if (scan_mark(c, from) || looks_hollow(c->s + from, n) || (!is_sure(nm) && !looks_strong(c->s + from, n)) || prose(c->s + from, n) ||
		    (nm->kind == NAME_RANDOM && !looks_random(c->s + from, n)))
			return 0;
		scan_add(c, from, e, rule_of(nm, RULE_KEY), -1);
		return e;
	}
	return 0;
}

/* 'name': value at the end of a line, as in YAML */
static size_t
bare_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e;

	i = scan_color(c, i);
	while (at(c, i) == ' ')
		i++;
	i = scan_color(c, i);
	if (at(c, i + backslashes(c, i)) == '"')	/* a string in colours */
		return string_value(c, nm, i, rule_of(nm, RULE_KEY));
	c->value = i;
	e = scan_word_end(c, i, ",", SECRET_LOOK);
	if (!is_sure(nm) || !scan_eol(c, e) || !looks_strong(c->s + i, e - i))
		return 0;
	scan_add(c, i, e, rule_of(nm, RULE_KEY), -1);
	return e;
}

/* Behind a string that is a name: "NAME" == "value", <x name="NAME">value< */
static size_t
behind_string(struct scan *c, const struct named *nm, size_t i, int q)
{
	(void)q;
	if (at(c, i) == '=' && at(c, i + 1) == '>')
		return json_value(c, nm, i + 2, -1);
	return at(c, i) == '>' ? pair_value(c, nm, i) : 0;
}

static size_t part_value(struct scan *, const struct named *, size_t i);

/* fetch("NAME") { "value" }, get("#name").type("value") */
static size_t
chained_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const calls[] = { ".type(", ".fill(", ".send_keys(", ".sendKeys(", ".setValue(" };

	if (at(c, i) == ' ' && at(c, i + 1) == '{')
		return compared_value(c, nm, i + 2);
	for (size_t k = 0; k < sizeof(calls) / sizeof(*calls); k++)
		if (c->n - i > strlen(calls[k]) && !memcmp(c->s + i, calls[k], strlen(calls[k])))
			return compared_value(c, nm, i + strlen(calls[k]));
	return 0;
}

/* Behind the closing quote of a name at i; q and k are that quote's. */
static size_t
after_quote(struct scan *c, const struct named *nm, size_t i, int q, size_t k)
{
	size_t v = skip_space(c, i);
	int ch = at(c, v);

	if (ch == ']') {	/* environ["NAME"] = "value" */
		v = skip_space(c, v + 1);
		ch = at(c, v);
		if (ch == '=' && at(c, v + 1) == '>') {	/* what PHP dumps: => string(8) "value" */
			for (v = skip_space(c, v + 2); isalnum(at(c, v)) || at(c, v) == '(' || at(c, v) == ')'; v++)
				;
			return string_value(c, nm, skip_space(c, v), rule_of(nm, RULE_ENV));
		}
		if (ch == '=' && at(c, v + 1) != '=')
			return string_value(c, nm, skip_space(c, v + 1), rule_of(nm, RULE_ENV));
		if ((ch == '|' || ch == '?') && at(c, v + 1) == ch && is_sure(nm))	/* || "value", ||= "value" */
			return compared_value(c, nm, v + 2);
		return 0;
	}
	if (ch == ')' && is_sure(nm))
		return chained_value(c, nm, v + 1);
	if (ch == '=' && at(c, v + 1) != '=' && at(c, v + 1) != '>' && (is_sure(nm) || nm->kind == NAME_TOKEN) && v > i)
		return string_value(c, nm, skip_space(c, v + 1), rule_of(nm, RULE_ENV));	/* "name" = "value" of TOML */
	if (scan_eol(c, i) && (v = part_value(c, nm, i)))
		return v;
	v = skip_space(c, i);
	if (ch == ':')
		return json_value(c, nm, v + 1, q == '"' ? (int)k : -1) ?: bare_value(c, nm, v + 1);
	if (ch == '{' && nm->from > 10 && memmem(c->s + nm->from - 11, 11, "variable", 8))
		return pair_value(c, nm, v + 1);
	if (ch == '=' && at(c, v + 1) == '>')
		return json_value(c, nm, v + 2, -1);
	if (ch == '.' || ch == '=' || ch == '>')
		return behind_string(c, nm, v, q);
	if (ch != ',')
		return pair_value(c, nm, i);
	/* the next argument; or a pair of a list of headers */
	v = skip_space(c, v + 1);
	if (nm->flag)
		return string_value(c, &(struct named){ nm->from, nm->end, nm->kind == NAME_USER ? NAME_USER : NAME_SECRET, nm->rule,
		    false, true, false, nm->outer, true }, v, rule_of(nm, RULE_FLAG)) ?: pair_value(c, nm, i);
	if (nm->from && dotted(c, nm) && c->s[dotted(c, nm) - 1] == q)
		return second_value(c, nm, v, q) ?: pair_value(c, nm, i);
	return 0;
}

/* <name>value</name>, over lines, in CDATA; an attribute's name with ":" before it. */
static size_t
xml_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char cdata[] = "<![CDATA[";
	size_t e, last;

	if (c->n - i > sizeof(cdata) && !memcmp(c->s + i, cdata, sizeof(cdata) - 1))
		i += sizeof(cdata) - 1;
	while (scan_eol(c, i) || at(c, i) == ' ') {
		i += c->s[i] == ' ' ? 1 : backslashes(c, i) + 1;
		if (i > nm->end + 200)
			return 0;
	}
	c->value = i;
	for (e = i; e - i < SECRET_LOOK && at(c, e) >= 0 && c->s[e] != '<' && !(c->s[e] == ']' && at(c, e + 1) == ']'); e++)
		;
	last = e;
	while (e > i && (c->s[e - 1] == ' ' || c->s[e - 1] == '\n'))
		e--;
	while (e > i + 1 && c->s[e - 1] == 'n' && c->s[e - 2] == '\\')
		for (e--; e > i && c->s[e - 1] == '\\'; e--)
			;
	for (size_t j = i; j < e && has_line_end(c, i, e); j++)	/* a key may go over lines, words do not */
		if (!isalnum((unsigned char)c->s[j]) && !strchr("+/=\\\r\n", c->s[j]))
			return 0;
	if (at(c, last) < 0 || e == i || !quoted_value(c, nm, i, e) || memchr(c->s + i, '{', e - i) || (c->s[last] == '<' && at(c, last + 1) != '/'))
		return 0;
	scan_add(c, i, e, rule_of(nm, RULE_KEY), -1);
	return e;
}

/* <name attribute="x">value</name> */
static size_t
tag_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t end = i + 160;

	for (; i < end && at(c, i) >= 0 && c->s[i] != '>' && c->s[i] != '<' && c->s[i] != ';'; i++)
		;
	return at(c, i) == '>' && i < end && c->s[i - 1] != '/' && c->s[i - 1] != '-' && c->s[i - 1] != '=' ? xml_value(c, nm, i + 1) : 0;
}

static size_t
plist_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t end = i + 60;

	for (; i < end && at(c, i) >= 0; i++)
		if (c->n - i > 8 && !memcmp(c->s + i, "<string>", 8))
			return xml_value(c, nm, i + 8);
	return 0;
}

/* | NAME | value | */
static size_t
table_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e;

	while (at(c, i) == ' ' || at(c, i) == '`')
		i++;
	c->value = i;
	e = scan_word_end(c, i, "|", SECRET_LOOK);
	if (!looks_strong(c->s + i, e - i) || e - i < 8)
		return 0;
	scan_add(c, i, e, rule_of(nm, RULE_ENV), -1);
	return e;
}

/* The word before s[i], which ends in spaces; its length. */
static size_t
word_before(struct scan *c, size_t i, size_t *n)
{
	size_t e = i;

	while (e > c->floor && (c->s[e - 1] == ' ' || c->s[e - 1] == '"' || c->s[e - 1] == '\''))
		e--;
	for (i = e; i > c->floor && e - i < 24 && (name_char((unsigned char)c->s[i - 1]) || c->s[i - 1] == '#' || c->s[i - 1] == '.'); i--)
		;
	*n = e - i;
	return i;
}

static bool
is_word(const char *s, size_t n, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == n && !strncasecmp(words[i], s, n))
			return true;
	return false;
}
#define IS_WORD(s, n, words) is_word(s, n, words, sizeof(words) / sizeof(*(words)))

/* NAME value, behind a word that sets: setenv, set -x, define, aws configure set,
 * WITH PASSWORD and a string; the three words of a netrc; "password is". */
static size_t
spaced_value(struct scan *c, const struct named *nm, size_t i, struct start st)
{
	static const char *const verbs[] = {
		"setenv", "set", "-x", "-gx", "-ux", "-xg", "-Ux", "-lx", "setx", "#define", "define", "setq", "setopt", "configure", "config", "add", "export",
		"default.set", "put",
	};
	static const char *const sql[] = { "with", "encrypted", "set", "login", "user", "role", "by", "superuser", "and", "createdb", "type" };
	static const char *const starts[] = { "requirepass", "masterauth", "psk", "wpa_passphrase" };
	static const char *const says[] = { "is", "was", "are", "=", "token", "key" };
	size_t n, from, end, w = word_before(c, nm->from, &n), low = nm->from > 256 ? nm->from - 256 : 0;
	bool quoted = at(c, i + backslashes(c, i)) == '\'' || at(c, i + backslashes(c, i)) == '"', in_netrc, verb = n && IS_WORD(c->s + w, n, verbs);

	if (at(c, i) == 'N' && at(c, i + 1) == '\'')
		quoted = true, i++;
	if (!scan_argument(c, i, ",;)|", &from, &end))
		return 0;
	if (end == from + 1 && isdigit((unsigned char)c->s[from]) && at(c, end) == ' ' && is_sure(nm)) {	/* password 7 value */
		if (!scan_argument(c, end + 1, "", &from, &end) || !looks_strong(c->s + from, end - from))
			return 0;
		c->value = from;
		scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
		return end;
	}
	if (scan_mark(c, from) || looks_hollow(c->s + from, end - from) || c->s[from] == '-')
		return 0;
	in_netrc = !strncasecmp(c->s + nm->from, "password", 8) && nm->end - nm->from == 8 && (memmem(c->s + low, nm->from - low, "machine ", 8) ||
	    memmem(c->s + low, nm->from - low, "default ", 8)) && memmem(c->s + low, nm->from - low, "login ", 6);
	/* nothing waits for the end of a word of prose */
	if (in_netrc || verb || quoted || (st.line && IS_WORD(c->s + nm->from, nm->end - nm->from, starts)) || (end - from >= 4 && has_digit(c->s + from, end - from)))
		c->value = from;
	if (in_netrc || (st.line && IS_WORD(c->s + nm->from, nm->end - nm->from, starts)))
		;
	else if (verb && (is_sure(nm) || nm->kind == NAME_TOKEN)) {
		if (prose(c->s + from, end - from) || (!nm->caps && !quoted && !looks_strong(c->s + from, end - from)))
			return 0;
	} else if (quoted && is_sure(nm) && n && IS_WORD(c->s + w, n, sql)) {
		if (prose(c->s + from, end - from))
			return 0;
	} else if (quoted && nm->caps && is_sure(nm) && at(c, end) != ' ' && looks_strong(c->s + from, end - from)) {
		;
	} else if (!quoted && IS_WORD(c->s + from, end - from - (c->s[end - 1] == ':'), says) && at(c, end) >= 0) {
		i = end;
		while (at(c, i) == ' ' || at(c, i) == ':')
			i++;
		if (!scan_argument(c, i, ",;)", &from, &end))
			return 0;
		c->value = end - from >= 4 && has_digit(c->s + from, end - from) ? from : SIZE_MAX;
		if (!looks_dice(c->s + from, end - from) || end - from < 16)
			return 0;
	} else if (!(nm->kind == NAME_SECRET || nm->kind == NAME_HEADER || nm->kind == NAME_TOKEN) || !looks_dice(c->s + from, end - from) || end - from < 20) {
		return 0;
	}
	scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
	return end;
}

/* password("value"), with_api_key("value") */
static size_t
called_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t from, end;

	if (at(c, i) == 'N')
		i++;
	if (at(c, i + backslashes(c, i)) != '"' && at(c, i + backslashes(c, i)) != '\'')
		return 0;
	c->value = i + backslashes(c, i) + 1;
	if (!scan_argument(c, i, "", &from, &end) || looks_hollow(c->s + from, end - from) || !looks_strong(c->s + from, end - from))
		return 0;
	scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
	return end;
}

/* What a password is set to: SET PASSWORD FOR user = string. */
static size_t
for_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t end = i + 80;

	if (strncasecmp(c->s + i, "for ", c->n - i < 4 ? c->n - i : 4) || c->n - i < 4)
		return 0;
	for (; i < end && at(c, i) >= 0 && c->s[i] != '='; i++)
		;
	if (at(c, i) != '=')
		return 0;
	for (i++; at(c, i) == ' '; i++)
		;
	return string_value(c, nm, i, rule_of(nm, RULE_ENV));
}

/* ${NAME:-value} */
static size_t
default_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e = i;

	c->value = i;
	while (at(c, e) > ' ' && !strchr("}\"'\\", c->s[e]))
		e++;
	if (at(c, e) != '}' || e == i || looks_hollow(c->s + i, e - i) || prose(c->s + i, e - i))
		return 0;
	scan_add(c, i, e, rule_of(nm, RULE_ENV), -1);
	return e;
}

/* A word that is strong behind a sign that says so: -> <- => | ; and the like. */
static size_t
pointed_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const signs[] = { "->", "<-", "=>", "|", ";", "\xe2\x86\x92" };
	size_t from, end, n;

	if (!is_sure(nm))
		return 0;
	for (size_t k = 0; k < sizeof(signs) / sizeof(*signs); k++) {
		n = strlen(signs[k]);
		if (c->n - i <= n || memcmp(c->s + i, signs[k], n))
			continue;
		i = skip_blank(c, i + n);
		c->value = i;
		if (!scan_argument(c, i, "|;,)", &from, &end) || !looks_dice(c->s + from, end - from))
			return 0;
		c->value = from;
		scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
		return end;
	}
	return 0;
}

/* &lt;name&gt;value&lt; */
static size_t
escaped_tag(struct scan *c, const struct named *nm, size_t i)
{
	size_t e = i + 4;

	if (nm->from < 4 || c->n - i < 4 || memcmp(c->s + nm->from - 4, "&lt;", 4) || memcmp(c->s + i, "&gt;", 4))
		return 0;
	c->value = e;
	e = scan_word_end(c, e, "&", SECRET_LOOK);
	if (at(c, e) != '&' || e == i + 4 || !quoted_value(c, nm, i + 4, e))
		return 0;
	scan_add(c, i + 4, e, rule_of(nm, RULE_KEY), -1);
	return e;
}

/* user[password]=value, also with %5B and %5D */
static size_t
bracket_value(struct scan *c, const struct named *nm, size_t i)
{
	bool hex = at(c, i) == '%' && at(c, i + 1) == '5' && (at(c, i + 2) | 0x20) == 'd';

	if (hex)
		i += 2;
	else if (at(c, i) != ']' || !nm->from || c->s[nm->from - 1] != '[')
		return 0;
	if (at(c, ++i) == '=')
		return param_value(c, nm, i + 1, hex);
	if (hex && at(c, i) == '%' && at(c, i + 1) == '3' && (at(c, i + 2) | 0x20) == 'd')
		return param_value(c, nm, i + 3, true);
	return 0;
}

/* What a form of several parts has below name="NAME" and a line that is empty. */
static size_t
part_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t indent, e, ends = 0;

	if (!is_attribute(c, nm) || (!is_sure(nm) && nm->kind != NAME_TOKEN))
		return 0;
	for (; scan_eol(c, i) && ends < 2; ends++)
		i = next_line(c, i, &indent);
	if (ends < 2)
		return 0;
	c->value = i;
	e = scan_word_end(c, i, "", SECRET_LOOK);
	if (e == i || !scan_eol(c, e) || looks_hollow(c->s + i, e - i))
		return 0;
	scan_add(c, i, e, rule_of(nm, RULE_PARAM), -1);
	return e;
}

/* A line of a protocol: PASS value, AUTH value, AUTH PLAIN value. */
static size_t
command_value(struct scan *c, const struct named *nm, size_t i, struct start st)
{
	size_t from, end;
	bool pass = nm->caps && same(c, nm, "pass");

	if (!st.line || !(pass || (nm->caps && same(c, nm, "auth"))) || !scan_argument(c, i, "", &from, &end))
		return 0;
	c->value = from;
	if (!pass && end - from < 12 && at(c, end) == ' ' && !scan_argument(c, end + 1, "", &from, &end))
		return 0;
	c->value = from;
	if (!scan_eol(c, end) || !(pass ? looks_secret(c->s + from, end - from, 6) : looks_dice(c->s + from, end - from)))
		return 0;
	scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
	return end;
}

static bool
sql_char(int ch)
{
	return name_char(ch) || (ch > 0 && strchr(" `\"'.,", ch));
}

/* INSERT INTO t (a, NAME) VALUES ('x', 'value'), ...: i is behind the name. */
static size_t
insert_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t column = 0, low = nm->from > 400 ? nm->from - 400 : 0, from, end, last = 0, k = nm->from;

	while (k > low && k > c->floor && sql_char((unsigned char)c->s[k - 1]))
		column += c->s[--k] == ',';
	if (k == low || c->s[k - 1] != '(' || !is_sure(nm))
		return 0;
	for (k = i; k - i < 400 && (sql_char(at(c, k)) || at(c, k) == '\\'); k++)
		;
	if (at(c, k) != ')')
		return 0;
	k = skip_space(c, k + 1);
	if (c->n - k < 7 || strncasecmp(c->s + k, "values", 6))
		return 0;
	k = skip_space(c, k + 6);
	for (int rows = 0; rows < 64 && at(c, k) == '('; rows++) {
		k = skip_space(c, k + 1);
		for (size_t n = 0; ; n++) {
			bool quoted;

			if (n == column && c->value == SIZE_MAX)
				c->value = k;
			if (at(c, k) == 'N' && at(c, k + 1) == '\'')
				k++;
			quoted = at(c, k + backslashes(c, k)) == '\'' || at(c, k + backslashes(c, k)) == '"';
			if (!scan_argument(c, k, ",)", &from, &end))
				return last;
			if (n == column && quoted && !looks_hollow(c->s + from, end - from) && !scan_mark(c, from)) {
				c->value = c->value < from ? c->value : from;
				scan_add(c, from, end, rule_of(nm, RULE_ENV), -1);
				last = end;
			}
			k = skip_space(c, quoted ? end + backslashes(c, end) + 1 : end);
			if (at(c, k) != ',')
				break;
			k = skip_space(c, k + 1);
		}
		if (at(c, k) != ')' || at(c, k + 1) != ',')
			return last;
		k = skip_space(c, k + 2);
	}
	return last;
}

static size_t
value_of(struct scan *c, const struct named *nm)
{
	struct start st = start_of(c, nm->from);
	size_t i = nm->end, k = backslashes(c, i), from = i, e;
	int q = at(c, i + k), ch;

	if (q == '"' || q == '\'')
		return after_quote(c, nm, i + k + 1, q, k);
	if (at(c, i) == '>' && nm->from && (c->s[nm->from - 1] == '<' || c->s[nm->from - 1] == ':'))
		return xml_value(c, nm, i + 1);
	if (at(c, i) == '%' && at(c, i + 1) == '3' && (at(c, i + 2) | 0x20) == 'd')
		return equals_value(c, nm, i + 3, true);
	if (at(c, i) == '&' && (e = escaped_tag(c, nm, i)))
		return e;
	if ((at(c, i) == ']' || at(c, i) == '%') && (e = bracket_value(c, nm, i)))
		return e;
	i = from = scan_color(c, i);
	while (i == nm->end && at(c, i) == '*' && i - from < 2)	/* **Password**: value */
		from = ++i;
	k = backslashes(c, i);
	if (at(c, i + k) == '"' && i > nm->end) {	/* a string in colours */
		i += k + 1;
		from = i;
	}
	i = skip_blank(c, i);
	ch = at(c, i);
	if (ch == '[' && at(c, i + 1) == ']')	/* of C */
		for (i += 2; (ch = at(c, i)) == ' '; i++)
			;
	if (ch == ':' && (at(c, i + 1) == '-' || at(c, i + 1) == '=') && nm->from > 1 && c->s[nm->from - 1] == '{')
		return default_value(c, nm, i + 2);
	if (ch == ':' && at(c, i + 1) == '=')
		return equals_value(c, nm, i + 2, false);
	if (ch == ':')
		return colon_value(c, nm, i + 1);
	if (ch > 0 && strchr("-<|;=\xe2", ch) && (e = pointed_value(c, nm, i)))
		return e;
	if (ch == '=' && at(c, i + 1) == '>')
		return json_value(c, nm, i + 2, -1);
	if ((ch == ',' || ch == ')' || ch == '`') && (e = insert_value(c, nm, i)))
		return e;
	if (ch == '=' && at(c, i + 1) == '=')
		return is_sure(nm) ? compared_value(c, nm, i + 2) : 0;
	if (ch == '=')
		return equals_value(c, nm, i + 1, false);
	if (ch > 0 && strchr("?.+|&!", ch)) {	/* ?= .= ||= */
		for (e = i + 1; e - i < 3 && at(c, e) == ch; e++)
			;
		if (at(c, e) == '=' && at(c, e + 1) != '=')
			return equals_value(c, nm, e + 1, false);
		if (e - i == 2 && (ch == '|' || ch == '?') && nm->caps && is_sure(nm))	/* NAME || "value" */
			return compared_value(c, nm, e);
	}
	if (ch == ',' && is_sure(nm) && i == nm->end && nm->from > 1 && c->s[nm->from - 1] == ' ' && c->s[nm->from - 2] == ':')
		return pair_value(c, nm, i + 1);
	if (ch == '<' && at(c, i + 1) == '/' && at(c, i + 2) == 'k')	/* <key>NAME</key><string>value</string> */
		return plist_value(c, nm, i);
	if (ch == '.' && c->n - i > 8 && !memcmp(c->s + i, ".equals(", 8) && is_sure(nm))
		return compared_value(c, nm, i + 8);
	if (nm->from && (c->s[nm->from - 1] == '<' || c->s[nm->from - 1] == ':') && i > nm->end && (e = tag_value(c, nm, i)))
		return e;
	if (ch == '|' && i > from && is_sure(nm))	/* a table */
		return table_value(c, nm, i + 1);
	if (ch == ',' && nm->caps && is_sure(nm) && (e = compared_value(c, nm, i + 1)))	/* CURLOPT_PASSWORD, "value" */
		return e;
	if ((ch == '(' || ch == '{') && i == nm->end && (is_sure(nm) || nm->kind == NAME_TOKEN))
		return called_value(c, nm, i + 1);
	if (nm->flag && i > from && (e = flag_value(c, nm, i)))
		return e;
	if (scan_eol(c, i) && is_sure(nm))
		return pair_value(c, nm, i);
	if (i > from && (e = command_value(c, nm, i, st)))
		return e;
	if (i > from && (is_sure(nm) || nm->kind == NAME_TOKEN) && (e = typed_value(c, nm, i)))	/* of Go */
		return e;
	if (i == from || nm->kind == NAME_QUERY || nm->kind == NAME_ANY || nm->kind == NAME_PWD || nm->kind == NAME_AUTH)
		return 0;
	return for_value(c, nm, i) ?: spaced_value(c, nm, i, st);
}

/* {"value":"...","name":"NAME"}: the name comes second. pos is at "value". */
size_t
scan_pair(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len - 1, k, v, e, from, end;
	struct named nm = { .rule = -1 };
	int q;

	if (pos && name_char((unsigned char)c->s[pos - 1]))
		return 0;
	k = backslashes(c, i);
	i = skip_space(c, i + k + 1);
	if (at(c, i) != ':')
		return 0;
	v = skip_space(c, i + 1);
	if (!(q = open_quote(c, &v, &k)))
		return 0;
	e = scan_quote_end(c, v, q, k, SECRET_LOOK);
	i = skip_space(c, e + k + 1);
	if (e == v || at(c, i) != ',' || scan_mark(c, v))
		return 0;
	i = skip_space(c, i + 1);
	if (!scan_argument(c, i, "", &from, &end) || end - from > 4 || (strncasecmp(c->s + from, "name", 4) && strncasecmp(c->s + from, "key", 3)))
		return 0;
	i = skip_space(c, end + backslashes(c, end) + 1);
	if (at(c, i) != ':' || !scan_argument(c, skip_space(c, i + 1), "", &from, &end) || end - from > NAME_MAX_LEN)
		return 0;
	nm.from = from;
	nm.end = end;
	nm.kind = rules_name(c->r, c->s + from, end - from, &nm.rule);
	nm.caps = true;
	for (i = from; i < end; i++)
		nm.caps = nm.caps && !islower((unsigned char)c->s[i]);
	c->value = v;
	if (!quoted_value(c, &nm, v, e) || (!is_sure(&nm) && !looks_strong(c->s + v, e - v)))
		return 0;
	scan_add(c, v, e, rule_of(&nm, RULE_KEY), -1);
	return e;
}

size_t
scan_name(struct scan *c, size_t pos, size_t len, int arg)
{
	struct named nm = { .from = pos, .rule = -1 };
	size_t i, r;

	while (len && !name_char((unsigned char)c->s[pos + len - 1]))
		len--;
	if (arg == 1 && !c->r->ids)
		return 0;
	while (nm.from > c->floor && pos - nm.from <= NAME_MAX_LEN && name_char((unsigned char)c->s[nm.from - 1]))
		nm.from--;
	nm.from = scan_word_start(c, nm.from, pos);
	if (nm.from > pos)
		return 0;
	for (nm.end = pos + (len > 4 ? 4 : len); nm.end - pos <= NAME_MAX_LEN && name_char(at(c, nm.end)); nm.end++)
		;
	for (i = nm.from; i < nm.end && c->s[i] == '-'; i++)
		nm.flag = true;
	nm.from = i;
	if (nm.end - nm.from > NAME_MAX_LEN || nm.end <= nm.from)
		return 0;
	nm.kind = rules_name(c->r, c->s + nm.from, nm.end - nm.from, &nm.rule);
	for (i = 0; i < 2; i++)
		nm.head = nm.head || (nm.from >= c->t->head[i] && nm.from < c->t->head_end[i]);
	if (nm.kind == NAME_NONE)
		return c->more ? 0 : nm.end;
	nm.caps = nm.end - nm.from >= 3;
	for (i = nm.from; i < nm.end; i++)
		nm.caps = nm.caps && !islower((unsigned char)c->s[i]);
	i = backslashes(c, nm.end);
	nm.quoted = at(c, nm.end + i) == '"' || at(c, nm.end + i) == '\'';
	nm.outer = c->t->line && i % 2 == 0 && at(c, nm.end + i) == '"';
	r = value_of(c, &nm);
	return r ? r : nm.end;
}
