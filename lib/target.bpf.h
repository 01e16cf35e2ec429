/*
 * target.bpf.h - is the current task one of those to be observed?
 *
 * target_procs holds the processes that were chosen or excluded; fork, exec and
 * exit tracepoints keep it true, so that the common case is one lookup. A child
 * gets its parent's marks before it runs, whether it ever execs or not; a mark
 * goes when the process does, so a reused pid starts clean.
 */
#ifndef TARGET_BPF_H
#define TARGET_BPF_H

#include "place.bpf.h"
#include "ring.bpf.h"
#include "target.h"
#include "trace.bpf.h"

const volatile struct target_conf target_conf = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);	/* tgid */
	__type(value, __u32);	/* TARGET_... */
} target_procs SEC(".maps");

/* Forks while the processes that run already are being entered: child, parent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u32);
} target_kin SEC(".maps");

/* TARGET_SETTLING: set by the collector while it enters them; TARGET_NAMED: set when
 * there is a process of a wanted name. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TARGET_FLAGS);
	__type(key, __u32);
	__type(value, __u32);
} target_flags SEC(".maps");

/* 0 when it is the i-th name, else 1. Without a jump: the verifier follows both ways of
 * each, which made 16 names cost it two seconds. */
static __always_inline __u64
target_comm_differs(const char *comm, int i)
{
	const __u64 *a = (const void *)comm;
	const volatile __u64 *b = (const volatile void *)target_conf.comm[i];
	__u64 differs = (a[0] ^ b[0]) | (a[1] ^ b[1]), top = -differs;

	asm volatile("" : "+r"(top));	/* or the compiler sees what this is, and jumps */
	return (differs | top) >> 63;
}

/* From a task to the name of its executable. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct qstr___exe {
	const unsigned char *name;
};
struct dentry___exe {
	struct qstr___exe d_name;
};
struct path___exe {
	struct dentry___exe *dentry;
};
struct file___exe {
	struct path___exe f_path;
};
struct mm_struct___exe {
	struct file___exe *exe_file;
};
struct task_struct___exe {
	struct mm_struct___exe *mm;
};
#pragma clang attribute pop

/* Whether the thread's name, its process's or its executable's is wanted. */
static __always_inline bool
target_comm_wanted(struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	const unsigned char *exe = BPF_CORE_READ((struct task_struct___exe *)task, mm, exe_file,
	    f_path.dentry, d_name.name);
	char names[3][16] __attribute__((aligned(8))) = {};
	__u64 differs = 1;

	/* _str: bytes behind the NUL are left over from longer names */
	bpf_core_read_str(names[0], sizeof(names[0]), &task->comm);
	bpf_core_read_str(names[1], sizeof(names[1]), &leader->comm);
	if (exe)
		bpf_probe_read_kernel_str(names[2], sizeof(names[2]), exe);
	for (int i = 0; i < TARGET_LIST; i++) {
		if (i >= target_conf.ncomm)
			break;
		differs &= target_comm_differs(names[0], i) & target_comm_differs(names[1], i) &
		    target_comm_differs(names[2], i);
	}
	return !differs;
}

/* --- names in the arguments ------------------------------------------------------- */

enum { TARGET_ARGS = 1024, TARGET_NAME = 16 };

struct target_room {
	__u32 taken, pad;
	char name[TARGET_NAME] __attribute__((aligned(8)));
	char args[TARGET_ARGS + TARGET_NAME];
};

PLACES_CALLED(target_rooms, struct target_room);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct mm_struct___args {
	unsigned long arg_start, arg_end;
};
struct task_struct___args {
	struct mm_struct___args *mm;
};
#pragma clang attribute pop

struct target_walk {
	struct target_room *room;
	__u32 arg, begin;	/* where the argument and the last part of its path begin */
	__u32 narg;
	bool found;
};

