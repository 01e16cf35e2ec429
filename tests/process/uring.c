/*
 * uring.c - a known number of operations by io_uring, by its system calls alone
 *
 * uring MODE FOLDER: MODE idle, files, stdin; a p behind it: with IORING_SETUP_SQPOLL.
 * Waits for a line on stdin first, byte by byte. Prints what went wrong; exits with 77
 * where there is no io_uring.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct io_uring_params params;
static struct io_uring_sqe *sqes;
static char *ring;
static int fd;

#define AT(off) (*(volatile unsigned *)(ring + (off)))

static void
setup(unsigned flags)
{
	params.flags = flags;
	fd = syscall(SYS_io_uring_setup, 8, &params);
	if (fd < 0)
		exit(77);
	/* IORING_FEAT_SINGLE_MMAP, since Linux 5.4 */
	ring = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	sqes = mmap(NULL, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqes == MAP_FAILED)
		exit(77);
}

/* Hands one operation over and waits for its end. */
static int
done(struct io_uring_sqe e)
{
	unsigned tail = AT(params.sq_off.tail), slot = tail & AT(params.sq_off.ring_mask), head;
	unsigned flags = IORING_ENTER_GETEVENTS;
	struct io_uring_cqe *c;
	int poll = params.flags & IORING_SETUP_SQPOLL;

	sqes[slot] = e;
	AT(params.sq_off.array + slot * sizeof(unsigned)) = slot;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	AT(params.sq_off.tail) = tail + 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (poll && AT(params.sq_off.flags) & IORING_SQ_NEED_WAKEUP)
		flags |= IORING_ENTER_SQ_WAKEUP;
	while (syscall(SYS_io_uring_enter, fd, poll ? 0 : 1, 1, flags, NULL, 0) < 0)
		;
	head = AT(params.cq_off.head);
	c = (void *)(ring + params.cq_off.cqes + (head & AT(params.cq_off.ring_mask)) * sizeof(*c));
	slot = c->res;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	AT(params.cq_off.head) = head + 1;
	return slot;
}

#define OP(code, ...) done((struct io_uring_sqe){ .opcode = IORING_OP_##code, __VA_ARGS__ })
#define MUST(x) do { if ((x) < 0) printf("failed: %s\n", #x); } while (0)

static void
idle(void)
{
	struct __kernel_timespec t = { .tv_nsec = 1 };
	struct epoll_event ev = { .events = EPOLLIN };
	int p[2], none = -1, ep = epoll_create1(0);
	char buf[100] = "";

	if (pipe(p))
		exit(1);
	MUST(OP(NOP));
	OP(TIMEOUT, .addr = (unsigned long)&t, .len = 1);
	MUST(OP(POLL_ADD, .fd = p[1], .poll32_events = POLLOUT));
	MUST(OP(EPOLL_CTL, .fd = ep, .len = EPOLL_CTL_ADD, .off = p[0], .addr = (unsigned long)&ev));
	OP(ASYNC_CANCEL, .addr = 4711);
	OP(FILES_UPDATE, .addr = (unsigned long)&none, .len = 1);
	MUST(OP(WRITE, .fd = p[1], .addr = (unsigned long)buf, .len = 100));
	MUST(OP(READ, .fd = p[0], .addr = (unsigned long)buf, .len = 100));
	MUST(OP(CLOSE, .fd = p[0]));
}

/* Eight: an open, five writes, a rename and an unlink. */
static void
files(void)
{
	static char buf[10000];
	int f = OP(OPENAT, .fd = AT_FDCWD, .addr = (unsigned long)"a",
	    .open_flags = O_CREAT | O_RDWR, .len = 0600);

	MUST(f);
	for (int i = 0; i < 5; i++)
		MUST(OP(WRITE, .fd = f, .addr = (unsigned long)buf, .len = sizeof(buf), .off = i * 10000));
	MUST(OP(RENAMEAT, .fd = AT_FDCWD, .addr = (unsigned long)"a", .len = AT_FDCWD,
	    .addr2 = (unsigned long)"b"));
	MUST(OP(UNLINKAT, .fd = AT_FDCWD, .addr = (unsigned long)"b"));
}

int
main(int argc, char **argv)
{
	char c, buf[100];

	if (argc < 3 || chdir(argv[2]))
		return 2;
	while (read(0, &c, 1) == 1 && c != '\n')
		;
	setup(strchr(argv[1], 'p') ? IORING_SETUP_SQPOLL : 0);
	if (argv[1][0] == 'i')
		idle();
	else if (argv[1][0] == 'f')
		files();
	else
		MUST(OP(READ, .fd = 0, .addr = (unsigned long)buf, .len = sizeof(buf)));
	return 0;
}
