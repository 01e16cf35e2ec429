/*
 * tcpsniff - what sockets carry whose first bytes are HTTP
 *
 * reads   the read, write, send and receive families of system calls on TCP and unix
 *         stream sockets, by tracepoint
 * writes  tcp.data per piece of a call, tcp.close
 * keeps   per connection: what its ends are; at most CONNS of them
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "check.h"
#include "flow.h"
#include "opt.h"
#include "probe.h"
#include "tcpsniff.h"
#include "tcpsniff/tcpsniff.skel.h"

enum { CONNS = 65536 };
enum { END_TEXT = sizeof("unix:") + UNIX_NAME };

struct known {			/* a connection that we were told of */
	char local[END_TEXT], peer[END_TEXT];
	size_t nlocal, npeer;
};

static struct tcpsniff {
	struct probe probe;
	struct tcpsniff_bpf *bpf;
	struct flow_table *known;
	uint64_t max_bytes;
	bool any;
	uint32_t ports[PORTS], nports;
} tcpsniff = { .max_bytes = 16 << 20 };

static const char *const reasons[] = {
	"conns_full", "max_bytes", "compat", "io_uring", "spliced", "busy", NULL,
};

static const struct gather_call calls[] = {
	{ SYS_read, CALL_BUFFER, DIR_READ },
	{ SYS_recvfrom, CALL_BUFFER, DIR_READ },
	{ SYS_readv, CALL_VECTOR, DIR_READ },
	{ SYS_preadv2, CALL_VECTOR, DIR_READ },
	{ SYS_recvmsg, CALL_MESSAGE, DIR_READ },
	{ SYS_recvmmsg, CALL_MESSAGES, DIR_READ },
	{ SYS_write, CALL_BUFFER, DIR_WRITE },
	{ SYS_sendto, CALL_BUFFER, DIR_WRITE },
	{ SYS_writev, CALL_VECTOR, DIR_WRITE },
	{ SYS_pwritev2, CALL_VECTOR, DIR_WRITE },
	{ SYS_sendmsg, CALL_MESSAGE, DIR_WRITE },
	{ SYS_sendmmsg, CALL_MESSAGES, DIR_WRITE },
	{ SYS_sendfile, CALL_SENDFILE, DIR_WRITE },
	{ SYS_splice, CALL_SPLICE, DIR_WRITE },
	{ SYS_connect, CALL_CONNECT, 0 },
	{ SYS_accept, CALL_ACCEPT, 0 },
	{ SYS_accept4, CALL_ACCEPT, 0 },
	{ SYS_socketpair, CALL_PAIR, 0 },
};

/* --- events ------------------------------------------------------------------ */

static void
forget(void *arg, void *entry, enum flow_why why)
{
	(void)arg, (void)entry, (void)why;
}

/* As net.connect has them: ADDRESS:PORT. */
static size_t
end_text(char *to, const uint8_t addr[16], unsigned port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };	/* ::ffff:0:0/96 */
	bool four = !memcmp(addr, mapped, sizeof(mapped));
	char text[INET6_ADDRSTRLEN];

	inet_ntop(four ? AF_INET : AF_INET6, four ? addr + 12 : addr, text, sizeof(text));
	return snprintf(to, END_TEXT, four ? "%s:%u" : "[%s]:%u", text, port);
}

/* unix:PATH, and unix:@NAME of an abstract one. 0: it has none. */
static size_t
name_text(char *to, const char *name, size_t n)
{
	static const char before[] = "unix:";

	if (n == 0 || n > UNIX_NAME)
		return 0;
	if (name[0])
		n = strnlen(name, n);
	memcpy(to, before, sizeof(before) - 1);
	memcpy(to + sizeof(before) - 1, name, n);
	if (!name[0])
		to[sizeof(before) - 1] = '@';
	return n + sizeof(before) - 1;
}

static void
on_begin(struct tcpsniff *t, const struct tcp_record *r)
{
	struct known *k = flow_get(t->known, &r->serial, sizeof(r->serial), 0);
	struct tcp_begin b;

	if (!k)
		err(1, "memory");
	if (r->len != sizeof(b))
		return;
	memcpy(&b, r->data, sizeof(b));
	if (b.family == AF_UNIX) {
		k->nlocal = name_text(k->local, b.local, b.nlocal);
		k->npeer = name_text(k->peer, b.peer, b.npeer);
	} else {
		k->nlocal = end_text(k->local, b.ends.local, b.ends.lport);
		k->npeer = end_text(k->peer, b.ends.peer, b.ends.pport);
	}
}

static void
put_conn(struct jput *j, const struct tcp_record *r)
{
	char conn[64];

	snprintf(conn, sizeof(conn), "%u:s%llu:%llu", r->owner, (unsigned long long)r->ino,
	    (unsigned long long)r->serial);
	jput_str(j, "conn", conn);
}

/* What every event of a connection says of it. */
static void
put_known(struct jput *j, const struct known *k, const struct tcp_record *r)
{
	if (r->side != SIDE_UNKNOWN)
		jput_str(j, "side", r->side == SIDE_CLIENT ? "client" : "server");
	if (k && k->npeer)
		jput_bytes(j, "peer", k->peer, k->npeer);
	if (k && k->nlocal)
		jput_bytes(j, "local", k->local, k->nlocal);
	if (r->peer_pid)
		jput_uint(j, "peer_pid", r->peer_pid);
	if (r->late)
		jput_bool(j, "late", true);
}

