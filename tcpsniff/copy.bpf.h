/*
 * copy.bpf.h - the bytes of one call on their way into records
 */
#ifndef COPY_BPF_H
#define COPY_BPF_H

#include "conn.bpf.h"
#include "syscall.bpf.h"

const volatile __u64 max_bytes = 16 << 20;	/* captured per call */
const volatile bool any = false;		/* whatever the bytes are */

/* What a call transferred, and where it lies. */
struct transfer {
	struct place_of at;
	__u64 base, len;	/* as the call was told: address, or struct iovec and how many */
	__u64 n;
	__u32 fd;
	__u8 dir, kind;
	__u8 pad[2];
};

static __always_inline void
gather_begin(struct scratch *s, const struct transfer *t)
{
	struct gather *g = &s->job.g;

	if (t->kind == CALL_BUFFER)
		gather_buffer(g, t->base, t->n);
	else if (t->kind == CALL_VECTOR)
		gather_vectors(g, t->base, t->len);
	else
		gather_message(g, t->base, s->message);
	s->job.all = *g;
}

/* --- records ------------------------------------------------------------------ */

/* The room's bytes are a record. */
static __always_inline void
put_piece(struct scratch *s)
{
	struct job *j = &s->job;
	__u32 n = j->g.used;
	__u64 span = j->g.left ? n : n + j->rest;

	j->g.used = 0;
	j->lines--;
	if (j->g.bad) {
		count_add(COUNT_FAULT, 1, n);
		j->off += n;
		j->g.bad = 0;
		return;
	}
	s->r.off = j->off;
	s->r.span = span;
	s->r.len = n;
	j->off += n;
	asm volatile("" : "+r"(n));
	if (n > PIECE)
		return;
	if (!ring_put(&s->r, sizeof(s->r) + n))
		count_add(COUNT_RING_FULL, 1, n);
}

/* A step of bpf_loop. */
static long
copy_step(__u32 i, struct scratch **work)
{
	struct scratch *s = *work;
	struct job *j = &s->job;

	switch (gather_step(&j->g, s->room)) {
	case GATHER_MORE:
		return 0;
	case GATHER_FULL:
		put_piece(s);
		return 0;
	case GATHER_GONE:
		if (j->g.used)
			put_piece(s);
		count_add(COUNT_FAULT, j->lines, j->g.left);
		return 1;
	case GATHER_END:
		break;
	}
	return 1;
}

static long
window_step(__u32 i, struct scratch **work)
{
	struct scratch *s = *work;

	return gather_step(&s->job.g, s->room) != GATHER_MORE;
}

/* --- CONNECT -------------------------------------------------------------------- */

static __always_inline __u32
direction_of_requests(const struct conn *c)
{
	return c->side == SIDE_SERVER ? DIR_READ : DIR_WRITE;
}

/* After a piece was copied: whether it asks for a tunnel, or grants one. room: its
 * first bytes, n of them, at off in the stream. */
static __always_inline void
connect_watch(struct scratch *s, struct conn *c, __u32 dir, __u64 off, __u32 n)
{
	__u64 at;

	if (dir == direction_of_requests(c)) {
		if (n >= LOOK && *(__u64 *)s->room == TEXT8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' ')) {
			c->answer = c->moved[!dir];
			c->connect = CONNECT_ASKED;
		}
		return;
	}
	if (c->connect != CONNECT_ASKED)
		return;
	at = c->answer + 9 - off;	/* of the first digit in "HTTP/1.1 200" */
	if (at >= n || at >= PIECE)
		return;
	c->connect = s->room[at & (PIECE - 1)] == '2' ? CONNECT_DONE : CONNECT_NO;
}

/* --- a captured connection --------------------------------------------------------- */

/* Copies what a call transferred. */
__noinline int
copy(struct scratch *s, struct conn *c, struct transfer *t)
{
	struct job *j = &s->job;
	__u64 n, left;
	__u32 dir;

	if (!s || !c || !t)
		return 0;
	n = t->n;
	left = n > max_bytes ? max_bytes : n;
	dir = t->dir & 1;
	count_add(COUNT_SEEN, PIECES(left), left);
	if (n > left) {		/* one more that was seen, and lost */
		count_add(COUNT_SEEN, 1, n - left);
		count_add(COUNT_MAX_BYTES, 1, n - left);
	}
	record_begin(&s->r, c, TCP_DATA);
	s->r.fd = t->fd;
	s->r.dir = dir;
	j->g = j->all;
	j->g.left = left;
	j->lines = PIECES(left);
	j->rest = n - left;
	j->off = __sync_fetch_and_add(&c->moved[dir], n);
	bpf_loop(gather_steps(&j->g, left), copy_step, &s, 0);
	connect_watch(s, c, dir, j->off - left, left > PIECE ? PIECE : left);
	return 0;
}

