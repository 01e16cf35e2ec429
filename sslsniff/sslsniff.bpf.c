/*
 * sslsniff.bpf.c - copies what TLS functions transferred, when they return
 *
 * on_enter/on_leave sit on any read, write or handshake function; the probe's
 * cookie says how it passes its arguments. on_free ends a connection, on_name
 * learns the server's name. All of them work sleeping (pages that are not
 * resident are faulted in) or not (they are counted as lost).
 */
#include <stddef.h>
#include <linux/ptrace.h>
#include "target.bpf.h"
#include <bpf/bpf_tracing.h>
#include "sslsniff.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u64 max_bytes = 16 << 20;	/* captured per call */
const volatile bool can_sleep = true;

/* The return address that "call" pushed is gone again at return. */
enum { RETURN_SIZE = 8 };

enum { SSL_CTRL_SET_TLSEXT_HOSTNAME = 55 };	/* <openssl/ssl.h> */
enum { GNUTLS_NAME_DNS = 1 };			/* <gnutls/gnutls.h> */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct call_key);
	__type(value, struct call);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct conn_key);
	__type(value, struct conn);
} conns SEC(".maps");

/* Processes that have connections, and the number of their image. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u64);
} images SEC(".maps");

struct name {
	char text[NAME_MAX_LEN];
};

/* Server names by connection serial, until the collector fetches them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u64);
	__type(value, struct name);
} names SEC(".maps");

static __u64 serials, images_seen;

/* Set before the probes are taken off, which takes a while and happens one by
 * one: without it a close would still be seen when data before it was not. */
volatile bool stopped;

/* One call's bytes on their way into records. */
struct job {
	__u64 buf;
	__u64 limit, total;	/* bytes to capture, bytes transferred */
	__u64 off;		/* of the call's first byte in the stream */
	struct ssl_record head;	/* what all its records have in common */
};

static __always_inline __u64
image_of(__u32 pid)
{
	__u64 *found = bpf_map_lookup_elem(&images, &pid), gen;

	if (found)
		return *found;
	gen = __sync_fetch_and_add(&images_seen, 1) + 1;
	if (bpf_map_update_elem(&images, &pid, &gen, BPF_NOEXIST)) {
		found = bpf_map_lookup_elem(&images, &pid);	/* another thread was first */
		return found ? *found : 0;
	}
	return gen;
}

/* The connection, made at its first sight. NULL: tables full. */
static __always_inline struct conn *
conn_get(__u64 object, __u32 lib)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct conn_key key = { .gen = image_of(pid), .conn = object };
	struct conn *c, fresh;
	struct record who;

	if (!key.gen)
		return NULL;
	c = bpf_map_lookup_elem(&conns, &key);
	if (c)
		return c;
	record_fill(&who, 0, 0);
	fresh = (struct conn){
		.serial = __sync_fetch_and_add(&serials, 1) + 1,
		.pid = who.pid, .uid = who.uid, .ns_pid = who.ns_pid, .lib = lib,
		.born = who.born,
	};
	__builtin_memcpy(fresh.comm, who.comm, sizeof(fresh.comm));
	bpf_map_update_elem(&conns, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&conns, &key);
}

/* Touches every page of a piece, sleeping if it must, and reads it again. No
 * record is held while sleeping: that would stop the reader. */
static __always_inline struct ssl_record *
read_sleeping(__u64 from, __u32 n, long *bad)
{
	struct ssl_record *r;
	char byte;

	for (__u32 at = 0; at < PIECE; at += 4096)
		bpf_copy_from_user(&byte, 1, (void *)(from + (at < n ? at : n - 1)));
	bpf_copy_from_user(&byte, 1, (void *)(from + n - 1));
	r = bpf_ringbuf_reserve(&ring, sizeof(*r) + PIECE, 0);
	if (r)
		*bad = bpf_probe_read_user(r->data, n, (void *)from);
	return r;
}

/* The ring reserves constant sizes only. */
#define TAKE(size) \
	if (n <= (size)) { \
		r = bpf_ringbuf_reserve(&ring, sizeof(*r) + (size), 0); \
		if (r) \
			bad = bpf_probe_read_user(r->data, n, (void *)from); \
		goto taken; \
	}

