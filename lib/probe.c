/*
 * probe.c - the life of a collector; see probe.h
 *
 * reads   the ring, our programs' counters every 100 ms, the kernel's own every
 *         second, /proc of new processes
 * writes  lines by the collector's own hand, loss events, a summary on stderr
 * keeps   what /proc said of a process, for up to PROCESSES of them
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "books.h"
#include "caps.h"
#include "kernel.h"
#include "opt.h"
#include "probe.h"
#include "proc.h"
#include "sandbox.h"
#include "trace.h"

enum {
	PROCESSES = 4096,		/* power of two */
	ROUND = 4096,			/* records before other duties */
	TICK_NS = 100000000,
	NAP_NS = 1000000,		/* between rounds while there is something */
	NAPS = 2,			/* empty rounds before a long wait */
	OWN_NS = 1000000000,		/* between looks at all processes */
	/* ... at what the kernel left out: a call for each program */
	SKIPS_NS = 1000000000,
	AGAIN_NS = 500000000,
};

struct probe_process {
	uint64_t born;
	uint32_t pid;
	bool ours;
	char container[13];
};

static struct {
	volatile sig_atomic_t stop, report;
	uint64_t requested;	/* boot ns of the first SIGINT */
} signals;

static void
on_signal(int sig)
{
	uint64_t now = clock_boot();

	if (sig == SIGUSR1) {
		signals.report = 1;
		return;
	}
	signals.stop = 1;
	if (sig != SIGINT)
		return;
	/* asked twice: now. But a terminal and a wrapper (timeout, sudo) may
	 * both pass on what was asked once. */
	if (signals.requested && now - signals.requested > AGAIN_NS)
		_exit(130);
	if (!signals.requested)
		signals.requested = now;
}

void
probe_init(struct probe *p, const char *name, const char *const *reasons)
{
	memset(p, 0, sizeof(*p));
	p->name = name;
	p->reasons = reasons;
	p->ring_size = 16 << 20;
	p->ready_fd = p->self_fd = -1;
	p->out_fd = STDOUT_FILENO;
	p->counts_fd = -1;
	loss_init(&p->loss, name);
}

const struct opt *
probe_options(struct probe *p)
{
	static struct opt table[24];
	struct target *t = &p->target;
	const struct opt all[] = {
		{ .kind = OPT_HEAD, .help = "What to observe (nothing given: the whole system)" },
		{ .kind = OPT_LIST, .letter = 'p', .name = "pid", .arg = "PID", .to = &t->pids,
		    .help = "this process and its descendants; repeatable, as the next ones" },
		{ .kind = OPT_LIST, .letter = 'c', .name = "comm", .arg = "NAME", .to = &t->comms,
		    .help = "processes of this name (theirs, a thread's, the executable's,"
		    " what they were called by, or their script's), and descendants" },
		{ .kind = OPT_LIST, .letter = 'u', .name = "uid", .arg = "USER", .to = &t->uids,
		    .help = "processes of this user, by number or name" },
		{ .kind = OPT_LIST, .name = "session", .arg = "SID", .to = &t->sessions,
		    .help = "processes of this session" },
		{ .kind = OPT_LIST, .name = "cgroup", .arg = "PATH", .to = &t->cgroups,
		    .help = "processes in this cgroup (v2) or below" },
		{ .kind = OPT_LIST, .name = "container", .arg = "NAME|ID", .to = &t->containers,
		    .help = "processes in this container, or those of this pod,"
		    " also such that begin later" },
		{ .kind = OPT_FLAG, .name = "no-children", .to = &t->no_children,
		    .help = "-p and -c without descendants" },
		{ .kind = OPT_FLAG, .name = "from-exec", .to = &t->from_exec,
		    .help = "processes of -p only from the next program on that they execute" },
		{ .kind = OPT_HEAD, .help = "How" },
		{ .kind = OPT_TIME, .letter = 'd', .name = "duration", .arg = "TIME",
		    .to = &p->duration, .help = "stop after this time (2s, 5m, ...)" },
		{ .kind = OPT_STR, .letter = 'o', .name = "output", .arg = "FILE", .to = &p->output,
		    .help = "write to FILE instead of standard output" },
		{ .kind = OPT_NUM, .name = "ready-fd", .arg = "FD", .to = &p->ready_fd, .lo = 0,
		    .hi = 1 << 20, .help = "write a newline there once all probes are attached" },
		{ .kind = OPT_NUM, .name = "self-fd", .arg = "FD", .to = &p->self_fd, .lo = 0,
		    .hi = 1 << 20, .help = "a file open there names our own pipeline's processes,"
		    " a pid a line; no others are taken for it" },
		{ .kind = OPT_SIZE, .name = "ring-size", .arg = "SIZE", .to = &p->ring_size,
		    .lo = 64 << 10, .hi = 1 << 30, .help = "of the kernel's ring buffer (16M)" },
		{ .kind = OPT_FLAG, .name = "fail-on-loss", .to = &p->fail_on_loss,
		    .help = "exit 3 when anything was lost" },
		{ .kind = OPT_FLAG, .name = "check", .to = &p->check,
		    .help = "load the BPF programs with every set of options, attach none, and say "
		    "what the kernel refuses" },
		{ .kind = OPT_FLAG, .letter = 'q', .name = "quiet", .to = &p->quiet,
		    .help = "no summary at the end" },
		{ .kind = OPT_FLAG, .letter = 'v', .name = "verbose", .to = &p->verbose,
		    .help = "say what is attached and how" },
		{ .kind = OPT_END },
	};

	memcpy(table, all, sizeof(all));
	return table;
}

