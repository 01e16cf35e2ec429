/* procs.c - see procs.h */
#include "procs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int
procs_open(struct procs *p)
{
	struct rlimit r;

	memset(p, 0, sizeof(*p));
	p->dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0 || getrlimit(RLIMIT_NOFILE, &r))
		return p->dir < 0 ? -1 : 0;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	p->max = r.rlim_cur > 20000 ? 10000 : r.rlim_cur / 2 - 32;
	return 0;
}

static void
files_close(struct procs_files *f)
{
	if (f->stat >= 0)
		close(f->stat);
	if (f->io >= 0)
		close(f->io);
}

static bool
grow(struct procs *p)
{
	size_t cap = p->cap ? p->cap * 2 : 256;
	struct procs_files *now = realloc(p->now, cap * sizeof(*now));
	struct procs_files *old = realloc(p->old, cap * sizeof(*old));

	if (now)
		p->now = now;
	if (old)
		p->old = old;
	if (now && old)
		p->cap = cap;
	return now && old;
}

/* The files of the next process that /proc lists; *at walks the old ones. */
static struct procs_files *
files_next(struct procs *p, int pid, size_t *at)
{
	struct procs_files *f;

	while (*at < p->nold && p->old[*at].pid < pid)
		files_close(&p->old[(*at)++]);
	if (p->n == p->cap && !grow(p))
		return NULL;
	f = &p->now[p->n++];
	if (*at < p->nold && p->old[*at].pid == pid)
		*f = p->old[(*at)++];
	else
		*f = (struct procs_files){ pid, -1, -1 };
	return f;
}

/* Reads a file of a process through the descriptor in *fd, which stays open. */
static long
files_read(struct procs *p, int *fd, int pid, const char *name, char *buf, size_t size)
{
	char path[32];
	ssize_t n;

	if (*fd >= 0 && (n = pread(*fd, buf, size - 1, 0)) > 0) {
		buf[n] = '\0';
		return n;
	}
	if (*fd >= 0)
		close(*fd);	/* that process is gone; its pid may be another's */
	snprintf(path, sizeof(path), "%d/%s", pid, name);
	*fd = openat(p->dir, path, O_RDONLY | O_CLOEXEC);
	n = *fd < 0 ? -1 : pread(*fd, buf, size - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	if (*fd >= 0 && p->n > p->max) {
		close(*fd);
		*fd = -1;
	}
	return n;
}

int
procs_look(struct procs *p, struct sample *s)
{
	DIR *d = fdopendir(openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct procs_files *files = p->old;
	struct dirent *e;
	size_t at = 0;
	int bad = 0;

	if (!d)
		return -1;
	p->old = p->now;
	p->nold = p->n;
	p->now = files;
	p->n = 0;
	while ((e = readdir(d))) {
		struct procs_files *f;
		struct sample_proc proc;
		char buf[1024];
		long n;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		f = files_next(p, atoi(e->d_name), &at);
		if (!f) {
			bad = -1;
			break;
		}
		if ((n = files_read(p, &f->stat, f->pid, "stat", buf, sizeof(buf))) <= 0)
			continue;	/* gone meanwhile */
		bad += !sample_parse(&proc, buf, n) || sample_add(s, &proc);
	}
	while (at < p->nold)
		files_close(&p->old[at++]);
	closedir(d);
	sample_sort(s);
	return bad;
}

static int
by_pid(const void *a, const void *b)
{
	return ((const struct procs_files *)a)->pid - ((const struct procs_files *)b)->pid;
}

long
procs_io(struct procs *p, int pid, char *buf, size_t size)
{
	struct procs_files key = { .pid = pid }, *f;

	f = p->n ? bsearch(&key, p->now, p->n, sizeof(key), by_pid) : NULL;
	return f ? files_read(p, &f->io, pid, "io", buf, size) : -1;
}
