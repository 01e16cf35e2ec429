/*
 * websink - look at a run in the browser
 * reads   any events, live or from a saved file; a database of sqlitesink(1)
 * writes  nothing but web pages; with --html one file
 * keeps   the newest lines, --max-memory bytes of them
 */
#include "database.h"
#include "page.h"
#include "query.h"
#include "recent.h"
#include "server.h"
#include "preview.h"
#include "replay.h"

#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAIN_MS = 2000 };

static struct websink {
	struct server server;
	const char *html;
	int64_t port;
	uint64_t max_memory;
	struct opt_list hosts;
	bool exit_at_end;
	struct line_out scratch;	/* short forms are made here */
	struct event replayed;		/* a line of the database */
	struct stage_io *io;
	bool failed;
} self = { .port = 7395, .max_memory = 256 << 20 };

static const struct opt options[] = {
	{ .kind = OPT_STR, .name = "db", .arg = "FILE", .to = &self.server.db_path,
	    .help = "a database of sqlitesink, read only" },
	{ .kind = OPT_STR, .name = "listen", .arg = "ADDRESS", .to = &self.server.listen,
	    .help = "listen there (127.0.0.1): others can then read all of this" },
	{ .kind = OPT_NUM, .name = "port", .arg = "N", .to = &self.port,
	    .help = "listen on this port (7395; 0: a free one)", .lo = 0, .hi = 65535 },
	{ .kind = OPT_LIST, .name = "host", .arg = "NAME", .to = &self.hosts,
	    .help = "another name that this server goes by (repeatable)" },
	{ .kind = OPT_STR, .name = "html", .arg = "FILE", .to = &self.html,
	    .help = "write the page with all events inside to FILE, serve nothing" },
	{ .kind = OPT_FLAG, .name = "exit", .to = &self.exit_at_end, .help = "end with the input" },
	{ .kind = OPT_SIZE, .name = "max-memory", .arg = "SIZE", .to = &self.max_memory,
	    .help = "of the newest events kept (256M)", .lo = 1 << 20, .hi = 1LL << 40 },
	{ .kind = OPT_END },
};

static const struct opt_use use = {
	.name = "websink", .synopsis = "[OPTION]... [FILE]...",
	.about = "Shows events in the browser: live from standard input or files,"
	" or a saved database.",
	.tables = { options },
};

/* --- events ---------------------------------------------------------------- */

/* A line into the memory; also what a database is read as. */
static void
keep(struct websink *w, struct event *ev)
{
	w->scratch.len = 0;
	if (!preview_event(ev, &w->scratch))
		w->scratch.len = 0;
	if (recent_add(w->server.recent, ev->line, ev->len, w->scratch.buf, w->scratch.len))
		loss_add(&w->io->loss, "no_memory", 1, ev->len);
}

/* A line of the database. */
static void
on_replayed(void *arg, const char *line, size_t n)
{
	struct websink *w = arg;

	if (event_scan(&w->replayed, line, n) == EVENT_OK)
		keep(w, &w->replayed);
	else
		loss_add(&w->io->loss, "bad_row", 1, n);
}

static enum verdict
on_event(void *arg, struct event *ev, struct stage_io *io)
{
	(void)io;
	keep(arg, ev);
	return STAGE_PASS;
}

/* --- start ----------------------------------------------------------------- */

static bool
is_loopback(const char *address)
{
	return !address || !strncmp(address, "127.", 4) || !strcmp(address, "::1") ||
	    !strcmp(address, "localhost");
}

/* Under which names the page may be asked for: none but these. */
static void
set_hosts(struct websink *w)
{
	static const char *const ours[] = { "127.0.0.1", "localhost", "[::1]" };
	const char **all = calloc(w->hosts.n + 5, sizeof(*all));
	struct origin *g = &w->server.origin;
	const char *at = w->server.listen;
	static char bracketed[80];
	size_t n = 0;

	if (!all)
		opt_fail(&use, "out of memory");
	for (; n < 3; n++)
		all[n] = ours[n];
	if (at && strchr(at, ':')) {
		snprintf(bracketed, sizeof(bracketed), "[%s]", at);
		at = bracketed;
	}
	if (at)
		all[n++] = at;
	for (size_t i = 0; i < w->hosts.n; i++)
		all[n++] = w->hosts.v[i];
	g->hosts = all;
	g->any_address = !is_loopback(w->server.listen);
	g->nhosts = n;
}

static const char *
url_host(const struct websink *w)
{
	static char text[80];
	const char *at = w->server.listen;

	if (!at || !strcmp(at, "0.0.0.0") || !strcmp(at, "::"))
		return w->hosts.n ? w->hosts.v[0] : "127.0.0.1";
	snprintf(text, sizeof(text), strchr(at, ':') ? "[%s]" : "%s", at);
	return text;
}

static void
serve(struct websink *w)
{
	const char *bad;
	sigset_t all, before;

	set_hosts(w);
	w->server.port = w->port;
	/* signals are the main thread's alone */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bad = server_start(&w->server);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (bad) {
		fprintf(stderr, "websink: listen on %s port %" PRId64 ": %s%s\n",
		    w->server.listen ? w->server.listen : "127.0.0.1",
		    w->port, bad, errno == EADDRINUSE ?
		    " (another: --port N, of agentsight --server-port N; 0 is a free one)" : "");
		exit(1);
	}
	if (!is_loopback(w->server.listen))
		fprintf(stderr, "websink: %s is not loopback: whoever has the address below and"
		    " reaches this machine reads all prompts and answers,"
		    " and all between reads along: there is no TLS\n",
		    w->server.listen);
	fprintf(stderr, "websink: http://%s:%u/?token=%s\n", url_host(w), w->server.port,
	    w->server.origin.token);
}

