/* server.c - the HTTP side; see server.h */
#include "server.h"

#include "response.h"
#include "live.h"
#include "page.h"

#include "opt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	STACK = 512 << 10,
	CONNECTION_MEMORY = 32 << 10,	/* a request's head, and what is sent at a time */
	STREAM_BLOCK = 16 << 10,
};

static const char api[] = "/api/v1/";

/* --- responses ------------------------------------------------------------- */

static enum MHD_Result
respond(struct MHD_Connection *c, unsigned status, struct MHD_Response *r, const char *type,
    const char *csp)
{
	static const char *const always[][2] = {
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
	};
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		MHD_add_response_header(r, always[i][0], always[i][1]);
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Content-Security-Policy",
	    csp ? csp : "default-src 'none'; frame-ancestors 'none'");
	if (status == 405)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	if (status == 401)
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
	rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result
respond_text(struct MHD_Connection *c, unsigned status, const char *text)
{
	return respond(c, status,
	    MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT),
	    "text/plain; charset=utf-8", NULL);
}

static enum MHD_Result
respond_api(struct MHD_Connection *c, struct response *a)
{
	if (!a->text)
		return respond_text(c, 500, "out of memory\n");
	return respond(c, a->status,
	    MHD_create_response_from_buffer(a->n, a->text, MHD_RESPMEM_MUST_FREE),
	    "application/json", NULL);
}

static enum MHD_Result
respond_page(struct MHD_Connection *c)
{
	size_t n;
	const char *text = page_text(&n);

	return respond(c, 200,
	    MHD_create_response_from_buffer(n, (void *)text, MHD_RESPMEM_PERSISTENT),
	    "text/html; charset=utf-8", page_csp());
}

/* The token goes from the address into a cookie, so that it is in no address
 * that is copied, and no page script can read it. */
static enum MHD_Result
respond_exchange(struct server *s, struct MHD_Connection *c)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	char cookie[160];

	snprintf(cookie, sizeof(cookie), "%s=%s; HttpOnly; SameSite=Strict; Path=/",
	    s->origin.cookie, s->origin.token);
	if (r) {
		MHD_add_response_header(r, "Set-Cookie", cookie);
		MHD_add_response_header(r, "Location", "/");
	}
	return respond(c, 303, r, "text/plain", NULL);
}

/* --- the stream ------------------------------------------------------------ */

struct stream {
	struct server *server;
	struct live live;
};

static ssize_t
on_more(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct stream *st = arg;
	uint64_t before = st->live.missed;
	ssize_t n;

	n = live_read(&st->live, buf, max, true);
	/* what had left before the first byte is the memory's limit, not this client's slowness */
	if (pos)
		atomic_fetch_add(&st->server->missed, st->live.missed - before);
	return n > 0 ? n : n < 0 ? MHD_CONTENT_READER_END_WITH_ERROR :
	    MHD_CONTENT_READER_END_OF_STREAM;
}

static void
on_stream_end(void *arg)
{
	struct stream *st = arg;

	live_free(&st->live);
	atomic_fetch_sub(&st->server->streams, 1);
	free(st);
}

static enum MHD_Result
respond_events(struct server *s, struct MHD_Connection *c)
{
	const char *after = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Last-Event-ID");
	const char *form = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "form");
	const char *preview = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "preview");
	bool lines = form && !strcmp(form, "ndjson");
	struct MHD_Response *r;
	struct stream *st;
	long long id = 0;

	if (!after)
		after = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "after");
	if (after && *after && opt_number(after, 0, INT64_MAX, &id))
		return respond_text(c, 400, "after: not the number of an event\n");
	if (!(st = calloc(1, sizeof(*st))))
		return respond_text(c, 500, "out of memory\n");
	st->server = s;
	live_init(&st->live, s->recent, id);
	st->live.lines = lines;
	st->live.preview = preview && !strcmp(preview, "1");
	if (!(r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_more, st,
	    on_stream_end))) {
		free(st);
		return MHD_NO;
	}
	atomic_fetch_add(&s->streams, 1);
	return respond(c, 200, r, lines ? "application/x-ndjson" : "text/event-stream", NULL);
}

/* --- requests -------------------------------------------------------------- */

static enum MHD_Result
count_one(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	(void)kind, (void)value;
	*(unsigned *)arg += !strcasecmp(key, "Host");
	return MHD_YES;
}

