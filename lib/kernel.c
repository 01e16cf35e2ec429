/*
 * kernel.c - see kernel.h; layouts from include/uapi/linux/bpf.h of Linux 6.6
 */
#include <linux/bpf.h>
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
