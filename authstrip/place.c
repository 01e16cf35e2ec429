/* place.c - values that are credentials because of the command or call around them */
#include "scan.h"

#include <stdint.h>
#include <strings.h>

enum { BACK = 400 };	/* bytes that a command may have before its option */

/* --- values ------------------------------------------------------------------ */

bool
looks_strong(const char *s, size_t n)
{
	bool digit = false, upper = false, lower = false, mark = false;

	if (n < 6)
		return false;
	for (size_t i = 0; i < n && i < 128; i++) {
		unsigned char ch = s[i];

		if (ch <= ' ' || strchr("()<>{}", ch))
			return false;
		digit = digit || isdigit(ch);
		upper = upper || isupper(ch);
		lower = lower || islower(ch);
		mark = mark || strchr("!@#$%^&*+=", ch);
	}
	return (upper || lower) && (digit || (mark && n >= 8) || (upper && lower && n >= 20));
}

/* A quoted string or a word at i: where it is. False: there is none. */
bool
scan_argument(struct scan *c, size_t i, const char *stop, size_t *from, size_t *end)
{
	size_t k;

	i = scan_color(c, i);
	k = backslashes(c, i);
	if (at(c, i + k) == '"' || at(c, i + k) == '\'' || at(c, i + k) == '`') {
		*from = i + k + 1;
		*end = scan_quote_end(c, *from, c->s[i + k], k, SECRET_LOOK);
		/* what goes over lines is no argument */
		for (size_t j = *from; j < *end; j++)
			if ((c->s[j] == '\n' || c->s[j] == '\\') && scan_eol(c, j))
				return false;
	} else {
		if (k)
			return false;
		*from = i;
		*end = scan_word_end(c, i, stop, SECRET_LOOK);
	}
	return *end > *from;
}

/* The argument that follows: behind spaces, or the next string of a list. */
static size_t
next_argument(struct scan *c, size_t i)
{
	size_t k = backslashes(c, i);

	if (at(c, i + k) == '"' || at(c, i + k) == '\'') {
		i += k + 1;
		if (at(c, i) != ',')
			return 0;
		for (i++; at(c, i) == ' '; i++)
			;
		return i;
	}
	if (k || (at(c, i) != ' ' && at(c, i) != '='))
		return 0;
	while (at(c, i) == ' ' || at(c, i) == '=')
		i++;
	return i;
}

static size_t
add_value(struct scan *c, size_t i, const char *stop, int rule)
{
	size_t from, end;

	c->value = i;
	if (!scan_argument(c, i, stop, &from, &end))
		return 0;
	c->value = from;
	if (scan_mark(c, from))
		return scan_mark(c, from);
	if (looks_hollow(c->s + from, end - from) || c->s[from] == '-')
		return 0;
	scan_add(c, from, end, rule, -1);
	return end;
}

/* --- commands -------------------------------------------------------------------- */

/* Where the command line begins that s[pos] is in. */
static size_t
command_start(struct scan *c, size_t pos)
{
	size_t low = pos > BACK ? pos - BACK : 0, i = pos;

	if (low < c->floor)
		low = c->floor;
	for (; i > low; i--) {
		char ch = c->s[i - 1];

		if (ch == '\n' || ch == ';' || ch == '|' || ch == '`' ||
		    (ch == 'n' && i > low + 1 && c->s[i - 2] == '\\'))
			break;
	}
	return i;
}

/* Whether one of the words (with spaces around each) is in s[from..to). */
static bool
has_word(struct scan *c, size_t from, size_t to, const char *words)
{
	for (size_t i = from; i < to; ) {
		size_t n = 0;
		const char *w = words;

		while (i + n < to && (isalnum((unsigned char)c->s[i + n]) ||
		    strchr("-_.", c->s[i + n])))
			n++;
		for (; n && (w = strcasestr(w, " ")) && w[1]; w++)
			if (!strncasecmp(w + 1, c->s + i, n) && w[1 + n] == ' ')
				return true;
		i += n + 1;
	}
	return false;
}

