/*
 * sslsniff - the plaintext that passes TLS libraries
 *
 * reads   the read and write functions of every TLS library and program that the
 *         finders know, by uprobe; those of the chosen processes, as they start
 * writes  ssl.data per piece of a call, ssl.handshake, ssl.close
 * keeps   what lines.h does; which files were looked at
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "cache.h"
#include "caps.h"
#include "check.h"
#include "container.h"
#include "found.h"
#include "hook.h"
#include "inspect.h"
#include "kernel.h"
#include "libs.h"
#include "lines.h"
#include "list.h"
#include "look.h"
#include "opt.h"
#include "probe.h"
#include "proc.h"
#include "resolve.h"
#include "sandbox.h"
#include "show.h"
#include "sslsniff.h"
#include "sslsniff/sslsniff.skel.h"
#include "trace.h"
#include "watch.h"

enum {
	SWEEP_TICKS = 20,
	WATCHER_NICE = -15,
};

struct sslsniff {
	struct probe probe;
	struct sslsniff_bpf *bpf;
	struct watch watch;
	struct hook hook;	/* the watcher's, once it runs */
	const struct watch_what *what;	/* the watcher: who has mapped the files at hand */
	struct lines lines;
	struct opt_list binaries, commands;
	const char *way, *inspect;
	uint64_t max_bytes;
	bool handshake, list, no_sleep, json;
	bool no_functions;	/* none of the kernel's reports sockets */
	unsigned ticks, unseen;
};

static const char *const reasons[] = {
	"calls_full", "conns_full", "max_bytes", "names_full", "storage",
	"attached_late", NULL,
};

static void
on_record(void *self, const struct record *head, size_t n)
{
	struct sslsniff *s = self;

	lines_record(&s->lines, head, n);
}

/* What no program of ours has counted. */
static void
count_unseen(struct sslsniff *s)
{
	struct loss_who who;
	uint64_t conns = missed_take(&s->hook.missed, &who);
	unsigned files = atomic_exchange(&s->hook.unseen, 0);

	s->probe.unseen += conns + files;
	loss_add(&s->probe.loss, "attached_late", conns, 0);
	if (conns)
		loss_blame(&s->probe.loss, "attached_late", &who);
	loss_add(&s->probe.loss, "not_inspected", files, 0);
}

static void
on_tick(void *self)
{
	struct sslsniff *s = self;
	struct held held;

	while (hold_report(&s->hook.hold, &held))
		lines_held(&s->lines, &held);
	count_unseen(s);
	if (s->ticks++ % SWEEP_TICKS)
		return;
	lines_sweep(&s->lines);
}

static void
on_detach(void *self)
{
	struct sslsniff *s = self;

	s->bpf->bss->stopped = true;
	atomic_store(&s->hook.stopping, true);
	watch_close(&s->watch);
	hook_stop(&s->hook);
	hook_close(&s->hook);
	sslsniff_bpf__detach(s->bpf);
}

/* --- attaching ------------------------------------------------------------- */

static bool
is_same(const struct watch_file *w, const struct libs_file *f)
{
	return w->ino == f->ino && w->major == f->major && w->minor == f->minor;
}

static void
attach_lib(void *self, const struct libs_file *f)
{
	struct sslsniff *s = self;
	const struct watch_what *what = s->what;
	size_t n = what ? what->n : 0, at = 0;
	bool looked;

	while (at < n && !is_same(&what->file[at]->file, f))
		at++;
	s->hook.who = (struct mapper){ .pid = f->pid, .ino = f->ino };
	if (n)
		s->hook.who.when = what->file[at < n ? at : 0]->when;
	looked = hook_file(&s->hook, f->fd, f->path, false);
	for (; looked && at < n; at++)
		what->file[at]->looked |= is_same(&what->file[at]->file, f);
	s->hook.who.pid = 0;
}

