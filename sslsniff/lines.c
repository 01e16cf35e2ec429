/*
 * lines.c - see lines.h
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "found.h"
#include "flow.h"
#include "hold.h"
#include "lines.h"
#include "probe.h"
#include "sslsniff.h"

enum {
	CONNS = 16384,
	OVER_NS = 1000000000,	/* from the end of the socket to that of its connection */
};

struct known {			/* a connection that we have written about */
	bool requested;		/* its name was */
	bool bound;		/* to a socket: */
	int32_t fd;		/* -1: not found */
	char local[56], peer[56];
	char name[NAME_MAX_LEN];	/* empty: none */
};

static void
forget(void *arg, void *entry, enum flow_why why)
{
	(void)arg, (void)entry, (void)why;
}

/* NSS and GnuTLS are told addresses too, and send no name then: RFC 6066, 3. */
static bool
is_address(const char *name)
{
	struct in6_addr a;

	return inet_pton(AF_INET, name, &a) == 1 || inet_pton(AF_INET6, name, &a) == 1;
}

/* What is known of a connection; NULL: out of memory. */
static struct known *
known_conn(struct lines *l, uint64_t serial)
{
	struct known *k = flow_get(l->known, &serial, sizeof(serial), 0);

	if (!k || k->requested)
		return k;
	k->requested = true;
	if (bpf_map_lookup_elem(l->names, &serial, k->name) == 0)
		bpf_map_delete_elem(l->names, &serial);
	k->name[NAME_MAX_LEN - 1] = '\0';
	if (utf8_valid(k->name, strlen(k->name)) < strlen(k->name) || is_address(k->name))
		k->name[0] = '\0';	/* no host has such a name */
	return k;
}

static void
print_end(char *buf, size_t size, unsigned family, const uint32_t *addr, unsigned port)
{
	/* ::ffff:0:0/96, as it lies in memory */
	static const uint32_t mapped[3] = { 0, 0, 0xffff0000 };
	char text[INET6_ADDRSTRLEN];

	if (family == AF_INET6 && !memcmp(addr, mapped, sizeof(mapped))) {
		family = AF_INET;
		addr += 3;
	}
	inet_ntop(family, addr, text, sizeof(text));
	snprintf(buf, size, family == AF_INET ? "%s:%u" : "[%s]:%u", text, port);
}

static void
on_socket(struct lines *l, const struct ssl_socket_record *r)
{
	struct known *k = known_conn(l, r->serial);

	if (!k || (r->at.family != AF_INET && r->at.family != AF_INET6))
		return;
	k->bound = true;
	k->fd = r->fd;
	print_end(k->local, sizeof(k->local), r->at.family, r->at.local, r->at.lport);
	print_end(k->peer, sizeof(k->peer), r->at.family, r->at.peer, r->at.pport);
}

/* What every event of a connection says of it. */
static void
put_known(struct jput *j, const struct known *k, bool late)
{
	if (k && k->name[0])
		jput_str(j, "sni", k->name);
	if (k && k->bound) {
		if (k->fd >= 0)
			jput_int(j, "fd", k->fd);
		jput_str(j, "peer", k->peer);
		jput_str(j, "local", k->local);
	}
	if (late)
		jput_bool(j, "late", true);
}

static void
put_conn(struct jput *j, uint32_t pid, uint64_t object, uint64_t serial)
{
	char conn[64];

	snprintf(conn, sizeof(conn), "%u:%lx:%lu", pid, object, serial);
	jput_str(j, "conn", conn);
}

static void
on_data(struct lines *l, const struct ssl_record *r)
{
	struct jput j;

	if (!probe_event(l->probe, &j, "ssl.data", &r->head, r->len))
		return;
	put_conn(&j, r->head.pid, r->conn, r->serial);
	jput_str(&j, "function", r->dir == DIR_READ ? "READ/RECV" : "WRITE/SEND");
	jput_uint(&j, "off", r->off);
	jput_uint(&j, "len", r->span);
	jput_str(&j, "lib", find_lib_name[r->lib]);
	jput_ms(&j, "latency_ms", r->head.time - r->since);
	put_known(&j, known_conn(l, r->serial), r->late);
	if (r->span > r->len) {
		jput_bool(&j, "truncated", true);
		jput_uint(&j, "captured", r->len);
	}
	jput_bytes(&j, "data", r->data + r->skip, r->len);
	jput_close(&j);
}

static void
on_handshake(struct lines *l, const struct ssl_record *r)
{
	struct jput j;

	if (!probe_event(l->probe, &j, "ssl.handshake", &r->head, 0))
		return;
	put_conn(&j, r->head.pid, r->conn, r->serial);
	jput_str(&j, "function", "HANDSHAKE");
	jput_str(&j, "lib", find_lib_name[r->lib]);
	jput_ms(&j, "latency_ms", r->head.time - r->since);
	jput_int(&j, "result", r->result);
	put_known(&j, known_conn(l, r->serial), r->late);
	jput_close(&j);
}

