/* prose.c - see named.h. What a sentence says: "the password for bob is ..." */
#include "named.h"

#include <stdint.h>

enum {
	REACH = 96,	/* bytes from the name to its value */
	OTHERS = 2,	/* words between them that say nothing of either */
	SURE = 12,	/* bytes of what looks thrown by dice that no word is */
};

/* Words that may stand between; those before the first NULL stand before a value. */
static const char *const links[] = {
	"is", "was", "are", "were", "be", "to", "as", "it", "equals", "reads", "ist", "lautet",
	"war", "es", "est", "=", "-", "/", NULL,
	"will", "would", "must", "should", "has", "have",
	"been", "changed", "set", "reset", "updated", "now", "currently", "for", "of", "on", "in",
	"at", "from", "with", "using", "by", "your", "my", "our", "this", "that", "the", "a",
	"new", "old", "following", "value", "and", "user",
};

enum link { LINK_NONE, LINK_WORD, LINK_VALUE };

static enum link
link_of(const char *s, size_t n)
{
	enum link link = LINK_VALUE;

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		if (!links[i])
			link = LINK_WORD;
		else if (strlen(links[i]) == n && !strncasecmp(links[i], s, n))
			return link;
	}
	return LINK_NONE;
}

static bool
is_alpha(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalpha((unsigned char)s[i]))
			return false;
	return n && n <= 12;
}

/* Whether "key" or "code" is one of a credential: "the API key". */
static bool
is_named_by_word(struct scan *c, const struct named *nm)
{
	static const char *const words[] = { "api", "access", "secret", "private", "auth",
	    "session",
	    "encryption", "signing", "master", "service", "license", "recovery" };
	size_t e = nm->from, i;

	if (!named_same(c, nm, "key") && !named_same(c, nm, "code"))
		return named_same(c, nm, "credentials");
	if (!e || c->s[e - 1] != ' ')
		return false;
	for (i = --e; i > c->floor && e - i < 12 && isalpha((unsigned char)c->s[i - 1]); i--)
		;
	i = scan_word_start(c, i, e);
	for (size_t k = 0; k < sizeof(words) / sizeof(*words) && i < e; k++)
		if (strlen(words[k]) == e - i && !strncasecmp(words[k], c->s + i, e - i))
			return true;
	return false;
}

/* The value that words lead to from i on, as far as they do. */
static size_t
said_value(struct scan *c, size_t i, int rule, enum link link)
{
	size_t start = i, from, end;
	int others = 0;

	c->value = SIZE_MAX;
	while (i - start < REACH) {
		bool quoted;

		while (at(c, i) == ' ' || at(c, i) == ',' || at(c, i) == ':' || at(c, i) == '(') {
			link = c->s[i] == ':' || c->s[i] == '(' ? LINK_VALUE : link;
			i++;
		}
		if (!scan_argument(c, i, ",;)", &from, &end))
			return 0;
		quoted = from > i;
		while (!quoted && end > from && strchr(".:!?", c->s[end - 1]))
			end--;
		if (link == LINK_VALUE && end - from >= SURE &&
		    looks_dice(c->s + from, end - from)) {
			c->value = from;
			scan_add(c, from, end, rule, -1);
			return end;
		}
		if (link == LINK_VALUE && end == c->n && end - from >= 4 &&
		    named_has_digit(c->s + from, end - from))
			c->value = from;	/* it may go on */
		if (quoted || end == from || strchr(".!?", at(c, end) > 0 ? c->s[end] : ' '))
			return 0;
		link = link_of(c->s + from, end - from);
		if (link == LINK_NONE && (++others > OTHERS || !is_alpha(c->s + from, end - from)))
			return 0;
		i = end;
	}
	return 0;
}

size_t
named_said_value(struct scan *c, const struct named *nm, size_t i)
{
	size_t value = c->value, e;

	if (!named_is_sure(nm) && nm->kind != NAME_TOKEN && !is_named_by_word(c, nm))
		return 0;
	e = said_value(c, i, named_rule_of(nm, RULE_ENV), LINK_VALUE);
	if (!e && c->value > value)	/* what a look before waits for */
		c->value = value;
	return e;
}

/* A name in a language in which names are no words of programs. */
size_t
scan_said(struct scan *c, size_t pos, size_t len)
{
	static const char *const colons[] = { ":", "=", "\xef\xbc\x9a", "\xe3\x81\xaf", "\\uff1a",
	    "\\\\uff1a" };
	size_t i = named_skip_blank(c, pos + len), from, end, n;

	for (size_t k = 0; k < sizeof(colons) / sizeof(*colons); k++) {
		n = strlen(colons[k]);
		if (c->n - i <= n || memcmp(c->s + i, colons[k], n))
			continue;
		i = named_skip_blank(c, i + n);
		c->value = i;
		if (!scan_argument(c, i, ",;)", &from, &end) ||
		    !looks_strong(c->s + from, end - from))
			return 0;
		c->value = from;
		scan_add(c, from, end, RULE_ENV, -1);
		return end;
	}
	return said_value(c, i, RULE_ENV, LINK_VALUE);
}
