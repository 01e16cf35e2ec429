/* code.c - see named.h. Names and values of programs, SQL, protocols */
#include "named.h"

#include <stdint.h>
#include <stdlib.h>

/* if password == "value" */
size_t
named_compared_value(struct scan *c, const struct named *nm, size_t i)
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
	scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
	return end;
}

/* Where a name begins with what is before its dots: "db.password", "#password". */
size_t
named_dotted(struct scan *c, const struct named *nm)
{
	size_t i = nm->from;

	while (i > c->floor && nm->from - i < NAME_MAX_LEN &&
	    (name_char((unsigned char)c->s[i - 1]) || c->s[i - 1] == '.' || c->s[i - 1] == '#'))
		i--;
	return i;
}

/* What stands before the name's opening quote. */
static int
before_quote(struct scan *c, const struct named *nm)
{
	size_t i = named_dotted(c, nm);

	i -= i > 0;

	while (i && (c->s[i - 1] == '\\' || c->s[i - 1] == ' ' || c->s[i - 1] == 'N'))
		i--;
	return i ? (unsigned char)c->s[i - 1] : -1;
}

/* define("NAME", "value"), ["name", "value"] */
size_t
named_second_value(struct scan *c, const struct named *nm, size_t v, int q)
{
	size_t from = v, e, k, n;
	int vq = named_open_quote(c, &from, &k), before = before_quote(c, nm);
	bool header = nm->kind == NAME_HEADER || nm->kind == NAME_COOKIE;

	e = vq ? scan_quote_end(c, from, vq, k, SECRET_LOOK) : 0;
	if (vq && (before == '(' || before == '[' || before == ',') &&
	    (named_is_sure(nm) || nm->kind == NAME_TOKEN))
		c->value = from;
	if (e <= from || looks_hollow(c->s + from, e - from))
		return 0;
	n = e - from;
	if (header && (memchr(c->s + from, ' ', n) || memchr(c->s + from, '=', n) ||
	    looks_dice(c->s + from, n)))
		return named_string_value(c, nm, v, named_rule_of(nm, RULE_HEADER));
	if (before != '(' && before != '[' &&
	    !(before == ',' && named_is_sure(nm) && looks_dice(c->s + from, n)))
		return 0;
	(void)q;
	if (before == '(' && nm->caps && named_is_sure(nm) ? n < 3 || named_prose(c->s + from, n) ||
	    memchr(c->s + from, ' ', n) :
	    !(named_is_sure(nm) || nm->kind == NAME_TOKEN) || !looks_strong(c->s + from, n) ||
	    (before == '[' && !looks_dice(c->s + from, n)))
		return 0;
	c->value = from;
	scan_add(c, from, e, named_rule_of(nm, RULE_ENV), -1);
	return e;
}

/* fetch("NAME") { "value" }, get("#name").type("value") */
size_t
named_chained_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const calls[] = { ".type(", ".fill(", ".send_keys(", ".sendKeys(",
	    ".setValue(" };

	if (at(c, i) == ' ' && at(c, i + 1) == '{')
		return named_compared_value(c, nm, i + 2);
	for (size_t k = 0; k < sizeof(calls) / sizeof(*calls); k++)
		if (c->n - i > strlen(calls[k]) && !memcmp(c->s + i, calls[k], strlen(calls[k])))
			return named_compared_value(c, nm, i + strlen(calls[k]));
	return 0;
}

