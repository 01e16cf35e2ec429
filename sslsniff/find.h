/*
 * find.h - where in a file TLS plaintext can be probed, and how it is passed there
 *
 * A finder reads one mapped ELF file and adds sites or refusals to a struct
 * found. It never runs the file, writes nothing, knows no version, offset or
 * hash: a site is a unique candidate whose first instruction, arguments and
 * surroundings were checked, and `evidence` says how. When in doubt it refuses.
 *
 * One layer per library and file: the sites of one role never call each other,
 * so no byte is seen twice. (NSS is the exception that its ABI explains.)
 */
#ifndef FIND_H
#define FIND_H

#include "found.h"

struct elf;

/* Sets off, va, insn from the entry at va, stepping over endbr64 when what comes
 * behind is cheap. False when the address is not code of this file or its first
 * instruction is none that begins a function. */
bool point_at(struct find_site *, const struct elf *, uint64_t va);

/* Sets them for any instruction of the file's code. */
bool point_inside(struct find_site *, const struct elf *, uint64_t va);
/* Whether the file still has at a site what it had. */
bool point_check(const struct find_site *, const struct elf *);
/* The least of that, for who has only the p[0..n) at the site and trusts nobody: it is
 * the instruction that the site names. */
bool point_begins(const struct find_site *, const uint8_t *p, size_t n);

struct scan;

/* The finders. Each decides by itself whether the file has its library; none
 * says anything about a file that shows no trace of it. */
void find_symbols(const struct elf *, struct found *);
void find_boring(const struct elf *, const struct scan *, struct found *);
void find_openssl(const struct elf *, const struct scan *, struct found *);
void find_rustls(const struct elf *, const struct scan *, struct found *);
void find_go(const struct elf *, const struct scan *, struct found *);

#endif
