/* redact.c - see redact.h */
#include "redact.h"

#include "names.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const redact_rule_name[REDACT_RULES] = {
	"header", "key", "param", "flag", "token", "jwt", "bearer", "pem", "userinfo", "body", "id",
};

static const char MARK[] = "[REDACTED]";

enum { NAME_LEN = 64 };

/* --- characters ------------------------------------------------------------ */

enum { C_NAME = 1, C_TOKEN = 2, C_HEX = 4, C_B64 = 8, C_DIGIT = 16, C_UPPER = 32 };

static unsigned char class[256];
static unsigned char hot[65536 / 8];	/* pairs of bytes worth a look */

static bool
is(int c, int what)
{
	return class[(unsigned char)c] & what;
}

/* --- tokens of known shapes ------------------------------------------------- */

/* A prefix, then characters of a set: at least min, and if max at most that. A
 * generic one must hold a digit as well. */
static struct shape {
	const char *prefix;
	int set;
	unsigned min, max;
	bool digit;
	size_t len;	/* of the prefix */
} shapes[] = {
	{ "sk-ant-", C_TOKEN, 20, 0, false, 0 }, { "sk-proj-", C_TOKEN, 20, 0, false, 0 }, { "sk-svcacct-", C_TOKEN, 20, 0, false, 0 },
	{ "sk-admin-", C_TOKEN, 20, 0, false, 0 }, { "sk-or-v1-", C_TOKEN, 20, 0, false, 0 }, { "sk-", C_TOKEN, 20, 0, true, 0 },
	{ "AIza", C_TOKEN, 35, 35, false, 0 }, { "ya29.", C_TOKEN, 20, 0, false, 0 }, { "1//0", C_TOKEN, 30, 0, false, 0 },
	{ "hf_", C_TOKEN, 34, 0, false, 0 }, { "api_org_", C_TOKEN, 34, 0, false, 0 }, { "pplx-", C_TOKEN, 48, 0, false, 0 },
	{ "gsk_", C_TOKEN, 40, 0, false, 0 }, { "xai-", C_TOKEN, 40, 0, false, 0 }, { "r8_", C_TOKEN, 37, 0, false, 0 },
	{ "AKIA", C_UPPER, 16, 16, false, 0 }, { "ASIA", C_UPPER, 16, 16, false, 0 }, { "ABIA", C_UPPER, 16, 16, false, 0 },
	{ "ACCA", C_UPPER, 16, 16, false, 0 }, { "A3T", C_UPPER, 17, 17, true, 0 }, { "ABSK", C_B64, 109, 0, false, 0 },
	{ "bedrock-api-key-", C_B64, 20, 0, false, 0 }, { "ghp_", C_TOKEN, 36, 0, false, 0 }, { "gho_", C_TOKEN, 36, 0, false, 0 },
	{ "ghs_", C_TOKEN, 36, 0, false, 0 }, { "ghu_", C_TOKEN, 36, 0, false, 0 }, { "ghr_", C_TOKEN, 36, 0, false, 0 },
	{ "github_pat_", C_TOKEN, 60, 0, false, 0 }, { "glpat-", C_TOKEN, 20, 0, false, 0 }, { "xoxa-", C_TOKEN, 10, 0, true, 0 },
	{ "xoxb-", C_TOKEN, 10, 0, true, 0 }, { "xoxe-", C_TOKEN, 10, 0, true, 0 }, { "xoxp-", C_TOKEN, 10, 0, true, 0 },
	{ "xoxs-", C_TOKEN, 10, 0, true, 0 }, { "xapp-", C_TOKEN, 20, 0, true, 0 },
	{ "sk_test_", C_TOKEN, 10, 0, false, 0 }, { "sk_live_", C_TOKEN, 10, 0, false, 0 }, { "sk_prod_", C_TOKEN, 10, 0, false, 0 },
	{ "rk_test_", C_TOKEN, 10, 0, false, 0 }, { "rk_live_", C_TOKEN, 10, 0, false, 0 }, { "rk_prod_", C_TOKEN, 10, 0, false, 0 },
	{ "SG.", C_TOKEN, 60, 0, false, 0 }, { "npm_", C_TOKEN, 36, 36, false, 0 }, { "pypi-AgEIcHlwaS5vcmc", C_TOKEN, 50, 0, false, 0 },
	{ "dapi", C_HEX, 32, 32, false, 0 }, { "glsa_", C_TOKEN, 32, 0, false, 0 }, { "hvs.", C_TOKEN, 24, 0, false, 0 },
	{ "hvb.", C_TOKEN, 24, 0, false, 0 }, { "dp.pt.", C_TOKEN, 40, 0, false, 0 }, { "lin_api_", C_TOKEN, 40, 0, false, 0 },
	{ "ntn_", C_TOKEN, 40, 0, false, 0 }, { "NRAK-", C_TOKEN, 27, 0, false, 0 }, { "sntrys_", C_B64, 40, 0, false, 0 },
	{ "sntryu_", C_HEX, 64, 0, false, 0 }, { "sgp_", C_TOKEN, 40, 0, false, 0 }, { "ops_eyJ", C_B64, 100, 0, false, 0 },
	{ "AGE-SECRET-KEY-1", C_UPPER, 58, 58, false, 0 }, { "ZXlK", C_B64, 40, 0, true, 0 },
};

