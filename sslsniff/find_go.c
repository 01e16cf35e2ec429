/*
 * find_go.c - Go's crypto/tls by the table of functions that the runtime needs
 *
 * Every Go program carries a pclntab (runtime/symtab.go): name and address of
 * each function, also when stripped. Arguments are in registers since Go 1.17;
 * that is seen by the stack check at the entry, which then compares with
 * g.stackguard0 at 16(%r14). The probe goes behind it, where registers and
 * stack are still those of the call: a function whose stack must grow
 * starts again from its entry. Results are read at each RET instruction.
 */
#include "find.h"
#include "find_code.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	MAX_RETS = 64,
	MAX_NAME = 64,
	MAX_BODY = 32 << 10,
	MAX_FUNCS = 4 << 20,
	SAMPLES = 64,		/* functions looked at to check where text starts */
};

static const struct want { const char *name; enum find_role role; enum find_abi abi; } wants[] = {
	{ "crypto/tls.(*Conn).Read", ROLE_READ, ABI_GO },
	{ "crypto/tls.(*Conn).Write", ROLE_WRITE, ABI_GO },
	{ "crypto/tls.(*Conn).Close", ROLE_FREE, ABI_OBJ },
};

enum { WANTS = sizeof(wants) / sizeof(*wants) };

struct pclntab {
	const struct elf *e;
	const uint8_t *p;	/* the table, and how much of the segment is left from there */
	size_t n;
	uint64_t va;
	uint64_t nfunc, text, names, funcs;
	bool wide;		/* Go 1.16, 1.17: entries are addresses of 8 bytes */
};

struct func { uint64_t start, end; };

struct go {
	const struct elf *e;
	struct found *out;
	struct code code;
	struct func f[WANTS];
	uint64_t entry;		/* of _rt0_amd64_linux, relative to text */
	uint64_t slot, value;	/* for find_slot */
};

static bool
find_slot(void *arg, uint64_t slot, uint64_t value)
{
	struct go *g = arg;

	if (slot != g->slot)
		return true;
	g->value = value;
	return false;
}

static bool
open_table(struct go *g, struct pclntab *t, uint64_t off)
{
	const uint8_t *p;
	unsigned magic;

	t->e = g->e;
	t->va = elf_va(g->e, off);
	if (t->va == UINT64_MAX || !(p = elf_span(g->e, t->va, &t->n)) || t->n < 80)
		return false;
	t->p = p;
	magic = p[0];
	t->wide = magic == 0xfa;
	t->nfunc = get64(p + 8);
	if (magic == 0xfb)
		return false;	/* before Go 1.16: no registers, and another layout */
	t->names = get64(p + (t->wide ? 24 : 32));
	t->funcs = get64(p + (t->wide ? 56 : 64));
	if (t->nfunc == 0 || t->nfunc > MAX_FUNCS || t->names >= t->n || t->funcs >= t->n)
		return false;
	if (t->nfunc >= (t->n - t->funcs) / (t->wide ? 16 : 8))
		return false;
	if (!t->wide) {
		t->text = get64(p + 24);
		g->slot = t->va + 24;	/* relocated in a position-independent program */
		g->value = 0;
		elf_relatives(g->e, find_slot, g);
		if (g->value)
			t->text = g->value;
	}
	return true;
}

/* Entry i of the table: address (relative to text unless wide), name. */
static bool
table_entry(const struct pclntab *t, uint64_t i, uint64_t *entry, const char **name)
{
	const uint8_t *f = t->p + t->funcs;
	uint64_t off, nameoff;

	*entry = t->wide ? get64(f + 16 * i) : get32(f + 8 * i);
	*name = NULL;
	if (i == t->nfunc)
		return true;
	off = t->wide ? get64(f + 16 * i + 8) : get32(f + 8 * i + 4);
	if (off > t->n - t->funcs || t->n - t->funcs - off < 16)
		return false;
	nameoff = get32(f + off + (t->wide ? 8 : 4));
	if (nameoff > t->n - t->names || t->n - t->names - nameoff < MAX_NAME)
		return false;
	*name = (const char *)t->p + t->names + nameoff;
	return true;
}

static void
read_table(struct go *g, const struct pclntab *t)
{
	uint64_t start, end;
	const char *name, *next;

	memset(g->f, 0, sizeof(g->f));
	g->entry = UINT64_MAX;
	for (uint64_t i = 0; i < t->nfunc; i++) {
		if (!table_entry(t, i, &start, &name))
			continue;
		if (name[0] == '_' &&
		    !strncmp(name, "_rt0_amd64_linux", sizeof("_rt0_amd64_linux")))
			g->entry = start;
		if (name[0] != 'c' || strncmp(name, "crypto/tls.(*Conn).", 19))
			continue;
		for (size_t w = 0; w < WANTS; w++)
			if (!strncmp(name, wants[w].name, MAX_NAME) &&
			    table_entry(t, i + 1, &end, &next))
				g->f[w] = (struct func){ start, end };
	}
}

/* Whether functions really begin where the table says, if text is at `text`: each
 * is at least 16-aligned, in code, and behind padding, a return or a jump. */
static bool
text_fits(const struct go *g, const struct pclntab *t, uint64_t text)
{
	uint64_t entry, step = t->nfunc / SAMPLES + 1;
	const char *name;
	unsigned good = 0, all = 0;

	for (uint64_t i = 1; i < t->nfunc; i += step) {
		const uint8_t *p;

		if (!table_entry(t, i, &entry, &name) || !(p = elf_at(g->e, text + entry - 1, 2)) ||
		    !elf_is_code(g->e, text + entry))
			return false;
		all++;
		good += (text + entry) % 16 == 0 && (*p == 0xcc || *p == 0xc3 || p[0] == 0x90 ||
		    p[0] == 0 ||
		    p[1] == 0x49 || p[1] == 0x4c);
	}
	return all > 0 && good >= all - all / 8;
}

