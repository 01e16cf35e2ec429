/*
 * stdiocap.h - what the BPF programs and the collector share
 */
#ifndef STDIOCAP_H
#define STDIOCAP_H

#include "record.h"

enum { PIECE = 16384 };		/* most payload bytes in one record */
enum { FD_LIST = 16 };		/* descriptors that --fd can name */

/* Record kinds. */
enum {
	STDIO_DATA = 1,
	STDIO_STREAM,	/* a descriptor is used for the first time; data: its path */
};

enum { DIR_READ, DIR_WRITE };
enum { ROLE_STDIN, ROLE_STDOUT, ROLE_STDERR, ROLE_FD };
enum { TARGET_PATH, TARGET_PIPE, TARGET_SOCKET };

/* What to do at the exit of a call, by its number. */
enum {
	CALL_NONE,
	CALL_BUFFER,	/* (fd, buf, n), flat memory */
	CALL_VECTOR,	/* (fd, iov, count) */
	CALL_MESSAGE,	/* (fd, msghdr) */
	CALL_SENDFILE,	/* (to, from): bytes that never pass the process's memory */
	CALL_SPLICE,	/* (from, , to) */
	CALL_CLOSE, CALL_DUP, CALL_DUP_TO, CALL_FCNTL,
};

struct call_kind {
	__u8 kind, dir;
};

/* stdio_data: this and the payload; stdio_stream: this and a path. */
struct stdio_record {
	struct record head;
	__u64 stream;		/* serial of the descriptor's life, never reused */
	__u64 off;		/* of the first byte, in its direction */
	__u64 span;		/* bytes that this record stands for */
	__u64 since;		/* when the call began, 0: before us */
	__u64 inode;
	__u32 fd, len;		/* len: bytes behind this */
	__u8 dir, role, target, pad[5];
#ifndef __bpf__
	char data[];
#endif
};

/* Counters beyond the common ones. */
enum {
	COUNT_STREAMS_FULL = COUNT_TOOL,	/* table of descriptors full */
	COUNT_MAX_BYTES,			/* cut by --max-bytes */
	COUNT_COMPAT,				/* a 32-bit program's call */
	COUNT_URING,				/* handed to io_uring: not seen */
	COUNT_SPLICED,				/* moved within the kernel: not seen */
	COUNT_BUSY,				/* all memory for calls in use */
	COUNT_STORAGE,				/* no memory for the role of a call in progress */
};

#endif
