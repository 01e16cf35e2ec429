/*
 * rpc.h - JSON-RPC messages, and which of them are MCP
 */
#ifndef LLM_RPC_H
#define LLM_RPC_H

#include "vendor/values.h"

enum rpc_kind { RPC_NONE, RPC_REQUEST, RPC_NOTIFICATION, RPC_RESPONSE };

struct rpc {
	enum rpc_kind kind;
	struct value id;	/* string or integer */
	struct value method, params;
	struct value result, error;
};

/* RPC_NONE when it is not JSON-RPC 2.0, or a method that is not MCP's. A
 * response has no method: whether it is MCP's, its request tells. */
struct rpc rpc_read(struct value);

/* Does the method come from the server? Of those that either side sends
 * (ping, progress, cancelled): false. */
bool rpc_from_server(struct value method);

#endif
