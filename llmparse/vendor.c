/* vendor.c - what the vendors' files share; see vendor.h */
#include "llmparse/vendor.h"

void
request_common(struct request *a, struct value body)
{
	static const char *const key[] = { "model", "stream", "max_tokens", "temperature", "top_p",
		"top_k", "seed", "n", "stop", "tools", "metadata", "prompt_cache_key", "max_output_tokens",
		"max_completion_tokens", "session_id", "conversation_id", "user",
		"frequency_penalty", "presence_penalty", "response_format" };
	struct value m[20];

	MEMBERS(body, key, m);
	a->model = m[0];
	a->stream |= m[1].kind == VALUE_TRUE;
	a->max_tokens = first_given(m[13], first_given(m[2], m[12]));
	a->temperature = m[3];
	a->top_p = m[4];
	a->top_k = m[5];
	a->seed = m[6];
	a->choices = m[7];
	a->stop = m[8];
	a->tools = m[9];
	a->metadata = m[10];
	a->cache_key = m[11];
	a->conversation = first_given(m[14], m[15]);
	a->frequency_penalty = m[17];
	a->presence_penalty = m[18];
	a->json = text_begins(value_get(m[19], "type"), "json_");
}

const char *
response_finish(struct response *a, struct messages *m, struct value reason)
{
	const char *name = finish_name(reason);

	if (!is_text(reason))
		return "incomplete";
	a->ended = true;
	if (!name && !(name = value_str(&m->ev->arena, reason, NULL)))
		name = "other";
	a->finish->count++;
	if (finish_name(reason))
		jput_str(&a->finish->j, NULL, name);
	else
		jput_value(&a->finish->j, NULL, reason);
	return name;
}

void
response_cost(struct response *a, struct value usage)
{
	static const char *const key[] = { "cost", "cost_in_usd_ticks" };
	struct value m[2];
	double d;

	MEMBERS(usage, key, m);
	if (m[0].kind == VALUE_OBJECT)		/* Perplexity */
		m[0] = value_get(m[0], "total_cost");
	if ((m[0].kind == VALUE_INT || m[0].kind == VALUE_REAL) && value_f64(m[0], &d) && d >= 0)
		a->cost = d;
	else if (value_f64(m[1], &d) && d >= 0)		/* xAI: 10^10 make a dollar */
		a->cost = d / 1e10;
}

bool
item_is_response(struct value item)
{
	static const char *const key[] = { "role", "type" };
	struct value m[2];

	MEMBERS(item, key, m);
	if (is_text(m[0]))
		return value_eq(m[0], "assistant") || value_eq(m[0], "model") ||
		    value_eq(m[0], "CHATBOT") || value_eq(m[0], "Chatbot");
	/* items of the Responses API */
	return value_eq(m[1], "reasoning") || text_ends(m[1], "_call") || value_eq(m[1], "mcp_list_tools") ||
	    text_begins(m[1], "compaction");
}

void
content_put(struct messages *m, struct value content, void (*block)(struct messages *, struct value))
{
	struct value_iter it;
	struct value k, v;

	if (content.kind == VALUE_STRING)
		part_text(m, content);
	value_iter(&it, content);
	while (content.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		if (v.kind == VALUE_STRING)
			part_text(m, v);
		else
			block(m, v);
	}
}
