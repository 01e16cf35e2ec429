/*
 * stdiocap.h - what the BPF programs and the collector share
 */
#ifndef STDIOCAP_H
#define STDIOCAP_H

#include "gather.h"
#include "record.h"

enum { FD_LIST = 16 };		/* descriptors that --fd can name */

/* Record kinds. */
enum {
	STDIO_DATA = 1,
	STDIO_STREAM,	/* a descriptor is used for the first time; data: its path */
};

enum { ROLE_STDIN, ROLE_STDOUT, ROLE_STDERR, ROLE_FD };
enum { TARGET_PATH, TARGET_PIPE, TARGET_SOCKET };

/* What else a call did. */
enum {
	CALL_SENDFILE = CALL_TOOL,	/* (to, from): bytes that never pass the process's memory */
	CALL_SPLICE,	/* (from, , to) */
	CALL_CLOSE, CALL_DUP, CALL_DUP_TO, CALL_FCNTL,
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
