/*
 * files.c - file.* and dir.*: operations on paths
 *
 * keeps   where directories lead, until the next tick or change of a directory;
 *         opens of the last --window, by process, path, flags and result: the
 *         first is written at once, the rest is counted
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "flow.h"
#include "proc.h"
#include "self.h"

/* What opens have in common that are counted together: the key of the table,
 * path and root behind it. */
struct open_key {
	uint64_t born;
	uint32_t pid, flags, path;	/* path: its length, the rest is the root */
	int32_t error;
	char text[];
};

struct open_group {
	struct record head;	/* of the first that is not written yet */
	uint64_t begin, last;	/* boot time: of the window, of the last open */
	uint64_t count;		/* not written yet */
	int32_t fd;
	bool created, cut;
};

enum { DIRS = 64, DIR_MAX = 512 };

/* What resolve() said of a directory. */
struct files_dir {
	uint32_t mnt_ns;
	uint16_t root, n, len;	/* lengths; n 0: unused */
	char path[DIR_MAX], real[DIR_MAX];	/* path: with the root in front */
};

/* --- paths ------------------------------------------------------------------- */

/* The root directory of the process that made a call: its own while it lives,
 * else that of our mount namespace when it was the same. */
static int
root_of(struct process *s, const struct event_record *r, struct text root)
{
	char path[PATH_TEXT + 1];

	if (s->root.fd >= 0 && s->root.pid == r->head.pid && s->root.born == r->head.born)
		return s->root.fd;
	if (s->root.fd >= 0)
		close(s->root.fd);
	s->root.pid = r->head.pid;
	s->root.born = r->head.born;
	snprintf(path, sizeof(path), "/proc/%u/root", r->head.pid);
	s->root.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root.fd < 0 && r->mnt_ns == s->mnt_ns) {
		memcpy(path, root.p, root.n);
		path[root.n] = '\0';
		s->root.fd = open(root.n ? path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return s->root.fd;
}

/* Where a path of that process really leads, symbolic links followed. path
 * begins with root. 0: cannot be told now. */
static size_t
resolve(struct process *s, const struct event_record *r, struct text root, const char *path,
    size_t n, char *out)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT,
	};
	char in[PATH_TEXT + 1], link[64];
	int dir = root_of(s, r, root), fd;
	ssize_t len;

	if (dir < 0 || n < root.n)
		return 0;
	memcpy(in, path + root.n, n - root.n);
	in[n - root.n] = '\0';
	fd = syscall(SYS_openat2, dir, n == root.n ? "/" : in, &how, sizeof(how));
	if (fd < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, out, PATH_TEXT);
	close(fd);
	/* by way of a link to /proc/self, which is us here */
	n = snprintf(link, sizeof(link), "/proc/%d", getpid());
	if (len >= (ssize_t)n && memcmp(out, link, n) == 0)
		return 0;
	return len > 0 ? len : 0;
}

static void
forget_dirs(struct process *s)
{
	for (size_t i = 0; s->dirs && i < DIRS; i++)
		s->dirs[i].n = 0;
}

/* resolve() of a directory. What is known of it serves again for a short time:
 * calls come in bursts, and the answer is as of now in any case. */
static size_t
resolve_dir(struct process *s, const struct event_record *r, struct text root, const char *path,
    size_t n, char *out)
{
	uint32_t hash = r->mnt_ns;
	struct files_dir *d;
	size_t len;

	if (!s->dirs && !(s->dirs = calloc(DIRS, sizeof(*s->dirs))))
		return 0;
	for (size_t i = 0; i < n; i++)
		hash = hash * 31 + (unsigned char)path[i];
	d = &s->dirs[hash % DIRS];
	if (n && d->n == n && d->mnt_ns == r->mnt_ns && d->root == root.n &&
	    memcmp(d->path, path, n) == 0) {
		memcpy(out, d->real, d->len);
		return d->len;
	}
	len = resolve(s, r, root, path, n, out);
	if (!len || !n || n > DIR_MAX || len > DIR_MAX)
		return len;
	*d = (struct files_dir){ .mnt_ns = r->mnt_ns, .root = root.n, .n = n, .len = len };
	memcpy(d->path, path, n);
	memcpy(d->real, out, len);
	return len;
}

/* Whether path[0..n) goes on with this component at *at, which is moved behind it. */
static bool
component(const char *path, size_t n, size_t *at, const char *name)
{
	size_t len = strlen(name);

	if (n - *at <= len || path[*at] != '/' || memcmp(path + *at + 1, name, len) ||
	    (n - *at > len + 1 && path[*at + len + 1] != '/'))
		return false;
	*at += len + 1;
	return true;
}

/* /proc/self is another process when we look: names that begin so become those
 * of the process that made the call. Its links fd/N, cwd and root are followed
 * here, for openat2 does not follow them within a root. The new length. */
