/*
 * socket.bpf.h - what a socket is connected to, in words of struct net_addr
 */
#ifndef SOCKET_BPF_H
#define SOCKET_BPF_H

#include <bpf/bpf_endian.h>
#include "emit.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr___k {
	__u8 s6_bytes[16];
};

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct { } skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type, sk_protocol;
	int sk_err;
};

struct socket {
	struct sock *sk;
};

struct unix_address {
	int len;
	struct { } name[0];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
	struct sock *peer;
};

struct hlist_bl_node___d {
	void *next, **pprev;
};

struct dentry___hash {
	struct hlist_bl_node___d d_hash;
};

#pragma clang attribute pop

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10, PROTO_UDP = 17, PROTO_TCP = 6 };
enum { STATE_ESTABLISHED = 1, STATE_SYN_SENT = 2, STATE_CLOSE = 7 };
enum { FAMILY_VSOCK = 40, TYPE_DATAGRAM = 2, TYPE_RAW = 3 };
enum { UNIX_NAME = 108 };	/* sun_path */

static __always_inline struct sock *
file_sock(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return BPF_CORE_READ(socket, sk);
}

/* Whether the file has no name any more. */
static __always_inline bool
file_deleted(struct file *file)
{
	struct dentry___hash *d = (void *)BPF_CORE_READ(file, f_path.dentry);
	void **pprev = NULL;

	bpf_core_read(&pprev, sizeof(pprev), &d->d_hash.pprev);
	return !pprev;
}

/* IPv4, IPv6, and unix sockets that have a name at one end or may send to one. */
static __always_inline bool
socket_wanted(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct unix_sock *u = (void *)sk, *peer;

	if (family != FAMILY_UNIX)
		return family == FAMILY_INET || family == FAMILY_INET6;
	peer = (void *)BPF_CORE_READ(u, peer);
	if (BPF_CORE_READ(u, addr))
		return true;
	return peer ? !!BPF_CORE_READ(peer, addr) : BPF_CORE_READ(sk, sk_type) == TYPE_DATAGRAM;
}

static __always_inline void
addr_fill(struct net_addr *a, struct sock *sk)
{
	a->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	a->type = BPF_CORE_READ(sk, sk_type);
	a->protocol = BPF_CORE_READ(sk, sk_protocol);
	if (a->family == FAMILY_UNIX)
		return;
	a->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	a->port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (a->family == FAMILY_INET) {
		bpf_core_read(a->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(a->peer, 4, &sk->__sk_common.skc_daddr);
	} else {
		bpf_core_read(a->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(a->peer, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

/* struct sockaddr of the caller: family, port, address; as the local or as
 * the other end. */
static __always_inline void
addr_user(struct net_addr *a, const void *sockaddr, bool local)
{
	__u8 *to = local ? a->local : a->peer;
	__u16 family = 0, port = 0;

	bpf_probe_read_user(&family, 2, sockaddr);
	if (family != FAMILY_INET && family != FAMILY_INET6)
		return;
	bpf_probe_read_user(&port, 2, sockaddr + 2);
	if (local)
		a->local_port = bpf_ntohs(port);
	else
		a->port = bpf_ntohs(port);
	if (family == FAMILY_INET)	/* sin_addr, sin6_addr */
		bpf_probe_read_user(to, 4, sockaddr + 4);
	else
		bpf_probe_read_user(to, 16, sockaddr + 8);
	a->family = family;
}

/* The name that a unix socket is bound to: its place in the file system, or
 * the abstract name with its leading NUL. 0: none. */
static __always_inline __u32
add_unix(struct scratch *s, __u32 at, struct unix_sock *u)
{
	struct dentry *d = BPF_CORE_READ(u, path.dentry);
	struct unix_address *addr = BPF_CORE_READ(u, addr);
	int len;

	if (d)
		return add_path(s, at, STR_BASE, (__u64)BPF_CORE_READ(u, path.mnt), (__u64)d);
	if (!addr)
		return at;
	len = BPF_CORE_READ(addr, len) - 2;	/* without the family */
	asm volatile("" : "+r"(len), "+r"(at));
	if (len <= 0 || len > UNIX_NAME || at > STRINGS_CAP - NAME_CAP)
		return at;
	bpf_probe_read_kernel(s->room + at, len,
	    (void *)addr + bpf_core_field_offset(struct unix_address, name) + 2);
	s->r.len[STR_NAME] = len;
	return at + len;
}

/* Addresses, or the name of a unix socket: its own, else its peer's. */
__noinline __u32
add_socket(struct scratch *s, __u32 at, __u64 sk)
{
	struct unix_sock *u = (void *)sk;

	if (!s)
		return 0;
	addr_fill(&s->r.addr, (void *)sk);
	if (s->r.addr.family != FAMILY_UNIX)
		return at;
	if (!BPF_CORE_READ(u, addr))
		u = (void *)BPF_CORE_READ(u, peer);
	return u ? add_unix(s, at, u) : at;
}

#endif