/* The bytes that did not tell, before those that do. */
static __always_inline void
copy_first(struct scratch *s, struct conn *c, __u32 dir, __u32 fd)
{
	__u32 n = s->seen.n[dir];

	asm volatile("" : "+r"(n));
	if (!n || n > LOOK)
		return;
	record_begin(&s->r, c, TCP_DATA);
	s->r.fd = fd;
	s->r.dir = dir;
	s->r.len = s->r.span = n;
	s->r.off = __sync_fetch_and_add(&c->moved[dir], n);
	__builtin_memcpy(s->room, s->seen.first[dir], LOOK);
	count_add(COUNT_SEEN, 1, n);
	if (!ring_put(&s->r, sizeof(s->r) + n))
		count_add(COUNT_RING_FULL, 1, n);
}

/* --- one that is not captured -------------------------------------------------------- */

/* What the socket's bytes so far are; s->seen: what is known of it. */
static __always_inline enum look
look_first(struct scratch *s, struct transfer *t)
{
	__u32 had = s->seen.n[t->dir & 1], want = LOOK, n;

	__builtin_memcpy(s->window, s->seen.first[t->dir & 1], LOOK);
	asm volatile("" : "+r"(had));
	if (had >= LOOK)
		return LOOK_NO;
	want = LOOK - had;
	if (want > t->n)
		want = t->n;
	s->job.g.left = want;
	bpf_loop(LOOK, window_step, &s, 0);
	n = s->job.g.used;
	asm volatile("" : "+r"(n), "+r"(had));
	if (n == 0 || n > LOOK || had >= LOOK)
		return LOOK_NO;
	bpf_probe_read_kernel(s->window + had, n, s->room);
	return look_at((void *)s->window, had + n);
}

static __always_inline __u32
side_of(const struct seen *s, enum look is, __u32 dir)
{
	if (is == LOOK_RESPONSE)
		return dir == DIR_READ ? SIDE_CLIENT : SIDE_SERVER;
	if (is == LOOK_REQUEST)
		return dir == DIR_WRITE ? SIDE_CLIENT : SIDE_SERVER;
	if (s->made == MADE_CONNECT || s->made == MADE_ACCEPT)
		return s->made == MADE_CONNECT ? SIDE_CLIENT : SIDE_SERVER;
	return dir == DIR_WRITE ? SIDE_CLIENT : SIDE_SERVER;
}

/* The first bytes do not tell yet: they are kept. */
static __always_inline void
seen_waits(struct scratch *s, struct transfer *t, const struct place_of *at)
{
	__u32 dir = t->dir & 1;

	__builtin_memcpy(s->seen.first[dir], s->window, LOOK);
	s->seen.n[dir] += t->n;
	bpf_map_update_elem(&seen, &at->file, &s->seen, BPF_ANY);
}

/* What is decided: the socket is not looked at any more, or captured from here on. */
static __always_inline struct conn *
seen_decides(struct scratch *s, struct transfer *t, struct place_of *at, enum look is)
{
	struct sock *sk = file_sock(at->file);
	__u64 left = t->n > max_bytes ? max_bytes : t->n;
	__u32 side = side_of(&s->seen, is, t->dir & 1);
	struct conn *c;

	if (!sk)
		return NULL;
	if ((is >= LOOK_REQUEST || any) && sock_wanted(sk) &&
	    !(side == SIDE_SERVER && client_is_emitted(s, sk))) {
		c = conn_make(s, at, side, left);
		if (c) {
			bpf_map_delete_elem(&seen, &at->file);
			return c;
		}
		count_add(COUNT_SEEN, PIECES(left), left);
		s->seen.late = 1;	/* its beginning is lost */
		s->seen.state = SOCK_SEARCH;
	} else if (s->seen.state == SOCK_FRESH || is >= LOOK_REQUEST) {
		s->seen.state = SOCK_OTHER;
	}
	s->seen.n[0] = s->seen.n[1] = 0;
	bpf_map_update_elem(&seen, &at->file, &s->seen, BPF_ANY);
	return NULL;
}

#endif
