/*
 * gemini.c - Google's generateContent: the Gemini API, Vertex, and Code Assist,
 * which wraps requests in {"request":...} and answers in {"response":...}
 */
#include "llmparse/vendor.h"

static struct value
unwrapped(struct value body, const char *key)
{
	struct value in = value_get(body, key);

	return in.kind == VALUE_OBJECT ? in : body;
}

static bool
is_request(struct value body)
{
	struct value list = value_get(unwrapped(body, "request"), "contents");

	return list.kind == VALUE_OBJECT || (list.kind == VALUE_ARRAY &&
	    value_get(value_element(list, 0), "parts").kind != VALUE_NONE);
}

/* One answer, or the array of the pieces of one. */
static bool
is_response(struct value body)
{
	static const char *const key[] = { "candidates", "usageMetadata", "promptFeedback", "modelVersion" };
	struct value m[4];

	if (body.kind == VALUE_ARRAY)
		body = value_element(body, 0);
	MEMBERS(unwrapped(body, "response"), key, m);
	return (m[0].kind == VALUE_ARRAY && (is_given(m[1]) || is_given(m[3]) ||
	    is_given(value_get(value_element(m[0], 0), "content")))) || (is_given(m[1]) && is_given(m[2]));
}

static void
config(struct request *a, struct value v)
{
	static const char *const key[] = { "maxOutputTokens", "temperature", "topP", "topK", "seed",
		"candidateCount", "stopSequences", "max_output_tokens", "top_p", "top_k", "thinkingConfig",
		"frequencyPenalty", "presencePenalty", "responseMimeType" };
	struct value m[14];

	MEMBERS(v, key, m);
	a->max_tokens = first_given(m[0], m[7]);
	a->temperature = m[1];
	a->top_p = first_given(m[2], m[8]);
	a->top_k = first_given(m[3], m[9]);
	a->seed = m[4];
	a->choices = m[5];
	a->stop = m[6];
	a->reasoning = value_get(m[10], "thinkingLevel");
	a->frequency_penalty = m[11];
	a->presence_penalty = m[12];
	a->json = value_eq(m[13], "application/json");
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "contents", "systemInstruction", "system_instruction", "tools",
		"generationConfig", "generation_config", "session_id", "sessionId" };
	struct value m[8];

	a->model = value_get(body, "model");	/* Code Assist; elsewhere it is in the path */
	MEMBERS(unwrapped(body, "request"), key, m);
	a->list = m[0];
	a->system = first_given(m[1], m[2]);
	a->tools = m[3];
	a->conversation = first_given(m[6], m[7]);
	config(a, first_given(m[4], m[5]));
}

static void
part(struct messages *m, struct value p)
{
	static const char *const key[] = { "text", "thought", "functionCall", "functionResponse", "inlineData",
		"fileData", "executableCode", "codeExecutionResult", "inline_data", "file_data" };
	static const char *const fkey[] = { "id", "name", "args", "response" };
	static const struct value code = { "\"code_execution\"", 16, VALUE_STRING, false };
	struct value v[10], f[4], none = { 0 }, blob, file;

	MEMBERS(p, key, v);
	MEMBERS(first_given(v[2], v[3]), fkey, f);
	blob = first_given(v[4], v[8]);
	file = first_given(v[5], v[9]);
	if (is_given(v[0]) && v[1].kind == VALUE_TRUE)
		part_reasoning(m, v[0]);
	else if (is_given(v[0]))
		part_text(m, v[0]);
	else if (is_given(v[2]))
		part_call(m, f[0], f[1], f[2]);
	else if (is_given(v[3]))
		part_result(m, f[0], f[1], f[3], is_given(value_get(f[3], "error")));
	else if (is_given(blob))
		part_blob(m, NULL, first_given(value_get(blob, "mimeType"), value_get(blob, "mime_type")),
		    value_get(blob, "data"));
	else if (is_given(file))
		part_uri(m, NULL, first_given(value_get(file, "mimeType"), value_get(file, "mime_type")),
		    first_given(value_get(file, "fileUri"), value_get(file, "file_uri")));
	else if (is_given(v[6]))
		part_server_call(m, none, code, v[6]);
	else if (is_given(v[7]))
		part_server_result(m, none, v[7]);
	else
		part_other(m, "unknown", p);
}

static bool
only_responses(struct value list)
{
	struct value_iter it;
	struct value k, v;
	bool any = false;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		if (!is_given(value_get(v, "functionResponse")))
			return false;
		any = true;
	}
	return any;
}

