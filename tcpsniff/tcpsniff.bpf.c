/*
 * tcpsniff.bpf.c - copies what sockets carry whose first bytes are HTTP
 *
 * One program sits at the exit of system calls: it knows by number which of them move
 * bytes, and drops at once those of sockets that carry something else. Another finds
 * what was closed: nothing tells of it that every kernel has, and a socket may have
 * descriptors in many processes.
 */
#include "target.bpf.h"
#include "copy.bpf.h"
#include "uring.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct call_kind call_table[SYSCALLS] = {};

enum { ERROR_INPROGRESS = 115 };
enum { MMSGHDR = 64, MMSG_LEN = 56 };	/* struct mmsghdr, and where msg_len is in it */

/* --- bytes ------------------------------------------------------------------------ */

/* What followed a granted CONNECT is another protocol, from its first bytes on. */
static __always_inline void
tunnel_begins(struct scratch *s, struct conn *c, const struct place_of *at)
{
	__u32 made = c->made;

	conn_end(at->file, c);
	seen_set(&s->other, at, SOCK_FRESH, made);
}

/* The connection of a socket that was not captured so far, if these bytes make it one. */
static __always_inline struct conn *
look(struct scratch *s, struct transfer *t, struct place_of *at)
{
	struct seen *known = seen_of(at);
	enum look is;
	struct conn *c;

	if (known) {
		s->seen = *known;
	} else {
		__builtin_memset(&s->seen, 0, sizeof(s->seen));
		s->seen.ino = at->ino;
		s->seen.state = SOCK_SEARCH;
		s->seen.late = 1;
		if (!sock_wanted(file_sock(at->file))) {
			s->seen.state = SOCK_OTHER;
			bpf_map_update_elem(&seen, &at->file, &s->seen, BPF_ANY);
			return NULL;
		}
	}
	is = look_first(s, t);
	if (!any && is == LOOK_MAYBE && s->seen.state == SOCK_FRESH) {
		seen_waits(s, t, at);
		return NULL;
	}
	if (!any && is < LOOK_REQUEST && known && s->seen.state == SOCK_SEARCH)
		return NULL;
	c = seen_decides(s, t, at, is);
	if (c) {
		copy_first(s, c, DIR_READ, t->fd);
		copy_first(s, c, DIR_WRITE, t->fd);
	}
	return c;
}

/* Bytes of a socket that could not be worked on. */
static __always_inline void
transfer_lost(struct transfer *t, const struct place_of *at, struct conn *c)
{
	struct seen *known;

	if (c) {
		count_add(COUNT_SEEN, 1, t->n);
		count_add(COUNT_BUSY, 1, t->n);
		__sync_fetch_and_add(&c->moved[t->dir & 1], t->n);
		return;
	}
	known = seen_of(at);	/* it may still turn out to be HTTP */
	if (known) {
		known->state = SOCK_SEARCH;
		known->late = 1;
	}
}

/* Not static, as others here: so the verifier looks at it once. */
__noinline int
transferred(struct transfer *t)
{
	struct place_of at;
	struct scratch *s;
	struct conn *c;

	if (!t)
		return 0;
	at = t->at;	/* before Linux 6.5 a key may not lie in the memory of the caller */
	c = conn_of(&at);
	s = place_take(&places);
	if (!s) {
		transfer_lost(t, &at, c);
		return 0;
	}
	gather_begin(s, t);
	if (c && c->connect == CONNECT_DONE && (t->dir & 1) == direction_of_requests(c)) {
		tunnel_begins(s, c, &at);
		c = NULL;
	}
	if (!c)
		c = look(s, t, &at);
	if (c)
		copy(s, c, t);
	place_give(&s->taken);
	return 0;
}

/* One message of several. For bpf_loop. */
struct messages {
	struct transfer t;
	__u64 at;
};

static long
message_step(__u32 i, struct messages *m)
{
	__u32 n = 0;

	m->t.base = m->at + i * MMSGHDR;
	bpf_probe_read_user(&n, sizeof(n), (void *)m->t.base + MMSG_LEN);
	m->t.n = n;
	if (n)
		transferred(&m->t);
	return 0;
}

/* n bytes went to or from a socket without passing the process's memory: they are lost,
 * and a hole in its stream, if it is one that is captured. */
__noinline int
spliced(__u32 fd, __u32 dir, __u64 n)
{
	struct place_of at;
	struct seen *known;
	struct conn *c;

	if (!socket_of(&at, fd))
		return 0;
	c = conn_of(&at);
	if (c) {
		count_add(COUNT_SEEN, 1, n);
		count_add(COUNT_SPLICED, 1, n);
		__sync_fetch_and_add(&c->moved[dir & 1], n);
		return 0;
	}
	known = seen_of(&at);
	if (known && known->state == SOCK_FRESH) {
		known->state = SOCK_SEARCH;
		known->late = 1;
	}
	return 0;
}

/* --- sockets that begin --------------------------------------------------------------- */

static __always_inline void
connected(__u32 fd)
{
	struct place_of at;
	struct seen *known, fresh;
	struct sock *sk;
	struct ends e;

	if (!socket_of(&at, fd) || !(sk = file_sock(at.file)) || !sock_wanted(sk))
		return;
	known = seen_of(&at);
	if (known || conn_of(&at))	/* connect was asked for its outcome */
		return;
	seen_set(&fresh, &at, SOCK_FRESH, MADE_CONNECT);
	end_enter(&e, sk, &at);
}