void
probe_confine(struct probe *p, uid_t uid, unsigned more)
{
	struct sandbox box;

	if (caps_leave_root(uid))
		err(1, "become user %u", (unsigned)uid);
	if (geteuid() == 0)
		probe_note(p, "stays root: becoming somebody else needs CAP_SETUID and CAP_SETGID");
	sandbox_init(&box, SANDBOX_BPF | SANDBOX_THREADS | more);
	if (sandbox_enter(&box) < 0)
		err(1, "enter the sandbox");
}

void
probe_give_up(struct probe *p, uint64_t more, unsigned sandbox)
{
	probe_confine(p, caps_uid(), sandbox);
	if (caps_keep(more | CAPS_BIT(CAP_BPF) | CAPS_BIT(CAP_SYS_PTRACE) |
	    CAPS_BIT(CAP_DAC_READ_SEARCH)))
		err(1, "give up privileges");
}

void
probe_note(const struct probe *p, const char *fmt, ...)
{
	va_list ap;

	if (!p->verbose)
		return;
	va_start(ap, fmt);
	vwarnx(fmt, ap);
	va_end(ap);
}

/* What a collector needs, and what of it this one lacks. */
static const char *
permission_hint(void)
{
	static char hint[256];
	char missing[64];

	caps_missing(CAPS_BIT(CAP_BPF) | CAPS_BIT(CAP_PERFMON), missing, sizeof(missing));
	if (*missing)
		snprintf(hint, sizeof(hint),
		    " (lacks %s: needs root, or CAP_BPF and CAP_PERFMON on "
		    "Linux 6.6 or newer, else CAP_SYS_ADMIN)", missing);
	else
		snprintf(hint, sizeof(hint), " (has CAP_BPF and CAP_PERFMON; before Linux 6.6 "
		    "CAP_SYS_ADMIN is needed too, and a locked-down kernel refuses either way)");
	return hint;
}

void
probe_fail(const char *act, const char *object)
{
	int e = errno;
	const char *hint = "";

	if (e == EPERM || e == EACCES)
		hint = permission_hint();
	else if (e == ENOENT || e == ESRCH)
		hint = " (does /sys/kernel/btf/vmlinux exist? See agentsight doctor)";
	else if (e == ENOMEM)
		hint = " (a smaller --ring-size may help)";
	errx(1, "%s %s: %s%s", act, object, strerror(e), hint);
}

/* With --check -v. To stderr, as all that is no event. */
static void
report_frames(const char *program, const char *frames, int private)
{
	fprintf(stderr, "%s: stack %s", program, frames);
	if (private >= 0)
		fprintf(stderr, ", %d private", private);
	fputc('\n', stderr);
}

int
probe_load(struct probe *p, struct bpf_object_skeleton *s)
{
	return load_object(&p->load, s, p->check && p->verbose ? report_frames : NULL);
}

void
probe_refused(const struct probe *p)
{
	int e = errno;
	struct utsname u;

	uname(&u);
	/* not what errno says: that is "Permission denied" for most of the verifier's
	 * reasons, and no privilege would help */
	if (p->load.program[0])
		errx(1, "load BPF program %s: this kernel's verifier refuses it: %s (Linux %s)",
		    p->load.program, p->load.why, u.release);
	errno = e;
	if (e == EPERM || e == EACCES || !p->load.why[0])
		probe_fail("load", "BPF programs");
	errx(1, "load BPF programs: %s (Linux %s; agentsight doctor says what it lacks)",
	    p->load.why, u.release);
}

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	/* unconditionally: sh starts background jobs with SIGINT ignored */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL);	/* a write says EFBIG then */
}

