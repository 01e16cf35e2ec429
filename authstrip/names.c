/*
 * names.c - see names.h; the list is that of gitleaks, of the vendors' own
 * documentation and of what agents were seen to send
 */
#include "names.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MAX_LEN = 64 };

/* Normalised. */
static const struct name { const char *name; enum name_class class; } names[] = {
	{ "accesskey", NAME_STRONG }, { "accesstoken", NAME_STRONG }, { "accountid", NAME_ID }, { "accountuuid", NAME_ID },
	{ "anthropicorganizationid", NAME_ID }, { "apikey", NAME_STRONG }, { "assertion", NAME_PARAM }, { "auth", NAME_PARAM },
	{ "authenticationinfo", NAME_HEADER }, { "authorization", NAME_STRONG }, { "authtoken", NAME_STRONG },
	{ "awsaccesskeyid", NAME_STRONG }, { "bearer", NAME_WEAK }, { "cfaccessclientsecret", NAME_STRONG },
	{ "cfaccessjwtassertion", NAME_STRONG }, { "cfauthorization", NAME_STRONG }, { "chatgptaccountid", NAME_ID },
	{ "clientassertion", NAME_STRONG }, { "clientsecret", NAME_STRONG }, { "code", NAME_PARAM }, { "codeverifier", NAME_STRONG },
	{ "cookie", NAME_STRONG }, { "cookie2", NAME_HEADER }, { "credential", NAME_WEAK }, { "credentials", NAME_WEAK },
	{ "ddapikey", NAME_STRONG }, { "ddapplicationkey", NAME_STRONG }, { "deploytoken", NAME_STRONG }, { "hmac", NAME_PARAM },
	{ "idtoken", NAME_STRONG }, { "jobtoken", NAME_STRONG }, { "jwt", NAME_WEAK }, { "key", NAME_PARAM },
	{ "ocpapimsubscriptionkey", NAME_STRONG }, { "openaiorganization", NAME_ID }, { "openaiproject", NAME_ID },
	{ "organizationid", NAME_ID }, { "organizationuuid", NAME_ID },
	{ "passphrase", NAME_STRONG }, { "passwd", NAME_STRONG }, { "password", NAME_STRONG }, { "privatekey", NAME_STRONG },
	{ "privatetoken", NAME_STRONG }, { "proxyauthenticate", NAME_SCHEME }, { "proxyauthorization", NAME_STRONG },
	{ "pwd", NAME_PARAM }, { "refreshtoken", NAME_STRONG }, { "samlresponse", NAME_STRONG }, { "sas", NAME_PARAM },
	{ "secret", NAME_WEAK }, { "secretaccesskey", NAME_STRONG }, { "secretkey", NAME_STRONG }, { "session", NAME_PARAM },
	{ "sessionid", NAME_PARAM }, { "sessiontoken", NAME_STRONG }, { "setcookie", NAME_STRONG }, { "setcookie2", NAME_HEADER },
	{ "sig", NAME_PARAM }, { "signature", NAME_PARAM }, { "state", NAME_PARAM }, { "stripesignature", NAME_HEADER },
	{ "ticket", NAME_PARAM }, { "token", NAME_WEAK }, { "wwwauthenticate", NAME_SCHEME },
	{ "xaccesstoken", NAME_STRONG }, { "xamzcredential", NAME_STRONG }, { "xamzsecuritytoken", NAME_STRONG },
	{ "xamzsignature", NAME_STRONG }, { "xapikey", NAME_STRONG }, { "xauthtoken", NAME_STRONG }, { "xconsultoken", NAME_STRONG },
	{ "xcsrftoken", NAME_STRONG }, { "xforwardedaccesstoken", NAME_STRONG }, { "xfunctionskey", NAME_STRONG },
	{ "xgithubtoken", NAME_STRONG }, { "xgoogapikey", NAME_STRONG }, { "xgoogcredential", NAME_STRONG },
	{ "xgoogiamauthorizationtoken", NAME_STRONG }, { "xgoogsignature", NAME_STRONG }, { "xgooguserproject", NAME_ID },
	{ "xhoneycombteam", NAME_HEADER }, { "xhubsignature", NAME_HEADER }, { "xhubsignature256", NAME_HEADER },
	{ "xsentryauth", NAME_HEADER }, { "xsessiontoken", NAME_STRONG }, { "xshopifyaccesstoken", NAME_STRONG },
	{ "xslacksignature", NAME_HEADER }, { "xsubjecttoken", NAME_STRONG }, { "xtwiliosignature", NAME_HEADER },
	{ "xvaulttoken", NAME_STRONG }, { "xxsrftoken", NAME_STRONG },
};

/* Open addressing, by FNV-1a of the name. */
enum { SLOTS = 512 };
static const struct name *slot[SLOTS];

static unsigned
hash(const char *s)
{
	unsigned h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h ^ h >> 16;
}

static void __attribute__((constructor))
fill_slots(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		unsigned h = hash(names[i].name);

		while (slot[h % SLOTS])
			h++;
		slot[h % SLOTS] = &names[i];
	}
}

static const struct name *
find(const char *flat)
{
	for (unsigned h = hash(flat); slot[h % SLOTS]; h++)
		if (!strcmp(slot[h % SLOTS]->name, flat))
			return slot[h % SLOTS];
	return NULL;
}

/* Whether the word ends the name, as a part of its own: "my_token", "myToken",
 * "GITHUB_TOKEN", and not "subtoken". */
static bool
last_word(const char *name, size_t n, const char *word)
{
	size_t w = strlen(word);
	const char *at = name + n - w;

	if (n <= w)
		return false;
	for (size_t i = 0; i < w; i++)
		if (tolower((unsigned char)at[i]) != word[i])
			return false;
	return (at[-1] == '-' || at[-1] == '_' || at[-1] == '.' ||
	    (isupper((unsigned char)at[0]) && islower((unsigned char)at[-1])));
}

enum name_class
name_class(const char *name, size_t n)
{
	/* last words; what precedes them says whose */
	static const struct name words[] = {
		{ "token", NAME_STRONG }, { "secret", NAME_STRONG }, { "password", NAME_STRONG }, { "passwd", NAME_STRONG },
		{ "passphrase", NAME_STRONG }, { "credential", NAME_STRONG }, { "apikey", NAME_STRONG }, { "api_key", NAME_STRONG },
		{ "api-key", NAME_STRONG }, { "private_key", NAME_STRONG }, { "secret_key", NAME_STRONG }, { "access_key", NAME_STRONG },
		{ "session", NAME_HEADER }, { "auth", NAME_HEADER }, { "signature", NAME_HEADER },
	};
	static const struct name not_secret[] = { { "pagetoken", 0 }, { "nextpagetoken", 0 }, { "synctoken", 0 } };
	char flat[NAME_MAX_LEN + 1];
	const struct name *found;
	size_t len = 0;

	if (n > NAME_MAX_LEN)
		return NAME_NONE;
	for (size_t i = 0; i < n; i++)
		if (name[i] != '-' && name[i] != '_' && name[i] != '.')
			flat[len++] = tolower((unsigned char)name[i]);
	flat[len] = '\0';
	if (len < 3)
		return NAME_NONE;
	if ((found = find(flat)))
		return found->class;
	if (!strchr("ntdehlys", flat[len - 1]))
		return NAME_NONE;	/* no last word ends so */
	for (size_t i = 0; i < sizeof(not_secret) / sizeof(*not_secret); i++)
		if (!strcmp(flat, not_secret[i].name))
			return NAME_NONE;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (last_word(name, n, words[i].name))
			return words[i].class;
	return NAME_NONE;
}
