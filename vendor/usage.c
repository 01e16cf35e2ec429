/* usage.c - tokens, as billed; see usage.h */
#include "vendor/usage.h"

#include "lib/jput.h"
#include "vendor/values.h"

void
usage_init(struct usage *u)
{
	for (int i = 0; i < USAGE_KEYS; i++)
		u->n[i] = -1;
}

void
usage_set(struct usage *u, enum usage_key key, struct value v)
{
	int64_t n = count_of(v);

	if (n >= 0)
		u->n[key] = n;
}

static int64_t
known(int64_t n)
{
	return n > 0 ? n : 0;
}

/* Sum of what is told; -1 when the first is not, or when it does not fit. */
static int64_t
sum(int64_t a, int64_t b, int64_t c)
{
	int64_t s;

	if (a < 0 || __builtin_add_overflow(a, known(b), &s) ||
	    __builtin_add_overflow(s, known(c), &s))
		return -1;
	return s;
}

void
usage_set_sum(struct usage *u, enum usage_key key, struct value count, struct value beside)
{
	if (count_of(count) >= 0)
		u->n[key] = sum(count_of(count), count_of(beside), 0);
}

bool
usage_any(const struct usage *u)
{
	for (int i = 0; i < USAGE_KEYS; i++)
		if (u->n[i] >= 0)
			return true;
	return false;
}

/* The vendor's own input leaves out what the cache took. */
static void
add_cache(struct usage *u, struct value input)
{
	int64_t n = count_of(input);

	if (n >= 0)
		u->n[USAGE_INPUT] = sum(n, u->n[USAGE_CACHE_READ], u->n[USAGE_CACHE_CREATION]);
}

/* The counts of one sampling, or of all. */
static void
anthropic_counts(struct usage *u, struct value v)
{
	static const char *const key[] = { "input_tokens", "output_tokens",
		"cache_read_input_tokens",
		"cache_creation_input_tokens", "cache_creation", "output_tokens_details" };
	static const char *const part[] = { "ephemeral_5m_input_tokens",
	"ephemeral_1h_input_tokens" };
	struct value m[6], life[2];

	MEMBERS(v, key, m);
	MEMBERS(m[4], part, life);
	usage_set(u, USAGE_OUTPUT, m[1]);
	usage_set(u, USAGE_CACHE_READ, m[2]);
	usage_set(u, USAGE_CACHE_CREATION, m[3]);
	usage_set(u, USAGE_CACHE_5M, life[0]);
	usage_set(u, USAGE_CACHE_1H, life[1]);
	usage_set(u, USAGE_REASONING, value_get(m[5], "thinking_tokens"));
	add_cache(u, m[0]);
}

/* Several samplings in one call (compaction, an advisor): the counts beside the
 * list are the last one's, billed is the sum. */
static void
anthropic_iterations(struct usage *u, struct value list)
{
	struct usage all, one;
	bool over[USAGE_KEYS] = { false };
	struct value_iter it;
	struct value k, v;

	usage_init(&all);
	value_iter(&it, list);
	while (list.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		usage_init(&one);
		anthropic_counts(&one, v);
		for (int i = 0; i < USAGE_KEYS; i++)
			if (one.n[i] >= 0 &&
			    (all.n[i] = sum(known(all.n[i]), one.n[i], 0)) < 0)
				over[i] = true;
	}
	for (int i = 0; i < USAGE_KEYS; i++)
		if (all.n[i] > u->n[i] || over[i])
			u->n[i] = over[i] ? -1 : all.n[i];
}

void
usage_anthropic(struct usage *u, struct value v)
{
	static const char *const key[] = { "server_tool_use", "iterations" };
	static const char *const tool[] = { "web_search_requests", "web_fetch_requests" };
	struct value m[2], t[2];

	MEMBERS(v, key, m);
	MEMBERS(m[0], tool, t);
	anthropic_counts(u, v);
	anthropic_iterations(u, m[1]);
	usage_set(u, USAGE_WEB_SEARCHES, t[0]);
	usage_set(u, USAGE_WEB_FETCHES, t[1]);
}

