/*
 * find_x86.c - length and shape of an x86-64 instruction; see find_x86.h
 */
#include "find_x86.h"

#include <string.h>

/*
 * One letter per opcode: what follows it. '.' nothing; m ModRM; b w z immediate of
 * 1, 2, 4 bytes (z: 2 with a 66 prefix); v as z but 8 with REX.W; a an address of 8;
 * B Z: ModRM and b or z; g: group 3, an immediate only for reg 0 and 1;
 * e: enter; ! not in 64-bit mode, a prefix, or never written by a compiler.
 */
static const char one_byte[] =
    /*	 0123456789abcdef */
	"mmmmbz!!mmmmbz!!"
	"mmmmbz!!mmmmbz!!"
	"mmmmbz!!mmmmbz!!"
	"mmmmbz!!mmmmbz!!"
	"!!!!!!!!!!!!!!!!"
	"................"
	"!!!m!!!!zZbB...."
	"bbbbbbbbbbbbbbbb"
	"BZ!Bmmmmmmmmmmmm"
	"..........!....."
	"aaaa....bz......"
	"bbbbbbbbvvvvvvvv"
	"BBw.!!BZe.w..b!."
	"mmmm!!!.mmmmmmmm"
	"bbbbbbbbzz!b...."
	"!.!!..gg......mm";

static const char two_byte[] =
	"mmmm!....!!.!m.!"
	"mmmmmmmmmmmmmmmm"
	"mmmm!!!!mmmmmmmm"
	"......!.!!!!!!!!"
	"mmmmmmmmmmmmmmmm"
	"mmmmmmmmmmmmmmmm"
	"mmmmmmmmmmmmmmmm"
	"BBBBmmm.mm!!mmmm"
	"zzzzzzzzzzzzzzzz"
	"mmmmmmmmmmmmmmmm"
	"...mBm!!...mBmmm"
	"mmmmmmmmmmBmmmmm"
	"mmBmBBBm........"
	"mmmmmmmmmmmmmmmm"
	"mmmmmmmmmmmmmmmm"
	"mmmmmmmmmmmmmmmm";

struct cursor {
	const uint8_t *p, *end;
	bool addr32;
};

static bool
take(struct cursor *c, unsigned n, int64_t *v)
{
	int8_t b;
	int16_t w;
	int32_t d;

	if ((size_t)(c->end - c->p) < n)
		return false;
	switch (n) {
	case 1: memcpy(&b, c->p, 1); *v = b; break;
	case 2: memcpy(&w, c->p, 2); *v = w; break;
	case 4: memcpy(&d, c->p, 4); *v = d; break;
	case 8: memcpy(v, c->p, 8); break;
	}
	c->p += n;
	return true;
}

static bool
take_modrm(struct x86 *x, struct cursor *c)
{
	int64_t v = 0;
	uint8_t b, rm;

	if (c->p >= c->end)
		return false;
	b = *c->p++;
	rm = b & 7;
	x->modrm = true;
	x->mod = b >> 6;
	x->reg = ((b >> 3) & 7) | (x->rex & 4) << 1;
	x->base = x->index = X86_NOREG;
	if (x->mod == 3) {
		x->rm = rm | (x->rex & 1) << 3;
		return true;
	}
	x->base = rm | (x->rex & 1) << 3;
	if (rm == 4) {
		if (c->p >= c->end)
			return false;
		b = *c->p++;
		rm = b & 7;
		x->base = rm | (x->rex & 1) << 3;
		x->index = ((b >> 3) & 7) | (x->rex & 2) << 2;
		if (x->index == RSP)
			x->index = X86_NOREG;
		if (x->mod == 0 && rm == 5)
			x->base = X86_NOREG;
	} else if (x->mod == 0 && rm == 5) {
		x->base = X86_NOREG;
		x->rip = true;
	}
	if (x->mod == 1 && !take(c, 1, &v))
		return false;
	if ((x->mod == 2 || (x->mod == 0 && rm == 5)) && !take(c, 4, &v))
		return false;
	x->disp = v;
	return true;
}

static bool
take_operands(struct x86 *x, struct cursor *c, char what)
{
	unsigned z = x->opsize && !(x->rex & 8) ? 2 : 4;

	switch (what) {
	case '.': return true;
	case 'm': return take_modrm(x, c);
	case 'b': return take(c, 1, &x->imm);
	case 'w': return take(c, 2, &x->imm);
	case 'z': return take(c, z, &x->imm);
	case 'v': return take(c, x->rex & 8 ? 8 : z, &x->imm);
	case 'a': return take(c, c->addr32 ? 4 : 8, &x->imm);
	case 'B': return take_modrm(x, c) && take(c, 1, &x->imm);
	case 'Z': return take_modrm(x, c) && take(c, z, &x->imm);
	case 'e': return take(c, 2, &x->imm) && take(c, 1, &x->imm);
	case 'g': return take_modrm(x, c) && ((x->reg & 6) ||
	    take(c, x->op & 1 ? z : 1, &x->imm));
	}
	return false;
}

