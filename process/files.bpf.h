/*
 * files.bpf.h - programs for opens, and for calls that change names and files
 */
#ifndef FILES_BPF_H
#define FILES_BPF_H

#include "calls.bpf.h"
#include "fds.bpf.h"

const volatile bool open_all = false;		/* each open for reading, too */

enum { FMODE_CREATED = 1 << 20 };		/* <linux/fs.h> */
enum {
	OPEN_WRITES = 3 | 0100 | 01000,		/* O_ACCMODE, O_CREAT, O_TRUNC */
	UNLINK_DIR = 0x200,			/* AT_REMOVEDIR */
	NO_FOLLOW = 0x100,			/* AT_SYMLINK_NOFOLLOW */
	FOLLOW = 0x400,				/* AT_SYMLINK_FOLLOW */
	OPEN_PATH = 010000000,			/* O_PATH */
};
enum { NR_FCHMODAT2 = 452 };			/* Linux 6.6 */
enum { ERROR_NO_ENTRY = 2, ERROR_NO_DIR = 20 };	/* ENOENT, ENOTDIR */
enum { CLONE_FILE = 0x40049409, CLONE_RANGE = 0x4020940d };	/* FICLONE, FICLONERANGE */

/* A file is opened for reading: what is read from it is reported with the totals of the
 * descriptor, and so is this. */
static __always_inline void
opened(struct fd_key *key, struct file *file, __u32 flags)
{
	struct fd_entry *e;

	if ((BPF_CORE_READ(file, f_inode, i_mode) & FORMAT) != REGULAR)
		return;
	count_add(COUNT_SEEN, 1, 0);
	e = fd_get(key, file, FD_FILE, 0);
	if (e)
		e->opened = OPENED | flags;
}

SEC("raw_tp/sys_exit")
int
on_open(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax, flags, path = regs->si;
	struct fd_key key = { .pid = current_tgid(), .fd = ret };
	int dirfd = (int)regs->di;
	struct scratch *s;
	struct file *file;
	__u32 at = 0;

	ON_OWN_STACK(ctx);
	if (syscall_restarts(ret))
		return 0;
	if (nr == __NR_openat) {
		flags = regs->dx;
	} else if (nr == __NR_openat2) {
		flags = 0;	/* struct open_how begins with them */
		bpf_probe_read_user(&flags, sizeof(flags), (void *)regs->dx);
	} else if (nr == __NR_open_by_handle_at) {
		if (ret < 0)
			return 0;	/* it names nothing */
		flags = regs->dx;
	} else {
		path = regs->di;
		dirfd = CURRENT_DIR;
		flags = nr == __NR_creat ? 01101 : regs->si;	/* O_CREAT|O_WRONLY|O_TRUNC */
	}
	if (ret >= 0 && bpf_map_lookup_elem(&fds, &key))
		fd_end(key.pid, key.fd);	/* of an earlier file, closed unseen */
	if (!open_all && !(flags & OPEN_WRITES)) {
		if (!want_reads || flags & OPEN_PATH || ret == -ERROR_NO_ENTRY || ret == -ERROR_NO_DIR)
			return 0;
		if (ret >= 0) {
			file = file_get(current_task(), ret);
			if (file)
				opened(&key, file, flags);
			return 0;
		}
	}
	s = emit_begin_line(PROC_FILE, OP_OPEN, ret);
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
	} else if (nr == __NR_pivot_root) {
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

/* Tells a call on paths; at: how long the strings are so far. */
static __always_inline void
paths_end(struct scratch *s, __u32 at)
{
	if (s->r.flags & EVENT_FAULT && s->r.result >= 0) {	/* what did it change? */
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_FAULT, 1, 0);
		emit_drop(s);
		return;
	}
	emit_line(s, add_root(s, at));
}

enum { PROC_FD_LEN = 14, FD_DIGITS = 7 };	/* "/proc/self/fd/" */

