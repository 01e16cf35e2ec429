/*
 * find_rustls.c - rustls 0.23 by the vtables of its record cipher
 *
 * A connection encrypts through `Box<dyn MessageEncrypter>`, so its methods cannot
 * be inlined and their addresses stand in a vtable:
 *   drop, size, align, encrypt, encrypted_payload_len
 * The last one of each cipher is `lea N(%rsi),%rax; ret`, N being the bytes that a
 * record adds: 17 TLS 1.3, 24 TLS 1.2 AES-GCM, 16 TLS 1.2 ChaCha20. The vtable of
 * the matching MessageDecrypter (one method) stands right before it. What the two
 * functions read through their message argument proves that it is laid out as
 * find.h says; rustls 0.22 and older differ and are refused.
 */
#include "find.h"
#include "find_code.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	MAX_CIPHERS = 64,
	/* bytes before an encrypter's vtable that may hold the decrypter's */
	NEAR = 0x80,
	MAX_NEAR = 1 << 14,
	MIN_BODY = 0x60,	/* a cipher is never as short */
	RARE = 4,		/* drop glue that more vtables share is no sign of a connection */
};

struct slot { uint64_t at, to; };

struct cipher {
	uint64_t vtable, encrypt, decrypt, drop, drop_too;
	unsigned overhead;
};

struct rustls {
	const struct elf *e;
	const struct scan *scan;
	struct found *out;
	struct code code;
	uint64_t len[MAX_CIPHERS];	/* slots that hold encrypted_payload_len */
	size_t nlen;
	struct slot *near;		/* the pointers around them, sorted */
	size_t nnear;
	struct cipher c[MAX_CIPHERS];
	size_t nc;
	uint64_t counted;		/* drop glue, for count_pointer */
	size_t count;
	bool full;
};

/* The N of a length function at va, 0 when it is none: perhaps with endbr64 or a
 * frame pointer before the lea that the scan found. */
static unsigned
len_fn(const struct rustls *r, uint64_t va)
{
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t frame[] = { 0x55, 0x48, 0x89, 0xe5 };
	const uint8_t *p = elf_at(r->e, va, 4);

	if (p && !memcmp(p, endbr, 4))
		p = elf_at(r->e, va += 4, 4);
	if (p && !memcmp(p, frame, 4))
		p = elf_at(r->e, va += 4, 4);
	if (!p || p[0] != 0x48 || p[1] != 0x8d || p[2] != 0x46 ||
	    (p[3] != 16 && p[3] != 17 && p[3] != 24))
		return 0;
	for (size_t i = 0; i < r->scan->nlen_fn; i++)
		if (r->scan->len_fn[i] == va)
			return p[3];
	return 0;
}

static bool
note_len(void *arg, uint64_t slot, uint64_t to)
{
	struct rustls *r = arg;

	if (!len_fn(r, to))
		return true;
	if (r->nlen == MAX_CIPHERS)
		r->full = true;
	else
		r->len[r->nlen++] = slot;
	return !r->full;
}

static bool
note_near(void *arg, uint64_t slot, uint64_t to)
{
	struct rustls *r = arg;

	for (size_t i = 0; i < r->nlen; i++)
		if (slot - (r->len[i] - 32 - NEAR) < NEAR + 48) {
			if (r->nnear == MAX_NEAR)
				r->full = true;
			else
				r->near[r->nnear++] = (struct slot){ slot, to };
			break;
		}
	return !r->full;
}

static bool
count_pointer(void *arg, uint64_t slot, uint64_t to)
{
	struct rustls *r = arg;

	(void)slot;
	r->count += to == r->counted;
	return true;
}

/* Every pointer to code: by relocation, or as it stands in a program that is
 * loaded where it was linked. */
