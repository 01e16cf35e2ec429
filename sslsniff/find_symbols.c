/*
 * find_symbols.c - OpenSSL, BoringSSL, GnuTLS and NSS/NSPR by their symbols
 *
 * Symbols say where functions are; the code says which of them to probe: those
 * that call no other candidate of their role, so that no byte passes two probes.
 * OpenSSL's ssl_read_internal and ssl_write_internal have no symbol in a
 * stripped library: they are the first call of SSL_read_ex and of SSL_write_ex
 * (or _ex2), and proven by SSL_read and SSL_write calling the same place.
 */
#include "find.h"
#include "find_code.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#define INTERNAL 1	/* not public: its arguments must be proven */

static const struct want {
	const char *name;
	enum find_lib lib;
	enum find_role role;
	enum find_abi abi;
	enum find_at at;
	int flags;
} wants[] = {
	{ "SSL_read", LIB_OPENSSL, ROLE_READ, ABI_INT, FIND_CALL, 0 },
	{ "SSL_read_ex", LIB_OPENSSL, ROLE_READ, ABI_EX, FIND_CALL, 0 },
	{ "ssl_read_internal", LIB_OPENSSL, ROLE_READ, ABI_EX, FIND_CALL, INTERNAL },
	{ "SSL_write", LIB_OPENSSL, ROLE_WRITE, ABI_INT, FIND_CALL, 0 },
	{ "SSL_write_ex", LIB_OPENSSL, ROLE_WRITE, ABI_EX, FIND_CALL, 0 },
	{ "SSL_write_ex2", LIB_OPENSSL, ROLE_WRITE, ABI_EX2, FIND_CALL, 0 },
	{ "ssl_write_internal", LIB_OPENSSL, ROLE_WRITE, ABI_EX, FIND_CALL, INTERNAL },
	{ "SSL_do_handshake", LIB_OPENSSL, ROLE_HANDSHAKE, ABI_RESULT, FIND_CALL, 0 },
	{ "SSL_new", LIB_OPENSSL, ROLE_NEW, ABI_MAKE, FIND_CALL, 0 },
	{ "SSL_free", LIB_OPENSSL, ROLE_FREE, ABI_OBJ, FIND_ENTRY, 0 },
	{ "SSL_ctrl", LIB_OPENSSL, ROLE_SNI, ABI_CTRL, FIND_ENTRY, 0 },
	{ "SSL_set_tlsext_host_name", LIB_OPENSSL, ROLE_SNI, ABI_NAME, FIND_ENTRY, 0 },
	{ "gnutls_record_recv", LIB_GNUTLS, ROLE_READ, ABI_SSIZE, FIND_CALL, 0 },
	{ "gnutls_record_recv_seq", LIB_GNUTLS, ROLE_READ, ABI_SSIZE, FIND_CALL, 0 },
	{ "gnutls_record_send", LIB_GNUTLS, ROLE_WRITE, ABI_SSIZE, FIND_CALL, 0 },
	{ "gnutls_record_send2", LIB_GNUTLS, ROLE_WRITE, ABI_SSIZE, FIND_CALL, 0 },
	{ "gnutls_handshake", LIB_GNUTLS, ROLE_HANDSHAKE, ABI_RESULT, FIND_CALL, 0 },
	{ "gnutls_deinit", LIB_GNUTLS, ROLE_FREE, ABI_OBJ, FIND_ENTRY, 0 },
	{ "gnutls_server_name_set", LIB_GNUTLS, ROLE_SNI, ABI_NAMELEN, FIND_ENTRY, 0 },
	{ "PR_Read", LIB_NSS, ROLE_READ, ABI_NSPR, FIND_CALL, 0 },
	{ "PR_Recv", LIB_NSS, ROLE_READ, ABI_NSPR_RECV, FIND_CALL, 0 },
	{ "PR_Write", LIB_NSS, ROLE_WRITE, ABI_NSPR, FIND_CALL, 0 },
	{ "PR_Send", LIB_NSS, ROLE_WRITE, ABI_NSPR, FIND_CALL, 0 },
	{ "PR_Close", LIB_NSS, ROLE_FREE, ABI_OBJ, FIND_ENTRY, 0 },
	{ "SSL_SetURL", LIB_NSS, ROLE_SNI, ABI_NAME, FIND_ENTRY, 0 },
};

enum { WANTS = sizeof(wants) / sizeof(*wants) };

