/*
 * elf.c - a bounds-checked reader of 64-bit x86-64 ELF in a buffer; see elf.h
 */
#include "elf.h"

#include <elf.h>
#include <stdlib.h>

enum {
	PHDR = sizeof(Elf64_Phdr),
	SYM = sizeof(Elf64_Sym),
	RELA = sizeof(Elf64_Rela),
	SHDR = sizeof(Elf64_Shdr),
	EH_HDR_TABLE = 0x3b,	/* DW_EH_PE_datarel | DW_EH_PE_sdata4 */
	EH_PCREL4 = 0x1b,	/* DW_EH_PE_pcrel | DW_EH_PE_sdata4 */
	EH_OMIT = 0xff,
	MAX_RELATIVE = 16 << 20,	/* relocations looked at */
	MAX_IMPORTS = 64 << 10,
};

/* The part of [off, off+size) that the file holds. */
static size_t
clip(const struct elf *e, uint64_t off, uint64_t size)
{
	if (off >= e->n)
		return 0;
	return size > e->n - off ? e->n - off : size;
}

const uint8_t *
elf_span(const struct elf *e, uint64_t va, size_t *n)
{
	for (unsigned i = 0; i < e->nseg; i++) {
		const struct elf_seg *s = &e->seg[i];

		if (va - s->va < s->size) {
			*n = s->size - (va - s->va);
			return e->p + s->off + (va - s->va);
		}
	}
	*n = 0;
	return NULL;
}

const uint8_t *
elf_at(const struct elf *e, uint64_t va, size_t n)
{
	size_t have;
	const uint8_t *p = elf_span(e, va, &have);

	return p && n <= have ? p : NULL;
}

bool
elf_is_code(const struct elf *e, uint64_t va)
{
	for (unsigned i = 0; i < e->nseg; i++)
		if (e->seg[i].exec && va - e->seg[i].va < e->seg[i].size)
			return true;
	return false;
}

void
elf_code_range(const struct elf *e, uint64_t *lo, uint64_t *hi)
{
	uint64_t first = UINT64_MAX, last = 0;

	for (unsigned i = 0; i < e->nseg; i++) {
		const struct elf_seg *g = &e->seg[i];

		if (!g->exec)
			continue;
		first = g->va < first ? g->va : first;
		last = g->va + g->size > last ? g->va + g->size : last;
	}
	*lo = *lo > first ? *lo : first;
	*hi = *hi < last ? *hi : last;
}

uint64_t
elf_offset(const struct elf *e, uint64_t va)
{
	size_t n;
	const uint8_t *p = elf_span(e, va, &n);

	return p ? (uint64_t)(p - e->p) : UINT64_MAX;
}

uint64_t
elf_va(const struct elf *e, uint64_t off)
{
	for (unsigned i = 0; i < e->nseg; i++)
		if (off - e->seg[i].off < e->seg[i].size)
			return off - e->seg[i].off + e->seg[i].va;
	return UINT64_MAX;
}

const char *
elf_kind_name(const struct elf *e)
{
	if (e->type == ET_EXEC)
		return "exec";
	return e->interp || (e->dyn.flags_1 & DF_1_PIE) ? "pie" : "shared";
}

static void
read_dynamic(struct elf *e, uint64_t off, uint64_t size)
{
	const uint8_t *p = e->p + off;
	struct elf_dyn *d = &e->dyn;

	for (size_t n = clip(e, off, size); n >= 16; n -= 16, p += 16) {
		uint64_t v = get64(p + 8);

		switch (get64(p)) {
		case DT_NULL: return;
		case DT_SYMTAB: d->symtab = v; break;
		case DT_STRTAB: d->strtab = v; break;
		case DT_STRSZ: d->strsz = v; break;
		case DT_HASH: d->hash = v; break;
		case DT_GNU_HASH: d->gnu_hash = v; break;
		case DT_RELA: d->rela = v; break;
		case DT_RELASZ: d->relasz = v; break;
		case DT_RELR: d->relr = v; break;
		case DT_RELRSZ: d->relrsz = v; break;
		case DT_JMPREL: d->jmprel = v; break;
		case DT_PLTRELSZ: d->pltrelsz = v; break;
		case DT_FLAGS_1: d->flags_1 = v; break;
		}
	}
}

