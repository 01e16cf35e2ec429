/* ssemerge.c - the parts of ssemerge: readers, repairing, builders */
#include "ssemerge/response.h"
#include "lib/lenient.h"
#include "vendor/repair.h"
#include "tap.h"

/* Events as text: name|id|data; */
struct log {
	char text[4096];
	size_t n;
};

static void
log_add(struct log *l, const char *p, size_t n)
{
	for (size_t i = 0; i < n && l->n + 1 < sizeof(l->text); i++)
		l->text[l->n++] = p[i];
	l->text[l->n] = '\0';
}

static void
on_event(void *arg, const struct sse_event *e)
{
	log_add(arg, e->name, e->namelen);
	log_add(arg, "|", 1);
	log_add(arg, e->id, e->idlen);
	log_add(arg, "|", 1);
	log_add(arg, e->data, e->len);
	log_add(arg, ";", 1);
}

static void
on_value(void *arg, const char *p, size_t n)
{
	log_add(arg, p, n);
	log_add(arg, ";", 1);
}

/* Whether s gives want, whole and cut in three at every two places. */
static int
sse_gives(const char *s, size_t n, const char *want)
{
	int good = 1;

	for (size_t i = 0; i <= n; i++)
		for (size_t k = i; k <= n; k++) {
			struct builder d;
			struct sse r;
			struct log l = { 0 };

			builder_init(&d, SIZE_MAX);
			sse_init(&r, &d, 1000);
			sse_feed(&r, s, i, on_event, &l);
			sse_feed(&r, s + i, k - i, on_event, &l);
			sse_feed(&r, s + k, n - k, on_event, &l);
			sse_end(&r, on_event, &l);
			sse_free(&r);
			if (strcmp(l.text, want) && good)
				printf("# cut at %zu and %zu: %s\n", i, k, l.text);
			good &= !strcmp(l.text, want) && d.memory == 0;
		}
	return good;
}

static void
sse_text(struct sse *r, const char *s, struct log *l)
{
	sse_feed(r, s, strlen(s), on_event, l);
}

static void
test_sse(void)
{
	static const struct { const char *name, *in, *want; } c[] = {
		{ "LF", "data: a\n\ndata: b\n\n", "||a;||b;" },
		{ "CRLF", "event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", "x||a;||b;" },
		{ "CR", "event: x\rdata: a\r\rdata: b\r\r", "x||a;||b;" },
		{ "all three", "data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\n\n", "||a\nb\nc;||d;" },
		{ "BOM", "\xef\xbb\xbf" "data: a\n\n", "||a;" },
		{ "a second BOM is a name", "\xef\xbb\xbf\xef\xbb\xbf" "data: a\n\n", "" },
		{ "half a BOM is a name", "\xef\xbb" "data: a\n\ndata: b\n\n", "||b;" },
		{ "no space, one space, two", "data:a\ndata: b\ndata:  c\n\n", "||a\nb\n c;" },
		{ "no colon", "data\n\ndata\ndata\n\n", "||;||\n;" },
		{ "empty data", "data:\n\n", "||;" },
		{ "comments and unknown fields", ":x\n: y\nfoo: 1\nretry: 5\ndata: a\n:z\n\n",
		    "||a;" },
		{ "no data, no event", "event: x\n\ndata: a\n\n", "||a;" },
		{ "the id stays", "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
		    "|1|a;|1|b;||c;" },
		{ "no blank line at the end", "data: a\n\ndata: b\n", "||a;||b;" },
		{ "no newline at the end", "data: a\n\ndata: b", "||a;||b;" },
		{ "names are exact", "Data: a\n data: b\ndatax: c\ndata : d\ndata: e\n\n", "||e;" },
		{ "colons in values", "data: {\"a\":1}\n\n", "||{\"a\":1};" },
		{ "nothing", "", "" }, { "only ends", "\n\r\n\r", "" },
	};
	static const char nul[] = "id: a\0b\ndata: x\0y\n\n";
	struct builder d;
	struct sse r;
	struct log l = { 0 };

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++)
		ok(sse_gives(c[i].in, strlen(c[i].in), c[i].want), c[i].name);
	ok(sse_gives(nul, sizeof(nul) - 1, "||x"), "NUL in data stays, an id with one is ignored");

	builder_init(&d, SIZE_MAX);
	sse_init(&r, &d, 10);
	sse_text(&r, "data: 0123456789\n\ndata: 0123456789x\n\ndata: 01234\ndata: 56789\n\ndata: ok\n\n", &l);
	ok(!strcmp(l.text, "||0123456789;||ok;") &&
	    r.long_events == 2, "events over the limit are left out and counted");
	l.n = 0;
	sse_text(&r, "data: lost", &l);
	sse_hole(&r);
	sse_text(&r, "rest\ndata: of it\n\ndata: next\n\n", &l);
	ok(!strcmp(l.text, "||next;") &&
	    r.long_events == 2, "after a hole: from the next blank line on");
	sse_free(&r);
}

