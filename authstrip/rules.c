/* rules.c - see rules.h */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fixed[RULE_TOKENS] = {
	"header", "key", "param", "env", "flag", "url-password", "private-key", "bearer", "basic",
	"token-endpoint", "hpack", "id",
};

/* What names of credentials hold. name.c decides; these only make it look. */
static const char *const name_words[] = {
	"key", "token", "secret", "passw", "passphrase", "pwd", "pass=", "auth", "cookie",
	"session", "sig", "credential", "assertion", "jwt", "ticket", "code=", "code\"",
	"code_verifier", "code-verifier", "codeverifier", "state=", "hmac", "saml", "cognito",
	"bearer", "honeycomb-team", "websocket-protocol", "code%3d", "state%3d", "sas=", "pass\"",
	"pass:", "pass\\", "pass'", "psk", "masterauth", "requirepass", "passcode", "storepass",
	"keypass", "kennwort", "wachtwoord", "senha", "-pass ", "pass ", "pass]", "pass%5d",
};
static const char *const id_words[] = { "account", "organization", "org_id", "orgid", "org-id",
    "openai-project", "user-project", "user_uuid" };

/* Calls whose second argument is a password, whatever it looks like. */
static const char *const calls[] = {
	"auth=(", "basicauth(", "digestauth(", "networkcredential(", "passwordcredentials(",
	"usernamepasswordcredential(", "setbasicauth(", "basic_auth(", "userpassword(",
	"newstaticcredentials(", "newstaticcredentialsprovider(",
};

static const struct { const char *word; int kind; } others[] = {
	{ "://", ANCHOR_URL }, { "%2f%2f", ANCHOR_URL_HEX }, { "-----begin", ANCHOR_PEM },
	{ "---- begin", ANCHOR_PEM }, { "private-lines:", ANCHOR_LINES },
	{ "encrypted secret key", ANCHOR_LINES }, { "value\"", ANCHOR_VALUE },
	{ "value\\", ANCHOR_VALUE }, { "<d>", ANCHOR_QUOTED }, { "securestring ", ANCHOR_QUOTED },
	{ "bearer", ANCHOR_BEARER }, { "basic", ANCHOR_BASIC }, { " -u", ANCHOR_USER },
	{ "\"-u", ANCHOR_USER }, { "--user", ANCHOR_USER }, { "--proxy-user", ANCHOR_USER },
	{ " -p", ANCHOR_OPTION }, { "\"-p", ANCHOR_OPTION }, { " -w ", ANCHOR_OPTION },
	{ "\"-w\"", ANCHOR_OPTION }, { " -a ", ANCHOR_OPTION }, { "\"-a\"", ANCHOR_OPTION },
	{ " -k ", ANCHOR_OPTION }, { "\"-k\"", ANCHOR_OPTION }, { " -n ", ANCHOR_OPTION },
	{ "\"-n\"", ANCHOR_OPTION }, { " -b", ANCHOR_OPTION }, { "\"-b", ANCHOR_OPTION },
	{ " -t ", ANCHOR_OPTION }, { " -c ", ANCHOR_OPTION }, { " -u", ANCHOR_OPTION },
	{ "\"-u", ANCHOR_OPTION }, { "--body", ANCHOR_OPTION }, { "--value", ANCHOR_OPTION },
	{ "--cookie", ANCHOR_OPTION }, { "--src-creds", ANCHOR_OPTION },
	{ "--dest-creds", ANCHOR_OPTION }, { "--creds", ANCHOR_OPTION },
	{ "--oauth2-bearer", ANCHOR_OPTION }, { "vault login", ANCHOR_LOGIN },
	{ "cargo login", ANCHOR_LOGIN }, { "snyk auth", ANCHOR_LOGIN },
	{ "server community", ANCHOR_LOGIN }, { "npm login", ANCHOR_LOGIN },
	{ "doppler login", ANCHOR_LOGIN }, { "htpasswd ", ANCHOR_THIRD },
	{ " /user:", ANCHOR_THIRD }, { " /p:", ANCHOR_OPTION }, { "echo ", ANCHOR_ECHO },
	{ "printf ", ANCHOR_ECHO }, { "<<<", ANCHOR_HERE }, { "identified ", ANCHOR_IDENTIFIED },
	{ "login(", ANCHOR_CALL }, { "authenticate(", ANCHOR_CALL },
	{ "mot de passe", ANCHOR_SAID }, { "contrase\xc3\xb1" "a", ANCHOR_SAID },
	{ "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c", ANCHOR_SAID },	/* Russian */
	{ "\xd0\x9f\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c", ANCHOR_SAID },
	/* Chinese */
	{ "\xe5\xaf\x86\xe7\xa0\x81", ANCHOR_SAID }, { "\xe5\xaf\x86\xe7\xa2\xbc", ANCHOR_SAID },
	/* Japanese */
	{ "\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89", ANCHOR_SAID },
	{ "contrase\\u00f1a", ANCHOR_SAID },
	{ "\\u0430\\u0440\\u043e\\u043b\\u044c", ANCHOR_SAID }, { "\\u5bc6\\u7801", ANCHOR_SAID },
	{ "\\u5bc6\\u78bc", ANCHOR_SAID },
	{ "\\u30d1\\u30b9\\u30ef\\u30fc\\u30c9", ANCHOR_SAID },	/* the same with escapes */
	{ "\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8", ANCHOR_SAID },	/* Korean */
	{ ":5432:", ANCHOR_PGPASS }, { ":5433:", ANCHOR_PGPASS }, { ":6432:", ANCHOR_PGPASS },
	{ "*:*:", ANCHOR_PGPASS }, { ":thin:", ANCHOR_ORACLE }, { "sqlplus ", ANCHOR_ORACLE },
	{ "/reset/", ANCHOR_PATH }, { "/reset-password/", ANCHOR_PATH },
	{ "/password-reset/", ANCHOR_PATH }, { "/invite/", ANCHOR_PATH },
	{ "/invitation/", ANCHOR_PATH }, { "/magic-link/", ANCHOR_PATH },
	{ "/verify-email/", ANCHOR_PATH }, { "/activate/", ANCHOR_PATH },
	{ "/unsubscribe/", ANCHOR_PATH }, { "true\t/", ANCHOR_JAR }, { "false\t/", ANCHOR_JAR },
	{ "true\\t/", ANCHOR_JAR }, { "false\\t/", ANCHOR_JAR }, { "\"d\"", ANCHOR_JWK },
	{ "\"d\\", ANCHOR_JWK }, { "\"k\"", ANCHOR_JWK }, { "\"k\\", ANCHOR_JWK },
};

