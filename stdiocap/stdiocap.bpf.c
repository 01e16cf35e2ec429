/*
 * stdiocap.bpf.c - copies what processes read and write on chosen descriptors
 *
 * Two programs: at the entry of system calls, for the time and for the role
 * that the descriptor has then; at their exit, for what was transferred.
 */
#include <stddef.h>
#include <asm/unistd.h>
#include "target.bpf.h"
#include "path.bpf.h"
#include "place.bpf.h"
#include "syscall.bpf.h"
#include "uring.bpf.h"
#include "stdiocap.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct call_kind call_table[SYSCALLS] = {};
const volatile __u64 max_bytes = 65536;		/* captured per call */
const volatile bool rpc_whole = false;		/* but messages of JSON-RPC as a whole */
const volatile bool all_fds = false;
const volatile __u32 nlist = 0;			/* --fd: these, instead of 0 to 2 */
const volatile __u32 list[FD_LIST] = {};

enum { FORMAT = 0170000, FIFO = 0010000, SOCKET = 0140000 };	/* S_IFMT ... */
enum { FCNTL_DUP = 0, FCNTL_DUP_CLOEXEC = 1030 };		/* F_DUPFD ... */
enum { PIPEFS = 0x50495045 };
enum { VECTORS = 1024 };	/* UIO_MAXIOV */
#define PIECES(bytes) (((bytes) + PIECE - 1) / PIECE)
enum { RPC_WINDOW = 64 };	/* how much of either end of a message is looked at */
enum { PROTO_TCP = 6 };
enum { TRIES = 4 };		/* to store what another thread has just changed */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block___magic {
	unsigned long s_magic;
};

struct sock {
	__u16 sk_protocol;
};

struct socket {
	struct sock *sk;
};

#pragma clang attribute pop

struct fd_key {
	__u32 pid, fd;
};

/* A descriptor from its first use that is seen to its close. */
struct stream {
	__u64 serial;
	__u64 file, inode, born;
	__u64 off[2];		/* bytes so far, by direction */
	__u64 rpc;		/* it has had a message of JSON-RPC */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct fd_key);
	__type(value, struct stream);
} streams SEC(".maps");

/* The highest descriptor of a process in streams or roles. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, __u32);
} owners SEC(".maps");

/* Descriptors above 2 that were duplicated from one of 0 to 2. */
struct role {
	__u64 file;
	__u32 role, pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct fd_key);
	__type(value, struct role);
} roles SEC(".maps");

/* Calls in progress, by thread. A thread that dies in one leaves it behind. */
struct call {
	__u64 since;
	__u32 role, fd;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct call);
} calls SEC(".maps");

/* struct iovec */
struct vector {
	__u64 base, len;
};

/* What the pieces of memory of a message hold. */
struct room {
	__u64 vectors, bytes;
};

/* One call's bytes on their way into records. */
struct job {
	struct vector v;	/* what is left of the current piece of memory */
	__u64 next, nnext;	/* the pieces behind it */
	__u64 left;		/* bytes to capture */
	__u64 lines;		/* ... and in how many records these and the used are due */
	__u64 off, rest;	/* of the next byte; bytes beyond what is captured */
	__u32 used;		/* in the room */
	__u32 bad;		/* some of it could not be read */
};

struct scratch {
	__u32 taken, pad;
	struct job job;	/* here, for the verifier would follow every value on the stack */
	struct stream fresh;	/* about to be entered */
	__u64 message[4];	/* the first words of a struct msghdr */
	char window[RPC_WINDOW];
	struct path_work path;
	struct stdio_record r;
	char room[2 * PIECE];	/* follows it without a gap */
};

PLACES(struct scratch);

static __u64 serials;

/* --- descriptors ------------------------------------------------------------- */

static __always_inline int
role_kept(__u32 pid, __u32 fd, struct file *file)
{
	struct fd_key key = { .pid = pid, .fd = fd };
	struct role *r = bpf_map_lookup_elem(&roles, &key);

	return r && r->file == (__u64)file ? (int)r->role : -1;
}

