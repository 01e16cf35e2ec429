/* secret.c - see secret.h */
#include "scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

enum { PEM_MAX = 64 << 10 };	/* longer than any key */

void
secret_list_free(struct secret_list *l)
{
	free(l->v);
	memset(l, 0, sizeof(*l));
}

/* From at to end; its literal, by which it was found, is at start. */
struct token { size_t at, start, end; int rule; };

/* --- shapes ------------------------------------------------------------------- */

/* A digit soon, or upper and lower case by turns. The tokens that need one to be told
 * from words have many; a run without is not to be read to its end again and again. */
static bool
has_digit(struct scan *c, size_t i)
{
	int last = 0, turns = 0;

	for (size_t end = i + 64; i < end; i++) {
		int ch = at(c, i);

		if (isdigit(ch) || turns == 3)
			return true;
		turns += islower(last) && isupper(ch);
		last = ch;
		if (!isalnum(ch) && (ch < 0 || !strchr("_-+/.@=", ch)))
			return false;
	}
	return false;
}

static bool
allowed(const struct rule *r, const char *s, size_t n)
{
	bool digit = false, upper = false, lower = false;

	if (r->flags & SHAPE_RANDOM && !looks_dice(s, n))
		return false;
	if (!(r->flags & SHAPE_MIXED))
		return true;
	for (size_t i = 0; i < n && !(digit && upper && lower); i++) {
		digit = digit || isdigit((unsigned char)s[i]);
		upper = upper || isupper((unsigned char)s[i]);
		lower = lower || islower((unsigned char)s[i]);
	}
	return digit && upper && lower;
}

/* How many bytes before its literal start at pos belong to a token; SIZE_MAX: it is
 * none. The letters of an escape do not: "\nacme_live_". */
static size_t
token_before(struct scan *c, const struct rule *r, size_t pos)
{
	size_t n = pattern_before(&r->pattern, c->s, c->floor, pos), start;

	if (n == SIZE_MAX)
		return n;
	start = scan_word_start(c, pos - n, pos);
	if (start != pos - n)
		n = pattern_before(&r->pattern, c->s, start, pos);
	return n == SIZE_MAX || !scan_edge(c, pos - n) ? SIZE_MAX : n;
}

/* The token whose literal start is at pos; false: there is none. */
static bool
token_at(struct scan *c, size_t pos, int start, struct token *tk)
{
	const struct rule_start *st = &c->r->start[start];
	const struct rule *r = &c->r->rule[st->rule];
	size_t before, n, behind = pos + st->len;
	bool fits;

	if (r->flags & SHAPE_IDS && !c->r->ids)
		return false;
	if (!(r->flags & SHAPE_INSIDE) && !r->pattern.nbefore && !scan_edge(c, pos))
		return false;
	before = r->pattern.nbefore ? token_before(c, r, pos) : 0;
	if (before == SIZE_MAX)
		return false;
	c->value = before ? pos - before : behind;
	if (r->flags & (SHAPE_DIGIT | SHAPE_MIXED | SHAPE_RANDOM) && !has_digit(c, behind)) {
		/* "api_", "test_": most that begin so are names, for whose end nothing waits */
		if (!(r->flags & SHAPE_DIGIT) && c->n - behind < 24)
			c->value = SIZE_MAX;
		return false;
	}
	n = pattern_match(&r->pattern, c->s + behind, c->n - behind, &fits, &c->more);
	if (!fits || !allowed(r, c->s + behind, n))
		return false;
	*tk = (struct token){ pos - before, pos, behind + n, st->rule };
	return true;
}

static size_t
scan_token(struct scan *c, size_t pos, int start)
{
	struct token tk;

	if (!token_at(c, pos, start, &tk))
		return 0;
	scan_add(c, tk.at, tk.end, tk.rule, -1);
	return tk.end;
}

static size_t
hit_at(const struct scan *c, size_t i)
{
	return anchor_hit_at(c->h, i) - c->t->shift;
}

/* The first token whose literal start is in [from, end). */
static bool
next_token(struct scan *c, size_t from, size_t end, struct token *tk)
{
	const struct anchor_hits *h = c->h;

	for (size_t i = anchor_hits_from(h, from + c->t->shift); i < h->n &&
	    hit_at(c, i) < end; i++) {
		const struct anchor *a = anchor_hit_word(&c->r->anchors, h, i);
		size_t pos = hit_at(c, i);

		if (a->kind == ANCHOR_TOKEN && pos + a->len <= c->n && token_at(c, pos, a->arg, tk))
			return true;
	}
	return false;
}

