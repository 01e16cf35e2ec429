/* expr.c - the grammar of jsonfilter, the original's expressions among it */
#include "../../jsonfilter/expr.h"
#include "event.h"
#include "tap.h"

#include <stdbool.h>

static const char request[] = "{\"type\":\"http.request\",\"pid\":7,\"method\":\"GET\",\"path\":\"/v1/rgstr/x?key=abc&n=1\","
    "\"host\":\"h.example\",\"headers\":{\"accept\":\"a/b\",\"user-agent\":\"curl/7\"},\"body_len\":0}";
static const char response[] = "{\"type\":\"http.response\",\"method\":\"GET\",\"path\":\"/health\",\"status_code\":404,\"status_text\":\"Not Found\","
    "\"headers\":{\"content-type\":\"application/json\",\"set-cookie\":[\"a=1\",\"b=2\"],\"server\":\"nginx\"},\"body\":\"{\\\"x\\\":1}\"}";
static const char data[] = "{\"type\":\"ssl.data\",\"comm\":\"node\",\"function\":\"READ/RECV\",\"len\":5,\"latency_ms\":0.25,\"data\":\"0\\r\\n\\r\\n\"}";
static const char bytes[] = "{\"type\":\"ssl.data\",\"len\":4,\"truncated\":true,\"data_b64\":\"AP9hYg==\"}";
static const char other[] = "{\"type\":\"x\",\"big\":9007199254740993,\"neg\":-3,\"s\":\"12\",\"e\":\"\",\"n\":null,\"t\":true,\"f\":false,"
    "\"argv\":[\"/usr/bin/git\",\"push\"],\"usage\":{\"input_tokens\":100001},\"odd.key\":{\"k\":1},\"p\":\"a|b & (c)\",\"real\":1.50}";

static const struct { const char *expr, *line; bool want; } cases[] = {
	/* the original's documented ones */
	{ "data=0\\r\\n\\r\\n", data, true }, { "function=READ/RECV", data, true },
	{ "data~chunked", data, false },
	{ "len<10", data, true }, { "data~chunked&function=READ/RECV", data, false },
	{ "len<10 & function=READ/RECV", data, true },
	{ "(comm=node | comm=claude) & !truncated", data, true },
	{ "(comm=node | comm=claude) & !truncated", bytes, false },
	{ "is_handshake=false", data, true }, { "truncated=false", data, true },
	{ "truncated=true", bytes, true },
	{ "data.type=binary", bytes, true }, { "data.type=text", data, true },
	{ "latency_ms>=0.25", data, true },
	{ "request.path_prefix=/v1/rgstr | response.status_code=202 | request.method=HEAD | response.body=", request, true },
	{ "request.path_prefix=/v1/rgstr | response.status_code=202 | request.method=HEAD | response.body=", response, false },
	{ "response.body=", "{\"type\":\"http.response\",\"status_code\":200}", true },
	{ "response.body=", "{\"type\":\"http.response\",\"body\":\"\"}", true },
	{ "request.path=/health", response, false }, { "response.path=/health", response, true },
	{ "request.method=get", request, true }, { "response.status_code=404", response, true },
	{ "request.method=GET | response.status_code=404", response, true },
	{ "req.key=abc", request, true }, { "request.key=ab", request, true },
	{ "request.nokey=abc", request, false },
	{ "response.status_text=not", response, true },
	{ "resp.content-type=json", response, true },
	{ "response.server=nginx", response, true }, { "response.set-cookie=b=2", response, true },
	{ "request.host=h.example", request, true }, { "/rgstr", request, true },
	{ "/rgstr", response, false },
	/* operators */
	{ "usage.input_tokens>100000", other, true }, { "usage.input_tokens>100001", other, false },
	{ "headers.content-type~json", response, true }, { "argv[0]=/usr/bin/git", other, true },
	{ "argv[1]^=pu", other, true }, { "argv[0]$=git", other, true },
	{ "argv~push", other, true }, { "argv=pull", other, false },
	{ "argv!=pull", other, true }, { "argv!=push", other, false },
	{ "argv[2]=x", other, false },
	{ "path=~^/v[0-9]+/(rgstr|log)/", request, true }, { "path=~^/etc/", request, false },
	{ "path =~ \"x[?]key\"", request, true },
	{ "big=9007199254740993", other, true }, { "big=9007199254740992", other, false },
	{ "big>9007199254740992", other, true },
	{ "neg<0", other, true }, { "neg>=-3", other, true }, { "s<13", other, true },
	{ "s=12", other, true }, { "s=12.0", other, false },
	{ "real=1.5", other, true }, { "real<=1.5", other, true }, { "real<1.5", other, false },
	{ "odd.key.k=1", other, true }, { "p=\"a|b & (c)\"", other, true },
	{ "p~\\&", other, true }, { "p = a\\|b \\& \\(c\\)", other, true },
	/* presence and truth */
	{ "t", other, true }, { "f", other, false }, { "!f", other, true }, { "e", other, false },
	{ "s", other, true }, { "n", other, false },
	{ "missing", other, false }, { "missing=1", other, false }, { "missing!=1", other, false },
	{ "!missing=1", other, true },
	{ "e=", other, true }, { "s!=12", other, false }, { "t=true", other, true },
	{ "t!=true", other, false }, { "t=1", other, false },
	{ "data~ab", bytes, true }, { "data=ab", bytes, false }, { "!!t", other, true },
	{ "t && s || f", other, true },
	{ "usage", other, true }, { "type=x", other, true },
};

static bool
ask(const char *expr, const char *line)
{
	struct event ev;
	struct expr *e;
	const char *why;
	size_t at;
	bool yes;

	event_init(&ev);
	if (event_scan(&ev, line, strlen(line)) != EVENT_OK ||
	    !(e = expr_parse(expr, strlen(expr), &why, &at))) {
		printf("# %s: %s\n", expr, why);
		exit(1);
	}
	yes = expr_true(e, &ev);
	if (expr_type(e) && !event_is(&ev, expr_type(e)) && yes)
		printf("# bound to a type that it is not bound to\n"), exit(1);
	expr_free(e);
	event_free(&ev);
	return yes;
}

static void
test_errors(void)
{
	static const struct { const char *expr; size_t at; } bad[] = {
		{ "", 0 }, { "a=1 &", 5 }, { "(a=1", 4 }, { "a=1)", 3 }, { "=1", 0 },
		{ "a=\"x", 4 }, { "len<x", 5 },
		{ "a=~(", 4 }, { "!", 1 }, { "a=1 b=2 & ()", 11 }, { "request.=1", 10 },
	};
	const char *why;
	size_t at;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct expr *e = expr_parse(bad[i].expr, strlen(bad[i].expr), &why, &at);

		ok(!e && why && at == bad[i].at,
		    bad[i].expr[0] ? bad[i].expr : "an empty expression");
		if (e || at != bad[i].at)
			printf("# %s at %zu\n", e ? "accepted" : why, at);
		expr_free(e);
	}
}

int
main(void)
{
	char deep[2000];
	const char *why;
	size_t at;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(ask(cases[i].expr, cases[i].line) == cases[i].want, cases[i].expr);
	test_errors();
	memset(deep, '(', sizeof(deep));
	ok(!expr_parse(deep, sizeof(deep), &why, &at), "nested too deep");
	return done();
}
