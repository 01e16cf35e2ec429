/*
 * process.bpf.c - what processes do, from tracepoints
 *
 * One program sits at the exit of every system call: it knows by number which
 * calls matter, drops what is out of scope, and jumps to the program for the
 * class of call. Lifecycle comes from the scheduler's tracepoints.
 */
#include <stddef.h>
#include <asm/unistd.h>
#include "emit.bpf.h"
#include "fds.bpf.h"
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct call call_table[SYSCALLS] = {};
const volatile bool life_of_all = false;	/* -m 1: lifecycle is not filtered ... */
const volatile bool new_chosen = false;		/* ... and who execs is chosen */
const volatile bool open_all = false;		/* opens for reading, too */
const volatile bool want_dns = true;
const volatile bool want_life = true;
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
enum { FMODE_CREATED = 1 << 20 };		/* <linux/fs.h> */
enum {
	OPEN_WRITES = 3 | 0100 | 01000,		/* O_ACCMODE, O_CREAT, O_TRUNC */
	UNLINK_DIR = 0x200,			/* AT_REMOVEDIR */
	NO_FOLLOW = 0x100,			/* AT_SYMLINK_NOFOLLOW */
	FOLLOW = 0x400,				/* AT_SYMLINK_FOLLOW */
};
enum { NR_FCHMODAT2 = 452 };			/* Linux 6.6 */
enum { ERROR_INPROGRESS = 115, ERROR_AGAIN = 11 };

/* --- lifecycle --------------------------------------------------------------- */

static __always_inline bool
life_wanted(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, *marks;

	if (!want_life)
		return false;
	if (!life_of_all)
		return target_wanted();
	marks = bpf_map_lookup_elem(&target_procs, &tgid);
	return !marks || !(*marks & TARGET_OWN);
}

/* Hands over a record without strings. */
static __always_inline bool
hand_over(struct event_record *from)
{
	struct event_record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		count_add(COUNT_RING_FULL, 1, 0);
		return false;
	}
	__builtin_memcpy(r, from, sizeof(*r));
	ring_submit(r, from->head.time);
	return true;
}

