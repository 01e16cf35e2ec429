/*
 * symbols.c - see symbols.h. ELF by libelf, elf(5)
 */
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#include "symbols.h"

/* The file offset of a virtual address; 0 when no loaded segment has it. */
static uint64_t
file_offset(Elf *e, uint64_t address)
{
	size_t n;
	GElf_Phdr ph;

	if (elf_getphdrnum(e, &n))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(e, i, &ph) && ph.p_type == PT_LOAD &&
		    address >= ph.p_vaddr && address - ph.p_vaddr < ph.p_filesz)
			return address - ph.p_vaddr + ph.p_offset;
	return 0;
}

static void
read_table(Elf *e, Elf_Scn *scn, const GElf_Shdr *sh, struct symbol *v, size_t n)
{
	Elf_Data *d = elf_getdata(scn, NULL);
	size_t count = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
	GElf_Sym sym;

	for (size_t i = 0; d && i < count; i++) {
		const char *name;

		if (!gelf_getsym(d, i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    sym.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(e, sh->sh_link, sym.st_name);
		for (size_t k = 0; name && k < n; k++)
			if (!v[k].offset && strcmp(name, v[k].name) == 0) {
				v[k].address = sym.st_value;
				v[k].size = sym.st_size;
				v[k].offset = file_offset(e, sym.st_value);
			}
	}
}

static const char *
read_elf(Elf *e, struct symbol *v, size_t n)
{
	bool any = false;
	Elf_Scn *scn = NULL;
	GElf_Ehdr eh;
	GElf_Shdr sh;

	if (!e || elf_kind(e) != ELF_K_ELF || !gelf_getehdr(e, &eh))
		return "not an ELF file";
	if (eh.e_machine != EM_X86_64 || gelf_getclass(e) != ELFCLASS64)
		return "not for x86-64";
	while ((scn = elf_nextscn(e, scn)))
		if (gelf_getshdr(scn, &sh) &&
		    (sh.sh_type == SHT_DYNSYM || sh.sh_type == SHT_SYMTAB)) {
			read_table(e, scn, &sh, v, n);
			any = true;
		}
	return any ? NULL : "no symbol table";
}

const char *
symbols_read(int fd, struct symbol *v, size_t n)
{
	const char *why;
	Elf *e;

	elf_version(EV_CURRENT);
	for (size_t i = 0; i < n; i++)
		v[i].address = v[i].offset = v[i].size = 0;
	e = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	why = read_elf(e, v, n);
	elf_end(e);
	return why;
}

/* Whether the word at address (a slot of the global offset table) is filled
 * with the symbol of that name. */
static bool
slot_is(Elf *e, uint64_t address, const char *name)
{
	Elf_Scn *scn = NULL, *syms;
	GElf_Shdr sh, symsh;
	GElf_Rela rela;
	GElf_Sym sym;

	while ((scn = elf_nextscn(e, scn))) {
		Elf_Data *d, *sd;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_RELA || !sh.sh_entsize)
			continue;
		d = elf_getdata(scn, NULL);
		syms = elf_getscn(e, sh.sh_link);
		sd = syms ? elf_getdata(syms, NULL) : NULL;
		if (!d || !sd || !gelf_getshdr(syms, &symsh))
			continue;
		for (size_t i = 0; i < sh.sh_size / sh.sh_entsize; i++) {
			const char *s;

			if (!gelf_getrela(d, i, &rela) || rela.r_offset != address ||
			    !gelf_getsym(sd, GELF_R_SYM(rela.r_info), &sym))
				continue;
			s = elf_strptr(e, symsh.sh_link, sym.st_name);
			return s && strcmp(s, name) == 0;
		}
	}
	return false;
}

/* Whether the code at address is a linkage stub for that name:
 * [endbr64] [bnd] jmp *slot(%rip) */
static bool
stub_is(Elf *e, int fd, uint64_t address, const char *name)
{
	uint64_t off = file_offset(e, address);
	unsigned char b[16], *p = b;
	int32_t rel;

	if (!off || pread(fd, b, sizeof(b), off) != sizeof(b))
		return false;
	if (memcmp(p, "\xf3\x0f\x1e\xfa", 4) == 0)
		p += 4;
	if (*p == 0xf2)
		p++;
	if (p[0] != 0xff || p[1] != 0x25)
		return false;
	memcpy(&rel, p + 2, 4);
	return slot_is(e, address + (p + 6 - b) + rel, name);
}

bool
symbols_calls(int fd, const struct symbol *from, const struct symbol *to)
{
	unsigned char code[4096];
	bool found = false;
	ssize_t n = 0;
	Elf *e;

	if (!from->offset || !to->offset || from->size < 5 || from->size > sizeof(code))
		return false;
	n = pread(fd, code, from->size, from->offset);
	e = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	/* every byte: a chance match of all 32 bits elsewhere is not to be feared */
	for (ssize_t i = 0; e && !found && i + 5 <= n; i++) {
		uint64_t target;
		int32_t rel;

		if (code[i] != 0xe8 && code[i] != 0xe9)
			continue;
		memcpy(&rel, code + i + 1, 4);
		target = from->address + i + 5 + rel;
		found = target == to->address || stub_is(e, fd, target, to->name);
	}
	elf_end(e);
	return found;
}