/* Whether a program by this name runs scripts: its first four bytes say that. */
static __always_inline bool
target_runs_scripts(const char *name)
{
	__u32 word = *(const __u32 *)name;

	switch (word) {
	case 0x65646f6e:	/* node, nodejs */
	case 0x006e7562:	/* bun */
	case 0x6f6e6564:	/* deno */
	case 0x68747970:	/* python, python3.11 */
	case 0x79627572:	/* ruby */
	case 0x6c726570:	/* perl */
	case 0x68736162:	/* bash */
	case 0x68736164:	/* dash */
	case 0x0068737a:	/* zsh */
	case 0x00006873:	/* sh */
		return true;
	}
	return false;
}

static __always_inline bool
target_name_wanted(const char *name)
{
	__u64 differs = 1;

	for (int i = 0; i < TARGET_LIST; i++) {
		if (i >= target_conf.ncomm)
			break;
		differs &= target_comm_differs(name, i);
	}
	return !differs;
}

/* Takes the ending off a name. */
static __always_inline void
target_name_stem(char *name)
{
	bool gone = false;

	for (int i = 1; i < TARGET_NAME; i++) {
		gone |= name[i] == '.';
		if (gone)
			name[i] = 0;
	}
}

/* The end of an argument: whether to go on. */
static __noinline bool
target_arg_ends(struct target_walk *w, __u32 end)
{
	struct target_room *room = w->room;
	__u32 begin = w->begin, len = end - begin;

	if (w->narg && room->args[w->arg & (TARGET_ARGS - 1)] == '-')
		return true;
	if (len > TARGET_NAME - 1)
		len = TARGET_NAME - 1;
	asm volatile("" : "+r"(len));
	__builtin_memset(room->name, 0, sizeof(room->name));
	if (len < TARGET_NAME)
		bpf_probe_read_kernel(room->name, len, room->args + (begin & (TARGET_ARGS - 1)));
	w->found = target_name_wanted(room->name);
	if (w->found)
		return false;
	if (!w->narg)
		return target_runs_scripts(room->name);
	target_name_stem(room->name);
	w->found = target_name_wanted(room->name);
	return false;
}

static long
target_args_step(__u32 i, struct target_walk *w)
{
	char c = w->room->args[i & (TARGET_ARGS - 1)];

	if (c == '/')
		w->begin = i + 1;
	if (c)
		return 0;
	if (!target_arg_ends(w, i))
		return 1;
	w->narg++;
	w->arg = w->begin = i + 1;
	return 0;
}

/* Whether the name that the current process was called by is wanted, or that of the
 * script that it runs. */
static __noinline bool
target_args_wanted(void)
{
	struct mm_struct___args *mm = BPF_CORE_READ((struct task_struct___args *)current_task(), mm);
	__u64 start = BPF_CORE_READ(mm, arg_start), n = BPF_CORE_READ(mm, arg_end) - start;
	struct target_room *room = place_take(&target_rooms);
	struct target_walk w = { .room = room };

	if (!room)
		return false;
	if (n > TARGET_ARGS)
		n = TARGET_ARGS;
	asm volatile("" : "+r"(n));
	if (n && n <= TARGET_ARGS && !bpf_probe_read_user(room->args, n, (void *)start))
		bpf_loop(n, target_args_step, &w, 0);
	place_give(&room->taken);
	return w.found;
}

/* Adds marks to a process. Others may add some at the same time. */
static __always_inline void
target_mark(__u32 tgid, __u32 marks)
{
	__u32 *found = bpf_map_lookup_elem(&target_procs, &tgid);

	if (!found) {
		if (!bpf_map_update_elem(&target_procs, &tgid, &marks, BPF_NOEXIST))
			return;
		found = bpf_map_lookup_elem(&target_procs, &tgid);
	}
	if (found)
		__sync_fetch_and_or(found, marks);
	else
		count_add(COUNT_PROCS_FULL, 1, 0);
}

/* A process is of a wanted name. */
static __always_inline void
target_mark_named(__u32 tgid)
{
	__u32 at = TARGET_NAMED, *named = bpf_map_lookup_elem(&target_flags, &at);

	if (named)
		*named = 1;
	target_mark(tgid, TARGET_COMM);
}

static __always_inline bool
target_user_wanted(void)
{
	__u32 uid = (__u32)bpf_get_current_uid_gid();

	for (int i = 0; i < TARGET_LIST; i++)
		if (i < target_conf.nuid && target_conf.uid[i] == uid)
			return true;
	return false;
}

