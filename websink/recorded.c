/* recorded.c - see recorded.h */
#include "recorded.h"

#include "jput.h"
#include "reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHARS = 2000, WHOLE = 1000000000 };

static void
put_report(void *arg, const struct report *r)
{
	char title[REPORT_TITLE + 1];
	struct jput *j = arg;

	report_title(r, title);
	jput_object(j, NULL);
	jput_str(j, "name", r->name);
	jput_str(j, "title", title);
	jput_object_end(j);
}

void
recorded_list(struct jput *j, const char *key)
{
	jput_array(j, key);
	report_each(put_report, j);
	jput_array_end(j);
}

static void
put_price(void *arg, char *const field[PRICE_FIELDS])
{
	static const char *const key[] = { "model", "input", "output", "cache_read",
	    "cache_creation", "as_of",
		"cache_creation_1h", "above", "since", "provider" };
	struct jput *j = arg;

	jput_object(j, NULL);
	for (int i = 0; i < PRICE_FIELDS; i++) {
		if (!*field[i])
			continue;
		if (i == PRICE_MODEL || i == PRICE_DAY || i >= PRICE_SINCE)
			jput_str(j, key[i], field[i]);
		else
			jput_real(j, key[i], strtod(field[i], NULL));
	}
	jput_object_end(j);
}

void
recorded_prices(struct jput *j, const char *key)
{
	jput_array(j, key);
	price_each(put_price, NULL, j);
	jput_array_end(j);
}

static struct query_args
parameters(const struct query *q, int64_t limit, const char *words, bool brief)
{
	return (struct query_args){
		.limit = limit, .words = words, .since = INT64_MIN, .until = INT64_MAX,
		.file = q->path,
		.zone = "+00:00", .time = brief ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%fZ",
		.chars = brief ? CHARS : WHOLE,
	};
}

static void
put_value(struct jput *j, sqlite3_stmt *st, int i)
{
	switch (sqlite3_column_type(st, i)) {
	case SQLITE_INTEGER:
		jput_int(j, NULL, sqlite3_column_int64(st, i));
		break;
	case SQLITE_FLOAT:
		jput_real(j, NULL, sqlite3_column_double(st, i));
		break;
	case SQLITE_NULL:
		jput_raw(j, NULL, "null", 4);
		break;
	default: {
		const char *p = sqlite3_column_blob(st, i);
		size_t n = sqlite3_column_bytes(st, i), good = utf8_valid(p, n);

		/* bytes that are no text, up to where they are none */
		jput_bytes(j, NULL, p ? p : "", good);
	}
	}
}

static int
put_rows(struct query *q, sqlite3_stmt *st, struct jput *j)
{
	int n = sqlite3_column_count(st), rc;

	jput_array(j, "columns");
	for (int i = 0; i < n; i++)
		jput_str(j, NULL, sqlite3_column_name(st, i));
	jput_array_end(j);
	jput_array(j, "rows");
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		jput_array(j, NULL);
		for (int i = 0; i < n; i++)
			put_value(j, st, i);
		jput_array_end(j);
	}
	jput_array_end(j);
	return rc == SQLITE_DONE ? 0 : query_fail(q, "report");
}

int
recorded_report(struct query *q, const char *name, int64_t limit, const char *words, struct jput *j)
{
	struct query_args a = parameters(q, limit, words, true);
	char title[REPORT_TITLE + 1], missing[REPORT_TITLE + 1];
	sqlite3_stmt *st;
	struct report r;
	int rc = -1;

	if (report_find(&r, name))
		return -1;
	if ((st = report_start(q, &r, &a))) {
		report_title(&r, title);
		jput_object(j, NULL);
		jput_str(j, "name", name);
		jput_str(j, "title", title);
		report_missing(q, &r, 0, missing, sizeof(missing));
		if (*missing)
			jput_str(j, "not_recorded", missing);
		rc = put_rows(q, st, j);
		jput_object_end(j);
	}
	sqlite3_finalize(st);
	report_free(&r);
	return rc;
}

int
recorded_export(struct query *q, const char *name, int64_t limit, struct jput *j)
{
	struct query_args a = parameters(q, limit, NULL, false);
	sqlite3_stmt *st;
	struct report r;
	int rc = -1;

	if (report_export(&r, name)) {
		snprintf(q->why, sizeof(q->why),
		    "the reports are not beside websink: export/%s.sql", name);
		return -1;
	}
	if ((st = report_start(q, &r, &a))) {
		if (sqlite3_step(st) == SQLITE_ROW) {
			jput_raw(j, NULL, (const char *)sqlite3_column_text(st, 0),
			    sqlite3_column_bytes(st, 0));
			rc = 0;
		} else
			query_fail(q, name);
	}
	sqlite3_finalize(st);
	report_free(&r);
	return rc;
}
