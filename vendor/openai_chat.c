/*
 * openai_chat.c - OpenAI Chat Completions and its many imitators, the text
 * completions of before, and embeddings
 */
#include "vendor/vendor.h"

#include <stdlib.h>
#include <string.h>

static bool
is_request(struct value body)
{
	static const char *const key[] = { "messages", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && is_text(m[1]) &&
	    value_get(value_element(m[0], 0), "role").kind == VALUE_STRING;
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "choices", "object", "usage", "id" };
	struct value m[4];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && (text_begins(m[1], "chat.completion") ||
	    value_get(value_element(m[0], 0), "message").kind == VALUE_OBJECT);
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "messages", "reasoning_effort", "functions",
		"agent_id", "model_id" };
	struct value m[5];

	request_common(a, body);
	MEMBERS(body, key, m);
	/* Mistral's agents; watsonx */
	a->model = first_given(a->model, first_given(m[3], m[4]));
	a->list = m[0];
	a->reasoning = m[1];
	a->tools = first_given(a->tools, m[2]);
}

static void
part(struct messages *m, struct value p)
{
	static const char *const key[] = { "type", "text", "image_url", "input_audio", "file",
		"refusal",
		"thinking", "audio_url", "video_url" };
	struct value v[9], url;

	MEMBERS(p, key, v);
	if (v[0].kind != VALUE_STRING || value_eq(v[0], "text")) {
		part_text(m, v[1]);
	} else if (value_eq(v[0], "image_url") || value_eq(v[0], "audio_url") ||
	value_eq(v[0], "video_url")) {
		struct value media = first_given(v[2], first_given(v[7], v[8]));

		url = media.kind == VALUE_OBJECT ? value_get(media, "url") : media;
		part_uri(m, is_given(v[2]) ? "image" : is_given(v[7]) ? "audio" : "video",
		(struct value){ 0 }, url);
	} else if (value_eq(v[0], "input_audio")) {
		part_blob(m, "audio", (struct value){ 0 }, value_get(v[3], "data"));
	} else if (value_eq(v[0], "file") && is_text(value_get(v[4], "file_id"))) {
		part_file(m, "document", (struct value){ 0 }, value_get(v[4], "file_id"));
	} else if (value_eq(v[0], "file") && is_text(value_get(v[4], "file_data"))) {
		part_uri(m, "document", (struct value){ 0 }, value_get(v[4], "file_data"));
	} else if (value_eq(v[0], "refusal")) {
		part_refusal(m, v[5]);
	} else if (value_eq(v[0], "thinking")) {	/* Mistral: a list of text chunks */
		part_reasoning(m, sole_text(v[6]));
	} else {
		part_other(m, "unknown", p);
	}
}

static void
tool_calls(struct messages *m, struct value list)
{
	struct value_iter it;
	struct value k, call;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &call)) {
		static const char *const key[] = { "id", "function", "custom" };
		static const char *const fkey[] = { "name", "arguments", "input" };
		struct value v[3], f[3];

		MEMBERS(call, key, v);
		MEMBERS(first_given(v[1], v[2]), fkey, f);
		part_call(m, v[0], f[0], first_given(f[1], f[2]));
	}
}

/* What a message holds besides its role; the same in requests and answers. */
static void
message(struct messages *m, struct value v)
{
	static const char *const key[] = { "content", "reasoning_content", "reasoning", "refusal",
		"tool_calls", "function_call", "audio" };
	struct value i[7], f;

	MEMBERS(v, key, i);
	part_reasoning(m, is_text(i[1]) ? i[1] : i[2]);
	if (i[0].kind == VALUE_ARRAY || is_text(i[0]))
		content_put(m, i[0], part);
	part_refusal(m, i[3]);
	if (i[6].kind == VALUE_OBJECT && is_text(value_get(i[6], "transcript")))
		part_text(m, value_get(i[6], "transcript"));
	tool_calls(m, i[4]);
	f = i[5];
	if (f.kind == VALUE_OBJECT)
		part_call(m, (struct value){ 0 }, value_get(f, "name"), value_get(f, "arguments"));
}

