/*
 * sysmon - CPU, memory, threads and I/O of chosen processes, or of the host
 * reads   /proc, /sys/fs/cgroup, the kernel's messages of forks
 * writes  system.process, one per target and interval; system.host
 * keeps   the last look at every process, to say what was used since
 */
#include "cgroup.h"
#include "kin.h"
#include "procs.h"
#include "sample.h"

#include "books.h"
#include "clock.h"
#include "container.h"
#include "jput.h"
#include "line.h"
#include "loss.h"
#include "caps.h"
#include "sandbox.h"
#include "opt.h"
#include "proc.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum by { BY_PID, BY_COMM, BY_SESSION, BY_CGROUP };

struct target {
	enum by by;
	int pid;		/* the process, or the session; of a cgroup its first process */
	const char *cgroup;	/* below the root of cgroup v2 */
	uint64_t start;		/* of that process */
	bool live, seen;
	char comm[16];
	uint32_t uid;
	uint64_t peak;		/* bytes */
	uint64_t read, written;	/* by members that are gone */
};

/* What a member has read and written, kept because it can be asked only while it lives. */
struct io {
	int pid;
	uint64_t start, read, written, groups;
};

static struct sysmon {
	struct opt_list pids, comms, sessions, cgroups, containers;
	uint64_t interval, duration, memory_threshold;
	int64_t cpu_threshold;
	bool no_children, pss, host, quiet, verbose, fail_on_loss, failed;
	const char *output;
	int64_t ready_fd;
	struct target target[SAMPLE_GROUPS];
	size_t ntarget;
	struct sample now, before;
	struct io *io, *oldio;
	size_t nio, noldio;
	struct procs procs;
	struct kin kin;
	struct clock clock;
	struct line_out out;
	struct loss loss;
	uint64_t samples;
	volatile sig_atomic_t stop;
	long tick, page;
} self = { .interval = 2000000000u, .ready_fd = -1 };

static const struct opt options[] = {
	{ .kind = OPT_HEAD, .help = "What to watch (default: the host):" },
	{ .kind = OPT_LIST, .letter = 'p', .name = "pid", .arg = "PID", .to = &self.pids,
	    .help = "this process and its descendants (repeatable)" },
	{ .kind = OPT_LIST, .letter = 'c', .name = "comm", .arg = "NAME", .to = &self.comms,
	    .help = "processes of this name, and theirs (repeatable)" },
	{ .kind = OPT_LIST, .name = "session", .arg = "SID", .to = &self.sessions,
	    .help = "all of a session, and theirs (repeatable)" },
	{ .kind = OPT_LIST, .name = "cgroup", .arg = "PATH", .to = &self.cgroups,
	    .help = "all in this cgroup (v2) or below, and theirs (repeatable)" },
	{ .kind = OPT_LIST, .name = "container", .arg = "NAME|ID", .to = &self.containers,
	    .help = "all in this container, or in those of this pod (repeatable)" },
	{ .kind = OPT_FLAG, .name = "no-children", .to = &self.no_children,
	    .help = "without descendants" },
	{ .kind = OPT_FLAG, .name = "host", .to = &self.host, .help = "the host as well" },
	{ .kind = OPT_HEAD, .help = "How:" },
	{ .kind = OPT_TIME, .letter = 'i', .name = "interval", .arg = "TIME",
	    .to = &self.interval,
	    .help = "between two samples (2s)" },
	{ .kind = OPT_TIME, .letter = 'd', .name = "duration", .arg = "TIME",
	    .to = &self.duration,
	    .help = "stop after this time" },
	{ .kind = OPT_FLAG, .name = "pss", .to = &self.pss,
	    .help = "proportional memory as well (slow: reads smaps_rollup)" },
	{ .kind = OPT_NUM, .name = "cpu-threshold", .arg = "PERCENT", .to = &self.cpu_threshold,
	    .help = "alert at or above this", .lo = 1, .hi = 1000000 },
	{ .kind = OPT_SIZE, .name = "memory-threshold", .arg = "SIZE",
	    .to = &self.memory_threshold,
	    .help = "alert at or above this resident size" },
	{ .kind = OPT_STR, .letter = 'o', .name = "output", .arg = "FILE", .to = &self.output,
	    .help = "write to FILE (0600)" },
	{ .kind = OPT_NUM, .name = "ready-fd", .arg = "FD", .to = &self.ready_fd, .lo = 0,
	    .hi = 1 << 20, .help = "write a newline there once it is about to sample" },
	{ .kind = OPT_FLAG, .name = "fail-on-loss", .to = &self.fail_on_loss,
	    .help = "exit 3 when a sample was missed" },
	{ .kind = OPT_FLAG, .letter = 'q', .name = "quiet", .to = &self.quiet,
	    .help = "no summary on stderr" },
	{ .kind = OPT_FLAG, .letter = 'v', .name = "verbose", .to = &self.verbose,
	    .help = "say on stderr when a target appears" },
	{ .kind = OPT_END },
};

