/*
 * conn.bpf.h - connections: made at first sight, named once, ended once
 *
 * Also whether the beginning was missed. It was not when the library made the
 * object, shook hands or set the name under our eyes, when the cipher counts its
 * first record, or when program or TCP connection are younger than the probe.
 */
#ifndef CONN_BPF_H
#define CONN_BPF_H

#include "thread.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct conn_key);
	__type(value, struct conn);
} conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct conn_key);
	__type(value, struct alias);
} aliases SEC(".maps");

/* Processes that have connections, and the number of their image. */
struct image {
	__u64 gen, since;	/* boot time of its exec or, without one, fork */
	__u64 execed;		/* its exec was seen */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct image);
} images SEC(".maps");

/* Processes that have execed, and those forked from them. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct exec);
} execs SEC(".maps");

/* Those that are over and have begun connections, until the collector has seen to it
 * that it had looked at what they mapped. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct ended_key);
	__type(value, struct exec);
} ended SEC(".maps");

/* Those whose connections from before they were hooked the collector counts itself,
 * begun from when on and until when. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct span);
} answered SEC(".maps");

/* Objects that were seen to begin, and have no connection yet; guess as in struct conn. */
struct fresh {
	__u64 guess[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct conn_key);
	__type(value, struct fresh);
} fresh SEC(".maps");

/* When TCP connections were made, by kernel address. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
} young SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POINTS);
	__type(key, __u32);
	__type(value, struct point);
} points SEC(".maps");

static __u64 serials, images_seen;

/* Boot time when a program began a TCP connection. */
volatile __u64 last_dialed;

/* Set before the probes are taken off, which takes a while and happens one by
 * one: without it a close would still be seen when data before it was not. */
volatile bool stopped;

static __noinline struct image *
image_of(__u32 pid)
{
	struct image *found = bpf_map_lookup_elem(&images, &pid), fresh_one;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct exec *exec;

	if (found)
		return found;
	exec = bpf_map_lookup_elem(&execs, &pid);
	fresh_one.since = BPF_CORE_READ(task, group_leader, start_boottime);
	fresh_one.execed = exec != NULL;
	if (exec && exec->time > fresh_one.since)
		fresh_one.since = exec->time;
	fresh_one.gen = __sync_fetch_and_add(&images_seen, 1) + 1;
	bpf_map_update_elem(&images, &pid, &fresh_one, BPF_NOEXIST);
	return bpf_map_lookup_elem(&images, &pid);
}

/* The key of an object of the current process; t: its current thread, if known.
 * False: tables full. */
static __always_inline bool
object_key(struct thread *t, struct conn_key *key, __u64 object)
{
	struct image *image;

	key->conn = object;
	key->gen = t ? t->gen : 0;
	if (key->gen)
		return true;
	image = image_of(current_tgid());
	if (!image)
		return false;
	key->gen = image->gen;
	if (t)
		t->gen = key->gen;
	return true;
}

/* An object begins under our eyes; how: BPF_NOEXIST when it may have begun before. */
static __always_inline void
object_begins(__u64 object, __u64 how)
{
	struct fresh none = {};
	struct conn_key key;

	if (object && object_key(NULL, &key, object))
		bpf_map_update_elem(&fresh, &key, &none, how);
}

/* Whether bytes may have passed before. sock: the connection's, 0 if unknown. */
static __always_inline bool
began_unseen(const struct conn_key *key, __u64 cookie, __u64 sock)
{
	__u32 pid = current_tgid(), at = COOKIE_POINT(cookie);
	struct image *image = bpf_map_lookup_elem(&images, &pid);
	struct point *point = bpf_map_lookup_elem(&points, &at);
	__u64 since = point ? point->since : 0, *made;

	if (bpf_map_delete_elem(&fresh, key) == 0)
		return false;
	if (!since || !image)
		return true;
	if (image->since >= since)
		return false;
	made = sock ? bpf_map_lookup_elem(&young, &sock) : NULL;
	return !made || *made < since;
}

/* A connection had begun before its program was hooked. Of a program that was there
 * before us that is nobody's fault; of one that began under our eyes it is a loss. sock
 * as in began_unseen. */
