/* semconv.c - the tables; see semconv.h */
#include "otelsink/semconv.h"

#include "lib/counted.h"

#include <string.h>

enum rule {
	STR, INT, REAL, STRS,
	FLAG,		/* only when true */
	SECONDS,	/* of milliseconds */
	SEVERAL,	/* an integer other than 1 */
	ID,		/* a string or a number, as a string */
	SENT,		/* a conversation's name, when the client gave it */
	OPENAI,		/* of OpenAI's API alone */
	API,		/* the same, and one of its two types */
	HOST, PORT,	/* of "host:port" */
	TOOL_CALL,	/* "tools/call" is execute_tool */
	PIPE,		/* stdio is a pipe, http is tcp */
	HTTP,		/* http is a protocol, stdio none */
	CODE,		/* of the JSON-RPC error, as a string */
	CONTENT,	/* what was said */
};

struct mapping {
	const char *key;	/* of the event; NULL ends a table */
	const char *below;	/* the object that it is in */
	const char *name[2];	/* 1.36, 1.41 */
	enum rule rule;
	unsigned in;
};

#define BOTH(name) { name, name }
#define NEW(name) { NULL, name }

static const struct mapping llm[] = {
	{ "operation", NULL, BOTH("gen_ai.operation.name"), STR, IN_SPAN | IN_METRIC },
	{ "provider", NULL, { "gen_ai.system", "gen_ai.provider.name" }, STR,
	    IN_SPAN | IN_METRIC | IN_AGENT },
	{ "error_type", NULL, BOTH("error.type"), STR, IN_SPAN },
	{ "conversation_id", NULL, BOTH("gen_ai.conversation.id"), SENT, IN_SPAN },
	{ "request_model", NULL, BOTH("gen_ai.request.model"), STR,
	    IN_SPAN | IN_METRIC | IN_AGENT },
	{ "request_choices", NULL, BOTH("gen_ai.request.choice.count"), SEVERAL, IN_SPAN },
	{ "request_seed", NULL, BOTH("gen_ai.request.seed"), INT, IN_SPAN },
	{ "stream", NULL, NEW("gen_ai.request.stream"), FLAG, IN_SPAN },
	{ "request_temperature", NULL, BOTH("gen_ai.request.temperature"), REAL, IN_SPAN },
	{ "request_top_p", NULL, BOTH("gen_ai.request.top_p"), REAL, IN_SPAN },
	{ "request_top_k", NULL, BOTH("gen_ai.request.top_k"), REAL, IN_SPAN },
	{ "request_max_tokens", NULL, BOTH("gen_ai.request.max_tokens"), INT, IN_SPAN },
	{ "request_stop", NULL, BOTH("gen_ai.request.stop_sequences"), STRS, IN_SPAN },
	{ "response_id", NULL, BOTH("gen_ai.response.id"), STR, IN_SPAN },
	{ "response_model", NULL, BOTH("gen_ai.response.model"), STR, IN_SPAN | IN_METRIC },
	{ "finish_reasons", NULL, BOTH("gen_ai.response.finish_reasons"), STRS, IN_SPAN },
	{ "first_token_ms", NULL, NEW("gen_ai.response.time_to_first_chunk"), SECONDS, IN_SPAN },
	{ "input_tokens", "usage", BOTH("gen_ai.usage.input_tokens"), INT, IN_SPAN },
	{ "output_tokens", "usage", BOTH("gen_ai.usage.output_tokens"), INT, IN_SPAN },
	{ "cache_read_tokens", "usage", NEW("gen_ai.usage.cache_read.input_tokens"), INT, IN_SPAN },
	{ "cache_creation_tokens", "usage", NEW("gen_ai.usage.cache_creation.input_tokens"), INT,
	    IN_SPAN },
	{ "reasoning_tokens", "usage", NEW("gen_ai.usage.reasoning.output_tokens"), INT, IN_SPAN },
	{ "relayed_to", NULL, BOTH("agentsight.relayed_to"), STRS, IN_SPAN },
	{ "relayed_for", NULL, BOTH("agentsight.relayed_for"), STR, IN_SPAN },
	{ "server_address", NULL, BOTH("server.address"), STR, IN_SPAN | IN_METRIC },
	{ "server_port", NULL, BOTH("server.port"), INT, IN_SPAN | IN_METRIC },
	{ "agent", NULL, BOTH("gen_ai.agent.name"), STR, IN_SPAN },
	{ "agent_version", NULL, NEW("gen_ai.agent.version"), STR, IN_SPAN },
	{ "api", NULL, NEW("openai.api.type"), API, IN_SPAN },
	{ "service_tier", NULL,
	    { "gen_ai.openai.response.service_tier", "openai.response.service_tier" }, OPENAI,
	    IN_SPAN },
	{ "status_code", NULL, BOTH("http.response.status_code"), INT, IN_SPAN },
	{ "pid", NULL, BOTH("process.pid"), INT, IN_SPAN },
	{ "id", NULL, BOTH("agentsight.event.id"), STR, IN_SPAN },
	{ "system_instructions", NULL, NEW("gen_ai.system_instructions"), CONTENT, IN_SPAN },
	{ "input_messages", NULL, NEW("gen_ai.input.messages"), CONTENT, IN_SPAN },
	{ "output_messages", NULL, NEW("gen_ai.output.messages"), CONTENT, IN_SPAN },
	{ "tools", NULL, NEW("gen_ai.tool.definitions"), CONTENT, IN_SPAN },
	{ 0 },
};

