/*
 * trace.h - programs on tracepoints, of the kind that this kernel never leaves out
 *
 * Our programs are written as raw ones (raw_tp/NAME). Since Linux 7.0
 * the kernel lets other tasks preempt those, and while one of them is preempted the
 * same program does not run for anybody else on that CPU. Classic programs
 * (tracepoint/CATEGORY/NAME) are never preempted, for perf keeps their arguments in
 * memory of the CPU (include/trace/perf.h); but they are left out while somebody uses
 * a map by bpf(2) on that CPU, and kernels before 6.7 do not count it. So it is the
 * raw kind where that is safe and the classic kind where it is not, for the
 * tracepoints where tasks go through all the time: system calls, fork, exec, exit,
 * states of sockets and what they send and receive.
 * The source is the same: trace.bpf.h.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;

/* Between open and load: makes the programs of an object classic ones if they have to
 * be. Whether they are; false also when the kernel would need it, but tracefs cannot
 * be reached: what is left out then is counted (skips.h). */
bool trace_prepare(struct bpf_object *);

/* Between open and load: sets a constant of the programs (const volatile) of n bytes.
 * False: they have none of that name and size. */
bool trace_constant(struct bpf_object *, const char *name, const void *value, size_t n);

/* Attaches a program, of either kind. The caller destroys the link; NULL: errno. */
struct bpf_link *trace_attach(struct bpf_program *);

#endif