/* The role of a descriptor: 0 to 2 by number; above, what it was duplicated
 * from, by this process or by its parent. -1: none, and the file in vain. */
static __always_inline int
role_of(__u32 fd)
{
	struct task_struct *task = current_task();
	struct file *file;
	int role;

	if (fd <= ROLE_STDERR)
		return fd;
	file = file_get(task, fd);
	if (!file)
		return -1;
	role = role_kept(current_tgid(), fd, file);
	if (role < 0)
		role = role_kept(task_tgid(BPF_CORE_READ(task, group_leader, real_parent)), fd, file);
	for (int i = ROLE_STDIN; i <= ROLE_STDERR && role < 0; i++)
		if (file_get(task, i) == file)
			role = i;
	return role;
}

/* Whether this descriptor is to be captured, and as what. -1: no. */
static __always_inline int
fd_wanted(__u32 fd)
{
	int role;

	if (!nlist) {
		role = role_of(fd);
		return role < 0 && all_fds ? ROLE_FD : role;
	}
	for (int i = 0; i < FD_LIST; i++)
		if (i < nlist && list[i] == fd) {
			role = role_of(fd);
			return role < 0 ? ROLE_FD : role;
		}
	return -1;
}

/* Whether it is worth to ask for it where a call returns that was not seen to begin:
 * the many others would cost too much. */
static __always_inline bool
role_at_return(__u32 fd)
{
	return fd <= ROLE_STDERR || all_fds || nlist;
}

/* Threads of the process may do the same at the same time. */
static __always_inline void
owner_add(__u32 pid, __u32 fd)
{
	__u32 *high = bpf_map_lookup_elem(&owners, &pid), old;

	if (!high && !bpf_map_update_elem(&owners, &pid, &fd, BPF_NOEXIST))
		return;
	if (!high)
		high = bpf_map_lookup_elem(&owners, &pid);
	for (int i = 0; i < TRIES && high; i++) {
		old = *(volatile __u32 *)high;
		if (old >= fd || __sync_val_compare_and_swap(high, old, fd) == old)
			return;
	}
}

/* newfd refers to the same file as oldfd from now on. */
static __always_inline void
fd_dup(__u32 oldfd, __u32 newfd)
{
	struct fd_key key = { .pid = current_tgid(), .fd = newfd };
	struct role r = { .file = (__u64)file_get(current_task(), newfd) };
	int role = role_of(oldfd);

	if (oldfd == newfd)
		return;
	bpf_map_delete_elem(&streams, &key);
	bpf_map_delete_elem(&roles, &key);
	if (role < 0 || newfd <= ROLE_STDERR)
		return;
	r.role = role;
	if (bpf_map_update_elem(&roles, &key, &r, BPF_ANY)) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_STREAMS_FULL, 1, 0);
		return;
	}
	owner_add(key.pid, newfd);
}

/* --- streams ----------------------------------------------------------------- */

/* Tells the collector what a descriptor refers to. 0: the ring is full. Not static:
 * so the verifier looks at it once, and not at every call. */
__noinline int
stream_emit(struct scratch *s, __u64 file_at, __u64 serial, __u64 now)
{
	struct file *file = (void *)file_at;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 mode = BPF_CORE_READ(inode, i_mode) & FORMAT, len = 0;
	struct super_block___magic *sb = (void *)BPF_CORE_READ(inode, i_sb);
	bool whole;

	if (!s)
		return false;
	__builtin_memset(&s->r, 0, sizeof(s->r));
	record_fill(&s->r.head, STDIO_STREAM, now);
	s->r.stream = serial;
	s->r.inode = BPF_CORE_READ(inode, i_ino);
	if (mode == SOCKET)
		s->r.target = TARGET_SOCKET;
	else if (mode == FIFO && BPF_CORE_READ(sb, s_magic) == PIPEFS)
		s->r.target = TARGET_PIPE;
	else
		len = path_copy(&s->path, s->room, BPF_CORE_READ(file, f_path.mnt),
		    BPF_CORE_READ(file, f_path.dentry), &whole);
	s->r.len = len;
	asm volatile("" : "+r"(len));
	if (len > PATH_CAP)
		return false;
	return ring_put(&s->r, sizeof(s->r) + len);
}

