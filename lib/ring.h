/*
 * ring.h - reads a BPF ring buffer (BPF_MAP_TYPE_RINGBUF)
 *
 * As libbpf's ring_buffer, but the data is mapped once instead of twice, so
 * that resident memory stays at the ring's size, and reading is in rounds of
 * bounded length, so that a steady flood cannot keep the caller from its
 * other duties.
 */
#ifndef RING_H
#define RING_H

#include <stddef.h>
#include <stdint.h>

enum { RING_RECORD_MAX = 128 << 10 };

struct ring {
	int fd;			/* the map: pollable */
	size_t size;
	unsigned long *consumer;
	const unsigned long *producer;	/* before the data */
	const unsigned char *data;
	unsigned char *bounce;	/* a record that wraps around the end */
	uint64_t *asleep;	/* what the writers look at before they wake us */
};

typedef void ring_record(void *arg, const void *p, size_t n);

/* size as the map was made with; asleep_fd: the map ring_asleep of ring.bpf.h. -1
 * with errno on failure. */
int ring_open(struct ring *, int fd, size_t size, int asleep_fd);
void ring_close(struct ring *);

/* Calls fn for up to max records (p borrowed, 8-aligned); returns how many. */
size_t ring_read(struct ring *, size_t max, ring_record *fn, void *arg);

/* Before a poll of fd that a record must end, and after it. Without, nobody is
 * woken, which is cheaper for those who are observed. */
void ring_sleep(struct ring *);
void ring_woke(struct ring *);

#endif
