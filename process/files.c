/*
 * files.c - file.* and dir.*: operations on paths
 *
 * keeps   opens and failed writes of the last --window, by process, program, path, flags
 *         and result: the first is written at once, the rest is counted
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "emit.h"
#include "flow.h"
#include "self.h"

/* What opens have in common that are counted together, or writes that failed: the key
 * of the table, path and root behind it. */
struct open_key {
	uint64_t born;
	uint32_t pid, execs;	/* execs: by the same program */
	uint32_t op, flags, mnt_ns, path;	/* path: its length, the rest is the root */
	int32_t error;
	uint32_t pad;
	char text[];
};

struct open_group {
	struct record head;	/* of the first that is not written yet */
	uint64_t begin, last;	/* boot time: of the window, of the last open */
	uint64_t count;		/* not written yet */
	int32_t fd;
	bool created, cut;
};

/* --- opens ------------------------------------------------------------------- */

static void
put_mode(struct jput *j, uint32_t flags)
{
	int access = flags & O_ACCMODE;

	jput_array(j, "mode");
	if (!(flags & O_PATH)) {
		if (access != O_WRONLY)
			jput_str(j, NULL, "read");
		if (access != O_RDONLY)
			jput_str(j, NULL, "write");
	}
	if (flags & O_CREAT)
		jput_str(j, NULL, "create");
	if (flags & O_APPEND)
		jput_str(j, NULL, "append");
	if (flags & O_TRUNC)
		jput_str(j, NULL, "truncate");
	jput_array_end(j);
}

static void
put_root(struct jput *j, struct text root)
{
	if (root.n)
		jput_bytes(j, "root", root.p, root.n);
}

static void
write_open(struct process *s, const struct open_key *k, size_t keylen, const struct open_group *g)
{
	struct text root = { k->text + k->path, keylen - sizeof(*k) - k->path };
	bool open = k->op == OP_OPEN;
	struct jput j;

	if (!emit_begin(s, &j, open ? "file.open" : "file.write", &g->head, g->count, 0))
		return;
	jput_bytes(&j, "path", k->text, k->path);
	put_root(&j, root);
	emit_mnt_ns(s, &j, k->mnt_ns);
	if (g->cut)
		jput_bool(&j, "truncated", true);
	if (open) {
		jput_uint(&j, "flags", k->flags);
		put_mode(&j, k->flags);
	}
	if (g->created)
		jput_bool(&j, "created", true);
	if (g->fd >= 0)
		jput_int(&j, "fd", g->fd);
	if (!open)
		jput_uint(&j, "bytes", 0);
	emit_error(&j, k->error);
	jput_uint(&j, "count", g->count);
	if (g->count > 1 || !open)
		jput_uint(&j, "last_ns", clock_epoch(&s->probe.clock, g->last));
	jput_close(&j);
}

static void
finish_open(void *arg, void *entry, enum flow_why why)
{
	struct process *s = arg;
	struct open_group *g = entry;
	size_t n;
	const struct open_key *k = flow_key(entry, &n);

	(void)why;
	if (g->count)
		write_open(s, k, n, g);
}

static void
on_open(struct process *s, const struct event_record *r, const struct strings *t)
{
	static _Alignas(8) char room[sizeof(struct open_key) + 2 * PATH_TEXT];
	struct open_key *k = (void *)room;
	struct text path = where_path(s, r, t, STR_BASE, k->text), root = t->s[STR_ROOT];
	struct open_group *g, one = {
		.head = r->head, .begin = r->head.time, .last = r->head.time, .count = 1,
		.fd = r->op == OP_OPEN ? r->result : (int32_t)r->fd, .created = r->b,
		.cut = r->flags & EVENT_CUT,
	};
	size_t n = sizeof(*k) + path.n + root.n;

	if (r->b && r->op == OP_OPEN)
		reads_made(s, r->mnt_ns, path);
	k->born = r->head.born;
	k->pid = r->head.pid;
	k->execs = r->execs;
	k->op = r->op;
	k->flags = r->a;
	k->mnt_ns = r->mnt_ns;
	k->path = path.n;
	k->error = r->result < 0 ? r->result : 0;
	k->pad = 0;
	memcpy(k->text + path.n, root.p, root.n);
	g = s->window ? flow_find(s->opens, k, n, r->head.time) : NULL;
	/* a file that was made is never one of several */
	if (g && !r->b && r->head.time - g->begin < s->window) {
		if (!g->count++)
			g->head = r->head;
		g->fd = one.fd;
		g->last = r->head.time;
		return;
	}
	if (g)
		finish_open(s, g, FLOW_IDLE);
	write_open(s, k, n, &one);
	if (!g && s->window)
		g = flow_get(s->opens, k, n, r->head.time);
	if (g) {
		*g = one;
		g->count = 0;
		g->created = false;
	}
}

void
files_tick(struct process *s, bool all)
{
	where_forget(s);
	if (!s->opens && !(s->opens = flow_new(sizeof(struct open_group), 16384, SIZE_MAX,
	    finish_open, s)))
		return;
	if (all)
		flow_finish_all(s->opens, FLOW_EOF);
	else
		flow_expire(s->opens, clock_boot(), s->window);
}

/* --- the rest ---------------------------------------------------------------- */

