/* name.c - see name.h */
#include "name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Sorted by name: found by bsearch. */
static const struct known {
	const char *name;
	enum name_kind kind;
} known[] = {
	{ "accesskeyid", NAME_SECRET }, { "accesskeysecret", NAME_SECRET },
	{ "accesssecret", NAME_SECRET }, { "accesstoken", NAME_SECRET },
	{ "accesstokens", NAME_SECRET }, { "accountid", NAME_ID }, { "accountkey", NAME_SECRET },
	{ "accountuuid", NAME_ID }, { "ansiblebecomepass", NAME_SECRET },
	{ "anthropicorganizationid", NAME_ID }, { "apikey", NAME_HEADER },
	{ "apikeys", NAME_SECRET }, { "apisecret", NAME_SECRET }, { "apisecretkey", NAME_SECRET },
	{ "apitoken", NAME_SECRET }, { "apitokens", NAME_SECRET }, { "appsecret", NAME_SECRET },
	{ "assertion", NAME_RANDOM }, { "auth", NAME_AUTH },
	{ "authenticationinfo", NAME_HEADER }, { "authenticationtoken", NAME_SECRET },
	{ "authorization", NAME_HEADER }, { "authtoken", NAME_SECRET },
	{ "authtokens", NAME_SECRET }, { "awsaccesskeyid", NAME_SECRET },
	{ "awssecretaccesskey", NAME_SECRET }, { "awssessiontoken", NAME_SECRET },
	{ "bearer", NAME_RANDOM }, { "bearertoken", NAME_SECRET }, { "becomepass", NAME_SECRET },
	{ "botsecret", NAME_SECRET }, { "cfaccessclientsecret", NAME_HEADER },
	{ "cfaccessjwtassertion", NAME_HEADER }, { "cfauthorization", NAME_HEADER },
	{ "chatgptaccountid", NAME_ID }, { "clientassertion", NAME_SECRET },
	{ "clientkey", NAME_SECRET }, { "clientkeydata", NAME_SECRET },
	{ "clientsecret", NAME_SECRET }, { "code", NAME_RANDOM }, { "codeverifier", NAME_SECRET },
	{ "connectionpassword", NAME_SECRET }, { "connectsid", NAME_RANDOM },
	{ "consumersecret", NAME_SECRET }, { "cookie", NAME_COOKIE }, { "cookie2", NAME_COOKIE },
	{ "cookiesecret", NAME_SECRET }, { "credential", NAME_RANDOM },
	{ "credentials", NAME_RANDOM }, { "csrftoken", NAME_SECRET }, { "ddapikey", NAME_HEADER },
	{ "ddapplicationkey", NAME_HEADER }, { "deploytoken", NAME_HEADER },
	{ "encryptedpassword", NAME_SECRET }, { "encryptionkey", NAME_SECRET },
	{ "hmac", NAME_RANDOM }, { "idtoken", NAME_SECRET }, { "jobtoken", NAME_HEADER },
	{ "jsessionid", NAME_RANDOM }, { "jwt", NAME_RANDOM }, { "jwtsecret", NAME_SECRET },
	{ "kennwort", NAME_SECRET }, { "key", NAME_RANDOM }, { "keypass", NAME_SECRET },
	{ "keystorepassword", NAME_SECRET }, { "machinetoken", NAME_SECRET },
	{ "masterauth", NAME_SECRET }, { "masterkey", NAME_SECRET }, { "mcpsessionid", NAME_ID },
	{ "mfasecret", NAME_SECRET }, { "npmauthtoken", NAME_SECRET },
	{ "oauthtoken", NAME_SECRET }, { "ocpapimsubscriptionkey", NAME_HEADER },
	{ "oldpwd", NAME_NONE }, { "openaiorganization", NAME_ID }, { "openaiproject", NAME_ID },
	{ "organizationid", NAME_ID }, { "organizationuuid", NAME_ID }, { "orgid", NAME_ID },
	{ "otpsecret", NAME_SECRET }, { "pass", NAME_SECRET }, { "passcode", NAME_SECRET },
	{ "passphrase", NAME_SECRET }, { "passwd", NAME_SECRET }, { "password", NAME_SECRET },
	{ "passwords", NAME_SECRET }, { "passwort", NAME_SECRET }, { "pgpassword", NAME_SECRET },
	{ "phpsessid", NAME_RANDOM }, { "presharedkey", NAME_SECRET },
	{ "privatekey", NAME_SECRET }, { "privatekeydata", NAME_SECRET },
	{ "privatetoken", NAME_HEADER }, { "proxyauthenticate", NAME_CHALLENGE },
	{ "proxyauthorization", NAME_HEADER }, { "psk", NAME_SECRET }, { "pwd", NAME_PWD },
	{ "refreshtoken", NAME_SECRET }, { "requirepass", NAME_SECRET },
	{ "rpcpassword", NAME_SECRET }, { "samlresponse", NAME_SECRET }, { "sas", NAME_QUERY },
	{ "secret", NAME_SECRET }, { "secretaccesskey", NAME_SECRET },
	{ "secretaccesskeyid", NAME_SECRET }, { "secretkey", NAME_SECRET },
	{ "secretkeybase", NAME_SECRET }, { "secretkeys", NAME_SECRET },
	{ "secrets", NAME_SECRET }, { "secretstring", NAME_SECRET },
	{ "securestring", NAME_SECRET }, { "secwebsocketprotocol", NAME_PROTOCOL },
	{ "senha", NAME_SECRET }, { "serviceaccountkey", NAME_SECRET }, { "sessid", NAME_RANDOM },
	{ "session", NAME_RANDOM }, { "sessionid", NAME_RANDOM },
	{ "sessionsecret", NAME_SECRET }, { "sessiontoken", NAME_SECRET },
	{ "setcookie", NAME_COOKIE }, { "setcookie2", NAME_COOKIE },
	{ "sharedaccesskey", NAME_SECRET }, { "sharedaccesssignature", NAME_SECRET },
	{ "sid", NAME_RANDOM }, { "sig", NAME_RANDOM }, { "signature", NAME_QUERY },
	{ "signingkey", NAME_SECRET }, { "signingsecret", NAME_SECRET },
	{ "sshpass", NAME_SECRET }, { "state", NAME_QUERY }, { "storepass", NAME_SECRET },
	{ "stripesignature", NAME_HEADER }, { "ticket", NAME_RANDOM }, { "token", NAME_TOKEN },
	{ "tokens", NAME_RANDOM }, { "tokensecret", NAME_SECRET }, { "totpsecret", NAME_SECRET },
	{ "truststorepassword", NAME_SECRET }, { "usertoken", NAME_SECRET },
	{ "useruuid", NAME_ID }, { "verificationtoken", NAME_SECRET },
	{ "wachtwoord", NAME_SECRET }, { "webhooksecret", NAME_SECRET },
	{ "wpapassphrase", NAME_SECRET }, { "wwwauthenticate", NAME_CHALLENGE },
	{ "xaccesstoken", NAME_HEADER }, { "xamzcredential", NAME_SECRET },
	{ "xamzsecuritytoken", NAME_HEADER }, { "xamzsignature", NAME_SECRET },
	{ "xapikey", NAME_HEADER }, { "xauthtoken", NAME_HEADER }, { "xcsrftoken", NAME_HEADER },
	{ "xforwardedaccesstoken", NAME_HEADER }, { "xfunctionskey", NAME_HEADER },
	{ "xgithubtoken", NAME_HEADER }, { "xgoogapikey", NAME_HEADER },
	{ "xgoogcredential", NAME_SECRET }, { "xgoogiamauthorizationtoken", NAME_HEADER },
	{ "xgoogsignature", NAME_SECRET }, { "xgooguserproject", NAME_ID },
	{ "xhoneycombteam", NAME_HEADER }, { "xhubsignature", NAME_HEADER },
	{ "xhubsignature256", NAME_HEADER }, { "xsentryauth", NAME_HEADER },
	{ "xsessionid", NAME_ID }, { "xsessiontoken", NAME_HEADER },
	{ "xshopifyaccesstoken", NAME_HEADER }, { "xslacksignature", NAME_HEADER },
	{ "xsrftoken", NAME_RANDOM }, { "xsubjecttoken", NAME_HEADER },
	{ "xtwiliosignature", NAME_HEADER }, { "xvaulttoken", NAME_HEADER },
	{ "xxsrftoken", NAME_HEADER },
};

