/*
 * recorded.h - what a recording in a database says, as JSON values of a response
 *
 * A report is the very SQL file that agentsight-report(1) runs, with the same
 * parameters. The database is opened for each question anew (query.h), so that
 * questions hold each other up as little as they hold up the writer.
 */
#ifndef RECORDED_H
#define RECORDED_H

#include "query.h"

struct jput;

enum { RECORDED_PATIENCE_S = 30 };

/* {"name":...,"title":...,"columns":[...],"rows":[[...],...]}, with texts cut for a table. -1:
 * q->why says what went wrong (there is no such report: it is empty). */
int recorded_report(struct query *, const char *name, int64_t limit, const char *words,
    struct jput *);
/* The same for one of export/: its only value, a JSON text, as it is. */
int recorded_export(struct query *, const char *name, int64_t limit, struct jput *);

/* An array of {"name","title"} of all reports, those of the user among them. */
void recorded_list(struct jput *, const char *key);
/* The prices: an array of {"model","input",...}, the columns of prices.csv as its head says. */
void recorded_prices(struct jput *, const char *key);

#endif