/* VEX (C4, C5) and EVEX (62): payload bytes, then opcode of map 1, 2, 3, 5 or 6. */
static bool
decode_vex(struct x86 *x, struct cursor *c, uint8_t first)
{
	unsigned n = first == 0xc5 ? 1 : first == 0xc4 ? 2 : 3, map = 1;
	uint8_t op;

	if ((size_t)(c->end - c->p) < n + 1 || x->rex || x->opsize || x->rep)
		return false;
	x->rex = (~c->p[0] >> 5 & 4) | (n > 1 ? ~c->p[0] >> 5 & 3 : 0);
	if (n > 1)
		map = c->p[0] & (n == 3 ? 7 : 31);
	c->p += n;
	op = *c->p++;
	x->vex = true;
	x->op = op | (map == 1 ? 0x0f00 : map == 2 ? 0x3800 : map == 3 ? 0x3a00 : 0x5000);
	switch (map) {
	case 1:
		if (op == 0x77 && n < 3)	/* vzeroupper */
			return true;
		return take_operands(x, c, two_byte[op] == 'B' ? 'B' : 'm');
	case 2: case 5: case 6:
		return (map == 2 || n == 3) && take_operands(x, c, 'm');
	case 3:
		return take_operands(x, c, 'B');
	}
	return false;
}

static bool
decode_0f(struct x86 *x, struct cursor *c)
{
	uint8_t op;

	if (c->p >= c->end)
		return false;
	op = *c->p++;
	if (op == 0x38 || op == 0x3a) {
		if (c->p >= c->end)
			return false;
		x->op = op << 8 | *c->p++;
		return take_operands(x, c, op == 0x38 ? 'm' : 'B');
	}
	x->op = 0x0f00 | op;
	if (op >= 0x80 && op <= 0x8f && x->opsize)	/* 16-bit on AMD, 32 on Intel */
		return false;
	return take_operands(x, c, two_byte[op]);
}

static bool
decode_prefixes(struct x86 *x, struct cursor *c)
{
	for (; c->p < c->end; c->p++)
		switch (*c->p) {
		case 0x66: x->opsize = true; break;
		case 0x67: c->addr32 = true; break;
		case 0xf2: case 0xf3: x->rep = true; break;
		case 0xf0: case 0x2e: case 0x36: case 0x3e: case 0x26: case 0x64: case 0x65: break;
		default:
			if ((*c->p & 0xf0) == 0x40)
				x->rex = *c->p++;
			return c->p < c->end;
		}
	return false;
}

static enum x86_kind
classify(const struct x86 *x)
{
	if (x->vex)
		return X86_OTHER;
	if ((x->op & 0xfff0) == 0x70 || (x->op & 0xfff0) == 0x0f80)
		return X86_JCC;
	if (x->op >= 0x50 && x->op <= 0x57)
		return X86_PUSH;
	switch (x->op) {
	case 0xe8: return X86_CALL;
	case 0xe9: case 0xeb: return X86_JMP;
	case 0xe0: case 0xe1: case 0xe2: case 0xe3: return X86_JCC;	/* loop, jrcxz */
	case 0xc2: case 0xc3: return X86_RET;
	case 0x90: return x->rex & 1 ? X86_OTHER : X86_NOP;
	case 0x0f1f: return X86_NOP;
	case 0xcc: case 0xf4: case 0x0f0b: case 0x0fff: case 0x0fb9: return X86_TRAP;
	case 0xff:
		if ((x->reg & 7) == 2)
			return X86_CALL_MEM;
		if ((x->reg & 7) == 4)
			return X86_JMP_MEM;
	}
	return X86_OTHER;
}

/* Encodings within known opcodes that no compiler writes. */
static bool
is_odd(const struct x86 *x)
{
	unsigned ext = x->reg & 7;

	switch (x->vex ? 0 : x->op) {
	case 0x8f: return ext != 0;
	case 0xc6: case 0xc7: return ext != 0 && !(x->mod == 3 && ext == 7);
	case 0xfe: return ext > 1;
	case 0xff: return ext == 7 || ext == 3 || ext == 5;
	case 0xe8: case 0xe9: return x->opsize;
	case 0x8d: return x->mod == 3;
	case 0x0fb8: return !x->rep;
	}
	return false;
}