/* Some servers leave reasoning out of the completion (xAI): their total tells. */
static void
reasoning_apart(struct usage *u)
{
	int64_t r = u->n[USAGE_REASONING], out = u->n[USAGE_OUTPUT], in = u->n[USAGE_INPUT];

	if (r > 0 && out >= 0 && in >= 0 && u->n[USAGE_TOTAL] == sum(in, out, r))
		u->n[USAGE_OUTPUT] = sum(out, r, 0);
}

void
usage_hidden(struct usage *u)
{
	int64_t out = u->n[USAGE_OUTPUT], in = u->n[USAGE_INPUT], total = u->n[USAGE_TOTAL];

	if (out < 0 || in < 0 || u->n[USAGE_REASONING] >= 0 || total <= sum(in, out, 0))
		return;
	u->n[USAGE_REASONING] = total - in - out;
	u->n[USAGE_OUTPUT] = total - in;
}

void
usage_openai(struct usage *u, struct value v)
{
	static const char *const key[] = { "prompt_tokens", "completion_tokens", "total_tokens",
		"input_tokens", "output_tokens", "prompt_tokens_details", "input_tokens_details",
		"completion_tokens_details", "output_tokens_details", "prompt_cache_hit_tokens",
		"cached_tokens", "input_token_details", "output_token_details", "reasoning_tokens",
		"num_search_queries" };
	static const char *const in[] = { "cached_tokens", "cache_write_tokens", "audio_tokens",
		"cache_creation_tokens" };
	static const char *const out[] = { "reasoning_tokens", "audio_tokens" };
	struct value m[15], d[4], o[2];

	MEMBERS(v, key, m);
	MEMBERS(first_given(first_given(m[5], m[6]), m[11]), in, d);	/* the last: Realtime */
	MEMBERS(first_given(first_given(m[7], m[8]), m[12]), out, o);
	usage_set(u, USAGE_INPUT, first_given(m[0], m[3]));
	usage_set(u, USAGE_OUTPUT, first_given(m[1], m[4]));
	usage_set(u, USAGE_TOTAL, m[2]);
	usage_set(u, USAGE_CACHE_READ, first_given(d[0], first_given(m[9], m[10])));
	usage_set(u, USAGE_CACHE_CREATION, first_given(d[1], d[3]));
	usage_set(u, USAGE_REASONING, first_given(o[0], m[13]));
	usage_set(u, USAGE_WEB_SEARCHES, m[14]);
	usage_set(u, USAGE_INPUT_AUDIO, d[2]);
	usage_set(u, USAGE_OUTPUT_AUDIO, o[1]);
	reasoning_apart(u);
}

