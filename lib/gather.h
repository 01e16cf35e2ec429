/*
 * gather.h - collectors that copy what system calls transfer
 *
 * What the BPF programs and such a collector share: how a call passes its memory, by
 * its number. A collector has kinds of its own from CALL_TOOL on.
 */
#ifndef GATHER_H
#define GATHER_H

#include <linux/types.h>

enum { PIECE = 16384 };		/* most payload bytes in one record */
enum { DIR_READ, DIR_WRITE };

enum {
	CALL_NONE,
	CALL_BUFFER,	/* (fd, buf, n), flat memory */
	CALL_VECTOR,	/* (fd, iov, count) */
	CALL_MESSAGE,	/* (fd, msghdr) */
	CALL_TOOL,
};

struct call_kind {
	__u8 kind, dir;
};

/* A line of a collector's table. */
struct gather_call {
	__u16 nr;	/* SYS_... */
	__u8 kind, dir;
};

#ifndef __bpf__
#include <stddef.h>

/* Between open and load: enters n lines into call_table, the programs' constant. */
void gather_calls(const struct call_kind *call_table, const struct gather_call *, size_t n);
#endif

#endif
