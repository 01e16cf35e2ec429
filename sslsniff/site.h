/*
 * site.h - probes to put on a file: which program, where, with what cookie
 *
 * Made from what a finder found (found.h), taken by the attacher.
 */
#ifndef SITE_H
#define SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct found;

/* The BPF programs, in the order of on_PROG in sslsniff.bpf.c. */
enum site_prog {
	SITE_ENTER, SITE_LEAVE, SITE_NEW, SITE_FREE, SITE_NAME, SITE_ENCRYPT, SITE_DECRYPT,
	SITE_DECRYPTED, SITE_GO_ENTER, SITE_GO_LEAVE, SITE_GO_FREE, SITE_PROGS
};

struct site {
	const char *name;	/* of the function */
	const char *insn;	/* that is probed */
	bool cheap;		/* the kernel emulates it */
	uint64_t offset, va;	/* in the file, and as linked */
	uint64_t cookie;	/* COOKIE of point.h, its point left to the attacher */
	uint32_t point;		/* the same for all probes of a function */
	int method;		/* of a rustls cipher: its direction; else -1 */
	enum site_prog prog;
	bool ret;		/* when the function returns */
};

enum { SITE_MAX = 1024 };

struct sites {
	size_t n;
	uint32_t points;
	bool reads, writes;	/* plaintext in that direction is seen */
	char why[160];		/* why some or all of what was found is not used */
	struct site v[SITE_MAX];	/* names are those of the found */
};

/* The probes for what was found, which must stay. False when nothing of it can
 * be used. */
bool site_plan(struct sites *, const struct found *);

/* The functions, once each with the instruction that is probed, separated by
 * ", ". */
void site_names(const struct sites *, char *buf, size_t size);

#endif
