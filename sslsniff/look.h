/*
 * look.h - what TLS is in a file, found by a process apart
 *
 * The finders read every byte of a file that somebody else made: apart.h. Of what the
 * child says the parent sees itself that a site is in a part of the file that is mapped
 * to run, and that the instruction there is the one that it names.
 */
#ifndef LOOK_H
#define LOOK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "apart.h"
#include "found.h"

struct look {
	struct apart apart;
	int fd;				/* the caller's */
	bool cached, use_cache;
	struct stat st;
	struct found found;		/* when cached */
};

/* Begins to look at an open file, which stays open until look_end; with use_cache at what
 * was kept of it first (cache.h). uid as in apart.h. -1 with errno. */
int look_begin(struct look *, int fd, bool use_cache, uid_t uid);
/* As apart_wait. */
bool look_wait(struct look *, int ms);
/* Gives the result; found is to be freed with found_free. A file that took too much is
 * refused with that reason, and unseen. 0, or -1 with errno. */
int look_end(struct look *, struct found *);

/* The three in one. */
int look_at(struct found *, int fd, bool use_cache, uid_t uid);

#endif
