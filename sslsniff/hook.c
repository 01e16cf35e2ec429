/*
 * hook.c - see hook.h
 */
#include "hook.h"

#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "clock.h"
#include "inspect.h"
#include "libs.h"
#include "look.h"
#include "probe.h"
#include "proc.h"
#include "sslsniff.h"
#include "watch.h"

enum {
	SLOW_MS = 100,		/* a file that takes longer is slow */
	SLOW_MAX = 8,		/* that are looked at at a time */
	LAST_MS = 1000,		/* at the end, when it decides whether something was lost */
	COARSE_NS = 20000000,	/* by which a file system's clock may be late */
	BEGIN_NS = 5000000,	/* in which it shows whether a process is executing a program */
	NAP_NS = 200000,
};

/* Those who had mapped a file before it was hooked. */
struct mappers {
	struct mapper *v;
	size_t n;
};

struct slow {
	struct slow *next;
	struct hook *hook;
	struct look look;
	struct mappers who;
	char path[4096];
};

static void
count_all(struct hook *h, const struct mappers *who, uint64_t until)
{
	for (size_t i = 0; i < who->n; i++)
		missed_count(&h->missed, &who->v[i], until);
}

/* Attaches to an open file; must: failing is fatal. Else only when nothing could
 * ever be attached; one odd library in some container must not keep us from the
 * rest. */
static void
hook_found(struct hook *h, int fd, const char *path, const struct found *found, bool must,
    const struct mappers *who)
{
	char names[2048], where[4400], after[64] = "";
	const char *what = "";

	if (!site_plan(&h->sites, found)) {
		if (must)
			errx(1, "--binary-path %s: %s", path, h->sites.why);
		if (found->nrefusal)
			probe_note(h->probe, "not attached to %s: %s", path, h->sites.why);
		return;
	}
	for (size_t i = 0; i < who->n; i++)
		missed_begin(&h->missed, &who->v[i]);
	if (attach_file(&h->attach, fd, &h->sites, &what)) {
		snprintf(where, sizeof(where), "%s in %s", what, path);
		if (!h->running && (must || errno == EPERM || errno == EACCES))
			probe_fail("attach", where);
		warn("attach %s", where);
		atomic_fetch_add(&h->unseen, 1);
		return;
	}
	count_all(h, who, clock_boot());
	site_names(&h->sites, names, sizeof(names));
	if (who->n && who->v[0].when)
		snprintf(after, sizeof(after), " %lu ms after it was mapped",
		    (clock_boot() - who->v[0].when) / 1000000);
	probe_note(h->probe, "attached to %s%s: %s%s%s", path, after, names,
	    h->sites.why[0] ? "; but " : "", h->sites.why);
}

/* What a look at a file has given. */
static void
hook_looked(struct hook *h, struct look *l, const char *path, bool must, const struct mappers *who)
{
	struct found found;

	if (look_end(l, &found)) {
		if (must)
			err(1, "--binary-path %s", path);
		warn("not attached to %s", path);
		atomic_fetch_add(&h->unseen, 1);
		return;
	}
	if (found.unseen) {
		warnx("not attached to %s: %s", path, found.refusal[0].reason);
		atomic_fetch_add(&h->unseen, 1);
	}
	hook_found(h, l->fd, path, &found, must, who);
	found_free(&found);
}

/* --- files that take long --------------------------------------------------------- */

static void
slow_end(struct slow *w)
{
	struct slow **at = &w->hook->slow;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	w->hook->nslow--;
	pthread_cond_signal(&w->hook->slow_ended);
}

static void *
wait_slow(void *arg)
{
	struct slow *w = arg;
	struct hook *h = w->hook;
	struct found none;

	while (!look_wait(&w->look, SLOW_MS) && !atomic_load(&h->stopping))
		;
	pthread_mutex_lock(&h->lock);
	if (atomic_load(&h->stopping)) {
		probe_note(h->probe, "not looked at to the end: %s", w->path);
		w->look.apart.until_ms = 0;
		look_end(&w->look, &none);
		found_free(&none);
		count_all(h, &w->who, clock_boot());
	} else {
		hook_looked(h, &w->look, w->path, false, &w->who);
	}
	slow_end(w);
	pthread_mutex_unlock(&h->lock);
	close(w->look.fd);
	free(w->who.v);
	free(w);
	return NULL;
}

