/*
 * httpparse - HTTP exchanges out of the bytes of connections, with TLS and without
 * reads   ssl.data, tcp.data, by conn and direction; ssl.close, tcp.close
 * writes  http.request, http.response; http.body for bodies that are read while they come;
 *         ws.message
 *         of two ends of one connection the client's
 * keeps   per conn the message under way in each direction and the requests that wait;
 *         at most --max-flows conns and --max-memory bytes, least recently used goes first
 */
#include "conn.h"
#include "ends.h"
#include "flow.h"
#include "stage.h"

#include <err.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

struct connection {
	struct conn c;		/* first: what finds the one finds the other */
	struct end end;
};

static struct httpparse {
	struct flow_table *flows;
	struct ends ends;
	struct writer w;
	struct conn_limits limits;
	int64_t max_flows;
	uint64_t max_body, max_header, max_memory;
	bool raw;
} self = {
	.max_flows = 4096, .max_body = 16 << 20, .max_header = 256 << 10, .max_memory = 256 << 20,
};

static const struct opt options[] = {
	{ .kind = OPT_FLAG, .name = "raw", .to = &self.raw,
	.help = "pass the ssl.data and tcp.data lines on too" },
	{ .kind = OPT_SIZE, .name = "max-body", .arg = "SIZE", .to = &self.max_body,
	    .help = "most bytes kept of one body, decoded (16M)", .lo = 1, .hi = 1LL << 32 },
	{ .kind = OPT_SIZE, .name = "max-header", .arg = "SIZE", .to = &self.max_header,
	    .help = "longest header of one message (256k)", .lo = 256, .hi = 16 << 20 },
	{ .kind = OPT_NUM, .name = "max-flows", .arg = "N", .to = &self.max_flows,
	    .help = "most connections at once (4096)", .lo = 1, .hi = 1 << 24 },
	{ .kind = OPT_SIZE, .name = "max-memory", .arg = "SIZE", .to = &self.max_memory,
	    .help = "most bytes held for all connections (256M)", .lo = 64 << 10, .hi = 1LL << 40 },
	{ .kind = OPT_END },
};

static struct end *
end_of(const struct conn *c)
{
	return &((struct connection *)c)->end;
}

static void
writer_at(struct httpparse *me, const struct conn *c, uint64_t now)
{
	me->w.conn = flow_key(c, &me->w.connlen);
	me->w.now = now;
	me->w.plain = c->plain;
	me->w.peer_pid = end_of(c)->peer_pid;
}

/* Every way out of the table: what is unfinished is written with the reason. */
static void
on_finish(void *arg, void *entry, enum flow_why why)
{
	struct httpparse *me = arg;
	struct conn *c = entry;

	if (!c->w)
		return;
	writer_at(me, c, 0);
	me->w.out = end_of(c)->state == END_EMITS ? me->ends.out : &end_of(c)->pending;
	if (why == FLOW_FULL && conn_open(c))
		loss_add(me->w.loss, "evicted", 1, 0);
	conn_finish(c, why == FLOW_END ? "close" : flow_why_name(why), why == FLOW_END);
	end_finish(&me->ends, end_of(c));
	conn_free(c);
}

static int
on_start(void *arg, struct stage_io *io, int argc, char **argv)
{
	struct httpparse *me = arg;

	(void)argc, (void)argv;
	me->limits = (struct conn_limits){ .max_head = me->max_header };
	me->flows = flow_new(sizeof(struct connection), me->max_flows, me->max_memory, on_finish,
	    me);
	if (!me->flows || ends_open(&me->ends, me->max_flows, &io->out))
		err(1, "start");
	writer_init(&me->w, &io->out, &io->loss, me->max_body);
	return 0;
}

static void
memory_check(const struct httpparse *me)
{
	if (me->w.nomem) {
		errno = ENOMEM;
		err(1, "read a connection");
	}
}

/* What the connection holds now is charged; one that is over the limit by
 * itself goes, labelled. */
