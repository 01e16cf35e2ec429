/*
 * net.h - net.*: sockets from their beginning to their end, and names
 */
#ifndef SQLITESINK_NET_H
#define SQLITESINK_NET_H

#include "sqlitesink/db.h"

struct nets;

struct nets *nets_new(struct db *);	/* NULL: out of memory */
void nets_free(struct nets *);

/* False: not an event that belongs here. */
bool net_event(struct nets *, struct event *, int64_t process);

#endif