static void
read_notes(struct elf *e, uint64_t off, uint64_t size)
{
	const uint8_t *p = e->p + off;
	size_t n = clip(e, off, size);

	while (n >= 12) {
		uint64_t name = ((uint64_t)get32(p) + 3) & ~3ull;
		uint64_t desc = ((uint64_t)get32(p + 4) + 3) & ~3ull;

		if (name + desc > n - 12)
			return;
		if (get32(p + 8) == NT_GNU_BUILD_ID && get32(p) == 4 && !memcmp(p + 12, "GNU", 4)) {
			e->build_id = p + 12 + name;
			e->build_id_len = get32(p + 4);
			return;
		}
		p += 12 + name + desc;
		n -= 12 + name + desc;
	}
}

/* .eh_frame_hdr: version, three encodings, eh_frame pointer, count, table. */
static void
read_eh_hdr(struct elf *e)
{
	size_t n;
	const uint8_t *p = elf_span(e, e->eh_hdr, &n);

	if (!p || n < 12 || p[0] != 1 || p[3] != EH_HDR_TABLE || p[2] != 0x03 || p[1] == EH_OMIT)
		return;
	if ((p[1] & 0x0f) != 0x0b && (p[1] & 0x0f) != 0x03)	/* a pointer of 4 bytes */
		return;
	e->nfde = get32(p + 8);
	if (e->nfde > (n - 12) / 8)
		e->nfde = (n - 12) / 8;
	e->fde = p + 12;
}

static void
add_segment(struct elf *e, const uint8_t *ph)
{
	uint64_t off = get64(ph + 8), va = get64(ph + 16);
	struct elf_seg s = { va, off, clip(e, off, get64(ph + 32)),
	    get32(ph + 4) & PF_X, get32(ph + 4) & PF_W };

	if (s.size == 0 || va > UINT64_MAX - s.size || e->nseg == ELF_MAX_SEG)
		return;
	e->seg[e->nseg++] = s;
}

static void
read_segments(struct elf *e, const uint8_t *ph, unsigned count)
{
	for (unsigned i = 0; i < count; i++, ph += PHDR) {
		uint64_t off = get64(ph + 8), size = get64(ph + 32);

		switch (get32(ph)) {
		case PT_LOAD: add_segment(e, ph); break;
		case PT_INTERP: e->interp = true; break;
		case PT_GNU_EH_FRAME: e->eh_hdr = get64(ph + 16); break;
		case PT_GNU_RELRO:
			e->relro = (struct elf_seg){ get64(ph + 16), off, clip(e, off, size),
			    false, true };
			break;
		case PT_NOTE:
			if (!e->build_id && off < e->n)
				read_notes(e, off, size);
			break;
		case PT_DYNAMIC:
			if (off < e->n)
				read_dynamic(e, off, size);
			break;
		}
	}
}

const char *
elf_open(struct elf *e, const void *buf, size_t n)
{
	const uint8_t *p = buf;
	uint64_t phoff, total = 0;

	memset(e, 0, sizeof(*e));
	e->p = p;
	e->n = n;
	if (n < sizeof(Elf64_Ehdr) || memcmp(p, ELFMAG, SELFMAG))
		return "not an ELF file";
	if (p[EI_CLASS] != ELFCLASS64 || p[EI_DATA] != ELFDATA2LSB || get16(p + 18) != EM_X86_64)
		return "not for x86-64: only 64-bit x86-64 files are understood";
	e->type = get16(p + 16);
	if (e->type != ET_EXEC && e->type != ET_DYN)
		return "neither an executable nor a shared object";
	phoff = get64(p + 32);
	if (get16(p + 54) != PHDR || phoff > n || get16(p + 56) > (n - phoff) / PHDR)
		return "program headers lie outside the file";
	read_segments(e, p + phoff, get16(p + 56));
	if (e->nseg == 0)
		return "no loadable segment";
	for (unsigned i = 0; i < e->nseg; i++)
		total += e->seg[i].size;
	if (total > 2 * (uint64_t)n)
		return "segments overlap each other";
	if (e->eh_hdr)
		read_eh_hdr(e);
	return NULL;
}

