/*
 * sqlitesink - one SQLite file of everything that was seen
 * reads   llm.call mcp.call http.* sse.message process.* file.* dir.* net.* bash.readline
 *         stdio.data system.* loss run.* stage.*
 * writes  DB, in transactions of at most 100 ms or 1000 lines, a new one with --rotate;
 *         with --tee every line that it read
 * keeps   the last 8192 processes, 16384 paths, 4096 addresses; one batch
 */
#include "lib/stage.h"
#include "sqlitesink/index.h"
#include "sqlitesink/life.h"
#include "sqlitesink/rotate.h"
#include "sqlitesink/run.h"
#include "sqlitesink/store.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH_LINES = 1000,
	BATCH_MS = 100,
	INDEX_BYTES = 1 << 20,	/* that are indexed in one go while it is quiet */
	LARGE_LINE = 1 << 16,
};
#define ROTATE_AGAIN_NS 10000000000ull	/* after a reader held it up */
#define FAR_NS 86400000000000ull	/* between two events: the time of one may be wrong */

struct sqlitesink {
	bool events, no_search;
	struct db db;
	struct store store;
	struct rotate rotate;
	const char *rotate_at;
	struct run_books books;
	uint64_t first_ns, last_ns, unstored, stored;
	uint64_t opened_ns;	/* the latest time there was when the file got its first event */
	uint64_t far_ns;	/* of one event that is far from those before; 0 */
	uint64_t timed;		/* events between first_ns and last_ns */
	uint64_t not_before;	/* the next rotation, event time */
	uint64_t lines;		/* of io.lines at the tick before */
	unsigned batch;
	uint64_t max_log, max_memory;
	bool log_full;		/* nothing but the books is stored */
	bool ended, index;
};

static const struct opt_use use;

/* --- batches ----------------------------------------------------------------------- */

static void
put_run(struct sqlitesink *self, const struct stage_io *io)
{
	struct row r = row_of(&self->db, SQL_RUN_UPDATE);

	row_id(&r, "first_ns", self->first_ns);
	row_id(&r, "last_ns", self->last_ns);
	row_int(&r, "lines", io->lines);
	row_int(&r, "unstored", self->unstored);
	row_int(&r, "input_ended", self->ended);
	row_int(&r, "id", self->db.run);
	row_run(&r);
}

/* Our own part, in the row of runs that ends, or because all does. */
static void
end_part(struct sqlitesink *self, const struct stage_io *io, enum books_why why)
{
	const struct books b = {
		.timestamp_ns = self->last_ns, .read = io->lines, .written = io->out.lines,
		.lost = loss_total(&io->loss), .why = why,
	};

	run_end(&self->books, &b);
	self->ended = true;
	put_run(self, io);
	run_close(&self->books);
	self->ended = false;
}

static void
finish_index(struct sqlitesink *self)
{
	while (!self->no_search && !self->db.failed && index_more(&self->db, INDEX_BYTES))
		db_commit(&self->db);
}

/* The file ends, and another begins. What is remembered of processes stays, as their
 * rows do; the rest is of the file that ended. */
static void
rotate(struct sqlitesink *self)
{
	const char *path = self->db.path;
	int64_t before = self->db.run;
	char old[4096];
	bool moved;

	finish_index(self);
	db_close(&self->db);
	moved = rotate_move(&self->rotate, &self->db, self->opened_ns, old, sizeof(old));
	if (db_open(&self->db, "sqlitesink", path))
		self->db.failed = true;
	else
		rotate_carry(&self->db, moved ? old : NULL, before, self->last_ns);
	if (!moved)
		self->not_before = self->last_ns + ROTATE_AGAIN_NS;
	if (moved)	/* a tool call that they work for is in the other file */
		lives_reload(self->store.lives);
	if (store_restart(&self->store))
		err(1, "rotate");
	run_start(&self->books, &self->db);
	self->first_ns = self->timed = 0;
}

/* A program that reads, and does not end, must not fill the disk. */
static void
look_at_log(struct sqlitesink *self)
{
	bool before = self->log_full;

	self->log_full = db_log_full(&self->db, self->max_log);
	if (self->log_full == before)
		return;
	if (before)
		fprintf(stderr, "sqlitesink: %s: its log could be folded in:"
		    " events are stored again\n", self->db.path);
	else
		fprintf(stderr, "sqlitesink: %s: a program has been reading it in one transaction"
		    " until its log (-wal) was longer than --max-log:"
		    " events are left out, and counted, until that program ends it\n",
		    self->db.path);
}

