/* rows.c - see rows.h */
#include "rows.h"

#include "cell.h"

#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
put(struct line_out *out, const char *s)
{
	line_add(out, s, strlen(s));
}

/* --- values ------------------------------------------------------------------------------ */

struct text {
	const char *s;
	size_t n;
	bool number;
	char buf[32];
};

/* A value as text; 12.339999999999999858 is 12.34. */
static void
text_of(sqlite3_stmt *st, int i, struct text *t)
{
	int type = sqlite3_column_type(st, i);

	t->number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
	if (type == SQLITE_FLOAT) {
		t->n = snprintf(t->buf, sizeof(t->buf), "%.12g", sqlite3_column_double(st, i));
		t->s = t->buf;
		return;
	}
	t->s = type == SQLITE_BLOB ? sqlite3_column_blob(st, i) :
	    (const char *)sqlite3_column_text(st, i);
	t->n = sqlite3_column_bytes(st, i);
	if (!t->s)
		t->s = "";
}

/* x'68C3': what is no text, and does not get lost. */
static void
put_hex(struct line_out *out, const unsigned char *p, size_t n)
{
	char two[3];

	put(out, "x'");
	for (size_t i = 0; i < n; i++) {
		snprintf(two, sizeof(two), "%02X", p[i]);
		line_add(out, two, 2);
	}
	put(out, "'");
}

/* Adds text that is UTF-8; what is not becomes U+FFFD. special writes a character that needs
 * it, of k bytes, and says whether it did. */
static void
put_utf8(struct line_out *out, const char *s, size_t n,
    bool (*special)(struct line_out *, const unsigned char *, size_t))
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n, *from = p;

	while (p < end) {
		size_t k = text_utf8(p, end);
		bool bad = !k;

		if (bad ? false : !special(NULL, p, k)) {
			p += k;
			continue;
		}
		line_add(out, (const char *)from, p - from);
		if (bad)
			put(out, "\xef\xbf\xbd");
		else
			special(out, p, k);
		p += bad ? 1 : k;
		from = p;
	}
	line_add(out, (const char *)from, p - from);
}

/* --- JSON ---------------------------------------------------------------------------------- */

/* What JSON must not hold as it is, and what it may (RFC 8259) but a terminal obeys: C1, and
 * marks that turn the direction. out NULL: asks only. */
static bool
json_special(struct line_out *out, const unsigned char *p, size_t k)
{
	unsigned c = k == 1 ? p[0] : k == 2 ? (p[0] & 0x1f) << 6 | (p[1] & 0x3f) : k == 3 ?
	    (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f) : 0x10000;
	char hex[8];

	if (c < 0x7f ? c >= ' ' && c != '"' && c != '\\' : c >= 0xa0 && c != 0x061c &&
	    c != 0x200e && c != 0x200f &&
	    !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069))
		return false;
	if (!out)
		return true;
	if (c < sizeof(text_letter) && text_letter[c]) {
		hex[0] = '\\';
		hex[1] = text_letter[c];
		line_add(out, hex, 2);
	} else {
		snprintf(hex, sizeof(hex), "\\u%04x", c);
		line_add(out, hex, 6);
	}
	return true;
}

static void
put_string(struct line_out *out, const char *s, size_t n)
{
	put(out, "\"");
	put_utf8(out, s, n, json_special);
	put(out, "\"");
}

static void
put_json_value(struct line_out *out, sqlite3_stmt *st, int i)
{
	switch (sqlite3_column_type(st, i)) {
	case SQLITE_NULL:
		put(out, "null");
		break;
	case SQLITE_FLOAT:
		if (!isfinite(sqlite3_column_double(st, i))) {
			put(out, "null");
			break;
		}
		/* fall through */
	case SQLITE_INTEGER:
		put(out, (const char *)sqlite3_column_text(st, i));
		break;
	case SQLITE_BLOB:
		put(out, "\"");
		put_hex(out, sqlite3_column_blob(st, i), sqlite3_column_bytes(st, i));
		put(out, "\"");
		break;
	default:
		put_string(out, (const char *)sqlite3_column_text(st, i),
		    sqlite3_column_bytes(st, i));
	}
}

/* An array of objects, one a line. */
static void
json_row(struct rows *r, sqlite3_stmt *st)
{
	put(r->out, r->n ? ",\n{" : "{");
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		const char *name = sqlite3_column_name(st, i);

		if (i)
			put(r->out, ",");
		put_string(r->out, name, strlen(name));
		put(r->out, ":");
		put_json_value(r->out, st, i);
	}
	put(r->out, "}");
}

/* --- CSV ------------------------------------------------------------------------------------ */

static bool
csv_special(struct line_out *out, const unsigned char *p, size_t k)
{
	(void)k;
	if (*p != '"')
		return false;
	if (out)
		put(out, "\"\"");
	return true;
}

