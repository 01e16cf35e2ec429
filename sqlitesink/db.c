/* db.c - see db.h */
#include "db.h"

#include "lib/jput.h"
#include "sqlitesink/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BUSY_MS = 10000,	/* that somebody else may write between two of our batches */
	COLUMNS_MAX = 64,	/* of a statement: bits of row.given */
};

/* --- messages --------------------------------------------------------------- */

static const char *
hint(const struct db *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return " (make room on its disk; what was written before is kept)";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return " (another program writes to it: end that, or choose another file)";
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return " (damaged, or no database: move it away; "
		    "sqlite3 FILE .recover shows what can be saved)";
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return db->open ? "" :
		    " (the file and its folder must be writable: SQLite keeps F-wal beside F)";
	default:
		return "";
	}
}

void
db_fail(struct db *db, const char *act)
{
	int rc = sqlite3_extended_errcode(db->sq), os = sqlite3_system_errno(db->sq);

	if (!db->failed) {
		fprintf(stderr, "%s: %s %s: %s%s%s%s\n", db->tool, act, db->path,
		    sqlite3_errmsg(db->sq),
		    os && (rc & 0xff) != SQLITE_FULL ? ": " : "", os &&
		    (rc & 0xff) != SQLITE_FULL ? strerror(os) : "",
		    hint(db, rc));
	}
	db->failed = true;
}

static void
db_say(struct db *db, const char *act, const char *why)
{
	if (!db->failed)
		fprintf(stderr, "%s: %s %s: %s\n", db->tool, act, db->path, why);
	db->failed = true;
}

/* --- opening ----------------------------------------------------------------- */

/* Under sudo the file is the user's. */
static void
give_to_user(int fd)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	char *end;
	unsigned long u, g;

	if (geteuid() != 0 || !uid || !gid)
		return;
	u = strtoul(uid, &end, 10);
	if (*end || end == uid)
		return;
	g = strtoul(gid, &end, 10);
	if (*end || end == gid || fchown(fd, u, g))
		return;
}

/* The descriptor is for the lock alone: SQLite opens the file itself. It must stay
 * open as long as SQLite's, for closing any of them would end SQLite's own locks. */
