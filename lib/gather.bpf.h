/*
 * gather.bpf.h - the bytes of a system call, from one or many pieces of memory
 *
 * PIECE of them are gathered before they are handed on. A step takes what fits from one
 * piece of memory, for bpf_loop.
 */
#ifndef GATHER_BPF_H
#define GATHER_BPF_H

#include "gather.h"
#include "kernel.bpf.h"

enum { VECTORS = 1024 };	/* UIO_MAXIOV */

/* struct iovec */
struct vector {
	__u64 base, len;
};

struct gather {
	struct vector v;	/* what is left of the current piece of memory */
	__u64 next, nnext;	/* the pieces behind it: addresses of struct iovec */
	__u64 left;		/* bytes to take */
	__u32 used;		/* in the room */
	__u32 bad;		/* some of it could not be read */
};

enum gathered {
	GATHER_MORE,		/* there is room and more to take */
	GATHER_FULL,		/* the room is full, or all was taken: hand it on */
	GATHER_END,		/* nothing is left */
	GATHER_GONE,		/* the list of pieces cannot be read: what is left is lost */
};

/* n bytes at an address. */
static __always_inline void
gather_buffer(struct gather *g, __u64 at, __u64 n)
{
	__builtin_memset(g, 0, sizeof(*g));
	g->v.base = at;
	g->v.len = n;
}

/* As a struct iovec array lists them. */
static __always_inline void
gather_vectors(struct gather *g, __u64 at, __u64 n)
{
	__builtin_memset(g, 0, sizeof(*g));
	g->next = at;
	g->nnext = n > VECTORS ? VECTORS : n;
}

/* As a struct msghdr does; head: memory for the first words of it. */
static __always_inline void
gather_message(struct gather *g, __u64 at, __u64 head[4])
{
	if (bpf_probe_read_user(head, 4 * sizeof(*head), (void *)at))
		head[2] = head[3] = 0;
	gather_vectors(g, head[2], head[3]);	/* msg_iov, msg_iovlen */
}

/* At most so many steps take n bytes. */
static __always_inline __u32
gather_steps(const struct gather *g, __u64 n)
{
	return n / PIECE + g->nnext + 3;
}

/* Takes from one piece of memory as much as there is room for. room: 2 * PIECE bytes,
 * of which PIECE are used. */
static __always_inline enum gathered
gather_step(struct gather *g, char *room)
{
	__u32 at = g->used, n;

	if (!g->left)
		return GATHER_END;
	if (!g->v.len) {
		if (!g->nnext || bpf_probe_read_user(&g->v, sizeof(g->v), (void *)g->next))
			return GATHER_GONE;
		g->next += sizeof(g->v);
		g->nnext--;
		if (!g->v.len)
			return GATHER_MORE;
	}
	n = g->v.len > PIECE ? PIECE : g->v.len;
	if (n > g->left)
		n = g->left;
	if (n > PIECE - at)
		n = PIECE - at;
	asm volatile("" : "+r"(n), "+r"(at));
	if (n > PIECE || at > PIECE)
		return GATHER_END;
	if (n && bpf_probe_read_user(room + at, n, (void *)g->v.base))
		g->bad = 1;
	g->v.base += n;
	g->v.len -= n;
	g->left -= n;
	g->used = at + n;
	return g->used == PIECE || !g->left ? GATHER_FULL : GATHER_MORE;
}

#endif
