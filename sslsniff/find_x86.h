/*
 * find_x86.h - how long an x86-64 instruction is, and the little else that finders ask
 *
 * Not a disassembler: it knows lengths, branches, and which general registers
 * common instructions read and write. An opcode it does not know is refused,
 * never guessed. Source: Intel SDM volume 2, appendix A.
 */
#ifndef FIND_X86_H
#define FIND_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x86_kind {
	X86_OTHER, X86_NOP, X86_PUSH, X86_CALL, X86_JMP, X86_JCC,
	X86_CALL_MEM,	/* call or jmp through a register or memory */
	X86_JMP_MEM,
	X86_RET,
	X86_TRAP,	/* ud2, int3, hlt: nothing behind it runs */
};

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R14 = 14, X86_NOREG = 0xff };
#define X86_BIT(r) (1u << (r))

struct x86 {
	uint8_t len;
	enum x86_kind kind;
	uint16_t op;		/* opcode; 0x0f00 |, 0x3800 |, 0x3a00 | for the other maps */
	bool vex;		/* VEX or EVEX: op is not that of the plain map */
	bool opsize;		/* 66 prefix */
	bool rep;		/* F2 or F3 prefix */
	uint8_t rex;
	bool modrm;
	uint8_t mod, reg, rm;	/* with REX bits; rm only when mod is 3 */
	uint8_t base, index;	/* of a memory operand, X86_NOREG: none */
	bool rip;		/* the memory operand is next instruction + disp */
	int32_t disp;
	int64_t imm;
	uint64_t va, target;	/* target: of direct branches, or the address when rip */
};

/* Decodes the instruction at p, of which n bytes may be read, as if at va. False
 * when it is cut off or not known. */
bool x86_decode(struct x86 *, const uint8_t *p, size_t n, uint64_t va);

/* General registers the instruction reads and writes, as sets of X86_BIT.
 * Unknown instructions read only what addresses their memory operand. */
void x86_regs(const struct x86 *, unsigned *reads, unsigned *writes);

#endif
