/* stage.c - the loop of every filter; see stage.h */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The one thing that a signal handler needs to reach. */
static struct {
	struct line_in *in;
	volatile sig_atomic_t term, usr1;
} caught;

struct run {
	const struct stage *st;
	void *self;
	struct stage_io io;
	struct event ev;
	uint64_t max_line;
	const char *output;
	bool strict, fail_on_loss, verbose;
	uint64_t next_tick;	/* milliseconds of the monotonic clock */
	bool complained;	/* about a bad line, once */
	bool failed;
	bool begun, in_books;	/* stage.begin was reported, was written */
	int64_t ready_fd, report_fd;	/* -1: none */
	struct line_out report;
	struct loss reported;	/* of the losses, what was written there */
};

static void
on_signal(int sig)
{
	if (sig == SIGUSR1)
		caught.usr1 = 1;
	else
		caught.term = 1;
	line_in_stop(caught.in);
}

static void
catch_signals(struct line_in *in)
{
	struct sigaction sa = { .sa_handler = on_signal };

	caught.in = in;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	/* Ctrl-C reaches the whole pipeline: the collector ends it, by end of input */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a write says EFBIG then */
}

void
stage_passed(struct stage_io *io, uint64_t n)
{
	io->passed += n;
	io->dropped -= n;
}