/* The same for one that is a line, for the books. */
static __always_inline void
tell(struct event_record *from)
{
	count_add(COUNT_SEEN, 1, 0);
	hand_over(from);
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

/* --- system calls ------------------------------------------------------------ */

/* The programs for classes of calls; this one drops the rest. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CLASS_MAX + 1);
	__type(key, __u32);
	__type(value, __u32);
} classes SEC(".maps");

enum { CLASS_DNS = CLASS_MAX };	/* not of a number: of a socket */

/* TP_PROTO(struct pt_regs *regs, long ret) */
SEC("tp_btf/sys_exit")
int
on_syscall(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	__u64 nr = regs->orig_ax;
	__u32 class;

	if (nr >= SYSCALLS)
		return 0;
	class = call_table[nr].class;
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

SEC("tp_btf/sys_exit")
int
on_open(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	long ret = (long)ctx[1];
	__u64 nr = regs->orig_ax, flags, path = regs->si;
	struct fd_key key = { .pid = bpf_get_current_pid_tgid() >> 32, .fd = ret };
	int dirfd = (int)regs->di;
	struct scratch *s;
	struct file *file;
	__u32 at = 0;

	if (syscall_restarts(ret))
		return 0;
	if (nr == __NR_openat) {
		flags = regs->dx;
	} else if (nr == __NR_openat2) {
		flags = 0;	/* struct open_how begins with them */
		bpf_probe_read_user(&flags, sizeof(flags), (void *)regs->dx);
	} else {
		path = regs->di;
		dirfd = CURRENT_DIR;
		flags = nr == __NR_creat ? 01101 : regs->si;	/* O_CREAT|O_WRONLY|O_TRUNC */
	}
	if (ret >= 0 && bpf_map_lookup_elem(&fds, &key))
		fd_end(&key);	/* of an earlier file, closed unseen */
	if (!open_all && !(flags & OPEN_WRITES))
		return 0;
	s = emit_begin(PROC_FILE, OP_OPEN, ret);
	if (!s)
		return 0;
	s->r.a = flags;
	file = ret >= 0 ? file_get(current_task(), ret) : NULL;
	if (file) {
		s->r.b = !!(BPF_CORE_READ(file, f_mode) & FMODE_CREATED);
		at = add_file(s, at, STR_BASE, file);
	} else {
		at = add_at(s, at, STR_BASE, dirfd, path);
	}
	emit_line(s, add_root(s, at));
	return 0;
}

/* What a call on paths is given. */
struct paths {
	__u64 name, name2;	/* pointers, 0: no such path */
	int dir, dir2;
	__s64 a, b;
	__u32 op;
	bool follow;		/* a symbolic link as last component of the first */
};

static __always_inline void
paths_of_two(struct pt_regs *regs, __u64 nr, struct paths *p)
{
	if (nr == __NR_rename || nr == __NR_link) {
		p->name = regs->di;
		p->name2 = regs->si;
		p->dir2 = CURRENT_DIR;
	} else {
		p->dir = (int)regs->di;
		p->name = regs->si;
		p->dir2 = (int)regs->dx;
		p->name2 = regs->r10;
		p->a = nr == __NR_renameat2 ? regs->r8 : 0;
		p->follow = nr == __NR_linkat && regs->r8 & FOLLOW;
	}
}

static __always_inline void
paths_of_owner(struct pt_regs *regs, __u64 nr, struct paths *p)
{
	p->follow = nr == __NR_chown || (nr == __NR_fchownat && !(regs->r8 & NO_FOLLOW));
	if (nr == __NR_fchownat) {
		p->dir = (int)regs->di;
		p->name = regs->si;
		p->a = (int)regs->dx;
		p->b = (int)regs->r10;
		return;
	}
	if (nr == __NR_fchown)
		p->dir = (int)regs->di;
	else
		p->name = regs->di;
	p->a = (int)regs->si;
	p->b = (int)regs->dx;
}

/* Everything else: a path or a descriptor first, then a number. */
static __always_inline void
paths_of_one(struct pt_regs *regs, __u64 nr, struct paths *p)
{
	p->follow = nr == __NR_truncate || nr == __NR_chmod || nr == __NR_fchmodat ||
	    (nr == NR_FCHMODAT2 && !(regs->r10 & NO_FOLLOW));
	switch (nr) {
	case __NR_unlinkat:
		if (regs->dx & UNLINK_DIR)
			p->op = OP_RMDIR;
		/* fallthrough */
	case __NR_mkdirat:
	case __NR_fchmodat:
	case NR_FCHMODAT2:
		p->dir = (int)regs->di;
		p->name = regs->si;
		p->a = regs->dx;
		break;
	case __NR_ftruncate:
	case __NR_fchmod:
	case __NR_fchdir:
		p->dir = (int)regs->di;
		p->a = regs->si;
		break;
	case __NR_symlink:
		p->name = regs->si;
		p->name2 = regs->di;
		break;
	case __NR_symlinkat:
		p->dir = (int)regs->si;
		p->name = regs->dx;
		p->name2 = regs->di;
		break;
	default:
		p->name = regs->di;
		p->a = regs->si;
	}
}

SEC("tp_btf/sys_exit")
int
on_path(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	long ret = (long)ctx[1];
	__u64 nr = regs->orig_ax;
	struct paths p = { .dir = CURRENT_DIR };
	struct scratch *s;
	__u32 at = 0;

	if (syscall_restarts(ret) || nr >= SYSCALLS)
		return 0;
	p.op = call_table[nr].op;
	if (p.op == OP_RENAME || p.op == OP_LINK)
		paths_of_two(regs, nr, &p);
	else if (p.op == OP_CHOWN)
		paths_of_owner(regs, nr, &p);
	else
		paths_of_one(regs, nr, &p);
	s = emit_begin(PROC_FILE, p.op, ret);
	if (!s)
		return 0;
	s->r.a = p.a;
	s->r.b = p.b;
	if (p.follow)
		s->r.flags |= EVENT_FOLLOW;
	if (p.op == OP_CHDIR && ret == 0)
		at = add_cwd(s, at, STR_BASE);
	else if (p.name)
		at = add_at(s, at, STR_BASE, p.dir, p.name);
	else if (p.dir >= 0) {
		struct file *file = file_get(current_task(), p.dir);

		if (file)
			at = add_file(s, at, STR_BASE, file);
	}
	if (p.op == OP_SYMLINK)
		at = add_user(s, at, STR_NAME2, p.name2);
	else if (p.name2)
		at = add_at(s, at, STR_BASE2, p.dir2, p.name2);
	if (s->r.flags & EVENT_FAULT && ret >= 0) {	/* what did it change? */
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_FAULT, 1, 0);
		return 0;
	}
	emit_line(s, add_root(s, at));
	return 0;
}

/* struct user_msghdr, struct mmsghdr of the system call interface */
struct message {
	__u64 name;
	__s32 name_len, pad;
	__u64 iov, iov_len, control, control_len;
	__u32 flags, pad2;
};

struct messages {
	struct message m;
	__u32 len, pad;
};

struct messages_sum {
	__u64 at, bytes;
};

static long
messages_add(__u32 i, struct messages_sum *sum)
{
	__u32 len = 0;

	bpf_probe_read_user(&len, sizeof(len),
	    (void *)(sum->at + i * sizeof(struct messages) + offsetof(struct messages, len)));
	sum->bytes += len;
	return 0;
}

/* Whether what a socket transfers is DNS: UDP with port 53 at the other end. */
static __always_inline bool
dns_passes(struct sock *sk, __u64 nr, struct pt_regs *regs)
{
	__u16 port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport)), family;
	__u64 name = 0;

	if (BPF_CORE_READ(sk, sk_protocol) != PROTO_UDP)
		return false;
	if (port)
		return port == 53;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != FAMILY_INET && family != FAMILY_INET6)
		return false;
	if (nr == __NR_sendto || nr == __NR_recvfrom)
		name = regs->r8;
	else if (nr == __NR_sendmsg || nr == __NR_recvmsg || nr == __NR_sendmmsg ||
	    nr == __NR_recvmmsg)
		bpf_probe_read_user(&name, sizeof(name), (void *)regs->si);
	if (!name || bpf_probe_read_user(&port, 2, (void *)name + 2))
		return false;
	return bpf_ntohs(port) == 53;
}

