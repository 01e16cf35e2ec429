/*
 * life.c - process.fork, process.exec, process.exit, process.signal
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "emit.h"
#include "flow.h"
#include "proc.h"
#include "self.h"

void
life_fork(struct process *s, const struct event_record *r)
{
	struct jput j;

	if (r->serial)
		probe_child(&s->probe, &r->head, r->a, r->serial);
	if (!emit_begin(s, &j, "process.fork", &r->head, 1, 0))
		return;
	jput_uint(&j, "ppid", r->ppid);
	jput_int(&j, "child_pid", r->a);
	jput_close(&j);
}

/* Arguments that the kernel side could not read: the process may still have them. */
static void
put_proc_args(struct process *s, struct jput *j, uint32_t pid)
{
	static char buf[ARGS_CAP + 1];
	long n = proc_read(pid, "cmdline", buf, sizeof(buf));

	if (n > 0)
		args_put(j, buf, n);
	else
		loss_add(&s->probe.loss, "no_args", 1, 0);
}

/* The name that was asked for as an absolute path; out: PATH_TEXT bytes. */
static struct text
filename_of(const struct strings *t, char *out)
{
	struct text base = t->s[STR_BASE].n ? t->s[STR_BASE] : t->s[STR_CWD], path = { out, 0 };
	bool plain;

	if (t->s[STR_NAME].n && t->s[STR_NAME].p[0] == '/')
		base = t->s[STR_ROOT];
	path.n = path_join(out, base, t->s[STR_ROOT], t->s[STR_NAME], &plain);
	return path;
}

static void
put_place(struct process *s, struct jput *j, struct text cwd, struct text root, uint32_t mnt_ns)
{
	jput_bytes(j, "cwd", cwd.n ? cwd.p : "/", cwd.n ? cwd.n : 1);
	if (root.n)
		jput_bytes(j, "root", root.p, root.n);
	emit_mnt_ns(s, j, mnt_ns);
}

/* Of a process in a container: what that is called, and its pod, as far as it is known. */
static void
put_container(struct process *s, struct jput *j, const struct record *r)
{
	const struct container_name *c;
	char text[8192], id[13], uid[37];
	long n;

	if (!probe_contained(&s->probe, r))
		return;
	n = proc_read(r->pid, "cgroup", text, sizeof(text));
	if (n <= 0 || !proc_container_in(text, n, id))
		return;
	c = container_named(&s->containers, id);
	if (c && *c->name)
		jput_str(j, "container_name", c->name);
	if (c && *c->pod)
		jput_str(j, "pod_name", c->pod);
	if (c && *c->space)
		jput_str(j, "pod_namespace", c->space);
	if (proc_pod_in(text, n, uid))
		jput_str(j, "pod_uid", uid);
}

/* --- programs that were not executed -------------------------------------------------
 *
 * A program that is searched in PATH is asked for in each of its folders, until it is
 * found: what fails on the way is no event. */

struct search {
	struct event_record r;	/* the last of them; without data */
	uint64_t tries;
	struct text filename, cwd, root, args;	/* allocated, as one */
};

static void
write_failed(struct process *s, const struct event_record *r, uint64_t tries,
    const struct text *filename, const struct text *cwd, const struct text *root,
    const struct text *args)
{
	struct jput j;

	if (!emit_begin(s, &j, "process.exec", &r->head, tries, 0))
		return;
	jput_uint(&j, "ppid", r->ppid);
	jput_bytes(&j, "filename", filename->p, filename->n);
	args_put(&j, args->p, args->n);
	if (r->flags & EVENT_CUT)
		jput_bool(&j, "truncated", true);
	put_place(s, &j, *cwd, *root, r->mnt_ns);
	jput_uint(&j, "sid", r->sid);
	emit_error(&j, r->result);
	if (tries > 1)
		jput_uint(&j, "tries", tries);
	jput_close(&j);
}

static void
finish_search(void *arg, void *entry, enum flow_why why)
{
	struct search *q = entry;

	(void)why;
	if (q->tries)
		write_failed(arg, &q->r, q->tries, &q->filename, &q->cwd, &q->root, &q->args);
	free((char *)q->filename.p);
}

static bool
same_name(struct text a, struct text b)
{
	size_t x = path_dir(a.p, a.n), y = path_dir(b.p, b.n);

	return a.n - x == b.n - y && memcmp(a.p + x, b.p + y, a.n - x) == 0;
}

static struct search *
search_of(struct process *s, const struct record *head)
{
	return flow_find(s->searches, &head->pid, sizeof(head->pid), head->time);
}