static void
put_close(struct lines *l, struct jput *j, uint32_t pid, uint64_t object, uint64_t serial,
    const __u64 moved[2], bool late)
{
	struct known *k = flow_find(l->known, &serial, sizeof(serial), 0);

	put_conn(j, pid, object, serial);
	jput_uint(j, "read_bytes", moved[DIR_READ]);
	jput_uint(j, "written_bytes", moved[DIR_WRITE]);
	put_known(j, k, late);
	jput_close(j);
	if (k)
		flow_drop(l->known, k, FLOW_END);
	else	/* a name that was set and never used */
		bpf_map_delete_elem(l->names, &serial);
}

static void
on_close(struct lines *l, const struct ssl_record *r)
{
	struct jput j;

	if (probe_event(l->probe, &j, "ssl.close", &r->head, 0))
		put_close(l, &j, r->head.pid, r->conn, r->serial, r->moved, r->late);
}

/* The process that had this connection ended. */
static void
end_conn(struct lines *l, const struct conn *c, uint64_t time)
{
	struct record who = {
		.pid = c->pid, .tid = c->pid, .uid = c->uid, .ns_pid = c->ns_pid,
		.born = c->born, .time = time,
	};
	struct jput j;

	memcpy(who.comm, c->comm, sizeof(who.comm));
	memcpy(who.thread, c->comm, sizeof(who.thread));
	if (probe_extra(l->probe, &j, "ssl.close", &who))
		put_close(l, &j, c->pid, c->object, c->serial, c->moved, c->late);
}

/* Ends the connections of one process image; when gen is 0, of all that ended, and
 * those whose TCP connection did: not every library has a function for it. */
static void
end_conns(struct lines *l, uint64_t gen, uint64_t time)
{
	struct conn_key key, next;
	bool more = bpf_map_get_next_key(l->conns, NULL, &next) == 0;
	struct conn c;

	while (more) {
		__u64 now[2] = { 0 };	/* number and age of the image */

		key = next;
		more = bpf_map_get_next_key(l->conns, &key, &next) == 0;
		if ((gen && key.gen != gen) || bpf_map_lookup_elem(l->conns, &key, &c))
			continue;
		if (!gen && bpf_map_lookup_elem(l->images, &c.pid, now) == 0 && now[0] == key.gen &&
		    (!c.over || time - c.over < OVER_NS))
			continue;
		bpf_map_delete_elem(l->conns, &key);
		end_conn(l, &c, time);
	}
}

/* Forgets the objects of processes that ended. */
static void
sweep_aliases(struct lines *l)
{
	struct conn_key key, next, of;
	bool more = bpf_map_get_next_key(l->aliases, NULL, &next) == 0;
	struct alias alias;
	struct conn c;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(l->aliases, &key, &next) == 0;
		if (bpf_map_lookup_elem(l->aliases, &key, &alias))
			continue;
		of = (struct conn_key){ key.gen, alias.conn };
		if (bpf_map_lookup_elem(l->conns, &of, &c))
			bpf_map_delete_elem(l->aliases, &key);
	}
}

/* Forgets calls of goroutines whose process died inside them. */
static void
sweep_calls(struct lines *l)
{
	struct call_key key, next;
	bool more = bpf_map_get_next_key(l->gocalls, NULL, &next) == 0;

	while (more) {
		char path[64];

		key = next;
		more = bpf_map_get_next_key(l->gocalls, &key, &next) == 0;
		snprintf(path, sizeof(path), "/proc/%u", (unsigned)(key.id >> 32));
		if (access(path, F_OK) && errno == ENOENT)
			bpf_map_delete_elem(l->gocalls, &key);
	}
}

void
lines_record(struct lines *l, const struct record *head, size_t n)
{
	const struct ssl_record *r = (const void *)head;

	if (head->kind == SSL_SOCKET && n >= sizeof(struct ssl_socket_record)) {
		on_socket(l, (const void *)head);
		return;
	}
	if (n < sizeof(*r) || r->len + r->skip > n - sizeof(*r) || r->lib >= LIB_MAX)
		return;
	switch (head->kind) {
	case SSL_DATA:
		on_data(l, r);
		break;
	case SSL_HANDSHAKE:
		on_handshake(l, r);
		break;
	case SSL_CLOSE:
		on_close(l, r);
		break;
	case SSL_GONE:
		end_conns(l, r->gen, head->time);
		break;
	}
}

void
lines_held(struct lines *l, const struct held *h)
{
	struct jput j;

	if (!probe_extra(l->probe, &j, "ssl.hold", &h->who))
		return;
	if (h->path[0])
		jput_bytes(&j, "path", h->path, strlen(h->path));
	jput_ms(&j, "held_ms", h->ns);
	jput_bool(&j, "attached", h->attached);
	jput_close(&j);
}

void
lines_sweep(struct lines *l)
{
	sweep_calls(l);
	end_conns(l, 0, clock_boot());
	sweep_aliases(l);
}

bool
lines_open(struct lines *l)
{
	l->known = flow_new(sizeof(struct known), CONNS, SIZE_MAX, forget, NULL);
	return l->known != NULL;
}