static void
item(struct messages *m, struct value v)
{
	static const char *const key[] = { "role", "content", "tool_call_id", "name" };
	struct value i[4];

	if (v.kind != VALUE_OBJECT) {	/* a prompt */
		message_open(m, "user");
		part_text(m, v);
		message_close(m, NULL);
		return;
	}
	MEMBERS(v, key, i);
	message_open_value(m, i[0]);
	if (value_eq(i[0], "tool") || value_eq(i[0], "function"))
		part_result(m, i[2], i[3], i[1], false);
	else
		message(m, v);
	message_close(m, NULL);
}

static void
choices(struct response *a, struct messages *m, struct value list)
{
	struct value_iter it;
	struct value k, choice;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &choice)) {
		static const char *const key[] = { "message", "text", "finish_reason", "usage",
		"delta" };
		struct value c[5];

		MEMBERS(choice, key, c);
		message_open(m, "assistant");
		part_text(m, c[1]);
		message(m, first_given(c[0], c[4]));
		message_close(m, response_finish(a, m, c[2]));
		if (c[3].kind == VALUE_OBJECT)	/* Moonshot */
			usage_openai(&a->usage, c[3]);
	}
}

/* llama.cpp's, where a stream was not asked for its usage. */
static void
timings(struct usage *u, struct value v)
{
	static const char *const key[] = { "cache_n", "prompt_n", "predicted_n" };
	struct value n[3];
	int64_t cached, read;

	MEMBERS(v, key, n);
	if (v.kind != VALUE_OBJECT || u->n[USAGE_INPUT] >= 0 || u->n[USAGE_OUTPUT] >= 0)
		return;
	cached = count_of(n[0]);
	read = count_of(n[1]);
	if (read >= 0 && read < INT64_MAX / 2 && cached < INT64_MAX / 2)
		u->n[USAGE_INPUT] = read + (cached > 0 ? cached : 0);
	usage_set(u, USAGE_CACHE_READ, n[0]);
	usage_set(u, USAGE_OUTPUT, n[2]);
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "id", "model", "choices", "usage", "error",
		"service_tier", "x_groq",
		"timings" };
	struct value v[8];

	MEMBERS(body, key, v);
	a->id = v[0];
	a->model = v[1];
	a->error = v[4];
	a->tier = v[5];
	choices(a, m, v[2]);
	if (!is_given(v[3]))
		v[3] = value_get(v[6], "usage");
	usage_openai(&a->usage, v[3]);
	timings(&a->usage, v[7]);
	if (is_text(v[1]) && memmem(v[1].p, v[1].n, "gemini", 6))
		usage_hidden(&a->usage);
	response_cost(a, v[3]);
}

/* --- text completions ------------------------------------------------------------- */

static bool
is_prompt(struct value body)
{
	static const char *const key[] = { "prompt", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_STRING || m[0].kind == VALUE_ARRAY) && is_text(m[1]);
}

static bool
is_text_completion(struct value body)
{
	struct value list = value_get(body, "choices");

	return list.kind == VALUE_ARRAY &&
	(value_eq(value_get(body, "object"), "text_completion") ||
	    value_get(value_element(list, 0), "text").kind == VALUE_STRING);
}

static void
prompt(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = value_get(body, "prompt");
}

/* --- embeddings ------------------------------------------------------------------- */

static bool
is_input(struct value body)
{
	static const char *const key[] = { "input", "model" };
	struct value m[2];

	MEMBERS(body, key, m);
	return (m[0].kind == VALUE_STRING || m[0].kind == VALUE_ARRAY) && is_text(m[1]);
}

static bool
is_vectors(struct value body)
{
	struct value data = value_get(body, "data"), first = value_element(data, 0);

	return data.kind == VALUE_ARRAY && (is_given(value_get(first, "embedding")) ||
	    value_eq(value_get(first, "object"), "list"));	/* Voyage: a list for each text */
}

static void
input(struct request *a, struct value body)
{
	request_common(a, body);
	a->list = value_get(body, "input");
}