/* What was found last, by a look at pos, is no reason to pass over a token that
 * stands before it (ghp_...:x@host) or begins in it and goes on behind. */
static void
add_tokens(struct scan *c, size_t pos, size_t floor)
{
	struct secret_span span = c->list->v[--c->list->n];
	size_t value = c->value;
	struct token tk = { .end = pos + 1 };

	for (c->floor = floor; next_token(c, tk.end, span.at, &tk); ) {
		if (tk.end > span.at) {
			span.at = tk.at;
			break;
		}
		scan_add(c, tk.at, tk.end, tk.rule, -1);
	}
	c->floor = span.at;
	/* from one literal start to the next: what stands before it (BAA of BAACAAAA) is behind us;
	 * of a long value its last bytes, for each look may go to its end */
	tk.start = span.end - span.at > SECRET_LOOK ? span.end - SECRET_LOOK : span.at;
	for (; next_token(c, tk.start, span.end, &tk); tk.start++)
		if (tk.end > span.end)
			span.end = tk.end;
	c->list->v[c->list->n++] = span;
	c->floor = span.end;
	c->value = value;
}

static bool
bearer_char(int ch)
{
	return isalnum(ch) || (ch > 0 && strchr("._~+/-%", ch));
}

/* Bearer TOKEN, RFC 6750, where no header's name told. */
static size_t
scan_bearer(struct scan *c, size_t pos)
{
	size_t i = pos + 6, e;
	bool digit = false, other = false;

	if (!scan_edge(c, pos))
		return 0;
	if (at(c, i) == '%' && at(c, i + 1) == '2' && at(c, i + 2) == '0')
		i += 3;
	else if (at(c, i) == ' ' || at(c, i) == '+')
		while (i - pos < 16 && (at(c, i) == ' ' || at(c, i) == '+'))
			i++;
	else
		return 0;
	c->value = i;
	for (e = i; bearer_char(at(c, e)); e++) {
		digit = digit || isdigit((unsigned char)c->s[e]);
		other = other || !(islower((unsigned char)c->s[e]) || c->s[e] == '-');
	}
	while (at(c, e) == '=')
		e++;
	if (e - i < 12 || !(digit || e - i >= 20 || (other && e - i >= 16)))
		return 0;
	while (e > i && c->s[e - 1] == '.')
		e--;		/* the end of a sentence */
	scan_add(c, i, e, RULE_BEARER, -1);
	return e;
}

static int
base64_digit(int ch)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = ch > 0 ? strchr(digits, ch) : NULL;

	return p ? p - digits : -1;
}

/* Basic BASE64(user:password), RFC 7617. */
static size_t
scan_basic(struct scan *c, size_t pos)
{
	size_t i = pos + 5, e;
	uint32_t acc = 0;
	bool colon = false;

	if (!scan_edge(c, pos) || at(c, i) != ' ')
		return 0;
	while (at(c, i) == ' ' && i - pos < 16)
		i++;
	c->value = i;
	for (e = i; base64_digit(at(c, e)) >= 0; e++) {
		unsigned k = (e - i) & 3;

		acc = acc << 6 | base64_digit((unsigned char)c->s[e]);
		if (k && ((acc >> (6 - 2 * k)) & 255) == ':')
			colon = true;
	}
	if (e - i < 4 || !colon)
		return 0;
	for (int k = 0; k < 2 && at(c, e) == '='; k++)
		e++;
	scan_add(c, i, e, RULE_BASIC, -1);
	return e;
}

/* --- URLs ----------------------------------------------------------------------- */

/* scheme://user:PASSWORD@host, RFC 3986 section 3.2.1. A token alone, too. */
static size_t
scan_url(struct scan *c, size_t pos)
{
	size_t i = pos + 3, from = i, colon = 0, at_sign = 0;
	bool dot = false;

	for (; i - from < SECRET_LOOK; i++) {
		int ch = at(c, i);

		if (ch <= ' ' || strchr("/?#\"'\\`<>|", ch))
			break;
		if (ch == ':' && !colon) {
			colon = i;
			c->value = i + 1;
		}
		if (ch == '@')
			at_sign = i;
		dot = dot || (ch == '.' && !at_sign);
	}
	/* a token alone, until there is a colon; a host has dots */
	if (!colon && (!dot || at_sign))
		c->value = from;
	if (!at_sign)
		return 0;
	i = colon && colon < at_sign ? colon + 1 : from;
	if (i == at_sign || looks_hollow(c->s + i, at_sign - i))
		return 0;
	if (i == from && !looks_secret(c->s + i, at_sign - i, 20))
		return 0;
	scan_add(c, i, at_sign, RULE_URL, -1);
	return at_sign;
}

