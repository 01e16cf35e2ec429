/*
 * site.c - see site.h
 */
#include <stdio.h>
#include <string.h>

#include "find.h"
#include "site.h"
#include "sslsniff.h"

/* How our programs take arguments and results; -1: they cannot. */
static int
signature(enum find_abi abi)
{
	switch (abi) {
	case ABI_INT: return SIG_INT;
	case ABI_EX: return SIG_OUT4;
	case ABI_EX2: return SIG_OUT5;
	case ABI_SSIZE: return SIG_LONG;
	case ABI_RESULT: return SIG_RESULT;
	case ABI_OBJ: return SIG_OBJECT;
	case ABI_CTRL: return SIG_NAME_CTRL;
	case ABI_NAME: return SIG_NAME2;
	case ABI_NAMELEN: return SIG_NAME_LEN;
	default: return -1;
	}
}

static void
add(struct sites *s, const struct find_site *f, int sig, enum site_prog prog, bool ret)
{
	struct site *to = &s->v[s->n];

	if (s->n == SITE_MAX)
		return;
	s->n++;
	memcpy(to->name, f->name, sizeof(to->name));
	to->offset = f->off;
	to->cookie = COOKIE(sig, f->role == ROLE_WRITE ? DIR_WRITE : DIR_READ, f->lib);
	to->prog = prog;
	to->ret = ret;
}

/* A library of which not even the reads and writes can be taken is left alone. */
static bool
lib_usable(const struct found *f, enum find_lib lib)
{
	bool ok = lib != LIB_NSS;	/* plain files and pipes go through PR_Read too */

	for (size_t i = 0; i < f->nsite && ok; i++)
		if (f->site[i].lib == lib &&
		    (f->site[i].role == ROLE_READ || f->site[i].role == ROLE_WRITE))
			ok = signature(f->site[i].abi) >= 0 && !f->site[i].go;
	return ok && (found_has(f, lib, ROLE_READ) || found_has(f, lib, ROLE_WRITE));
}

static void
plan_one(struct sites *s, const struct find_site *f, bool handshake)
{
	int sig = signature(f->abi);

	switch (f->role) {
	case ROLE_READ:
	case ROLE_WRITE:
		*(f->role == ROLE_READ ? &s->reads : &s->writes) = true;
		break;
	case ROLE_HANDSHAKE:
		if (!handshake)
			return;
		break;
	case ROLE_FREE:
		add(s, f, sig, SITE_FREE, false);
		return;
	case ROLE_SNI:
		add(s, f, sig, SITE_NAME, false);
		return;
	default:
		return;
	}
	add(s, f, sig, SITE_ENTER, false);
	add(s, f, sig, SITE_LEAVE, true);
}

bool
site_plan(struct sites *s, const struct found *f, bool handshake)
{
	memset(s, 0, offsetof(struct sites, v));
	for (size_t i = 0; i < f->nsite; i++) {
		const struct find_site *site = &f->site[i];

		if (lib_usable(f, site->lib) && signature(site->abi) >= 0)
			plan_one(s, site, handshake);
		else if (site->role == ROLE_READ || site->role == ROLE_WRITE)
			snprintf(s->why, sizeof(s->why), "%s is known but not captured",
			    find_lib_name[site->lib]);
	}
	for (size_t i = 0; i < f->nrefusal && !s->why[0]; i++)
		memcpy(s->why, f->refusal[i].reason, sizeof(s->why));
	if (!s->n && !s->why[0])
		snprintf(s->why, sizeof(s->why), "no TLS functions found in it");
	return s->n > 0;
}

void
site_names(const struct sites *s, char *buf, size_t size)
{
	const char *last = "";
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->v[i].name, last) && len < size)
			len += snprintf(buf + len, size - len, "%s%s", len ? " " : "",
			    s->v[i].name);
		last = s->v[i].name;
	}
}
