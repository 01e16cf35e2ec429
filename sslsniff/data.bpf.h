/*
 * data.bpf.h - the bytes of one call on their way into records
 */
#ifndef DATA_BPF_H
#define DATA_BPF_H

#include "match.bpf.h"

const volatile __u64 max_bytes = 16 << 20;	/* captured per call */
const volatile bool can_sleep = true;

/* Touches every page of a piece, sleeping if it must. No record is held while
 * sleeping: that would stop the reader. */
static __always_inline void
page_in(__u64 from, __u32 n)
{
	char byte;

	for (__u32 at = 0; at < PIECE; at += 4096)
		bpf_copy_from_user(&byte, 1, (void *)(from + (at < n ? at : n - 1)));
	bpf_copy_from_user(&byte, 1, (void *)(from + n - 1));
}

/* The ring reserves constant sizes only. */
#define TAKE(size) \
	if (n <= (size)) { \
		r = bpf_ringbuf_reserve(&ring, sizeof(*r) + (size), 0); \
		if (!r) \
			goto full; \
		bad = bpf_probe_read_user(r->data, n, (void *)from); \
		goto taken; \
	}

/* The same, laid in memory as the source is. */
#define TAKE_ALIKE(size) \
	if (n <= (size)) { \
		r = bpf_ringbuf_reserve(&ring, sizeof(*r) + RECORD_ALIGN + (size), 0); \
		if (!r) \
			goto full; \
		bad = bpf_probe_read_user(r->data + skip, n, (void *)from); \
		goto taken; \
	}

/* Writes piece i; 1 when there is none left. For bpf_loop. */
static long
put_piece(__u32 i, struct job **job)
{
	struct job *j = *job;
	__u64 at = (__u64)i * PIECE, from = j->buf + at;
	struct ssl_record *r = NULL;
	__u32 n = j->limit - at > PIECE ? PIECE : j->limit - at, skip = 0;
	long bad = 0;

	if (at >= j->limit)
		return 1;
	asm volatile("" : "+r"(n));	/* the bound must be seen after any spill */
	if (n == 0 || n > PIECE)
		return 1;
	TAKE(64)
	TAKE(256)
	TAKE(512)
	TAKE(1024)
	TAKE(2048)
	skip = (from - sizeof(*r) - RING_HEADER) & (SKIP_MAX - 1);
	asm volatile("" : "+r"(skip));
	if (skip >= SKIP_MAX)
		return 1;
	TAKE_ALIKE(4096)
	TAKE_ALIKE(8192)
	TAKE_ALIKE(PIECE)
full:
	count_add(COUNT_RING_FULL, 1, n);
	return 0;
taken:
	if (bad && can_sleep) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		page_in(from, n);
		r = bpf_ringbuf_reserve(&ring, sizeof(*r) + PIECE, 0);
		if (!r)
			goto full;
		bad = bpf_probe_read_user(r->data, n, (void *)from);
		skip = 0;
	}
	if (bad) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		count_add(COUNT_FAULT, 1, n);
		return 0;
	}
	__builtin_memcpy(r, &j->head, sizeof(*r));
	r->off = j->off + at;
	r->len = n;
	r->skip = skip;
	/* the last piece of a call that was cut stands for the rest too */
	r->span = at + n == j->limit ? j->total - at : n;
	ring_submit(r);
	return 0;
}

/* n bytes at call->buf passed the connection; NULL: it could not be kept. Not
 * static: so the verifier looks at it once, not once for each call. */
__noinline int
data_put(struct thread *t, struct conn *c, struct call *call, __u64 n, __u64 cookie)
{
	__u64 pieces, dir = COOKIE_DIR(cookie), limit = n > max_bytes ? max_bytes : n;
	struct job *j;

	if (!t || !call)
		return 0;
	j = &t->work.job;
	j->buf = call->buf;
	j->total = n;
	j->limit = limit;
	pieces = (limit + PIECE - 1) / PIECE;
	count_add(COUNT_SEEN, pieces, limit);
	if (!c) {
		count_add(COUNT_CONNS_FULL, pieces, limit);
		return 0;
	}
	if (n > limit) {	/* the rest is one more that was seen, and lost */
		count_add(COUNT_SEEN, 1, n - limit);
		count_add(COUNT_MAX_BYTES, 1, n - limit);
	}
	thread_record(t, bpf_ktime_get_boot_ns());
	j->head.conn = c->object;
	j->head.serial = c->serial;
	j->head.since = call->since;
	j->head.dir = dir;
	j->head.lib = COOKIE_LIB(cookie);
	j->head.late = c->late;
	j->off = __sync_fetch_and_add(&c->moved[dir & 1], n);
	bpf_loop(pieces, put_piece, &j, 0);	/* wants its argument on the stack */
	return 0;
}

/* A call that is over transferred n bytes; same: the thread that began it. */
static __always_inline void
transferred(struct thread *t, struct call *call, __u64 n, __u64 cookie, bool same)
{
	int dir = COOKIE_DIR(cookie);
	struct endpoint *e = same ? used_inside(t, call->ops, dir) : NULL;
	struct conn_key key;
	struct conn *c = conn_get(t, &key, call->conn, cookie, e ? e->sock : 0);

	if (c && e && c->ino[dir & 1] != e->ino) {
		if (c->ino[dir & 1]) {	/* the object is used for another connection now */
			conn_end(&key, c);
			c = conn_make(t, &key, call->conn, COOKIE_LIB(cookie), false);
		}
		if (c)
			c->ino[dir & 1] = e->ino;
	}
	if (c && !e && same)
		greeting_ends(c);
	if (c && e)
		conn_bind(c, e);
	else if (c && dir == DIR_READ)
		read_after(t, c, n);
	else if (c && COOKIE_LIB(cookie) != COOKIE_GO)
		written_before(t, &key, n);
	data_put(t, c, call, n, cookie);
}

#endif
