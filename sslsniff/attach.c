/*
 * attach.c - see attach.h
 *
 * Files are named to the kernel by our own descriptor, so neither a process
 * that exits meanwhile nor a file that is replaced can lead it astray.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach.h"
#include "clock.h"
#include "kernel.h"
#include "point.h"

/* Room for one more; 0, or -1 with errno. */
static int
grow(void *array, size_t n, size_t size)
{
	void **v = array, *more;

	if (n & (n - 1))	/* grown in powers of two */
		return 0;
	more = realloc(*v, (n ? 2 * n : 1) * size);
	if (!more)
		return -1;
	*v = more;
	return 0;
}

static bool
same_file(const struct attach_file *f, const struct stat *st)
{
	/* a file with probes on it keeps its inode; another one's number may be used
	 * again for a new file */
	return f->dev == st->st_dev && f->ino == st->st_ino && (f->probed ||
	    (f->size == st->st_size && f->mtime.tv_sec == st->st_mtim.tv_sec &&
	    f->mtime.tv_nsec == st->st_mtim.tv_nsec));
}

const struct attach_file *
attach_find(const struct attach *a, const struct stat *st)
{
	for (size_t i = 0; i < a->nfiles; i++)
		if (same_file(&a->files[i], st))
			return &a->files[i];
	return NULL;
}

bool
attach_seen(struct attach *a, const struct stat *st)
{
	struct attach_file *f;

	if (attach_find(a, st))
		return true;
	if (grow(&a->files, a->nfiles, sizeof(*a->files)) == 0) {
		f = &a->files[a->nfiles++];
		*f = (struct attach_file){ .dev = st->st_dev, .ino = st->st_ino,
		    .size = st->st_size, .mtime = st->st_mtim };
	}
	return false;
}

static void
mark_probed(struct attach *a, int fd, uint64_t since)
{
	struct stat st;

	for (size_t i = 0; fstat(fd, &st) == 0 && i < a->nfiles; i++)
		if (same_file(&a->files[i], &st)) {
			a->files[i].probed = true;
			a->files[i].since = since;
		}
}

static uint64_t
cookie_of(const struct attach *a, const struct site *s)
{
	return s->cookie | (uint64_t)(a->points_used + s->point) << 32;
}

/* Tells the programs of the functions that will be probed; since 0: not yet. */
static int
put_points(struct attach *a, const struct sites *s, uint64_t since)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct site *v = &s->v[i];
		struct point point = { .va = v->va, .since = since, .file = a->nattached };
		struct method_key method = { .va = v->va, .file = a->nattached };
		uint32_t at = a->points_used + v->point;
		uint8_t dir = v->method;

		if (bpf_map_update_elem(a->points, &at, &point, BPF_ANY) ||
		    (v->method >= 0 && bpf_map_update_elem(a->methods, &method, &dir, BPF_ANY)))
			return -1;
	}
	return 0;
}

static int
attach_multi(struct attach *a, const char *path, const struct sites *s, enum site_prog prog,
    bool ret, const char **what)
{
	uint64_t offsets[SITE_MAX], cookies[SITE_MAX];
	uint32_t n = 0;
	int fd;

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].prog == prog && s->v[i].ret == ret) {
			*what = s->v[i].name;
			offsets[n] = s->v[i].offset;
			cookies[n++] = cookie_of(a, &s->v[i]);
		}
	if (!n)
		return 0;
	if (grow(&a->fds, a->nfds, sizeof(*a->fds)))
		return -1;
	fd = kernel_uprobe_multi(bpf_program__fd(a->progs[prog]), path, offsets, cookies, n,
	    ret ? KERNEL_UPROBE_MULTI_RETURN : 0);
	if (fd < 0)
		return -1;
	a->fds[a->nfds++] = fd;
	return 0;
}

static int
attach_perf(struct attach *a, const char *path, const struct site *site)
{
	LIBBPF_OPTS(bpf_uprobe_opts, o, .retprobe = site->ret, .bpf_cookie = cookie_of(a, site));
	struct bpf_link *l;

	if (grow(&a->links, a->nlinks, sizeof(*a->links)))
		return -1;
	l = bpf_program__attach_uprobe_opts(a->progs[site->prog], -1, path, site->offset, &o);
	if (!l)
		return -1;
	a->links[a->nlinks++] = l;
	return 0;
}

static int
attach_sites(struct attach *a, const char *path, const struct sites *s, const char **what)
{
	/* what ends a call before what begins one: no call is half seen */
	for (int ret = 1; ret >= 0; ret--) {
		for (int prog = SITE_PROGS - 1; a->multi && prog >= 0; prog--)
			if (attach_multi(a, path, s, prog, ret, what))
				return -1;
		for (size_t i = s->n; !a->multi && i-- > 0;) {
			*what = s->v[i].name;
			if (s->v[i].ret == ret && attach_perf(a, path, &s->v[i]))
				return -1;
		}
	}
	return 0;
}

int
attach_file(struct attach *a, int fd, const struct sites *s, const char **what)
{
	uint64_t since;
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*what = "functions";
	if (a->points_used + s->points > POINTS) {
		errno = ENOSPC;
		return -1;
	}
	a->nattached++;
	mark_probed(a, fd, 0);
	rc = put_points(a, s, 0);
	if (!rc)
		rc = attach_sites(a, path, s, what);
	since = clock_boot();
	if (!rc)
		rc = put_points(a, s, since);
	if (!rc)
		mark_probed(a, fd, since);
	a->points_used += s->points;
	return rc;
}

static void *
close_one(void *arg)
{
	close((int)(intptr_t)arg);
	return NULL;
}

static void *
destroy_one(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/* Taking a probe off waits until no CPU is inside it, some 80 ms, and several
 * at once wait no longer than one. */
static void
take_off(struct attach *a)
{
	size_t n = a->nfds + a->nlinks, threads = 0;
	pthread_t *t = calloc(n ? n : 1, sizeof(*t));

	for (size_t i = 0; i < n; i++) {
		void *(*fn)(void *) = i < a->nfds ? close_one : destroy_one;
		void *arg = i < a->nfds ? (void *)(intptr_t)a->fds[i] : a->links[i - a->nfds];

		if (!t || pthread_create(&t[threads], NULL, fn, arg))
			fn(arg);
		else
			threads++;
	}
	while (threads)
		pthread_join(t[--threads], NULL);
	free(t);
	a->nfds = a->nlinks = 0;
}

void
attach_close(struct attach *a)
{
	take_off(a);
	free(a->fds);
	free(a->links);
	free(a->files);
	a->fds = NULL;
	a->links = NULL;
	a->files = NULL;
	a->nfiles = 0;
}
