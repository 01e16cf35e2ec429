/*
 * places.bpf.c - two programs on one CPU, the second while the first is not done
 *
 * on_outer runs when the kernel meets a page fault of a chosen process, takes a
 * place, and makes another fault: at that one the kernel leaves out on_outer itself
 * and runs on_inner, which takes a place, too. Both leave their mark in theirs.
 */
#include "target.bpf.h"
#include "place.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum { NO_PAGE = 8 };	/* below vm.mmap_min_addr: nothing is ever there */
enum { OUTER = 1, INNER = 2 };

struct note {
	__u32 taken, by;
	struct record r;
};

PLACES(struct note);

static __u32 within;	/* on_outer, of a chosen process */

static __always_inline void
put(struct note *n, __u32 kind, __u32 pad)
{
	count_add(COUNT_SEEN, 1, 0);
	record_fill(&n->r, kind, bpf_ktime_get_boot_ns());
	n->r.pad = pad;
	if (!ring_put(&n->r, sizeof(n->r)))
		count_add(COUNT_RING_FULL, 1, 0);
}

/* TP_PROTO(unsigned long address, struct pt_regs *regs, unsigned long error_code) */
SEC("raw_tp/page_fault_kernel")
int
on_outer(void *ctx)
{
	struct note *n;
	char byte;

	ON_OWN_STACK(ctx);
	if (!target_wanted() || !(n = place_take(&places)))
		return 0;
	n->by = OUTER;
	within = 1;
	bpf_probe_read_user(&byte, 1, (void *)NO_PAGE);
	within = 0;
	put(n, OUTER, n->by);
	place_give(&n->taken);
	return 0;
}

SEC("raw_tp/page_fault_kernel")
int
on_inner(void *ctx)
{
	struct note *n;

	ON_OWN_STACK(ctx);
	if (!target_wanted() || !within || !(n = place_take(&places)))
		return 0;
	n->by = INNER;
	put(n, INNER, n->by);
	place_give(&n->taken);
	return 0;
}