/* The same as a parameter of a URL, with %3A for ":" and %40 for "@". */
static size_t
scan_url_hex(struct scan *c, size_t pos)
{
	size_t i = pos + 6, from = i, colon = 0;

	for (; i - from < SECRET_LOOK; i++) {
		int ch = at(c, i);

		if (!isalnum(ch) && !(ch > 0 && strchr("%-._~!$*+,;:", ch)))
			return 0;
		if (ch != '%' && ch != ':')
			continue;
		if (ch == ':' || (at(c, i + 1) == '3' && (at(c, i + 2) | 0x20) == 'a')) {
			if (!colon)
				c->value = colon = i + (ch == ':' ? 1 : 3);
		} else if (at(c, i + 1) == '2' && (at(c, i + 2) | 0x20) == 'f') {
			return 0;
		} else if (at(c, i + 1) == '4' && at(c, i + 2) == '0') {
			if (!colon || colon == i)
				return 0;
			scan_add(c, colon, i, RULE_URL, -1);
			return i;
		}
	}
	return 0;
}

/* What follows the "-u" of curl: pos is at "-u", " -u" or "--user". */
static size_t
scan_user(struct scan *c, size_t pos, size_t len)
{
	size_t low = pos > 512 ? pos - 512 : 0, i = pos + len, from, e, k;
	const char *colon;
	int ch = at(c, i);

	if (!memmem(c->s + low, pos - low, "curl", 4))
		return 0;
	if (ch == '"' || ch == '\\') {	/* arguments as a list */
		i += backslashes(c, i) + 1;
		if (at(c, i) != ',')
			return 0;
		i++;
	} else if (ch != ' ' && ch != '=') {
		return 0;
	} else {
		i++;
	}
	while (at(c, i) == ' ')
		i++;
	k = backslashes(c, i);
	if (at(c, i + k) == '"' || at(c, i + k) == '\'')
		i += k + 1;
	else if (k)
		return 0;	/* a control character */
	from = i;
	e = scan_word_end(c, i, "", SECRET_LOOK);
	if (!(colon = memchr(c->s + from, ':', e - from))) {
		if (e == c->n)
			return 0;
		return e;
	}
	from = colon + 1 - c->s;
	c->value = from;
	if (from == e || looks_hollow(c->s + from, e - from))
		return 0;
	e = scan_word_end(c, from, "", SIZE_MAX);
	scan_add(c, from, e, RULE_FLAG, -1);
	return e;
}

/* --- private keys ------------------------------------------------------------------ */

/* Where "-----END", or "---- END", is next, from i on; SIZE_MAX: nowhere. Looked for once. */
static size_t
pem_end(struct scan *c, size_t i)
{
	const char *p;

	if (c->pem_end == 0 || (c->pem_end < i && c->pem_end != SIZE_MAX)) {
		p = memmem(c->s + i, c->n - i, c->ssh2 ? "---- END" : "-----END", 8);
		c->pem_end = p ? (size_t)(p - c->s) : SIZE_MAX;
	}
	return c->pem_end;
}

/* Whether what begins at i is a key's, behind line ends and a header or two (RFC 1421,
 * RFC 4716): a run of its letters. Source code that names the armour is none. */
static bool
is_armour(struct scan *c, size_t i)
{
	size_t run = 0, end = c->n - i > 600 ? i + 600 : c->n;

	for (; i < end; i++) {
		int ch = at(c, i);

		if (isalnum(ch) || ch == '+' || ch == '/') {
			if (++run >= 20)
				return true;
			continue;
		}
		if (ch == '\\' && run < 3) {	/* a line's end */
			i += backslashes(c, i);
			continue;
		}
		if (strchr("(){};<>'`$", ch))
			return false;
		run = 0;
	}
	return c->more || end == c->n;
}

/* -----BEGIN ... PRIVATE KEY----- to -----END, RFC 7468; ---- BEGIN SSH2 ... ----, RFC
 * 4716; what is between goes, also what is none of a key's letters. */
