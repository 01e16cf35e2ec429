/* event.c - finding, reading and replacing values of a line */
#include "event.h"
#include "line.h"
#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

static struct event ev;

static enum event_rc
scan(const char *s)
{
	return event_scan(&ev, s, strlen(s));
}

static void
test_kinds(void)
{
	ok(scan("{\"type\":\"a\"}") == EVENT_OK, "an event");
	ok(scan("{\"typ\":\"a\"}") == EVENT_NOTYPE, "no type");
	ok(scan("{\"type\":1}") == EVENT_NOTYPE, "a type that is no string");
	ok(scan("[1]") == EVENT_BAD && scan("") == EVENT_BAD &&
	    scan("{\"type\":\"a\"") == EVENT_BAD &&
	    scan("{\"type\":\"a\"}x") == EVENT_BAD, "no object");
	ok(scan("{\"type\":\"a\",\"k\":1,\"k\":2}") == EVENT_BAD, "duplicate key");
	ok(scan("{\"type\":\"a\",\"k\":1,\"\\u006b\":2}") == EVENT_BAD,
	    "duplicate key in disguise");
	ok(event_type_is("{\"type\":\"ssl.data\",", 19, "ssl.data") &&
	    !event_type_is("{\"type\":\"ssl.datax\"", 19, "ssl.data") &&
	    !event_type_is("{\"type\":\"ssl.", 13, "ssl.data"), "the type from the first bytes");
}

static void
test_get(void)
{
	static const char line[] = "{\"type\":\"t\",\"n\":-5,\"u\":9223372036854775807,\"r\":1.5,\"s\":\"a\\u0000b\\n\\ud83d\\ude00\","
	    "\"d_b64\":\"AP/+\",\"e_b64\":\"AA==\",\"bad_b64\":\"A===\",\"o\":{\"a.b\":{\"c\":[10,{\"x\":\"y\"}]},\"a\":1},"
	    "\"\\u006b\":true,\"timestamp_ns\":17}";
	const char *s;
	const unsigned char *b;
	size_t n;
	int64_t i;
	uint64_t u;
	double d;

	ok(scan(line) == EVENT_OK, "scanned");
	ok(event_i64(&ev, "n", &i) && i == -5 && !event_u64(&ev, "n", &u), "integers");
	ok(event_i64(&ev, "u", &i) && i == INT64_MAX, "the largest integer");
	ok(value_f64(event_get(&ev, "r"), &d) && d == 1.5 && !event_i64(&ev, "r", &i), "reals");
	s = event_str(&ev, "s", &n);
	ok(s && n == 8 && !memcmp(s, "a\0b\n\xf0\x9f\x98\x80", 8),
	    "text with NUL and a surrogate pair");
	b = event_bytes(&ev, "d", &n);
	ok(b && n == 3 && !memcmp(b, "\0\xff\xfe", 3), "bytes in base64");
	b = event_bytes(&ev, "e", &n);
	ok(b && n == 1 && !b[0], "padded");
	ok(!event_bytes(&ev, "bad", &n), "no base64");
	ok(event_bytes(&ev, "s", &n) && n == 8, "bytes that are text");
	ok(event_bool(&ev, "k") && !event_bool(&ev, "absent"), "a key behind an escape");
	ok(value_eq(event_path(&ev, "o.a.b.c[1].x"), "y"), "a path, its longest key first");
	ok(event_path(&ev, "o.a").kind == VALUE_INT && !event_path(&ev, "o.a.c").kind &&
	    !event_path(&ev, "o.a.b.c[2]").kind &&
	    !event_path(&ev, "n[0]").kind, "paths that lead nowhere");
	ok(event_time(&ev) == 17, "time");
}

static void
test_replace(void)
{
	static const char line[] = "{ \"type\":\"t\", \"h\":{\"auth\":\"secret\",\"x\":1.10}, \"z\":\"last\" }";
	char path[] = "/tmp/event-test.XXXXXX", got[256];
	struct line_out out;
	int fd = mkstemp(path);
	ssize_t n;

	unlink(path);
	line_out_init(&out, fd);
	scan(line);
	event_write(&ev, &out);
	event_replace(&ev, event_get(&ev, "z"), "null", 4);
	event_replace(&ev, event_path(&ev, "h.auth"), "\"[REDACTED]\"", 12);
	event_write(&ev, &out);
	line_flush(&out);
	n = pread(fd, got, sizeof(got), 0);
	ok(n > 0 && !memcmp(got, line, strlen(line)) &&
	    got[strlen(line)] == '\n', "unedited: the very same bytes");
	is(got + strlen(line) + 1, n - strlen(line) - 1,
	    "{ \"type\":\"t\", \"h\":{\"auth\":\"[REDACTED]\",\"x\":1.10}, \"z\":null }\n",
	    "edited: only the values");
	line_out_free(&out);
	close(fd);
}

/* No allocation per event once the sizes are known. */
static void
test_steady(void)
{
	static const char line[] = "{\"type\":\"t\",\"a\":\"\\n\\t\",\"b\":\"cccccccccccccccccccccccccccccccccccccccccc\"}";
	size_t cap;

	for (int i = 0; i < 3; i++) {
		scan(line);
		event_str(&ev, "a", NULL);
		event_str(&ev, "b", NULL);
	}
	cap = ev.arena.cap;
	for (int i = 0; i < 100; i++) {
		scan(line);
		event_str(&ev, "a", NULL);
		event_str(&ev, "b", NULL);
	}
	ok(ev.arena.cap == cap && !ev.arena.more, "the arena stops growing");
}

int
main(void)
{
	event_init(&ev);
	test_kinds();
	test_get();
	test_replace();
	test_steady();
	event_free(&ev);
	return done();
}