/* A process executes a program, or ends. How often it was not found before. */
static uint64_t
search_ends(struct process *s, const struct record *head, struct text filename)
{
	struct search *q = search_of(s, head);
	uint64_t tries = 0;

	if (!q)
		return 0;
	if (q->r.head.born == head->born && filename.n && same_name(q->filename, filename)) {
		tries = q->tries;
		q->tries = 0;
	}
	flow_drop(s->searches, q, FLOW_END);
	return tries;
}

static struct text
copy(char **to, struct text from)
{
	struct text t = { memcpy(*to, from.p, from.n), from.n };

	*to += from.n;
	return t;
}

void
life_exec_failed(struct process *s, const struct event_record *r, const struct strings *t)
{
	char path[PATH_TEXT], *p;
	struct text filename = filename_of(t, path);
	struct search *q = search_of(s, &r->head);
	uint64_t tries = 1;

	if (q && q->r.head.born == r->head.born && same_name(q->filename, filename)) {
		tries += q->tries;
		q->tries = 0;
	}
	if (q)
		flow_drop(s->searches, q, FLOW_END);
	if (r->result != -ENOENT && r->result != -ENOTDIR) {
		write_failed(s, r, tries, &filename, &t->s[STR_CWD], &t->s[STR_ROOT], &t->args);
		return;
	}
	q = flow_get(s->searches, &r->head.pid, sizeof(r->head.pid), r->head.time);
	p = malloc(filename.n + t->s[STR_CWD].n + t->s[STR_ROOT].n + t->args.n + 1);
	if (!q || !p)
		err(1, "memory");
	q->r = *r;
	q->tries = tries;
	q->filename = copy(&p, filename);
	q->cwd = copy(&p, t->s[STR_CWD]);
	q->root = copy(&p, t->s[STR_ROOT]);
	q->args = copy(&p, t->args);
}

void
life_tick(struct process *s, bool all)
{
	enum { SEARCHES = 4096, SEARCH_NS = 1000000000 };

	if (!s->searches && !(s->searches = flow_new(sizeof(struct search), SEARCHES, SIZE_MAX,
	    finish_search, s)))
		err(1, "memory");
	if (all)
		flow_finish_all(s->searches, FLOW_EOF);
	else
		flow_expire(s->searches, clock_boot(), SEARCH_NS);
}

/* --- exec, exit, signals ---------------------------------------------------------- */

void
life_exec(struct process *s, const struct event_record *r, const struct strings *t)
{
	char path[PATH_TEXT];
	struct text filename = filename_of(t, path), exe = t->s[STR_EXE];
	struct jput j;

	bash_exec(s, r, exe);
	probe_exec(&s->probe, &r->head, exe.p, exe.n);
	if (!emit_begin(s, &j, "process.exec", &r->head, 1 + search_ends(s, &r->head, filename), 0))
		return;
	jput_uint(&j, "ppid", r->ppid);
	jput_bytes(&j, "filename", filename.p, filename.n);
	if (exe.n && (exe.n != filename.n || memcmp(exe.p, filename.p, exe.n)))
		jput_bytes(&j, "exe", exe.p, exe.n);
	if (r->flags & EVENT_ARGS_FAULT)
		put_proc_args(s, &j, r->head.pid);
	else
		args_put(&j, t->args.p, t->args.n);
	if (r->args_all > r->args && !(r->flags & EVENT_ARGS_FAULT)) {
		jput_bool(&j, "truncated", true);
		jput_uint(&j, "argv_bytes", r->args_all);
	}
	put_place(s, &j, t->s[STR_CWD], t->s[STR_ROOT], r->mnt_ns);
	jput_uint(&j, "sid", r->sid);
	put_container(s, &j, &r->head);
	jput_close(&j);
}

static void
put_signal(struct jput *j, int signal)
{
	const char *name = sigabbrev_np(signal);
	char text[32];

	jput_int(j, "signal", signal);
	if (!name)
		return;
	snprintf(text, sizeof(text), "SIG%s", name);
	jput_str(j, "signal_name", text);
}

void
life_exit(struct process *s, const struct event_record *r)
{
	int signal = r->a & 0x7f;
	struct jput j;

	search_ends(s, &r->head, (struct text){ NULL, 0 });
	if (!emit_begin(s, &j, "process.exit", &r->head, 1, 0))
		return;
	jput_uint(&j, "ppid", r->ppid);
	if (signal)
		put_signal(&j, signal);
	else
		jput_int(&j, "exit_code", r->a >> 8 & 0xff);
	if (r->a & 0x80)
		jput_bool(&j, "core_dumped", true);
	jput_ms(&j, "duration_ms", r->head.time - r->head.born);
	jput_uint(&j, "rss_max_kb", (uint64_t)r->b * sysconf(_SC_PAGESIZE) / 1024);
	jput_close(&j);
}

