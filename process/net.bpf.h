/*
 * net.bpf.h - programs for connect, accept, bind, listen, and for the outcome of connects
 */
#ifndef NET_BPF_H
#define NET_BPF_H

#include "calls.bpf.h"
#include "io.bpf.h"

enum { ERROR_INPROGRESS = 115, ERROR_AGAIN = 11 };

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
	struct event_record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	int error = BPF_CORE_READ((struct sock *)sk, sk_err);

	if (!r) {
		if (bpf_map_delete_elem(&pending, &sk))
			return;		/* someone else emitted it */
		count_add(COUNT_SEEN, 1, 0);
		/* it comes with a packet, whoever runs then */
		count_of(p->head.pid, COUNT_RING_FULL, 1, 0);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->op = OP_CONNECT;
	r->head = p->head;
	r->head.time = bpf_ktime_get_boot_ns();
	r->since = p->head.time;
	r->fd = p->fd;
	r->addr = p->addr;
	r->b = 1;
	r->result = state == STATE_ESTABLISHED ? 0 : error ? -error : -ERROR_INPROGRESS;
	if (bpf_map_delete_elem(&pending, &sk)) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return;
	}
	count_add(COUNT_SEEN, 1, 0);
	ring_submit(r);
}

SEC("raw_tp/inet_sock_set_state")
int
on_state(__u64 *ctx)
{
	struct trace_state s;
	struct pending *p;

	ON_OWN_STACK(ctx);
	trace_socket(&s, ctx);
	if (s.from != STATE_SYN_SENT)
		return 0;
	p = bpf_map_lookup_elem(&pending, &s.sk);
	if (p)
		pending_end(s.sk, p, s.to);
	return 0;
}

static __always_inline void
pending_begin(struct scratch *s, struct sock *sk)
{
	struct pending *p = &s->pending, *found;
	__u64 key = (__u64)sk;
	int state;

	p->head = s->r.head;
	p->fd = s->r.fd;
	p->pad = 0;
	p->addr = s->r.addr;
	if (bpf_map_update_elem(&pending, &key, p, BPF_ANY)) {
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

/* Whether a connect takes away the other end that a socket had: AF_UNSPEC. It reaches
 * nobody. */
static __always_inline bool
dissolves(__u64 sockaddr)
{
	__u16 family = 1;

	return !bpf_probe_read_user(&family, sizeof(family), (void *)sockaddr) && !family;
}

/* A UDP socket has another end from now on, or none any more: the collector reports that
 * when something passes. serial: how often something has so far. */
static __noinline int
udp_emit(struct scratch *s, __u32 fd)
{
	struct fd_key key = { .pid = current_tgid(), .fd = fd };
	struct fd_entry *e = bpf_map_lookup_elem(&fds, &key);

	if (!s)
		return 0;
	if (e)
		s->r.serial = e->calls[0] + e->calls[1];
	if (!emit_end(s, 0)) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_RING_FULL, 1, 0);
	}
	return 0;
}

/* struct sockaddr_vm */
struct vsock_address {
	__u16 family, reserved;
	__u32 port, cid;
};

/* The address of an AF_VSOCK call; accept has where it is to be written. */
static __always_inline void
vsock_user(struct scratch *s, struct sock *sk, __u64 sockaddr)
{
	struct vsock_address a = {};

	s->r.addr.family = FAMILY_VSOCK;
	s->r.addr.type = BPF_CORE_READ(sk, sk_type);
	if (s->r.op == OP_LISTEN || !sockaddr ||
	    bpf_probe_read_user(&a, sizeof(a), (void *)sockaddr))
		return;
	s->r.addr.port = 1;	/* it is known */
	s->r.b = (__u64)a.cid << 32 | a.port;
}

