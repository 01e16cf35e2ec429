/*
 * rotate.h - a new file after a time or at a size, and the last few kept
 *
 * X.db is what is written; X.YYYYmmdd-HHMMSS-mmm.db, by the time (UTC) of its first
 * event to the millisecond, is what was: such names sort as the files follow each other.
 * An event that comes late counts as one of the latest time there was: it makes no file
 * longer, nor its name earlier.
 */
#ifndef SQLITESINK_ROTATE_H
#define SQLITESINK_ROTATE_H

#include "sqlitesink/db.h"

struct rotate {
	uint64_t ns, bytes;	/* one of them; both 0: never */
	long long keep;		/* files beside the one that is written; 0: all */
};

/* "30m" or "100M". NULL, or what is wrong (static). */
const char *rotate_parse(struct rotate *, const char *arg);

/* Whether the file, whose events are of this time (nanoseconds), is to end. */
bool rotate_due(const struct rotate *, const struct db *, uint64_t opened_ns, uint64_t last_ns);

/* The same by time alone, which costs nothing: after each event. */
bool rotate_overdue(const struct rotate *, uint64_t opened_ns, uint64_t last_ns);

/* Gives the file, closed by db_close, its name of the past, old (of size), and
 * removes what is too much. False: it stays, as a reader still has it (then its
 * -wal is part of it), or it cannot be renamed, which is said. */
bool rotate_move(const struct rotate *, const struct db *, uint64_t opened_ns, char *old,
    size_t size);

/* Takes the books of the run `before` over from the file old, NULL when that was not
 * moved; and from another file the processes that live, or ended a moment ago: with the
 * same ids, and with their ancestors, agents and programs. */
void rotate_carry(struct db *, const char *old, int64_t before, uint64_t last_ns);

#endif