/* --- symbols --------------------------------------------------------------- */

struct symtab {
	const uint8_t *sym;
	size_t nsym;
	const char *str;
	size_t strsz;
	bool dynamic;
};

/* The NUL-terminated string at off, NULL when it is not one. */
static const char *
symtab_name(const struct symtab *t, uint32_t off)
{
	if (off >= t->strsz || !memchr(t->str + off, 0, t->strsz - off))
		return NULL;
	return t->str + off;
}

static bool
walk_symtab(const struct symtab *t, bool (*each)(void *, const struct elf_sym *), void *arg)
{
	/* The last NUL ends every name before it: one check for all of them. */
	const char *end = t->strsz ? memrchr(t->str, 0, t->strsz) : NULL;

	for (size_t i = 0; end && i < t->nsym; i++) {
		const uint8_t *p = t->sym + i * SYM;
		struct elf_sym s = { NULL, get64(p + 8), get64(p + 16), p[4] & 15, t->dynamic };

		if (get16(p + 6) == SHN_UNDEF || get32(p) > (size_t)(end - t->str))
			continue;
		s.name = t->str + get32(p);
		if (!each(arg, &s))
			return false;
	}
	return true;
}

/* How many symbols the dynamic table has: the hash tables know. */
static size_t
count_dynsym(const struct elf *e, size_t max)
{
	const uint8_t *p;
	uint64_t buckets, chain;
	uint32_t nb, last = 0;
	size_t n, left;

	if (e->dyn.hash && (p = elf_at(e, e->dyn.hash, 8)))
		return get32(p + 4) < max ? get32(p + 4) : max;
	if (!e->dyn.gnu_hash || !(p = elf_at(e, e->dyn.gnu_hash, 16)))
		return 0;
	nb = get32(p);
	buckets = e->dyn.gnu_hash + 16 + 8ull * get32(p + 8);
	p = elf_span(e, buckets, &left);
	if (!p || nb > left / 4)
		return 0;
	for (uint32_t i = 0; i < nb; i++)
		if (get32(p + 4ull * i) > last)
			last = get32(p + 4ull * i);
	if (last < get32(elf_at(e, e->dyn.gnu_hash, 16) + 4) || last >= max)
		return 0;
	chain = buckets + 4ull * nb + 4ull * (last - get32(elf_at(e, e->dyn.gnu_hash, 16) + 4));
	p = elf_span(e, chain, &left);
	for (n = last; p && left >= 4 && n < max; n++, p += 4, left -= 4)
		if (get32(p) & 1)	/* ends a chain */
			return n + 1;
	return n;
}

static bool
dynamic_symtab(const struct elf *e, struct symtab *t)
{
	size_t n;

	if (!e->dyn.symtab || !e->dyn.strtab || !(t->sym = elf_span(e, e->dyn.symtab, &n)))
		return false;
	t->nsym = n / SYM;
	t->str = (const char *)elf_span(e, e->dyn.strtab, &t->strsz);
	if (!t->str)
		return false;
	if (e->dyn.strsz < t->strsz)
		t->strsz = e->dyn.strsz;
	t->dynamic = true;
	return true;
}

/* A symbol table by section headers; false when index i is none. */
static bool
section_symtab(const struct elf *e, const uint8_t *sh, unsigned count, unsigned i, struct symtab *t)
{
	const uint8_t *s = sh + (size_t)i * SHDR, *str;
	uint32_t type = get32(s + 4), link = get32(s + 40);

	if ((type != SHT_SYMTAB && type != SHT_DYNSYM) || link >= count)
		return false;
	str = sh + (size_t)link * SHDR;
	if (get64(s + 24) >= e->n || get64(str + 24) >= e->n)
		return false;
	t->sym = e->p + get64(s + 24);
	t->nsym = clip(e, get64(s + 24), get64(s + 32)) / SYM;
	t->str = (const char *)e->p + get64(str + 24);
	t->strsz = clip(e, get64(str + 24), get64(str + 32));
	t->dynamic = type == SHT_DYNSYM;
	return true;
}