static int
values_give(const char *s, bool lines, const char *want)
{
	size_t n = strlen(s);
	int good = 1;

	for (size_t i = 0; i <= n; i++)
		for (size_t k = i; k <= n; k++) {
			struct builder d;
			struct values r;
			struct log l = { 0 };

			builder_init(&d, SIZE_MAX);
			values_init(&r, &d, 1000, lines);
			values_feed(&r, s, i, on_value, &l);
			values_feed(&r, s + i, k - i, on_value, &l);
			values_feed(&r, s + k, n - k, on_value, &l);
			values_end(&r, on_value, &l);
			values_free(&r);
			if (strcmp(l.text, want) && good)
				printf("# cut at %zu and %zu: %s\n", i, k, l.text);
			good &= !strcmp(l.text, want) && d.memory == 0;
		}
	return good;
}

static void
test_values(void)
{
	ok(values_give("{\"a\":1}\n{\"b\":2}\r\n\n  {\"c\":3}", true,
	    "{\"a\":1};{\"b\":2}\r;{\"c\":3};"), "NDJSON");
	ok(values_give("{\"a\n{\"b\":2}\n", true, "{\"a;{\"b\":2};"),
	    "a broken line ends at its end");
	ok(values_give("[{\"a\":\"}]{\\\"\"},\r\n{\"b\":[1,{}]}\n,\n[2]]\n", false,
	    "{\"a\":\"}]{\\\"\"};{\"b\":[1,{}]};[2];"),
	    "the elements of an array");
	ok(values_give("[]", false, ""), "an empty array");
	ok(values_give("{\"a\":1}{\"b\":\"\\\\\"} {\n}\n", false,
	    "{\"a\":1};{\"b\":\"\\\\\"};{\n};"), "values side by side");
	ok(values_give("\x1e{\"a\":1}\n\x1e{\"b\":1}\n", false, "{\"a\":1};{\"b\":1};"),
	    "JSON text sequence");
	ok(values_give("{\"a\":", false, "{\"a\":;"), "a value that is cut");
}

/* A message as AWS frames it; returns its length. */
static size_t
frame(char *to, const char *type, const char *payload)
{
	size_t t = strlen(type), n = strlen(payload), head = 1 + 11 + 1 + 2 + t,
	    total = 16 + head + n;
	unsigned char *p = (unsigned char *)to;
	uint32_t v[2] = { total, head }, crc;

	for (int i = 0; i < 8; i++)
		p[i] = v[i / 4] >> (24 - i % 4 * 8);
	crc = aws_crc32(p, 8);
	for (int i = 0; i < 4; i++)
		p[8 + i] = crc >> (24 - i * 8);
	p[12] = 11;
	memcpy(p + 13, ":event-type", 11);
	p[24] = 7;
	p[25] = t >> 8;
	p[26] = t;
	memcpy(p + 27, type, t);
	memcpy(p + 27 + t, payload, n);
	crc = aws_crc32(p, total - 4);
	for (int i = 0; i < 4; i++)
		p[total - 4 + i] = crc >> (24 - i * 8);
	return total;
}