static void
attach_process(struct sslsniff *s, int pid, bool all)
{
	char lacks[64];

	if (!target_has(&s->probe.target, pid))
		return;
	if (libs_process(pid, all, attach_lib, s) && (errno == EACCES || errno == EPERM)) {
		caps_missing(CAPS_BIT(CAP_SYS_PTRACE), lacks, sizeof(lacks));
		if (*lacks && !s->unseen++)
			warnx("what process %d and others map: %s (lacks %s)", pid,
			    strerror(errno), lacks);
		else
			probe_note(&s->probe, "what process %d maps: %s", pid, strerror(errno));
	}
}

struct below {
	struct sslsniff *s;
	int top;
};

static bool
attach_below(void *arg, int pid)
{
	struct below *b = arg;
	struct proc_stat st = { .ppid = pid };

	do {
		if (st.ppid == b->top) {
			libs_process(pid, true, attach_lib, b->s);
			break;
		}
	} while (st.ppid > 1 && proc_stat(st.ppid, &st) == 0);
	return false;
}

static bool
attach_named(void *self, int pid)
{
	attach_process(self, pid, false);
	return false;
}

static bool
attach_mapped(void *self, int pid)
{
	attach_process(self, pid, true);
	return false;
}

/* For the watcher: something was mapped, perhaps by a process that has to be held, or
 * by one that is over. */
static void
on_mapped(void *self, const struct watch_what *what)
{
	struct sslsniff *s = self;

	if (!what->pid) {
		if (what->lost)
			probe_note(&s->probe, "the kernel dropped some of what was mapped: all "
			    "processes are looked at");
		proc_each(attach_mapped, self);
		if (what->lost)
			missed_count_ended(&s->hook.missed);
		return;
	}
	s->what = what;
	s->hook.fresh = what->fresh;
	s->hook.before = s->hook.attach.nattached;
	if (!atomic_load(&s->hook.stopping))
		attach_process(s, what->pid, true);
	hook_done(&s->hook);
	for (size_t i = 0; i < what->n; i++)
		if (!what->file[i]->looked)
			what->file[i]->looked = hook_gone(&s->hook, what->pid, what->file[i]);
	s->hook.who.pid = 0;
	s->what = NULL;
}

static bool
on_idle(void *self, uint64_t then)
{
	struct sslsniff *s = self;

	return hook_tidy(&s->hook, then);
}

/* Every process of a container, from its first one down. */
static void
attach_container(struct sslsniff *s, const char *path)
{
	const char *why;
	int pid = container_pid(container_name(path), &why);
	size_t before = s->hook.attach.nattached;

	if (pid < 0)
		errx(1, "--binary-path %s: %s", path, why);
	proc_each(attach_below, &(struct below){ s, pid });
	if (s->hook.attach.nattached == before)
		errx(1, "--binary-path %s: no TLS functions found in what its processes map", path);
}

static void
attach_binary(struct sslsniff *s, const char *path)
{
	int fd;

	if (container_name(path)) {
		attach_container(s, path);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "--binary-path %s", path);
	hook_file(&s->hook, fd, path, true);
	close(fd);
}

/* What a command will run: an interpreter or a program with TLS of its own is
 * known then before it has sent anything. */
static void
attach_command(struct sslsniff *s, const char *word)
{
	struct resolved to;
	int fd;

	if (resolve_command(&to, word)) {
		probe_note(&s->probe, "--command %s: %s", word, to.why);
		return;
	}
	fd = open(to.program, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		probe_note(&s->probe, "--command %s: %s: %s", word, to.program, strerror(errno));
		return;
	}
	hook_file(&s->hook, fd, to.program, false);
	close(fd);
}

/* What is chosen by name or number is attached before we say that we are ready;
 * of a whole system only what is known by its name, and the rest at once after. */
static void
attach_all(struct sslsniff *s)
{
	bool few = s->probe.target.conf.tree || s->probe.target.conf.nsession;

	if (watch_open(&s->watch)) {
		warn("watch for programs and libraries that start later");
		watch_close(&s->watch);
	}
	for (size_t i = 0; i < s->binaries.n; i++)
		attach_binary(s, s->binaries.v[i]);
	for (size_t i = 0; i < s->commands.n; i++)
		attach_command(s, s->commands.v[i]);
	libs_host(attach_lib, s);
	proc_each(few ? attach_mapped : attach_named, s);
	if (!s->watch.cpu && !few)
		proc_each(attach_mapped, s);
	if (!s->hook.attach.nattached && !s->watch.cpu)
		warnx("no TLS library found on this host or in the chosen processes: "
		    "nothing will be seen (see --list)");
}