/* That it can be read is known before anything is served. */
static void
open_database(struct websink *w)
{
	struct query q;

	if (query_open(&q, w->server.db_path, 0)) {
		fprintf(stderr, "websink: open %s\n", q.why);
		exit(1);
	}
	query_close(&q);
}

static void
read_database(struct websink *w)
{
	struct query q;

	event_init(&w->replayed);
	if (query_open(&q, w->server.db_path, 0) || replay_events(&q, on_replayed, w)) {
		fprintf(stderr, "websink: %s: %s\n", w->server.db_path, q.why);
		w->failed = true;
	}
	query_close(&q);
	event_free(&w->replayed);
}

/* Whether an operand is a database, whatever its name. */
static bool
is_database(const char *path)
{
	char head[16];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));

	if (fd >= 0)
		close(fd);
	return n > 0 && query_is_database(head, n);
}

static int
start(void *arg, struct stage_io *io, int argc, char **argv)
{
	struct websink *w = arg;
	int taken = 0;

	if (argc && !w->server.db_path && strcmp(argv[0], "-") && is_database(argv[0])) {
		w->server.db_path = argv[0];
		taken = 1;
		argc--;
		argv++;
	}
	if (!argc && !w->server.db_path && isatty(STDIN_FILENO))
		opt_fail(&use, "what to show? a FILE, --db DB, or lines on standard input");
	w->io = io;
	w->server.source = argc ? argv[0] : w->server.db_path ? w->server.db_path : "live";
	line_out_init(&w->scratch, -1);
	if (!(w->server.recent = recent_new(w->max_memory, SIZE_MAX)))
		opt_fail(&use, "out of memory");
	if (w->server.db_path)
		open_database(w);
	else if (!w->html && !(w->server.database = database_new(w->server.recent))) {
		fprintf(stderr, "websink: make a temporary folder: %s (below TMPDIR, else /tmp)\n",
		    strerror(errno));
		exit(1);
	}
	/* a database alone: nothing to read */
	if (w->server.db_path && !argc && !freopen("/dev/null", "r", stdin))
		opt_fail(&use, "open /dev/null: %s", strerror(errno));
	return taken;
}

/* The user's own reports and prices, and those beside the program. */
static void
allow_reports(struct sandbox *box)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	path[n > 0 ? n : 0] = '\0';
	if (n > 0)
		sandbox_allow_folder(box, SANDBOX_READ, path);
	if (xdg && *xdg == '/')
		snprintf(path, sizeof(path), "%s/agentsight", xdg);
	else
		snprintf(path, sizeof(path), "%s/.config/agentsight", home &&
		    *home ? home : "/nonexistent");
	sandbox_allow(box, SANDBOX_READ, path);
}

/* A database is only read; but who reads one that is being written takes part in the
 * index of its log. */
static void
allow_database(struct sandbox *box, const char *path)
{
	char name[PATH_MAX];

	sandbox_allow_folder(box, SANDBOX_READ, path);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%s", path, i ? "-wal" : "-shm");
		sandbox_allow(box, SANDBOX_WRITE, name);
	}
	sandbox_allow(box, SANDBOX_READ, "/dev/urandom");
}

static void
confine(void *arg, struct sandbox *box)
{
	struct websink *w = arg;

	box->needs = SANDBOX_FILES | (w->html ? 0 : SANDBOX_SERVE | SANDBOX_THREADS);
	box->port = w->port;
	if (w->server.db_path)
		allow_database(box, w->server.db_path);
	if (w->server.database)
		sandbox_allow(box, SANDBOX_WRITE, database_folder(w->server.database));
	allow_reports(box);
	if (!w->html)
		sandbox_allow_network(box);
	else if (strcmp(w->html, "-"))
		sandbox_allow_folder(box, SANDBOX_WRITE, w->html);
}

static void
ready(void *arg, struct stage_io *io)
{
	struct websink *w = arg;

	(void)io;
	if (!w->html)
		serve(w);
	if (w->server.db_path)
		read_database(w);
}

/* --- end ------------------------------------------------------------------- */

/* The file of --html: made anew, for the owner alone, in place of an old one. */
static bool
write_html(struct websink *w)
{
	int fd = strcmp(w->html, "-") ?
	    open(w->html, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : dup(STDOUT_FILENO);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");

	if (to && page_write(to, w->server.recent, w->server.source) == 0 && fclose(to) == 0)
		return true;
	fprintf(stderr, "websink: write %s: %s\n", w->html, strerror(errno));
	return false;
}

static void
count_losses(struct websink *w)
{
	struct recent_state is = recent_state(w->server.recent);

	if (is.left)
		loss_add(&w->io->loss, "max_memory", is.left, is.left_bytes);
	if (w->server.missed)
		loss_add(&w->io->loss, "slow_client", w->server.missed, 0);
}

static void
at_end(void *arg, struct stage_io *io)
{
	struct websink *w = arg;

	(void)io;
	recent_end(w->server.recent);
	if (w->html)
		w->failed |= !write_html(w);
	else if (!w->exit_at_end)
		stage_wait();
	server_drain(&w->server, DRAIN_MS);
	recent_stop(w->server.recent);
	server_stop(&w->server);
	database_free(w->server.database);
	count_losses(w);
	recent_free(w->server.recent);
	line_out_free(&w->scratch);
	free((void *)w->server.origin.hosts);
}

static int
status(void *arg)
{
	return ((struct websink *)arg)->failed;
}

int
main(int argc, char **argv)
{
	const struct stage stage = {
		.use = use, .sink = true, .start = start, .confine = confine, .ready = ready,
		.event = on_event, .end = at_end, .status = status,
	};

	return stage_run(&stage, &self, argc, argv);
}