/* Recordings are private, and belong to who asked for them. */
static int
open_output(const char *path)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		if (geteuid() == 0 && uid && gid && fchown(fd, atoi(uid), atoi(gid)))
			warn("chown %s", path);
		return fd;
	}
	return errno == EEXIST ? open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;
}

/* The first line: nothing is seen before. */
static void
begin_books(struct probe *p)
{
	const struct books b = {
		.stage = p->name, .timestamp_ns = clock_epoch(&p->clock, clock_boot()),
		.pid = getpid(),
		.collects = p->collects,
	};

	books_begin(&p->out, &b);
}

void
probe_start(struct probe *p)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const char *wrong = target_parse(&p->target);

	if (wrong)
		errx(2, "%s", wrong);
	if (p->ready_fd >= 0 && fcntl(p->ready_fd, F_GETFD) < 0)
		err(2, "--ready-fd %" PRId64, p->ready_fd);
	if (p->self_fd >= 0 && fcntl(p->self_fd, F_GETFD) < 0)
		err(2, "--self-fd %" PRId64, p->self_fd);
	if (p->output && strcmp(p->output, "-")) {
		p->out_fd = open_output(p->output);
		if (p->out_fd < 0)
			err(1, "open %s", p->output);
	}
	line_out_init(&p->out, p->out_fd);
	p->out.watch = p->output && p->out_fd != STDOUT_FILENO;
	p->processes = calloc(PROCESSES, sizeof(*p->processes));
	if (!p->processes)
		err(1, "memory");
	catch_signals();
	clock_init(&p->clock);
	begin_books(p);
	load_listen(p->verbose);
	/* only kernels before 5.11 account BPF memory there, and without
	 * CAP_SYS_RESOURCE it cannot be raised: never fatal */
	setrlimit(RLIMIT_MEMLOCK, &all);
}

/* The maps are made for one CPU: place.bpf.h. */
static void
size_places(struct bpf_object *o, const char *name)
{
	struct bpf_map *places = bpf_object__find_map_by_name(o, name);
	int n = libbpf_num_possible_cpus();

	if (places && (n < 1 ||
	    bpf_map__set_max_entries(places, bpf_map__max_entries(places) + n - 1)))
		probe_fail("size", "memory of the BPF programs");
}

/* Tells the programs in which pid namespace we are: kernel.bpf.h. */
static void
set_pid_ns(struct bpf_object *o)
{
	enum { HOST = 0xeffffffc };	/* PROC_PID_INIT_INO, <linux/proc_ns.h> */
	struct stat st;
	__u32 number;

	if (stat("/proc/self/ns/pid", &st))
		probe_fail("stat", "/proc/self/ns/pid");
	number = st.st_ino;
	if (number != HOST && !trace_constant(o, "pid_ns", &number, sizeof(number)))
		probe_fail("set", "pid namespace");
}

void
probe_configure(struct probe *p, struct bpf_object *o, struct target_conf *conf)
{
	struct bpf_map *ring = bpf_object__find_map_by_name(o, "ring");
	uint64_t size = sysconf(_SC_PAGESIZE);

	while (size < p->ring_size)	/* the kernel wants a power of two */
		size *= 2;
	p->ring_size = size;
	*conf = p->target.conf;
	if (!ring || bpf_map__set_max_entries(ring, size))
		probe_fail("size", "ring buffer");
	size_places(o, "places");
	size_places(o, "target_rooms");
	set_pid_ns(o);
	trace_prepare(o);
}

void
probe_follow(struct probe *p, struct bpf_object *o)
{
	const char *what = NULL;

	p->counts_fd = bpf_object__find_map_fd_by_name(o, "counts");
	p->ncpu = libbpf_num_possible_cpus();
	if (p->counts_fd < 0 || p->ncpu < 1)
		probe_fail("find", "counters");
	if (ring_open(&p->ring, bpf_object__find_map_fd_by_name(o, "ring"), p->ring_size,
	    bpf_object__find_map_fd_by_name(o, "ring_asleep")))
		probe_fail("map", "ring buffer");
	if (blame_open(&p->blame, bpf_object__find_map_fd_by_name(o, "losers")))
		probe_fail("read", "processes that lose");
	if (skips_open(&p->skips, o))
		probe_fail("count", "BPF programs");
	if (target_attach(&p->target, o, &what))
		probe_fail("follow", what);
	self_init(&p->self_pids, &p->target, p->out_fd, p->self_fd);
	self_scan(&p->self_pids);
}

