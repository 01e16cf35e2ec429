/*
 * proc.h - what /proc says of a process (proc(5))
 */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc_stat {
	int pid, ppid, session;
	uint64_t start;		/* clock ticks since boot */
	char comm[16];		/* NUL-padded */
};

/* -1: no such process (any more). */
int proc_stat(int pid, struct proc_stat *);
/* The process that a thread is of; -1: no such thread. */
int proc_of_thread(int tid);
/* Real user id, or -1. */
int64_t proc_uid(int pid);
/* Its number in its own pid namespace; 0 when that is the host's. */
uint32_t proc_ns_pid(int pid);

/* Calls fn for every process, or for every thread of one; stops when fn
 * returns true and returns that. */
typedef bool proc_fn(void *arg, int pid);
bool proc_each(proc_fn *, void *arg);
bool proc_each_thread(int pid, proc_fn *, void *arg);

/* Whether the process, one of its threads or its executable has this name (of at
 * most 15 bytes, to which longer ones are cut). */
bool proc_has_comm(int pid, const char *comm);

/* Reads a small file of a process ("status", "task/7/comm") whole and ends it
 * with NUL. Bytes, or -1. */
long proc_read(int pid, const char *name, char *buf, size_t size);

/* What a link of a process ("exe", "cwd", "fd/3") says, without the " (deleted)" that
 * the kernel puts behind the name of a file that has none any more. Length, without
 * NUL; 0: it cannot be read. */
size_t proc_link(int pid, const char *name, char *buf, size_t size);

/* Path of its cgroup, "/" based, in the hierarchy of a controller of cgroup v1
 * ("memory"), or in v2 (""); false when unknown. */
bool proc_cgroup(int pid, const char *controller, char *path, size_t size);

/* First 12 digits of the id of the innermost container that a process is in, as
 * docker, podman, containerd, cri-o and ECS name their cgroups; false when none. */
bool proc_container(int pid, char id[13]);
/* The whole id in a cgroup's path, within it; NULL: it is no container's. */
const char *proc_container_id(const char *path);
/* The uid of the Kubernetes pod in the n bytes of /proc/PID/cgroup, its parts joined by '-';
 * false: there is none. */
bool proc_pod_in(const char *text, size_t n, char uid[37]);
/* As proc_container, from the n bytes of /proc/PID/cgroup. */
bool proc_container_in(const char *text, size_t n, char id[13]);

#endif
