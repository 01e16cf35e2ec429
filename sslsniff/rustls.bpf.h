/*
 * rustls.bpf.h - rustls's record ciphers: one object per direction and key
 *
 * Both objects of a connection are boxes that stand side by side in its record
 * layer: {object, vtable} {object, vtable}. A register of the caller leads there
 * when a method is called; a vtable is known by the method at its word 3. So the
 * other direction's object is found, and both get one connection.
 */
#ifndef RUSTLS_BPF_H
#define RUSTLS_BPF_H

#include "data.bpf.h"

enum { APPLICATION_DATA = 3 };		/* rustls::ContentType's variant */
enum { TLS_APPLICATION_DATA = 23 };	/* RFC 8446, 5.1 */
enum { HUNT_WORDS = 512, NEAR_BOXES = 4 };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct method_key);
	__type(value, __u8);
} methods SEC(".maps");

struct box {
	__u64 object, vtable;
};

/* The direction of the method in a box's vtable; -1: none that we know. */
static __always_inline int
box_dir(struct box_hunt *h, struct box *b)
{
	struct method_key key = { .file = h->file };
	__u64 fn = 0;
	__u8 *dir;

	if (!b->object || bpf_probe_read_user(&fn, sizeof(fn), (void *)(b->vtable + 24)))
		return -1;
	key.va = fn - h->base;
	dir = bpf_map_lookup_elem(&methods, &key);
	return dir ? *dir : -1;
}

static long
try_box(__u32 i, struct box_hunt **hunt)
{
	struct box_hunt *h = *hunt;
	__u32 reg = i / HUNT_WORDS & (HUNT_REGS - 1);
	__u64 from, at;
	struct box b;

	asm volatile("" : "+r"(reg));	/* the bound must be seen */
	if (reg >= HUNT_REGS)
		return 1;
	from = h->regs[reg] & ~7ull;
	at = from + i % HUNT_WORDS * 8;
	if (!from || bpf_probe_read_user(&b, sizeof(b), (void *)at) || b.object != h->object ||
	    box_dir(h, &b) != (int)h->dir)
		return 0;
	h->at = at;
	return 1;
}

static long
try_neighbour(__u32 i, struct box_hunt **hunt)
{
	struct box_hunt *h = *hunt;
	struct box b;

	if (i == NEAR_BOXES || bpf_probe_read_user(&b, sizeof(b), (void *)(h->at +
	    16 * ((__u64)i - NEAR_BOXES))) || box_dir(h, &b) != !h->dir)
		return 0;
	h->other = b.object;
	return 1;
}

/* Finds the other direction's object; 0: not found. Not static, as data_put. */
__noinline int
box_other(struct box_hunt *h)
{
	if (!h)
		return 0;
	bpf_loop(HUNT_REGS * HUNT_WORDS, try_box, &h, 0);
	if (h->at)
		bpf_loop(2 * NEAR_BOXES + 1, try_neighbour, &h, 0);
	return 0;
}

/* The object of the other direction, 0 when it is not found. */
static __always_inline __u64
other_object(struct thread *t, struct pt_regs *ctx, struct call *call, __u64 cookie)
{
	__u32 at = COOKIE_POINT(cookie);
	struct point *point = bpf_map_lookup_elem(&points, &at);
	struct box_hunt *h = &t->work.hunt;

	if (!point)
		return 0;
	__builtin_memset(h, 0, sizeof(*h));
	h->regs[0] = ctx->rbx;
	h->regs[1] = ctx->rbp;
	h->regs[2] = ctx->r12;
	h->regs[3] = ctx->r13;
	h->regs[4] = ctx->r14;
	h->regs[5] = ctx->r15;
	h->object = call->conn;
	h->dir = COOKIE_DIR(cookie);
	h->base = call->ip - point->va;
	h->file = point->file;
	box_other(h);
	return h->other;
}

/* A new key begins at record 0: an object that counts so is another one than
 * what had its address before. */
static __always_inline void
rustls_begins(struct thread *t, __u64 object, __u64 seq)
{
	struct conn_key key;
	struct alias *alias;

	if (seq || !object_key(t, &key, object))
		return;
	alias = bpf_map_lookup_elem(&aliases, &key);
	if (alias && alias->used)
		object_ends(object);
	if (!alias || alias->used)
		object_begins(object, BPF_ANY);
}

/* The connection of a cipher object; as conn_get. */
static __always_inline struct conn *
rustls_conn(struct thread *t, struct pt_regs *ctx, struct conn_key *key, struct call *call,
    __u64 cookie)
{
	struct alias *found, alias = { .used = 1 }, fellow = {};
	struct conn_key self, other;
	struct conn *c;
	bool late;

	if (!object_key(t, &self, call->conn))
		return NULL;
	other = self;
	key->gen = self.gen;
	found = bpf_map_lookup_elem(&aliases, &self);
	if (found) {
		found->used = 1;
		key->conn = found->conn;
		return bpf_map_lookup_elem(&conns, key);
	}
	other.conn = other_object(t, ctx, call, cookie);
	found = other.conn ? bpf_map_lookup_elem(&aliases, &other) : NULL;
	if (found) {		/* a new key of a known connection, or its other half */
		key->conn = alias.conn = found->conn;
		c = bpf_map_lookup_elem(&conns, key);
		if (c)
			__sync_fetch_and_add(&c->objects, 1);
	} else {
		key->conn = 0;
		late = bpf_map_delete_elem(&fresh, &self) != 0;
		if (late)
			count_late(0);
		c = conn_make(t, key, call->conn, COOKIE_LIB(cookie), late);
		fellow.conn = alias.conn = key->conn;
		if (c)
			c->objects = other.conn ? 2 : 1;
		if (c && other.conn)
			bpf_map_update_elem(&aliases, &other, &fellow, BPF_ANY);
	}
	if (c)
		bpf_map_update_elem(&aliases, &self, &alias, BPF_ANY);
	return c;
}