static const struct opt_use use = {
	.name = "sysmon", .synopsis = "[OPTION]...",
	.about = "Samples CPU, memory, threads and I/O of processes, as event lines.",
	.tables = { options },
};

/* --- reading ------------------------------------------------------------- */

static long
read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* The sample before the last one makes room for a new one. */
static bool
look(struct sysmon *m)
{
	struct sample old = m->before;
	int bad;

	m->before = m->now;
	m->now = old;
	m->now.n = 0;
	m->now.time_ns = clock_boot();
	bad = procs_look(&m->procs, &m->now);
	if (bad > 0)
		loss_add(&m->loss, "proc_read", bad, 0);
	return bad >= 0;
}

/* The value behind "KEY:" in a /proc file, times unit; 0 when absent. */
static uint64_t
field(const char *text, const char *key, uint64_t unit)
{
	const char *p = strstr(text, key);

	return p ? strtoull(p + strlen(key), NULL, 10) * unit : 0;
}

static bool
chosen(const struct sysmon *m)
{
	return m->pids.n || m->comms.n || m->sessions.n || m->cgroups.n || m->containers.n;
}

/* --- targets -------------------------------------------------------------- */

/* It lives, as p, or with p as its first process. */
static void
target_appears(struct sysmon *m, struct target *t, const struct sample_proc *p)
{
	int64_t uid = proc_uid(p->pid);

	t->start = p->start;
	t->live = t->seen = true;
	memcpy(t->comm, p->comm, sizeof(t->comm));
	t->uid = uid < 0 ? 0 : uid;
	if (m->verbose)
		fprintf(stderr, "sysmon: watching %d (%.16s)\n", t->pid, p->comm);
}

static struct target *
target_add(struct sysmon *m, enum by by, int pid, const struct sample_proc *p)
{
	struct target *t;
	size_t i;

	/* a slot whose target has ended, and was told, serves again */
	for (i = 0; i < m->ntarget; i++)
		if (m->target[i].by == BY_COMM && m->target[i].seen && !m->target[i].live)
			break;
	if (i == m->ntarget && m->ntarget == SAMPLE_GROUPS) {
		loss_add(&m->loss, "targets_full", 1, 0);
		return NULL;
	}
	if (i == m->ntarget)
		m->ntarget++;
	t = &m->target[i];
	*t = (struct target){ .by = by, .pid = pid };
	if (p)
		target_appears(m, t, p);
	return t;
}

static bool
comm_wanted(const struct sysmon *m, const struct sample_proc *p)
{
	for (size_t i = 0; i < m->comms.n; i++)
		if (!strncmp(p->comm, m->comms.v[i], sizeof(p->comm) - 1))
			return true;
	return false;
}

/* Whether an ancestor is, or becomes, a target. The depth is bounded, for parents
 * were read one after the other and may form a ring. */
static bool
below_target(const struct sysmon *m, const struct sample_proc *p)
{
	const struct sample_proc *up = p;

	for (int depth = 0; depth < 4096 && (up = sample_find(&m->now, up->ppid)); depth++)
		if (comm_wanted(m, up) || up->groups)
			return true;
	return false;
}

/* New processes of a wanted name become targets, unless an ancestor is one. */
static void
find_comms(struct sysmon *m)
{
	for (size_t i = 0; i < m->now.n && m->comms.n; i++) {
		struct sample_proc *p = &m->now.p[i];
		struct target *t;

		if (p->groups || !comm_wanted(m, p) || (!m->no_children && below_target(m, p)))
			continue;
		if ((t = target_add(m, BY_COMM, p->pid, p)))
			p->groups |= (uint64_t)1 << (t - m->target);
	}
}