/* From now on only what attaching later needs is kept, and by the watcher alone:
 * other processes' files, BPF links. Reading the ring and the maps needs nothing;
 * our own pipeline is known by its descriptors in /proc. */
static void
give_up_privileges(struct sslsniff *s)
{
	uint64_t read_others = CAPS_BIT(CAP_SYS_PTRACE) | CAPS_BIT(CAP_DAC_READ_SEARCH);
	uint64_t later = read_others | CAPS_BIT(CAP_BPF) | CAPS_BIT(CAP_PERFMON) |
	    CAPS_BIT(CAP_CHECKPOINT_RESTORE);
	int nice = getpriority(PRIO_PROCESS, 0);

	if (!s->hook.attach.multi)
		later |= CAPS_BIT(CAP_SYS_ADMIN);	/* perf uprobes before Linux 6.6 */
	/* a program runs on until the watcher has seen that it began; not being let is no
	 * error */
	if (!s->hook.no_hold)
		setpriority(PRIO_PROCESS, 0, WATCHER_NICE);
	probe_confine(&s->probe, s->hook.uid,
	    SANDBOX_CHILDREN | (s->hook.no_hold ? 0 : SANDBOX_HOLD));
	s->watch.again = on_idle;
	s->hook.running = s->watch.cpu != NULL;
	if (s->watch.cpu && (caps_keep(later) || watch_start(&s->watch, on_mapped, s)))
		err(1, "start the watcher");
	if (!s->hook.no_hold)
		setpriority(PRIO_PROCESS, 0, nice);
	if (caps_keep(CAPS_BIT(CAP_SYS_PTRACE) | CAPS_BIT(CAP_BPF)))
		err(1, "give up privileges");
}

/* How to attach: what the kernel has, unless asked otherwise. */
static void
choose_way(struct sslsniff *s)
{
	struct sslsniff_bpf *b = s->bpf;
	struct bpf_program *progs[SITE_PROGS] = {
		[SITE_ENTER] = b->progs.on_enter, [SITE_LEAVE] = b->progs.on_leave,
		[SITE_NEW] = b->progs.on_new, [SITE_FREE] = b->progs.on_free,
		[SITE_NAME] = b->progs.on_name, [SITE_ENCRYPT] = b->progs.on_encrypt,
		[SITE_DECRYPT] = b->progs.on_decrypt, [SITE_DECRYPTED] = b->progs.on_decrypted,
		[SITE_GO_ENTER] = b->progs.on_go_enter, [SITE_GO_LEAVE] = b->progs.on_go_leave,
		[SITE_GO_FREE] = b->progs.on_go_free,
	};
	bool sleep = !s->no_sleep && probe_can_sleep();

	s->hook.attach.multi = s->way ? strcmp(s->way, "multi") == 0 : probe_can_multi();
	b->rodata->can_sleep = sleep;
	for (int i = 0; i < SITE_PROGS; i++) {
		s->hook.attach.progs[i] = progs[i];
		if (s->hook.attach.multi)
			bpf_program__set_expected_attach_type(progs[i],
			    (enum bpf_attach_type)KERNEL_UPROBE_MULTI);
		if (!sleep)
			bpf_program__set_flags(progs[i],
			    bpf_program__flags(progs[i]) & ~BPF_F_SLEEPABLE);
	}
	probe_note(&s->probe, "%s, %s",
	    s->hook.attach.multi ? "uprobe_multi links" : "perf uprobes",
	    sleep ? "pages are faulted in" : "pages that are not resident are lost (and counted)");
}

/* Which programs report what sockets send and receive. */
static void
choose_sockets(struct sslsniff *s)
{
	struct sslsniff_bpf *b = s->bpf;
	bool tracepoints = kernel_btf_names("trace_event_raw_sock_msg_length");
	bool functions = !tracepoints && !s->no_functions && kernel_btf_names("tcp_sendmsg") &&
	    kernel_btf_names("tcp_recvmsg");

	bpf_program__set_autoload(b->progs.on_send, tracepoints);
	bpf_program__set_autoload(b->progs.on_recv, tracepoints);
	bpf_program__set_autoload(b->progs.on_sent, functions);
	bpf_program__set_autoload(b->progs.on_received, functions);
}

