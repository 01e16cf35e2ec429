/*
 * life.bpf.h - programs for fork, exec, exit, and signals
 */
#ifndef LIFE_BPF_H
#define LIFE_BPF_H

#include "calls.bpf.h"
#include "fds.bpf.h"

const volatile bool life_of_all = false;	/* -m 1: lifecycle is not filtered ... */
const volatile bool new_chosen = false;		/* ... and who execs is chosen */
const volatile __u64 min_life_ns = 0;		/* -d */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
};

struct task_struct___life {
	struct mm_struct *mm;
	int exit_code;
	struct css_set *cgroups;
};

struct signal_struct___life {
	int nr_threads;		/* whose exit is not over */
	int group_exit_code;
	unsigned int flags;
	unsigned long maxrss;
};

struct linux_binprm {
	const char *filename;
};

struct kernel_siginfo {
	int si_code;
};

#pragma clang attribute pop

enum { SIGNAL_GROUP_EXIT = 4 };			/* <linux/sched/signal.h> */

/* --- fork, exec, exit ----------------------------------------------------------- */

static __always_inline bool
life_wanted(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, *marks;

	if (!life_of_all)
		return target_wanted();
	marks = bpf_map_lookup_elem(&target_procs, &tgid);
	return !marks || !(*marks & TARGET_OWN);
}

static __always_inline __u32
parent_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, real_parent, tgid);
}

/* TP_PROTO(struct task_struct *parent, struct task_struct *child) */
SEC("raw_tp/sched_process_fork")
int
on_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	__u32 pid = BPF_CORE_READ(child, tgid);
	struct event_record r = { .op = OP_NONE };

	if (BPF_CORE_READ(parent, tgid) == pid || !life_wanted())
		return 0;
	record_fill(&r.head, PROC_FORK, bpf_ktime_get_boot_ns());
	r.a = pid;
	r.ppid = parent_of(current_task());
	if (BPF_CORE_READ((struct task_struct___life *)parent, cgroups) ==
	    BPF_CORE_READ((struct task_struct___life *)child, cgroups))
		r.serial = BPF_CORE_READ(child, start_boottime);
	tell(&r);
	return 0;
}

/* TP_PROTO(struct cgroup *to, const char *path, struct task_struct *task, bool all) */
SEC("raw_tp/cgroup_attach_task")
int
on_move(struct bpf_raw_tracepoint_args *ctx)
{
	struct event_record r = { .op = OP_NONE };

	record_fill(&r.head, PROC_MOVE, bpf_ktime_get_boot_ns());
	r.a = BPF_CORE_READ((struct task_struct *)ctx->args[2], tgid);
	if (!hand_over(&r))
		count_add(COUNT_SEEN, 1, 0);
	return 0;
}

/* Adds the arguments of the current process behind n bytes. */
static __always_inline __u32
add_args(struct scratch *s, __u32 at)
{
	struct mm_struct *mm = ((struct task_struct___life *)current_task())->mm;
	__u64 start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
	__u32 n;

	asm volatile("" : "+r"(at));
	if (start >= end || at > STRINGS_CAP)
		return at;
	s->r.args_all = end - start;
	n = end - start > ARGS_CAP ? ARGS_CAP : end - start;
	asm volatile("" : "+r"(n));
	if (n == 0 || n > ARGS_CAP)
		return at;
	if (bpf_probe_read_user(s->room + at, n, (void *)start)) {
		s->r.flags |= EVENT_ARGS_FAULT;
		return at;
	}
	s->r.args = n;
	if (n < s->r.args_all)
		count_add(COUNT_ARGS_LONG, 0, s->r.args_all - n);
	return at + n;
}

