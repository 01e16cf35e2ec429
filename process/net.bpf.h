/*
 * net.bpf.h - programs for connect, accept, bind, listen, and for the outcome of connects
 */
#ifndef NET_BPF_H
#define NET_BPF_H

#include "calls.bpf.h"
#include "fds.bpf.h"

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
			return;		/* someone else told it */
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

	ON_OWN_STACK(ctx);
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
	if (op == OP_CONNECT && dissolves(regs->si))
		return 0;
	sk = file_sock(file);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != FAMILY_INET && family != FAMILY_INET6 && family != FAMILY_UNIX)
		return 0;
	s = emit_begin_line(PROC_NET, op, ret < 0 ? ret : 0);
	if (!s)
		return 0;
	s->r.fd = key.fd;
	s->r.a = regs->si;	/* of listen */
	at = add_call(s, sk, regs->si, regs->dx);
	if (op == OP_CONNECT && ret == -ERROR_INPROGRESS && family != FAMILY_UNIX) {
		pending_begin(s, sk);
		emit_drop(s);
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

#endif
