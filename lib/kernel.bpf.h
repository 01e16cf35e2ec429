/*
 * kernel.bpf.h - the few kernel fields that our programs touch
 *
 * Declared by name only; libbpf finds the offsets in the running kernel's BTF
 * (CO-RE), so no vmlinux.h is needed to build.
 */
#ifndef KERNEL_BPF_H
#define KERNEL_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct signal_struct {
	atomic_t live;
	struct pid *pids[4];
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct task_struct {
	int pid, tgid;
	__u64 start_boottime;
	struct task_struct *group_leader, *real_parent;
	struct pid *thread_pid;
	struct signal_struct *signal;
	const struct cred *cred;
	char comm[16];
};

#pragma clang attribute pop

/* Through a pointer that the verifier trusts, it searches all the kernel's types by
 * name at each pointer that is read (6.18: some 1.4 ms, on every path that leads
 * there). Through one that is for reading only it does not. That cast is new in Linux
 * 6.2, as is this kind of map. */
extern void *bpf_rdonly_cast(const void *p, __u32 type) __ksym __weak;

enum bpf_map_type___with_cast {
	BPF_MAP_TYPE_CGRP_STORAGE___with_cast = 32
};

#define READ_ONLY(p, type) \
	(bpf_core_enum_value_exists(enum bpf_map_type___with_cast, \
	    BPF_MAP_TYPE_CGRP_STORAGE___with_cast) ? \
	    bpf_rdonly_cast(p, bpf_core_type_id_kernel(type)) : (void *)(p))

/* For reading; a helper that wants a task wants bpf_get_current_task_btf. */
static __always_inline struct task_struct *
current_task(void)
{
	return READ_ONLY(bpf_get_current_task_btf(), struct task_struct);
}

/* First in every program that can sleep or be preempted. Since Linux 6.13 (x86-64)
 * the verifier may put the frames of such a program into memory of the CPU instead of
 * the task's stack (bpf_enable_priv_stack, kernel/bpf/verifier.c), and two tasks that
 * run it by turns on one CPU then write into each other's variables. A program with a
 * tail call in its code never gets such a stack, even though the verifier finds this
 * one unreachable and removes it: the only cost is the limit of 512 bytes for all
 * frames of a path together, which kernels before 6.13 have anyway. */
const volatile bool tail_calls;	/* false */
#define ON_OWN_STACK(ctx) do { if (tail_calls) bpf_tail_call(ctx, NULL, 0); } while (0)

enum { KERNEL_PIDTYPE_SID = 3 };	/* enum pid_type, since Linux 4.19 */

/* --- numbers of processes ---------------------------------------------------------
 *
 * They are those of the recorder's own pid namespace: what it finds in /proc, and what
 * its user types. A process outside has none, and is not observed. */

/* The inode number of that namespace; 0: it is the host's. Set by probe_configure. */
const volatile __u32 pid_ns;

/* How deep it is, which nobody can ask from inside; 0: not known yet. */
static __u32 pid_level;

enum { PID_LEVELS = 32 };	/* MAX_PID_NS_LEVEL */

/* What a process is called at one level. Read one by one: through a trusted pointer,
 * Linux 6.1 allows no pointer whose offset is computed from what was loaded ("math
 * between ptr_ pointer and ..."). */
static __always_inline void *
pid_at(struct pid *pid, __u32 level)
{
	return (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	    level * bpf_core_type_size(struct upid);
}

static __always_inline bool
pid_is_ours(struct pid *pid, __u32 level)
{
	return BPF_CORE_READ((struct upid *)pid_at(pid, level), ns, ns.inum) == pid_ns;
}

/* The number of a process, thread or session; 0: it is outside. */
static __always_inline __u32
pid_number(struct pid *pid)
{
	__u32 level = pid_ns ? pid_level : 0;

	if (pid_ns && (!level || BPF_CORE_READ(pid, level) < level || !pid_is_ours(pid, level)))
		return 0;
	return BPF_CORE_READ((struct upid *)pid_at(pid, level), nr);
}

static __always_inline __u32
task_tgid(struct task_struct *task)
{
	return pid_ns ? pid_number(BPF_CORE_READ(task, group_leader, thread_pid)) :
	    (__u32)BPF_CORE_READ(task, tgid);
}

static __always_inline __u32
task_tid(struct task_struct *task)
{
	return pid_ns ? pid_number(BPF_CORE_READ(task, thread_pid)) :
	    (__u32)BPF_CORE_READ(task, pid);
}

static __always_inline __u32
current_tgid(void)
{
	return pid_ns ? task_tgid(current_task()) : bpf_get_current_pid_tgid() >> 32;
}

/* The same, once it is known how deep our namespace is: for the first program that
 * meets a process of ours. */
static __always_inline __u32
current_tgid_first(void)
{
	struct pid *pid;
	__u32 depth;

	if (!pid_ns || pid_level)
		return current_tgid();
	pid = BPF_CORE_READ(current_task(), group_leader, thread_pid);
	depth = BPF_CORE_READ(pid, level);
	for (__u32 i = 1; i <= PID_LEVELS && i <= depth; i++) {
		if (pid_is_ours(pid, i)) {
			pid_level = i;
			break;
		}
	}
	return current_tgid();
}

/* The number of a process in its own pid namespace; 0: that is the recorder's, too.
 * leader comes from current_task. */
static __always_inline __u32
task_ns_pid(struct task_struct *leader)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);

	if (level == (pid_ns ? pid_level : 0))
		return 0;
	return BPF_CORE_READ((struct upid *)pid_at(pid, level), nr);
}

static __always_inline __u32
task_session(struct task_struct *task)
{
	return pid_number(BPF_CORE_READ(task, signal, pids[KERNEL_PIDTYPE_SID]));
}

#endif
