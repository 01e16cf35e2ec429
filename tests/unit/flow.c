/* flow.c - bounded in count and bytes, every way out through finish */
#include "flow.h"
#include "loss.h"
#include "line.h"
#include "tap.h"

struct entry { int n; };

static char told[4096];

static void
on_finish(void *arg, void *entry, enum flow_why why)
{
	struct entry *e = entry;
	size_t n;
	const char *k = flow_key(e, &n);

	(void)arg;
	sprintf(told + strlen(told), "%.*s=%d:%s ", (int)n, k, e->n, flow_why_name(why));
}

static struct entry *
get(struct flow_table *t, const char *k, uint64_t now)
{
	return flow_get(t, k, strlen(k), now);
}

static void
test_order(void)
{
	struct flow_table *t = flow_new(sizeof(struct entry), 3, 100, on_finish, NULL);

	get(t, "a", 1)->n = 1;
	get(t, "b", 2)->n = 2;
	get(t, "c", 3)->n = 3;
	ok(get(t, "a", 4)->n == 1, "found again");
	get(t, "d", 5)->n = 4;
	is(told, strlen(told), "b=2:evicted ", "the least recently used goes first");
	ok(!flow_find(t, "b", 1, 6) && flow_find(t, "a", 1, 6) &&
	    flow_count(t) == 3, "and is gone");
	told[0] = '\0';
	flow_expire(t, 15, 9);
	is(told, strlen(told), "c=3:idle d=4:idle ", "idle by event time");
	told[0] = '\0';
	flow_drop(t, get(t, "a", 7), FLOW_END);
	get(t, "x", 8);
	get(t, "y", 9);
	flow_free(t);
	is(told, strlen(told), "a=1:end x=0:eof y=0:eof ", "the end, oldest first");
}

static void
test_bytes(void)
{
	struct flow_table *t = flow_new(sizeof(struct entry), 10, 100, on_finish, NULL);
	struct entry *a = get(t, "a", 1), *b = get(t, "b", 2), *c;

	told[0] = '\0';
	get(t, "empty", 0);
	ok(flow_charge(t, a, 60) == 0 && flow_charge(t, b, 40) == 0 && !told[0], "up to the limit");
	ok(flow_charge(t, b, 10) == 0, "over it, others make room");
	is(told, strlen(told), "a=0:evicted ", "those that hold bytes");
	ok(flow_charge(t, b, 51) == -1, "not even alone");
	ok(flow_charge(t, b, -50) == 0, "given back");
	c = get(t, "c", 3);
	ok(flow_charge(t, c, 100) == 0 && flow_count(t) == 2 + 1, "and free for another");
	flow_free(t);
}

static void
test_many(void)
{
	struct flow_table *t = flow_new(sizeof(struct entry), 50000, 1, NULL, NULL);
	char k[16];
	int good = 1;

	for (int i = 0; i < 60000; i++) {
		sprintf(k, "%d", i);
		get(t, k, i)->n = i;
	}
	for (int i = 10000; i < 60000; i++) {
		sprintf(k, "%d", i);
		good &= get(t, k, i)->n == i;
	}
	ok(good && flow_count(t) == 50000, "fifty thousand of them");
	flow_free(t);
}

static void
test_loss(void)
{
	struct line_out out;
	struct loss l;

	line_out_init(&out, -1);
	loss_init(&l, "me");
	for (int i = 0; i < 10; i++) {
		loss_add(&l, "r", 1, 5);
		loss_emit(&l, &out, i, false);
	}
	loss_add(&l, "q", 2, 0);
	loss_emit(&l, &out, 99, true);
	loss_emit(&l, &out, 99, true);
	is(out.buf, out.len,
	    "{\"type\":\"loss\",\"stage\":\"me\",\"reason\":\"r\",\"events\":1,\"bytes\":5}\n"
	    "{\"type\":\"loss\",\"timestamp_ns\":1,\"stage\":\"me\",\"reason\":\"r\",\"events\":1,\"bytes\":5}\n"
	    "{\"type\":\"loss\",\"timestamp_ns\":3,\"stage\":\"me\",\"reason\":\"r\",\"events\":2,\"bytes\":10}\n"
	    "{\"type\":\"loss\",\"timestamp_ns\":7,\"stage\":\"me\",\"reason\":\"r\",\"events\":4,\"bytes\":20}\n"
	    "{\"type\":\"loss\",\"timestamp_ns\":99,\"stage\":\"me\",\"reason\":\"r\",\"events\":2,\"bytes\":10}\n"
	    "{\"type\":\"loss\",\"timestamp_ns\":99,\"stage\":\"me\",\"reason\":\"q\",\"events\":2,\"bytes\":0}\n",
	    "losses are told as they double, and their sum is the total");
	is(loss_text(&l), strlen(loss_text(&l)), "r 10 (50 bytes), q 2", "and at exit");
	ok(loss_total(&l) == 12, "total");
	line_out_free(&out);
}

int
main(void)
{
	test_order();
	test_bytes();
	test_many();
	test_loss();
	return done();
}
