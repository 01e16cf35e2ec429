/*
 * process - what processes do: lifecycle, files, network, signals
 *
 * reads   scheduler and system call tracepoints; /proc for what runs already
 * writes  process.* file.* dir.* net.* bash.readline
 * keeps   descriptors in use and what was emitted of them; opens of the last
 *         --window (fds.c, files.c)
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "caps.h"
#include "check.h"
#include "opt.h"
#include "proc.h"
#include "sandbox.h"
#include "self.h"
#include "process/process.skel.h"

enum { SEEDS = 4096, OPTIONS = 32 };

static struct process process = {
	.mode = -1, .window = 1000000000, .interval = 1000000000, .root.fd = -1,
};

static const char *const reasons[] = {
	"fds_full", "pending_full", "args_long", "compat", "io_uring", "busy", "aio", "sent_full",
	NULL,
};

/* --- events ------------------------------------------------------------------ */

static bool
strings_of(const struct event_record *r, size_t n, struct strings *t)
{
	size_t at = 0, room = n - sizeof(*r);

	/* in which order the kernel side put them */
	static const int exec[] = { STR_NAME, STR_CWD, STR_EXE, STR_ROOT, STR_BASE };
	static const int others[] = { STR_BASE, STR_NAME, STR_BASE2, STR_NAME2, STR_ROOT };
	const int *order = r->head.kind == PROC_EXEC ? exec : others;

	for (int i = 0; i < STR_MAX; i++) {
		uint32_t len = r->len[order[i]];

		if (len > room - at)
			return false;
		t->s[order[i]] = (struct text){ r->data + at, len };
		at += len;
	}
	t->args = (struct text){ r->data + at, r->args };
	return r->args <= room - at;
}

static void
on_record(void *self, const struct record *head, size_t n)
{
	const struct event_record *r = (const void *)head;
	struct strings t;

	if (head->kind == PROC_FD_END) {
		if (n >= sizeof(struct fd_record))
			fds_end(self, (const void *)head);
		return;
	}
	if (n < sizeof(*r) || !strings_of(r, n, &t))
		return;
	switch (head->kind) {
	case PROC_FORK:
		life_fork(self, r);
		break;
	case PROC_EXEC:
		if (r->op == OP_EXEC)
			life_exec_failed(self, r, &t);
		else
			life_exec(self, r, &t);
		break;
	case PROC_EXIT:
		life_exit(self, r);
		break;
	case PROC_FILE:
		files_event(self, r, &t);
		break;
	case PROC_FD:
		fds_begin(self, r, &t);
		break;
	case PROC_NET:
		net_event(self, r, &t);
		break;
	case PROC_DNS:
		net_dns(self, r, &t);
		break;
	case PROC_SIGNAL:
		life_signal(self, r);
		break;
	case PROC_READLINE:
		bash_line(self, r, &t);
		break;
	case PROC_MOVE:
		probe_moved(&((struct process *)self)->probe, r->a);
		break;
	}
}

static void
on_tick(void *self)
{
	struct process *s = self;

	files_tick(s, s->detached);
	fds_tick(s, s->detached);
	reads_tick(s, s->detached);
	life_tick(s, s->detached);
	if (s->detached)
		net_finish(s);
}

static void
on_detach(void *self)
{
	struct process *s = self;

	bash_close(s);
	process_bpf__detach(s->bpf);
	s->detached = true;
}

/* --- options ----------------------------------------------------------------- */

static const char *
list_add(struct opt_list *l, const char *arg)
{
	const char **v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (!v)
		return "out of memory";
	l->v = v;
	l->v[l->n++] = arg;
	return NULL;
}

/* Whatever chooses processes means mode 2, unless -m comes behind it. */
static const char *
choose_pid(const char *arg)
{
	process.mode = 2;
	return list_add(&process.probe.target.pids, arg);
}

static const char *
choose_session(const char *arg)
{
	process.mode = 2;
	return list_add(&process.probe.target.sessions, arg);
}

