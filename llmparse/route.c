/* route.c - is this a model call, and which API's? see route.h */
#include "llmparse/route.h"

#include <stdlib.h>
#include <strings.h>

/* --- hosts -------------------------------------------------------------------- */

/* A domain and what is below it; with a leading '*', any host that ends so. */
static const struct { const char *host, *provider; } hosts[] = {
	{ "anthropic.com", "anthropic" }, { "claude.ai", "anthropic" }, { "claude.com", "anthropic" },
	{ "openai.azure.com", "azure.ai.openai" }, { "cognitiveservices.azure.com", "azure.ai.openai" },
	{ "services.ai.azure.com", "azure.ai.inference" }, { "inference.ai.azure.com", "azure.ai.inference" },
	{ "openai.com", "openai" }, { "chatgpt.com", "openai" },
	{ "generativelanguage.googleapis.com", "gcp.gemini" },
	{ "*aiplatform.googleapis.com", "gcp.vertex_ai" }, { "cloudcode-pa.googleapis.com", "gcp.gen_ai" },
	{ "api.cohere.com", "cohere" }, { "api.cohere.ai", "cohere" }, { "api.deepseek.com", "deepseek" },
	{ "api.groq.com", "groq" }, { "ml.cloud.ibm.com", "ibm.watsonx.ai" }, { "mistral.ai", "mistral_ai" },
	{ "api.perplexity.ai", "perplexity" }, { "api.x.ai", "x_ai" }, { "api.moonshot.ai", "moonshot_ai" },
	{ "api.moonshot.cn", "moonshot_ai" }, { "api.kimi.com", "moonshot_ai" }, { "openrouter.ai", "openrouter" },
	{ "dashscope.aliyuncs.com", "alibaba_cloud" }, { "dashscope-intl.aliyuncs.com", "alibaba_cloud" },
	{ "githubcopilot.com", "github_copilot" }, { "api.together.xyz", "together_ai" },
	{ "api.fireworks.ai", "fireworks_ai" }, { "api.cerebras.ai", "cerebras" }, { "api.z.ai", "zhipu_ai" },
	{ "open.bigmodel.cn", "zhipu_ai" }, { "ollama.com", "ollama" },
	{ "api.voyageai.com", "voyage_ai" }, { "api.jina.ai", "jina_ai" }, { "api.minimax.io", "minimax" },
};

size_t
host_split(const char *host, size_t n, unsigned *port)
{
	size_t i = n;

	*port = 0;
	while (i && host[i - 1] >= '0' && host[i - 1] <= '9')
		i--;
	/* a bare IPv6 address has colons, but no port */
	if (i < 1 || i == n || n - i > 5 || host[i - 1] != ':' ||
	    (memchr(host, ':', i - 1) && host[i - 2] != ']'))
		return n;
	for (size_t d = i; d < n; d++)
		*port = *port * 10 + (host[d] - '0');
	return i - 1;
}

static bool
host_under(const char *host, size_t n, const char *domain)
{
	size_t d = strlen(domain);
	bool any = *domain == '*';

	domain += any;
	d -= any;
	return n >= d && !strncasecmp(host + n - d, domain, d) && (any || n == d || host[n - d - 1] == '.');
}

static const char *
provider_of(const char *host, size_t n)
{
	unsigned port;

	n = host_split(host, n, &port);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		if (host_under(host, n, hosts[i].host))
			return hosts[i].provider;
	/* bedrock-runtime.REGION.amazonaws.com, also -fips and VPC endpoints */
	if (n > 16 && memmem(host, n, "bedrock-runtime", 15) &&
	    (host_under(host, n, "amazonaws.com") || host_under(host, n, "amazonaws.com.cn")))
		return "aws.bedrock";
	return NULL;
}

/* --- paths -------------------------------------------------------------------- */

/* How the path of a call ends. The first that matches counts; no vendor means
 * that it is none, whatever host and body say. */
static const struct { const char *end; const struct vendor *vendor; bool stream; } ends[] = {
	{ "/count_tokens", NULL, false }, { ":countTokens", NULL, false }, { ":computeTokens", NULL, false },
	{ "/responses/input_tokens", NULL, false }, { "/tokenize", NULL, false }, { "/count-tokens", NULL, false },
	{ "/moderations", NULL, false }, { "/models", NULL, false }, { "/batches", NULL, false },
	{ "/cachedContents", NULL, false }, { "/conversations", NULL, false }, { "/vector_stores", NULL, false },
	{ "/image-synthesis", NULL, false }, { "/video-synthesis", NULL, false },
	{ "/messages", &vendor_messages, false }, { "/complete", &vendor_complete, false },
	{ "/chat/completions", &vendor_chat, false }, { "/completions", &vendor_completions, false },
	{ "/responses", &vendor_responses, false }, { "/responses/compact", &vendor_responses, false },
	{ ":generateContent", &vendor_gemini, false }, { ":streamGenerateContent", &vendor_gemini, true },
	{ ":predict", &vendor_gemini_embed, false }, { ":embedContent", &vendor_gemini_embed, false }, { ":batchEmbedContents", &vendor_gemini_embed, false },
	{ ":rawPredict", &vendor_messages, false }, { ":streamRawPredict", &vendor_messages, true },
	{ "/converse", &vendor_converse, false }, { "/converse-stream", &vendor_converse, true },
	{ "/invoke", &vendor_invoke, false }, { "/invoke-with-response-stream", &vendor_invoke, true },
	{ "/api/chat", &vendor_ollama_chat, false }, { "/api/generate", &vendor_ollama_generate, false },
	{ "/api/embed", &vendor_ollama_embed, false }, { "/api/embeddings", &vendor_ollama_embed, false },
	{ "/embeddings", &vendor_embeddings, false }, { "/embed", &vendor_cohere_embed, false },
	{ "/rerank", &vendor_rerank, false }, { "/v2/chat", &vendor_cohere, false },
	{ "/text-generation/generation", &vendor_dashscope, false },
	{ "/multimodal-generation/generation", &vendor_dashscope, false },
};

