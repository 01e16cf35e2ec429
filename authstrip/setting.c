/* setting.c - see named.h. NAME: value and NAME=value, as headers, YAML, files of settings
 * and shells have them */
#include "named.h"

#include <stdint.h>
#include <stdlib.h>

struct start
named_start_of(struct scan *c, size_t i)
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
			if (st.q != '"' && c->s[j] == '"' && named_string_ends(c, j)) {
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
	named_add_part(c, nm, i, e, named_rule_of(nm, RULE_HEADER));
	return e;
}

/* How far the name is from the beginning of its line. */
static size_t
indent_of(struct scan *c, size_t from)
{
	size_t n = 0;

	while (n < 64 && from - n > c->floor && from > n &&
	    (c->s[from - 1 - n] == ' ' || c->s[from - 1 - n] == '-' || c->s[from - 1 - n] == '"'))
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
	line = named_next_line(c, i, &indent);
	if (indent <= own && !(indent == own && at(c, line + indent) == '-'))
		return 0;
	if (!block) {
		/* a list */
		if (at(c, line + indent) == '-' && at(c, line + indent + 1) == ' ') {
			size_t last = 0;

			for (int items = 0; items < 32 && at(c, line + indent) == '-' &&
			    at(c, line + indent + 1) == ' '; items++) {
				if (!scan_argument(c, line + indent + 2, ",", &from, &end) ||
				    !looks_strong(c->s + from, end - from))
					return last;
				scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
				last = end;
				end += end < c->n && (c->s[end] == '"' || c->s[end] == '\'') ? 1 :
				    0;
				if (!scan_eol(c, end))
					return last;
				line = named_next_line(c, end, &indent);
			}
			return last;
		}
		return named_pair_value(c, nm, i);
	}
	c->value = line + indent;
	for (int lines = 0; lines < 200 && indent > own; lines++) {
		from = from ? from : line + indent;
		for (end = line + indent; at(c, end) >= 0 && !scan_eol(c, end) &&
		    !(c->s[end] == '"' && (c->t->line || end == 0)); end++)
			;
		e = end;
		if (!scan_eol(c, end))
			break;
		line = named_next_line(c, end, &indent);
	}
	if (e <= from || looks_hollow(c->s + from, e - from))
		return 0;
	scan_add(c, from, e, named_rule_of(nm, RULE_ENV), -1);
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
size_t
named_typed_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const types[] = { "str", "&str", "&'sta", "final", "optio", "char",
	    "std::", "text", "bytes", "secre", "any " };
	size_t e = i;
	bool type = false;

	for (size_t k = 0; k < sizeof(types) / sizeof(*types); k++)
		type = type || (c->n - i > strlen(types[k]) &&
		    !strncasecmp(c->s + i, types[k], strlen(types[k])));
	if (!type)
		return 0;

	while (e - i < 40 && (isalnum(at(c, e)) ||
	    (at(c, e) > 0 && strchr("_&'<>[]. :?", c->s[e]))))
		e++;
	if (e == i || at(c, e) != '=' || at(c, e + 1) == '=' || c->s[e - 1] != ' ')
		return 0;
	for (e++; at(c, e) == ' '; e++)
		;
	return named_string_value(c, nm, e, named_rule_of(nm, RULE_ENV));
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
size_t
named_colon_value(struct scan *c, const struct named *nm, size_t i)
{
	struct start st = named_start_of(c, nm->from);
	bool dashed = memchr(c->s + nm->from, '-', nm->end - nm->from) != NULL, header;
	size_t e, space = i;

	if (at(c, i) == ':' || at(c, i) == '/')
		return 0;
	while (i - space < 16 && (at(c, i) == ' ' || at(c, i) == '\t'))
		i++;
	c->value = i;
	header = nm->kind == NAME_CHALLENGE || nm->kind == NAME_COOKIE ||
	    named_same(c, nm, "authorization") ||
	    (nm->kind == NAME_HEADER && (dashed || st.line)) ||
	        (nm->kind == NAME_USER && (dashed || st.line)) ||
	    (nm->kind == NAME_ID && dashed) || (st.crlf && dashed && nm->kind != NAME_QUERY);
	if (header && (i > space || st.line || st.q))
		return header_line(c, nm, i, st);
	if (closes(c, i, st))
		return 0;
	if ((e = named_typed_value(c, nm, i)))
		return e;
	if (at(c, i) == '*' && at(c, i + 1) == '*') {	/* **API key:** `value` */
		for (i += 2; at(c, i) == ' '; i++)
			;
		c->value = i;
	}
	if (scan_eol(c, i) && named_is_sure(nm) &&
	    (e = named_compared_value(c, nm, named_skip_space(c, i))))
		return e;
	if (named_is_sure(nm) || nm->kind == NAME_TOKEN) {
		if ((e = yaml_value(c, nm, i)))
			return e;
		i = yaml_tag(c, i);
	}
	i = scan_color(c, i);
	if ((e = named_string_value(c, nm, i, named_rule_of(nm, RULE_ENV))))
		return e;
	e = scan_word_end(c, i, ",;)}]", SECRET_LOOK);
	if (st.line || nm->caps)
		e = named_line_word_end(c, i, e);
	if (e == c->n && !st.line && !nm->caps && (named_prose(c->s + i, e - i) ||
	    ((nm->kind == NAME_AUTH || nm->kind == NAME_RANDOM) && e - i < 4 &&
	    islower((unsigned char)c->s[i]))))
		c->value = SIZE_MAX;	/* nothing waits for the end of "the" */
	if (nm->kind == NAME_NONE || nm->kind == NAME_ANY || nm->kind == NAME_QUERY ||
	    nm->kind == NAME_COOKIE)
		return 0;
	if (nm->kind == NAME_PWD && at(c, i) == '/')
		return 0;
	if (looks_hollow(c->s + i, e - i) || looks_code(c->s + i, e - i) || at(c, e) == '(' ||
	    memchr(c->s + i, '[', e - i) ||
	    memchr(c->s + i, '(', e - i))
		return 0;
	/* password: readPassword, of a program; secret: Unicode, of a sentence */
	if (nm->kind != NAME_USER && nm->kind != NAME_ID && is_word_only(c->s + i, e - i) &&
	    !(st.line && scan_eol(c, e)))
		return 0;
	if (nm->kind == NAME_RANDOM ? !looks_random(c->s + i, e - i) : nm->kind == NAME_USER ||
	    nm->kind == NAME_ID ? e == i :
	    !looks_secret(c->s + i, e - i, nm->kind == NAME_SECRET || nm->kind == NAME_HEADER ? 6 :
	        8) &&
	    !(nm->kind == NAME_SECRET && st.line && e - i >= 6 && scan_eol(c, e) &&
	    !named_prose(c->s + i, e - i)))
		return 0;
	e = st.line || nm->caps ? named_line_word_end(c, i,
	    scan_word_end(c, i, ",;)}]", SIZE_MAX)) : scan_word_end(c, i, ",;)}]", SIZE_MAX);
	scan_add(c, i, e, named_rule_of(nm, RULE_ENV), -1);
	return e;
}

/* How long the value of a query's parameter must be to be one. */
static size_t
param_min(struct scan *c, const struct named *nm)
{
	switch (nm->kind) {
	case NAME_HEADER: case NAME_SECRET: case NAME_TOKEN: case NAME_AUTH: case NAME_PWD:
	case NAME_USER: case NAME_ID:
		return 1;
	case NAME_KEY:
		return 4;
	case NAME_RANDOM:
		return named_short_name(c, nm) ? 4 : 8;
	case NAME_QUERY:
		return 8;
	default:
		return SIZE_MAX;
	}
}

/* ?name=value&, also behind percent codes */
size_t
named_param_value(struct scan *c, const struct named *nm, size_t i, bool hex)
{
	size_t e = i, min = param_min(c, nm);

	if (min == SIZE_MAX)
		return 0;
	c->value = i;
	while (at(c, e) >= 0) {
		int ch = (unsigned char)c->s[e];

		if (ch <= ' ' || ch == 0x7f || strchr("\"'\\`<>&#", ch))
			break;
		if (hex && ch == '%' && (at(c, e + 1) == '2' || at(c, e + 1) == '3') &&
		    strchr("36", at(c, e + 2) > 0 ? at(c, e + 2) : 'x'))
			break;		/* %26 & %23 # */
		e++;
	}
	if (scan_mark(c, i))
		return scan_mark(c, i);
	if (e - i < min || looks_hollow(c->s + i, e - i) ||
	    (nm->kind == NAME_RANDOM && e - i < 16 && !looks_secret(c->s + i, e - i, 4)))
		return 0;
	scan_add(c, i, e, named_rule_of(nm, RULE_PARAM), -1);
	return e;
}

/* A word that is a value in a shell, a file of settings, a program. */
static bool
word_value(struct scan *c, const struct named *nm, struct start st, size_t v, size_t e)
{
	bool secret = nm->kind == NAME_HEADER || nm->kind == NAME_SECRET || nm->kind == NAME_USER ||
	    nm->kind == NAME_ID;
	const char *s = c->s + v;
	size_t n = e - v;
	int after = at(c, e);

	if (!n || looks_hollow(s, n) || (!nm->caps && !nm->flag && looks_code(s, n)) ||
	    nm->kind == NAME_QUERY || nm->kind == NAME_ANY || nm->kind == NAME_COOKIE)
		return false;
	if (after == '(' || s[n - 1] == '(' || s[n - 1] == '[' ||
	    (s[n - 1] == ')' && isalpha((unsigned char)*s) && memchr(s, '(', n)))
		return false;	/* a call, in a program */
	if (nm->kind == NAME_PWD)
		return *s != '/' && *s != '~' && *s != '.' && !named_prose(s, n) &&
		    (after == ';' || (nm->from && c->s[nm->from - 1] == ';') ||
		    looks_secret(s, n, 4));
	/* TOKEN = 64, of a program */
	if (nm->caps && v > nm->end + 1 && n < 8 && !named_has_other(s, n - (s[n - 1] == ',')))
		return false;
	if (n == 1 && !isalnum((unsigned char)*s))	/* TOKEN = { */
		return false;
	if (nm->flag || nm->caps)
		return secret || ((nm->kind == NAME_TOKEN || nm->kind == NAME_AUTH) &&
		    (nm->flag || looks_secret(s, n, 6))) || looks_secret(s, n, 8);
	if (nm->kind == NAME_RANDOM)
		return looks_random(s, n);
	if (secret && (after == ';' || (nm->from && c->s[nm->from - 1] == ';')) &&
	    !named_prose(s, n))
		return true;	/* a connection string */
	if (secret && (st.line || st.q) && n >= 3 &&
	    (after < 0 || after == '"' || after == '\'' || scan_eol(c, e)) && !named_prose(s, n))
		return true;
	if (secret && v == nm->end + 1 && looks_strong(s, n) &&
	    (after < 0 || after == ' ' || after == '"' || after == '\'' || scan_eol(c, e)))
		return true;
	return looks_secret(s, n, 8) && (n >= 20 || named_has_digit(s, n)) && after != '[' &&
	    !memchr(s, '(', n) && !memchr(s, '[', n) &&
	    (!memchr(s, '.', n) || looks_random(s, n));
}

/* Of a signature of AWS, version 4 */
static bool
aws_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e;

	if (named_same(c, nm, "signature"))
		return (e = scan_word_end(c, i, ",;&", SECRET_LOOK)) - i >= 32 &&
		    looks_secret(c->s + i, e - i, 32) &&
		    !memchr(c->s + i, '(', e - i) && !memchr(c->s + i, '.', e - i);
	return named_same(c, nm, "credential") &&
	    (e = scan_word_end(c, i, ",;&", SECRET_LOOK)) - i >= 20 && memchr(c->s + i, '/', e - i);
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
		if (at(c, e) != '&' || !named_quoted_value(c, nm, i, e) || scan_mark(c, i))
			return 0;
		scan_add(c, i, e, named_rule_of(nm, RULE_ENV), -1);
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
		i = named_next_line(c, i + k - (at(c, i + k) == 'n'), &indent);
		return i + indent;
	}
	return i;
}

