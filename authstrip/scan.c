/* scan.c - see scan.h */
#include "scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

enum { HOLLOW_MAX = 256, LOOKS_AT = 128 };	/* bytes, enough to judge a value by */

bool
scan_eol(struct scan *c, size_t i)
{
	int ch = at(c, i);

	if (ch == '\n' || ch == '\r')
		return true;
	if (ch != '\\')
		return false;
	i += backslashes(c, i);
	ch = at(c, i);
	if (ch != 'u')
		return ch == 'n' || ch == 'r';
	return at(c, i + 1) == '0' && at(c, i + 2) == '0' && at(c, i + 3) == '0' &&
	    (tolower(at(c, i + 4)) == 'a' || tolower(at(c, i + 4)) == 'd');
}

size_t
scan_color(struct scan *c, size_t i)
{
	for (;;) {
		size_t k = backslashes(c, i), j = i;

		if (at(c, i) == 0x1b)
			j = i + 1;
		else if (k && at(c, i + k) == 'u' && at(c, i + k + 1) == '0' &&
		    at(c, i + k + 2) == '0' && at(c, i + k + 3) == '1' &&
		    (at(c, i + k + 4) | 0x20) == 'b')
			j = i + k + 5;
		if (j == i || at(c, j) != '[')
			return i;
		for (j++; isdigit(at(c, j)) || at(c, j) == ';'; j++)
			;
		if (at(c, j) < '@')
			return i;
		i = j + 1;
	}
}

static bool
hex(int ch)
{
	return ch >= 0 && isxdigit(ch);
}

/* The letters at [from, i) may be the end of an escape, of a percent code or of
 * a terminal's colour: then the word begins behind it. */
size_t
scan_word_start(struct scan *c, size_t from, size_t i)
{
	const char *s = c->s;
	size_t low = c->floor;

	if (from > low && s[from - 1] == '\\' && from < c->n) {
		if (s[from] == 'u' && from + 5 <= c->n && hex((unsigned char)s[from + 1]) &&
		    hex((unsigned char)s[from + 2]) &&
		    hex((unsigned char)s[from + 3]) && hex((unsigned char)s[from + 4]))
			from += 5;
		else if (strchr("nrtbf", s[from]))
			from++;
	} else if (from > low && s[from - 1] == '%' && from + 2 <= c->n &&
	    hex((unsigned char)s[from]) && hex((unsigned char)s[from + 1])) {
		from += 2;
	} else if (from > low && (s[from - 1] == '[' || s[from - 1] == ';')) {
		size_t j = from;

		while (j < i && isdigit((unsigned char)s[j]))
			j++;
		if (j < c->n && s[j] == 'm')
			from = j + 1;
	}
	return from;
}

/* Inside of a long run of base64, where anything may look like a token. */
static bool
in_base64(struct scan *c, size_t i)
{
	size_t k = 0;

	while (k < 40 && i > c->floor + k && (isalnum((unsigned char)c->s[i - 1 - k]) ||
	    c->s[i - 1 - k] == '+' || c->s[i - 1 - k] == '/'))
		k++;
	return k == 40;
}

bool
scan_edge(struct scan *c, size_t i)
{
	int p = i ? (unsigned char)c->s[i - 1] : -1;
	size_t from = i;

	if (i <= c->floor || p >= 0x80)
		return true;
	if (p == '/' || p == '+')
		return !in_base64(c, i);
	if (p == '_' || p == '-')
		return false;
	if (!isalnum(p))
		return true;
	while (from > c->floor && i - from < 6 && isalnum((unsigned char)c->s[from - 1]))
		from--;
	return scan_word_start(c, from, i) == i;
}

/* At this level of quoting a closing quote has k backslashes, besides pairs of
 * escaped ones; an escaped quote has one level more, the quote of the string
 * that all this is in has fewer. */
size_t
scan_quote_end(struct scan *c, size_t i, int q, size_t k, size_t max)
{
	size_t run = 0, end = c->n - i > max ? i + max : c->n;

	for (; i < end; i++) {
		int ch = (unsigned char)c->s[i];

		if (ch == '\\') {
			run++;
			continue;
		}
		if (ch == q && run % (2 * (k + 1)) == k)
			return i - k;
		if (ch == '"' && ((q == '"' && run < k) || (c->t->line && run % 2 == 0)))
			return i - run;
		run = 0;
	}
	if (end == c->n)
		c->more = true;
	return end - (run < k ? run : 0);
}

/* What ends a word: 1 always, 2 when it is asked for. */
static const unsigned char ends[256] = {
	[0 ... ' '] = 1, ['"'] = 1, ['\''] = 1, ['\\'] = 1, ['`'] = 1, [0x7f] = 1,
	[','] = 2, [';'] = 2, [')'] = 2, ['}'] = 2, [']'] = 2, ['&'] = 2, ['#'] = 2, ['|'] = 2,
};

size_t
scan_word_end(struct scan *c, size_t i, const char *stop, size_t max)
{
	size_t end = c->n - i > max ? i + max : c->n;

	if (scan_mark(c, i))	/* that run left what follows */
		return scan_mark(c, i);
	for (; i < end; i++) {
		unsigned char ch = c->s[i];

		if (ends[ch] && (ends[ch] == 1 || strchr(stop, ch)))
			return i;
	}
	c->more = c->more || i == c->n;
	return i;
}

size_t
secret_mark(const char *s, size_t n)
{
	if (n < 10 || memcmp(s, "[REDACTED", 9))
		return 0;
	if (s[9] == ']')
		return 10;
	if (n < 27 || s[9] != ':' || s[26] != ']')
		return 0;
	for (size_t i = 10; i < 26; i++)
		if (!isxdigit((unsigned char)s[i]))
			return 0;
	return 27;
}

