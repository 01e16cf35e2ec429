/*
 * io.bpf.h - programs for calls that transfer bytes, and for close
 */
#ifndef IO_BPF_H
#define IO_BPF_H

#include "calls.bpf.h"
#include "fds.bpf.h"

/* struct user_msghdr, struct mmsghdr of the system call interface */
struct message {
	__u64 name;
	__s32 name_len, pad;
	__u64 iov, iov_len, control, control_len;
	__u32 flags, pad2;
};

struct messages {
	struct message m;
	__u32 len, pad;
};

struct messages_sum {
	__u64 at, bytes;
};

static long
messages_add(__u32 i, struct messages_sum *sum)
{
	__u32 len = 0;

	bpf_probe_read_user(&len, sizeof(len),
	    (void *)(sum->at + i * sizeof(struct messages) + offsetof(struct messages, len)));
	sum->bytes += len;
	return 0;
}

/* Whether what a socket transfers is DNS: UDP with port 53 at the other end. */
static __always_inline bool
dns_passes(struct sock *sk, __u64 nr, struct pt_regs *regs)
{
	__u16 port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport)), family;
	__u64 name = 0;

	if (BPF_CORE_READ(sk, sk_protocol) != PROTO_UDP)
		return false;
	if (port)
		return port == 53;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != FAMILY_INET && family != FAMILY_INET6)
		return false;
	if (nr == __NR_sendto || nr == __NR_recvfrom)
		name = regs->r8;
	else if (nr == __NR_sendmsg || nr == __NR_recvmsg || nr == __NR_sendmmsg ||
	    nr == __NR_recvmmsg)
		bpf_probe_read_user(&name, sizeof(name), (void *)regs->si);
	if (!name || bpf_probe_read_user(&port, 2, (void *)name + 2))
		return false;
	return bpf_ntohs(port) == 53;
}

enum { SEND_FASTOPEN = 0x20000000 };	/* MSG_FASTOPEN */

/* Where a call has the address that it sends to; 0: nowhere. */
static __always_inline __u64
send_address(struct pt_regs *regs, __u64 nr)
{
	__u64 name = 0, to;

	if (nr == __NR_sendto) {
		to = regs->r8;
		KEEP(to);
		return to;
	}
	if (nr == __NR_sendmsg || nr == __NR_sendmmsg)
		bpf_probe_read_user(&name, sizeof(name), (void *)regs->si);
	return name;
}

/* Whether a call connects its socket, too. */
static __always_inline bool
sends_first(struct pt_regs *regs, __u64 nr)
{
	__u64 third = regs->dx, fourth = regs->r10;

	KEEP(third);
	KEEP(fourth);
	if (nr == __NR_sendmsg)
		return third & SEND_FASTOPEN;
	return (nr == __NR_sendto || nr == __NR_sendmmsg) && fourth & SEND_FASTOPEN;
}

/* Whether a call sends to an address of its own: a socket of datagrams may. */
static __always_inline bool
sends_to(struct sock *sk, __u64 nr, struct pt_regs *regs)
{
	__u16 type;

	if (nr != __NR_sendto && nr != __NR_sendmsg && nr != __NR_sendmmsg)
		return false;
	type = BPF_CORE_READ(sk, sk_type);
	if (type != TYPE_DATAGRAM && type != TYPE_RAW && !sends_first(regs, nr))
		return false;
	return send_address(regs, nr);
}

enum {
	ERROR_IO = 5, ERROR_TOO_BIG = 27, ERROR_NO_SPACE = 28, ERROR_READ_ONLY = 30,
	ERROR_QUOTA = 122,
};

/* A call that failed, where that is reported. */
static __always_inline void
emit_failure(__u64 *ctx, struct pt_regs *regs, __u64 nr, long ret)
{
	if (call_of(nr)->op != DIR_WRITE)
		return;
	if (ret == -ERROR_NO_SPACE || ret == -ERROR_QUOTA || ret == -ERROR_IO ||
	    ret == -ERROR_TOO_BIG || ret == -ERROR_READ_ONLY)
		bpf_tail_call(ctx, &classes, CLASS_FAILED);
	if (sends_first(regs, nr))
		bpf_tail_call(ctx, &classes, CLASS_SEND);
}

