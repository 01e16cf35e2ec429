/*
 * proc.c - see proc.h
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc.h"

long
proc_read(int pid, const char *name, char *buf, size_t size)
{
	char path[96];
	size_t len = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = '\0';
	return len;
}

int
proc_stat(int pid, struct proc_stat *st)
{
	char buf[1024], *open, *close;
	size_t n;

	if (proc_read(pid, "stat", buf, sizeof(buf)) <= 0)
		return -1;
	/* the name may hold anything, parentheses too */
	open = strchr(buf, '(');
	close = strrchr(buf, ')');
	if (!open || !close || close < open)
		return -1;
	memset(st, 0, sizeof(*st));
	st->pid = pid;
	n = close - open - 1;
	memcpy(st->comm, open + 1, n < sizeof(st->comm) ? n : sizeof(st->comm) - 1);
	/* fields 4 ppid, 6 session, 22 starttime */
	if (sscanf(close + 1, " %*c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d"
	    " %*d %*d %*d %*d %lu", &st->ppid, &st->session, &st->start) != 3)
		return -1;
	return 0;
}

int64_t
proc_uid(int pid)
{
	char buf[4096], *p;

	if (proc_read(pid, "status", buf, sizeof(buf)) <= 0 || !(p = strstr(buf, "\nUid:")))
		return -1;
	return strtoll(p + 5, NULL, 10);
}

int
proc_of_thread(int tid)
{
	char buf[4096], *p;

	if (proc_read(tid, "status", buf, sizeof(buf)) <= 0 || !(p = strstr(buf, "\nTgid:")))
		return -1;
	return atoi(p + 6);
}

uint32_t
proc_ns_pid(int pid)
{
	char buf[4096], *p, *end;
	unsigned long last = 0;
	int levels = 0;

	if (proc_read(pid, "status", buf, sizeof(buf)) <= 0 || !(p = strstr(buf, "\nNSpid:")))
		return 0;
	for (p += 7; *p != '\n' && *p; p = end, levels++) {
		last = strtoul(p, &end, 10);
		if (end == p)
			break;
	}
	return levels > 1 ? last : 0;
}

static bool
proc_each_in(const char *path, proc_fn *fn, void *arg)
{
	DIR *d = opendir(path);
	struct dirent *e;
	bool stop = false;

	if (!d)
		return false;
	while (!stop && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			stop = fn(arg, atoi(e->d_name));
	closedir(d);
	return stop;
}

bool
proc_each(proc_fn *fn, void *arg)
{
	return proc_each_in("/proc", fn, arg);
}

bool
proc_each_thread(int pid, proc_fn *fn, void *arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return proc_each_in(path, fn, arg);
}

struct comm_search {
	int pid;
	const char *comm;
};

static bool
thread_has_comm(void *arg, int tid)
{
	struct comm_search *s = arg;
	char name[32], buf[32];
	long n;

	snprintf(name, sizeof(name), "task/%d/comm", tid);
	n = proc_read(s->pid, name, buf, sizeof(buf));
	if (n > 0 && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	return n > 0 && strcmp(buf, s->comm) == 0;
}

/* The name of its executable, cut as the kernel cuts a process's. */
static bool
exe_has_name(int pid, const char *comm)
{
	char path[64], link[4096];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0)
		return false;
	link[n] = '\0';
	if (n > 10 && !strcmp(link + n - 10, " (deleted)"))
		link[n - 10] = '\0';
	base = strrchr(link, '/');
	base = base ? base + 1 : link;
	return strncmp(base, comm, 15) == 0 && (strlen(base) >= 15 || !strcmp(base, comm));
}

bool
proc_has_comm(int pid, const char *comm)
{
	struct comm_search s = { pid, comm };

	return proc_each_thread(pid, thread_has_comm, &s) || exe_has_name(pid, comm);
}

size_t
proc_link(int pid, const char *name, char *buf, size_t size)
{
	static const char gone[] = " (deleted)";
	const size_t end = sizeof(gone) - 1;
	char path[96];
	struct stat st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, buf, size - 1);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	/* such a name may exist; a file that got its first name late keeps the words */
	if ((size_t)n > end && memcmp(buf + n - end, gone, end) == 0 &&
	    (lstat(buf, &st) || (stat(path, &st) == 0 && st.st_nlink == 0)))
		n -= end;
	buf[n] = '\0';
	return n;
}

/* Whether a list with commas, ended by a colon, has a name; or is as empty as that. */
static bool
list_has(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (;;) {
		size_t len = strcspn(list, ",:\n");

		if (len == n && memcmp(list, name, n) == 0)
			return true;
		if (list[len] != ',')
			return false;
		list += len + 1;
	}
}