static bool
in_cgroup(int pid, const char *cgroup)
{
	char path[CONTAINER_PATH];
	size_t n = strlen(cgroup);

	return proc_cgroup(pid, "", path, sizeof(path)) && strncmp(path, cgroup, n) == 0 &&
	    (!path[n] || path[n] == '/');
}

/* Its members; the first of them stands for it while that lives. */
static void
mark_cgroup(struct sysmon *m, size_t g)
{
	struct target *t = &m->target[g];
	struct sample_proc *first = NULL;

	for (size_t i = 0; i < m->now.n; i++) {
		struct sample_proc *p = &m->now.p[i];

		if (!in_cgroup(p->pid, t->cgroup))
			continue;
		p->groups |= (uint64_t)1 << g;
		if (!first || (p->pid == t->pid && p->start == t->start))
			first = p;
	}
	if (first) {
		t->pid = first->pid;
		t->start = first->start;
		memcpy(t->comm, first->comm, sizeof(t->comm));
	}
}

static void
mark_roots(struct sysmon *m)
{
	for (size_t g = 0; g < m->ntarget; g++) {
		struct target *t = &m->target[g];
		struct sample_proc *p = sample_find(&m->now, t->pid);

		if (t->by == BY_CGROUP) {
			mark_cgroup(m, g);
		} else if (t->by == BY_SESSION) {
			for (size_t i = 0; i < m->now.n; i++)
				if (m->now.p[i].session == t->pid)
					m->now.p[i].groups |= (uint64_t)1 << g;
		} else if (p && p->start == t->start && t->live) {
			p->groups |= (uint64_t)1 << g;
			memcpy(t->comm, p->comm, sizeof(t->comm));	/* exec changes it */
		}
	}
}

/* Those that chosen processes have forked meanwhile, though they are gone now. */
static void
find_orphans(struct sysmon *m)
{
	int roots[SAMPLE_GROUPS];
	size_t n = 0;

	/* who had no look yet */
	for (; n < m->ntarget && !m->samples; n++)
		roots[n] = m->target[n].by < BY_SESSION && m->target[n].live ? m->target[n].pid : 0;
	if (!kin_spread(&m->kin, &m->before, &m->now, roots, n))
		loss_add(&m->loss, "forks", 1, 0);
}

/* --- writing -------------------------------------------------------------- */

static void
envelope(struct sysmon *m, struct jput *j, const char *type, const struct target *t)
{
	struct envelope e = { .timestamp_ns = clock_epoch(&m->clock, m->now.time_ns) };
	char container[13];

	jput_open(j, &m->out, type);
	if (!t) {
		jput_uint(j, "timestamp_ns", e.timestamp_ns);
		return;
	}
	e.pid = e.tid = t->pid;
	e.uid = t->uid;
	memcpy(e.comm, t->comm, sizeof(e.comm));
	e.ns_pid = proc_ns_pid(t->pid);
	e.container_id = proc_container(t->pid, container) ? container : NULL;
	jput_envelope(j, &e);
}

struct usage {
	uint64_t rss, vsz, pss, threads, procs, read, written;
	/* of a member we may not know them: then nothing is said of the sum */
	bool no_io, no_pss;
	int root;		/* a member that stands for all: the target, or a session's first */
};

static void
add_io(struct sysmon *m, struct usage *u, const struct sample_proc *p, uint64_t group)
{
	struct io *io = &m->io[m->nio];
	char buf[512];

	errno = 0;
	if (procs_io(&m->procs, p->pid, buf, sizeof(buf)) <= 0) {
		u->no_io |= errno == EACCES;	/* else it is gone meanwhile */
		return;
	}
	*io = (struct io){
		p->pid, p->start, field(buf, "\nread_bytes: ", 1), field(buf, "\nwrite_bytes: ", 1),
		    group,
	};
	u->read += io->read;
	u->written += io->written;
	m->nio++;
}

static void
add_pss(struct usage *u, int pid)
{
	char buf[4096];

	errno = 0;
	if (proc_read(pid, "smaps_rollup", buf, sizeof(buf)) > 0)
		u->pss += field(buf, "\nPss:", 1024);
	else
		u->no_pss |= errno == EACCES;
}

