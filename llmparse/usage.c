/* usage.c - tokens, as billed; see usage.h */
#include "llmparse/usage.h"

#include "lib/jput.h"
#include "llmparse/values.h"

void
usage_init(struct usage *u)
{
	for (int i = 0; i < USAGE_KEYS; i++)
		u->n[i] = -1;
}

static void
set(struct usage *u, enum usage_key key, struct value v)
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

/* Sum of what is told; -1 when the first is not. Counts that do not fit are
 * not counts. */
static int64_t
sum(int64_t a, int64_t b, int64_t c)
{
	int64_t s;

	if (a < 0 || __builtin_add_overflow(a, known(b), &s) || __builtin_add_overflow(s, known(c), &s))
		return a < 0 ? -1 : a;
	return s;
}

/* The vendor's own input leaves out what the cache took. */
static void
add_cache(struct usage *u, struct value input)
{
	int64_t n = count_of(input);

	if (n >= 0)
		u->n[USAGE_INPUT] = sum(n, u->n[USAGE_CACHE_READ], u->n[USAGE_CACHE_CREATION]);
}

void
usage_anthropic(struct usage *u, struct value v)
{
	static const char *const key[] = { "input_tokens", "output_tokens", "cache_read_input_tokens",
		"cache_creation_input_tokens", "cache_creation", "output_tokens_details" };
	static const char *const part[] = { "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens" };
	struct value m[6], life[2];

	MEMBERS(v, key, m);
	MEMBERS(m[4], part, life);
	set(u, USAGE_OUTPUT, m[1]);
	set(u, USAGE_CACHE_READ, m[2]);
	set(u, USAGE_CACHE_CREATION, m[3]);
	set(u, USAGE_CACHE_5M, life[0]);
	set(u, USAGE_CACHE_1H, life[1]);
	set(u, USAGE_REASONING, value_get(m[5], "thinking_tokens"));
	add_cache(u, m[0]);
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
usage_openai(struct usage *u, struct value v)
{
	static const char *const key[] = { "prompt_tokens", "completion_tokens", "total_tokens",
		"input_tokens", "output_tokens", "prompt_tokens_details", "input_tokens_details",
		"completion_tokens_details", "output_tokens_details", "prompt_cache_hit_tokens",
		"cached_tokens" };
	static const char *const in[] = { "cached_tokens", "cache_write_tokens", "audio_tokens",
		"cache_creation_tokens" };
	static const char *const out[] = { "reasoning_tokens", "audio_tokens" };
	struct value m[11], d[4], o[2];

	MEMBERS(v, key, m);
	MEMBERS(first_given(m[5], m[6]), in, d);
	MEMBERS(first_given(m[7], m[8]), out, o);
	set(u, USAGE_INPUT, first_given(m[0], m[3]));
	set(u, USAGE_OUTPUT, first_given(m[1], m[4]));
	set(u, USAGE_TOTAL, m[2]);
	set(u, USAGE_CACHE_READ, first_given(d[0], first_given(m[9], m[10])));
	set(u, USAGE_CACHE_CREATION, first_given(d[1], d[3]));
	set(u, USAGE_REASONING, o[0]);
	set(u, USAGE_INPUT_AUDIO, d[2]);
	set(u, USAGE_OUTPUT_AUDIO, o[1]);
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
		"candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount", "totalTokenCount",
		"promptTokensDetails", "candidatesTokensDetails" };
	struct value m[8];
	int64_t out, thoughts;

	MEMBERS(v, key, m);
	if (count_of(m[0]) >= 0)
		u->n[USAGE_INPUT] = sum(count_of(m[0]), count_of(m[1]), 0);
	out = count_of(m[2]);
	thoughts = count_of(m[3]);
	if (out >= 0 || thoughts >= 0)	/* a candidate of thoughts alone has no other count */
		u->n[USAGE_OUTPUT] = sum(known(out), thoughts, 0);
	set(u, USAGE_REASONING, m[3]);
	set(u, USAGE_CACHE_READ, m[4]);
	set(u, USAGE_TOTAL, m[5]);
	set(u, USAGE_INPUT_AUDIO, modality(m[6], "AUDIO"));
	set(u, USAGE_OUTPUT_AUDIO, modality(m[7], "AUDIO"));
}

void
usage_converse(struct usage *u, struct value v)
{
	static const char *const key[] = { "inputTokens", "outputTokens", "cacheReadInputTokens",
		"cacheWriteInputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount" };
	struct value m[6];

	MEMBERS(v, key, m);
	set(u, USAGE_OUTPUT, m[1]);
	set(u, USAGE_CACHE_READ, first_given(m[2], m[4]));
	set(u, USAGE_CACHE_CREATION, first_given(m[3], m[5]));
	add_cache(u, m[0]);
}

void
usage_invocation(struct usage *u, struct value v)
{
	static const char *const key[] = { "inputTokenCount", "outputTokenCount",
		"cacheReadInputTokenCount", "cacheWriteInputTokenCount" };
	struct value m[4];

	MEMBERS(v, key, m);
	set(u, USAGE_OUTPUT, m[1]);
	set(u, USAGE_CACHE_READ, m[2]);
	set(u, USAGE_CACHE_CREATION, m[3]);
	add_cache(u, m[0]);
}

void
usage_ollama(struct usage *u, struct value message)
{
	static const char *const key[] = { "prompt_eval_count", "eval_count" };
	struct value m[2];

	MEMBERS(message, key, m);
	set(u, USAGE_INPUT, m[0]);
	set(u, USAGE_OUTPUT, m[1]);
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
	set(u, USAGE_INPUT, first_given(billed[0], tokens[0]));
	set(u, USAGE_OUTPUT, first_given(billed[1], tokens[1]));
	set(u, USAGE_CACHE_READ, m[2]);
}

void
usage_dashscope(struct usage *u, struct value v)
{
	usage_openai(u, v);
}

void
usage_put(const struct usage *u, struct jput *j)
{
	static const char *const name[USAGE_KEYS] = { "input_tokens", "output_tokens",
		"cache_read_tokens", "cache_creation_tokens", "cache_creation_5m_tokens",
		"cache_creation_1h_tokens", "reasoning_tokens", "input_audio_tokens",
		"output_audio_tokens", "total_tokens" };
	struct usage all = *u;
	bool any = false;

	for (int i = 0; i < USAGE_KEYS; i++)
		any |= u->n[i] >= 0;
	if (!any)
		return;
	if (all.n[USAGE_TOTAL] < 0 && (all.n[USAGE_INPUT] >= 0 || all.n[USAGE_OUTPUT] >= 0))
		all.n[USAGE_TOTAL] = sum(known(all.n[USAGE_INPUT]), all.n[USAGE_OUTPUT], 0);
	jput_object(j, "usage");
	for (int i = 0; i < USAGE_KEYS; i++)
		if (all.n[i] >= 0)
			jput_int(j, name[i], all.n[i]);
	jput_object_end(j);
}
