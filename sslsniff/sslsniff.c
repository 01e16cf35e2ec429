/*
 * sslsniff - the plaintext that passes TLS libraries
 *
 * reads   SSL_read, SSL_write and their kin in every OpenSSL on the host and in
 *         the chosen processes, by uprobe
 * writes  ssl.data per piece of a call, ssl.handshake, ssl.close
 * keeps   per connection: its server name; at most CONNS connections
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "find.h"
#include "flow.h"
#include "inspect.h"
#include "kernel.h"
#include "libs.h"
#include "list.h"
#include "opt.h"
#include "probe.h"
#include "proc.h"
#include "sslsniff.h"
#include "sslsniff/sslsniff.skel.h"

enum { CONNS = 16384, SWEEP_TICKS = 100, STALE_NS = 1000000000 };

struct known {			/* a connection that we have written about */
	char name[NAME_MAX_LEN];	/* empty: none */
};

struct sslsniff {
	struct probe probe;
	struct sslsniff_bpf *bpf;
	struct attach attach;
	struct sites sites;	/* of the file at hand */
	struct flow_table *known;
	struct opt_list binaries;
	const char *way;
	uint64_t max_bytes;
	bool handshake, list, no_sleep;
	unsigned ticks;
};

static const char *const reasons[] = {
	"calls_full", "conns_full", "max_bytes", "names_full", NULL,
};

/* --- events ---------------------------------------------------------------- */

static void
forget(void *arg, void *entry, enum flow_why why)
{
	(void)arg, (void)entry, (void)why;
}

/* The server name of a connection; NULL when none is known. */
static const char *
server_name(struct sslsniff *s, uint64_t serial)
{
	int names = bpf_map__fd(s->bpf->maps.names);
	struct known *k = flow_find(s->known, &serial, sizeof(serial), 0);

	if (!k) {
		k = flow_get(s->known, &serial, sizeof(serial), 0);
		if (!k)
			return NULL;
		if (bpf_map_lookup_elem(names, &serial, k->name) == 0)
			bpf_map_delete_elem(names, &serial);
		k->name[NAME_MAX_LEN - 1] = '\0';
		if (utf8_valid(k->name, strlen(k->name)) < strlen(k->name))
			k->name[0] = '\0';	/* no host has such a name */
	}
	return k->name[0] ? k->name : NULL;
}

static void
put_conn(struct jput *j, uint32_t pid, uint64_t object, uint64_t serial)
{
	char conn[64];

	snprintf(conn, sizeof(conn), "%u:%lx:%lu", pid, object, serial);
	jput_str(j, "conn", conn);
}

static void
on_data(struct sslsniff *s, const struct ssl_record *r)
{
	const char *name;
	struct jput j;

	if (!probe_event(&s->probe, &j, "ssl.data", &r->head, r->len))
		return;
	name = server_name(s, r->serial);
	put_conn(&j, r->head.pid, r->conn, r->serial);
	jput_str(&j, "function", r->dir == DIR_READ ? "READ/RECV" : "WRITE/SEND");
	jput_uint(&j, "off", r->off);
	jput_uint(&j, "len", r->span);
	jput_str(&j, "lib", find_lib_name[r->lib]);
	jput_ms(&j, "latency_ms", r->head.time - r->since);
	if (name)
		jput_str(&j, "sni", name);
	if (r->span > r->len) {
		jput_bool(&j, "truncated", true);
		jput_uint(&j, "captured", r->len);
	}
	jput_bytes(&j, "data", r->data, r->len);
	jput_close(&j);
}

static void
on_handshake(struct sslsniff *s, const struct ssl_record *r)
{
	const char *name;
	struct jput j;

	if (!probe_event(&s->probe, &j, "ssl.handshake", &r->head, 0))
		return;
	name = server_name(s, r->serial);
	put_conn(&j, r->head.pid, r->conn, r->serial);
	jput_str(&j, "function", "HANDSHAKE");
	jput_str(&j, "lib", find_lib_name[r->lib]);
	jput_ms(&j, "latency_ms", r->head.time - r->since);
	jput_int(&j, "result", r->result);
	if (name)
		jput_str(&j, "sni", name);
	jput_close(&j);
}