static struct usage
measure(struct sysmon *m, size_t g)
{
	struct usage u = { 0 };
	uint64_t group = (uint64_t)1 << g;

	for (size_t i = 0; i < m->now.n; i++) {
		const struct sample_proc *p = &m->now.p[i];

		if (!(p->groups & group))
			continue;
		if (!u.root || p->pid == m->target[g].pid)
			u.root = p->pid;
		u.procs++;
		u.rss += p->rss_pages * m->page;
		u.vsz += p->vsz_bytes;
		u.threads += p->threads;
		add_io(m, &u, p, group);
		if (m->pss)
			add_pss(&u, p->pid);
	}
	return u;
}

/* What members that are gone had read and written stays in the sum. */
static void
keep_io(struct sysmon *m)
{
	for (size_t i = 0; i < m->noldio; i++) {
		const struct io *io = &m->oldio[i];
		const struct sample_proc *p = sample_find(&m->now, io->pid);
		size_t g = __builtin_ctzll(io->groups);

		if (p && p->start == io->start)
			continue;
		m->target[g].read += io->read;
		m->target[g].written += io->written;
	}
}

static void
put_end(struct sysmon *m, struct target *t)
{
	struct jput j;

	envelope(m, &j, "system.process", t);
	jput_bool(&j, "ended", true);
	jput_close(&j);
	t->live = false;
}

static void
put_target(struct sysmon *m, size_t g)
{
	struct target *t = &m->target[g];
	struct usage u = measure(m, g);
	double percent = -1, seconds = (m->now.time_ns - m->before.time_ns) / 1e9;
	char buf[4096];
	struct jput j;
	bool alert;

	if (!u.procs) {
		if (t->live)
			put_end(m, t);
		return;
	}
	if (!t->live)		/* a session that was empty until now */
		target_appears(m, t, sample_find(&m->now, u.root));
	if (m->samples && seconds > 0)
		percent = 100.0 * sample_ticks(&m->before, &m->now, (uint64_t)1 << g) /
		    m->tick / seconds;
	if (proc_read(u.root, "status", buf, sizeof(buf)) > 0 &&
	    field(buf, "\nVmHWM:", 1024) > t->peak)
		t->peak = field(buf, "\nVmHWM:", 1024);
	if (u.rss > t->peak)
		t->peak = u.rss;
	alert = (m->cpu_threshold && percent >= m->cpu_threshold) ||
	    (m->memory_threshold && u.rss >= m->memory_threshold);
	envelope(m, &j, "system.process", t);
	if (percent >= 0)
		jput_real(&j, "cpu_percent", round(percent * 100) / 100);
	jput_uint(&j, "rss_bytes", u.rss);
	jput_uint(&j, "rss_peak_bytes", t->peak);
	if (m->pss && !u.no_pss)
		jput_uint(&j, "pss_bytes", u.pss);
	jput_uint(&j, "vsz_bytes", u.vsz);
	jput_uint(&j, "threads", u.threads);
	jput_uint(&j, "children", u.procs - 1);
	if (!u.no_io) {
		jput_uint(&j, "io_read_bytes", u.read + t->read);
		jput_uint(&j, "io_write_bytes", u.written + t->written);
	}
	cgroup_put(&j, u.root);
	jput_bool(&j, "alert", alert);
	jput_close(&j);
}

static void
put_host(struct sysmon *m)
{
	char mem[4096], load[128];
	double l[3];
	struct jput j;

	if (read_file("/proc/meminfo", mem, sizeof(mem)) <= 0 ||
	    read_file("/proc/loadavg", load, sizeof(load)) <= 0 ||
	    sscanf(load, "%lf %lf %lf", &l[0], &l[1], &l[2]) != 3) {
		loss_add(&m->loss, "proc_read", 1, 0);
		return;
	}
	envelope(m, &j, "system.host", NULL);
	jput_uint(&j, "cores", sysconf(_SC_NPROCESSORS_ONLN));
	jput_real(&j, "load1", l[0]);
	jput_real(&j, "load5", l[1]);
	jput_real(&j, "load15", l[2]);
	jput_uint(&j, "mem_total_bytes", field(mem, "MemTotal:", 1024));
	jput_uint(&j, "mem_available_bytes", field(mem, "MemAvailable:", 1024));
	cgroup_put_pressure(&j, NULL);
	jput_close(&j);
}

/* --- the loop ------------------------------------------------------------- */