/* The model, where it is a part of the path: /models/M:verb, /model/M/verb,
 * /deployments/M/... */
static void
path_model(struct route *p, const char *path, size_t n)
{
	static const char *const before[] = { "/models/", "/model/", "/deployments/" };

	for (size_t i = 0; i < 3; i++) {
		size_t b = strlen(before[i]);
		const char *at = memmem(path, n, before[i], b), *end = path + n, *stop;

		if (!at)
			continue;
		at += b;
		for (stop = at; stop < end && *stop != '/'; stop++)
			if (*stop == ':' && i == 0)	/* the verb; Bedrock's ids have colons */
				break;
		if (stop > at && stop < end) {
			p->model = at;
			p->modellen = stop - at;
		}
		return;
	}
}

static void
path_find(struct route *p, const char *path, size_t n)
{
	const char *query = memchr(path, '?', n);

	if (query)
		n = query - path;
	while (n > 1 && path[n - 1] == '/')
		n--;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t e = strlen(ends[i].end);

		if (n < e || memcmp(path + n - e, ends[i].end, e))
			continue;
		p->vendor = ends[i].vendor;
		p->never = !p->vendor;
		p->stream = ends[i].stream;
		break;
	}
	/* what a gateway calls its own */
	if (p->vendor == &vendor_invoke && !memmem(path, n, "/model/", 7))
		p->vendor = NULL;
	if (p->vendor == &vendor_messages && memmem(path, n, "/publishers/mistral", 19))
		p->vendor = &vendor_chat;
	path_model(p, path, n);
}

void
route_find(struct route *p, const char *host, size_t hostlen, const char *path, size_t pathlen)
{
	*p = (struct route){ .known = pathlen > 0 };
	if (hostlen)
		p->provider = provider_of(host, hostlen);
	if (pathlen)
		path_find(p, path, pathlen);
}

static int
hex(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

size_t
percent_decode(const char *s, size_t n, char *to)
{
	char *d = to;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%' && n - i > 2 && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			*d++ = hex(s[i + 1]) << 4 | hex(s[i + 2]);
			i += 2;
		} else {
			*d++ = s[i];
		}
	}
	return d - to;
}

/* --- shapes ------------------------------------------------------------------- */

/* Anthropic's bodies are nearly those of Chat Completions. */
static bool
says_anthropic(struct value body)
{
	static const char *const key[] = { "system", "anthropic_version", "tools", "thinking", "stop_sequences" };
	struct value m[5];

	MEMBERS(body, key, m);
	return is_given(m[0]) || is_given(m[1]) || is_given(m[3]) || is_given(m[4]) ||
	    is_given(value_get(value_element(m[2], 0), "input_schema"));
}

static const struct vendor *
shape_of_request(struct value body, bool anthropic)
{
	static const struct vendor *const by_shape[] = { &vendor_gemini, &vendor_dashscope, &vendor_chat,
		&vendor_responses, &vendor_complete };

	if (body.kind != VALUE_OBJECT)
		return NULL;
	if (vendor_messages.is_request(body) && (anthropic || says_anthropic(body)))
		return &vendor_messages;
	for (size_t i = 0; i < sizeof(by_shape) / sizeof(*by_shape); i++)
		if (by_shape[i]->is_request(body))
			return by_shape[i];
	return NULL;
}

static bool
shape_fits(const struct vendor *v, struct value body)
{
	if (body.kind != VALUE_OBJECT)
		return false;
	return v->is_request(body) || (v == &vendor_responses && vendor_embeddings.is_request(body)) ||
	    (v == &vendor_messages && vendor_chat.is_request(body));
}

enum route_confidence
route_request(const struct route *p, struct value body, bool anthropic, const struct vendor **v)
{
	if (p->never)
		return ROUTE_NO;
	if ((*v = p->vendor) == &vendor_gemini_embed && !shape_fits(*v, body))
		return ROUTE_NO;	/* ":predict" is of many models */
	if (*v)
		return p->provider || shape_fits(*v, body) ? ROUTE_CERTAIN : ROUTE_POSSIBLE;
	if ((*v = shape_of_request(body, anthropic)))
		return p->provider ? ROUTE_CERTAIN : ROUTE_POSSIBLE;
	return ROUTE_NO;
}

const struct vendor *
route_response(const struct route *p, struct value body, struct value format)
{
	static const struct vendor *const by_shape[] = { &vendor_messages, &vendor_chat, &vendor_responses,
		&vendor_gemini, &vendor_converse, &vendor_ollama_chat, &vendor_cohere, &vendor_dashscope,
		&vendor_complete, &vendor_completions };

	if (p->never || (p->known && !p->vendor && !p->provider))
		return NULL;
	if (p->vendor && (p->provider || p->vendor->is_response(body) ||
	    (p->vendor->format && value_eq(format, p->vendor->format))))
		return p->vendor;
	for (size_t i = 0; i < sizeof(by_shape) / sizeof(*by_shape); i++)
		if (by_shape[i]->is_response(body) && !is_given(value_get(body, "error")))
			return by_shape[i];
	return NULL;
}
