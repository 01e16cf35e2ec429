/*
 * attach.c - see attach.h
 *
 * Files are named to the kernel by our own descriptor, so neither a process
 * that exits meanwhile nor a file that is replaced can lead it astray.
 */
#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach.h"
#include "kernel.h"

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

bool
attach_seen(struct attach *a, dev_t dev, ino_t ino)
{
	for (size_t i = 0; i < a->nfiles; i++)
		if (a->files[i].dev == dev && a->files[i].ino == ino)
			return true;
	if (grow(&a->files, a->nfiles, sizeof(*a->files)) == 0) {
		a->files[a->nfiles].dev = dev;
		a->files[a->nfiles++].ino = ino;
	}
	return false;
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
			cookies[n++] = s->v[i].cookie;
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
	LIBBPF_OPTS(bpf_uprobe_opts, o, .retprobe = site->ret, .bpf_cookie = site->cookie);
	struct bpf_link *l;

	if (grow(&a->links, a->nlinks, sizeof(*a->links)))
		return -1;
	l = bpf_program__attach_uprobe_opts(a->progs[site->prog], -1, path, site->offset, &o);
	if (!l)
		return -1;
	a->links[a->nlinks++] = l;
	return 0;
}

int
attach_file(struct attach *a, int fd, const struct sites *s, const char **what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* what ends a call before what begins one: no call is half seen */
	for (int ret = 1; ret >= 0; ret--) {
		for (int prog = 0; a->multi && prog < SITE_PROGS; prog++)
			if (attach_multi(a, path, s, prog, ret, what))
				return -1;
		for (size_t i = 0; !a->multi && i < s->n; i++) {
			*what = s->v[i].name;
			if (s->v[i].ret == ret && attach_perf(a, path, &s->v[i]))
				return -1;
		}
	}
	return 0;
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
