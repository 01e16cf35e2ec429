/*
 * index.h - words of what is stored, for the search
 *
 * Indexing costs more than storing, so it is done when nothing else is to do, and
 * at the end; search_done says how far it is, and the search report looks
 * through the rest itself.
 */
#ifndef SQLITESINK_INDEX_H
#define SQLITESINK_INDEX_H

#include "sqlitesink/db.h"

/* Indexes at most so many bytes more; false when nothing was left to do. */
bool index_more(struct db *, size_t bytes);

#endif