/* r"...", N'...', Some("...") */
static size_t
string_prefix(struct scan *c, size_t i)
{
	size_t e = i;

	if ((at(c, i) == '$' || at(c, i) == '@') &&
	    (at(c, i + 1) == '\'' || at(c, i + 1 + backslashes(c, i + 1)) == '"'))
		return i + 1;
	while (e - i < 24 && isalpha(at(c, e)))
		e++;
	if (e - i == 1 && strchr("fFrRbBuUN", c->s[i]) &&
	    (at(c, e) == '\'' || at(c, e + backslashes(c, e)) == '"'))
		return e;
	if (e > i && at(c, e) == '(' && (!strncmp(c->s + i, "Some", e - i) ||
	    !strncmp(c->s + i, "String.new", e - i) || !strncasecmp(c->s + i, "password", e - i)))
		return e + 1;
	return i;
}

/* """...""" and '''...''' */
static size_t
triple_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t k = backslashes(c, i), from, e;
	int q = at(c, i + k);

	if ((q != '"' && q != '\'') || !(named_is_sure(nm) || nm->kind == NAME_TOKEN))
		return 0;
	from = i + k + 1;
	if (backslashes(c, from) != k || at(c, from + k) != q ||
	    backslashes(c, from + k + 1) != k || at(c, from + 2 * k + 1) != q)
		return 0;
	from += 2 * k + 2;
	c->value = from;
	e = scan_quote_end(c, from, q, k, SECRET_LOOK);
	if (e <= from || e == c->n)
		return 0;
	scan_add(c, from, e, named_rule_of(nm, RULE_ENV), -1);
	return e;
}

