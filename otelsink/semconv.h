/*
 * semconv.h - which attributes the keys of an event become: the one place that
 * knows the names of OpenTelemetry's semantic conventions
 *
 * 1.41: the last release that holds the text for generative AI and MCP
 * (v1.41.1, docs/gen-ai); names of later drafts are not used. 1.36: the last
 * with gen_ai.system, for who has not moved; it has no attributes for content.
 */
#ifndef OTEL_SEMCONV_H
#define OTEL_SEMCONV_H

#include "otelsink/attr.h"

enum semconv { SEMCONV_136, SEMCONV_141 };

/* What is wanted of a table. */
enum {
	IN_SPAN = 1,		/* and in its log record */
	IN_METRIC = 2,
	IN_AGENT = 4,		/* the same in all calls of an agent */
};
/* In which form content goes in. */
enum content { CONTENT_NONE, CONTENT_TEXT, CONTENT_TREE };

struct mapping;
extern const struct mapping *const semconv_llm;	/* llm.call */
extern const struct mapping *const semconv_mcp;	/* mcp.call */

/* Adds what the table has for this event. Text is decoded into its arena. */
void semconv_attrs(struct attrs *, const struct mapping *, enum semconv, struct event *,
    unsigned in, enum content);

/* Names of what no event key stands for; NULL: this release has none. */
enum name {
	NAME_OPERATION, NAME_PROVIDER, NAME_MODEL, NAME_CONVERSATION,
	NAME_AGENT, NAME_AGENT_VERSION,
	NAME_INPUT_TOKENS, NAME_OUTPUT_TOKENS, NAME_TOKEN_TYPE,
	NAME_TOOL, NAME_TOOL_ID, NAME_TOOL_TYPE, NAME_TOOL_ARGUMENTS, NAME_TOOL_RESULT,
	NAME_ERROR,
	NAME_PID, NAME_PARENT_PID, NAME_EXECUTABLE, NAME_EXECUTABLE_PATH, NAME_ARGS, NAME_CWD,
	    NAME_EXIT_CODE,
	NAME_CONTAINER,
	NAME_EVENT_ID,		/* ours: the id of the event line */
	NAME_STAGE, NAME_REASON,	/* ours: of a loss */
	NAME_DETAILS,		/* name of the log event */
	NAMES,
};
const char *semconv_name(enum semconv, enum name);

/* Metrics. NULL: not in this release. */
enum metric { METRIC_TOKENS, METRIC_DURATION, METRIC_FIRST_CHUNK, METRIC_LOSSES, METRIC_LOST_BYTES,
    METRICS };
struct metric_info {
	const char *name, *unit, *about;
	const double *bounds;	/* of a histogram; NULL: a counter */
};
enum { BOUNDS = 14 };
const struct metric_info *semconv_metric(enum semconv, enum metric);

const char *semconv_schema(enum semconv);	/* schema_url */

#endif