static void
on_data(struct tcpsniff *t, const struct tcp_record *r)
{
	struct jput j;

	if (!probe_event(&t->probe, &j, "tcp.data", &r->head, r->len))
		return;
	put_conn(&j, r);
	jput_str(&j, "function", r->dir == DIR_READ ? "READ/RECV" : "WRITE/SEND");
	jput_uint(&j, "off", r->off);
	jput_uint(&j, "len", r->span);
	jput_uint(&j, "fd", r->fd);
	put_known(&j, flow_find(t->known, &r->serial, sizeof(r->serial), 0), r);
	if (r->span > r->len) {
		jput_bool(&j, "truncated", true);
		jput_uint(&j, "captured", r->len);
	}
	jput_bytes(&j, "data", r->data, r->len);
	jput_close(&j);
}

static void
on_close(struct tcpsniff *t, const struct tcp_record *r)
{
	struct known *k = flow_find(t->known, &r->serial, sizeof(r->serial), 0);
	struct jput j;

	if (probe_event(&t->probe, &j, "tcp.close", &r->head, 0)) {
		put_conn(&j, r);
		jput_uint(&j, "read_bytes", r->moved[DIR_READ]);
		jput_uint(&j, "written_bytes", r->moved[DIR_WRITE]);
		put_known(&j, k, r);
		jput_close(&j);
	}
	if (k)
		flow_drop(t->known, k, FLOW_END);
}

static void
on_record(void *self, const struct record *head, size_t n)
{
	const struct tcp_record *r = (const void *)head;

	if (n < sizeof(*r) || r->len > n - sizeof(*r))
		return;
	switch (head->kind) {
	case TCP_BEGIN:
		on_begin(self, r);
		break;
	case TCP_DATA:
		on_data(self, r);
		break;
	case TCP_CLOSE:
		on_close(self, r);
		break;
	}
}

/* Every 100 ms, and when everything is taken off. */
static void
on_tick(void *self)
{
	struct tcpsniff *t = self;
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (t->bpf->bss->live)
		bpf_prog_test_run_opts(bpf_program__fd(t->bpf->progs.on_sweep), &opts);
}

static void
on_detach(void *self)
{
	struct tcpsniff *t = self;

	tcpsniff_bpf__detach(t->bpf);
	on_tick(t);
}

/* --- start ------------------------------------------------------------------- */

static const char *
add_ports(const char *arg)
{
	return opt_numbers(arg, 1, 65535, tcpsniff.ports, PORTS, &tcpsniff.nports);
}

static void
load(struct tcpsniff *t)
{
	struct tcpsniff_bpf *b = t->bpf = tcpsniff_bpf__open();

	if (!b)
		probe_fail("open", "BPF programs");
	probe_configure(&t->probe, b->obj, &b->rodata->target_conf);
	b->rodata->max_bytes = t->max_bytes ? t->max_bytes : UINT64_MAX;
	b->rodata->any = t->any;
	b->rodata->nports = t->nports;
	for (uint32_t i = 0; i < t->nports; i++)
		((uint16_t *)b->rodata->ports)[i] = t->ports[i];
	gather_calls(b->rodata->call_table, calls, sizeof(calls) / sizeof(calls[0]));
	if (probe_load(&t->probe, b->skeleton))
		probe_refused(&t->probe);
	if (t->probe.check)
		return;
	probe_follow(&t->probe, b->obj);
	probe_attach(b->progs.on_return, &b->links.on_return, "tracepoint sys_exit");
	probe_attach_uring(b->progs.on_uring, &b->links.on_uring);
	probe_give_up(&t->probe, 0, 0);
}

static void
start(void *self)
{
	struct tcpsniff *t = self;

	probe_start(&t->probe);
	load(t);
}

int
main(int argc, char **argv)
{
	static struct tcpsniff *t = &tcpsniff;
	const struct probe_ops ops = { on_record, on_tick, on_detach };
	const struct opt own[] = {
		{ .kind = OPT_HEAD,
		    .help = "Which connections (by default those that carry HTTP)" },
		{ .kind = OPT_CALL, .name = "ports", .arg = "N[,N]...", .call = add_ports,
		    .help = "TCP alone, with one of these ports at either end" },
		{ .kind = OPT_FLAG, .name = "any", .to = &t->any,
		    .help = "whatever they carry, TLS too" },
		{ .kind = OPT_SIZE, .name = "max-bytes", .arg = "SIZE", .to = &t->max_bytes,
		    .lo = 0, .hi = 1LL << 40, .help = "captured of one call (16M; 0: all)" },
		{ .kind = OPT_END },
	};
	const struct opt_use use = {
		.name = "tcpsniff", .synopsis = "[OPTION]...",
		.about = "Writes what TCP and unix sockets carry that is HTTP without TLS, as "
		    "tcp.data lines.",
		.tables = { own, probe_options(&t->probe) },
	};
	const struct check check = { &use, (const char *const[]){ "--any",
	    "--max-bytes 0 --ports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", NULL }, start };

	probe_init(&t->probe, "tcpsniff", reasons);
	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "unexpected operand");
	if (t->probe.check)
		return check_run(&t->probe, &check, t);
	t->known = flow_new(sizeof(struct known), CONNS, SIZE_MAX, forget, NULL);
	if (!t->known)
		err(1, "memory");
	start(t);
	return probe_run(&t->probe, &ops, t);
}