static void
put_close(struct sslsniff *s, struct jput *j, uint32_t pid, uint64_t object, uint64_t serial,
    const __u64 moved[2])
{
	struct known *k = flow_find(s->known, &serial, sizeof(serial), 0);

	put_conn(j, pid, object, serial);
	jput_uint(j, "read_bytes", moved[DIR_READ]);
	jput_uint(j, "written_bytes", moved[DIR_WRITE]);
	jput_close(j);
	if (k)
		flow_drop(s->known, k, FLOW_END);
	else	/* a name that was set and never used */
		bpf_map_delete_elem(bpf_map__fd(s->bpf->maps.names), &serial);
}

static void
on_close(struct sslsniff *s, const struct ssl_record *r)
{
	struct jput j;

	if (probe_event(&s->probe, &j, "ssl.close", &r->head, 0))
		put_close(s, &j, r->head.pid, r->conn, r->serial, r->moved);
}

/* The process that had this connection ended. */
static void
end_conn(struct sslsniff *s, const struct conn_key *key, const struct conn *c, uint64_t time)
{
	struct record who = {
		.pid = c->pid, .tid = c->pid, .uid = c->uid, .ns_pid = c->ns_pid,
		.born = c->born, .time = time,
	};
	struct jput j;

	memcpy(who.comm, c->comm, sizeof(who.comm));
	memcpy(who.thread, c->comm, sizeof(who.thread));
	if (probe_extra(&s->probe, &j, "ssl.close", &who))
		put_close(s, &j, c->pid, key->conn, c->serial, c->moved);
}

/* Ends the connections of one process image; of all that ended, when gen is 0. */
static void
end_conns(struct sslsniff *s, uint64_t gen, uint64_t time)
{
	int conns = bpf_map__fd(s->bpf->maps.conns), images = bpf_map__fd(s->bpf->maps.images);
	struct conn_key key, next;
	bool more = bpf_map_get_next_key(conns, NULL, &next) == 0;
	struct conn c;

	while (more) {
		__u64 now = 0;

		key = next;
		more = bpf_map_get_next_key(conns, &key, &next) == 0;
		if ((gen && key.gen != gen) || bpf_map_lookup_elem(conns, &key, &c))
			continue;
		if (!gen && bpf_map_lookup_elem(images, &c.pid, &now) == 0 && now == key.gen)
			continue;
		bpf_map_delete_elem(conns, &key);
		end_conn(s, &key, &c, time);
	}
}

/* Forgets calls whose thread died inside them. */
static void
sweep_calls(struct sslsniff *s)
{
	int calls = bpf_map__fd(s->bpf->maps.calls);
	uint64_t now = clock_boot();
	struct call_key key, next;
	bool more = bpf_map_get_next_key(calls, NULL, &next) == 0;
	struct call c;

	while (more) {
		char path[64];

		key = next;
		more = bpf_map_get_next_key(calls, &key, &next) == 0;
		if (bpf_map_lookup_elem(calls, &key, &c) || now - c.since < STALE_NS)
			continue;
		snprintf(path, sizeof(path), "/proc/%u/task/%u", (unsigned)(key.id >> 32),
		    (unsigned)key.id);
		if (access(path, F_OK) && errno == ENOENT)
			bpf_map_delete_elem(calls, &key);
	}
}