static __always_inline void
began(__u32 fd, __u32 made)
{
	struct place_of at;
	struct seen fresh;
	struct sock *sk;

	if (socket_of(&at, fd) && (sk = file_sock(at.file)) && sock_wanted(sk))
		seen_set(&fresh, &at, SOCK_FRESH, made);
}

/* A call that moves no bytes through memory. Not of those who do: their way is short. */
static __noinline int
other_call(struct pt_regs *regs, __u32 kind, long ret)
{
	int pair[2];

	switch (kind) {
	case CALL_SENDFILE:
		if (ret > 0)
			spliced(regs->di, DIR_WRITE, ret);
		break;
	case CALL_SPLICE:
		if (ret > 0) {
			spliced(regs->di, DIR_READ, ret);
			spliced(regs->dx, DIR_WRITE, ret);
		}
		break;
	case CALL_CONNECT:
		if (ret == 0 || ret == -ERROR_INPROGRESS)
			connected(regs->di);
		break;
	case CALL_ACCEPT:
		if (ret >= 0)
			began(ret, MADE_ACCEPT);
		break;
	case CALL_PAIR:
		if (ret == 0 && !bpf_probe_read_user(pair, sizeof(pair), (void *)regs->r10)) {
			began(pair[0], MADE_PAIR);
			began(pair[1], MADE_PAIR);
		}
		break;
	}
	return 0;
}

/* --- tracepoints ---------------------------------------------------------------------- */

/* A call of a 32-bit program, whose numbers and structures are others: counted if it
 * moved bytes of a socket that may be for us. */
static __noinline int
compat_call(struct pt_regs *regs, long ret)
{
	enum { I_READ = 3, I_WRITE = 4, I_SOCKETCALL = 102, I_READV = 145, I_WRITEV = 146,
		I_SENDTO = 369, I_RECVMSG = 372 };
	__u64 nr = regs->orig_ax;
	__u32 fd = regs->bx;
	struct place_of at;
	struct seen *known;

	if (ret <= 0)
		return 0;
	if (nr == I_SOCKETCALL) {
		if (fd < 9 || fd > 17 || bpf_probe_read_user(&fd, sizeof(fd), (void *)regs->cx))
			return 0;	/* SYS_SEND to SYS_RECVMSG; its arguments are in memory */
	} else if (nr != I_READ && nr != I_WRITE && nr != I_READV && nr != I_WRITEV &&
	    (nr < I_SENDTO || nr > I_RECVMSG)) {
		return 0;
	}
	if (!socket_of(&at, fd))
		return 0;
	known = seen_of(&at);
	if (known ? known->state == SOCK_OTHER : !sock_wanted(file_sock(at.file)))
		return 0;
	count_add(COUNT_SEEN, 1, ret);
	count_add(COUNT_COMPAT, 1, ret);
	return 0;
}

/* TP_PROTO(struct pt_regs *regs, long ret) */
SEC("raw_tp/sys_exit")
int
on_return(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax;
	struct messages m;
	struct transfer *t = &m.t;
	struct seen *known;
	__u32 kind;

	ON_OWN_STACK(ctx);
	if (nr >= SYSCALLS || (kind = call_table[nr].kind) == CALL_NONE ||
	    (ret <= 0 && kind <= CALL_SPLICE) || !target_wanted())
		return 0;
	if (syscall_compat(current_task()))
		return compat_call(regs, ret);
	if (kind > CALL_MESSAGES)
		return other_call(regs, kind, ret);
	if (!socket_of(&t->at, regs->di))
		return 0;
	known = seen_of(&t->at);
	if (known && known->state == SOCK_OTHER)
		return 0;
	if (syscall_peeks(regs, nr) || syscall_receive_flags(regs, nr) & RECEIVE_OUT_OF_BAND)
		return 0;
	if (syscall_receive_flags(regs, nr) & RECEIVE_TRUNC)
		return spliced(regs->di, DIR_READ, ret);
	t->base = regs->si;
	t->len = regs->dx;
	t->n = ret;
	t->fd = regs->di;
	t->dir = call_table[nr].dir;
	t->kind = kind;
	m.at = t->base;
	if (kind == CALL_MESSAGES)
		bpf_loop(ret > VECTORS ? VECTORS : ret, message_step, &m, 0);
	else
		transferred(t);
	return 0;
}

/* Counts what is handed to io_uring for a socket that is captured, or may be. */
SEC("raw_tp/io_uring_submit_req")
int
on_uring(__u64 *ctx)
{
	struct uring_op op;
	struct place_of at;
	struct seen *known;

	ON_OWN_STACK(ctx);
	uring_read(&op, trace_operation(ctx));
	if (op.fd < 0 || !target_wanted() || !socket_of(&at, op.fd))
		return 0;
	known = seen_of(&at);
	if (known ? known->state == SOCK_OTHER : !sock_wanted(file_sock(at.file)))
		return 0;
	if (known && known->state == SOCK_FRESH) {
		known->state = SOCK_SEARCH;
		known->late = 1;
	}
	count_add(COUNT_SEEN, 1, 0);
	count_add(COUNT_URING, 1, 0);
	return 0;
}

/* Ends the connections whose socket is gone. For bpf_for_each_map_elem. */
static long
sweep_step(void *map, __u64 *file, struct conn *c, void *none)
{
	struct place_of at = { .file = *file, .ino = c->ino };

	if (!socket_lives(&at))
		conn_end(at.file, c);
	return 0;
}

/* The collector runs it, again and again. */
SEC("syscall")
int
on_sweep(void *ctx)
{
	bpf_for_each_map_elem(&conns, sweep_step, NULL, 0);
	return 0;
}