static void
hot_pair(unsigned char a, unsigned char b)
{
	unsigned i = a | b << 8;

	hot[i / 8] |= 1 << i % 8;
}

static void __attribute__((constructor))
tables(void)
{
	for (int c = 0; c < 256; c++) {
		bool alnum = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z' && c < 128);

		class[c] = (alnum || c == '_' || c == '-' || c == '.' ? C_NAME | C_TOKEN : 0) |
		    ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? C_HEX : 0) |
		    (alnum || c == '+' || c == '/' || c == '=' || c == '_' || c == '-' ? C_B64 : 0) |
		    (c >= '0' && c <= '9' ? C_DIGIT : 0) |
		    ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? C_UPPER : 0);
	}
	for (int c = 0; c < 256; c++) {
		hot_pair(':', c);
		hot_pair('=', c);
	}
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		shapes[i].len = strlen(shapes[i].prefix);
		hot_pair(shapes[i].prefix[0], shapes[i].prefix[1]);
	}
	hot_pair('e', 'y');
	hot_pair('-', '-');
	for (const char *p = "Bb"; *p; p++) {
		hot_pair(*p, 'e');
		hot_pair(*p, 'E');
		hot_pair(*p, 'a');
		hot_pair(*p, 'A');
	}
}

/* --- spans ------------------------------------------------------------------ */

void
redact_list_free(struct redact_list *l)
{
	free(l->v);
	memset(l, 0, sizeof(*l));
}

struct scan {
	const struct redact_conf *conf;
	const char *text, *end;
	struct redact_list *list;
	const char *past;	/* nothing before this is looked at again */
};

static void
add(struct scan *s, const char *at, const char *end, enum redact_rule rule, int quote)
{
	struct redact_list *l = s->list;

	if (at >= end || at < s->past)
		return;
	s->past = end;
	/* done before: a second run changes nothing */
	if ((size_t)(end - at) == sizeof(MARK) - 1 && !memcmp(at, MARK, sizeof(MARK) - 1))
		return;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct redact_span *v = realloc(l->v, cap * sizeof(*v));

		if (!v) {
			l->nomem = true;
			return;
		}
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct redact_span){ at - s->text, end - s->text, rule, quote };
}

/* --- values ----------------------------------------------------------------- */

/* Where the string ends that was opened by a quote behind `level` backslashes:
 * at a quote behind as many or fewer. */
