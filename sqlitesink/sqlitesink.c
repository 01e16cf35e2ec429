/*
 * sqlitesink - one SQLite file of everything that was seen
 * reads   llm.call mcp.call http.* sse.message process.* file.* dir.* net.* bash.readline
 *         stdio.data system.* loss
 * writes  DB, in transactions of at most 100 ms or 1000 lines, a new one with --rotate;
 *         with --tee every line that it read
 * keeps   the last 8192 processes, 16384 paths, 4096 addresses; one batch
 */
#include "lib/stage.h"
#include "sqlitesink/index.h"
#include "sqlitesink/rotate.h"
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
};
#define ROTATE_AGAIN_NS 10000000000ull	/* after a reader held it up */

struct sqlitesink {
	bool events, no_search;
	struct db db;
	struct store store;
	struct rotate rotate;
	const char *rotate_at;
	uint64_t first_ns, last_ns, unstored, stored;
	uint64_t not_before;	/* the next rotation, event time */
	uint64_t lines;		/* of io.lines at the tick before */
	unsigned batch;
	bool complete, index;
};

static const struct opt_use use;

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

/* The file ends, and another begins. What is remembered of processes stays, as their
 * rows do; the rest is of the file that ended. */
static void
rotate(struct sqlitesink *self)
{
	const char *path = self->db.path;
	char old[4096];
	bool moved;

	finish_index(self);
	db_close(&self->db);
	moved = rotate_move(&self->rotate, &self->db, self->first_ns, old, sizeof(old));
	if (db_open(&self->db, "sqlitesink", path))
		self->db.failed = true;
	else if (moved)
		rotate_carry(&self->db, old, self->last_ns);
	else
		self->not_before = self->last_ns + ROTATE_AGAIN_NS;
	if (store_restart(&self->store))
		err(1, "rotate");
	self->first_ns = 0;
	self->complete = false;
}

static void
commit(struct sqlitesink *self, struct stage_io *io)
{
	store_flush(&self->store);
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
	if (store_event(&self->store, ev))
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
	store_free(&self->store);
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
	if (store_new(&self->store, &self->db))
		err(1, "start");
	return 1;
}

static struct sqlitesink self;

static const struct opt own[] = {
	{ .kind = OPT_FLAG, .name = "events", .to = &self.events, .help = "keep every line as it was, too" },
	{ .kind = OPT_FLAG, .name = "bodies", .to = &self.store.bodies,
	    .help = "keep the HTTP bodies of model calls, too (what they say is in messages)" },
	{ .kind = OPT_FLAG, .name = "no-search", .to = &self.no_search, .help = "index no words (the search report is slow then)" },
	{ .kind = OPT_STR, .name = "rotate", .arg = "TIME|SIZE", .to = &self.rotate_at, .help = "begin a new file after this time (1h) or at this size (1G)" },
	{ .kind = OPT_NUM, .name = "keep", .arg = "N", .to = &self.rotate.keep, .lo = 0, .hi = 1 << 20, .help = "then keep the last N files (0: all)" },
	{ .kind = OPT_FLAG, .name = "keep-mode", .to = &self.db.keep_mode,
	    .help = "leave the mode of a database that is there already (else: 0600)" },
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
