/* store.c - see store.h */
#include "store.h"

#include "sqlitesink/call.h"
#include "sqlitesink/file.h"
#include "sqlitesink/http.h"
#include "sqlitesink/life.h"
#include "sqlitesink/net.h"

#include <string.h>

static void
on_loss(struct store *self, struct event *ev)
{
	struct row r = row_of(self->db, SQL_LOSS_NEW);

	row_int(&r, "run_id", self->db->run);
	row_keys(&r, ev);
	row_run(&r);
}

static void
on_host(struct store *self, struct event *ev)
{
	struct row r = row_of(self->db, SQL_HOST_NEW);

	row_int(&r, "run_id", self->db->run);
	row_keys(&r, ev);
	row_run(&r);
}

static void
on_sample(struct store *self, struct event *ev, int64_t process)
{
	struct row r = row_of(self->db, SQL_SAMPLE_NEW);

	row_int(&r, "run_id", self->db->run);
	row_id(&r, "process_id", process);
	row_keys(&r, ev);
	row_run(&r);
}

static void
on_stdio(struct store *self, struct event *ev, int64_t process)
{
	struct row r = row_of(self->db, SQL_STDIO_NEW);

	row_id(&r, "process_id", process);
	row_keys(&r, ev);
	row_run(&r);
}

static void
on_signal(struct store *self, struct event *ev, int64_t process)
{
	struct row r = row_of(self->db, SQL_SIGNAL_NEW);

	row_id(&r, "process_id", process);
	row_keys(&r, ev);
	row_run(&r);
}

static void
on_shell_line(struct store *self, struct event *ev, int64_t process)
{
	struct row r = row_of(self->db, SQL_SHELL_LINE_NEW);

	row_id(&r, "process_id", process);
	row_keys(&r, ev);
	row_run(&r);
}

/* Those whose first word says it all; false: no table is theirs. */
static bool
on_process(struct store *self, struct event *ev)
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
on_single(struct store *self, struct event *ev)
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
on_call(struct store *self, struct event *ev)
{
	bool llm = event_is(ev, "llm.call");
	int64_t process, agent = 0;

	if (!llm && !event_is(ev, "mcp.call"))
		return false;
	process = llm ? life_agent(self->lives, ev, &agent) : life_of(self->lives, ev);
	call_event(self->calls, ev, process, agent);
	if (llm && !self->bodies)
		http_forget_bodies(self->db, ev);
	return true;
}

static bool
on_http(struct store *self, struct event *ev)
{
	return !event_is(ev, "http.body") && http_event(self->db, ev, life_of(self->lives, ev));
}

/* Those that read a file in the time of another one, which the envelope has. */
static void
on_sharers(struct store *self, struct event *ev, int64_t process)
{
	struct value pids = event_get(ev, "pids"), k, v;
	int64_t last = event_time(ev), pid, id;
	struct value_iter it;

	event_i64(ev, "last_ns", &last);	/* some began behind the first of them */
	value_iter(&it, pids);
	while (pids.kind == VALUE_ARRAY && value_next(&it, &k, &v))
		if (value_i64(v, &pid) && (id = life_at(self->lives, pid, last)) &&
		    id != process)
			file_shared(self->files, ev, id);
}

static bool
on_file(struct store *self, struct event *ev)
{
	int64_t process;

	if (event_is(ev, "dir.change"))
		return false;
	process = life_of(self->lives, ev);
	if (!file_event(self->files, ev, process))
		return false;
	if (event_is(ev, "file.read") || event_is(ev, "file.open"))
		on_sharers(self, ev, process);
	return true;
}

static bool
on_net(struct store *self, struct event *ev)
{
	return net_event(self->nets, ev, life_of(self->lives, ev));
}

/* By the word before the dot. */
bool
store_event(struct store *self, struct event *ev)
{
	static const struct {
		const char *source;
		bool (*on)(struct store *, struct event *);
	} by[] = {
		{ "file.", on_file }, { "process.", on_process }, { "net.", on_net },
		{ "dir.", on_file },
		{ "ssl.close", on_net }, { "tcp.close", on_net }, { "http.", on_http },
		{ "sse.message", on_http }, { "llm.", on_call }, { "mcp.", on_call },
		{ "", on_single },
	};
	struct value type = event_get(ev, "type");
	size_t i = 0;

	if (event_is(ev, "sse.delta"))	/* its sse.message has all of it */
		return true;
	while (type.n - 2 < strlen(by[i].source) ||
	    memcmp(type.p + 1, by[i].source, strlen(by[i].source)))
		i++;
	return by[i].on(self, ev);
}

static int
new_tables(struct store *self)
{
	self->files = files_new(self->db);
	self->nets = nets_new(self->db);
	self->calls = calls_new(self->db, self->lives, self->work);
	return self->files && self->nets && self->calls ? 0 : -1;
}

static void
free_tables(struct store *self)
{
	calls_free(self->calls);
	nets_free(self->nets);
	files_free(self->files);
}

int
store_new(struct store *self, struct db *db)
{
	self->db = db;
	if (!(self->work = work_new()) || !(self->lives = lives_new(db, self->work)))
		return -1;
	return new_tables(self);
}

int
store_restart(struct store *self)
{
	free_tables(self);
	work_clear(self->work);
	return new_tables(self);
}

int
store_next(struct store *self)
{
	store_flush(self);
	lives_forget(self->lives);
	return store_restart(self);
}

void
store_flush(struct store *self)
{
	files_flush(self->files);
	lives_flush(self->lives);
}

void
store_free(struct store *self)
{
	free_tables(self);
	lives_free(self->lives);
	work_free(self->work);
}
