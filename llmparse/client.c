/* client.c - who asks; see client.h */
#include "llmparse/client.h"

#include <ctype.h>
#include <strings.h>

enum { ID_MAX = 200 };	/* what is longer is no id */

struct value
header_get(struct value headers, const char *name)
{
	struct value v = value_get(headers, name);

	return v.kind == VALUE_ARRAY ? value_element(v, 0) : v;
}

/* --- agents --------------------------------------------------------------------- */

/* By the first product of the user agent, and by the process's name. */
static const struct { const char *begin, *agent; } products[] = {
	{ "claude-cli", "claude-code" }, { "claude-code", "claude-code" }, { "codex_", "codex" },
	{ "codex-", "codex" }, { "codex/", "codex" }, { "GeminiCLI", "gemini-cli" },
	{ "opencode", "opencode" },
	{ "QwenCode", "qwen-code" }, { "qwen-code", "qwen-code" },
	{ "GitHubCopilot", "github-copilot" },
	{ "copilot", "github-copilot" }, { "Cursor", "cursor" }, { "cursor-agent", "cursor" },
	{ "aider", "aider" }, { "goose", "goose" }, { "Zed", "zed" }, { "RooCode", "roo-code" },
	{ "Cline", "cline" }, { "Kilo-Code", "kilo-code" }, { "crush", "crush" },
	{ "Charm", "crush" },
	{ "factory-cli", "droid" }, { "OpenHands", "openhands" }, { "amp", "amp" },
}, processes[] = {
	{ "claude", "claude-code" }, { "codex", "codex" }, { "gemini", "gemini-cli" },
	{ "opencode", "opencode" },
	{ "qwen", "qwen-code" }, { "copilot", "github-copilot" }, { "cursor-agent", "cursor" },
	{ "aider", "aider" }, { "goose", "goose" }, { "crush", "crush" }, { "droid", "droid" },
	{ "openhands", "openhands" }, { "amp", "amp" }, { "zed", "zed" },
};

/* What libraries and clients of vendors call themselves: no agent's name. */
static const char *const libraries[] = {
	"Anthropic/", "AnthropicBedrock/", "AnthropicVertex/", "AsyncAnthropic/", "OpenAI/",
	"AsyncOpenAI/",
	"AzureOpenAI/", "AsyncAzureOpenAI/", "Mozilla/", "python-", "Python-", "aiohttp/", "axios/",
	"node", "undici",
	"curl/", "Wget/", "Go-http-client", "okhttp", "Java/", "ruby", "reqwest", "hyper", "Bun/",
	"Deno/",
	"google-genai-sdk", "google-api", "Boto3/", "aws-sdk", "botocore", "ai-sdk/", "ai/",
	"langchain",
	"litellm", "ollama-", "ollama/", "cohere", "got ", "http", "Apache-HttpClient",
};

static bool
begins(struct client_text t, const char *with)
{
	size_t n = strlen(with);

	return t.n >= n && !strncasecmp(t.p, with, n);
}

static struct client_text
fixed(const char *s)
{
	return (struct client_text){ s, strlen(s) };
}

/* NAME of "NAME/VERSION (...) ..." */
static struct client_text
product(struct client_text ua, struct client_text *version)
{
	size_t n = 0, v;

	while (n < ua.n && ua.p[n] != '/' && ua.p[n] != ' ' && ua.p[n] != '(')
		n++;
	*version = (struct client_text){ 0 };
	if (n < ua.n && ua.p[n] == '/') {
		for (v = n + 1; v < ua.n && !strchr("/ ;,()", ua.p[v]); v++)
			;
		*version = (struct client_text){ ua.p + n + 1, v - n - 1 };
	}
	return (struct client_text){ ua.p, n };
}

/* Does it begin with this name, and does the name end there? */
static bool
is_product(struct client_text ua, const char *name)
{
	size_t n = strlen(name);

	return begins(ua, name) && (strchr("_-/", name[n - 1]) || ua.n == n ||
	    !isalnum((unsigned char)ua.p[n]));
}