/* The word before s[i], which ends in spaces; its length. */
static size_t
word_before(struct scan *c, size_t i, size_t *n)
{
	size_t e = i;

	while (e > c->floor && (c->s[e - 1] == ' ' || c->s[e - 1] == '"' || c->s[e - 1] == '\''))
		e--;
	for (i = e; i > c->floor && e - i < 24 &&
	    (name_char((unsigned char)c->s[i - 1]) || c->s[i - 1] == '#' ||
	    c->s[i - 1] == '.'); i--)
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

/* NAME value, behind a word that sets: setenv, set -x, define, aws configure set,
 * WITH PASSWORD and a string; the three words of a netrc; "password is". */
size_t
named_spaced_value(struct scan *c, const struct named *nm, size_t i, struct start st)
{
	static const char *const verbs[] = {
		"setenv", "set", "-x", "-gx", "-ux", "-xg", "-Ux", "-lx", "setx", "#define",
		"define", "setq", "setopt", "configure", "config", "add", "export", "default.set",
		"put",
	};
	static const char *const sql[] = { "with", "encrypted", "set", "login", "user", "role",
	    "by", "superuser", "and", "createdb", "type" };
	static const char *const starts[] = { "requirepass", "masterauth", "psk",
	    "wpa_passphrase" };
	static const char *const says[] = { "is", "was", "are", "=", "token", "key" };
	size_t n, from, end, w = word_before(c, nm->from, &n),
	    low = nm->from > 256 ? nm->from - 256 : 0;
	bool quoted = at(c, i + backslashes(c, i)) == '\'' || at(c, i + backslashes(c, i)) == '"',
	    in_netrc, verb = n && IS_WORD(c->s + w, n, verbs);

	if (at(c, i) == 'N' && at(c, i + 1) == '\'')
		quoted = true, i++;
	if (!scan_argument(c, i, ",;)|", &from, &end))
		return 0;
	/* password 7 value */
	if (end == from + 1 && isdigit((unsigned char)c->s[from]) && at(c, end) == ' ' &&
	    named_is_sure(nm)) {
		if (!scan_argument(c, end + 1, "", &from, &end) ||
		    !looks_strong(c->s + from, end - from))
			return 0;
		c->value = from;
		scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
		return end;
	}
	if (scan_mark(c, from) || looks_hollow(c->s + from, end - from) || c->s[from] == '-')
		return 0;
	in_netrc = !strncasecmp(c->s + nm->from, "password", 8) && nm->end - nm->from == 8 &&
	    (memmem(c->s + low, nm->from - low, "machine ", 8) ||
	    memmem(c->s + low, nm->from - low, "default ", 8)) &&
	    memmem(c->s + low, nm->from - low, "login ", 6);
	/* nothing waits for the end of a word of prose */
	if (in_netrc || verb || quoted ||
	    (st.line && IS_WORD(c->s + nm->from, nm->end - nm->from, starts)) ||
	    (end - from >= 4 && named_has_digit(c->s + from, end - from)))
		c->value = from;
	if (in_netrc || (st.line && IS_WORD(c->s + nm->from, nm->end - nm->from, starts)))
		;
	else if (verb && (named_is_sure(nm) || nm->kind == NAME_TOKEN)) {
		if (named_prose(c->s + from, end - from) ||
		    (!nm->caps && !quoted && !looks_strong(c->s + from, end - from)))
			return 0;
	} else if (quoted && named_is_sure(nm) && n && IS_WORD(c->s + w, n, sql)) {
		if (named_prose(c->s + from, end - from))
			return 0;
	} else if (quoted && nm->caps && named_is_sure(nm) && at(c, end) != ' ' &&
	    looks_strong(c->s + from, end - from)) {
		;
	} else if (!quoted && IS_WORD(c->s + from, end - from - (c->s[end - 1] == ':'), says) &&
	    at(c, end) >= 0) {
		i = end;
		while (at(c, i) == ' ' || at(c, i) == ':')
			i++;
		if (!scan_argument(c, i, ",;)", &from, &end))
			return 0;
		c->value = end - from >= 4 && named_has_digit(c->s + from, end - from) ? from :
		    SIZE_MAX;
		if (!looks_dice(c->s + from, end - from) || end - from < 16)
			return 0;
	} else if (!(nm->kind == NAME_SECRET || nm->kind == NAME_HEADER ||
	    nm->kind == NAME_TOKEN) || !looks_dice(c->s + from, end - from) || end - from < 20) {
		return 0;
	}
	scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
	return end;
}

/* password("value"), with_api_key("value") */
size_t
named_called_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t from, end;

	if (at(c, i) == 'N')
		i++;
	if (at(c, i + backslashes(c, i)) != '"' && at(c, i + backslashes(c, i)) != '\'')
		return 0;
	c->value = i + backslashes(c, i) + 1;
	if (!scan_argument(c, i, "", &from, &end) || looks_hollow(c->s + from, end - from) ||
	    !looks_strong(c->s + from, end - from))
		return 0;
	scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
	return end;
}

/* What a password is set to: SET PASSWORD FOR user = string. */
size_t
named_for_value(struct scan *c, const struct named *nm, size_t i)
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
	return named_string_value(c, nm, i, named_rule_of(nm, RULE_ENV));
}

/* ${NAME:-value} */
size_t
named_default_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e = i;

	c->value = i;
	while (at(c, e) > ' ' && !strchr("}\"'\\", c->s[e]))
		e++;
	if (at(c, e) != '}' || e == i || looks_hollow(c->s + i, e - i) ||
	    named_prose(c->s + i, e - i))
		return 0;
	scan_add(c, i, e, named_rule_of(nm, RULE_ENV), -1);
	return e;
}

