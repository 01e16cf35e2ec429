/* file.c - see file.h */
#include "file.h"

#include "sqlitesink/text.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* rows of files that a batch can change before they are written; a power of two */
	SUMS = 2048,
};

struct sum {
	int64_t process, path;	/* path 0: free */
	int64_t first_ns, last_ns;
	int64_t opens, reads, read_bytes, writes, written_bytes;
	int64_t created, truncated, deleted, renamed, attributes, failed;
	bool shared;
	char error[24];
};

struct files {
	struct db *db;
	struct paths *paths;
	struct sum sum[SUMS];		/* by process and path, open addressing */
	unsigned short used[SUMS];	/* indexes, in the order of first use */
	size_t n;
};

/* What an event means: the counter that it adds to, and the change that it is. */
static const struct kind {
	const char *type, *op;		/* op NULL: changes nothing */
	size_t counter;			/* 0: none */
} kinds[] = {
	{ "file.open", NULL, offsetof(struct sum, opens) },
	{ "file.read", NULL, 0 },
	{ "file.write", "write", 0 },
	{ "file.delete", "delete", offsetof(struct sum, deleted) },
	{ "file.rename", "rename", offsetof(struct sum, renamed) },
	{ "file.link", "link", 0 },
	{ "file.symlink", "symlink", offsetof(struct sum, created) },
	{ "file.truncate", "truncate", offsetof(struct sum, truncated) },
	{ "file.chmod", "chmod", offsetof(struct sum, attributes) },
	{ "file.chown", "chown", offsetof(struct sum, attributes) },
	{ "file.create", "create", offsetof(struct sum, created) },
	{ "file.clone", "write", 0 },
	{ "file.allocate", "write", 0 },
	{ "file.times", NULL, offsetof(struct sum, attributes) },
	{ "file.xattr", NULL, offsetof(struct sum, attributes) },
	{ "dir.create", "mkdir", offsetof(struct sum, created) },
	{ "dir.delete", "rmdir", offsetof(struct sum, deleted) },
};

struct files *
files_new(struct db *db)
{
	struct files *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->db = db;
	if (!(f->paths = paths_new(db))) {
		free(f);
		return NULL;
	}
	return f;
}

void
files_free(struct files *f)
{
	paths_free(f->paths);
	free(f);
}

/* --- sums ---------------------------------------------------------------------- */

void
files_flush(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct sum *s = &f->sum[f->used[i]];
		struct row r = row_of(f->db, SQL_FILE_ADD);

		row_id(&r, "process_id", s->process);
		row_int(&r, "path_id", s->path);
		row_int(&r, "first_ns", s->first_ns);
		row_int(&r, "last_ns", s->last_ns);
		row_int(&r, "opens", s->opens);
		row_int(&r, "reads", s->reads);
		row_int(&r, "read_bytes", s->read_bytes);
		row_int(&r, "writes", s->writes);
		row_int(&r, "written_bytes", s->written_bytes);
		row_int(&r, "created", s->created);
		row_int(&r, "truncated", s->truncated);
		row_int(&r, "deleted", s->deleted);
		row_int(&r, "renamed", s->renamed);
		row_int(&r, "attributes", s->attributes);
		row_int(&r, "failed", s->failed);
		row_str(&r, "last_error", s->error[0] ? s->error : NULL);
		row_int(&r, "shared", s->shared);
		row_run(&r);
		s->path = 0;
	}
	f->n = 0;
}

static struct sum *
sum_of(struct files *f, int64_t process, int64_t path, int64_t ns)
{
	size_t i = ((uint64_t)process * 0x9e3779b97f4a7c15u ^
	    (uint64_t)path * 0xc2b2ae3d27d4eb4fu) >> 40;
	struct sum *s;

	if (f->n >= SUMS / 2)
		files_flush(f);
	for (i %= SUMS; f->sum[i].path; i = (i + 1) % SUMS)
		if (f->sum[i].process == process && f->sum[i].path == path)
			break;
	s = &f->sum[i];
	if (!s->path) {
		*s = (struct sum){ .process = process, .path = path, .first_ns = ns,
		    .last_ns = ns };
		f->used[f->n++] = i;
	}
	return s;
}

/* --- changes -------------------------------------------------------------------- */

static void
put_owner(struct row *r, struct event *ev, char *buf, size_t size)
{
	struct value user = event_get(ev, "user"), group = event_get(ev, "group");
	int n = snprintf(buf, size, "%.*s:%.*s", (int)(user.kind ? user.n : 0),
	    user.kind ? user.p : "",
	    (int)(group.kind ? group.n : 0), group.kind ? group.p : "");

	row_bytes(r, "detail", buf, n > 0 && (size_t)n < size ? (size_t)n : 0);
}