static __always_inline void
count_late(__u64 sock)
{
	__u32 pid = current_tgid();
	struct image *image = bpf_map_lookup_elem(&images, &pid);
	struct span *span = bpf_map_lookup_elem(&answered, &pid);
	__u64 *made = span && sock ? bpf_map_lookup_elem(&young, &sock) : NULL;

	if (!image || !image->execed || (span && (!made || *made >= span->from)))
		return;
	count_add(COUNT_SEEN, 1, 0);
	count_add(COUNT_ATTACHED_LATE, 1, 0);
}

static __noinline struct conn *
conn_make(struct thread *t, struct conn_key *key, __u64 object, __u32 lib, bool late)
{
	struct conn *c = &t->work.conn;
	struct record *who = thread_record(t, bpf_ktime_get_boot_ns());

	__builtin_memset(c, 0, sizeof(*c));
	c->serial = __sync_fetch_and_add(&serials, 1) + 1;
	if (!key->conn)		/* rustls: a number that is no address */
		key->conn = 1ull << 63 | c->serial;
	c->self = *key;
	c->object = object;
	c->pid = who->pid;
	c->uid = who->uid;
	c->ns_pid = who->ns_pid;
	c->lib = lib;
	c->late = late;
	c->born = who->born;
	__builtin_memcpy(c->comm, who->comm, sizeof(c->comm));
	bpf_map_update_elem(&conns, key, c, BPF_NOEXIST);
	return bpf_map_lookup_elem(&conns, key);
}

/* In place of a socket: the connection's beginning is seen now. */
enum { SOCK_BEGUN = 1 };

static __noinline struct conn *
conn_first_seen(struct thread *t, struct conn_key *key, __u64 object, __u64 cookie, __u64 sock)
{
	struct fresh *begun = bpf_map_lookup_elem(&fresh, key), was = {};
	struct conn *c;
	bool late;

	if (begun)
		was = *begun;
	late = began_unseen(key, cookie, sock) && sock != SOCK_BEGUN;
	if (late)
		count_late(sock);
	c = conn_make(t, key, object, COOKIE_LIB(cookie), late);
	if (c) {
		c->guess[0] = was.guess[0];
		c->guess[1] = was.guess[1];
	}
	return c;
}

/* The connection of an object, made at its first sight; sock: its socket, 0: not known,
 * or SOCK_BEGUN. NULL: tables full. */
static __always_inline struct conn *
conn_get(struct thread *t, struct conn_key *key, __u64 object, __u64 cookie, __u64 sock)
{
	struct conn *c;

	if (!object_key(t, key, object))
		return NULL;
	c = bpf_map_lookup_elem(&conns, key);
	return c ? c : conn_first_seen(t, key, object, cookie, sock);
}

/* A record without payload of a connection, in the ring, for ring_submit. NULL: no
 * room, which is counted. */
static __always_inline struct ssl_record *
emit(struct conn *c, __u32 kind)
{
	struct ssl_record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	count_add(COUNT_SEEN, 1, 0);
	if (!r) {
		count_add(COUNT_RING_FULL, 1, 0);
		return NULL;
	}
	__builtin_memset(r, 0, sizeof(*r));
	record_fill(&r->head, kind, bpf_ktime_get_boot_ns());
	r->conn = c->object;
	r->serial = c->serial;
	r->late = c->late;
	return r;
}

static __noinline int
conn_end(struct conn_key *key, struct conn *c)
{
	struct ssl_record *r;

	if (!c)
		return 0;
	r = emit(c, SSL_CLOSE);
	if (r) {
		r->lib = c->lib;
		r->moved[0] = c->moved[0];
		r->moved[1] = c->moved[1];
		ring_submit(r);
	}
	bpf_map_delete_elem(&conns, key);
	return 0;
}

/* An object ends, and with it its connection, or the last of them does. */
static __always_inline void
object_ends(__u64 object)
{
	__u32 pid = current_tgid();
	struct image *image = bpf_map_lookup_elem(&images, &pid);
	struct conn_key key = { .conn = object };
	struct alias *alias;
	struct conn *c;

	if (!image || stopped)
		return;
	key.gen = image->gen;
	alias = bpf_map_lookup_elem(&aliases, &key);
	if (alias) {
		struct conn_key of = { .gen = key.gen, .conn = alias->conn };

		bpf_map_delete_elem(&aliases, &key);
		key = of;
	}
	c = bpf_map_lookup_elem(&conns, &key);
	if (c && (!alias || __sync_fetch_and_add(&c->objects, -1) <= 1))
		conn_end(&key, c);
}

