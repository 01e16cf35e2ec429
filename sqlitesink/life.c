/* life.c - see life.h */
#include "life.h"

#include "lib/flow.h"
#include "lib/jput.h"
#include "sqlitesink/agent.h"
#include "sqlitesink/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIVES = 8192,		/* remembered; others are looked up in the file */
	DID_MAX = 64,		/* of one call's tools, that another process did */
	LATE_NS = 1000000000,	/* that events come behind the exit of their process */
};

struct life {
	int64_t id, pid, ppid, parent, agent, uid, exec, rss;
	int64_t tool, tool_agent;	/* that it works for, and whose tool that is */
	uint64_t start_ns, end_ns, comm_ns;	/* comm_ns: of the event that comm is from */
	int64_t exit_code, signal;
	bool has_uid, has_code;
	char seen;		/* of fork, exec, seed, event the first letter; x for exec */
	unsigned char commlen;
	char comm[32];
	bool dirty, moved;	/* moved: its start, parent or agent is another than the file has */
	struct life *next, **prev;	/* of those that are dirty */
};

struct lives {
	struct db *db;
	struct work *work;
	uint64_t exec_ns;	/* of the last program that began */
	struct flow_table *table;	/* by pid: its last life */
	struct life *dirty;
	bool forgot;		/* some are in the file alone */
	char *command;		/* scratch */
	size_t cap;
};

static const char *
seen_name(char c)
{
	return c == 'f' ? "fork" : c == 'x' ? "exec" : c == 's' ? "seed" : "event";
}

static char
seen_of(const char *name)
{
	return !strcmp(name, "exec") ? 'x' : name[0];
}

static void
life_write(struct lives *ls, struct life *l)
{
	struct row r;

	if (!l->dirty)
		return;
	l->dirty = false;
	if ((*l->prev = l->next))
		l->next->prev = l->prev;
	if (l->moved) {
		l->moved = false;
		r = row_of(ls->db, SQL_PROCESS_PARENT);
		row_int(&r, "start_ns", l->start_ns);
		row_id(&r, "ppid", l->ppid);
		row_id(&r, "parent_id", l->parent);
		row_id(&r, "agent_id", l->agent);
		row_id(&r, "tool_use_id", l->tool);
		row_int(&r, "id", l->id);
		row_run(&r);
	}
	r = row_of(ls->db, SQL_PROCESS_UPDATE);
	row_bytes(&r, "comm", l->comm, l->commlen);
	row_id(&r, "end_ns", l->end_ns);
	row_str(&r, "seen", seen_name(l->seen));
	row_id(&r, "exec_id", l->exec);
	if (l->has_code)
		row_int(&r, "exit_code", l->exit_code);
	row_id(&r, "signal", l->signal);
	row_id(&r, "rss_max_kb", l->rss);
	row_int(&r, "id", l->id);
	row_run(&r);
}

static void
life_touch(struct lives *ls, struct life *l)
{
	if (l->dirty)
		return;
	l->dirty = true;
	l->prev = &ls->dirty;
	if ((l->next = ls->dirty))
		l->next->prev = &l->next;
	ls->dirty = l;
}

static void
on_finish(void *arg, void *entry, enum flow_why why)
{
	struct lives *ls = arg;

	(void)why;
	ls->forgot = true;
	life_write(ls, entry);
}

struct lives *
lives_new(struct db *db, struct work *work)
{
	struct lives *ls = calloc(1, sizeof(*ls));

	if (!ls)
		return NULL;
	ls->db = db;
	ls->work = work;
	if (!(ls->table = flow_new(sizeof(struct life), LIVES, SIZE_MAX, on_finish, ls))) {
		free(ls);
		return NULL;
	}
	return ls;
}

void
lives_free(struct lives *ls)
{
	flow_free(ls->table);
	free(ls->command);
	free(ls);
}

void
lives_flush(struct lives *ls)
{
	while (ls->dirty)
		life_write(ls, ls->dirty);
}

void
lives_reload(struct lives *ls)
{
	flow_finish_all(ls->table, FLOW_END);
}

void
lives_forget(struct lives *ls)
{
	flow_finish_all(ls->table, FLOW_END);
	ls->forgot = false;
}

/* --- lives ------------------------------------------------------------------- */