/* Vectors are no message; what they cost is reported. */
static void
vectors(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "model", "usage", "error" };
	struct value v[3];

	(void)m;
	MEMBERS(body, key, v);
	a->model = v[0];
	a->error = v[2];
	a->ended = value_get(body, "data").kind == VALUE_ARRAY;
	usage_openai(&a->usage, v[1]);
	/* Voyage: the total alone */
	if (a->usage.n[USAGE_INPUT] < 0 && a->usage.n[USAGE_OUTPUT] < 0)
		a->usage.n[USAGE_INPUT] = a->usage.n[USAGE_TOTAL];
}

/* === streams ==================================================================== */

/*
 * OpenAI Chat Completions and what imitates them; also the
 * old text completions (choices[].text)
 *
 * Chunks repeat everything but the deltas, so the rest is kept as text and
 * made a tree once. Choices and tool calls go by index; gateways that leave
 * the index out, or count every call as 0, are told apart by the call's id.
 */

struct tool {
	int64_t index;
	size_t order;		/* of arrival */
	json_t *object, *function;	/* function is in object */
};

struct choice {
	int64_t index;
	json_t *message, *logprobs;
	struct rest rest;	/* of the choice */
	struct rest extra;	/* of the message: what neither grows nor nests */
	struct tool *tool;
	size_t ntool, toolcap;
	bool finished;
};

struct chat {
	struct rest rest;
	struct choice *choice;
	size_t n, cap;
	bool begun;
	bool legacy;		/* text completions */
};

static bool
detect(const struct merge_input *in)
{
	struct value object = event_get(in->json, "object");

	return event_get(in->json, "choices").kind == VALUE_ARRAY &&
	    (!object.kind || value_eq(object, "") || value_begins(object, "chat.completion") ||
	    value_begins(object, "text_completion"));
}

static struct choice *
choice_get(struct merge *m, int64_t index)
{
	struct chat *c = m->own;
	struct choice *o;

	for (size_t i = 0; i < c->n; i++)
		if (c->choice[i].index == index)
			return &c->choice[i];
	if (c->n == 1024)	/* nobody asks for as many */
		return NULL;
	if (!builder_grow(&m->builder, &c->choice, c->n, &c->cap, sizeof(*o)))
		return NULL;
	o = &c->choice[c->n];
	*o = (struct choice){ .index = index, .message = json_object() };
	if (!o->message) {
		m->builder.nomem = true;
		return NULL;
	}
	c->n++;
	return o;
}

static void
logprobs(struct merge *m, struct choice *o, struct value v)
{
	struct value_iter it;
	struct value key, val;

	if (v.kind != VALUE_OBJECT)
		return;
	if (!o->logprobs && !(o->logprobs = json_object())) {
		m->builder.nomem = true;
		return;
	}
	value_iter(&it, v);
	while (value_next(&it, &key, &val)) {
		if (value_eq(key, "content") && val.kind == VALUE_ARRAY)
			merge_extend(m, o->logprobs, "content", val);
		else if (value_eq(key, "refusal") && val.kind == VALUE_ARRAY)
			merge_extend(m, o->logprobs, "refusal", val);
		else
			builder_set_member(&m->builder, o->logprobs, key, val);
	}
}

/* custom: a call whose input is free text. */
static struct tool *
tool_new(struct merge *m, struct choice *o, int64_t index, bool custom)
{
	static const char empty[] = "{\"function\":{\"name\":\"\",\"arguments\":\"\"}}";
	static const char free_text[] = "{\"custom\":{\"name\":\"\",\"input\":\"\"}}";
	struct value v = { empty, sizeof(empty) - 1, VALUE_OBJECT, false };
	struct tool *t;

	if (custom)
		v = (struct value){ free_text, sizeof(free_text) - 1, VALUE_OBJECT, false };

	if (!builder_grow(&m->builder, &o->tool, o->ntool, &o->toolcap, sizeof(*t)))
		return NULL;
	t = &o->tool[o->ntool];
	if (!(t->object = builder_json(&m->builder, v)))
		return NULL;
	t->index = index;
	t->order = o->ntool;
	t->function = json_object_get(t->object, custom ? "custom" : "function");
	o->ntool++;
	return t;
}