SEC("tp_btf/sys_exit")
int
on_io(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	long ret = (long)ctx[1];
	__u64 nr = regs->orig_ax, bytes = ret;
	__u32 fd = regs->di, dir;
	struct messages_sum sum;
	struct file *file;

	if (ret <= 0 || nr >= SYSCALLS)
		return 0;
	switch (nr) {
	case __NR_sendfile:	/* out, in */
		fd_transfer(regs->si, DIR_READ, ret);
		fd_transfer(fd, DIR_WRITE, ret);
		return 0;
	case __NR_copy_file_range:	/* in, ., out */
	case __NR_splice:
		fd_transfer(fd, DIR_READ, ret);
		fd_transfer(regs->dx, DIR_WRITE, ret);
		return 0;
	case __NR_sendmmsg:
	case __NR_recvmmsg:
		sum = (struct messages_sum){ .at = regs->si };
		bpf_loop(ret, messages_add, &sum, 0);
		bytes = sum.bytes;
	}
	dir = call_table[nr].op;
	file = fd_transfer(fd, dir, bytes);
	if (file && want_dns && dns_passes(file_sock(file), nr, regs))
		bpf_tail_call(ctx, &classes, CLASS_DNS);
	return 0;
}

struct dns_job {
	__u64 at, sockaddr;	/* of the messages; of the other end, or 0 */
	__u64 iov;		/* pieces of the message, 0: it is at buf */
	__u64 buf, len;
	__u32 dir, fd;
};

enum { DNS_PIECES = 4 };

/* struct iovec */
struct piece {
	__u64 base, len;
};

/* Copies the message; how much of it. */
static __always_inline __u32
dns_copy(struct scratch *s, struct dns_job *j)
{
	__u32 left = j->len > DNS_CAP ? DNS_CAP : j->len, at = 0;

	for (int i = 0; i < DNS_PIECES; i++) {
		struct piece p = { .base = j->buf, .len = left };
		__u32 n;

		if (j->iov && bpf_probe_read_user(&p, sizeof(p), (void *)(j->iov + i * sizeof(p))))
			break;
		n = p.len > left ? left : p.len;
		asm volatile("" : "+r"(n), "+r"(at));
		if (n > DNS_CAP || at > DNS_CAP)
			break;
		if (n && bpf_probe_read_user(s->room + at, n, (void *)p.base))
			return 0;
		at += n;
		left -= n;
		if (!left)
			break;
	}
	return at;
}