enum { NEXT = 1, GLUED = 2, COLON = 4, PERCENT = 8 };

/* Options that take a password, and whose. Words with spaces around each. */
static const struct option {
	const char *name, *commands, *also;	/* also: one of these is there as well */
	int how;
} passwords[] = {
	{ "-p",
	    " mysql mysqldump mysqladmin mysqlimport mysqlsh mysqlcheck "
	    "mysqlpump mariadb mariadb-dump mysqlshow ", NULL, GLUED },
	{ "-p", " sshpass ", NULL, NEXT | GLUED },
	{ "-p", " docker podman buildah helm nerdctl oras crane skopeo regctl ", " login ", NEXT },
	{ "-p",
	    " ncftp rdesktop psexec twine mongo mongosh mongodump mongorestore "
	    "mongoexport mongoimport useradd usermod rabbitmqadmin cqlsh ", NULL, NEXT },
	{ "-p", " az ", " login ", NEXT },
	{ "-p", " 7z 7za 7zr 7zz rar unrar ", NULL, GLUED },
	{ "-P", " sqlcmd bcp isql tsql zip unzip zipcloak ssh-keygen ipmitool ", NULL,
	    NEXT | GLUED },
	{ "-N", " ssh-keygen ", NULL, NEXT },
	{ "-w",
	    " ldapsearch ldapmodify ldapadd ldapwhoami ldappasswd ldapdelete ldapcompare security ",
	    NULL, NEXT },
	{ "-a", " redis-cli ", NULL, NEXT },
	{ "-a", " http https httpie xh ", NULL, NEXT | COLON },
	{ "-k", " openssl ", NULL, NEXT },
	{ "-pw", " plink pscp psftp putty ", NULL, NEXT },
	{ "-U", " smbclient rpcclient smbget net nmblookup wmic winexe ", NULL, NEXT | PERCENT },
	{ "-u", " curl ", NULL, GLUED | COLON },
	{ "-u", " lftp ", NULL, NEXT },
	{ "-b", " gh ", " secret ", NEXT | GLUED },
	{ "--body", " gh ", " secret ", NEXT },
	{ "--value", " az keyvault ", " secret ", NEXT },
	{ "--cookie", " curl ", NULL, NEXT },
	{ "-b", " curl ", NULL, NEXT },
	{ "--src-creds", " skopeo ", NULL, NEXT | COLON },
	{ "--dest-creds", " skopeo ", NULL, NEXT | COLON },
	{ "--creds", " skopeo buildah podman ", NULL, NEXT | COLON },
	{ "--oauth2-bearer", " curl ", NULL, NEXT },
	{ "-t", " influx ", NULL, NEXT },
	{ "-t", " doctl ", " init ", NEXT },
	{ "-c", " snmpwalk snmpget snmpset snmpbulkwalk ", NULL, NEXT },
	{ "/p:", " xfreerdp wfreerdp sdl-freerdp rdesktop ", NULL, GLUED },
};

static size_t
option_value(struct scan *c, const struct option *o, size_t i)
{
	size_t from, end;
	const char *cut;

	if (!(o->how & GLUED) || (o->how & NEXT && (at(c, i) == ' ' || at(c, i) == '"' ||
	    (at(c, i) == '\\' && at(c, i + backslashes(c, i)) == '"' &&
	    at(c, i + backslashes(c, i) + 1) == ','))))
		i = o->how & NEXT ? next_argument(c, i) : 0;
	if (!i || at(c, i) == ' ' || (c->n - i >= 7 && !memcmp(c->s + i, "assword", 7)))
		return 0;	/* -password is another option */
	c->value = i;
	if (!scan_argument(c, i, "|;&", &from, &end) || c->s[from] == '-')
		return 0;
	if (o->how & (COLON | PERCENT)) {
		if (!(cut = memchr(c->s + from, o->how & COLON ? ':' : '%', end - from)))
			return 0;
		from = cut + 1 - c->s;
	}
	/* a file of cookies has no "=" */
	if ((!strcmp(o->name, "-b") || !strcmp(o->name, "--cookie")) && !o->also &&
	    !memchr(c->s + from, '=', end - from))
		return 0;
	if (from >= end || scan_mark(c, from) || looks_hollow(c->s + from, end - from))
		return 0;
	scan_add(c, from, end, RULE_FLAG, -1);
	return end;
}

