/*
 * sslsniff.bpf.c - copies what TLS functions transferred, when they return
 *
 * on_enter/on_leave sit on any read, write or handshake function of C; the
 * probe's cookie says how it passes its arguments. on_new and on_free bound the
 * life of a connection, on_name learns the server's name. rustls and Go have
 * programs of their own. All of them work sleeping (pages that are not
 * resident are faulted in) or not (they are counted as lost).
 */
#include <stddef.h>
#include <linux/ptrace.h>
#include "target.bpf.h"
#include <bpf/bpf_tracing.h>
#include "sslsniff.h"
#include "go.bpf.h"
#include "rustls.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile bool emit_handshakes;

enum { SSL_CTRL_SET_TLSEXT_HOSTNAME = 55 };	/* <openssl/ssl.h> */
enum { GNUTLS_NAME_DNS = 1 };			/* <gnutls/gnutls.h> */

/* <prio.h>: PRDescType, PR_MSG_PEEK, and the head of PRFileDesc */
enum { PR_DESC_SOCKET_TCP = 2, PR_DESC_LAYERED = 4, PR_MSG_PEEK = 2, PR_LAYERS = 6 };

/* Server names by connection serial, until the collector fetches them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u64);
	__type(value, struct name);
} names SEC(".maps");

/* Whether a PRFileDesc is a layer (TLS) on a TCP socket: files, pipes and plain
 * sockets go through the same functions. */
static __always_inline bool
nspr_is_tls(__u64 fd)
{
	struct { __u64 methods, secret, lower; } d;
	__u32 type = 0;

	for (int i = 0; i < PR_LAYERS; i++) {
		if (bpf_probe_read_user(&d, sizeof(d), (void *)fd) ||
		    bpf_probe_read_user(&type, sizeof(type), (void *)d.methods))
			return false;
		if (type != PR_DESC_LAYERED)
			return i > 0 && type == PR_DESC_SOCKET_TCP;
		fd = d.lower;
	}
	return false;
}

SEC("uprobe.s")
int
on_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), sig = COOKIE_SIG(cookie);
	__u64 fourth = PT_REGS_PARM4(ctx), fifth = PT_REGS_PARM5(ctx);
	__u64 now = bpf_ktime_get_boot_ns();
	struct thread *t = thread_wanted(now);
	struct call *c;

	ON_OWN_STACK(ctx);
	/* the verifier wants each register read from ctx at a constant offset */
	asm volatile("" : "+r"(fourth), "+r"(fifth));
	if (!t)
		return 0;
	if ((sig == SIG_NSPR || sig == SIG_NSPR_RECV) && (!nspr_is_tls(PT_REGS_PARM1(ctx)) ||
	    (sig == SIG_NSPR_RECV && fourth & PR_MSG_PEEK)))
		return 0;
	c = call_begin(t, PT_REGS_SP(ctx));
	c->conn = PT_REGS_PARM1(ctx);
	c->buf = PT_REGS_PARM2(ctx);
	c->done = sig == SIG_OUT4 ? fourth : fifth;
	c->since = now;
	c->ops = t->ops[COOKIE_DIR(cookie)];
	return 0;
}

/* A handshake that is not done yet, or has just used the network, is a
 * connection that begins. */
static __always_inline void
handshaken(struct thread *t, struct call *call, int result, __u64 cookie)
{
	bool begun = result <= 0 || t->ops[DIR_READ] != call->ops;
	struct ssl_record *r;
	struct conn_key key;
	struct conn *c;

	if (!emit_handshakes) {
		if (begun && object_key(t, &key, call->conn) && !bpf_map_lookup_elem(&conns, &key))
			object_begins(call->conn, BPF_NOEXIST);
		return;
	}
	c = conn_get(t, &key, call->conn, cookie, begun ? SOCK_BEGUN : 0);
	if (!c) {
		count_add(COUNT_SEEN, 1, 0);
		count_add(COUNT_CONNS_FULL, 1, 0);
		return;
	}
	r = emit(c, SSL_HANDSHAKE);
	if (!r)
		return;
	r->since = call->since;
	r->result = result;
	r->lib = COOKIE_LIB(cookie);
	ring_submit(r);
}

SEC("uprobe.s")
int
on_leave(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), n = 0;
	struct thread *t = thread_ends_call();
	long rc = PT_REGS_RC(ctx);
	struct call *call;

	ON_OWN_STACK(ctx);
	if (!t || !(call = call_end(t, PT_REGS_SP(ctx) - RETURN_SIZE)) || stopped)
		return 0;
	switch (COOKIE_SIG(cookie)) {
	case SIG_RESULT:
		handshaken(t, call, rc, cookie);
		greeted(t, call->conn, false);
		return 0;
	case SIG_INT: case SIG_NSPR: case SIG_NSPR_RECV:
		n = (int)rc > 0 ? (int)rc : 0;
		break;
	case SIG_LONG:
		n = rc > 0 ? rc : 0;
		break;
	default:
		if ((int)rc > 0 && bpf_probe_read_user(&n, sizeof(n), (void *)call->done)) {
			count_add(COUNT_SEEN, 1, 0);
			count_add(COUNT_FAULT, 1, 0);
		}
	}
	if (n)
		transferred(t, call, n, cookie, true);
	else
		greeted(t, call->conn, COOKIE_DIR(cookie) == DIR_WRITE);
	return 0;
}

/* SSL_new(...) -> conn */
SEC("uprobe.s")
int
on_new(struct pt_regs *ctx)
{
	ON_OWN_STACK(ctx);
	if (thread_chosen())
		object_begins(PT_REGS_RC(ctx), BPF_ANY);
	return 0;
}

/* SSL_free(conn) */
SEC("uprobe.s")
int
on_free(struct pt_regs *ctx)
{
	ON_OWN_STACK(ctx);
	object_ends(PT_REGS_PARM1(ctx));
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
	struct conn_key key;
	struct thread *t;
	struct name *name;
	struct conn *c;
	long n;

	ON_OWN_STACK(ctx);
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
	if (!thread_chosen() || !(t = thread_make()))
		return 0;
	name = &t->work.name;
	__builtin_memset(name, 0, sizeof(*name));
	asm volatile("" : "+r"(max));	/* the bound must be seen after any spill */
	if (max > NAME_MAX_LEN)
		return 0;
	n = bpf_probe_read_user_str(name->text, max, (void *)from);
	if (n <= 1)
		return 0;
	c = conn_get(t, &key, PT_REGS_PARM1(ctx), cookie, SOCK_BEGUN);
	if (!c)
		return 0;
	serial = c->serial;
	if (bpf_map_update_elem(&names, &serial, name, BPF_ANY))
		count_add(COUNT_NAMES_FULL, 1, 0);
	return 0;
}
