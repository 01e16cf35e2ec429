/*
 * kernel.c - see kernel.h; layouts from include/uapi/linux/bpf.h of Linux 6.6
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

/* union bpf_attr, the link_create part for uprobe_multi */
struct uprobe_multi_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, multi_flags, pid, pad;
};

int
kernel_uprobe_multi(int prog_fd, const char *path, const uint64_t *offsets,
    const uint64_t *cookies, uint32_t n, uint32_t flags)
{
	struct uprobe_multi_attr a;

	memset(&a, 0, sizeof(a));
	a.prog_fd = prog_fd;
	a.attach_type = KERNEL_UPROBE_MULTI;
	a.path = (uintptr_t)path;
	a.offsets = (uintptr_t)offsets;
	a.cookies = (uintptr_t)cookies;
	a.cnt = n;
	a.multi_flags = flags;
	return syscall(SYS_bpf, BPF_LINK_CREATE, &a, sizeof(a));
}

/* The strings of the kernel's BTF, each ended by NUL; NULL: none. */
static char *
btf_strings(size_t *n)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	struct btf_header h;
	char *s = NULL;
	ssize_t got = 0;

	*n = 0;
	if (fd < 0)
		return NULL;
	if (read(fd, &h, sizeof(h)) == sizeof(h) && h.magic == BTF_MAGIC)
		s = malloc(h.str_len + 1);
	while (s && *n < h.str_len && (got = pread(fd, s + *n, h.str_len - *n,
	    (off_t)h.hdr_len + h.str_off + *n)) > 0)
		*n += got;
	close(fd);
	return s;
}

/* Whether a name is one of n bytes of strings. */
static bool
has_name(const char *strings, size_t n, const char *name)
{
	size_t len = strlen(name);

	for (const char *s = strings, *end = s + n; (s = memmem(s, end - s, name, len)); s++)
		if ((s == strings || !s[-1]) && (size_t)(end - s) > len && !s[len])
			return true;
	return false;
}

bool
kernel_btf_names(const char *name)
{
	static char *strings;
	static size_t n;

	if (!strings)
		strings = btf_strings(&n);
	return strings && has_name(strings, n, name);
}
