/*
 * conn.bpf.h - what is known of a socket: nothing yet, not for us, or a connection that
 * is captured
 *
 * A connection whose both ends are observed is emitted by the client's end. The client is
 * known before the server can have read anything of it: from its connect.
 */
#ifndef CONN_BPF_H
#define CONN_BPF_H

#include "sock.bpf.h"
#include "target.bpf.h"
#include "place.bpf.h"
#include "gather.bpf.h"
#include "look.bpf.h"

#define PIECES(bytes) (((bytes) + PIECE - 1) / PIECE)

/* What its first bytes are looked at for. */
enum {
	SOCK_FRESH,	/* it began under our eyes, and has carried nothing */
	SOCK_SEARCH,	/* it may have carried something: for each message's beginning */
	SOCK_OTHER,	/* no more: it is not HTTP, or its other end is emitted */
};

enum { MADE_UNKNOWN, MADE_CONNECT, MADE_ACCEPT, MADE_PAIR };

/* A socket that is not captured. */
struct seen {
	__u64 ino;
	__u8 state, made;
	__u8 n[2];		/* bytes so far, by direction, while they do not tell */
	__u8 late;		/* something passed that was not looked at */
	__u8 pad[3];
	__u32 peer_pid, pad2;	/* as in struct conn */
	char first[2][LOOK];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);	/* file */
	__type(value, struct seen);
} seen SEC(".maps");

enum { CONNECT_NO, CONNECT_ASKED, CONNECT_DONE };

/* One that is. */
struct conn {
	__u64 serial, ino, born;
	__u64 moved[2];		/* bytes so far, by direction */
	__u64 answer;		/* where that to a CONNECT begins */
	__u32 owner, uid, ns_pid;
	__u8 late, side, made, connect;
	char comm[16];
	__u32 peer_pid, pad;	/* the process at the other end, when it is observed, too */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);	/* file */
	__type(value, struct conn);
} conns SEC(".maps");

/* Observed clients, by the ends of their connections; of connections that were there
 * before, also servers. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct ends);
	__type(value, struct place_of);
} observed SEC(".maps");

/* One call's bytes on their way into records. */
struct job {
	struct gather g, all;	/* all: as it was at the beginning */
	__u64 lines;		/* in how many records the bytes that are left are due */
	__u64 off, rest;	/* of the next byte; bytes beyond what is captured */
};

struct scratch {
	__u32 taken, pad;
	struct job job;
	struct seen seen;	/* about to be entered */
	struct seen other;	/* the same, of another socket or time */
	struct conn conn;
	struct ends turned;
	__u64 message[4];	/* the first words of a struct msghdr */
	char window[2 * LOOK];
	struct tcp_record r;
	char room[2 * PIECE];	/* follows it without a gap */
};

PLACES(struct scratch);

static __u64 serials;
__u64 live;		/* connections, for the collector */

/* A socket is in this state from here on, and nothing has passed. to: memory for that. */
static __always_inline void
seen_set(struct seen *to, const struct place_of *p, __u32 state, __u32 made)
{
	__builtin_memset(to, 0, sizeof(*to));
	to->ino = p->ino;
	to->state = state;
	to->made = made;
	bpf_map_update_elem(&seen, &p->file, to, BPF_ANY);
}

/* --- both ends -------------------------------------------------------------------- */

/* Whether the socket is observed, as far as it had to do with this connection. If so, it
 * learns that the current process is at its other end. */
static __always_inline bool
end_is_emitted(const struct place_of *p)
{
	struct conn *c = bpf_map_lookup_elem(&conns, &p->file);
	struct seen *s;

	if (c && c->ino == p->ino)
		c->peer_pid = current_tgid();
	if (c)
		return c->ino == p->ino;
	s = bpf_map_lookup_elem(&seen, &p->file);
	if (!s || s->ino != p->ino || s->state != SOCK_FRESH ||
	    (s->made != MADE_CONNECT && s->made != MADE_PAIR))
		return false;
	s->peer_pid = current_tgid();
	return true;
}

/* This end of a connection is observed. */
static __always_inline void
end_enter(struct ends *e, struct sock *sk, const struct place_of *p)
{
	if (sock_is_unix(sk))
		return;
	ends_read(e, (__u64)sk);
	bpf_map_update_elem(&observed, e, p, BPF_ANY);
}

/* Whether the client of this server's connection is emitted. */
static __always_inline bool
client_is_emitted(struct scratch *s, struct sock *sk)
{
	struct tcp_begin *b = (void *)s->room;
	struct place_of peer = {}, *p = &peer;
	struct file *file;

	if (sock_is_unix(sk)) {
		file = unix_peer_file(sk);
		peer.file = (__u64)file;
		peer.ino = BPF_CORE_READ(file, f_inode, i_ino);
	} else {
		ends_read(&b->ends, (__u64)sk);
		ends_turn(&s->turned, &b->ends);
		p = bpf_map_lookup_elem(&observed, &s->turned);
	}
	return p && p->file && end_is_emitted(p);
}

__noinline int
conn_end(__u64 file, struct conn *c);

/* The server of a connection that was there before was seen first, and is emitted until
 * now; from here on the client is. */
