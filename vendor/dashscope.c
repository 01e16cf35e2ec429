/*
 * dashscope.c - Alibaba's DashScope: Chat Completions' messages within
 * {"input":{"messages"}} and {"output":{"choices"}}
 */
#include "vendor/vendor.h"

#include <stdlib.h>
#include <string.h>

static bool
is_request(struct value body)
{
	static const char *const key[] = { "messages", "prompt" };
	struct value m[2];

	MEMBERS(value_get(body, "input"), key, m);
	return (m[0].kind == VALUE_ARRAY || m[1].kind == VALUE_STRING) &&
	    is_text(value_get(body, "model"));
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "choices", "text" };
	struct value m[2];

	MEMBERS(value_get(body, "output"), key, m);
	return (m[0].kind == VALUE_ARRAY || m[1].kind == VALUE_STRING) &&
	    is_text(value_get(body, "request_id"));
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "model", "input", "parameters" };
	static const char *const ikey[] = { "messages", "prompt", "session_id" };
	struct value m[3], i[3];

	MEMBERS(body, key, m);
	MEMBERS(m[1], ikey, i);
	request_common(a, m[2]);
	a->model = m[0];
	a->list = first_given(i[0], i[1]);
	a->conversation = i[2];
	a->stream = value_get(m[2], "incremental_output").kind == VALUE_TRUE;
}

static void
block(struct messages *m, struct value b)
{
	static const char *const key[] = { "text", "image", "audio", "video" };
	struct value v[4], none = { 0 };

	MEMBERS(b, key, v);
	if (is_given(v[0]))
		part_text(m, v[0]);
	else if (is_given(v[1]))
		part_uri(m, "image", none, v[1]);
	else if (is_given(v[2]))
		part_uri(m, "audio", none, v[2]);
	else
		part_other(m, "unknown", b);
}

/* The multimodal service has its own blocks, without a type. */
static void
item(struct messages *m, struct value v)
{
	struct value content = value_get(v, "content"), role = value_get(v, "role");

	if (content.kind != VALUE_ARRAY || value_eq(role, "tool")) {
		vendor_chat.item(m, v);
		return;
	}
	message_open_value(m, role);
	content_put(m, content, block);
	message_close(m, NULL);
}

static void
choice_put(struct response *a, struct messages *m, struct value choice)
{
	static const char *const key[] = { "content", "reasoning_content", "tool_calls" };
	struct value v[3], k, call, f;
	struct value_iter it;

	MEMBERS(value_get(choice, "message"), key, v);
	message_open(m, "assistant");
	part_reasoning(m, v[1]);
	if (v[0].kind == VALUE_ARRAY || is_text(v[0]))
		content_put(m, v[0], block);
	value_iter(&it, v[2]);
	while (v[2].kind == VALUE_ARRAY && value_next(&it, &k, &call)) {
		f = value_get(call, "function");
		part_call(m, value_get(call, "id"), value_get(f, "name"),
		    value_get(f, "arguments"));
	}
	message_close(m, response_finish(a, m, value_get(choice, "finish_reason")));
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "request_id", "output", "usage" };
	static const char *const okey[] = { "choices", "text", "finish_reason" };
	struct value v[3], o[3], k, choice;
	struct value_iter it;

	MEMBERS(body, key, v);
	MEMBERS(v[1], okey, o);
	a->id = v[0];
	usage_dashscope(&a->usage, v[2]);
	value_iter(&it, o[0]);
	while (o[0].kind == VALUE_ARRAY && value_next(&it, &k, &choice))
		choice_put(a, m, choice);
	if (is_given(o[0]) || !is_given(o[1]))
		return;
	message_open(m, "assistant");
	part_text(m, o[1]);
	message_close(m, response_finish(a, m, o[2]));
}

/* === streams ==================================================================== */

/*
 * Alibaba DashScope's own API (Qwen)
 *
 * Every event is a whole response. With incremental_output its strings are the
 * next piece, without it all text so far, and no event says which. So it is
 * found out: what always begins with what came before is all so far. Until
 * that is sure both are kept.
 */

enum {
	CONFIDENT = 16,	/* bytes that two pieces do not have in common by chance */
	FIELDS = 64,	/* strings at a time */
};

enum mode { UNSURE, PIECES, ALL };

/* A string: output.text, or in output.choices[i].message. */
struct field {
	json_t *object;
	const char *key;
	struct text last, joined;
};

struct dashscope {
	struct rest rest, output;
	enum mode mode;
	struct field field[FIELDS];
	size_t n;
};

static bool
detect(const struct merge_input *in)
{
	struct value output = event_get(in->json, "output");

	return output.kind == VALUE_OBJECT && (value_get(output, "choices").kind == VALUE_ARRAY ||
	    value_get(output, "text").kind == VALUE_STRING) &&
	    (event_get(in->json, "request_id").kind || event_get(in->json, "usage").kind);
}

