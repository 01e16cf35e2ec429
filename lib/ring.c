/*
 * ring.c - see ring.h
 *
 * Layout and protocol: kernel/bpf/ringbuf.c. Page 0 holds the reader's
 * position, page 1 the writer's, then the data (which the kernel offers twice in
 * a row; the second copy is not mapped). A record is a 32-bit length with two
 * flags, 32 bits for the kernel, and the data, padded to 8.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"

/* A shared mapping, or NULL. */
static void *
map(size_t size, int prot, int fd, off_t at)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, at);

	return p == MAP_FAILED ? NULL : p;
}

static void
unmap(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

int
ring_open(struct ring *r, int fd, size_t size, int asleep_fd)
{
	size_t page = sysconf(_SC_PAGESIZE);

	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->size = size;
	r->consumer = map(page, PROT_READ | PROT_WRITE, fd, 0);
	r->producer = map(page + size, PROT_READ, fd, page);
	r->asleep = map(page, PROT_READ | PROT_WRITE, asleep_fd, 0);
	r->bounce = malloc(RING_RECORD_MAX);
	if (!r->consumer || !r->producer || !r->asleep || !r->bounce) {
		ring_close(r);
		return -1;
	}
	r->data = (const unsigned char *)r->producer + page;
	return 0;
}

void
ring_close(struct ring *r)
{
	size_t page = sysconf(_SC_PAGESIZE);

	unmap(r->consumer, page);
	unmap((void *)r->producer, page + r->size);
	unmap(r->asleep, page);
	free(r->bounce);
	memset(r, 0, sizeof(*r));
}

void
ring_sleep(struct ring *r)
{
	__atomic_store_n(r->asleep, 1, __ATOMIC_SEQ_CST);
}

void
ring_woke(struct ring *r)
{
	__atomic_store_n(r->asleep, 0, __ATOMIC_SEQ_CST);
}

/* The record's bytes in one piece. */
static const void *
ring_whole(struct ring *r, size_t at, size_t n)
{
	size_t first = r->size - at;

	if (n <= first)
		return r->data + at;
	if (n > RING_RECORD_MAX)
		abort();	/* no tool's records are that long */
	memcpy(r->bounce, r->data + at, first);
	memcpy(r->bounce + first, r->data, n - first);
	return r->bounce;
}

size_t
ring_read(struct ring *r, size_t max, ring_record *fn, void *arg)
{
	unsigned long at = *r->consumer, released = at;
	size_t seen = 0;

	while (seen < max && at < __atomic_load_n(r->producer, __ATOMIC_ACQUIRE)) {
		const uint32_t *head = (const void *)(r->data + (at & (r->size - 1)));
		uint32_t len = __atomic_load_n(head, __ATOMIC_ACQUIRE);
		size_t n = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			fn(arg, ring_whole(r, (at + BPF_RINGBUF_HDR_SZ) &
			    (r->size - 1), n), n);
			seen++;
		}
		at += (n + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
		/* give room back in larger pieces: each one costs the writers
		 * a cache line */
		if (at - released > r->size / 16) {
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
			released = at;
		}
	}
	if (at != released)
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	return seen;
}