static __always_inline void
server_leave(struct scratch *s, struct sock *sk)
{
	struct tcp_begin *b = (void *)s->room;
	struct place_of *p;
	struct conn *c;

	if (sock_is_unix(sk))
		return;
	ends_turn(&s->turned, &b->ends);
	p = bpf_map_lookup_elem(&observed, &s->turned);
	c = p ? bpf_map_lookup_elem(&conns, &p->file) : NULL;
	if (!c || c->ino != p->ino || c->side != SIDE_SERVER)
		return;
	seen_set(&s->other, p, SOCK_OTHER, MADE_UNKNOWN);
	conn_end(p->file, c);
}

/* --- the life of one ---------------------------------------------------------------- */

/* A new record about a connection, without what its kind says. */
static __always_inline void
record_begin(struct tcp_record *r, const struct conn *c, __u32 kind)
{
	__builtin_memset(r, 0, sizeof(*r));
	record_fill(&r->head, kind, bpf_ktime_get_boot_ns());
	r->serial = c->serial;
	r->ino = c->ino;
	r->owner = c->owner;
	r->late = c->late;
	r->side = c->side;
	r->peer_pid = c->peer_pid;
}

/* Tells the collector what a connection is. False: the ring is full. */
static __always_inline bool
conn_begin(struct scratch *s, struct conn *c, struct sock *sk)
{
	struct tcp_begin *b = (void *)s->room;
	struct unix_sock *u = (void *)sk;

	record_begin(&s->r, c, TCP_BEGIN);
	c->owner = s->r.owner = s->r.head.pid;
	c->uid = s->r.head.uid;
	c->ns_pid = s->r.head.ns_pid;
	c->born = s->r.head.born;
	__builtin_memcpy(c->comm, s->r.head.comm, sizeof(c->comm));
	__builtin_memset(b, 0, sizeof(*b));
	b->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (b->family == FAMILY_UNIX) {
		b->nlocal = unix_name(b->local, u);
		b->npeer = unix_name(b->peer, (void *)BPF_CORE_READ(u, peer));
	} else {
		ends_read(&b->ends, (__u64)sk);
	}
	s->r.len = sizeof(*b);
	return ring_put(&s->r, sizeof(s->r) + sizeof(*b));
}

/* The connection of a socket, of which s->seen is known. NULL: there is no room for it,
 * and so many bytes are lost. */
static __always_inline struct conn *
conn_make(struct scratch *s, struct place_of *p, __u32 side, __u64 bytes)
{
	const struct seen *from = &s->seen;
	struct sock *sk = file_sock(p->file);
	struct conn *c = &s->conn;

	__builtin_memset(c, 0, sizeof(*c));
	c->serial = __sync_fetch_and_add(&serials, 1) + 1;
	c->ino = p->ino;
	c->late = from->late;
	c->made = from->made;
	c->peer_pid = from->peer_pid;
	c->side = side;
	if (!conn_begin(s, c, sk)) {
		count_add(COUNT_RING_FULL, PIECES(bytes), bytes);
		return NULL;
	}
	if (bpf_map_update_elem(&conns, &p->file, c, BPF_NOEXIST)) {
		c = bpf_map_lookup_elem(&conns, &p->file);	/* another thread was first */
		if (!c)
			count_add(COUNT_CONNS_FULL, PIECES(bytes), bytes);
		return c;
	}
	__sync_fetch_and_add(&live, 1);
	if (from->late || from->made != MADE_CONNECT)
		end_enter(&((struct tcp_begin *)s->room)->ends, sk, p);
	if (from->late && side == SIDE_CLIENT)
		server_leave(s, sk);
	return bpf_map_lookup_elem(&conns, &p->file);
}

__noinline int
conn_end(__u64 file, struct conn *c)
{
	struct tcp_record *r;

	if (!c)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_add(COUNT_SEEN, 1, 0);
		count_of(c->owner, COUNT_RING_FULL, 1, 0);	/* the sweep is ours */
	} else {
		__builtin_memset(r, 0, sizeof(*r));
		r->head.kind = TCP_CLOSE;
		r->head.pid = r->head.tid = r->owner = c->owner;
		r->head.uid = c->uid;
		r->head.ns_pid = c->ns_pid;
		r->head.born = c->born;
		r->head.time = bpf_ktime_get_boot_ns();
		__builtin_memcpy(r->head.comm, c->comm, sizeof(c->comm));
		__builtin_memcpy(r->head.thread, c->comm, sizeof(c->comm));
		r->serial = c->serial;
		r->ino = c->ino;
		r->moved[0] = c->moved[0];
		r->moved[1] = c->moved[1];
		r->late = c->late;
		r->side = c->side;
		r->peer_pid = c->peer_pid;
	}
	if (bpf_map_delete_elem(&conns, &file)) {	/* somebody else was first */
		if (r)
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return 0;
	}
	__sync_fetch_and_sub(&live, 1);
	if (!r)
		return 0;
	count_add(COUNT_SEEN, 1, 0);
	ring_submit(r);
	return 0;
}

/* The connection of a socket, if it is captured. */
static __always_inline struct conn *
conn_of(const struct place_of *p)
{
	struct conn *c = bpf_map_lookup_elem(&conns, &p->file);

	if (!c || c->ino == p->ino)
		return c;
	conn_end(p->file, c);	/* of a socket whose close was not seen */
	return NULL;
}

/* What is known of a socket that is not captured; NULL: nothing. */
static __always_inline struct seen *
seen_of(const struct place_of *p)
{
	struct seen *s = bpf_map_lookup_elem(&seen, &p->file);

	return s && s->ino == p->ino ? s : NULL;
}

#endif