static void
change(struct files *f, struct event *ev, int64_t process, const char *op, int64_t path)
{
	int64_t to = path_of_key(f->paths, ev, "to");
	struct row r = row_of(f->db, SQL_FILE_CHANGE_NEW);
	const void *says;
	char owner[64];
	size_t n;

	row_id(&r, "process_id", process);
	row_str(&r, "op", op);
	row_int(&r, "path_id", path);
	row_id(&r, "to_path_id", to);
	row_key(&r, "bytes", ev, event_get(ev, "bytes").kind ? "bytes" : "length");
	if (!strcmp(op, "chown"))
		put_owner(&r, ev, owner, sizeof(owner));
	else if (!strcmp(op, "symlink") && (says = event_bytes(ev, "target", &n)))
		row_bytes(&r, "detail", says, n);
	else
		row_key(&r, "detail", ev, "permissions");
	row_keys(&r, ev);
	row_run(&r);
}

/* Where what is written is gone or shown, not kept. Disks are files. */
static bool
is_sink(struct event *ev)
{
	static const char *const path[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/tty" };
	struct value v = event_get(ev, "path");

	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
		if (value_eq(v, path[i]))
			return true;
	return v.kind == VALUE_STRING && v.n > 11 && !memcmp(v.p + 1, "/dev/pts/", 9);
}

/* How an open changes a file: not at all, or as this op says. */
static const char *
open_op(struct event *ev, struct sum *s, int64_t count)
{
	struct value mode = event_get(ev, "mode"), k, v;
	struct value_iter it;
	bool writes = false, truncates = false;

	value_iter(&it, mode);
	while (mode.kind == VALUE_ARRAY && value_next(&it, &k, &v)) {
		truncates |= value_eq(v, "truncate");
		writes |= value_eq(v, "write") || value_eq(v, "append");
	}
	if (event_bool(ev, "created")) {
		s->created++;
		return "create";
	}
	if (truncates && writes) {
		s->truncated += count;
		return "truncate";
	}
	return writes ? "open" : NULL;
}

static int64_t
number(const struct event *ev, const char *key, int64_t absent)
{
	int64_t v;

	return event_i64(ev, key, &v) && v >= 0 ? v : absent;
}

static void
span(struct sum *s, int64_t ns, int64_t last)
{
	if (ns < s->first_ns)
		s->first_ns = ns;
	if (last > s->last_ns)
		s->last_ns = last;
}

static void
add(struct files *f, struct event *ev, const struct kind *k, int64_t process, int64_t path)
{
	int64_t ns = event_time(ev), last = number(ev, "last_ns", ns),
	    count = number(ev, "count", 1), bytes;
	struct sum *s = sum_of(f, process, path, ns);
	const char *op = k->op, *error;

	bytes = number(ev, "bytes", 0);
	span(s, ns, last);
	if ((error = event_str(ev, "error", NULL))) {
		s->failed += count;
		snprintf(s->error, sizeof(s->error), "%s", error);
	}
	if (!strcmp(k->type, "file.read")) {
		s->reads += count;
		s->read_bytes += bytes;
		s->opens += number(ev, "opens", 0);
	} else if (!strcmp(k->type, "file.write") && error) {
		return;
	} else if (!strcmp(k->type, "file.write")) {
		s->writes += count;
		s->written_bytes += bytes;
		s->reads += number(ev, "reads", 0);
		s->read_bytes += number(ev, "read_bytes", 0);
	} else if (error) {
		return;
	}
	if (k->counter)
		*(int64_t *)((char *)s + k->counter) += count;
	if (k->counter == offsetof(struct sum, opens))
		op = open_op(ev, s, count);
	if (op && !is_sink(ev))
		change(f, ev, process, op, path);
}

void
file_shared(struct files *f, struct event *ev, int64_t process)
{
	int64_t last = number(ev, "last_ns", event_time(ev)),
	    path = path_of_key(f->paths, ev, "path");
	struct sum *s;

	if (!path || number(ev, "files", 1) > 1)
		return;
	s = sum_of(f, process, path, last);
	span(s, last, last);
	s->shared = true;
}

bool
file_event(struct files *f, struct event *ev, int64_t process)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int64_t path;

		if (!event_is(ev, kinds[i].type))
			continue;
		if (number(ev, "files", 1) > 1)
			return true;	/* files that were made here: of each there is a row */
		if ((path = path_of_key(f->paths, ev, "path")))
			add(f, ev, &kinds[i], process, path);
		else
			f->db->refused = true;
		return true;
	}
	return false;
}
