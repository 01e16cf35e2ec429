/*
 * net.c - net.connect, net.accept, net.bind, net.listen, net.dns
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "dns.h"
#include "emit.h"
#include "flow.h"
#include "self.h"
#include "process/process.skel.h"

static const char *
transport_of(const struct net_addr *a)
{
	if (a->family == AF_UNIX)
		return a->type == SOCK_STREAM ? "stream" :
		    a->type == SOCK_DGRAM ? "datagram" : "seqpacket";
	if (a->family == AF_VSOCK)
		return a->type == SOCK_STREAM ? "stream" :
		    a->type == SOCK_DGRAM ? "datagram" : "seqpacket";
	switch (a->protocol) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_MPTCP: return "mptcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_UDPLITE: return "udplite";
	case IPPROTO_SCTP: return "sctp";
	case IPPROTO_DCCP: return "dccp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return "icmp";
	}
	return "other";
}

/* "192.0.2.1:80", "[2001:db8::1]:80" */
static void
put_pair(struct jput *j, const char *key, int family, const void *address, unsigned port)
{
	char text[INET6_ADDRSTRLEN], both[INET6_ADDRSTRLEN + 16];

	inet_ntop(family, address, text, sizeof(text));
	snprintf(both, sizeof(both), family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
	jput_str(j, key, both);
}

/* family, transport, and address and port: the other end's (then local, too, when known),
 * or our own. */
void
net_put_addr(struct jput *j, const struct net_addr *a, bool peer, struct text path)
{
	static const uint8_t none[16];
	const void *address = peer ? a->peer : a->local;
	char text[INET6_ADDRSTRLEN];

	jput_str(j, "family", a->family == AF_UNIX ? "unix" : a->family == AF_VSOCK ? "vsock" :
	    a->family == AF_INET ? "inet" : "inet6");
	jput_str(j, "transport", transport_of(a));
	if (a->family == AF_VSOCK)
		return;
	if (a->family == AF_UNIX) {
		if (path.n)
			jput_bytes(j, "path", path.p, path.n);
		return;
	}
	if (!peer || a->port || memcmp(a->peer, none, sizeof(none))) {
		inet_ntop(a->family, address, text, sizeof(text));
		jput_str(j, "address", text);
		jput_uint(j, "port", peer ? a->port : a->local_port);
	}
	if (peer && a->local_port)
		put_pair(j, "local", a->family, a->local, a->local_port);
}

/* lines: for the books. */
static void
put_event(struct process *s, const struct event_record *r, const struct strings *t, int lines)
{
	static const char *const types[] = {
		[OP_CONNECT] = "net.connect", [OP_ACCEPT] = "net.accept",
		[OP_BIND] = "net.bind", [OP_LISTEN] = "net.listen",
	};
	struct text path = t->s[STR_NAME];
	char buf[PATH_TEXT];
	bool peer = r->op == OP_CONNECT || r->op == OP_ACCEPT;
	struct jput j;

	if (r->op < OP_CONNECT || r->op > OP_LISTEN)
		return;
	/* an abstract name begins with NUL */
	if (t->s[STR_BASE].n || (path.n && path.p[0]))
		path = where_path(s, r, t, STR_BASE, buf);
	if (!emit_begin(s, &j, types[r->op], &r->head, lines, 0))
		return;
	jput_uint(&j, "fd", r->fd);
	net_put_addr(&j, &r->addr, peer, path);
	if (r->addr.family == AF_VSOCK && r->addr.port) {
		jput_uint(&j, "cid", (uint64_t)r->b >> 32);
		jput_uint(&j, "port", (uint32_t)r->b);
	}
	emit_mnt_ns(s, &j, r->addr.family == AF_UNIX ? r->mnt_ns : 0);
	if (r->op == OP_LISTEN)
		jput_int(&j, "backlog", (int32_t)r->a);
	jput_int(&j, "result", r->result);
	emit_error(&j, r->result);
	if (r->since)
		jput_ms(&j, "latency_ms", r->head.time - r->since);
	jput_close(&j);
}

/* --- UDP --------------------------------------------------------------------------- */

/* A UDP socket that is connected has reached nobody by that: resolvers connect one to
 * each address of a name, to see which way the kernel would send, and send nothing. So
 * such a connect is an event when something has passed. */
struct udp_connect {
	bool waits;
	struct event_record r;	/* its serial: how many transfers there were before */
};

static struct udp_connect *
udp_of(struct process *s, uint32_t pid, uint32_t fd)
{
	struct fd_key key = { pid, fd };

	return s->udp ? flow_find(s->udp, &key, sizeof(key), 0) : NULL;
}

void
net_passed(struct process *s, uint32_t pid, uint32_t fd, uint64_t calls)
{
	struct udp_connect *u = udp_of(s, pid, fd);
	const struct strings none = { .s = { { "", 0 } } };

	if (!u || !u->waits || calls <= u->r.serial)
		return;
	u->waits = false;
	put_event(s, &u->r, &none, 0);
}

static void
forget(void *arg, void *entry, enum flow_why why)
{
	(void)arg, (void)entry, (void)why;
}

static void
udp_connect(struct process *s, const struct event_record *r)
{
	struct fd_key key = { r->head.pid, r->fd };
	struct udp_connect *u;

	net_passed(s, key.pid, key.fd, r->serial);
	u = flow_get(s->udp, &key, sizeof(key), 0);
	if (!u)
		return;
	u->waits = r->op == OP_CONNECT;
	u->r = *r;
}

void
net_tick(struct process *s)
{
	enum { CONNECTS = 8192 };

	if (!s->udp)
		s->udp = flow_new(sizeof(struct udp_connect), CONNECTS, SIZE_MAX, forget, NULL);
}

void
net_event(struct process *s, const struct event_record *r, const struct strings *t)
{
	if (r->op == OP_SEND)
		fds_send(s, r, t);
	else if (r->op == OP_DISSOLVE || (r->op == OP_CONNECT && r->result >= 0 &&
	    r->addr.family != AF_UNIX && r->addr.protocol == IPPROTO_UDP))
		udp_connect(s, r);
	else
		put_event(s, r, t, 1);
}

void
net_finish(struct process *s)
{
	int map = bpf_map__fd(s->bpf->maps.pending);
	const struct strings none = { .s = { { "", 0 } } };
	struct pending p;
	__u64 key;

	while (bpf_map_get_next_key(map, NULL, &key) == 0) {
		if (bpf_map_lookup_elem(map, &key, &p) == 0) {
			struct event_record r = {
				.head = p.head, .op = OP_CONNECT, .result = -EINPROGRESS,
				.fd = p.fd, .addr = p.addr,
			};

			put_event(s, &r, &none, 0);	/* not seen to end */
		}
		bpf_map_delete_elem(map, &key);
	}
}

void
net_dns(struct process *s, const struct event_record *r, const struct strings *t)
{
	static struct dns_message m;
	char text[INET6_ADDRSTRLEN];
	const char *name;
	struct jput j;

	if (!dns_parse(&m, t->s[STR_BASE].p, t->s[STR_BASE].n)) {
		loss_add(&s->probe.loss, "not_dns", 1, 0);
		return;
	}
	if (!emit_begin(s, &j, "net.dns", &r->head, 1, 0))
		return;
	jput_uint(&j, "fd", r->fd);
	jput_str(&j, "kind", m.answer ? "answer" : "query");
	jput_uint(&j, "dns_id", m.id);
	jput_str(&j, "name", m.name);
	name = dns_type_name(m.type);
	snprintf(text, sizeof(text), "TYPE%u", m.type);
	jput_str(&j, "qtype", name ? name : text);
	inet_ntop(r->addr.family, r->addr.peer, text, sizeof(text));
	jput_str(&j, "server", text);
	if (m.answer) {
		name = dns_rcode_name(m.rcode);
		snprintf(text, sizeof(text), "RCODE%u", m.rcode);
		jput_str(&j, "rcode", name ? name : text);
		jput_array(&j, "addresses");
		for (size_t i = 0; i < m.naddresses; i++) {
			const struct dns_address *a = &m.addresses[i];

			inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->bytes, text, sizeof(text));
			jput_str(&j, NULL, text);
		}
		jput_array_end(&j);
	}
	if (m.naliases) {
		jput_array(&j, "aliases");
		for (size_t i = 0; i < m.naliases; i++)
			jput_str(&j, NULL, m.aliases[i]);
		jput_array_end(&j);
	}
	if (m.truncated)
		jput_bool(&j, "truncated", true);
	jput_close(&j);
}
