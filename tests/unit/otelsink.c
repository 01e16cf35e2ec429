/* otelsink.c - encodings, ids, variables, answers: the parts of otelsink */
#include "lib/event.h"
#include "lib/line.h"
#include "otelsink/conf.h"
#include "otelsink/meter.h"
#include "otelsink/procs.h"
#include "otelsink/reply.h"
#include "otelsink/span.h"
#include "tap.h"

#include <unistd.h>

/* --- wire --------------------------------------------------------------------- */

static const struct field f1 = { 1, "a" }, f2 = { 2, "b" }, f16 = { 16, "c" };

static void
test_protobuf(void)
{
	static const unsigned char id[2] = { 0xab, 0x01 };
	struct line_out out;
	struct wire w;
	char text[300];

	line_out_init(&out, -1);
	wire_init(&w, &out, false, false);
	wire_int(&w, f1, 300);
	wire_int(&w, f1, -1);
	wire_bool(&w, f2, true);
	wire_fixed32(&w, f16, 0x01020304);
	wire_fixed64(&w, f1, 5);
	wire_double(&w, f1, 1.0);
	wire_id(&w, f2, id, 2);
	wire_fixed64s(&w, f1, (uint64_t[]){ 7, 8 }, 2);
	ok(out.len == 3 + 11 + 2 + 6 + 9 + 9 + 4 + 18 &&
	    !memcmp(out.buf, "\x08\xac\x02\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	    "\x10\x01\x85\x01\x04\x03\x02\x01\x09\x05\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\xf0\x3f\x12\x02\xab\x01"
	    "\x0a\x10\x07\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0", out.len), "the wire types of protobuf");
	/* over the first byte of a length */
	for (size_t n = 100; n < sizeof(text); n += 26) {
		memset(text, 'x', sizeof(text));
		out.len = 0;
		wire_open(&w, f1);
		wire_str(&w, f2, text, n);
		wire_close(&w);
		ok((unsigned char)out.buf[1] == (n + 2 + (n > 127) > 127 ?
		    0x80 | ((n + 2 + (n > 127)) & 0x7f) : n + 2) &&
		    out.buf[out.len - 1] == 'x', "a message's length stands before it");
	}
	line_out_free(&out);
}

static void
test_json(void)
{
	static const unsigned char id[2] = { 0xab, 0x01 };
	struct line_out out;
	struct wire w;

	line_out_init(&out, -1);
	wire_init(&w, &out, true, false);
	wire_open(&w, f1);
	wire_int(&w, f1, -3);
	wire_fixed64(&w, f2, UINT64_MAX);
	wire_enum(&w, f16, 2);
	wire_list(&w, f1);
	wire_str(&w, f1, "x\"", 2);
	wire_open(&w, f1);
	wire_id(&w, f2, id, 2);
	wire_close(&w);
	wire_list_end(&w);
	wire_doubles(&w, f2, (double[]){ 0.5 }, 1);
	wire_close(&w);
	is(out.buf, out.len, "{\"a\":\"-3\",\"b\":\"18446744073709551615\",\"c\":2,\"a\":[\"x\\\"\",{\"b\":\"ab01\"}],\"b\":[0.5]}",
	    "64-bit numbers are strings, ids hex, enums numbers");
	line_out_free(&out);
}

/* Ids are what joins recordings: a release must not change them. */
static void
test_ids(void)
{
	struct trace_id t = trace_id_of("conversation", "s1", 2, 0);
	struct span_id a = span_id_of("chat", "c/1", 3, 17), b = span_id_of("chat", "c/1", 3, 18);
	char text[1000];

	ok(!memcmp(t.b, "\x0b\x6b\x73\xb9\x7d\xd8\xcf\x77\xfa\xf2\x74\xee\xb2\x19\xfe\x02", 16),
	    "the id of a trace");
	ok(!memcmp(a.b, "\x18\x09\x29\x72\x8c\x17\x61\x4e", 8) &&
	    memcmp(&a, &b, 8), "the id of a span");
	memset(text, 'y', sizeof(text));
	a = span_id_of("chat", text, sizeof(text), 0);
	text[999] = 'z';
	b = span_id_of("chat", text, sizeof(text), 0);
	ok(memcmp(&a, &b, 8), "of a long name, all of it counts");
}

/* --- variables ------------------------------------------------------------------ */

static const char *const *variables;

static char *
fake_getenv(const char *name)
{
	for (const char *const *v = variables; *v; v += 2)
		if (!strcmp(*v, name))
			return (char *)(uintptr_t)v[1];
	return NULL;
}

static const char *
read_conf(struct conf *c, const struct conf_given *given, const char *const *env)
{
	variables = env;
	return conf_read(c, given, fake_getenv);
}

