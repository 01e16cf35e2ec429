/* the parts of agentsight-report: widths, cells, times; and the nearest name */
#include "tap.h"

#include "lib/line.h"
#include "lib/nearest.h"
#include "report/cell.h"
#include "report/layout.h"
#include "report/when.h"

#include <stdbool.h>
#include <stdlib.h>

static void
shows(const char *s, size_t n, size_t max, const char *want, size_t columns)
{
	struct line_out out;
	size_t took;

	line_out_init(&out, -1);
	took = cell_put(&out, s, n, max);
	is(out.len ? out.buf : "", out.len, want, want);
	ok(took == columns, "and how wide it is");
	line_out_free(&out);
}

static void
cells(void)
{
	shows("plain", 5, 0, "plain", 5);
	shows("a\033[31m\n", 7, 0, "a\\x1b[31m\\x0a", 13);
	shows("\xc2\x9b", 2, 0, "\\u009b", 6);
	shows("\xe2\x80\xae", 3, 0, "\\u202e", 6);
	shows("\xff\xfe", 2, 0, "\\xff\\xfe", 8);
	shows("\xc2", 1, 0, "\\xc2", 4);
	shows("\0", 1, 0, "\\x00", 4);
	shows("\xe4\xb8\xad\xe6\x96\x87", 6, 0, "\xe4\xb8\xad\xe6\x96\x87", 4);
	shows("abcdef", 6, 6, "abcdef", 6);
	shows("abcdef", 6, 4, "abc\xe2\x80\xa6", 4);
	shows("\xe4\xb8\xad\xe6\x96\x87", 6, 3, "\xe4\xb8\xad\xe2\x80\xa6", 3);
	shows("ab\033", 3, 4, "ab\xe2\x80\xa6", 3);
	ok(cell_is_number("-12.5e+3", 8) && cell_is_number("0", 1), "numbers");
	ok(!cell_is_number("", 0) && !cell_is_number("-", 1) && !cell_is_number("1.", 2) &&
	    !cell_is_number("1e", 2) &&
	    !cell_is_number("12-3", 4) && !cell_is_number("0x1", 3), "no numbers");
}

static size_t
used(const struct layout *c, size_t n)
{
	size_t sum = 0, shown = 0;

	for (size_t i = 0; i < n; i++)
		if (c[i].shown) {
			sum += c[i].width;
			shown++;
		}
	return sum + (shown ? (shown - 1) * LAYOUT_GAP : 0);
}

static void
layouts(void)
{
	static const struct layout all[] = {
		{ .name = "call", .text = 3, .number = true }, { .name = "path", .text = 200 },
		{ .name = "cache_creation_tokens", .text = 6, .number = true, .leaves = 1 },
		{ .name = "time", .text = 14 }, { .name = "finish", .text = 9, .leaves = 2 },
	};
	enum { N = sizeof(all) / sizeof(*all) };
	struct layout c[N];
	bool fits = true, numbers = true, first = true;
	const char *part;

	for (size_t width = 30; width < 300; width++) {
		memcpy(c, all, sizeof(c));
		layout_fit(c, N, width);
		fits &= used(c, N) <= width;
		first &= c[0].shown;
		for (size_t i = 0; i < N; i++)
			numbers &= !c[i].shown || !c[i].number || c[i].width >= c[i].text;
	}
	ok(fits, "a table fits into every width");
	ok(numbers, "no number is cut");
	ok(first, "the first column stays");
	memcpy(c, all, sizeof(c));
	ok(layout_fit(c, N, 0) == 1 && c[1].width == 200, "without a width all is shown");
	memcpy(c, all, sizeof(c));
	ok(layout_fit(c, N, 50) >= 1 && !c[2].shown && c[4].shown && c[3].shown && c[3].width >= 14,
	    "what leaves first leaves first, and short texts stay whole");
	memcpy(c, all, sizeof(c));
	ok(layout_fit(c, N, 80) == 3 && c[2].shown, "a heading is broken before a column leaves");
	is(part, layout_head("cache_creation_tokens", 9, 0, 3, &part), "cache_", "its first line");
	is(part, layout_head("cache_creation_tokens", 9, 2, 3, &part), "tokens", "its last");
	ok(layout_head("call", 4, 0, 3, &part) == 0, "a short one is at the bottom");
}

static bool
time_is(const char *s, int64_t want)
{
	const int64_t first = 1795493553000000000, last = first + 22000000000;
	int64_t got = -1;

	if (when_parse(s, first, last, &got))
		return want < 0;
	return got == want;
}

static void
times(void)
{
	setenv("TZ", "UTC", 1);
	ok(time_is("2026-11-24T04:12:33Z", 1795493553000000000), "a date and a time");
	ok(time_is("2026-11-24 04:12:33.25", 1795493553250000000), "local, with a fraction");
	ok(time_is("2026-11-24", 1795478400000000000), "a date");
	ok(time_is("04:12", 1795493520000000000), "a time of the day of the recording");
	ok(time_is("10s", 1795493553000000000 + 12000000000), "before the end");
	ok(time_is("1795493553", 1795493553000000000) &&
	    time_is("1795493553000", 1795493553000000000) &&
	    time_is("1795493553000000001", 1795493553000000001), "numbers since 1970");
	ok(time_is("", -1) && time_is("x", -1) && time_is("2026-11-24T", -1) &&
	    time_is("24:00", -1) && time_is("10", -1) &&
	    time_is("99999999999999999999", -1) && time_is("-1s", -1), "what is no time");
}

static void
names(void)
{
	static const char *const all[] = { "summary", "calls", "tools", "tokens", "timeline",
	    "top" };
	const size_t n = sizeof(all) / sizeof(*all);

	ok(nearest_name("sumary", all, n) == all[0], "a letter left out");
	ok(nearest_name("tolkens", all, n) == all[3], "one too many");
	ok(nearest_name("clals", all, n) == all[1], "two swapped");
	ok(nearest_name("time", all, n) == all[4], "the beginning of one");
	ok(!nearest_name("zzz", all, n) && !nearest_name("", all, n), "nothing is near");
}

int
main(void)
{
	cell_init();
	cells();
	layouts();
	times();
	names();
	return done();
}