/* The descriptor that a name means; -1: none. So a file gets a name that had none. */
static __noinline int
fd_of_name(__u64 name)
{
	char text[PROC_FD_LEN + FD_DIGITS + 3] __attribute__((aligned(8))) = {};
	const __u64 *words = (const void *)text;
	__s64 n = bpf_probe_read_user_str(text, sizeof(text), (void *)name);
	int fd = 0;

	/* "/proc/se" "lf/fd/" */
	if (n <= PROC_FD_LEN + 1 || words[0] != 0x65732f636f72702f ||
	    (words[1] & 0xffffffffffff) != 0x2f64662f666c)
		return -1;
	for (int i = 0; i < FD_DIGITS; i++) {
		char c = text[PROC_FD_LEN + i];

		if (!c)
			return fd;
		if (c < '0' || c > '9')
			return -1;
		fd = fd * 10 + c - '0';
	}
	return -1;
}

/* The first path of a call: by name, or that of a descriptor. */
static __always_inline __u32
add_first(struct scratch *s, struct paths *p)
{
	int fd = !p->name ? p->dir : p->follow ? fd_of_name(p->name) : -1;
	struct file *file = fd >= 0 ? file_get(current_task(), fd) : NULL;

	if (file)
		return add_file(s, 0, STR_BASE, file);
	return p->name ? add_at(s, 0, STR_BASE, p->dir, p->name) : 0;
}

SEC("raw_tp/sys_exit")
int
on_path(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax;
	struct paths p = { .dir = CURRENT_DIR };
	struct scratch *s;
	__u32 at = 0;

	ON_OWN_STACK(ctx);
	if (syscall_restarts(ret) || nr >= SYSCALLS)
		return 0;
	p.op = call_of(nr)->op;
	if (p.op == OP_RENAME || p.op == OP_LINK || p.op == OP_PIVOT)
		paths_of_two(regs, nr, &p);
	else if (p.op == OP_CHOWN)
		paths_of_owner(regs, nr, &p);
	else
		paths_of_one(regs, nr, &p);
	s = emit_begin_line(PROC_FILE, p.op, ret);
	if (!s)
		return 0;
	s->r.a = p.a;
	s->r.b = p.b;
	if (p.follow)
		s->r.flags |= EVENT_FOLLOW;
	if (p.op == OP_CHDIR && ret == 0)
		at = add_cwd(s, at, STR_BASE);
	else if (p.op == OP_PIVOT)	/* what its names mean is different now */
		at = add_user(s, at, STR_NAME, p.name);
	else
		at = add_first(s, &p);
	if (p.op == OP_SYMLINK || p.op == OP_PIVOT)
		at = add_user(s, at, STR_NAME2, p.name2);
	else if (p.name2)
		at = add_at(s, at, STR_BASE2, p.dir2, p.name2);
	paths_end(s, at);
	return 0;
}

/* --- calls that are made seldom ----------------------------------------------------- */

static __always_inline void
more_of_attributes(struct pt_regs *regs, __u64 nr, struct paths *p)
{
	p->name2 = regs->si;
	p->a = nr == __NR_removexattr || nr == __NR_lremovexattr || nr == __NR_fremovexattr;
	p->follow = nr == __NR_setxattr || nr == __NR_removexattr;
	if (nr == __NR_fsetxattr || nr == __NR_fremovexattr)
		p->dir = (int)regs->di;
	else
		p->name = regs->di;
}

/* utimensat without a name is futimens; the old calls follow links. */
static __always_inline void
more_of_times(struct pt_regs *regs, __u64 nr, struct paths *p)
{
	p->follow = nr != __NR_utimensat || !(regs->r10 & NO_FOLLOW);
	if (nr == __NR_utimensat || nr == __NR_futimesat) {
		p->dir = (int)regs->di;
		p->name = regs->si;
	} else {
		p->name = regs->di;
	}
}