void
stage_wait(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block, before;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigaction(SIGINT, &sa, NULL);
	while (!caught.term)
		sigsuspend(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* --- books ------------------------------------------------------------------- */

static struct books
books_of(const struct run *r, uint64_t ns)
{
	const struct stage_io *io = &r->io;

	return (struct books){
		.stage = r->st->use.name, .timestamp_ns = ns, .read = io->lines,
		.written = io->out.lines, .lost = loss_total(&io->loss), .why = io->why,
	};
}

static bool
in_stream(const struct run *r)
{
	return r->io.tee && !r->io.silent;
}

/* Before the first line is passed, with its time: a filter reads no clock. ev: the
 * line, when it is an event. */
static void
begin(struct run *r, uint64_t ns, const struct event *ev)
{
	struct books b;

	if (r->begun && (r->in_books || !in_stream(r)))
		return;
	b = books_of(r, ns);
	if (in_stream(r) && (!r->st->same_lines || (ev && books_event(ev)))) {
		books_begin(&r->io.out, &b);
		r->in_books = true;
	}
	if (r->report_fd >= 0 && !r->begun) {
		books_begin(&r->report, &b);
		line_flush(&r->report);
	}
	r->begun = true;
}

static void
report_losses(struct run *r, bool all)
{
	if (r->report_fd < 0)
		return;
	loss_follow(&r->reported, &r->io.loss);
	loss_emit(&r->reported, &r->report, r->io.now, all);
	line_flush(&r->report);
}

static enum books_why
why_ended(const struct run *r, bool at_end)
{
	if (r->failed || r->io.stop)
		return BOOKS_FAILED;
	if (r->io.out.err)
		return line_out_closed(&r->io.out) ? BOOKS_OUTPUT_CLOSED : BOOKS_FAILED;
	return at_end ? BOOKS_INPUT_END : BOOKS_SIGNAL;
}

static void
end_books(struct run *r)
{
	struct books b = books_of(r, r->io.now);

	if (!r->in_books)
		return;
	b.written++;
	books_end(&r->io.out, &b);
}

/* When the output is written, or could not be: what is known last. */
static void
end_report(struct run *r)
{
	struct books b;

	if (r->report_fd < 0)
		return;
	if (r->failed)
		r->io.why = BOOKS_FAILED;
	report_losses(r, true);
	b = books_of(r, r->io.now);
	books_end(&r->report, &b);
	line_flush(&r->report);
	line_out_free(&r->report);
}

static void
say_ready(const struct run *r)
{
	if (r->ready_fd < 0)
		return;
	if (write(r->ready_fd, "\n", 1) != 1)
		fprintf(stderr, "%s: --ready-fd %" PRId64 ": %s\n", r->st->use.name, r->ready_fd,
		    strerror(errno));
	if (r->ready_fd > STDERR_FILENO)
		close(r->ready_fd);
}

/* --- lines ------------------------------------------------------------------- */

static void
summary(struct run *r)
{
	const struct stage_io *io = &r->io;

	fprintf(stderr, "%s: %" PRIu64 " lines read, %" PRIu64 " passed, %" PRIu64 " not passed, %"
	    PRIu64 " written; lost: %s\n", r->st->use.name, io->lines, io->passed, io->dropped,
	    io->out.lines,
	    loss_total(&io->loss) ? loss_text(&io->loss) : "nothing");
	if (r->st->summary)
		r->st->summary(r->self, io);
}

/* A line that is no event: counted, complained of once, passed. */
static void
bad_line(struct run *r, const char *name, const char *reason, const char *what, size_t n)
{
	loss_add(&r->io.loss, reason, 1, n);
	if (!r->complained && (!r->io.quiet || r->strict))
		fprintf(stderr, "%s: %s line %" PRIu64 " %s%s\n", r->st->use.name, name,
		    r->io.lines, what,
		    r->strict ? "" : r->io.tee ? "; passed on, and counted from here on" :
		    "; counted from here on");
	r->complained = true;
	r->failed |= r->strict;
}

static void
pass_piece(struct run *r, bool pass, const char *s, size_t n, bool last)
{
	if (r->io.tee && r->st->text)
		pass = r->st->text(r->self, s, n, last, &r->io);
	else if (pass)
		line_piece(&r->io.out, s, n, last);
	if (last)
		pass ? r->io.passed++ : r->io.dropped++;
}

static void
one_event(struct run *r, const char *s, size_t n)
{
	struct stage_io *io = &r->io;
	enum verdict v;
	uint64_t t;

	if ((t = event_time(&r->ev)) > io->now)
		io->now = t;
	v = r->st->event(r->self, &r->ev, io);
	if (!r->io.tee)
		v = STAGE_DROP;	/* of a sink nothing passes */
	if (v == STAGE_PASS)
		line_put(&io->out, s, n);
	else if (v == STAGE_EDIT)
		event_write(&r->ev, &io->out);
	v == STAGE_DROP ? io->dropped++ : io->passed++;
}

static void
one_line(struct run *r, enum line_rc rc, const char *name, const char *s, size_t n)
{
	enum event_rc e = EVENT_BAD;
	bool pass = r->io.tee && !r->st->bad;

	if (rc != LINE_LONG)
		r->io.lines++;
	if (rc == LINE_OK && (e = event_scan(&r->ev, s, n)) == EVENT_OK) {
		begin(r, event_time(&r->ev), &r->ev);
		one_event(r, s, n);
		return;
	}
	begin(r, 0, NULL);
	if (r->io.tee && r->st->bad)
		pass = r->st->bad(r->self, &r->io);
	if (rc == LINE_LONG_END)
		bad_line(r, name, "long_line", "is longer than --max-line", n);
	else if (rc == LINE_PARTIAL)
		bad_line(r, name, "partial_line", "ends without a newline", n);
	else if (rc == LINE_OK && e == EVENT_NOMEM)
		bad_line(r, name, "no_memory", "is not looked into, for memory is short", n);
	else if (rc == LINE_OK && e == EVENT_NOTYPE)
		bad_line(r, name, "no_type", "has no type", n);
	else if (rc == LINE_OK)
		bad_line(r, name, "bad_json", "is not a JSON object", n);
	pass_piece(r, pass, s, n, rc != LINE_LONG);
}

static uint64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static void
tick(struct run *r)
{
	uint64_t now = clock_ms();

	if (now < r->next_tick)
		return;
	r->next_tick = now + r->st->tick_ms;
	r->st->tick(r->self, &r->io);
}

/* True: the input has ended. */
static bool
loop(struct run *r, struct line_in *in)
{
	const char *s;
	size_t n;

	while (!r->failed && !r->io.stop && !caught.term) {
		enum line_rc rc = line_next(in, &s, &n);

		if (r->st->tick)
			tick(r);
		report_losses(r, false);
		if (rc == LINE_IDLE)
			continue;
		if (rc == LINE_EOF)
			return true;
		if (rc == LINE_ERR) {
			fprintf(stderr, "%s: read %s: %s\n", r->st->use.name, line_in_name(in),
			    strerror(errno));
			r->failed = true;
			return false;
		}
		if (rc == LINE_STOPPED) {
			if (r->io.out.err)
				return false;
			if (caught.usr1) {
				caught.usr1 = 0;
				summary(r);
			}
			continue;
		}
		one_line(r, rc, line_in_name(in), s, n);
		if (r->io.tee)
			loss_emit(&r->io.loss, &r->io.out, r->io.now, false);
	}
	return false;
}

static int
finish(struct run *r, bool at_end)
{
	struct stage_io *io = &r->io;

	begin(r, io->now, NULL);
	io->why = why_ended(r, at_end);
	if (r->st->end)
		r->st->end(r->self, io);
	if (r->io.tee)
		loss_emit(&io->loss, &io->out, io->now, true);
	end_books(r);
	line_flush(&io->out);
	if (!io->out.err && io->out.fd != STDOUT_FILENO && close(io->out.fd))
		io->out.err = errno;
	if (io->out.err && !line_out_closed(&io->out)) {
		fprintf(stderr, "%s: write %s: %s%s\n", r->st->use.name,
		    r->output ? r->output : "<stdout>",
		    strerror(io->out.err), line_out_hint(&io->out));
		r->failed = true;
	}
	end_report(r);
	if (r->verbose)
		summary(r);
	else if (!r->io.quiet && loss_total(&io->loss))
		fprintf(stderr, "%s: lost: %s\n", r->st->use.name, loss_text(&io->loss));
	if (r->failed)
		return 1;
	if (r->fail_on_loss && loss_total(&io->loss))
		return 3;
	return r->st->status ? r->st->status(r->self) : 0;
}

static void
check_fds(const struct run *r, const struct opt_use *use)
{
	if (r->ready_fd >= 0 && fcntl(r->ready_fd, F_GETFD) < 0)
		opt_fail(use, "--ready-fd %" PRId64 ": %s", r->ready_fd, strerror(errno));
	if (r->report_fd >= 0 && fcntl(r->report_fd, F_GETFD) < 0)
		opt_fail(use, "--report-fd %" PRId64 ": %s", r->report_fd, strerror(errno));
}

static bool
open_input(struct run *r, struct line_in *in, const char *path)
{
	if (line_in_open(in, path) == 0)
		return true;
	fprintf(stderr, "%s: open %s: %s\n", r->st->use.name, path, strerror(errno));
	return false;
}

/* The input is about to go, and the handler with it: all is done, and what would
 * end us now must not change how. */
static void
forget_signals(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGINT, SIG_IGN);
}

/* From here on hostile bytes are read. */
static bool
enter_sandbox(const struct run *r)
{
	struct sandbox box;
	int rc;

	sandbox_init(&box, 0);
	if (r->st->confine)
		r->st->confine(r->self, &box);
	if ((rc = sandbox_enter(&box)) < 0)
		fprintf(stderr, "%s: enter the sandbox: %s\n", r->st->use.name, strerror(errno));
	else if (rc && r->verbose)
		fprintf(stderr, "%s: this kernel has no Landlock:"
		    " which files may be opened is not limited\n", r->st->use.name);
	return rc >= 0;
}

/* What it writes, and the n inputs, or standard input when there are none. */
static bool
open_files(struct run *r, struct line_in *in, int n, char **inputs)
{
	int fd = STDOUT_FILENO;

	if (r->output && strcmp(r->output, "-") &&
	    (fd = open(r->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0) {
		fprintf(stderr, "%s: open %s: %s\n", r->st->use.name, r->output, strerror(errno));
		return false;
	}
	line_out_init(&r->io.out, fd);
	r->io.out.watch = fd != STDOUT_FILENO;
	if (!n && !open_input(r, in, "-"))
		return false;
	for (int i = 0; i < n; i++)
		if (!open_input(r, in, inputs[i]))
			return false;
	return true;
}

int
stage_run(const struct stage *st, void *self, int argc, char **argv)
{
	static struct run r;
	const struct opt shared[] = {
		{ .kind = OPT_SIZE, .name = "max-line", .arg = "SIZE", .to = &r.max_line,
		    .help = "longest line that is looked into (64M)", .lo = 1, .hi = 1LL << 32 },
		{ .kind = OPT_FLAG, .name = "strict", .to = &r.strict,
		    .help = "exit 1 at the first bad line" },
		{ .kind = OPT_FLAG, .name = "fail-on-loss", .to = &r.fail_on_loss,
		    .help = "exit 3 when anything was lost" },
		{ .kind = OPT_STR, .letter = 'o', .name = "output", .arg = "FILE", .to = &r.output,
		    .help = "write to FILE (0600)" },
		{ .kind = OPT_NUM, .name = "ready-fd", .arg = "FD", .to = &r.ready_fd,
		    .help = "write a newline there once everything is open", .lo = 0,
		    .hi = 1 << 20 },
		{ .kind = OPT_FLAG, .letter = 'q', .name = "quiet", .to = &r.io.quiet,
		    .help = "no messages about bad lines and losses" },
		{ .kind = OPT_FLAG, .letter = 'v', .name = "verbose", .to = &r.verbose,
		    .help = "counts on stderr at exit" },
		{ .kind = OPT_END },
	};
	const struct opt sink[] = {
		{ .kind = OPT_FLAG, .name = "tee", .to = &r.io.tee,
		    .help = "write every line to standard output, too" },
		{ .kind = OPT_NUM, .name = "report-fd", .arg = "FD", .to = &r.report_fd,
		    .help = "write there, as event lines, what was lost and how it ended", .lo = 0,
		    .hi = 1 << 20 },
		{ .kind = OPT_END },
	};
	struct opt_use use = st->use;
	struct line_in *in;
	int first, rc;

	r = (struct run){ .st = st, .self = self, .max_line = LINE_MAX_DEFAULT, .io.tee = !st->sink,
	    .ready_fd = -1, .report_fd = -1 };
	for (first = 0; use.tables[first]; first++)
		;
	if (st->sink)
		use.tables[first++] = sink;
	use.tables[first] = shared;
	first = opt_parse(&use, argc, argv);
	if (r.output && !r.io.tee)
		opt_fail(&use, "--output needs --tee: without it, nothing is written there");
	check_fds(&r, &use);
	loss_init(&r.io.loss, use.name);
	loss_init(&r.reported, use.name);
	line_out_init(&r.report, r.report_fd);
	if (!(in = line_in_new(r.max_line))) {
		fprintf(stderr, "%s: %s\n", use.name, strerror(errno));
		return 1;
	}
	catch_signals(in);	/* before start: what a sink begins there it must end */
	if (st->start)
		first += st->start(self, &r.io, argc - first, argv + first);
	if (!open_files(&r, in, argc - first, argv + first))
		return 1;
	if (st->tick)
		line_in_patience(in, st->tick_ms);
	if (r.io.tee)
		line_in_tie(in, &r.io.out);
	event_init(&r.ev);
	if (!enter_sandbox(&r))
		return 1;
	if (st->ready)
		st->ready(self, &r.io);
	say_ready(&r);
	rc = finish(&r, loop(&r, in));
	event_free(&r.ev);
	forget_signals();
	line_in_free(in);
	line_out_free(&r.io.out);
	return rc;
}
