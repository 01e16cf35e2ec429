/*
 * bedrock.c - AWS Bedrock: Converse, and InvokeModel, whose bodies are those
 * of the model's maker
 */
#include "llmparse/vendor.h"

static bool
is_converse(struct value body)
{
	static const char *const key[] = { "messages", "inferenceConfig", "toolConfig", "system" };
	struct value m[4], content, first;

	MEMBERS(body, key, m);
	content = value_get(value_element(m[0], 0), "content");
	first = value_element(content, 0);
	return m[0].kind == VALUE_ARRAY && content.kind == VALUE_ARRAY && value_get(first, "type").kind == VALUE_NONE &&
	    (is_given(m[1]) || is_given(m[2]) || value_get(first, "text").kind == VALUE_STRING ||
	    value_get(first, "toolResult").kind == VALUE_OBJECT);
}

static bool
is_conversed(struct value body)
{
	static const char *const key[] = { "output", "stopReason", "usage" };
	struct value m[3];

	MEMBERS(body, key, m);
	return value_get(m[0], "message").kind == VALUE_OBJECT && (is_text(m[1]) || is_given(m[2]));
}

static void
converse(struct request *a, struct value body)
{
	static const char *const key[] = { "messages", "system", "inferenceConfig", "toolConfig", "modelId" };
	static const char *const ckey[] = { "maxTokens", "temperature", "topP", "stopSequences", "max_new_tokens",
		"topK" };
	struct value m[5], c[6];

	MEMBERS(body, key, m);
	MEMBERS(m[2], ckey, c);
	a->model = m[4];
	a->list = m[0];
	a->system = m[1];
	a->tools = value_get(m[3], "tools");
	a->max_tokens = first_given(c[0], c[4]);
	a->temperature = c[1];
	a->top_p = c[2];
	a->stop = c[3];
	a->top_k = c[5];
}

static void
media(struct messages *m, const char *modality, struct value v)
{
	struct value source = value_get(v, "source"), bytes = value_get(source, "bytes");
	struct value uri = value_get(value_get(source, "s3Location"), "uri"), none = { 0 };

	if (is_text(bytes))
		part_blob(m, modality, none, bytes);
	else if (is_text(uri))
		part_uri(m, modality, none, uri);
	else
		part_other(m, modality, v);
}

static void
cited(struct messages *m, struct value list)
{
	struct value_iter it;
	struct value k, v;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		part_text(m, value_get(v, "text"));
}

static void
block(struct messages *m, struct value b)
{
	static const char *const key[] = { "text", "toolUse", "toolResult", "reasoningContent", "image", "document",
		"video", "cachePoint", "citationsContent" };
	static const char *const tkey[] = { "toolUseId", "name", "input", "content", "status", "type" };
	struct value v[9], t[6], none = { 0 };

	MEMBERS(b, key, v);
	MEMBERS(first_given(v[1], v[2]), tkey, t);
	if (is_given(v[0]))
		part_text(m, v[0]);
	else if (is_given(v[1]) && value_eq(t[5], "server_tool_use"))
		part_server_call(m, t[0], t[1], v[1]);
	else if (is_given(v[1]))
		part_call(m, t[0], t[1], t[2]);
	else if (is_given(v[2]) && is_text(t[5]))	/* of a tool that ran at the vendor's */
		part_server_result(m, t[0], v[2]);
	else if (is_given(v[2]))
		part_result(m, t[0], none, t[3], value_eq(t[4], "error"));
	else if (is_given(v[3]))
		part_reasoning(m, value_get(value_get(v[3], "reasoningText"), "text"));
	else if (is_given(v[4]))
		media(m, "image", v[4]);
	else if (is_given(v[5]))
		media(m, "document", v[5]);
	else if (is_given(v[6]))
		media(m, "video", v[6]);
	else if (is_given(v[8]))
		cited(m, value_get(v[8], "content"));
	else if (!is_given(v[7]))
		part_other(m, "unknown", b);
}

static bool
only_results(struct value list)
{
	struct value_iter it;
	struct value k, v;
	bool any = false;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		if (!is_given(value_get(v, "toolResult")))
			return false;
		any = true;
	}
	return any;
}

static void
item(struct messages *m, struct value v)
{
	struct value content = value_get(v, "content");

	if (only_results(content))
		message_open(m, "tool");
	else
		message_open_value(m, value_get(v, "role"));
	content_put(m, content, block);
	message_close(m, NULL);
}

static void
conversed(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "output", "stopReason", "usage", "message" };
	struct value v[4], message;

	MEMBERS(body, key, v);
	usage_converse(&a->usage, v[2]);
	message = value_get(v[0], "message");
	if (message.kind != VALUE_OBJECT)
		return;
	message_open(m, "assistant");
	content_put(m, value_get(message, "content"), block);
	message_close(m, response_finish(a, m, v[1]));
}

const struct vendor vendor_converse = {
	.api = "converse", .operation = "chat", .provider = "aws.bedrock", .format = "bedrock-converse",
	.is_request = is_converse, .is_response = is_conversed,
	.request = converse, .item = item, .response = conversed,
};

/* --- InvokeModel ------------------------------------------------------------------ */

/* Whose body it is. The maker's model id is in the path, but profiles and
 * imported models have names of their own: the shape tells. */
static const struct vendor *
maker_of_request(struct value body)
{
	return is_given(value_get(body, "anthropic_version")) ? &vendor_messages :
	    is_converse(body) ? &vendor_converse : NULL;
}

