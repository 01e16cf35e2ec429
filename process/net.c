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
#include "self.h"
#include "process/process.skel.h"

static const char *
transport_of(const struct net_addr *a)
{
	if (a->family == AF_UNIX)
		return a->type == SOCK_STREAM ? "stream" :
		    a->type == SOCK_DGRAM ? "datagram" : "seqpacket";
	return a->protocol == IPPROTO_TCP ? "tcp" : a->protocol == IPPROTO_UDP ? "udp" :
	    a->protocol == IPPROTO_ICMP || a->protocol == IPPROTO_ICMPV6 ? "icmp" : "other";
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

	jput_str(j, "family", a->family == AF_UNIX ? "unix" : a->family == AF_INET ? "inet" : "inet6");
	jput_str(j, "transport", transport_of(a));
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
	if (r->op == OP_LISTEN)
		jput_int(&j, "backlog", (int32_t)r->a);
	jput_int(&j, "result", r->result);
	emit_error(&j, r->result);
	if (r->since)
		jput_ms(&j, "latency_ms", r->head.time - r->since);
	jput_close(&j);
}

void
net_event(struct process *s, const struct event_record *r, const struct strings *t)
{
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