static const struct mapping mcp[] = {
	{ "method", NULL, NEW("mcp.method.name"), STR, IN_SPAN },
	{ "method", NULL, BOTH("gen_ai.operation.name"), TOOL_CALL, IN_SPAN },
	{ "error_type", NULL, BOTH("error.type"), STR, IN_SPAN },
	{ "tool", NULL, BOTH("gen_ai.tool.name"), STR, IN_SPAN },
	{ "prompt", NULL, NEW("gen_ai.prompt.name"), STR, IN_SPAN },
	{ "resource", NULL, NEW("mcp.resource.uri"), STR, IN_SPAN },
	{ "request_id", NULL, NEW("jsonrpc.request.id"), ID, IN_SPAN },
	{ "code", "error", NEW("rpc.response.status_code"), CODE, IN_SPAN },
	{ "protocol_version", NULL, NEW("mcp.protocol.version"), STR, IN_SPAN },
	{ "session_id", NULL, NEW("mcp.session.id"), STR, IN_SPAN },
	{ "transport", NULL, BOTH("network.transport"), PIPE, IN_SPAN },
	{ "transport", NULL, BOTH("network.protocol.name"), HTTP, IN_SPAN },
	{ "server", NULL, BOTH("server.address"), HOST, IN_SPAN },
	{ "server", NULL, BOTH("server.port"), PORT, IN_SPAN },
	{ "status_code", NULL, BOTH("http.response.status_code"), INT, IN_SPAN },
	{ "pid", NULL, BOTH("process.pid"), INT, IN_SPAN },
	{ "id", NULL, BOTH("agentsight.event.id"), STR, IN_SPAN },
	{ "arguments", NULL, NEW("gen_ai.tool.call.arguments"), CONTENT, IN_SPAN },
	{ "result", NULL, NEW("gen_ai.tool.call.result"), CONTENT, IN_SPAN },
	{ 0 },
};

const struct mapping *const semconv_llm = llm, *const semconv_mcp = mcp;