static void
set_comm(struct life *l, const char *p, size_t n)
{
	l->commlen = n < sizeof(l->comm) ? n : sizeof(l->comm);
	if (l->commlen)
		memcpy(l->comm, p, l->commlen);
}

/* The name as it was last: events of several collectors come a little out of order. */
static void
see_comm(struct lives *ls, struct life *l, struct event *ev)
{
	struct value v = event_get(ev, "comm");
	uint64_t ns = event_time(ev);
	const char *p;
	size_t n;

	if (ns < l->comm_ns)
		return;
	l->comm_ns = ns;
	if (v.kind == VALUE_STRING && !v.escaped && v.n - 2 == l->commlen &&
	    !memcmp(v.p + 1, l->comm, l->commlen))
		return;
	if (!(p = event_bytes(ev, "comm", &n)) || (n == l->commlen && !memcmp(p, l->comm, n)))
		return;
	set_comm(l, p, n);
	life_touch(ls, l);
}

/* A new life of this pid begins; what was known of it is another's. */
static void
life_begin(struct lives *ls, struct life *l, int64_t pid, uint64_t ns, char seen,
    const struct life *parent)
{
	life_write(ls, l);
	*l = (struct life){ .pid = pid, .start_ns = ns, .seen = seen };
	if (parent) {
		l->parent = parent->id;
		l->ppid = parent->pid;
		l->agent = parent->agent;
		l->tool = parent->tool;
		l->tool_agent = parent->tool_agent;
		l->uid = parent->uid;
		l->has_uid = parent->has_uid;
		set_comm(l, parent->comm, parent->commlen);
	}
}

static void
life_insert(struct lives *ls, struct life *l, const char *container, size_t n)
{
	struct row r = row_of(ls->db, SQL_PROCESS_NEW);

	row_int(&r, "run_id", ls->db->run);
	row_int(&r, "pid", l->pid);
	row_id(&r, "ppid", l->ppid);
	row_id(&r, "parent_id", l->parent);
	row_id(&r, "agent_id", l->agent);
	row_id(&r, "tool_use_id", l->tool);
	if (l->has_uid)
		row_int(&r, "uid", l->uid);
	row_bytes(&r, "comm", l->comm, l->commlen);
	row_int(&r, "start_ns", l->start_ns);
	row_str(&r, "seen", seen_name(l->seen));
	row_bytes(&r, "container_id", container, n);
	row_bytes(&r, "first_comm", l->comm, l->commlen);
	l->id = row_run(&r);
}

/* What the file has of this pid. */
static void
life_load(struct lives *ls, struct life *l, int64_t pid)
{
	struct row r = row_of(ls->db, SQL_PROCESS_LAST);

	row_int(&r, "pid", pid);
	row_int(&r, "run_id", ls->db->run);
	if (row_step(&r)) {
		sqlite3_stmt *st = r.of->st;

		*l = (struct life){
			.id = sqlite3_column_int64(st, 0), .pid = pid,
			.ppid = sqlite3_column_int64(st, 1),
			.parent = sqlite3_column_int64(st, 2), .agent = sqlite3_column_int64(st, 3),
			.has_uid = sqlite3_column_type(st, 4) != SQLITE_NULL,
			.uid = sqlite3_column_int64(st, 4),
			.start_ns = sqlite3_column_int64(st, 6),
			.end_ns = sqlite3_column_int64(st, 7),
			.seen = seen_of((const char *)sqlite3_column_text(st, 8)),
			.exec = sqlite3_column_int64(st, 9),
			.has_code = sqlite3_column_type(st, 10) != SQLITE_NULL,
			.exit_code = sqlite3_column_int64(st, 10),
			.signal = sqlite3_column_int64(st, 11), .rss = sqlite3_column_int64(st, 12),
			.tool = sqlite3_column_int64(st, 13),
			.tool_agent = sqlite3_column_int64(st, 14),
		};
		set_comm(l, sqlite3_column_blob(st, 5), sqlite3_column_bytes(st, 5));
	}
	row_end(&r);
}

/* The last known life of a pid; id 0 when there was none. */
static struct life *
life_last(struct lives *ls, int64_t pid, uint64_t ns)
{
	struct life *l = flow_get(ls->table, &pid, sizeof(pid), ns);

	if (!l) {
		ls->db->failed = true;
		return NULL;
	}
	if (!l->id && ls->forgot)
		life_load(ls, l, pid);
	l->pid = pid;
	return l;
}