static struct slow *
slow_find(struct hook *h, const struct stat *st)
{
	struct slow *w = h->slow;

	while (w && (w->look.st.st_ino != st->st_ino || w->look.st.st_dev != st->st_dev))
		w = w->next;
	return w;
}

/* One more that waits for a file. */
static void
slow_add(struct slow *w, const struct mapper *who)
{
	struct mapper *more = realloc(w->who.v, (w->who.n + 1) * sizeof(*more));

	if (!more) {
		missed_count(&w->hook->missed, who, clock_boot());
		return;
	}
	w->who.v = more;
	more[w->who.n++] = *who;
}

/* False: the caller is to wait. */
static bool
hand_over(struct hook *h, struct look *l, const char *path)
{
	struct slow *w = h->nslow < SLOW_MAX ? calloc(1, sizeof(*w)) : NULL;
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	if (!w)
		return false;
	w->hook = h;
	w->look = *l;
	w->look.fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
	snprintf(w->path, sizeof(w->path), "%s", path);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = w->look.fd < 0 ? -1 : pthread_create(&t, &attr, wait_slow, w);
	pthread_attr_destroy(&attr);
	if (rc) {
		if (w->look.fd >= 0)
			close(w->look.fd);
		free(w);
		return false;
	}
	/* it waits for our lock */
	w->next = h->slow;
	h->slow = w;
	h->nslow++;
	slow_add(w, &h->who);
	return true;
}

/* --- programs that are held ------------------------------------------------------- */

/* Whether programs are held that were chosen by name or number, as this one was. */
static bool
may_hold(struct hook *h, int pid)
{
	return !h->no_hold && h->probe->target.conf.tree && target_has(&h->probe->target, pid);
}

/* Nothing is known of it yet, and to inspect it takes a while. */
static bool
is_long(const struct stat *st)
{
	struct found found;

	if (st->st_size < INSPECT_CACHE_MIN)
		return false;
	if (!cache_load(&found, st))
		return true;
	found_free(&found);
	return false;
}

struct worth {
	struct hook *hook;
	bool found;
};

static void
is_worth(void *arg, const struct libs_file *f)
{
	struct worth *w = arg;
	struct stat st;

	if (!w->found && !fstat(f->fd, &st) && !attach_find(&w->hook->attach, &st))
		w->found = libs_named(f->path) || is_long(&st);
}

void
hook_done(struct hook *h)
{
	if (h->hold.now.who.pid)
		hold_end(&h->hold, h->attach.nattached > h->before);
	h->fresh = false;
}

static bool
is_executing(const char *call)
{
	char *end;
	long nr = strtol(call, &end, 10);

	return end > call && (nr == SYS_execve || nr == SYS_execveat);
}

/* Its program has begun while we watched, and no connection yet. What it maps is seen before
 * that is known, and long before where its first pages come from disk: then it is still in
 * the call that executes it. */
static bool
has_begun(struct hook *h, uint32_t pid)
{
	uint64_t end = clock_boot() + BEGIN_NS;
	struct exec e;
	char call[128];

	do {
		if (!bpf_map_lookup_elem(h->missed.execs, &pid, &e))
			return !e.dialed;
		if (proc_read(pid, "syscall", call, sizeof(call)) <= 0)
			return false;
		if (is_executing(call))
			return true;
		if (strncmp(call, "running", 7))
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
	} while (clock_boot() < end);
	return false;
}

/* A program that has begun while we watched, and no connection yet, waits until what it
 * maps was looked at, when something of that takes a while or is TLS by its name. To be
 * asked before each file: more may have been mapped meanwhile. */
static void
hold_for(struct hook *h)
{
	struct worth w = { h, false };
	uint32_t pid = h->who.pid;

	if (h->hold.now.who.pid && !hold_rest_ms(&h->hold))
		hook_done(h);
	if (!h->fresh || h->hold.now.who.pid || !may_hold(h, pid) || !has_begun(h, pid))
		return;
	libs_process(pid, true, is_worth, &w);
	if (w.found)
		hold_begin(&h->hold, pid);
}

/* --- files ------------------------------------------------------------------------ */

