/*
 * llamacpp.c - llama.cpp's own completion and infill; its chat and its embeddings are
 * openai_chat.c's
 */
#include "vendor/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "prompt", "input_prefix", "input_suffix" };
	struct value m[3];

	MEMBERS(body, key, m);
	return is_given(m[0]) || (is_given(m[1]) && is_given(m[2]));
}

static bool
is_response(struct value body)
{
	static const char *const key[] = { "content", "stop", "tokens_predicted", "timings",
		"generation_settings" };
	struct value m[5];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_STRING && (m[1].kind == VALUE_TRUE || m[1].kind == VALUE_FALSE) &&
	    (is_given(m[2]) || is_given(m[3]) || is_given(m[4]));
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "prompt", "input_prefix", "n_predict", "json_schema" };
	struct value m[4];

	request_common(a, body);
	MEMBERS(body, key, m);
	a->list = first_given(m[0], m[1]);
	if (m[0].kind == VALUE_ARRAY && value_element(m[0], 0).kind == VALUE_INT)
		a->list = (struct value){ 0 };	/* tokens */
	a->max_tokens = first_given(m[2], a->max_tokens);
	a->json |= is_given(m[3]);
}

static void
item(struct messages *m, struct value v)
{
	message_open(m, "user");
	part_text(m, v.kind == VALUE_OBJECT ? value_get(v, "prompt_string") : v);
	message_close(m, NULL);
}

/* Why it stopped; flags before there was a word. */
static struct value
reason(struct value body)
{
	static const struct value limit = { "\"limit\"", 7, VALUE_STRING, false };
	static const struct value eos = { "\"eos\"", 5, VALUE_STRING, false };
	static const char *const key[] = { "stop_type", "stopped_limit", "stopped_eos",
		"stopped_word", "stop" };
	struct value v[5], none = { 0 };

	MEMBERS(body, key, v);
	if (is_text(v[0]) && !value_eq(v[0], "none"))
		return v[0];
	return v[1].kind == VALUE_TRUE ? limit : v[2].kind == VALUE_TRUE ||
	    v[3].kind == VALUE_TRUE ||
	    v[4].kind == VALUE_TRUE ? eos : none;
}

static void
response(struct response *a, struct messages *m, struct value body)
{
	static const char *const key[] = { "content", "model", "tokens_predicted",
		"tokens_evaluated", "timings", "error" };
	struct value v[6];

	MEMBERS(body, key, v);
	a->model = v[1];
	a->error = v[5];
	usage_set(&a->usage, USAGE_OUTPUT, v[2]);
	usage_set(&a->usage, USAGE_INPUT, v[3]);
	usage_set(&a->usage, USAGE_CACHE_READ, value_get(v[4], "cache_n"));
	if (v[0].kind != VALUE_STRING)
		return;
	message_open(m, "assistant");
	part_text(m, v[0]);
	message_close(m, response_finish(a, m, reason(body)));
}

/* === streams ==================================================================== */

static bool
detect(const struct merge_input *in)
{
	enum value_kind stop = event_get(in->json, "stop").kind;

	return event_get(in->json, "content").kind == VALUE_STRING &&
	    (stop == VALUE_TRUE || stop == VALUE_FALSE);
}

static void
event(struct merge *m, const struct merge_input *in)
{
	for (size_t i = 0; i < in->json->nfields; i++) {
		struct value key = field_key(&in->json->fields[i]), val = in->json->fields[i].value;

		if (value_eq(key, "content"))
			merge_grow(m, m->root, "content", val);
		else if (value_eq(key, "error"))
			merge_error(m, val);
		else if (value_eq(key, "tokens"))
			merge_extend(m, m->root, "tokens", val);
		else
			builder_set_member(&m->builder, m->root, key, val);
	}
	builder_sweep(&m->builder);
	m->ended |= event_get(in->json, "stop").kind == VALUE_TRUE;
}

static void
finish(struct merge *m, struct text *text)
{
	merge_text(text, m->root, "content");
}

const struct merge_format merge_llamacpp = {
	.name = "llamacpp",
	.detect = detect,
	.path = { "/infill" },	/* the other is a part of others' paths */
	.own_end = true,
	.event = event,
	.finish = finish,
};

/* === the entry ================================================================== */

static const struct vendor_path paths[] = { { .end = "/completion" }, { .end = "/infill" },
	{ .end = NULL } };

static const struct vendor_word finishes[] = {
	{ "limit", "length" }, { "word", "stop" }, { NULL, NULL },
};

const struct vendor vendor_llamacpp = {
	.api = "llamacpp_completion", .operation = "text_completion", .provider = "llamacpp",
	.is_request = is_request, .is_response = is_response,
	.request = request, .item = item, .response = response,
	.paths = paths, .finishes = finishes, .response_rank = 14, .stream = &merge_llamacpp,
};
VENDOR_ENTRY(vendor_llamacpp);
