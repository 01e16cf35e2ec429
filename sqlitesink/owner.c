/* owner.c - see owner.h */
#include "owner.h"

#include <string.h>

static const char *
behind_slash(const char *path)
{
	const char *at = strrchr(path, '/');

	return at ? at + 1 : path;
}

static bool
is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

/* What only sends what it is told to. */
static bool
is_transfer(const char *name)
{
	static const char *const names[] = { "curl", "wget", "wget2", "http", "https", "xh", "xhs",
	    "curlie", "grpcurl",
		"websocat", "aria2c" };

	return is_one_of(name, names, sizeof(names) / sizeof(*names));
}

/* A shell that was given a command, and programs that run another one. */
static bool
is_between(const char *name, const char *first)
{
	static const char *const shells[] = { "sh", "bash", "dash", "zsh", "ksh", "fish",
	    "busybox" },
	    *const runners[] = { "env", "timeout", "nice", "ionice", "stdbuf", "xargs", "time",
	    "setsid", "nohup" };

	if (is_one_of(name, runners, sizeof(runners) / sizeof(*runners)))
		return true;
	return is_one_of(name, shells, sizeof(shells) / sizeof(*shells)) && first &&
	    first[0] == '-' &&
	    strchr(first, 'c');
}

int64_t
owner_above(struct db *db, int64_t process)
{
	struct row r = row_of(db, SQL_PROGRAMS_ABOVE);
	int64_t owner = process;
	bool transfers = false;

	row_int(&r, "id", process);
	while (row_step(&r)) {
		sqlite3_stmt *st = r.of->st;
		int64_t id = sqlite3_column_int64(st, 0);
		const char *name = behind_slash((const char *)sqlite3_column_text(st, 1)),
		    *first = (const char *)sqlite3_column_text(st, 2);

		if (id == process)
			transfers = is_transfer(name);
		if (!transfers || sqlite3_column_int(st, 3))
			break;	/* what ran before the recording began is nobody's agent */
		owner = id;
		if (id != process && !is_between(name, first))
			break;
	}
	row_end(&r);
	return owner;
}

/* By the commands of programs. */
static size_t
did_run(struct db *db, struct work *work, int64_t caller, int64_t call, struct did *did, size_t max)
{
	struct row r = row_of(db, SQL_PROGRAMS_WITHIN);
	size_t n = 0;

	row_int(&r, "call", call);
	row_int(&r, "caller", caller);
	while (n < max && row_step(&r)) {
		sqlite3_stmt *st = r.of->st;
		int64_t tool = work_find(work, caller, sqlite3_column_int64(st, 2), 0,
		    sqlite3_column_blob(st, 3), sqlite3_column_bytes(st, 3), WORK_COMMAND);

		if (tool)
			did[n++] = (struct did){ sqlite3_column_int64(st, 0),
			    sqlite3_column_int64(st, 1), tool };
	}
	row_end(&r);
	return n;
}

/* By the files that the arguments name. */
static size_t
did_change(struct db *db, int64_t call, struct did *did, size_t max)
{
	struct row r = row_of(db, SQL_CHANGES_WITHIN);
	size_t n = 0;

	row_int(&r, "call", call);
	while (n < max && row_step(&r)) {
		did[n++] = (struct did){ 0, sqlite3_column_int64(r.of->st, 0),
			sqlite3_column_int64(r.of->st, 1) };
	}
	row_end(&r);
	return n;
}

size_t
owner_did(struct db *db, struct work *work, int64_t caller, int64_t call, struct did *did,
    size_t max)
{
	struct row r = row_of(db, SQL_HAS_PROGRAMS);
	int64_t any = 0;
	size_t n;

	row_int(&r, "caller", caller);
	if (row_get(&r, &any))
		return 0;
	n = did_run(db, work, caller, call, did, max);
	return n ? n : did_change(db, call, did, max);
}