static void
on_record(void *self, const struct record *head, size_t n)
{
	const struct ssl_record *r = (const void *)head;

	if (n < sizeof(*r) || r->len > n - sizeof(*r) || r->lib >= LIB_MAX)
		return;
	switch (head->kind) {
	case SSL_DATA:
		on_data(self, r);
		break;
	case SSL_HANDSHAKE:
		on_handshake(self, r);
		break;
	case SSL_CLOSE:
		on_close(self, r);
		break;
	case SSL_GONE:
		end_conns(self, r->gen, head->time);
		break;
	}
}

static void
on_tick(void *self)
{
	struct sslsniff *s = self;

	if (s->ticks++ % SWEEP_TICKS)
		return;
	sweep_calls(s);
	end_conns(s, 0, clock_boot());
}

static void
on_detach(void *self)
{
	struct sslsniff *s = self;

	s->bpf->bss->stopped = true;
	attach_close(&s->attach);
	sslsniff_bpf__detach(s->bpf);
}

/* --- attaching ------------------------------------------------------------- */

/* Finds the sites of an open file. False, with a reason in sites->why: none. */
static bool
plan(struct sslsniff *s, int fd, bool cache, struct sites *sites)
{
	struct found found;
	bool ok = inspect_fd(&found, fd, cache) == 0;

	if (ok)
		ok = site_plan(sites, &found, s->handshake);
	else
		snprintf(sites->why, sizeof(sites->why), "%s", strerror(errno));
	found_free(&found);
	return ok;
}

/* must: failing is fatal. Else only when no file could ever be attached to; one
 * odd library in some container must not keep us from the rest. */
static void
attach_sites(struct sslsniff *s, int fd, const char *path, const struct sites *sites, bool must)
{
	const char *what = "";
	char names[1024];

	if (attach_file(&s->attach, fd, sites, &what)) {
		char where[4400];

		snprintf(where, sizeof(where), "%s in %s", what, path);
		if (must || errno == EPERM || errno == EACCES)
			probe_fail("attach", where);
		warn("attach %s", where);
		return;
	}
	site_names(sites, names, sizeof(names));
	probe_note(&s->probe, "attached to %s: %s", path, names);
}

static void
attach_lib(void *self, int fd, const char *path, int pid)
{
	struct sslsniff *s = self;
	struct stat st;

	(void)pid;
	if (fstat(fd, &st) || attach_seen(&s->attach, st.st_dev, st.st_ino))
		return;
	if (plan(s, fd, false, &s->sites))
		attach_sites(s, fd, path, &s->sites, false);
	else
		probe_note(&s->probe, "not attached to %s: %s", path, s->sites.why);
}

static bool
attach_process(void *self, int pid)
{
	struct sslsniff *s = self;

	if (target_has(&s->probe.target, pid))
		libs_process(pid, attach_lib, s);	/* gone by now: no matter */
	return false;
}

static void
attach_binary(struct sslsniff *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(1, "--binary-path %s", path);
	if (attach_seen(&s->attach, st.st_dev, st.st_ino))
		return;
	if (!plan(s, fd, true, &s->sites))
		errx(1, "--binary-path %s: %s", path, s->sites.why);
	attach_sites(s, fd, path, &s->sites, true);
	close(fd);
}

static void
attach_all(struct sslsniff *s)
{
	for (size_t i = 0; i < s->binaries.n; i++)
		attach_binary(s, s->binaries.v[i]);
	libs_host(attach_lib, s);
	proc_each(attach_process, s);
	if (!s->attach.nfds && !s->attach.nlinks)
		warnx("no libssl found on this host or in the chosen processes: nothing will be seen "
		    "(see --list)");
}

