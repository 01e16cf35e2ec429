/*
 * sock.bpf.h - stream sockets: from a descriptor to its socket, and to its ends
 */
#ifndef SOCK_BPF_H
#define SOCK_BPF_H

#include <bpf/bpf_endian.h>
#include "path.bpf.h"
#include "trace.bpf.h"
#include "tcpsniff.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	struct net *net;
} possible_net_t;

struct net {
	struct ns_common ns;
};

struct in6_addr {
	struct { } in6_u;
};

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type, sk_protocol;
	struct socket *sk_socket;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

typedef struct {
	long long counter;
} atomic64_t;

/* What counts the users of a file, until Linux 6.12 and since. */
struct file___counted {
	atomic64_t f_count;
};

struct file_ref {
	atomic64_t refcnt;
};

struct file___referred {
	struct file_ref f_ref;
};

struct unix_address {
	int len;
	struct { } name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

#pragma clang attribute pop

enum { FORMAT = 0170000, SOCKET = 0140000 };	/* S_IFMT, S_IFSOCK */
enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10 };
enum { TYPE_STREAM = 1, PROTO_TCP = 6, PROTO_MPTCP = 262 };

const volatile __u32 nports = 0;	/* --ports: these alone, at either end */
const volatile __u16 ports[PORTS] = {};

/* A socket by its file, which all descriptors of it share: kernel address and number
 * of the inode, for the address may come to be another's. */
struct place_of {
	__u64 file, ino;
};

/* The socket of a descriptor of the current process; false: it has none there. */
static __always_inline bool
socket_of(struct place_of *p, __u32 fd)
{
	struct file *file = file_get(current_task(), fd);
	struct inode *inode;

	if (!file)
		return false;
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & FORMAT) != SOCKET)
		return false;
	p->file = (__u64)file;
	p->ino = BPF_CORE_READ(inode, i_ino);
	return true;
}

static __always_inline struct sock *
file_sock(__u64 file)
{
	struct file *f = (void *)file;
	struct socket *socket = BPF_CORE_READ(f, private_data);

	return BPF_CORE_READ(socket, sk);
}

/* Whether it is still a socket that somebody has open. */
static __always_inline bool
socket_lives(const struct place_of *p)
{
	struct file *file = (void *)p->file;
	struct file___counted *counted = (void *)file;
	struct file___referred *referred = (void *)file;
	long long users;

	if (bpf_core_field_exists(counted->f_count)) {
		users = BPF_CORE_READ(counted, f_count.counter) - 1;
		KEEP(users);
	} else {
		users = BPF_CORE_READ(referred, f_ref.refcnt.counter);
		KEEP(users);
	}
	return users >= 0 && BPF_CORE_READ(file, f_inode, i_ino) == p->ino &&
	    file_sock(p->file);
}

static __always_inline bool
port_wanted(__u16 port)
{
	for (int i = 0; i < PORTS; i++)
		if (i < nports && ports[i] == port)
			return true;
	return false;
}

/* Whether its bytes are a stream that is for us, whatever they are. */
static __always_inline bool
sock_wanted(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family), proto;

	if (BPF_CORE_READ(sk, sk_type) != TYPE_STREAM)
		return false;
	if (family == FAMILY_UNIX)
		return !nports;
	if (family != FAMILY_INET && family != FAMILY_INET6)
		return false;
	proto = BPF_CORE_READ(sk, sk_protocol);
	if (proto != PROTO_TCP && proto != PROTO_MPTCP)
		return false;
	return !nports || port_wanted(BPF_CORE_READ(sk, __sk_common.skc_num)) ||
	    port_wanted(bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport)));
}

static __always_inline bool
sock_is_unix(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_family) == FAMILY_UNIX;
}

/* The file at the other end of a unix socket; NULL: none. */
static __always_inline struct file *
unix_peer_file(struct sock *sk)
{
	struct unix_sock *u = (void *)sk;
	struct sock *peer = BPF_CORE_READ(u, peer);

	return peer ? BPF_CORE_READ(peer, sk_socket, file) : NULL;
}

/* Of a TCP socket. Not static: so the verifier looks at it once. */
__noinline int
ends_read(struct ends *e, __u64 at)
{
	struct sock *sk = (void *)at;

	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof(*e));
	e->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	e->pport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == FAMILY_INET6) {
		bpf_core_read(e->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(e->peer, 16, &sk->__sk_common.skc_v6_daddr);
	} else {
		e->local[10] = e->local[11] = e->peer[10] = e->peer[11] = 0xff;
		bpf_core_read(e->local + 12, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(e->peer + 12, 4, &sk->__sk_common.skc_daddr);
	}
	/* others have each other's addresses in every namespace */
	if (e->local[12] == 127 || (!e->local[0] && e->local[15] == 1))
		e->net = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	return 0;
}

static __always_inline void
ends_turn(struct ends *to, const struct ends *e)
{
	__builtin_memcpy(to->local, e->peer, sizeof(to->local));
	__builtin_memcpy(to->peer, e->local, sizeof(to->peer));
	to->lport = e->pport;
	to->pport = e->lport;
	to->net = e->net;
}

/* The name that a unix socket is bound to, as the program gave it; how long it is. */
static __always_inline __u8
unix_name(char *to, struct unix_sock *u)
{
	struct unix_address *addr = u ? BPF_CORE_READ(u, addr) : NULL;
	int len;

	if (!addr)
		return 0;
	len = BPF_CORE_READ(addr, len) - 2;	/* without the family */
	asm volatile("" : "+r"(len));
	if (len <= 0 || len > UNIX_NAME)
		return 0;
	bpf_probe_read_kernel(to, len,
	    (void *)addr + bpf_core_field_offset(struct unix_address, name) + 2);
	return len;
}

#endif