void
elf_symbols(const struct elf *e, bool (*each)(void *, const struct elf_sym *), void *arg)
{
	uint64_t shoff = get64(e->p + 40);
	unsigned count = get16(e->p + 60);
	bool dynamic = false, whole = false;
	struct symtab t;

	/* one table of each kind: there are no more */
	if (get16(e->p + 58) == SHDR && shoff < e->n && count <= (e->n - shoff) / SHDR)
		for (unsigned i = 0; i < count && i < 256; i++)
			if (section_symtab(e, e->p + shoff, count, i, &t) &&
			    !(t.dynamic ? dynamic : whole)) {
				*(t.dynamic ? &dynamic : &whole) = true;
				if (!walk_symtab(&t, each, arg))
					return;
			}
	if (dynamic || !dynamic_symtab(e, &t))
		return;
	t.nsym = count_dynsym(e, t.nsym);
	walk_symtab(&t, each, arg);
}

/* --- relocations ----------------------------------------------------------- */

static const char *
slot_in(const struct elf *e, uint64_t table, uint64_t size, uint64_t va)
{
	struct symtab t;
	size_t n;
	const uint8_t *p = table ? elf_span(e, table, &n) : NULL;

	if (!p || !dynamic_symtab(e, &t))
		return NULL;
	if (size < n)
		n = size;
	if (n > MAX_IMPORTS * RELA)
		n = MAX_IMPORTS * RELA;
	for (; n >= RELA; n -= RELA, p += RELA) {
		uint64_t info = get64(p + 8);

		if (get64(p) != va)
			continue;
		if ((uint32_t)info != R_X86_64_JUMP_SLOT && (uint32_t)info != R_X86_64_GLOB_DAT)
			return NULL;
		return info >> 32 < t.nsym ? symtab_name(&t, get32(t.sym + (info >> 32) * SYM)) :
		    NULL;
	}
	return NULL;
}

const char *
elf_slot_name(const struct elf *e, uint64_t va)
{
	const char *s = slot_in(e, e->dyn.jmprel, e->dyn.pltrelsz, va);

	return s ? s : slot_in(e, e->dyn.rela, e->dyn.relasz, va);
}

/* RELR: an even word is an address, an odd one a bitmap of the 63 words after
 * the last address. The pointer itself holds the value. */
static bool
walk_relr(const struct elf *e, bool (*each)(void *, uint64_t, uint64_t), void *arg)
{
	size_t n;
	const uint8_t *p = elf_span(e, e->dyn.relr, &n), *v;
	uint64_t base = 0;

	if (e->dyn.relrsz < n)
		n = e->dyn.relrsz;
	if (n > MAX_RELATIVE / 8)	/* of up to 63 relocations in 8 bytes */
		n = MAX_RELATIVE / 8;
	for (; p && n >= 8; n -= 8, p += 8) {
		uint64_t w = get64(p), bits = w >> 1, at = base;

		if (!(w & 1)) {
			base = w + 8;
			if ((v = elf_at(e, w, 8)) && !each(arg, w, get64(v)))
				return false;
			continue;
		}
		for (; bits; bits >>= 1, at += 8)
			if ((bits & 1) && (v = elf_at(e, at, 8)) && !each(arg, at, get64(v)))
				return false;
		base += 63 * 8;
	}
	return true;
}

void
elf_relatives(const struct elf *e, bool (*each)(void *, uint64_t, uint64_t), void *arg)
{
	size_t n = 0;
	const uint8_t *p = e->dyn.rela ? elf_span(e, e->dyn.rela, &n) : NULL;

	if (e->dyn.relasz < n)
		n = e->dyn.relasz;
	if (n > (size_t)MAX_RELATIVE * RELA)
		n = (size_t)MAX_RELATIVE * RELA;
	for (; p && n >= RELA; n -= RELA, p += RELA)
		if (get32(p + 8) == R_X86_64_RELATIVE && !each(arg, get64(p), get64(p + 16)))
			return;
	if (e->dyn.relr)
		walk_relr(e, each, arg);
}

/* --- function bounds from .eh_frame ------------------------------------------ */

static bool
skip_leb(const uint8_t **p, const uint8_t *end)
{
	while (*p < end)
		if (!(*(*p)++ & 0x80))
			return true;
	return false;
}

