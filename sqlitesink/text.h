/*
 * text.h - texts and paths, each stored once
 */
#ifndef SQLITESINK_TEXT_H
#define SQLITESINK_TEXT_H

#include "sqlitesink/db.h"

/* texts.id of these bytes; 0 after a failure. */
int64_t text_id(struct db *, const void *, size_t n);
/* Of a JSON value: a string's text, else its JSON; 0 when absent. */
int64_t text_of_value(struct db *, struct event *, struct value);

/* paths.id, as far as it is remembered without asking. NULL: out of memory. mnt_ns: the mount
 * namespace that the path is of, 0 for the recorder's. */
struct paths;
struct paths *paths_new(struct db *);
void paths_free(struct paths *);
int64_t path_id(struct paths *, int64_t mnt_ns, const void *, size_t n);
/* of its mnt_ns; 0: absent */
int64_t path_of_key(struct paths *, struct event *, const char *key);

#endif