static bool
same_string(const json_t *j, struct value v)
{
	const char *s = json_string_value(j);

	return s && value_eq(v, s);
}

/*
 * The call that a fragment continues. By index; where several share one, or
 * none has any, a fragment with a name and an id of its own begins a new call,
 * and others continue the last. (An id alone tells nothing: there are servers
 * that make up a new one for every fragment.)
 */
static struct tool *
tool_get(struct merge *m, struct choice *o, struct value call)
{
	struct value custom = value_get(call, "custom"), function = value_get(call, "function");
	struct value id = value_get(call, "id"),
	    name = value_get(value_given(custom) ? custom : function, "name");
	struct value index = value_get(call, "index");
	int64_t i = value_int(index, -1);
	struct tool *t = NULL;

	for (size_t n = o->ntool; n-- > 0 && !t;)
		if (index.kind == VALUE_INT ? o->tool[n].index == i :
		    same_string(json_object_get(o->tool[n].object, "id"), id))
			t = &o->tool[n];
	if (!t && index.kind != VALUE_INT && o->ntool)
		t = &o->tool[o->ntool - 1];
	if (t && value_says(id) && value_says(name)) {
		const json_t *known = json_object_get(t->object, "id");

		if (json_string_length(known) && !same_string(known, id))
			t = NULL;
	}
	return t ? t :
	    tool_new(m, o, i, value_given(custom) || value_eq(value_get(call, "type"), "custom"));
}

/* Text that grows; some servers send the object itself, whole. */
static void
arguments(struct merge *m, struct tool *t, struct value v)
{
	if (v.kind == VALUE_OBJECT) {
		builder_set(&m->builder, t->function, "arguments", v);
		m->content = true;
	} else {
		merge_grow(m, t->function, "arguments", v);
	}
}

static void
tool_function(struct merge *m, struct tool *t, struct value function)
{
	struct value_iter it;
	struct value key, val;

	value_iter(&it, function);
	while (function.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		if (value_eq(key, "arguments"))
			arguments(m, t, val);
		else if (value_eq(key, "input"))
			merge_grow(m, t->function, "input", val);
		else if (!value_eq(key, "name") || value_says(val)) {
			if (value_eq(key, "name"))
				merge_say(m, MERGE_TOOL, val);
			builder_set_member(&m->builder, t->function, key, val);
		}
	}
}

static void
tool_call(struct merge *m, struct choice *o, struct value call)
{
	struct tool *t = call.kind == VALUE_OBJECT ? tool_get(m, o, call) : NULL;
	struct value_iter it;
	struct value key, val;

	value_iter(&it, call);
	while (t && value_next(&it, &key, &val)) {
		if (value_eq(key, "function") || value_eq(key, "custom"))
			tool_function(m, t, val);
		else if (value_eq(key, "id") || value_eq(key, "type") ? value_says(val) :
		    !value_eq(key, "index"))
			builder_set_member(&m->builder, t->object, key, val);
	}
}

static void
function_call(struct merge *m, struct choice *o, struct value v)
{
	json_t *f = builder_object(&m->builder, o->message, "function_call");
	struct value name = value_get(v, "name");

	if (value_says(name))
		builder_set(&m->builder, f, "name", name);
	merge_grow(m, f, "arguments", value_get(v, "arguments"));
}

static void
audio(struct merge *m, struct choice *o, struct value v)
{
	json_t *a = builder_object(&m->builder, o->message, "audio");
	struct value_iter it;
	struct value key, val;

	value_iter(&it, v);
	while (value_next(&it, &key, &val)) {
		if (value_eq(key, "data"))
			merge_grow(m, a, "data", val);
		else if (value_eq(key, "transcript"))
			merge_grow(m, a, "transcript", val);
		else if (value_given(val))
			builder_set_member(&m->builder, a, key, val);
	}
}