static const char *const names[NAMES][2] = {
	[NAME_OPERATION] = BOTH("gen_ai.operation.name"),
	[NAME_PROVIDER] = { "gen_ai.system", "gen_ai.provider.name" },
	[NAME_MODEL] = BOTH("gen_ai.request.model"),
	[NAME_CONVERSATION] = BOTH("gen_ai.conversation.id"),
	[NAME_AGENT] = BOTH("gen_ai.agent.name"),
	[NAME_AGENT_VERSION] = NEW("gen_ai.agent.version"),
	[NAME_INPUT_TOKENS] = BOTH("gen_ai.usage.input_tokens"),
	[NAME_OUTPUT_TOKENS] = BOTH("gen_ai.usage.output_tokens"),
	[NAME_TOKEN_TYPE] = BOTH("gen_ai.token.type"),
	[NAME_TOOL] = BOTH("gen_ai.tool.name"),
	[NAME_TOOL_ID] = BOTH("gen_ai.tool.call.id"),
	[NAME_TOOL_TYPE] = BOTH("gen_ai.tool.type"),
	[NAME_TOOL_ARGUMENTS] = NEW("gen_ai.tool.call.arguments"),
	[NAME_TOOL_RESULT] = NEW("gen_ai.tool.call.result"),
	[NAME_ERROR] = BOTH("error.type"),
	[NAME_PID] = BOTH("process.pid"),
	[NAME_PARENT_PID] = BOTH("process.parent_pid"),
	[NAME_EXECUTABLE] = BOTH("process.executable.name"),
	[NAME_EXECUTABLE_PATH] = BOTH("process.executable.path"),
	[NAME_ARGS] = BOTH("process.command_args"),
	[NAME_CWD] = BOTH("process.working_directory"),
	[NAME_EXIT_CODE] = BOTH("process.exit.code"),
	[NAME_CONTAINER] = BOTH("container.id"),
	[NAME_EVENT_ID] = BOTH("agentsight.event.id"),
	[NAME_STAGE] = BOTH("agentsight.stage"),
	[NAME_REASON] = BOTH("agentsight.reason"),
	[NAME_DETAILS] = NEW("gen_ai.client.inference.operation.details"),
};

static const double by_tokens[BOUNDS] = { 1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144,
    1048576, 4194304,
	16777216, 67108864 };
static const double by_seconds[BOUNDS] = { 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56,
    5.12, 10.24, 20.48,
	40.96, 81.92 };

static const struct metric_info metrics[METRICS] = {
	[METRIC_TOKENS] = { "gen_ai.client.token.usage", "{token}",
	    "Number of input and output tokens used.", by_tokens },
	[METRIC_DURATION] = { "gen_ai.client.operation.duration", "s", "GenAI operation duration.",
	    by_seconds },
	[METRIC_FIRST_CHUNK] = { "gen_ai.client.operation.time_to_first_chunk", "s",
	    "Time to receive the first chunk of a streamed answer.", by_seconds },
	[METRIC_LOSSES] = { "agentsight.losses", "{event}",
	    "What the pipeline did not see or had to leave out.", NULL },
	[METRIC_LOST_BYTES] = { "agentsight.lost_bytes", "By",
	    "Payload of what was lost, as far as known.", NULL },
};

const char *
semconv_name(enum semconv v, enum name n)
{
	return names[n][v];
}

const struct metric_info *
semconv_metric(enum semconv v, enum metric m)
{
	return v == SEMCONV_136 && m == METRIC_FIRST_CHUNK ? NULL : &metrics[m];
}

const char *
semconv_schema(enum semconv v)
{
	return v == SEMCONV_136 ? "https://opentelemetry.io/schemas/1.36.0" :
	    "https://opentelemetry.io/schemas/1.41.1";
}

/* --- rules -------------------------------------------------------------------- */

static void
put_text(struct attrs *a, const char *name, struct event *ev, struct value v)
{
	size_t n;
	const char *s = v.kind == VALUE_STRING ? value_str(&ev->arena, v, &n) : NULL;

	if (s)
		attr_text(a, name, s, n);
}

