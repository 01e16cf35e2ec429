/*
 * process.bpf.c - what processes do, from tracepoints
 *
 * One program sits at the exit of every system call: it knows by number which
 * calls matter, drops what is out of scope, and jumps to the program for the
 * class of call. Lifecycle comes from the scheduler's tracepoints.
 */
#include "life.bpf.h"
#include "files.bpf.h"
#include "dns.bpf.h"
#include "net.bpf.h"
#include "uring.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("raw_tp/sys_exit")
int
on_syscall(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	__u64 nr = regs->orig_ax;
	__u32 class;

	if (nr >= SYSCALLS)
		return 0;
	class = call_of(nr)->class;
	if (!class || !target_wanted())
		return 0;
	if (syscall_compat(current_task())) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_COMPAT, 1, 0);
		return 0;
	}
	bpf_tail_call(ctx, &classes, class);
	return 0;
}

/* Counts what would have been emitted if it had been a system call. */
SEC("raw_tp/io_uring_submit_req")
int
on_uring(__u64 *ctx)
{
	struct uring_op op;
	struct file *file;

	ON_OWN_STACK(ctx);
	uring_read(&op, trace_operation(ctx));
	if (op.idle || !target_wanted())
		return 0;
	if (op.fd >= 0) {
		file = file_get(current_task(), op.fd);
		if (!file || fd_kind(file, op.writes ? DIR_WRITE : DIR_READ) < 0)
			return 0;
	}
	count_add(COUNT_SEEN, 1, 0);
	count_add(COUNT_URING, 1, 0);
	return 0;
}

/* char *readline(const char *prompt), in bash */
SEC("uretprobe")
int
on_readline(struct pt_regs *regs)
{
	__u64 line = BPF_CORE_READ(regs, ax);
	struct scratch *s;
	long n;

	ON_OWN_STACK(regs);
	if (!line || !target_wanted() || !(s = emit_begin_line(PROC_READLINE, 0, 0)))
		return 0;
	n = bpf_probe_read_user_str(s->room, LINE_CAP, (void *)line);
	if (n < 0) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_FAULT, 1, 0);
		emit_drop(s);
		return 0;
	}
	if (n == LINE_CAP)
		s->r.flags |= EVENT_CUT;
	if (n > 0)
		n--;
	s->r.len[STR_BASE] = n;
	emit_line(s, n & (2 * LINE_CAP - 1));
	return 0;
}
