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

/* The programs for classes of calls; this one drops the rest. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CLASS_MAX + 1);
	__type(key, __u32);
	__type(value, __u32);
} classes SEC(".maps");

enum { CLASS_DNS = CLASS_MAX };	/* not of a number: of a socket */

#endif
