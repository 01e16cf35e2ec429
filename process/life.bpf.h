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

struct kernel_siginfo {
	int si_code;
};

#pragma clang attribute pop

enum { SIGNAL_GROUP_EXIT = 4 };			/* <linux/sched/signal.h> */

/* --- fork, exec, exit ----------------------------------------------------------- */

static __always_inline bool
life_wanted(void)
{
	__u32 tgid = current_tgid_first(), *marks;

	if (!life_of_all)
		return target_wanted();
	if (!tgid)
		return false;
	marks = bpf_map_lookup_elem(&target_procs, &tgid);
	return !marks || !(*marks & TARGET_OWN);
}

static __always_inline __u32
parent_of(struct task_struct *task)
{
	return task_tgid(BPF_CORE_READ(task, group_leader, real_parent));
}

/* The current process made another one. */
static __always_inline void
forked(struct task_struct *child)
{
	struct task_struct *parent = current_task();
	__u32 pid = task_tgid(child);
	struct event_record *r;

	if (current_tgid() == pid || !life_wanted() || !(r = line_new(PROC_FORK)))
		return;
	r->a = pid;
	r->ppid = parent_of(parent);
	if (BPF_CORE_READ((struct task_struct___life *)parent, cgroups) ==
	    BPF_CORE_READ((struct task_struct___life *)child, cgroups))
		r->serial = BPF_CORE_READ(child, start_boottime);
	ring_submit(r);
}

SEC("raw_tp/sched_process_fork")
int
on_fork(__u64 *ctx)
{
	struct task_struct *child;

	ON_OWN_STACK(ctx);
	child = trace_child(ctx);
	if (!child)
		return 0;
	forked(child);
	trace_child_put(child);
	return 0;
}

