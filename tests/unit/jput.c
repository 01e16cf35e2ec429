/* jput.c - every byte comes back: text as text, the rest as base64 */
#include "event.h"
#include "jput.h"
#include "line.h"
#include "tap.h"

#include <jansson.h>

/* The value of KEY or KEY_b64 in what jput wrote, decoded by our own reader. */
static int
comes_back(const unsigned char *p, size_t n, int text)
{
	struct line_out out;
	struct event ev;
	struct jput j;
	const void *b;
	size_t len;
	int good;

	line_out_init(&out, -1);
	event_init(&ev);
	jput_open(&j, &out, "t");
	jput_bytes(&j, "data", p, n);
	jput_close(&j);
	good = event_scan(&ev, out.buf, out.len - 1) == EVENT_OK;
	good = good && (event_get(&ev, text ? "data" : "data_b64").kind == VALUE_STRING);
	good = good && !event_get(&ev, text ? "data_b64" : "data").kind;
	b = event_bytes(&ev, "data", &len);
	good = good && b && len == n && !memcmp(b, p, n);
	event_free(&ev);
	line_out_free(&out);
	return good;
}

static void
test_bytes(void)
{
	static const struct { const char *s; size_t n; int text; const char *name; } c[] = {
		{ "", 0, 1, "nothing" }, { "\0", 1, 1, "NUL is text" },
		{ "a\"\\\n\x1f\x7f", 6, 1, "escapes" },
		{ "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x99\x82", 9, 1, "UTF-8" },
		{ "\xc3", 1, 0, "half a character" },
		{ "\xc0\x80", 2, 0, "overlong" }, { "\xed\xa0\x80", 3, 0, "surrogate" },
		{ "\xf4\x90\x80\x80", 4, 0, "above U+10FFFF" },
		{ "abc\xff", 4, 0, "one bad byte at the end" },
	};
	unsigned char all[256], big[20000];
	int good = 1;

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++)
		ok(comes_back((const unsigned char *)c[i].s, c[i].n, c[i].text), c[i].name);
	for (int i = 0; i < 256; i++)
		all[i] = i;
	for (int n = 0; n <= 256; n++)
		good &= comes_back(all, n, n <= 128);
	ok(good, "every byte, every length");
	/* a character across each boundary of the escaper's pieces */
	good = 1;
	for (size_t at = 4090; at < 4100; at++) {
		memset(big, 'x', sizeof(big));
		memcpy(big + at, "\xf0\x9f\x99\x82", 4);
		good &= comes_back(big, sizeof(big), 1);
		big[at + 2] = 'x';
		good &= comes_back(big, sizeof(big), 0);
	}
	ok(good, "characters across pieces");
}

/* What is escaped in blocks is what is escaped a character at a time, wherever the
 * blocks begin and whatever is in them. */
static void
test_blocks(void)
{
	static const char *const piece[] = {
		"a", "b", " ", "/", "longer than sixteen bytes of plain text, ", "\"", "\\", "\n",
		"\r", "\t",
		"\"\\\"\\", "\x01", "\x1f", "\b", "\x7f", "\xc3\xa9", "\xe6\xbc\xa2\xe5\xad\x97",
		"\xf0\x9f\x99\x82",
	};
	struct line_out whole, apart;
	struct jput j;
	int good = 1;
	uint32_t x = 1;

	line_out_init(&whole, -1);
	line_out_init(&apart, -1);
	for (int round = 0; good && round < 2000; round++) {
		size_t pieces = round % 150, kinds = 1 + round % (sizeof(piece) / sizeof(*piece));
		char text[150 * 45];
		size_t n = 0;

		whole.len = apart.len = 0;
		jput_open(&j, &apart, "t");
		jput_open(&j, &whole, "t");
		line_add(&apart, ",\"data\":\"", 9);
		for (size_t i = 0; i < pieces; i++) {
			const char *s = piece[(x >> 16) % kinds];
			struct line_out one;

			x = x * 1664525 + 1013904223;
			memcpy(text + n, s, strlen(s));
			n += strlen(s);
			line_out_init(&one, -1);
			jput_bytes(&(struct jput){ .out = &one }, NULL, s, strlen(s));
			line_add(&apart, one.buf + 1, one.len - 2);
			line_out_free(&one);
		}
		jput_bytes(&j, "data", text, n);
		line_add(&apart, "\"", 1);
		good = whole.len == apart.len && !memcmp(whole.buf, apart.buf, whole.len);
	}
	ok(good, "in blocks as character by character");
	line_out_free(&whole);
	line_out_free(&apart);
}

static void
test_object(void)
{
	static const char doc[] = "{\"a\":[1,2.5,1.1,\"x\\u0000y\",null,true,{}],\"k\":{\"z\":-1}}";
	struct envelope e = { 5, 1, 2, 3, "pro\"c", "thr", 7, "abc" };
	json_t *v = json_loads(doc, JSON_ALLOW_NUL, NULL);
	struct line_out out;
	struct jput j;

	line_out_init(&out, -1);
	jput_open(&j, &out, "t");
	jput_envelope(&j, &e);
	jput_int(&j, "i", INT64_MIN);
	jput_uint(&j, "u", 0);
	jput_ms(&j, "ms", 1234567);
	jput_real(&j, "r", 0.1);
	jput_real(&j, "w", 3);
	jput_bool(&j, "b", false);
	jput_array(&j, "arr");
	jput_bytes(&j, NULL, "\xff", 1);
	jput_str(&j, NULL, "s");
	jput_array_end(&j);
	jput_object(&j, "o");
	jput_bytes_key(&j, "k\xff\"", 3, "v", 1);
	jput_object_end(&j);
	jput_json(&j, "doc", v);
	jput_close(&j);
	is(out.buf, out.len, "{\"type\":\"t\",\"timestamp_ns\":5,\"pid\":1,\"tid\":2,\"uid\":3,\"comm\":\"pro\\\"c\","
	    "\"thread\":\"thr\",\"ns_pid\":7,\"container_id\":\"abc\",\"i\":-9223372036854775808,\"u\":0,\"ms\":1.234,"
	    "\"r\":0.1,\"w\":3.0,\"b\":false,\"arr\":[\"/w==\",\"s\"],\"o\":{\"k\xef\xbf\xbd\\\"\":\"v\"},"
	    "\"doc\":{\"a\":[1,2.5,1.1,\"x\\u0000y\",null,true,{}],\"k\":{\"z\":-1}}}\n",
	    "an object with everything");
	json_decref(v);
	line_out_free(&out);
}

int
main(void)
{
	test_bytes();
	test_blocks();
	test_object();
	ok(utf8_valid("ab\xc3\xa9\xff", 5) == 4 && utf8_valid("ab", 2) == 2, "utf8_valid");
	return done();
}
