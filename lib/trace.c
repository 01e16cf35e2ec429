/*
 * trace.c - see trace.h
 *
 * reads   names in the kernel's BTF, identifiers of events in tracefs
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"
#include "trace.h"

/* The tracepoints, as sections name them, and the folders of their events. */
static const struct point {
	const char *name, *category, *before;	/* before: what it was called */
} points[] = {
	{ "sys_enter", "raw_syscalls", NULL },
	{ "sys_exit", "raw_syscalls", NULL },
	{ "sched_process_fork", "sched", NULL },
	{ "sched_process_exec", "sched", NULL },
	{ "sched_process_exit", "sched", NULL },
	{ "inet_sock_set_state", "sock", NULL },
	{ "sock_send_length", "sock", NULL },
	{ "sock_recv_length", "sock", NULL },
	{ "io_uring_submit_req", "io_uring", "io_uring_submit_sqe" /* until Linux 6.3 */ },
};

static const struct point *
point_of(const struct bpf_program *p)
{
	const char *section = bpf_program__section_name(p);

	if (strncmp(section, "raw_tp/", strlen("raw_tp/")))
		return NULL;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		if (strcmp(section + strlen("raw_tp/"), points[i].name) == 0)
			return &points[i];
	return NULL;
}

/* Whether tasks are preempted in raw programs: all tracepoints are guarded by SRCU
 * (7.0; older kernels have that only for idle CPUs, and no struct tracepoint_ext), or
 * those of system calls are, and BPF programs with them. */
static bool
raw_is_preempted(void)
{
	return kernel_btf_names("trace_call_bpf_faultable") ||
	    (kernel_btf_names("tracepoint_ext") && kernel_btf_names("tracepoint_srcu_srcu_data"));
}

/* A descriptor of tracefs, wherever it is mounted, or a mount that nobody else sees. */
static int
tracefs(void)
{
	static const char *const dirs[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	int fd, context;

	for (size_t i = 0; i < 2; i++) {
		fd = open(dirs[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && faccessat(fd, "events/sched", X_OK, AT_EACCESS) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	context = fsopen("tracefs", FSOPEN_CLOEXEC);
	if (context < 0)
		return -1;
	fd = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ? -1 :
	    fsmount(context, FSMOUNT_CLOEXEC, MS_NOSUID | MS_NODEV | MS_NOEXEC);
	close(context);
	return fd;
}

/* The number of an event for perf_event_open; -1: errno. */
static long
event_id(const struct point *pt)
{
	char path[128], text[32] = "";
	int dir = tracefs(), fd, e;
	ssize_t n;

	snprintf(path, sizeof(path), "events/%s/%s/id", pt->category, pt->name);
	fd = dir < 0 ? -1 : openat(dir, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	e = errno;
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	errno = n < 0 ? e : ENOENT;
	return n > 0 ? atol(text) : -1;
}

/* The section of constants that have names, among others that begin so: .rodata.cst16. */
static bool
holds_constants(const struct bpf_map *map)
{
	static const char section[] = ".rodata";
	const char *name = bpf_map__name(map);
	size_t n = strlen(name), len = strlen(section);

	return n >= len && strcmp(name + n - len, section) == 0;
}

bool
trace_constant(struct bpf_object *o, const char *name, const void *value, size_t n)
{
	struct bpf_map *map = NULL;
	struct btf *btf = bpf_object__btf(o);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = id > 0 ? btf__type_by_id(btf, id) : NULL;
	char *data = NULL;
	size_t size;

	bpf_object__for_each_map(map, o)
		if (holds_constants(map))
			data = (char *)bpf_map__initial_value(map, &size);
	for (int i = 0; data && section && i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *v = btf_var_secinfos(section) + i;
		const struct btf_type *var = btf__type_by_id(btf, v->type);

		if (strcmp(btf__name_by_offset(btf, var->name_off), name) == 0 &&
		    v->size == n && v->offset + n <= size) {
			memcpy(data + v->offset, value, n);
			return true;
		}
	}
	return false;
}

bool
trace_prepare(struct bpf_object *o)
{
	struct bpf_program *p;
	const bool yes = true;

	if (!raw_is_preempted() || event_id(&points[0]) < 0 || 
	    !trace_constant(o, "trace_classic", &yes, sizeof(yes)))
		return false;
	bpf_object__for_each_program(p, o) {
		if (point_of(p))
			bpf_program__set_type(p, BPF_PROG_TYPE_TRACEPOINT);
	}
	return true;
}

/* Attaches a program as its section says, or under the name that the tracepoint had
 * before. */
static struct bpf_link *
attach_raw(struct bpf_program *p, const struct point *pt)
{
	struct bpf_link *l = bpf_program__attach(p);

	if (!l && errno == ENOENT && pt && pt->before)
		l = bpf_program__attach_raw_tracepoint(p, pt->before);
	return l;
}

struct bpf_link *
trace_attach(struct bpf_program *p)
{
	struct perf_event_attr a = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(a) };
	const struct point *pt = point_of(p);
	struct bpf_link *l;
	long id;
	int fd;

	if (!pt || bpf_program__type(p) != BPF_PROG_TYPE_TRACEPOINT)
		return attach_raw(p, pt);
	id = event_id(pt);
	if (id < 0)
		return NULL;
	a.config = id;
	/* on one CPU, but the program runs on all */
	fd = syscall(SYS_perf_event_open, &a, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	l = bpf_program__attach_perf_event(p, fd);
	if (!l)
		close(fd);
	return l;
}