__noinline int
dns_put(struct dns_job *j)
{
	struct scratch *s = emit_begin(PROC_DNS, 0, 0);
	struct file *file = j ? file_get(current_task(), j->fd) : NULL;
	__u32 n;

	if (!s || !file || !j)
		return 0;
	addr_fill(&s->r.addr, file_sock(file));
	if (j->sockaddr && !s->r.addr.port)
		addr_user(&s->r.addr, (void *)j->sockaddr, false);
	s->r.dir = j->dir;
	s->r.fd = j->fd;
	n = dns_copy(s, j);
	if (!n) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_FAULT, 1, 0);
		return 0;
	}
	s->r.len[STR_BASE] = n;
	emit_line(s, n);
	return 0;
}

/* One of the messages of sendmmsg, recvmmsg. */
static long
dns_message(__u32 i, struct dns_job *j)
{
	struct messages m;

	if (bpf_probe_read_user(&m, sizeof(m), (void *)(j->at + i * sizeof(m))))
		return 1;
	j->sockaddr = m.m.name;
	j->len = m.len;
	j->iov = m.m.iov;
	dns_put(j);
	return 0;
}

SEC("tp_btf/sys_exit")
int
on_dns(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	long ret = (long)ctx[1];
	__u64 nr = regs->orig_ax;
	struct dns_job j = { .at = regs->si, .buf = regs->si, .len = ret, .fd = regs->di };
	struct message m;

	if (nr >= SYSCALLS || ret <= 0)
		return 0;
	j.dir = call_table[nr].op;
	switch (nr) {
	case __NR_sendmmsg:
	case __NR_recvmmsg:
		bpf_loop(ret, dns_message, &j, 0);
		return 0;
	case __NR_sendto:
	case __NR_recvfrom:
		j.sockaddr = regs->r8;
		break;
	case __NR_sendmsg:
	case __NR_recvmsg:
		if (bpf_probe_read_user(&m, sizeof(m), (void *)j.at))
			return 0;
		j.sockaddr = m.name;
		j.iov = m.iov;
		break;
	case __NR_readv:
	case __NR_writev:
		j.iov = j.at;
	}
	dns_put(&j);
	return 0;
}

SEC("tp_btf/sys_exit")
int
on_close(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	long ret = (long)ctx[1];
	__u64 nr = regs->orig_ax;
	struct fd_key key = { .pid = bpf_get_current_pid_tgid() >> 32, .fd = regs->di };
	__u32 to = regs->si;

	/* close: the descriptor is gone, whatever the result but EBADF */
	if (nr == __NR_close) {
		if (ret != -9 && bpf_map_lookup_elem(&fds, &key))
			fd_end(&key);
	} else if (ret < 0) {
		return 0;
	} else if (nr == __NR_close_range) {
		fd_sweep(key.fd, to, false);
	} else if (key.fd != to) {	/* dup2, dup3 */
		key.fd = to;
		if (bpf_map_lookup_elem(&fds, &key))
			fd_end(&key);
	}
	return 0;
}

/* --- network ----------------------------------------------------------------- */

/* Connects whose outcome comes later, by socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct pending);
} pending SEC(".maps");

/* The outcome of a connect that did not wait. */
static __always_inline void
pending_end(__u64 sk, struct pending *p, int state)
{
	struct event_record r = { .op = OP_CONNECT };
	int error = BPF_CORE_READ((struct sock *)sk, sk_err);

	r.head = p->head;
	r.since = p->head.time;
	r.fd = p->fd;
	r.addr = p->addr;
	r.b = 1;
	r.result = state == STATE_ESTABLISHED ? 0 : error ? -error : -ERROR_INPROGRESS;
	if (bpf_map_delete_elem(&pending, &sk))
		return;		/* someone else told it */
	r.head.time = bpf_ktime_get_boot_ns();
	tell(&r);
}

/* TP_PROTO(const struct sock *sk, const int oldstate, const int newstate) */
SEC("raw_tp/inet_sock_set_state")
int
on_state(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 sk = ctx->args[0];
	struct pending *p;

	if ((int)ctx->args[1] != STATE_SYN_SENT)
		return 0;
	p = bpf_map_lookup_elem(&pending, &sk);
	if (p)
		pending_end(sk, p, (int)ctx->args[2]);
	return 0;
}

static __always_inline void
pending_begin(struct event_record *r, struct sock *sk)
{
	struct pending p = { .head = r->head, .fd = r->fd, .addr = r->addr }, *found;
	__u64 key = (__u64)sk;
	int state;

	if (bpf_map_update_elem(&pending, &key, &p, BPF_ANY)) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_PENDING_FULL, 1, 0);
		return;
	}
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	found = bpf_map_lookup_elem(&pending, &key);
	if (found && state != STATE_SYN_SENT)	/* it is over already */
		pending_end(key, found, state);
}