/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
SEC("raw_tp/sched_process_exec")
int
on_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = current_task();
	struct mm_struct *mm = ((struct task_struct___life *)task)->mm;
	struct linux_binprm *bprm = (void *)ctx->args[2];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, at = 0, *marks;
	struct scratch *s;
	long n;

	if (new_chosen) {
		marks = bpf_map_lookup_elem(&target_procs, &tgid);
		if (!marks || !(*marks & TARGET_OWN))
			target_mark(tgid, (marks ? *marks : 0) | TARGET_PID);
	}
	fd_sweep(0, 0x7fffffff, false);		/* what was closed on exec */
	if (min_life_ns || !life_wanted() || !(s = emit_begin(PROC_EXEC, 0, 0)))
		return 0;
	s->r.ppid = parent_of(task);
	s->r.sid = task_session(task);
	n = bpf_probe_read_kernel_str(s->room, NAME_CAP, BPF_CORE_READ(bprm, filename));
	if (n > 0 && n <= NAME_CAP)
		s->r.len[STR_NAME] = at = n - 1;
	at = add_cwd(s, at, STR_CWD);
	at = add_file(s, at, STR_EXE, BPF_CORE_READ(mm, exe_file));
	at = add_root(s, at);
	emit_line(s, add_args(s, at));
	return 0;
}

/* Processes whose exit was told, for a moment: two last threads may both find
 * that no other lives. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} exited SEC(".maps");

/* TP_PROTO(struct task_struct *p, ...), once per thread. Attached before
 * target_on_exit, which takes the marks away. */
SEC("raw_tp/sched_process_exit")
int
on_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct signal_struct___life *sig = (void *)BPF_CORE_READ(task, signal);
	struct event_record r = { .op = OP_NONE };
	__u64 born, key;
	__u32 pid;

	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	record_fill(&r.head, PROC_EXIT, bpf_ktime_get_boot_ns());
	pid = r.head.pid;
	born = r.head.born;
	key = born << 22 ^ pid;
	/* the last one of several may find itself alone, but not them untold */
	if (BPF_CORE_READ(sig, nr_threads) > 1 ? bpf_map_update_elem(&exited, &key, &born, BPF_NOEXIST) :
	    !!bpf_map_lookup_elem(&exited, &key))
		return 0;
	fd_sweep(0, 0x7fffffff, true);
	bpf_map_delete_elem(&owners, &pid);
	if (!life_wanted() || r.head.time - born < min_life_ns)
		return 0;
	/* as wait(2) has it: the group's, or the leader's own */
	r.a = BPF_CORE_READ(sig, flags) & SIGNAL_GROUP_EXIT ? BPF_CORE_READ(sig, group_exit_code) :
	    BPF_CORE_READ((struct task_struct___life *)leader, exit_code);
	r.b = BPF_CORE_READ(sig, maxrss);	/* pages */
	r.ppid = parent_of(task);
	tell(&r);
	return 0;
}

/* --- signals ---------------------------------------------------------------------- */

/* TP_PROTO(int sig, struct kernel_siginfo *info, struct task_struct *task, int
 * group, int result); runs in whoever sends */
SEC("raw_tp/signal_generate")
int
on_signal(struct bpf_raw_tracepoint_args *ctx)
{
	struct kernel_siginfo *info = (void *)ctx->args[1];
	struct task_struct *task = (void *)ctx->args[2];
	struct event_record r = { .op = OP_NONE };
	int code = 0;

	/* the values 0 and 1 stand for a user's and the kernel's own */
	if ((__u64)info == 1 || !target_wanted())
		return 0;
	if ((__u64)info > 2)
		code = BPF_CORE_READ(info, si_code);
	if (code != 0 && code != -1 && code != -6)	/* SI_USER, SI_QUEUE, SI_TKILL */
		return 0;
	record_fill(&r.head, PROC_SIGNAL, bpf_ktime_get_boot_ns());
	r.a = BPF_CORE_READ(task, tgid);
	r.b = (int)ctx->args[0];
	r.serial = ctx->args[3] ? 0 : BPF_CORE_READ(task, pid);
	r.dir = ctx->args[4];
	tell(&r);
	return 0;
}

/* Signals that were not sent. */
SEC("tp_btf/sys_exit")
int
on_kill(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	long ret = (long)ctx[1];
	__u64 nr = regs->orig_ax;
	struct event_record r = { .op = OP_NONE };

	if (ret >= 0)
		return 0;
	r.a = (int)regs->di;
	r.b = nr == __NR_tgkill || nr == __NR_rt_tgsigqueueinfo ? regs->dx : regs->si;
	if (!r.b)	/* asks whether the process is there */
		return 0;
	record_fill(&r.head, PROC_SIGNAL, bpf_ktime_get_boot_ns());
	r.result = ret;
	tell(&r);
	return 0;
}

#endif