/* Attaches them; false: nothing reports it, errno why. */
static bool
attach_sockets(struct sslsniff *s)
{
	struct sslsniff_bpf *b = s->bpf;

	if (bpf_program__autoload(b->progs.on_send)) {
		b->links.on_send = trace_attach(b->progs.on_send);
		b->links.on_recv = trace_attach(b->progs.on_recv);
		return b->links.on_send && b->links.on_recv;
	}
	errno = ENOENT;
	if (!bpf_program__autoload(b->progs.on_sent))
		return false;
	b->links.on_sent = bpf_program__attach(b->progs.on_sent);
	b->links.on_received = bpf_program__attach(b->progs.on_received);
	return b->links.on_sent && b->links.on_received;
}

static void
attach_tracepoints(struct sslsniff *s)
{
	struct sslsniff_bpf *b = s->bpf;

	probe_attach(b->progs.on_exit, &b->links.on_exit, "tracepoint sched_process_exit");
	probe_attach(b->progs.on_exec, &b->links.on_exec, "tracepoint sched_process_exec");
	probe_attach(b->progs.on_fork, &b->links.on_fork, "tracepoint sched_process_fork");
	probe_attach(b->progs.on_state, &b->links.on_state, "tracepoint inet_sock_set_state");
	if (!attach_sockets(s))
		probe_note(&s->probe,
		    "nothing reports what sockets do (%s): fd, peer and local are not known",
		    strerror(errno));
}

/* Opens, sets and loads the programs; -1 with errno. */
static int
load_programs(struct sslsniff *s)
{
	struct sslsniff_bpf *b = s->bpf = sslsniff_bpf__open();

	if (!b)
		probe_fail("open", "BPF programs");
	probe_configure(&s->probe, b->obj, &b->rodata->target_conf);
	b->rodata->max_bytes = s->max_bytes;
	b->rodata->emit_handshakes = s->handshake;
	choose_sockets(s);
	choose_way(s);
	return probe_load(&s->probe, b->skeleton);
}

static void
load(struct sslsniff *s)
{
	struct sslsniff_bpf *b;

	if (load_programs(s)) {
		/* not every kernel lets programs look at its functions' ends */
		if (!bpf_program__autoload(s->bpf->progs.on_sent))
			probe_refused(&s->probe);
		sslsniff_bpf__destroy(s->bpf);
		s->no_functions = true;
		if (load_programs(s))
			probe_refused(&s->probe);
	}
	if (s->probe.check)
		return;
	b = s->bpf;
	s->hook.missed.execs = bpf_map__fd(b->maps.execs);
	s->hook.missed.ended = bpf_map__fd(b->maps.ended);
	s->hook.missed.answered = bpf_map__fd(b->maps.answered);
	s->hook.missed.last_dialed = (const volatile uint64_t *)&b->bss->last_dialed;
	s->hook.attach.points = bpf_map__fd(b->maps.points);
	s->hook.attach.methods = bpf_map__fd(b->maps.methods);
	s->lines.probe = &s->probe;
	s->lines.names = bpf_map__fd(b->maps.names);
	s->lines.conns = bpf_map__fd(b->maps.conns);
	s->lines.images = bpf_map__fd(b->maps.images);
	s->lines.aliases = bpf_map__fd(b->maps.aliases);
	s->lines.gocalls = bpf_map__fd(b->maps.gocalls);
	probe_follow(&s->probe, b->obj);
	attach_tracepoints(s);
	attach_all(s);
	malloc_trim(0);		/* the kernel's types, which loading needed */
	give_up_privileges(s);
}