static const char *
quote_end(const char *p, const char *end, int level)
{
	int run = 0;

	for (; p < end; p++) {
		if (*p == '"' && run <= level)
			return p - run;
		run = *p == '\\' ? run + 1 : 0;
	}
	return end - run;
}

/* The end of a line, or of the quoted text that the line is in. */
static const char *
line_end_of(const char *p, const char *end)
{
	for (; p < end; p++) {
		if (*p == '\r' || *p == '\n' || *p == '"' || *p == '\'')
			return p;
		if (*p == '\\') {
			const char *q = p;

			while (q < end && *q == '\\')
				q++;
			if (q == end || *q == 'r' || *q == 'n' || *q == '"' || *q == '\'')
				return p;
			p = q;
		}
	}
	return end;
}

/* The end of a bare word. */
static const char *
word_end(const char *p, const char *end, bool url)
{
	for (; p < end; p++) {
		unsigned char c = *p;

		if (c <= ' ' || strchr("\"'\\`<>", c) || (url ? c == '&' || c == '#' || c == ';' : c == ',' || c == ';' || c == ')' || c == '}' || c == ']'))
			return p;
	}
	return end;
}

/* Not a word of a language: long, and digits or both cases in it. */
static bool
looks_secret(const char *p, const char *end, size_t min)
{
	bool digit = false, upper = false, lower = false;

	if ((size_t)(end - p) < min)
		return false;
	for (; p < end; p++) {
		if ((unsigned char)*p <= ' ')
			return false;
		digit |= is(*p, C_DIGIT);
		upper |= *p >= 'A' && *p <= 'Z';
		lower |= *p >= 'a' && *p <= 'z';
	}
	return digit || (upper && lower);
}

static int
backslashes(const char *p, const char *end)
{
	int n = 0;

	while (p + n < end && p[n] == '\\')
		n++;
	return n;
}

/* The strings of an array that is the value of a sensitive name. */
static void
redact_array(struct scan *s, const char *p)
{
	while (p < s->end && *p != ']') {
		int level = backslashes(p, s->end);

		if (p + level < s->end && p[level] == '"') {
			const char *v = p + level + 1, *e = quote_end(v, s->end, level);

			add(s, v, e, REDACT_KEY, -1);
			p = e + level + 1;
		} else if (*p == '[' || *p == ',' || *p == ' ') {
			p++;
		} else {
			return;
		}
	}
}

/* What follows NAME": as JSON; level: of the name's quotes. */
static void
json_value(struct scan *s, const char *p, enum name_class c, int level)
{
	enum redact_rule rule = c == NAME_ID ? REDACT_ID : REDACT_KEY;
	const char *e;
	int n;

	while (p < s->end && *p == ' ')
		p++;
	n = backslashes(p, s->end);
	if (p + n < s->end && p[n] == '"') {
		p += n + 1;
		e = quote_end(p, s->end, n);
		if (c == NAME_WEAK && !looks_secret(p, e, 16))
			return;
		add(s, p, e, rule, -1);
	} else if (p < s->end && *p == '[' && c == NAME_STRONG) {
		redact_array(s, p + 1);
	} else if (p < s->end && (is(*p, C_DIGIT) || *p == '-') && c == NAME_STRONG) {
		e = p + 1;
		while (e < s->end && (is(*e, C_DIGIT) || *e == '.' || *e == 'e' || *e == 'E' || *e == '+' || *e == '-'))
			e++;
		add(s, p, e, rule, level);
	}
}

/* --- names ------------------------------------------------------------------ */

/* The name that ends before p; NULL when there is none. */
static const char *
name_before(const struct scan *s, const char *p, size_t *n)
{
	const char *e = p;

	while (p > s->text && e - p <= NAME_LEN && is(p[-1], C_NAME))
		p--;
	if (p > s->text && p < e && p[-1] == '\\' && strchr("nrtbf", *p))
		p++;		/* the letter is the escape's */
	*n = e - p;
	return *n && *n <= NAME_LEN ? p : NULL;
}