static void
on_aws(void *arg, const struct aws_event *e)
{
	log_add(arg, e->type, e->typelen);
	log_add(arg, "|", 1);
	log_add(arg, e->payload, e->len);
	log_add(arg, ";", 1);
}

/* Feeds s[0..n) cut in three at every two places; all give want and bad. */
static int
aws_gives(const char *s, size_t n, const char *want, uint64_t bad, uint64_t toolong)
{
	int good = 1;

	for (size_t i = 0; i <= n; i += 1 + n / 100)
		for (size_t k = i; k <= n; k += 1 + n / 50) {
			struct builder d;
			struct aws r;
			struct log l = { 0 };

			builder_init(&d, SIZE_MAX);
			aws_init(&r, &d, 100);
			aws_feed(&r, s, i, on_aws, &l);
			aws_feed(&r, s + i, k - i, on_aws, &l);
			aws_feed(&r, s + k, n - k, on_aws, &l);
			aws_free(&r);
			if ((strcmp(l.text, want) || r.bad != bad || r.long_events != toolong) &&
			    good)
				printf("# cut at %zu and %zu: %s, %d bad\n", i, k, l.text,
				    (int)r.bad);
			good &= !strcmp(l.text, want) && r.bad == bad && r.long_events == toolong &&
			    d.memory == 0;
		}
	return good;
}

static void
test_aws(void)
{
	char s[1024], big[200];
	struct builder d;
	struct aws r;
	struct log l = { 0 };
	size_t a, b, n;

	ok(aws_crc32("123456789", 9) == 0xcbf43926, "CRC-32, its check value");
	a = frame(s, "one", "{\"a\":1}");
	b = a + frame(s + a, "two", "");
	n = b + frame(s + b, "three", "x");
	ok(aws_gives(s, n, "one|{\"a\":1};two|;three|x;", 0, 0), "messages");
	s[a + 20] ^= 1;
	ok(aws_gives(s, n, "one|{\"a\":1};three|x;", 1, 0),
	    "a damaged message: the next one is found");
	s[a + 20] ^= 1;
	s[a + 1] ^= 1;
	ok(aws_gives(s, n, "one|{\"a\":1};three|x;", 1, 0), "a damaged length as well");
	s[a + 1] ^= 1;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	a = frame(s, "one", big);
	n = a + frame(s + a, "two", "y");
	ok(aws_gives(s, n, "two|y;", 0, 1), "one over the limit is passed over");
	n = frame(s, "one", "1");
	n += frame(s + n, "two", "2");
	builder_init(&d, SIZE_MAX);
	aws_init(&r, &d, 100);
	aws_hole(&r);
	aws_feed(&r, s + 5, n - 5, on_aws, &l);
	ok(!strcmp(l.text, "two|2;") && r.bad == 0, "after a hole: from the next message on");
	aws_free(&r);
}

/* What repair_cut makes of a text, as JSON; "none" for nothing. */
static int
cut_is(const char *s, const char *want)
{
	unsigned marks = 0;
	json_t *j = repair_cut(s, strlen(s), &marks);
	char *t = j ? json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	int good = !strcmp(t ? t : "none", want);

	if (!good)
		printf("# %s gives %s, not %s\n", s, t ? t : "none", want);
	free(t);
	json_decref(j);
	return good;
}