/* --- encrypt(result, self, message, seq): the plaintext is in the message ---------- */

struct plain {
	__u64 words[4];		/* find.h, RUSTLS_ENCRYPT */
	__u64 type;
};

struct gather {
	__u64 list, at, from, to;	/* pieces; where we are; what of them counts */
	struct thread *thread;
	struct conn *conn;
	__u64 cookie;
};

static long
take_piece(__u32 i, struct gather *g)
{
	struct { __u64 p, n; } v;
	__u64 skip, end;

	if (g->at >= g->to)
		return 1;
	if (bpf_probe_read_user(&v, sizeof(v), (void *)(g->list + 16 * i))) {
		count_add(COUNT_SEEN, 1, g->to - g->at);
		count_add(COUNT_FAULT, 1, g->to - g->at);
		return 1;
	}
	skip = g->from > g->at ? g->from - g->at : 0;
	end = g->at + v.n > g->to ? g->to - g->at : v.n;
	g->at += v.n;
	if (skip >= end)
		return 0;
	g->thread->work.call.buf = v.p + skip;
	data_put(g->thread, g->conn, &g->thread->work.call, end - skip, g->cookie);
	return 0;
}

SEC("uprobe.s")
int
on_encrypt(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), now = bpf_ktime_get_boot_ns(), n;
	struct thread *t = thread_wanted(now);
	struct gather g = { .thread = t, .cookie = cookie };
	struct conn_key key;
	struct call *call;
	struct plain m;

	ON_OWN_STACK(ctx);
	if (stopped || !t)
		return 0;
	call = &t->work.call;
	call->conn = PT_REGS_PARM2(ctx);
	call->ip = PT_REGS_IP(ctx);
	call->since = now;
	rustls_begins(t, call->conn, PT_REGS_PARM4(ctx));
	if (bpf_probe_read_user(&m, sizeof(m), (void *)PT_REGS_PARM3(ctx))) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_FAULT, 1, 0);
		return 0;
	}
	if ((m.type & 0xff) != APPLICATION_DATA)
		return 0;
	n = m.words[0] ? m.words[3] - m.words[2] : m.words[2];
	if (n == 0 || n > PIECE)	/* a record holds no more (RFC 8446, 5.1) */
		return 0;
	g.conn = rustls_conn(t, ctx, &key, call, cookie);
	if (g.conn)
		written_before(t, &key, n);
	if (!m.words[0]) {
		call->buf = m.words[1];
		data_put(t, g.conn, call, n, cookie);
		return 0;
	}
	g.list = m.words[0] > m.words[1] ? m.words[0] : m.words[1];
	g.from = m.words[2];
	g.to = m.words[3];
	bpf_loop(m.words[0] > m.words[1] ? m.words[1] : m.words[0], take_piece, &g, 0);
	return 0;
}

/* --- decrypt(result, self, message, seq): in place, found through the result -------- */

SEC("uprobe.s")
int
on_decrypt(struct pt_regs *ctx)
{
	struct { __u64 p, n, type; } m;
	__u64 cookie = bpf_get_attach_cookie(ctx), now = bpf_ktime_get_boot_ns();
	struct thread *t = thread_wanted(now);
	struct call *c;

	ON_OWN_STACK(ctx);
	if (!t)
		return 0;
	rustls_begins(t, PT_REGS_PARM2(ctx), PT_REGS_PARM4(ctx));
	if (bpf_probe_read_user(&m, sizeof(m), (void *)PT_REGS_PARM3(ctx))) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_FAULT, 1, 0);
		return 0;
	}
	if (COOKIE_SIG(cookie) == SIG_DECRYPT12 && (m.type & 0xff) != APPLICATION_DATA)
		return 0;
	c = call_begin(t, PT_REGS_SP(ctx));
	c->conn = PT_REGS_PARM2(ctx);
	c->buf = m.p;
	c->n = m.n;
	c->done = PT_REGS_PARM1(ctx);
	c->ip = PT_REGS_IP(ctx);
	c->since = now;
	return 0;
}

SEC("uprobe.s")
int
on_decrypted(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), words[8], n = 0;
	struct thread *t = thread_ends_call();
	struct conn_key key;
	struct call *call;
	struct conn *c;
	__u8 type = 0;

	ON_OWN_STACK(ctx);
	if (!t || !(call = call_end(t, PT_REGS_SP(ctx) - RETURN_SIZE)) || stopped ||
	    bpf_probe_read_user(words, sizeof(words), (void *)call->done))
		return 0;
	for (int i = 0; i < 7 && !n; i++) {
		__u64 at = words[i] - call->buf;

		if (at > call->n || words[i + 1] > call->n - at)
			continue;
		n = words[i + 1];
		if (n)
			call->buf = words[i];
	}
	if (!n)			/* an error, or an empty record */
		return 0;
	if (COOKIE_SIG(cookie) == SIG_DECRYPT && (bpf_probe_read_user(&type, 1,
	    (void *)(call->buf + n)) || type != TLS_APPLICATION_DATA))
		return 0;
	c = rustls_conn(t, ctx, &key, call, cookie);
	if (c)
		read_after(t, c, n);
	data_put(t, c, call, n, cookie);
	return 0;
}

#endif