static int64_t
pid_of(const struct event *ev, const char *key)
{
	int64_t pid;

	return event_i64(ev, key, &pid) ? pid : 0;
}

/* The life of the envelope, made when it is not known. Null: an earlier one of the
 * same pid, whose row is *id. */
static struct life *
life_find(struct lives *ls, struct event *ev, char seen, int64_t *id)
{
	uint64_t ns = event_time(ev);
	int64_t pid = pid_of(ev, "pid");
	struct life *l = life_last(ls, pid, ns);
	const char *container;
	size_t n = 0;
	struct row r;

	*id = 0;
	if (!l)
		return NULL;
	if (l->id && ns && ns < l->start_ns) {
		r = row_of(ls->db, SQL_PROCESS_AT);
		row_int(&r, "pid", pid);
		row_int(&r, "run_id", ls->db->run);
		row_int(&r, "ns", ns);
		if (row_get(&r, id))
			return NULL;
		if (l->seen == 'e' || l->seen == 'x') {
			l->start_ns = ns;
			l->moved = true;
			life_touch(ls, l);
		}
	}
	if (!l->id || (l->end_ns && ns > l->end_ns && (seen == 'x' || ns > l->end_ns + LATE_NS))) {
		const char *comm;
		size_t commlen;

		life_begin(ls, l, pid, ns, seen, NULL);
		l->has_uid = event_i64(ev, "uid", &l->uid);
		if ((comm = event_bytes(ev, "comm", &commlen)))
			set_comm(l, comm, commlen);
		container = event_str(ev, "container_id", &n);
		life_insert(ls, l, container, n);
	}
	see_comm(ls, l, ev);
	*id = l->id;
	return l;
}

int64_t
life_of(struct lives *ls, struct event *ev)
{
	int64_t id;

	life_find(ls, ev, 'e', &id);
	return id;
}

int64_t
life_sampled(struct lives *ls, struct event *ev)
{
	int64_t pid = pid_of(ev, "pid");
	struct life *l = life_last(ls, pid, event_time(ev));

	return l && l->id ? l->id : life_of(ls, ev);
}

int64_t
life_at(struct lives *ls, int64_t pid, uint64_t ns)
{
	struct life *l = flow_find(ls->table, &pid, sizeof(pid), ns);
	int64_t id = 0;
	struct row r;

	if (l && l->id && ns >= l->start_ns)
		return l->id;
	r = row_of(ls->db, SQL_PROCESS_AT);
	row_int(&r, "pid", pid);
	row_int(&r, "run_id", ls->db->run);
	row_int(&r, "ns", ns);
	return row_get(&r, &id) ? id : 0;
}

/* --- fork, exec, exit ---------------------------------------------------------- */

/* The name of a new process, by its process.fork: that of the thread that made it. */
static const char *
birth_name(struct event *ev, size_t *n)
{
	const char *p = event_bytes(ev, "thread", n);

	return p ? p : event_bytes(ev, "comm", n);
}

static void
name_birth(struct lives *ls, int64_t child, struct event *ev)
{
	size_t n;
	const char *p = birth_name(ev, &n);
	struct row r;

	if (!p)
		return;
	r = row_of(ls->db, SQL_PROCESS_BORN);
	row_bytes(&r, "comm", p, n);
	row_int(&r, "id", child);
	row_run(&r);
}

void
life_fork(struct lives *ls, struct event *ev)
{
	uint64_t ns = event_time(ev);
	int64_t id, pid = pid_of(ev, "child_pid");
	struct life *l = life_find(ls, ev, 'e', &id),
	    parent = { .id = id, .pid = pid_of(ev, "pid") }, *child;
	const char *container, *comm;
	size_t n = 0, commlen;

	if (l)
		parent = *l;	/* the table may forget it for the child */
	if (!pid || !id || !(child = life_last(ls, pid, ns)))
		return;
	if (child->id && child->seen != 'f' && child->start_ns >= ns) {
		/* what it did came before the news of its birth */
		child->seen = 'f';
		child->start_ns = ns;
		child->parent = parent.id;
		child->ppid = parent.pid;
		if (!child->agent)
			child->agent = parent.agent;
		if (!child->tool) {
			child->tool = parent.tool;
			child->tool_agent = parent.tool_agent;
		}
		child->moved = true;
		life_touch(ls, child);
		name_birth(ls, child->id, ev);
		return;
	}
	life_begin(ls, child, pid, ns, 'f', &parent);
	if ((comm = birth_name(ev, &commlen)))
		set_comm(child, comm, commlen);
	container = event_str(ev, "container_id", &n);
	life_insert(ls, child, container, n);
}