/* The last part of a longer name that makes it a credential ... */
static const char *const secret_ends[] = {
	"token", "secret", "password", "passwd", "passphrase", "pwd", "pass", "credential",
	"credentials", "apikey", "jwt",
};
/* ... unless this stands before it: page_token, eos_token, cost_per_token. */
static const char *const harmless[] = {
	"next", "page", "continuation", "sync", "pagination", "prev", "previous", "cancel",
	"cancellation", "eos", "bos", "pad", "unk", "sep", "mask", "cls", "special", "stop",
	"end", "start", "begin", "first", "last", "per", "max", "min", "each", "new", "output",
	"input", "completion", "prompt", "cached", "reasoning", "thinking", "lookahead", "syntax",
	"current", "peek", "image", "audio", "text", "total", "use", "is", "has", "no", "count",
	"num", "design", "css", "color", "theme", "symbol", "idempotency", "request", "resume",
	"budget", "old", "init", "by", "show", "hide", "forgot", "reset", "change", "one",
	"single", "open", "close", "draft", "decode", "encode", "to",
};
/* FOO_key */
static const char *const secret_keys[] = {
	"api", "private", "secret", "access", "signing", "encryption", "master", "auth",
	"service", "account", "subscription", "ssh", "deploy", "license", "storage", "admin",
	"shared", "app", "application",
};
static const char *const public_keys[] = {
	"primary", "foreign", "public", "hot", "sort", "partition", "cache", "routing",
	"idempotency", "range", "hash", "lookup", "index", "unique", "composite", "registry",
	"object", "row", "group", "map", "dict", "translation", "locale", "config", "setting",
	"settings", "event", "react", "any", "enter", "escape", "arrow", "shift", "ctrl", "alt",
};

