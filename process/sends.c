/*
 * sends.c - net.send: where sockets send datagrams to that are not connected
 *
 * reads   the map sent, when its descriptor is looked at and when that has ended
 * keeps   per descriptor the addresses that it sent to
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "self.h"
#include "process/process.skel.h"

struct sends {
	size_t n, cap;
	struct send {
		uint64_t hash;		/* of the address, with the serial the key of the map */
		struct record head;	/* of the first message */
		uint32_t fd, mnt_ns;
		struct net_addr addr;
		struct text path;	/* allocated */
		uint64_t bytes, calls;	/* written */
	} v[];
};

void
sends_begin(struct process *s, struct sends **of, const struct event_record *r,
    const struct strings *t)
{
	char buf[PATH_TEXT];
	struct text path = t->s[STR_NAME];
	struct sends *v = *of;
	struct send *to;

	if (!v || v->n == v->cap) {
		size_t cap = v ? 2 * v->cap : 4;

		v = realloc(v, sizeof(*v) + cap * sizeof(v->v[0]));
		if (!v)
			err(1, "memory");
		if (!*of)
			v->n = 0;
		v->cap = cap;
		*of = v;
	}
	/* an abstract name begins with NUL */
	if (t->s[STR_BASE].n || (path.n && path.p[0]))
		path = where_path(s, r, t, STR_BASE, buf);
	to = &v->v[v->n++];
	*to = (struct send){ .hash = r->since, .head = r->head, .fd = r->fd, .mnt_ns = r->mnt_ns,
	    .addr = r->addr, .path = { malloc(path.n + 1), path.n } };
	if (!to->path.p)
		err(1, "memory");
	memcpy((char *)to->path.p, path.p, path.n);
}

static void
write_send(struct process *s, struct send *to, const struct sent_entry *e)
{
	struct record head = to->head;
	struct jput j;

	if (to->calls)
		head.time = e->last;
	/* not in the books: net.close has these transfers */
	if (!emit_begin(s, &j, "net.send", &head, 0, 0))
		return;
	jput_uint(&j, "fd", to->fd);
	net_put_addr(&j, &to->addr, true, to->path);
	emit_mnt_ns(s, &j, to->mnt_ns);
	jput_uint(&j, "bytes", e->bytes - to->bytes);
	jput_uint(&j, "count", e->calls - to->calls);
	jput_uint(&j, "last_ns", clock_epoch(&s->probe.clock, e->last));
	jput_close(&j);
	to->bytes = e->bytes;
	to->calls = e->calls;
}

void
sends_look(struct process *s, struct sends *v, uint64_t serial, bool ended)
{
	int map = bpf_map__fd(s->bpf->maps.sent);

	for (size_t i = 0; v && i < v->n; i++) {
		struct sent_key key = { .serial = serial, .hash = v->v[i].hash };
		struct sent_entry e;

		if (bpf_map_lookup_elem(map, &key, &e) == 0 && e.calls > v->v[i].calls)
			write_send(s, &v->v[i], &e);
		if (ended)
			bpf_map_delete_elem(map, &key);
	}
}

void
sends_free(struct sends *v)
{
	for (size_t i = 0; v && i < v->n; i++)
		free((char *)v->v[i].path.p);
	free(v);
}