/* The stream of a descriptor; NULL: this is its first use. */
static __always_inline struct stream *
stream_find(__u32 fd, struct file *file)
{
	struct fd_key key = { .pid = current_tgid(), .fd = fd };
	struct stream *s = bpf_map_lookup_elem(&streams, &key);

	if (s && s->file == (__u64)file && s->inode == (__u64)BPF_CORE_READ(file, f_inode) &&
	    s->born == current_task()->group_leader->start_boottime)
		return s;
	return NULL;
}

/* Makes it. NULL: no room for it; so many events and bytes are lost. */
static __always_inline struct stream *
stream_make(struct scratch *s, __u32 fd, struct file *file, __u64 events, __u64 bytes)
{
	struct fd_key key = { .pid = current_tgid(), .fd = fd };
	struct stream *fresh = &s->fresh;

	fresh->serial = __sync_fetch_and_add(&serials, 1) + 1;
	fresh->file = (__u64)file;
	fresh->inode = (__u64)BPF_CORE_READ(file, f_inode);
	fresh->born = current_task()->group_leader->start_boottime;
	fresh->off[0] = fresh->off[1] = fresh->rpc = 0;
	if (!stream_emit(s, fresh->file, fresh->serial, bpf_ktime_get_boot_ns())) {
		count_add(COUNT_RING_FULL, events, bytes);
		return NULL;
	}
	if (bpf_map_update_elem(&streams, &key, fresh, BPF_ANY)) {
		count_add(COUNT_STREAMS_FULL, events, bytes);
		return NULL;
	}
	owner_add(key.pid, fd);
	return bpf_map_lookup_elem(&streams, &key);
}

/* --- payload ----------------------------------------------------------------- */

static __always_inline void
put_piece(struct scratch *s, struct job *j)
{
	__u32 n = j->used;
	__u64 span = j->left ? n : n + j->rest;

	j->used = 0;
	j->lines--;
	if (j->bad) {
		count_add(COUNT_FAULT, 1, n);
		j->off += n;
		j->bad = 0;
		return;
	}
	s->r.off = j->off;
	s->r.span = span;
	s->r.len = n;
	j->off += n;
	asm volatile("" : "+r"(n));
	if (n > PIECE)
		return;
	if (!ring_put(&s->r, sizeof(s->r) + n))
		count_add(COUNT_RING_FULL, 1, n);
}

/* Takes from one piece of memory as much as there is room for. For bpf_loop. */
static long
take(__u32 i, struct scratch **work)
{
	struct scratch *s = *work;
	struct job *j = &s->job;
	__u32 at = j->used, n;

	if (!j->left)
		return 1;
	if (!j->v.len) {
		if (!j->nnext || bpf_probe_read_user(&j->v, sizeof(j->v), (void *)j->next)) {
			/* the list of pieces is gone: what is left is lost */
			if (at)
				put_piece(s, j);
			count_add(COUNT_FAULT, j->lines, j->left);
			return 1;
		}
		j->next += sizeof(j->v);
		j->nnext--;
		if (!j->v.len)
			return 0;
	}
	n = j->v.len > PIECE ? PIECE : j->v.len;
	if (n > j->left)
		n = j->left;
	if (n > PIECE - at)
		n = PIECE - at;
	asm volatile("" : "+r"(n), "+r"(at));
	if (n > PIECE || at > PIECE)
		return 1;
	if (n && bpf_probe_read_user(s->room + at, n, (void *)j->v.base))
		j->bad = 1;
	j->v.base += n;
	j->v.len -= n;
	j->left -= n;
	j->used = at + n;
	if (j->used == PIECE || !j->left)
		put_piece(s, j);
	return 0;
}

