/*
 * find_boring.c - BoringSSL without symbols (Bun, and what is made with it)
 *
 * Every error that BoringSSL raises passes __FILE__ and a reason code. The file
 * name leads to the functions of ssl_lib.cc, the reasons tell which is which:
 * they are part of the interface (include/openssl/ssl.h), unlike line numbers
 * and code bytes.
 *   SSL_write raises UNINITIALIZED, SHOULD_NOT_HAVE_BEEN_CALLED (QUIC) and BAD_LENGTH
 *   ssl_read_impl raises UNINITIALIZED and SSL_HANDSHAKE_FAILURE
 *   SSL_read raises SHOULD_NOT_HAVE_BEEN_CALLED, calls ssl_read_impl (or holds it)
 *     and, unlike SSL_peek, advances the buffered data in the connection; or it is
 *     the one caller of SSL_peek that does
 *   SSL_do_handshake raises CONNECTION_TYPE_NOT_SET
 * A reason counts when the error site is reached by following the code from a
 * function's start, so a wrong guess at where functions start finds nothing.
 */
#include "find.h"
#include "find_code.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	NOT_CALLED = 1, UNINITIALIZED = 2, BAD_LENGTH = 4, HANDSHAKE_FAILURE = 8, NO_TYPE = 16,
	BOTH_FAILURES = UNINITIALIZED | HANDSHAKE_FAILURE,
	MAX_FUNCS = 512,
	NEAREST = 4,		/* possible starts tried per error site */
	MAX_CALLERS = 64,
};

struct func {
	uint64_t va;
	unsigned reasons;
	unsigned refs;		/* loads of the file name */
	bool stores;		/* writes 8 or 16 bytes into an object, past its first 128 */
	bool inner;		/* lies inside another */
};

struct boring {
	const struct elf *e;
	const struct scan *scan;
	struct found *out;
	struct code code;
	struct func f[MAX_FUNCS];
	size_t nf;
	size_t cur;		/* during a walk */
	bool full;
};

static unsigned
reason_bit(int64_t reason)
{
	switch (reason) {
	case 66: return NOT_CALLED;
	case 226: return UNINITIALIZED;
	case 111: return BAD_LENGTH;
	case 215: return HANDSHAKE_FAILURE;
	case 134: return NO_TYPE;
	}
	return 0;
}

/* A load of the file name: of which the register tells the signature. rcx:
 * ERR_put_error(lib, 0, reason, file, line); rdx: the unused second argument
 * was optimised away. */
static const struct scan_ref *
file_ref(const struct scan *s, uint64_t va)
{
	size_t lo = 0, hi = s->nref;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->ref[mid].va < va)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == s->nref || s->ref[lo].va != va || s->str[s->ref[lo].str].what != STR_BORING_FILE)
		return NULL;
	return &s->ref[lo];
}

/* mov, add, sub of a 64-bit register into an object, past its first 128 bytes, or a
 * store of 16 bytes there. */
static bool
is_store(const struct x86 *x)
{
	if (!x->modrm || x->mod != 2 || x->disp < 0x80 || x->base == RSP || x->base == RBP)
		return false;
	if (x->op == 0x0f11 || x->op == 0x0f29 || x->op == 0x0f7f)
		return true;
	return !x->vex && (x->rex & 8) && (x->op == 0x89 || x->op == 0x01 || x->op == 0x29);
}

static int
by_va(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;	/* va comes first */

	return x < y ? -1 : x > y;
}

static bool
on_insn(void *arg, const struct x86 *x)
{
	struct boring *b = arg;
	struct func *f = &b->f[b->cur];

	if (file_ref(b->scan, x->va))
		f->refs++;
	/* mov $reason,%edx or %esi */
	if (!x->vex && (x->op == 0xba || x->op == 0xbe) && !x->rex)
		f->reasons |= reason_bit(x->imm);
	f->stores |= is_store(x);
	if (x->va != f->va && (f = bsearch(&x->va, b->f, b->nf, sizeof(*f), by_va)) != NULL)
		f->inner = true;	/* code of this function: not another's start */
	return true;
}

static bool
on_caller_insn(void *arg, const struct x86 *x)
{
	struct boring *b = arg;

	b->f[b->cur].stores |= is_store(x);
	return true;
}

static void
add_func(struct boring *b, uint64_t va)
{
	for (size_t i = 0; i < b->nf; i++)
		if (b->f[i].va == va)
			return;
	if (b->nf == MAX_FUNCS)
		b->full = true;
	else
		b->f[b->nf++] = (struct func){ .va = va };
}