SEC("raw_tp/sys_exit")
int
on_net(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax;
	struct fd_key key = { .pid = current_tgid(), .fd = regs->di };
	struct file *file;
	struct scratch *s;
	struct sock *sk;
	__u32 at, op;
	__u16 family;
	bool udp;

	ON_OWN_STACK(ctx);
	if (syscall_restarts(ret) || nr >= SYSCALLS)
		return 0;
	op = call_of(nr)->op;
	if (op == OP_ACCEPT && ret >= 0)
		key.fd = ret;
	file = file_get(current_task(), key.fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & FORMAT) != SOCKET)
		return 0;
	if (op == OP_ACCEPT && ret == -ERROR_AGAIN)
		return 0;	/* nobody was there */
	sk = file_sock(file);
	udp = op == OP_CONNECT && ret >= 0 && BPF_CORE_READ(sk, sk_protocol) == PROTO_UDP;
	if (op == OP_CONNECT && dissolves(regs->si)) {
		if (!udp)
			return 0;
		op = OP_DISSOLVE;
	}
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != FAMILY_INET && family != FAMILY_INET6 && family != FAMILY_UNIX &&
	    family != FAMILY_VSOCK)
		return 0;
	s = emit_begin_line(PROC_NET, op, ret < 0 ? ret : 0);
	if (!s)
		return 0;
	s->r.fd = key.fd;
	s->r.a = regs->si;	/* of listen */
	if (family == FAMILY_VSOCK) {
		vsock_user(s, sk, regs->si);
		emit_line(s, 0);
		return 0;
	}
	at = add_call(s, sk, regs->si, regs->dx);
	if (udp) {
		udp_emit(s, key.fd);
	} else if (op == OP_CONNECT && ret == -ERROR_INPROGRESS && family != FAMILY_UNIX) {
		pending_begin(s, sk);
		emit_drop(s);
	} else {
		at = add_root(s, at);
		emit_line(s, at);
	}
	/* from here on the descriptor has addresses worth reporting at its close */
	if (op == OP_BIND || op == OP_DISSOLVE || (ret < 0 && ret != -ERROR_INPROGRESS))
		return 0;
	if (op == OP_CONNECT && bpf_map_lookup_elem(&fds, &key)) {
		struct fd_entry *e = bpf_map_lookup_elem(&fds, &key);

		if (e)
			fd_emit(file, e, key.fd);
		return 0;
	}
	fd_get(&key, file, FD_SOCKET, 0);
	return 0;
}

/* --- where datagrams go ----------------------------------------------------------- */

/* What sockets sent to addresses that their calls had; the collector takes entries out
 * when the descriptor has ended. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct sent_key);
	__type(value, struct sent_entry);
} sent SEC(".maps");

struct send_job {
	__u64 at;			/* of the messages of sendmmsg */
	__u64 sockaddr;
	__u64 bytes;
	__u32 fd, len;
};

/* The address of a call, and a number for it. */
static __always_inline __u64
sockaddr_hash(struct scratch *s, __u64 sockaddr, __u32 len)
{
	__u64 hash = 0xcbf29ce484222325;

	__builtin_memset(s->sockaddr, 0, sizeof(s->sockaddr));
	if (len < 2)
		return 0;
	asm volatile("" : "+r"(len));	/* or Linux 6.1 does not know how long it is at most */
	if (len > sizeof(s->sockaddr) ||
	    bpf_probe_read_user(s->sockaddr, len, (void *)sockaddr))
		return 0;
	for (int i = 0; i < SOCKADDR_WORDS; i++) {
		hash = (hash ^ s->sockaddr[i]) * 0x100000001b3;
		hash ^= hash >> 29;
	}
	return hash;
}

static __always_inline void
sent_add(struct sent_entry *e, __u64 bytes)
{
	__sync_fetch_and_add(&e->bytes, bytes);
	__sync_fetch_and_add(&e->calls, 1);
	e->last = bpf_ktime_get_boot_ns();
}