bool
proc_cgroup(int pid, const char *controller, char *path, size_t size)
{
	char buf[8192], *line, *next, *list, *p;

	if (proc_read(pid, "cgroup", buf, sizeof(buf)) <= 0)
		return false;
	/* "4:cpu,cpuacct:/path", "0::/path" */
	for (line = buf; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		list = strchr(line, ':');
		p = list ? strchr(list + 1, ':') : NULL;
		if (!p || !list_has(list + 1, controller))
			continue;
		if (strlen(++p) >= size)
			return false;
		strcpy(path, p);
		return true;
	}
	return false;
}

static size_t
digits(const char *p, size_t n, bool hex)
{
	size_t i = 0;

	while (i < n && (isdigit((unsigned char)p[i]) || (hex && p[i] >= 'a' && p[i] <= 'f')))
		i++;
	return i;
}

/* The id in one component of a cgroup's path, NULL: it is no container's. Runtimes
 * name it by the id alone, or NAME-ID.scope; ECS has 32 digits, a minus and 10 more
 * below its folder. Whatever else has 64 digits is not theirs: conmon, which waits
 * beside a container, builds, transient units. */
static const char *
container_of(const char *p, size_t n, bool ecs)
{
	static const char *const runtimes[] = {
		"docker-", "cri-containerd-", "crio-", "libpod-", "nerdctl-",
	};

	if (n > 6 && memcmp(p + n - 6, ".scope", 6) == 0)
		n -= 6;
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
		size_t len = strlen(runtimes[i]);

		if (n > len && memcmp(p, runtimes[i], len) == 0) {
			p += len;
			n -= len;
			break;
		}
	}
	if (n == 64 && digits(p, n, true) == n)
		return p;
	return ecs && n == 43 && digits(p, n, true) == 32 && p[32] == '-' &&
	    digits(p + 33, 10, false) == 10 ? p : NULL;
}

/* The innermost container in a cgroup's path of n bytes. */
static const char *
container_in_path(const char *path, size_t n)
{
	const char *found = NULL, *end = path + n;
	bool ecs = false;

	for (const char *p = path; p < end; ) {
		const char *next = p, *id;

		/* containerd without systemd writes SLICE:cri-containerd:ID */
		while (next < end && *next != '/' && *next != ':')
			next++;
		id = container_of(p, next - p, ecs);
		found = id ? id : found;
		ecs |= next - p == 3 && memcmp(p, "ecs", 3) == 0;
		p = next + 1;
	}
	return found;
}

const char *
proc_container_id(const char *path)
{
	return container_in_path(path, strlen(path));
}

bool
proc_container_in(const char *text, size_t n, char id[13])
{
	const char *found = NULL, *end = text + n;

	for (const char *line = text, *next; line < end && !found; line = next + 1) {
		const char *path;

		next = memchr(line, '\n', end - line);
		next = next ? next : end;
		path = memchr(line, ':', next - line);
		path = path ? memchr(path + 1, ':', next - path - 1) : NULL;
		if (path)
			found = container_in_path(path + 1, next - path - 1);
	}
	if (!found)
		return false;
	memcpy(id, found, 12);
	id[12] = '\0';
	return true;
}

/* A uid has 8, 4, 4, 4 and 12 digits; that of a pod that a node has in a file, 32. */
static bool
is_pod_uid(const char *p, size_t n, char uid[37])
{
	size_t at = 0;

	for (; at < 36 && at < n; at++) {
		bool part = at == 8 || at == 13 || at == 18 || at == 23;

		if (part ? p[at] != '-' && p[at] != '_' : !digits(p + at, 1, true))
			break;
		uid[at] = part ? '-' : p[at];
	}
	uid[at] = '\0';
	if (at < 36 && n >= 32 && digits(p, 32, true) == 32) {
		memcpy(uid, p, 32);
		at = 32;
		uid[at] = '\0';
	}
	return (at == 36 || at == 32) && (at == n || strchr("/.:\n", p[at]));
}

bool
proc_pod_in(const char *text, size_t n, char uid[37])
{
	for (const char *p = text, *end = text + n; end - p > 3; p++)
		if (!memcmp(p, "pod", 3) && p > text && (p[-1] == '/' || p[-1] == '-') &&
		    is_pod_uid(p + 3, end - p - 3, uid))
			return true;
	return false;
}

bool
proc_container(int pid, char id[13])
{
	char buf[8192];
	long n = proc_read(pid, "cgroup", buf, sizeof(buf));

	return n > 0 && proc_container_in(buf, n, id);
}