/* Writes piece i; 1 when there is none left. For bpf_loop. */
static long
put_piece(__u32 i, struct job *j)
{
	__u64 at = (__u64)i * PIECE, from = j->buf + at;
	struct ssl_record *r = NULL;
	__u32 n = j->limit - at > PIECE ? PIECE : j->limit - at;
	bool slept = false;
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
	TAKE(4096)
	TAKE(8192)
	TAKE(PIECE)
taken:
	if (r && bad && can_sleep) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		r = read_sleeping(from, n, &bad);
		slept = true;
	}
	if (!r) {
		count_add(COUNT_RING_FULL, 1, n);
		return 0;
	}
	if (bad) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		count_add(COUNT_FAULT, 1, n);
		return 0;
	}
	__builtin_memcpy(r, &j->head, sizeof(*r));
	r->off = j->off + at;
	r->len = n;
	/* the last piece of a call that was cut stands for the rest too */
	r->span = at + n == j->limit ? j->total - at : n;
	/* later pieces, and those that slept, come later */
	ring_submit(r, i || slept ? bpf_ktime_get_boot_ns() : j->head.head.time);
	return 0;
}

/* n bytes at buf were transferred. */
static __always_inline void
transferred(struct call *call, __u64 n, __u64 cookie)
{
	struct job j = { .buf = call->buf, .total = n };
	__u64 pieces, dir = COOKIE_DIR(cookie), now = bpf_ktime_get_boot_ns();
	struct conn *c = conn_get(call->conn, COOKIE_LIB(cookie));

	j.limit = n > max_bytes ? max_bytes : n;
	pieces = (j.limit + PIECE - 1) / PIECE;
	count_add(COUNT_SEEN, pieces, j.limit);
	if (!c) {
		count_add(COUNT_CONNS_FULL, pieces, j.limit);
		return;
	}
	if (n > j.limit) {	/* the rest is one more that was seen, and lost */
		count_add(COUNT_SEEN, 1, n - j.limit);
		count_add(COUNT_MAX_BYTES, 1, n - j.limit);
	}
	record_fill(&j.head.head, SSL_DATA, now);
	j.head.conn = call->conn;
	j.head.serial = c->serial;
	j.head.since = call->since;
	j.head.dir = dir;
	j.head.lib = COOKIE_LIB(cookie);
	j.off = __sync_fetch_and_add(&c->moved[dir & 1], n);
	bpf_loop(pieces, put_piece, &j, 0);
}

/* A record without payload. */
static __always_inline void
tell(struct ssl_record *from)
{
	struct ssl_record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	count_add(COUNT_SEEN, 1, 0);
	if (!r) {
		count_add(COUNT_RING_FULL, 1, 0);
		return;
	}
	__builtin_memcpy(r, from, sizeof(*r));
	ring_submit(r, r->head.time);
}

static __always_inline void
handshaken(struct call *call, int result, __u64 cookie)
{
	struct conn *c = conn_get(call->conn, COOKIE_LIB(cookie));
	struct ssl_record r = {
		.conn = call->conn, .since = call->since, .result = result,
		.lib = COOKIE_LIB(cookie),
	};

	if (!c) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_CONNS_FULL, 1, 0);
		return;
	}
	r.serial = c->serial;
	record_fill(&r.head, SSL_HANDSHAKE, bpf_ktime_get_boot_ns());
	tell(&r);
}

SEC("uprobe.s")
int
on_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct call_key key = { .id = bpf_get_current_pid_tgid(), .sp = PT_REGS_SP(ctx) };
	struct call call = { .conn = PT_REGS_PARM1(ctx), .buf = PT_REGS_PARM2(ctx) };

	__u64 fourth = PT_REGS_PARM4(ctx), fifth = PT_REGS_PARM5(ctx);

	/* the verifier wants each register read from ctx at a constant offset */
	asm volatile("" : "+r"(fourth), "+r"(fifth));
	if (!target_wanted())
		return 0;
	call.done = COOKIE_SIG(cookie) == SIG_OUT4 ? fourth : fifth;
	call.since = bpf_ktime_get_boot_ns();
	if (bpf_map_update_elem(&calls, &key, &call, BPF_ANY)) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_CALLS_FULL, 1, 0);
	}
	return 0;
}

