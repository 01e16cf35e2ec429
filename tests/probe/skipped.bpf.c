/*
 * skipped.bpf.c - a program that the kernel skips, as often as it runs
 *
 * It runs when the kernel meets a page fault of a chosen process, and makes
 * another one: there it would have to run again where it runs already, and the
 * kernel leaves that out, whatever the preemption.
 */
#include "target.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum { NO_PAGE = 8 };	/* below vm.mmap_min_addr: nothing is ever there */

/* TP_PROTO(unsigned long address, struct pt_regs *regs, unsigned long error_code) */
SEC("raw_tp/page_fault_kernel")
int
on_fault(void *ctx)
{
	struct record r;
	char byte;

	ON_OWN_STACK(ctx);
	if (!target_wanted())
		return 0;
	count_add(COUNT_SEEN, 1, 0);
	record_fill(&r, 1, bpf_ktime_get_boot_ns());
	if (!ring_put(&r, sizeof(r)))
		count_add(COUNT_RING_FULL, 1, 0);
	bpf_probe_read_user(&byte, 1, (void *)NO_PAGE);
	return 0;
}
