/*
 * file.h - file.* and dir.*: what a process did with a path, and each change
 */
#ifndef SQLITESINK_FILE_H
#define SQLITESINK_FILE_H

#include "sqlitesink/db.h"

struct files;

struct files *files_new(struct db *);	/* NULL: out of memory */
void files_free(struct files *);
void files_flush(struct files *);	/* before db_commit */

/* False: not an event that belongs here. */
bool file_event(struct files *, struct event *, int64_t process);

#endif
