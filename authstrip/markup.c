/* markup.c - see named.h. Names and values of XML, forms, tables */
#include "named.h"

#include <stdint.h>
#include <stdlib.h>

/* Whether the name in quotes is what <x name="..."> or <x key="..."> is called. */
static bool
is_attribute(struct scan *c, const struct named *nm)
{
	size_t i = named_dotted(c, nm);

	while (i && (c->s[i - 1] == '\\' || c->s[i - 1] == '"' || c->s[i - 1] == '\'' ||
	    c->s[i - 1] == '='))
		i--;
	return (i >= 4 && !strncasecmp(c->s + i - 4, "name", 4)) ||
	    (i >= 3 && !strncasecmp(c->s + i - 3, "key", 3));
}

/* {"name":"NAME","value":"..."}, <x key="NAME" value="..."/>, <x name="NAME">...</x>; i is
 * behind the name. */
size_t
named_pair_value(struct scan *c, const struct named *nm, size_t i)
{
	static const char *const keys[] = { "value", "content", "val", "default", "string",
	    "newvalue", "new_value", "parametervalue", "settingvalue" };
	size_t end = c->n - i > 160 ? i + 160 : c->n, from, e, n;

	if (!named_is_sure(nm) && nm->kind != NAME_TOKEN && nm->kind != NAME_RANDOM &&
	    nm->kind != NAME_COOKIE && nm->kind != NAME_PWD)
		return 0;
	for (; i < end; i++) {
		int ch = at(c, i);
		size_t w, k, v;

		if (ch == '}' || ch == '{' || ch == ';' || ch == '(')
			return 0;
		if (ch == '>' && at(c, i + 1) != '<' && at(c, i + 1) != '\\' &&
		    at(c, i + 1) != '\n') {
			if (!is_attribute(c, nm))
				return 0;
			e = c->value = i + 1;
			while (e - i < SECRET_LOOK && at(c, e) >= 0 && c->s[e] != '<')
				e++;
			if (at(c, e) != '<' || at(c, e + 1) != '/' || !named_quoted_value(c, nm,
			    i + 1, e) || named_prose(c->s + i + 1, e - i - 1))
				return 0;
			scan_add(c, i + 1, e, named_rule_of(nm, RULE_KEY), -1);
			return e;
		}
		if (!isalpha(ch) || (i &&
		    (isalnum((unsigned char)c->s[i - 1]) || c->s[i - 1] == '_')))
			continue;
		for (w = 0; w < sizeof(keys) / sizeof(*keys); w++)
			if (c->n - i > strlen(keys[w]) && !strncasecmp(c->s + i, keys[w],
			    strlen(keys[w])) && !name_char(at(c, i + strlen(keys[w]))))
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
		v = named_skip_space(c, v);
		if (at(c, v) != ':' && at(c, v) != '=')
			continue;
		v = named_skip_space(c, v + 1);
		if (!scan_argument(c, v, ",}", &from, &e))
			return 0;
		n = e - from;
		c->value = from;
		if (scan_mark(c, from) || looks_hollow(c->s + from, n) ||
		    (!named_is_sure(nm) && !looks_strong(c->s + from, n)) ||
		    named_prose(c->s + from, n) ||
		    (nm->kind == NAME_RANDOM && !looks_random(c->s + from, n)))
			return 0;
		scan_add(c, from, e, named_rule_of(nm, RULE_KEY), -1);
		return e;
	}
	return 0;
}

/* <name>value</name>, over lines, in CDATA; an attribute's name with ":" before it. */
size_t
named_xml_value(struct scan *c, const struct named *nm, size_t i)
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
	for (e = i; e - i < SECRET_LOOK && at(c, e) >= 0 && c->s[e] != '<' &&
	    !(c->s[e] == ']' && at(c, e + 1) == ']'); e++)
		;
	last = e;
	while (e > i && (c->s[e - 1] == ' ' || c->s[e - 1] == '\n'))
		e--;
	while (e > i + 1 && c->s[e - 1] == 'n' && c->s[e - 2] == '\\')
		for (e--; e > i && c->s[e - 1] == '\\'; e--)
			;
	/* a key may go over lines, words do not */
	for (size_t j = i; j < e && named_has_line_end(c, i, e); j++)
		if (!isalnum((unsigned char)c->s[j]) && !strchr("+/=\\\r\n", c->s[j]))
			return 0;
	if (at(c, last) < 0 || e == i || !named_quoted_value(c, nm, i, e) ||
	    memchr(c->s + i, '{', e - i) || (c->s[last] == '<' && at(c, last + 1) != '/'))
		return 0;
	scan_add(c, i, e, named_rule_of(nm, RULE_KEY), -1);
	return e;
}

/* <name attribute="x">value</name> */
size_t
named_tag_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t end = i + 160;

	for (; i < end && at(c, i) >= 0 && c->s[i] != '>' && c->s[i] != '<' && c->s[i] != ';'; i++)
		;
	return at(c, i) == '>' && i < end && c->s[i - 1] != '/' && c->s[i - 1] != '-' &&
	    c->s[i - 1] != '=' ? named_xml_value(c, nm, i + 1) : 0;
}

size_t
named_plist_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t end = i + 60;

	for (; i < end && at(c, i) >= 0; i++)
		if (c->n - i > 8 && !memcmp(c->s + i, "<string>", 8))
			return named_xml_value(c, nm, i + 8);
	return 0;
}

/* | NAME | value | */
size_t
named_table_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t e;

	while (at(c, i) == ' ' || at(c, i) == '`')
		i++;
	c->value = i;
	e = scan_word_end(c, i, "|", SECRET_LOOK);
	if (!looks_strong(c->s + i, e - i) || e - i < 8)
		return 0;
	scan_add(c, i, e, named_rule_of(nm, RULE_ENV), -1);
	return e;
}

/* &lt;name&gt;value&lt; */
size_t
named_escaped_tag(struct scan *c, const struct named *nm, size_t i)
{
	size_t e = i + 4;

	if (nm->from < 4 || c->n - i < 4 || memcmp(c->s + nm->from - 4, "&lt;", 4) ||
	    memcmp(c->s + i, "&gt;", 4))
		return 0;
	c->value = e;
	e = scan_word_end(c, e, "&", SECRET_LOOK);
	if (at(c, e) != '&' || e == i + 4 || !named_quoted_value(c, nm, i + 4, e))
		return 0;
	scan_add(c, i + 4, e, named_rule_of(nm, RULE_KEY), -1);
	return e;
}

/* What a form of several parts has below name="NAME" and a line that is empty. */
size_t
named_part_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t indent, e, ends = 0;

	if (!is_attribute(c, nm) || (!named_is_sure(nm) && nm->kind != NAME_TOKEN))
		return 0;
	for (; scan_eol(c, i) && ends < 2; ends++)
		i = named_next_line(c, i, &indent);
	if (ends < 2)
		return 0;
	c->value = i;
	e = scan_word_end(c, i, "", SECRET_LOOK);
	if (e == i || !scan_eol(c, e) || looks_hollow(c->s + i, e - i))
		return 0;
	scan_add(c, i, e, named_rule_of(nm, RULE_PARAM), -1);
	return e;
}
