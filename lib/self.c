/*
 * self.c - see self.h
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "self.h"
#include "proc.h"
#include "target.h"

/* The folder of a process's executable; empty when unknown. */
static void
exe_folder(int pid, char *buf, size_t size)
{
	char link[64], *slash;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	slash = strrchr(buf, '/');
	if (slash)
		*slash = '\0';
}

static int
pipe_find(const struct self *o, const struct stat *st)
{
	for (int i = 0; i < o->npipe; i++)
		if (o->pipe[i].dev == st->st_dev && o->pipe[i].ino == st->st_ino)
			return i;
	return -1;
}

/* True: a pipe that we did not know. */
static bool
pipe_add(struct self *o, const struct stat *st)
{
	if (!S_ISFIFO(st->st_mode) || pipe_find(o, st) >= 0 || o->npipe == SELF_PIPES)
		return false;
	o->pipe[o->npipe].dev = st->st_dev;
	o->pipe[o->npipe++].ino = st->st_ino;
	return true;
}

void
self_init(struct self *o, struct target *t, int out, int fd)
{
	/* where other people's programs live too */
	static const char *const common[] = {
		"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
	};
	struct stat st;

	memset(o, 0, sizeof(*o));
	o->target = t;
	o->fd = fd;
	if (fd >= 0)
		return;
	exe_folder(getpid(), o->folder, sizeof(o->folder));
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strcmp(o->folder, common[i]) == 0)
			o->folder[0] = '\0';
	if (fstat(out, &st) == 0)
		pipe_add(o, &st);
}

static bool
is_reported(const struct self *o, int pid)
{
	struct proc_stat st;

	for (int i = 0; i < o->nreported; i++)
		if (o->reported[i].pid == pid)
			return proc_stat(pid, &st) == 0 && st.start == o->reported[i].start;
	return false;
}

/* A pid that was said; one that has ended already is nobody's. */
static void
add_pid(struct self *o, int pid)
{
	struct proc_stat st;

	if (o->nreported == SELF_REPORTED || pid <= 0 || proc_stat(pid, &st))
		return;
	o->reported[o->nreported].pid = pid;
	o->reported[o->nreported++].start = st.start;
	target_exclude(o->target, pid);
}

bool
self_more(struct self *o)
{
	char buf[1024], *line = buf, *end;
	ssize_t n = o->fd >= 0 ? pread(o->fd, buf, sizeof(buf) - 1, o->read) : 0;

	if (n <= 0)
		return false;
	buf[n] = '\0';
	for (; (end = strchr(line, '\n')); line = end + 1)
		add_pid(o, atoi(line));
	o->read += line - buf;		/* the rest is still to be written */
	return line > buf;
}

static bool
proc_fd(int pid, int fd, struct stat *st)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return stat(path, st) == 0;
}

/* True: it is ours, known to be or by what it reads; *more: it writes to a pipe
 * that we did not know. */
static bool
look(struct self *o, int pid, bool ours, bool *more)
{
	struct stat st;

	if (!ours && o->npipe)
		ours = proc_fd(pid, 0, &st) && S_ISFIFO(st.st_mode) && pipe_find(o, &st) >= 0;
	if (!ours)
		return false;
	target_exclude(o->target, pid);
	if (o->fd < 0 && proc_fd(pid, 1, &st) && pipe_add(o, &st))
		*more = true;
	return true;
}

/* Excluded, or its program is from our folder. */
static bool
known_ours(const struct self *o, int pid)
{
	char folder[sizeof(o->folder)];

	if (target_excluded(o->target, pid) || is_reported(o, pid))
		return true;
	if (!o->folder[0])
		return false;
	exe_folder(pid, folder, sizeof(folder));
	return strcmp(folder, o->folder) == 0;
}

struct self_walk {
	struct self *self;
	bool more;
};

static bool
walk(void *arg, int pid)
{
	struct self_walk *w = arg;

	look(w->self, pid, known_ours(w->self, pid), &w->more);
	return false;
}

void
self_scan(struct self *o)
{
	struct self_walk w = { o, true };

	if (o->fd >= 0) {
		while (self_more(o))
			;
		return;
	}
	while (w.more) {
		w.more = false;
		proc_each(walk, &w);
	}
}

static bool
check(struct self *o, int pid, bool ours)
{
	bool more = false;

	ours = look(o, pid, ours, &more);
	if (more)
		self_scan(o);
	return ours;
}

bool
self_check(struct self *o, int pid)
{
	return check(o, pid, known_ours(o, pid));
}

bool
self_check_exec(struct self *o, int pid, const char *exe, size_t n)
{
	size_t folder = strlen(o->folder);

	return check(o, pid, folder && n > folder && memcmp(exe, o->folder, folder) == 0 &&
	    exe[folder] == '/' && !memchr(exe + folder + 1, '/', n - folder - 1));
}
