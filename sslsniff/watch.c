/*
 * watch.c - see watch.h; records as in perf_event_open(2)
 */
#include "watch.h"

#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

enum {
	PAGES = 32,		/* of a CPU's buffer; power of two */
	KNOWN = 1 << 14,	/* files that were reported; power of two */
	PROBES = 8,		/* places where one may be */
	BATCH = 256,		/* processes between two looks */
	FRESH_NS = 1000000000,	/* what was mapped so long ago has done something */
	AGAIN_MS = 10,
	IDLE_MS = 250,
	STOP_NS = 1000000000,	/* to report what is left at the end */
};

struct mmap2 {			/* PERF_RECORD_MMAP2; behind the name is the time */
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t major, minor;
	uint64_t ino, gen;
	uint32_t prot, flags;
	char name[WATCH_PATH];
};

/* A file that was looked at. Who mapped it before that was done has to be reported. */
struct watch_known {
	struct watch_file file;
	uint64_t since;		/* boot time */
};

/* Processes to look at, with the file that each is for. */
struct batch {
	struct { int pid; struct watch_mapped mapped; } v[BATCH];
	size_t n;
	bool full;		/* there is more to take */
	bool lost;
};

static int
open_cpu(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY,
		.mmap = 1, .mmap2 = 1,
		.watermark = 1, .wakeup_watermark = 1, .sample_period = 1,
		.sample_id_all = 1, .sample_type = PERF_SAMPLE_TIME,
		.use_clockid = 1, .clockid = CLOCK_BOOTTIME,
	};

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

int
watch_open(struct watch *w)
{
	size_t page = sysconf(_SC_PAGESIZE);

	w->ncpu = sysconf(_SC_NPROCESSORS_CONF);
	w->stop = eventfd(0, EFD_CLOEXEC);
	w->cpu = calloc(w->ncpu, sizeof(*w->cpu));
	w->known = calloc(KNOWN, sizeof(*w->known));
	if (!w->cpu || !w->known || w->stop < 0)
		return -1;
	for (int i = 0; i < w->ncpu; i++) {
		struct watch_cpu *c = &w->cpu[i];

		c->fd = open_cpu(i);
		if (c->fd < 0 && sysconf(_SC_NPROCESSORS_ONLN) < w->ncpu)
			continue;	/* offline */
		if (c->fd < 0)
			return -1;
		c->map = mmap(NULL, (1 + PAGES) * page, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd,
		    0);
		if (c->map == MAP_FAILED) {
			c->map = NULL;
			return -1;
		}
	}
	return 0;
}

static struct watch_known *
known_place(struct watch *w, const struct watch_file *f)
{
	uint64_t h =
	    (f->ino ^ f->gen << 32 ^ (uint64_t)f->minor << 48 ^ f->major) * 0x9e3779b97f4a7c15;
	struct watch_known *p = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		p = &w->known[((h >> 40) + i) & (KNOWN - 1)];
		if (!p->file.ino || !memcmp(&p->file, f, sizeof(*f)))
			return p;
	}
	return p;	/* crowded: the last one is reported again some day */
}

static bool
is_known(struct watch *w, const struct watch_file *f, uint64_t when)
{
	struct watch_known *k = known_place(w, f);

	return !memcmp(&k->file, f, sizeof(*f)) && when >= k->since;
}

/* name: as far as it was read. False: there is no room. */
static bool
take_mmap(struct watch *w, const struct mmap2 *m, const char *name, uint64_t when, struct batch *b)
{
	struct watch_file f = { m->ino, m->gen, m->major, m->minor };
	struct watch_mapped *to = &b->v[b->n].mapped;

	if (!m->ino || !m->pid || is_known(w, &f, when))
		return true;
	if (b->n == BATCH)
		return false;
	b->v[b->n++].pid = m->pid;
	*to = (struct watch_mapped){ .file = f, .when = when };
	if (name)
		snprintf(to->path, sizeof(to->path), "%s", name);
	return true;
}

/* Copies n bytes of a ring from a place of it on. */
static void
copy(void *to, const uint8_t *data, size_t size, uint64_t at, size_t n)
{
	size_t first = size - at % size;

	if (first > n)
		first = n;
	memcpy(to, data + at % size, first);
	memcpy((uint8_t *)to + first, data, n - first);
}

/* Takes a record; n: its size. False: there is no room. */
static bool
take_record(struct watch *w, const uint8_t *data, size_t size, uint64_t at, size_t n,
    struct batch *b)
{
	enum { TIME = 8, NAME = offsetof(struct mmap2, name) };
	struct mmap2 m = { 0 };
	uint64_t when;

