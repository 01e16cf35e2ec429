/*
 * trace.bpf.h - what a tracepoint tells, in either kind of program: trace.h
 */
#ifndef TRACE_BPF_H
#define TRACE_BPF_H

#include "kernel.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Arguments of classic programs. */
struct trace_event_raw_sys_enter {
	long id;
};

struct trace_event_raw_sys_exit {
	long ret;
};

struct trace_event_raw_sched_process_fork {
	int child_pid;
};

struct trace_event_raw_sched_process_exec {
	__u32 __data_loc_filename;
};

struct trace_event_raw_sock_msg_length {
	void *sk;
	int ret;
};

struct trace_event_raw_io_uring_submit_req {
	void *req;
};

struct linux_binprm {
	const char *filename;
};

struct trace_event_raw_inet_sock_set_state {
	const void *skaddr;
	int oldstate, newstate;
};

#pragma clang attribute pop

struct pt_regs;
struct io_kiocb;

const volatile bool trace_classic;	/* false; set by trace_prepare */

/* Since Linux 6.2; classic programs may call them since 6.12. */
extern struct task_struct *bpf_task_from_pid(int pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

/* Keeps a load in its branch: one with either kind's offset would not be verified. */
#define KEEP(value) asm volatile("" : "+r"(value))

/* sys_enter, sys_exit: the registers of the call, its number, what it returns. */
static __always_inline struct pt_regs *
trace_regs(void)
{
	return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

static __always_inline __u64
trace_number(__u64 *ctx)
{
	__u64 nr;

	if (trace_classic) {
		nr = ((struct trace_event_raw_sys_enter *)ctx)->id;
		KEEP(nr);
	} else {
		nr = ctx[1];
	}
	return nr;
}

static __always_inline long
trace_result(__u64 *ctx)
{
	long ret;

	if (trace_classic) {
		ret = ((struct trace_event_raw_sys_exit *)ctx)->ret;
		KEEP(ret);
	} else {
		ret = ctx[1];
	}
	return ret;
}

/* sched_process_fork, which runs in the parent: the new task, until it is given back
 * with trace_child_put. NULL: it cannot be found. */
static __always_inline struct task_struct *
trace_child(__u64 *ctx)
{
	if (trace_classic)
		return bpf_task_from_pid(
		    ((struct trace_event_raw_sched_process_fork *)ctx)->child_pid);
	return (void *)ctx[1];
}

static __always_inline void
trace_child_put(struct task_struct *child)
{
	if (trace_classic)
		bpf_task_release(child);
}

/* sched_process_exec: the name that was asked for, as bpf_probe_read_kernel_str. */
static __always_inline long
trace_exec_name(void *to, __u32 size, __u64 *ctx)
{
	if (trace_classic) {
		__u32 at = ((struct trace_event_raw_sched_process_exec *)ctx)->__data_loc_filename;

		return bpf_probe_read_kernel_str(to, size, (void *)ctx + (at & 0xffff));
	}
	return bpf_probe_read_kernel_str(to, size,
	    BPF_CORE_READ((struct linux_binprm *)ctx[2], filename));
}

/* inet_sock_set_state: the socket, its state before, and now. */
struct trace_state {
	__u64 sk;
	int from, to;
};

static __always_inline void
trace_socket(struct trace_state *s, __u64 *ctx)
{
	if (trace_classic) {
		struct trace_event_raw_inet_sock_set_state *e = (void *)ctx;

		s->sk = (__u64)e->skaddr;
		s->from = e->oldstate;
		s->to = e->newstate;
		KEEP(s->sk);
		KEEP(s->from);
		KEEP(s->to);
	} else {
		s->sk = ctx[0];
		s->from = ctx[1];
		s->to = ctx[2];
	}
}

/* sock_send_length, sock_recv_length (Linux 6.3): the socket, a struct sock, and how
 * many bytes, or an error. */
static __always_inline void *
trace_sock(__u64 *ctx)
{
	void *sk;

	if (trace_classic) {
		sk = ((struct trace_event_raw_sock_msg_length *)ctx)->sk;
		KEEP(sk);
	} else {
		sk = (void *)ctx[0];
	}
	return sk;
}

static __always_inline int
trace_sock_bytes(__u64 *ctx)
{
	int n;

	if (trace_classic) {
		n = ((struct trace_event_raw_sock_msg_length *)ctx)->ret;
		KEEP(n);
	} else {
		n = (int)ctx[1];
	}
	return n;
}

/* io_uring_submit_req: the operation. */
static __always_inline struct io_kiocb *
trace_operation(__u64 *ctx)
{
	void *req;

	if (trace_classic) {
		req = ((struct trace_event_raw_io_uring_submit_req *)ctx)->req;
		KEEP(req);
	} else {
		req = (void *)ctx[0];
	}
	return req;
}

#endif
