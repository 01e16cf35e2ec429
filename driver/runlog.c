/*
 * agentsight-runlog - the lines in which the driver says what a run was
 *
 * reads   orders of the driver on standard input, a line each:
 *           watch NAME PID    a stage that was started
 *           running           all are ready; from here on an early end is said at once
 *           stopping          from here on stages may end
 *           failed NAME HOW   one that ended early, or badly
 *           end [STATUS]      all have ended; the command's status, if there was one
 * writes  run.begin when it starts, run.end at "end" and nothing in place of it
 *         when the driver is gone: a recording without run.end is incomplete
 * keeps   a descriptor for each stage
 *
 * run.end goes behind everything that collectors wrote: it waits until the first
 * filter has taken all from the FIFOs that are named by --drain.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
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

enum { STAGES = 32, FAILURES = 2 * STAGES, DRAIN_MS = 10 };

struct stage {
	char *name;
	int fd;		/* pidfd_open(2), Linux 5.3; -1: not watched any more */
};

struct failure {
	char *stage, *how;
};

struct runlog {
	const char *run;	/* --run */
	struct opt_list stages, options, drain;
	bool terminal;		/* --terminal: a program draws there */
	int64_t ready_fd;	/* --ready-fd, -1: none */
	bool running, stopping;
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
line_begin(struct runlog *r, struct jput *j, const char *type)
{
	jput_open(j, &r->out, type);
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
	line_begin(r, &j, "run.begin");
	jput_str(&j, "version", VERSION);
	jput_str(&j, "kernel", u.release);
	put_words(&j, "stages", "stages_b64", r->stages.v, r->stages.n);
	if (n > 0)
		put_words(&j, "command", "command_b64", (const char *const *)command, n);
	put_words(&j, "options", "options_b64", r->options.v, r->options.n);
	jput_close(&j);
	line_flush(&r->out);
}

/* Waits until nothing is left in the FIFO, or nobody reads it any more: the first
 * filter keeps it open until it has seen its end. */
static void
wait_empty(const char *fifo)
{
	struct timespec nap = { 0, DRAIN_MS * 1000000 };
	int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC), left = 0;

	if (fd < 0)
		return;
	/* should the reader be gone what it left stays, and the driver's patience ends it */
	while (ioctl(fd, FIONREAD, &left) == 0 && left > 0)
		nanosleep(&nap, NULL);
	close(fd);
}

static void
write_end(struct runlog *r, const char *status)
{
	struct jput j;

	for (size_t i = 0; i < r->drain.n; i++)
		wait_empty(r->drain.v[i]);
	line_begin(r, &j, "run.end");
	if (*status)
		jput_int(&j, "status", atoi(status));
	jput_array(&j, "failed");
	for (size_t i = 0; i < r->nfailed; i++) {
		jput_object(&j, NULL);
		jput_str(&j, "stage", r->failed[i].stage);
		jput_str(&j, "how", r->failed[i].how);
		jput_object_end(&j);
	}
	jput_array_end(&j);
	jput_close(&j);
	line_flush(&r->out);
}

/* --- stages that end too early ------------------------------------------------------ */

static void
watch(struct runlog *r, const char *name, const char *pid)
{
	int fd = syscall(SYS_pidfd_open, atoi(pid), 0);

	if (fd < 0 && errno != ESRCH)	/* without it the driver says it at the end */
		return;
	if (r->nwatched == STAGES)
		return;
	r->watched[r->nwatched].name = strdup(name);
	r->watched[r->nwatched++].fd = fd;
}

/* Into the terminal's title when a program draws on it: words would tear its screen. */
static void
say_ended(struct runlog *r, const char *name)
{
	const char *what = "ended while the recording runs; it goes on without";

	if (r->ready_fd >= 0)
		dprintf(r->ready_fd, "%s\n", name);
	if (!r->running)
		return;
	if (r->terminal)
		fprintf(stderr, "\033]0;agentsight: %s %s\007", name, what);
	else
		fprintf(stderr, "agentsight: %s %s\n", name, what);
}

/* --- orders ---------------------------------------------------------------------------- */

static void
add_failure(struct runlog *r, const char *stage, const char *how)
{
	if (r->nfailed == FAILURES)
		return;
	r->failed[r->nfailed].stage = strdup(stage);
	r->failed[r->nfailed++].how = strdup(how);
}

/* One order; false: it was the last. */
static bool
obey(struct runlog *r, char *line)
{
	char *verb = strsep(&line, " "), *name = line ? strsep(&line, " ") : NULL;

	if (strcmp(verb, "end") == 0) {
		write_end(r, name ? name : "");
		return false;
	}
	if (strcmp(verb, "running") == 0)
		r->running = true;
	else if (strcmp(verb, "stopping") == 0)
		r->stopping = true;
	else if (strcmp(verb, "watch") == 0 && line)
		watch(r, name, line);
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
	struct pollfd f[1 + STAGES];

	for (;;) {
		f[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
		for (size_t i = 0; i < r->nwatched; i++)
			f[1 + i] = (struct pollfd){ .fd = r->watched[i].fd, .events = POLLIN };
		if (poll(f, 1 + r->nwatched, -1) < 0 && errno != EINTR)
			return;
		if (f[0].revents && !read_orders(r))
			return;
		for (size_t i = 0; i < r->nwatched; i++) {
			if (!f[1 + i].revents || r->watched[i].fd < 0)
				continue;
			if (!r->stopping)
				say_ended(r, r->watched[i].name);
			close(r->watched[i].fd);
			r->watched[i].fd = -1;
		}
	}
}

int
main(int argc, char **argv)
{
	static struct runlog r = { .run = "", .ready_fd = -1 };
	const struct opt own[] = {
		{ .kind = OPT_STR, .name = "run", .arg = "ID", .to = &r.run, .help = "names the run" },
		{ .kind = OPT_LIST, .name = "stage", .arg = "NAME", .to = &r.stages,
		    .help = "a stage of it; repeatable, as the next ones" },
		{ .kind = OPT_LIST, .name = "option", .arg = "WORD", .to = &r.options,
		    .help = "a word of the command line" },
		{ .kind = OPT_LIST, .name = "drain", .arg = "FIFO", .to = &r.drain,
		    .help = "run.end waits until this one is empty" },
		{ .kind = OPT_NUM, .name = "ready-fd", .arg = "FD", .to = &r.ready_fd, .lo = 0,
		    .hi = 1 << 20, .help = "write a word there when run.begin is written, and the name of a stage that ends too early" },
		{ .kind = OPT_FLAG, .name = "terminal", .to = &r.terminal,
		    .help = "a program draws on standard error: use its title for messages" },
		{ .kind = OPT_END },
	};
	const struct opt_use use = {
		.name = "agentsight-runlog", .synopsis = "[OPTION]... [-- COMMAND [ARGUMENT]...]",
		.about = "Writes what a run is, for the driver.", .tables = { own },
	};
	int first = opt_parse(&use, argc, argv);

	signal(SIGPIPE, SIG_IGN);
	line_out_init(&r.out, STDOUT_FILENO);
	write_begin(&r, argv + first, argc - first);
	if (r.ready_fd >= 0)
		dprintf(r.ready_fd, "ready\n");
	serve(&r);
	line_out_free(&r.out);
	return r.out.err ? 1 : 0;
}
