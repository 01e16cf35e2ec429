/*
 * calls.h - which system calls matter, and to which program
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>

#include "process.h"

struct calls_want {
	bool files, reads, net, signals, dirs;	/* dirs: changes of the current directory */
};

/* Fills the table of n calls by number. */
void calls_fill(struct call *table, int n, const struct calls_want *);

#endif
