/*
 * symbols.h - functions of an ELF file by name
 */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
	const char *name;
	uint64_t address, offset, size;	/* virtual; in the file. offset 0: not there */
};

/* Fills in v[0..n) from .dynsym and .symtab. NULL, or why the file is of no
 * use (static text): not ELF, another machine, no symbols. fd stays open. */
const char *symbols_read(int fd, struct symbol *v, size_t n);

/* Whether from's code holds a direct call or jump to to, straight or through
 * the procedure linkage table. x86-64 only; false when not certain. */
bool symbols_calls(int fd, const struct symbol *from, const struct symbol *to);

#endif
