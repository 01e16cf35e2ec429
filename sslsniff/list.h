/*
 * list.h - sslsniff --list: what TLS the chosen processes use
 */
#ifndef LIST_H
#define LIST_H

struct target;

/* Prints, for each chosen process, its TLS libraries, the functions that would
 * be hooked, and why not where not. The exit status. */
int list_targets(struct target *);

#endif
