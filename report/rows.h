/*
 * rows.h - the rows of a report, as the user wants them: a table, JSON, CSV, Markdown
 */
#ifndef ROWS_H
#define ROWS_H

#include "table.h"

#include "line.h"

#include <sqlite3.h>
#include <stdint.h>

enum rows_form { ROWS_TABLE, ROWS_JSON, ROWS_CSV, ROWS_MD };

struct rows {
	enum rows_form form;
	struct line_out *out;
	int64_t limit;		/* no more than these; -1: all */
	bool terminal;		/* they are written to one: nothing may be obeyed by it */
	struct table table;	/* of ROWS_TABLE: title, leave, width, height, colour */
	/* its own */
	bool begun, text;	/* the head is written; the report is lines of text */
	int64_t n;
	bool more;		/* there are more rows than the limit */
};

/* Writes what a statement gives; again for that of another recording. Returns what
 * sqlite3_step last did: SQLITE_DONE when all is well. */
int rows_write(struct rows *, sqlite3_stmt *);
/* Ends the output. */
void rows_end(struct rows *);

#endif