static size_t
scan_pem(struct scan *c, size_t pos)
{
	static const char *const kinds[] = { "PRIVATE KEY", "Static key" };
	size_t i = pos + (c->s[pos + 4] == '-' ? 10 : 9), dashes = 0, run = 0, from;
	bool is_private = false, closed;

	for (; i - pos < 80 && dashes < 4; i++) {
		int ch = at(c, i);

		if (!isalnum(ch) && ch != ' ' && ch != '-')
			return 0;
		for (int k = 0; k < 2; k++)
			if (c->n - i >= strlen(kinds[k]) &&
			    !memcmp(c->s + i, kinds[k], strlen(kinds[k])))
				is_private = true;
		dashes = ch == '-' ? dashes + 1 : 0;
	}
	i += at(c, i) == '-';
	if (dashes < 4 || !is_private)
		return 0;
	for (from = i + 1; at(c, i) == ' ' && from - i < 33 && isalpha(at(c, from)); from++)
		;
	if (from > i + 1 && at(c, from) == ' ' && !c->more)
		return 0;	/* a sentence about them */
	if (scan_mark(c, i))
		return i;
	if (!is_armour(c, i))
		return 0;
	c->value = from = i;
	if (c->ssh2 != (c->s[pos + 4] == ' ')) {
		c->ssh2 = !c->ssh2;
		c->pem_end = 0;
	}
	closed = pem_end(c, i) - i < PEM_MAX;
	for (;; i++) {
		int ch = closed && i == c->pem_end ? -1 : at(c, i);

		if (ch < 0 || (c->t->line && ch == '"' && run % 2 == 0))
			break;
		/* what a key in text is made of, line ends and a header or two */
		if (!closed && ((!isalnum(ch) && !strchr("+/=\\\r\n\t :,.-[]", ch)) ||
		    (ch == '-' && at(c, i + 1) == '-' && at(c, i + 2) == '-')))
			break;
		run = ch == '\\' ? run + 1 : 0;
	}
	i -= run;	/* what escapes the byte behind */
	if (i > from)
		scan_add(c, from, i, RULE_PEM, -1);
	return i;
}

/* Lines of a key behind words that say so: PuTTY's, minisign's. */
static size_t
scan_key_lines(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, e;

	while (at(c, i) == ' ' || isdigit(at(c, i)))
		i++;
	if (!scan_eol(c, i))
		return 0;
	c->value = i;
	for (e = i; isalnum(at(c, e)) || (at(c, e) > 0 && strchr("+/=\\\r\n", c->s[e])); e++)
		;
	if (at(c, e) == '-' || at(c, e) == ':')	/* Private-MAC: is no key's line */
		while (e > i && isalnum((unsigned char)c->s[e - 1]) && c->s[e - 1] != 'n')
			e--;
	if (e - i < 40)
		return 0;
	while (e > i && c->s[e - 1] == '\\')
		e--;
	scan_add(c, i, e, RULE_PEM, -1);
	return e;
}

/* --- the loop ------------------------------------------------------------------------ */

static size_t
look(struct scan *c, size_t pos, const struct anchor *a)
{
	switch (a->kind) {
	case ANCHOR_TOKEN: return scan_token(c, pos, a->arg);
	case ANCHOR_NAME: return scan_name(c, pos, a->len, a->arg);
	case ANCHOR_URL: return scan_url(c, pos);
	case ANCHOR_URL_HEX: return scan_url_hex(c, pos);
	case ANCHOR_PEM: return scan_pem(c, pos);
	case ANCHOR_BEARER: return scan_bearer(c, pos);
	case ANCHOR_BASIC: return scan_basic(c, pos);
	case ANCHOR_USER: return scan_user(c, pos, a->len);
	case ANCHOR_OPTION: return scan_option(c, pos);
	case ANCHOR_LOGIN: return scan_login(c, pos, a->len);
	case ANCHOR_THIRD: return scan_third(c, pos, a->len);
	case ANCHOR_ECHO: return scan_echo(c, pos, a->len);
	case ANCHOR_HERE: return scan_here(c, pos);
	case ANCHOR_IDENTIFIED: return scan_identified(c, pos, a->len);
	case ANCHOR_CALL: return scan_call(c, pos, a->len, a->arg);
	case ANCHOR_PGPASS: return scan_pgpass(c, pos, a->len);
	case ANCHOR_ORACLE: return scan_oracle(c, pos, a->len);
	case ANCHOR_PATH: return scan_path(c, pos, a->len);
	case ANCHOR_JAR: return scan_jar(c, pos, a->len);
	case ANCHOR_JWK: return scan_jwk(c, pos, a->len);
	case ANCHOR_LINES: return scan_key_lines(c, pos, a->len);
	case ANCHOR_VALUE: return scan_pair(c, pos, a->len);
	case ANCHOR_QUOTED: return scan_quoted(c, pos, a->len);
	case ANCHOR_SAID: return scan_said(c, pos, a->len);
	}
	return 0;
}

