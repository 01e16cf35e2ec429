/* expr.c - see expr.h */
#include "expr.h"

#include "event.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 200 };

enum op { OP_SET, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_HAS, OP_PREFIX, OP_SUFFIX, OP_REGEX,
    OP_EQ_CASE, OP_HAS_CASE, OP_NONE };

enum kind { AND, OR, NOT, COND };

struct expr {
	enum kind kind;
	struct expr *a, *b;
	/* a condition */
	const char *type;	/* the event's type must be this; NULL: any */
	char *field;
	enum op op;
	char *value;
	size_t len;
	bool isnumber, isword;	/* the value reads as a number; as true or false */
	double number;
	regex_t regex;
	bool query;		/* a parameter of the path's query: field=value */
	bool header;		/* when there is no such key, a header of that name */
};

struct parse {
	const char *text, *p, *end;
	const char *why;
	size_t at;
	int depth;
};

/* --- parsing --------------------------------------------------------------- */

static struct expr *
fail(struct parse *s, const char *why)
{
	if (!s->why) {
		s->why = why;
		s->at = s->p - s->text;
	}
	return NULL;
}

static void
space(struct parse *s)
{
	while (s->p < s->end && isspace((unsigned char)*s->p))
		s->p++;
}

static struct expr *
node(struct parse *s, enum kind kind, struct expr *a, struct expr *b)
{
	struct expr *e = calloc(1, sizeof(*e));

	if (!e) {
		expr_free(a);
		expr_free(b);
		return fail(s, "out of memory");
	}
	e->kind = kind;
	e->a = a;
	e->b = b;
	return e;
}

static bool
field_char(int c)
{
	return isalnum(c) || c == '_' || c == '.' || c == '-' || c == '[' || c == ']' || c == ':' ||
	    c >= 0x80;
}