struct candidate {
	uint64_t va;		/* 0: none */
	bool clash;		/* two functions of that name */
	bool dropped;
	bool derived;		/* found through the code, not by a symbol */
	enum find_abi abi;
	struct code_calls *calls;
	const struct want *by;	/* serves this one as well */
};

struct symbols {
	const struct elf *e;
	struct found *out;
	struct code code;
	struct candidate c[WANTS];
	bool boring;		/* BoringSSL: SSL_CTX_set_custom_verify is its own */
};

static bool
on_symbol(void *arg, const struct elf_sym *sym)
{
	struct symbols *s = arg;

	/* every name that matters begins with one of these */
	if (*sym->name != 'S' && *sym->name != 's' && *sym->name != 'g' && *sym->name != 'P')
		return true;
	if (!strcmp(sym->name, "SSL_CTX_set_custom_verify"))
		s->boring = true;
	for (size_t i = 0; i < WANTS; i++) {
		struct candidate *c = &s->c[i];

		if (strcmp(sym->name, wants[i].name) || sym->type != STT_FUNC)
			continue;
		if (c->va && c->va != sym->va)
			c->clash = true;
		c->va = sym->va;
	}
	return true;
}

static struct candidate *
candidate(struct symbols *s, const char *name)
{
	for (size_t i = 0; i < WANTS; i++)
		if (!strcmp(wants[i].name, name))
			return &s->c[i];
	return NULL;
}

static struct code_calls *
calls_of(struct symbols *s, struct candidate *c)
{
	if (!c->va)
		return NULL;
	if (!c->calls && (c->calls = malloc(sizeof(*c->calls))))
		code_calls(&s->code, c->va, c->calls);
	return c->calls;
}

/* Whether the function of `from` calls or jumps to that of `to`, also through the
 * procedure linkage table. */
static bool
reaches(struct symbols *s, struct candidate *from, const struct candidate *to)
{
	const struct code_calls *calls = calls_of(s, from);

	for (size_t i = 0; calls && i < calls->n; i++) {
		const char *name = calls->call[i].import;

		if (calls->call[i].to == to->va || (name && !strcmp(name, wants[to - s->c].name)))
			return true;
	}
	return false;
}

/* libgnutls-openssl has an SSL_read on top of GnuTLS. */
static bool
wraps_gnutls(struct symbols *s)
{
	const struct code_calls *calls = calls_of(s, candidate(s, "SSL_read"));

	for (size_t i = 0; calls && i < calls->n; i++) {
		const char *name = calls->call[i].import;

		if (name && !strncmp(name, "gnutls_", 7))
			return true;
	}
	return false;
}

/* The ABI of an internal function by the arguments it uses, ABI_MAX when unclear. */
static enum find_abi
internal_abi(struct symbols *s, uint64_t va)
{
	const unsigned four = X86_BIT(RDI) | X86_BIT(RSI) | X86_BIT(RDX) | X86_BIT(RCX);
	unsigned args = code_args(&s->code, va);

	if (args == four)
		return ABI_EX;
	return args == (four | X86_BIT(R8)) ? ABI_EX2 : ABI_MAX;
}

/* Finds the internal function behind the _ex form and the plain one. */
static void
derive_internal(struct symbols *s, const char *internal, const char *plain, const char *ex,
    const char *ex2)
{
	struct candidate *in = candidate(s, internal), *a = candidate(s, plain),
	    *b = candidate(s, ex);
	struct candidate *b2 = ex2 ? candidate(s, ex2) : NULL;
	const struct code_calls *first, *second;
	uint64_t to;

	if (b2 && b2->va && !b2->clash)
		b = b2;
	if (in->va || !a->va || !b->va || a->clash || b->clash || s->boring)
		return;
	first = calls_of(s, b);
	second = calls_of(s, a);
	if (!first || !second || first->n == 0)
		return;
	to = first->call[0].to;
	if (!code_calls_to(second, to) || to == a->va || first->call[0].import)
		return;
	if (internal_abi(s, to) == ABI_MAX)
		return;
	in->va = to;
	in->derived = true;
}

