/*
 * syscall.bpf.h - the arguments of the system call that returns
 *
 * At the exit of a call on x86-64 its number is in orig_ax, and the argument
 * registers are as they were: no program at its entry is needed. Calls of
 * 32-bit programs have numbers of their own and are not ours to interpret.
 */
#ifndef SYSCALL_BPF_H
#define SYSCALL_BPF_H

#include <asm/unistd.h>
#include "trace.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r10, r9, r8, bx, cx, ax, dx, si, di, orig_ax;
};

struct thread_info {
	__u32 status;
};

struct task_struct___x86 {
	struct thread_info thread_info;
};

#pragma clang attribute pop

enum { SYSCALLS = 512 };	/* numbers we look at; x86-64 has fewer */
enum { SYSCALL_COMPAT = 2 };	/* TS_COMPAT, <asm/thread_info.h> */

/* -ERESTARTSYS ... -ERESTART_RESTARTBLOCK: the call has not ended, it is made
 * again after a signal. */
static __always_inline bool
syscall_restarts(long ret)
{
	return ret <= -512 && ret >= -516;
}

enum { RECEIVE_OUT_OF_BAND = 0x1, RECEIVE_PEEK = 0x2, RECEIVE_TRUNC = 0x20,
	RECEIVE_ERRORS = 0x2000 };	/* MSG_... */

/* The flags of a call that receives, MSG_...; 0 of any other call. */
static __always_inline __u32
syscall_receive_flags(struct pt_regs *regs, __u64 nr)
{
	if (nr == __NR_recvfrom || nr == __NR_recvmmsg)
		return regs->r10;
	return nr == __NR_recvmsg ? regs->dx : 0;
}

/* Whether a call takes nothing from its socket: it looks at what the next one will
 * receive (MSG_PEEK), or asks for errors (MSG_ERRQUEUE). */
static __always_inline bool
syscall_peeks(struct pt_regs *regs, __u64 nr)
{
	return syscall_receive_flags(regs, nr) & (RECEIVE_PEEK | RECEIVE_ERRORS);
}

static __always_inline bool
syscall_compat(struct task_struct *task)
{
	return ((struct task_struct___x86 *)task)->thread_info.status & SYSCALL_COMPAT;
}

#endif