static bool
env_name(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			return false;
	return n > 2;
}

/* FOO_KEY and the like: too broad for other than KEY=VALUE in capitals. */
static bool
env_key(const char *p, size_t n)
{
	return env_name(p, n) && n > 4 && !memcmp(p + n - 4, "_KEY", 4);
}

/* A colon at p: JSON's, a header's, or YAML's. */
static void
at_colon(struct scan *s, const char *p)
{
	const char *q = p, *name, *v, *e;
	enum name_class c;
	int level = -1;
	size_t n;

	while (q > s->text && q[-1] == ' ')
		q--;
	if (q > s->text && q[-1] == '"') {
		q--;
		for (level = 0; q > s->text && q[-1] == '\\'; q--)
			level++;
	} else if (q != p) {
		return;
	}
	if (!(name = name_before(s, q, &n)))
		return;
	c = name_class(name, n);
	if (level >= 0) {
		if (name > s->text && name[-1] == '"' && (c == NAME_STRONG || c == NAME_WEAK || (c == NAME_ID && s->conf->ids)))
			json_value(s, p + 1, c, level);
		return;
	}
	v = p + 1;
	while (v < s->end && *v == ' ')
		v++;
	if (c == NAME_STRONG || c == NAME_HEADER) {
		bool header = c == NAME_HEADER || memchr(name, '-', n) || (n == 13 && !strncasecmp(name, "authorization", n)) ||
		    (n == 6 && !strncasecmp(name, "cookie", n));

		e = header ? line_end_of(v, s->end) : word_end(v, s->end, false);
		if (header && v != p + 1)
			add(s, v, e, REDACT_HEADER, -1);
		else if (!header && e - v >= 6)
			add(s, v, e, REDACT_KEY, -1);
	} else if (env_key(name, n)) {
		e = word_end(v, s->end, false);
		if (looks_secret(v, e, 8))
			add(s, v, e, REDACT_KEY, -1);
	} else if (c == NAME_ID && s->conf->ids && v != p + 1) {
		add(s, v, line_end_of(v, s->end), REDACT_ID, -1);
	}
}

/* An equals sign at p: a parameter, or KEY=VALUE. */
static void
at_equals(struct scan *s, const char *p)
{
	const char *name, *v = p + 1, *e;
	bool url, first;
	enum name_class c;
	size_t n;
	int level;

	if (!(name = name_before(s, p, &n)))
		return;
	c = name_class(name, n);
	if (c == NAME_NONE && !env_key(name, n))
		return;
	url = name > s->text && (name[-1] == '?' || name[-1] == '&');
	first = name == s->text || name[-1] == '"' || name[-1] == '\'';	/* of a form */
	while (n && (*name == '-' || *name == '.'))
		name++, n--;	/* --password= */
	level = backslashes(v, s->end);
	if (v + level < s->end && v[level] == '"' && !url) {
		v += level + 1;
		e = quote_end(v, s->end, level);
	} else if (v < s->end && *v == '\'' && !url) {
		v++;
		e = memchr(v, '\'', s->end - v);
		e = e ? e : s->end;
	} else {
		e = word_end(v, s->end, url || first);
	}
	if (c == NAME_STRONG)
		add(s, v, e, url ? REDACT_PARAM : REDACT_KEY, -1);
	else if (c == NAME_ID) {
		if (s->conf->ids)
			add(s, v, e, REDACT_ID, -1);
	} else if ((c == NAME_PARAM || c == NAME_WEAK || c == NAME_HEADER) && (url || first) && (e - v >= 16 || looks_secret(v, e, 8)))
		add(s, v, e, REDACT_PARAM, -1);
	else if ((env_name(name, n) || c == NAME_WEAK) && looks_secret(v, e, 8))
		add(s, v, e, REDACT_KEY, -1);
	else if (n == 9 && !memcmp(name, "Signature", 9) && e - v >= 64)
		add(s, v, e, REDACT_KEY, -1);	/* AWS Signature Version 4 */
	else if (n == 10 && !memcmp(name, "Credential", 10) && e - v >= 20)
		add(s, v, e, REDACT_KEY, -1);
}

