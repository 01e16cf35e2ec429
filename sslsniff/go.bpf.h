/*
 * go.bpf.h - Go's crypto/tls: arguments in registers, calls by goroutine
 *
 * A goroutine changes threads, and its stack moves when it grows; what stays is
 * its address (r14) and how deep a call is below the top of its stack
 * (runtime/runtime2.go: g begins with stack.lo, stack.hi).
 */
#ifndef GO_BPF_H
#define GO_BPF_H

#include "data.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct call_key);
	__type(value, struct call);
} gocalls SEC(".maps");

struct go_stack {
	__u64 lo, hi;
};

static __always_inline bool
go_key(struct pt_regs *ctx, struct go_stack *stack, struct call_key *key)
{
	if (bpf_probe_read_user(stack, sizeof(*stack), (void *)ctx->r14))
		return false;
	key->id = (bpf_get_current_pid_tgid() >> 32) << 32 | (__u32)(stack->hi - PT_REGS_SP(ctx));
	key->sp = ctx->r14;
	return true;
}

SEC("uprobe.s")
int
on_go_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct call call = { .conn = ctx->rax, .buf = ctx->rbx, .since = bpf_ktime_get_boot_ns() };
	struct thread *t = thread_wanted(call.since);
	struct go_stack stack;
	struct call_key key;

	ON_OWN_STACK(ctx);
	if (!t || !go_key(ctx, &stack, &key))
		return 0;
	if (call.buf >= stack.lo && call.buf < stack.hi) {	/* moves with it */
		call.buf = stack.hi - call.buf;
		call.done = 1;
	}
	call.tid = (__u32)bpf_get_current_pid_tgid();
	call.ops = t->ops[COOKIE_DIR(cookie)];
	if (bpf_map_update_elem(&gocalls, &key, &call, BPF_ANY)) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_CALLS_FULL, 1, 0);
	}
	return 0;
}

/* At a return instruction. */
SEC("uprobe.s")
int
on_go_leave(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct thread *t = thread_wanted(bpf_ktime_get_boot_ns());
	struct call *found, call;
	struct go_stack stack;
	struct call_key key;
	long n = ctx->rax;

	ON_OWN_STACK(ctx);
	if (!t || !go_key(ctx, &stack, &key) ||
	    !(found = bpf_map_lookup_elem(&gocalls, &key)))
		return 0;
	call = *found;
	bpf_map_delete_elem(&gocalls, &key);
	if (stopped || n <= 0)
		return 0;
	if (call.done)
		call.buf = stack.hi - call.buf;
	transferred(t, &call, n, cookie, call.tid == (__u32)bpf_get_current_pid_tgid());
	return 0;
}

SEC("uprobe.s")
int
on_go_free(struct pt_regs *ctx)
{
	ON_OWN_STACK(ctx);
	object_ends(ctx->rax);
	return 0;
}

#endif