/* Whether the CIE at p says that its FDEs use pc-relative 4-byte addresses. */
static bool
cie_is_pcrel4(const uint8_t *p, size_t n)
{
	const uint8_t *end, *aug;
	uint32_t len;

	if (n < 4 || (len = get32(p)) < 12 || len > n - 4 || get32(p + 4) != 0)
		return false;
	end = p + 4 + len;
	aug = p + 9;
	p = memchr(aug, 0, end - aug);
	if ((aug[-1] != 1 && aug[-1] != 3) || !p || *aug++ != 'z')
		return false;
	p++;	/* alignment factors, return register, length of the augmentation */
	for (int i = 0; i < 4; i++)
		if (!skip_leb(&p, end))
			return false;
	for (; *aug; aug++) {
		if (p >= end)
			return false;
		switch (*aug) {
		case 'R': return *p == EH_PCREL4;
		case 'L': p++; break;
		case 'S': case 'B': break;
		case 'P':	/* its encoding, then a pointer of 4 or 8 bytes */
			n = (*p & 7) == 3 ? 5 : 9;
			if (n > (size_t)(end - p))
				return false;
			p += n;
			break;
		default: return false;
		}
	}
	return false;
}

bool
elf_function(const struct elf *e, uint64_t va, uint64_t *start, uint64_t *end)
{
	size_t lo = 0, hi = e->nfde, n;
	const uint8_t *p;
	uint64_t fde, cie;

	while (lo < hi) {	/* the first entry behind va */
		size_t mid = lo + (hi - lo) / 2;

		if (e->eh_hdr + (int32_t)get32(e->fde + mid * 8) <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return false;
	*start = e->eh_hdr + (int32_t)get32(e->fde + (lo - 1) * 8);
	fde = e->eh_hdr + (int32_t)get32(e->fde + (lo - 1) * 8 + 4);
	if (!(p = elf_at(e, fde, 16)))
		return false;
	cie = fde + 4 - get32(p + 4);
	if (get32(p) < 12 || !(p = elf_span(e, cie, &n)) || !cie_is_pcrel4(p, n))
		return false;
	p = elf_at(e, fde, 16);
	if (fde + 8 + (int32_t)get32(p + 8) != *start)
		return false;
	*end = *start + get32(p + 12);
	return va >= *start && va < *end;
}

/* The bytes of a section by its name; NULL: there is none. */
static const uint8_t *
section_named(const struct elf *e, const char *name, uint64_t *va, size_t *n)
{
	uint64_t shoff = get64(e->p + 40);
	unsigned count = get16(e->p + 60), names = get16(e->p + 62);
	const uint8_t *sh = e->p + shoff, *str;

	if (get16(e->p + 58) != SHDR || shoff >= e->n || count > (e->n - shoff) / SHDR ||
	    names >= count)
		return NULL;
	str = sh + (size_t)names * SHDR;
	for (unsigned i = 0; i < count && i < 256; i++) {
		const uint8_t *s = sh + (size_t)i * SHDR;
		uint64_t at = get64(str + 24) + get32(s), off = get64(s + 24);

		if (get64(str + 24) >= e->n || at >= e->n || strlen(name) + 1 > e->n - at ||
		    memcmp(e->p + at, name, strlen(name) + 1) || off >= e->n)
			continue;
		*va = get64(s + 16);
		*n = clip(e, off, get64(s + 32));
		return e->p + off;
	}
	return NULL;
}

void
elf_frames(const struct elf *e, bool (*each)(void *, uint64_t start, uint64_t end), void *arg)
{
	uint64_t base, start;
	size_t n, at = 0, len;
	const uint8_t *p = section_named(e, ".eh_frame", &base, &n);

	for (; p && n - at >= 16 && (len = get32(p + at)) >= 12 && len <= n - at - 4;
	    at += 4 + len) {
		uint32_t back = get32(p + at + 4);	/* 0: a CIE */

		if (back == 0 || back > at + 4 ||
		    !cie_is_pcrel4(p + at + 4 - back, n - (at + 4 - back)))
			continue;
		start = base + at + 8 + (int32_t)get32(p + at + 8);
		if (elf_is_code(e, start) && !each(arg, start, start + get32(p + at + 12)))
			return;
	}
}
