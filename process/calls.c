/*
 * calls.c - see calls.h
 */
#include <stddef.h>
#include <sys/syscall.h>

#include "calls.h"

enum { FILES = 1, READS = 2, NET = 4, SIGNALS = 8, DIRS = 16, LIFE = 32,
    ANY = FILES | READS | NET };

static const struct {
	short nr;
	unsigned char class, op, why;	/* why: one of these must be wanted */
} calls[] = {
	{ SYS_open, CLASS_OPEN, OP_OPEN, FILES },
	{ SYS_openat, CLASS_OPEN, OP_OPEN, FILES },
	{ SYS_openat2, CLASS_OPEN, OP_OPEN, FILES },
	{ SYS_creat, CLASS_OPEN, OP_OPEN, FILES },
	{ SYS_open_by_handle_at, CLASS_OPEN, OP_OPEN, FILES },
	{ SYS_unlink, CLASS_PATH, OP_UNLINK, FILES },
	{ SYS_unlinkat, CLASS_PATH, OP_UNLINK, FILES },
	{ SYS_rmdir, CLASS_PATH, OP_RMDIR, FILES },
	{ SYS_rename, CLASS_PATH, OP_RENAME, FILES },
	{ SYS_renameat, CLASS_PATH, OP_RENAME, FILES },
	{ SYS_renameat2, CLASS_PATH, OP_RENAME, FILES },
	{ SYS_link, CLASS_PATH, OP_LINK, FILES },
	{ SYS_linkat, CLASS_PATH, OP_LINK, FILES },
	{ SYS_symlink, CLASS_PATH, OP_SYMLINK, FILES },
	{ SYS_symlinkat, CLASS_PATH, OP_SYMLINK, FILES },
	{ SYS_mkdir, CLASS_PATH, OP_MKDIR, FILES },
	{ SYS_mkdirat, CLASS_PATH, OP_MKDIR, FILES },
	{ SYS_truncate, CLASS_PATH, OP_TRUNCATE, FILES },
	{ SYS_ftruncate, CLASS_PATH, OP_TRUNCATE, FILES },
	{ SYS_chmod, CLASS_PATH, OP_CHMOD, FILES },
	{ SYS_fchmod, CLASS_PATH, OP_CHMOD, FILES },
	{ SYS_fchmodat, CLASS_PATH, OP_CHMOD, FILES },
	{ 452 /* fchmodat2, Linux 6.6 */, CLASS_PATH, OP_CHMOD, FILES },
	{ SYS_chown, CLASS_PATH, OP_CHOWN, FILES },
	{ SYS_lchown, CLASS_PATH, OP_CHOWN, FILES },
	{ SYS_fchown, CLASS_PATH, OP_CHOWN, FILES },
	{ SYS_fchownat, CLASS_PATH, OP_CHOWN, FILES },
	{ SYS_pivot_root, CLASS_PATH, OP_PIVOT, FILES },
	{ SYS_mknod, CLASS_MORE, OP_MKNOD, FILES },
	{ SYS_mknodat, CLASS_MORE, OP_MKNOD, FILES },
	{ SYS_setxattr, CLASS_MORE, OP_XATTR, FILES },
	{ SYS_lsetxattr, CLASS_MORE, OP_XATTR, FILES },
	{ SYS_fsetxattr, CLASS_MORE, OP_XATTR, FILES },
	{ SYS_removexattr, CLASS_MORE, OP_XATTR, FILES },
	{ SYS_lremovexattr, CLASS_MORE, OP_XATTR, FILES },
	{ SYS_fremovexattr, CLASS_MORE, OP_XATTR, FILES },
	{ SYS_utime, CLASS_MORE, OP_TIMES, FILES },
	{ SYS_utimes, CLASS_MORE, OP_TIMES, FILES },
	{ SYS_futimesat, CLASS_MORE, OP_TIMES, FILES },
	{ SYS_utimensat, CLASS_MORE, OP_TIMES, FILES },
	{ SYS_fallocate, CLASS_MORE, OP_ALLOCATE, FILES },
	{ SYS_ioctl, CLASS_MORE, OP_CLONE, FILES },
	{ SYS_mount, CLASS_MORE, OP_MOUNT, FILES },
	{ SYS_move_mount, CLASS_MORE, OP_MOUNT, FILES },
	{ SYS_umount2, CLASS_MORE, OP_UNMOUNT, FILES },
	{ SYS_execve, CLASS_EXEC, OP_EXEC, LIFE },
	{ SYS_execveat, CLASS_EXEC, OP_EXEC, LIFE },
	{ SYS_io_submit, CLASS_AIO, OP_AIO, FILES },
	{ SYS_chdir, CLASS_PATH, OP_CHDIR, DIRS },
	{ SYS_fchdir, CLASS_PATH, OP_CHDIR, DIRS },
	{ SYS_read, CLASS_IO, DIR_READ, READS | NET },
	{ SYS_pread64, CLASS_IO, DIR_READ, READS },
	{ SYS_readv, CLASS_IO, DIR_READ, READS | NET },
	{ SYS_preadv, CLASS_IO, DIR_READ, READS },
	{ SYS_preadv2, CLASS_IO, DIR_READ, READS | NET },
	{ SYS_write, CLASS_IO, DIR_WRITE, ANY },
	{ SYS_pwrite64, CLASS_IO, DIR_WRITE, FILES },
	{ SYS_writev, CLASS_IO, DIR_WRITE, ANY },
	{ SYS_pwritev, CLASS_IO, DIR_WRITE, FILES },
	{ SYS_pwritev2, CLASS_IO, DIR_WRITE, ANY },
	{ SYS_sendfile, CLASS_IO, DIR_WRITE, ANY },
	{ SYS_copy_file_range, CLASS_IO, DIR_WRITE, FILES },
	{ SYS_splice, CLASS_IO, DIR_WRITE, ANY },
	{ SYS_sendto, CLASS_IO, DIR_WRITE, NET },
	{ SYS_sendmsg, CLASS_IO, DIR_WRITE, NET },
	{ SYS_sendmmsg, CLASS_IO, DIR_WRITE, NET },
	{ SYS_recvfrom, CLASS_IO, DIR_READ, NET },
	{ SYS_recvmsg, CLASS_IO, DIR_READ, NET },
	{ SYS_recvmmsg, CLASS_IO, DIR_READ, NET },
	{ SYS_close, CLASS_CLOSE, OP_NONE, ANY },
	{ SYS_close_range, CLASS_CLOSE, OP_NONE, ANY },
	{ SYS_dup2, CLASS_CLOSE, OP_NONE, ANY },
	{ SYS_dup3, CLASS_CLOSE, OP_NONE, ANY },
	{ SYS_connect, CLASS_NET, OP_CONNECT, NET },
	{ SYS_accept, CLASS_NET, OP_ACCEPT, NET },
	{ SYS_accept4, CLASS_NET, OP_ACCEPT, NET },
	{ SYS_bind, CLASS_NET, OP_BIND, NET },
	{ SYS_listen, CLASS_NET, OP_LISTEN, NET },
	{ SYS_kill, CLASS_KILL, OP_NONE, SIGNALS },
	{ SYS_tkill, CLASS_KILL, OP_NONE, SIGNALS },
	{ SYS_tgkill, CLASS_KILL, OP_NONE, SIGNALS },
	{ SYS_rt_sigqueueinfo, CLASS_KILL, OP_NONE, SIGNALS },
	{ SYS_rt_tgsigqueueinfo, CLASS_KILL, OP_NONE, SIGNALS },
};

void
calls_fill(struct call *table, int n, const struct calls_want *w)
{
	int why = (w->files ? FILES : 0) | (w->reads ? READS : 0) | (w->net ? NET : 0) |
	    (w->signals ? SIGNALS : 0) | (w->dirs ? DIRS : 0) | LIFE;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].why & why && calls[i].nr < n)
			table[calls[i].nr] = (struct call){ calls[i].class, calls[i].op };
}