static struct field *
field_get(struct merge *m, json_t *object, const char *key)
{
	struct dashscope *d = m->own;
	struct field *f;

	for (size_t i = 0; i < d->n; i++)
		if (d->field[i].object == object && !strcmp(d->field[i].key, key))
			return &d->field[i];
	if (d->n == FIELDS)
		return NULL;
	f = &d->field[d->n++];
	*f = (struct field){ .object = json_incref(object), .key = key };
	return f;
}

static void
decide(struct merge *m, enum mode mode)
{
	struct dashscope *d = m->own;

	d->mode = mode;
	for (size_t i = 0; i < d->n; i++)
		builder_drop(&m->builder, mode == ALL ? &d->field[i].joined : &d->field[i].last);
}

/* The string as it comes with this event. */
static void
grow(struct merge *m, json_t *object, const char *key, struct value v)
{
	struct dashscope *d = m->own;
	struct field *f = v.kind == VALUE_STRING && object ? field_get(m, object, key) : NULL;
	char *text;
	size_t n, known;

	if (!f || !(text = malloc(v.n)))
		return;
	n = value_decode(v, text);
	m->content |= n > 0;
	/* what begins with all so far is that and more */
	known = d->mode != PIECES && n >= f->last.n && f->last.n &&
	    !memcmp(text, f->last.p, f->last.n) ? f->last.n : 0;
	merge_say_bytes(m,
	    strcmp(key, "arguments") ? strcmp(key, "reasoning_content") ? MERGE_TEXT :
	    MERGE_REASONING :
	    MERGE_ARGUMENTS, text + known, n - known);
	if (d->mode == UNSURE && f->last.n) {
		if (n < f->last.n || memcmp(text, f->last.p, f->last.n))
			decide(m, PIECES);
		else if (f->last.n >= CONFIDENT)
			decide(m, ALL);
	}
	if (d->mode != ALL)
		builder_add(&m->builder, &f->joined, text, n);
	if (d->mode != PIECES) {
		f->last.n = 0;
		builder_add(&m->builder, &f->last, text, n);
	}
	free(text);
}

static void
tool_calls(struct merge *m, json_t *message, struct value v)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false }, call, k, function;
	json_t *calls = builder_array(&m->builder, message, "tool_calls"), *o, *f;
	struct value_iter it;
	size_t at = 0;

	value_iter(&it, v);
	for (; v.kind == VALUE_ARRAY && value_next(&it, &k, &call); at++) {
		size_t i = value_int(value_get(call, "index"), at);

		if (call.kind != VALUE_OBJECT || i > json_array_size(calls))
			continue;
		if (i == json_array_size(calls))
			builder_push(&m->builder, calls, none);
		if (!(o = json_array_get(calls, i)))
			continue;
		if (value_says(value_get(call, "id")))
			builder_set(&m->builder, o, "id", value_get(call, "id"));
		builder_set(&m->builder, o, "type", value_get(call, "type"));
		builder_set(&m->builder, o, "index", value_get(call, "index"));
		function = value_get(call, "function");
		f = builder_object(&m->builder, o, "function");
		if (value_says(value_get(function, "name")))
			builder_set(&m->builder, f, "name", value_get(function, "name"));
		grow(m, f, "arguments", value_get(function, "arguments"));
	}
}

/* Content of multimodal models: [{"text":...}]. */
static void
parts(struct merge *m, json_t *array, struct value v)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false }, part, key, val;
	struct value_iter it, in;

	value_iter(&it, v);
	for (size_t i = 0; array && value_next(&it, &key, &part); i++) {
		json_t *o;

		if (i == json_array_size(array))
			builder_push(&m->builder, array, none);
		o = json_array_get(array, i);
		value_iter(&in, part);
		while (o && part.kind == VALUE_OBJECT && value_next(&in, &key, &val)) {
			if (value_eq(key, "text"))
				grow(m, o, "text", val);
			else
				builder_set_member(&m->builder, o, key, val);
		}
	}
}

static void
message(struct merge *m, json_t *choice, struct value v)
{
	json_t *o = builder_object(&m->builder, choice, "message");
	struct value_iter it;
	struct value key, val;

	value_iter(&it, v);
	while (o && v.kind == VALUE_OBJECT && value_next(&it, &key, &val)) {
		if (value_eq(key, "content") && val.kind == VALUE_ARRAY)
			parts(m, builder_array(&m->builder, o, "content"), val);
		else if (value_eq(key, "content"))
			grow(m, o, "content", val);
		else if (value_eq(key, "reasoning_content"))
			grow(m, o, "reasoning_content", val);
		else if (value_eq(key, "tool_calls"))
			tool_calls(m, o, val);
		else
			builder_set_member(&m->builder, o, key, val);
	}
}

