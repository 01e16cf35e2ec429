/*
 * sqlitesink - one SQLite file of everything that was seen
 * reads   llm.call mcp.call http.* sse.message process.* file.* dir.* net.* bash.readline
 *         stdio.data system.* loss
 * writes  DB, in transactions of at most 100 ms or 1000 lines, a new one with --rotate;
 *         with --tee every line that it read
 * keeps   the last 8192 processes, 16384 paths, 4096 addresses; one batch
 */
#include "lib/stage.h"
#include "sqlitesink/call.h"
#include "sqlitesink/db.h"
#include "sqlitesink/file.h"
#include "sqlitesink/http.h"
#include "sqlitesink/index.h"
#include "sqlitesink/life.h"
#include "sqlitesink/net.h"
#include "sqlitesink/rotate.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH_LINES = 1000,
	BATCH_MS = 100,
	INDEX_BYTES = 1 << 20,	/* that are indexed in one go while it is quiet */
};
#define ROTATE_AGAIN_NS 10000000000ull	/* after a reader held it up */

struct sqlitesink {
	bool events, bodies, no_search;
	struct db db;
	struct lives *lives;
	struct files *files;
	struct nets *nets;
	struct calls *calls;
	struct rotate rotate;
	const char *rotate_at;
	uint64_t first_ns, last_ns, unstored, stored;
	uint64_t not_before;	/* the next rotation, event time */
	uint64_t lines;		/* of io.lines at the tick before */
	unsigned batch;
	bool complete, index;
};

static const struct opt_use use;

/* --- events -------------------------------------------------------------------- */

static void
on_loss(struct sqlitesink *self, struct event *ev)
{
	struct row r = row_of(&self->db, SQL_LOSS_NEW);

	row_int(&r, self->db.run);
	row_key(&r, ev, "timestamp_ns");
	row_key(&r, ev, "stage");
	row_key(&r, ev, "reason");
	row_key(&r, ev, "events");
	row_key(&r, ev, "bytes");
	row_key(&r, ev, "conn");
	row_run(&r);
}

static void
on_host(struct sqlitesink *self, struct event *ev)
{
	static const char *const key[] = { "timestamp_ns", "cores", "load1", "load5", "load15", "mem_total_bytes",
		"mem_available_bytes" };
	struct row r = row_of(&self->db, SQL_HOST_NEW);

	row_int(&r, self->db.run);
	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		row_key(&r, ev, key[i]);
	row_run(&r);
}

static void
on_sample(struct sqlitesink *self, struct event *ev, int64_t process)
{
	static const char *const key[] = { "cpu_percent", "rss_bytes", "vsz_bytes", "pss_bytes", "rss_peak_bytes", "threads",
		"children", "io_read_bytes", "io_write_bytes", "cgroup", "alert" };
	struct row r = row_of(&self->db, SQL_SAMPLE_NEW);

	row_int(&r, self->db.run);
	row_id(&r, process);
	row_int(&r, event_time(ev));
	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		row_key(&r, ev, key[i]);
	row_run(&r);
}

static void
on_stdio(struct sqlitesink *self, struct event *ev, int64_t process)
{
	struct row r = row_of(&self->db, SQL_STDIO_NEW);

	row_id(&r, process);
	row_int(&r, event_time(ev));
	row_key(&r, ev, "direction");
	row_key(&r, ev, "fd");
	row_key(&r, ev, "fd_role");
	row_key_bytes(&r, ev, "fd_target");
	row_key(&r, ev, "off");
	row_key(&r, ev, "len");
	row_key(&r, ev, "latency_ms");
	row_key_bytes(&r, ev, "data");
	row_run(&r);
}

static void
on_signal(struct sqlitesink *self, struct event *ev, int64_t process)
{
	struct row r = row_of(&self->db, SQL_SIGNAL_NEW);

	row_id(&r, process);
	row_int(&r, event_time(ev));
	row_key(&r, ev, "target_pid");
	row_key(&r, ev, "signal");
	row_key(&r, ev, "signal_name");
	row_key(&r, ev, "outcome");
	row_key(&r, ev, "error");
	row_run(&r);
}

static void
on_shell_line(struct sqlitesink *self, struct event *ev, int64_t process)
{
	struct row r = row_of(&self->db, SQL_SHELL_LINE_NEW);

	row_id(&r, process);
	row_int(&r, event_time(ev));
	row_key_bytes(&r, ev, "command");
	row_run(&r);
}

/* Those whose first word says it all; false: no table is theirs. */
static bool
on_process(struct sqlitesink *self, struct event *ev)
{
	if (event_is(ev, "process.fork"))
		life_fork(self->lives, ev);
	else if (event_is(ev, "process.exec"))
		life_exec(self->lives, ev);
	else if (event_is(ev, "process.exit"))
		life_exit(self->lives, ev);
	else if (event_is(ev, "process.signal"))
		on_signal(self, ev, life_of(self->lives, ev));
	else
		return false;
	return true;
}

