/*
 * find_code.h - what the finders share: one pass over the file, and walks through functions
 *
 * The scan visits read-only and executable segments once and notes the few
 * things that any finder starts from. Everything is bounded; a file that has
 * more of something than fits is treated as if it were there twice: refused.
 */
#ifndef FIND_CODE_H
#define FIND_CODE_H

#include "elf.h"
#include "find_x86.h"

enum scan_what {
	STR_BORING_FILE,	/* ".../ssl/ssl_lib.cc": BoringSSL's __FILE__ */
	STR_SSL_READ,		/* OpenSSL 3's __func__ of these functions */
	STR_SSL_WRITE,
	STR_READ_INTERNAL,
	STR_WRITE_INTERNAL,
	STR_DO_HANDSHAKE,
	STR_SSL_NEW,
	STR_MAX
};

enum { SCAN_MAX_STR = 64, SCAN_MAX_REF = 4096, SCAN_MAX_LEN_FN = 1024, SCAN_MAX_PCLN = 16 };

struct scan {
	struct scan_str { uint64_t va; enum scan_what what; } str[SCAN_MAX_STR];
	size_t nstr;
	/* Instructions that load the address of str[], by address. */
	struct scan_ref { uint64_t va; uint16_t str; uint8_t reg; } ref[SCAN_MAX_REF];
	size_t nref;
	/* Functions `lea N(%rsi),%rax; ret`, see find_rustls.c. */
	uint64_t len_fn[SCAN_MAX_LEN_FN];
	size_t nlen_fn;
	/* What may be a Go pclntab, as file offsets. */
	uint64_t pcln[SCAN_MAX_PCLN];
	size_t npcln;
	bool full;	/* one of the tables above was too small */
};

void scan_file(struct scan *, const struct elf *);
/* The instructions that load the address of a string found by scan_file. Refs are
 * looked for only when there are strings. */
bool scan_has(const struct scan *, enum scan_what);

/* Functions, as .eh_frame has them where no .eh_frame_hdr does; and starts of others in
 * [lo, hi): targets of calls. */
struct code {
	const struct elf *e;
	struct code_fn { uint64_t start, end; } *fn;	/* sorted, malloc'd */
	size_t nfn;
	uint64_t *start;	/* sorted, malloc'd */
	size_t nstart;
	uint32_t budget;	/* instructions that may still be decoded: hostile files */
};

/* False when out of memory or there are too many. With lo >= hi, or a GiB and more
 * between them, no calls are collected. */
bool code_open(struct code *, const struct elf *, uint64_t lo, uint64_t hi);
void code_close(struct code *);
/* As elf_function, for programs without .eh_frame_hdr, too. */
bool code_function(const struct code *, uint64_t va, uint64_t *start, uint64_t *end);
/* The nearest possible starts of the function around va, best first; one when
 * .eh_frame knows. Returns how many, at most max. */
size_t code_starts(const struct code *, uint64_t va, uint64_t *start, size_t max);

/*
 * Follows the control flow of the function at start and shows every instruction
 * once. Branches that leave the function are shown, not followed. Returns false
 * when it met an instruction it does not know or ran out of bounds: what was
 * shown is then only a part. each() ends the walk by returning false.
 */
bool code_walk(struct code *, uint64_t start, bool (*each)(void *, const struct x86 *), void *arg);

/* Registers whose value on entry the function uses before its first call, by
 * path, as a set of X86_BIT: what arguments it really takes. */
unsigned code_args(struct code *, uint64_t start);

enum { CODE_MAX_CALLS = 256 };
struct code_calls {	/* direct calls and jumps out of one function, in address order */
	struct {
		uint64_t at, to;
		/* what to is a stub for in the procedure linkage table, or NULL */
		const char *import;
	} call[CODE_MAX_CALLS];
	size_t n;
	bool whole;
};
void code_calls(struct code *, uint64_t start, struct code_calls *);
bool code_calls_to(const struct code_calls *, uint64_t to);
/* Places in the whole file that call or jump to an address; at most max. */
size_t code_callers(const struct elf *, uint64_t to, uint64_t *at, size_t max);

/* The same for every general register. */
unsigned code_live(struct code *, uint64_t start);

/* Which offsets below 64 the function reads through a pointer that it got in
 * register reg, before that is lost: bit n stands for offset n. */
uint64_t code_reads_through(struct code *, uint64_t start, unsigned reg);

/* "rdi rsi rdx" */
const char *code_args_text(unsigned args, char buf[64]);

#endif
