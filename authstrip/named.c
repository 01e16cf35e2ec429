/* named.c - see scan.h, named.h. Values that are credentials because of the name before them */
#include "named.h"

#include <stdint.h>
#include <stdlib.h>

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
		return named_string_value(c, nm, i, named_rule_of(nm, RULE_KEY));
	c->value = i;
	e = scan_word_end(c, i, ",", SECRET_LOOK);
	if (!named_is_sure(nm) || !scan_eol(c, e) || !looks_strong(c->s + i, e - i))
		return 0;
	scan_add(c, i, e, named_rule_of(nm, RULE_KEY), -1);
	return e;
}

/* Behind a string that is a name: "NAME" == "value", <x name="NAME">value< */
static size_t
behind_string(struct scan *c, const struct named *nm, size_t i, int q)
{
	(void)q;
	if (at(c, i) == '=' && at(c, i + 1) == '>')
		return named_json_value(c, nm, i + 2, -1);
	return at(c, i) == '>' ? named_pair_value(c, nm, i) : 0;
}

/* Behind the closing quote of a name at i; q and k are that quote's. */
static size_t
after_quote(struct scan *c, const struct named *nm, size_t i, int q, size_t k)
{
	size_t v = named_skip_space(c, i);
	int ch = at(c, v);

	if (ch == ']') {	/* environ["NAME"] = "value" */
		v = named_skip_space(c, v + 1);
		ch = at(c, v);
		if (ch == '=' && at(c, v + 1) == '>') {
			/* what PHP dumps: => string(8) "value" */
			for (v = named_skip_space(c, v + 2);
			    isalnum(at(c, v)) || at(c, v) == '(' || at(c, v) == ')'; v++)
				;
			return named_string_value(c, nm, named_skip_space(c, v),
			    named_rule_of(nm, RULE_ENV));
		}
		if (ch == '=' && at(c, v + 1) != '=')
			return named_string_value(c, nm, named_skip_space(c, v + 1),
			    named_rule_of(nm, RULE_ENV));
		/* || "value", ||= "value" */
		if ((ch == '|' || ch == '?') && at(c, v + 1) == ch && named_is_sure(nm))
			return named_compared_value(c, nm, v + 2);
		return 0;
	}
	if (ch == ')' && named_is_sure(nm))
		return named_chained_value(c, nm, v + 1);
	if (ch == '=' && at(c, v + 1) != '=' && at(c, v + 1) != '>' &&
	    (named_is_sure(nm) || nm->kind == NAME_TOKEN) && v > i)
		/* "name" = "value" of TOML */
		return named_string_value(c, nm, named_skip_space(c, v + 1),
		    named_rule_of(nm, RULE_ENV));
	if (scan_eol(c, i) && (v = named_part_value(c, nm, i)))
		return v;
	v = named_skip_space(c, i);
	if (ch == ':')
		return named_json_value(c, nm, v + 1, q == '"' ? (int)k : -1) ?: bare_value(c, nm,
		    v + 1);
	if (ch == '{' && nm->from > 10 && memmem(c->s + nm->from - 11, 11, "variable", 8))
		return named_pair_value(c, nm, v + 1);
	if (ch == '=' && at(c, v + 1) == '>')
		return named_json_value(c, nm, v + 2, -1);
	if (ch == '.' || ch == '=' || ch == '>')
		return behind_string(c, nm, v, q);
	if (ch != ',')
		return named_pair_value(c, nm, i);
	/* the next argument; or a pair of a list of headers */
	v = named_skip_space(c, v + 1);
	if (nm->flag)
		return named_string_value(c, &(struct named){ nm->from, nm->end,
		    nm->kind == NAME_USER ? NAME_USER : NAME_SECRET, nm->rule,
		    false, true, false, nm->outer, true }, v,
		    named_rule_of(nm, RULE_FLAG)) ?: named_pair_value(c, nm, i);
	if (nm->from && named_dotted(c, nm) && c->s[named_dotted(c, nm) - 1] == q)
		return named_second_value(c, nm, v, q) ?: named_pair_value(c, nm, i);
	return 0;
}

/* Where neither a colon nor a sign of equality follows the name, but what is at i, with
 * blanks before it if that is not `from`. */
static size_t
loose_value(struct scan *c, const struct named *nm, size_t from, size_t i)
{
	struct start st = named_start_of(c, nm->from);
	int ch = at(c, i);
	size_t e;

	if (ch == ',' && named_is_sure(nm) && i == nm->end && nm->from > 1 &&
	    c->s[nm->from - 1] == ' ' && c->s[nm->from - 2] == ':')
		return named_pair_value(c, nm, i + 1);
	/* <key>NAME</key><string>value</string> */
	if (ch == '<' && at(c, i + 1) == '/' && at(c, i + 2) == 'k')
		return named_plist_value(c, nm, i);
	if (ch == '.' && c->n - i > 8 && !memcmp(c->s + i, ".equals(", 8) && named_is_sure(nm))
		return named_compared_value(c, nm, i + 8);
	if (nm->from && (c->s[nm->from - 1] == '<' || c->s[nm->from - 1] == ':') && i > nm->end &&
	    (e = named_tag_value(c, nm, i)))
		return e;
	if (ch == '|' && i > from && named_is_sure(nm))	/* a table */
		return named_table_value(c, nm, i + 1);
	/* CURLOPT_PASSWORD, "value" */
	if (ch == ',' && nm->caps && named_is_sure(nm) && (e = named_compared_value(c, nm, i + 1)))
		return e;
	if ((ch == '(' || ch == '{') && i == nm->end &&
	    (named_is_sure(nm) || nm->kind == NAME_TOKEN))
		return named_called_value(c, nm, i + 1);
	if (nm->flag && i > from && (e = named_flag_value(c, nm, i)))
		return e;
	if (scan_eol(c, i) && named_is_sure(nm))
		return named_pair_value(c, nm, i);
	if (i > from && (e = named_command_value(c, nm, i, st)))
		return e;
	/* of Go */
	if (i > from && (named_is_sure(nm) || nm->kind == NAME_TOKEN) &&
	    (e = named_typed_value(c, nm, i)))
		return e;
	if (i > from && nm->kind == NAME_RANDOM && (e = named_said_value(c, nm, i)))
		return e;
	if (i == from || nm->kind == NAME_QUERY || nm->kind == NAME_ANY || nm->kind == NAME_PWD ||
	    nm->kind == NAME_AUTH)
		return 0;
	return named_for_value(c, nm, i) ?: named_spaced_value(c, nm, i, st) ?:
	    named_said_value(c, nm, i);
}