static void
each_pointer(const struct rustls *r, bool (*each)(void *, uint64_t, uint64_t), void *arg)
{
	const struct elf *e = r->e;
	uint64_t lo = 0, hi = UINT64_MAX;

	if (e->type == 3) {	/* ET_DYN */
		elf_relatives(e, each, arg);
		return;
	}
	elf_code_range(e, &lo, &hi);
	for (unsigned i = 0; i <= e->nseg; i++) {
		const struct elf_seg *s = i < e->nseg ? &e->seg[i] : &e->relro;

		if (i < e->nseg && (s->write || s->exec))
			continue;
		for (uint64_t off = -s->va & 7; off + 8 <= s->size; off += 8) {
			uint64_t to = get64(e->p + s->off + off);

			/* nearly everything is out of range */
			if (to >= lo && to < hi && elf_is_code(e, to) &&
			    !each(arg, s->va + off, to))
				return;
		}
	}
}

static int
by_slot(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* The code that the pointer at va leads to, 0 when there is none. */
static uint64_t
pointer_at(const struct rustls *r, uint64_t va)
{
	struct slot key = { va, 0 };
	const struct slot *s = r->nnear ? bsearch(&key, r->near, r->nnear, sizeof(key), by_slot) :
	    NULL;

	return s && elf_is_code(r->e, s->to) ? s->to : 0;
}

/* A number in a vtable: no pointer stands there. */
static bool
number_at(const struct rustls *r, uint64_t va, uint64_t *v)
{
	const uint8_t *p = elf_at(r->e, va, 8);

	if (!p || pointer_at(r, va))
		return false;
	*v = get64(p);
	return true;
}

/* drop, size and align of a vtable at va. */
static bool
vtable_head(const struct rustls *r, uint64_t va, uint64_t *size, uint64_t *align)
{
	uint64_t drop;

	if (!number_at(r, va + 8, size) || !number_at(r, va + 16, align))
		return false;
	if (!pointer_at(r, va) && (!number_at(r, va, &drop) || drop != 0))
		return false;
	return *size > 0 && *size <= 8192 && *align > 0 && *align <= 64 &&
	    (*align & (*align - 1)) == 0 && *size % *align == 0;
}

/* A function of a cipher's length that uses self and msg, and takes no more than
 * seq beside them. decrypt may first use seq behind a jump table. */
static bool
is_method(struct rustls *r, uint64_t va, unsigned needed)
{
	struct find_site probe = { 0 };
	uint64_t start, end;

	if (!va || !point_at(&probe, r->e, va))
		return false;
	if (code_function(&r->code, va, &start, &end) && end - start < MIN_BODY)
		return false;
	return (code_args(&r->code, va) & (needed | X86_BIT(R8) | X86_BIT(R9))) == needed;
}

/* encrypt looks at w0 to tell one piece from many, and at w2 and w3 for the length. */
static bool
reads_plain(struct rustls *r, uint64_t va)
{
	const uint64_t need = 1ull << 0 | 1ull << 16 | 1ull << 24;

	return (code_reads_through(&r->code, va, RDX) & need) == need;
}

/* decrypt looks at the length, and at the pointer or the content type. */
static bool
reads_cipher(struct rustls *r, uint64_t va)
{
	uint64_t through = code_reads_through(&r->code, va, RDX);

	return (through & 1ull << 8) && (through & (1ull << 0 | 1ull << 16));
}

/* The nearest one-method vtable before the encrypter's. */
static uint64_t
find_decrypter(struct rustls *r, const struct cipher *c, uint64_t size, uint64_t align,
    uint64_t *drop)
{
	for (uint64_t v = c->vtable - 32; v >= c->vtable - NEAR; v -= 8) {
		uint64_t fn = pointer_at(r, v + 24), dsize, dalign;

		if (!fn || fn == c->encrypt || !vtable_head(r, v, &dsize, &dalign) ||
		    dalign != align)
			continue;
		if (dsize > size + 16 || size > dsize + 16 ||
		    !is_method(r, fn, X86_BIT(RSI) | X86_BIT(RDX)) || !reads_cipher(r, fn))
			continue;
		*drop = pointer_at(r, v);
		return fn;
	}
	return 0;
}

static void
judge(struct rustls *r, uint64_t len_slot)
{
	struct cipher c = { .vtable = len_slot - 32 };
	uint64_t size, align;

	c.encrypt = pointer_at(r, len_slot - 8);
	if (!c.encrypt || !vtable_head(r, c.vtable, &size, &align))
		return;
	c.overhead = len_fn(r, pointer_at(r, len_slot));
	if (!is_method(r, c.encrypt, X86_BIT(RSI) | X86_BIT(RDX) | X86_BIT(RCX)))
		return;		/* something else that adds a few bytes to a length */
	c.drop = pointer_at(r, c.vtable);
	c.decrypt = find_decrypter(r, &c, size, align, &c.drop_too);
	if (!c.decrypt) {
		found_refuse(r->out, LIB_RUSTLS,
		    "vtable %#llx looks like a MessageEncrypter, but no "
		    "MessageDecrypter stands before it", (unsigned long long)c.vtable);
		return;
	}
	if (!reads_plain(r, c.encrypt)) {
		found_refuse(r->out, LIB_RUSTLS,
		    "vtable %#llx: encrypt does not read its message as rustls 0.23 does",
		    (unsigned long long)c.vtable);
		return;
	}
	r->c[r->nc++] = c;
}

static void
emit(struct rustls *r, uint64_t va, const char *name, enum find_role role, enum find_abi abi,
    enum find_at at, const struct cipher *c)
{
	struct find_site probe = { 0 }, *site;

	if (!va || !point_at(&probe, r->e, va))
		return;
	for (size_t i = 0; i < r->out->nsite; i++)	/* identical functions are often merged */
		if (r->out->site[i].va == probe.va)
			return;
	if (!(site = found_site(r->out)))
		return;
	*site = probe;
	site->lib = LIB_RUSTLS;
	site->role = role;
	site->abi = abi;
	site->at = at;
	snprintf(site->name, sizeof(site->name), "%s", name);
	snprintf(site->evidence, sizeof(site->evidence),
	    "vtable %#llx, record overhead %u (%s); %s",
	    (unsigned long long)c->vtable, c->overhead, c->overhead == 17 ? "TLS 1.3" :
	    c->overhead == 24 ? "TLS 1.2 GCM" : "TLS 1.2 ChaCha20",
	    role == ROLE_FREE ? "its drop glue" : "message layout of 0.23");
}

static void
emit_drop(struct rustls *r, uint64_t va, const struct cipher *c)
{
	r->counted = va;
	r->count = 0;
	if (!va)
		return;
	each_pointer(r, count_pointer, r);
	if (r->count <= RARE)
		emit(r, va, "drop_in_place", ROLE_FREE, ABI_OBJ, FIND_ENTRY, c);
}

static void
run(struct rustls *r)
{
	each_pointer(r, note_len, r);
	if (r->nlen == 0)
		return;
	each_pointer(r, note_near, r);
	qsort(r->near, r->nnear, sizeof(*r->near), by_slot);
	if (r->full) {
		found_refuse(r->out, LIB_RUSTLS,
		    "more vtables that look like a MessageEncrypter than rustls has");
		return;
	}
	for (size_t i = 0; i < r->nlen; i++)
		judge(r, r->len[i]);
	for (size_t i = 0; i < r->nc; i++) {
		const struct cipher *c = &r->c[i];

		emit(r, c->encrypt, "MessageEncrypter::encrypt", ROLE_WRITE, ABI_RUSTLS_ENCRYPT,
		    FIND_ENTRY, c);
		emit(r, c->decrypt, "MessageDecrypter::decrypt", ROLE_READ,
		    c->overhead == 17 ? ABI_RUSTLS_DECRYPT : ABI_RUSTLS_DECRYPT12, FIND_CALL, c);
	}
	for (size_t i = 0; i < r->nc; i++) {
		emit_drop(r, r->c[i].drop, &r->c[i]);
		emit_drop(r, r->c[i].drop_too, &r->c[i]);
	}
}

void
find_rustls(const struct elf *e, const struct scan *scan, struct found *out)
{
	struct rustls *r;

	if (scan->nlen_fn == 0)
		return;
	r = calloc(1, sizeof(*r));
	if (r && (r->near = malloc(MAX_NEAR * sizeof(*r->near))) && code_open(&r->code, e, 0, 0)) {
		r->e = e;
		r->scan = scan;
		r->out = out;
		run(r);
	} else
		out->failed = true;
	if (r) {
		code_close(&r->code);
		free(r->near);
	}
	free(r);
}