static void
commit(struct sqlitesink *self, struct stage_io *io)
{
	store_flush(&self->store);
	put_run(self, io);
	db_commit(&self->db);
	self->batch = 0;
	look_at_log(self);
	if (!self->db.failed && !self->ended && self->last_ns >= self->not_before &&
	    rotate_due(&self->rotate, &self->db, self->opened_ns, self->last_ns)) {
		run_continues(&self->books);
		rotate(self);
	}
	/* a filter goes on; what only writes has nothing left to do */
	if (self->db.failed && !io->tee)
		io->stop = true;
}

static bool
is_far(uint64_t a, uint64_t b)
{
	return a < b ? b - a > FAR_NS : a - b > FAR_NS;
}

static void
span(struct sqlitesink *self, uint64_t ns)
{
	if (!self->timed)
		self->opened_ns = ns > self->last_ns ? ns : self->last_ns;
	if (!self->first_ns || ns < self->first_ns)
		self->first_ns = ns;
	if (ns > self->last_ns)
		self->last_ns = ns;
	self->timed++;
}

/* One event whose time is far from all others does not make the run longer; when the
 * next agrees with it, time has passed. */
static void
see_time(struct sqlitesink *self, uint64_t ns, struct stage_io *io)
{
	if (!ns)
		return;
	if (!self->timed || (ns >= self->first_ns && ns <= self->last_ns) ||
	    !is_far(ns, self->first_ns) || !is_far(ns, self->last_ns)) {
		span(self, ns);
		loss_add(&io->loss, "odd_time", self->far_ns != 0, 0);
	} else if (self->far_ns && !is_far(ns, self->far_ns)) {
		if (self->timed == 1) {		/* then it was the first that is odd */
			self->first_ns = self->last_ns = 0;
			loss_add(&io->loss, "odd_time", 1, 0);
		}
		span(self, self->far_ns);
		span(self, ns);
	} else {
		loss_add(&io->loss, "odd_time", self->far_ns != 0, 0);
		self->far_ns = ns;
		return;
	}
	self->far_ns = 0;
}

/* Another recording follows in the same input: a row of runs of its own. */
static void
next_run(struct sqlitesink *self, struct stage_io *io)
{
	int64_t before = self->db.run, next;

	store_flush(&self->store);
	db_run_new(&self->db);
	next = self->db.run;
	run_next(&self->books, before);
	self->db.run = before;
	end_part(self, io, BOOKS_INPUT_END);
	self->db.run = next;
	run_start(&self->books, &self->db);
	if (store_next(&self->store))
		err(1, "begin a run");
	self->first_ns = self->last_ns = self->timed = self->far_ns = 0;
}

static void
on_line(struct sqlitesink *self, struct event *ev, struct stage_io *io)
{
	if (run_is_next(&self->books, ev))
		next_run(self, io);
	see_time(self, event_time(ev), io);
	if (self->events) {
		struct row r = row_of(&self->db, SQL_EVENT_NEW);

		row_int(&r, "run_id", self->db.run);
		row_bytes(&r, "line", ev->line, ev->len);
		row_run(&r);
	}
	if (run_event(&self->books, ev) || store_event(&self->store, ev))
		self->stored++;
	else
		self->unstored++;
	if (self->db.refused) {
		loss_add(&io->loss, "bad_event", 1, ev->len);
		self->db.refused = false;
	}
	if (self->db.no_memory) {
		loss_add(&io->loss, "no_memory", 1, ev->len);
		self->db.no_memory = false;
	}
}

/* Asked before a line is begun: SQLite, when it runs out of memory within one, may take
 * the whole transaction back. It holds a row twice while it writes it. */
static bool
has_memory(size_t line)
{
	void *p;

	if (line < LARGE_LINE)
		return true;
	p = sqlite3_malloc64(2 * line + LARGE_LINE);
	sqlite3_free(p);
	return p != NULL;
}

static enum verdict
on_event(void *arg, struct event *ev, struct stage_io *io)
{
	struct sqlitesink *self = arg;

	if (self->db.failed)
		return STAGE_PASS;
	if (self->log_full && !books_event(ev)) {
		loss_add(&io->loss, "log_full", 1, ev->len);
		return STAGE_PASS;
	}
	if (!has_memory(ev->len)) {
		loss_add(&io->loss, "no_memory", 1, ev->len);
		return STAGE_PASS;
	}
	on_line(self, ev, io);
	if (++self->batch >= BATCH_LINES || self->db.failed ||
	    rotate_overdue(&self->rotate, self->opened_ns, self->last_ns))
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
	} else if (self->log_full) {
		look_at_log(self);
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

		row_int(&r, "run_id", self->db.run);
		row_id(&r, "timestamp_ns", self->last_ns);
		row_str(&r, "stage", io->loss.stage);
		row_str(&r, "reason", l->reason);
		row_int(&r, "events", l->events);
		row_int(&r, "bytes", l->bytes);
		row_run(&r);
	}
}

