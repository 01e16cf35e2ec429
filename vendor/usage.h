/*
 * usage.h - tokens, as billed, by OpenTelemetry's rule
 *
 * input_tokens holds what was read from a cache and written to one, and
 * output_tokens what was spent on reasoning, whatever the vendor's own numbers
 * leave out. What a vendor does not tell is absent, never 0.
 */
#ifndef LLM_USAGE_H
#define LLM_USAGE_H

#include "lib/event.h"

struct jput;

enum usage_key {
	USAGE_INPUT, USAGE_OUTPUT,
	USAGE_CACHE_READ, USAGE_CACHE_CREATION,	/* parts of the input */
	USAGE_CACHE_5M, USAGE_CACHE_1H,		/* parts of the creation, by lifetime */
	USAGE_REASONING,			/* part of the output */
	USAGE_INPUT_AUDIO, USAGE_OUTPUT_AUDIO,
	USAGE_WEB_SEARCHES, USAGE_WEB_FETCHES,	/* requests of tools that run at the vendor's */
	USAGE_TOTAL,
	USAGE_KEYS,
};

struct usage {
	int64_t n[USAGE_KEYS];	/* -1: not told */
};

void usage_init(struct usage *);
/* Each reads a vendor's usage object. Numbers replace those read before (they
 * are cumulative); those that are absent or null stay. */
void usage_anthropic(struct usage *, struct value);
void usage_openai(struct usage *, struct value);	/* Chat Completions and Responses */
/* What the total has beyond input and output was spent on reasoning (Gemini, where
 * it speaks OpenAI's dialect). */
void usage_hidden(struct usage *);
void usage_gemini(struct usage *, struct value);
void usage_converse(struct usage *, struct value);
void usage_ollama(struct usage *, struct value message);
void usage_cohere(struct usage *, struct value);
void usage_dashscope(struct usage *, struct value);
/* amazon-bedrock-invocationMetrics */
void usage_invocation(struct usage *, struct value);

/* Counts in headers, as text, where the body has none. */
void usage_headers(struct usage *, struct value input, struct value output);
void usage_set(struct usage *, enum usage_key, struct value count);	/* no count: stays */
/* The sum of a count and what is beside it, when there is any. */
void usage_set_sum(struct usage *, enum usage_key, struct value count, struct value beside);
/* Is any count there? */
bool usage_any(const struct usage *);

/* Writes "usage":{...}; nothing when nothing was told. total: one may be made, where the
 * provider says none, of input and output, or when there is no output: of the input alone.
 * cost: in US dollars, below 0 when the provider says none. */
enum usage_total { USAGE_NO_TOTAL, USAGE_OF_BOTH, USAGE_OF_INPUT };
void usage_put(const struct usage *, struct jput *, enum usage_total, double cost);

#endif
