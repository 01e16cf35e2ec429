/*
 * database.h - a database of what is being read, where none was given
 *
 * Reports, search and snapshot ask a database. Without --db, the first of these
 * starts sqlitesink(1) on a file in a folder of its own (0700, below TMPDIR), and
 * feeds it the lines that are kept and those to come. Folder and process go at
 * the end.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include "recent.h"

struct database;

struct database *database_new(struct recent *);	/* NULL: out of memory; starts nothing */
/* After recent_stop. Ends the process, takes the folder away. */
void database_free(struct database *);

/* The path of the database, once it holds all that was kept when asked, or as much
 * as was written within a few seconds. NULL, and *why (static) says what failed. */
const char *database_path(struct database *, const char **why);

#endif