static bool
in(const char *const *list, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && !strncasecmp(list[i], s, len))
			return true;
	return false;
}
#define IN(list, s, len) in(list, sizeof(list) / sizeof(*(list)), s, len)

size_t
name_plain(char *to, const char *s, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] != '-' && s[i] != '_' && s[i] != '.' && s[i] != ' ')
			to[k++] = tolower((unsigned char)s[i]);
	return k;
}

struct sought { const char *s; size_t n; };

static int
by_name(const void *a, const void *b)
{
	const struct sought *k = a;
	const struct known *e = b;
	int d = strncmp(k->s, e->name, k->n);

	return d ? d : e->name[k->n] ? -1 : 0;
}

/* The words of a name: at - _ . and where lower case meets upper case. */
struct words { size_t n; struct { const char *s; size_t n; } w[16]; };

static void
split(struct words *w, const char *s, size_t n)
{
	size_t from = 0;

	w->n = 0;
	for (size_t i = 0; i <= n; i++) {
		bool mark = i == n || s[i] == '-' || s[i] == '_' || s[i] == '.';
		bool hump = !mark && i > from && isupper((unsigned char)s[i]) &&
		    (islower((unsigned char)s[i - 1]) ||
		    (i + 1 < n && isupper((unsigned char)s[i - 1]) &&
		    islower((unsigned char)s[i + 1])));

		if (!mark && !hump)
			continue;
		if (i > from && w->n < 16) {
			w->w[w->n].s = s + from;
			w->w[w->n++].n = i - from;
		}
		from = i + mark;
	}
}

/* A longer name, by its last words. */
static enum name_kind
by_words(const struct words *w, const char *s, size_t n)
{
	static const char *const part[] = {
		"token", "secret", "password", "passwd", "credential", "apikey", "session",
		"auth", "signature",
	};
	/* of credentials, and none: x-amzn-bedrock-input-token-count */
	static const char *const about[] = { "count", "limit", "remaining", "reset", "expires",
	    "expiry", "type" };
	static const char *const key[] = { "key" };
	const char *last = w->w[w->n - 1].s, *before = w->n > 1 ? w->w[w->n - 2].s : NULL;
	size_t len = w->w[w->n - 1].n, blen = w->n > 1 ? w->w[w->n - 2].n : 0;
	bool caps = true;

	if (!before)
		return NAME_NONE;
	if (IN(secret_ends, last, len))
		return IN(harmless, before, blen) ? NAME_NONE : memchr(s, '-', n) ? NAME_HEADER :
		    NAME_SECRET;
	if (IN(key, last, len)) {
		if (IN(public_keys, before, blen))
			return NAME_NONE;
		if (IN(secret_keys, before, blen))
			return memchr(s, '-', n) ? NAME_HEADER : NAME_SECRET;
		for (size_t i = 0; i < n; i++)
			caps = caps && !islower((unsigned char)s[i]);
		return caps ? NAME_KEY : NAME_NONE;
	}
	if (len == 2 && !strncasecmp(last, "id", 2) &&
	    (blen == 7 && !strncasecmp(before, "session", 7)))
		return NAME_ID;
	for (size_t i = 0; i < w->n && !IN(about, last, len); i++)
		if (IN(part, w->w[i].s, w->w[i].n))
			return NAME_ANY;
	return NAME_NONE;
}

enum name_kind
name_kind(const char *s, size_t n)
{
	char plain[NAME_MAX_LEN];
	struct sought k = { plain, 0 };
	const struct known *e;
	struct words w;

	while (n && (s[0] == '-' || s[0] == '_' || s[0] == '.'))
		s++, n--;
	while (n && (s[n - 1] == '-' || s[n - 1] == '_' || s[n - 1] == '.'))
		n--;
	if (!n || n > NAME_MAX_LEN)
		return NAME_NONE;
	k.n = name_plain(plain, s, n);
	e = bsearch(&k, known, sizeof(known) / sizeof(*known), sizeof(*known), by_name);
	if (e)
		return e->kind;
	if ((k.n > 8 && !memcmp(plain, "xmstoken", 8)) ||
	    (k.n > 11 && !memcmp(plain, "xamzcognito", 11)))
		return NAME_HEADER;
	split(&w, s, n);
	return w.n ? by_words(&w, s, n) : NAME_NONE;
}