static const char *
choose_seed(const char *arg)
{
	char *end;
	long pid = strtol(arg, &end, 10);

	if (pid <= 0 || (*end && *end != ':') || (*end && strtol(end + 1, &end, 10) <= 0) || *end)
		return "is not PID or PID:PPID";
	if (process.seeds.n == SEEDS)
		return "too many of them (at most 4096)";
	process.mode = 2;
	return list_add(&process.seeds, arg);
}

/* Names with commas between them. */
static const char *
choose_comm(const char *arg)
{
	struct opt_list *comms = &process.probe.target.comms;
	char *copy = strdup(arg), *save, *name;
	const char *wrong = NULL;
	size_t before = comms->n;

	process.mode = 2;
	if (!copy)
		return "out of memory";
	for (name = strtok_r(copy, ",", &save); name && !wrong; name = strtok_r(NULL, ",", &save)) {
		char *end = name + strlen(name);

		while (*name == ' ' || *name == '\t')
			name++;
		while (end > name && (end[-1] == ' ' || end[-1] == '\t'))
			*--end = '\0';
		if (*name)
			wrong = list_add(comms, name);
	}
	return wrong || comms->n > before ? wrong : "names nothing";
}

static const char *
choose_cgroup(const char *arg)
{
	return list_add(&process.probe.target.cgroups, arg);
}

static const char *
set_mode(const char *arg)
{
	long long mode;
	const char *wrong = opt_number(arg, 0, 2, &mode);

	if (!wrong)
		process.mode = mode;
	return wrong;
}

/* The options that all probes share, where this one differs. */
static const struct opt *
shared_options(struct probe *p)
{
	static struct opt table[OPTIONS];
	const struct opt *from = probe_options(p);
	size_t i;

	for (i = 0; from[i].kind != OPT_END; i++) {
		struct opt *o = &table[i];

		*o = from[i];
		if (!o->name)
			continue;
		if (strcmp(o->name, "pid") == 0) {
			o->kind = OPT_CALL;
			o->call = choose_pid;
		} else if (strcmp(o->name, "session") == 0) {
			o->kind = OPT_CALL;
			o->call = choose_session;
		} else if (strcmp(o->name, "comm") == 0) {
			o->kind = OPT_CALL;
			o->arg = "LIST";
			o->call = choose_comm;
			o->help = "processes of these names (commas between), and descendants";
		} else if (strcmp(o->name, "duration") == 0) {
			o->letter = 0;	/* -d means something else here */
		}
	}
	table[i].kind = OPT_END;
	return table;
}

/* --- loading ----------------------------------------------------------------- */

static void
want(struct process *s)
{
	struct process_bpf *b = s->bpf;
	bool each = s->mode == 0 || s->trace_fs || s->trace_all;
	struct calls_want w = {
		.files = true, .net = true,
		.reads = !s->no_reads, .dirs = each, .signals = true,
	};

	calls_fill((struct call *)b->rodata->call_table,
	    sizeof(b->rodata->call_table) / sizeof(b->rodata->call_table[0]), &w);
	b->rodata->open_all = each;
	b->rodata->want_reads = w.reads;
	b->rodata->min_life_ns = s->min_life_ms * 1000000;
	if (s->mode == 1) {
		b->rodata->life_of_all = b->rodata->new_chosen = true;
		b->rodata->target_conf.tree |= TARGET_PID;
	}
}

/* Enters --seed-pid as chosen, so that following processes begins with them. */
static void
enter_seeds(struct process *s, struct proc_stat *stats)
{
	int map = bpf_map__fd(s->bpf->maps.target_procs);

	for (size_t i = 0; i < s->seeds.n; i++) {
		__u32 pid = atoi(s->seeds.v[i]), marks = TARGET_PID;

		if (proc_stat(pid, &stats[i]))
			stats[i].pid = 0;	/* it is gone: not an error */
		else if (bpf_map_update_elem(map, &pid, &marks, BPF_ANY))
			probe_fail("enter", s->seeds.v[i]);
	}
}

