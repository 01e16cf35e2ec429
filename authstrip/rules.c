/* rules.c - see rules.h. The shapes are the vendors' own documented ones, as
 * collected by gitleaks; lengths are what is issued today, or a little less. */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fixed[RULE_TOKENS] = {
	"header", "key", "param", "env", "flag", "url-password", "private-key", "bearer", "basic", "token-endpoint", "hpack", "id",
};

enum { DIGIT = 1, IDS = 2 };

static const struct { const char *name, *pattern; int flags; } shapes[] = {
	{ "anthropic", "sk-ant-[a-z]{2,10}\\d{2}-[\\w-]{8,}", 0 }, { "anthropic", "sk-ant-[\\w-]{16,}", 0 },
	{ "openai", "sk-proj-[\\w-]{16,}", 0 }, { "openai", "sk-svcacct-[\\w-]{16,}", 0 }, { "openai", "sk-admin-[\\w-]{16,}", 0 },
	{ "openrouter", "sk-or-v1-[\\w-]{20,}", 0 }, { "sk", "sk-[\\w-]{20,}", DIGIT },
	{ "openai-ws", "openai-insecure-api-key\\.[\\w.-]{8,}", 0 },
	{ "google-key", "AIza[\\w-]{35,}", 0 }, { "google-oauth", "ya29\\.[\\w.-]{20,}", 0 }, { "google-refresh", "1//0[\\w-]{20,}", 0 },
	{ "google-secret", "GOCSPX-[\\w-]{20,}", 0 },
	{ "huggingface", "hf_[A-Za-z0-9]{34,}", 0 }, { "huggingface", "api_org_[A-Za-z0-9]{34,}", 0 },
	{ "perplexity", "pplx-[A-Za-z0-9]{40,}", 0 }, { "groq", "gsk_[A-Za-z0-9]{32,}", 0 }, { "xai", "xai-[A-Za-z0-9]{40,}", 0 },
	{ "replicate", "r8_[A-Za-z0-9]{32,}", 0 }, { "tavily", "tvly-[\\w-]{20,}", DIGIT }, { "cerebras", "csk-[a-z0-9]{40,}", 0 },
	{ "nvidia", "nvapi-[\\w-]{40,}", 0 }, { "jina", "jina_[A-Za-z0-9]{40,}", 0 }, { "e2b", "e2b_[a-f0-9]{40,}", 0 },
	{ "langsmith", "lsv2_[A-Za-z0-9_]{30,}", DIGIT }, { "pinecone", "pcsk_[A-Za-z0-9_]{40,}", 0 }, { "fireworks", "fw_[A-Za-z0-9]{22,}", DIGIT },
	{ "fly", "fo1_[\\w-]{40,}", 0 }, { "fly", "fm1[ar]_[A-Za-z0-9+/]{100,}=*", 0 }, { "fly", "fm2_[A-Za-z0-9+/]{100,}=*", 0 },
	{ "aws", "AKIA[A-Z0-9]{16}!", 0 }, { "aws", "ASIA[A-Z0-9]{16}!", 0 }, { "aws", "ABIA[A-Z0-9]{16}!", 0 },
	{ "aws", "ACCA[A-Z0-9]{16}!", 0 }, { "aws", "A3T[A-Z0-9]{17}!", DIGIT },
	{ "bedrock", "ABSK[A-Za-z0-9+/]{100,}=*", 0 }, { "bedrock", "bedrock-api-key-[A-Za-z0-9+/=_.-]{16,}", 0 },
	{ "github", "ghp_[A-Za-z0-9]{36,}", 0 }, { "github", "gho_[A-Za-z0-9]{36,}", 0 }, { "github", "ghs_[A-Za-z0-9]{36,}", 0 },
	{ "github", "ghu_[A-Za-z0-9]{36,}", 0 }, { "github", "ghr_[A-Za-z0-9]{36,}", 0 }, { "github", "github_pat_\\w{60,}", 0 },
	{ "gitlab", "glpat-[\\w.-]{20,}", 0 }, { "gitlab", "gldt-[\\w-]{20,}", 0 }, { "gitlab", "glrt-[\\w-]{20,}", 0 },
	{ "gitlab", "glptt-[\\w-]{20,}", 0 }, { "gitlab", "glcbt-[\\w-]{20,}", 0 },
	{ "slack", "xox[abeoprs]-[A-Za-z0-9-]{10,}", DIGIT }, { "slack", "xapp-[A-Za-z0-9-]{20,}", DIGIT },
	{ "slack-hook", "hooks\\.slack\\.com/services/[A-Za-z0-9/]{20,}", 0 },
	{ "stripe", "sk_test_[A-Za-z0-9]{10,}", 0 }, { "stripe", "sk_live_[A-Za-z0-9]{10,}", 0 }, { "stripe", "sk_prod_[A-Za-z0-9]{10,}", 0 },
	{ "stripe", "rk_test_[A-Za-z0-9]{10,}", 0 }, { "stripe", "rk_live_[A-Za-z0-9]{10,}", 0 }, { "stripe", "rk_prod_[A-Za-z0-9]{10,}", 0 },
	{ "stripe", "whsec_[A-Za-z0-9+/]{20,}=*", DIGIT },
	{ "sendgrid", "SG\\.[\\w-]{16,}\\.[\\w-]{16,}", 0 }, { "npm", "npm_[A-Za-z0-9]{36,}", 0 }, { "pypi", "pypi-AgE[\\w-]{40,}", 0 },
	{ "databricks", "dapi[a-f0-9]{32}!", DIGIT }, { "grafana", "glsa_[A-Za-z0-9_]{32,}", 0 }, { "grafana", "glc_eyJ[A-Za-z0-9+/=]{20,}", 0 },
	{ "vault", "hvs\\.[\\w-]{20,}", 0 }, { "vault", "hvb\\.[\\w-]{20,}", 0 }, { "doppler", "dp\\.pt\\.[A-Za-z0-9]{40,}", 0 },
	{ "doppler", "dp\\.st\\.[\\w.-]{40,}", 0 }, { "linear", "lin_api_[A-Za-z0-9]{32,}", 0 }, { "notion", "ntn_[A-Za-z0-9]{40,}", 0 },
	{ "newrelic", "NRAK-[A-Z0-9]{27,}", 0 }, { "sentry", "sntrys_[A-Za-z0-9+/=_]{40,}", 0 }, { "sentry", "sntryu_[a-f0-9]{64,}", 0 },
	{ "sourcegraph", "sgp_[A-Fa-f0-9_]{40,}", 0 }, { "1password", "ops_eyJ[A-Za-z0-9+/=_-]{40,}", 0 },
	{ "age", "AGE-SECRET-KEY-1[A-Z0-9]{50,}", 0 }, { "digitalocean", "dop_v1_[a-f0-9]{64,}", 0 }, { "digitalocean", "doo_v1_[a-f0-9]{64,}", 0 }, { "digitalocean", "dor_v1_[a-f0-9]{64,}", 0 },
	{ "shopify", "shpat_[A-Fa-f0-9]{32,}", 0 }, { "shopify", "shpss_[A-Fa-f0-9]{32,}", 0 }, { "shopify", "shpca_[A-Fa-f0-9]{32,}", 0 },
	{ "postman", "PMAK-[a-f0-9-]{50,}", 0 }, { "rubygems", "rubygems_[a-f0-9]{48,}", 0 }, { "supabase", "sbp_[a-f0-9]{40,}", 0 },
	{ "figma", "figd_[\\w-]{40,}", 0 }, { "atlassian", "ATATT3[\\w=-]{60,}", 0 },
	{ "jwt", "eyJ[\\w-]{10,}\\.eyJ[\\w-]{8,}\\.[\\w-]*", 0 }, { "jwe", "eyJ[\\w-]{10,}\\.[\\w-]*\\.[\\w-]{8,}\\.[\\w-]{8,}\\.[\\w-]{8,}", 0 },
	{ "jwt-base64", "ZXlK[A-Za-z0-9+/_-]{40,}=*", DIGIT },
	{ "id", "org-[A-Za-z0-9]{20,}", IDS }, { "id", "proj_[A-Za-z0-9]{20,}", IDS },
	{ "id", "user_[a-f0-9]{64}_account_[\\w-]{8,}", IDS },
};