static __always_inline void
more_of_mounts(struct pt_regs *regs, __u64 nr, struct paths *p)
{
	p->follow = true;
	if (nr == __NR_mount) {
		p->name = regs->si;
		p->name2 = regs->di;
		p->a = regs->r10;
	} else if (nr == __NR_move_mount) {
		p->dir = (int)regs->dx;
		p->name = regs->r10;
	} else {	/* umount2 */
		p->name = regs->di;
		p->a = regs->si;
	}
}

/* struct file_clone_range */
struct clone_range {
	__s64 fd;
	__u64 offset, length, to;
};

/* The number of the descriptor whose file a call clones; -1: it does not. */
static __always_inline int
clone_source(struct pt_regs *regs)
{
	struct clone_range range;

	if ((__u32)regs->si == CLONE_FILE)
		return regs->dx;
	if ((__u32)regs->si != CLONE_RANGE ||
	    bpf_probe_read_user(&range, sizeof(range), (void *)regs->dx))
		return -1;
	return range.fd;
}

static __always_inline void
more_read(struct pt_regs *regs, __u64 nr, struct paths *p)
{
	switch (p->op) {
	case OP_MKNOD:
		if (nr == __NR_mknodat)
			p->dir = (int)regs->di;
		p->name = nr == __NR_mknodat ? regs->si : regs->di;
		p->a = (__u16)(nr == __NR_mknodat ? regs->dx : regs->si);
		break;
	case OP_XATTR:
		more_of_attributes(regs, nr, p);
		break;
	case OP_TIMES:
		more_of_times(regs, nr, p);
		break;
	case OP_ALLOCATE:
		p->dir = (int)regs->di;
		p->a = regs->dx;
		p->b = regs->r10;
		break;
	case OP_CLONE:
		p->dir = (int)regs->di;
		p->dir2 = clone_source(regs);
		break;
	default:
		more_of_mounts(regs, nr, p);
	}
}

SEC("raw_tp/sys_exit")
int
on_more(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax;
	struct paths p = { .dir = CURRENT_DIR };
	struct file *from;
	struct scratch *s;
	__u32 at;

	ON_OWN_STACK(ctx);
	if (syscall_restarts(ret) || nr >= SYSCALLS)
		return 0;
	p.op = call_of(nr)->op;
	more_read(regs, nr, &p);
	/* cp tries to clone everything, and copies what cannot be */
	if (p.op == OP_CLONE && (ret < 0 || p.dir2 < 0))
		return 0;
	s = emit_begin_line(PROC_FILE, p.op, ret);
	if (!s)
		return 0;
	s->r.a = p.a;
	s->r.b = p.b;
	if (p.op == OP_ALLOCATE)
		s->r.fd = regs->si;
	if (p.follow)
		s->r.flags |= EVENT_FOLLOW;
	at = add_first(s, &p);
	if (p.op == OP_CLONE) {
		from = file_get(current_task(), p.dir2);
		if (from)
			at = add_file(s, at, STR_BASE2, from);
	}
	if (nr == __NR_mount && regs->dx)
		at = add_user(s, at, STR_BASE2, regs->dx);
	if (p.name2)
		at = add_user(s, at, STR_NAME2, p.name2);
	paths_end(s, at);
	return 0;
}

/* A write to a file that failed for want of room or for another reason that the program
 * did not bring about by its arguments: on_io. */
SEC("raw_tp/sys_exit")
int
on_failed_write(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax;
	__u32 fd = nr == __NR_copy_file_range || nr == __NR_splice ? regs->dx : regs->di;
	struct file *file = file_get(current_task(), fd);
	struct scratch *s;

	ON_OWN_STACK(ctx);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & FORMAT) != REGULAR)
		return 0;
	s = emit_begin_line(PROC_FILE, OP_WRITE, ret);
	if (!s)
		return 0;
	s->r.fd = fd;
	emit_line(s, add_root(s, add_file(s, 0, STR_BASE, file)));
	return 0;
}

#endif