static bool
on_single(struct sqlitesink *self, struct event *ev)
{
	if (event_is(ev, "loss"))
		on_loss(self, ev);
	else if (event_is(ev, "system.host"))
		on_host(self, ev);
	else if (event_is(ev, "system.process"))
		on_sample(self, ev, life_sampled(self->lives, ev));
	else if (event_is(ev, "stdio.data"))
		on_stdio(self, ev, life_of(self->lives, ev));
	else if (event_is(ev, "bash.readline"))
		on_shell_line(self, ev, life_of(self->lives, ev));
	else
		return false;
	return true;
}

static bool
on_call(struct sqlitesink *self, struct event *ev)
{
	bool llm = event_is(ev, "llm.call");

	if (!llm && !event_is(ev, "mcp.call"))
		return false;
	call_event(self->calls, ev, llm ? life_agent(self->lives, ev) : life_of(self->lives, ev));
	if (llm && !self->bodies)
		http_forget_bodies(&self->db, ev);
	return true;
}

static bool
on_http(struct sqlitesink *self, struct event *ev)
{
	return !event_is(ev, "http.body") && http_event(&self->db, ev, life_of(self->lives, ev));
}

static bool
on_file(struct sqlitesink *self, struct event *ev)
{
	return !event_is(ev, "dir.change") && file_event(self->files, ev, life_of(self->lives, ev));
}

static bool
on_net(struct sqlitesink *self, struct event *ev)
{
	return net_event(self->nets, ev, life_of(self->lives, ev));
}

/* By the word before the dot. False: no table is this event's. */
static bool
store(struct sqlitesink *self, struct event *ev)
{
	static const struct {
		const char *source;
		bool (*on)(struct sqlitesink *, struct event *);
	} by[] = {
		{ "file.", on_file }, { "process.", on_process }, { "net.", on_net }, { "dir.", on_file },
		{ "http.", on_http }, { "sse.message", on_http }, { "llm.", on_call }, { "mcp.", on_call }, { "", on_single },
	};
	struct value type = event_get(ev, "type");
	size_t i = 0;

	while (type.n - 2 < strlen(by[i].source) || memcmp(type.p + 1, by[i].source, strlen(by[i].source)))
		i++;
	return by[i].on(self, ev);
}

/* --- batches ----------------------------------------------------------------------- */

static void
put_run(struct sqlitesink *self, const struct stage_io *io)
{
	struct row r = row_of(&self->db, SQL_RUN_UPDATE);

	row_id(&r, self->first_ns);
	row_id(&r, self->last_ns);
	row_int(&r, io->lines);
	row_int(&r, self->unstored);
	row_int(&r, self->complete);
	row_int(&r, self->db.run);
	row_run(&r);
}

static void
finish_index(struct sqlitesink *self)
{
	while (!self->no_search && !self->db.failed && index_more(&self->db, INDEX_BYTES))
		db_commit(&self->db);
}

static bool
new_tables(struct sqlitesink *self)
{
	return (self->files = files_new(&self->db)) && (self->nets = nets_new(&self->db)) && (self->calls = calls_new(&self->db));
}

static void
free_tables(struct sqlitesink *self)
{
	calls_free(self->calls);
	nets_free(self->nets);
	files_free(self->files);
}

/* The file ends, and another begins. What is remembered of processes stays, as their
 * rows do; the rest is of the file that ended. */
static void
rotate(struct sqlitesink *self)
{
	const char *path = self->db.path;
	char old[4096];
	bool moved;

	finish_index(self);
	free_tables(self);
	db_close(&self->db);
	moved = rotate_move(&self->rotate, &self->db, self->first_ns, old, sizeof(old));
	if (db_open(&self->db, "sqlitesink", path))
		self->db.failed = true;
	else if (moved)
		rotate_carry(&self->db, old, self->last_ns);
	else
		self->not_before = self->last_ns + ROTATE_AGAIN_NS;
	if (!new_tables(self))
		err(1, "rotate");
	self->first_ns = 0;
	self->complete = false;
}

static void
commit(struct sqlitesink *self, struct stage_io *io)
{
	files_flush(self->files);
	lives_flush(self->lives);
	put_run(self, io);
	db_commit(&self->db);
	self->batch = 0;
	if (!self->db.failed && !self->complete && self->last_ns >= self->not_before &&
	    rotate_due(&self->rotate, &self->db, self->first_ns, self->last_ns)) {
		self->complete = true;
		put_run(self, io);
		rotate(self);
	}
	/* a filter goes on; what only writes has nothing left to do */
	if (self->db.failed && !io->tee)
		io->stop = true;
}