/* How to attach: what the kernel has, unless told otherwise. */
static void
choose_way(struct sslsniff *s)
{
	struct sslsniff_bpf *b = s->bpf;
	struct bpf_program *progs[SITE_PROGS] = {
		[SITE_ENTER] = b->progs.on_enter, [SITE_LEAVE] = b->progs.on_leave,
		[SITE_FREE] = b->progs.on_free, [SITE_NAME] = b->progs.on_name,
	};
	bool sleep = !s->no_sleep && probe_can_sleep();

	s->attach.multi = s->way ? strcmp(s->way, "multi") == 0 : probe_can_multi();
	b->rodata->can_sleep = sleep;
	for (int i = 0; i < SITE_PROGS; i++) {
		s->attach.progs[i] = progs[i];
		if (s->attach.multi)
			bpf_program__set_expected_attach_type(progs[i],
			    (enum bpf_attach_type)KERNEL_UPROBE_MULTI);
		if (!sleep)
			bpf_program__set_flags(progs[i],
			    bpf_program__flags(progs[i]) & ~BPF_F_SLEEPABLE);
	}
	probe_note(&s->probe, "%s, %s", s->attach.multi ? "uprobe_multi links" : "perf uprobes",
	    sleep ? "pages are faulted in" : "pages that are not resident are lost (and counted)");
}

static void
load(struct sslsniff *s)
{
	s->bpf = sslsniff_bpf__open();
	if (!s->bpf)
		probe_fail("open", "BPF programs");
	probe_configure(&s->probe, s->bpf->obj, &s->bpf->rodata->target_conf);
	s->bpf->rodata->max_bytes = s->max_bytes;
	choose_way(s);
	if (sslsniff_bpf__load(s->bpf))
		probe_fail("load", "BPF programs");
	probe_follow(&s->probe, s->bpf->obj);
	s->bpf->links.on_exit = bpf_program__attach(s->bpf->progs.on_exit);
	s->bpf->links.on_exec = bpf_program__attach(s->bpf->progs.on_exec);
	if (!s->bpf->links.on_exit || !s->bpf->links.on_exec)
		probe_fail("attach", "tracepoints sched_process_exit and sched_process_exec");
	attach_all(s);
}

int
main(int argc, char **argv)
{
	static struct sslsniff s = { .max_bytes = 16 << 20 };
	const struct probe_ops ops = { on_record, on_tick, on_detach };
	const struct opt own[] = {
		{ .kind = OPT_HEAD, .help = "TLS" },
		{ .kind = OPT_LIST, .name = "binary-path", .arg = "FILE", .to = &s.binaries,
		    .help = "attach to this program or library too; repeatable" },
		{ .kind = OPT_FLAG, .name = "handshake", .to = &s.handshake,
		    .help = "write ssl.handshake events" },
		{ .kind = OPT_SIZE, .name = "max-bytes", .arg = "SIZE", .to = &s.max_bytes,
		    .lo = 1, .hi = 1 << 30, .help = "captured of one call (16M)" },
		{ .kind = OPT_FLAG, .name = "list", .to = &s.list,
		    .help = "say what TLS the chosen processes use and what would be hooked" },
		{ .kind = OPT_STR, .name = "attach", .arg = "WAY", .to = &s.way,
		    .help = "multi or perf: how to attach (the best that the kernel has)" },
		{ .kind = OPT_FLAG, .name = "no-sleep", .to = &s.no_sleep,
		    .help = "do not fault pages in; count them as lost" },
		{ .kind = OPT_END },
	};
	const struct opt_use use = {
		.name = "sslsniff", .synopsis = "[OPTION]...",
		.about = "Writes the plaintext that passes TLS libraries, as ssl.data lines.",
		.tables = { own, probe_options(&s.probe) },
	};

	probe_init(&s.probe, "sslsniff", reasons);
	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "unexpected operand");
	if (s.way && strcmp(s.way, "multi") && strcmp(s.way, "perf"))
		opt_fail(&use, "--attach %s: neither multi nor perf", s.way);
	if (s.list)
		return list_targets(&s.probe.target);
	s.known = flow_new(sizeof(struct known), CONNS, SIZE_MAX, forget, NULL);
	if (!s.known)
		err(1, "memory");
	probe_start(&s.probe);
	load(&s);
	return probe_run(&s.probe, &ops, &s);
}