/* TP_PROTO(struct cgroup *to, const char *path, struct task_struct *task, bool all) */
SEC("raw_tp/cgroup_attach_task")
int
on_move(__u64 *ctx)
{
	struct event_record *r;

	ON_OWN_STACK(ctx);
	r = record_new(PROC_MOVE);
	if (!r) {
		count_add(COUNT_SEEN, 1, 0);
		return 0;
	}
	r->a = task_tgid((struct task_struct *)ctx[2]);
	ring_submit(r);
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

SEC("raw_tp/sched_process_exec")
int
on_exec(__u64 *ctx)
{
	struct task_struct *task = current_task();
	struct mm_struct *mm = ((struct task_struct___life *)task)->mm;
	__u32 tgid = current_tgid(), at = 0, *marks;
	struct scratch *s;
	long n;

	ON_OWN_STACK(ctx);
	if (new_chosen && tgid) {
		marks = bpf_map_lookup_elem(&target_procs, &tgid);
		if (!marks || !(*marks & TARGET_OWN))
			target_mark(tgid, TARGET_PID);
	}
	/* what was closed on exec; and what the program before did with files is its own */
	fd_sweep(0, 0x7fffffff, SWEEP_FILES);
	if (min_life_ns || !life_wanted() || !(s = emit_begin_line(PROC_EXEC, 0, 0)))
		return 0;
	s->r.ppid = parent_of(task);
	s->r.sid = task_session(task);
	n = trace_exec_name(s->room, NAME_CAP, ctx);
	if (n > 0 && n <= NAME_CAP)
		s->r.len[STR_NAME] = at = n - 1;
	at = add_cwd(s, at, STR_CWD);
	at = add_file(s, at, STR_EXE, BPF_CORE_READ(mm, exe_file));
	at = add_root(s, at);
	emit_line(s, add_args(s, at));
	return 0;
}

/* --- a program that could not be executed ----------------------------------------- */

enum { ARG_CAP = 4096, ARGS_MAX = 1024 };	/* of one argument; how many of them */

struct args_job {
	struct scratch *s;
	__u64 argv;
	__u32 at;	/* behind the strings */
};

static long
args_step(__u32 i, struct args_job *j)
{
	__u32 at = j->at;
	__u64 arg = 0;
	long n;

	asm volatile("" : "+r"(at));
	if (bpf_probe_read_user(&arg, sizeof(arg), (void *)(j->argv + i * sizeof(arg))) || !arg)
		return 1;
	if (at > STRINGS_CAP + ARGS_CAP - ARG_CAP) {
		j->s->r.flags |= EVENT_CUT;
		return 1;
	}
	n = bpf_probe_read_user_str(j->s->room + at, ARG_CAP, (void *)arg);
	if (n <= 0) {
		j->s->r.flags |= EVENT_CUT;
		return 1;
	}
	if (n == ARG_CAP)
		j->s->r.flags |= EVENT_CUT;
	j->at = at + n;
	return 0;
}

SEC("raw_tp/sys_exit")
int
on_failed_exec(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	bool at_dir = regs->orig_ax == __NR_execveat;
	__u64 name = at_dir ? regs->si : regs->di;
	struct task_struct *task = current_task();
	struct file *dir = NULL;
	struct args_job j = {};
	struct scratch *s;
	__u32 at;

	ON_OWN_STACK(ctx);
	if (ret >= 0 || syscall_restarts(ret) || min_life_ns ||
	    !(s = emit_begin_line(PROC_EXEC, OP_EXEC, ret)))
		return 0;
	s->r.ppid = parent_of(task);
	s->r.sid = task_session(task);
	at = add_user(s, 0, STR_NAME, name);
	at = add_root(s, add_cwd(s, at, STR_CWD));
	if (at_dir && (int)regs->di >= 0)
		dir = file_get(task, regs->di);
	if (dir)
		at = add_file(s, at, STR_BASE, dir);
	j.s = s;
	j.argv = at_dir ? regs->dx : regs->si;
	j.at = at;
	bpf_loop(ARGS_MAX, args_step, &j, 0);
	s->r.args = j.at - at;
	s->r.args_all = j.at - at;
	emit_line(s, j.at);
	return 0;
}

/* Processes whose exit was emitted, for a moment: two last threads may both find
 * that no other lives. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} exited SEC(".maps");

/* Once per thread. Attached before target_on_exit, which takes the marks away. */
SEC("raw_tp/sched_process_exit")
int
on_exit(__u64 *ctx)
{
	struct task_struct *task = current_task(), *leader = task->group_leader;
	struct signal_struct___life *sig = (void *)task->signal;
	__u64 born = leader->start_boottime, key;
	__u32 pid = current_tgid();
	struct event_record *r;

	ON_OWN_STACK(ctx);
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	key = born << 22 ^ pid;
	/* the last one of several may find itself alone, but not them unreported */
	if (BPF_CORE_READ(sig, nr_threads) > 1 ? bpf_map_update_elem(&exited, &key, &born, BPF_NOEXIST) :
	    !!bpf_map_lookup_elem(&exited, &key))
		return 0;
	fd_sweep(0, 0x7fffffff, SWEEP_ALL);
	bpf_map_delete_elem(&owners, &pid);
	if (!life_wanted() || bpf_ktime_get_boot_ns() - born < min_life_ns ||
	    !(r = line_new(PROC_EXIT)))
		return 0;
	/* as wait(2) has it: the group's, or the leader's own */
	r->a = BPF_CORE_READ(sig, flags) & SIGNAL_GROUP_EXIT ? BPF_CORE_READ(sig, group_exit_code) :
	    BPF_CORE_READ((struct task_struct___life *)leader, exit_code);
	r->b = BPF_CORE_READ(sig, maxrss);	/* pages */
	r->ppid = parent_of(task);
	ring_submit(r);
	return 0;
}

/* --- signals ---------------------------------------------------------------------- */

/* TP_PROTO(int sig, struct kernel_siginfo *info, struct task_struct *task, int
 * group, int result); runs in whoever sends */
SEC("raw_tp/signal_generate")
int
on_signal(__u64 *ctx)
{
	struct kernel_siginfo *info = (void *)ctx[1];
	struct task_struct *task = (void *)ctx[2];
	struct event_record *r;
	int code = 0;

	ON_OWN_STACK(ctx);
	/* the values 0 and 1 stand for a user's and the kernel's own */
	if ((__u64)info == 1 || !target_wanted())
		return 0;
	if ((__u64)info > 2)
		code = BPF_CORE_READ(info, si_code);
	if (code != 0 && code != -1 && code != -6)	/* SI_USER, SI_QUEUE, SI_TKILL */
		return 0;
	r = line_new(PROC_SIGNAL);
	if (!r)
		return 0;
	r->a = task_tgid(task);
	r->b = (int)ctx[0];
	r->serial = ctx[3] ? 0 : task_tid(task);
	r->dir = ctx[4];
	ring_submit(r);
	return 0;
}

/* Signals that were not sent. */
SEC("raw_tp/sys_exit")
int
on_kill(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax, signal = regs->si;
	struct event_record *r;

	ON_OWN_STACK(ctx);
	if (nr == __NR_tgkill || nr == __NR_rt_tgsigqueueinfo)
		signal = regs->dx;
	/* signal 0 asks whether the process is there */
	if (ret >= 0 || !signal || !(r = line_new(PROC_SIGNAL)))
		return 0;
	r->a = (int)regs->di;
	r->b = signal;
	r->result = ret;
	ring_submit(r);
	return 0;
}

#endif
