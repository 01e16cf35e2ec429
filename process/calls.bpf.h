/*
 * calls.bpf.h - which system calls matter, and the jump to the programs for them
 */
#ifndef CALLS_BPF_H
#define CALLS_BPF_H

#include <stddef.h>
#include <asm/unistd.h>
#include "syscall.bpf.h"
#include "process.h"

const volatile struct call call_table[SYSCALLS] = {};

/* nr: below SYSCALLS, which the verifier of Linux 6.1 forgets on long ways. */
static __always_inline const volatile struct call *
call_of(__u64 nr)
{
	asm volatile("" : "+r"(nr));
	return &call_table[nr & (SYSCALLS - 1)];
}

/* The programs for classes of calls; this one drops the rest. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CLASSES);
	__type(key, __u32);
	__type(value, __u32);
} classes SEC(".maps");


#endif