/* --password VALUE, also as two elements of an argument array. */
static void
at_flag(struct scan *s, const char *p)
{
	const char *name = p + 2, *e, *v;
	enum name_class c;
	int level;

	for (e = name; e < s->end && e - name <= NAME_LEN && is(*e, C_NAME); e++)
		;
	c = name_class(name, e - name);
	if (c != NAME_STRONG && c != NAME_WEAK)
		return;
	v = e;
	if (v < s->end && *v == ' ') {
		v++;
		if (v < s->end && (*v == '"' || *v == '\''))
			v++;
		e = word_end(v, s->end, true);
	} else {
		level = backslashes(v, s->end);
		if (v + level + 1 >= s->end || v[level] != '"' || v[level + 1] != ',')
			return;
		v += level + 2;
		while (v < s->end && *v == ' ')
			v++;
		level = backslashes(v, s->end);
		if (v + level >= s->end || v[level] != '"')
			return;
		v += level + 1;
		e = quote_end(v, s->end, level);
	}
	if (v < e && *v != '-' && (c == NAME_STRONG || looks_secret(v, e, 8)))
		add(s, v, e, REDACT_FLAG, -1);
}

/* --- values by their shape --------------------------------------------------- */

static bool
word_starts(const struct scan *s, const char *p)
{
	/* an escape's letter is no letter before: \nsk-... */
	if (p == s->text || !is(p[-1], C_NAME) || p[-1] == '.')
		return true;
	return p - 2 >= s->text && p[-2] == '\\' && strchr("nrtbf", p[-1]);
}

static void
at_shape(struct scan *s, const char *p)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		const struct shape *k = &shapes[i];
		size_t n = k->len;
		const char *e = p + n;
		bool digit = false;

		if (k->prefix[0] != *p || k->prefix[1] != p[1] || (size_t)(s->end - p) < n + k->min || memcmp(p, k->prefix, n))
			continue;
		for (; e < s->end && is(*e, k->set); e++)
			digit |= is(*e, C_DIGIT);
		if ((size_t)(e - p) < n + k->min || (k->max && (size_t)(e - p) > n + k->max) || (k->digit && !digit))
			continue;
		while (e[-1] == '.')
			e--;		/* the end of a sentence */
		add(s, p, e, REDACT_TOKEN, -1);
		return;
	}
}

static const char *
jwt_part(const char *p, const char *end)
{
	while (p < end && (is(*p, C_TOKEN) && *p != '.'))
		p++;
	return p;
}

static void
at_jwt(struct scan *s, const char *p)
{
	const char *a = jwt_part(p, s->end), *b;

	if (a - p < 19 || a + 3 >= s->end || *a != '.' || a[1] != 'e' || a[2] != 'y')
		return;
	b = jwt_part(a + 1, s->end);
	if (b - a < 20 || b >= s->end || *b != '.')
		return;
	add(s, p, jwt_part(b + 1, s->end), REDACT_JWT, -1);
}

/* The base64 of user:password. */
static bool
is_basic(const char *p, const char *end)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, have = 0;

	for (; p < end && *p != '='; p++) {
		const char *d = strchr(digit, *p);

		if (!d || !*p)
			return false;
		bits = bits << 6 | (d - digit);
		have += 6;
		if (have >= 8) {
			have -= 8;
			if ((bits >> have & 0xff) == ':')
				return true;
			if ((bits >> have & 0xff) < ' ')
				return false;
		}
	}
	return false;
}

