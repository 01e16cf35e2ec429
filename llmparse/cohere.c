/* cohere.c - Cohere's Chat API v2, embeddings, and rerankers in its shape */
#include "llmparse/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "messages", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && is_text(m[1]);
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "message", "finish_reason", "usage" };
	struct value m[3];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_OBJECT && is_text(m[1]) && value_get(m[0], "role").kind == VALUE_STRING;
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "messages", "p", "k", "stop_sequences" };
	struct value m[4];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = m[0];
	a->top_p = first_given(m[1], a->top_p);
	a->top_k = first_given(m[2], a->top_k);
	a->stop = m[3];
}

static void
block(struct messages *m, struct value b)
{
	static const char *const key[] = { "type", "text", "thinking", "image_url" };
	struct value v[4];

	MEMBERS(b, key, v);
	if (value_eq(v[0], "text"))
		part_text(m, v[1]);
	else if (value_eq(v[0], "thinking"))
		part_reasoning(m, v[2]);
	else if (value_eq(v[0], "image_url"))
		part_uri(m, "image", (struct value){ 0 }, value_get(v[3], "url"));
	else
		part_other(m, "unknown", b);
}

static void
message(struct messages *m, struct value v)
{
	static const char *const key[] = { "content", "tool_plan", "tool_calls" };
	struct value i[3], k, call, f;
	struct value_iter it;

	MEMBERS(v, key, i);
	part_reasoning(m, i[1]);
	content_put(m, i[0], block);
	value_iter(&it, i[2]);
	while (i[2].kind == VALUE_ARRAY && value_next(&it, &k, &call)) {
		f = value_get(call, "function");
		part_call(m, value_get(call, "id"), value_get(f, "name"), value_get(f, "arguments"));
	}
}

static void
item(struct messages *m, struct value v)
{
	static const char *const key[] = { "role", "content", "tool_call_id" };
	struct value i[3];

	MEMBERS(v, key, i);
	message_open_value(m, i[0]);
	if (value_eq(i[0], "tool"))
		part_result(m, i[2], (struct value){ 0 }, i[1], false);
	else
		message(m, v);
	message_close(m, NULL);
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "message", "finish_reason", "usage" };
	struct value v[4];

	MEMBERS(body, key, v);
	a->id = v[0];
	usage_cohere(&a->usage, v[3]);
	if (v[1].kind != VALUE_OBJECT)	/* of an error it is text */
		return;
	message_open(m, "assistant");
	message(m, v[1]);
	message_close(m, response_finish(a, m, v[2]));
}

const struct vendor vendor_cohere = {
	.api = "cohere_chat", .operation = "chat", .provider = "cohere", .format = "cohere",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
};

/* --- embeddings ------------------------------------------------------------------- */

static bool
is_embed(struct value body)
{
	static const char *const key[] = { "texts", "inputs", "images", "model" };
	struct value m[4];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_ARRAY || m[1].kind == VALUE_ARRAY || m[2].kind == VALUE_ARRAY) && is_text(m[3]);
}

static bool
is_embedded(struct value body)
{
	static const char *const key[] = { "embeddings", "meta", "response_type" };
	struct value m[3];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_ARRAY || m[0].kind == VALUE_OBJECT) && (is_given(m[1]) || is_given(m[2]));
}

static void
embed(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = first_given(value_get(body, "texts"), value_get(body, "inputs"));
}

static void
text_item(struct messages *m, struct value v)
{
	message_open(m, "user");
	if (v.kind == VALUE_STRING)
		part_text(m, v);
	else
		content_put(m, value_get(v, "content"), block);
	message_close(m, NULL);
}

static void
embedded(struct response *a, struct messages *m, struct value body)
{
	(void)m;
	a->id = value_get(body, "id");
	a->ended = is_embedded(body);
	usage_cohere(&a->usage, value_get(body, "meta"));
}

const struct vendor vendor_cohere_embed = {
	.api = "cohere_embed", .operation = "embeddings", .provider = "cohere",
	.is_request = is_embed, .is_response = is_embedded,
	.request = embed, .item = text_item, .response = embedded,
};

/* --- rerank: Cohere, Voyage, Jina and what imitates them ---------------------------- */

static bool
is_rerank(struct value body)
{
	static const char *const key[] = { "query", "documents", "model" };
	struct value m[3];

	MEMBERS(body, key, m);
	return is_given(m[0]) && m[1].kind == VALUE_ARRAY && is_text(m[2]);
}

static bool
is_ranked(struct value body)
{
	struct value list = first_given(value_get(body, "results"), value_get(body, "data"));

	return list.kind == VALUE_ARRAY && is_given(value_get(value_element(list, 0), "relevance_score"));
}

static void
rerank(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = value_get(body, "query");
}

static void
ranked(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "meta", "usage" };
	struct value v[4];

	(void)m;
	MEMBERS(body, key, v);
	a->id = v[0];
	a->model = v[1];
	a->ended = is_ranked(body);
	usage_cohere(&a->usage, v[2]);
	usage_set(&a->usage, USAGE_INPUT, value_get(v[3], "total_tokens"));
}

const struct vendor vendor_rerank = {
	.api = "rerank", .operation = "rerank", .provider = "cohere",
	.is_request = is_rerank, .is_response = is_ranked,
	.request = rerank, .item = text_item, .response = ranked,
};