/* A string on the next line, in brackets, in a call: ("value"), []byte("value") */
static size_t
wrapped_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t from = i, end;
	bool call = false;

	if (!named_is_sure(nm) && nm->kind != NAME_TOKEN)
		return 0;
	if (scan_eol(c, i) || at(c, i) == '(') {
		i = named_skip_space(c, i + (at(c, i) == '('));
		return named_compared_value(c, nm, i);
	}
	while (i - from < 32 && (isalnum(at(c, i)) ||
	    (at(c, i) > 0 && strchr("_.[]:$(", c->s[i])))) {
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
	scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
	return end;
}

/* name=value; i behind the sign */
size_t
named_equals_value(struct scan *c, const struct named *nm, size_t i, bool hex)
{
	struct start st = named_start_of(c, nm->from);
	int before = nm->from ? (unsigned char)c->s[nm->from - 1] : -1;
	bool url = before == '?' || before == '&';
	const char *stop = nm->caps || nm->flag ? ";" : ",;)}]&";
	size_t e;

	if (hex || (nm->from >= 3 && c->s[nm->from - 3] == '%' &&
	    strchr("23", c->s[nm->from - 2]) && strchr("6Ff", before)))
		return named_param_value(c, nm, i, true);
	if (url)
		return named_param_value(c, nm, i, false);
	if (at(c, i) == '&' && (e = entity_value(c, nm, i)))
		return e;
	/* a form: name=value& from the start */
	if (st.line || st.q) {
		e = scan_word_end(c, i, "&#", SECRET_LOOK);
		if (at(c, e) == '&' && at(c, e + 1) != '&')
			return named_param_value(c, nm, i, false);
	}
	i = named_skip_blank(c, i);
	c->value = i;
	if (closes(c, i, st))
		return 0;
	i = scan_color(c, continued(c, i));
	if ((e = triple_value(c, nm, i)) || (e = named_string_value(c, nm, string_prefix(c, i),
	    named_rule_of(nm, RULE_ENV))) ||
	    (e = wrapped_value(c, nm, i)))
		return e;
	if (aws_value(c, nm, i))
		return named_add_word(c, i, ",;&", RULE_KEY);
	e = scan_word_end(c, i, stop, SECRET_LOOK);
	if (st.line && !nm->flag)
		e = named_line_word_end(c, i, e);
	if (!word_value(c, nm, st, i, e))
		return 0;
	e = scan_word_end(c, i, stop, SIZE_MAX);
	if (st.line && !nm->flag)
		e = named_line_word_end(c, i, e);
	scan_add(c, i, e, named_rule_of(nm, nm->flag ? RULE_FLAG : RULE_ENV), -1);
	return e;
}

/* --name value */
size_t
named_flag_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e, n;

	while (at(c, i) == ' ')
		i++;
	c->value = i;
	if ((e = named_string_value(c, nm, i, named_rule_of(nm, RULE_FLAG))))
		return e;
	e = scan_word_end(c, i, ";|&", SECRET_LOOK);
	n = e - i;
	if (!n || c->s[i] == '-' || looks_hollow(c->s + i, n) || named_prose(c->s + i, n) ||
	    !(nm->kind == NAME_SECRET || nm->kind == NAME_HEADER || nm->kind == NAME_USER ||
	    looks_secret(c->s + i, n, 6)))
		return 0;
	return named_add_word(c, i, ";|&", named_rule_of(nm, RULE_FLAG));
}