static void
conn_charge(struct httpparse *me, struct conn *c)
{
	size_t memory = conn_memory(c) + end_of(c)->pending.cap;
	ptrdiff_t delta = (ptrdiff_t)memory - (ptrdiff_t)c->charged;

	if (delta == 0)
		return;
	if (flow_charge(me->flows, c, delta) == 0)
		c->charged = memory;
	else
		flow_drop(me->flows, c, FLOW_FULL);
}

static void
begin(struct httpparse *me, struct conn *c, bool plain)
{
	conn_init(c, &me->w, &me->limits, me->raw);
	c->plain = plain;
}

static enum verdict
on_data(struct httpparse *me, struct event *ev, struct stage_io *io)
{
	size_t n, connlen;
	const char *conn = event_str(ev, "conn", &connlen),
	    *function = event_str(ev, "function", NULL);
	const void *data = event_bytes(ev, "data", &n);
	uint64_t off = 0, len = 0, late = me->w.passed;
	bool has_off = event_u64(ev, "off", &off), has_len = event_u64(ev, "len", &len);
	struct line_out *out;
	struct conn *c;
	enum conn_rc rc;

	if (!conn || !data || !function || (*function != 'R' && *function != 'W') ||
	    off > INT64_MAX - n || len > INT64_MAX - off) {
		loss_add(&io->loss, "bad_event", 1, ev->len);
		return STAGE_PASS;
	}
	if (me->raw)
		line_put(&io->out, ev->line, ev->len);
	if (!(c = flow_get(me->flows, conn, connlen, event_time(ev))))
		err(1, "read a connection");
	if (!c->w)
		begin(me, c, event_is(ev, "tcp.data"));
	out = end_line(end_of(c), ev);
	me->w.out = out ? out : &io->out;
	writer_at(me, c, event_time(ev));
	rc = conn_data(c, *function == 'R', ev, ev->line, ev->len, has_off, off, data, n,
	    has_len && len > n ? len - n : 0);
	end_settle(&me->ends, end_of(c), conn_requests(c), event_time(ev));
	if (end_of(c)->state == END_MUTE)
		rc = CONN_TAKEN;
	conn_charge(me, c);
	memory_check(me);
	stage_passed(io, me->w.passed - late);	/* lines that were pending and went on now */
	return me->raw ? STAGE_WRITTEN : rc == CONN_PASS ? STAGE_PASS : STAGE_DROP;
}

static enum verdict
on_event(void *arg, struct event *ev, struct stage_io *io)
{
	struct httpparse *me = arg;

	if (me->ends.waiting)
		ends_pass(&me->ends, event_time(ev));
	if (event_is(ev, "ssl.data") || event_is(ev, "tcp.data"))
		return on_data(me, ev, io);
	if (event_is(ev, "ssl.close") || event_is(ev, "tcp.close")) {
		size_t n;
		const char *conn = event_str(ev, "conn", &n);
		struct conn *c = conn ? flow_find(me->flows, conn, n, event_time(ev)) : NULL;

		if (c) {
			end_line(end_of(c), ev);
			end_settle(&me->ends, end_of(c), conn_requests(c), event_time(ev));
			flow_drop(me->flows, c, FLOW_END);
		}
		memory_check(me);
	}
	return STAGE_PASS;
}

static void
on_end(void *arg, struct stage_io *io)
{
	struct httpparse *me = arg;

	(void)io;
	flow_free(me->flows);
	ends_close(&me->ends);
	memory_check(me);
	writer_free(&me->w);
}

static const struct stage stage = {
	.use = {
		.name = "httpparse",
		.synopsis = "[OPTION]... [FILE]...",
		.about = "HTTP requests and responses out of the bytes of connections",
		.tables = { options },
	},
	.start = on_start,
	.event = on_event,
	.end = on_end,
};

int
main(int argc, char **argv)
{
	/* Bodies come and go in megabytes: given back to the system, not kept in
	 * the holes between others, so that --max-memory means what it says. */
	mallopt(M_MMAP_THRESHOLD, 512 << 10);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
	return stage_run(&stage, &self, argc, argv);
}