#define ENV (const char *const[])

static void
test_endpoints(void)
{
	static const struct { const char *base, *traces, *given, *want; } url[] = {
		{ NULL, NULL, NULL, "http://localhost:4318/v1/traces" },
		{ "", "", NULL, "http://localhost:4318/v1/traces" },
		{ "http://h:1", NULL, NULL, "http://h:1/v1/traces" },
		{ "http://h:1/", NULL, NULL, "http://h:1/v1/traces" },
		{ "https://h/a/b//", NULL, NULL, "https://h/a/b/v1/traces" },
		{ "http://h/a?k=v", NULL, NULL, "http://h/a/v1/traces?k=v" },
		{ "http://h", "http://t", NULL, "http://t/" },
		{ "http://h", "http://t/x/", NULL, "http://t/x/" },
		{ "http://h", "http://t/x", "http://o:9", "http://o:9/v1/traces" },
	};

	for (size_t i = 0; i < sizeof(url) / sizeof(*url); i++) {
		struct conf_given given = { .endpoint = url[i].given };
		struct conf c;
		const char *bad = read_conf(&c, &given,
		    ENV{ "OTEL_EXPORTER_OTLP_ENDPOINT", url[i].base,
		    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url[i].traces, NULL });

		ok(!bad && !strcmp(c.to[TRACES].url, url[i].want), url[i].want);
		conf_free(&c);
	}
}

