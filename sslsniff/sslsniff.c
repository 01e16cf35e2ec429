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
#include <pthread.h>
#include <stdatomic.h>
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
#include "hold.h"
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
	SLOW_MS = 100,		/* a file that takes longer is slow */
	SLOW_MAX = 8,		/* that are looked at at a time */
	WATCHER_NICE = -15,
};

struct sslsniff {
	struct probe probe;
	struct sslsniff_bpf *bpf;
	struct attach attach;	/* the watcher's, once it runs */
	struct watch watch;
	struct hold hold;	/* the watcher's; what it reports is anybody's */
	struct sites sites;	/* of the file at hand */
	struct lines lines;
	struct opt_list binaries, commands;
	const char *way, *inspect;
	uint64_t max_bytes;
	bool handshake, list, no_sleep, no_hold, json;
	uint64_t mapped;	/* the watcher: when the files at hand were */
	int whose;		/* process that maps the file at hand; 0: none */
	bool fresh;		/* the watcher: it has just done so, and may have to be held */
	size_t before;		/* and what was attached by then */
	bool no_functions;	/* none of the kernel's reports sockets */
	unsigned ticks, unseen;
	/* ours once all is attached, and of who looks at files; 0: as we are */
	uid_t uid;
	pthread_mutex_t attaching;	/* attach, sites, slow */
	pthread_cond_t slow_ended;
	unsigned slow;		/* files that are waited for */
	atomic_bool stopping;
	/* since the last tick: files not looked at to the end, connections of programs that
	 * were begun before they were attached */
	atomic_uint unseen_files, unseen_conns;
	int execs, answered;	/* the maps of these names */
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

static unsigned
take_unseen(struct sslsniff *s, atomic_uint *which)
{
	unsigned n = atomic_exchange(which, 0);

	s->probe.unseen += n;
	return n;
}

static void
on_tick(void *self)
{
	struct sslsniff *s = self;
	struct held held;

	while (hold_report(&s->hold, &held))
		lines_held(&s->lines, &held);
	loss_add(&s->probe.loss, "attached_late", take_unseen(s, &s->unseen_conns), 0);
	loss_add(&s->probe.loss, "not_inspected", take_unseen(s, &s->unseen_files), 0);
	if (s->ticks++ % SWEEP_TICKS)
		return;
	lines_sweep(&s->lines);
}

static void
on_detach(void *self)
{
	struct sslsniff *s = self;

	s->bpf->bss->stopped = true;
	atomic_store(&s->stopping, true);
	watch_close(&s->watch);
	pthread_mutex_lock(&s->attaching);
	while (s->slow)
		pthread_cond_wait(&s->slow_ended, &s->attaching);
	pthread_mutex_unlock(&s->attaching);
	attach_close(&s->attach);
	sslsniff_bpf__detach(s->bpf);
}

/* --- attaching ------------------------------------------------------------- */

/* What a program that began while we watched has done by now, before it was attached,
 * nobody saw. To be asked before it is attached, and after that when this says so. fd:
 * what is to be attached to, which process pid maps. */
static bool
is_ours_to_count(struct sslsniff *s, int fd, uint32_t pid)
{
	struct stat program, file;
	uint8_t one = 1;
	char exe[64];

	snprintf(exe, sizeof(exe), "/proc/%u/exe", pid);
	return pid && !stat(exe, &program) && !fstat(fd, &file) && program.st_ino == file.st_ino &&
	    program.st_dev == file.st_dev &&
	    !bpf_map_update_elem(s->answered, &pid, &one, BPF_NOEXIST);
}

static void
count_missed(struct sslsniff *s, uint32_t pid)
{
	struct exec e;

	if (!bpf_map_lookup_elem(s->execs, &pid, &e))
		atomic_fetch_add(&s->unseen_conns, e.dialed);
}

/* Attaches to an open file; must: failing is fatal. Else only when nothing could
 * ever be attached; one odd library in some container must not keep us from the
 * rest. */
static void
attach_found(struct sslsniff *s, int fd, const char *path, const struct found *found, bool must,
    int pid)
{
	const char *what = "";
	char names[2048], where[4400], after[64] = "";
	bool ours;

	if (!site_plan(&s->sites, found, s->handshake)) {
		if (must)
			errx(1, "--binary-path %s: %s", path, s->sites.why);
		if (found->nrefusal)
			probe_note(&s->probe, "not attached to %s: %s", path, s->sites.why);
		return;
	}
	ours = is_ours_to_count(s, fd, pid);
	if (attach_file(&s->attach, fd, &s->sites, &what)) {
		snprintf(where, sizeof(where), "%s in %s", what, path);
		if (!s->watch.running && (must || errno == EPERM || errno == EACCES))
			probe_fail("attach", where);
		warn("attach %s", where);
		return;
	}
	if (ours)
		count_missed(s, pid);
	site_names(&s->sites, names, sizeof(names));
	if (s->mapped)
		snprintf(after, sizeof(after), " %lu ms after it was mapped",
		    (clock_boot() - s->mapped) / 1000000);
	probe_note(&s->probe, "attached to %s%s: %s%s%s", path, after, names,
	    s->sites.why[0] ? "; but " : "", s->sites.why);
}

/* What a look at a file has given. */
static void
attach_looked(struct sslsniff *s, struct look *l, const char *path, bool must, int pid)
{
	struct found found;

	if (look_end(l, &found)) {
		if (must)
			err(1, "--binary-path %s", path);
		probe_note(&s->probe, "not attached to %s: %s", path, strerror(errno));
		return;
	}
	if (found.unseen) {
		warnx("not attached to %s: %s", path, found.refusal[0].reason);
		atomic_fetch_add(&s->unseen_files, 1);
	}
	attach_found(s, l->fd, path, &found, must, pid);
	found_free(&found);
}

/* A file that takes long is waited for by a thread of its own, so that others are
 * attached meanwhile. */
struct slow {
	struct sslsniff *s;
	struct look look;
	char path[4096];
	int pid;
};

static void *
wait_slow(void *arg)
{
	struct slow *w = arg;
	struct sslsniff *s = w->s;
	struct found none;

	while (!look_wait(&w->look, SLOW_MS) && !atomic_load(&s->stopping))
		;
	pthread_mutex_lock(&s->attaching);
	if (atomic_load(&s->stopping)) {
		w->look.apart.until_ms = 0;
		look_end(&w->look, &none);
		found_free(&none);
	} else {
		attach_looked(s, &w->look, w->path, false, w->pid);
	}
	s->slow--;
	pthread_cond_signal(&s->slow_ended);
	pthread_mutex_unlock(&s->attaching);
	close(w->look.fd);
	free(w);
	return NULL;
}

/* False: the caller is to wait. */
static bool
hand_over(struct sslsniff *s, struct look *l, const char *path)
{
	struct slow *w = s->slow < SLOW_MAX ? malloc(sizeof(*w)) : NULL;
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	if (!w)
		return false;
	w->s = s;
	w->look = *l;
	w->pid = s->whose;
	w->look.fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
	snprintf(w->path, sizeof(w->path), "%s", path);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = w->look.fd < 0 ? -1 : pthread_create(&t, &attr, wait_slow, w);
	pthread_attr_destroy(&attr);
	s->slow += !rc;
	if (!rc)
		return true;
	if (w->look.fd >= 0)
		close(w->look.fd);
	free(w);
	return false;
}

/* Whether programs are held that were chosen by name or number, as this one was. */
static bool
may_hold(struct sslsniff *s, int pid)
{
	return !s->no_hold && s->probe.target.conf.tree && target_has(&s->probe.target, pid);
}

/* Nothing is known of it yet, and to inspect it takes a while. */
static bool
is_long(const struct stat *st)
{
	struct found found;

	if (st->st_size < INSPECT_CACHE_MIN)
		return false;
	if (!cache_load(&found, st))
		return true;
	found_free(&found);
	return false;
}

struct worth {
	struct sslsniff *s;
	bool found;
};

static void
is_worth(void *arg, int fd, const char *path, int pid)
{
	struct worth *w = arg;
	struct stat st;

	(void)pid;
	if (!w->found && !fstat(fd, &st) && !attach_knows(&w->s->attach, &st))
		w->found = libs_named(path) || is_long(&st);
}

/* Who is held goes on, and is not held again for what it maps now. */
static void
let_run(struct sslsniff *s)
{
	if (s->hold.now.who.pid)
		hold_end(&s->hold, s->attach.nattached > s->before);
	s->fresh = false;
}

/* A program that has begun while we watched, and no connection yet, waits until what it
 * maps was looked at, when something of that takes a while or is TLS by its name. To be
 * asked before each file: more may have been mapped meanwhile. */
static void
hold_for(struct sslsniff *s)
{
	struct worth w = { s, false };
	uint32_t pid = s->whose;
	struct exec e;

	if (s->hold.now.who.pid && !hold_rest_ms(&s->hold))
		let_run(s);
	if (!s->fresh || s->hold.now.who.pid || !may_hold(s, pid) ||
	    bpf_map_lookup_elem(s->execs, &pid, &e) || e.dialed)
		return;
	libs_process(pid, true, is_worth, &w);
	if (w.found)
		hold_begin(&s->hold, pid);
}

static void
attach_one(struct sslsniff *s, int fd, const char *path, bool must)
{
	struct look l;
	struct stat st;
	bool keep;

	pthread_mutex_lock(&s->attaching);
	if (fstat(fd, &st) || attach_knows(&s->attach, &st)) {
		pthread_mutex_unlock(&s->attaching);
		return;
	}
	hold_for(s);
	attach_seen(&s->attach, &st);
	/* what is there before we begin is waited for, and the same in every run */
	keep = st.st_size >= INSPECT_CACHE_MIN || !s->watch.running;
	if (look_begin(&l, fd, keep, s->uid)) {
		if (must)
			err(1, "--binary-path %s", path);
		probe_note(&s->probe, "not attached to %s: %s", path, strerror(errno));
	} else if (!s->watch.running || look_wait(&l, s->hold.now.who.pid ? hold_rest_ms(&s->hold) :
	    SLOW_MS) || !hand_over(s, &l, path)) {
		look_wait(&l, -1);
		attach_looked(s, &l, path, must, s->whose);
	}
	pthread_mutex_unlock(&s->attaching);
}

static void
attach_lib(void *self, int fd, const char *path, int pid)
{
	struct sslsniff *s = self;

	s->whose = pid;
	attach_one(s, fd, path, false);
	s->whose = 0;
}

/* True: it was looked at. */
static bool
attach_process(struct sslsniff *s, int pid, bool all)
{
	char lacks[64];

	if (!target_has(&s->probe.target, pid))
		return false;
	if (libs_process(pid, all, attach_lib, s) && (errno == EACCES || errno == EPERM)) {
		caps_missing(CAPS_BIT(CAP_SYS_PTRACE), lacks, sizeof(lacks));
		if (*lacks && !s->unseen++)
			warnx("what process %d and others map: %s (lacks %s)", pid,
			    strerror(errno), lacks);
		else
			probe_note(&s->probe, "what process %d maps: %s", pid, strerror(errno));
	}
	return true;
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

/* For the watcher: something was mapped, perhaps by a process that has to be held. */
static bool
on_mapped(void *self, const struct watch_what *what)
{
	struct sslsniff *s = self;
	bool looked;

	s->mapped = what->when;
	if (!what->pid) {
		proc_each(attach_mapped, self);
		return false;
	}
	s->fresh = what->fresh;
	s->before = s->attach.nattached;
	looked = attach_process(s, what->pid, true);
	let_run(s);
	return looked;
}

/* For the watcher: whether somebody is to be let go soon. */
static bool
on_idle(void *self)
{
	struct sslsniff *s = self;

	return hold_tidy(&s->hold);
}

/* Every process of a container, from its first one down. */
static void
attach_container(struct sslsniff *s, const char *path)
{
	const char *why;
	int pid = container_pid(container_name(path), &why);
	size_t before = s->attach.nattached;

	if (pid < 0)
		errx(1, "--binary-path %s: %s", path, why);
	proc_each(attach_below, &(struct below){ s, pid });
	if (s->attach.nattached == before)
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
	attach_one(s, fd, path, true);
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
	attach_one(s, fd, to.program, false);
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
	if (!s->attach.nattached && !s->watch.cpu)
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

	if (!s->attach.multi)
		later |= CAPS_BIT(CAP_SYS_ADMIN);	/* perf uprobes before Linux 6.6 */
	/* a program runs on until the watcher has seen that it began; not being let is no
	 * error */
	if (!s->no_hold)
		setpriority(PRIO_PROCESS, 0, WATCHER_NICE);
	probe_confine(&s->probe, s->uid, SANDBOX_CHILDREN | (s->no_hold ? 0 : SANDBOX_HOLD));
	s->watch.again = on_idle;
	if (s->watch.cpu && (caps_keep(later) || watch_start(&s->watch, on_mapped, s)))
		err(1, "start the watcher");
	if (!s->no_hold)
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

	s->attach.multi = s->way ? strcmp(s->way, "multi") == 0 : probe_can_multi();
	b->rodata->can_sleep = sleep;
	for (int i = 0; i < SITE_PROGS; i++) {
		s->attach.progs[i] = progs[i];
		if (s->attach.multi)
			bpf_program__set_expected_attach_type(progs[i],
			    (enum bpf_attach_type)KERNEL_UPROBE_MULTI);
		if (!sleep)
			bpf_program__set_flags(progs[i],
			    bpf_program__flags(progs[i]) & ~BPF_F_SLEEPABLE);
	}
	probe_note(&s->probe, "%s, %s", s->attach.multi ? "uprobe_multi links" : "perf uprobes",
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

	b->links.on_exit = trace_attach(b->progs.on_exit);
	b->links.on_exec = trace_attach(b->progs.on_exec);
	if (!b->links.on_exit || !b->links.on_exec)
		probe_fail("attach", "tracepoints sched_process_exit and sched_process_exec");
	b->links.on_state = trace_attach(b->progs.on_state);
	if (!b->links.on_state)
		probe_fail("attach", "tracepoint inet_sock_set_state");
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
	s->execs = bpf_map__fd(b->maps.execs);
	s->answered = bpf_map__fd(b->maps.answered);
	s->attach.points = bpf_map__fd(b->maps.points);
	s->attach.methods = bpf_map__fd(b->maps.methods);
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

	s->uid = caps_uid();
	probe_start(&s->probe);
	load(s);
}

int
main(int argc, char **argv)
{
	static struct sslsniff s = { .max_bytes = 16 << 20, .attaching = PTHREAD_MUTEX_INITIALIZER,
	    .slow_ended = PTHREAD_COND_INITIALIZER };
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
		{ .kind = OPT_FLAG, .name = "no-hold", .to = &s.no_hold,
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
	if (!lines_open(&s.lines) || !hold_open(&s.hold))
		err(1, "memory");
	start(&s);
	return probe_run(&s.probe, &ops, &s);
}
