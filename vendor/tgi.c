/*
 * tgi.c - text-generation-inference's own generate, and what Hugging Face's older
 * inference servers have of it; its chat is openai_chat.c's
 */
#include "vendor/vendor.h"

static bool
is_request(struct value body)
{
	static const char *const key[] = { "inputs", "parameters", "stream" };
	struct value m[3];

	MEMBERS(body, key, m);
	return m[0].kind == VALUE_STRING && (m[1].kind == VALUE_OBJECT || is_given(m[2]));
}

/* With other paths "inputs" may be many a model's. */
static bool
is_alone(struct value body)
{
	return is_request(body) &&
	    is_given(value_get(value_get(body, "parameters"), "max_new_tokens"));
}

static bool
fits(struct value body)
{
	return value_get(body, "inputs").kind == VALUE_STRING;
}

static struct value
unlisted(struct value body)
{
	return body.kind == VALUE_ARRAY ? value_element(body, 0) : body;
}

static bool
is_response(struct value body)
{
	return value_get(unlisted(body), "generated_text").kind == VALUE_STRING;
}

static void
request(struct request *a, struct value body)
{
	static const char *const key[] = { "max_new_tokens", "temperature", "top_p", "top_k",
		"seed", "stop",
		"stop_sequences", "frequency_penalty" };
	struct value m[8];

	request_common(a, body);
	MEMBERS(value_get(body, "parameters"), key, m);
	a->list = value_get(body, "inputs");
	a->max_tokens = m[0];
	a->temperature = m[1];
	a->top_p = m[2];
	a->top_k = m[3];
	a->seed = m[4];
	a->stop = first_given(m[5], m[6]);
	a->frequency_penalty = m[7];
}

static void
item(struct messages *m, struct value v)
{
	message_open(m, "user");
	part_text(m, v);
	message_close(m, NULL);
}

static int64_t
elements(struct value list)
{
	struct value_iter it;
	struct value k, v;
	int64_t n = 0;

	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		n++;
	return n;
}

/* The tokens of the prompt are counted, or listed. */
static void
response(struct response *a, struct messages *m, struct value body)
{
	static const struct value stop = { "\"stop\"", 6, VALUE_STRING, false };
	static const char *const key[] = { "finish_reason", "generated_tokens", "input_length",
	"prefill" };
	struct value one = unlisted(body), text = value_get(one, "generated_text"), d[4];

	MEMBERS(value_get(one, "details"), key, d);
	a->error = value_get(one, "error");
	usage_set(&a->usage, USAGE_OUTPUT, d[1]);
	usage_set(&a->usage, USAGE_INPUT, d[2]);
	if (a->usage.n[USAGE_INPUT] < 0 && elements(d[3]))
		a->usage.n[USAGE_INPUT] = elements(d[3]);
	if (text.kind != VALUE_STRING)
		return;
	message_open(m, "assistant");
	part_text(m, text);
	/* of a stream the last event has the reason */
	message_close(m, response_finish(a, m, is_text(d[0]) || a->stream ? d[0] : stop));
}

/* === streams ==================================================================== */

static bool
detect(const struct merge_input *in)
{
	return event_get(in->json, "token").kind == VALUE_OBJECT &&
	event_get(in->json, "generated_text").kind != VALUE_NONE;
}

static void
event(struct merge *m, const struct merge_input *in)
{
	static const char *const key[] = { "text", "special" };
	struct value whole = event_get(in->json, "generated_text"), v[2];

	value_pick(event_get(in->json, "token"), key, v, 2);
	if (v[1].kind != VALUE_TRUE)
		merge_grow(m, m->root, "generated_text", v[0]);
	if (value_given(event_get(in->json, "error"))) {
		merge_error(m, event_get(in->json, "error"));
		if (value_given(event_get(in->json, "error_type")))
			builder_set(&m->builder, m->error, "type",
			event_get(in->json, "error_type"));
	}
	if (whole.kind != VALUE_STRING)
		return;
	builder_settle(&m->builder);
	builder_set(&m->builder, m->root, "generated_text", whole);
	builder_set(&m->builder, m->root, "details", event_get(in->json, "details"));
	m->ended = m->closed = true;
}

static void
finish(struct merge *m, struct text *text)
{
	merge_text(text, m->root, "generated_text");
}

const struct merge_format merge_tgi = {
	.name = "tgi",
	.detect = detect,
	.path = { "/generate_stream" },
	.own_end = true,
	.event = event,
	.finish = finish,
};

/* === the entry ================================================================== */

static const struct vendor_path paths[] = {
	{ .end = "/generate", .shape = true },
	{ .end = "/generate_stream", .stream = true, .shape = true }, { .end = NULL },
};

static const struct vendor_word finishes[] = {
	{ "eos_token", "stop" }, { "stop_sequence", "stop" }, { NULL, NULL },
};

const struct vendor vendor_tgi = {
	.api = "tgi_generate", .operation = "text_completion", .provider = "huggingface",
	.is_request = is_request, .is_request_alone = is_alone, .is_response = is_response,
	.fits = fits,
	.request = request, .item = item, .response = response, .mark = "inputs",
	.paths = paths, .finishes = finishes, .request_rank = 12, .response_rank = 15,
	.stream = &merge_tgi,
};
VENDOR_ENTRY(vendor_tgi);