/* An option at pos, whose "-" is the second byte or the first. */
size_t
scan_option(struct scan *c, size_t pos)
{
	size_t i = pos + (c->s[pos] == ' ' || c->s[pos] == '"'), start = SIZE_MAX, r;

	for (size_t k = 0; k < sizeof(passwords) / sizeof(*passwords); k++) {
		const struct option *o = &passwords[k];
		size_t n = strlen(o->name);

		if (c->n - i < n || memcmp(c->s + i, o->name, n) ||
		    (n > 3 && (isalnum(at(c, i + n)) || at(c, i + n) == '-')))
			continue;
		if (start == SIZE_MAX)
			start = command_start(c, pos);
		if (has_word(c, start, pos, o->commands) && (!o->also ||
		    has_word(c, start, pos, o->also)) && (r = option_value(c, o, i + n)))
			return r;
	}
	return 0;
}

/* "vault login TOKEN" and its like: the word that follows. */
size_t
scan_login(struct scan *c, size_t pos, size_t len)
{
	size_t i = next_argument(c, pos + len), from, end;

	if (!i || !scan_edge(c, pos))
		return 0;
	c->value = i;
	if (!scan_argument(c, i, "|;&", &from, &end) || c->s[from] == '-' ||
	    !(looks_strong(c->s + from, end - from) && end - from >= 16))
		return 0;
	scan_add(c, from, end, RULE_FLAG, -1);
	return end;
}

/* htpasswd -b FILE USER PASSWORD; net use ... /user:NAME PASSWORD; two words on */
size_t
scan_third(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, end;
	int words = c->s[pos] == 'h' || c->s[pos] == 'H' ? 3 : 1;

	if (words == 3 && !memmem(c->s + pos, c->n - pos < 64 ? c->n - pos : 64, " -", 2))
		return 0;
	while (!isspace(at(c, i)) && at(c, i) > 0 && c->s[i] != '\\')
		i++;
	for (; words; words -= c->s[i] != '-', i = end) {
		while (at(c, i) == ' ')
			i++;
		end = scan_word_end(c, i, ";|&", SECRET_LOOK);
		if (end == i)
			return 0;
		if (words == 1 && c->s[i] != '-' && c->s[i] != '/') {
			c->value = i;
			if (looks_hollow(c->s + i, end - i))
				return 0;
			scan_add(c, i, end, RULE_FLAG, -1);
			return end;
		}
	}
	return 0;
}

