/* llmparse.c - digests, lines, places and counts that the scripts cannot reach */
#include "tap.h"

#include "jput.h"
#include "line.h"
#include "llmparse/client.h"
#include "llmparse/conversation.h"
#include "llmparse/lines.h"
#include "llmparse/route.h"
#include "llmparse/rpc.h"
#include "vendor/usage.h"

static struct event ev;

static struct value
json(const char *s)
{
	struct value v = event_scan_value(&ev, s, strlen(s));

	if (!v.kind)
		printf("# not JSON: %s\n", s);
	return v;
}

/* What usage_put writes for a vendor's object. */
static void
usage_is(void (*read)(struct usage *, struct value), const char *in, const char *want,
    const char *what)
{
	struct line_out out;
	struct jput j = { &out, false };
	struct usage u;

	line_out_init(&out, -1);
	usage_init(&u);
	read(&u, json(in));
	usage_put(&u, &j, USAGE_OF_BOTH, -1);
	is(out.buf, out.len, want, what);
	line_out_free(&out);
}

static void
test_usage(void)
{
	struct usage u;

	usage_is(usage_anthropic,
	    "{\"input_tokens\":9223372036854775807,\"cache_read_input_tokens\":1}",
	    "\"usage\":{\"cache_read_tokens\":1}",
	    "a sum that does not fit is not made");
	usage_is(usage_anthropic, "{\"input_tokens\":0,\"output_tokens\":0}",
	    "\"usage\":{\"input_tokens\":0,\"output_tokens\":0,\"total_tokens\":0}",
	    "0 is told when it is told");
	usage_is(usage_openai,
	    "{\"prompt_tokens\":3.0,\"completion_tokens\":2.5,\"total_tokens\":-4}",
	    "\"usage\":{\"input_tokens\":3}", "what is no count is not one");
	usage_is(usage_gemini, "{\"promptTokenCount\":7,\"thoughtsTokenCount\":5}",
	    "\"usage\":{\"input_tokens\":7,\"output_tokens\":5,\"reasoning_tokens\":5,\"total_tokens\":12}",
	    "thoughts alone are output");
	usage_init(&u);
	usage_anthropic(&u, json("{\"input_tokens\":10,\"output_tokens\":1}"));
	usage_anthropic(&u, json("{\"output_tokens\":20,\"input_tokens\":null}"));
	ok(u.n[USAGE_OUTPUT] == 20 &&
	    u.n[USAGE_INPUT] == 10, "cumulative numbers replace, null ones keep");
}

static struct digest
list(const char *s, size_t *n)
{
	struct value item[8], k;
	struct value_iter it;

	*n = 0;
	value_iter(&it, json(s));
	while (value_next(&it, &k, &item[*n]))
		++*n;
	return list_digest(item, *n, NULL);
}

static bool
alike(const char *a, const char *b)
{
	size_t n;
	struct digest x = list(a, &n), y = list(b, &n);

	return !memcmp(&x, &y, sizeof(x));
}

static void
test_digests(void)
{
	ok(alike("[{\"role\":\"user\",\"content\":\"a\"}]",
	    "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}]"),
	    "a text alone is the text in a list");
	ok(alike("[{\"role\":\"user\",\"content\":[{\"cache_control\":{},\"type\":\"text\",\"text\":\"a\"}]}]",
	    "[{\"role\":\"user\",\"content\":\"a\"}]"), "a mark for caching does not count");
	ok(!alike("[{\"role\":\"user\",\"content\":\"a\"}]",
	    "[{\"role\":\"assistant\",\"content\":\"a\"}]"), "the role counts");
	ok(!alike("[{\"role\":\"user\",\"content\":\"ab\"},{\"role\":\"user\",\"content\":\"c\"}]",
	    "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"bc\"}]"),
	    "where messages end counts");
	ok(!alike("[\"ab\",\"c\"]", "[\"a\",\"bc\"]"), "... in lists of texts, too");
}

