/* ends.c - see ends.h */
#include "ends.h"

#include <stdlib.h>
#include <string.h>

enum {
	PENDING_MAX = 1 << 20,	/* bytes of lines that wait for the other end */
	KEY_MAX = 512,
};

static const uint64_t WAIT_NS = 200000000, WAIT_UNNAMED_NS = 5000000000;

struct client { struct end *end; };

static void
on_finish(void *arg, void *entry, enum flow_why why)
{
	struct client *c = entry;

	(void)arg, (void)why;
	if (c->end)
		c->end->entered = false;
}

int
ends_open(struct ends *e, size_t max, struct line_out *out)
{
	*e = (struct ends){ .out = out };
	e->last = &e->waiting;
	e->clients = flow_new(sizeof(struct client), max, SIZE_MAX, on_finish, e);
	return e->clients ? 0 : -1;
}

void
ends_close(struct ends *e)
{
	flow_free(e->clients);
}

static char *
copy(struct event *ev, const char *key)
{
	size_t n;
	const char *p = event_str(ev, key, &n);

	return p ? strndup(p, n) : NULL;
}

/* The addresses of a line; false: not both are there. */
static bool
take_addresses(struct end *e, struct event *ev)
{
	e->local = copy(ev, "local");
	e->peer = copy(ev, "peer");
	if (e->local && e->peer)
		return true;
	free(e->local);
	free(e->peer);
	e->local = e->peer = NULL;
	return false;
}

struct line_out *
end_line(struct end *e, struct event *ev)
{
	event_u64(ev, "peer_pid", &e->peer_pid);
	if (!e->pid)
		event_u64(ev, "pid", &e->pid);
	if (e->state == END_OPEN && event_is(ev, "tcp.data") && !event_bool(ev, "late"))
		e->state = END_EMITS;
	e->found = !e->peer && e->state != END_MUTE && take_addresses(e, ev);
	e->pending.fd = -1;
	e->pending.keep = true;
	return e->state == END_EMITS ? NULL : &e->pending;
}

/* Where the port begins. */
static size_t
host_length(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon ? (size_t)(colon - address) : strlen(address);
}

static bool
is_loopback(const char *address)
{
	return !strncmp(address, "127.", 4) || !strncmp(address, "[::1]", 5);
}

/* Whether the other end can be on this machine. */
static bool
is_here(const struct end *e)
{
	size_t n = host_length(e->local);

	return (n == host_length(e->peer) && !memcmp(e->local, e->peer, n)) ||
	    (is_loopback(e->local) && is_loopback(e->peer));
}

/* The name of a connection as its client knows it. 0: too long. */
static size_t
client_key(char *key, const char *client, const char *server)
{
	size_t n = strlen(client), m = strlen(server);

	if (n + m + 1 > KEY_MAX)
		return 0;
	memcpy(key, client, n + 1);
	memcpy(key + n + 1, server, m);
	return n + m + 1;
}

static struct end *
client_find(struct ends *ends, const struct end *server)
{
	char key[KEY_MAX];
	size_t n = client_key(key, server->peer, server->local);
	struct client *c = n ? flow_find(ends->clients, key, n, 0) : NULL;

	return c ? c->end : NULL;
}

static void
client_enter(struct ends *ends, struct end *e)
{
	char key[KEY_MAX];
	size_t n = client_key(key, e->local, e->peer);
	struct client *c = n ? flow_get(ends->clients, key, n, 0) : NULL;

	if (!c)
		return;
	if (c->end)
		c->end->entered = false;
	c->end = e;
	e->entered = true;
}

static void
client_leave(struct ends *ends, struct end *e)
{
	char key[KEY_MAX];
	size_t n = client_key(key, e->local, e->peer);
	struct client *c = n ? flow_find(ends->clients, key, n, 0) : NULL;

	if (c)
		flow_drop(ends->clients, c, FLOW_END);
}

static void
stop_waiting(struct ends *ends, struct end *e)
{
	struct end **at = &ends->waiting;

	while (*at && *at != e)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = e->next;
	if (ends->last == &e->next)
		ends->last = at;
}

static void
set_unnamed(struct ends *ends, struct end *e, bool unnamed)
{
	ends->unnamed += unnamed - e->unnamed;
	e->unnamed = unnamed;
}

/* A server's end stops to wait: the client's is there, or it emits itself. */
static void
decide(struct ends *ends, struct end *e, struct end *client)
{
	if (e->state == END_WAITS)
		stop_waiting(ends, e);
	set_unnamed(ends, e, false);
	e->state = client ? END_MUTE : END_EMITS;
	if (client)
		client->peer_pid = e->pid;
	else
		line_move(ends->out, &e->pending);
	e->pending.len = e->pending.lines = 0;
}

static void
wait_for_client(struct ends *ends, struct end *e, uint64_t now)
{
	e->state = END_WAITS;
	e->since = now;
	e->next = NULL;
	*ends->last = e;
	ends->last = &e->next;
}

/* A server's end that is new, or whose addresses are known now. Its first lines may lack
 * them: a program's event loop knows its socket only after it has read. */
static void
settle_server(struct ends *ends, struct end *e, uint64_t now)
{
	struct end *client = e->peer ? client_find(ends, e) : NULL;

	if (client || (e->peer && !is_here(e)))
		decide(ends, e, client);
	else if (e->state == END_OPEN)
		wait_for_client(ends, e, now);
}

/* A client's end whose addresses are known now. */
static void
settle_client(struct ends *ends, struct end *e)
{
	struct end *next;

	client_enter(ends, e);
	for (struct end *w = ends->waiting; w; w = next) {
		next = w->next;
		if (w->peer && !strcmp(w->peer, e->local) && !strcmp(w->local, e->peer))
			decide(ends, w, e);
	}
}

void
end_settle(struct ends *ends, struct end *e, int requests, uint64_t now)
{
	if ((e->state == END_OPEN && requests == 1) || (e->state == END_WAITS && e->found))
		settle_server(ends, e, now);
	else if (e->state == END_OPEN && requests == 0)
		e->state = END_EMITS;
	if (requests == 0 && e->peer && !e->entered)
		settle_client(ends, e);
	if (e->state == END_WAITS && e->pending.len > PENDING_MAX)
		decide(ends, e, NULL);
	set_unnamed(ends, e, !e->peer && (requests == 0 || e->state == END_WAITS));
	if (e->state == END_WAITS)
		return;
	if (e->state != END_MUTE)
		line_move(ends->out, &e->pending);
	e->pending.lines = 0;
	line_out_free(&e->pending);	/* many connections, and their buffers are large */
}

void
end_finish(struct ends *ends, struct end *e)
{
	if (e->state == END_WAITS)
		decide(ends, e, e->peer ? client_find(ends, e) : NULL);
	else if (e->state != END_MUTE)
		line_move(ends->out, &e->pending);
	if (e->entered)
		client_leave(ends, e);
	set_unnamed(ends, e, false);
	line_out_free(&e->pending);
	free(e->local);
	free(e->peer);
	e->local = e->peer = NULL;
}

void
ends_pass(struct ends *ends, uint64_t now)
{
	uint64_t wait = ends->unnamed ? WAIT_UNNAMED_NS : WAIT_NS;

	while (ends->waiting && now > ends->waiting->since + wait)
		decide(ends, ends->waiting, NULL);
}
