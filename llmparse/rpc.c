/* rpc.c - JSON-RPC messages, and which of them are MCP; see rpc.h */
#include "llmparse/rpc.h"

/* Exact names, and beginnings that end with a slash. */
static const char *const methods[] = {
	"initialize", "ping", "tools/", "resources/", "prompts/", "completion/complete",
	"logging/setLevel",
	"sampling/createMessage", "elicitation/create", "roots/list", "tasks/", "server/discover",
	"subscriptions/listen", "notifications/",
};

static const char *const from_server[] = {
	"sampling/createMessage", "elicitation/create", "roots/list", "notifications/message",
	"notifications/resources/", "notifications/tools/", "notifications/prompts/",
	"notifications/tasks/",
	"notifications/elicitation/",
};

static bool
is_one_of(struct value method, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool family = list[i][strlen(list[i]) - 1] == '/';

		if (family ? text_begins(method, list[i]) : value_eq(method, list[i]))
			return true;
	}
	return false;
}

bool
rpc_from_server(struct value method)
{
	return is_one_of(method, from_server, sizeof(from_server) / sizeof(*from_server));
}

/* Others speak JSON-RPC in lines as well: the agent client protocol has an
 * initialize of its own, with a number for a version. */
static bool
is_mcp(struct value method, struct value params)
{
	if (!is_one_of(method, methods, sizeof(methods) / sizeof(*methods)))
		return false;
	return !value_eq(method, "initialize") ||
	    value_get(params, "protocolVersion").kind == VALUE_STRING;
}

struct rpc
rpc_read(struct value v)
{
	static const char *const key[] = { "jsonrpc", "id", "method", "params", "result", "error" };
	struct value m[6];
	struct rpc r = { 0 };

	MEMBERS(v, key, m);
	if (!value_eq(m[0], "2.0"))
		return r;
	r.id = m[1];
	r.method = m[2];
	r.params = m[3];
	r.result = m[4];
	r.error = m[5];
	if (r.method.kind == VALUE_STRING) {
		if (!is_mcp(r.method, r.params))
			return r;
		r.kind = r.id.kind == VALUE_STRING || r.id.kind == VALUE_INT ? RPC_REQUEST :
		    RPC_NOTIFICATION;
	} else if ((r.id.kind == VALUE_STRING || r.id.kind == VALUE_INT) &&
	    (r.result.kind || r.error.kind)) {
		r.kind = RPC_RESPONSE;
	}
	return r;
}