/* Makes room for n more bytes of scratch; NULL: out of memory. */
static char *
scratch(struct lives *ls, size_t have, size_t n)
{
	if (ls->cap - have < n) {
		size_t cap = (have + n) * 2;
		char *p = realloc(ls->command, cap);

		if (!p)
			return NULL;
		ls->command = p;
		ls->cap = cap;
	}
	return ls->command + have;
}

/* The arguments with a blank between them; returns the length. */
static size_t
command_of(struct lives *ls, struct event *ev, struct value argv, bool base64)
{
	struct value_iter it;
	struct value k, v;
	size_t len = 0, n;
	char *to;

	value_iter(&it, argv);
	while (argv.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		const void *p = base64 ? value_base64(&ev->arena, v, &n) :
		    value_str(&ev->arena, v, &n);

		if (!p || !(to = scratch(ls, len, n + 1)))
			continue;
		if (len) {
			*to++ = ' ';
			len++;
		}
		memcpy(to, p, n);
		len += n;
	}
	return len;
}

/* Whose child a program is, when its fork was not seen. */
static struct life *
exec_parent(struct lives *ls, struct life *l, int64_t ppid, uint64_t ns)
{
	int64_t pid = l->pid;
	struct life *parent;

	l->ppid = ppid;
	l->moved = true;
	life_touch(ls, l);
	parent = flow_find(ls->table, &ppid, sizeof(ppid), ns);
	l = flow_find(ls->table, &pid, sizeof(pid), ns);
	if (!parent || !parent->id || !l)
		return l;
	l->parent = parent->id;
	if (!l->agent)
		l->agent = parent->agent;
	if (!l->tool) {
		l->tool = parent->tool;
		l->tool_agent = parent->tool_agent;
	}
	return l;
}

/* The tool that a program began for: one of its agent (of an agent that is known as one already,
 * of that above it), unless what started it works for such a one already. */
static void
exec_tool(struct lives *ls, struct life *l, uint64_t ns, size_t n)
{
	const struct life *parent = l->ppid ? flow_find(ls->table, &l->ppid, sizeof(l->ppid), ns) :
	    NULL;
	int64_t agent = l->agent, tool;

	if (parent && parent->id != l->parent)
		parent = NULL;
	if (agent == l->id)
		agent = parent ? parent->agent : 0;
	if (!agent || l->tool_agent == agent || (l->parent != agent && !parent))
		return;
	tool = work_find(ls->work, agent, ns,
	    l->parent == agent ? 0 : parent->start_ns + !parent->start_ns, ls->command, n,
	    WORK_ANY);
	if (!tool)
		return;
	l->tool = tool;
	l->tool_agent = agent;
	l->moved = true;
}

/* What the container of a program is called, and its pod. */
static void
put_container(struct lives *ls, struct event *ev)
{
	struct row r;

	if (!event_get(ev, "container_id").kind || (!event_get(ev, "container_name").kind &&
	    !event_get(ev, "pod_name").kind && !event_get(ev, "pod_uid").kind))
		return;
	r = row_of(ls->db, SQL_CONTAINER_PUT);
	row_int(&r, "run_id", ls->db->run);
	row_keys(&r, ev);
	row_run(&r);
}