static void
item(struct messages *m, struct value v)
{
	static const char *const key[] = { "role", "parts" };
	struct value i[2];

	MEMBERS(v, key, i);
	if (v.kind == VALUE_STRING)
		i[1] = v;
	if (only_responses(i[1]))
		message_open(m, "tool");
	else
		message_open_value(m, i[0]);
	if (i[1].kind == VALUE_OBJECT)
		part(m, i[1]);
	else
		content_put(m, i[1], part);
	message_close(m, NULL);
}

static void
candidates(struct response *a, struct messages *m, struct value list)
{
	static const char *const key[] = { "content", "finishReason" };
	struct value_iter it;
	struct value k, c, v[2], parts;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &c)) {
		MEMBERS(c, key, v);
		parts = value_get(v[0], "parts");
		message_open(m, "assistant");
		content_put(m, parts, part);
		message_close(m, response_finish(a, m, v[1]));
	}
}

/* What a piece or a whole answer says besides its candidates. */
static void
about(struct response *a, struct value body)
{
	static const char *const key[] = { "responseId", "modelVersion", "usageMetadata", "promptFeedback" };
	struct value v[4];

	MEMBERS(body, key, v);
	a->id = first_given(v[0], a->id);
	a->model = first_given(v[1], a->model);
	usage_gemini(&a->usage, v[2]);
	if (is_text(value_get(v[3], "blockReason")))
		a->error = value_get(v[3], "blockReason");
}

/* A prompt that was blocked has no candidate to say how it ended. */
static void
blocked(struct response *a, struct messages *m)
{
	static const struct value filter = { "\"content_filter\"", 16, VALUE_STRING, false };

	if (!a->ended && is_text(a->error))
		response_finish(a, m, filter);
}

/* The pieces of an unmerged array: the parts of all are one message. */
static void
pieces(struct response *a, struct messages *m, struct value array)
{
	struct value_iter it;
	struct value k, v, reason = { 0 };

	message_open(m, "assistant");
	value_iter(&it, array);
	while (value_next(&it, &k, &v)) {
		struct value piece = unwrapped(v, "response");
		struct value c = value_element(value_get(piece, "candidates"), 0);

		about(a, piece);
		a->error = first_given(value_get(v, "error"), a->error);
		content_put(m, value_get(value_get(c, "content"), "parts"), part);
		reason = first_given(value_get(c, "finishReason"), reason);
	}
	message_close(m, response_finish(a, m, reason));
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	struct value in;

	if (body.kind == VALUE_ARRAY) {
		pieces(a, m, body);
		return;
	}
	in = unwrapped(body, "response");
	about(a, in);
	a->error = first_given(value_get(body, "error"), a->error);
	candidates(a, m, value_get(in, "candidates"));
	if (is_text(value_get(value_get(in, "promptFeedback"), "blockReason")))
		blocked(a, m);
	a->usage_open = a->stream && !a->ended && !is_given(a->error) && is_given(value_get(in, "usageMetadata"));
}

const struct vendor vendor_gemini = {
	.api = "generate_content", .operation = "generate_content", .provider = "gcp.gen_ai", .format = "gemini",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
};

/* --- embeddings ------------------------------------------------------------------- */

static bool
is_embed(struct value body)
{
	static const char *const key[] = { "content", "requests", "instances" };
	struct value m[3];

	MEMBERS(body, key, m);
	return value_get(m[0], "parts").kind == VALUE_ARRAY || m[1].kind == VALUE_ARRAY ||
	    value_get(value_element(m[2], 0), "content").kind == VALUE_STRING;	/* others are asked to predict, too */
}

static bool
is_embedded(struct value body)
{
	static const char *const key[] = { "embedding", "embeddings", "predictions" };
	struct value m[3];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_OBJECT || m[1].kind == VALUE_ARRAY ||
	    value_get(value_element(m[2], 0), "embeddings").kind == VALUE_OBJECT;
}

static void
embed(struct request *a, struct value body)
{
	a->model = value_get(body, "model");
	a->list = value_get(body, "content");
}

static void
embedded(struct response *a, struct messages *m, struct value body)
{
	struct value predictions = value_get(body, "predictions"), k, v;
	struct value_iter it;

	(void)m;
	a->error = value_get(body, "error");
	a->ended = is_embedded(body);
	usage_gemini(&a->usage, value_get(body, "usageMetadata"));
	value_iter(&it, predictions);
	while (predictions.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		int64_t n = count_of(value_get(value_get(value_get(v, "embeddings"), "statistics"), "token_count"));

		if (n >= 0)
			a->usage.n[USAGE_INPUT] = (a->usage.n[USAGE_INPUT] > 0 ? a->usage.n[USAGE_INPUT] : 0) + n;
	}
}

const struct vendor vendor_gemini_embed = {
	.api = "embed_content", .operation = "embeddings", .provider = "gcp.gen_ai",
	.is_request = is_embed, .is_response = is_embedded,
	.request = embed, .item = item, .response = embedded,
};