static __always_inline bool
window_has_rpc(const char *window)
{
	const __u64 word = 0x6370726e6f736a22;	/* "jsonrpc, with the quotation mark */
	bool found = false;

	for (int i = 0; i <= RPC_WINDOW - 8; i++)
		found |= *(const __u64 *)(window + i) == word;
	return found;
}

/* Whether n bytes of memory are a message of JSON-RPC: an object, or several, that says
 * so near its beginning or its end, where programs put it. Not static: so the verifier
 * looks at it once. */
__noinline int
memory_is_rpc(struct scratch *s, __u64 at, __u64 n)
{
	__u32 len = n < RPC_WINDOW ? n : RPC_WINDOW;

	if (!s)
		return 0;
	__builtin_memset(s->window, 0, sizeof(s->window));
	asm volatile("" : "+r"(len));
	if (len == 0 || len > RPC_WINDOW || bpf_probe_read_user(s->window, len, (void *)at))
		return 0;
	if (s->window[0] != '{' && s->window[0] != '[')
		return 0;
	if (window_has_rpc(s->window))
		return 1;
	return n > RPC_WINDOW &&
	    !bpf_probe_read_user(s->window, RPC_WINDOW, (void *)(at + n - RPC_WINDOW)) &&
	    window_has_rpc(s->window);
}

static __always_inline bool
call_is_rpc(struct scratch *s, struct pt_regs *regs, struct call_kind what, __u64 n)
{
	struct vector v = { .base = regs->si };

	/* one piece of memory is what programs write a message from */
	if (what.kind == CALL_MESSAGE || (what.kind == CALL_VECTOR && (regs->dx != 1 ||
	    bpf_probe_read_user(&v, sizeof(v), (void *)regs->si))))
		return false;
	return memory_is_rpc(s, v.base, n);
}

/* Copies the first bytes of n that a call transferred, with what is known of them. */
static __always_inline void
capture(struct scratch *s, struct stream *stream, struct pt_regs *regs, struct call_kind what,
    __u64 n, __u64 left, struct call *call)
{
	__u32 dir = what.dir & 1;
	struct job *j = &s->job;

	__builtin_memset(&s->r, 0, sizeof(s->r));
	record_fill(&s->r.head, STDIO_DATA, bpf_ktime_get_boot_ns());
	s->r.stream = stream->serial;
	s->r.since = call->since;
	s->r.fd = call->fd;
	s->r.role = call->role;
	s->r.dir = dir;
	__builtin_memset(j, 0, sizeof(*j));
	j->left = left;
	j->lines = PIECES(left);
	j->rest = n - left;
	j->off = __sync_fetch_and_add(&stream->off[dir], n);
	if (what.kind == CALL_BUFFER) {
		j->v.base = regs->si;
		j->v.len = n;
	} else if (what.kind == CALL_VECTOR) {
		j->next = regs->si;
		j->nnext = regs->dx;
	} else if (!bpf_probe_read_user(s->message, sizeof(s->message), (void *)regs->si)) {
		j->next = s->message[2];	/* msg_iov, msg_iovlen */
		j->nnext = s->message[3];
	}
	bpf_loop(j->lines + (j->nnext > VECTORS ? VECTORS : j->nnext) + 2, take, &s, 0);
}

