/*
 * server.h - the HTTP side: libmicrohttpd, one thread for each client
 *
 * A client that does not read keeps only its own thread waiting. websink(1)
 * lists what can be asked for.
 */
#ifndef SERVER_H
#define SERVER_H

#include "door.h"
#include "origin.h"
#include "recent.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SERVER_CLIENTS = 256 };	/* connections at a time; more wait to be accepted */

struct MHD_Daemon;
struct database;

struct server {
	struct origin origin;
	struct door door;
	struct recent *recent;
	const char *db_path;	/* a database that was given, or NULL */
	struct database *database;	/* else one of our own */
	const char *listen;	/* address, or NULL for loopback */
	const char *source;	/* what is looked at, for the page */
	uint16_t port;		/* 0: any; the real one once it runs */
	struct MHD_Daemon *daemon;
	atomic_uint streams;	/* that run */
	atomic_uint_fast64_t missed;	/* lines that clients did not get */
};

/* Binds and serves. NULL, or what went wrong (static). */
const char *server_start(struct server *);
/* After recent_end: gives clients ms to be told the end. */
void server_drain(struct server *, int ms);
/* Ends all streams and waits for the clients' threads. recent_stop comes first. */
void server_stop(struct server *);

#endif
