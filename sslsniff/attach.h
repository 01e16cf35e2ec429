/*
 * attach.h - puts the BPF programs on the sites of files
 */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "site.h"

struct bpf_link;
struct bpf_program;

struct attach {
	bool multi;		/* one uprobe_multi link per program, else perf uprobes */
	struct bpf_program *progs[SITE_PROGS];
	int *fds;		/* multi links */
	struct bpf_link **links;	/* perf uprobes */
	size_t nfds, nlinks;
	struct attach_file {
		dev_t dev;
		ino_t ino;
		off_t size;
		struct timespec mtime;
		bool probed;
		uint64_t since;	/* boot time; 0: no probe is on it */
	} *files;		/* those that were looked at */
	size_t nfiles;
	int points, methods;	/* the maps of these names */
	uint32_t points_used, nattached;
};

/* What is known of a file that was looked at already, NULL: it was not; attach_seen
 * remembers it then. */
const struct attach_file *attach_find(const struct attach *, const struct stat *);
bool attach_seen(struct attach *, const struct stat *);

/* Attaches all sites of the open file. 0; or -1 with errno, *what: the site that
 * failed. What was attached before stays. */
int attach_file(struct attach *, int fd, const struct sites *, const char **what);

void attach_close(struct attach *);

#endif