/* OpenRouter's reasoning_details: pieces of one type and index are one. */
static void
reasoning_detail(struct merge *m, json_t *array, struct value v)
{
	static const char *const grows[] = { "text", "summary", "data" };
	json_t *last = json_array_get(array, json_array_size(array) - 1);
	struct value index = value_get(v, "index");
	struct value_iter it;
	struct value key, val;

	if (!last || index.kind != VALUE_INT ||
	    !same_string(json_object_get(last, "type"), value_get(v, "type")) ||
	    !json_is_integer(json_object_get(last, "index")) ||
	    json_integer_value(json_object_get(last, "index")) != value_int(index, -1)) {
		builder_push(&m->builder, array, v);
		return;
	}
	value_iter(&it, v);
	while (v.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		size_t i = 0;

		while (i < 3 && !value_eq(key, grows[i]))
			i++;
		if (i < 3)
			builder_append(&m->builder, last, grows[i], val);
		else if (value_given(val))
			builder_set_member(&m->builder, last, key, val);
	}
}

/* The text that a part of the content is: its own, or the only one of its list. */
static struct value
piece_text(struct value part, const char *type)
{
	struct value v = value_get(part, type), second = value_element(v, 1);

	if (v.kind != VALUE_ARRAY)
		return v;
	v = value_element(v, 0);
	return second.kind || !value_eq(value_get(v, "type"), "text") ? (struct value){ 0 } :
	    value_get(v, "text");
}

/* Where text of that type goes on: the last part's own text. NULL: no such part. */
static json_t *
part_open(json_t *list, const char *type)
{
	json_t *last = json_array_get(list, json_array_size(list) - 1), *inner;
	const char *is = json_string_value(json_object_get(last, "type"));

	if (!is || strcmp(is, type))
		return NULL;
	inner = json_object_get(last, type);
	if (!json_is_array(inner))
		return last;
	return json_array_size(inner) == 1 ? json_array_get(inner, 0) : NULL;
}

/* A content that was text so far becomes a list that begins with it. */
static json_t *
content_array(struct merge *m, struct choice *o)
{
	static const char text[] = "{\"type\":\"text\"}";
	struct value v = { text, sizeof(text) - 1, VALUE_OBJECT, false };
	json_t *list = json_object_get(o->message, "content"), *before = NULL;

	if (json_is_array(list))
		return list;
	builder_settle(&m->builder);
	before = json_incref(json_object_get(o->message, "content"));
	list = builder_array(&m->builder, o->message, "content");
	if (json_string_length(before) && list) {
		builder_push(&m->builder, list, v);
		json_object_set(json_array_get(list, 0), "text", before);
	}
	json_decref(before);
	return list;
}

/* Pieces of one type that follow each other are one part, as unstreamed. */
static void
content_list(struct merge *m, struct choice *o, struct value v)
{
	static const char *const grows[] = { "text", "thinking" };
	json_t *list = content_array(m, o), *to;
	struct value_iter it;
	struct value k, part, text;

	value_iter(&it, v);
	while (list && value_next(&it, &k, &part)) {
		size_t i = 0;

		while (i < 2 && !value_eq(value_get(part, "type"), grows[i]))
			i++;
		text = i < 2 ? piece_text(part, grows[i]) : (struct value){ 0 };
		to = text.kind == VALUE_STRING ? part_open(list, grows[i]) : NULL;
		if (to) {
			merge_grow_as(m, i ? MERGE_REASONING : MERGE_TEXT, to,
			    json_is_string(json_object_get(to, grows[i])) ? grows[i] : "text",
			    text);
			continue;
		}
		merge_say(m, i ? MERGE_REASONING : MERGE_TEXT, text);
		builder_push(&m->builder, list, part);
		m->content |= text.kind != VALUE_STRING || text.n > 2;
	}
}

/* Text while the content is a list. */
static void
content_text(struct merge *m, struct choice *o, struct value v)
{
	static const char text[] = "{\"type\":\"text\",\"text\":\"\"}";
	struct value empty = { text, sizeof(text) - 1, VALUE_OBJECT, false };
	json_t *list = json_object_get(o->message, "content"), *to;

	if (!json_is_array(list)) {
		merge_grow(m, o->message, "content", v);
		return;
	}
	if (!(to = part_open(list, "text"))) {
		builder_push(&m->builder, list, empty);
		to = part_open(list, "text");
	}
	merge_grow(m, to, "text", v);
}