void
probe_attach(struct bpf_program *program, struct bpf_link **link, const char *what)
{
	*link = trace_attach(program);
	if (!*link)
		probe_fail("attach", what);
}

void
probe_attach_uring(struct bpf_program *program, struct bpf_link **link)
{
	*link = trace_attach(program);
	if (!*link && errno != ENOENT)		/* ENOENT: a kernel without io_uring */
		probe_fail("attach", "tracepoint io_uring_submit_req");
}

/* --- events ---------------------------------------------------------------- */

/* Those who are said to be ours when something of them was looked at already. */
static void
read_self(struct probe *p)
{
	if (!self_more(&p->self_pids))
		return;
	for (int i = 0; i < PROCESSES; i++)
		if (p->processes[i].pid && target_excluded(&p->target, p->processes[i].pid))
			p->processes[i].ours = true;
}

static struct probe_process *
process_of(struct probe *p, const struct record *r)
{
	struct probe_process *q = &p->processes[r->pid & (PROCESSES - 1)];

	if (q->pid == r->pid && q->born == r->born)
		return q;
	memset(q, 0, sizeof(*q));
	q->pid = r->pid;
	q->born = r->born;
	proc_container(r->pid, q->container);
	read_self(p);
	q->ours = self_check(&p->self_pids, r->pid);
	p->own_due = true;
	return q;
}

void
probe_child(struct probe *p, const struct record *parent, uint32_t pid, uint64_t born)
{
	struct probe_process q = *process_of(p, parent);

	q.pid = pid;
	q.born = born;
	p->processes[pid & (PROCESSES - 1)] = q;
	p->own_due = true;
}

void
probe_exec(struct probe *p, const struct record *r, const char *exe, size_t n)
{
	struct probe_process *q = process_of(p, r);

	/* who was said to be ours since it was looked at runs its program only then */
	if (!q->ours)
		read_self(p);
	if (!q->ours)
		q->ours = self_check_exec(&p->self_pids, r->pid, exe, n);
}

void
probe_moved(struct probe *p, uint32_t pid)
{
	struct probe_process *q = &p->processes[pid & (PROCESSES - 1)];

	if (q->pid == pid)
		memset(q, 0, sizeof(*q));
}

bool
probe_contained(struct probe *p, const struct record *r)
{
	return process_of(p, r)->container[0];
}

bool
probe_extra(struct probe *p, struct jput *j, const char *type, const struct record *r)
{
	struct probe_process *q = process_of(p, r);
	struct envelope e = {
		.timestamp_ns = clock_epoch(&p->clock, r->time),
		.pid = r->pid, .tid = r->tid, .uid = r->uid, .ns_pid = r->ns_pid,
		.container_id = q->container[0] ? q->container : NULL,
	};

	if (q->ours)
		return false;
	memcpy(e.comm, r->comm, sizeof(e.comm));
	memcpy(e.thread, r->thread, sizeof(e.thread));
	jput_open(j, &p->out, type);
	jput_envelope(j, &e);
	return true;
}

bool
probe_event(struct probe *p, struct jput *j, const char *type, const struct record *r,
    uint64_t bytes)
{
	bool write = probe_extra(p, j, type, r);
	struct count *c = write ? &p->written : &p->ours;

	c->events++;
	c->bytes += bytes;
	return write;
}

static void
take_record(void *arg, const void *rec, size_t n)
{
	struct probe *p = arg;

	if (n >= sizeof(struct record))
		p->ops->record(p->self, rec, n);
}

/* --- books ----------------------------------------------------------------- */

static const char *
count_name(const struct probe *p, int i)
{
	switch (i) {
	case COUNT_RING_FULL: return "ring_full";
	case COUNT_FAULT: return "fault";
	case COUNT_PROCS_FULL: return "procs_full";
	}
	return i >= COUNT_TOOL ? p->reasons[i - COUNT_TOOL] : NULL;
}

