/*
 * http.h - http.request, http.response and sse.message: one row per exchange
 */
#ifndef SQLITESINK_HTTP_H
#define SQLITESINK_HTTP_H

#include "sqlitesink/db.h"

/* False: not an event that belongs here. */
bool http_event(struct db *, struct event *, int64_t process);

/* The exchange of this llm.call: what its bodies say is in messages. */
void http_forget_bodies(struct db *, struct event *call);

#endif
