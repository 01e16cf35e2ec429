/* lenient.c - foreign JSON as JavaScript reads it; every expectation is what JSON.parse gives */
#include "tap.h"

#include "lib/event.h"
#include "lib/lenient.h"

#include <stdlib.h>

static void
reads(const char *in, size_t n, const char *want, unsigned marks, const char *what)
{
	size_t len = 0;
	unsigned got = 0;
	char *t = lenient_json(in, n, false, &len, &got);

	is(t ? t : "refused", t ? len : 7, want, what);
	ok(got == marks, "... and its marks");
	if (t) {
		struct event ev;

		event_init(&ev);
		ok(event_scan_value(&ev, t, len).kind, "... and the scanner takes it");
		event_free(&ev);
	}
	free(t);
}
#define READS(in, want, marks, what) reads(in, sizeof(in) - 1, want, marks, what)

static void
test_halves(void)
{
	char text[] = "a\xf4\x8f\xa0\xbd" "\xf4\x8f\xba\x80" "b", lone[] = "x\xf4\x8f\xa0\xbdy";
	size_t len, n, count = 0;
	unsigned marks = 0;
	char *t = lenient_json("\"\\ud83d\"", 8, true, &len, &marks);

	is(t, len, "\"\xf4\x8f\xa0\xbd\"", "half a pair, kept apart");
	free(t);
	n = lenient_join(text, sizeof(text) - 1, 5);
	is(text, n, "a\xf0\x9f\x9a\x80" "b", "two halves that meet are one character");
	n = lenient_settle(lone, sizeof(lone) - 1, &count);
	is(lone, n, "x\xef\xbf\xbdy", "one that stays alone is replaced");
	ok(count == 1, "... and counted");
}

int
main(void)
{
	READS(" { \"a\" : [ 1 , true ] } ", "{\"a\":[1,true]}", 0, "space between tokens goes");
	READS("{\"n\":18446744073709551615}", "{\"n\":\"18446744073709551615\"}", LENIENT_NUMBER,
	    "an integer beyond 63 bits");
	READS("[9223372036854775807,-9223372036854775808]",
	    "[9223372036854775807,-9223372036854775808]", 0, "those that just fit");
	READS("[1e999,-1E+400,1e-999]", "[\"1e999\",\"-1E+400\",1e-999]", LENIENT_NUMBER,
	    "reals beyond a double");
	READS("[\"\\ud83d\",\"\\ude80x\",\"\\ud83d\\ude80\"]",
	    "[\"\xef\xbf\xbd\",\"\xef\xbf\xbdx\",\"\\ud83d\\ude80\"]",
	    LENIENT_SURROGATE, "halves of surrogate pairs");
	READS("{\"a\":1,\"b\":2,\"\\u0061\":3,\"c\":4,\"b\":5}", "{\"a\":3,\"b\":5,\"c\":4}",
	    LENIENT_DUPLICATE, "keys that come twice");
	READS("[{\"x\":{\"k\":1,\"k\":[2]}},{\"k\":1}]", "[{\"x\":{\"k\":[2]}},{\"k\":1}]",
	    LENIENT_DUPLICATE, "... inside");
	READS("{\"a\":{\"b\":1},\"a\":{\"b\":2},\"z\":0,\"a\":{}}", "{\"a\":{},\"z\":0}",
	    LENIENT_DUPLICATE, "... three times");
	READS("{\"a\\u0000b\":1}", "{\"a\\\\u0000b\":1}", LENIENT_NUL, "NUL in a key");
	READS("{\"a\":\"b\\u0000c\"}", "{\"a\":\"b\\u0000c\"}", 0, "NUL in a text");
	READS("\xef\xbb\xbf{}", "{}", LENIENT_BOM, "a byte order mark");
	READS("\"a\xff\xe2\x82z\"", "\"a\xef\xbf\xbd\xef\xbf\xbdz\"", LENIENT_UTF8,
	    "bytes that are no UTF-8");
	READS("{\"\\\"\\n\\u00e9/\":1}", "{\"\\\"\\u000a\xc3\xa9/\":1}", 0, "keys have one form");
	READS("[]", "[]", 0, "nothing");
	READS("{}", "{}", 0, "nothing at all");
	READS("[1,]", "refused", 0, "a comma too many");
	READS("{\"a\":1,}", "refused", 0, "... in an object");
	READS("{a:1}", "refused", 0, "a key without quotes");
	READS("[01]", "refused", 0, "a zero too many");
	READS("[1.]", "refused", 0, "half a fraction");
	READS("[-]", "refused", 0, "a sign alone");
	READS("\"a\nb\"", "refused", 0, "a newline in a text");
	READS("\"\\x\"", "refused", 0, "an escape that is none");
	READS("\"\\u12\"", "refused", 0, "half an escape");
	READS("{} {}", "refused", 0, "two values");
	READS("[}", "refused", 0, "the wrong bracket");
	READS("{\"a\" 1}", "refused", 0, "no colon");
	READS("\xef\xbb\xbf", "refused", 0, "a mark alone");
	READS("", "refused", 0, "an empty text");
	READS("nul", "refused", 0, "half a word");
	test_halves();
	return done();
}