bool
x86_decode(struct x86 *x, const uint8_t *p, size_t n, uint64_t va)
{
	struct cursor c = { p, p + (n < 15 ? n : 15), false };
	uint8_t op;
	bool ok;

	memset(x, 0, sizeof(*x));
	x->base = x->index = X86_NOREG;
	x->va = va;
	if (!decode_prefixes(x, &c))
		return false;
	op = *c.p++;
	if (op == 0x0f)
		ok = decode_0f(x, &c);
	else if (op == 0xc4 || op == 0xc5 || op == 0x62)
		ok = decode_vex(x, &c, op);
	else {
		x->op = op;
		ok = take_operands(x, &c, one_byte[op]);
	}
	if (!ok || is_odd(x))
		return false;
	x->len = c.p - p;
	x->kind = classify(x);
	if (x->kind == X86_CALL || x->kind == X86_JMP || x->kind == X86_JCC)
		x->target = va + x->len + x->imm;
	else if (x->rip)
		x->target = va + x->len + x->disp;
	return true;
}

/* Whether the ModRM instruction reads and writes its general registers, as r
 * (reg read), R (reg written), m (rm read), M (rm written). */
static const char *
operand_use(const struct x86 *x)
{
	unsigned op = x->op, ext = x->reg & 7;

	if (x->vex)
		return "";
	if (op < 0x40)		/* add or adc sbb and sub xor cmp: 8 groups of 4 forms */
		switch (op & 7) {
		case 0: case 1: return (op & 0x38) == 0x38 ? "rm" : "rmM";
		case 2: case 3: return (op & 0x38) == 0x38 ? "rm" : "rmR";
		}
	if ((op & 0xfff0) == 0x0f40)
		return "rmR";	/* cmov */
	if ((op & 0xfff0) == 0x0f90)
		return "mM";	/* setcc: only the low byte */
	switch (op) {
	case 0x63: case 0x8a: case 0x8b: case 0x69: case 0x6b:
	case 0x0fb6: case 0x0fb7: case 0x0fbe: case 0x0fbf:
	case 0x0fb8: case 0x0fbc: case 0x0fbd: return "mR";
	case 0x0faf: return "rmR";
	case 0x84: case 0x85: case 0x0fa3: return "rm";
	case 0x86: case 0x87: case 0x0fc0: case 0x0fc1: return "rmRM";
	case 0x88: case 0x89: return "rM";
	case 0x8d: return "R";
	case 0x80: case 0x81: case 0x83: return ext == 7 ? "m" : "mM";
	case 0x8f: return "M";
	case 0xc0: case 0xc1: case 0xd0: case 0xd1: case 0xd2: case 0xd3:
	case 0xfe: return "mM";
	case 0xc6: case 0xc7: return "M";
	case 0xf6: case 0xf7: return ext < 2 || ext > 3 ? "m" : "mM";
	case 0xff: return ext < 2 ? "mM" : "m";
	case 0x0f6e: case 0x0f2a: return "m";
	case 0x0f7e: case 0x0f2c: case 0x0f2d: return "M";
	}
	return "";
}

void
x86_regs(const struct x86 *x, unsigned *reads, unsigned *writes)
{
	const char *use = x->modrm ? operand_use(x) : "";

	*reads = *writes = 0;
	if (x->base != X86_NOREG)
		*reads |= X86_BIT(x->base);
	if (x->index != X86_NOREG)
		*reads |= X86_BIT(x->index);
	/* xor or sub of a register with itself is how zero is written */
	if (!x->vex && (x->op == 0x31 || x->op == 0x33 || x->op == 0x29 || x->op == 0x2b) &&
	    x->modrm && x->mod == 3 && x->reg == x->rm) {
		*writes |= X86_BIT(x->reg);
		return;
	}
	for (; *use; use++)
		switch (*use) {
		case 'r': *reads |= X86_BIT(x->reg); break;
		case 'R': *writes |= X86_BIT(x->reg); break;
		case 'm': *reads |= x->mod == 3 ? X86_BIT(x->rm) : 0; break;
		case 'M': *writes |= x->mod == 3 ? X86_BIT(x->rm) : 0; break;
		}
	if (!x->vex && ((x->op >= 0x58 && x->op <= 0x5f) || (x->op >= 0xb0 && x->op <= 0xbf)))
		*writes |= X86_BIT((x->op & 7) | (x->rex & 1) << 3);
	if (!x->vex && x->op >= 0x0fc8 && x->op <= 0x0fcf) {	/* bswap */
		*reads |= X86_BIT((x->op & 7) | (x->rex & 1) << 3);
		*writes |= *reads;
	}
	/* what a call does not preserve */
	if (x->kind == X86_CALL || x->kind == X86_CALL_MEM)
		*writes |= 0x0fc7;
}