static void
test_history(void)
{
	struct history *h = history_new(2);
	struct digest d[3] = { { { 1, 1 } }, { { 2, 2 } }, { { 3, 3 } } };
	size_t known = 9;

	ok(!history_find(h, d, 3, &known) && known == 0, "nothing is known yet");
	history_add(h, d[0], "one", 3, false);
	ok(!strcmp(history_find(h, d, 3, &known)->id, "one") && known == 1, "a beginning is found");
	history_add(h, d[1], "two", 3, true);
	ok(!strcmp(history_find(h, d, 3, &known)->id, "two") &&
	    known == 2, "the longest one counts");
	history_add(h, d[2], "three", 5, true);
	ok(!history_at(h, d[0]) &&
	    history_forgotten(h) == 1, "the oldest is forgotten and counted");
	ok(!history_seen(h, "m", 1) && history_seen(h, "m", 1), "a mark is seen the second time");
	history_free(h);
}

struct got { char text[256]; size_t n; };

static void
take(void *arg, const char *p, size_t n)
{
	struct got *g = arg;

	memcpy(g->text + g->n, p, n);
	g->n += n;
	g->text[g->n++] = '|';
}

static void
test_lines(void)
{
	struct lines l = { .max = 8 };
	struct got g = { .n = 0 };

	lines_feed(&l, 0, true, "text\n{a}\n  [b]\n{lo", 18, take, &g);
	lines_feed(&l, 18, true, "ng}\n{c", 6, take, &g);
	lines_feed(&l, 40, true, "}\n{d}\n{too long", 15, take, &g);
	lines_feed(&l, 55, true, " it is}\n{e}\n{f", 14, take, &g);
	is(g.text, g.n, "{a}|  [b]|{long}|{d}|{e}|", "lines of JSON, whole ones, short ones");
	ok(l.holes == 1 && l.toolong == 1, "a hole and a long line are counted");
	lines_free(&l);
}

static struct route
route(const char *host, const char *path)
{
	struct route p;

	route_find(&p, host, strlen(host), path, strlen(path));
	return p;
}

static void
test_places(void)
{
	unsigned port;
	char to[16];

	ok(host_split("h:80", 4, &port) == 1 && port == 80, "host and port");
	ok(host_split("::1", 3, &port) == 3 && port == 0, "a bare IPv6 address");
	ok(host_split("[::1]:443", 9, &port) == 5 && port == 443, "an IPv6 address with a port");
	ok(host_split("h:", 2, &port) == 2 && host_split(":1", 2, &port) == 0 &&
	    host_split("", 0, &port) == 0, "odd hosts");
	ok(route("api.openai.com.evil.example", "/").provider == NULL,
	    "a host that only begins like a vendor's");
	ok(route("notopenai.com", "/").provider == NULL, "... and one that ends like one");
	ok(!strcmp(route("API.OpenAI.com:443", "/").provider, "openai"),
	    "case and port do not count");
	ok(!strcmp(route("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "/").provider,
	    "aws.bedrock"), "Bedrock's many hosts");
	ok(route("", "/v1/messages/?beta=true").vendor == &vendor_messages,
	    "a slash and a query behind");
	ok(route("", "/v1/messages/count_tokens").never, "what is never a call");
	ok(route("", "/run/invoke").vendor == NULL, "anybody's invoke");
	ok(route("", "/model/a%2Fb:0/invoke").modellen == 7, "a model with a colon");
	ok(percent_decode("a%2fb%4", 7, to) == 5 && !memcmp(to, "a/b%4", 5), "percent escapes");
}

static void
test_rpc(void)
{
	ok(rpc_read(json("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}")).kind == RPC_REQUEST, "a request");
	ok(rpc_read(json("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}")).kind == RPC_NOTIFICATION, "a notification");
	ok(rpc_read(json("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":null}")).kind == RPC_RESPONSE, "a response");
	ok(rpc_read(json("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{}}")).kind == RPC_NONE,
	    "a response to nobody");
	ok(rpc_read(json("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tool\"}")).kind == RPC_NONE,
	    "another protocol's method");
	ok(rpc_read(json("[]")).kind == RPC_NONE &&
	    rpc_read(json("3")).kind == RPC_NONE, "no object");
}

int
main(void)
{
	event_init(&ev);
	test_usage();
	test_digests();
	test_history();
	test_lines();
	test_places();
	test_rpc();
	event_free(&ev);
	return done();
}
