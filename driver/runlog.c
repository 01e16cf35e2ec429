/*
 * agentsight-runlog - the lines in which the driver says what a run was
 *
 * reads   orders of the driver on standard input, a line each:
 *           watch NAME PID KIND  a stage that was started: a collector, a filter (what all
 *                             lines pass), or a sink (one of several)
 *           running           all are ready; from here on an early end is said at once
 *           stopping          from here on stages may end
 *           failed NAME HOW   one that ended early, or badly
 *           end [STATUS]      collectors have ended; the command's status, if there was one
 *           close             all have ended but those that keep lines
 *         lines of the sinks about themselves from --reports
 * writes  run.begin when it starts, run.end at "end" and nothing in place of it
 *         when the driver is gone: a recording without run.end is incomplete;
 *         what --reports had, and run.end again when something failed, to each --back
 * keeps   a descriptor for each stage
 *
 * run.end goes behind everything that collectors wrote: it waits until the first
 * filter has taken all from the FIFOs that are named by --drain. When a filter is gone
 * no line comes through any more: --back is the way around them all. While all run
 * their FIFOs are held open: who ends too early does so alone, and is known as the cause
 * before the others end for want of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "jput.h"
#include "line.h"
#include "opt.h"
#include "sandbox.h"

enum { LOOK_MS = 500, STAGES = 32, HELD = 2 * STAGES, FAILURES = 2 * STAGES, DRAIN_MS = 10,
    BACKS = 4, PATIENCE_MS = 1000, FIFO_MAX = 65536, WORDS = 320 };

enum kind { COLLECTOR, FILTER, SINK };

struct stage {
	char *name;
	enum kind kind;
	int fd;			/* pidfd_open(2), Linux 5.3; -1: it has ended */
	int pid;
	uint64_t ended_ns;	/* before it was asked to */
	uint64_t stopped_ns;	/* since when a signal stops it; 0: it runs */
};

struct failure {
	char *stage, *how;
	uint64_t at_ns;		/* 0: not seen, or at the end */
};