static size_t
value_of(struct scan *c, const struct named *nm)
{
	size_t i = nm->end, k = backslashes(c, i), from = i, e;
	int q = at(c, i + k), ch;

	if (q == '"' || q == '\'')
		return after_quote(c, nm, i + k + 1, q, k);
	if (at(c, i) == '>' && nm->from && (c->s[nm->from - 1] == '<' || c->s[nm->from - 1] == ':'))
		return named_xml_value(c, nm, i + 1);
	if (at(c, i) == '%' && at(c, i + 1) == '3' && (at(c, i + 2) | 0x20) == 'd')
		return named_equals_value(c, nm, i + 3, true);
	if (at(c, i) == '&' && (e = named_escaped_tag(c, nm, i)))
		return e;
	if ((at(c, i) == ']' || at(c, i) == '%') && (e = named_bracket_value(c, nm, i)))
		return e;
	i = from = scan_color(c, i);
	for (int stars = 0; stars < 2 && at(c, i) == '*'; stars++)	/* **Password**: value */
		from = ++i;
	k = backslashes(c, i);
	if (at(c, i + k) == '"' && i > nm->end) {	/* a string in colours */
		i += k + 1;
		from = i;
	}
	i = named_skip_blank(c, i);
	ch = at(c, i);
	if (ch == '[' && at(c, i + 1) == ']')	/* of C */
		for (i += 2; (ch = at(c, i)) == ' '; i++)
			;
	if (ch == ':' && (at(c, i + 1) == '-' || at(c, i + 1) == '=') && nm->from > 1 &&
	    c->s[nm->from - 1] == '{')
		return named_default_value(c, nm, i + 2);
	if (ch == ':' && at(c, i + 1) == '=')
		return named_equals_value(c, nm, i + 2, false);
	if (ch == ':')
		return named_colon_value(c, nm, i + 1);
	if (ch > 0 && strchr("-<|;=\xe2", ch) && (e = named_pointed_value(c, nm, i)))
		return e;
	if (ch == '=' && at(c, i + 1) == '>')
		return named_json_value(c, nm, i + 2, -1);
	if ((ch == ',' || ch == ')' || ch == '`') && (e = named_insert_value(c, nm, i)))
		return e;
	if (ch == '=' && at(c, i + 1) == '=')
		return named_is_sure(nm) ? named_compared_value(c, nm, i + 2) : 0;
	if (ch == '=')
		return named_equals_value(c, nm, i + 1, false);
	if (ch > 0 && strchr("?.+|&!", ch)) {	/* ?= .= ||= */
		for (e = i + 1; e - i < 3 && at(c, e) == ch; e++)
			;
		if (at(c, e) == '=' && at(c, e + 1) != '=')
			return named_equals_value(c, nm, e + 1, false);
		/* NAME || "value" */
		if (e - i == 2 && (ch == '|' || ch == '?') && nm->caps && named_is_sure(nm))
			return named_compared_value(c, nm, e);
	}
	return loose_value(c, nm, from, i);
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
	i = named_skip_space(c, i + k + 1);
	if (at(c, i) != ':')
		return 0;
	v = named_skip_space(c, i + 1);
	if (!(q = named_open_quote(c, &v, &k)))
		return 0;
	e = scan_quote_end(c, v, q, k, SECRET_LOOK);
	i = named_skip_space(c, e + k + 1);
	if (e == v || at(c, i) != ',' || scan_mark(c, v))
		return 0;
	i = named_skip_space(c, i + 1);
	if (!scan_argument(c, i, "", &from, &end) || end - from > 4 ||
	    (strncasecmp(c->s + from, "name", 4) && strncasecmp(c->s + from, "key", 3)))
		return 0;
	i = named_skip_space(c, end + backslashes(c, end) + 1);
	if (at(c, i) != ':' || !scan_argument(c, named_skip_space(c, i + 1), "", &from, &end) ||
	    end - from > NAME_MAX_LEN)
		return 0;
	nm.from = from;
	nm.end = end;
	nm.kind = rules_name(c->r, c->s + from, end - from, &nm.rule);
	nm.caps = true;
	for (i = from; i < end; i++)
		nm.caps = nm.caps && !islower((unsigned char)c->s[i]);
	c->value = v;
	if (!named_quoted_value(c, &nm, v, e) ||
	    (!named_is_sure(&nm) && !looks_strong(c->s + v, e - v)))
		return 0;
	scan_add(c, v, e, named_rule_of(&nm, RULE_KEY), -1);
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
	while (nm.from > c->floor && pos - nm.from <= NAME_MAX_LEN &&
	    name_char((unsigned char)c->s[nm.from - 1]))
		nm.from--;
	nm.from = scan_word_start(c, nm.from, pos);
	if (nm.from > pos)
		return 0;
	for (nm.end = pos + (len > 4 ? 4 : len);
	    nm.end - pos <= NAME_MAX_LEN && name_char(at(c, nm.end)); nm.end++)
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