void
life_exec(struct lives *ls, struct event *ev)
{
	bool seed = event_bool(ev, "seed"), failed = event_get(ev, "error").kind != VALUE_NONE;
	uint64_t ns = event_time(ev);
	int64_t id, exec, ppid = pid_of(ev, "ppid");
	struct life *l = life_find(ls, ev, seed ? 's' : failed ? 'e' : 'x', &id);
	struct value argv = event_get(ev, "argv"), coded = event_get(ev, "argv_b64");
	size_t n = command_of(ls, ev, argv.kind ? argv : coded, !argv.kind);
	struct row r = row_of(ls->db, failed ? SQL_EXEC_FAILED_NEW : SQL_EXEC_NEW);

	row_id(&r, "process_id", id);
	if (!failed) {
		row_key_json(&r, "argv", ev, argv.kind ? "argv" : "argv_b64");
		row_int(&r, "argv_base64", !argv.kind && coded.kind);
	}
	row_bytes(&r, "command", n ? ls->command : NULL, n);
	row_keys(&r, ev);
	exec = row_run(&r);
	put_container(ls, ev);
	if (!l || !exec)
		return;
	if (ppid && !l->parent && ppid != l->pid && !(l = exec_parent(ls, l, ppid, ns)))
		return;
	if (failed)	/* it goes on as what it was */
		return;
	l->exec = exec;
	if (ns > ls->exec_ns)
		ls->exec_ns = ns;
	if (!seed && n)
		exec_tool(ls, l, ns, n);
	life_touch(ls, l);
}

static void
exit_late(struct lives *ls, struct event *ev, int64_t id)
{
	struct row r = row_of(ls->db, SQL_PROCESS_EXIT);

	row_int(&r, "id", id);
	row_keys(&r, ev);
	row_run(&r);
}

void
life_exit(struct lives *ls, struct event *ev)
{
	uint64_t ns = event_time(ev), born;
	struct value duration = event_get(ev, "duration_ms");
	int64_t id, ppid = pid_of(ev, "ppid");
	double ms;
	struct life *l = life_find(ls, ev, 'e', &id);

	if (!l) {
		if (id)
			exit_late(ls, ev, id);
		return;
	}
	l->end_ns = ns;
	l->has_code = event_i64(ev, "exit_code", &l->exit_code);
	l->signal = pid_of(ev, "signal");
	l->rss = pid_of(ev, "rss_max_kb");
	if (!l->ppid && ppid) {
		l->ppid = ppid;
		l->moved = true;
	}
	if (l->seen != 'f' && value_f64(duration, &ms) && ms >= 0 && ms * 1e6 < ns &&
	    (born = ns - (uint64_t)(ms * 1e6)) < l->start_ns) {
		l->start_ns = born;
		l->moved = true;
	}
	life_touch(ls, l);
}

/* --- agents ----------------------------------------------------------------------- */

/* What a process's program is called. */
static bool
agent_program(struct lives *ls, int64_t id, const char *otherwise, char *to, size_t size)
{
	char file[256] = "", words[16][256];
	const char *word[16];
	size_t n = 0;
	struct row r = row_of(ls->db, SQL_AGENT_PROGRAM);

	row_int(&r, "id", id);
	while (n < 16 && row_step(&r)) {
		const char *f = (const char *)sqlite3_column_text(r.of->st, 0),
		    *w = (const char *)sqlite3_column_text(r.of->st, 1);

		snprintf(file, sizeof(file), "%s", f ? f : "");
		snprintf(words[n], sizeof(words[n]), "%s", w ? w : "");
		word[n] = words[n];
		n++;
	}
	row_end(&r);
	if (!n && otherwise)
		snprintf(file, sizeof(file), "%s", otherwise);
	return agent_name(file, word, n, to, size);
}

/* A process is an agent from here on. ev: its own call; NULL: another one makes it for it. */
static void
agent_new(struct lives *ls, struct event *ev, int64_t id, int64_t before)
{
	const char *said = NULL, *comm = NULL;
	size_t len = 0, commlen = 0;
	char name[64];
	struct row r;

	if (ev) {
		said = event_str(ev, "agent", &len);
		comm = event_str(ev, "comm", &commlen);
	}
	if (said && !agent_is_process(said, len, comm ? comm : "", commlen))
		snprintf(name, sizeof(name), "%.*s", (int)len, said);
	else if (!agent_program(ls, id, said, name, sizeof(name)))
		snprintf(name, sizeof(name), "%.*s", (int)len, said ? said : "");
	r = row_of(ls->db, SQL_AGENT_NEW);
	row_str(&r, "name", *name ? name : NULL);
	row_int(&r, "process_id", id);
	row_id(&r, "parent_id", before);
	if (ev)
		row_key(&r, "version", ev, "agent_version");
	row_run(&r);
	r = row_of(ls->db, SQL_AGENT_MEMBERS);
	row_int(&r, "id", id);
	row_id(&r, "before", before);
	row_run(&r);
	r = row_of(ls->db, SQL_AGENT_BELOW);
	row_int(&r, "id", id);
	row_id(&r, "before", before);
	row_run(&r);
}

