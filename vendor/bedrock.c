/*
 * bedrock.c - AWS Bedrock: Converse, and InvokeModel, whose bodies are those
 * of the model's maker
 */
#include "vendor/vendor.h"
#include "lib/lenient.h"

#include <stdlib.h>
#include <string.h>

extern const struct vendor vendor_converse;

static bool
is_converse(struct value body)
{
	static const char *const key[] = { "messages", "inferenceConfig", "toolConfig", "system" };
	struct value m[4], content, first;

	MEMBERS(body, key, m);
	content = value_get(value_element(m[0], 0), "content");
	first = value_element(content, 0);
	return m[0].kind == VALUE_ARRAY && content.kind == VALUE_ARRAY &&
	    value_get(first, "type").kind == VALUE_NONE &&
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
	static const char *const key[] = { "messages", "system", "inferenceConfig", "toolConfig",
		"modelId" };
	static const char *const ckey[] = { "maxTokens", "temperature", "topP", "stopSequences",
		"max_new_tokens",
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
	static const char *const key[] = { "text", "toolUse", "toolResult", "reasoningContent",
		"image", "document",
		"video", "cachePoint", "citationsContent" };
	static const char *const tkey[] = { "toolUseId", "name", "input", "content", "status",
	"type" };
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
	static const char *const key[] = { "generation", "results", "outputs", "completion",
		"embedding", "embeddings",
		"images" };
	struct value m[7];

	MEMBERS(body, key, m);
	return vendor_messages.is_response(body) || is_conversed(body) ||
	vendor_chat.is_response(body) ||
	    is_given(m[0]) || m[1].kind == VALUE_ARRAY || m[2].kind == VALUE_ARRAY ||
	    is_given(m[3]) || is_given(m[4]) ||
	    is_given(m[5]) || m[6].kind == VALUE_ARRAY;
}

/* What is asked of a model that does not chat: by its id, else by the body. */
static const char *
invoke_operation(const struct request *a, struct value body)
{
	static const struct { const char *in, *operation; } id[] = {
		{ "embed", "embeddings" }, { "rerank", "rerank" },
		{ "stability.", "image_generation" },
		{ "-canvas", "image_generation" }, { "titan-image", "image_generation" },
		{ "nova-reel", "video_generation" },
	};
	static const char *const key[] = { "texts", "input_type", "documents", "query", "taskType",
		"text_prompts" };
	struct value m[6];

	for (size_t i = 0; a->path_modellen && i < sizeof(id) / sizeof(*id); i++)
		if (memmem(a->path_model, a->path_modellen, id[i].in, strlen(id[i].in)))
			return id[i].operation;
	MEMBERS(body, key, m);
	return m[0].kind == VALUE_ARRAY && is_given(m[1]) ? "embeddings" :
	    m[2].kind == VALUE_ARRAY && is_given(m[3]) ? "rerank" :
	    is_text(m[4]) || m[5].kind == VALUE_ARRAY ? "image_generation" : NULL;
}

static void
invoke(struct request *a, struct value body)
{
	static const char *const key[] = { "prompt", "inputText", "messages",
		"textGenerationConfig", "max_gen_len",
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
	a->list = first_given(m[2],
	first_given(m[0], first_given(m[1], first_given(value_get(body, "texts"),
	    first_given(value_get(body, "query"),
	    value_get(value_get(body, "textToImageParams"), "text"))))));
	if (operation)
		a->operation = operation;
	else if (a->list.kind == VALUE_STRING)
		a->operation = "text_completion";
	a->max_tokens = first_given(first_given(m[4], a->max_tokens),
	value_get(m[3], "maxTokenCount"));
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
	static const char *const key[] = { "generation", "stop_reason", "results", "outputs",
		"prompt_token_count",
		"generation_token_count", "inputTextTokenCount", "embedding",
		"amazon-bedrock-invocationMetrics",
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
	part_text(m,
	first_given(v[0], first_given(value_get(one, "outputText"), value_get(one, "text"))));
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

/* === streams ==================================================================== */

/*
 * AWS Bedrock: InvokeModelWithResponseStream, ConverseStream
 *
 * Converse has events of its own. InvokeModel wraps the events of the model's
 * vendor, which the vendor's merge takes; models that just send pieces of text
 * (Titan, Llama, Mistral) are merged here.
 */

/* --- Converse ----------------------------------------------------------------- */

struct block {
	int64_t index;
	json_t *object;		/* in content */
	struct text input;	/* JSON text of toolUse.input */
	bool hasinput;
};

struct converse {
	json_t *content;	/* in root */
	struct block *block;
	size_t n, cap;
};

static bool
name_is(const struct merge_input *in, const char *name)
{
	return in->namelen == strlen(name) && !memcmp(in->name, name, in->namelen);
}

static bool
stream_is_converse(struct value key)
{
	static const char *const name[] = { "messageStart", "contentBlockStart",
		"contentBlockDelta",
	    "contentBlockStop", "messageStop", "metadata" };

	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++)
		if (value_eq(key, name[i]))
			return true;
	return false;
}

static struct block *
block_get(struct merge *m, struct converse *c, int64_t index)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false };
	struct block *b;
	size_t n;

	for (size_t i = c->n; i-- > 0;)
		if (c->block[i].index == index)
			return &c->block[i];
	if (!c->content)
		c->content = builder_array(&m->builder, builder_object(&m->builder,
		    builder_object(&m->builder, m->root, "output"), "message"), "content");
	n = json_array_size(c->content);
	builder_push(&m->builder, c->content, none);
	if (json_array_size(c->content) == n)
		return NULL;
	if (!builder_grow(&m->builder, &c->block, c->n, &c->cap, sizeof(*b)))
		return NULL;
	b = &c->block[c->n++];
	*b = (struct block){ .index = index, .object = json_array_get(c->content, n) };
	return b;
}

static void
reasoning(struct merge *m, struct block *b, struct value v)
{
	json_t *o = builder_object(&m->builder, b->object, "reasoningContent"), *text;

	if (value_get(v, "redactedContent").kind) {
		merge_grow(m, o, "redactedContent", value_get(v, "redactedContent"));
		return;
	}
	text = builder_object(&m->builder, o, "reasoningText");
	merge_grow_as(m, MERGE_REASONING, text, "text", value_get(v, "text"));
	builder_set(&m->builder, text, "signature", value_get(v, "signature"));
}

/* What a tool at the vendor's gave: texts that follow each other are one. */
static void
tool_result(struct merge *m, struct block *b, struct value list)
{
	json_t *to = builder_array(&m->builder,
	builder_object(&m->builder, b->object, "toolResult"), "content"), *last;
	struct value_iter it;
	struct value k, v, text;

	value_iter(&it, list);
	while (to && value_next(&it, &k, &v)) {
		text = value_get(v, "text");
		last = json_array_get(to, json_array_size(to) - 1);
		if (text.kind == VALUE_STRING && json_object_get(last, "text"))
			merge_grow(m, last, "text", text);
		else
			builder_push(&m->builder, to, v);
		m->content = true;
	}
}

/* Its bytes come as pieces of base64. */
static void
image(struct merge *m, struct block *b, struct value v)
{
	json_t *to = builder_object(&m->builder, b->object, "image");
	struct value source = value_get(v, "source"), key, val;
	struct value_iter it;

	value_iter(&it, source);
	while (to && source.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		if (value_eq(key, "bytes"))
			merge_grow(m, builder_object(&m->builder, to, "source"), "bytes", val);
		else
			builder_set_member(&m->builder, builder_object(&m->builder, to, "source"),
			key, val);
	}
}

static void
block_delta(struct merge *m, struct converse *c, struct value v)
{
	static const char *const name[] = { "text", "toolUse", "reasoningContent", "citation",
	"toolResult", "image" };
	struct block *b = block_get(m, c, value_int(value_get(v, "contentBlockIndex"), 0));
	struct value d[6];

	if (!b)
		return;
	value_pick(value_get(v, "delta"), name, d, 6);
	if (d[0].kind)
		merge_grow(m, b->object, "text", d[0]);
	if (d[1].kind && builder_object(&m->builder, b->object, "toolUse")) {
		builder_decode(&m->builder, &b->input, value_get(d[1], "input"));
		merge_say(m, MERGE_ARGUMENTS, value_get(d[1], "input"));
		b->hasinput = true;
		m->content = true;
	}
	if (d[2].kind)
		reasoning(m, b, d[2]);
	if (d[3].kind)
		builder_push(&m->builder, builder_array(&m->builder, b->object, "citations"), d[3]);
	if (d[4].kind == VALUE_ARRAY)
		tool_result(m, b, d[4]);
	if (d[5].kind == VALUE_OBJECT)
		image(m, b, d[5]);
}

static void
block_start(struct merge *m, struct converse *c, struct value v)
{
	struct block *b = block_get(m, c, value_int(value_get(v, "contentBlockIndex"), 0));
	struct value start = value_get(v, "start"), key, val;
	struct value_iter it;

	merge_say(m, MERGE_TOOL, value_get(value_get(start, "toolUse"), "name"));
	value_iter(&it, start);
	while (b && start.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		builder_set_member(&m->builder, b->object, key, val);
		b->hasinput |= value_eq(key, "toolUse");	/* without any: {} */
	}
}

static void
stream_converse(struct merge *m, struct converse *c, struct value name, struct value v)
{
	json_t *message;

	if (value_eq(name, "contentBlockDelta")) {
		block_delta(m, c, v);
	} else if (value_eq(name, "contentBlockStart")) {
		block_start(m, c, v);
	} else if (value_eq(name, "contentBlockStop")) {
		builder_settle(&m->builder);
	} else if (value_eq(name, "messageStart")) {
		message = builder_object(&m->builder,
		builder_object(&m->builder, m->root, "output"), "message");
		builder_set(&m->builder, message, "role", value_get(v, "role"));
		c->content = builder_array(&m->builder, message, "content");
	} else if (value_eq(name, "messageStop")) {
		merge_overwrite(m, m->root, v);
		m->ended = true;
	} else if (value_eq(name, "metadata")) {
		merge_overwrite(m, m->root, v);
		m->closed = m->ended;
	}
	json_object_del(m->root, "p");		/* padding */
}

/* A block with citations is citationsContent in the unstreamed answer. */
static void
block_finish(struct merge *m, struct block *b)
{
	json_t *cited = json_object_get(b->object, "citations"),
	*text = json_object_get(b->object, "text"), *o;

	if (b->hasinput) {
		b->hasinput = false;
		builder_set_json(&m->builder, builder_object(&m->builder, b->object, "toolUse"),
		"input",
		    merge_arguments(m, b->input.p, b->input.n));
		builder_drop(&m->builder, &b->input);
	}
	if (cited &&
	(o = json_pack("{s:[{s:O*}],s:O}", "content", "text", text, "citations", cited))) {
		json_object_del(b->object, "text");
		json_object_del(b->object, "citations");
		json_object_set_new(b->object, "citationsContent", o);
	}
}

static void
converse_finish(struct merge *m, struct converse *c, struct text *text)
{
	for (size_t i = 0; i < c->n; i++) {
		const json_t *o = c->block[i].object;

		merge_text(text, o, "text");
		block_finish(m, &c->block[i]);
	}
}

static void
converse_free(struct merge *m, struct converse *c)
{
	for (size_t i = 0; i < c->n; i++)
		builder_drop(&m->builder, &c->block[i].input);
	free(c->block);
}

static bool
converse_detect(const struct merge_input *in)
{
	char quoted[32];

	if (!in->framed || in->namelen + 2 > sizeof(quoted))
		return false;
	quoted[0] = quoted[in->namelen + 1] = '"';
	memcpy(quoted + 1, in->name, in->namelen);
	return stream_is_converse((struct value){ quoted, in->namelen + 2, VALUE_STRING, false });
}

static void
converse_event(struct merge *m, const struct merge_input *in)
{
	char quoted[32] = "\"";

	if (in->namelen + 2 <= sizeof(quoted)) {
		memcpy(quoted + 1, in->name, in->namelen);
		quoted[in->namelen + 1] = '"';
		stream_converse(m, m->own,
		(struct value){ quoted, in->namelen + 2, VALUE_STRING, false },
		    input_object(in));
	}
}

static void
converse_done(struct merge *m, struct text *text)
{
	converse_finish(m, m->own, text);
}

static void
converse_drop(struct merge *m)
{
	converse_free(m, m->own);
}

const struct merge_format merge_bedrock_converse = {
	.name = "bedrock-converse",
	.own = sizeof(struct converse),
	.detect = converse_detect,
	.path = { "/converse-stream" },
	.event = converse_event,
	.finish = converse_done,
	.free = converse_drop,
};

/* --- InvokeModel ---------------------------------------------------------------- */

struct invoke {
	struct merge inner;	/* of the model's vendor, once known */
	struct event scan;	/* of what is wrapped */
	struct converse nova;	/* Nova sends the events of Converse */
	struct rest rest;	/* of models that send pieces of text */
	char *repaired;		/* what is wrapped, when it was no strict JSON */
	bool known;
};

static bool
invoke_detect(const struct merge_input *in)
{
	return in->framed && name_is(in, "chunk") &&
	    event_get(in->json, "bytes").kind == VALUE_STRING;
}

/* Titan, Llama, Mistral, Jurassic and such: one string grows. */
static void
stream_plain(struct merge *m, const struct event *ev)
{
	static const char *const grows[] = { "outputText", "generation", "completion", "text" };
	struct invoke *own = m->own;
	struct value outputs = event_get(ev, "outputs"), key, val, k;
	struct value_iter it;

	rest_begin(&own->rest);
	for (size_t i = 0; i < ev->nfields; i++) {
		size_t g = 0;

		key = field_key(&ev->fields[i]);
		val = ev->fields[i].value;
		while (g < 4 && !value_eq(key, grows[g]))
			g++;
		if (g < 4 && val.kind == VALUE_STRING)
			merge_grow(m, m->root, grows[g], val);
		else if (!value_eq(key, "outputs") && value_given(val))
			rest_put(&m->builder, &own->rest, key, val);
		m->ended |= (value_eq(key, "completionReason") || value_eq(key, "stop_reason")) &&
		    value_says(val);
	}
	value_iter(&it, outputs);
	for (size_t i = 0; outputs.kind == VALUE_ARRAY && value_next(&it, &k, &val); i++) {
		struct value none = { "{}", 2, VALUE_OBJECT, false };
		json_t *all = builder_array(&m->builder, m->root, "outputs");

		if (i == json_array_size(all))
			builder_push(&m->builder, all, none);
		merge_grow(m, json_array_get(all, i), "text", value_get(val, "text"));
		builder_set(&m->builder, json_array_get(all, i), "stop_reason",
		    value_get(val, "stop_reason"));
		m->ended |= value_says(value_get(val, "stop_reason"));
	}
}

/* What grew inside is what grows. */
static void
inner_said(struct merge *m, struct merge *inner)
{
	for (size_t i = 0; i < inner->ndelta; i++) {
		struct merge_delta *d = &inner->delta[i], *to;

		if (!builder_grow(&m->builder, &m->delta, m->ndelta, &m->deltacap, sizeof(*to)))
			break;
		to = &m->delta[m->ndelta++];
		*to = (struct merge_delta){ .kind = d->kind };
		builder_add(&m->builder, &to->text, d->text.p, d->text.n);
	}
	merge_said(inner, inner->ndelta);
}

/* An event that was wrapped. */
static void
unwrapped(struct merge *m, struct merge_input *in)
{
	static const char metrics[] = "amazon-bedrock-invocationMetrics";
	struct invoke *own = m->own;
	const struct merge_format *format = own->known ? NULL : merge_detect(in);
	struct value v = event_get(in->json, metrics);

	if (format && !merge_start(&own->inner, format))
		own->inner.builder.max = m->builder.max;
	own->inner.watched = m->watched;
	own->known = true;
	if (own->inner.format) {
		merge_event(&own->inner, in);
		builder_set(&own->inner.builder, own->inner.root, metrics, v);
		m->builder.memory = own->inner.builder.memory;
		m->builder.lost = own->inner.builder.lost;
		m->ended = own->inner.ended;
		m->closed = own->inner.closed;
		m->content = own->inner.content;
		m->bad += own->inner.bad;
		own->inner.bad = 0;
		inner_said(m, &own->inner);
	} else if (in->json->nfields && stream_is_converse(field_key(in->json->fields))) {
		for (size_t i = 0; i < in->json->nfields; i++)
			stream_converse(m, &own->nova, field_key(&in->json->fields[i]),
			    in->json->fields[i].value);
		builder_set(&m->builder, m->root, metrics, v);
	} else {
		stream_plain(m, in->json);
	}
	m->ended |= value_given(v);	/* they come last, whatever the vendor */
}

static void
invoke_event(struct merge *m, const struct merge_input *in)
{
	struct invoke *own = m->own;
	struct merge_input wrapped = { .name = "", .id = "" };
	enum event_rc rc;

	/* into the outer scan's arena: the text must outlive the inner scan */
	wrapped.data = value_base64(&((struct event *)(uintptr_t)in->json)->arena,
	    event_get(in->json, "bytes"), &wrapped.len);
	rc = wrapped.data ? event_scan(&own->scan, wrapped.data, wrapped.len) : EVENT_BAD;
	if (wrapped.data && rc == EVENT_BAD) {
		free(own->repaired);
		own->repaired = lenient_json(wrapped.data, wrapped.len, true, &wrapped.len,
		    &m->lenient);
		wrapped.data = own->repaired;
		rc = wrapped.data ? event_scan(&own->scan, wrapped.data, wrapped.len) : EVENT_BAD;
		m->builder.halves |= (m->lenient & LENIENT_SURROGATE) != 0;
		own->inner.builder.halves = m->builder.halves;
	}
	if (rc != EVENT_OK && rc != EVENT_NOTYPE) {
		m->bad++;
		return;
	}
	wrapped.json = &own->scan;
	wrapped.type = event_get(&own->scan, "type");
	unwrapped(m, &wrapped);
}

static void
invoke_finish(struct merge *m, struct text *text)
{
	struct invoke *own = m->own;

	if (own->inner.format) {
		merge_finish(&own->inner, text);
		json_decref(m->root);
		m->root = json_incref(own->inner.root);
		if (!m->error)
			m->error = json_incref(own->inner.error);
		m->ended |= own->inner.ended;
		m->lenient |= own->inner.lenient;
		m->halves = own->inner.halves;
		m->builder.lost = own->inner.builder.lost;
		return;
	}
	converse_finish(m, &own->nova, text);
	rest_build(&m->builder, &own->rest, m->root);
	merge_text(text, m->root, "outputText");
	merge_text(text, m->root, "generation");
	merge_text(text, m->root, "completion");
	merge_text(text, json_array_get(json_object_get(m->root, "outputs"), 0), "text");
}

static void
invoke_free(struct merge *m)
{
	struct invoke *own = m->own;

	merge_free(&own->inner);
	event_free(&own->scan);
	free(own->repaired);
	converse_free(m, &own->nova);
	rest_free(&m->builder, &own->rest);
}

const struct merge_format merge_bedrock_invoke = {
	.name = "bedrock-invoke",
	.own = sizeof(struct invoke),
	.detect = invoke_detect,
	.path = { "/invoke-with-response-stream" },
	.event = invoke_event,
	.finish = invoke_finish,
	.free = invoke_free,
};

/* === the entries ================================================================= */

/* Also -fips and VPC endpoints. */
static const struct vendor_host hosts[] = {
	{ "bedrock-runtime*.amazonaws.com", "aws.bedrock" },
	{ "bedrock-runtime*.amazonaws.com.cn", "aws.bedrock" },
	{ NULL, NULL },
};

static const struct vendor_path converse_paths[] = {
	{ .end = "/converse" }, { .end = "/converse-stream", .stream = true }, { .end = NULL },
}, invoke_paths[] = {	/* many call something their own "invoke" */
	{ .end = "/invoke", .within = "/model/" },
	{ .end = "/invoke-with-response-stream", .within = "/model/", .stream = true },
	{ .end = NULL },
};

static const struct vendor_word finishes[] = {
	{ "guardrail_intervened", "content_filter" }, { "content_filtered", "content_filter" },
	{ "CONTENT_FILTERED", "content_filter" }, { "malformed_model_output", "error" },
	{ "malformed_tool_use", "error" },
	{ "FINISH", "stop" }, { "LENGTH", "length" }, { NULL, NULL },
};

const struct vendor vendor_converse = {
	.api = "converse", .operation = "chat", .provider = "aws.bedrock",
	.is_request = is_converse, .is_response = is_conversed,
	.request = converse, .item = item, .response = conversed,
	.hosts = hosts, .paths = converse_paths, .finishes = finishes, .response_rank = 5,
	.stream = &merge_bedrock_converse,
};
VENDOR_ENTRY(vendor_converse);

const struct vendor vendor_invoke = {
	.api = "invoke", .operation = "chat", .provider = "aws.bedrock",
	.is_request = is_invoke, .is_response = is_invoked,
	.request = invoke, .item = invoke_item, .response = invoked,
	.paths = invoke_paths, .stream = &merge_bedrock_invoke,
};
VENDOR_ENTRY(vendor_invoke);