/* n bytes were transferred. */
static __always_inline void
transferred(struct pt_regs *regs, struct call_kind what, __u64 n, struct call *call)
{
	__u64 left = n;
	struct file *file = file_get(current_task(), call->fd);
	struct stream *stream;
	struct scratch *s;
	bool rpc = false;

	if (!file)
		return;
	stream = stream_find(call->fd, file);
	s = place_take(&places);
	if (rpc_whole && s)
		rpc = (stream && stream->rpc) || call_is_rpc(s, regs, what, n);
	if (n > max_bytes && !rpc)
		left = max_bytes;
	count_add(COUNT_SEEN, PIECES(left), left);
	if (n > left) {		/* one more that was seen, and lost */
		count_add(COUNT_SEEN, 1, n - left);
		count_add(COUNT_MAX_BYTES, 1, n - left);
	}
	if (!s) {
		count_add(COUNT_BUSY, PIECES(left), left);
		if (stream)
			__sync_fetch_and_add(&stream->off[what.dir & 1], n);
		return;
	}
	if (!stream)
		stream = stream_make(s, call->fd, file, PIECES(left), left);
	if (stream) {
		if (rpc)
			stream->rpc = 1;
		capture(s, stream, regs, what, n, left, call);
	}
	place_give(&s->taken);
}

/* n bytes went to or from a descriptor without passing the process's memory: they
 * are lost, and a hole in its stream. */
__noinline int
spliced(__u32 fd, __u32 dir, __u64 n)
{
	struct file *file = file_get(current_task(), fd);
	struct stream *stream;
	struct scratch *s;

	if (!file || fd_wanted(fd) < 0)
		return 0;
	count_add(COUNT_SEEN, 1, n);
	stream = stream_find(fd, file);
	if (!stream) {
		s = place_take(&places);
		if (!s) {
			count_add(COUNT_BUSY, 1, n);
			return 0;
		}
		stream = stream_make(s, fd, file, 1, n);
		place_give(&s->taken);
	}
	if (!stream)
		return 0;
	__sync_fetch_and_add(&stream->off[dir & 1], n);
	count_add(COUNT_SPLICED, 1, n);
	return 0;
}

static long
room_add(__u32 i, struct room *r)
{
	__u64 len = 0;

	bpf_probe_read_user(&len, sizeof(len),
	    (void *)(r->vectors + i * sizeof(struct vector) + offsetof(struct vector, len)));
	r->bytes += len;
	return 0;
}

/* How many bytes a call with MSG_TRUNC put into memory, when it returned n: of a
 * message its length, even if there was less room for it; of a TCP stream how many
 * were thrown away. */
static __always_inline long
received(struct pt_regs *regs, __u32 kind, __u32 fd, long n)
{
	struct file *file = file_get(current_task(), fd);
	struct socket *socket = file ? BPF_CORE_READ(file, private_data) : NULL;
	__u64 message[4] = {};
	struct room r = { .bytes = regs->dx };

	if (socket && BPF_CORE_READ(socket, sk, sk_protocol) == PROTO_TCP) {
		spliced(fd, DIR_READ, n);
		return 0;
	}
	if (kind == CALL_MESSAGE && !bpf_probe_read_user(message, sizeof(message), (void *)regs->si)) {
		r = (struct room){ .vectors = message[2] };	/* msg_iov, msg_iovlen */
		bpf_loop(message[3] > VECTORS ? VECTORS : message[3], room_add, &r, 0);
	}
	return r.bytes < n ? r.bytes : n;
}

/* --- tracepoints ------------------------------------------------------------- */

/* TP_PROTO(struct pt_regs *regs, long id) */
SEC("raw_tp/sys_enter")
int
on_call(__u64 *ctx)
{
	__u64 nr = trace_number(ctx), id = bpf_get_current_pid_tgid();
	struct call c = {};
	int role;

	ON_OWN_STACK(ctx);
	if (nr >= SYSCALLS || call_table[nr].kind == CALL_NONE ||
	    call_table[nr].kind > CALL_MESSAGE)
		return 0;
	if (!target_wanted() || syscall_compat(current_task()))
		return 0;
	c.fd = trace_regs()->di;
	role = fd_wanted(c.fd);
	if (role < 0)
		return 0;
	c.role = role;
	c.since = bpf_ktime_get_boot_ns();
	/* without it on_return finds out for itself, or cannot */
	if (bpf_map_update_elem(&calls, &id, &c, BPF_ANY) && !role_at_return(c.fd)) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_STORAGE, 1, 0);
	}
	return 0;
}