/* The first message that a socket sends to an address. */
static __always_inline void
sent_begin(struct scratch *s, struct sent_key *key, struct sock *sk, struct send_job *j)
{
	struct sent_entry *e;
	__u32 at = 0;

	s->sent.bytes = j->bytes;
	s->sent.calls = 1;
	s->sent.last = s->r.head.time;
	if (bpf_map_update_elem(&sent, key, &s->sent, BPF_NOEXIST)) {
		e = bpf_map_lookup_elem(&sent, key);
		if (e)		/* another thread was first */
			sent_add(e, j->bytes);
		else
			count_add(COUNT_SENT_FULL, 1, 0);
		emit_drop(s);
		return;
	}
	s->r.serial = key->serial;
	s->r.since = key->hash;
	s->r.fd = j->fd;
	addr_fill(&s->r.addr, sk);
	if (s->r.addr.family == FAMILY_UNIX)
		at = add_root(s, add_unix_user(s, at, j->sockaddr, j->len));
	else
		addr_user(&s->r.addr, (void *)j->sockaddr, false);
	if (!emit_end(s, at)) {
		bpf_map_delete_elem(&sent, key);	/* next time, perhaps */
		count_add(COUNT_RING_FULL, 1, 0);
	}
}

__noinline int
sent_to(struct send_job *j)
{
	struct file *file = j ? file_get(current_task(), j->fd) : NULL;
	struct sent_key key = {};
	struct sent_entry *e;
	struct fd_key of;
	struct fd_entry *owner;
	struct scratch *s;

	if (!j || !file || !j->sockaddr)
		return 0;
	of.pid = current_tgid();
	of.fd = j->fd;
	owner = bpf_map_lookup_elem(&fds, &of);
	s = owner ? emit_begin(PROC_NET, OP_SEND, 0) : NULL;
	if (!s)
		return 0;
	key.serial = owner->serial;
	key.hash = sockaddr_hash(s, j->sockaddr, j->len);
	e = bpf_map_lookup_elem(&sent, &key);
	if (key.hash && !e) {
		sent_begin(s, &key, file_sock(file), j);
		return 0;
	}
	if (e)
		sent_add(e, j->bytes);
	emit_drop(s);
	return 0;
}

/* One of the messages of sendmmsg. */
static long
sent_message(__u32 i, struct send_job *j)
{
	struct messages m;

	if (bpf_probe_read_user(&m, sizeof(m), (void *)(j->at + i * sizeof(m))))
		return 1;
	j->sockaddr = m.m.name;
	j->len = m.m.name_len;
	j->bytes = m.len;
	sent_to(j);
	return 0;
}

/* A call that sends, and connects its socket with it (MSG_FASTOPEN). */
static __always_inline void
connected_by_send(struct pt_regs *regs, __u64 nr, long ret)
{
	struct file *file = file_get(current_task(), regs->di);
	__u64 address = send_address(regs, nr);
	struct scratch *s;
	struct sock *sk;

	if (!file || !address ||
	    !(s = emit_begin_line(PROC_NET, OP_CONNECT, ret < 0 ? ret : 0)))
		return;
	sk = file_sock(file);
	s->r.fd = regs->di;
	addr_fill(&s->r.addr, sk);
	addr_user(&s->r.addr, (void *)address, false);
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == STATE_SYN_SENT) {
		pending_begin(s, sk);
		emit_drop(s);
	} else {
		emit_line(s, 0);
	}
}

SEC("raw_tp/sys_exit")
int
on_send(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax;
	struct send_job j = { .at = regs->si, .bytes = ret, .fd = regs->di };
	struct file *file = file_get(current_task(), j.fd);
	struct message m;

	ON_OWN_STACK(ctx);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & FORMAT) != SOCKET)
		return 0;
	if (sends_first(regs, nr)) {
		connected_by_send(regs, nr, ret);
		return 0;
	}
	if (nr == __NR_sendmmsg) {
		bpf_loop(ret, sent_message, &j, 0);
	} else if (nr == __NR_sendto) {
		j.sockaddr = regs->r8;
		j.len = regs->r9;
		sent_to(&j);
	} else if (!bpf_probe_read_user(&m, sizeof(m), (void *)j.at)) {
		j.sockaddr = m.name;
		j.len = m.name_len;
		sent_to(&j);
	}
	if (dns_passes(file_sock(file), nr, regs))
		bpf_tail_call(ctx, &classes, CLASS_DNS);
	return 0;
}

#endif