/* --inspect FILE, or a command: then what is run in the end */
static int
inspect_file(const struct sslsniff *s)
{
	char said[4096], command[4096];
	struct resolved to;
	struct line_out out;
	struct found found;
	int fd;

	if (resolve_command(&to, s->inspect))
		errx(1, "--inspect %s: %s", s->inspect, to.why);
	fd = open(to.program, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || look_at(&found, fd, true, caps_uid()))
		err(1, "--inspect %s", to.program);
	close(fd);
	if (s->json) {
		line_out_init(&out, STDOUT_FILENO);
		inspect_json(&out, to.program, &found);
		line_flush(&out);
		errno = out.err;
	} else {
		if (to.why[0])
			printf("%s: %s; what follows is %s:\n",
			    show_text(said, sizeof(said), s->inspect),
			    show_text(command, sizeof(command), to.command), to.why);
		inspect_text(stdout, to.program, &found);
		fflush(stdout);
		errno = ferror(stdout) ? errno : 0;
	}
	if (errno)
		err(1, "write standard output");
	return found.nsite ? 0 : 1;
}

static void
start(void *self)
{
	struct sslsniff *s = self;

	s->hook.uid = caps_uid();
	probe_start(&s->probe);
	load(s);
}

int
main(int argc, char **argv)
{
	static struct sslsniff s = { .max_bytes = 16 << 20 };
	const struct probe_ops ops = { on_record, on_tick, on_detach };
	const struct opt own[] = {
		{ .kind = OPT_HEAD, .help = "TLS" },
		{ .kind = OPT_LIST, .name = "binary-path", .arg = "FILE", .to = &s.binaries,
		    .help = "attach to this program or library too, or to docker://NAME; "
		    "repeatable" },
		{ .kind = OPT_LIST, .name = "command", .arg = "WORD", .to = &s.commands,
		    .help = "attach to what this command would run, if it has TLS of its own; "
		    "repeatable" },
		{ .kind = OPT_FLAG, .name = "handshake", .to = &s.handshake,
		    .help = "write ssl.handshake events" },
		{ .kind = OPT_SIZE, .name = "max-bytes", .arg = "SIZE", .to = &s.max_bytes,
		    .lo = 1, .hi = 1 << 30, .help = "captured of one call (16M)" },
		{ .kind = OPT_FLAG, .name = "list", .to = &s.list,
		    .help = "say what TLS the chosen processes use and what would be hooked" },
		{ .kind = OPT_STR, .name = "inspect", .arg = "FILE", .to = &s.inspect,
		    .help = "say what TLS functions are in this file or command, and why not" },
		{ .kind = OPT_FLAG, .name = "json", .to = &s.json,
		    .help = "--inspect as an event line" },
		{ .kind = OPT_STR, .name = "attach", .arg = "WAY", .to = &s.way,
		    .help = "multi or perf: how to attach (the best that the kernel has)" },
		{ .kind = OPT_FLAG, .name = "no-hold", .to = &s.hook.no_hold,
		    .help = "do not stop a program that begins until it is attached" },
		{ .kind = OPT_FLAG, .name = "no-sleep", .to = &s.no_sleep,
		    .help = "do not fault pages in; count them as lost" },
		{ .kind = OPT_END },
	};
	const struct opt_use use = {
		.name = "sslsniff", .synopsis = "[OPTION]...",
		.about = "Writes the plaintext that passes TLS libraries, as ssl.data lines.",
		.tables = { own, probe_options(&s.probe) },
	};
	const struct check check = { &use, (const char *const[]){ "--no-sleep",
	    "--attach perf", "--attach perf --no-sleep --handshake", "--handshake", NULL }, start };

	probe_init(&s.probe, "sslsniff", reasons);
	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "unexpected operand");
	if (s.way && strcmp(s.way, "multi") && strcmp(s.way, "perf"))
		opt_fail(&use, "--attach %s: neither multi nor perf", s.way);
	if (s.inspect)
		return inspect_file(&s);
	if (s.list)
		return list_targets(&s.probe.target);
	if (s.probe.check)
		return check_run(&s.probe, &check, &s);
	s.hook.probe = &s.probe;
	if (!lines_open(&s.lines) || !hook_open(&s.hook))
		err(1, "memory");
	start(&s);
	return probe_run(&s.probe, &ops, &s);
}
