/*
 * fds.c - file.read, file.write, net.close: byte totals of descriptors
 *
 * reads   the map fds every --interval; the record that ends a descriptor
 * keeps   per descriptor its path or addresses, and what was emitted so far
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "emit.h"
#include "flow.h"
#include "self.h"
#include "process/process.skel.h"

enum { FDS = 65536, BATCH = 1024, SOME = 1024 };

struct known {
	struct known *next, **back;	/* all of them; NULL: not among them yet */
	struct record head;
	uint32_t fd, kind, mnt_ns;
	bool deleted, cut, opened;
	uint64_t bytes[2], calls[2], last[2];	/* emitted */
	struct net_addr addr;
	struct text path, root;			/* allocated, as one */
	struct sends *sends;
};

static void
forget(void *arg, void *entry, enum flow_why why)
{
	struct known *k = entry;

	(void)arg, (void)why;
	if (k->back && (*k->back = k->next))
		k->next->back = k->back;
	free((char *)k->path.p);
	sends_free(k->sends);
}

static bool
keep_path(struct known *k, struct text path, struct text root)
{
	char *p = malloc(path.n + root.n + 1);

	if (!p)
		return false;
	memcpy(p, path.p, path.n);
	memcpy(p + path.n, root.p, root.n);	/* it may be the one that goes with the path */
	free((char *)k->path.p);
	k->path = (struct text){ p, path.n };
	k->root = (struct text){ p + path.n, root.n };
	return true;
}

void
fds_begin(struct process *s, const struct event_record *r, const struct strings *t)
{
	struct known *k = flow_get(s->fds, &r->serial, sizeof(r->serial), 0);
	char path[PATH_TEXT];
	struct text p = t->s[STR_NAME];

	if (t->s[STR_BASE].n)
		p = where_path(s, r, t, STR_BASE, path);
	if (!k || !keep_path(k, p, t->s[STR_ROOT]))
		err(1, "memory");
	if (!k->back) {
		k->back = &s->fds_known;
		if ((k->next = s->fds_known))
			k->next->back = &k->next;
		s->fds_known = k;
	}
	k->head = r->head;
	k->fd = r->fd;
	k->kind = r->b;
	k->addr = r->addr;
	k->mnt_ns = r->mnt_ns;
	k->deleted = r->flags & EVENT_DELETED;
	k->cut = r->flags & EVENT_CUT;
}

/* What was transferred in one direction since it was last reported; the head says when. */
static struct reading
news(struct known *k, const struct fd_entry *e, int dir)
{
	struct reading r = {
		.head = k->head, .mnt_ns = k->mnt_ns, .fd = k->fd, .last = e->last[dir],
		.marks = (k->cut ? FD_CUT : 0) | (k->deleted ? FD_DELETED : 0),
		.calls = e->calls[dir] - k->calls[dir], .bytes = e->bytes[dir] - k->bytes[dir],
	};

	if (r.calls)
		r.head.time = e->first[dir] > k->last[dir] ? e->first[dir] : k->last[dir];
	k->calls[dir] = e->calls[dir];
	k->bytes[dir] = e->bytes[dir];
	k->last[dir] = e->last[dir];
	return r;
}

/* ended: else a file that was opened and not read yet may be read still. */
static void
report_reads(struct process *s, struct known *k, const struct fd_entry *e, bool ended)
{
	struct reading r = news(k, e, DIR_READ);

	if (e->opened && !k->opened && (r.calls || ended)) {
		k->opened = true;
		r.opens = 1;
		r.flags = e->opened & ~OPENED;
		if (r.head.time > k->head.time)
			r.head.time = k->head.time;
	}
	if (r.calls || r.opens)
		reads_add(s, &r, k->path, k->root);
}

/* What a process reads of a file that it writes by the same descriptor goes with that. */
static void
report_writes(struct process *s, struct known *k, const struct fd_entry *e)
{
	bool both = e->calls[DIR_WRITE] > k->calls[DIR_WRITE] &&
	    e->calls[DIR_READ] > k->calls[DIR_READ];
	struct reading r = news(k, e, DIR_WRITE), back = { 0 };
	struct jput j;

	if (both)
		back = news(k, e, DIR_READ);
	if (!r.calls || !emit_begin(s, &j, "file.write", &r.head, r.calls + back.calls,
	    r.bytes + back.bytes))
		return;
	jput_bytes(&j, "path", k->path.p, k->path.n);
	if (k->root.n)
		jput_bytes(&j, "root", k->root.p, k->root.n);
	emit_mnt_ns(s, &j, k->mnt_ns);
	if (k->cut)
		jput_bool(&j, "truncated", true);
	if (k->deleted)
		jput_bool(&j, "deleted", true);
	jput_uint(&j, "fd", k->fd);
	jput_uint(&j, "bytes", r.bytes);
	jput_uint(&j, "count", r.calls);
	jput_uint(&j, "last_ns", clock_epoch(&s->probe.clock, r.last));
	if (both) {
		jput_uint(&j, "read_bytes", back.bytes);
		jput_uint(&j, "reads", back.calls);
	}
	jput_close(&j);
}

/* Whether nothing passed a socket that needs no other end to be connected: it reached
 * nobody. */
static bool
idle_udp(const struct known *k, uint64_t calls)
{
	return !calls && k->addr.family != AF_UNIX && k->addr.protocol == IPPROTO_UDP;
}