static bool
is_invoke(struct value body)
{
	static const char *const key[] = { "prompt", "inputText", "messages" };
	struct value m[3];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_STRING || m[1].kind == VALUE_STRING || m[2].kind == VALUE_ARRAY;
}

static bool
is_invoked(struct value body)
{
	static const char *const key[] = { "generation", "results", "outputs", "completion", "embedding", "embeddings",
		"images" };
	struct value m[7];

	MEMBERS(body, key, m);
	return vendor_messages.is_response(body) || is_conversed(body) || vendor_chat.is_response(body) ||
	    is_given(m[0]) || m[1].kind == VALUE_ARRAY || m[2].kind == VALUE_ARRAY || is_given(m[3]) || is_given(m[4]) ||
	    is_given(m[5]) || m[6].kind == VALUE_ARRAY;
}

/* What is asked of a model that does not chat: by its id, else by the body. */
static const char *
invoke_operation(const struct request *a, struct value body)
{
	static const struct { const char *in, *operation; } id[] = {
		{ "embed", "embeddings" }, { "rerank", "rerank" }, { "stability.", "image_generation" },
		{ "-canvas", "image_generation" }, { "titan-image", "image_generation" }, { "nova-reel", "video_generation" },
	};
	static const char *const key[] = { "texts", "input_type", "documents", "query", "taskType", "text_prompts" };
	struct value m[6];

	for (size_t i = 0; a->path_modellen && i < sizeof(id) / sizeof(*id); i++)
		if (memmem(a->path_model, a->path_modellen, id[i].in, strlen(id[i].in)))
			return id[i].operation;
	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && is_given(m[1]) ? "embeddings" : m[2].kind == VALUE_ARRAY && is_given(m[3]) ? "rerank" :
	    is_text(m[4]) || m[5].kind == VALUE_ARRAY ? "image_generation" : NULL;
}

static void
invoke(struct request *a, struct value body)
{
	static const char *const key[] = { "prompt", "inputText", "messages", "textGenerationConfig", "max_gen_len",
		"temperature", "top_p" };
	const struct vendor *maker = maker_of_request(body);
	const char *operation = invoke_operation(a, body);
	struct value m[7];

	if (maker && !operation) {
		maker->request(a, body);
		return;
	}
	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = first_given(m[2], first_given(m[0], first_given(m[1], first_given(value_get(body, "texts"),
	    first_given(value_get(body, "query"), value_get(value_get(body, "textToImageParams"), "text"))))));
	if (operation)
		a->operation = operation;
	else if (a->list.kind == VALUE_STRING)
		a->operation = "text_completion";
	a->max_tokens = first_given(first_given(m[4], a->max_tokens), value_get(m[3], "maxTokenCount"));
	a->temperature = first_given(m[5], value_get(m[3], "temperature"));
	a->top_p = first_given(m[6], value_get(m[3], "topP"));
}

static void
invoke_item(struct messages *m, struct value v)
{
	static const char *const key[] = { "text", "toolUse", "toolResult", "image" };
	struct value first = value_element(value_get(v, "content"), 0), f[4];

	MEMBERS(first, key, f);
	if (first.kind == VALUE_OBJECT && value_get(first, "type").kind == VALUE_NONE)
		item(m, v);
	else if (first.kind == VALUE_OBJECT)
		vendor_messages.item(m, v);
	else
		vendor_chat.item(m, v);
}

/* Llama {generation,stop_reason}, Titan {results:[{outputText,completionReason}]},
 * Mistral {outputs:[{text,stop_reason}]} */
static void
plain(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "generation", "stop_reason", "results", "outputs", "prompt_token_count",
		"generation_token_count", "inputTextTokenCount", "embedding", "amazon-bedrock-invocationMetrics",
		"embeddings", "images" };
	struct value v[11], one, k, image;
	struct value_iter it;
	int64_t in, out;

	MEMBERS(body, key, v);
	one = value_element(first_given(v[2], v[3]), 0);
	in = count_of(first_given(v[4], v[6]));
	out = count_of(first_given(v[5], value_get(one, "tokenCount")));
	a->usage.n[USAGE_INPUT] = in;
	a->usage.n[USAGE_OUTPUT] = out;
	usage_invocation(&a->usage, v[8]);
	if (is_given(v[7]) || is_given(v[9]) || is_given(value_get(one, "relevance_score"))) {
		a->ended = true;	/* vectors and ranks are no message */
		return;
	}
	message_open(m, "assistant");
	value_iter(&it, v[10]);
	while (v[10].kind == VALUE_ARRAY && value_next(&it, &k, &image))
		part_blob(m, "image", (struct value){ 0 }, image);
	if (v[10].kind == VALUE_ARRAY) {
		a->ended = true;
		message_close(m, "stop");
		return;
	}
	part_text(m, first_given(v[0], first_given(value_get(one, "outputText"), value_get(one, "text"))));
	message_close(m, response_finish(a, m, first_given(v[1],
	    first_given(value_get(one, "completionReason"), value_get(one, "stop_reason")))));
}

static void
invoked(struct response *a, struct messages *m, struct value body)
{
	if (vendor_messages.is_response(body))
		vendor_messages.response(a, m, body);
	else if (is_conversed(body))
		conversed(a, m, body);
	else if (vendor_chat.is_response(body))
		vendor_chat.response(a, m, body);
	else if (is_invoked(body))
		plain(a, m, body);
}

const struct vendor vendor_invoke = {
	.api = "invoke", .operation = "chat", .provider = "aws.bedrock", .format = "bedrock-invoke",
	.is_request = is_invoke, .is_response = is_invoked,
	.request = invoke, .item = invoke_item, .response = invoked,
};
