/*
 * found.c - see found.h
 */
#include "found.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const find_lib_name[LIB_MAX] = { "openssl", "boringssl", "gnutls", "nss", "rustls",
    "go" };
const char *const find_role_name[ROLE_MAX] = { "read", "write", "handshake", "new", "free", "sni" };
const char *const find_abi_name[ABI_MAX] = {
	"int", "ex", "ex2", "ssize", "nspr", "nspr-recv", "rustls-encrypt", "rustls-decrypt",
	"rustls-decrypt12", "go",
	"obj", "result", "make", "ctrl", "name", "namelen",
};
const char *const find_at_name[FIND_AT_MAX] = { "entry", "call", "ret" };
const char *const find_insn_name[INSN_MAX] = { "nop", "nop5", "push", "call", "jmp", "jcc",
    "other" };

void
found_free(struct found *f)
{
	free(f->site);
	free(f->refusal);
	memset(f, 0, sizeof(*f));
}

/* Room for one more of size bytes; doubled when n is a power of two. */
static void *
grow(void *p, size_t n, size_t size, size_t max, bool *failed)
{
	void *q = p;

	if (n >= max)
		q = NULL;
	else if ((n & (n - 1)) == 0)
		q = realloc(p, (n ? 2 * n : 1) * size);
	if (!q)
		*failed = true;
	return q;
}

struct find_site *
found_site(struct found *f)
{
	struct find_site *p = grow(f->site, f->nsite, sizeof(*p), FIND_MAX_SITES, &f->failed);

	if (!p)
		return NULL;
	f->site = p;
	return memset(&p[f->nsite++], 0, sizeof(*p));
}

void
found_refuse(struct found *f, enum find_lib lib, const char *fmt, ...)
{
	struct refusal *p = grow(f->refusal, f->nrefusal, sizeof(*p), FIND_MAX_REFUSALS,
	    &f->failed);
	va_list ap;

	if (!p)
		return;
	f->refusal = p;
	p += f->nrefusal++;
	memset(p, 0, sizeof(*p));
	p->lib = lib;
	va_start(ap, fmt);
	vsnprintf(p->reason, sizeof(p->reason), fmt, ap);
	va_end(ap);
}

bool
found_has(const struct found *f, enum find_lib lib, enum find_role role)
{
	for (size_t i = 0; i < f->nsite; i++)
		if (f->site[i].lib == lib && f->site[i].role == role)
			return true;
	return false;
}
