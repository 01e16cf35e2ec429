/*
 * elf.c - any bytes as an ELF file, as code, and as a cache entry: no finder
 * reads outside, says something about what is not in the file, or forgets memory
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sslsniff/cache.h"
#include "sslsniff/elf.h"
#include "sslsniff/find.h"
#include "sslsniff/find_x86.h"
#include "sslsniff/inspect.h"

static void
inspect(const uint8_t *p, size_t n)
{
	struct stat st = { .st_ino = 7, .st_size = n };
	struct found f, g;
	struct elf e;
	size_t packed;
	void *entry;

	inspect_image(&f, p, n);
	for (size_t i = 0; i < f.nsite; i++)
		if (f.site[i].off >= n || !*f.site[i].name || !*f.site[i].evidence)
			abort();
	if (!elf_open(&e, p, n)) {
		for (size_t i = 0; i < f.nsite; i++)
			if (!point_check(&f.site[i], &e))
				abort();
		if (cache_unpack(&g, p, n, &st))	/* the file itself is no entry */
			abort();
		entry = cache_pack(&f, &st, &packed);
		if (!entry || (!cache_unpack(&g, entry, packed, &st) && !f.failed))
			abort();
		found_free(&g);
		free(entry);
	}
	found_free(&f);
}

/* A file around bytes that are none: one segment of code and data. */
static void
wrap(const uint8_t *p, size_t n)
{
	static const uint8_t head[64] = {
		0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62, 0, 1, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0,
	};
	uint8_t *file = calloc(1, 120 + n);
	uint64_t size = 120 + n;

	memcpy(file, head, 64);
	file[64] = 1;	/* PT_LOAD */
	file[68] = 5;	/* readable, executable */
	memcpy(file + 64 + 32, &size, 8);
	memcpy(file + 64 + 40, &size, 8);
	if (n)
		memcpy(file + 120, p, n);
	inspect(file, size);
	free(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned reads, writes;
	struct x86 x;

	for (size_t i = 0; i < n && i < 256; i++)
		if (x86_decode(&x, p + i, n - i, i)) {
			if (x.len == 0 || x.len > 15 || x.len > n - i)
				abort();
			x86_regs(&x, &reads, &writes);
		}
	inspect(p, n);
	if (n < 4 || memcmp(p, "\177ELF", 4))
		wrap(p, n);
	return 0;
}
