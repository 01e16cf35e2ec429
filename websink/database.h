/*
 * database.h - a database of what is being read, where none was given
 *
 * Reports, search and snapshot ask a database. Without --db, the first of these
 * starts sqlitesink(1) on a file in a folder of its own (0700, below TMPDIR), and
 * feeds it the lines that are kept and those to come. A process that was made before
 * anybody could connect does this, and takes all of it away when we have ended.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include "recent.h"

struct database;

/* Before there are threads. NULL with errno. */
struct database *database_new(struct recent *);
/* After recent_stop. Waits until the folder is gone. */
void database_free(struct database *);

/* Where it is, or will be. */
const char *database_folder(const struct database *);

/* The path of the database, once it holds all that was kept when asked, or as much
 * as was written within a few seconds. NULL, and *why (static) says what failed. */
const char *database_path(struct database *, const char **why);

#endif
