/*
 * find_openssl.c - OpenSSL 3 without symbols (Copilot's runtime.node, rust-openssl, stripped node)
 *
 * Every error that OpenSSL 3 raises passes __func__. A function that loads the
 * string "ssl_read_internal" is that function or one that it was inlined into:
 * SSL_read (which also loads its own name) or SSL_read_ex; the same for write.
 * Which arguments a function uses tells the rest: three for SSL_read, four with
 * the size_t *done of the _ex forms, five with the flags of OpenSSL 3.3.
 */
#include "find.h"
#include "find_code.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_FUNCS = 256, NEAREST = 4, MAX_FORMS = 5 };

#define THREE (X86_BIT(RDI) | X86_BIT(RSI) | X86_BIT(RDX))
#define FOUR (THREE | X86_BIT(RCX))
#define FIVE (FOUR | X86_BIT(R8))
#define HAS(f, what) ((f)->strings & 1u << (what))

struct func {
	uint64_t va;
	unsigned strings;	/* bit per enum scan_what */
	bool inner;		/* lies inside another */
	bool dropped;		/* calls another form */
	unsigned args;
};

struct openssl {
	const struct elf *e;
	const struct scan *scan;
	struct found *out;
	struct code code;
	struct func f[MAX_FUNCS];
	size_t nf, cur;
	bool full;
};

/* One direction: the strings and what the forms are called. */
struct direction {
	enum find_role role;
	enum scan_what plain, internal;
	const char *plain_name, *internal_name;
};

static int
by_va(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;	/* va comes first */

	return x < y ? -1 : x > y;
}

static bool
on_insn(void *arg, const struct x86 *x)
{
	struct openssl *o = arg;
	const struct scan *s = o->scan;
	size_t lo = 0, hi = s->nref;
	struct func *f;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->ref[mid].va < x->va)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < s->nref && s->ref[lo].va == x->va)
		o->f[o->cur].strings |= 1u << s->str[s->ref[lo].str].what;
	if (x->va != o->f[o->cur].va &&
	    (f = bsearch(&x->va, o->f, o->nf, sizeof(*f), by_va)) != NULL)
		f->inner = true;
	return true;
}

static void
collect(struct openssl *o)
{
	uint64_t start[NEAREST];

	for (size_t i = 0; i < o->scan->nref; i++) {
		size_t n, j;

		if (o->scan->str[o->scan->ref[i].str].what == STR_BORING_FILE)
			continue;
		for (n = code_starts(&o->code, o->scan->ref[i].va, start, NEAREST); n > 0; n--) {
			for (j = 0; j < o->nf && o->f[j].va != start[n - 1]; j++)
				;
			if (j < o->nf)
				continue;
			if (o->nf == MAX_FUNCS)
				o->full = true;
			else
				o->f[o->nf++].va = start[n - 1];
		}
	}
	qsort(o->f, o->nf, sizeof(*o->f), by_va);
	for (o->cur = 0; o->cur < o->nf; o->cur++) {
		code_walk(&o->code, o->f[o->cur].va, on_insn, o);
		o->f[o->cur].args = code_args(&o->code, o->f[o->cur].va);
	}
}

static void
emit(struct openssl *o, const struct func *f, const char *name, enum find_role role,
    enum find_abi abi)
{
	struct find_site probe = { 0 }, *site;
	char args[64];

	if (!point_at(&probe, o->e, f->va)) {
		found_refuse(o->out, LIB_OPENSSL, "%s: no function begins at its address", name);
		return;
	}
	if (!(site = found_site(o->out)))
		return;
	*site = probe;
	site->lib = LIB_OPENSSL;
	site->role = role;
	site->abi = abi;
	site->at = FIND_CALL;
	snprintf(site->name, sizeof(site->name), "%s", name);
	snprintf(site->evidence, sizeof(site->evidence), "raises errors as %s%s; takes %s",
	    HAS(f, STR_READ_INTERNAL) ? "ssl_read_internal" : HAS(f, STR_WRITE_INTERNAL) ?
	    "ssl_write_internal" : name, (HAS(f, STR_SSL_READ) && HAS(f, STR_READ_INTERNAL)) ||
	    (HAS(f, STR_SSL_WRITE) && HAS(f, STR_WRITE_INTERNAL)) ? " (inlined) and itself" : "",
	    code_args_text(f->args, args));
}

/* Whether f has internal's body or calls it: the same string in a program's own
 * error message does not make a function SSL_read. */
static bool
is_form(struct openssl *o, const struct func *f, const struct direction *d)
{
	struct code_calls calls;

	if (f->inner || !(HAS(f, d->plain) || HAS(f, d->internal)))
		return false;
	/* who knows both directions works on their names, as sslsniff does */
	if ((HAS(f, STR_SSL_READ) || HAS(f, STR_READ_INTERNAL)) &&
	    (HAS(f, STR_SSL_WRITE) || HAS(f, STR_WRITE_INTERNAL)))
		return false;
	if (HAS(f, d->internal))
		return true;
	code_calls(&o->code, f->va, &calls);
	for (size_t i = 0; i < o->nf; i++)
		if (!o->f[i].inner && HAS(&o->f[i], d->internal) &&
		    code_calls_to(&calls, o->f[i].va))
			return true;
	return false;
}