static const char *
type_of(uint32_t op)
{
	switch (op) {
	case OP_UNLINK: return "file.delete";
	case OP_RMDIR: return "dir.delete";
	case OP_RENAME: return "file.rename";
	case OP_LINK: return "file.link";
	case OP_SYMLINK: return "file.symlink";
	case OP_MKDIR: return "dir.create";
	case OP_TRUNCATE: return "file.truncate";
	case OP_CHMOD: return "file.chmod";
	case OP_CHOWN: return "file.chown";
	case OP_CHDIR: return "dir.change";
	case OP_MKNOD: return "file.create";
	case OP_XATTR: return "file.xattr";
	case OP_TIMES: return "file.times";
	case OP_ALLOCATE: return "file.allocate";
	case OP_CLONE: return "file.clone";
	case OP_MOUNT: return "fs.mount";
	case OP_UNMOUNT: return "fs.unmount";
	case OP_PIVOT: return "fs.pivot";
	}
	return NULL;
}

static const char *
kind_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	case S_IFCHR: return "character device";
	case S_IFBLK: return "block device";
	}
	return "file";
}

static void
put_allocation(struct jput *j, const struct event_record *r)
{
	int mode = r->fd;

	jput_str(j, "action", mode & FALLOC_FL_PUNCH_HOLE ? "punch" :
	    mode & FALLOC_FL_COLLAPSE_RANGE ? "collapse" : mode & FALLOC_FL_ZERO_RANGE ? "zero" :
	    mode & FALLOC_FL_INSERT_RANGE ? "insert" : "allocate");
	jput_int(j, "offset", r->a);
	jput_int(j, "length", r->b);
}

static void
put_rest(struct jput *j, const struct event_record *r, const struct strings *t)
{
	char text[16];

	switch (r->op) {
	case OP_MKNOD:
		jput_str(j, "kind", kind_of(r->a));
		snprintf(text, sizeof(text), "%04o", (unsigned)r->a & 07777);
		jput_str(j, "permissions", text);
		break;
	case OP_XATTR:
		jput_bytes(j, "name", t->s[STR_NAME2].p, t->s[STR_NAME2].n);
		if (r->a)
			jput_bool(j, "removed", true);
		break;
	case OP_ALLOCATE:
		put_allocation(j, r);
		break;
	case OP_MOUNT:
		if (t->s[STR_NAME2].n)
			jput_bytes(j, "source", t->s[STR_NAME2].p, t->s[STR_NAME2].n);
		if (t->s[STR_BASE2].n)
			jput_bytes(j, "fs_type", t->s[STR_BASE2].p, t->s[STR_BASE2].n);
		/* fallthrough */
	case OP_UNMOUNT:
		jput_uint(j, "flags", r->a);
		break;
	case OP_MKDIR:
	case OP_CHMOD:
		snprintf(text, sizeof(text), "%04o", (unsigned)r->a & 07777);
		jput_str(j, "permissions", text);
		break;
	case OP_TRUNCATE:
		jput_int(j, "length", r->a);
		break;
	case OP_RENAME:
		if (r->a & RENAME_EXCHANGE)
			jput_bool(j, "exchanged", true);
		break;
	case OP_CHOWN:
		if (r->a != -1)
			jput_uint(j, "user", (uint32_t)r->a);
		if (r->b != -1)
			jput_uint(j, "group", (uint32_t)r->b);
	}
}

static bool
has_second(uint32_t op)
{
	return op == OP_RENAME || op == OP_LINK || op == OP_CLONE;
}

/* Whether paths may lead elsewhere from now on. */
static bool
leads_elsewhere(uint32_t op)
{
	return op == OP_RENAME || op == OP_SYMLINK || op == OP_RMDIR || op == OP_MKDIR ||
	    op == OP_MOUNT || op == OP_UNMOUNT || op == OP_PIVOT;
}

void
files_event(struct process *s, const struct event_record *r, const struct strings *t)
{
	char path[PATH_TEXT], to[PATH_TEXT];
	const char *type = type_of(r->op);
	struct text first, second = { NULL, 0 };
	struct jput j;

	if (r->op == OP_OPEN || r->op == OP_WRITE) {
		on_open(s, r, t);
		return;
	}
	first = where_path(s, r, t, STR_BASE, path);
	if (r->op == OP_PIVOT) {
		first = t->s[STR_NAME];
		second = t->s[STR_NAME2];
	} else if (has_second(r->op))
		second = where_path(s, r, t, STR_BASE2, to);
	if (leads_elsewhere(r->op))
		where_forget(s);
	if (r->op == OP_LINK && r->result >= 0)
		fds_named(s, r, first, second);
	if (r->op == OP_RENAME && r->result >= 0)
		reads_renamed(s, r->mnt_ns, first, second);
	if (!type || !emit_begin(s, &j, type, &r->head, 1, 0))
		return;
	jput_bytes(&j, "path", first.p, first.n);
	if (second.n)
		jput_bytes(&j, r->op == OP_CLONE ? "from" : "to", second.p, second.n);
	if (r->op == OP_SYMLINK)
		jput_bytes(&j, "target", t->s[STR_NAME2].p, t->s[STR_NAME2].n);
	put_root(&j, t->s[STR_ROOT]);
	emit_mnt_ns(s, &j, r->mnt_ns);
	put_rest(&j, r, t);
	if (r->flags & EVENT_CUT)
		jput_bool(&j, "truncated", true);
	emit_error(&j, r->result);
	jput_close(&j);
}
