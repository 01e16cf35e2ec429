/* websink's parts: short forms that are cut anywhere, the memory of lines, one client's stream */
#include "tap.h"

#include "lib/event.h"
#include "lib/jput.h"
#include "lib/line.h"
#include "websink/live.h"
#include "websink/recent.h"
#include "websink/preview.h"

#include <stdbool.h>

/* A line whose data is n times piece, behind `shift` letters. */
static size_t
long_line(char *to, const char *key, int shift, const char *piece, int n)
{
	size_t k = sprintf(to, "{\"type\":\"ssl.data\",\"len\":7,\"%s\":\"%.*s", key, shift,
	    "abcdefghijklmnop");

	for (int i = 0; i < n; i++)
		k += sprintf(to + k, "%s", piece);
	return k + sprintf(to + k, "\",\"fd\":3}");
}

/* Whether the short form is an event that keeps the rest and a start of the text. */
static bool
preview_is_good(struct event *ev, const char *line, size_t n, const char *key)
{
	struct line_out out;
	struct event cut;
	struct value whole, start;
	int64_t fd, was;
	bool good;

	line_out_init(&out, -1);
	event_init(&cut);
	good = event_scan(ev, line, n) == EVENT_OK && preview_event(ev, &out) &&
	    event_scan(&cut, out.buf, out.len) == EVENT_OK;
	whole = event_get(ev, key);
	start = event_get(&cut, key);
	good = good && out.len < PREVIEW_LINE && start.n <= PREVIEW_KEEP + 2 &&
	    start.n > PREVIEW_KEEP - 12 &&
	    !memcmp(start.p, whole.p, start.n - 1) && event_i64(&cut, "fd", &fd) && fd == 3 &&
	    value_i64(value_get(event_get(&cut, "cut"), key), &was) && (size_t)was == whole.n;
	event_free(&cut);
	line_out_free(&out);
	return good;
}

static void
test_preview(void)
{
	static const char *const piece[] = { "a", "\\n", "\\\"", "\\\\", "\\u00e9",
	    "\\ud83d\\ude00", "\xc3\xa9", "\xe2\x82\xac",
	    "\xf0\x9f\x98\x80", "\\\\u", "\\u0000", "\\\\\\\"" };
	static char line[1 << 17];
	struct event ev;
	bool good = true;

	event_init(&ev);
	for (size_t k = 0; k < sizeof(piece) / sizeof(*piece); k++)
		for (int shift = 0; shift < 13; shift++)
			good = preview_is_good(&ev, line,
			    long_line(line, "data", shift, piece[k], 6000), "data") && good;
	ok(good, "a text is cut between characters, wherever they stand");
	ok(preview_is_good(&ev, line, long_line(line, "data_b64", 0, "QUJD", 4000), "data_b64"),
	    "base64 is cut between its groups");
	ok(event_scan(&ev, line, long_line(line, "data", 0, "a", 100)) == EVENT_OK &&
	    !preview_event(&ev, &(struct line_out){ .fd = -1 }),
	    "a short line stays as it is");
	event_free(&ev);
}

static void
test_recent(void)
{
	struct recent *r = recent_new(64 * 100 + 10 * 100, 1000);
	struct recent_line *held;
	struct recent_state is;
	uint64_t id = 1;

	for (int i = 0; i < 150; i++)
		recent_add(r, "0123456789", 10, NULL, 0);
	is = recent_state(r);
	ok(is.first == 51 && is.next == 151 && is.left == 50 &&
	    is.left_bytes == 500, "the oldest lines leave when there are too many bytes");
	held = recent_get(r, &id);
	ok(held && id == 51, "who asks for what has left gets the oldest that is there");
	for (int i = 0; i < 9000; i++)
		recent_add(r, "x", 1, "", 0);
	ok(held->n == 10 &&
	    !memcmp(held->text, "0123456789", 10), "a line in use stays when it has left");
	recent_release(held);
	id = recent_state(r).next;
	ok(!recent_get(r, &id), "what has not come yet is not there");
	ok(recent_wait(r, id, 0) == RECENT_IDLE, "waiting ends without a line");
	recent_end(r);
	ok(recent_wait(r, id, 1000) == RECENT_ENDED, "and at once at the end");
	recent_free(r);
	r = recent_new(1000, 5000);
	for (int i = 0; i < 3; i++)
		recent_add(r, "yyyyyyyyyy", 10, NULL, 0);
	{
		static char big[4000];

		memset(big, 'z', sizeof(big));
		recent_add(r, big, sizeof(big), NULL, 0);
	}
	is = recent_state(r);
	ok(is.first == 4 && is.next == 5, "a line larger than all is kept alone");
	recent_free(r);
}

/* The same stream, read n bytes at a time. */
static size_t
drain(struct recent *r, bool lines, size_t step, char *to)
{
	struct live l;
	size_t n = 0;
	ssize_t k;

	live_init(&l, r, 0);
	l.lines = lines;
	while ((k = live_read(&l, to + n, step, true)) > 0)
		n += k;
	live_free(&l);
	return n;
}

static void
test_live(void)
{
	static char whole[8192], cut[8192];
	struct recent *r = recent_new(1 << 20, 7);
	bool good = true;
	size_t n, m;

	for (int i = 0; i < 12; i++)
		recent_add(r, "{\"type\":\"a.b\"}", 14, NULL, 0);
	recent_end(r);
	n = drain(r, false, sizeof(whole), whole);
	for (size_t step = 1; step < 64; step++)
		good = drain(r, false, step, cut) == n && !memcmp(whole, cut, n) && good;
	ok(good, "a stream is the same in pieces of any size");
	whole[n] = '\0';
	ok(strstr(whole, "event: gap\nid: 5\ndata: 5\n\nid: 6\ndata: {\"type\":\"a.b\"}\n\n") == whole, "what has left is told first");
	ok(strstr(whole, "event: end\ndata: 12\n\n") == whole + n - 21, "and the end at last");
	m = drain(r, true, 3, cut);
	ok(m == 7 * 15 && cut[14] == '\n' && cut[m - 1] == '\n', "plain lines are the lines alone");
	recent_free(r);
}

int
main(void)
{
	test_preview();
	test_recent();
	test_live();
	return done();
}