static void
delta_array(struct merge *m, struct choice *o, struct value key, struct value v)
{
	struct value_iter it;
	struct value k, e;

	value_iter(&it, v);
	if (value_eq(key, "tool_calls")) {
		while (value_next(&it, &k, &e))
			tool_call(m, o, e);
	} else if (value_eq(key, "reasoning_details")) {
		while (value_next(&it, &k, &e))
			reasoning_detail(m,
			    builder_array(&m->builder, o->message, "reasoning_details"), e);
	} else if (value_eq(key, "annotations")) {
		merge_extend(m, o->message, "annotations", v);
	} else if (value_eq(key, "images")) {
		merge_extend(m, o->message, "images", v);
	} else if (value_eq(key, "thinking_blocks")) {
		merge_extend(m, o->message, "thinking_blocks", v);
	} else if (value_eq(key, "content")) {	/* Mistral: typed parts */
		content_list(m, o, v);
	} else {
		rest_put(&m->builder, &o->extra, key, v);
	}
}

static void
delta_member(struct merge *m, struct choice *o, struct value key, struct value v)
{
	/* what grows; the SDK keeps the last piece of the vendors' own ones,
	 * the vendors' unstreamed answers have the whole */
	static const char *const grows[] = { "content", "reasoning_content", "reasoning", "refusal",
	    "reasoning_text", "thinking" };

	if (v.kind == VALUE_STRING)
		for (size_t i = 0; i < sizeof(grows) / sizeof(*grows); i++)
			if (value_eq(key, grows[i])) {
				if (v.n > 2 && !i)
					content_text(m, o, v);
				else if (v.n > 2)
					merge_grow(m, o->message, grows[i], v);
				return;
			}
	if (value_eq(key, "role")) {
		if (value_says(v))
			rest_put(&m->builder, &o->extra, key, v);
	} else if (v.kind == VALUE_ARRAY) {
		delta_array(m, o, key, v);
	} else if (value_eq(key, "function_call") && v.kind == VALUE_OBJECT) {
		function_call(m, o, v);
	} else if (value_eq(key, "audio") && v.kind == VALUE_OBJECT) {
		audio(m, o, v);
	} else if (!value_eq(key, "tool_calls") && !value_eq(key, "function_call") &&
	!value_eq(key, "audio")) {
		rest_put(&m->builder, &o->extra, key, v);
	}
}

static void
whole_message(struct merge *m, struct choice *o, struct value v)
{
	struct value_iter it;
	struct value key, val;

	value_iter(&it, v);
	while (v.kind == VALUE_OBJECT && value_next(&it, &key, &val))
		builder_set_member(&m->builder, o->message, key, val);
	m->content |= value_given(value_get(v, "content"));
}

static void
choice_member(struct merge *m, struct choice *o, struct value key, struct value val, bool delta)
{
	struct chat *c = m->own;

	if (value_eq(key, "finish_reason")) {
		if (value_says(val)) {
			o->finished = true;
			rest_put(&m->builder, &o->rest, key, val);
		}
	} else if (value_eq(key, "logprobs")) {
		logprobs(m, o, val);
	} else if (value_eq(key, "text") && !delta) {
		c->legacy = true;
		merge_grow(m, o->message, "text", val);
	} else if (value_eq(key, "message")) {
		/* with Perplexity all so far, beside the delta */
		if (!delta)
			whole_message(m, o, val);
	} else if (!value_eq(key, "index") && !value_eq(key, "delta")) {
		rest_put(&m->builder, &o->rest, key, val);
	}
}