/* The name in a sockaddr_un: a path, or an abstract name (NUL first). */
static __always_inline __u32
add_unix_user(struct scratch *s, __u32 at, __u64 sockaddr, int len)
{
	char first = 0;

	len -= 2;
	bpf_probe_read_user(&first, 1, (void *)sockaddr + 2);
	asm volatile("" : "+r"(len), "+r"(at));
	if (len <= 0 || len > UNIX_NAME || at > STRINGS_CAP - NAME_CAP)
		return at;
	if (first)
		return add_at(s, at, STR_BASE, CURRENT_DIR, sockaddr + 2);
	bpf_probe_read_user(s->room + at, len, (void *)sockaddr + 2);
	s->r.len[STR_NAME] = len;
	return at + len;
}

/* Addresses of a call, and its socket's name when it is a unix socket. */
static __always_inline __u32
add_call(struct scratch *s, struct sock *sk, __u64 sockaddr, int len)
{
	struct unix_sock *u = (void *)sk, *peer = NULL;
	bool done = s->r.result >= 0;

	addr_fill(&s->r.addr, sk);
	if (s->r.addr.family != FAMILY_UNIX) {
		if (s->r.op == OP_CONNECT)
			addr_user(&s->r.addr, (void *)sockaddr, false);
		else if (s->r.op == OP_BIND && !done)
			addr_user(&s->r.addr, (void *)sockaddr, true);
		return 0;
	}
	if (s->r.op == OP_CONNECT)
		peer = (void *)BPF_CORE_READ(u, peer);
	if (done && (s->r.op != OP_CONNECT || peer))
		return add_unix(s, 0, peer ? peer : u);
	return add_unix_user(s, 0, sockaddr, len);
}

SEC("tp_btf/sys_exit")
int
on_net(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	long ret = (long)ctx[1];
	__u64 nr = regs->orig_ax;
	struct fd_key key = { .pid = bpf_get_current_pid_tgid() >> 32, .fd = regs->di };
	struct file *file;
	struct scratch *s;
	struct sock *sk;
	__u32 at, op;
	__u16 family;

	if (syscall_restarts(ret) || nr >= SYSCALLS)
		return 0;
	op = call_table[nr].op;
	if (op == OP_ACCEPT && ret >= 0)
		key.fd = ret;
	file = file_get(current_task(), key.fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & FORMAT) != SOCKET)
		return 0;
	if (op == OP_ACCEPT && ret == -ERROR_AGAIN)
		return 0;	/* nobody was there */
	sk = file_sock(file);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != FAMILY_INET && family != FAMILY_INET6 && family != FAMILY_UNIX)
		return 0;
	s = emit_begin(PROC_NET, op, ret < 0 ? ret : 0);
	if (!s)
		return 0;
	s->r.fd = key.fd;
	s->r.a = regs->si;	/* of listen */
	at = add_call(s, sk, regs->si, regs->dx);
	if (op == OP_CONNECT && ret == -ERROR_INPROGRESS && family != FAMILY_UNIX) {
		pending_begin(&s->r, sk);
	} else {
		at = add_root(s, at);
		emit_line(s, at);
	}
	/* from here on the descriptor has addresses worth telling at its close */
	if (op == OP_BIND || (ret < 0 && ret != -ERROR_INPROGRESS))
		return 0;
	if (op == OP_CONNECT && bpf_map_lookup_elem(&fds, &key)) {
		struct fd_entry *e = bpf_map_lookup_elem(&fds, &key);

		if (e)
			fd_tell(file, e, key.fd);
		return 0;
	}
	fd_get(&key, file, FD_SOCKET, 0);
	return 0;
}

/* --- signals ----------------------------------------------------------------- */

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

/* --- the rest ---------------------------------------------------------------- */

SEC("tp_btf/sys_exit")
int
on_uring(__u64 *ctx)
{
	long ret = (long)ctx[1];

	if (ret <= 0)
		return 0;
	count_add(COUNT_SEEN, ret, 0);
	count_add(COUNT_URING, ret, 0);
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

	if (!line || !target_wanted() || !(s = emit_begin(PROC_READLINE, 0, 0)))
		return 0;
	n = bpf_probe_read_user_str(s->room, LINE_CAP, (void *)line);
	if (n < 0) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_FAULT, 1, 0);
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