struct runlog {
	const char *run;	/* --run */
	struct opt_list stages, options, drain, back_names, held_names;
	const char *reports_name;	/* --reports */
	bool terminal;		/* --terminal: a program draws there */
	int64_t ready_fd;	/* --ready-fd, -1: none */
	int64_t causes_fd;	/* --causes-fd, -1: none */
	pid_t driver;
	bool running, stopping;
	bool broken;		/* a filter has ended: no line comes through */
	int reports, back[BACKS], held[HELD];	/* -1: not open */
	const char *status;	/* of "end"; NULL before */
	struct line_out out;
	struct stage watched[STAGES];
	size_t nwatched;
	struct failure failed[FAILURES];
	size_t nfailed;
	char input[4096];	/* orders that are not whole yet */
	size_t n;
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void
line_begin(const struct runlog *r, struct jput *j, struct line_out *out, const char *type)
{
	jput_open(j, out, type);
	jput_uint(j, "timestamp_ns", now_ns());
	jput_uint(j, "pid", getppid());
	jput_str(j, "run", r->run);
}

/* Words are any bytes; an array that has one which is no text is base64 as a whole. */
static void
put_words(struct jput *j, const char *key, const char *key_b64, const char *const *v, size_t n)
{
	bool text = true;

	for (size_t i = 0; i < n; i++)
		text &= utf8_valid(v[i], strlen(v[i])) == strlen(v[i]);
	jput_array(j, text ? key : key_b64);
	for (size_t i = 0; i < n; i++)
		if (text)
			jput_str(j, NULL, v[i]);
		else
			jput_base64(j, NULL, v[i], strlen(v[i]));
	jput_array_end(j);
}

static void
write_begin(struct runlog *r, char **command, int n)
{
	struct utsname u = { 0 };
	struct jput j;

	uname(&u);
	line_begin(r, &j, &r->out, "run.begin");
	jput_str(&j, "version", VERSION);
	jput_str(&j, "kernel", u.release);
	put_words(&j, "stages", "stages_b64", r->stages.v, r->stages.n);
	if (n > 0)
		put_words(&j, "command", "command_b64", (const char *const *)command, n);
	put_words(&j, "options", "options_b64", r->options.v, r->options.n);
	jput_close(&j);
	line_flush(&r->out);
}

/* --- stages that end too early ------------------------------------------------------ */

/* The FIFO that a stage reads, or for a collector writes, has its name. */
static bool
is_fifo_of(const char *fifo, const char *stage)
{
	const char *slash = strrchr(fifo, '/');

	return slash && !strcmp(slash + 1, stage);
}

static const char *
fifo_of(const struct runlog *r, const char *stage)
{
	for (size_t i = 0; i < r->held_names.n; i++)
		if (is_fifo_of(r->held_names.v[i], stage))
			return r->held_names.v[i];
	return NULL;
}

static const char *
seen_by(const char *stage)
{
	static const struct { const char *stage, *what; } table[] = {
		{ "sslsniff", "what crosses TLS" }, { "tcpsniff", "HTTP without TLS" },
		{ "process", "what processes do" },
		{ "stdiocap", "what passes standard input and output" },
		{ "sysmon", "what processes cost" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!strcmp(table[i].stage, stage))
			return table[i].what;
	return "what it sees";
}

/* Into the terminal's title when a program draws on it: words would tear its screen. That
 * is a control sequence, and our texts have no other (stderr would show it by number). */
static void say(const struct runlog *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void
say(const struct runlog *r, const char *fmt, ...)
{
	char text[2 * WORDS];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->terminal)
		dprintf(STDERR_FILENO, "\033]0;agentsight: %s\007", text);
	else
		fprintf(stderr, "agentsight: %s\n", text);
}

/* The last line of what it said, without what could be a control character: in WORDS bytes
 * at text, with a blank and in brackets. Empty: it said nothing. */
static void
last_words(const struct runlog *r, const struct stage *s, char text[WORDS])
{
	const char *fifo = fifo_of(r, s->name);
	char path[PATH_MAX], buf[WORDS - 4], *from, *end;
	off_t size;
	ssize_t n;
	int fd;

	*text = '\0';
	if (!fifo || snprintf(path, sizeof(path), "%s.err", fifo) >= (int)sizeof(path) ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	size = lseek(fd, 0, SEEK_END);
	n = pread(fd, buf, sizeof(buf) - 1,
	    size > (off_t)sizeof(buf) ? size - (off_t)sizeof(buf) + 1 : 0);
	close(fd);
	while (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n <= 0)
		return;
	for (end = buf + n, from = end; from > buf && from[-1] != '\n';)
		from--;
	for (char *p = from; p < end; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = '?';
	snprintf(text, WORDS, " (%.*s)", (int)(end - from), from);
}

static void
say_ended(const struct runlog *r, const struct stage *s)
{
	char words[WORDS];

	last_words(r, s, words);
	if (s->kind == COLLECTOR)
		say(r, "%s ended too early%s: %s is not recorded from now on", s->name, words,
		    seen_by(s->name));
	else if (s->kind == SINK)
		say(r, "%s ended too early%s: it gets nothing from now on; the recording goes on",
		    s->name, words);
	else
		say(r, "%s ended too early%s: nothing is recorded from now on", s->name, words);
}

static void
hold_fifos(struct runlog *r)
{
	for (size_t i = 0; i < r->held_names.n && i < HELD; i++)
		r->held[i] = open(r->held_names.v[i], O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

/* That of one stage, or all: its writers see that nobody reads it, its readers its end. */
static void
release_fifos(struct runlog *r, const char *stage)
{
	for (size_t i = 0; i < r->held_names.n && i < HELD; i++) {
		if (r->held[i] < 0 || (stage && !is_fifo_of(r->held_names.v[i], stage)))
			continue;
		close(r->held[i]);
		r->held[i] = -1;
	}
}

/* For the driver; in milliseconds. */
static void
note_cause(const struct runlog *r, const char *what, const char *stage, uint64_t ns)
{
	if (r->causes_fd >= 0)
		dprintf(r->causes_fd, "%s %s %" PRIu64 "\n", what, stage, ns / 1000000);
}

/* When a filter ends all others end as well, for want of a reader or of input: that is
 * one cause, which is the first of them. */
static void
stage_ended(struct runlog *r, struct stage *s)
{
	close(s->fd);
	s->fd = -1;
	if (r->stopping || getppid() != r->driver)	/* what ends with the driver is no cause */
		return;
	s->ended_ns = now_ns();
	if (r->ready_fd >= 0)
		dprintf(r->ready_fd, "%s\n", s->name);
	if (r->broken)
		return;
	r->broken = s->kind == FILTER;
	note_cause(r, "ended", s->name, s->ended_ns);
	if (r->running)
		say_ended(r, s);
	if (s->kind != COLLECTOR)
		release_fifos(r, s->kind == SINK ? s->name : NULL);
}

/* Waits at most that long for one of them to end; sees those that have. */
static void
look_at_stages(struct runlog *r, int ms)
{
	struct pollfd f[STAGES];

	for (size_t i = 0; i < r->nwatched; i++)
		f[i] = (struct pollfd){ .fd = r->watched[i].fd, .events = POLLIN };
	if (poll(f, r->nwatched, ms) <= 0)
		return;
	for (size_t i = 0; i < r->nwatched; i++)
		if (f[i].revents && r->watched[i].fd >= 0)
			stage_ended(r, &r->watched[i]);
}

/* Whether a signal has stopped it; false where that is not known. */
static bool
is_stopped(int pid)
{
	char path[32], buf[512], *after;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return (after = strrchr(buf, ')')) && !strncmp(after, ") T", 3);
}

/* One that is stopped keeps all others waiting, and may never go on. */
static void
look_for_stopped(struct runlog *r)
{
	for (size_t i = 0; i < r->nwatched; i++) {
		struct stage *s = &r->watched[i];
		bool stopped = s->fd >= 0 && is_stopped(s->pid);

		/* while it ends: one that is being killed looks as if it went on */
		if (s->fd < 0 || stopped == (s->stopped_ns != 0) || (!stopped && r->stopping))
			continue;
		s->stopped_ns = stopped ? now_ns() : 0;
		if (stopped && r->running)
			say(r, "%s was stopped by a signal: what it gets waits,"
			    " and is lost in the end (kill -CONT %d lets it go on)",
			    s->name, s->pid);
		else if (r->running)
			say(r, "%s goes on", s->name);
		if (stopped)
			note_cause(r, "stopped", s->name, s->stopped_ns);
	}
}

/* The first filter, which reads what collectors write, is there to do so. */
static bool
is_read(const struct runlog *r)
{
	for (size_t i = 0; i < r->nwatched; i++)
		if (r->watched[i].kind == FILTER)
			return r->watched[i].fd >= 0;
	return false;
}

static void
watch(struct runlog *r, const char *name, const char *pid, const char *kind)
{
	int number = atoi(pid), fd = syscall(SYS_pidfd_open, number, 0);
	struct stage *s = &r->watched[r->nwatched];

	if (fd < 0 && errno != ESRCH)	/* without it the driver says it at the end */
		return;
	if (r->nwatched == STAGES)
		return;
	s->name = strdup(name);
	s->kind = !strcmp(kind, "collector") ? COLLECTOR : !strcmp(kind, "sink") ? SINK : FILTER;
	s->fd = fd;
	s->pid = number;
	r->nwatched++;
	if (fd < 0)
		stage_ended(r, s);
}

/* --- the end -------------------------------------------------------------------------- */

/* Waits until nothing is left in the FIFO, or nobody reads it any more: the first
 * filter keeps it open until it has seen its end. */
static void
wait_empty(struct runlog *r, const char *fifo)
{
	int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC), left = 0;

	if (fd < 0)
		return;
	while (!r->broken && is_read(r) && ioctl(fd, FIONREAD, &left) == 0 && left > 0)
		look_at_stages(r, DRAIN_MS);
	close(fd);
}

static void
put_end(const struct runlog *r, struct line_out *out)
{
	struct jput j;

	line_begin(r, &j, out, "run.end");
	if (*r->status)
		jput_int(&j, "status", atoi(r->status));
	jput_array(&j, "failed");
	for (size_t i = 0; i < r->nfailed; i++) {
		jput_object(&j, NULL);
		jput_str(&j, "stage", r->failed[i].stage);
		jput_str(&j, "how", r->failed[i].how);
		if (r->failed[i].at_ns)
			jput_uint(&j, "at_ns", r->failed[i].at_ns);
		jput_object_end(&j);
	}
	jput_array_end(&j);
	jput_close(&j);
}

/* The filters get theirs, and see the end of what we write. */
static void
write_end(struct runlog *r, const char *status)
{
	r->status = strdup(status);
	for (size_t i = 0; i < r->drain.n; i++)
		wait_empty(r, r->drain.v[i]);
	put_end(r, &r->out);
	line_flush(&r->out);
	close(STDOUT_FILENO);
}

/* To each that keeps lines; one that does not take them is not waited for. */
static void
write_back(const struct runlog *r, const char *s, size_t n)
{
	for (size_t i = 0; i < r->back_names.n; i++) {
		struct pollfd f = { .fd = r->back[i], .events = POLLOUT };

		for (size_t at = 0; at < n;) {
			ssize_t put = poll(&f, 1, PATIENCE_MS) > 0 ?
			    write(f.fd, s + at, n - at) : -1;

			if (put <= 0)
				break;
			at += put;
		}
	}
}

static void
pass_reports(struct runlog *r)
{
	static char buf[FIFO_MAX];
	ssize_t got;

	while (r->reports >= 0 && (got = read(r->reports, buf, sizeof(buf))) > 0)
		write_back(r, buf, got);
}

static void
close_run(struct runlog *r)
{
	struct line_out out;

	pass_reports(r);
	if (!r->nfailed || !r->status)
		return;
	line_out_init(&out, -1);
	put_end(r, &out);
	write_back(r, out.buf, out.len);
	line_out_free(&out);
}

/* --- orders ---------------------------------------------------------------------------- */

static void
add_failure(struct runlog *r, const char *stage, const char *how)
{
	struct failure *f = &r->failed[r->nfailed];

	if (r->nfailed == FAILURES)
		return;
	f->stage = strdup(stage);
	f->how = strdup(how);
	for (size_t i = 0; i < r->nwatched; i++)
		if (!strcmp(r->watched[i].name, stage))
			f->at_ns = r->watched[i].ended_ns ? r->watched[i].ended_ns :
			    r->watched[i].stopped_ns;
	r->nfailed++;
}

/* One order; false: it was the last. */
static bool
obey(struct runlog *r, char *line)
{
	char *verb = strsep(&line, " "), *name = line ? strsep(&line, " ") : NULL, *pid;

	if (strcmp(verb, "close") == 0) {
		close_run(r);
		return false;
	}
	if (strcmp(verb, "end") == 0 && !r->status)
		write_end(r, name ? name : "");
	else if (strcmp(verb, "running") == 0) {
		r->running = true;
		if (!r->broken)
			hold_fifos(r);
	} else if (strcmp(verb, "stopping") == 0) {
		look_for_stopped(r);
		r->stopping = true;
		release_fifos(r, NULL);
		if (r->causes_fd >= 0)
			dprintf(r->causes_fd, ".\n");	/* no more come */
	} else if (strcmp(verb, "watch") == 0 && line && (pid = strsep(&line, " ")) && line)
		watch(r, name, pid, line);
	else if (strcmp(verb, "failed") == 0 && line)
		add_failure(r, name, line);
	return true;
}

static bool
read_orders(struct runlog *r)
{
	ssize_t got = read(STDIN_FILENO, r->input + r->n, sizeof(r->input) - r->n);
	char *nl;

	if (got <= 0)
		return got < 0 && errno == EINTR;
	r->n += got;
	while ((nl = memchr(r->input, '\n', r->n))) {
		size_t used = nl + 1 - r->input;

		*nl = '\0';
		if (!obey(r, r->input))
			return false;
		memmove(r->input, r->input + used, r->n -= used);
	}
	return r->n < sizeof(r->input);
}

static void
serve(struct runlog *r)
{
	struct pollfd f[2 + STAGES];

	for (;;) {
		f[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
		f[1] = (struct pollfd){ .fd = r->reports, .events = POLLIN };
		for (size_t i = 0; i < r->nwatched; i++)
			f[2 + i] = (struct pollfd){ .fd = r->watched[i].fd, .events = POLLIN };
		if (poll(f, 2 + r->nwatched, r->running ? LOOK_MS : -1) < 0 && errno != EINTR)
			return;
		if (r->running)
			look_for_stopped(r);
		/* who ended, before an order that came meanwhile lets all of them */
		look_at_stages(r, 0);
		if (f[1].revents)
			pass_reports(r);
		if (f[0].revents && !read_orders(r))
			return;
	}
}

/* FIFOs, opened for both sides: nobody who comes late, or has gone, holds us up. */
static void
open_fifos(struct runlog *r)
{
	for (size_t i = 0; i < HELD; i++)
		r->held[i] = -1;
	r->reports = r->reports_name ? open(r->reports_name, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
	if (r->back_names.n > BACKS)
		r->back_names.n = BACKS;
	for (size_t i = 0; i < r->back_names.n; i++)
		r->back[i] = open(r->back_names.v[i], O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

/* Of all files the FIFOs that were named, what stages said, beside them, and /proc; it
 * watches processes. */
static void
enter_sandbox(const struct runlog *r)
{
	struct sandbox box;
	char said[PATH_MAX];

	sandbox_init(&box, SANDBOX_FILES | SANDBOX_WATCH);
	for (size_t i = 0; i < r->held_names.n; i++) {
		sandbox_allow(&box, SANDBOX_WRITE, r->held_names.v[i]);
		if (snprintf(said, sizeof(said), "%s.err", r->held_names.v[i]) < (int)sizeof(said))
			sandbox_allow(&box, SANDBOX_READ, said);
	}
	for (size_t i = 0; i < r->drain.n; i++)
		sandbox_allow(&box, SANDBOX_READ, r->drain.v[i]);
	sandbox_allow(&box, SANDBOX_READ, "/proc");	/* who was stopped */
	if (sandbox_enter(&box) < 0) {
		fprintf(stderr, "agentsight-runlog: enter the sandbox: %s\n", strerror(errno));
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	static struct runlog r = { .run = "", .ready_fd = -1, .causes_fd = -1 };
	const struct opt own[] = {
		{ .kind = OPT_STR, .name = "run", .arg = "ID", .to = &r.run,
		    .help = "names the run" },
		{ .kind = OPT_LIST, .name = "stage", .arg = "NAME", .to = &r.stages,
		    .help = "a stage of it; repeatable, as the next ones" },
		{ .kind = OPT_LIST, .name = "option", .arg = "WORD", .to = &r.options,
		    .help = "a word of the command line" },
		{ .kind = OPT_LIST, .name = "drain", .arg = "FIFO", .to = &r.drain,
		    .help = "run.end waits until this one is empty" },
		{ .kind = OPT_LIST, .name = "hold", .arg = "FIFO", .to = &r.held_names,
		    .help = "between two stages: kept open while all run" },
		{ .kind = OPT_LIST, .name = "back", .arg = "FIFO", .to = &r.back_names,
		    .help = "a way to what keeps lines, around the filters" },
		{ .kind = OPT_STR, .name = "reports", .arg = "FIFO", .to = &r.reports_name,
		    .help = "lines from there go to each --back" },
		{ .kind = OPT_NUM, .name = "ready-fd", .arg = "FD", .to = &r.ready_fd, .lo = 0,
		    .hi = 1 << 20,
		    .help = "write a word there when run.begin is written,"
		    " and the name of a stage that ends too early" },
		{ .kind = OPT_NUM, .name = "causes-fd", .arg = "FD", .to = &r.causes_fd, .lo = 0,
		    .hi = 1 << 20,
		    .help = "write there which stages ended too early, or are stopped, and when;"
		    " none that ended for want of another" },
		{ .kind = OPT_FLAG, .name = "terminal", .to = &r.terminal,
		    .help = "a program draws on standard error: use its title for messages" },
		{ .kind = OPT_END },
	};
	const struct opt_use use = {
		.name = "agentsight-runlog", .synopsis = "[OPTION]... [-- COMMAND [ARGUMENT]...]",
		.about = "Writes what a run is, for the driver.", .tables = { own },
	};
	int first = opt_parse(&use, argc, argv);

	r.driver = getppid();
	signal(SIGPIPE, SIG_IGN);
	open_fifos(&r);
	line_out_init(&r.out, STDOUT_FILENO);
	enter_sandbox(&r);
	write_begin(&r, argv + first, argc - first);
	if (r.ready_fd >= 0)
		dprintf(r.ready_fd, "ready\n");
	serve(&r);
	line_out_free(&r.out);
	return 0;
}
