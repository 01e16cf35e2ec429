/*
 * find_point.c - where exactly a probe goes, and whether it may; see find.h
 */
#include "find.h"
#include "find_code.h"

static enum find_insn
insn_class(const struct x86 *x, const uint8_t *p)
{
	if (x->opsize || x->rep)
		return INSN_OTHER;	/* the kernel does not emulate these with a prefix */
	switch (x->kind) {
	case X86_NOP:
		return x->op == 0x90 && x->len == 1 ? INSN_NOP :
		    x->len == 5 && !memcmp(p, "\x0f\x1f\x44\x00\x00", 5) ? INSN_NOP5 : INSN_OTHER;
	case X86_PUSH: return x->len == 1 || (x->len == 2 && p[0] == 0x41) ? INSN_PUSH : INSN_OTHER;
	case X86_CALL: return INSN_CALL;
	case X86_JMP: return INSN_JMP;
	case X86_JCC: return x->op >= 0xe0 && x->op <= 0xe3 ? INSN_OTHER : INSN_JCC;
	default: return INSN_OTHER;
	}
}

/* Whether compilers begin functions so. */
static bool
begins_function(const struct x86 *x)
{
	if (x->vex)
		return x->op == 0x0f57 || x->op == 0x0fef;	/* vxorps, vpxor */
	if (x->op >= 0xb8 && x->op <= 0xbf)
		return true;
	switch (x->kind) {
	case X86_NOP: case X86_PUSH: case X86_CALL: case X86_JMP: return true;
	case X86_OTHER: break;
	default: return false;
	}
	switch (x->op) {
	case 0x31: case 0x33: case 0x29: case 0x2b: case 0x38: case 0x39: case 0x3a: case 0x3b:
	case 0x63: case 0x80: case 0x81: case 0x83: case 0x84: case 0x85: case 0x88: case 0x89:
	case 0x8a: case 0x8b: case 0x8d: case 0xc6: case 0xc7: case 0xf6: case 0xf7:
	case 0x0f1e: case 0x0f57: case 0x0fef: case 0x0fb6: case 0x0fb7: case 0x0fbe: case 0x0fbf:
		return true;
	}
	return false;
}

static bool
is_endbr(const uint8_t *p, size_t n)
{
	return n >= 4 && !memcmp(p, "\xf3\x0f\x1e\xfa", 4);
}

bool
point_at(struct find_site *s, const struct elf *e, uint64_t va)
{
	struct x86 x, y;
	uint64_t start, end;
	size_t n;
	const uint8_t *p = elf_span(e, va, &n);

	if (!p || !elf_is_code(e, va) || !x86_decode(&x, p, n, va) || !begins_function(&x))
		return false;
	if (elf_function(e, va, &start, &end) && start != va)
		return false;
	s->va = va;
	s->insn = insn_class(&x, p);
	if (is_endbr(p, n)) {	/* changes nothing: behind it is as good */
		if (!x86_decode(&y, p + 4, n - 4, va + 4))
			return false;
		if (insn_class(&y, p + 4) != INSN_OTHER) {
			s->va = va + 4;
			s->insn = insn_class(&y, p + 4);
		}
	}
	s->off = elf_offset(e, s->va);
	return true;
}

bool
point_inside(struct find_site *s, const struct elf *e, uint64_t va)
{
	struct x86 x;
	size_t n;
	const uint8_t *p = elf_span(e, va, &n);

	if (!p || !elf_is_code(e, va) || !x86_decode(&x, p, n, va))
		return false;
	s->va = va;
	s->off = elf_offset(e, va);
	s->insn = insn_class(&x, p);
	return true;
}

bool
point_begins(const struct find_site *s, const uint8_t *p, size_t n)
{
	struct x86 x;

	return x86_decode(&x, p, n, s->va) && insn_class(&x, p) == s->insn &&
	    (s->at != FIND_RET || x.kind == X86_RET);
}

bool
point_check(const struct find_site *s, const struct elf *e)
{
	struct find_site now = { 0 };
	struct x86 x;

	if (!point_inside(&now, e, s->va) || now.off != s->off || now.insn != s->insn)
		return false;
	if (s->at == FIND_RET)
		return x86_decode(&x, e->p + s->off, e->n - s->off, s->va) && x.kind == X86_RET;
	if (s->lib == LIB_GO)
		return true;
	/* behind endbr64, or where a function begins */
	if (s->off >= 4 && s->insn != INSN_OTHER && is_endbr(e->p + s->off - 4, 4))
		return point_at(&now, e, s->va - 4) && now.va == s->va;
	return point_at(&now, e, s->va) && now.va == s->va;
}