static __always_inline bool
target_session_wanted(struct task_struct *task)
{
	__u32 session = task_session(task);

	for (int i = 0; i < TARGET_LIST; i++)
		if (i < target_conf.nsession && target_conf.session[i] == session)
			return true;
	return false;
}

static __always_inline bool
target_cgroup_wanted(void)
{
	for (int i = 0; i < TARGET_LIST; i++)
		if (i < target_conf.ncgroup && target_conf.cgroup[i] ==
		    bpf_get_current_ancestor_cgroup_id(target_conf.level[i]))
			return true;
	return false;
}

static __always_inline bool
target_wanted(void)
{
	struct task_struct *task = current_task();
	__u32 tgid = current_tgid_first(), *found = bpf_map_lookup_elem(&target_procs, &tgid);
	__u32 marks = found ? *found : 0, missing = target_conf.tree & ~marks;

	if (marks & (TARGET_OWN | TARGET_WAITING) || !tgid)
		return false;
	if (missing) {
		if (!(missing & TARGET_COMM) || !target_comm_wanted(task))
			return false;
		target_mark_named(tgid);
		if (missing != TARGET_COMM)
			return false;
	}
	if (target_conf.nuid && !target_user_wanted())
		return false;
	if (target_conf.nsession && !target_session_wanted(task))
		return false;
	return !target_conf.ncgroup || target_cgroup_wanted();
}

/* Whether the answer of target_wanted stays until the process's marks change. */
static __always_inline bool
target_by_process(void)
{
	return !target_conf.nuid && !target_conf.nsession && !target_conf.ncgroup;
}

/* A child gets the marks of its parent, the current process. */
static __always_inline void
target_inherit(struct task_struct *child)
{
	struct task_struct *parent = current_task();
	__u32 from = current_tgid_first(), to = task_tgid(child);
	__u32 zero = TARGET_SETTLING, *settling, *found, marks;

	if (from == to || !from)	/* a thread, or nobody of our namespace */
		return;
	settling = bpf_map_lookup_elem(&target_flags, &zero);
	if (settling && *settling && bpf_map_update_elem(&target_kin, &to, &from, BPF_ANY))
		count_add(COUNT_PROCS_FULL, 1, 0);
	found = bpf_map_lookup_elem(&target_procs, &from);
	marks = found ? *found : 0;
	if ((target_conf.tree & ~marks & TARGET_COMM) && target_comm_wanted(parent)) {
		marks |= TARGET_COMM;
		target_mark_named(from);
	}
	if (!target_conf.follow)
		marks &= TARGET_OWN;
	if (marks)
		target_mark(to, marks);
}

/* The programs of these three run in the task that forks, executes, exits. */
SEC("raw_tp/sched_process_fork")
int
target_on_fork(__u64 *ctx)
{
	struct task_struct *child;

	ON_OWN_STACK(ctx);
	child = trace_child(ctx);
	if (!child)
		return 0;
	target_inherit(child);
	trace_child_put(child);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int
target_on_exec(__u64 *ctx)
{
	struct task_struct *task = current_task();
	__u32 tgid = current_tgid_first(), *found;

	ON_OWN_STACK(ctx);
	if (!tgid)
		return 0;
	found = bpf_map_lookup_elem(&target_procs, &tgid);
	if (found && *found & TARGET_WAITING)
		__sync_fetch_and_and(found, ~TARGET_WAITING);
	if (!(target_conf.tree & TARGET_COMM))
		return 0;
	if (target_comm_wanted(task) || target_args_wanted()) {
		if (!found || !(*found & TARGET_COMM))
			target_mark_named(tgid);
	} else if (found && !target_conf.follow) {
		__sync_fetch_and_and(found, ~TARGET_COMM);
	}
	return 0;
}

/* Once per thread. */
SEC("raw_tp/sched_process_exit")
int
target_on_exit(__u64 *ctx)
{
	struct task_struct *task = current_task();
	__u32 tgid = current_tgid();

	ON_OWN_STACK(ctx);
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		bpf_map_delete_elem(&target_procs, &tgid);
	return 0;
}

#endif
