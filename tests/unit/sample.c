/* sample.c - whose time is whose, by made-up looks at /proc */
#include "../../sysmon/sample.h"
#include "tap.h"

static void
add(struct sample *s, int pid, int ppid, uint64_t own, uint64_t reaped, uint64_t groups)
{
	struct sample_proc p = { .pid = pid, .ppid = ppid, .start = pid, .own = own,
	    .reaped = reaped, .groups = groups };

	sample_add(s, &p);
	sample_sort(s);
}

static void
test_parse(void)
{
	static const char good[] = "42 (a) b (c)) S 1 42 7 0 -1 4194560 1 2 3 4 11 22 33 44 20 0 5 0 99 4096 17 0 0";
	struct sample_proc p;
	int cut = 0;

	ok(sample_parse(&p, good, strlen(good)), "a stat line");
	ok(p.pid == 42 && p.ppid == 1 && p.session == 7 && p.own == 33 && p.reaped == 77 &&
	    p.threads == 5 &&
	    p.start == 99 && p.vsz_bytes == 4096 && p.rss_pages == 17, "its fields");
	ok(!strcmp(p.comm, "a) b (c)"), "a name with parentheses");
	for (size_t n = 0; n < strlen("42 (a) b (c)) S 1 42 7 0 -1 4194560 1 2 3 4 11 22 33 44 20 0 5 0 99 4096"); n++)
		cut += sample_parse(&p, good, n);
	ok(cut == 0, "cut short it is refused");
}

static void
test_ticks(void)
{
	struct sample a = { 0 }, b = { 0 };

	add(&a, 10, 1, 100, 0, 1);
	add(&a, 11, 10, 50, 0, 1);	/* will end, waited for by 10 */
	add(&a, 12, 1, 70, 0, 0);	/* not of the group */
	add(&a, 13, 11, 5, 0, 1);	/* grandchild, ends as well, waited for by 11 */
	add(&b, 10, 1, 110, 75, 1);	/* 50 + 20 more of 11, 5 of 13 */
	add(&b, 12, 1, 99, 0, 0);
	ok(sample_ticks(&a, &b, 1) == 10 + 20,
	    "what a child had used before it ended is counted once");
	add(&b, 14, 10, 3, 0, 1);
	ok(sample_ticks(&a, &b, 1) == 10 + 20 + 3, "a new process counts from its start");
	b.p[0].start = 999;
	ok(sample_ticks(&a, &b, 1) == 110 + 75 + 3, "a reused pid is another process");
	sample_free(&a);
	sample_free(&b);
}

static void
test_inherit(void)
{
	struct sample a = { 0 }, b = { 0 };

	add(&a, 10, 1, 0, 0, 1);
	add(&a, 20, 10, 0, 0, 1);
	add(&b, 20, 1, 0, 0, 0);	/* its parent died, init took it */
	add(&b, 15, 20, 0, 0, 0);
	add(&b, 12, 15, 0, 0, 0);
	add(&b, 30, 1, 0, 0, 0);
	sample_inherit(&b, &a, true);
	ok(sample_find(&b, 20)->groups == 1, "an orphan stays a member");
	ok(sample_find(&b, 15)->groups == 1 &&
	    sample_find(&b, 12)->groups == 1, "and so do those it forks, in any order of pids");
	ok(sample_find(&b, 30)->groups == 0 && !sample_find(&b, 10), "others do not");
	b.p[0].groups = b.p[1].groups = b.p[2].groups = 0;
	sample_inherit(&b, &a, false);
	ok(sample_find(&b, 20)->groups == 1 &&
	    sample_find(&b, 15)->groups == 0, "without children");
	sample_free(&a);
	sample_free(&b);
}

int
main(void)
{
	test_parse();
	test_ticks();
	test_inherit();
	return done();
}
