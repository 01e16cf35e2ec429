/*
 * where.c - the paths that calls meant: absolute, without symbolic links
 *
 * reads   the file system, for directories on the way of a name; links of /proc
 * keeps   where directories lead, until the next tick or change of a directory
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"
#include "self.h"

enum { DIRS = 64, DIR_MAX = 512 };

/* What resolve() said of a directory. */
struct where_dir {
	uint32_t mnt_ns;
	uint16_t root, n, len;	/* lengths; n 0: unused */
	char path[DIR_MAX], real[DIR_MAX];	/* path: with the root in front */
};

/* The root directory of the process that made a call: its own while it lives,
 * else that of our mount namespace when it was the same. */
static int
root_of(struct process *s, const struct event_record *r, struct text root)
{
	char path[PATH_TEXT + 1];

	if (s->root.fd >= 0 && s->root.pid == r->head.pid && s->root.born == r->head.born &&
	    s->root.n == root.n && memcmp(s->root.text, root.p, root.n) == 0)
		return s->root.fd;
	if (s->root.fd >= 0)
		close(s->root.fd);
	s->root.pid = r->head.pid;
	s->root.born = r->head.born;
	s->root.n = root.n;
	memcpy(s->root.text, root.p, root.n);
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

void
where_forget(struct process *s)
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
	struct where_dir *d;
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
	*d = (struct where_dir){ .mnt_ns = r->mnt_ns, .root = root.n, .n = n, .len = len };
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
		while (++at < n && path[at] != '/')
			;
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
where_path(struct process *s, const struct event_record *r, const struct strings *t, int which,
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
	path.n = leave_proc_self(r, root, out, path.n, follow);
	if (follow && (n = resolve(s, r, root, out, path.n, real))) {
		memcpy(out, real, n);
		path.n = n;
		return path;
	}
	dir = path_dir(out, path.n);
	if (plain && dir == base.n)
		return path;
	if (dir < root.n || !(n = resolve_dir(s, r, root, out, dir, real)))
		return path;
	if (n == 1)		/* "/" */
		n = 0;
	if (n + path.n - dir > PATH_TEXT)
		return path;
	memcpy(real + n, out + dir, path.n - dir);
	path.n = n + path.n - dir;
	memcpy(out, real, path.n);
	return path;
}
