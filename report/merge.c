/* merge.c - see merge.h */
#include "merge.h"

#include "query.h"

#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct merge {
	sqlite3 *sq;
	const char *path;	/* of the part */
	char *why, *missing;
	bool failed;
};

/* Tables with ids of their own, those first that the key of a later one refers to. key: when
 * a row of part x is the row m of before; NULL: never. later: what it then adds. */
static const struct table {
	const char *name, *key, *later;
} tables[] = {
	{ "paths", "m.path = x.path", NULL },
	{ "texts", "m.hash = x.hash", NULL },
	/* those that live on have the same ids in the next part */
	{ "processes", "m.id = (SELECT new FROM temp.before WHERE old = x.id) AND m.pid = x.pid"
	    " AND m.run_id = (SELECT new FROM temp.map_runs WHERE old = x.run_id)",
	    "start_ns = min(m.start_ns, x.start_ns), end_ns = coalesce(x.end_ns, m.end_ns),"
	    " exit_code = coalesce(x.exit_code, m.exit_code),"
	    " signal = coalesce(x.signal, m.signal),"
	    " rss_max_kb = coalesce(x.rss_max_kb, m.rss_max_kb), comm = coalesce(x.comm, m.comm),"
	    " exec_id = coalesce((SELECT new FROM temp.map_execs WHERE old = x.exec_id),"
	    " m.exec_id),"
	    " agent_id = coalesce((SELECT new FROM temp.map_processes WHERE old = x.agent_id),"
	    " m.agent_id)" },
	{ "execs", "m.process_id = (SELECT new FROM temp.map_processes WHERE old = x.process_id)"
	    " AND m.timestamp_ns = x.timestamp_ns AND m.seed = x.seed", NULL },
	{ "stages", "m.run_id = (SELECT new FROM temp.map_runs WHERE old = x.run_id)"
	    " AND m.stage = x.stage AND m.pid IS x.pid AND m.began_ns IS x.began_ns",
	    "ended_ns = coalesce(x.ended_ns, m.ended_ns),"
	    " lines_read = coalesce(x.lines_read, m.lines_read),"
	    " lines_written = coalesce(x.lines_written, m.lines_written),"
	    " lost = coalesce(x.lost, m.lost), why = coalesce(x.why, m.why)" },
	{ "http_exchanges", "m.run_id = (SELECT new FROM temp.map_runs WHERE old = x.run_id)"
	    " AND m.exchange = x.exchange",
	    "status_code = coalesce(m.status_code, x.status_code),"
	    " status_text = coalesce(m.status_text, x.status_text),"
	    " response_headers = coalesce(m.response_headers, x.response_headers),"
	    " response_bytes = coalesce(m.response_bytes, x.response_bytes),"
	    " response_body = coalesce(m.response_body, x.response_body),"
	    " ttfb_ms = coalesce(m.ttfb_ms, x.ttfb_ms),"
	    " duration_ms = coalesce(m.duration_ms, x.duration_ms)" },
	{ "model_calls", NULL, NULL },
	{ "prompts", NULL, NULL },
	{ "tool_uses", "m.tool_call_id = x.tool_call_id AND m.process_id ="
	    " (SELECT new FROM temp.map_processes WHERE old = x.process_id) AND x.call_id IS NULL"
	    " AND m.result_call_id IS NULL",
	    "answered_ns = x.answered_ns, is_error = x.is_error,"
	    " result_call_id = (SELECT new FROM temp.map_model_calls WHERE old = x.result_call_id),"
	    " result_id = (SELECT new FROM temp.map_texts WHERE old = x.result_id)" },
	{ "connections", "x.kind = 'close' AND m.kind <> 'close' AND m.closed_ns IS NULL"
	    " AND m.fd = x.fd AND m.address IS x.address AND m.port IS x.port AND"
	    " m.process_id = (SELECT new FROM temp.map_processes WHERE old = x.process_id)",
	    "closed_ns = x.closed_ns, sent_bytes = x.sent_bytes, received_bytes = x.received_bytes,"
	    " host = coalesce(m.host, x.host)" },
	{ "mcp_calls", NULL, NULL }, { "file_changes", NULL, NULL },
	{ "signals", NULL, NULL }, { "shell_lines", NULL, NULL }, { "dns", NULL, NULL },
	{ "stdio", NULL, NULL }, { "samples", NULL, NULL }, { "losses", NULL, NULL },
	{ "events", NULL, NULL }, { "failed_execs", NULL, NULL },
};
enum { TABLES = sizeof(tables) / sizeof(*tables) };

