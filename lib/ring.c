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

int
ring_open(struct ring *r, int fd, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->size = size;
	r->map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (r->map == MAP_FAILED)
		return -1;
	r->map2 = mmap(NULL, page + size, PROT_READ, MAP_SHARED, fd, page);
	if (r->map2 == MAP_FAILED) {
		munmap(r->map, page);
		return -1;
	}
	r->consumer = r->map;
	r->bounce = malloc(RING_RECORD_MAX);
	if (!r->bounce) {
		ring_close(r);
		return -1;
	}
	r->producer = r->map2;
	r->data = (const unsigned char *)r->map2 + page;
	return 0;
}

void
ring_close(struct ring *r)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (r->map)
		munmap(r->map, page);
	if (r->map2)
		munmap(r->map2, page + r->size);
	free(r->bounce);
	memset(r, 0, sizeof(*r));
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
	unsigned long at = *r->consumer, told = at;
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
		if (at - told > r->size / 16) {
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
			told = at;
		}
	}
	if (at != told)
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	return seen;
}