static void
on_end(void *arg, struct stage_io *io)
{
	struct sqlitesink *self = arg;

	if (!self->db.failed) {
		loss_add(&io->loss, "odd_time", self->far_ns != 0, 0);
		store_flush(&self->store);
		put_losses(self, io);
		end_part(self, io, io->why);
		self->ended = true;
		commit(self, io);
		finish_index(self);
	}
	db_close(&self->db);
	store_free(&self->store);
}

/* --- options ------------------------------------------------------------------------ */

static void
on_summary(void *arg, const struct stage_io *io)
{
	struct sqlitesink *self = arg;

	(void)io;
	fprintf(stderr, "sqlitesink: %" PRIu64 " lines stored in %s, %" PRIu64 " of types that"
	    " have no table%s\n",
	    self->stored, self->db.path, self->unstored, self->events ? " (kept in events)" : "");
}

static int
on_status(void *arg)
{
	return ((struct sqlitesink *)arg)->db.failed;
}

/* SQLite's own temporary files are where the database is: later no other folder can
 * be written to. */
static void
set_temporary(const char *path)
{
	const char *slash = strrchr(path, '/');

	sqlite3_temp_directory = slash ?
	    sqlite3_mprintf("%.*s", slash == path ? 1 : (int)(slash - path), path) :
	    sqlite3_mprintf(".");
}

/* The database, its log and index, and what it is called after a rotation. */
static void
on_confine(void *arg, struct sandbox *box)
{
	struct sqlitesink *self = arg;

	box->needs = SANDBOX_FILES;
	sandbox_allow_folder(box, SANDBOX_WRITE, self->db.path);
	sandbox_allow(box, SANDBOX_READ, "/dev/urandom");	/* SQLite's numbers at random */
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
	set_temporary(argv[0]);
	if (self->max_memory)
		sqlite3_hard_heap_limit64(self->max_memory);
	if (db_open(&self->db, "sqlitesink", argv[0]))
		exit(1);
	if (store_new(&self->store, &self->db))
		err(1, "start");
	run_start(&self->books, &self->db);
	db_commit(&self->db);
	return 1;
}

static struct sqlitesink self = { .max_log = 1ull << 30 };

static const struct opt options[] = {
	{ .kind = OPT_FLAG, .name = "events", .to = &self.events,
	    .help = "keep every line as it was, too" },
	{ .kind = OPT_FLAG, .name = "bodies", .to = &self.store.bodies,
	    .help = "keep the HTTP bodies of model calls, too (what they say is in messages)" },
	{ .kind = OPT_FLAG, .name = "no-search", .to = &self.no_search,
	    .help = "index no words (the search report is slow then)" },
	{ .kind = OPT_STR, .name = "rotate", .arg = "TIME|SIZE", .to = &self.rotate_at,
	    .help = "begin a new file after this time (1h) or at this size (1G)" },
	{ .kind = OPT_NUM, .name = "keep", .arg = "N", .to = &self.rotate.keep, .lo = 0,
	    .hi = 1 << 20, .help = "then keep the last N files (0: all)" },
	{ .kind = OPT_SIZE, .name = "max-log", .arg = "SIZE", .to = &self.max_log, .lo = 1 << 20,
	    .hi = 1LL << 50,
	    .help = "of the -wal file, while a program reads in one transaction (1G)" },
	{ .kind = OPT_SIZE, .name = "max-memory", .arg = "SIZE", .to = &self.max_memory,
	    .lo = 1 << 20, .hi = 1LL << 50,
	    .help = "that SQLite may take (no limit)" },
	{ .kind = OPT_FLAG, .name = "keep-mode", .to = &self.db.keep_mode,
	    .help = "leave the mode of a database that is there already (else: 0600)" },
	{ .kind = OPT_END },
};

static const struct opt_use use = {
	.name = "sqlitesink",
	.synopsis = "[OPTION]... DB [FILE]...",
	.about = "Stores events in an SQLite file.",
	.tables = { options },
};

int
main(int argc, char **argv)
{
	struct stage stage = {
		.sink = true,
		.start = on_start,
		.confine = on_confine,
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
