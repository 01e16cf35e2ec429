/*
 * apart.h - a file looked at in a process of its own
 *
 * Whoever runs a program chooses every byte of it. So what reads all of it runs in a
 * child for this one file, without any capability and under another user id where that
 * can be had, in a sandbox (sandbox.h) that lets it open nothing, with a second of
 * processor time and little memory. What it says is only as good as what the parent
 * can check.
 */
#ifndef APART_H
#define APART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	APART_CPU_S = 1,
	APART_DATA = 112 << 20,		/* memory of its own, beside what it maps of the file */
	APART_WALL_MS = 60000,		/* it may wait for a slow disk */
};

struct apart {
	int from;			/* what the child says */
	pid_t pid;
	uint64_t until_ms;
	uint8_t *said;			/* of at most max bytes */
	size_t n, max;
};

/* In the child, which has but these two descriptors and standard error: looks at the
 * file and says what it is with apart_say. Its data is the parent's, a copy. */
typedef void apart_fn(int fd, int to);
void apart_say(int to, const void *p, size_t n);

/* Begins. uid: of the child, when we are root; 0: as we are. -1 with errno. */
int apart_begin(struct apart *, int fd, apart_fn *, size_t max, uid_t uid);
/* Waits for the end, ms at most (-1: as long as it takes). True: it is there. */
bool apart_wait(struct apart *, int ms);
/* Ends the child if it still runs. NULL, and said[0..n) is what it said; or why it said
 * nothing (static). apart_free is due in either case. */
const char *apart_end(struct apart *);
void apart_free(struct apart *);

/* Whether the ELF file maps the part at file offset off to run, and, va not being NULL,
 * that at this address: from its program headers, which is all that is read. */
bool apart_is_run(int fd, uint64_t off, const uint64_t *va);

#endif