	if (n < NAME + TIME)
		return true;
	copy(&m, data, size, at, n - TIME < sizeof(m) ? n - TIME : sizeof(m));
	copy(&when, data, size, at + n - TIME, TIME);
	return take_mmap(w, &m, memchr(m.name, 0, sizeof(m.name)) ? m.name : NULL, when, b);
}

static void
take_records(struct watch *w, struct watch_cpu *c, struct batch *b)
{
	struct perf_event_mmap_page *head = c->map;
	size_t page = sysconf(_SC_PAGESIZE), size = PAGES * page;
	const uint8_t *data = (const uint8_t *)c->map + page;
	uint64_t at = head->data_tail, end = __atomic_load_n(&head->data_head, __ATOMIC_ACQUIRE);
	struct perf_event_header header;

	while (end - at >= sizeof(header)) {
		/* headers are 8-aligned and never wrap; what is behind may */
		memcpy(&header, data + at % size, sizeof(header));
		if (header.size < sizeof(header) || header.size > end - at)
			break;
		if (header.type == PERF_RECORD_LOST)
			b->lost = true;
		if (header.type == PERF_RECORD_MMAP2 &&
		    !take_record(w, data, size, at, header.size, b)) {
			b->full = true;
			break;
		}
		at += header.size;
	}
	__atomic_store_n(&head->data_tail, at, __ATOMIC_RELEASE);
}

/* A process that starts maps many files: it is looked at once for all. */
static void
report(struct watch *w, struct batch *b)
{
	static struct watch_mapped *file[BATCH];

	if (b->lost)
		w->fn(w->arg, &(struct watch_what){ .lost = true });
	for (size_t i = 0; i < b->n; i++) {
		struct watch_what what = { .pid = b->v[i].pid, .file = file };

		what.fresh = clock_boot() - b->v[i].mapped.when < FRESH_NS;
		for (size_t j = i; what.pid && j < b->n; j++)
			if (b->v[j].pid == what.pid) {
				file[what.n++] = &b->v[j].mapped;
				b->v[j].pid = 0;
			}
		if (what.n)
			w->fn(w->arg, &what);
		for (size_t j = 0; j < what.n; j++)
			if (file[j]->looked)
				*known_place(w, &file[j]->file) =
				    (struct watch_known){ file[j]->file, clock_boot() };
	}
	b->n = 0;
	b->lost = false;
}

static void
take_all(struct watch *w, struct batch *b)
{
	b->full = false;
	for (int i = 0; i < w->ncpu; i++)
		if (w->cpu[i].map)
			take_records(w, &w->cpu[i], b);
	report(w, b);
}

/* Until stopped; then what is left is reported. */
static void *
run(void *arg)
{
	static struct batch b;
	struct watch *w = arg;
	struct pollfd *f = calloc(w->ncpu + 1, sizeof(*f));
	uint64_t then, end = 0;
	bool soon;

	f[w->ncpu] = (struct pollfd){ .fd = w->stop, .events = POLLIN };
	for (int i = 0; i < w->ncpu; i++)
		f[i] = (struct pollfd){ .fd = w->cpu[i].fd, .events = POLLIN };
	w->fn(w->arg, &(struct watch_what){ 0 });	/* what was there before */
	for (;;) {
		then = clock_boot();
		take_all(w, &b);
		soon = w->again && w->again(w->arg, b.full ? 0 : then);
		if (end && (!b.full || then > end))
			break;
		poll(f, w->ncpu + 1, end || b.full ? 0 : soon ? AGAIN_MS : IDLE_MS);
		if (f[w->ncpu].revents && !end)
			end = clock_boot() + STOP_NS;
	}
	if (b.full)
		w->fn(w->arg, &(struct watch_what){ .lost = true });
	free(f);
	return NULL;
}

int
watch_start(struct watch *w, watch_fn *fn, void *arg)
{
	sigset_t all, old;
	int rc;

	w->fn = fn;
	w->arg = arg;
	/* signals are the main thread's, all but those of this thread's own doing */
	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	w->running = rc == 0;
	return rc ? -1 : 0;
}

void
watch_close(struct watch *w)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (w->running) {
		eventfd_write(w->stop, 1);
		pthread_join(w->thread, NULL);
		w->running = false;
	}
	for (int i = 0; w->cpu && i < w->ncpu; i++) {
		if (w->cpu[i].map)
			munmap(w->cpu[i].map, (1 + PAGES) * page);
		if (w->cpu[i].fd >= 0)
			close(w->cpu[i].fd);
	}
	free(w->cpu);
	free(w->known);
	w->cpu = NULL;
	w->known = NULL;
}
