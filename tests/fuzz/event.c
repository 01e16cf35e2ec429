/* event.c - the scanner and jansson accept the same, and read the same values */
#include "event.h"
#include "jput.h"
#include "line.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY)

static void
must(int ok, const char *what, const char *s, size_t n)
{
	if (ok)
		return;
	fprintf(stderr, "scanner and jansson disagree: %s: ", what);
	fwrite(s, 1, n, stderr);
	abort();
}

static void
compare(struct arena *a, struct value v, const json_t *j, const char *s, size_t n)
{
	struct value_iter it;
	struct value key, val;
	size_t count = 0, len;
	const char *t;
	int64_t i;
	double d;

	switch (json_typeof(j)) {
	case JSON_OBJECT:
		must(v.kind == VALUE_OBJECT, "object", s, n);
		value_iter(&it, v);
		while (value_next(&it, &key, &val)) {
			t = value_str(a, key, &len);
			must(json_object_get(j, t) != NULL, "member", s, n);
			compare(a, val, json_object_get(j, t), s, n);
			count++;
		}
		must(count == json_object_size(j), "object size", s, n);
		break;
	case JSON_ARRAY:
		must(v.kind == VALUE_ARRAY, "array", s, n);
		value_iter(&it, v);
		for (; value_next(&it, &key, &val); count++)
			compare(a, val, json_array_get(j, count), s, n);
		must(count == json_array_size(j), "array size", s, n);
		break;
	case JSON_STRING:
		t = value_str(a, v, &len);
		must(t && len == json_string_length(j) &&
		    !memcmp(t, json_string_value(j), len), "string", s, n);
		break;
	case JSON_INTEGER:
		must(value_i64(v, &i) && i == json_integer_value(j), "integer", s, n);
		break;
	case JSON_REAL:
		must(value_f64(v, &d) && d == json_real_value(j), "real", s, n);
		break;
	default:
		must(v.kind == (json_is_true(j) ? VALUE_TRUE : json_is_false(j) ? VALUE_FALSE :
		    VALUE_NULL), "word", s, n);
	}
}

/* What jput writes reads back as the same. */
static void
round_trip(const json_t *j, const char *s, size_t n)
{
	struct line_out out;
	struct jput put;
	json_t *back;

	line_out_init(&out, -1);
	jput_open(&put, &out, "t");
	jput_json(&put, "v", j);
	put.out->len += sprintf(line_room(&out, 2), "}");
	back = json_loadb(out.buf, out.len, FLAGS, NULL);
	must(back && json_equal(json_object_get(back, "v"), j), "round trip", s, n);
	json_decref(back);
	line_out_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data;
	json_error_t err;
	json_t *j = json_loadb(s, n, FLAGS, &err);
	struct event ev;
	struct value v;
	enum event_rc rc;

	event_init(&ev);
	v = event_scan_value(&ev, s, n);
	if (j && !v.kind && memchr(s, '\0', n)) {
		/* jansson steps over a raw NUL behind a number or a word; no JSON */
		json_decref(j);
		event_free(&ev);
		return 0;
	}
	must((v.kind != VALUE_NONE) == (j != NULL), j ? "accepted by jansson" : err.text, s, n);
	if (j) {
		compare(&ev.arena, v, j, s, n);
		if (n < 2000)	/* it nests one deeper */
			round_trip(j, s, n);
	}
	rc = event_scan(&ev, s, n);
	must((rc != EVENT_BAD) == json_is_object(j), "event", s, n);
	if (rc != EVENT_BAD) {
		must(ev.nfields == json_object_size(j), "fields", s, n);
		for (size_t i = 0; i < ev.nfields; i++) {
			struct value k = { ev.fields[i].key - 1, ev.fields[i].keylen + 2,
			    VALUE_STRING, ev.fields[i].keyescaped };
			const char *key = value_str(&ev.arena, k, NULL);

			compare(&ev.arena, event_get(&ev, key), json_object_get(j, key), s, n);
		}
	}
	event_free(&ev);
	json_decref(j);
	return 0;
}