static struct value
modality(struct value details, const char *name)
{
	struct value_iter it;
	struct value k, v;

	value_iter(&it, details);
	while (details.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		if (value_eq(value_get(v, "modality"), name))
			return value_get(v, "tokenCount");
	return (struct value){ 0 };
}

void
usage_gemini(struct usage *u, struct value v)
{
	static const char *const key[] = { "promptTokenCount", "toolUsePromptTokenCount",
		"candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount",
		"totalTokenCount",
		"promptTokensDetails", "candidatesTokensDetails", "responseTokenCount",
		"responseTokensDetails" };
	struct value m[10];
	int64_t out, thoughts;

	MEMBERS(v, key, m);
	m[2] = first_given(m[2], m[8]);		/* Live */
	m[7] = first_given(m[7], m[9]);
	usage_set_sum(u, USAGE_INPUT, m[0], m[1]);
	out = count_of(m[2]);
	thoughts = count_of(m[3]);
	if (out >= 0 || thoughts >= 0)	/* a candidate of thoughts alone has no other count */
		u->n[USAGE_OUTPUT] = sum(known(out), thoughts, 0);
	usage_set(u, USAGE_REASONING, m[3]);
	usage_set(u, USAGE_CACHE_READ, m[4]);
	usage_set(u, USAGE_TOTAL, m[5]);
	usage_set(u, USAGE_INPUT_AUDIO, modality(m[6], "AUDIO"));
	usage_set(u, USAGE_OUTPUT_AUDIO, modality(m[7], "AUDIO"));
}

void
usage_converse(struct usage *u, struct value v)
{
	static const char *const key[] = { "inputTokens", "outputTokens", "cacheReadInputTokens",
		"cacheWriteInputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount",
		"cacheDetails" };
	struct value m[7], k, d;
	struct value_iter it;

	MEMBERS(v, key, m);
	value_iter(&it, m[6]);
	while (m[6].kind == VALUE_ARRAY && value_next(&it, &k, &d))
		usage_set(u, value_eq(value_get(d, "ttl"), "1h") ? USAGE_CACHE_1H : USAGE_CACHE_5M,
		value_get(d, "inputTokens"));
	usage_set(u, USAGE_OUTPUT, m[1]);
	usage_set(u, USAGE_CACHE_READ, first_given(m[2], m[4]));
	usage_set(u, USAGE_CACHE_CREATION, first_given(m[3], m[5]));
	add_cache(u, m[0]);
}

void
usage_invocation(struct usage *u, struct value v)
{
	static const char *const key[] = { "inputTokenCount", "outputTokenCount",
		"cacheReadInputTokenCount", "cacheWriteInputTokenCount" };
	struct value m[4];

	MEMBERS(v, key, m);
	usage_set(u, USAGE_OUTPUT, m[1]);
	usage_set(u, USAGE_CACHE_READ, m[2]);
	usage_set(u, USAGE_CACHE_CREATION, m[3]);
	add_cache(u, m[0]);
}

void
usage_ollama(struct usage *u, struct value message)
{
	static const char *const key[] = { "prompt_eval_count", "eval_count" };
	struct value m[2];

	MEMBERS(message, key, m);
	usage_set(u, USAGE_INPUT, m[0]);
	usage_set(u, USAGE_OUTPUT, m[1]);
}

/* Billed units are what is paid for; tokens what was counted. */
void
usage_cohere(struct usage *u, struct value v)
{
	static const char *const key[] = { "billed_units", "tokens", "cached_tokens" };
	static const char *const count[] = { "input_tokens", "output_tokens" };
	struct value m[3], billed[2], tokens[2];

	MEMBERS(v, key, m);
	MEMBERS(m[0], count, billed);
	MEMBERS(m[1], count, tokens);
	usage_set(u, USAGE_INPUT, first_given(billed[0], tokens[0]));
	usage_set(u, USAGE_OUTPUT, first_given(billed[1], tokens[1]));
	usage_set(u, USAGE_CACHE_READ, m[2]);
}

void
usage_dashscope(struct usage *u, struct value v)
{
	usage_openai(u, v);
}

static int64_t
text_count(struct value v)
{
	int64_t n = 0;

	if (!is_text(v) || v.n > 14)
		return -1;
	for (const char *p = v.p + 1; p < v.p + v.n - 1; p++) {
		if (*p < '0' || *p > '9')
			return -1;
		n = n * 10 + *p - '0';
	}
	return n;
}

void
usage_headers(struct usage *u, struct value input, struct value output)
{
	if (u->n[USAGE_INPUT] < 0)
		u->n[USAGE_INPUT] = text_count(input);
	if (u->n[USAGE_OUTPUT] < 0)
		u->n[USAGE_OUTPUT] = text_count(output);
}

void
usage_put(const struct usage *u, struct jput *j, enum usage_total total, double cost)
{
	static const char *const name[USAGE_KEYS] = { "input_tokens", "output_tokens",
		"cache_read_tokens", "cache_creation_tokens", "cache_creation_5m_tokens",
		"cache_creation_1h_tokens", "reasoning_tokens", "input_audio_tokens",
		"output_audio_tokens", "web_search_requests", "web_fetch_requests",
		"total_tokens" };
	struct usage all = *u;
	bool priced = cost >= 0 && cost < 1e6;

	if (!priced && !usage_any(u))
		return;
	if (all.n[USAGE_TOTAL] < 0 && total != USAGE_NO_TOTAL &&
	    (all.n[USAGE_OUTPUT] >= 0 || total == USAGE_OF_INPUT))
		all.n[USAGE_TOTAL] = sum(all.n[USAGE_INPUT], all.n[USAGE_OUTPUT], 0);
	jput_object(j, "usage");
	for (int i = 0; i < USAGE_KEYS; i++)
		if (all.n[i] >= 0)
			jput_int(j, name[i], all.n[i]);
	if (priced)
		jput_real(j, "cost_usd", cost);
	jput_object_end(j);
}
