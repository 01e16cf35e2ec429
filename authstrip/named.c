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

static bool
name_char(int ch)
{
	return isalnum(ch) || ch == '_' || ch == '-';
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
	case NAME_KEY:
		return looks_secret(s, n, 8);
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
	e = scan_quote_end(c, v, q, k, sure ? SIZE_MAX / 2 : SECRET_LOOK);
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
	if ((e = string_value(c, nm, i, rule_of(nm, RULE_ENV))))
		return e;
	e = scan_word_end(c, i, ",;)}]", SECRET_LOOK);
	if (e == c->n && !st.line && !nm->caps && (prose(c->s + i, e - i) ||
	    ((nm->kind == NAME_AUTH || nm->kind == NAME_RANDOM) && e - i < 4 && islower((unsigned char)c->s[i]))))
		c->value = SIZE_MAX;	/* nothing waits for the end of "the" */
	if (nm->kind == NAME_NONE || nm->kind == NAME_ANY || nm->kind == NAME_QUERY || nm->kind == NAME_COOKIE)
		return 0;
	if (nm->kind == NAME_PWD && at(c, i) == '/')
		return 0;
	if (looks_hollow(c->s + i, e - i) || looks_code(c->s + i, e - i) || at(c, e) == '(')
		return 0;
	if (nm->kind == NAME_RANDOM ? !looks_random(c->s + i, e - i) : nm->kind == NAME_USER || nm->kind == NAME_ID ? e == i :
	    !looks_secret(c->s + i, e - i, nm->kind == NAME_SECRET || nm->kind == NAME_HEADER ? 6 : 8) &&
	    !(nm->kind == NAME_SECRET && st.line && e - i >= 6 && scan_eol(c, e) && !prose(c->s + i, e - i)))
		return 0;
	return add_word(c, i, ",;)}]", rule_of(nm, RULE_ENV));
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
	if (e - i < min || looks_hollow(c->s + i, e - i))
		return 0;
	scan_add(c, i, e, rule_of(nm, RULE_PARAM), -1);
	return e;
}

static bool
has_digit(const char *s, size_t n)
{
	while (n && !isdigit((unsigned char)s[n - 1]))
		n--;
	return n;
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
	if (nm->flag || nm->caps)
		return secret || ((nm->kind == NAME_TOKEN || nm->kind == NAME_AUTH) && (nm->flag || looks_secret(s, n, 6))) || looks_secret(s, n, 8);
	if (nm->kind == NAME_RANDOM)
		return looks_random(s, n);
	if (secret && (after == ';' || (nm->from && c->s[nm->from - 1] == ';')) && !prose(s, n))
		return true;	/* a connection string */
	if (secret && (st.line || st.q) && n >= 3 && (after < 0 || after == '"' || after == '\'' || scan_eol(c, e)) && !prose(s, n))
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
		return (e = scan_word_end(c, i, ",;&", SECRET_LOOK)) - i >= 32 && looks_secret(c->s + i, e - i, 32);
	return same(c, nm, "credential") && (e = scan_word_end(c, i, ",;&", SECRET_LOOK)) - i >= 20 && memchr(c->s + i, '/', e - i);
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
	/* a form: name=value& from the start */
	if (st.line || st.q) {
		e = scan_word_end(c, i, "&#", SECRET_LOOK);
		if (at(c, e) == '&' && at(c, e + 1) != '&')
			return param_value(c, nm, i, false);
	}
	while (at(c, i) == ' ')
		i++;
	c->value = i;
	if (closes(c, i, st))
		return 0;
	if ((e = string_value(c, nm, i, rule_of(nm, RULE_ENV))))
		return e;
	if (aws_value(c, nm, i))
		return add_word(c, i, ",;&", RULE_KEY);
	e = scan_word_end(c, i, stop, SECRET_LOOK);
	if (!word_value(c, nm, st, i, e))
		return 0;
	return add_word(c, i, stop, rule_of(nm, nm->flag ? RULE_FLAG : RULE_ENV));
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

/* Behind the closing quote of a name at i; q and k are that quote's. */
static size_t
after_quote(struct scan *c, const struct named *nm, size_t i, int q, size_t k)
{
	size_t v = skip_space(c, i);
	int ch = at(c, v);

	if (ch == ']') {	/* environ["NAME"] = "value" */
		v = skip_space(c, v + 1);
		ch = at(c, v);
		if (ch == '=' && at(c, v + 1) != '=')
			return string_value(c, nm, skip_space(c, v + 1), rule_of(nm, RULE_ENV));
		return 0;
	}
	if (ch == ':')
		return json_value(c, nm, v + 1, q == '"' ? (int)k : -1);
	if (ch == '=' && at(c, v + 1) == '>')
		return json_value(c, nm, v + 2, -1);
	if (ch != ',')
		return 0;
	/* the next argument; or a pair of a list of headers */
	v = skip_space(c, v + 1);
	if (nm->flag)
		return string_value(c, &(struct named){ nm->from, nm->end, nm->kind == NAME_USER ? NAME_USER : NAME_SECRET, nm->rule,
		    false, true, false, nm->outer, true }, v, rule_of(nm, RULE_FLAG));
	if ((nm->kind == NAME_HEADER || nm->kind == NAME_COOKIE) && nm->from && c->s[nm->from - 1] == q) {
		size_t from = v, e;
		int vq = open_quote(c, &from, &k);

		e = vq ? scan_quote_end(c, from, vq, k, SECRET_LOOK) : 0;
		if (e > from && (memchr(c->s + from, ' ', e - from) || memchr(c->s + from, '=', e - from) || looks_secret(c->s + from, e - from, 16)))
			return string_value(c, nm, v, rule_of(nm, RULE_HEADER));
	}
	return 0;
}

static size_t
value_of(struct scan *c, const struct named *nm)
{
	size_t i = nm->end, k = backslashes(c, i), from = i;
	int q = at(c, i + k), ch;

	if (q == '"' || q == '\'')
		return after_quote(c, nm, i + k + 1, q, k);
	if (at(c, i) == '>' && nm->from && c->s[nm->from - 1] == '<') {	/* XML */
		size_t e = c->value = i + 1;

		while (e - i < SECRET_LOOK && at(c, e) >= 0 && c->s[e] != '<')
			e++;
		if (at(c, e) != '<' || at(c, e + 1) != '/' || !quoted_value(c, nm, i + 1, e))
			return 0;
		scan_add(c, i + 1, e, rule_of(nm, RULE_KEY), -1);
		return e;
	}
	if (at(c, i) == '%' && at(c, i + 1) == '3' && (at(c, i + 2) | 0x20) == 'd')
		return equals_value(c, nm, i + 3, true);
	while (i - from < 8 && (at(c, i) == ' ' || at(c, i) == '\t'))
		i++;
	ch = at(c, i);
	if (ch == ':' && at(c, i + 1) == '=')
		return equals_value(c, nm, i + 2, false);
	if (ch == ':')
		return colon_value(c, nm, i + 1);
	if (ch == '=' && at(c, i + 1) == '>')
		return json_value(c, nm, i + 2, -1);
	if (ch == '=')
		return at(c, i + 1) == '=' ? 0 : equals_value(c, nm, i + 1, false);
	return nm->flag && i > from ? flag_value(c, nm, i) : 0;
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
