/*
 * uring.bpf.h - operations handed to io_uring, as the kernel takes them over
 *
 * What they do is not seen where system calls return: a thread of the kernel may do
 * it, and with IORING_SETUP_SQPOLL no call hands them over either. The tracepoint
 * runs for each of them, in a task of the process that it is for: in the one that
 * submits it, or in the process's own kernel thread (IORING_SETUP_SQPOLL).
 */
#ifndef URING_BPF_H
#define URING_BPF_H

#include "trace.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct io_cqe {
	int fd;
};

struct io_kiocb {
	__u8 opcode;
	unsigned int flags;
	struct io_cqe cqe;	/* its fd: what the operation was given, until it is begun */
};

#pragma clang attribute pop

enum { URING_FIXED_FILE = 1 };		/* REQ_F_FIXED_FILE: the fd is an index of another table */
enum { URING_KNOWN = 64 };

/* Sets of operations, a bit each; <linux/io_uring.h> numbers them. */
#define URING_READS	(1ULL << 1 | 1ULL << 4 | 1ULL << 10 | 1ULL << 22 | 1ULL << 27 | \
	1ULL << 49 | 1ULL << 58 | 1ULL << 60)	/* READV, READ_FIXED, RECVMSG, READ, RECV,
						 * READ_MULTISHOT, RECV_ZC, READV_FIXED */
#define URING_WRITES	(1ULL << 2 | 1ULL << 5 | 1ULL << 9 | 1ULL << 23 | 1ULL << 26 | \
	1ULL << 47 | 1ULL << 48 | 1ULL << 61)	/* WRITEV, WRITE_FIXED, SENDMSG, WRITE, SEND,
						 * SEND_ZC, SENDMSG_ZC, WRITEV_FIXED */
/* Neither move data nor change a file, a name or a connection: NOP, FSYNC, POLL_ADD,
 * POLL_REMOVE, SYNC_FILE_RANGE, TIMEOUT, TIMEOUT_REMOVE, ASYNC_CANCEL, LINK_TIMEOUT,
 * CLOSE, FILES_UPDATE, STATX, FADVISE, MADVISE, EPOLL_CTL, PROVIDE_BUFFERS,
 * REMOVE_BUFFERS, SHUTDOWN, MSG_RING, FGETXATTR, GETXATTR, SOCKET, WAITID, FUTEX_WAIT,
 * FUTEX_WAKE, FUTEX_WAITV, FIXED_FD_INSTALL, EPOLL_WAIT, PIPE, NOP128. */
#define URING_IDLE	(1ULL << 0 | 1ULL << 3 | 1ULL << 6 | 1ULL << 7 | 1ULL << 8 | \
	1ULL << 11 | 1ULL << 12 | 1ULL << 14 | 1ULL << 15 | 1ULL << 19 | 1ULL << 20 | \
	1ULL << 21 | 1ULL << 24 | 1ULL << 25 | 1ULL << 29 | 1ULL << 31 | 1ULL << 32 | \
	1ULL << 34 | 1ULL << 40 | 1ULL << 43 | 1ULL << 44 | 1ULL << 45 | 1ULL << 50 | \
	1ULL << 51 | 1ULL << 52 | 1ULL << 53 | 1ULL << 54 | 1ULL << 59 | 1ULL << 62 | \
	1ULL << 63)

/* An operation; of what kind (one newer than us is none of these), and on which
 * descriptor, -1: none that we can tell. */
struct uring_op {
	bool reads, writes, idle;
	int fd;
};

static __always_inline void
uring_read(struct uring_op *op, struct io_kiocb *req)
{
	__u8 code = BPF_CORE_READ(req, opcode);
	__u64 bit = code < URING_KNOWN ? 1ULL << code : 0;

	op->reads = bit & URING_READS;
	op->writes = bit & URING_WRITES;
	op->idle = bit & URING_IDLE;
	op->fd = -1;
	if ((op->reads || op->writes) && !(BPF_CORE_READ(req, flags) & URING_FIXED_FILE))
		op->fd = BPF_CORE_READ(req, cqe.fd);
}

#endif