/* Takes out those that ended before exits were followed. */
static void
check_seeds(struct process *s, const struct proc_stat *stats)
{
	int map = bpf_map__fd(s->bpf->maps.target_procs);
	struct proc_stat now;

	for (size_t i = 0; i < s->seeds.n; i++) {
		__u32 pid = stats[i].pid;

		if (pid && (proc_stat(pid, &now) || now.start != stats[i].start))
			bpf_map_delete_elem(map, &pid);
	}
}

/* Jumps from on_syscall to the program for a class. */
static void
enter_classes(struct process *s)
{
	struct process_bpf *b = s->bpf;
	const struct bpf_program *of[CLASSES] = {
		[CLASS_OPEN] = b->progs.on_open, [CLASS_PATH] = b->progs.on_path,
		[CLASS_IO] = b->progs.on_io, [CLASS_CLOSE] = b->progs.on_close,
		[CLASS_NET] = b->progs.on_net, [CLASS_KILL] = b->progs.on_kill,
		[CLASS_MORE] = b->progs.on_more, [CLASS_EXEC] = b->progs.on_failed_exec,
		[CLASS_AIO] = b->progs.on_aio, [CLASS_DNS] = b->progs.on_dns,
		[CLASS_SEND] = b->progs.on_send, [CLASS_FAILED] = b->progs.on_failed_write,
	};

	for (__u32 i = 0; i < CLASSES; i++) {
		int fd = of[i] ? bpf_program__fd(of[i]) : -1;

		if (of[i] && bpf_map_update_elem(bpf_map__fd(b->maps.classes), &i, &fd, BPF_ANY))
			probe_fail("enter", "programs of system calls");
	}
}

static void
load(struct process *s)
{
	static struct proc_stat seeds[SEEDS];
	struct process_bpf *b = s->bpf = process_bpf__open();
	uint64_t since;

	if (!b)
		probe_fail("open", "BPF programs");
	if (s->mode == 1 || s->seeds.n)
		s->probe.target.conf.tree |= TARGET_PID;
	probe_configure(&s->probe, b->obj, &b->rodata->target_conf);
	want(s);
	bash_prepare(s);
	if (probe_load(&s->probe, b->skeleton))
		probe_refused(&s->probe);
	enter_classes(s);
	if (s->probe.check)
		return;
	enter_seeds(s, seeds);
	/* before the program that takes the marks of a process away */
	probe_attach(b->progs.on_exit, &b->links.on_exit, "tracepoint sched_process_exit");
	probe_follow(&s->probe, b->obj);
	check_seeds(s, seeds);
	since = clock_boot();
	probe_attach(b->progs.on_fork, &b->links.on_fork, "tracepoint sched_process_fork");
	probe_attach(b->progs.on_move, &b->links.on_move, "tracepoint cgroup_attach_task");
	probe_attach(b->progs.on_exec, &b->links.on_exec, "tracepoint sched_process_exec");
	probe_attach(b->progs.on_state, &b->links.on_state, "tracepoint inet_sock_set_state");
	probe_attach(b->progs.on_syscall, &b->links.on_syscall, "tracepoint sys_exit");
	probe_attach_uring(b->progs.on_uring, &b->links.on_uring);
	probe_attach(b->progs.on_signal, &b->links.on_signal, "tracepoint signal_generate");
	bash_start(s);
	if (!s->min_life_ms)
		life_seed(s, since);
	probe_give_up(&s->probe,
	    probe_can_multi() ? CAPS_BIT(CAP_PERFMON) : CAPS_BIT(CAP_SYS_ADMIN),
	    SANDBOX_CHILDREN);
}

static bool
anything_chosen(const struct process *s)
{
	const struct target *t = &s->probe.target;

	return t->pids.n || t->comms.n || t->sessions.n || t->uids.n || t->cgroups.n ||
	    t->containers.n || s->seeds.n;
}

