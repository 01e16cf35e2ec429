/*
 * watch.c - see watch.h; records as in perf_event_open(2)
 */
#include "watch.h"

#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
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
	FRESH_NS = 100000000,	/* what was mapped so long ago has done something */
	AGAIN_MS = 10,
};

struct mmap2 {			/* PERF_RECORD_MMAP2 up to the name */
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t major, minor;
	uint64_t ino, gen;
};

/* Processes to look at, with the file that each is for. */
struct batch {
	struct { int pid; uint64_t when; struct watch_file file; } v[BATCH];
	size_t n;
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

static struct watch_file *
known_place(struct watch *w, const struct watch_file *f)
{
	uint64_t h =
	    (f->ino ^ f->gen << 32 ^ (uint64_t)f->minor << 48 ^ f->major) * 0x9e3779b97f4a7c15;
	struct watch_file *p = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		p = &w->known[((h >> 40) + i) & (KNOWN - 1)];
		if (!p->ino || !memcmp(p, f, sizeof(*f)))
			return p;
	}
	return p;	/* crowded: the last one is reported again some day */
}

static void
take_mmap(struct watch *w, const struct mmap2 *m, uint64_t when, struct batch *b)
{
	struct watch_file f = { m->ino, m->gen, m->major, m->minor };

	if (!m->ino || !m->pid || !memcmp(known_place(w, &f), &f, sizeof(f)))
		return;
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].pid == (int)m->pid && !memcmp(&b->v[i].file, &f, sizeof(f)))
			return;
	if (b->n == BATCH) {
		b->lost = true;
		return;
	}
	b->v[b->n].pid = m->pid;
	b->v[b->n].when = when;
	b->v[b->n++].file = f;
}

static void
take_records(struct watch *w, struct watch_cpu *c, struct batch *b)
{
	struct perf_event_mmap_page *head = c->map;
	size_t page = sysconf(_SC_PAGESIZE), size = PAGES * page;
	const uint8_t *data = (const uint8_t *)c->map + page;
	uint64_t at = head->data_tail, end = __atomic_load_n(&head->data_head, __ATOMIC_ACQUIRE);
	union { struct perf_event_header header; struct mmap2 mmap; } r;

	while (end - at >= sizeof(r.header)) {
		size_t first = size - at % size;
		uint64_t when;

		/* headers are 8-aligned and never wrap; what is behind may */
		memcpy(&r.header, data + at % size, sizeof(r.header));
		if (r.header.size < sizeof(r.header) || r.header.size > end - at)
			break;
		if (r.header.type == PERF_RECORD_LOST)
			b->lost = true;
		if (r.header.type == PERF_RECORD_MMAP2 && r.header.size >= sizeof(r.mmap)) {
			if (first > sizeof(r.mmap))
				first = sizeof(r.mmap);
			memcpy(&r, data + at % size, first);
			memcpy((uint8_t *)&r + first, data, sizeof(r.mmap) - first);
			/* the time is the last word of the record */
			memcpy(&when, data + (at + r.header.size - 8) % size, sizeof(when));
			take_mmap(w, &r.mmap, when, b);
		}
		at += r.header.size;
	}
	__atomic_store_n(&head->data_tail, at, __ATOMIC_RELEASE);
}

/* A process that starts maps many files: it is looked at once for all. */
static void
report(struct watch *w, struct batch *b)
{
	if (b->lost)
		w->fn(w->arg, &(struct watch_what){ 0 });
	for (size_t i = 0; i < b->n; i++) {
		int pid = b->v[i].pid;
		const struct watch_what what = { .pid = pid, .when = b->v[i].when,
		    .fresh = clock_boot() - b->v[i].when < FRESH_NS };
		bool looked = pid && w->fn(w->arg, &what);

		for (size_t j = i; pid && j < b->n; j++)
			if (b->v[j].pid == pid) {
				if (looked)
					*known_place(w, &b->v[j].file) = b->v[j].file;
				b->v[j].pid = 0;
			}
	}
	b->n = 0;
	b->lost = false;
}

static void *
run(void *arg)
{
	static struct batch b;
	struct watch *w = arg;
	struct pollfd *f = calloc(w->ncpu + 1, sizeof(*f));

	b.lost = true;	/* what was there before */
	f[w->ncpu] = (struct pollfd){ .fd = w->stop, .events = POLLIN };
	for (int i = 0; i < w->ncpu; i++)
		f[i] = (struct pollfd){ .fd = w->cpu[i].fd, .events = POLLIN };
	while (!f[w->ncpu].revents) {
		report(w, &b);
		if (poll(f, w->ncpu + 1, w->again && w->again(w->arg) ? AGAIN_MS : -1) < 0)
			continue;
		for (int i = 0; i < w->ncpu; i++)
			if (w->cpu[i].map)
				take_records(w, &w->cpu[i], &b);
	}
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