static void
at_scheme(struct scan *s, const char *p)
{
	bool bearer = s->end - p > 8 && !strncasecmp(p, "bearer", 6), basic = s->end - p > 7 && !strncasecmp(p, "basic", 5);
	const char *v = p + (bearer ? 6 : 5), *e;

	if ((!bearer && !basic) || *v != ' ')
		return;
	while (v < s->end && *v == ' ')
		v++;
	for (e = v; e < s->end && (is(*e, C_TOKEN | C_B64) || *e == '~'); e++)
		;
	if (bearer ? looks_secret(v, e, 12) : e - v >= 8 && is_basic(v, e))
		add(s, v, e, REDACT_BEARER, -1);
}

/* -----BEGIN ... PRIVATE KEY----- up to its end, or as far as there is. */
static void
at_pem(struct scan *s, const char *p)
{
	const char *limit = s->end - p > 64 ? p + 64 : s->end;
	const char *key = memmem(p, limit - p, "PRIVATE KEY-----", 16), *e;

	if (!key || memcmp(p, "-----BEGIN ", 11))
		return;
	key += 16;
	e = memmem(key, s->end - key, "-----END", 8);
	if (!e)
		e = quote_end(key, s->end, 64);
	add(s, key, e, REDACT_PEM, -1);
}

/* A colon that is followed by // : scheme://user:PASSWORD@host */
static void
at_url(struct scan *s, const char *p)
{
	const char *user = p + 3, *colon = NULL, *q;

	for (q = user; q < s->end && q - user < 512; q++) {
		unsigned char c = *q;

		if (c == ':' && !colon)
			colon = q;
		if (c == '@') {
			if (colon)
				add(s, colon + 1, q, REDACT_USERINFO, -1);
			return;
		}
		if (c <= ' ' || strchr("/?#\"'\\<>", c))
			return;
	}
}

void
redact_find(const struct redact_conf *conf, const char *text, size_t n, struct redact_list *list)
{
	struct scan s = { .conf = conf, .text = text, .end = text + n, .list = list, .past = text };
	const char *p = text;

	list->n = 0;
	for (; n > 1 && p < s.end - 1; p++) {
		unsigned pair = (unsigned char)p[0] | (unsigned char)p[1] << 8;

		if (!(hot[pair / 8] >> pair % 8 & 1))
			continue;
		if (p < s.past) {
			p = s.past - 1;
			continue;
		}
		switch (*p) {
		case ':':
			if (p[1] == '/' && s.end - p > 3 && p[2] == '/')
				at_url(&s, p);
			else
				at_colon(&s, p);
			continue;
		case '=':
			at_equals(&s, p);
			continue;
		}
		if (!word_starts(&s, p))
			continue;
		if (*p == '-') {
			if (s.end - p > 11 && p[2] == '-')
				at_pem(&s, p);
			else
				at_flag(&s, p);
			continue;
		}
		if (*p == 'e')
			at_jwt(&s, p);
		else if ((*p | 32) == 'b')
			at_scheme(&s, p);
		if (p >= s.past)
			at_shape(&s, p);
	}
}

bool
redact_header(const struct redact_conf *conf, const char *name, size_t n)
{
	enum name_class c = name_class(name, n);

	return c == NAME_STRONG || c == NAME_HEADER || c == NAME_WEAK || (c == NAME_ID && conf->ids);
}

bool
redact_token_endpoint(const char *path, size_t n)
{
	static const char *const endpoint[] = {
		"/oauth/token", "/oauth2/token", "/oauth2/v4/token", "/login/oauth/access_token", "/copilot_internal/v2/token", "/o/oauth2/token",
	};
	const char *query = memchr(path, '?', n);
	size_t len = query ? (size_t)(query - path) : n;

	for (size_t i = 0; i < sizeof(endpoint) / sizeof(*endpoint); i++) {
		size_t e = strlen(endpoint[i]);

		if (len >= e && !memcmp(path + len - e, endpoint[i], e))
			return true;
	}
	return false;
}
