/*
 * tcpsniff.h - what the BPF programs and the collector share
 */
#ifndef TCPSNIFF_H
#define TCPSNIFF_H

#include "gather.h"
#include "record.h"

enum { PORTS = 16 };		/* that --ports can name */
enum { UNIX_NAME = 108 };	/* sun_path */

/* Record kinds. */
enum {
	TCP_BEGIN = 1,	/* a connection is captured from here on: tcp_begin behind it */
	TCP_DATA,	/* bytes behind it */
	TCP_CLOSE,	/* the socket was closed, or carries something else now */
};

enum { SIDE_UNKNOWN, SIDE_CLIENT, SIDE_SERVER };

/* What else a call did. */
enum {
	CALL_MESSAGES = CALL_TOOL,	/* (fd, mmsghdr) -> how many of them */
	CALL_SENDFILE,	/* (to, from): bytes that never pass the process's memory */
	CALL_SPLICE,	/* (from, , to) */
	CALL_CONNECT,	/* (fd) */
	CALL_ACCEPT,	/* () -> fd */
	CALL_PAIR,	/* (, , , int[2]) */
};

/* One end and the other of a TCP connection. IPv4 is ::ffff:a.b.c.d. */
struct ends {
	__u8 local[16], peer[16];
	__u16 lport, pport;
	__u32 net;	/* number of the network namespace, of loopback addresses alone */
};

struct tcp_begin {
	struct ends ends;
	__u16 family;
	__u8 nlocal, npeer;	/* unix: lengths of their names, which may begin with NUL */
	char local[UNIX_NAME], peer[UNIX_NAME];
	__u32 pad;
};

struct tcp_record {
	struct record head;
	__u64 serial;		/* of the connection, never reused */
	__u64 ino;		/* of its socket */
	union {
		struct {		/* TCP_DATA */
			__u64 off;	/* of the first byte, in its direction */
			__u64 span;	/* bytes of the stream that it stands for */
		};
		__u64 moved[2];		/* TCP_CLOSE: bytes in all, by direction */
	};
	__u32 owner;		/* the process that it was first seen in */
	__u32 fd;
	__u32 len;		/* bytes behind this */
	__u8 dir, late, side, pad;
	__u32 peer_pid;		/* the process at the other end, when it is observed, too */
	__u32 pad2;
#ifndef __bpf__
	char data[];
#endif
};

/* Counters beyond the common ones. */
enum {
	COUNT_CONNS_FULL = COUNT_TOOL,	/* table of connections full */
	COUNT_MAX_BYTES,		/* cut by --max-bytes */
	COUNT_COMPAT,			/* a 32-bit program's call */
	COUNT_URING,			/* handed to io_uring: not seen */
	COUNT_SPLICED,			/* moved within the kernel: not seen */
	COUNT_BUSY,			/* all memory for calls in use */
};

#endif