static bool
read_counts(struct probe *p, struct counts *sum)
{
	struct counts *per = calloc(p->ncpu, sizeof(*per));
	__u32 zero = 0;
	bool ok = per && bpf_map_lookup_elem(p->counts_fd, &zero, per) == 0;

	memset(sum, 0, sizeof(*sum));
	for (int cpu = 0; ok && cpu < p->ncpu; cpu++)
		for (int i = 0; i < COUNT_MAX; i++) {
			sum->by[i].events += per[cpu].by[i].events;
			sum->by[i].bytes += per[cpu].by[i].bytes;
			sum->nobody[i] += per[cpu].nobody[i];
		}
	free(per);
	return ok;
}

static void
emit_losses(struct probe *p)
{
	struct loss_who who[COUNT_MAX];
	struct counts now;
	bool taken = false;

	if (!read_counts(p, &now))
		return;
	for (int i = COUNT_SEEN + 1; i < COUNT_MAX; i++) {
		struct count *c = &now.by[i], *was = &p->counts.by[i];

		if (c->events == was->events && c->bytes == was->bytes)
			continue;
		loss_add(&p->loss, count_name(p, i), c->events - was->events,
		    c->bytes - was->bytes);
		if (!taken)
			blame_take(&p->blame, &now, who);
		taken = true;
		loss_blame(&p->loss, count_name(p, i), &who[i]);
	}
	p->counts = now;
	loss_emit(&p->loss, &p->out, clock_epoch(&p->clock, clock_boot()), true);
}

/* What our programs could not count, because they did not run. */
static void
count_skipped(struct probe *p)
{
	uint64_t n = skips_read(&p->skips);

	p->skipped += n;
	loss_add(&p->loss, "skipped", n, 0);
}

static void
say_losers(const struct probe *p)
{
	for (int i = COUNT_SEEN + 1; i < COUNT_MAX; i++) {
		const struct loss_who *w = &p->blame.all[i];
		char name[sizeof(w->comm) + sizeof(" ()")] = "";

		if (w->comm[0])
			snprintf(name, sizeof(name), " (%.*s)", (int)sizeof(w->comm), w->comm);
		if (w->pid)
			warnx("%s: most by process %u%s, %" PRIu64 " of %" PRIu64 " events",
			    count_name(p, i),
			    (unsigned)w->pid, name, w->events, (uint64_t)p->counts.by[i].events);
	}
}

static void
summary(struct probe *p)
{
	const struct count *seen = &p->counts.by[COUNT_SEEN];
	const char *lost = loss_text(&p->loss);
	char more[128] = "", skipped[512];

	if (p->skipped)
		probe_note(p, "skipped by the kernel: %s",
		    skips_text(&p->skips, skipped, sizeof(skipped)));
	if (p->ours.events)
		snprintf(more, sizeof(more), ", our own %" PRIu64 " (%" PRIu64 " bytes)",
		    (uint64_t)p->ours.events, (uint64_t)p->ours.bytes);
	if (p->out.err)
		snprintf(more + strlen(more), sizeof(more) - strlen(more),
		    ", the rest unread: %s", line_out_closed(&p->out) ? "output closed" :
		    "output failed");
	warnx("seen %" PRIu64 " events (%" PRIu64 " bytes), written %" PRIu64 " (%" PRIu64
	    " bytes)%s, lost %s", (uint64_t)seen->events + p->skipped + p->unseen,
	    (uint64_t)seen->bytes,
	    (uint64_t)p->written.events, (uint64_t)p->written.bytes, more,
	    *lost ? lost : "nothing");
	say_losers(p);
}

/* --- the loop -------------------------------------------------------------- */

static void
say_ready(struct probe *p)
{
	if (p->ready_fd < 0)
		return;
	if (write(p->ready_fd, "\n", 1) != 1)
		warn("--ready-fd %" PRId64, p->ready_fd);
	if (p->ready_fd > STDERR_FILENO)
		close(p->ready_fd);
}

static void
tick(struct probe *p, uint64_t now)
{
	if (now >= p->skips_next) {
		p->skips_next = now + SKIPS_NS;
		count_skipped(p);
	}
	emit_losses(p);
	read_self(p);
	clock_check(&p->clock);
	if (p->own_due && now >= p->own_next) {
		p->own_due = false;
		p->own_next = now + OWN_NS;
		self_scan(&p->self_pids);
	}
	if (p->ops->tick)
		p->ops->tick(p->self);
	line_flush(&p->out);
}

/* Waits for records (ring) or just a little, and for a reader who leaves.
 * False: he left. */