/* Programs that read a password from what is piped into them. */
static bool
reads_password(struct scan *c, size_t from, size_t end)
{
	static const char *const words[] = {
		"sudo -S", "sudo -kS", "sudo -nS", "chpasswd", "passwd", "--with-token",
		"--stdin", "--password-stdin", "-passin stdin", "-pass stdin", "--passphrase-fd",
		"cryptsetup", "kinit", "--pinentry-mode", "smbpasswd", "htpasswd -i",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (memmem(c->s + from, end - from, words[i], strlen(words[i])))
			return true;
	return memmem(c->s + from, end - from, "sudo", 4) &&
	    memmem(c->s + from, end - from, " -S", 3);
}

/* echo PASSWORD | sudo -S */
size_t
scan_echo(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, from, end, rest;
	const char *colon;

	if (!scan_edge(c, pos))
		return 0;
	for (int words = 0; words < 3; words++) {
		while (at(c, i) == ' ')
			i++;
		if (!scan_argument(c, i, "|;&", &from, &end))
			return 0;
		i = end + backslashes(c, end);
		i += from > pos + len && (c->s[from - 1] == '"' || c->s[from - 1] == '\'') &&
		    i < c->n;
		/* options, and the format of printf */
		if (c->s[from] != '-' && !memchr(c->s + from, '%', end - from))
			break;
	}
	while (at(c, i) == ' ')
		i++;
	if (at(c, i) != '|')
		return 0;
	rest = c->n - i > 160 ? i + 160 : c->n;
	if (!reads_password(c, i, rest) || looks_hollow(c->s + from, end - from))
		return 0;
	if (memmem(c->s + i, rest - i, "chpasswd", 8) &&
	    (colon = memchr(c->s + from, ':', end - from)))
		from = colon + 1 - c->s;
	scan_add(c, from, end, RULE_FLAG, -1);
	return end;
}

/* What "<<<" hands to sudo -S and its like. */
size_t
scan_here(struct scan *c, size_t pos)
{
	size_t start = command_start(c, pos), i = pos + 3;

	if (!reads_password(c, start, pos) &&
	    !has_word(c, start, pos, " password PASSWORD passwd token secret "))
		return 0;
	while (at(c, i) == ' ')
		i++;
	return add_value(c, i, "|;&", RULE_FLAG);
}

/* --- SQL, calls, files ---------------------------------------------------------------- */

/* IDENTIFIED, with a plugin or not, BY, with PASSWORD or not: a string or a word. */
size_t
scan_identified(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, from, end;

	/* of a statement; what is identified by a word of a sentence is something else */
	if (c->s[pos + 1] != 'D' && !has_word(c, command_start(c, pos), pos,
	    " user create alter grant link role login database "))
		return 0;
	for (int words = 0; words < 5; words++) {
		while (at(c, i) == ' ')
			i++;
		if (at(c, i) == '\'' || at(c, i) == '"' || at(c, i) == '\\')
			return add_value(c, i, "", RULE_ENV);
		if (!scan_argument(c, i, ",;)", &from, &end))
			return 0;
		if (words && end - from > 2 && !strncasecmp(c->s + from - 3, "by ", 3) &&
		    strncasecmp(c->s + from, "password", 8)) {
			c->value = from;
			scan_add(c, from, end, RULE_ENV, -1);
			return end;
		}
		i = end;
	}
	return 0;
}

/* login("user", "PASSWORD"): the second of two strings. sure: nothing else is called so. */
size_t
scan_call(struct scan *c, size_t pos, size_t len, int sure)
{
	size_t i = pos + len, from, end;

	while (at(c, i) == ' ')
		i++;
	if (at(c, i + backslashes(c, i)) != '"' && at(c, i + backslashes(c, i)) != '\'')
		return 0;
	if (!scan_argument(c, i, "", &from, &end))
		return 0;
	i = end + backslashes(c, end) + 1;
	while (at(c, i) == ' ')
		i++;
	if (at(c, i) != ',')
		return 0;
	for (i++; at(c, i) == ' '; i++)
		;
	if (at(c, i + backslashes(c, i)) != '"' && at(c, i + backslashes(c, i)) != '\'')
		return 0;
	c->value = i + backslashes(c, i) + 1;
	if (!scan_argument(c, i, "", &from, &end) || looks_hollow(c->s + from, end - from) ||
	    (!sure && !looks_strong(c->s + from, end - from)))
		return 0;
	scan_add(c, from, end, RULE_ENV, -1);
	return end;
}

/* The five fields of a line of .pgpass; pos is at the port. */
size_t
scan_pgpass(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, from, end;

	if (pos && !isalnum((unsigned char)c->s[pos - 1]) && c->s[pos - 1] != '*')
		return 0;
	for (int fields = 0; fields < 2; fields++) {
		from = i;
		while (isalnum(at(c, i)) || at(c, i) == '_' || at(c, i) == '*' || at(c, i) == '-' ||
		    at(c, i) == '.')
			i++;
		if (i == from || at(c, i) != ':')
			return 0;
		i++;
	}
	c->value = i;
	end = scan_word_end(c, i, "", SECRET_LOOK);
	if (end == i)
		return 0;
	scan_add(c, i, end, RULE_URL, -1);
	return end;
}

/* user/PASSWORD@host, behind jdbc:oracle:thin: */
size_t
scan_oracle(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, slash = 0;

	for (; i - pos < 200; i++) {
		int ch = at(c, i);

		if (ch <= ' ' || strchr("\"'\\", ch))
			return 0;
		if (ch == '/' && !slash)
			c->value = slash = i + 1;
		if (ch == '@')
			break;
	}
	if (!slash || at(c, i) != '@')
		return 0;
	scan_add(c, slash, i, RULE_URL, -1);
	return i;
}

/* /reset/TOKEN and its like in a URL */
size_t
scan_path(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, e = i;

	c->value = i;
	while (isalnum(at(c, e)) || at(c, e) == '-' || at(c, e) == '_' || at(c, e) == '.')
		e++;
	if (!looks_random(c->s + i, e - i) && !looks_dice(c->s + i, e - i))
		return 0;
	scan_add(c, i, e, RULE_PARAM, -1);
	return e;
}

/* Whether a line end's escape or a tab's is at i: "\t". */
static size_t
tab(struct scan *c, size_t i)
{
	size_t k = backslashes(c, i);

	return at(c, i) == '\t' ? 1 : k && at(c, i + k) == 't' ? k + 1 : 0;
}

/* A jar of cookies: host TRUE path TRUE time name VALUE, with tabs between. pos is at
 * the first TRUE or FALSE. */
size_t
scan_jar(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, n;

	for (int fields = 0; fields < 5; fields++) {
		if (!(n = tab(c, i)))
			return 0;
		i += n;
		if (fields == 3)
			break;
		while (at(c, i) > ' ' && c->s[i] != '\\' && c->s[i] != '"')
			i++;
	}
	return add_value(c, i, "", RULE_HEADER);
}

/* A JSON web key: "d" or "k" where "kty" is near. */
size_t
scan_jwk(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len - 1, low = pos > 600 ? pos - 600 : 0, from, end;

	i += backslashes(c, i) + 1;
	while (at(c, i) == ' ')
		i++;
	if (at(c, i) != ':' || !memmem(c->s + low, (c->n - low < 1400 ? c->n - low : 1400), "kty",
	    3))
		return 0;
	for (i++; at(c, i) == ' '; i++)
		;
	c->value = i + backslashes(c, i) + 1;
	if (!scan_argument(c, i, "", &from, &end) || end - from < 16)
		return 0;
	scan_add(c, from, end, RULE_KEY, -1);
	return end;
}

/* The string behind ConvertTo-SecureString; the text of <D>, of an RSA key in XML. */
size_t
scan_quoted(struct scan *c, size_t pos, size_t len)
{
	size_t i = pos + len, from, end;

	if (c->s[pos] == '<') {
		c->value = i;
		for (end = i; isalnum(at(c, end)) ||
		    (at(c, end) > 0 && strchr("+/=\\\r\n", c->s[end])); end++)
			;
		if (end - i < 40 || at(c, end) != '<')
			return 0;
		scan_add(c, i, end, RULE_PEM, -1);
		return end;
	}
	while (at(c, i) == ' ' || at(c, i) == '-' || isalpha(at(c, i)))
		i++;
	if (at(c, i + backslashes(c, i)) != '"' && at(c, i) != '\'')
		return 0;
	c->value = i + 1;
	if (!scan_argument(c, i, "", &from, &end) || looks_hollow(c->s + from, end - from))
		return 0;
	scan_add(c, from, end, RULE_FLAG, -1);
	return end;
}
