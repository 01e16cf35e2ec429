/*
 * merge.h - databases that are parts of one recording (sqlitesink --rotate) become one
 *
 * Rows get new ids. What is in several parts becomes one row: the run, the stages, the
 * processes that live from one to the next, texts and paths, a tool call and its result.
 */
#ifndef MERGE_H
#define MERGE_H

#include <stddef.h>

enum { MERGE_WHY = 512 };

/* Puts the parts from[0..n), in their order, into the database `to`, which sqlitesink(1)
 * made and in which nothing is. missing (static size MERGE_WHY) says in words which parts
 * of a recording are not among them, or is empty. 0, or -1: why says what is wrong. */
int merge_parts(const char *to, const char *const *from, size_t n, char missing[MERGE_WHY],
    char why[MERGE_WHY]);

/* The files that are parts of the recording which path is the last file of, in their order,
 * and path; each to be freed, and the array. *n is 1 when there is no other. NULL: no memory. */
char **merge_set(const char *path, size_t *n);

#endif