/* The current process image ends. The collector removes its connections. */
static __always_inline void
image_end(__u32 pid)
{
	struct image *image = bpf_map_lookup_elem(&images, &pid);
	struct ssl_record *r;

	if (!image || stopped)
		return;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (r) {	/* else the collector's sweep finds them */
		__builtin_memset(r, 0, sizeof(*r));
		r->gen = image->gen;
		r->head.kind = SSL_GONE;
		r->head.pid = pid;
		r->head.time = bpf_ktime_get_boot_ns();
		ring_submit(r);
	}
	bpf_map_delete_elem(&images, &pid);
}

/* --- programs --------------------------------------------------------------------- */

/* What the current process runs is over. */
static __always_inline void
exec_ends(__u32 pid, __u64 now)
{
	struct exec *e = bpf_map_lookup_elem(&execs, &pid), *kept;
	struct ended_key key = { .pid = pid };
	struct span *span;

	if (!e || !e->dialed)
		return;
	key.born = e->born;
	e->ended = now;
	if (bpf_map_update_elem(&ended, &key, e, BPF_ANY)) {
		/* whether it was hooked in time nobody will know */
		count_add(COUNT_SEEN, e->dialed, 0);
		count_add(COUNT_ATTACHED_LATE, e->dialed, 0);
		return;
	}
	/* after it can be found there: the collector does this in the other order */
	span = bpf_map_lookup_elem(&answered, &pid);
	kept = span ? bpf_map_lookup_elem(&ended, &key) : NULL;
	if (kept)
		kept->answered = *span;
}

SEC("raw_tp/sched_process_exit")
int
on_exit(__u64 *ctx)
{
	struct task_struct *task = current_task();
	__u32 pid = current_tgid();

	ON_OWN_STACK(ctx);
	spare_drop();
	if (pid && BPF_CORE_READ(task, signal, live.counter) == 0) {
		image_end(pid);
		exec_ends(pid, bpf_ktime_get_boot_ns());
		bpf_map_delete_elem(&execs, &pid);
		bpf_map_delete_elem(&answered, &pid);
	}
	return 0;
}

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct inode___exe {
	unsigned long i_ino;
};
struct file___ino {
	struct inode___exe *f_inode;
};
struct mm_struct___ino {
	struct file___ino *exe_file;
};
struct task_struct___ino {
	struct mm_struct___ino *mm;
};
#pragma clang attribute pop

SEC("raw_tp/sched_process_exec")
int
on_exec(__u64 *ctx)
{
	struct task_struct___ino *task = (void *)current_task();
	__u32 pid = current_tgid();
	__u64 now = bpf_ktime_get_boot_ns();
	struct exec exec = { .time = now, .born = now, .of = pid };

	ON_OWN_STACK(ctx);
	image_end(pid);
	thread_execs();
	if (!pid)
		return 0;
	exec_ends(pid, now);
	exec.exe = BPF_CORE_READ(task, mm, exe_file, f_inode, i_ino);
	bpf_map_update_elem(&execs, &pid, &exec, BPF_ANY);
	bpf_map_delete_elem(&answered, &pid);
	return 0;
}

/* A process forked from one that has execed runs the same program. */
SEC("raw_tp/sched_process_fork")
int
on_fork(__u64 *ctx)
{
	__u32 pid = current_tgid(), to;
	struct exec *from = bpf_map_lookup_elem(&execs, &pid), exec = {};
	struct task_struct *child;

	ON_OWN_STACK(ctx);
	if (!from || !(child = trace_child(ctx)))
		return 0;
	to = task_tgid(child);
	trace_child_put(child);
	if (!to || to == pid)	/* a thread */
		return 0;
	exec.time = from->time;
	exec.exe = from->exe;
	exec.of = from->of;
	exec.born = bpf_ktime_get_boot_ns();
	bpf_map_update_elem(&execs, &to, &exec, BPF_ANY);
	bpf_map_delete_elem(&answered, &to);
	return 0;
}

/* The current process begins a TCP connection. */
static __always_inline void
exec_dials(__u64 now)
{
	struct task_struct *leader;
	__u32 pid = current_tgid();
	struct exec *e = bpf_map_lookup_elem(&execs, &pid);

	if (!e || !thread_chosen())
		return;
	last_dialed = now;
	leader = current_task()->group_leader;
	e->at[__sync_fetch_and_add(&e->dialed, 1) & (DIALS - 1)] = now;
	__builtin_memcpy(e->comm, leader->comm, sizeof(e->comm));
}

#endif
