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
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct signal_struct {
	atomic_t live;
	struct pid *pids[4];
};

struct task_struct {
	int pid, tgid;
	__u64 start_boottime;
	struct task_struct *group_leader, *real_parent;
	struct pid *thread_pid;
	struct signal_struct *signal;
	char comm[16];
};

#pragma clang attribute pop

enum { KERNEL_PIDTYPE_SID = 3 };	/* enum pid_type, since Linux 4.19 */

/* The number of a process in its own pid namespace; 0 on the host. leader comes
 * from bpf_get_current_task_btf. */
static __always_inline __u32
task_ns_pid(struct task_struct *leader)
{
	struct pid *pid = leader->thread_pid;
	unsigned int level = pid->level;
	struct upid upid;

	if (!level)
		return 0;
	bpf_core_read(&upid, sizeof(upid), (void *)pid +
	    bpf_core_field_offset(struct pid, numbers) +
	    level * bpf_core_type_size(struct upid));
	return upid.nr;
}

static __always_inline __u32
task_session(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, pids[KERNEL_PIDTYPE_SID], numbers[0].nr);
}

#endif