static bool
any_left(const struct sysmon *m)
{
	if (!m->ntarget || m->comms.n || m->cgroups.n || m->containers.n)
		return true;
	for (size_t g = 0; g < m->ntarget; g++)
		if (m->target[g].live || !m->target[g].seen)
			return true;
	return false;
}

static bool
take_sample(struct sysmon *m)
{
	struct io *io;

	if (!look(m))
		return false;
	mark_roots(m);
	find_orphans(m);
	sample_inherit(&m->now, &m->before, !m->no_children);
	find_comms(m);
	sample_inherit(&m->now, &m->before, !m->no_children);
	io = m->oldio;
	m->oldio = m->io;
	m->noldio = m->nio;
	m->nio = 0;
	/* a process can be in several groups */
	m->io = realloc(io, (m->now.n * (m->ntarget ? m->ntarget : 1) + 1) * sizeof(*io));
	if (!m->io)
		return false;
	keep_io(m);
	for (size_t g = 0; g < m->ntarget; g++)
		put_target(m, g);
	if (m->host || !chosen(m))
		put_host(m);
	m->samples++;
	loss_emit(&m->loss, &m->out, clock_epoch(&m->clock, m->now.time_ns), true);
	return line_flush(&m->out) == 0;
}

static void
on_signal(int sig)
{
	(void)sig;
	self.stop = 1;
}

/* Until the next sample is due; false when it is time to end. */
static bool
wait_due(struct sysmon *m, int timer, const sigset_t *open)
{
	struct pollfd f[2] = { { .fd = timer, .events = POLLIN }, { .fd = m->out.fd } };
	uint64_t times;

	if (m->stop || ppoll(f, 2, NULL, open) < 0 || m->stop)
		return !m->stop && errno == EINTR;
	if (f[1].revents & (POLLERR | POLLHUP)) {
		m->out.err = EPIPE;
		return false;
	}
	if (read(timer, &times, sizeof(times)) == sizeof(times) && times > 1)
		loss_add(&m->loss, "late", times - 1, 0);
	clock_check(&m->clock);
	return true;
}

static struct books
books_of(const struct sysmon *m)
{
	return (struct books){
		.stage = "sysmon", .timestamp_ns = clock_epoch(&m->clock, clock_boot()),
		.pid = getpid(),
		.read = m->samples, .written = m->out.lines + 1, .lost = loss_total(&m->loss),
		.why = m->out.err ? BOOKS_OUTPUT_CLOSED : m->stop ? BOOKS_SIGNAL :
		    m->failed ? BOOKS_FAILED : any_left(m) ? BOOKS_DURATION : BOOKS_INPUT_END,
	};
}

static void
begin(struct sysmon *m)
{
	struct books b = books_of(m);

	books_begin(&m->out, &b);
	if (m->ready_fd < 0)
		return;
	if (write(m->ready_fd, "\n", 1) != 1)
		warn("--ready-fd %lld", (long long)m->ready_fd);
	if (m->ready_fd > STDERR_FILENO)
		close(m->ready_fd);
}

static void
loop(struct sysmon *m)
{
	struct itimerspec it = { 0 };
	int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
	uint64_t end = m->duration ? clock_boot() + m->duration : UINT64_MAX;
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block, open;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &open);
	sigdelset(&open, SIGINT);
	sigdelset(&open, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a write says EFBIG then */
	it.it_interval.tv_sec = it.it_value.tv_sec = m->interval / 1000000000;
	it.it_interval.tv_nsec = it.it_value.tv_nsec = m->interval % 1000000000;
	timerfd_settime(timer, 0, &it, NULL);
	begin(m);
	do {
		if ((m->failed = !take_sample(m)))
			break;
	} while (any_left(m) && clock_boot() < end && wait_due(m, timer, &open));
	if (m->stop && !m->out.err)
		take_sample(m);		/* the last moment counts */
	close(timer);
}

static void
add_numbers(struct sysmon *m, const struct opt_list *l, enum by by)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *bad;
		char buf[1024];
		struct sample_proc p;
		long long n;
		long len;

		if ((bad = opt_number(l->v[i], 1, 1 << 22, &n)))
			opt_fail(&use, "%s: %s", l->v[i], bad);
		if (by == BY_SESSION) {
			target_add(m, by, n, NULL);
			continue;
		}
		if (proc_of_thread(n) > 0)	/* it may be the number of a thread */
			n = proc_of_thread(n);
		if ((len = proc_read(n, "stat", buf, sizeof(buf))) <= 0 ||
		    !sample_parse(&p, buf, len)) {
			fprintf(stderr, "sysmon: watch process %lld: no such process\n", n);
			exit(1);
		}
		target_add(m, by, n, &p);
	}
}