SEC("raw_tp/sys_exit")
int
on_io(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax, bytes = ret;
	__u32 fd = regs->di, dir;
	struct messages_sum sum;
	struct file *file;

	ON_OWN_STACK(ctx);
	if (nr >= SYSCALLS || syscall_peeks(regs, nr))
		return 0;
	if (ret <= 0) {
		if (ret < 0)
			emit_failure(ctx, regs, nr, ret);
		return 0;
	}
	switch (nr) {
	case __NR_sendfile:	/* out, in */
		fd_transfer(regs->si, DIR_READ, ret);
		fd_transfer(fd, DIR_WRITE, ret);
		return 0;
	case __NR_copy_file_range:	/* in, ., out */
	case __NR_splice:
		fd_transfer(fd, DIR_READ, ret);
		fd_transfer(regs->dx, DIR_WRITE, ret);
		return 0;
	case __NR_sendmmsg:
	case __NR_recvmmsg:
		sum = (struct messages_sum){ .at = regs->si };
		bpf_loop(ret, messages_add, &sum, 0);
		bytes = sum.bytes;
	}
	dir = call_of(nr)->op;
	file = fd_transfer(fd, dir, bytes);
	if (file && sends_to(file_sock(file), nr, regs))
		bpf_tail_call(ctx, &classes, CLASS_SEND);
	if (file && dns_passes(file_sock(file), nr, regs))
		bpf_tail_call(ctx, &classes, CLASS_DNS);
	return 0;
}

/* struct iocb */
struct aio_call {
	__u64 data;
	__u32 key, flags;
	__u16 opcode, priority;
	__u32 fd;
};

enum { AIO_WRITEV = 8, AIO_TRANSFERS = 0x183 };	/* IOCB_CMD_...: 0, 1, 7 and 8 */

struct aio_sum {
	__u64 at;
	__u32 n;
};

static long
aio_add(__u32 i, struct aio_sum *sum)
{
	struct aio_call c;
	__u64 at;

	if (bpf_probe_read_user(&at, sizeof(at), (void *)(sum->at + i * sizeof(at))) ||
	    bpf_probe_read_user(&c, sizeof(c), (void *)at))
		return 1;
	if (c.opcode <= AIO_WRITEV)
		sum->n += AIO_TRANSFERS >> c.opcode & 1;
	return 0;
}

/* io_submit: what its operations transfer is not known when it returns. */
SEC("raw_tp/sys_exit")
int
on_aio(__u64 *ctx)
{
	long ret = trace_result(ctx);
	struct aio_sum sum = { .at = trace_regs()->dx };

	ON_OWN_STACK(ctx);
	if (ret <= 0)
		return 0;
	bpf_loop(ret, aio_add, &sum, 0);
	count_add(COUNT_SEEN, sum.n, 0);
	count_add(COUNT_AIO, sum.n, 0);
	return 0;
}

SEC("raw_tp/sys_exit")
int
on_close(__u64 *ctx)
{
	struct pt_regs *regs = trace_regs();
	long ret = trace_result(ctx);
	__u64 nr = regs->orig_ax;
	struct fd_key key = { .pid = current_tgid(), .fd = regs->di };
	__u32 to = regs->si;

	ON_OWN_STACK(ctx);
	/* close: the descriptor is gone, whatever the result but EBADF */
	if (nr == __NR_close) {
		if (ret != -9 && bpf_map_lookup_elem(&fds, &key))
			fd_end(key.pid, key.fd);
	} else if (ret < 0) {
		return 0;
	} else if (nr == __NR_close_range) {
		fd_sweep(key.fd, to, SWEEP_CLOSED);
	} else if (key.fd != to) {	/* dup2, dup3 */
		key.fd = to;
		if (bpf_map_lookup_elem(&fds, &key))
			fd_end(key.pid, key.fd);
	}
	return 0;
}

#endif