size_t
scan_mark(struct scan *c, size_t i)
{
	size_t n = i < c->n ? secret_mark(c->s + i, c->n - i) : 0;

	return n ? i + n : 0;
}

void
scan_add(struct scan *c, size_t from, size_t end, int rule, int quote)
{
	struct secret_list *l = c->list;

	if (from >= end || from < c->floor)
		return;
	/* done before: a second run changes nothing */
	if ((c->floor = scan_mark(c, from)))
		return;
	c->floor = end;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct secret_span *v = realloc(l->v, cap * sizeof(*v));

		if (!v) {
			l->nomem = true;
			return;
		}
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct secret_span){ from, end, rule, quote };
}

bool
looks_secret(const char *s, size_t n, size_t min)
{
	bool digit = false, upper = false, lower = false;

	if (n < min)
		return false;
	for (size_t i = 0; i < n && i < LOOKS_AT; i++) {
		if ((unsigned char)s[i] <= ' ')
			return false;
		digit = digit || isdigit((unsigned char)s[i]);
		upper = upper || isupper((unsigned char)s[i]);
		lower = lower || islower((unsigned char)s[i]);
	}
	return digit || (upper && lower);
}

static bool
is_uuid(const char *s, size_t n)
{
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' :
		    !isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

bool
looks_random(const char *s, size_t n)
{
	bool digit = false, upper = false, lower = false, hexes = true;

	if (n < 20 || is_uuid(s, n))
		return false;
	for (size_t i = 0; i < n && i < LOOKS_AT; i++) {
		int ch = (unsigned char)s[i];

		if (!isalnum(ch) && !strchr("_+/=.-~", ch))
			return false;
		digit = digit || isdigit(ch);
		upper = upper || isupper(ch);
		lower = lower || islower(ch);
		hexes = hexes && isxdigit(ch);
	}
	return digit && (upper || lower) && !(hexes && (n == 32 || n == 40 || n == 64));
}

bool
looks_dice(const char *s, size_t n)
{
	unsigned digits = 0, turns = 0, marks = 0, kind, last = 0;
	bool upper = false, lower = false;

	if (n < 12 || is_uuid(s, n))
		return false;
	for (size_t i = 0; i < n && i < LOOKS_AT; i++) {
		int ch = (unsigned char)s[i];

		kind = isdigit(ch) ? 1 : isupper(ch) ? 2 : islower(ch) ? 3 : 0;
		digits += kind == 1;
		marks += kind == 0;
		upper = upper || kind == 2;
		lower = lower || kind == 3;
		turns += i && kind != last;
		last = kind;
	}
	if (n > LOOKS_AT)
		n = LOOKS_AT;
	return digits >= 2 && digits < n && turns >= n / 5 && marks <= n / 6 &&
	    ((upper && lower) || digits >= n / 8);
}

bool
looks_code(const char *s, size_t n)
{
	bool dot = false;

	for (size_t i = 0; i < n; i++) {
		if (!isalpha((unsigned char)s[i]) && s[i] != '_' && s[i] != '.')
			return false;
		dot = dot || (s[i] == '.' && i && i + 1 < n);
	}
	return dot;
}

/* PASSWORD, API_KEY, ..., ****: where a manual has one. */
static bool
is_placeholder(const char *s, size_t n)
{
	size_t dots = 0;

	for (size_t i = 0; i < n; i++) {
		dots += s[i] == '.' || s[i] == '*';
		if (!isupper((unsigned char)s[i]) && s[i] != '_' && s[i] != '.' && s[i] != '*')
			return false;
	}
	return dots == n || (!dots && n >= 3 &&
	    (name_kind(s, n) != NAME_NONE || (n == 5 && !memcmp(s, "VALUE", 5))));
}

/* "Bearer " and what a program puts behind it: nothing here, or ${...}. */
static bool
is_scheme(const char *s, size_t n)
{
	static const char *const schemes[] = { "Bearer", "Basic", "Token", "Digest", "Negotiate" };

	for (size_t k = 0; k < sizeof(schemes) / sizeof(*schemes); k++) {
		size_t len = strlen(schemes[k]);

		if (n >= len && !strncasecmp(s, schemes[k], len) &&
		    (n == len || (s[len] == ' ' && (n == len + 1 || (n > len + 2 &&
		        s[len + 1] == '$' && s[len + 2] == '{')))))
			return true;
	}
	return false;
}

bool
looks_hollow(const char *s, size_t n)
{
	static const char *const schemes[] = { "Bearer ", "Basic ", "token ", "Token " };
	size_t i = 0;
	char close = 0;

	if (n > HOLLOW_MAX)
		return false;
	if (is_placeholder(s, n) || is_scheme(s, n))
		return true;
	for (size_t k = 0; k < sizeof(schemes) / sizeof(*schemes); k++)
		if (n > strlen(schemes[k]) && !memcmp(s, schemes[k], strlen(schemes[k])))
			i = strlen(schemes[k]);
	if (i < n && s[i] == '$')
		i++;
	else if (i + 1 == n || i == n || !strchr("{<%", s[i]))
		return false;
	if (i + 1 < n && s[i] == '%' && s[i + 1] == 's')
		return i + 2 == n;
	if (i < n && (s[i] == '{' || s[i] == '<' || s[i] == '('))
		close = s[i] == '{' ? '}' : s[i] == '<' ? '>' : ')';
	/* a word may have ended before the bracket that closes it */
	if (close && s[n - 1] != close && memchr(s, ' ', n))
		return false;
	for (i += close != 0; i < n; i++)
		if (!isalpha((unsigned char)s[i]) && !strchr("_.-{}<>() :?$", s[i]))
			return false;
	return true;
}