static void
add_cgroup(void *arg, const char *path)
{
	struct sysmon *m = arg;
	struct target *t = target_add(m, BY_CGROUP, 0, NULL);
	char *copy = strdup(path);
	size_t n = copy ? strlen(copy) : 0;

	if (!t || !copy)
		errx(1, "%s: too many targets (at most %d)", path, SAMPLE_GROUPS);
	while (n && copy[n - 1] == '/')		/* the root is "" */
		copy[--n] = '\0';
	t->cgroup = copy;
}

static void
add_cgroups(struct sysmon *m)
{
	char root[CONTAINER_PATH], path[CONTAINER_PATH];

	if (m->cgroups.n && !container_root(root, sizeof(root)))
		errx(2, "--cgroup needs cgroup v2, which is not mounted here");
	for (size_t i = 0; i < m->cgroups.n; i++) {
		const char *arg = m->cgroups.v[i];

		if (strncmp(arg, root, strlen(root)) == 0)
			arg += strlen(root);
		snprintf(path, sizeof(path), "%s%s", *arg == '/' || !*arg ? "" : "/", arg);
		add_cgroup(m, path);
	}
	for (size_t i = 0; i < m->containers.n; i++)
		if (!container_find(m->containers.v[i], add_cgroup, m))
			errx(2, "container %s: none that runs has this id or name (docker, podman, "
			    "containerd, cri-o; cgroup v2)", m->containers.v[i]);
}

/* All that is read in /proc anybody may read. */
static void
give_up_privileges(void)
{
	uid_t uid = caps_uid();
	struct sandbox box;

	/* forks come from the kernel; under Landlock a user's own processes are as others' */
	sandbox_init(&box, SANDBOX_FILES | SANDBOX_RECEIVE | (geteuid() == 0 ? 0 : SANDBOX_PEERS));
	sandbox_allow(&box, SANDBOX_READ, "/proc");
	sandbox_allow(&box, SANDBOX_READ, "/sys");
	if (caps_leave_root(uid) || caps_keep(0) || sandbox_enter(&box) < 0)
		err(1, "give up privileges");
}

int
main(int argc, char **argv)
{
	struct sysmon *m = &self;
	int fd = STDOUT_FILENO;
	struct books b;

	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "operand %s is not wanted", argv[optind]);
	if (m->interval < 10000000)
		opt_fail(&use, "--interval: at least 10ms");
	if (m->ready_fd >= 0 && fcntl(m->ready_fd, F_GETFD) < 0)
		opt_fail(&use, "--ready-fd %lld: %s", (long long)m->ready_fd, strerror(errno));
	loss_init(&m->loss, "sysmon");
	m->tick = sysconf(_SC_CLK_TCK);
	m->page = sysconf(_SC_PAGESIZE);
	if (procs_open(&m->procs))
		err(1, "open /proc");
	m->kin.fd = -1;
	if (!m->no_children && chosen(m) && kin_open(&m->kin) &&
	    m->verbose)
		warn("listen to forks");
	add_numbers(m, &m->pids, BY_PID);
	add_numbers(m, &m->sessions, BY_SESSION);
	add_cgroups(m);
	if (m->output && (fd = open(m->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600)) < 0) {
		fprintf(stderr, "sysmon: open %s: %s\n", m->output, strerror(errno));
		return 1;
	}
	line_out_init(&m->out, fd);
	clock_init(&m->clock);
	give_up_privileges();
	loop(m);
	kin_close(&m->kin);
	b = books_of(m);
	books_end(&m->out, &b);
	line_flush(&m->out);
	if (m->out.err && !line_out_closed(&m->out)) {
		fprintf(stderr, "sysmon: write %s: %s\n", m->output ? m->output : "<stdout>",
		    strerror(m->out.err));
		return 1;
	}
	if (!m->quiet)
		fprintf(stderr, "sysmon: %llu samples; lost: %s\n", (unsigned long long)m->samples,
		    loss_total(&m->loss) ? loss_text(&m->loss) : "nothing");
	return m->fail_on_loss && loss_total(&m->loss) ? 3 : 0;
}
