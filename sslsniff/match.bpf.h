/*
 * match.bpf.h - which socket a TLS connection uses
 *
 * Nothing in a TLS object says so for certain: many programs encrypt in memory
 * and do their own sending. What counts is what a thread does:
 *  - a socket call inside a read or write, the same socket for all of them in
 *    that call and direction: that is the one;
 *  - write, then send of a little more bytes; receive, then read of less: it may
 *    be that one, and is when both directions say so;
 *  - the same of calls before the first that transfers something: receive, then such a
 *    call, and each time the same socket; such a call, then send, and each time that one.
 * TCP only. What a thread sends and receives is reported by tracepoints since Linux 6.3
 * (on_send, on_recv), before by the ends of two functions (on_sent, on_received).
 */
#ifndef MATCH_BPF_H
#define MATCH_BPF_H

#include "conn.bpf.h"
#include "trace.bpf.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

enum { AF_INET = 2, AF_INET6 = 10, IPPROTO_TCP = 6 };	/* <sys/socket.h>, <netinet/in.h> */
enum { MSG_PEEK = 2 };					/* <sys/socket.h> */
enum { TCP_ESTABLISHED = 1, TCP_SYN_SENT = 2, TCP_CLOSE = 7 };	/* <net/tcp_states.h> */
enum { FDS = 65536 };	/* looked at to find a socket's descriptor */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	struct { } in6_u;
};

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct inode {
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
};

struct socket {
	struct file *file;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	struct socket *sk_socket;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct___files {
	struct files_struct *files;
};

#pragma clang attribute pop

/* --- the socket of a connection ------------------------------------------------ */

struct fd_hunt {
	struct file **fds;
	__u64 file;
	__s32 fd;
};

static long
try_fd(__u32 i, struct fd_hunt *h)
{
	__u64 file = 0;

	bpf_probe_read_kernel(&file, sizeof(file), h->fds + i);
	if (file != h->file)
		return 0;
	h->fd = i;
	return 1;
}

static __always_inline int
find_fd(__u64 file)
{
	struct task_struct___files *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct fd_hunt h = { .file = file, .fd = -1 };
	__u32 n = BPF_CORE_READ(fdt, max_fds);

	h.fds = BPF_CORE_READ(fdt, fd);
	bpf_loop(n > FDS ? FDS : n, try_fd, &h, 0);
	return h.fd;
}

/* Connections by the kernel address of their socket. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct conn_key);
} sockets SEC(".maps");

static __noinline int
conn_emit_socket(struct conn *c, struct endpoint *e)
{
	struct ssl_socket_record *r;

	if (!c || !e)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r)		/* it will be seen again */
		return 0;
	c->bound = e->ino;
	c->over = 0;
	bpf_map_update_elem(&sockets, &e->sock, &c->self, BPF_ANY);
	record_fill(&r->head, SSL_SOCKET, bpf_ktime_get_boot_ns());
	r->serial = c->serial;
	r->fd = find_fd(e->file);
	r->pad = 0;
	r->at = *e;
	ring_submit(r);
	return 0;
}

/* The connection uses this socket. */
static __always_inline void
conn_bind(struct conn *c, struct endpoint *e)
{
	if (c->bound != e->ino)
		conn_emit_socket(c, e);
}

/* It may be this one, as far as one direction can tell. */
static __always_inline void
conn_guess(struct conn *c, struct endpoint *e, int dir)
{
	if (c->bound)
		return;
	c->guess[dir & 1] = e->ino;
	if (c->guess[!dir] == e->ino)
		conn_bind(c, e);
}

/* --- what a thread does ------------------------------------------------------------ */

/* The socket that was used inside a call that began after `was` socket calls;
 * NULL: none, or more than one. */
static __always_inline struct endpoint *
used_inside(struct thread *t, __u32 was, int dir)
{
	if (t->ops[dir & 1] == was || (__s32)(t->turned[dir & 1] - was) > 1)
		return NULL;
	return &t->last[dir & 1];
}

/* A read ended that used no socket: what was received before was for it, if
 * it is the first to read since. */
static __always_inline void
read_after(struct thread *t, struct conn *c, __u64 n)
{
	if (t->received > n)
		conn_guess(c, &t->last[DIR_READ], DIR_READ);
	t->received = 0;
}

/* A write ended that used no socket: the next send should be for it. n 0: so it is
 * after the last call of a handshake, if nobody writes. */
static __always_inline void
written_before(struct thread *t, struct conn_key *key, __u64 n)
{
	if (t->bytes && (t->pending.conn != key->conn || t->pending.gen != key->gen))
		t->unclear = 1;
	if (n || !t->bytes)
		t->pending = *key;
	t->bytes += n;
}

enum { GUESS_SEVERAL = -1 };	/* not always the same socket */

/* The sockets of handshakes by inode number. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct endpoint);
} greetings SEC(".maps");

/* What its handshake says of the socket of an object that has transferred nothing yet;
 * NULL: it has, or did not begin under our eyes. */
static __always_inline __u64 *
greeting_of(struct conn_key *key)
{
	struct conn *c = bpf_map_lookup_elem(&conns, key);
	struct fresh *f;

	if (c)
		return c->late || c->bound || c->moved[0] || c->moved[1] ? NULL : c->guess;
	f = bpf_map_lookup_elem(&fresh, key);
	return f ? f->guess : NULL;
}

static __always_inline void
greeting_guess(struct thread *t, __u64 *guess, int dir)
{
	__u64 ino = t->last[dir].ino;

	guess[dir] = !guess[dir] || guess[dir] == ino ? ino : (__u64)GUESS_SEVERAL;
	bpf_map_update_elem(&greetings, &ino, &t->last[dir], BPF_ANY);
}