static void
test_cut(void)
{
	static const struct { const char *in, *want; } c[] = {
		{ "{\"a\":1}", "{\"a\":1}" }, { "{\"a\":1", "{}" }, { "{\"a\":1 ", "{\"a\":1}" },
		{ "{\"a\":1,", "{\"a\":1}" },
		{ "{\"a\":1,\"b", "{\"a\":1}" }, { "{\"a\":1,\"b\"", "{\"a\":1}" },
		{ "{\"a\":1,\"b\":", "{\"a\":1}" },
		{ "{\"a\":1,\"b\":\"x", "{\"a\":1}" }, { "{\"a\":1,\"b\":\"x\\", "{\"a\":1}" },
		{ "{\"a\":\"x\"", "{\"a\":\"x\"}" },
		{ "[1,2", "[1]" }, { "[\"a\",\"b\"", "[\"a\",\"b\"]" }, { "[true,fal", "[true]" },
		{ "[nul", "[]" },
		{ "{\"a\":[{\"b\":{\"c\":[[", "{\"a\":[{\"b\":{\"c\":[[]]}}]}" }, { "[1e", "[]" },
		{ "[1.", "[]" }, { "[-", "[]" },
		{ "{", "{}" }, { "[", "[]" }, { "", "none" }, { "\"abc", "none" }, { "12", "none" },
		{ "[1}", "none" },
		{ "{\"a\":wat", "none" }, { "}", "none" }, { "{\"a\" \"b\":1", "none" },
		{ "[1 2 ", "none" },
		{ "[123456789012345678901234567890,", "[\"123456789012345678901234567890\"]" },
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++)
		ok(cut_is(c[i].in, c[i].want), c[i].in);
}

static void
test_utf8(void)
{
	static const struct { const char *in, *want; } c[] = {
		{ "a\xffz", "a\xef\xbf\xbdz" }, { "\xe2\x82z", "\xef\xbf\xbdz" },
		{ "\xe2\x82", "\xef\xbf\xbd" },
		{ "\xf0\x9f\x98\xf0\x9f\x98\x80", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		size_t n;
		char *t = lenient_utf8(c[i].in, strlen(c[i].in), &n);

		is(t, n, c[i].want, "ill-formed sequences, as the Encoding standard replaces them");
		free(t);
	}
}

static void
test_draft(void)
{
	struct builder d;
	json_t *root = json_object(), *inner;
	struct value a = { "\"ab\"", 4, VALUE_STRING, false },
	    e = { "\"\\u00e9\"", 8, VALUE_STRING, true };
	char big[300];

	builder_init(&d, 1 << 20);
	ok(builder_append(&d, root, "t", a) && builder_append(&d, root, "t", e), "a string grows");
	builder_settle(&d);
	ok(!strcmp(json_string_value(json_object_get(root, "t")), "ab\xc3\xa9"),
	    "and is in the tree once settled");
	builder_append(&d, root, "t", a);
	builder_settle(&d);
	ok(!strcmp(json_string_value(json_object_get(root, "t")), "ab\xc3\xa9" "ab"),
	    "and grows on");
	inner = builder_object(&d, root, "o");
	builder_append(&d, inner, "t", a);
	json_object_del(root, "o");
	builder_sweep(&d);
	ok(d.nslot == 0, "what is in no tree any more is let go");
	for (int i = 0; i < 200; i++) {		/* more than grow at a time */
		static char key[200][16];

		snprintf(key[i], sizeof(key[i]), "k%d", i);
		builder_append(&d, root, key[i], a);
		builder_append(&d, root, key[i / 2], a);
	}
	builder_settle(&d);
	ok(!strcmp(json_string_value(json_object_get(root, "k1")), "ababab"),
	    "any number of strings grow");
	builder_free(&d);
	json_decref(root);

	root = json_object();
	memset(big, 'x', sizeof(big));
	big[0] = big[sizeof(big) - 1] = '"';
	builder_init(&d, 1000);
	for (int i = 0; i < 10; i++)
		builder_append(&d, root, "t",
		    (struct value){ big, sizeof(big), VALUE_STRING, false });
	builder_settle(&d);
	ok(json_string_length(json_object_get(root, "t")) == 3 * 298 &&
	    d.lost == 7 * 298, "what is over the limit is left out and counted");
	builder_free(&d);
	json_decref(root);
}

int
main(void)
{
	test_sse();
	test_values();
	test_aws();
	test_cut();
	test_utf8();
	test_draft();
	return done();
}
