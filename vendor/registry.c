/* registry.c - which vendor it is, and what their files share; see vendor.h */
#include "vendor/vendor.h"

#include <stdio.h>
#include <strings.h>

/* Made by the linker of all entries. */
extern const struct vendor *const __start_vendors[], *const __stop_vendors[];

const struct vendor *
vendor_next(const struct vendor *const **at)
{
	*at = *at ? *at + 1 : __start_vendors;
	return *at < __stop_vendors ? **at : NULL;
}

#define VENDORS(v) (const struct vendor *const *at_ = NULL, *v; (v = vendor_next(&at_));)

/* --- hosts -------------------------------------------------------------------- */

/* Hosts of those who speak the dialects of others. */
static const struct vendor_host gateways[] = {
	{ "services.ai.azure.com", "azure.ai.inference" },
	{ "inference.ai.azure.com", "azure.ai.inference" },
	{ "cloudcode-pa.googleapis.com", "gcp.gen_ai" },
	{ "*aiplatform.googleapis.com", "gcp.vertex_ai" },
	{ "api.deepseek.com", "deepseek" }, { "api.groq.com", "groq" },
	{ "ml.cloud.ibm.com", "ibm.watsonx.ai" },
	{ "mistral.ai", "mistral_ai" }, { "api.perplexity.ai", "perplexity" },
	{ "api.x.ai", "x_ai" },
	{ "api.moonshot.ai", "moonshot_ai" }, { "api.moonshot.cn", "moonshot_ai" },
	{ "api.kimi.com", "moonshot_ai" },
	{ "openrouter.ai", "openrouter" }, { "githubcopilot.com", "github_copilot" },
	{ "api.together.xyz", "together_ai" },
	{ "api.fireworks.ai", "fireworks_ai" }, { "api.cerebras.ai", "cerebras" },
	{ "api.z.ai", "zhipu_ai" },
	{ "open.bigmodel.cn", "zhipu_ai" }, { "api.voyageai.com", "voyage_ai" },
	{ "api.jina.ai", "jina_ai" },
	{ "api.minimax.io", "minimax" }, { "bedrock-mantle*.api.aws", "aws.bedrock" },
	{ "models.github.ai", "github_models" },
	{ "huggingface.co", "huggingface" }, { "api.deepinfra.com", "deepinfra" },
	{ "ai-gateway.vercel.sh", "vercel" },
	{ NULL, NULL },
};

static bool
host_under(const char *host, size_t n, const char *domain)
{
	size_t d = strlen(domain);
	bool any = *domain == '*';

	domain += any;
	d -= any;
	return n >= d && !strncasecmp(host + n - d, domain, d) &&
	    (any || n == d || host[n - d - 1] == '.');
}

/* "bedrock-runtime*.amazonaws.com": one label begins so, the rest is below. */
static bool
host_is(const char *host, size_t n, const char *pattern)
{
	const char *star = *pattern == '*' ? NULL : strchr(pattern, '*');

	return star ? memmem(host, n, pattern, star - pattern) && host_under(host, n, star + 2) :
	    host_under(host, n, pattern);
}

static const char *
host_in(const char *host, size_t n, const struct vendor_host *h)
{
	for (; h && h->host; h++)
		if (host_is(host, n, h->host))
			return h->provider;
	return NULL;
}

const char *
vendor_host(const char *host, size_t n)
{
	const char *provider = host_in(host, n, gateways);

	for VENDORS(v)
		if (!provider)
			provider = host_in(host, n, v->hosts);
	return provider;
}

/* --- paths -------------------------------------------------------------------- */

/* What is no call, whatever host and body say. */
static const struct vendor_path never_calls[] = {
	{ .end = "/count_tokens" }, { .end = ":countTokens" }, { .end = ":computeTokens" },
	{ .end = "/responses/input_tokens" }, { .end = "/tokenize" }, { .end = "/count-tokens" },
	{ .end = "/moderations" }, { .end = "/models" }, { .end = "/batches" },
	{ .end = "/cachedContents" },
	{ .end = "/conversations" }, { .end = "/vector_stores" }, { .end = "/image-synthesis" },
	{ .end = "/video-synthesis" }, { .end = NULL },
};

/* The better of two for a path: NULL is none. */
static const struct vendor_path *
path_in(const char *path, size_t n, const struct vendor_path *p, const struct vendor_path *best)
{
	for (; p && p->end; p++) {
		size_t e = strlen(p->end), b = best ? strlen(best->end) : 0;

		if (n < e || memcmp(path + n - e, p->end, e) ||
		    (p->within && !memmem(path, n, p->within, strlen(p->within))))
			continue;
		if (!best || e > b || (e == b && p->within && !best->within))
			best = p;
	}
	return best;
}

const struct vendor *
vendor_path(const char *path, size_t n, const struct vendor_path **found, bool *never)
{
	const struct vendor *is = NULL;
	const struct vendor_path *p;

	*found = path_in(path, n, never_calls, NULL);
	*never = *found;
	for VENDORS(v)
		if ((p = path_in(path, n, v->paths, *found)) != *found) {
			*found = p;
			*never = false;
			is = v;
		}
	return is;
}

/* --- shapes ------------------------------------------------------------------- */

static const struct vendor *
better(const struct vendor *a, const struct vendor *b, int ra, int rb)
{
	return !a || rb < ra ? b : a;
}