static void
choice_event(struct merge *m, struct value v)
{
	enum { MANY = 32 };
	struct value key[MANY], val[MANY], index = { 0 }, delta = { 0 };
	struct value_iter it, in;
	struct choice *o;
	size_t n = 0;

	value_iter(&it, v);
	while (n < MANY && value_next(&it, &key[n], &val[n])) {
		if (value_eq(key[n], "index"))
			index = val[n];
		else if (value_eq(key[n], "delta") && val[n].kind == VALUE_OBJECT)
			delta = val[n];
		n++;
	}
	if (!(o = choice_get(m, value_int(index, 0))))
		return;
	rest_begin(&o->rest);
	rest_begin(&o->extra);
	for (size_t i = 0; i < n; i++)
		choice_member(m, o, key[i], val[i], delta.kind);
	while (value_next(&it, key, val))	/* more than anybody sends */
		choice_member(m, o, *key, *val, delta.kind);
	value_iter(&in, delta);
	while (delta.kind && value_next(&in, key, val))
		delta_member(m, o, *key, *val);
}

/* Does this usage take the place of what is known? Gateways that send one with
 * every chunk may send nulls or zeros behind the real one. */
static bool
usage_counts(struct chat *c, struct value v)
{
	static const char *const key[] = { "prompt_tokens", "completion_tokens", "total_tokens",
		"input_tokens",
	    "output_tokens" };
	struct value n[5];
	bool zero = v.kind == VALUE_OBJECT;

	value_pick(v, key, n, 5);
	for (size_t i = 0; i < 5; i++)
		zero = zero && value_int(n[i], 0) == 0;
	return !rest_kind(&c->rest, "usage") || rest_kind(&c->rest, "usage") == VALUE_NULL ||
	(value_given(v) && !zero);
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct chat *c = m->own;
	struct value id = event_get(in->json, "id"), key, val, choices = { 0 };
	/* of chunks without an id only the usage counts, but for the first */
	bool named = !c->begun || value_says(id);
	struct value_iter it;

	c->begun = true;
	rest_begin(&c->rest);
	for (size_t i = 0; i < in->json->nfields; i++) {
		key = field_key(&in->json->fields[i]);
		val = in->json->fields[i].value;
		if (value_eq(key, "choices"))
			choices = val;
		else if (value_eq(key, "error"))
			merge_error(m, val);
		else if (value_eq(key, "usage") ? usage_counts(c, val) : named)
			rest_put(&m->builder, &c->rest, key, val);
	}
	value_iter(&it, choices);
	while (choices.kind == VALUE_ARRAY && value_next(&it, &key, &val))
		if (val.kind == VALUE_OBJECT)
			choice_event(m, val);
}