void
life_signal(struct process *s, const struct event_record *r)
{
	/* enum of include/trace/events/signal.h */
	static const char *const outcome[] = {
		"delivered", "ignored", "pending", "overflow", "lost_info",
	};
	struct jput j;

	if (!emit_begin(s, &j, "process.signal", &r->head, 1, 0))
		return;
	jput_int(&j, "target_pid", r->a);
	if (r->serial)
		jput_uint(&j, "target_tid", r->serial);
	put_signal(&j, r->b);
	jput_int(&j, "result", r->result);
	if (r->result < 0)
		emit_error(&j, r->result);
	else if (r->dir < sizeof(outcome) / sizeof(outcome[0]))
		jput_str(&j, "outcome", outcome[r->dir]);
	jput_close(&j);
}

/* --- processes that run already ---------------------------------------------- */

struct seeds {
	struct process *s;
	struct proc_stat *v;
	size_t n, cap;
	uint64_t before;	/* clock ticks: who started later has a fork in the ring */
};

static bool
seeds_add(void *arg, int pid)
{
	struct seeds *w = arg;

	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 512;
		w->v = realloc(w->v, w->cap * sizeof(*w->v));
		if (!w->v)
			err(1, "memory");
	}
	if (proc_stat(pid, &w->v[w->n]) == 0 && w->v[w->n].start <= w->before)
		w->n++;
	return false;
}

static int
by_start(const void *a, const void *b)
{
	const struct proc_stat *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->pid - y->pid;
}

static uint32_t
parent_of(struct process *s, const struct proc_stat *st)
{
	for (size_t i = 0; i < s->seeds.n; i++) {
		char *colon = strchr(s->seeds.v[i], ':');

		if (colon && atoi(s->seeds.v[i]) == st->pid)
			return atoi(colon + 1);
	}
	return st->ppid;
}

static void
emit_seed(struct process *s, const struct proc_stat *st, uint64_t now)
{
	static char args[ARGS_CAP + 1];
	char exe_buf[PATH_TEXT], cwd_buf[PATH_TEXT], root_buf[PATH_TEXT];
	struct text exe = { exe_buf, proc_link(st->pid, "exe", exe_buf, sizeof(exe_buf)) };
	struct text cwd = { cwd_buf, proc_link(st->pid, "cwd", cwd_buf, sizeof(cwd_buf)) };
	struct text root = { root_buf, proc_link(st->pid, "root", root_buf, sizeof(root_buf)) };
	long n = proc_read(st->pid, "cmdline", args, sizeof(args));
	struct record head = {
		.kind = PROC_EXEC, .pid = st->pid, .tid = st->pid, .uid = proc_uid(st->pid),
		.ns_pid = proc_ns_pid(st->pid), .time = now,
		.born = st->start * (1000000000 / sysconf(_SC_CLK_TCK)),
	};
	struct proc_stat again;
	struct jput j;

	/* kernel threads and zombies run no program */
	if (!exe.n || proc_stat(st->pid, &again) || again.start != st->start)
		return;
	memcpy(head.comm, st->comm, sizeof(head.comm));
	memcpy(head.thread, st->comm, sizeof(head.thread));
	if (!probe_extra(&s->probe, &j, "process.exec", &head))
		return;
	jput_uint(&j, "ppid", parent_of(s, st));
	jput_bytes(&j, "filename", exe.p, exe.n);
	args_put(&j, args, n > 0 ? n : 0);
	if (cwd.n)
		jput_bytes(&j, "cwd", cwd.p, cwd.n);
	if (root.n > 1)
		jput_bytes(&j, "root", root.p, root.n);
	jput_int(&j, "sid", st->session);
	jput_bool(&j, "seed", true);
	put_container(s, &j, &head);
	jput_close(&j);
}

void
life_seed(struct process *s, uint64_t since)
{
	struct seeds w = {
		.s = s, .before = since / (1000000000 / sysconf(_SC_CLK_TCK)),
	};
	uint64_t now;

	proc_each(seeds_add, &w);
	now = clock_boot();
	qsort(w.v, w.n, sizeof(*w.v), by_start);
	for (size_t i = 0; i < w.n; i++)
		if (target_waits(&s->probe.target, w.v[i].pid))
			continue;
		else if (s->mode == 1 ? !target_excluded(&s->probe.target, w.v[i].pid) :
		    target_has(&s->probe.target, w.v[i].pid))
			emit_seed(s, &w.v[i], now);
	free(w.v);
}
