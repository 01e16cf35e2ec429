/*
 * emit.bpf.h - records with strings, built in a place of their own and copied to the
 * ring whole, so that a record takes as much of the ring as it holds
 */
#ifndef EMIT_BPF_H
#define EMIT_BPF_H

#include "target.bpf.h"
#include "path.bpf.h"
#include "place.bpf.h"
#include "syscall.bpf.h"
#include "process.h"

enum { CURRENT_DIR = -100 };	/* AT_FDCWD */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct___execs {
	__u64 self_exec_id;
};

#pragma clang attribute pop

enum { SOCKADDR_WORDS = 16 };	/* 128 bytes, struct sockaddr_storage */

struct scratch {
	__u32 taken, pad;
	struct path_work path;
	struct pending pending;
	struct fd_record end;
	struct sent_entry sent;
	__u64 sockaddr[SOCKADDR_WORDS];
	struct event_record r;
	char room[STRINGS_CAP + ARGS_CAP];	/* follows it without a gap */
};

PLACES(struct scratch);

/* A place with a new record, its head filled, for emit_end, emit_line or emit_drop;
 * NULL: none is free, which the caller counts. */
static __always_inline struct scratch *
emit_begin(__u32 kind, __u32 op, long result)
{
	struct task_struct___path *task = (void *)current_task();
	struct scratch *s = place_take(&places);

	if (!s)
		return NULL;
	__builtin_memset(&s->r, 0, sizeof(s->r));
	record_fill(&s->r.head, kind, bpf_ktime_get_boot_ns());
	s->r.op = op;
	s->r.result = result;
	s->r.mnt_ns = task->nsproxy->mnt_ns->ns.inum;
	s->r.execs = ((struct task_struct___execs *)task)->self_exec_id;
	return s;
}

/* The same for a record that is a line of its own: counted when there is no place. */
static __always_inline struct scratch *
emit_begin_line(__u32 kind, __u32 op, long result)
{
	struct scratch *s = emit_begin(kind, op, result);

	if (!s) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_BUSY, 1, 0);
	}
	return s;
}

static __always_inline void
emit_drop(struct scratch *s)
{
	place_give(&s->taken);
}

/* Hands over the record with n bytes of strings and arguments. */
static __always_inline bool
emit_end(struct scratch *s, __u32 n)
{
	bool done = false;

	if (n > STRINGS_CAP + ARGS_CAP)
		n = STRINGS_CAP + ARGS_CAP;
	asm volatile("" : "+r"(n));
	if (n <= STRINGS_CAP + ARGS_CAP)
		done = ring_put(&s->r, sizeof(s->r) + n);
	emit_drop(s);
	return done;
}

/* The same for a record that is a line of its own, for the books. */
static __always_inline void
emit_line(struct scratch *s, __u32 n)
{
	count_add(COUNT_SEEN, 1, 0);
	if (!emit_end(s, n))
		count_add(COUNT_RING_FULL, 1, 0);
}

/* Adds a string: the path of a dentry. at: how long the strings are so far;
 * the result is how long they are then. Not static, as the next one: so the
 * verifier looks at it once, and not at every call. */
__noinline __u32
add_path(struct scratch *s, __u32 at, __u32 which, __u64 mnt, __u64 dentry)
{
	bool whole = false;
	__u32 len;

	asm volatile("" : "+r"(at), "+r"(which));
	if (!s || at > STRINGS_CAP - PATH_CAP || which >= STR_MAX)
		return 0;
	len = path_copy(&s->path, s->room + at, (void *)mnt, (void *)dentry, &whole);
	if (!whole)
		s->r.flags |= EVENT_CUT;
	s->r.len[which] = len;
	return at + len;
}

__noinline __u32
add_user(struct scratch *s, __u32 at, __u32 which, __u64 name)
{
	long n;

	asm volatile("" : "+r"(at), "+r"(which));
	if (!s || at > STRINGS_CAP - NAME_CAP || which >= STR_MAX)
		return 0;
	n = bpf_probe_read_user_str(s->room + at, NAME_CAP, (void *)name);
	if (n < 0) {
		s->r.flags |= EVENT_FAULT;
		return at;
	}
	if (n > 0)
		n--;
	s->r.len[which] = n;
	return at + (n & (2 * NAME_CAP - 1));
}

static __always_inline __u32
add_file(struct scratch *s, __u32 at, __u32 which, struct file *file)
{
	return add_path(s, at, which, (__u64)BPF_CORE_READ(file, f_path.mnt),
	    (__u64)BPF_CORE_READ(file, f_path.dentry));
}

static __always_inline __u32
add_cwd(struct scratch *s, __u32 at, __u32 which)
{
	struct fs_struct *fs = ((struct task_struct___path *)current_task())->fs;

	return add_path(s, at, which, (__u64)BPF_CORE_READ(fs, pwd.mnt),
	    (__u64)BPF_CORE_READ(fs, pwd.dentry));
}

/* The root that absolute names start from, if it is not the usual one. */
static __always_inline __u32
add_root(struct scratch *s, __u32 at)
{
	struct fs_struct *fs = ((struct task_struct___path *)current_task())->fs;

	if (path_is_root(fs->root.mnt, fs->root.dentry))
		return at;
	return add_path(s, at, STR_ROOT, (__u64)BPF_CORE_READ(fs, root.mnt),
	    (__u64)BPF_CORE_READ(fs, root.dentry));
}

/* Adds two strings: a path as *at calls take it, as the directory it starts
 * from (none when the name is absolute) and the name. */
static __always_inline __u32
add_at(struct scratch *s, __u32 at, __u32 which, int dirfd, __u64 name)
{
	char first = 0;

	bpf_probe_read_user(&first, 1, (void *)name);
	if (first != '/') {
		struct file *dir = dirfd == CURRENT_DIR ? NULL : file_get(current_task(), dirfd);

		if (dirfd == CURRENT_DIR)
			at = add_cwd(s, at, which);
		else if (dir)
			at = add_file(s, at, which, dir);
	}
	return add_user(s, at, which + 1, name);
}

/* A record without strings, for ring_submit; NULL: no room, which is counted. */
static __always_inline struct event_record *
record_new(__u32 kind)
{
	struct event_record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		count_add(COUNT_RING_FULL, 1, 0);
		return NULL;
	}
	__builtin_memset(r, 0, sizeof(*r));
	record_fill(&r->head, kind, bpf_ktime_get_boot_ns());
	return r;
}

/* The same for one that is a line, for the books. */
static __always_inline struct event_record *
line_new(__u32 kind)
{
	count_add(COUNT_SEEN, 1, 0);
	return record_new(kind);
}

#endif
