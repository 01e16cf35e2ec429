/*
 * target.c - the selection: options in, the kernel's tables filled
 *
 * reads   the selectors, /proc once at the start
 * writes  target_conf (constant for the BPF programs), the map target_procs
 * keeps   nothing per process: the tracepoints of target.bpf.h do
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "container.h"
#include "proc.h"
#include "target.h"
#include "trace.h"

static char *
say(const char *what, const char *arg, const char *why)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), "%s %s: %s", what, arg, why);
	return buf;
}

static const char *
parse_numbers(const struct opt_list *l, const char *what, __u32 *to, __u32 *n)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *wrong;
		long long v;
		struct passwd *pw = what[0] == 'u' ? getpwnam(l->v[i]) : NULL;

		if (*n == TARGET_LIST)
			return say(what, l->v[i], "too many of them (at most 16)");
		if (pw) {
			to[(*n)++] = pw->pw_uid;
			continue;
		}
		wrong = opt_number(l->v[i], 0, UINT32_MAX - 1, &v);
		if (wrong)
			return say(what, l->v[i], what[0] == 'u' ? "no such user" : wrong);
		to[(*n)++] = v;
	}
	return NULL;
}

/* A cgroup's id is the inode number of its directory; its level is the depth
 * below the root. */
static const char *
parse_cgroup(struct target *t, const char *arg)
{
	char root[1024], full[4096], real[4096];
	struct target_conf *c = &t->conf;
	struct statfs fs;
	struct stat st;

	if (c->ncgroup == TARGET_LIST)
		return say("cgroup", arg, "too many of them (at most 16)");
	if (!container_root(root, sizeof(root)))
		return say("cgroup", arg, "needs cgroup v2, which is not mounted here");
	if (strncmp(arg, root, strlen(root)) == 0)
		snprintf(full, sizeof(full), "%s", arg);
	else
		snprintf(full, sizeof(full), "%s/%s", root, arg);
	if (statfs(arg, &fs) == 0 && fs.f_type == CGROUP_SUPER_MAGIC)
		return say("cgroup", arg, "is of cgroup v1, where the kernel tells no cgroup of a "
		    "process to BPF programs; give its path in cgroup v2");
	if (!realpath(full, real) || stat(real, &st))
		return say("cgroup", arg, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return say("cgroup", arg, "not a directory of the cgroup2 file system");
	if (strncmp(real, root, strlen(root)))
		return say("cgroup", arg, "not below the cgroup2 mount");
	c->cgroup[c->ncgroup] = st.st_ino;
	for (const char *p = real + strlen(root); *p; p++)
		c->level[c->ncgroup] += *p == '/';
	t->cgroup_paths[c->ncgroup] = strdup(real + strlen(root));
	if (!t->cgroup_paths[c->ncgroup++])
		return "out of memory";
	return NULL;
}

struct containers {
	struct target *t;
	const char *wrong;
};

static void
add_container(void *arg, const char *path)
{
	struct containers *c = arg;

	if (!c->wrong)
		c->wrong = parse_cgroup(c->t, path);
}

static const char *
parse_container(struct target *t, const char *arg)
{
	struct containers c = { .t = t };

	if (!container_find(arg, add_container, &c))
		return say("container", arg, "none that runs has this id or name (docker, podman, "
		    "containerd, cri-o; cgroup v2)");
	return c.wrong;
}

const char *
target_parse(struct target *t)
{
	struct target_conf *c = &t->conf;
	const char *wrong;
	__u32 npid = 0;

	t->self = getpid();
	t->procs = t->kin = t->flags = -1;
	c->follow = !t->no_children;
	if ((wrong = parse_numbers(&t->pids, "pid", t->pid, &npid)) ||
	    (wrong = parse_numbers(&t->uids, "user", c->uid, &c->nuid)) ||
	    (wrong = parse_numbers(&t->sessions, "session", c->session, &c->nsession)))
		return wrong;
	t->npid = npid;
	for (size_t i = 0; i < t->npid; i++) {
		struct proc_stat st;

		if (t->pid[i] == 0 || proc_stat(t->pid[i], &st))
			return say("pid", t->pids.v[i], "no such process");
		t->pid[i] = proc_of_thread(t->pid[i]);	/* it may be the number of a thread */
	}
	for (size_t i = 0; i < t->comms.n; i++) {
		const char *comm = t->comms.v[i];

		if (c->ncomm == TARGET_LIST)
			return say("name", comm, "too many of them (at most 16)");
		if (!*comm)
			return say("name", "\"\"", "empty");
		/* the kernel keeps 15 bytes */
		strncpy(c->comm[c->ncomm++], comm, sizeof(c->comm[0]) - 1);
	}
	for (size_t i = 0; i < t->cgroups.n; i++)
		if ((wrong = parse_cgroup(t, t->cgroups.v[i])))
			return wrong;
	for (size_t i = 0; i < t->containers.n; i++)
		if ((wrong = parse_container(t, t->containers.v[i])))
			return wrong;
	c->tree = (t->npid ? TARGET_PID : 0) | (c->ncomm ? TARGET_COMM : 0);
	return NULL;
}

static __u32
marks_of(const struct target *t, __u32 pid)
{
	__u32 marks = 0;

	if (t->procs >= 0)
		bpf_map_lookup_elem(t->procs, &pid, &marks);
	return marks;
}

/* Adds marks to a process. Whoever died meanwhile is taken out again: the exit
 * tracepoint came before the entry. True: they were new. */
static bool
mark(struct target *t, __u32 pid, __u32 marks, uint64_t start)
{
	__u32 old = marks_of(t, pid), all = old | marks;
	struct proc_stat st;

	if (all == old || bpf_map_update_elem(t->procs, &pid, &all, BPF_ANY))
		return false;
	if (proc_stat(pid, &st) || (start && st.start != start)) {
		bpf_map_delete_elem(t->procs, &pid);
		return false;
	}
	return true;
}

/* The last part of a path, cut as the kernel cuts names of processes. */
static void
name_of(char name[16], const char *path)
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;

	memset(name, 0, 16);
	memcpy(name, last, strnlen(last, 15));
}

