/*
 * site.c - see site.h
 */
#include <stdio.h>
#include <string.h>

#include "found.h"
#include "point.h"
#include "site.h"

_Static_assert((int)COOKIE_GO == (int)LIB_GO, "point.h and found.h");

/* Per ABI: how our programs take its arguments and results, what is probed at the
 * entry and at the return; SITE_PROGS: nothing. */
static const struct plan { uint8_t sig, enter, leave; } plans[ABI_MAX] = {
	[ABI_INT] = { SIG_INT, SITE_ENTER, SITE_LEAVE },
	[ABI_EX] = { SIG_OUT4, SITE_ENTER, SITE_LEAVE },
	[ABI_EX2] = { SIG_OUT5, SITE_ENTER, SITE_LEAVE },
	[ABI_SSIZE] = { SIG_LONG, SITE_ENTER, SITE_LEAVE },
	[ABI_NSPR] = { SIG_NSPR, SITE_ENTER, SITE_LEAVE },
	[ABI_NSPR_RECV] = { SIG_NSPR_RECV, SITE_ENTER, SITE_LEAVE },
	[ABI_RUSTLS_ENCRYPT] = { SIG_ENCRYPT, SITE_ENCRYPT, SITE_PROGS },
	[ABI_RUSTLS_DECRYPT] = { SIG_DECRYPT, SITE_DECRYPT, SITE_DECRYPTED },
	[ABI_RUSTLS_DECRYPT12] = { SIG_DECRYPT12, SITE_DECRYPT, SITE_DECRYPTED },
	[ABI_GO] = { SIG_GO, SITE_GO_ENTER, SITE_GO_LEAVE },
	[ABI_OBJ] = { SIG_OBJECT, SITE_FREE, SITE_PROGS },
	[ABI_RESULT] = { SIG_RESULT, SITE_ENTER, SITE_LEAVE },
	[ABI_MAKE] = { SIG_OBJECT, SITE_PROGS, SITE_NEW },
	[ABI_CTRL] = { SIG_NAME_CTRL, SITE_NAME, SITE_PROGS },
	[ABI_NAME] = { SIG_NAME2, SITE_NAME, SITE_PROGS },
	[ABI_NAMELEN] = { SIG_NAME_LEN, SITE_NAME, SITE_PROGS },
};

static void
add(struct sites *s, const struct find_site *f, unsigned prog, bool ret)
{
	struct site *to = &s->v[s->n];
	bool cipher = f->abi == ABI_RUSTLS_ENCRYPT || f->abi == ABI_RUSTLS_DECRYPT ||
	    f->abi == ABI_RUSTLS_DECRYPT12;
	unsigned dir = f->role == ROLE_WRITE ? DIR_WRITE : DIR_READ;

	if (s->n == SITE_MAX || prog == SITE_PROGS)
		return;
	s->n++;
	*to = (struct site){
		.name = f->name, .insn = find_insn_name[f->insn], .cheap = FIND_CHEAP(f),
		.offset = f->off, .va = f->va, .point = s->points,
		.cookie = COOKIE(plans[f->abi].sig, dir, f->lib, 0),
		.method = cipher ? (int)dir : -1, .prog = prog, .ret = ret,
	};
}

/* What carries no data is of use only beside something that does; NSS keeps its
 * server names in another file. */
static bool
lib_usable(const struct found *f, enum find_lib lib)
{
	return lib == LIB_NSS || found_has(f, lib, ROLE_READ) || found_has(f, lib, ROLE_WRITE);
}

static void
plan_one(struct sites *s, const struct find_site *f)
{
	const struct plan *p = &plans[f->abi];

	if (f->role == ROLE_READ)
		s->reads = true;
	if (f->role == ROLE_WRITE)
		s->writes = true;
	if (f->abi == ABI_OBJ && f->go)
		add(s, f, SITE_GO_FREE, false);
	else if (f->at == FIND_RET)
		add(s, f, p->leave, false);
	else {
		add(s, f, p->enter, false);
		if (f->at == FIND_CALL)
			add(s, f, p->leave, true);
	}
	s->points++;
}

bool
site_plan(struct sites *s, const struct found *f)
{
	memset(s, 0, offsetof(struct sites, v));
	for (size_t i = 0; i < f->nsite; i++) {
		const struct find_site *site = &f->site[i];

		if (lib_usable(f, site->lib))
			plan_one(s, site);
	}
	if (f->nrefusal)
		memcpy(s->why, f->refusal[0].reason, sizeof(s->why));
	else if (!s->n)
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
		const struct site *v = &s->v[i];

		if (strcmp(v->name, last) && len < size)
			len += snprintf(buf + len, size - len, "%s%s (%s, %s)", len ? ", " : "",
			    v->name, v->insn, v->cheap ? "cheap" : "dear");
		last = v->name;
	}
}
