/*
 * elf.h - a bounds-checked reader of 64-bit little-endian x86-64 ELF in a buffer
 *
 * Works from program headers; section headers are only another way to symbols.
 * Nothing is allocated, every pointer handed out lies inside the buffer, and
 * every loop is bounded by its size, whatever the file claims. Layout: elf(5),
 * System V ABI AMD64 supplement, LSB Core 10.6 (.eh_frame_hdr, .eh_frame).
 */
#ifndef ELF_H
#define ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ELF_MAX_SEG = 64 };

struct elf_seg {
	uint64_t va, off, size;	/* what is really in the file */
	bool exec, write;
};

struct elf_dyn {	/* virtual addresses and sizes in bytes; 0: absent */
	uint64_t symtab, strtab, strsz, hash, gnu_hash;
	uint64_t rela, relasz, relr, relrsz, jmprel, pltrelsz;
	uint64_t flags_1;
};

struct elf {
	const uint8_t *p;
	size_t n;
	uint16_t type;		/* ET_EXEC or ET_DYN */
	bool interp;
	struct elf_seg seg[ELF_MAX_SEG];
	unsigned nseg;
	struct elf_seg relro;	/* size 0: none */
	struct elf_dyn dyn;
	uint64_t eh_hdr;	/* va of .eh_frame_hdr, 0: none */
	const uint8_t *fde;	/* its table of {i32 start, i32 fde} */
	size_t nfde;
	const uint8_t *build_id;
	size_t build_id_len;
};

struct elf_sym {
	const char *name;	/* NUL-terminated inside the file */
	uint64_t va, size;
	uint8_t type;		/* STT_* */
	bool dynamic;		/* from .dynsym */
};

/* NULL, or what is wrong with the file. The buffer must outlive the struct. */
const char *elf_open(struct elf *, const void *p, size_t n);

/* The n bytes at a virtual address, NULL when the file does not hold them all. */
const uint8_t *elf_at(const struct elf *, uint64_t va, size_t n);
/* The same and how many bytes the segment holds from there on. */
const uint8_t *elf_span(const struct elf *, uint64_t va, size_t *n);
bool elf_is_code(const struct elf *, uint64_t va);
/* Shrinks [lo, hi) to the addresses between the first and the last code. */
void elf_code_range(const struct elf *, uint64_t *lo, uint64_t *hi);
/* File offset of an address and the reverse; UINT64_MAX when there is none. */
uint64_t elf_offset(const struct elf *, uint64_t va);
uint64_t elf_va(const struct elf *, uint64_t off);

/* Every defined symbol of .symtab and .dynsym. each() ends the walk by false. */
void elf_symbols(const struct elf *, bool (*each)(void *, const struct elf_sym *), void *arg);
/* The name that a jump slot or GOT entry at va is bound to, NULL when none is. */
const char *elf_slot_name(const struct elf *, uint64_t va);

/* Every pointer the loader will relocate without a symbol: slot, value. */
void elf_relatives(const struct elf *, bool (*each)(void *, uint64_t slot, uint64_t value),
    void *arg);

/* The function around va by .eh_frame: exact. False when no entry covers it. */
bool elf_function(const struct elf *, uint64_t va, uint64_t *start, uint64_t *end);

/* Every function that .eh_frame has, in its order, where no .eh_frame_hdr leads to them (as
 * in programs that are linked -static): by the section's header. */
void elf_frames(const struct elf *, bool (*each)(void *, uint64_t start, uint64_t end), void *arg);

const char *elf_kind_name(const struct elf *);	/* "exec", "pie", "shared" */

/* Unaligned little-endian loads. */
static inline uint16_t
get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

#endif