static void
choices(struct merge *m, json_t *output, struct value v)
{
	struct value none = { "{}", 2, VALUE_OBJECT, false }, choice, key, val;
	json_t *all = builder_array(&m->builder, output, "choices"), *o;
	struct value_iter it, in;
	size_t at = 0;

	value_iter(&it, v);
	for (; value_next(&it, &key, &choice); at++) {
		size_t i = value_int(value_get(choice, "index"), at);

		if (choice.kind != VALUE_OBJECT || i > json_array_size(all))
			continue;
		if (i == json_array_size(all))
			builder_push(&m->builder, all, none);
		o = json_array_get(all, i);
		value_iter(&in, choice);
		while (o && value_next(&in, &key, &val)) {
			if (value_eq(key, "message"))
				message(m, o, val);
			else
				builder_set_member(&m->builder, o, key, val);
			/* until the end the reason is the text "null" */
			m->ended |= value_eq(key, "finish_reason") && value_says(val) &&
			    !value_eq(val, "null");
		}
	}
}

static void
output(struct merge *m, struct value v)
{
	struct dashscope *d = m->own;
	json_t *o = builder_object(&m->builder, m->root, "output");
	struct value_iter it;
	struct value key, val;

	rest_begin(&d->output);
	value_iter(&it, v);
	while (o && value_next(&it, &key, &val)) {
		if (value_eq(key, "text"))
			grow(m, o, "text", val);
		else if (value_eq(key, "choices") && val.kind == VALUE_ARRAY)
			choices(m, o, val);
		else
			rest_put(&m->builder, &d->output, key, val);
		m->ended |= value_eq(key, "finish_reason") && value_says(val) &&
		    !value_eq(val, "null");
	}
}

static void
event(struct merge *m, const struct merge_input *in)
{
	struct dashscope *d = m->own;
	struct value o = event_get(in->json, "output");

	if (o.kind != VALUE_OBJECT && event_get(in->json, "code").kind) {
		merge_error(m, input_object(in));
		return;
	}
	rest_begin(&d->rest);
	for (size_t i = 0; i < in->json->nfields; i++) {
		struct value key = field_key(&in->json->fields[i]), val = in->json->fields[i].value;

		if (value_eq(key, "output") && val.kind == VALUE_OBJECT)
			output(m, val);
		else
			rest_put(&m->builder, &d->rest, key, val);
	}
}

static void
finish(struct merge *m, struct text *text)
{
	struct dashscope *d = m->own;
	json_t *output = json_object_get(m->root, "output"), *message, *part;
	size_t k;

	for (size_t i = 0; i < d->n; i++) {
		/* never longer than what came before, and unsure still */
		const struct text *t = d->mode == PIECES ? &d->field[i].joined : &d->field[i].last;

		builder_set_json(&m->builder, d->field[i].object, d->field[i].key,
		    json_stringn(t->p ? t->p : "", t->n));
	}
	rest_build(&m->builder, &d->output, output);
	rest_build(&m->builder, &d->rest, m->root);
	merge_text(text, output, "text");
	message = json_object_get(json_array_get(json_object_get(output, "choices"), 0), "message");
	merge_text(text, message, "content");
	json_array_foreach(json_object_get(message, "content"), k, part)
		merge_text(text, part, "text");
}

static void
free_own(struct merge *m)
{
	struct dashscope *d = m->own;

	for (size_t i = 0; i < d->n; i++) {
		json_decref(d->field[i].object);
		builder_drop(&m->builder, &d->field[i].last);
		builder_drop(&m->builder, &d->field[i].joined);
	}
	rest_free(&m->builder, &d->rest);
	rest_free(&m->builder, &d->output);
}

const struct merge_format merge_dashscope = {
	.name = "dashscope",
	.own = sizeof(struct dashscope),
	.detect = detect,
	.path = { "/services/aigc/" },
	.event = event,
	.finish = finish,
	.free = free_own,
};

/* === the entry =================================================================== */

static const struct vendor_host hosts[] = {
	{ "dashscope.aliyuncs.com", "alibaba_cloud" },
	{ "dashscope-intl.aliyuncs.com", "alibaba_cloud" },
	{ "dashscope-us.aliyuncs.com", "alibaba_cloud" }, { NULL, NULL },
};

static const struct vendor_path paths[] = {
	{ .end = "/text-generation/generation" }, { .end = "/multimodal-generation/generation" },
	{ .end = NULL },
};

const struct vendor vendor_dashscope = {
	.api = "dashscope", .operation = "chat", .provider = "alibaba_cloud",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.hosts = hosts, .paths = paths, .mark = "input", .request_rank = 3, .response_rank = 8,
	.stream = &merge_dashscope,
};
VENDOR_ENTRY(vendor_dashscope);