static void
test_variables(void)
{
	struct conf_given none = { 0 };
	struct conf c;

	ok(!read_conf(&c, &none, ENV{ NULL }) && !c.to[LOGS].json && !c.to[LOGS].gzip &&
	    c.to[LOGS].timeout_ns == 10000000000 &&
	    c.to[LOGS].wanted && c.batch_size == 512 && c.batch_ns == 5000000000 &&
	    c.metric_ns == 60000000000 && !c.service &&
	    !c.content_in_spans && !c.delta, "what it is when nothing is said");
	conf_free(&c);
	ok(!read_conf(&c, &none,
	    ENV{ "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
	    "http/protobuf",
	    "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
	    "none",
	    "OTEL_EXPORTER_OTLP_TIMEOUT", "1500", "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "7",
	    "OTEL_LOGS_EXPORTER", "none",
	    "OTEL_BSP_SCHEDULE_DELAY", "20", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "3",
	    "OTEL_METRIC_EXPORT_INTERVAL", "40",
	    "OTEL_SDK_DISABLED", "false", NULL }), "variables");
	ok(c.to[TRACES].json && !c.to[LOGS].json && !c.to[TRACES].gzip &&
	    c.to[METRICS_SIGNAL].gzip, "those of a signal come first");
	ok(c.to[TRACES].timeout_ns == 1500000000 &&
	    c.to[METRICS_SIGNAL].timeout_ns == 7000000, "timeouts are milliseconds");
	ok(!c.to[LOGS].wanted && c.to[TRACES].wanted && !c.disabled, "a signal left out");
	ok(c.batch_ns == 20000000 && c.batch_size == 3 && c.metric_ns == 40000000, "batches");
	conf_free(&c);
	if (!freopen("/dev/null", "w", stderr))
		exit(1);
	ok(!read_conf(&c, &none,
	    ENV{ "OTEL_EXPORTER_OTLP_PROTOCOL", "udp", "OTEL_EXPORTER_OTLP_COMPRESSION", "br",
	    "OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1",
	    "OTEL_EXPORTER_OTLP_HEADERS",
	    "a=1,b,=c,d=%0a,e =%20f ,,g=h=i", "OTEL_TRACES_EXPORTER", "zipkin", NULL }) &&
	    !c.to[TRACES].json &&
	    c.to[TRACES].timeout_ns == 10000000000 && c.batch_size == 512 &&
	    c.to[TRACES].wanted, "what makes no sense is ignored");
	ok(c.to[TRACES].nheaders == 3 && !strcmp(c.to[TRACES].headers[0], "a: 1") &&
	    !strcmp(c.to[TRACES].headers[1], "e:  f") &&
	    !strcmp(c.to[TRACES].headers[2], "g: h=i"),
	    "headers: pairs, decoded, without line breaks");
	conf_free(&c);
	ok(read_conf(&c, &none, ENV{ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", NULL }) != NULL,
	    "gRPC is refused");
	conf_free(&c);
	ok(read_conf(&c, &none,
	    ENV{ "OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/x", NULL }) != NULL,
	    "a file that is not there, too");
	conf_free(&c);
	ok(!read_conf(&c, &none, ENV{ "OTEL_RESOURCE_ATTRIBUTES", "a=1,b=%2C%3d,a=2", NULL }) &&
	    c.resource.n == 2 &&
	    !strcmp(c.resource.at[0].p, "2") &&
	    !strcmp(c.resource.at[1].p, ",="), "attributes of the resource: the last of a name");
	conf_free(&c);
}

/* --- answers -------------------------------------------------------------------- */

static void
test_replies(void)
{
	static const char pb[] = "\x0a\x09\x08\xac\x02\x12\x04late\x1a\x01x";
	static const char json[] = "{\"partialSuccess\":{\"rejectedDataPoints\":\"12\",\"errorMessage\":\"caf\xc3\xa9 \\n\"},\"x\":[]}";
	struct reply r;

	reply_success(&r, pb, sizeof(pb) - 1, false);
	ok(r.rejected == 300 && !strcmp(r.message, "late"), "partial success in protobuf");
	reply_success(&r, json, sizeof(json) - 1, true);
	ok(r.rejected == 12 &&
	    !strcmp(r.message, "caf\xc3\xa9  "), "partial success in JSON; no control characters");
	for (size_t n = 0; n < sizeof(pb); n++)
		reply_success(&r, pb, n, false), reply_error(&r, pb, n, false);
	for (size_t n = 0; n < sizeof(json) - 1; n++) {
		reply_success(&r, json, n, true);
		if (r.rejected)
			break;
	}
	ok(!r.rejected, "an answer that is cut says nothing");
	reply_error(&r, "\x08\x03\x12\x02no", 6, false);
	ok(!strcmp(r.message, "no"), "the message of a status");
	reply_error(&r, "{\"code\":3,\"message\":\"no\"}", 25, true);
	ok(!strcmp(r.message, "no"), "the same in JSON");
}

/* --- processes ---------------------------------------------------------------------- */

static int gone;

static void
on_gone(void *arg, struct proc *p)
{
	(void)arg, (void)p;
	gone++;
}

static struct event *
line(const char *text)
{
	static struct event ev;

	ok(event_scan(&ev, text, strlen(text)) == EVENT_OK, "(a line)");
	return &ev;
}

static void
test_procs(void)
{
	struct budget budget = { .max = 1 << 16 };
	struct procs *t = procs_new(3, &budget, on_gone, NULL);
	struct proc *p;
	bool first;

	procs_fork(t, line("{\"type\":\"process.fork\",\"timestamp_ns\":1,\"pid\":1,\"child_pid\":2}"));
	p = procs_exec(t, line("{\"type\":\"process.exec\",\"timestamp_ns\":2,\"pid\":2,\"ppid\":9,\"filename\":\"/bin/a\"}"), &first);
	ok(first && p && p->up &&
	    p->up->pid == 1, "a fork knows the parent better than what runs then");
	procs_exec(t, line("{\"type\":\"process.exec\",\"timestamp_ns\":3,\"pid\":2,\"ppid\":1,\"filename\":\"/bin/b\"}"), &first);
	ok(!first && p->start_ns == 2 &&
	    !strcmp(p->path, "/bin/b"), "a process that runs another program");
	procs_exit(t, line("{\"type\":\"process.exit\",\"timestamp_ns\":5,\"pid\":2,\"exit_code\":3}"));
	ok(p->end_ns == 5 && p->exit_code == 3 && procs_find(t, 2, 5) == p, "it stays for a while");
	proc_ref(p);
	procs_expire(t, 6);
	ok(gone == 1 && !procs_find(t, 2, 6) && p->up->pid == 1, "then goes, but for who holds it");
	proc_unref(p);
	for (int i = 10; i < 20; i++)
		procs_get(t, i, 7);
	ok(procs_evicted(t) == 8, "no more than there is room for");
	procs_fork(t, line("{\"type\":\"process.fork\",\"timestamp_ns\":1,\"pid\":30,\"child_pid\":31}"));
	procs_fork(t, line("{\"type\":\"process.fork\",\"timestamp_ns\":1,\"pid\":32,\"child_pid\":31}"));
	ok(procs_find(t, 31, 1)->up->pid == 32, "a number that is used again is another process");
	event_free(line("{\"type\":\"x\"}"));
	procs_free(t);
	ok(!budget.used && !budget.refused, "what was kept is given back");
	budget.max = 100;
	ok(!budget_copy(&budget, "x", 90) && budget.refused == 1 && budget.bytes == 90 &&
	    !budget_copy(&budget, NULL, 3) &&
	    budget.refused == 1, "a budget that is spent");
}

int
main(void)
{
	test_protobuf();
	test_json();
	test_ids();
	test_endpoints();
	test_variables();
	test_replies();
	test_procs();
	return done();
}
