/*
 * replay.h - a database of sqlitesink(1), replayed as event lines in the order of their time
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stddef.h>

struct query;

/* Calls take for each line (borrowed). -1: the query's why says what went wrong. */
int replay_events(struct query *, void (*take)(void *arg, const char *line, size_t n), void *arg);

#endif