/* A call that moves no bytes through memory, but what descriptors refer to, or
 * bytes elsewhere. */
static __always_inline void
other_call(struct pt_regs *regs, __u32 kind, long ret)
{
	struct fd_key key = { .pid = current_tgid(), .fd = regs->di };
	__u32 cmd = regs->si;

	if (kind == CALL_CLOSE) {
		bpf_map_delete_elem(&streams, &key);
		bpf_map_delete_elem(&roles, &key);
	} else if (kind == CALL_SENDFILE || kind == CALL_SPLICE) {
		if (ret > 0) {
			spliced(kind == CALL_SPLICE ? regs->di : regs->si, DIR_READ, ret);
			spliced(kind == CALL_SPLICE ? regs->dx : regs->di, DIR_WRITE, ret);
		}
	} else if (ret >= 0 && (kind != CALL_FCNTL || cmd == FCNTL_DUP || cmd == FCNTL_DUP_CLOEXEC)) {
		fd_dup(key.fd, ret);
	}
}

/* TP_PROTO(struct pt_regs *regs, long ret) */
SEC("raw_tp/sys_exit")
int
on_return(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax, id = bpf_get_current_pid_tgid();
	__u32 kind, fd = regs->di;
	struct call *found, call;
	int role;

	ON_OWN_STACK(ctx);
	if (nr >= SYSCALLS || (kind = call_table[nr].kind) == CALL_NONE || !target_wanted())
		return 0;
	if (syscall_compat(current_task())) {
		if (kind <= CALL_MESSAGE && fd <= ROLE_STDERR) {
			count_add(COUNT_SEEN, 1, 0);
			count_add(COUNT_COMPAT, 1, 0);
		}
		return 0;
	}
	if (kind > CALL_MESSAGE) {
		other_call(regs, kind, ret);
		return 0;
	}
	found = bpf_map_lookup_elem(&calls, &id);
	if (found) {
		call = *found;
		bpf_map_delete_elem(&calls, &id);
	}
	if (ret <= 0 || syscall_peeks(regs, nr))
		return 0;
	if (!found || call.fd != fd) {	/* it began before us */
		role = role_at_return(fd) ? fd_wanted(fd) : -1;
		if (role < 0)
			return 0;
		call = (struct call){ .fd = fd, .role = role };
	}
	if (syscall_receive_flags(regs, nr) & RECEIVE_TRUNC)
		ret = received(regs, kind, fd, ret);
	if (ret > 0)
		transferred(regs, call_table[nr], ret, &call);
	return 0;
}

/* Counts what is handed to io_uring for a descriptor that is captured. */
SEC("raw_tp/io_uring_submit_req")
int
on_uring(__u64 *ctx)
{
	struct uring_op op;

	ON_OWN_STACK(ctx);
	uring_read(&op, trace_operation(ctx));
	if (op.fd < 0 || !target_wanted() || fd_wanted(op.fd) < 0)
		return 0;
	count_add(COUNT_SEEN, 1, 0);
	count_add(COUNT_URING, 1, 0);
	return 0;
}

static long
forget_one(__u32 i, __u32 *pid)
{
	struct fd_key key = { .pid = *pid, .fd = i };

	bpf_map_delete_elem(&streams, &key);
	bpf_map_delete_elem(&roles, &key);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int
on_exit(__u64 *ctx)
{
	struct task_struct *task = current_task();
	__u32 pid = current_tgid(), *high;

	ON_OWN_STACK(ctx);
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	high = bpf_map_lookup_elem(&owners, &pid);
	if (!high)
		return 0;
	bpf_loop(*high + 1, forget_one, &pid, 0);
	bpf_map_delete_elem(&owners, &pid);
	return 0;
}
