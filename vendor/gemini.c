/*
 * gemini.c - Google's generateContent: the Gemini API, Vertex, and Code Assist,
 * which wraps requests in {"request":...} and answers in {"response":...}
 */
#include "vendor/vendor.h"

#include <stdlib.h>
#include <string.h>

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
	static const char *const key[] = { "candidates", "usageMetadata", "promptFeedback",
		"modelVersion" };
	struct value m[4];

	if (body.kind == VALUE_ARRAY)
		body = value_element(body, 0);
	MEMBERS(unwrapped(body, "response"), key, m);
	return (m[0].kind == VALUE_ARRAY && (is_given(m[1]) || is_given(m[3]) ||
	    is_given(value_get(value_element(m[0], 0), "content")))) ||
	    (is_given(m[1]) && is_given(m[2]));
}

static void
config(struct request *a, struct value v)
{
	static const char *const key[] = { "maxOutputTokens", "temperature", "topP", "topK", "seed",
		"candidateCount", "stopSequences", "max_output_tokens", "top_p", "top_k",
		"thinkingConfig",
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
	static const char *const key[] = { "contents", "systemInstruction", "system_instruction",
		"tools",
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
	static const char *const key[] = { "text", "thought", "functionCall", "functionResponse",
		"inlineData",
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
		part_blob(m, NULL,
		first_given(value_get(blob, "mimeType"), value_get(blob, "mime_type")),
		    value_get(blob, "data"));
	else if (is_given(file))
		part_uri(m, NULL,
		first_given(value_get(file, "mimeType"), value_get(file, "mime_type")),
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
	static const char *const key[] = { "responseId", "modelVersion", "usageMetadata",
	"promptFeedback" };
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
	a->usage_open = a->stream && !a->ended && !is_given(a->error) &&
	is_given(value_get(in, "usageMetadata"));
}

/* --- embeddings ------------------------------------------------------------------- */

static bool
is_embed(struct value body)
{
	static const char *const key[] = { "content", "requests", "instances" };
	struct value m[3];

	MEMBERS(body, key, m);
	return value_get(m[0], "parts").kind == VALUE_ARRAY || m[1].kind == VALUE_ARRAY ||
	    /* others are asked to predict, too */
	    value_get(value_element(m[2], 0), "content").kind == VALUE_STRING;
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
		int64_t n = count_of(value_get(value_get(value_get(v, "embeddings"), "statistics"),
		"token_count"));

		if (n >= 0)
			a->usage.n[USAGE_INPUT] = n +
			    (a->usage.n[USAGE_INPUT] > 0 ? a->usage.n[USAGE_INPUT] : 0);
	}
}

/* === streams ==================================================================== */

/*
 * Google Gemini and Vertex: event stream or JSON array of whole
 * responses, each with the next parts; Code Assist wraps each in "response"
 *
 * Parts of plain text that follow each other are one, thoughts apart; parts
 * with a signature stay as they are, for the signature is over that part.
 */

struct candidate {
	int64_t index;
	json_t *object, *content;	/* content is in object */
	struct rest rest;
	bool finished;
	enum { OPEN_NOT, OPEN_TEXT, OPEN_THOUGHT, OPEN_CALL } open;	/* the last part may grow */
};

struct gemini {
	struct rest rest;
	struct candidate *candidate;
	size_t n, cap;
};

static bool
is_chunk(struct value v, const struct event *ev)
{
	static const char *const key[] = { "candidates", "usageMetadata", "promptFeedback" };
	enum value_kind want[] = { VALUE_ARRAY, VALUE_OBJECT, VALUE_OBJECT };

	for (size_t i = 0; i < 3; i++)
		if ((ev ? event_get(ev, key[i]) : value_get(v, key[i])).kind == want[i])
			return true;
	return false;
}

static bool
detect(const struct merge_input *in)
{
	return is_chunk((struct value){ 0 }, in->json) ||
	    is_chunk(event_get(in->json, "response"), NULL);
}

static struct candidate *
candidate_get(struct merge *m, int64_t index)
{
	struct gemini *g = m->own;
	struct candidate *c;

	for (size_t i = 0; i < g->n; i++)
		if (g->candidate[i].index == index)
			return &g->candidate[i];
	if (g->n == 1024 || !builder_grow(&m->builder, &g->candidate, g->n, &g->cap, sizeof(*c)))
		return NULL;
	c = &g->candidate[g->n];
	*c = (struct candidate){ .index = index, .object = json_object() };
	if (!c->object) {
		m->builder.nomem = true;
		return NULL;
	}
	g->n++;
	return c;
}

/* largest index, and number of steps, of an argument */
enum { PATH_INDEX = 64, PATH_DEPTH = 32 };

/* One step of a path: ".name" or "[n]"; its name is put into name, NULL: no more. */
static const char *
path_step(const char *p, char *name, size_t size, bool *index)
{
	size_t n;

	*index = *p == '[';
	if (*p != '.' && *p != '[')
		return NULL;
	n = strcspn(++p, *index ? "]" : ".[");
	if (!n || n >= size)
		return NULL;
	memcpy(name, p, n);
	name[n] = '\0';
	return p + n + (*index && p[n] == ']');
}

/* The place that a step leads to, made as an object or array when it is not there. */
static json_t *
path_child(json_t *at, const char *name, bool index, json_t *leaf)
{
	size_t i = index ? strtoul(name, NULL, 10) : 0;

	if (!index)
		return json_object_set_new(at, name, leaf) ? NULL : leaf;
	while (json_is_array(at) && json_array_size(at) <= i && i < PATH_INDEX)
		json_array_append_new(at, json_null());
	return json_array_set_new(at, i, leaf) ? NULL : leaf;
}

/* The same, for a container: counted, for a short path may make many. */
static json_t *
path_new(struct merge *m, json_t *at, const char *name, bool index, json_t *leaf)
{
	enum { COST = PATH_INDEX * 64 };

	if (m->builder.memory + COST > m->builder.max) {
		m->builder.lost += COST;
		json_decref(leaf);
		return NULL;
	}
	m->builder.memory += COST;
	return path_child(at, name, index, leaf);
}

/* One string behind the other; the second is let go. */
static json_t *
joined(const json_t *a, json_t *b)
{
	size_t n = json_string_length(a), k = json_string_length(b);
	char *t = malloc(n + k + 1);
	json_t *both = NULL;

	if (t) {
		memcpy(t, json_string_value(a), n);
		memcpy(t + n, json_string_value(b), k);
		both = json_stringn(t, n + k);
	}
	free(t);
	json_decref(b);
	return both;
}

/* Puts a value, or the next piece of a string, where the path says within args. */
static void
partial_arg(struct merge *m, json_t *args, struct value arg)
{
	static const char *const key[] = { "jsonPath", "stringValue", "numberValue", "boolValue" };
	struct value v[4];
	char path[512], name[256], ahead[256];
	const char *p = path, *next;
	bool index, inner;
	json_t *old, *leaf;

	value_pick(arg, key, v, 4);
	if (v[0].kind != VALUE_STRING || v[0].n > sizeof(path))
		return;
	path[value_decode(v[0], path)] = '\0';
	p += *p == '$';
	for (int depth = 0; args && depth < PATH_DEPTH &&
	    (next = path_step(p, name, sizeof(name), &index)); depth++, p = next) {
		old = index ? json_array_get(args, strtoul(name, NULL, 10)) :
		    json_object_get(args, name);
		if (path_step(next, ahead, sizeof(ahead), &inner)) {
			if (inner ? !json_is_array(old) : !json_is_object(old))
				old = path_new(m, args, name, index, inner ? json_array() :
				    json_object());
			args = old;
			continue;
		}
		leaf = builder_json(&m->builder, value_given(v[1]) ? v[1] :
		    value_given(v[2]) ? v[2] : v[3]);
		if (value_given(v[1]) && json_is_string(old) && leaf) {
			leaf = joined(old, leaf);
		}
		path_child(args, name, index, leaf ? leaf : json_null());
		merge_say(m, MERGE_ARGUMENTS, v[1]);
		return;
	}
}

/* A call whose arguments come piece by piece (Vertex, streamFunctionCallArguments). */
static void
call_part(struct merge *m, struct candidate *c, json_t *parts, struct value call)
{
	static const char empty[] = "{\"functionCall\":{\"args\":{}}}";
	struct value v = { empty, sizeof(empty) - 1, VALUE_OBJECT, false }, list, k, arg,
	    name = value_get(call, "name");
	struct value_iter it;
	json_t *f;

	if (c->open != OPEN_CALL) {
		builder_push(&m->builder, parts, v);
		merge_say(m, MERGE_TOOL, name);
	}
	f = json_object_get(json_array_get(parts, json_array_size(parts) - 1), "functionCall");
	if (value_says(name))
		builder_set(&m->builder, f, "name", name);
	if (value_says(value_get(call, "id")))
		builder_set(&m->builder, f, "id", value_get(call, "id"));
	list = value_get(call, "partialArgs");
	value_iter(&it, list);
	while (f && list.kind == VALUE_ARRAY && value_next(&it, &k, &arg))
		partial_arg(m, json_object_get(f, "args"), arg);
	c->open = value_get(call, "willContinue").kind == VALUE_TRUE ? OPEN_CALL : OPEN_NOT;
	m->content = true;
}

static void
part_whole(struct merge *m, json_t *parts, struct value v, bool thought)
{
	merge_say(m, thought ? MERGE_REASONING : MERGE_TEXT, value_get(v, "text"));
	merge_say(m, MERGE_TOOL, value_get(value_get(v, "functionCall"), "name"));
	builder_push(&m->builder, parts, v);
}

static void
stream_part(struct merge *m, struct candidate *c, json_t *parts, struct value v)
{
	struct value_iter it;
	struct value key, val, text = { 0 }, call;
	bool thought = false, plain = true;
	int open;

	if (v.kind != VALUE_OBJECT)
		return;
	call = value_get(v, "functionCall");
	if (call.kind == VALUE_OBJECT &&
	    (c->open == OPEN_CALL || value_given(value_get(call, "partialArgs")) ||
	    value_get(call, "willContinue").kind == VALUE_TRUE)) {
		call_part(m, c, parts, call);
		return;
	}
	value_iter(&it, v);
	while (value_next(&it, &key, &val)) {
		if (value_eq(key, "text") && val.kind == VALUE_STRING)
			text = val;
		else if (value_eq(key, "thought") &&
		    (val.kind == VALUE_TRUE || val.kind == VALUE_FALSE))
			thought = val.kind == VALUE_TRUE;
		else
			plain = false;
	}
	open = !plain || !text.kind ? OPEN_NOT : thought ? OPEN_THOUGHT : OPEN_TEXT;
	if (open != OPEN_NOT && (int)c->open == open)
		merge_grow_as(m, thought ? MERGE_REASONING : MERGE_TEXT,
		    json_array_get(parts, json_array_size(parts) - 1), "text", text);
	else
		part_whole(m, parts, v, thought);
	m->content |= value_says(text) || !plain;
	c->open = open;
}

static void
content(struct merge *m, struct candidate *c, struct value v)
{
	struct value_iter it, in;
	struct value key, val, k, p;
	json_t *parts;

	c->content = builder_object(&m->builder, c->object, "content");
	value_iter(&it, v);
	while (c->content && v.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		if (!value_eq(key, "parts")) {
			if (!json_object_get(c->content, "role") || !value_eq(key, "role"))
				builder_set_member(&m->builder, c->content, key, val);
			continue;
		}
		parts = builder_array(&m->builder, c->content, "parts");
		value_iter(&in, val);
		while (val.kind == VALUE_ARRAY && value_next(&in, &k, &p))
			stream_part(m, c, parts, p);
	}
}

/* Lists that go on from chunk to chunk inside an object: citations, logprobs. */
static void
lists(struct merge *m, struct candidate *c, const char *name, const char *const *list, size_t n,
    struct value v)
{
	json_t *o = builder_object(&m->builder, c->object, name);
	struct value_iter it;
	struct value key, val;

	value_iter(&it, v);
	while (o && v.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		size_t i = 0;

		while (i < n && !value_eq(key, list[i]))
			i++;
		if (i < n)
			merge_extend(m, o, list[i], val);
		else
			builder_set_member(&m->builder, o, key, val);
	}
}

static void
candidate(struct merge *m, struct value v)
{
	static const char *const cited[] = { "citations", "citationSources" };
	static const char *const probs[] = { "topCandidates", "chosenCandidates" };
	struct candidate *c = candidate_get(m, value_int(value_get(v, "index"), 0));
	struct value_iter it;
	struct value key, val;

	if (!c)
		return;
	rest_begin(&c->rest);
	value_iter(&it, v);
	while (value_next(&it, &key, &val)) {
		if (value_eq(key, "content"))
			content(m, c, val);
		else if (value_eq(key, "citationMetadata"))
			lists(m, c, "citationMetadata", cited, 2, val);
		else if (value_eq(key, "logprobsResult"))
			lists(m, c, "logprobsResult", probs, 2, val);
		else if (value_eq(key, "groundingMetadata"))
			merge_overwrite(m,
			    builder_object(&m->builder, c->object, "groundingMetadata"), val);
		else if (value_given(val))
			rest_put(&m->builder, &c->rest, key, val);
		c->finished |= value_eq(key, "finishReason") && value_says(val);
	}
}

static void
member(struct merge *m, struct value key, struct value val)
{
	struct gemini *g = m->own;
	struct value_iter it;
	struct value k, v;

	if (value_eq(key, "error")) {
		merge_error(m, val);
	} else if (value_eq(key, "candidates") && val.kind == VALUE_ARRAY) {
		value_iter(&it, val);
		while (value_next(&it, &k, &v))
			if (v.kind == VALUE_OBJECT)
				candidate(m, v);
	} else if (value_given(val)) {
		rest_put(&m->builder, &g->rest, key, val);
		m->ended |= value_eq(key, "promptFeedback") &&
		    value_says(value_get(val, "blockReason"));
	}
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct gemini *g = m->own;
	struct value wrapped = event_get(in->json, "response"), key, val;
	struct value_iter it;

	rest_begin(&g->rest);
	if (wrapped.kind == VALUE_OBJECT && !event_get(in->json, "candidates").kind) {
		value_iter(&it, wrapped);
		while (value_next(&it, &key, &val))
			member(m, key, val);
		merge_error(m, event_get(in->json, "error"));
		return;
	}
	for (size_t i = 0; i < in->json->nfields; i++)
		member(m, field_key(&in->json->fields[i]), in->json->fields[i].value);
}

/* What a user sees: the text parts that are no thoughts. */
static void
visible(struct text *text, const json_t *content)
{
	json_t *part;
	size_t i;

	json_array_foreach(json_object_get(content, "parts"), i, part)
		if (!json_is_true(json_object_get(part, "thought")))
			merge_text(text, part, "text");
}

static int
order(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static void
finish(struct merge *m, struct text *text)
{
	struct gemini *g = m->own;
	json_t *all = g->n ? json_array() : NULL;
	bool finished = g->n > 0;

	if (g->n)
		qsort(g->candidate, g->n, sizeof(*g->candidate), order);
	for (size_t i = 0; i < g->n; i++) {
		struct candidate *c = &g->candidate[i];

		rest_build(&m->builder, &c->rest, c->object);
		json_array_append(all, c->object);
		finished = finished && c->finished;
	}
	if (all) {
		json_object_set_new(m->root, "candidates", all);
		visible(text, g->candidate[0].content);
	}
	rest_build(&m->builder, &g->rest, m->root);
	m->ended |= finished;
}

static void
free_own(struct merge *m)
{
	struct gemini *g = m->own;

	for (size_t i = 0; i < g->n; i++) {
		json_decref(g->candidate[i].object);
		rest_free(&m->builder, &g->candidate[i].rest);
	}
	free(g->candidate);
	rest_free(&m->builder, &g->rest);
}

const struct merge_format merge_gemini = {
	.name = "gemini",
	.own = sizeof(struct gemini),
	.detect = detect,
	.path = { ":streamGenerateContent" },
	.event = event,
	.finish = finish,
	.free = free_own,
};

/* === the entries ================================================================= */

static const struct vendor_host hosts[] = {
	{ "generativelanguage.googleapis.com", "gcp.gemini" }, { NULL, NULL },
};

static const struct vendor_path paths[] = {
	{ .end = ":generateContent" }, { .end = ":streamGenerateContent", .stream = true },
	{ .end = NULL },
}, embed_paths[] = {
	{ .end = ":embedContent" }, { .end = ":batchEmbedContents" },
	{ .end = ":predict", .shape = true }, { .end = NULL },
};

static const struct vendor_word roles[] = {
	{ "model", "assistant" }, { NULL, NULL },
}, finishes[] = {
	{ "STOP", "stop" }, { "MAX_TOKENS", "length" }, { "SAFETY", "content_filter" },
	{ "RECITATION", "content_filter" },
	{ "PROHIBITED_CONTENT", "content_filter" }, { "SPII", "content_filter" },
	{ "BLOCKLIST", "content_filter" },
	{ "IMAGE_SAFETY", "content_filter" }, { "IMAGE_PROHIBITED_CONTENT", "content_filter" },
	{ "IMAGE_RECITATION", "content_filter" }, { "MALFORMED_FUNCTION_CALL", "error" },
	{ "UNEXPECTED_TOOL_CALL", "error" }, { "TOO_MANY_TOOL_CALLS", "error" }, { NULL, NULL },
};

const struct vendor vendor_gemini = {
	.api = "generate_content", .operation = "generate_content", .provider = "gcp.gen_ai",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.hosts = hosts, .paths = paths, .roles = roles, .finishes = finishes, .mark = "contents",
	.request_rank = 2, .response_rank = 4, .stream = &merge_gemini,
};
VENDOR_ENTRY(vendor_gemini);

const struct vendor vendor_gemini_embed = {
	.api = "embed_content", .operation = "embeddings", .provider = "gcp.gen_ai",
	.is_request = is_embed, .is_response = is_embedded,
	.request = embed, .item = item, .response = embedded,
	.paths = embed_paths,
};
VENDOR_ENTRY(vendor_gemini_embed);

/* Over a WebSocket, turn by turn: llmparse/talk.c makes a request and an answer of each. */
const struct vendor vendor_live = {
	.api = "live", .operation = "generate_content", .provider = "gcp.gen_ai",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
};
VENDOR_ENTRY(vendor_live);