/* Something at a soft end is not decided. */
static void
note_open(struct scan *c, struct secret_open *o, size_t pos, int rule)
{
	size_t from = pos > 96 ? pos - 96 : 0;	/* a name may begin before the anchor */

	if (!o->open || from < o->from)
		o->from = from;
	if (c->value < o->value) {
		o->value = c->value;
		o->rule = rule;
	}
	o->open = true;
}

/* All looks at one place, where the i-th word is; returns where to go on. */
static size_t
look_all(struct scan *c, size_t i, size_t pos, struct secret_open *open)
{
	size_t next = 0, spans = c->list->n, floor = c->floor;

	for (; i < c->h->n && hit_at(c, i) == pos && !next; i++) {
		const struct anchor *a = anchor_hit_word(&c->r->anchors, c->h, i);
		size_t r;

		if (pos + a->len > c->n)
			continue;

		c->more = false;
		c->value = SIZE_MAX;
		r = look(c, pos, a);
		if (c->list->n > spans && a->kind != ANCHOR_TOKEN)
			add_tokens(c, pos, floor);
		if (c->more && open) {
			/* whatever it said may change: nothing of it counts yet */
			c->list->n = spans;
			c->floor = floor;
			if (c->value >= c->n)
				c->value = SIZE_MAX;
			note_open(c, open, pos,
			    a->kind == ANCHOR_TOKEN ? c->r->start[a->arg].rule : RULE_KEY);
			if (open->value != SIZE_MAX)
				return c->n;
			continue;
		}
		/* a name that is none does not end the looks; a value does */
		if (c->floor > floor || a->kind == ANCHOR_NAME)
			next = r;
	}
	return next > pos ? next : pos + 1;
}

bool
secret_scan(struct rules *r, const struct secret_text *t, struct secret_list *list,
    struct secret_open *open)
{
	struct scan c = { .r = r, .t = t, .s = t->s, .n = t->n, .list = list, .floor = t->floor,
	    .h = t->hits };
	size_t pos = t->from, limit = t->limit < t->n ? t->limit : t->n;

	if (!c.h) {
		anchor_find(&r->anchors, &r->hits, t->s, t->n, t->from);
		c.h = &r->hits;
	}
	if (open)
		*open = (struct secret_open){ .value = SIZE_MAX };
	list->nomem = list->nomem || c.h->nomem;
	for (size_t i = anchor_hits_from(c.h, t->from + t->shift); i < c.h->n; ) {
		size_t at = hit_at(&c, i);
		const struct anchor *a = anchor_hit_word(&r->anchors, c.h, i);

		if (at >= limit)
			break;
		if (at < pos) {
			i++;
			continue;
		}
		if (a->kind == ANCHOR_ESCAPE) {
			if (!t->plain && at + a->len <= t->n)
				return false;
			pos = at + 1;
			continue;
		}
		pos = look_all(&c, i, at, t->soft ? open : NULL);
		if (pos < c.floor)
			pos = c.floor;
	}
	return true;
}

/* --- endpoints ------------------------------------------------------------------------- */

bool
secret_endpoint(const char *path, size_t n, const char *host, size_t hostlen)
{
	static const char *const ends[] = {
		"/oauth/token", "/oauth2/token", "/oauth2/v3/token", "/oauth2/v4/token",
		"/oauth2/v2.0/token", "/oauth2/v1/token", "/login/oauth/access_token",
		"/openid-connect/token", "/connect/token", "/oauth/access_token",
		"/oauth/device/code", "/copilot_internal/v2/token", "/login/device/code",
		"/accounts/deviceauth/token", "/oauth/introspect", "/oauth/revoke",
	};
	/* these do nothing else */
	static const char *const hosts[] = { "auth.openai.com", "oauth2.googleapis.com",
	    "accounts.google.com", "sts.googleapis.com" };
	const char *q = memchr(path, '?', n);

	if (q)
		n = q - path;
	if ((q = memchr(host, ':', hostlen)))
		hostlen = q - host;
	if (n && path[n - 1] == '/')
		n--;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t len = strlen(ends[i]);

		if (n >= len && !strncasecmp(path + n - len, ends[i], len))
			return true;
	}
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		if (hostlen == strlen(hosts[i]) && !strncasecmp(host, hosts[i], hostlen))
			return true;
	return false;
}