static void
put_number(struct attrs *a, const char *name, const struct mapping *m, struct value v)
{
	double d;
	int64_t i;

	if (m->rule == REAL && value_f64(v, &d))
		attr_real(a, name, d);
	else if (m->rule == SECONDS && value_f64(v, &d))
		attr_real(a, name, d / 1e3);
	else if (m->rule != REAL && m->rule != SECONDS && value_i64(v, &i) &&
	    (m->rule == INT || i != 1))
		attr_int(a, name, i);
}

static void
put_id(struct attrs *a, const char *name, struct event *ev, struct value v)
{
	if (v.kind == VALUE_STRING)
		put_text(a, name, ev, v);
	else if (v.kind == VALUE_INT)
		attr_text(a, name, v.p, v.n);
}

static bool
is_openai(const struct event *ev)
{
	struct value v = event_get(ev, "provider");

	return value_eq(v, "openai") || value_eq(v, "azure.ai.openai");
}

/* "host:port", "[::1]:port" or a host alone; a server on a pipe is no host. */
static void
put_host(struct attrs *a, const char *name, const struct mapping *m, struct event *ev,
    struct value v)
{
	size_t n, host;
	const char *s = value_eq(event_get(ev, "transport"), "http") ?
	    value_str(&ev->arena, v, &n) : NULL;
	int64_t port = 0;

	if (!s)
		return;
	for (host = n; host && s[host - 1] >= '0' && s[host - 1] <= '9'; host--)
		;
	if (host < 2 || host == n || n - host > 5 || s[host - 1] != ':' ||
	    (s[0] != '[' && memchr(s, ':', host - 1))) {
		host = n + 1;	/* no port */
	} else {
		for (size_t i = host; i < n; i++)
			port = port * 10 + s[i] - '0';
	}
	if (m->rule == HOST)
		attr_text(a, name, s, host - 1);
	else if (port)
		attr_int(a, name, port);
}

static void
put_value(struct attrs *a, const struct mapping *m, const char *name, struct event *ev,
    struct value v)
{
	switch (m->rule) {
	case STR:
		put_text(a, name, ev, v);
		break;
	case INT:
	case REAL:
	case SECONDS:
	case SEVERAL:
		put_number(a, name, m, v);
		break;
	case STRS:
		attr_json(a, name, ATTR_STRS, v);
		break;
	case FLAG:
		if (v.kind == VALUE_TRUE)
			attr_bool(a, name, true);
		break;
	case ID:
	case CODE:
		put_id(a, name, ev, v);
		break;
	case SENT:
		if (value_eq(event_get(ev, "conversation_source"), "sent"))
			put_text(a, name, ev, v);
		break;
	case API:
		if (!value_eq(v, "chat_completions") && !value_eq(v, "responses"))
			break;
		/* fallthrough */
	case OPENAI:
		if (is_openai(ev))
			put_text(a, name, ev, v);
		break;
	case HOST:
	case PORT:
		put_host(a, name, m, ev, v);
		break;
	case TOOL_CALL:
		if (value_eq(v, "tools/call"))
			attr_str(a, name, "execute_tool");
		break;
	case PIPE:
		attr_str(a, name, value_eq(v, "stdio") ? "pipe" : "tcp");
		break;
	case HTTP:
		if (value_eq(v, "http"))
			attr_str(a, name, "http");
		break;
	case CONTENT:
		break;
	}
}

void
semconv_attrs(struct attrs *a, const struct mapping *m, enum semconv version, struct event *ev,
    unsigned in,
    enum content content)
{
	bool counted = call_is_counted(ev);

	for (; m->key; m++) {
		const char *name = m->name[version];
		struct value v;

		if (!name || !(m->in & in) || (m->below && !counted) ||
		    (m->rule == CONTENT && content == CONTENT_NONE))
			continue;
		v = m->below ? value_get(event_get(ev, m->below), m->key) : event_get(ev, m->key);
		if (!v.kind)
			continue;
		if (m->rule == CONTENT)
			attr_json(a, name, content == CONTENT_TEXT ? ATTR_TEXT : ATTR_TREE, v);
		else
			put_value(a, m, name, ev, v);
	}
}
