/*
 * life.c - process.fork, process.exec, process.exit, process.signal
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "emit.h"
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

void
life_exec(struct process *s, const struct event_record *r, const struct strings *t)
{
	struct strings asked = *t;
	char path[PATH_TEXT];
	struct text filename, exe = t->s[STR_EXE];
	bool plain;
	struct jput j;

	asked.s[STR_BASE] = t->s[STR_CWD];
	if (t->s[STR_NAME].n && t->s[STR_NAME].p[0] == '/')
		asked.s[STR_BASE] = t->s[STR_ROOT];
	filename.p = path;
	filename.n = path_join(path, asked.s[STR_BASE], t->s[STR_ROOT], t->s[STR_NAME], &plain);
	bash_exec(s, r, exe);
	probe_exec(&s->probe, &r->head, exe.p, exe.n);
	if (!emit_begin(s, &j, "process.exec", &r->head, 1, 0))
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
	jput_bytes(&j, "cwd", t->s[STR_CWD].n ? t->s[STR_CWD].p : "/",
	    t->s[STR_CWD].n ? t->s[STR_CWD].n : 1);
	if (t->s[STR_ROOT].n)
		jput_bytes(&j, "root", t->s[STR_ROOT].p, t->s[STR_ROOT].n);
	jput_uint(&j, "sid", r->sid);
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
tell_seed(struct process *s, const struct proc_stat *st, uint64_t now)
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
		if (s->mode == 1 ? !target_excluded(&s->probe.target, w.v[i].pid) :
		    target_has(&s->probe.target, w.v[i].pid))
			tell_seed(s, &w.v[i], now);
	free(w.v);
}