struct client_text
client_agent(struct client_text ua, struct client_text comm, struct client_text *version)
{
	struct client_text name = product(ua, version);

	for (size_t i = 0; i < sizeof(products) / sizeof(*products); i++)
		if (is_product(ua, products[i].begin))
			return fixed(products[i].agent);
	for (size_t i = 0; i < sizeof(processes) / sizeof(*processes); i++)
		if (comm.n == strlen(processes[i].begin) && begins(comm, processes[i].begin)) {
			*version = (struct client_text){ 0 };
			return fixed(processes[i].agent);
		}
	for (size_t i = 0; name.n && i < sizeof(libraries) / sizeof(*libraries); i++)
		if (begins(ua, libraries[i]))
			name.n = 0;
	if (name.n)
		return name;
	*version = (struct client_text){ 0 };
	return comm;
}

/* --- conversations ---------------------------------------------------------------- */

static struct client_text
id_of(struct event *ev, struct value v)
{
	struct client_text t = { 0 };

	if (is_text(v) && v.n <= ID_MAX + 2)
		t.p = value_str(&ev->arena, v, &t.n);
	return t.p ? t : (struct client_text){ 0 };
}

/* A member of JSON that is the text of a string. */
static struct client_text
id_inside(struct event *ev, struct value text, const char *const *key, size_t nkeys)
{
	struct client_text t = { 0 }, found = { 0 };
	struct value v;

	if (!text_begins(text, "{") || text.n > 4096 || !(t.p = value_str(&ev->arena, text, &t.n)))
		return found;
	v = event_scan_value(ev, t.p, t.n);
	for (size_t i = 0; i < nkeys && !found.n && v.kind == VALUE_OBJECT; i++)
		found = id_of(ev, value_get(v, key[i]));
	return found;
}

static struct client_text
header_conversation(struct event *ev, struct value headers)
{
	static const char *const name[] = { "x-claude-code-session-id", "x-codex-turn-metadata",
		"session_id",
		"session-id", "conversation_id", "conversation-id", "x-session-id",
		"x-conversation-id",
		"x-opencode-session", "x-session-affinity", "x-thread-id", "helicone-session-id" };
	static const char *const turn[] = { "session_id", "thread_id", "conversation_id" };
	struct client_text t = { 0 };

	for (size_t i = 0; i < sizeof(name) / sizeof(*name) && !t.n; i++) {
		struct value v = header_get(headers, name[i]);

		t = i == 1 ? id_inside(ev, v, turn, 3) : id_of(ev, v);
	}
	return t;
}

/* Claude Code's user_id: JSON with a session_id, before that
 * user_HASH_account_UUID_session_UUID. */
static struct client_text
user_conversation(struct event *ev, struct value user)
{
	static const char *const session[] = { "session_id" };
	struct client_text t = id_inside(ev, user, session, 1);
	const char *at;

	if (t.n || !is_text(user) || user.escaped)
		return t;
	if (!(at = memmem(user.p, user.n, "_session_", 9)) ||
	user.p + user.n - 1 - (at + 9) > ID_MAX)
		return t;
	return (struct client_text){ at + 9, user.p + user.n - 1 - (at + 9) };
}

struct client_text
client_conversation(struct event *ev, struct value headers, const struct request *a)
{
	static const char *const key[] = { "session_id", "conversation_id", "thread_id", "user_id",
	"sessionId" };
	struct value m[5], sent = a->conversation;
	struct client_text t;

	if (sent.kind == VALUE_OBJECT)
		sent = value_get(sent, "id");
	if ((t = id_of(ev, sent)).n)
		return t;
	if ((t = header_conversation(ev, headers)).n)
		return t;
	MEMBERS(a->metadata, key, m);
	if ((t = user_conversation(ev, m[3])).n)
		return t;
	for (int i = 0; i < 5; i++)
		if (i != 3 && (t = id_of(ev, m[i])).n)
			return t;
	return id_of(ev, a->cache_key);
}