/* A word that is strong behind a sign that says so: -> <- => | ; and the like. */
size_t
named_pointed_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const signs[] = { "->", "<-", "=>", "|", ";", "\xe2\x86\x92" };
	size_t from, end, n;

	if (!named_is_sure(nm))
		return 0;
	for (size_t k = 0; k < sizeof(signs) / sizeof(*signs); k++) {
		n = strlen(signs[k]);
		if (c->n - i <= n || memcmp(c->s + i, signs[k], n))
			continue;
		i = named_skip_blank(c, i + n);
		c->value = i;
		if (!scan_argument(c, i, "|;,)", &from, &end) ||
		    !looks_dice(c->s + from, end - from))
			return 0;
		c->value = from;
		scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
		return end;
	}
	return 0;
}

/* user[password]=value, also with %5B and %5D */
size_t
named_bracket_value(struct scan *c, const struct named *nm, size_t i)
{
	bool hex = at(c, i) == '%' && at(c, i + 1) == '5' && (at(c, i + 2) | 0x20) == 'd';

	if (hex)
		i += 2;
	else if (at(c, i) != ']' || !nm->from || c->s[nm->from - 1] != '[')
		return 0;
	if (at(c, ++i) == '=')
		return named_param_value(c, nm, i + 1, hex);
	if (hex && at(c, i) == '%' && at(c, i + 1) == '3' && (at(c, i + 2) | 0x20) == 'd')
		return named_param_value(c, nm, i + 3, true);
	return 0;
}

/* A line of a protocol: PASS value, AUTH value, AUTH PLAIN value. */
size_t
named_command_value(struct scan *c, const struct named *nm, size_t i, struct start st)
{
	size_t from, end;
	bool pass = nm->caps && named_same(c, nm, "pass");

	if (!st.line || !(pass || (nm->caps && named_same(c, nm, "auth"))) ||
	    !scan_argument(c, i, "", &from, &end))
		return 0;
	c->value = from;
	if (!pass && end - from < 12 && at(c, end) == ' ' &&
	    !scan_argument(c, end + 1, "", &from, &end))
		return 0;
	c->value = from;
	if (!scan_eol(c, end) || !(pass ? looks_secret(c->s + from, end - from, 6) :
	    looks_dice(c->s + from, end - from)))
		return 0;
	scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
	return end;
}

static bool
sql_char(int ch)
{
	return name_char(ch) || (ch > 0 && strchr(" `\"'.,", ch));
}

/* INSERT INTO t (a, NAME) VALUES ('x', 'value'), ...: i is behind the name. */
size_t
named_insert_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t column = 0, low = nm->from > 400 ? nm->from - 400 : 0, from, end, last = 0,
	    k = nm->from;

	while (k > low && k > c->floor && sql_char((unsigned char)c->s[k - 1]))
		column += c->s[--k] == ',';
	if (k == low || c->s[k - 1] != '(' || !named_is_sure(nm))
		return 0;
	for (k = i; k - i < 400 && (sql_char(at(c, k)) || at(c, k) == '\\'); k++)
		;
	if (at(c, k) != ')')
		return 0;
	k = named_skip_space(c, k + 1);
	if (c->n - k < 7 || strncasecmp(c->s + k, "values", 6))
		return 0;
	k = named_skip_space(c, k + 6);
	for (int rows = 0; rows < 64 && at(c, k) == '('; rows++) {
		k = named_skip_space(c, k + 1);
		for (size_t n = 0; ; n++) {
			bool quoted;

			if (n == column && c->value == SIZE_MAX)
				c->value = k;
			if (at(c, k) == 'N' && at(c, k + 1) == '\'')
				k++;
			quoted = at(c, k + backslashes(c, k)) == '\'' ||
			    at(c, k + backslashes(c, k)) == '"';
			if (!scan_argument(c, k, ",)", &from, &end))
				return last;
			if (n == column && quoted && !looks_hollow(c->s + from, end - from) &&
			    !scan_mark(c, from)) {
				c->value = c->value < from ? c->value : from;
				scan_add(c, from, end, named_rule_of(nm, RULE_ENV), -1);
				last = end;
			}
			k = named_skip_space(c, quoted ? end + backslashes(c, end) + 1 : end);
			if (at(c, k) != ',')
				break;
			k = named_skip_space(c, k + 1);
		}
		if (at(c, k) != ')' || at(c, k + 1) != ',')
			return last;
		k = named_skip_space(c, k + 2);
	}
	return last;
}