/* Makes a process an agent that is none. */
static void
agent_other(struct lives *ls, int64_t id)
{
	struct row r = row_of(ls->db, SQL_PROCESS_AGENT);
	int64_t before = 0;

	row_int(&r, "id", id);
	row_get(&r, &before);
	if (before == id)
		return;
	flow_finish_all(ls->table, FLOW_END);
	agent_new(ls, NULL, id, before);
}

int64_t
life_agent(struct lives *ls, struct event *ev, int64_t *agent)
{
	int64_t id, before;
	struct life *l = life_find(ls, ev, 'e', &id);

	*agent = id;
	if (!l || l->agent == id)
		return id;
	before = l->agent;
	lives_flush(ls);
	if ((*agent = owner_above(ls->db, id)) != id) {
		agent_other(ls, *agent);
		return id;
	}
	/* rows change behind the table's back: what it knows is written, and read again */
	flow_finish_all(ls->table, FLOW_END);
	agent_new(ls, ev, id, before);
	return id;
}

/* What a program did is a tool's, and that one and its chain are the owner's. */
static void
adopt(struct lives *ls, int64_t caller, const struct did *did)
{
	static const enum sql of_chain[] = { SQL_ADOPT_CALLS, SQL_ADOPT_PROMPTS, SQL_ADOPT_TOOLS };
	struct row r;

	agent_other(ls, did->owner);
	for (size_t i = 0; i < sizeof(of_chain) / sizeof(*of_chain); i++) {
		r = row_of(ls->db, of_chain[i]);
		row_int(&r, "tool", did->tool);
		row_int(&r, "caller", caller);
		row_int(&r, "owner", did->owner);
		row_run(&r);
	}
	if (did->process) {
		r = row_of(ls->db, SQL_PROCESS_TOOL);
		row_int(&r, "id", did->process);
		row_id(&r, "tool", did->tool);
		row_run(&r);
	}
	work_move(ls->work, caller, did->owner, did->tool);
}

void
life_adopt(struct lives *ls, int64_t caller, int64_t call)
{
	struct did did[DID_MAX];
	size_t n;

	lives_flush(ls);
	if (!(n = owner_did(ls->db, ls->work, caller, call, did, DID_MAX)))
		return;
	flow_finish_all(ls->table, FLOW_END);	/* rows change behind its back, as in life_agent */
	for (size_t i = 0; i < n; i++)
		adopt(ls, caller, &did[i]);
}

/* --- tools ------------------------------------------------------------------------- */

enum { LATE_MAX = 512 };	/* programs that began before the line of their tool came */

struct late {
	int64_t process, before, tool;
};

static size_t
late_find(struct lives *ls, int64_t agent, uint64_t since_ns, struct late *all)
{
	struct row r = row_of(ls->db, SQL_PROGRAMS_SINCE);
	size_t n = 0;

	row_int(&r, "agent", agent);
	row_int(&r, "ns", since_ns);
	while (n < LATE_MAX && row_step(&r)) {
		sqlite3_stmt *st = r.of->st;
		int64_t tool = work_find(ls->work, agent, sqlite3_column_int64(st, 1), 0,
		    sqlite3_column_blob(st, 2), sqlite3_column_bytes(st, 2), WORK_ANY);

		/* a tool that ended before the program began was taken for it, for that was not
		 * known */
		if (tool || sqlite3_column_int64(st, 4))
			all[n++] = (struct late){ sqlite3_column_int64(st, 0),
			    sqlite3_column_int64(st, 3), tool };
	}
	row_end(&r);
	return n;
}

void
life_work(struct lives *ls, int64_t agent, uint64_t since_ns)
{
	struct late all[LATE_MAX];
	size_t n;

	if (ls->exec_ns < since_ns)
		return;
	lives_flush(ls);
	if (!(n = late_find(ls, agent, since_ns, all)))
		return;
	flow_finish_all(ls->table, FLOW_END);	/* rows change behind its back, as in life_agent */
	for (size_t i = 0; i < n; i++) {
		struct row r = row_of(ls->db, SQL_PROCESS_TOOL);

		row_int(&r, "id", all[i].process);
		row_id(&r, "before", all[i].before);
		row_id(&r, "tool", all[i].tool);
		row_run(&r);
	}
}