/* What names of credentials hold. name.c decides; these only make it look. */
static const char *const name_words[] = {
	"key", "token", "secret", "passw", "passphrase", "pwd", "pass=", "auth", "cookie", "session", "sig", "credential",
	"assertion", "jwt", "ticket", "code=", "code\"", "code_verifier", "code-verifier", "codeverifier", "state=",
	"hmac", "saml", "cognito", "bearer", "honeycomb-team", "websocket-protocol", "code%3d", "state%3d", "sas=", "_pass\"", "_pass:",
};
static const char *const id_words[] = { "account", "organization", "org_id", "orgid", "org-id", "openai-project", "user-project", "user_uuid" };

static const struct { const char *word; int kind; } others[] = {
	{ "://", ANCHOR_URL }, { "%2f%2f", ANCHOR_URL_HEX }, { "-----begin", ANCHOR_PEM }, { "bearer", ANCHOR_BEARER },
	{ "basic", ANCHOR_BASIC }, { " -u", ANCHOR_USER }, { "\"-u", ANCHOR_USER }, { "--user", ANCHOR_USER },
	{ "--proxy-user", ANCHOR_USER },
};

static const char *
add_token(struct rules *r, const char *name, const char *text, int flags)
{
	struct rule *rule = &r->rule[r->n];
	const char *bad;

	if (r->n == RULES_MAX)
		return "too many rules";
	if (strlen(name) >= sizeof(rule->name))
		return "the name is too long";
	if ((bad = pattern_parse(&rule->pattern, text)))
		return bad;
	strcpy(rule->name, name);
	rule->digit = flags & DIGIT;
	rule->ids = flags & IDS;
	if (anchor_add(&r->anchors, rule->pattern.start, ANCHOR_TOKEN, r->n))
		return "too many words";
	r->n++;
	return NULL;
}

