/* run.c - see run.h */
#include "run.h"

#include <string.h>

static const char self_name[] = "sqlitesink";

static int64_t
stage_new(struct db *db, const char *stage)
{
	struct row r = row_of(db, SQL_STAGE_NEW);

	row_int(&r, "run_id", db->run);
	row_str(&r, "stage", stage);
	row_str(&r, "version", VERSION);
	return row_run(&r);
}

void
run_start(struct run_books *self, struct db *db)
{
	self->db = db;
	stage_new(db, self_name);
}

bool
run_is_next(struct run_books *self, struct event *ev)
{
	const char *run;

	return self->run[0] && event_is(ev, "run.begin") && (run = event_str(ev, "run", NULL)) &&
	    strcmp(run, self->run);
}

void
run_next(struct run_books *self, int64_t before)
{
	struct row r;

	self->run[0] = '\0';
	if (!self->begins)
		return;
	r = row_of(self->db, SQL_STAGE_MOVE);
	row_int(&r, "to", self->db->run);
	row_int(&r, "from", before);
	row_int(&r, "first", self->begins);
	row_run(&r);
}

static void
run_begin(struct run_books *self, struct event *ev)
{
	const char *run = event_str(ev, "run", NULL);
	struct row r;

	if (!run || strlen(run) >= sizeof(self->run)) {
		self->db->refused = true;
		return;
	}
	strcpy(self->run, run);
	r = row_of(self->db, SQL_RUN_BEGIN);
	row_str(&r, "run", run);
	row_id(&r, "began_ns", event_time(ev));
	row_key(&r, "kernel", ev, "kernel");
	row_key_json(&r, "stages", ev, "stages");
	row_key_json(&r, "command", ev, event_get(ev, "command").kind ? "command" : "command_b64");
	row_key_json(&r, "options", ev, event_get(ev, "options").kind ? "options" : "options_b64");
	row_int(&r, "id", self->db->run);
	row_run(&r);
}

static void
run_ended(struct run_books *self, struct event *ev)
{
	struct row r = row_of(self->db, SQL_RUN_ENDED);

	row_id(&r, "ended_ns", event_time(ev));
	row_key(&r, "status", ev, "status");
	row_key_json(&r, "failed", ev, "failed");
	row_int(&r, "id", self->db->run);
	row_run(&r);
}

static void
stage_begin(struct run_books *self, struct event *ev)
{
	struct row r = row_of(self->db, SQL_STAGE_NEW);
	int64_t id;

	row_int(&r, "run_id", self->db->run);
	row_keys(&r, ev);
	id = row_run(&r);
	if (!self->begins)
		self->begins = id;
}

static void
stage_ended(struct run_books *self, struct event *ev)
{
	int64_t id = 0;
	struct row r = row_of(self->db, SQL_STAGE_OPEN);

	row_int(&r, "run_id", self->db->run);
	row_keys(&r, ev);
	if (!row_get(&r, &id)) {	/* its begin was left out on the way */
		r = row_of(self->db, SQL_STAGE_NEW);
		row_int(&r, "run_id", self->db->run);
		row_key(&r, "stage", ev, "stage");
		row_key(&r, "pid", ev, "pid");
		id = row_run(&r);
	}
	r = row_of(self->db, SQL_STAGE_ENDED);
	row_key(&r, "ended_ns", ev, "timestamp_ns");
	row_int(&r, "id", id);
	row_keys(&r, ev);
	row_run(&r);
}

bool
run_event(struct run_books *self, struct event *ev)
{
	if (event_is(ev, "stage.begin")) {
		stage_begin(self, ev);
		return true;
	}
	if (event_is(ev, "run.begin"))
		run_begin(self, ev);
	else if (event_is(ev, "run.end"))
		run_ended(self, ev);
	else if (event_is(ev, "stage.end"))
		stage_ended(self, ev);
	self->begins = 0;
	return books_event(ev);
}

void
run_end(struct run_books *self, const struct books *b)
{
	struct row r = row_of(self->db, SQL_STAGE_OPEN);
	int64_t id;

	row_int(&r, "run_id", self->db->run);
	row_str(&r, "stage", self_name);
	if (!row_get(&r, &id))
		return;
	r = row_of(self->db, SQL_STAGE_ENDED);
	row_id(&r, "ended_ns", b->timestamp_ns);
	row_int(&r, "read", b->read);
	row_int(&r, "written", b->written);
	row_int(&r, "lost", b->lost);
	row_str(&r, "why", books_why(b->why));
	row_int(&r, "id", id);
	row_run(&r);
}

void
run_continues(struct run_books *self)
{
	struct row r = row_of(self->db, SQL_RUN_CONTINUED);

	row_int(&r, "id", self->db->run);
	row_run(&r);
	db_commit(self->db);
}

void
run_close(struct run_books *self)
{
	struct row r = row_of(self->db, SQL_RUN_CLOSE);

	row_int(&r, "id", self->db->run);
	row_run(&r);
}