/* RFC 4180. A text that a spreadsheet would take for a formula begins with an apostrophe. */
static void
csv_text(struct rows *r, const char *s, size_t n, bool number)
{
	struct line_out safe;
	bool quoted;

	line_out_init(&safe, -1);
	if (r->terminal) {
		cell_put(&safe, s, n, 0);
		s = safe.len ? safe.buf : "";
		n = safe.len;
	}
	quoted = memchr(s, '"', n) || memchr(s, ',', n) || memchr(s, '\n', n) || memchr(s, '\r', n);
	if (quoted)
		put(r->out, "\"");
	if (n && !number && strchr("-=+@\t\r", *s) && !cell_is_number(s, n))
		put(r->out, "'");
	put_utf8(r->out, s, n, csv_special);
	if (quoted)
		put(r->out, "\"");
	line_out_free(&safe);
}

static void
csv_row(struct rows *r, sqlite3_stmt *st)
{
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		struct text t;

		if (i)
			put(r->out, ",");
		text_of(st, i, &t);
		if (sqlite3_column_type(st, i) == SQLITE_BLOB)
			put_hex(r->out, (const unsigned char *)t.s, t.n);
		else
			csv_text(r, t.s, t.n, t.number);
	}
	put(r->out, "\r\n");
}

static void
csv_head(struct rows *r, sqlite3_stmt *st)
{
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		const char *name = sqlite3_column_name(st, i);

		if (i)
			put(r->out, ",");
		csv_text(r, name, strlen(name), false);
	}
	put(r->out, "\r\n");
}

/* --- Markdown --------------------------------------------------------------------------------- */

/* Nothing in it is markup. */
static void
md_text(struct rows *r, const char *s, size_t n)
{
	struct line_out safe;

	line_out_init(&safe, -1);
	cell_put(&safe, s, n, 0);
	put(r->out, "| ");
	for (size_t i = 0; i < safe.len; i++) {
		if (safe.buf[i] == '<')
			put(r->out, "&lt;");
		else {
			if (strchr("\\|*_`[", safe.buf[i]))
				put(r->out, "\\");
			line_add(r->out, safe.buf + i, 1);
		}
	}
	put(r->out, " ");
	line_out_free(&safe);
}

static void
md_row(struct rows *r, sqlite3_stmt *st)
{
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		struct text t;

		text_of(st, i, &t);
		md_text(r, t.s, t.n);
	}
	put(r->out, "|\n");
}

static void
md_head(struct rows *r, sqlite3_stmt *st)
{
	int n = sqlite3_column_count(st);

	for (int i = 0; i < n; i++)
		md_text(r, sqlite3_column_name(st, i), strlen(sqlite3_column_name(st, i)));
	put(r->out, "|\n");
	for (int i = 0; i < n; i++)
		put(r->out, "| --- ");
	put(r->out, "|\n");
}

/* --- all ------------------------------------------------------------------------------------- */

static int
table_head(struct rows *r, sqlite3_stmt *st)
{
	int n = sqlite3_column_count(st), rc;
	const char **names;

	if (n == 1 && !strcmp(sqlite3_column_name(st, 0), "line")) {	/* a report that is text */
		r->text = true;
		return 0;
	}
	if (!(names = calloc(n, sizeof(*names))))
		return -1;
	for (int i = 0; i < n; i++)
		names[i] = sqlite3_column_name(st, i);
	r->table.out = r->out;
	rc = table_begin(&r->table, names, n);
	free(names);
	return rc;
}

static int
table_row(struct rows *r, sqlite3_stmt *st)
{
	struct text t;

	if (r->text) {
		text_of(st, 0, &t);
		cell_put(r->out, t.s, t.n, 0);
		line_end(r->out);
		return 0;
	}
	for (size_t i = 0; i < r->table.n; i++) {
		text_of(st, i, &t);
		if (table_cell(&r->table, i, t.s, t.n))
			return -1;
	}
	return 0;
}

static int
head(struct rows *r, sqlite3_stmt *st)
{
	switch (r->form) {
	case ROWS_JSON:
		put(r->out, "[");
		return 0;
	case ROWS_CSV:
		csv_head(r, st);
		return 0;
	case ROWS_MD:
		md_head(r, st);
		return 0;
	default:
		return table_head(r, st);
	}
}

static int
row(struct rows *r, sqlite3_stmt *st)
{
	switch (r->form) {
	case ROWS_JSON:
		json_row(r, st);
		break;
	case ROWS_CSV:
		csv_row(r, st);
		break;
	case ROWS_MD:
		md_row(r, st);
		break;
	default:
		return table_row(r, st);
	}
	return 0;
}

enum { FLUSH = 1 << 16 };

int
rows_write(struct rows *r, sqlite3_stmt *st)
{
	int64_t n = 0;
	int rc = sqlite3_step(st);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return rc;
	if (!r->begun && head(r, st))
		return SQLITE_NOMEM;
	r->begun = true;
	for (; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
		if (r->limit >= 0 && n == r->limit) {
			r->more = true;
			return SQLITE_DONE;
		}
		if (row(r, st))
			return SQLITE_NOMEM;
		n++;
		r->n++;
		if (r->out->len > FLUSH && line_flush(r->out))
			return SQLITE_DONE;
	}
	return rc;
}

void
rows_end(struct rows *r)
{
	if (!r->begun)
		return;
	if (r->form == ROWS_JSON)
		put(r->out, "]\n");
	else if (r->form == ROWS_TABLE && !r->text)
		table_end(&r->table);
}