/* Among the candidates of a role those stay that reach no other. */
static void
drop_callers(struct symbols *s, enum find_lib lib, enum find_role role)
{
	bool drop[WANTS] = { false };

	for (size_t i = 0; i < WANTS; i++)
		for (size_t j = 0; j < WANTS; j++)
			if (i != j && s->c[i].va && s->c[j].va && wants[i].lib == lib &&
			    wants[j].lib == lib &&
			    wants[i].role == role && wants[j].role == role && !s->c[j].clash &&
			    reaches(s, &s->c[i], &s->c[j])) {
				drop[i] = true;
				s->c[i].by = &wants[j];
			}
	for (size_t i = 0; i < WANTS; i++)
		s->c[i].dropped |= drop[i];
}

/* An internal function is only worth its proof when its arguments are clear, and
 * when it is cheap to probe or has callers beside the public functions. */
static void
settle_internal(struct symbols *s, const char *name, const char *plain, const char *ex)
{
	struct candidate *in = candidate(s, name);
	struct find_site probe = { 0 };

	if (!in->va)
		return;
	in->abi = in->clash ? ABI_MAX : internal_abi(s, in->va);
	if (in->abi == ABI_MAX || !point_at(&probe, s->e, in->va) || (!FIND_CHEAP(&probe) &&
	    (reaches(s, candidate(s, plain), in) || reaches(s, candidate(s, ex), in))))
		in->va = 0;
}

static void
describe(struct symbols *s, size_t i, struct find_site *site)
{
	struct candidate *c = &s->c[i];
	char args[64], served[80] = "";

	for (size_t j = 0; j < WANTS; j++)
		if (s->c[j].dropped && s->c[j].by == &wants[i])
			snprintf(served + strlen(served), sizeof(served) - strlen(served), "%s%s",
			    *served ? ", " : "", wants[j].name);
	if (wants[i].flags & INTERNAL)
		snprintf(site->evidence, sizeof(site->evidence), "%s; called by %s; takes %s",
		    c->derived ? "first call of the _ex form and a call of the plain one" :
		    "symbol",
		    *served ? served : "neither public form",
		    code_args_text(code_args(&s->code, c->va), args));
	else
		snprintf(site->evidence, sizeof(site->evidence), "symbol%s%s",
		    *served ? "; called by " : "", served);
}

static void
emit(struct symbols *s, size_t i)
{
	struct candidate *c = &s->c[i];
	enum find_lib lib = wants[i].lib == LIB_OPENSSL && s->boring ? LIB_BORINGSSL : wants[i].lib;
	struct find_site probe = { 0 }, *site;

	if (!c->va || c->dropped)
		return;
	if (c->clash) {
		found_refuse(s->out, lib, "%s: two different functions have this name",
		    wants[i].name);
		return;
	}
	if (!point_at(&probe, s->e, c->va)) {
		found_refuse(s->out, lib,
		    "%s: its symbol does not point to the start of a function", wants[i].name);
		return;
	}
	if (!(site = found_site(s->out)))
		return;
	*site = probe;
	site->lib = lib;
	site->role = wants[i].role;
	site->abi = wants[i].flags & INTERNAL ? c->abi : wants[i].abi;
	site->at = wants[i].at;
	snprintf(site->name, sizeof(site->name), "%s", wants[i].name);
	describe(s, i, site);
}

void
find_symbols(const struct elf *e, struct found *out)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s) {
		out->failed = true;
		return;
	}
	s->e = e;
	s->out = out;
	elf_symbols(e, on_symbol, s);
	if (!code_open(&s->code, e, 0, 0))
		out->failed = true;
	if (wraps_gnutls(s))
		found_refuse(out, LIB_OPENSSL,
		    "SSL_read here is a wrapper around GnuTLS, which is probed itself");
	else {
		derive_internal(s, "ssl_read_internal", "SSL_read", "SSL_read_ex", NULL);
		derive_internal(s, "ssl_write_internal", "SSL_write", "SSL_write_ex",
		    "SSL_write_ex2");
		settle_internal(s, "ssl_read_internal", "SSL_read", "SSL_read_ex");
		settle_internal(s, "ssl_write_internal", "SSL_write", "SSL_write_ex");
		for (enum find_lib lib = 0; lib < LIB_MAX; lib++) {
			drop_callers(s, lib, ROLE_READ);
			drop_callers(s, lib, ROLE_WRITE);
		}
		for (size_t i = 0; i < WANTS; i++)
			emit(s, i);
	}
	for (size_t i = 0; i < WANTS; i++)
		free(s->c[i].calls);
	code_close(&s->code);
	free(s);
}
