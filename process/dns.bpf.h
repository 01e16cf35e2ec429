/*
 * dns.bpf.h - the program for messages to and from port 53
 */
#ifndef DNS_BPF_H
#define DNS_BPF_H

#include "io.bpf.h"

struct dns_job {
	__u64 at, sockaddr;	/* of the messages; of the other end, or 0 */
	__u64 iov;		/* pieces of the message, 0: it is at buf */
	__u64 buf, len;
	__u32 dir, fd;
};

enum { DNS_PIECES = 4 };

/* struct iovec */
struct piece {
	__u64 base, len;
};

/* Copies the message; how much of it. */
static __always_inline __u32
dns_copy(struct scratch *s, struct dns_job *j)
{
	__u32 left = j->len > DNS_CAP ? DNS_CAP : j->len, at = 0;

	for (int i = 0; i < DNS_PIECES; i++) {
		struct piece p = { .base = j->buf, .len = left };
		__u32 n;

		if (j->iov && bpf_probe_read_user(&p, sizeof(p), (void *)(j->iov + i * sizeof(p))))
			break;
		n = p.len > left ? left : p.len;
		asm volatile("" : "+r"(n), "+r"(at));
		if (n > DNS_CAP || at > DNS_CAP)
			break;
		if (n && bpf_probe_read_user(s->room + at, n, (void *)p.base))
			return 0;
		at += n;
		left -= n;
		if (!left)
			break;
	}
	return at;
}

__noinline int
dns_put(struct dns_job *j)
{
	struct file *file = j ? file_get(current_task(), j->fd) : NULL;
	struct scratch *s;
	__u32 n;

	if (!j || !file || !(s = emit_begin_line(PROC_DNS, 0, 0)))
		return 0;
	addr_fill(&s->r.addr, file_sock(file));
	if (j->sockaddr && !s->r.addr.port)
		addr_user(&s->r.addr, (void *)j->sockaddr, false);
	s->r.dir = j->dir;
	s->r.fd = j->fd;
	n = dns_copy(s, j);
	if (!n) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_FAULT, 1, 0);
		emit_drop(s);
		return 0;
	}
	s->r.len[STR_BASE] = n;
	emit_line(s, n);
	return 0;
}

/* One of the messages of sendmmsg, recvmmsg. */
static long
dns_message(__u32 i, struct dns_job *j)
{
	struct messages m;

	if (bpf_probe_read_user(&m, sizeof(m), (void *)(j->at + i * sizeof(m))))
		return 1;
	j->sockaddr = m.m.name;
	j->len = m.len;
	j->iov = m.m.iov;
	dns_put(j);
	return 0;
}

SEC("raw_tp/sys_exit")
int
on_dns(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax;
	struct dns_job j = { .at = regs->si, .buf = regs->si, .len = ret, .fd = regs->di };
	struct message m;

	ON_OWN_STACK(ctx);
	if (nr >= SYSCALLS || ret <= 0)
		return 0;
	j.dir = call_of(nr)->op;
	switch (nr) {
	case __NR_sendmmsg:
	case __NR_recvmmsg:
		bpf_loop(ret, dns_message, &j, 0);
		return 0;
	case __NR_sendto:
	case __NR_recvfrom:
		j.sockaddr = regs->r8;
		break;
	case __NR_sendmsg:
	case __NR_recvmsg:
		if (bpf_probe_read_user(&m, sizeof(m), (void *)j.at))
			return 0;
		j.sockaddr = m.name;
		j.iov = m.iov;
		break;
	case __NR_readv:
	case __NR_writev:
		j.iov = j.at;
	}
	dns_put(&j);
	return 0;
}

#endif