static int
file_open(struct db *db)
{
	struct stat st;

	umask(077);
	db->lock = open(db->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (db->lock >= 0) {
		give_to_user(db->lock);
		if (db->mode)
			(void)!fchmod(db->lock, db->mode);	/* as the one that it follows */
	} else if (errno == EEXIST)
		db->lock = open(db->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (db->lock < 0 || fstat(db->lock, &st)) {
		db_say(db, "open", strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		db_say(db, "open", "not a regular file");
		return -1;
	}
	if (flock(db->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		db_say(db, "open", "another sqlitesink is writing to it (choose another file)");
		return -1;
	}
	if (db->keep_mode)
		db->mode = st.st_mode & 0777;
	db->dev = st.st_dev;
	db->ino = st.st_ino;
	return 0;
}

static int
run_sql(struct db *db, const char *sql, const char *act)
{
	if (!db->failed && sqlite3_exec(db->sq, sql, NULL, NULL, NULL) != SQLITE_OK)
		db_fail(db, act);
	return db->failed ? -1 : 0;
}

static int64_t
ask(struct db *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t v = -1;

	if (db->failed)
		return -1;
	if (sqlite3_prepare_v2(db->sq, sql, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		db_fail(db, "read");
	else
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

/* Of which version the file is; 0 when it is empty, -1 when it is not ours. */
static int
version_of(struct db *db)
{
	int64_t version = ask(db, "PRAGMA user_version"),
	    application = ask(db, "PRAGMA application_id");
	int64_t tables = ask(db, "SELECT count(*) FROM sqlite_schema");

	if (db->failed)
		return -1;
	if (application == 0 && version == 0 && tables == 0)
		return 0;
	if (application != SCHEMA_APPLICATION) {
		db_say(db, "open", "a database of another program (choose another file)");
		return -1;
	}
	if (version > SCHEMA_VERSION) {
		db_say(db, "open", "written by a newer version of agentsight");
		return -1;
	}
	return version;
}

static int
migrate(struct db *db)
{
	char sql[96];
	int version;

	run_sql(db, "BEGIN IMMEDIATE", "lock");
	if ((version = version_of(db)) < 0)
		return -1;
	for (; version < SCHEMA_VERSION; version++)
		run_sql(db, schema_step[version], "write the schema of");
	if (ask(db, "SELECT count(*) FROM reasons WHERE reason = ''"
	    " AND what = '" VERSION "'") != 1) {
		run_sql(db, schema_reasons(), "write the schema of");
		run_sql(db, "INSERT INTO reasons VALUES('', '', 'kept', '" VERSION "', '')",
		    "write the schema of");
	}
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
	    SCHEMA_APPLICATION,
	    SCHEMA_VERSION);
	return run_sql(db, sql, "write the schema of");
}

/* WAL, or nothing: readers must not stop us, nor we them. */
static int
set_up(struct db *db)
{
	sqlite3_stmt *st = NULL;
	bool wal = false;

	if (sqlite3_prepare_v2(db->sq, "PRAGMA journal_mode=WAL", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		db_fail(db, "open");
	else if (!(wal = !strcmp((const char *)sqlite3_column_text(st, 0), "wal")))
		db_say(db, "open", "no write-ahead log is possible there"
		    " (a file system without shared memory?)");
	sqlite3_finalize(st);
	return wal ? run_sql(db,
	    "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-6000;"
	    "PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=16777216", "open") : -1;
}

void
db_run_new(struct db *db)
{
	struct row r = row_of(db, SQL_RUN_NEW);

	row_str(&r, "version", VERSION);
	db->run = row_run(&r);
}

int
db_open(struct db *db, const char *tool, const char *path)
{
	struct stat st;

	*db = (struct db){ .tool = tool, .path = path, .lock = -1, .keep_mode = db->keep_mode,
	    .mode = db->mode };
	if (file_open(db))
		return -1;
	if (sqlite3_open_v2(path, &db->sq, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	    NULL) != SQLITE_OK) {
		db_fail(db, "open");
		return -1;
	}
	sqlite3_extended_result_codes(db->sq, 1);
	sqlite3_busy_timeout(db->sq, BUSY_MS);	/* before the first question */
	/* before anything is changed: it may be somebody else's */
	/* references are looked at afterwards: a table that is made anew would lose its rows */
	if (version_of(db) < 0 || set_up(db) || migrate(db) ||
	    run_sql(db, "PRAGMA foreign_keys=ON", "open"))
		return -1;
	if (!db->keep_mode && fstat(db->lock, &st) == 0 && (st.st_mode & 077))
		(void)!fchmod(db->lock, 0600);	/* another user's: as it is */
	db_run_new(db);
	db_commit(db);
	return db->failed ? -1 : 0;
}

/* --- transactions --------------------------------------------------------------- */

/* The log of a file that has another name now, or none, would be taken for that of the next
 * one with its name. */
static void
remove_log(const struct db *db)
{
	static const char *const rest[] = { "-wal", "-shm" };
	char name[4096];
	struct stat st;

	for (size_t i = 0; i < 2 && stat(db->path, &st) && errno == ENOENT; i++)
		if (snprintf(name, sizeof(name), "%s%s", db->path, rest[i]) < (int)sizeof(name))
			unlink(name);
}

/* Deleted, moved, or another file has its name: what we write nobody would find. What is in
 * the log still goes into one that was moved. */
static void
still_there(struct db *db)
{
	struct stat st;

	if (db->failed || (stat(db->path, &st) == 0 && st.st_dev == db->dev &&
	    st.st_ino == db->ino))
		return;
	db->orphan = true;
	if (fstat(db->lock, &st) || st.st_nlink == 0) {
		db_say(db, "write",
		    "the file was deleted while it was written: what was recorded is gone with it");
	} else if (sqlite3_wal_checkpoint_v2(db->sq, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
	    NULL) == SQLITE_OK) {
		db_say(db, "write", "the file was moved or replaced while it was written:"
		    " where it is now it has what was recorded until then");
	} else {
		db->orphan = false;
		db_say(db, "write", "the file was moved or replaced while it was written:"
		    " what was recorded is in it and in its log (-wal), which belongs beside it");
	}
}

int
db_begin(struct db *db)
{
	if (!db->failed && !db->open) {
		run_sql(db, "BEGIN IMMEDIATE", "write");
		db->open = !db->failed;
	}
	return db->failed ? -1 : 0;
}

void
db_commit(struct db *db)
{
	if (db->failed || !db->open)
		return;
	run_sql(db, "COMMIT", "write");
	db->open = false;
	still_there(db);
}

static void
statement_free(struct statement *s)
{
	if (s)
		sqlite3_finalize(s->st);
	free(s);
}

bool
db_log_full(struct db *db, uint64_t max)
{
	char name[4096];
	struct stat st;
	int rc;

	snprintf(name, sizeof(name), "%s-wal", db->path);
	if (db->failed || db->open || stat(name, &st) || (uint64_t)st.st_size <= max)
		return false;
	sqlite3_busy_timeout(db->sq, 0);
	rc = sqlite3_wal_checkpoint_v2(db->sq, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(db->sq, BUSY_MS);
	return (rc & 0xff) == SQLITE_BUSY;
}

void
db_close(struct db *db)
{
	db_commit(db);
	for (int i = 0; i < SQL_COUNT; i++)
		statement_free(db->stmt[i]);
	if (!db->failed) {
		/* a reader may hold it up; the last one to close folds it in then */
		sqlite3_exec(db->sq, "PRAGMA analysis_limit=400; PRAGMA optimize", NULL, NULL,
		    NULL);
		sqlite3_exec(db->sq, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
		/* so that it can be read where nothing can be written */
		sqlite3_busy_timeout(db->sq, 0);
		sqlite3_exec(db->sq, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	}
	if (sqlite3_close(db->sq) != SQLITE_OK)
		db_fail(db, "close");
	if (db->orphan)
		remove_log(db);
	if (db->lock >= 0)
		close(db->lock);
}

/* --- statements --------------------------------------------------------------------- */

/* Reads one word of a list of columns; returns what stands behind it, NULL at the end. */
static const char *
column_read(struct column *c, const char *s, char *conflict)
{
	char word[64], *key, *marks;
	size_t n;

	s += strspn(s, " ");
	if (!(n = strcspn(s, " ")) || n >= sizeof(word))
		return NULL;
	memcpy(word, s, n);
	word[n] = '\0';
	*c = (struct column){ 0 };
	*conflict = 0;
	if ((marks = strchr(word, ':'))) {
		*marks++ = '\0';
		for (; *marks; marks++)
			*(strchr("!?+<>", *marks) ? conflict : &c->kind) = *marks;
	}
	if ((key = strchr(word, '='))) {
		*key++ = '\0';
		snprintf(c->key, sizeof(c->key), "%.*s", (int)sizeof(c->key) - 1, key);
	}
	snprintf(c->name, sizeof(c->name), "%.*s", (int)sizeof(c->name) - 1, word);
	return s + n;
}

static void
append(char **text, const char *fmt, ...)
{
	va_list ap;
	char *more, *all = NULL;

	va_start(ap, fmt);
	more = sqlite3_vmprintf(fmt, ap);
	va_end(ap);
	if (*text && more)
		all = sqlite3_mprintf("%s%s", *text, more);
	sqlite3_free(*text);
	sqlite3_free(more);
	*text = all;
}

/* INSERT of all columns, by name. */
static char *
insert_text(const struct sql_text *t)
{
	char *names = sqlite3_mprintf(""), *values = sqlite3_mprintf(""),
	    *update = sqlite3_mprintf("");
	char conflict, *text;
	struct column c;

	for (const char *s = t->text; (s = column_read(&c, s, &conflict));) {
		append(&names, names && *names ? ",%s" : "%s", c.name);
		append(&values, values && *values ? ",:%s" : ":%s", c.name);
		if (!conflict)
			continue;
		append(&update, update && *update ? ", %s=" : "%s=", c.name);
		append(&update, conflict == '!' ? "excluded.%s" : conflict == '?' ?
		    "coalesce(excluded.%s, %s)" :
		    conflict == '+' ? "%s+excluded.%s" : conflict == '<' ? "min(%s, excluded.%s)" :
		    "max(%s, excluded.%s)", c.name, c.name);
	}
	if (!names || !values || !update)
		text = NULL;
	else
		text = sqlite3_mprintf("INSERT INTO %s(%s) VALUES(%s)%s%s", t->table, names, values,
		    *update ? " ON CONFLICT DO UPDATE SET " : "", update);
	sqlite3_free(names);
	sqlite3_free(values);
	sqlite3_free(update);
	return text;
}

static void
columns_find(struct statement *s, const struct sql_text *t)
{
	struct column c;
	char conflict;
	int i = 0;

	for (const char *p = t->text; t->table && i < s->n && (p = column_read(&c, p, &conflict));
	    i++)
		s->column[i] = c;
	for (i = 0; !t->table && i < s->n; i++)
		snprintf(s->column[i].name, sizeof(s->column[i].name), "%s",
		    sqlite3_bind_parameter_name(s->st, i + 1) + 1);
}

/* One row that there is no memory for is missing; with the whole transaction, all is. */
static void
write_failed(struct db *db)
{
	if ((sqlite3_errcode(db->sq) & 0xff) == SQLITE_NOMEM && !sqlite3_get_autocommit(db->sq)) {
		db->no_memory = true;
		sqlite3_db_release_memory(db->sq);
	} else {
		db_fail(db, "write");
	}
}

static struct statement *
prepare(struct db *db, const struct sql_text *t)
{
	char *made = t->table ? insert_text(t) : NULL;
	const char *text = t->table ? made : t->text;
	struct statement *s = NULL;
	sqlite3_stmt *st = NULL;
	int n;

	if (text && sqlite3_prepare_v3(db->sq, text, -1, SQLITE_PREPARE_PERSISTENT, &st,
	    NULL) == SQLITE_OK) {
		n = sqlite3_bind_parameter_count(st);
		if (n <= COLUMNS_MAX && (s = calloc(1, sizeof(*s) + n * sizeof(s->column[0])))) {
			*s = (struct statement){ .st = st, .n = n };
			columns_find(s, t);
		}
	}
	if (!s) {
		write_failed(db);
		sqlite3_finalize(st);
	}
	sqlite3_free(made);
	return s;
}

/* --- rows ------------------------------------------------------------------------- */

struct row
row_of(struct db *db, enum sql sql)
{
	struct statement **s = &db->stmt[sql];

	if (db_begin(db) || (!*s && !(*s = prepare(db, &sql_text[sql]))))
		return (struct row){ .db = db };
	sqlite3_clear_bindings((*s)->st);
	return (struct row){ .db = db, .of = *s };
}

/* The number of a parameter. They are mostly given in their order. */
static int
place(struct row *r, const char *name)
{
	const struct statement *s = r->of;

	for (int i = 0; i < s->n; i++) {
		int k = r->at + i < s->n ? r->at + i : r->at + i - s->n;

		if (strcmp(s->column[k].name, name))
			continue;
		r->given |= UINT64_C(1) << k;
		r->at = k + 1 < s->n ? k + 1 : 0;
		return k + 1;
	}
	/* ours: a name that no statement has; sqlite3 refuses 0 */
	fprintf(stderr, "%s: no parameter %s in: %s\n", r->db->tool, name, sqlite3_sql(s->st));
	r->db->failed = true;
	return 0;
}

void
row_int(struct row *r, const char *name, int64_t v)
{
	if (r->of)
		sqlite3_bind_int64(r->of->st, place(r, name), v);
}

void
row_id(struct row *r, const char *name, int64_t v)
{
	if (r->of && v)
		sqlite3_bind_int64(r->of->st, place(r, name), v);
	else if (r->of)
		place(r, name);
}

static void
bind_plain(struct row *r, int i, const char *p, size_t n)
{
	sqlite3_bind_text64(r->of->st, i, p, n, SQLITE_STATIC, SQLITE_UTF8);
}

static void
bind_bytes(struct row *r, int i, const void *p, size_t n)
{
	if (!p)
		return;
	if (memchr(p, '\0', n) || utf8_valid(p, n) < n)
		sqlite3_bind_blob64(r->of->st, i, p, n, SQLITE_STATIC);
	else
		bind_plain(r, i, p, n);
}

void
row_blob(struct row *r, const char *name, const void *p, size_t n)
{
	if (r->of)
		sqlite3_bind_blob64(r->of->st, place(r, name), p, n, SQLITE_STATIC);
}

void
row_bytes(struct row *r, const char *name, const void *p, size_t n)
{
	if (r->of)
		bind_bytes(r, place(r, name), p, n);
}

void
row_str(struct row *r, const char *name, const char *s)
{
	if (r->of && s)
		bind_plain(r, place(r, name), s, strlen(s));
	else if (r->of)
		place(r, name);
}

/* A string; text columns hold no NUL, so it ends there. */
static void
bind_string(struct row *r, int i, struct event *ev, struct value v)
{
	const char *p;
	size_t n;

	if (!v.escaped)
		bind_plain(r, i, v.p + 1, v.n - 2);
	else if ((p = value_str(&ev->arena, v, &n)))
		bind_plain(r, i, p, strlen(p));
}

static void
bind_value(struct row *r, int i, struct event *ev, struct value v)
{
	int64_t n;
	double d;

	switch (v.kind) {
	case VALUE_STRING:
		bind_string(r, i, ev, v);
		break;
	case VALUE_INT:
		if (value_i64(v, &n))
			sqlite3_bind_int64(r->of->st, i, n);
		break;
	case VALUE_REAL:
		if (value_f64(v, &d))
			sqlite3_bind_double(r->of->st, i, d);
		break;
	case VALUE_FALSE:
	case VALUE_TRUE:
		sqlite3_bind_int64(r->of->st, i, v.kind == VALUE_TRUE);
		break;
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		bind_plain(r, i, v.p, v.n);
		break;
	default:
		break;
	}
}

void
row_value(struct row *r, const char *name, struct event *ev, struct value v)
{
	if (r->of)
		bind_value(r, place(r, name), ev, v);
}

void
row_key(struct row *r, const char *name, struct event *ev, const char *key)
{
	row_value(r, name, ev, event_get(ev, key));
}

void
row_key_json(struct row *r, const char *name, struct event *ev, const char *key)
{
	struct value v = event_get(ev, key);
	int i = r->of ? place(r, name) : 0;

	if (i && v.kind)
		bind_plain(r, i, v.p, v.n);
}

static void
bind_key(struct row *r, int i, struct event *ev, const struct column *c)
{
	const char *key = *c->key ? c->key : c->name;
	struct value v = event_get(ev, key);
	const void *p;
	size_t n;

	if (c->kind == 'f') {
		sqlite3_bind_int64(r->of->st, i, event_bool(ev, key));
	} else if (c->kind == 'j') {
		if (v.kind)
			bind_plain(r, i, v.p, v.n);
	} else if (c->kind == 'b' && !(v.kind == VALUE_STRING && !v.escaped)) {
		if ((p = event_bytes(ev, key, &n)))
			bind_bytes(r, i, p, n);
	} else {
		bind_value(r, i, ev, v);
	}
}

void
row_keys(struct row *r, struct event *ev)
{
	for (int i = 0; r->of && i < r->of->n; i++)
		if (!(r->given & UINT64_C(1) << i))
			bind_key(r, i + 1, ev, &r->of->column[i]);
}

bool
row_step(struct row *r)
{
	int rc;

	if (!r->of || r->db->failed)
		return false;
	rc = sqlite3_step(r->of->st);
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		r->db->refused = true;
	else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		write_failed(r->db);
	return rc == SQLITE_ROW;
}

void
row_end(struct row *r)
{
	if (r->of)
		sqlite3_reset(r->of->st);
}

int64_t
row_run(struct row *r)
{
	bool refused = r->db->refused, no_memory = r->db->no_memory, done;

	r->db->refused = r->db->no_memory = false;
	row_step(r);
	row_end(r);
	done = r->of && !r->db->failed && !r->db->refused && !r->db->no_memory;
	r->db->refused |= refused;
	r->db->no_memory |= no_memory;
	return done ? sqlite3_last_insert_rowid(r->db->sq) : 0;
}

bool
row_get(struct row *r, int64_t *v)
{
	bool found = row_step(r);

	if (found)
		*v = sqlite3_column_int64(r->of->st, 0);
	row_end(r);
	return found;
}
