/*
 * kernel.h - parts of the bpf(2) interface newer than the installed headers
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

enum { KERNEL_UPROBE_MULTI = 48 };		/* enum bpf_attach_type, Linux 6.6 */
enum { KERNEL_UPROBE_MULTI_RETURN = 1 };	/* its flags */

/* A link that sets one program on many places of one file. offsets are file
 * offsets; cookies one for each. A descriptor, or -1 with errno. */
int kernel_uprobe_multi(int prog_fd, const char *path, const uint64_t *offsets,
    const uint64_t *cookies, uint32_t n, uint32_t flags);

/* Whether the running kernel's BTF has that name: of a type, function, variable for
 * each CPU, or field. Reads it once, some 3 MB; false also when it cannot. */
bool kernel_btf_names(const char *name);

#endif
