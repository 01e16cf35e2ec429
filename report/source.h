/*
 * source.h - what is read: databases, or event lines that become one
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { SOURCE_WHY = 512 };

/* A recording as the user named it. */
struct source {
	const char *name;
	bool lines;		/* event lines, not a database */
	const char *path;	/* of the database; NULL before: as its name */
	char missing[256];	/* what report_missing says of it */
};

/* Looks what is there under a name ("-": lines on standard input). 0; -1: why says what is
 * wrong. */
int source_look(struct source *, const char *name, char why[SOURCE_WHY]);

/* Whether a word is the name of a file. */
bool source_is_file(const char *word);

/* The newest agentsight-*.db of this folder, or all of them, in the order of their
 * names; names are to be freed, as is the array. */
char **source_here(bool newest, size_t *n);

/* As root: becomes the user whose recording it is, for good. What that user could have put
 * into it is then read with no more than that user's rights. 0; -1: why. */
int source_become_owner(struct source *, char why[SOURCE_WHY]);

/* Makes path a database: stores event lines by sqlitesink(1) into a temporary one, which
 * is gone at the end (source_clean, also by a signal). Keeps the lines themselves, too,
 * when keep is set. 0; -1: why, or sqlitesink has said it. */
int source_open(struct source *, bool keep, char why[SOURCE_WHY]);
void source_clean(void);

/* An empty temporary database; its path, or NULL and why, or sqlitesink has said it. */
const char *source_empty(char why[SOURCE_WHY]);

/* The program NAME beside this one, else from PATH: replaces us. Returns on failure. */
void source_exec(const char *name, char *const argv[]);

#endif