/* A call of an object ended that transferred nothing, maybe part of its handshake: what
 * was received before was for it (not before a write: that may be what it writes), what
 * is sent next is its. */
static __always_inline void
greeted(struct thread *t, __u64 object, bool writes)
{
	struct conn_key key;
	__u64 *guess;

	if (!object_key(t, &key, object) || !(guess = greeting_of(&key)))
		return;
	if (t->received && !writes) {
		greeting_guess(t, guess, DIR_READ);
		t->received = 0;
	}
	written_before(t, &key, 0);
}

/* The first bytes pass: whether its handshake had one socket. */
static __always_inline void
greeting_ends(struct conn *c)
{
	__u64 ino = c->guess[DIR_READ];
	struct endpoint *e;

	if (c->bound || c->moved[0] || c->moved[1] || !ino || ino != c->guess[DIR_WRITE] ||
	    ino == (__u64)GUESS_SEVERAL)
		return;
	e = bpf_map_lookup_elem(&greetings, &ino);
	if (e)
		conn_bind(c, e);
}

static __always_inline void
sent(struct thread *t, __u64 n)
{
	struct conn *c;
	__u64 *guess;

	if (!t->pending.conn)
		return;
	if (!t->unclear && !t->bytes && (guess = greeting_of(&t->pending)))
		greeting_guess(t, guess, DIR_WRITE);
	/* records add 22 bytes and more to each 16 KiB or less */
	if (!t->unclear && t->bytes && n > t->bytes && n - t->bytes < 512 + t->bytes / 8) {
		c = bpf_map_lookup_elem(&conns, &t->pending);
		if (c)
			conn_guess(c, &t->last[DIR_WRITE], DIR_WRITE);
	}
	t->pending.conn = 0;
	t->bytes = 0;
	t->unclear = 0;
}

static __always_inline void
endpoint_fill(struct endpoint *e, struct sock *sk, struct file *file)
{
	e->sock = (__u64)sk;
	e->file = (__u64)file;
	e->ino = file->f_inode->i_ino;
	e->family = sk->__sk_common.skc_family;
	e->lport = sk->__sk_common.skc_num;
	e->pport = bpf_ntohs(sk->__sk_common.skc_dport);
	if (e->family == AF_INET) {
		e->local[0] = sk->__sk_common.skc_rcv_saddr;
		e->peer[0] = sk->__sk_common.skc_daddr;
		return;
	}
	bpf_probe_read_kernel(e->local, sizeof(e->local), &sk->__sk_common.skc_v6_rcv_saddr);
	bpf_probe_read_kernel(e->peer, sizeof(e->peer), &sk->__sk_common.skc_v6_daddr);
}

static __always_inline void
socket_used(struct sock *sk, int n, int dir)
{
	struct thread *t;
	struct endpoint *e;
	struct socket *socket;
	struct file *file;

	if (n <= 0 || sk->sk_protocol != IPPROTO_TCP || !(t = thread_get()) ||
	    !(socket = sk->sk_socket) || !(file = socket->file))
		return;
	e = &t->last[dir];
	if (e->sock != (__u64)sk || e->file != (__u64)file ||
	    e->lport != sk->__sk_common.skc_num) {
		endpoint_fill(e, sk, file);
		t->turned[dir] = t->ops[dir] + 1;
	}
	t->ops[dir]++;
	if (dir == DIR_READ)
		t->received = n;
	else
		sent(t, n);
}

SEC("raw_tp/sock_send_length")
int
on_send(__u64 *ctx)
{
	ON_OWN_STACK(ctx);
	socket_used(READ_ONLY(trace_sock(ctx), struct sock), trace_sock_bytes(ctx), DIR_WRITE);
	return 0;
}

SEC("raw_tp/sock_recv_length")
int
on_recv(__u64 *ctx)
{
	ON_OWN_STACK(ctx);
	socket_used(READ_ONLY(trace_sock(ctx), struct sock), trace_sock_bytes(ctx), DIR_READ);
	return 0;
}

/* tcp_sendmsg(sk, ...) -> int */
SEC("fexit/tcp_sendmsg")
int
on_sent(__u64 *ctx)
{
	__u64 n = 0;

	ON_OWN_STACK(ctx);
	bpf_get_func_ret(ctx, &n);
	socket_used((void *)ctx[0], n, DIR_WRITE);
	return 0;
}

/* tcp_recvmsg(sk, ..., flags, address) -> int: to look at bytes is not to receive
 * them. */
SEC("fexit/tcp_recvmsg")
int
on_received(__u64 *ctx)
{
	__u64 n = 0, flags = 0;

	ON_OWN_STACK(ctx);
	bpf_get_func_ret(ctx, &n);
	bpf_get_func_arg(ctx, bpf_get_func_arg_cnt(ctx) - 2, &flags);
	if (!(flags & MSG_PEEK))
		socket_used((void *)ctx[0], n, DIR_READ);
	return 0;
}

SEC("raw_tp/inet_sock_set_state")
int
on_state(__u64 *ctx)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct trace_state s;
	struct conn_key *key;
	struct sock *sk;
	struct conn *c;

	ON_OWN_STACK(ctx);
	trace_socket(&s, ctx);
	sk = (void *)s.sk;
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	if (s.to == TCP_SYN_SENT) {
		exec_dials(now);
	} else if (s.to == TCP_ESTABLISHED) {
		bpf_map_delete_elem(&sockets, &s.sk);
		bpf_map_update_elem(&young, &s.sk, &now, BPF_ANY);
	} else if (s.to == TCP_CLOSE && (key = bpf_map_lookup_elem(&sockets, &s.sk)) &&
	    (c = bpf_map_lookup_elem(&conns, key))) {
		c->over = now;	/* not its end yet: what was received may still be read */
	}
	return 0;
}

#endif