SEC("uprobe.s")
int
on_leave(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), n = 0;
	struct call_key key = {
		.id = bpf_get_current_pid_tgid(), .sp = PT_REGS_SP(ctx) - RETURN_SIZE,
	};
	struct call *found = bpf_map_lookup_elem(&calls, &key), call;
	long rc = PT_REGS_RC(ctx);

	if (!found)
		return 0;
	call = *found;
	bpf_map_delete_elem(&calls, &key);
	if (stopped)
		return 0;
	switch (COOKIE_SIG(cookie)) {
	case SIG_RESULT:
		handshaken(&call, rc, cookie);
		return 0;
	case SIG_INT:
		n = (int)rc > 0 ? (int)rc : 0;
		break;
	case SIG_LONG:
		n = rc > 0 ? rc : 0;
		break;
	default:
		if ((int)rc > 0 && bpf_probe_read_user(&n, sizeof(n), (void *)call.done)) {
			count_add(COUNT_SEEN, 1, 0);
			count_add(COUNT_FAULT, 1, 0);
		}
	}
	if (n)
		transferred(&call, n, cookie);
	return 0;
}

/* SSL_free(conn) */
SEC("uprobe.s")
int
on_free(struct pt_regs *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u64 *gen = bpf_map_lookup_elem(&images, &pid);
	struct conn_key key = { .conn = PT_REGS_PARM1(ctx) };
	struct ssl_record r = { .conn = key.conn };
	struct conn *c;

	if (!gen || stopped)
		return 0;
	key.gen = *gen;
	c = bpf_map_lookup_elem(&conns, &key);
	if (!c)
		return 0;
	record_fill(&r.head, SSL_CLOSE, bpf_ktime_get_boot_ns());
	r.serial = c->serial;
	r.lib = c->lib;
	r.moved[0] = c->moved[0];
	r.moved[1] = c->moved[1];
	bpf_map_delete_elem(&conns, &key);
	tell(&r);
	return 0;
}

/* SSL_set_tlsext_host_name(conn, name), which OpenSSL has as a macro for
 * SSL_ctrl(conn, command, number, name); gnutls_server_name_set(conn, type,
 * name, length) */
SEC("uprobe.s")
int
on_name(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), serial;
	__u64 second = PT_REGS_PARM2(ctx), third = PT_REGS_PARM3(ctx), fourth = PT_REGS_PARM4(ctx);
	__u64 from = second, max = NAME_MAX_LEN;
	struct name name = {};
	struct conn *c;
	long n;

	asm volatile("" : "+r"(second), "+r"(third), "+r"(fourth));
	if (COOKIE_SIG(cookie) == SIG_NAME_CTRL) {
		if ((__u32)second != SSL_CTRL_SET_TLSEXT_HOSTNAME)
			return 0;
		from = fourth;
	} else if (COOKIE_SIG(cookie) == SIG_NAME_LEN) {
		if ((__u32)second != GNUTLS_NAME_DNS || fourth >= NAME_MAX_LEN)
			return 0;
		from = third;
		max = fourth + 1;
	}
	if (!target_wanted())
		return 0;
	asm volatile("" : "+r"(max));
	if (max > NAME_MAX_LEN)
		return 0;
	n = bpf_probe_read_user_str(name.text, max, (void *)from);
	if (n <= 1)
		return 0;
	c = conn_get(PT_REGS_PARM1(ctx), COOKIE_LIB(cookie));
	if (!c)
		return 0;
	serial = c->serial;
	if (bpf_map_update_elem(&names, &serial, &name, BPF_ANY))
		count_add(COUNT_NAMES_FULL, 1, 0);
	return 0;
}

/* The current process image ends. The collector removes its connections. */
static __always_inline void
image_end(__u32 pid)
{
	__u64 *gen = bpf_map_lookup_elem(&images, &pid);
	struct ssl_record *r;

	if (!gen || stopped)
		return;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (r) {	/* else the collector's sweep finds them */
		struct ssl_record zero = { .gen = *gen };

		__builtin_memcpy(r, &zero, sizeof(zero));
		r->head.kind = SSL_GONE;
		r->head.pid = pid;
		r->head.time = bpf_ktime_get_boot_ns();
		ring_submit(r, r->head.time);
	}
	bpf_map_delete_elem(&images, &pid);
}

SEC("raw_tp/sched_process_exit")
int
on_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];

	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		image_end(BPF_CORE_READ(task, tgid));
	return 0;
}

SEC("raw_tp/sched_process_exec")
int
on_exec(struct bpf_raw_tracepoint_args *ctx)
{
	image_end(BPF_CORE_READ((struct task_struct *)ctx->args[0], tgid));
	return 0;
}