static void
start(void *self)
{
	static const char *const everything[] = {
		"lifecycle", "changes", "network", "signals", "reads", NULL,
	};
	static const char *const without_reads[] = {
		"lifecycle", "changes", "network", "signals", NULL,
	};
	struct process *s = self;
	struct stat st;

	if (s->mode == 0) {	/* everything, whatever was chosen before */
		struct target *t = &s->probe.target;

		t->pids.n = t->comms.n = t->sessions.n = t->uids.n = s->seeds.n = 0;
	}
	s->probe.collects = s->no_reads ? without_reads : everything;
	if (stat("/proc/self/ns/mnt", &st) == 0)
		s->mnt_ns = st.st_ino;
	container_names(&s->containers);
	probe_start(&s->probe);
	files_tick(s, false);
	fds_tick(s, false);
	reads_tick(s, false);
	life_tick(s, false);
	net_tick(s);
	load(s);
}

int
main(int argc, char **argv)
{
	static struct process *s = &process;
	const struct probe_ops ops = { on_record, on_tick, on_detach };
	const struct opt own[] = {
		{ .kind = OPT_HEAD,
		    .help = "What to report (by default: lifecycle, files that are read "
		    "and changed, network, signals)" },
		{ .kind = OPT_FLAG, .name = "no-reads", .to = &s->no_reads,
		    .help = "not what is read of files" },
		{ .kind = OPT_FLAG, .name = "trace-fs", .to = &s->trace_fs,
		    .help = "each open for reading, also of what is not there,"
		    " and changes of directory" },
		{ .kind = OPT_FLAG, .name = "trace-net", .to = &s->trace_net,
		    .help = "network (by default)" },
		{ .kind = OPT_FLAG, .name = "trace-signals", .to = &s->trace_signals,
		    .help = "signals that are sent (by default)" },
		{ .kind = OPT_FLAG, .name = "trace-all", .to = &s->trace_all,
		    .help = "all of these" },
		{ .kind = OPT_TIME, .name = "window", .arg = "TIME", .to = &s->window,
		    .help = "count opens of the same path this long (1s; 0: write every one)" },
		{ .kind = OPT_TIME, .name = "interval", .arg = "TIME", .to = &s->interval,
		    .help = "emit bytes of open files this often (1s; 0: when they are closed)" },
		{ .kind = OPT_CALL, .letter = 'm', .name = "mode", .arg = "0|1|2", .call = set_mode,
		    .help = "0: everything of all processes; 1: lifecycle of all,"
		    " the rest of chosen ones"
		    " and of those that exec; 2: chosen ones (-p, -c, --session imply it)" },
		{ .kind = OPT_NUM, .letter = 'd', .name = "min-duration", .arg = "MS",
		    .to = &s->min_life_ms, .lo = 0, .hi = 1LL << 40,
		    .help = "no process.exec, and process.exit"
		    " only of processes that lived this long" },
		{ .kind = OPT_CALL, .name = "seed-pid", .arg = "PID[:PPID]", .call = choose_seed,
		    .help = "choose this process and its descendants; it may be gone; repeatable" },
		{ .kind = OPT_CALL, .name = "cgroup-filter", .arg = "PATH", .call = choose_cgroup,
		    .help = "the same as --cgroup" },
		{ .kind = OPT_FLAG, .name = "cgroup-filter-children", .to = &s->cgroup_below,
		    .help = "cgroups below it too (always so)" },
		{ .kind = OPT_END },
	};
	const struct opt_use use = {
		.name = "process", .synopsis = "[OPTION]...",
		.about = "Writes what processes do: programs, files, network, one line each.",
		.tables = { own, shared_options(&s->probe) },
	};
	const struct check check = { &use, (const char *const[]){ "--no-reads",
	    "-m 0 --trace-fs", "-m 1 --min-duration 1", "--trace-all", NULL }, start };

	probe_init(&s->probe, "process", reasons);
	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "unexpected operand");
	if (s->no_reads && (s->trace_fs || s->trace_all || s->mode == 0))
		opt_fail(&use, "--no-reads does not go with --trace-fs, --trace-all and -m 0");
	if (s->mode == 2 && !anything_chosen(s))
		opt_fail(&use, "-m 2 needs a choice of processes (-p, -c, ...)");
	if (s->probe.check)
		return check_run(&s->probe, &check, s);
	start(s);
	return probe_run(&s->probe, &ops, s);
}