static size_t
leave_proc_self(const struct event_record *r, struct text root, char *path, size_t n, bool follow)
{
	char to[PATH_TEXT], link[32];
	size_t at = root.n, begin, len = 0;

	if (n < root.n || !component(path, n, &at, "proc") ||
	    (!component(path, n, &at, "self") && !component(path, n, &at, "thread-self")))
		return n;
	begin = at;
	if (component(path, n, &at, "fd") && at < n) {
		at += 1 + strspn(path + at + 1, "0123456789");
	} else if (!component(path, n, &at, "cwd")) {
		component(path, n, &at, "root");
	}
	if (at > begin && at - begin < sizeof(link) && (at < n || follow)) {
		snprintf(link, sizeof(link), "%.*s", (int)(at - begin - 1), path + begin + 1);
		len = proc_link(r->head.pid, link, to, sizeof(to));
	}
	if (!len || to[0] != '/') {
		at = begin;
		len = snprintf(to, sizeof(to), "%.*s/proc/%u", (int)root.n, path,
		    r->head.ns_pid ? r->head.ns_pid : r->head.pid);
	}
	if (len + n - at > PATH_TEXT)
		return n;
	memcpy(to + len, path + at, n - at);
	memcpy(path, to, len + n - at);
	return len + n - at;
}

struct text
files_path(struct process *s, const struct event_record *r, const struct strings *t, int which,
    char *out)
{
	struct text base = t->s[which], name = t->s[which + 1], root = t->s[STR_ROOT];
	struct text path = { out, 0 };
	char real[PATH_TEXT];
	size_t dir, n;
	bool plain, follow = r->flags & EVENT_FOLLOW && which == STR_BASE;

	/* "" and what could not be read name nothing */
	if (r->flags & EVENT_FAULT || (!name.n && r->result == -ENOENT))
		return path;
	if (name.n && name.p[0] == '/')
		base = root;
	path.n = path_join(out, base, root, name, &plain);
	/* a call that failed names what is not there: as it was asked for */
	if (!name.n || r->result < 0 || (plain && !follow && name.p[0] != '/'))
		return path;
	out[path.n < PATH_TEXT ? path.n : PATH_TEXT - 1] = '\0';
	path.n = leave_proc_self(r, root, out, path.n, follow);
	if (follow && (n = resolve(s, r, root, out, path.n, real))) {
		memcpy(out, real, n);
		path.n = n;
		return path;
	}
	dir = path_dir(out, path.n);
	if (plain && dir == base.n)
		return path;
	n = dir < root.n ? 0 : resolve_dir(s, r, root, out, dir, real);
	if (n == 1)		/* "/" */
		n = 0;
	else if (!n)
		return path;
	if (n + path.n - dir > PATH_TEXT)
		return path;
	memcpy(real + n, out + dir, path.n - dir);
	path.n = n + path.n - dir;
	memcpy(out, real, path.n);
	return path;
}

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
	struct jput j;

	if (!line_begin(s, &j, "file.open", &g->head, g->count, 0))
		return;
	jput_bytes(&j, "path", k->text, k->path);
	put_root(&j, root);
	if (g->cut)
		jput_bool(&j, "truncated", true);
	jput_uint(&j, "flags", k->flags);
	put_mode(&j, k->flags);
	if (g->created)
		jput_bool(&j, "created", true);
	if (g->fd >= 0)
		jput_int(&j, "fd", g->fd);
	put_error(&j, k->error);
	jput_uint(&j, "count", g->count);
	if (g->count > 1)
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
	struct text path = files_path(s, r, t, STR_BASE, k->text), root = t->s[STR_ROOT];
	struct open_group *g, one = {
		.head = r->head, .begin = r->head.time, .last = r->head.time, .count = 1,
		.fd = r->result, .created = r->b, .cut = r->flags & EVENT_CUT,
	};
	size_t n = sizeof(*k) + path.n + root.n;

	k->born = r->head.born;
	k->pid = r->head.pid;
	k->flags = r->a;
	k->path = path.n;
	k->error = r->result < 0 ? r->result : 0;
	memcpy(k->text + path.n, root.p, root.n);
	g = s->window ? flow_find(s->opens, k, n, r->head.time) : NULL;
	/* a file that was made is never one of several */
	if (g && !r->b && r->head.time - g->begin < s->window) {
		if (!g->count++)
			g->head = r->head;
		g->fd = r->result;
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
	forget_dirs(s);
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
	}
	return NULL;
}

static void
put_rest(struct jput *j, const struct event_record *r)
{
	char text[16];

	switch (r->op) {
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

void
files_event(struct process *s, const struct event_record *r, const struct strings *t)
{
	char path[PATH_TEXT], to[PATH_TEXT];
	const char *type = type_of(r->op);
	struct text first, second = { NULL, 0 };
	struct jput j;

	if (r->op == OP_OPEN) {
		on_open(s, r, t);
		return;
	}
	first = files_path(s, r, t, STR_BASE, path);
	if (r->op == OP_RENAME || r->op == OP_LINK)
		second = files_path(s, r, t, STR_BASE2, to);
	/* whatever may lead elsewhere from now on */
	if (r->op == OP_RENAME || r->op == OP_SYMLINK || r->op == OP_RMDIR || r->op == OP_MKDIR)
		forget_dirs(s);
	if (!type || !line_begin(s, &j, type, &r->head, 1, 0))
		return;
	jput_bytes(&j, "path", first.p, first.n);
	if (second.n)
		jput_bytes(&j, "to", second.p, second.n);
	if (r->op == OP_SYMLINK)
		jput_bytes(&j, "target", t->s[STR_NAME2].p, t->s[STR_NAME2].n);
	put_root(&j, t->s[STR_ROOT]);
	put_rest(&j, r);
	if (r->flags & EVENT_CUT)
		jput_bool(&j, "truncated", true);
	put_error(&j, r->result);
	jput_close(&j);
}
