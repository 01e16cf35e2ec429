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

/* process is another one of the pids of a file.read or a file.open: it used the file, too; how
 * often and how much stands with the process of the envelope, and when, no more exactly than its
 * last_ns. */
void file_shared(struct files *, struct event *, int64_t process);

#endif