static void
collect(struct boring *b)
{
	uint64_t start[NEAREST];

	for (size_t i = 0; i < b->scan->nref; i++) {
		const struct scan_ref *r = &b->scan->ref[i];
		size_t n;

		if (b->scan->str[r->str].what != STR_BORING_FILE ||
		    (r->reg != RCX && r->reg != RDX))
			continue;
		n = code_starts(&b->code, r->va, start, NEAREST);
		while (n > 0)
			add_func(b, start[--n]);
	}
	qsort(b->f, b->nf, sizeof(*b->f), by_va);
	for (b->cur = 0; b->cur < b->nf; b->cur++)
		code_walk(&b->code, b->f[b->cur].va, on_insn, b);
}

/* The arguments (ssl, buf, num) are used and no fourth one is. */
static bool
takes_three(struct boring *b, const struct func *f)
{
	return code_args(&b->code, f->va) == (X86_BIT(RDI) | X86_BIT(RSI) | X86_BIT(RDX));
}

static bool
calls_read_impl(struct boring *b, const struct func *f)
{
	struct code_calls calls;

	if ((f->reasons & BOTH_FAILURES) == BOTH_FAILURES)
		return true;	/* holds it */
	code_calls(&b->code, f->va, &calls);
	for (size_t i = 0; i < b->nf; i++) {
		const struct func *g = &b->f[i];

		if (g != f && !g->inner && g->refs && !(g->reasons & BAD_LENGTH) &&
		    (g->reasons & BOTH_FAILURES) == BOTH_FAILURES &&
		    code_calls_to(&calls, g->va))
			return true;
	}
	return false;
}

static bool
is_write(struct boring *b, struct func *f)
{
	const unsigned all = UNINITIALIZED | NOT_CALLED | BAD_LENGTH;

	(void)b;
	return (f->reasons & all) == all;
}

static bool
is_read(struct boring *b, struct func *f)
{
	return (f->reasons & NOT_CALLED) && !(f->reasons & BAD_LENGTH) && f->stores &&
	    calls_read_impl(b, f);
}

static bool
is_peek(struct boring *b, struct func *f)
{
	return (f->reasons & NOT_CALLED) && !(f->reasons & BAD_LENGTH) && !f->stores &&
	    calls_read_impl(b, f);
}

static bool
is_handshake(struct boring *b, struct func *f)
{
	return (f->reasons & NO_TYPE) && !(f->reasons & BAD_LENGTH) &&
	    (code_args(&b->code, f->va) & ~X86_BIT(RDI)) == 0;
}

/* The only function that is(); counts them. */
static struct func *
only(struct boring *b, bool (*is)(struct boring *, struct func *), size_t *count)
{
	struct func *found = NULL;

	*count = 0;
	for (size_t i = 0; i < b->nf; i++)
		if (b->f[i].refs && !b->f[i].inner && is(b, &b->f[i])) {
			found = &b->f[i];
			++*count;
		}
	return *count == 1 ? found : NULL;
}

/* Whether f calls g first of all, with the three arguments that it got itself. */
static bool
passes_on(const struct boring *b, const struct func *f, const struct func *g)
{
	const unsigned args = X86_BIT(RDI) | X86_BIT(RSI) | X86_BIT(RDX);
	unsigned reads, writes;
	uint64_t va = f->va;
	struct x86 x;

	for (int i = 0; i < 32; i++, va += x.len) {
		size_t n;
		const uint8_t *p = elf_span(b->e, va, &n);

		if (!p || !x86_decode(&x, p, n, va))
			return false;
		if (x.kind == X86_CALL)
			return x.target == g->va;
		x86_regs(&x, &reads, &writes);
		if ((writes & args) || (x.kind != X86_OTHER && x.kind != X86_PUSH &&
		    x.kind != X86_NOP))
			return false;
	}
	return false;
}

/* SSL_read where SSL_peek was not inlined into it: the only function that calls
 * SSL_peek and advances the buffer. It raises no error itself. */