static const char *const escapes[] = { "\\/", "\\u002", "\\u003", "\\u004", "\\u005", "\\u006",
    "\\u007" };

static const char *
add_start(struct rules *r, const char *start, size_t n, size_t len)
{
	char word[ANCHOR_TEXT + 1];

	if (n > ANCHOR_TEXT || r->nstart == ANCHOR_MAX)
		return "too many words";
	memcpy(word, start, n);
	word[n] = '\0';
	r->start[r->nstart] = (struct rule_start){ r->n, len };
	if (anchor_add(&r->anchors, word, false, ANCHOR_TOKEN, r->nstart))
		return "too many words";
	r->nstart++;
	return NULL;
}

/* The literal starts of a shape; "%" stands for any of some bytes. */
static const char *
add_starts(struct rules *r, const char *starts)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	const char *bad = NULL;
	char word[ANCHOR_TEXT];

	for (const char *p = starts; *p && !bad; p += *p == ' ') {
		size_t n = strcspn(p, " ");

		if (n > 2 && p[n - 2] == '%') {
			size_t count = p[n - 1] == 'd' ? 10 : strlen(hex);

			memcpy(word, p, n - 2);
			for (size_t i = 0; i < count && !bad; i++) {
				word[n - 2] = hex[i];
				bad = add_start(r, word, n - 1, n - 2);
			}
		} else {
			bad = add_start(r, p, n, n);
		}
		p += n;
	}
	return bad;
}

static const char *
add_rule(struct rules *r, const char *name, int flags)
{
	struct rule *rule = &r->rule[r->n];

	if (r->n == RULES_MAX)
		return "too many rules";
	if (strlen(name) >= sizeof(rule->name))
		return "the name is too long";
	strcpy(rule->name, name);
	rule->flags = flags;
	return NULL;
}

static const char *
add_shape(struct rules *r, const struct shape *s)
{
	const char *bad = add_rule(r, s->name, s->flags);

	if (!bad)
		bad = pattern_parse(&r->rule[r->n].pattern, s->before, s->behind);
	if (!bad)
		bad = add_starts(r, s->starts);
	r->n++;
	return bad;
}

/* One of the user's. */
static const char *
add_token(struct rules *r, const char *name, const char *text)
{
	char start[PATTERN_START + 1];
	const char *bad = add_rule(r, name, 0);

	if (!bad)
		bad = pattern_parse_whole(&r->rule[r->n].pattern, text, start);
	if (!bad)
		bad = add_start(r, start, strlen(start), strlen(start));
	r->n += !bad;
	return bad;
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
	for (unsigned i = nshapes; i-- && !bad; )
		bad = add_shape(r, &shapes[i]);
	for (size_t i = 0; i < sizeof(name_words) / sizeof(*name_words); i++)
		if (anchor_add(&r->anchors, name_words[i], true, ANCHOR_NAME, 0))
			bad = "too many words";
	for (size_t i = 0; i < sizeof(id_words) / sizeof(*id_words); i++)
		if (anchor_add(&r->anchors, id_words[i], true, ANCHOR_NAME, 1))
			bad = "too many words";
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (anchor_add(&r->anchors, calls[i], true, ANCHOR_CALL, 1))
			bad = "too many words";
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (anchor_add(&r->anchors, others[i].word, true, others[i].kind, 0))
			bad = "too many words";
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++)
		if (anchor_add(&r->anchors, escapes[i], false, ANCHOR_ESCAPE, 0))
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
		if (anchor_add(&r->anchors, start, true, ANCHOR_NAME, 2))
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
			return add_token(r, name, word);
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

const char *
rules_ready(struct rules *r)
{
	return anchor_ready(&r->anchors);
}

void
rules_free(struct rules *r)
{
	for (size_t i = 0; i < r->nuser; i++)
		free(r->user[i].plain);
	free(r->user);
	anchor_free(&r->anchors);
	anchor_hits_free(&r->hits);
}

enum name_kind
rules_name(const struct rules *r, const char *s, size_t n, int *rule)
{
	char plain[NAME_MAX_LEN];
	enum name_kind k;

	if (r->nuser && n <= NAME_MAX_LEN) {
		size_t len = name_plain(plain, s, n);

		for (size_t i = r->nuser; i--; )
			if (strlen(r->user[i].plain) == len &&
			    !memcmp(r->user[i].plain, plain, len)) {
				*rule = r->user[i].rule;
				return *rule < 0 ? NAME_NONE : NAME_USER;
			}
	}
	k = name_kind(s, n);
	return k == NAME_ID && !r->ids ? NAME_NONE : k;
}