const struct vendor *
vendor_of_request(struct value body, bool (*header)(void *arg, const char *name), void *arg)
{
	const struct vendor *best = NULL;

	if (body.kind != VALUE_OBJECT)
		return NULL;
	for VENDORS(v)
		if (v->header && v->is_request(body) && header(arg, v->header))
			return v;
	for VENDORS(v)
		if (v->request_rank &&
		    (v->is_request_alone ? v->is_request_alone : v->is_request)(body))
			best = better(best, v, best ? best->request_rank : 0, v->request_rank);
	return best;
}

const struct vendor *
vendor_of_response(struct value body)
{
	const struct vendor *best = NULL;

	for VENDORS(v)
		if (v->response_rank && v->is_response(body))
			best = better(best, v, best ? best->response_rank : 0, v->response_rank);
	return best;
}

bool
vendor_marks(const char *p, size_t n)
{
	char key[64];

	for VENDORS(v) {
		int k = v->request_rank && v->mark ? snprintf(key, sizeof(key), "%s\\\"", v->mark) :
		    0;

		if (k > 0 && memmem(p, n, key, k))
			return true;
	}
	return false;
}

/* --- streams ------------------------------------------------------------------- */

const struct merge_format *
merge_detect(const struct merge_input *in)
{
	if (in->json)
		for VENDORS(v)
			if (v->stream && v->stream->detect(in))
				return v->stream;
	return NULL;
}

const struct merge_format *
merge_by_path(const char *path, size_t n)
{
	for VENDORS(v)
		for (const char *const *part = v->stream ? v->stream->path : NULL; part &&
		    *part; part++)
			if (memmem(path, n, *part, strlen(*part)))
				return v->stream;
	return NULL;
}

/* --- words ---------------------------------------------------------------------- */

static const char *
word_in(struct value v, const struct vendor_word *w)
{
	for (; w && w->from; w++)
		if (value_eq(v, w->from))
			return w->to;
	return NULL;
}

const char *
vendor_role(struct value role)
{
	static const struct vendor_word same[] = { { "assistant", "assistant" }, { "user", "user" },
		{ "system", "system" },
		{ "tool", "tool" }, { "developer", "developer" }, { NULL, NULL } };
	const char *name = word_in(role, same);

	for VENDORS(v)
		if (!name)
			name = word_in(role, v->roles);
	return name;
}

const char *
vendor_finish(struct value reason)
{
	static const struct vendor_word same[] = { { "stop", "stop" }, { "length", "length" },
		{ "tool_call", "tool_call" },
		{ "content_filter", "content_filter" }, { "error", "error" }, { NULL, NULL } };
	const char *name = word_in(reason, same);

	for VENDORS(v)
		if (!name)
			name = word_in(reason, v->finishes);
	return name;
}

/* --- what files share ------------------------------------------------------------ */

void
request_common(struct request *a, struct value body)
{
	static const char *const key[] = { "model", "stream", "max_tokens", "temperature", "top_p",
		"top_k", "seed", "n", "stop", "tools", "metadata", "prompt_cache_key",
		"max_output_tokens",
		"max_completion_tokens", "session_id", "conversation_id", "user",
		"frequency_penalty", "presence_penalty", "response_format" };
	struct value m[20];

	MEMBERS(body, key, m);
	a->model = m[0];
	a->stream |= m[1].kind == VALUE_TRUE;
	a->max_tokens = first_given(m[13], first_given(m[2], m[12]));
	a->temperature = m[3];
	a->top_p = m[4];
	a->top_k = m[5];
	a->seed = m[6];
	a->choices = m[7];
	a->stop = m[8];
	a->tools = m[9];
	a->metadata = m[10];
	a->cache_key = m[11];
	a->conversation = first_given(m[14], m[15]);
	a->frequency_penalty = m[17];
	a->presence_penalty = m[18];
	a->json = text_begins(value_get(m[19], "type"), "json_");
}

const char *
response_finish(struct response *a, struct messages *m, struct value reason)
{
	const char *name = vendor_finish(reason);

	if (!is_text(reason) || value_eq(reason, "null")) {	/* DashScope's word until the end */
		a->unended = true;
		return "incomplete";
	}
	a->ended = true;
	if (!name && !(name = value_str(&m->ev->arena, reason, NULL)))
		name = "other";
	a->finish->count++;
	if (vendor_finish(reason))
		jput_str(&a->finish->j, NULL, name);
	else
		jput_value(&a->finish->j, NULL, reason);
	return name;
}

void
response_cost(struct response *a, struct value usage)
{
	static const char *const key[] = { "cost", "cost_in_usd_ticks", "estimated_cost" };
	struct value m[3];
	double d;

	MEMBERS(usage, key, m);
	if (m[0].kind == VALUE_OBJECT)		/* Perplexity */
		m[0] = value_get(m[0], "total_cost");
	m[0] = first_given(m[0], m[2]);		/* DeepInfra */
	if ((m[0].kind == VALUE_INT || m[0].kind == VALUE_REAL) && value_f64(m[0], &d) && d >= 0)
		a->cost = d;
	else if (value_f64(m[1], &d) && d >= 0)		/* xAI: 10^10 make a dollar */
		a->cost = d / 1e10;
}

bool
item_is_response(const struct vendor *v, struct value item)
{
	const char *role;

	if (v->item_is_response)
		return v->item_is_response(item);
	role = vendor_role(value_get(item, "role"));
	return role && !strcmp(role, "assistant");
}

void
content_put(struct messages *m, struct value content,
void (*block)(struct messages *, struct value))
{
	struct value_iter it;
	struct value k, v;

	if (content.kind == VALUE_STRING)
		part_text(m, content);
	value_iter(&it, content);
	while (content.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		if (v.kind == VALUE_STRING)
			part_text(m, v);
		else
			block(m, v);
	}
}