static struct func *
caller_of_peek(struct boring *b)
{
	uint64_t at[MAX_CALLERS], start[NEAREST];
	size_t count, ncall;
	const struct func *peek = only(b, is_peek, &count);
	struct func *found = NULL;

	if (!peek || !takes_three(b, peek))
		return NULL;
	ncall = code_callers(b->e, peek->va, at, MAX_CALLERS);
	for (size_t i = 0; i < ncall; i++)
		for (size_t n = code_starts(&b->code, at[i], start, NEAREST); n > 0; n--)
			add_func(b, start[n - 1]);
	for (b->cur = 0; b->cur < b->nf; b->cur++) {
		struct func *f = &b->f[b->cur];

		if (f == peek || f->inner || f->refs || !passes_on(b, f, peek))
			continue;
		code_walk(&b->code, f->va, on_caller_insn, b);
		if (!f->stores)
			continue;
		if (found)
			return NULL;
		found = f;
	}
	return found;
}

static void
emit(struct boring *b, const struct func *f, const char *name, enum find_role role,
    enum find_abi abi, const char *why)
{
	struct find_site probe = { 0 }, *site;

	if (!point_at(&probe, b->e, f->va)) {
		found_refuse(b->out, LIB_BORINGSSL, "%s: no function begins at its address", name);
		return;
	}
	if (!(site = found_site(b->out)))
		return;
	*site = probe;
	site->lib = LIB_BORINGSSL;
	site->role = role;
	site->abi = abi;
	site->at = FIND_CALL;
	snprintf(site->name, sizeof(site->name), "%s", name);
	snprintf(site->evidence, sizeof(site->evidence), "%u errors of ssl_lib.cc; %s", f->refs,
	    why);
}

static void
judge(struct boring *b)
{
	size_t nwrite, nread, nhand;
	struct func *w = only(b, is_write, &nwrite), *r = only(b, is_read, &nread);
	struct func *h = only(b, is_handshake, &nhand);
	const char *why =
	    "raises 66, reaches ssl_read_impl (226, 215), advances the buffer; "
	    "takes rdi rsi rdx; unique";

	if (b->full || b->scan->full || b->code.budget == 0) {
		found_refuse(b->out, LIB_BORINGSSL, "more error sites than one BoringSSL has");
		return;
	}
	if (w && nread == 0 && (r = caller_of_peek(b)) != NULL)
		why = "calls SSL_peek (66, reaches 226 and 215), advances the buffer; "
		    "passes rdi rsi rdx on; unique";
	if (!w || !r) {
		found_refuse(b->out, LIB_BORINGSSL,
		    "%zu candidates for SSL_write, %zu for SSL_read (one each is "
		    "needed) among %zu functions of ssl_lib.cc", nwrite, nread, b->nf);
		return;
	}
	if (!takes_three(b, w) || (nread == 1 && !takes_three(b, r))) {
		found_refuse(b->out, LIB_BORINGSSL,
		    "what raises errors as %s does not take three arguments",
		    takes_three(b, w) ? "SSL_read" : "SSL_write");
		return;
	}
	emit(b, r, "SSL_read", ROLE_READ, ABI_INT, why);
	emit(b, w, "SSL_write", ROLE_WRITE, ABI_INT,
	    "raises 66, 111, 226; takes rdi rsi rdx; unique");
	if (h)
		emit(b, h, "SSL_do_handshake", ROLE_HANDSHAKE, ABI_RESULT,
		    "raises 134; takes rdi; unique");
}

void
find_boring(const struct elf *e, const struct scan *scan, struct found *out)
{
	struct boring *b;
	uint64_t lo = UINT64_MAX, hi = 0, start, end;

	if (found_has(out, LIB_BORINGSSL, ROLE_READ) || found_has(out, LIB_BORINGSSL, ROLE_WRITE))
		return;		/* its symbols were there */
	for (size_t i = 0; i < scan->nref; i++)
		if (scan->str[scan->ref[i].str].what == STR_BORING_FILE) {
			uint64_t va = scan->ref[i].va;

			if (elf_function(e, va, &start, &end))
				continue;
			lo = va < lo ? va : lo;
			hi = va > hi ? va : hi;
		}
	if (!scan_has(scan, STR_BORING_FILE) || scan->nref == 0)
		return;
	if (!(b = calloc(1, sizeof(*b)))) {
		out->failed = true;
		return;
	}
	b->e = e;
	b->scan = scan;
	b->out = out;
	if (lo <= hi)
		lo = lo > 0x4000 ? lo - 0x4000 : 0;
	if (code_open(&b->code, e, lo, hi)) {
		collect(b);
		judge(b);
	} else
		out->failed = true;
	code_close(&b->code);
	free(b);
}