static int
tool_order(const void *a, const void *b)
{
	const struct tool *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* The message; members in the vendor's order. */
static json_t *
message_finish(struct merge *m, struct choice *o)
{
	json_t *message = json_object(), *extra = json_object(), *calls;

	rest_build(&m->builder, &o->extra, extra);
	json_object_set_new(message, "role", json_string("assistant"));
	json_object_set_new(message, "content", json_null());
	json_object_set_new(message, "refusal", json_null());
	json_object_update(message, extra);
	json_object_update(message, o->message);
	json_decref(extra);
	if (!o->ntool || !(calls = json_array()))
		return message;
	qsort(o->tool, o->ntool, sizeof(*o->tool), tool_order);
	for (size_t i = 0; i < o->ntool; i++)
		json_array_append(calls, o->tool[i].object);
	json_object_set_new(message, "tool_calls", calls);
	return message;
}

/* The choice as it would have come whole. */
static json_t *
choice_finish(struct merge *m, struct choice *o, bool legacy)
{
	json_t *choice = json_object();

	json_object_set_new(choice, "index", json_integer(o->index));
	if (legacy)
		json_object_update(choice, o->message);
	else
		json_object_set_new(choice, "message", message_finish(m, o));
	json_object_set_new(choice, "logprobs", o->logprobs ? json_incref(o->logprobs) :
	json_null());
	json_object_set_new(choice, "finish_reason", json_null());
	rest_build(&m->builder, &o->rest, choice);
	return choice;
}

static int
choice_order(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static void
finish(struct merge *m, struct text *text)
{
	struct chat *c = m->own;
	json_t *choices = json_array(), *fingerprint;
	bool all = c->n > 0;

	if (c->n)
		qsort(c->choice, c->n, sizeof(*c->choice), choice_order);
	for (size_t i = 0; i < c->n; i++) {
		all = all && c->choice[i].finished;
		json_array_append_new(choices, choice_finish(m, &c->choice[i], c->legacy));
	}
	rest_build(&m->builder, &c->rest, m->root);
	json_object_set_new(m->root, "choices", choices);
	if (c->begun)
		json_object_set_new(m->root, "object",
		json_string(c->legacy ? "text_completion" : "chat.completion"));
	fingerprint = json_object_get(m->root, "system_fingerprint");
	if (fingerprint && !json_string_length(fingerprint))
		json_object_del(m->root, "system_fingerprint");
	m->ended |= all;
	if (!c->n)
		return;
	if (!c->legacy)
		merge_parts(text, json_object_get(c->choice[0].message, "content"));
	merge_text(text, c->choice[0].message, c->legacy ? "text" : "content");
}

static void
free_own(struct merge *m)
{
	struct chat *c = m->own;

	for (size_t i = 0; i < c->n; i++) {
		struct choice *o = &c->choice[i];

		for (size_t k = 0; k < o->ntool; k++)
			json_decref(o->tool[k].object);
		free(o->tool);
		json_decref(o->message);
		json_decref(o->logprobs);
		rest_free(&m->builder, &o->rest);
		rest_free(&m->builder, &o->extra);
	}
	free(c->choice);
	rest_free(&m->builder, &c->rest);
}

const struct merge_format merge_openai_chat = {
	.name = "openai-chat",
	.own = sizeof(struct chat),
	.detect = detect,
	.path = { "/chat/completions", "/v1/completions" },
	.event = event,
	.finish = finish,
	.free = free_own,
};

/* === the entries ================================================================= */

static const struct vendor_host hosts[] = {
	{ "openai.azure.com", "azure.ai.openai" },
	{ "cognitiveservices.azure.com", "azure.ai.openai" },
	{ "openai.com", "openai" }, { "chatgpt.com", "openai" }, { NULL, NULL },
};

static const struct vendor_path paths[] = {
	{ .end = "/chat/completions" }, { .end = "/agents/completions" },
	{ .end = "/text/chat", .within = "/ml/v1/" },	/* watsonx */
	{ .end = "/text/chat_stream", .within = "/ml/v1/", .stream = true },
	{ .end = "/invocations", .within = "/serving-endpoints/" },	/* Databricks */
	{ .end = ":rawPredict", .within = "/publishers/mistral" },
	{ .end = ":streamRawPredict", .within = "/publishers/mistral", .stream = true },
	{ .end = NULL },
}, completions_paths[] = {
	{ .end = "/completions" }, { .end = NULL },
}, embeddings_paths[] = {
	/* the latter two: Voyage's */
	{ .end = "/embeddings" }, { .end = "/multimodalembeddings" },
	{ .end = "/contextualizedembeddings" }, { .end = NULL },
};

static const struct vendor_word roles[] = {
	{ "function", "tool" }, { NULL, NULL },
}, finishes[] = {
	{ "tool_calls", "tool_call" }, { "function_call", "tool_call" }, { "max_tokens", "length" },
	{ "eos", "stop" },
	{ "model_length", "length" }, { NULL, NULL },
};

const struct vendor vendor_chat = {
	.api = "chat_completions", .operation = "chat", .provider = "openai",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.hosts = hosts, .paths = paths, .roles = roles, .finishes = finishes, .mark = "messages",
	.request_rank = 4, .response_rank = 2, .stream = &merge_openai_chat,
};
VENDOR_ENTRY(vendor_chat);

const struct vendor vendor_completions = {
	.api = "completions", .operation = "text_completion", .provider = "openai",
	.is_request = is_prompt, .is_response = is_text_completion,
	.request = prompt, .item = item, .response = response,
	.paths = completions_paths, .response_rank = 10, .stream = &merge_openai_chat,
};
VENDOR_ENTRY(vendor_completions);

const struct vendor vendor_embeddings = {
	.api = "embeddings", .operation = "embeddings", .provider = "openai",
	.is_request = is_input, .is_response = is_vectors,
	.request = input, .item = item, .response = vectors,
	.paths = embeddings_paths,
};
VENDOR_ENTRY(vendor_embeddings);
