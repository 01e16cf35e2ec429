/*
 * reports.h - the reports there are: SQL files beside the program, and the user's own
 *
 * A report is one SELECT; the comment at its head is its title and says what its
 * columns mean. Those that belong to the program are beside it, in reports/. The
 * user's own are in $XDG_CONFIG_HOME/agentsight/reports (~/.config without it); they
 * are never run in place of one of the program's, and not at all by root when the
 * folder or the file is somebody else's.
 *
 * What a report refers to as temp.NAME is made before it, by reports/prelude/NAME.sql. A line
 * "-- collected by: NAME ..." of the comment says which collectors its rows come from.
 */
#ifndef REPORTS_H
#define REPORTS_H

#include "query.h"

#include <stdbool.h>
#include <stddef.h>

enum { REPORT_NAME = 64, REPORT_TITLE = 200 };

struct report {
	char name[REPORT_NAME + 1];
	char *text;		/* SQL */
	bool own;		/* the user's */
	bool shadows;		/* the user has one of this name, too: it is not run */
};

/* Looks for a report. 0, and it is to be freed; -1: there is none of this name. */
int report_find(struct report *, const char *name);
/* The same among export/: whole documents. */
int report_export(struct report *, const char *name);
void report_free(struct report *);

/* The first line of its comment, without the dashes; to[REPORT_TITLE + 1]. */
void report_title(const struct report *, char *to);

/* Prepares it, with what it refers to; a statement to step through, or NULL: q->why. */
sqlite3_stmt *report_start(struct query *, const struct report *, const struct query_args *);
/* What of that no run has, for the collector took no part in any: "what crosses TLS, what
 * processes do"; empty when there is all, or it is not known. run: that one alone, 0: any. */
void report_missing(struct query *, const struct report *, int64_t run, char *to, size_t size);
/* Whether it, or what it refers to, uses the parameter (":run"). */
bool report_uses(const struct report *, const char *parameter);

/* Calls take for each report there is, in the order of their names. */
void report_each(void (*take)(void *, const struct report *), void *arg);

/* The text of reports/PATH of the program; to be freed. NULL: errno. */
char *report_file(const char *path);

/* The folder of the user's own reports; NULL when they are not run by us. */
const char *report_folder(void);
/* That folder, when there is one that we do not run: it is another user's. */
const char *report_refused(void);

/* --- prices: lines of prices.csv, whose head says what they hold ------------------------- */

enum { PRICE_MODEL, PRICE_INPUT, PRICE_DAY = 5, PRICE_CREATION_1H, PRICE_ABOVE, PRICE_SINCE,
    PRICE_PROVIDER, PRICE_FIELDS };

/* Calls take for each price, of the user's own file or else of the program's; fields are
 * trimmed, numbers are numbers or empty. bad gets the lines that are no price, with the
 * name of the file; it may be NULL. */
void price_each(void (*take)(void *, char *const field[PRICE_FIELDS]),
    void (*bad)(void *, const char *file, unsigned line), void *arg);

#endif