static enum origin_rc
check(struct server *s, struct MHD_Connection *c)
{
	struct origin_request ask = {
		.host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host"),
		.origin = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin"),
		.site = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Sec-Fetch-Site"),
		.mode = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Sec-Fetch-Mode"),
		.dest = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Sec-Fetch-Dest"),
		.cookie = MHD_lookup_connection_value(c, MHD_COOKIE_KIND, s->origin.cookie),
		.bearer = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization"),
		.token = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "token"),
	};

	MHD_get_connection_values(c, MHD_HEADER_KIND, count_one, &ask.nhost);
	return origin_check(&s->origin, &ask);
}

/* Whose connection it is: door.h. */
static void
on_connection(void *arg, struct MHD_Connection *c, void **guest,
    enum MHD_ConnectionNotificationCode what)
{
	struct server *s = arg;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*guest = door_enter(&s->door,
		    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
	else if (*guest)
		door_leave(&s->door, *guest);
}

static struct door_guest *
guest_of(struct MHD_Connection *c)
{
	return MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static const char *
argument(void *arg, const char *name)
{
	return MHD_lookup_connection_value(arg, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version,
    const char *upload, size_t *upload_size, void **seen)
{
	static int head;
	struct server *s = arg;

	(void)version, (void)upload, (void)upload_size;
	/* the first time it is the head alone: a response then ends the connection, so
	 * that nobody sends us a body */
	if (!guest_of(c))
		return MHD_NO;
	if (!*seen && (!strcmp(method, "GET") || !strcmp(method, "HEAD"))) {
		*seen = &head;
		return MHD_YES;
	}
	switch (check(s, c)) {
	case ORIGIN_HOST:
		return respond_text(c, 421,
		    "websink: this is not the name of this server (see websink(1), --host)\n");
	case ORIGIN_FOREIGN:
		return respond_text(c, 403, "websink: pages of other origins are not served\n");
	case ORIGIN_STRANGER:
		return respond_text(c, 401, "websink: open the address that"
		    " websink printed when it started: it holds the token\n");
	case ORIGIN_EXCHANGE:
	case ORIGIN_PASS:
		door_know(&s->door, guest_of(c));
		break;
	}
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return respond_text(c, 405, "websink: GET only: nothing here can be changed\n");
	if (!strcmp(url, "/"))
		return argument(c, "token") ? respond_exchange(s, c) : respond_page(c);
	if (!strcmp(url, "/api/v1/events"))
		return respond_events(s, c);
	if (!strncmp(url, api, sizeof(api) - 1)) {
		struct response a;

		response_get(&a, s, url + sizeof(api) - 1, argument, c);
		return respond_api(c, &a);
	}
	return respond_text(c, 404, "websink: nothing here\n");
}

/* --- start and stop -------------------------------------------------------- */

static void
log_nothing(void *arg, const char *fmt, va_list ap)
{
	(void)arg, (void)fmt, (void)ap;	/* clients that leave are no news */
}

/* The address to bind: a number, or a name of this machine. */
static const char *
resolve(const char *name, uint16_t port, struct sockaddr_storage *to)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list;
	char text[8];
	int e;

	snprintf(text, sizeof(text), "%u", port);
	if ((e = getaddrinfo(name, text, &hints, &list)))
		return gai_strerror(e);
	memcpy(to, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return NULL;
}

static uint16_t
bound_port(struct MHD_Daemon *d)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

const char *
server_start(struct server *s)
{
	struct sockaddr_storage at = { 0 };
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
	    MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
	const char *bad;

	if ((bad = resolve(s->listen ? s->listen : "127.0.0.1", s->port, &at)))
		return bad;
	if (at.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	if ((errno = door_open(&s->door)))
		return strerror(errno);
	s->daemon = MHD_start_daemon(flags, s->port, NULL, NULL, on_request, s,
	    MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL,
	    MHD_OPTION_SOCK_ADDR, &at,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CLIENTS,
	    MHD_OPTION_CONNECTION_TIMEOUT, 60u,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
	    MHD_OPTION_END);
	if (!s->daemon)
		return strerror(errno);
	s->port = bound_port(s->daemon);
	return origin_init(&s->origin, s->port) ? strerror(errno) : NULL;
}

void
server_drain(struct server *s, int ms)
{
	static const struct timespec nap = { .tv_nsec = 10000000 };

	for (; ms > 0 && s->streams; ms -= 10)
		nanosleep(&nap, NULL);
}

void
server_stop(struct server *s)
{
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	s->daemon = NULL;
	door_close(&s->door);
}