const char *
rules_init(struct rules *r)
{
	const char *bad = NULL;

	memset(r, 0, sizeof(*r));
	anchor_init(&r->anchors);
	for (r->n = 0; r->n < RULE_TOKENS; r->n++)
		strcpy(r->rule[r->n].name, fixed[r->n]);
	/* of words that begin alike the last one added is asked first */
	for (size_t i = sizeof(shapes) / sizeof(*shapes); i-- && !bad; )
		bad = add_token(r, shapes[i].name, shapes[i].pattern, shapes[i].flags);
	for (size_t i = 0; i < sizeof(name_words) / sizeof(*name_words); i++)
		if (anchor_add(&r->anchors, name_words[i], ANCHOR_NAME, 0))
			bad = "too many words";
	for (size_t i = 0; i < sizeof(id_words) / sizeof(*id_words); i++)
		if (anchor_add(&r->anchors, id_words[i], ANCHOR_NAME, 1))
			bad = "too many words";
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (anchor_add(&r->anchors, others[i].word, others[i].kind, 0))
			bad = "too many words";
	return bad;
}

static const char *
add_name(struct rules *r, const char *word, int rule)
{
	struct user_name *user = realloc(r->user, (r->nuser + 1) * sizeof(*user));
	char *plain = strdup(word);

	if (user)
		r->user = user;
	if (!user || !plain) {
		free(plain);
		return "out of memory";
	}
	plain[name_plain(plain, word, strlen(word))] = '\0';
	r->user[r->nuser++] = (struct user_name){ plain, rule };
	/* found by its first word: the rest may be spelt in many ways */
	if (rule >= 0) {
		size_t n = strcspn(word, "-_. ");
		char start[32] = "";

		memcpy(start, word, n < 31 ? n : 31);
		if (n < 3)
			snprintf(start, sizeof(start), "%s", word);
		if (anchor_add(&r->anchors, start, ANCHOR_NAME, 2))
			return "a name needs 3 bytes or more";
	}
	return NULL;
}

const char *
rules_line(struct rules *r, char *line)
{
	static const char space[] = " \t\r\n";
	char *save, *verb = strtok_r(line, space, &save), *name, *word;
	const char *bad = NULL;
	int rule = -1;

	if (!verb || *verb == '#')
		return NULL;
	if (strcmp(verb, "token") && strcmp(verb, "name") && strcmp(verb, "keep"))
		return "a line begins with token, name or keep";
	if (strcmp(verb, "keep")) {
		if (!(name = strtok_r(NULL, space, &save)))
			return "the rule's name is missing";
		if (!strcmp(verb, "token")) {
			if (!(word = strtok_r(NULL, space, &save)))
				return "the pattern is missing";
			if (strtok_r(NULL, space, &save))
				return "there is more behind the pattern";
			return add_token(r, name, word, 0);
		}
		if (r->n == RULES_MAX)
			return "too many rules";
		if (strlen(name) >= sizeof(r->rule->name))
			return "the name is too long";
		rule = r->n++;
		strcpy(r->rule[rule].name, name);
	}
	if (!(word = strtok_r(NULL, space, &save)))
		return "a word is missing";
	for (; word && !bad; word = strtok_r(NULL, space, &save))
		bad = strlen(word) > NAME_MAX_LEN ? "a word is too long" : add_name(r, word, rule);
	return bad;
}

void
rules_ready(struct rules *r)
{
	anchor_ready(&r->anchors);
}

void
rules_free(struct rules *r)
{
	for (size_t i = 0; i < r->nuser; i++)
		free(r->user[i].plain);
	free(r->user);
}

enum name_kind
rules_name(const struct rules *r, const char *s, size_t n, int *rule)
{
	char plain[NAME_MAX_LEN];
	enum name_kind k;

	if (r->nuser && n <= NAME_MAX_LEN) {
		size_t len = name_plain(plain, s, n);

		for (size_t i = r->nuser; i--; )
			if (strlen(r->user[i].plain) == len && !memcmp(r->user[i].plain, plain, len)) {
				*rule = r->user[i].rule;
				return *rule < 0 ? NAME_NONE : NAME_USER;
			}
	}
	k = name_kind(s, n);
	return k == NAME_ID && !r->ids ? NAME_NONE : k;
}
