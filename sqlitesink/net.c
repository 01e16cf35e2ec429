/* net.c - see net.h */
#include "net.h"

#include "lib/flow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 4096, NAME_MAX_LEN = 255 };

struct name {
	unsigned char len;
	char text[NAME_MAX_LEN];
};

struct nets {
	struct db *db;
	struct flow_table *names;	/* of addresses, by what DNS answered last */
};

struct nets *
nets_new(struct db *db)
{
	struct nets *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->db = db;
	if (!(s->names = flow_new(sizeof(struct name), NAMES, SIZE_MAX, NULL, NULL))) {
		free(s);
		return NULL;
	}
	return s;
}

void
nets_free(struct nets *s)
{
	flow_free(s->names);
	free(s);
}

static void
dns(struct nets *s, struct event *ev, int64_t process)
{
	struct value list = event_get(ev, "addresses"), k, v;
	struct row r = row_of(s->db, SQL_DNS_NEW);
	struct value_iter it;
	const char *name, *address;
	size_t len, n;

	row_id(&r, "process_id", process);
	row_keys(&r, ev);
	row_run(&r);
	if (list.kind != VALUE_ARRAY || !(name = event_str(ev, "name", &len)) || len > NAME_MAX_LEN)
		return;
	value_iter(&it, list);
	while (value_next(&it, &k, &v)) {
		struct name *to;

		if (!(address = value_str(&ev->arena, v, &n)) ||
		    !(to = flow_get(s->names, address, n, 0)))
			continue;
		to->len = len;
		memcpy(to->text, name, len);
	}
}

static int64_t
find(struct nets *s, struct event *ev, int64_t process)
{
	struct row r = row_of(s->db, SQL_CONNECTION_FIND);
	int64_t id;

	row_id(&r, "process_id", process);
	row_key(&r, "fd", ev, "fd");
	row_int(&r, "ns", event_time(ev));
	return row_get(&r, &id) ? id : 0;
}

static void
insert(struct nets *s, struct event *ev, int64_t process, const char *kind)
{
	struct row r;
	const struct name *name = NULL;
	const char *address;
	uint64_t machine;
	bool received = !strcmp(kind, "received"), closes = event_is(ev, "net.close");
	char cid[24];
	size_t n;

	if ((address = event_str(ev, "address", &n)))
		name = flow_find(s->names, address, n, 0);
	r = row_of(s->db, SQL_CONNECTION_NEW);
	row_id(&r, "process_id", process);
	row_str(&r, "kind", kind);
	row_id(&r, "closed_ns", closes ? event_time(ev) : 0);
	/* of vsock: a number has the place of the address */
	if (event_u64(ev, "cid", &machine)) {
		snprintf(cid, sizeof(cid), "cid %" PRIu64, machine);
		row_str(&r, "address", cid);
	}
	row_bytes(&r, "host", name ? name->text : NULL, name ? name->len : 0);
	row_int(&r, "listening", event_is(ev, "net.listen"));
	if (event_is(ev, "net.send"))
		row_key(&r, "sent_bytes", ev, "bytes");
	else if (received)
		row_str(&r, "sent_bytes", NULL);
	row_keys(&r, ev);
	row_run(&r);
}

/* Datagrams to somebody: the bytes come piece by piece. */
static void
sent(struct nets *s, struct event *ev, int64_t process)
{
	struct row r = row_of(s->db, SQL_CONNECTION_TO);
	int64_t id = 0;

	row_id(&r, "process_id", process);
	row_keys(&r, ev);
	if (!row_get(&r, &id)) {
		insert(s, ev, process, "send");
		return;
	}
	r = row_of(s->db, SQL_CONNECTION_SENT);
	row_int(&r, "id", id);
	row_keys(&r, ev);
	row_run(&r);
}

/* The end of a descriptor that no row is of: a copy of one that was connected, inherited, or
 * with datagrams alone. sent: where they went stands in rows. */
static void
closed_other(struct nets *s, struct event *ev, int64_t process, bool sent)
{
	struct row r = row_of(s->db, SQL_CONNECTION_COPY);
	int64_t id, n;

	row_id(&r, "process_id", process);
	row_keys(&r, ev);
	if (row_get(&r, &id)) {
		r = row_of(s->db, SQL_CONNECTION_MORE);
		row_int(&r, "id", id);
		row_keys(&r, ev);
		row_run(&r);
	} else if (sent) {
		if (event_i64(ev, "received_bytes", &n) && n > 0)
			insert(s, ev, process, "received");
	} else {
		bool went = value_eq(event_get(ev, "transport"), "udp") &&
		    event_get(ev, "address").kind && event_i64(ev, "sent_bytes", &n) && n > 0;

		insert(s, ev, process, went ? "send" : "close");
	}
}

static void
closed(struct nets *s, struct event *ev, int64_t process)
{
	int64_t id = find(s, ev, process);
	struct row r = row_of(s->db, SQL_CONNECTION_SHUT);
	bool sent;

	row_id(&r, "process_id", process);
	row_int(&r, "ns", event_time(ev));
	row_keys(&r, ev);
	row_run(&r);
	sent = sqlite3_changes(s->db->sq) > 0;

	if (!id) {
		closed_other(s, ev, process, sent);
		return;
	}
	r = row_of(s->db, SQL_CONNECTION_CLOSE);
	row_id(&r, "closed_ns", event_bool(ev, "still_open") ? 0 : event_time(ev));
	row_int(&r, "id", id);
	row_keys(&r, ev);
	row_run(&r);
}

/* The end of what TLS, or a plain protocol, made of a connection: it says what its peer is
 * called, when no DNS was seen. */
static void
named(struct nets *s, struct event *ev, int64_t process)
{
	struct row r = row_of(s->db, SQL_CONNECTION_NAME);

	row_id(&r, "process_id", process);
	row_int(&r, "run_id", s->db->run);
	row_keys(&r, ev);
	row_run(&r);
}

bool
net_event(struct nets *s, struct event *ev, int64_t process)
{
	int64_t id;

	if (event_is(ev, "net.connect")) {
		insert(s, ev, process, "connect");
	} else if (event_is(ev, "net.send")) {
		sent(s, ev, process);
	} else if (event_is(ev, "net.accept")) {
		insert(s, ev, process, "accept");
	} else if (event_is(ev, "net.bind")) {
		insert(s, ev, process, "bind");
	} else if (event_is(ev, "net.close")) {
		closed(s, ev, process);
	} else if (event_is(ev, "net.dns")) {
		dns(s, ev, process);
	} else if (event_is(ev, "ssl.close") || event_is(ev, "tcp.close")) {
		named(s, ev, process);
	} else if (event_is(ev, "net.listen")) {
		if ((id = find(s, ev, process))) {
			struct row r = row_of(s->db, SQL_CONNECTION_LISTEN);

			row_int(&r, "id", id);
			row_run(&r);
		} else {
			insert(s, ev, process, "bind");
		}
	} else {
		return false;
	}
	return true;
}