static int
wait_ms(struct hook *h)
{
	if (atomic_load(&h->stopping))
		return LAST_MS;
	return h->hold.now.who.pid ? hold_rest_ms(&h->hold) : SLOW_MS;
}

/* True as hook_file. */
static bool
look_and_hook(struct hook *h, int fd, const struct stat *st, const char *path, bool must)
{
	const struct mappers who = { &h->who, h->who.pid != 0 };
	struct look l;
	bool keep;

	hold_for(h);
	attach_seen(&h->attach, st);
	/* what is there before we begin is waited for, and the same in every run */
	keep = st->st_size >= INSPECT_CACHE_MIN || !h->running;
	if (look_begin(&l, fd, keep, h->uid)) {
		if (must)
			err(1, "--binary-path %s", path);
		warn("not attached to %s", path);
		atomic_fetch_add(&h->unseen, 1);
		return true;
	}
	if (h->running && !look_wait(&l, wait_ms(h)) && hand_over(h, &l, path))
		return false;
	look_wait(&l, -1);
	hook_looked(h, &l, path, must, &who);
	return true;
}

bool
hook_file(struct hook *h, int fd, const char *path, bool must)
{
	const struct attach_file *known;
	struct slow *slow;
	struct stat st;
	bool looked = true;

	if (fstat(fd, &st))
		return false;
	pthread_mutex_lock(&h->lock);
	known = attach_find(&h->attach, &st);
	slow = known ? slow_find(h, &st) : NULL;
	if (slow) {
		slow_add(slow, &h->who);
		looked = false;
	} else if (!known) {
		looked = look_and_hook(h, fd, &st, path, must);
	} else if (h->who.when && known->since > h->who.when) {
		missed_count(&h->missed, &h->who, known->since);
	}
	pthread_mutex_unlock(&h->lock);
	return looked;
}

/* Whether an open file may have been changed since: it was not made before. */
static bool
is_newer(const struct stat *st, uint64_t when)
{
	struct timespec now;
	int64_t age;

	clock_gettime(CLOCK_REALTIME, &now);
	age = (now.tv_sec - st->st_ctim.tv_sec) * 1000000000ll + now.tv_nsec - st->st_ctim.tv_nsec;
	return age - COARSE_NS < (int64_t)(clock_boot() - when);
}

/* The file that was mapped, by its name; -1: it cannot be had, or that is another one. */
static int
open_named(const struct watch_mapped *m)
{
	const struct watch_file *f = &m->file;
	char self[64];
	struct stat st;
	int fd, at;

	if (m->path[0] != '/')
		return -1;
	/* opening a device may already do something */
	at = open(m->path, O_PATH | O_CLOEXEC);
	if (at < 0)
		return -1;
	fd = -1;
	if (!fstat(at, &st) && S_ISREG(st.st_mode) && st.st_ino == f->ino &&
	    st.st_dev == makedev(f->major, f->minor) && !is_newer(&st, m->when)) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
		fd = open(self, O_RDONLY | O_CLOEXEC);
	}
	close(at);
	return fd;
}

bool
hook_gone(struct hook *h, int pid, const struct watch_mapped *m)
{
	const struct mapper who = { .pid = pid, .when = m->when, .ino = m->file.ino };
	bool looked;
	int fd;

	if (!missed_any(&h->missed, &who))
		return false;
	fd = open_named(m);
	if (fd < 0) {
		probe_note(h->probe, "not looked at: %s, which process %d had mapped",
		    m->path[0] ? m->path : "a file", pid);
		missed_count(&h->missed, &who, clock_boot());
		return false;
	}
	h->who = who;
	looked = hook_file(h, fd, m->path, false);
	close(fd);
	return looked;
}

bool
hook_tidy(struct hook *h, uint64_t then)
{
	bool waits;

	pthread_mutex_lock(&h->lock);
	waits = h->nslow > 0;
	pthread_mutex_unlock(&h->lock);
	if (then && !waits)
		missed_forget(&h->missed, then);
	return hold_tidy(&h->hold);
}

void
hook_stop(struct hook *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->nslow)
		pthread_cond_wait(&h->slow_ended, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void
hook_close(struct hook *h)
{
	attach_close(&h->attach);
}

bool
hook_open(struct hook *h)
{
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->slow_ended, NULL);
	missed_open(&h->missed);
	return hold_open(&h->hold);
}
