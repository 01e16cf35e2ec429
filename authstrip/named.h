/*
 * named.h - a name of a credential, and the value that follows it
 *
 * The name is found by named.c; what follows says which of the looks below is meant.
 * Each returns the end of what it found, 0 for nothing; what it finds is added to
 * the scan's list.
 */
#ifndef NAMED_H
#define NAMED_H

#include "scan.h"

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

/* How the name begins: at the start of a line, behind CR LF, in quotes. */
struct start { bool line, crlf; int q; size_t k; };

static inline bool
name_char(int ch)
{
	return isalnum(ch) || ch == '_' || ch == '-';
}

#define IS_WORD(s, n, words) is_word(s, n, words, sizeof(words) / sizeof(*(words)))

/* --- value.c ------------------------------------------------------------ */
/* Behind what separates words on a line: spaces, tabs as they are or escaped, blanks
 * that nobody sees. */
size_t named_skip_blank(struct scan *c, size_t i);
int named_rule_of(const struct named *nm, int rule);
bool named_short_name(struct scan *c, const struct named *nm);
/* A name that says it all; an environment variable's does. */
bool named_is_sure(const struct named *nm);
bool named_has_digit(const char *s, size_t n);
/* Something that is no digit. */
bool named_has_other(const char *s, size_t n);
/* In quotes: a JSON string, a string of a program. */
bool named_quoted_value(struct scan *c, const struct named *nm, size_t v, size_t e);
/* Words that follow a name in prose. */
bool named_prose(const char *s, size_t n);
/* An opening quote at *i, behind backslashes; steps over it. */
int named_open_quote(struct scan *c, size_t *i, size_t *k);
size_t named_skip_space(struct scan *c, size_t i);
bool named_has_line_end(struct scan *c, size_t i, size_t end);
/* Only a part of these is secret. */
void named_add_part(struct scan *c, const struct named *nm, size_t v, size_t e, int rule);
/* Whether the quote at i ends a string of JSON, in which the name's quotes are
 * not closed: "} or ] or ," follow. */
bool named_string_ends(struct scan *c, size_t i);
/* A string at i; returns the end, 0 when there is none or it is none of ours. */
size_t named_string_value(struct scan *c, const struct named *nm, size_t i, int rule);
/* A value as in JSON: behind the colon. nq: the backslashes of the name's quote. */
size_t named_json_value(struct scan *c, const struct named *nm, size_t i, int nq);
bool named_same(struct scan *c, const struct named *nm, const char *word);
/* A word that is a credential, to its end. */
size_t named_add_word(struct scan *c, size_t i, const char *stop, int rule);
/* Marks that end a value end none of a line's only value when more follows at once. */
size_t named_line_word_end(struct scan *c, size_t i, size_t e);
/* Behind a line end at i; *indent: the spaces after it. 0: there is none. */
size_t named_next_line(struct scan *c, size_t i, size_t *indent);

/* --- setting.c ------------------------------------------------------------ */
struct start named_start_of(struct scan *c, size_t i);
/* name: type = "value" */
size_t named_typed_value(struct scan *c, const struct named *nm, size_t i);
/* name: value */
size_t named_colon_value(struct scan *c, const struct named *nm, size_t i);
/* ?name=value&, also behind percent codes */
size_t named_param_value(struct scan *c, const struct named *nm, size_t i, bool hex);
/* name=value; i behind the sign */
size_t named_equals_value(struct scan *c, const struct named *nm, size_t i, bool hex);
/* --name value */
size_t named_flag_value(struct scan *c, const struct named *nm, size_t i);

/* --- code.c ------------------------------------------------------------ */
/* if password == "value" */
size_t named_compared_value(struct scan *c, const struct named *nm, size_t i);
/* Where a name begins with what is before its dots: "db.password", "#password". */
size_t named_dotted(struct scan *c, const struct named *nm);
/* define("NAME", "value"), ["name", "value"] */
size_t named_second_value(struct scan *c, const struct named *nm, size_t v, int q);
/* fetch("NAME") { "value" }, get("#name").type("value") */
size_t named_chained_value(struct scan *c, const struct named *nm, size_t i);
/* NAME value, behind a word that sets: setenv, set -x, define, aws configure set,
 * WITH PASSWORD and a string; the three words of a netrc; "password is". */
size_t named_spaced_value(struct scan *c, const struct named *nm, size_t i, struct start st);
/* password("value"), with_api_key("value") */
size_t named_called_value(struct scan *c, const struct named *nm, size_t i);
/* What a password is set to: SET PASSWORD FOR user = string. */
size_t named_for_value(struct scan *c, const struct named *nm, size_t i);
/* ${NAME:-value} */
size_t named_default_value(struct scan *c, const struct named *nm, size_t i);
/* A word that is strong behind a sign that says so: -> <- => | ; and the like. */
size_t named_pointed_value(struct scan *c, const struct named *nm, size_t i);
/* user[password]=value, also with %5B and %5D */
size_t named_bracket_value(struct scan *c, const struct named *nm, size_t i);
/* A line of a protocol: PASS value, AUTH value, AUTH PLAIN value. */
size_t named_command_value(struct scan *c, const struct named *nm, size_t i, struct start st);
/* INSERT INTO t (a, NAME) VALUES ('x', 'value'), ...: i is behind the name. */
size_t named_insert_value(struct scan *c, const struct named *nm, size_t i);

/* --- prose.c ------------------------------------------------------------ */
/* "the password for bob is VALUE": what looks thrown by dice, behind words that lead to it. */
size_t named_said_value(struct scan *c, const struct named *nm, size_t i);

/* --- markup.c ------------------------------------------------------------ */
/* {"name":"NAME","value":"..."}, <x key="NAME" value="..."/>, <x name="NAME">...</x>; i is
 * behind the name. */
size_t named_pair_value(struct scan *c, const struct named *nm, size_t i);
/* <name>value</name>, over lines, in CDATA; an attribute's name with ":" before it. */
size_t named_xml_value(struct scan *c, const struct named *nm, size_t i);
/* <name attribute="x">value</name> */
size_t named_tag_value(struct scan *c, const struct named *nm, size_t i);
size_t named_plist_value(struct scan *c, const struct named *nm, size_t i);
/* | NAME | value | */
size_t named_table_value(struct scan *c, const struct named *nm, size_t i);
/* &lt;name&gt;value&lt; */
size_t named_escaped_tag(struct scan *c, const struct named *nm, size_t i);
/* What a form of several parts has below name="NAME" and a line that is empty. */
size_t named_part_value(struct scan *c, const struct named *nm, size_t i);

#endif
