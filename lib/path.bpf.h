/*
 * path.bpf.h - from a descriptor to its file, from a file to its path
 *
 * A path is built from its end, dentry by dentry and mount by mount, up to the
 * root of the mount namespace: what readlink /proc/PID/fd/N shows. Nothing is
 * guessed: a directory that was renamed a moment ago has its new name. The memory
 * for that is the caller's: place.bpf.h.
 */
#ifndef PATH_BPF_H
#define PATH_BPF_H

#include "kernel.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct super_block {
	unsigned int s_dev;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode, f_flags;
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct task_struct___path {
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
};

#pragma clang attribute pop

enum {
	PATH_CAP = 8192,	/* twice PATH_MAX: paths below a deep cwd are longer */
	PATH_NAME = 256,	/* a component is at most 255 bytes */
	PATH_STEPS = 4200,	/* components and mounts */
};

struct path_work {
	char buf[PATH_CAP + PATH_NAME];
};

struct path_walk {
	struct path_work *work;
	struct dentry *dentry, *top;	/* where we are, the root of its mount */
	struct mount *mount;
	__u32 pos;			/* the path so far begins there */
	__u32 whole;			/* it was walked to the end */
};

/* A dentry's parent and name, in one read: they are neighbours. */
struct path_name {
	struct dentry *parent;
	const unsigned char *name;
	__u32 len;
};

enum { PATH_NEAR = 48 };

static __always_inline void
path_name_read(struct path_name *to, struct dentry *d)
{
	__u32 parent = bpf_core_field_offset(struct dentry, d_parent);
	__u32 len = bpf_core_field_offset(struct dentry, d_name) +
	    bpf_core_field_offset(struct qstr, len);
	__u32 name = bpf_core_field_offset(struct dentry, d_name) +
	    bpf_core_field_offset(struct qstr, name);
	char near[PATH_NEAR] __attribute__((aligned(8)));

	if (len > parent && len - parent <= PATH_NEAR - 4 && name > parent &&
	    name - parent <= PATH_NEAR - 8) {
		bpf_probe_read_kernel(near, sizeof(near), (void *)d + parent);
		to->parent = *(struct dentry **)near;
		to->len = *(__u32 *)(near + (len - parent));
		to->name = *(const unsigned char **)(near + (name - parent));
		return;
	}
	to->parent = BPF_CORE_READ(d, d_parent);
	to->len = BPF_CORE_READ(d, d_name.len);
	to->name = BPF_CORE_READ(d, d_name.name);
}

static long
path_step(__u32 i, struct path_walk *w)
{
	struct path_work *work = w->work;
	struct dentry *d = w->dentry;
	struct mount *mount = w->mount, *up;
	struct path_name n;
	__u32 len, pos = w->pos;

	if (d == w->top) {
		up = BPF_CORE_READ(mount, mnt_parent);
		if (up == mount) {
			w->whole = 1;
			return 1;
		}
		w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		w->top = BPF_CORE_READ(up, mnt.mnt_root);
		w->mount = up;
		return 0;
	}
	path_name_read(&n, d);
	len = n.len;
	if (n.parent == d) {	/* of no directory: memfd have a name, pipes have none */
		w->whole = 1;
		if (pos != PATH_CAP || !len)
			return 1;
	}
	if (len >= PATH_NAME || pos <= len || pos > PATH_CAP)
		return 1;
	pos -= len + 1;
	work->buf[pos & (PATH_CAP - 1)] = '/';
	asm volatile("" : "+r"(len));
	if (len < PATH_NAME)
		bpf_probe_read_kernel(&work->buf[(pos & (PATH_CAP - 1)) + 1], len, n.name);
	w->pos = pos;
	w->dentry = n.parent;
	return w->whole ? 1 : 0;
}

/* Copies the path of a dentry in a mount to dst, which has room for PATH_CAP
 * bytes. Its length, without NUL; 0 for "/". *whole: it is not cut. */
static __always_inline __u32
path_copy(struct path_work *work, void *dst, struct vfsmount *mnt, struct dentry *dentry,
    bool *whole)
{
	struct path_walk w = {
		.work = work, .dentry = dentry, .top = BPF_CORE_READ(mnt, mnt_root),
		.mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt),
		.pos = PATH_CAP,
	};
	__u32 len;

	bpf_loop(PATH_STEPS, path_step, &w, 0);
	*whole = w.whole;
	len = PATH_CAP - w.pos;
	asm volatile("" : "+r"(len));
	if (len == 0 || len > PATH_CAP)
		return 0;
	bpf_probe_read_kernel(dst, len, &work->buf[w.pos & (PATH_CAP - 1)]);
	return len;
}

/* Whether a directory is the root of its mount namespace: it is that of a mount
 * which is itself the first, or lies on the whole of the first (as every
 * system's does on the one it was started from). */
static __always_inline bool
path_is_root(struct vfsmount *mnt, struct dentry *dentry)
{
	struct mount *m = (void *)mnt - bpf_core_field_offset(struct mount, mnt), *up;

	if (BPF_CORE_READ(mnt, mnt_root) != dentry)
		return false;
	up = BPF_CORE_READ(m, mnt_parent);
	return up == m || (BPF_CORE_READ(up, mnt_parent) == up &&
	    BPF_CORE_READ(up, mnt.mnt_root) == BPF_CORE_READ(m, mnt_mountpoint));
}

/* The file of a descriptor; NULL: none. task: trusted by the verifier. */
static __always_inline struct file *
file_get(struct task_struct *task, __u32 fd)
{
	struct files_struct *files = ((struct task_struct___path *)task)->files;
	struct fdtable *fdt = files->fdt;
	struct file **all = fdt->fd, *file = NULL;

	if (fd >= fdt->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), &all[fd]);
	return file;
}

#endif
