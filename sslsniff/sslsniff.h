/*
 * sslsniff.h - what the BPF programs and the collector share
 */
#ifndef SSLSNIFF_H
#define SSLSNIFF_H

#include "record.h"

enum { PIECE = 16384 };		/* most payload bytes in one record */
enum { NAME_MAX_LEN = 256 };	/* a server name is at most 253 (RFC 1035) */

/* Record kinds. */
enum {
	SSL_DATA = 1,
	SSL_HANDSHAKE,
	SSL_CLOSE,	/* the library freed the connection */
	SSL_GONE,	/* the process exited or execed: all its connections ended */
};

enum { DIR_READ, DIR_WRITE };

/* What a probe's cookie says of the function it sits on; the library is enum
 * find_lib of find.h, which is nothing to the BPF side. */
enum {
	SIG_INT,	/* f(conn, buf, n) -> int: bytes done, <= 0 none */
	SIG_OUT4,	/* f(conn, buf, n, size_t *done) -> int: > 0 done */
	SIG_OUT5,	/* the same, *done is the fifth argument */
	SIG_LONG,	/* f(conn, buf, n) -> ssize_t */
	SIG_RESULT,	/* f(conn) -> int: a handshake */
	SIG_NAME2,	/* f(conn, name) */
	SIG_NAME_CTRL,	/* f(conn, 55, 0, name) */
	SIG_NAME_LEN,	/* f(conn, 1, name, length) */
	SIG_OBJECT,	/* f(conn): its end */
};
#define COOKIE(sig, dir, lib) ((__u64)(sig) | (__u64)(dir) << 8 | (__u64)(lib) << 16)
#define COOKIE_SIG(c) ((c) & 0xff)
#define COOKIE_DIR(c) ((c) >> 8 & 1)
#define COOKIE_LIB(c) ((c) >> 16 & 0xff)

/* Counters beyond the common ones. */
enum {
	COUNT_CALLS_FULL = COUNT_TOOL,	/* table of calls in progress full */
	COUNT_CONNS_FULL,		/* table of connections full */
	COUNT_MAX_BYTES,		/* cut by --max-bytes */
	COUNT_NAMES_FULL,		/* a server name was not kept */
};

/* An ssl_data record: this and up to PIECE bytes. The others: this alone. */
struct ssl_record {
	struct record head;
	__u64 conn;	/* address of the connection object */
	__u64 serial;	/* of the connection, never reused */
	__u64 since;	/* when the call began; head.time is when it ended */
	union {
		struct {		/* SSL_DATA */
			__u64 off;	/* of the first byte, in its direction */
			__u64 span;	/* bytes of the stream that it stands for */
		};
		__u64 moved[2];		/* SSL_CLOSE: bytes in all, by direction */
		__u64 gen;		/* SSL_GONE: of the process image */
	};
	__u32 len;	/* bytes of payload that follow */
	__s32 result;	/* SSL_HANDSHAKE: what it returned */
	__u8 dir, lib, pad[6];
	__u8 data[];
};

/* A connection, in the map conns. A process image (between execs) has a
 * number, gen, so that an object at the same address after exec, or in another
 * process with a reused pid, is another connection. */
struct conn_key {
	__u64 gen, conn;
};

struct conn {
	__u64 serial;
	__u64 moved[2];		/* bytes so far, by direction */
	__u32 pid, uid, ns_pid, lib;
	__u64 born;
	char comm[16];
};

/* A call in progress, in the map calls: by thread AND stack pointer, for one
 * TLS call may run inside another on the same thread. */
struct call_key {
	__u64 id, sp;
};

struct call {
	__u64 conn, buf, done, since;
};

#endif