/* Marks the forms that call another one. */
static void
drop_callers(struct openssl *o, struct func **form, size_t n)
{
	struct code_calls calls;

	for (size_t i = 0; i < n; i++) {
		code_calls(&o->code, form[i]->va, &calls);
		for (size_t j = 0; j < n; j++)
			if (i != j && !form[i]->dropped && code_calls_to(&calls, form[j]->va))
				form[i]->dropped = true;
	}
}

static void
judge(struct openssl *o, const struct direction *d)
{
	struct func *form[MAX_FORMS], *f, *plain = NULL;
	size_t n = 0, nplain = 0, ninternal = 0;

	for (f = o->f; f < o->f + o->nf; f++) {
		if (!is_form(o, f, d))
			continue;
		if (HAS(f, d->plain)) {
			plain = f;
			nplain++;
		}
		ninternal += HAS(f, d->internal) != 0;
		if (n < MAX_FORMS)
			form[n] = f;
		n++;
	}
	if (n == 0)
		return;
	if (ninternal == 0 || nplain > 1 || n > MAX_FORMS || (nplain == 0 && ninternal != 1)) {
		found_refuse(o->out, LIB_OPENSSL,
		    "%zu functions raise errors as %s, %zu as %s: not one OpenSSL 3",
		    nplain, d->plain_name, ninternal, d->internal_name);
		return;
	}
	drop_callers(o, form, n);
	for (size_t i = 0; i < n; i++) {
		unsigned args = form[i]->args;
		char text[64];

		if (form[i]->dropped ||
		    (form[i] == plain ? args == THREE : args == FOUR || args == FIVE))
			continue;
		found_refuse(o->out, LIB_OPENSSL,
		    "%s at %#llx takes other arguments than expected: %s",
		    form[i] == plain ? d->plain_name : d->internal_name,
		    (unsigned long long)form[i]->va, code_args_text(args, text));
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!form[i]->dropped)
			emit(o, form[i],
			    form[i] == plain ? d->plain_name : d->internal_name, d->role,
			    form[i] == plain ? ABI_INT : form[i]->args == FOUR ? ABI_EX : ABI_EX2);
}

/* A function that is alone in raising errors as `what` and takes one argument. */
static void
judge_single(struct openssl *o, enum scan_what what, const char *name, enum find_role role,
    enum find_abi abi)
{
	const struct func *only = NULL;

	for (size_t i = 0; i < o->nf; i++) {
		const struct func *f = &o->f[i];

		if (f->inner || !HAS(f, what))
			continue;
		if (only)
			return;
		only = f;
	}
	if (only && (only->args & ~X86_BIT(RDI)) == 0)
		emit(o, only, name, role, abi);
}

static void
judge_all(struct openssl *o)
{
	static const struct direction reading = { ROLE_READ, STR_SSL_READ, STR_READ_INTERNAL,
	    "SSL_read", "ssl_read_internal" };
	static const struct direction writing = { ROLE_WRITE, STR_SSL_WRITE, STR_WRITE_INTERNAL,
	    "SSL_write", "ssl_write_internal" };

	if (o->full || o->scan->full || o->code.budget == 0) {
		found_refuse(o->out, LIB_OPENSSL, "more error sites than one OpenSSL has");
		return;
	}
	judge(o, &reading);
	judge(o, &writing);
	if (!found_has(o->out, LIB_OPENSSL, ROLE_READ) &&
	    !found_has(o->out, LIB_OPENSSL, ROLE_WRITE))
		return;
	judge_single(o, STR_DO_HANDSHAKE, "SSL_do_handshake", ROLE_HANDSHAKE, ABI_RESULT);
	judge_single(o, STR_SSL_NEW, "SSL_new", ROLE_NEW, ABI_MAKE);
}

void
find_openssl(const struct elf *e, const struct scan *scan, struct found *out)
{
	struct openssl *o;
	uint64_t lo = UINT64_MAX, hi = 0, start, end;

	if (found_has(out, LIB_OPENSSL, ROLE_READ) || found_has(out, LIB_OPENSSL, ROLE_WRITE))
		return;		/* its symbols were there */
	if (!scan_has(scan, STR_READ_INTERNAL) && !scan_has(scan, STR_WRITE_INTERNAL))
		return;
	for (size_t i = 0; i < scan->nref; i++) {
		uint64_t va = scan->ref[i].va;

		if (scan->str[scan->ref[i].str].what == STR_BORING_FILE ||
		    elf_function(e, va, &start, &end))
			continue;
		lo = va < lo ? va : lo;
		hi = va > hi ? va : hi;
	}
	if (!(o = calloc(1, sizeof(*o)))) {
		out->failed = true;
		return;
	}
	o->e = e;
	o->scan = scan;
	o->out = out;
	if (lo <= hi)
		lo = lo > 0x4000 ? lo - 0x4000 : 0;
	if (code_open(&o->code, e, lo, hi)) {
		collect(o);
		judge_all(o);
	} else
		out->failed = true;
	code_close(&o->code);
	free(o);
}