/* The stack check: [lea -N(%rsp),%r12;] cmp 16(%r14),%rsp or %r12; jbe. Returns the
 * address behind it, 0 when the function does not begin so. */
static uint64_t
after_stack_check(const struct elf *e, uint64_t va)
{
	uint8_t sp = RSP;
	struct x86 x;

	for (int i = 0; i < 3; i++) {
		size_t n;
		const uint8_t *p = elf_span(e, va, &n);

		if (!p || !x86_decode(&x, p, n, va))
			return 0;
		va += x.len;
		if (i == 0 && x.op == 0x8d && x.base == RSP && x.reg == 12)
			sp = 12;
		else if (x.op == 0x3b && x.modrm && x.mod == 1 && x.base == R14 && x.disp == 16 &&
		    x.reg == sp && (x.rex & 8))
			break;
		else
			return 0;
	}
	{
		size_t n;
		const uint8_t *p = elf_span(e, va, &n);

		if (!p || !x86_decode(&x, p, n, va) || (x.op != 0x76 && x.op != 0x0f86))
			return 0;
	}
	return va + x.len;
}

/* Every RET of [start, end); all of it must decode. */
static bool
list_rets(const struct elf *e, const struct func *f, uint64_t *ret, size_t *nret)
{
	struct x86 x;
	size_t n;

	*nret = 0;
	if (f->end <= f->start || f->end - f->start > MAX_BODY)
		return false;
	for (uint64_t va = f->start; va < f->end; va += x.len) {
		const uint8_t *p = elf_span(e, va, &n);

		if (!p || !x86_decode(&x, p, n, va))
			return false;
		if (x.kind != X86_RET)
			continue;
		if (*nret == MAX_RETS)
			return false;
		ret[(*nret)++] = va;
	}
	return *nret > 0;
}

static struct find_site *
add_site(struct go *g, uint64_t va, const struct want *w, enum find_at at, const char *evidence)
{
	struct find_site probe = { 0 }, *site;

	if (!point_inside(&probe, g->e, va) || !(site = found_site(g->out)))
		return NULL;
	*site = probe;
	site->lib = LIB_GO;
	site->role = w->role;
	site->abi = w->abi;
	site->at = at;
	site->go = true;
	snprintf(site->name, sizeof(site->name), "%s", w->name);
	snprintf(site->evidence, sizeof(site->evidence), "%s", evidence);
	return site;
}

static void
judge(struct go *g, const struct want *w, const struct func *f)
{
	const unsigned obj = X86_BIT(RAX), all = obj | X86_BIT(RBX) | X86_BIT(RCX);
	uint64_t ret[MAX_RETS], at = after_stack_check(g->e, f->start);
	bool data = w->abi == ABI_GO;
	unsigned need = data ? all : obj;
	size_t nret = 0;

	if (!at) {
		found_refuse(g->out, LIB_GO,
		    "%s does not begin with the stack check of Go's register calls "
		    "(Go 1.17 and later)", w->name);
		return;
	}
	if ((code_live(&g->code, at) & need) != need) {
		found_refuse(g->out, LIB_GO, "%s does not take its arguments in rax rbx rcx",
		    w->name);
		return;
	}
	if (data && !list_rets(g->e, f, ret, &nret)) {
		found_refuse(g->out, LIB_GO, "%s: its return instructions cannot be told", w->name);
		return;
	}
	add_site(g, at, w, FIND_ENTRY, data ? "pclntab; behind the stack check; takes rax rbx rcx" :
	    "pclntab; behind the stack check; takes rax");
	for (size_t i = 0; i < nret; i++)
		add_site(g, ret[i], w, FIND_RET, "return instruction of the function above");
}

static bool
try_table(struct go *g, uint64_t off)
{
	struct pclntab t = { 0 };
	bool any = false;
	uint64_t text;

	if (!open_table(g, &t, off))
		return false;
	read_table(g, &t);
	for (size_t i = 0; i < WANTS; i++)
		any |= g->f[i].start != g->f[i].end;
	if (!any)
		return false;	/* a Go program without TLS */
	text = t.wide ? 0 : t.text;
	/* no textStart there: the program's entry is a function as well */
	if (!text_fits(g, &t, text)) {
		text = get64(g->e->p + 24) - g->entry;
		if (g->entry == UINT64_MAX || !text_fits(g, &t, text)) {
			found_refuse(g->out, LIB_GO,
			    "pclntab at %#llx: where the code of its functions starts is not known",
			    (unsigned long long)t.va);
			return false;
		}
	}
	for (size_t i = 0; i < WANTS; i++) {
		g->f[i].start += text;
		g->f[i].end += text;
		if (g->f[i].start != g->f[i].end)
			judge(g, &wants[i], &g->f[i]);
	}
	return true;
}

void
find_go(const struct elf *e, const struct scan *scan, struct found *out)
{
	struct go *g;
	size_t tables = 0;

	if (scan->npcln == 0)
		return;
	if (!(g = calloc(1, sizeof(*g))) || !code_open(&g->code, e, 0, 0)) {
		free(g);
		out->failed = true;
		return;
	}
	g->e = e;
	g->out = out;
	for (size_t i = 0; i < scan->npcln && tables == 0; i++)
		tables += try_table(g, scan->pcln[i]);
	if (scan->npcln == SCAN_MAX_PCLN && tables == 0)
		found_refuse(out, LIB_GO, "too many places look like a pclntab");
	code_close(&g->code);
	free(g);
}