/* Whether a program by this name runs scripts; target_runs_scripts is the same. */
static bool
runs_scripts(const char *name)
{
	static const char *const begins[] = { "node", "deno", "pyth", "ruby", "perl", "bash",
	    "dash" };
	static const char *const whole[] = { "bun", "zsh", "sh" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (strncmp(name, begins[i], 4) == 0)
			return true;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (strcmp(name, whole[i]) == 0)
			return true;
	return false;
}

/* Whether a process was called by this name, or runs a script of it: what
 * target_args_wanted finds when a program is executed. */
static bool
called(int pid, const char *comm)
{
	char args[1025], name[16];
	long n = proc_read(pid, "cmdline", args, sizeof(args));
	const char *arg = args;

	if (n <= 0)
		return false;
	name_of(name, arg);
	if (strcmp(name, comm) == 0)
		return true;
	if (!runs_scripts(name))
		return false;
	do {
		arg += strlen(arg) + 1;
	} while (arg < args + n && *arg == '-');
	if (arg >= args + n)
		return false;
	name_of(name, arg);
	if (strcmp(name, comm) == 0)
		return true;
	name[1 + strcspn(name + 1, ".")] = '\0';
	return strcmp(name, comm) == 0;
}

static __u32
root_marks(const struct target *t, int pid)
{
	__u32 marks = 0;

	for (size_t i = 0; i < t->npid; i++)
		if (t->pid[i] == (__u32)pid)
			marks |= TARGET_PID;
	for (size_t i = 0; i < t->conf.ncomm; i++)
		if (proc_has_comm(pid, t->conf.comm[i]) || called(pid, t->conf.comm[i]))
			marks |= TARGET_COMM;
	return marks;
}

/* Every process that runs, with its parent: one snapshot. */
struct snapshot {
	struct target *t;
	struct proc_stat *v;
	size_t n, cap;
	bool failed;
};

static bool
snapshot_add(void *arg, int pid)
{
	struct snapshot *s = arg;

	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 512;
		void *v = realloc(s->v, cap * sizeof(*s->v));

		if (!v) {
			s->failed = true;
			return true;
		}
		s->v = v;
		s->cap = cap;
	}
	if (proc_stat(pid, &s->v[s->n]) == 0)
		s->n++;
	return false;
}

/* Gives marks from parents to children until nothing changes. Forks of the
 * meantime are in the map target_kin: a child of a parent that was not entered
 * yet, and may be gone now. */
