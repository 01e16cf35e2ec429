/*
 * files.bpf.h - programs for opens, and for calls that change names and files
 */
#ifndef FILES_BPF_H
#define FILES_BPF_H

#include "calls.bpf.h"
#include "fds.bpf.h"

const volatile bool open_all = false;		/* opens for reading, too */

enum { FMODE_CREATED = 1 << 20 };		/* <linux/fs.h> */
enum {
	OPEN_WRITES = 3 | 0100 | 01000,		/* O_ACCMODE, O_CREAT, O_TRUNC */
	UNLINK_DIR = 0x200,			/* AT_REMOVEDIR */
	NO_FOLLOW = 0x100,			/* AT_SYMLINK_NOFOLLOW */
	FOLLOW = 0x400,				/* AT_SYMLINK_FOLLOW */
};
enum { NR_FCHMODAT2 = 452 };			/* Linux 6.6 */

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
	} else {
		path = regs->di;
		dirfd = CURRENT_DIR;
		flags = nr == __NR_creat ? 01101 : regs->si;	/* O_CREAT|O_WRONLY|O_TRUNC */
	}
	if (ret >= 0 && bpf_map_lookup_elem(&fds, &key))
		fd_end(key.pid, key.fd);	/* of an earlier file, closed unseen */
	if (!open_all && !(flags & OPEN_WRITES))
		return 0;
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
	p.op = call_table[nr].op;
	if (p.op == OP_RENAME || p.op == OP_LINK)
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
		emit_drop(s);
		return 0;
	}
	emit_line(s, add_root(s, at));
	return 0;
}

#endif