static int
fail(struct merge *m, const char *what)
{
	if (!m->failed)
		snprintf(m->why, MERGE_WHY, "put %s together with the other parts: %s%s", m->path,
		    what, sqlite3_errcode(m->sq) == SQLITE_FULL ?
		    " (another folder for it: TMPDIR)" : "");
	m->failed = true;
	return -1;
}

/* Statements with %s of our own names alone. */
static void run(struct merge *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void
run(struct merge *m, const char *fmt, ...)
{
	va_list ap;
	char *sql;

	if (m->failed)
		return;
	va_start(ap, fmt);
	sql = sqlite3_vmprintf(fmt, ap);
	va_end(ap);
	if (!sql || sqlite3_exec(m->sq, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(m, sqlite3_errmsg(m->sq));
	sqlite3_free(sql);
}

/* One text that SQL makes, to be freed by sqlite3_free; NULL on failure. */
static char *
ask(struct merge *m, const char *sql, const char *argument)
{
	sqlite3_stmt *st = NULL;
	char *text = NULL;

	if (!m->failed && sqlite3_prepare_v2(m->sq, sql, -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_text(st, 1, argument, -1, SQLITE_STATIC);
		if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_text(st, 0))
			text = sqlite3_mprintf("%s", sqlite3_column_text(st, 0));
	}
	sqlite3_finalize(st);
	if (!text)
		fail(m, sqlite3_errmsg(m->sq));
	return text;
}

/* --- rows ------------------------------------------------------------------------------ */

/* The columns of a table, and what each becomes: references by the maps, ids of its own by k. */
static const char columns[] =
    "SELECT group_concat(name, ', ') FROM pragma_table_info(?1)",
    values[] =
    "SELECT group_concat(CASE WHEN t.name = 'id' THEN 'k.new' WHEN f.\"table\" IS NULL THEN"
    " 'x.' || t.name ELSE format('(SELECT new FROM temp.map_%s WHERE old = x.%s)',"
    " iif(f.\"table\" = 'agents', 'processes', f.\"table\"), t.name) END, ', ')"
    " FROM pragma_table_info(?1) t LEFT JOIN pragma_foreign_key_list(?1) f ON f.\"from\" = t.name";

static void
map_table(struct merge *m, const struct table *t)
{
	run(m, "DELETE FROM temp.map_%s", t->name);
	if (t->key)
		run(m, "INSERT OR IGNORE INTO temp.map_%s SELECT x.id, m.id, 0 FROM part.%s x"
		    " CROSS JOIN main.%s m ON %s",
		    t->name, t->name, t->name, t->key);
	run(m, "INSERT OR IGNORE INTO temp.map_%s SELECT id, id + (SELECT coalesce(max(id), 0)"
	    " FROM main.%s), 1 FROM part.%s",
	    t->name, t->name, t->name);
}

static void
copy_table(struct merge *m, const char *name, const char *from, const char *how)
{
	char *to = ask(m, columns, name), *what = ask(m, values, name);

	if (to && what)
		run(m, "INSERT %s INTO main.%s(%s) SELECT %s FROM %s", how, name, to, what, from);
	sqlite3_free(to);
	sqlite3_free(what);
}

static void
copy_rows(struct merge *m, const struct table *t)
{
	char *from = sqlite3_mprintf("part.%s x JOIN temp.map_%s k ON k.old = x.id WHERE k.fresh"
	    " ORDER BY x.id", t->name, t->name);

	if (from)
		copy_table(m, t->name, from, "");
	sqlite3_free(from);
	if (t->later)
		run(m, "UPDATE main.%s AS m SET %s FROM part.%s x JOIN temp.map_%s k"
		    " ON k.old = x.id AND NOT k.fresh WHERE m.id = k.new",
		    t->name, t->later, t->name, t->name);
}

/* A run goes on from the part before, or begins. */
static void
merge_runs(struct merge *m)
{
	run(m, "DELETE FROM temp.map_runs;"
	    "INSERT INTO temp.map_runs SELECT x.id, (SELECT max(m.id) FROM main.runs m"
	    " WHERE m.run IS x.run"
	    "	AND (m.run IS NOT NULL OR m.continued)), 0 FROM part.runs x WHERE x.part > 1;"
	    "DELETE FROM temp.map_runs WHERE new IS NULL;"
	    "INSERT OR IGNORE INTO temp.map_runs SELECT min(id),"
	    " min(id) + (SELECT coalesce(max(id), 0) FROM main.runs), 1"
	    "	FROM part.runs GROUP BY coalesce(run, id);"
	    "INSERT OR IGNORE INTO temp.map_runs SELECT x.id, k.new, 0 FROM part.runs x"
	    " JOIN part.runs y ON y.run = x.run"
	    "	JOIN temp.map_runs k ON k.old = y.id;"
	    "INSERT INTO temp.seen_parts SELECT k.new, x.part, x.continued FROM part.runs x"
	    " JOIN temp.map_runs k ON k.old = x.id");
	copy_table(m, "runs", "part.runs x JOIN temp.map_runs k ON k.old = x.id WHERE k.fresh"
	    " ORDER BY x.id", "");
	/* in their order: the last of them says how it ended */
	run(m, "CREATE TEMP TRIGGER IF NOT EXISTS goes_on AFTER INSERT ON temp.next_part BEGIN"
	    "	UPDATE runs SET first_ns = min(coalesce(first_ns, new.first_ns),"
	    " coalesce(new.first_ns, first_ns)),"
	    "	last_ns = max(coalesce(last_ns, new.last_ns), coalesce(new.last_ns, last_ns)),"
	    " lines = lines + new.lines,"
	    "	unstored = unstored + new.unstored, complete = new.complete,"
	    " ended_ns = new.ended_ns, status = new.status,"
	    "	failed = new.failed, input_ended = new.input_ended, continued = new.continued"
	    " WHERE id = new.id; END;"
	    "INSERT INTO temp.next_part SELECT k.new, first_ns, last_ns, lines, unstored, complete,"
	    " ended_ns, status, failed,"
	    "	input_ended, continued FROM part.runs x JOIN temp.map_runs k ON k.old = x.id"
	    " WHERE NOT k.fresh ORDER BY x.id;"
	    "DELETE FROM temp.next_part");
}

static void
merge_part(struct merge *m)
{
	char *attach = sqlite3_mprintf("ATTACH %Q AS part", m->path);

	if (!attach || sqlite3_exec(m->sq, attach, NULL, NULL, NULL) != SQLITE_OK)
		fail(m, sqlite3_errmsg(m->sq));
	sqlite3_free(attach);
	run(m, "BEGIN; DELETE FROM temp.before; INSERT INTO temp.before"
	    " SELECT old, new FROM temp.map_processes");
	merge_runs(m);
	for (int i = 0; i < TABLES; i++)
		map_table(m, &tables[i]);
	for (int i = 0; i < TABLES; i++)
		copy_rows(m, &tables[i]);
	copy_table(m, "agents", "part.agents x", "OR IGNORE");
	copy_table(m, "messages", "part.messages x", "OR IGNORE");
	copy_table(m, "files", "part.files x WHERE true ON CONFLICT"
	    " DO UPDATE SET last_ns = max(last_ns, excluded.last_ns),"
	    " first_ns = min(first_ns, excluded.first_ns), opens = opens + excluded.opens,"
	    " reads = reads + excluded.reads,"
	    " read_bytes = read_bytes + excluded.read_bytes, writes = writes + excluded.writes,"
	    " written_bytes = written_bytes + excluded.written_bytes,"
	    " created = created + excluded.created,"
	    " truncated = truncated + excluded.truncated, deleted = deleted + excluded.deleted,"
	    " renamed = renamed + excluded.renamed, attributes = attributes + excluded.attributes,"
	    " failed = failed + excluded.failed,"
	    " last_error = coalesce(excluded.last_error, last_error)", "");
	run(m, "COMMIT; DETACH part");
}

/* --- the whole --------------------------------------------------------------------------- */

static void
prepare(struct merge *m)
{
	run(m, "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF;"
	    "DELETE FROM stages; DELETE FROM runs;"
	    "CREATE TEMP TABLE before(old INTEGER PRIMARY KEY, new INTEGER);"
	    "CREATE TEMP TABLE map_runs(old INTEGER PRIMARY KEY, new INTEGER, fresh INTEGER);"
	    "CREATE TEMP TABLE seen_parts(run INTEGER, part INTEGER, continued INTEGER);"
	    "CREATE TEMP TABLE next_part(id INTEGER, first_ns, last_ns, lines, unstored, complete,"
	    " ended_ns, status, failed,"
	    "	input_ended, continued)");
	for (int i = 0; i < TABLES; i++)
		run(m, "CREATE TEMP TABLE map_%s(old INTEGER PRIMARY KEY, new INTEGER,"
		    " fresh INTEGER)", tables[i].name);
}

/* Calls that work on a prompt of a part before, and addresses whose names came in one. And
 * what is not here. */
static void
finish(struct merge *m)
{
	char *text;

	run(m, "UPDATE model_calls AS c SET prompt_id = (SELECT q.id FROM prompts q"
	    " WHERE q.chain_id = c.chain_id AND q.run_id = c.run_id"
	    "	AND q.timestamp_ns <= c.started_ns ORDER BY q.timestamp_ns DESC, q.id DESC LIMIT 1)"
	    "	WHERE prompt_id IS NULL AND chain_id IS NOT NULL;"
	    "CREATE TEMP TABLE names(address, ns, host, PRIMARY KEY (address, ns));"
	    "INSERT OR IGNORE INTO temp.names SELECT address, opened_ns, host FROM connections"
	    " WHERE host IS NOT NULL;"
	    "UPDATE connections AS c SET host = (SELECT n.host FROM temp.names n"
	    " WHERE n.address = c.address AND n.ns <= c.opened_ns"
	    "	ORDER BY n.ns DESC LIMIT 1) WHERE host IS NULL AND address IS NOT NULL");
	text = ask(m, "WITH RECURSIVE wanted(run, part, last) AS (SELECT run, 1, max(part)"
	    " FROM temp.seen_parts GROUP BY run"
	    "	UNION ALL SELECT run, part + 1, last FROM wanted WHERE part < last),"
	    "absent AS (SELECT run, part FROM wanted w WHERE NOT EXISTS"
	    " (SELECT 1 FROM temp.seen_parts s"
	    "	WHERE s.run = w.run AND s.part = w.part)) "
	    "SELECT coalesce((SELECT format('%d of the %d files of this recording %s not here"
	    " (--keep removed what is missing, or it was moved): %s %s',"
	    "	count(*), (SELECT max(part) FROM temp.seen_parts), iif(count(*) = 1, 'is', 'are'),"
	    " iif(count(*) = 1, 'number', 'numbers'),"
	    "	iif(count(*) > 9, format('%d to %d', min(part), max(part)),"
	    " group_concat(part, ', '))) FROM absent HAVING count(*)), '') ||"
	    "coalesce((SELECT '; the recording goes on behind number ' || max(part)"
	    " FROM temp.seen_parts s WHERE continued AND NOT EXISTS ("
	    "	SELECT 1 FROM temp.seen_parts n WHERE n.run = s.run AND n.part > s.part)"
	    " HAVING count(*)), '')", NULL);
	snprintf(m->missing, MERGE_WHY, "%s", text ? text + (text[0] == ';' ? 2 : 0) : "");
	sqlite3_free(text);
}

int
merge_parts(const char *to, const char *const *from, size_t n, char missing[MERGE_WHY],
    char why[MERGE_WHY])
{
	struct merge m = { .path = to, .why = why, .missing = missing };

	if (sqlite3_open_v2(to, &m.sq, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		fail(&m, sqlite3_errmsg(m.sq));
	prepare(&m);
	for (size_t i = 0; i < n && !m.failed; i++) {
		struct query q;

		m.path = from[i];
		if (query_open(&q, from[i], 0)) {	/* a recording, and of our version */
			snprintf(why, MERGE_WHY, "open %.500s", q.why);
			m.failed = true;
			break;
		}
		query_close(&q);
		merge_part(&m);
	}
	finish(&m);
	sqlite3_close(m.sq);
	return m.failed ? -1 : 0;
}

char **
merge_set(const char *path, size_t *n)
{
	static const char digits[] = ".[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"
	    "-[0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9].db";
	size_t length = strlen(path), k = 0;
	size_t stem = length > 3 && !strcmp(path + length - 3, ".db") ? length - 3 : length;
	char pattern[2 * PATH_MAX + sizeof(digits)], **all;
	glob_t g = { .gl_pathc = 0 };

	*n = 0;
	for (size_t i = 0; i < stem && k < 2 * PATH_MAX - 2; i++) {
		if (strchr("\\*?[", path[i]))
			pattern[k++] = '\\';
		pattern[k++] = path[i];
	}
	memcpy(pattern + k, digits, sizeof(digits));
	if (glob(pattern, 0, NULL, &g))
		g.gl_pathc = 0;
	if ((all = calloc(g.gl_pathc + 1, sizeof(*all)))) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			if ((all[*n] = strdup(g.gl_pathv[i])))
				(*n)++;
		if ((all[*n] = strdup(path)))
			(*n)++;
	}
	globfree(&g);
	return all;
}