static bool
wait_for(struct probe *p, bool ring, uint64_t ns)
{
	struct pollfd f[2] = { { .fd = p->out_fd }, { .fd = p->ring.fd, .events = POLLIN } };
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };
	int n;

	if (ring)
		ring_sleep(&p->ring);
	n = ppoll(f, ring ? 2 : 1, &ts, NULL);
	ring_woke(&p->ring);
	return n <= 0 || !(f[0].revents & POLLERR);
}

static void
report_if_requested(struct probe *p)
{
	if (!signals.report)
		return;
	signals.report = 0;
	count_skipped(p);
	emit_losses(p);
	summary(p);
}

static void
read_until_stopped(struct probe *p)
{
	uint64_t now = clock_boot(), next = now + TICK_NS;
	uint64_t end = p->duration ? now + p->duration : UINT64_MAX;
	unsigned empty = 0;

	while (!signals.stop && !p->out.err && now < end) {
		size_t n = ring_read(&p->ring, ROUND, take_record, p);
		uint64_t until;

		if (n < ROUND)
			line_flush(&p->out);
		now = clock_boot();
		if (now >= next) {
			tick(p, now);
			next = now + TICK_NS;
		}
		report_if_requested(p);
		if (n == ROUND || p->out.err)
			continue;
		empty = n ? 0 : empty + 1;
		until = next < end ? next : end;
		/* while there is something, read a millisecond's worth at a
		 * time: a poll would come back for every single record */
		if (now >= until)
			continue;
		if (!wait_for(p, empty >= NAPS, empty >= NAPS ? until - now : NAP_NS)) {
			p->out.err = EPIPE;
			break;
		}
		now = clock_boot();
	}
}

/* The last line. */
static void
end_books(struct probe *p)
{
	const struct books b = {
		.stage = p->name, .timestamp_ns = clock_epoch(&p->clock, clock_boot()),
		.pid = getpid(),
		.read = p->counts.by[COUNT_SEEN].events + p->skipped + p->unseen,
		.written = p->out.lines + 1,
		.lost = loss_total(&p->loss),
		.why = p->out.err ? line_out_closed(&p->out) ? BOOKS_OUTPUT_CLOSED : BOOKS_FAILED :
		signals.stop ? BOOKS_SIGNAL : BOOKS_DURATION,
	};

	books_end(&p->out, &b);
}

static void
say_unmatched(const struct opt_list *names)
{
	char all[TARGET_LIST * 20] = "";

	for (size_t i = 0; i < names->n; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%.15s", i ? ", " : "",
		    names->v[i]);
	warnx("no process was named %s all the time: nothing was chosen by -c", all);
}

int
probe_run(struct probe *p, const struct probe_ops *ops, void *self)
{
	p->ops = ops;
	p->self = self;
	say_ready(p);
	read_until_stopped(p);
	ops->detach(self);
	target_detach(&p->target);
	while (!p->out.err && ring_read(&p->ring, ROUND, take_record, p))
		;
	if (ops->tick)
		ops->tick(self);
	count_skipped(p);
	emit_losses(p);
	end_books(p);
	line_flush(&p->out);
	if (!p->quiet)
		summary(p);
	if (target_unmatched(&p->target))
		say_unmatched(&p->target.comms);
	ring_close(&p->ring);
	blame_close(&p->blame);
	free(p->processes);
	if (p->out.err && !line_out_closed(&p->out)) {
		errx(1, "write %s: %s%s", p->output ? p->output : "standard output",
		    strerror(p->out.err),
		    line_out_hint(&p->out));
	}
	line_out_free(&p->out);
	return p->fail_on_loss && loss_total(&p->loss) ? 3 : 0;
}

/* --- what the kernel has ----------------------------------------------------- */

static int
load_trivial(__u32 flags, int attach)
{
	struct bpf_insn ret0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, o, .prog_flags = flags,
	    .expected_attach_type = (enum bpf_attach_type)attach);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", ret0, 2, &o);
}

bool
probe_can_sleep(void)
{
	int fd = load_trivial(BPF_F_SLEEPABLE, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool
probe_can_multi(void)
{
	int fd = load_trivial(0, KERNEL_UPROBE_MULTI), link;
	uint64_t zero = 0;
	bool ok;

	if (fd < 0)
		return false;
	/* a folder is refused, but only after the kernel understood the rest */
	link = kernel_uprobe_multi(fd, "/", &zero, &zero, 1, 0);
	ok = link < 0 && errno == EBADF;
	if (link >= 0)
		close(link);
	close(fd);
	return ok;
}