static void
report_socket(struct process *s, struct known *k, const struct fd_entry *e, uint64_t time,
    bool open)
{
	uint64_t calls = e->calls[0] + e->calls[1];
	struct record head = k->head;
	struct jput j;

	head.time = time;
	if (idle_udp(k, calls) || !emit_begin(s, &j, "net.close", &head, calls,
	    e->bytes[0] + e->bytes[1]))
		return;
	jput_uint(&j, "fd", k->fd);
	net_put_addr(&j, &k->addr, true, k->path);
	emit_mnt_ns(s, &j, k->addr.family == AF_UNIX ? k->mnt_ns : 0);
	jput_uint(&j, "sent_bytes", e->bytes[DIR_WRITE]);
	jput_uint(&j, "received_bytes", e->bytes[DIR_READ]);
	if (open)
		jput_bool(&j, "still_open", true);
	jput_close(&j);
}

static void
report(struct process *s, struct known *k, const struct fd_entry *e, bool ended)
{
	if (k->kind == FD_FILE) {
		report_writes(s, k, e);
		report_reads(s, k, e, ended);
		return;
	}
	if (k->addr.protocol == IPPROTO_UDP)
		net_passed(s, k->head.pid, k->fd, e->calls[0] + e->calls[1]);
	sends_look(s, k->sends, e->serial, ended);
}

void
fds_named(struct process *s, const struct event_record *r, struct text from, struct text to)
{
	for (struct known *k = s->fds_known; k && from.n; k = k->next) {
		struct text root = k->root;

		if (!k->deleted || k->mnt_ns != r->mnt_ns || k->path.n != from.n ||
		    memcmp(k->path.p, from.p, from.n))
			continue;
		if (!keep_path(k, to, root))
			err(1, "memory");
		k->deleted = false;
	}
}

void
fds_send(struct process *s, const struct event_record *r, const struct strings *t)
{
	struct known *k = flow_find(s->fds, &r->serial, sizeof(r->serial), 0);

	if (k)
		sends_begin(s, &k->sends, r, t);
}

/* False: it is not known yet what it is. */
static bool
end(struct process *s, const struct fd_record *r)
{
	struct known *k = flow_find(s->fds, &r->e.serial, sizeof(r->e.serial), 0);

	if (!k)
		return false;
	report(s, k, &r->e, true);
	if (k->kind == FD_SOCKET)
		report_socket(s, k, &r->e, r->head.time, false);
	flow_drop(s->fds, k, FLOW_END);
	return true;
}

void
fds_end(struct process *s, const struct fd_record *r)
{
	end(s, r);
}

/* Those that ended when the ring was full. What they are may be in the ring
 * still, behind what was read so far: then they wait. */
static void
fetch_ended(struct process *s)
{
	int map = bpf_map__fd(s->bpf->maps.ended);
	struct fd_record r;
	__u64 serial, next;
	bool more = bpf_map_get_next_key(map, NULL, &next) == 0;

	while (more) {
		serial = next;
		more = bpf_map_get_next_key(map, &serial, &next) == 0;
		if (bpf_map_lookup_elem(map, &serial, &r) == 0 && end(s, &r))
			bpf_map_delete_elem(map, &serial);
	}
}

static void
look(struct process *s, const struct fd_entry *e, bool last)
{
	struct known *k = flow_find(s->fds, &e->serial, sizeof(e->serial), 0);

	if (!k)
		return;		/* its record is in the ring still */
	report(s, k, e, last);
	if (k->kind == FD_SOCKET && last)
		report_socket(s, k, e, clock_boot(), true);
}

/* One by one: an empty map takes the kernel as long as a full one, and all the while no
 * classic program runs on this CPU, even when we are preempted (trace.h). */
static void
look_at_some(struct process *s, bool last)
{
	int map = bpf_map__fd(s->bpf->maps.fds);
	struct fd_entry e;

	for (struct known *k = s->fds_known; k; k = k->next) {
		struct fd_key key = { .pid = k->head.pid, .fd = k->fd };
		size_t n;

		if ((k->kind == FD_FILE || last || k->sends || k->addr.protocol == IPPROTO_UDP) &&
		    bpf_map_lookup_elem(map, &key, &e) == 0 &&
		    memcmp(&e.serial, flow_key(k, &n), sizeof(e.serial)) == 0)
			look(s, &e, last);
	}
}

static void
look_at_all(struct process *s, bool last)
{
	static struct fd_key keys[BATCH];
	static struct fd_entry entries[BATCH];
	int map = bpf_map__fd(s->bpf->maps.fds);
	__u32 from, n;
	bool more = true;

	for (bool first = true; more; first = false) {
		n = BATCH;
		/* the last batch comes with ENOENT */
		more = bpf_map_lookup_batch(map, first ? NULL : &from, &from, keys, entries, &n,
		    NULL) == 0;
		for (__u32 i = 0; i < n; i++)
			look(s, &entries[i], last);
	}
}

void
fds_tick(struct process *s, bool all)
{
	uint64_t now = clock_boot();

	if (!s->fds && !(s->fds = flow_new(sizeof(struct known), FDS, SIZE_MAX, forget, s)))
		err(1, "memory");
	if (!s->bpf)
		return;
	fetch_ended(s);
	if (!all && (!s->interval || now < s->fds_next))
		return;
	s->fds_next = now + s->interval;
	if (!flow_count(s->fds))
		return;
	s->bpf->bss->fds_round++;
	if (flow_count(s->fds) < SOME)
		look_at_some(s, all);
	else
		look_at_all(s, all);
}