static void
on_line(struct sqlitesink *self, struct event *ev, struct stage_io *io)
{
	uint64_t ns = event_time(ev);

	if (ns && (!self->first_ns || ns < self->first_ns))
		self->first_ns = ns;
	if (ns > self->last_ns)
		self->last_ns = ns;
	if (self->events) {
		struct row r = row_of(&self->db, SQL_EVENT_NEW);

		row_int(&r, self->db.run);
		row_bytes(&r, ev->line, ev->len);
		row_run(&r);
	}
	if (store(self, ev))
		self->stored++;
	else
		self->unstored++;
	if (self->db.refused) {
		loss_add(&io->loss, "bad_event", 1, ev->len);
		self->db.refused = false;
	}
}

static enum verdict
on_event(void *arg, struct event *ev, struct stage_io *io)
{
	struct sqlitesink *self = arg;

	if (self->db.failed)
		return STAGE_PASS;
	on_line(self, ev, io);
	if (++self->batch >= BATCH_LINES || self->db.failed)
		commit(self, io);
	return STAGE_PASS;
}

static void
on_tick(void *arg, struct stage_io *io)
{
	struct sqlitesink *self = arg;

	if (self->batch) {
		commit(self, io);
		self->index = !self->no_search;
	} else if (self->index && self->lines == io->lines && !self->db.failed) {
		self->index = index_more(&self->db, INDEX_BYTES);
		db_commit(&self->db);
	}
	self->lines = io->lines;
}

/* What this stage itself lost belongs to the file, too. */
static void
put_losses(struct sqlitesink *self, const struct stage_io *io)
{
	for (unsigned i = 0; i < io->loss.n; i++) {
		const struct loss_reason *l = &io->loss.by[i];
		struct row r = row_of(&self->db, SQL_LOSS_NEW);

		row_int(&r, self->db.run);
		row_id(&r, io->now);
		row_str(&r, io->loss.stage);
		row_str(&r, l->reason);
		row_int(&r, l->events);
		row_int(&r, l->bytes);
		row_null(&r);
		row_run(&r);
	}
}

static void
on_end(void *arg, struct stage_io *io)
{
	struct sqlitesink *self = arg;

	self->complete = true;
	if (!self->db.failed) {
		put_losses(self, io);
		commit(self, io);
		finish_index(self);
	}
	db_close(&self->db);
	free_tables(self);
	lives_free(self->lives);
}

/* --- options ------------------------------------------------------------------------ */

static void
on_summary(void *arg, const struct stage_io *io)
{
	struct sqlitesink *self = arg;

	(void)io;
	fprintf(stderr, "sqlitesink: %" PRIu64 " lines stored in %s, %" PRIu64 " of types that have no table%s\n",
	    self->stored, self->db.path, self->unstored, self->events ? " (kept in events)" : "");
}

static int
on_status(void *arg)
{
	return ((struct sqlitesink *)arg)->db.failed;
}

static int
on_start(void *arg, struct stage_io *io, int argc, char **argv)
{
	struct sqlitesink *self = arg;
	const char *wrong;

	(void)io;
	if (argc < 1)
		opt_fail(&use, "no database is named");
	if (!argv[0][0] || argv[0][0] == ':')
		opt_fail(&use, "'%s' is no name for a file (./%s is)", argv[0], argv[0]);
	if (self->rotate_at && (wrong = rotate_parse(&self->rotate, self->rotate_at)))
		opt_fail(&use, "--rotate %s: %s", self->rotate_at, wrong);
	if (db_open(&self->db, "sqlitesink", argv[0]))
		exit(1);
	self->lives = lives_new(&self->db);
	if (!self->lives || !new_tables(self))
		err(1, "start");
	return 1;
}

static struct sqlitesink self;

static const struct opt own[] = {
	{ .kind = OPT_FLAG, .name = "events", .to = &self.events, .help = "keep every line as it was, too" },
	{ .kind = OPT_FLAG, .name = "bodies", .to = &self.bodies,
	    .help = "keep the HTTP bodies of model calls, too (what they say is in messages)" },
	{ .kind = OPT_FLAG, .name = "no-search", .to = &self.no_search, .help = "index no words (the search report is slow then)" },
	{ .kind = OPT_STR, .name = "rotate", .arg = "TIME|SIZE", .to = &self.rotate_at, .help = "begin a new file after this time (1h) or at this size (1G)" },
	{ .kind = OPT_NUM, .name = "keep", .arg = "N", .to = &self.rotate.keep, .lo = 0, .hi = 1 << 20, .help = "then keep the last N files (0: all)" },
	{ .kind = OPT_END },
};

static const struct opt_use use = {
	.name = "sqlitesink",
	.synopsis = "[OPTION]... DB [FILE]...",
	.about = "Stores events in an SQLite file.",
	.tables = { own },
};

int
main(int argc, char **argv)
{
	struct stage stage = {
		.sink = true,
		.start = on_start,
		.event = on_event,
		.tick = on_tick,
		.tick_ms = BATCH_MS,
		.end = on_end,
		.summary = on_summary,
		.status = on_status,
	};

	stage.use = use;
	return stage_run(&stage, &self, argc, argv);
}