static void
spread(struct target *t, struct snapshot *s)
{
	bool more = true;

	while (more) {
		__u32 *prev = NULL, child, parent, last;

		more = false;
		for (size_t i = 0; i < s->n; i++) {
			__u32 from = marks_of(t, s->v[i].ppid) & t->conf.tree;

			if (from && mark(t, s->v[i].pid, from, s->v[i].start))
				more = true;
		}
		while (bpf_map_get_next_key(t->kin, prev, &child) == 0) {
			if (bpf_map_lookup_elem(t->kin, &child, &parent) == 0) {
				__u32 from = marks_of(t, parent) & t->conf.tree;

				if (from && mark(t, child, from, 0))
					more = true;
			}
			last = child;
			prev = &last;
		}
	}
}

bool
target_waits(const struct target *t, int pid)
{
	return marks_of(t, pid) & TARGET_WAITING;
}

static int
set_flag(struct target *t, __u32 flag, __u32 on)
{
	return bpf_map_update_elem(t->flags, &flag, &on, BPF_ANY);
}

bool
target_unmatched(const struct target *t)
{
	__u32 flag = TARGET_NAMED, named = 0;

	return t->conf.ncomm && bpf_map_lookup_elem(t->flags, &flag, &named) == 0 && !named;
}

/* Enters the chosen processes that run already, and their descendants. */
static int
enter_running(struct target *t)
{
	struct snapshot s = { .t = t };

	if (!t->conf.tree)
		return 0;
	proc_each(snapshot_add, &s);
	if (s.failed) {
		free(s.v);
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; i < s.n; i++) {
		__u32 marks = root_marks(t, s.v[i].pid);

		if (marks & TARGET_PID && t->from_exec)
			marks |= TARGET_WAITING;
		if (marks)
			mark(t, s.v[i].pid, marks, s.v[i].start);
		if (marks & TARGET_COMM)
			set_flag(t, TARGET_NAMED, 1);
	}
	if (t->conf.follow)
		spread(t, &s);
	free(s.v);
	return 0;
}

int
target_attach(struct target *t, struct bpf_object *o, const char **what)
{
	static const char *const names[] = { "target_on_fork", "target_on_exec", "target_on_exit" };

	t->procs = bpf_object__find_map_fd_by_name(o, "target_procs");
	t->kin = bpf_object__find_map_fd_by_name(o, "target_kin");
	t->flags = bpf_object__find_map_fd_by_name(o, "target_flags");
	set_flag(t, TARGET_SETTLING, 1);
	for (size_t i = 0; i < 3; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(o, names[i]);
		struct bpf_link *l = p ? trace_attach(p) : NULL;

		if (!l) {
			*what = names[i] + strlen("target_on_");
			return -1;
		}
		t->links[t->nlinks++] = l;
	}
	target_exclude(t, t->self);
	*what = "processes in /proc";
	if (enter_running(t))
		return -1;
	set_flag(t, TARGET_SETTLING, 0);
	return 0;
}

void
target_detach(struct target *t)
{
	while (t->nlinks)
		bpf_link__destroy(t->links[--t->nlinks]);
}

static bool
listed(const __u32 *v, size_t n, __u32 x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return n == 0;
}

bool
target_has(const struct target *t, int pid)
{
	const struct target_conf *c = &t->conf;
	__u32 marks = t->procs >= 0 ? marks_of(t, pid) : 0;
	char path[4096];
	struct proc_stat st;

	if (marks & TARGET_OWN || pid == t->self)
		return false;
	if (c->tree & ~marks)
		marks |= root_marks(t, pid);
	/* not followed by the kernel: parents, as /proc shows them */
	for (int up = pid; t->procs < 0 && c->follow && c->tree & ~marks && up > 1; up = st.ppid) {
		if (proc_stat(up, &st))
			break;
		marks |= root_marks(t, st.ppid);
	}
	if (c->tree & ~marks)
		return false;
	if (c->nuid && !listed(c->uid, c->nuid, proc_uid(pid)))
		return false;
	if (c->nsession && (proc_stat(pid, &st) || !listed(c->session, c->nsession, st.session)))
		return false;
	if (!c->ncgroup)
		return true;
	if (!proc_cgroup(pid, "", path, sizeof(path)))
		return false;
	for (size_t i = 0; i < c->ncgroup; i++) {
		size_t n = strlen(t->cgroup_paths[i]);

		if (strncmp(path, t->cgroup_paths[i], n) == 0 && (!path[n] || path[n] == '/'))
			return true;
	}
	return false;
}

void
target_exclude(struct target *t, int pid)
{
	mark(t, pid, TARGET_OWN, 0);
}

bool
target_excluded(const struct target *t, int pid)
{
	return pid == t->self || marks_of(t, pid) & TARGET_OWN;
}