static enum op
scan_op(struct parse *s)
{
	static const struct { const char *text; enum op op; } ops[] = {
		{ "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE }, { "^=", OP_PREFIX },
		{ "$=", OP_SUFFIX },
		{ "=~", OP_REGEX }, { "=", OP_EQ }, { "<", OP_LT }, { ">", OP_GT }, { "~", OP_HAS },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		size_t n = strlen(ops[i].text);

		if ((size_t)(s->end - s->p) >= n && !memcmp(s->p, ops[i].text, n)) {
			s->p += n;
			return ops[i].op;
		}
	}
	return OP_SET;
}

/* An escape at s->p (behind the backslash); unknown ones stay as they are. */
static size_t
unescape(struct parse *s, char *to)
{
	int c = *s->p++;

	switch (c) {
	case 'r': *to = '\r'; return 1;
	case 'n': *to = '\n'; return 1;
	case 't': *to = '\t'; return 1;
	case '0': *to = '\0'; return 1;
	case '\\': case '"': case '&': case '|': case '(': case ')': case ' ':
		*to = c;
		return 1;
	}
	to[0] = '\\';
	to[1] = c;
	return 2;
}

/* The value: quoted, or up to an operator. A regular expression keeps its
 * escapes and, unquoted, its balanced parentheses and the bars within. */
static bool
scan_value(struct parse *s, struct expr *e)
{
	bool quoted = s->p < s->end && *s->p == '"';
	char *v = malloc(s->end - s->p + 1);
	int open = 0;
	size_t n = 0;

	if (!v) {
		fail(s, "out of memory");
		return false;
	}
	e->value = v;
	if (quoted)
		s->p++;
	for (; s->p < s->end; ) {
		char c = *s->p;

		if (quoted ? c == '"' : (c == '&' || (c == '|' && !open) || (c == ')' && !open)))
			break;
		s->p++;
		if (e->op == OP_REGEX && !quoted)
			open += c == '(' ? 1 : c == ')' ? -1 : 0;
		if (c == '\\' && s->p < s->end && (e->op != OP_REGEX || (quoted && *s->p == '"')))
			n += unescape(s, v + n);
		else if (c == '\\' && s->p < s->end)
			v[n++] = c, v[n++] = *s->p++;
		else
			v[n++] = c;
	}
	if (quoted) {
		if (s->p == s->end) {
			fail(s, "the quote is not closed");
			return false;
		}
		s->p++;
	} else {
		while (n && isspace((unsigned char)v[n - 1]) && s->p[-1] == v[n - 1])
			n--;
	}
	v[n] = '\0';
	e->len = n;
	return true;
}

/* What a value can be compared as. */
static bool
value_ready(struct parse *s, struct expr *e)
{
	char *end;

	e->number = strtod(e->value, &end);
	e->isnumber = e->len && end == e->value + e->len && !isspace((unsigned char)*e->value) &&
	    isfinite(e->number);
	e->isword = !strcmp(e->value, "true") || !strcmp(e->value, "false");
	if ((e->op == OP_LT || e->op == OP_LE || e->op == OP_GT || e->op == OP_GE) &&
	    !e->isnumber) {
		fail(s, "a number is needed here");
		return false;
	}
	if (e->op == OP_REGEX && regcomp(&e->regex, e->value, REG_EXTENDED | REG_NOSUB)) {
		e->op = OP_HAS;		/* nothing to free */
		fail(s, "the regular expression is wrong");
		return false;
	}
	return true;
}

/* Names of the original's HTTP filter: what they mean for our keys when they
 * stand before "=". */
static const struct alias {
	bool response;
	const char *name, *field;
	enum op op;
} aliases[] = {
	{ false, "method", "method", OP_EQ_CASE }, { false, "verb", "method", OP_EQ_CASE },
	{ false, "path", "path", OP_EQ }, { false, "path_exact", "path", OP_EQ },
	{ false, "path_prefix", "path", OP_PREFIX },
	{ false, "path_starts_with", "path", OP_PREFIX },
	{ false, "path_contains", "path", OP_HAS }, { false, "path_includes", "path", OP_HAS },
	{ false, "host", "host", OP_EQ }, { false, "hostname", "host", OP_EQ },
	{ false, "body", "body", OP_HAS }, { false, "body_contains", "body", OP_HAS },
	{ true, "status_code", "status_code", OP_EQ }, { true, "status", "status_code", OP_EQ },
	{ true, "code", "status_code", OP_EQ },
	{ true, "status_text", "status_text", OP_HAS_CASE },
	{ true, "status_message", "status_text", OP_HAS_CASE },
	{ true, "content_type", "headers.content-type", OP_HAS },
	{ true, "content-type", "headers.content-type", OP_HAS },
	{ true, "body", "body", OP_HAS }, { true, "body_contains", "body", OP_HAS },
	{ true, "server", "headers.server", OP_HAS },
};

static bool
set_field(struct expr *e, const char *name)
{
	free(e->field);
	return (e->field = strdup(name)) != NULL;
}

/* request.NAME and response.NAME */
static bool
http_field(struct expr *e, bool response, const char *name)
{
	char *own = strdup(name);
	bool good = own != NULL;

	e->type = response ? "http.response" : "http.request";
	for (size_t i = 0; good && i < sizeof(aliases) / sizeof(*aliases); i++)
		if (aliases[i].response == response && !strcmp(aliases[i].name, name)) {
			good = set_field(e, aliases[i].field);
			if (e->op == OP_EQ)
				e->op = aliases[i].op;
			/* "body=" is "there is no body", not "contains nothing" */
			if (e->op == OP_HAS && !e->len && !strcmp(aliases[i].field, "body"))
				e->op = OP_NONE;
			free(own);
			return good;
		}
	good = good && set_field(e, own);
	free(own);
	e->header = true;
	e->query = !response && e->op == OP_EQ;
	return good;
}

static bool
bind_field(struct parse *s, struct expr *e, const char *name)
{
	static const struct { const char *prefix; bool response; } http[] = {
		{ "request.", false }, { "req.", false }, { "response.", true }, { "resp.", true },
		{ "res.", true },
	};
	bool good;

	for (size_t i = 0; i < sizeof(http) / sizeof(*http); i++) {
		size_t n = strlen(http[i].prefix);

		if (!strncmp(name, http[i].prefix, n)) {
			if (!name[n]) {
				fail(s, "a field is missing here");
				return false;
			}
			if (!http_field(e, http[i].response, name + n)) {
				fail(s, "out of memory");
				return false;
			}
			return true;
		}
	}
	if (!(good = set_field(e, name)))
		fail(s, "out of memory");
	return good;
}

static struct expr *
condition(struct parse *s)
{
	const char *from = s->p;
	struct expr *e;
	char *name;

	if (!(e = node(s, COND, NULL, NULL)))
		return NULL;
	if (*s->p == '/') {		/* a bare path: the request's contains it */
		e->op = OP_HAS;
		e->type = "http.request";
		if (!scan_value(s, e) || !set_field(e, "path"))
			goto out;
		return e;
	}
	while (s->p < s->end && field_char((unsigned char)*s->p))
		s->p++;
	if (s->p == from) {
		fail(s, "a field is missing here");
		goto out;
	}
	if (!(name = strndup(from, s->p - from))) {
		fail(s, "out of memory");
		goto out;
	}
	space(s);
	e->op = scan_op(s);
	if (e->op != OP_SET) {
		space(s);
		if (!scan_value(s, e) || !value_ready(s, e)) {
			free(name);
			goto out;
		}
	}
	if (!bind_field(s, e, name)) {
		free(name);
		goto out;
	}
	free(name);
	return e;
out:
	expr_free(e);
	return NULL;
}

static struct expr *either(struct parse *);

static struct expr *
unary(struct parse *s)
{
	struct expr *e;

	space(s);
	if (s->p == s->end)
		return fail(s, "a condition is missing here");
	if (++s->depth > DEPTH_MAX)
		return fail(s, "nested too deep");
	if (*s->p == '!') {
		s->p++;
		e = unary(s);
		e = e ? node(s, NOT, e, NULL) : NULL;
	} else if (*s->p == '(') {
		s->p++;
		e = either(s);
		space(s);
		if (e && (s->p == s->end || *s->p != ')')) {
			expr_free(e);
			e = fail(s, "a closing parenthesis is missing here");
		} else {
			s->p += e != NULL;
		}
	} else {
		e = condition(s);
	}
	s->depth--;
	return e;
}

/* One level of the grammar: operands joined by c. */
static struct expr *
chain(struct parse *s, char c, enum kind kind, struct expr *(*operand)(struct parse *))
{
	struct expr *a = operand(s), *b;

	for (;;) {
		space(s);
		if (!a || s->p == s->end || *s->p != c)
			return a;
		s->p++;
		if (s->p < s->end && *s->p == c)
			s->p++;		/* && and || mean the same */
		if (!(b = operand(s))) {
			expr_free(a);
			return NULL;
		}
		a = node(s, kind, a, b);
	}
}

static struct expr *
both(struct parse *s)
{
	return chain(s, '&', AND, unary);
}

static struct expr *
either(struct parse *s)
{
	return chain(s, '|', OR, both);
}

struct expr *
expr_parse(const char *text, size_t n, const char **why, size_t *at)
{
	struct parse s = { .text = text, .p = text, .end = text + n };
	struct expr *e = either(&s);

	if (e && s.p != s.end) {
		expr_free(e);
		e = fail(&s, "an operator, & or | is missing here");
	}
	*why = s.why;
	*at = s.at;
	return e;
}

void
expr_free(struct expr *e)
{
	if (!e)
		return;
	expr_free(e->a);
	expr_free(e->b);
	if (e->kind == COND && e->op == OP_REGEX && e->value)
		regfree(&e->regex);
	free(e->field);
	free(e->value);
	free(e);
}

const char *
expr_type(const struct expr *e)
{
	const char *a, *b;

	switch (e->kind) {
	case AND:
		return (a = expr_type(e->a)) ? a : expr_type(e->b);
	case OR:
		a = expr_type(e->a);
		b = expr_type(e->b);
		return a && b && !strcmp(a, b) ? a : NULL;
	case NOT:
		return NULL;
	case COND:
		if (!e->type && e->op == OP_EQ && !strcmp(e->field, "type"))
			return e->value;
		return e->type;
	}
	return NULL;
}

/* --- asking --------------------------------------------------------------- */

/* memmem without regard to ASCII case. */
static bool
has_case(const char *s, size_t n, const char *t, size_t len)
{
	for (; n >= len; s++, n--)
		if (!strncasecmp(s, t, len))
			return true;
	return false;
}

static bool
text_is(const struct expr *e, const char *s, size_t n)
{
	regmatch_t m = { 0, n };

	switch (e->op) {
	case OP_EQ: return n == e->len && !memcmp(s, e->value, n);
	case OP_NE: return n != e->len || memcmp(s, e->value, n);
	case OP_HAS: return memmem(s, n, e->value, e->len) != NULL;
	case OP_PREFIX: return n >= e->len && !memcmp(s, e->value, e->len);
	case OP_SUFFIX: return n >= e->len && !memcmp(s + n - e->len, e->value, e->len);
	case OP_REGEX: return !regexec(&e->regex, s, 1, &m, REG_STARTEND);
	case OP_EQ_CASE: return n == e->len && !strncasecmp(s, e->value, n);
	case OP_HAS_CASE: return has_case(s, n, e->value, e->len);
	case OP_SET: return n > 0;
	case OP_NONE: return n == 0;
	default: return false;
	}
}

static bool
number_is(const struct expr *e, double v)
{
	switch (e->op) {
	case OP_EQ: case OP_EQ_CASE: return v == e->number;
	case OP_NE: return v != e->number;
	case OP_LT: return v < e->number;
	case OP_LE: return v <= e->number;
	case OP_GT: return v > e->number;
	case OP_GE: return v >= e->number;
	default: return false;
	}
}

static bool
ordering(enum op op)
{
	return op >= OP_LT && op <= OP_GE;
}

/* A number: integers exactly, since doubles run out at 2^53. */
static bool
number_value_is(const struct expr *e, struct value v)
{
	int64_t i, want;
	double d;
	char *end;

	if (!e->isnumber ||
	    (!ordering(e->op) && e->op != OP_EQ && e->op != OP_NE && e->op != OP_EQ_CASE))
		return text_is(e, v.p, v.n);
	if (value_i64(v, &i)) {
		want = strtoll(e->value, &end, 10);
		if (!*end && want != INT64_MAX && want != INT64_MIN)
			return number_is(&(struct expr){ .op = e->op }, i < want ? -1 : i > want);
	}
	return value_f64(v, &d) && number_is(e, d);
}

static bool value_is(const struct expr *, struct event *, struct value);

/* Any element; for !=, all of them. */
static bool
elements_are(const struct expr *e, struct event *ev, struct value v)
{
	struct value_iter it;
	struct value key, val;
	bool all = e->op == OP_NE;

	value_iter(&it, v);
	while (value_next(&it, &key, &val))
		if (value_is(e, ev, val) != all)
			return !all;
	return all;
}

static bool
value_is(const struct expr *e, struct event *ev, struct value v)
{
	const char *s;
	size_t n;
	char *end;
	double d;

	switch (v.kind) {
	case VALUE_NONE:
		return e->op == OP_NONE;
	case VALUE_STRING:
		/* without decoding where the text can be compared as it stands */
		if (!v.escaped && !ordering(e->op) && e->op != OP_REGEX)
			return text_is(e, v.p + 1, v.n - 2);
		if (!(s = value_str(&ev->arena, v, &n)))
			return false;
		if (!ordering(e->op))
			return text_is(e, s, n);
		d = strtod(s, &end);
		return n && end == s + n && number_is(e, d);
	case VALUE_INT:
	case VALUE_REAL:
		return e->op == OP_SET || number_value_is(e, v);
	case VALUE_TRUE:
	case VALUE_FALSE:
		if (e->op == OP_SET)
			return v.kind == VALUE_TRUE;
		return e->isword && text_is(e, v.p, v.n);
	case VALUE_ARRAY:
		return e->op == OP_SET || elements_are(e, ev, v);
	case VALUE_NULL:
		return e->op == OP_NONE;
	case VALUE_OBJECT:
		return e->op == OP_SET;
	}
	return false;
}

/* The query of the path holds NAME=VALUE. */
static bool
query_has(const struct expr *e, struct event *ev)
{
	size_t n, name = strlen(e->field);
	const char *p = event_str(ev, "path", &n), *end = p + n;

	if (!p || !(p = memchr(p, '?', n)))
		return false;
	while ((p = memmem(p, end - p, e->field, name))) {
		if ((size_t)(end - p) > name + e->len && p[name] == '=' &&
		    !memcmp(p + name + 1, e->value, e->len))
			return true;
		p++;
	}
	return false;
}

/* "text" or "binary", as the original called what data holds: text is without
 * control characters other than \n \r \t. */
static struct value
data_kind(struct event *ev)
{
	static const struct value text = { "\"text\"", 6, VALUE_STRING, false };
	static const struct value binary = { "\"binary\"", 8, VALUE_STRING, false };
	size_t n;
	const char *s;

	if (event_get(ev, "data_b64").kind)
		return binary;
	if (!(s = event_str(ev, "data", &n)))
		return (struct value){ 0 };
	for (size_t i = 0; i < n; i++)
		if (iscntrl((unsigned char)s[i]) && s[i] != '\n' && s[i] != '\r' && s[i] != '\t')
			return binary;
	return text;
}

static bool
condition_true(const struct expr *e, struct event *ev)
{
	static const struct value no = { "false", 5, VALUE_FALSE, false };
	static const struct value yes = { "true", 4, VALUE_TRUE, false };
	struct value v;
	const void *bytes;
	char name[256];
	size_t n;

	if (e->type && !event_is(ev, e->type))
		return false;
	v = event_path(ev, e->field);
	if (!v.kind && !strcmp(e->field, "data.type"))
		v = data_kind(ev);
	/* the original has these two on every line; here they are absent when false */
	if (!v.kind && !strcmp(e->field, "truncated"))
		v = no;
	if (!v.kind && !strcmp(e->field, "is_handshake"))
		v = event_is(ev, "ssl.handshake") ? yes : no;
	if (!v.kind && e->header && strlen(e->field) < sizeof(name) - 8) {
		if (e->query && query_has(e, ev))
			return true;
		strcpy(stpcpy(name, "headers."), e->field);
		v = event_path(ev, name);
		if (v.kind && e->op == OP_EQ)
			return value_is(&(struct expr){ .op = OP_HAS, .value = e->value,
			    .len = e->len }, ev, v);
	}
	if (!v.kind && !strpbrk(e->field, ".[") && (bytes = event_bytes(ev, e->field, &n)))
		return text_is(e, bytes, n);	/* KEY_b64 */
	return value_is(e, ev, v);
}

bool
expr_true(const struct expr *e, struct event *ev)
{
	switch (e->kind) {
	case AND: return expr_true(e->a, ev) && expr_true(e->b, ev);
	case OR: return expr_true(e->a, ev) || expr_true(e->b, ev);
	case NOT: return !expr_true(e->a, ev);
	case COND: return condition_true(e, ev);
	}
	return false;
}
