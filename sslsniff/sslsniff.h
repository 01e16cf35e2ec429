/*
 * sslsniff.h - what the BPF programs and the collector share
 */
#ifndef SSLSNIFF_H
#define SSLSNIFF_H

#include "point.h"
#include "record.h"

enum { PIECE = 16384 };		/* most payload bytes in one record */
enum { NAME_MAX_LEN = 256 };	/* a server name is at most 253 (RFC 1035) */

/* Record kinds. */
enum {
	SSL_DATA = 1,
	SSL_HANDSHAKE,
	SSL_CLOSE,	/* the library freed the connection */
	SSL_GONE,	/* the process exited or execed: all its connections ended */
	SSL_SOCKET,	/* the connection's socket is known now: ssl_socket_record */
};

enum { DIALS = 8 };		/* a power of two */

/* A span of boot time. */
struct span {
	__u64 from, to;
};

/* A program that was executed under our eyes, in one process: in the map execs while it
 * runs, in the map ended afterwards. */
struct exec {
	__u64 time;		/* boot time of its exec */
	__u64 born;		/* the same, or when this process was forked from one of it */
	__u64 ended;		/* 0: it runs */
	__u64 exe;		/* inode number of its file */
	__u64 dialed;		/* TCP connections that it has begun, ... */
	__u64 at[DIALS];	/* ... when: the last of them, by turns */
	struct span answered;	/* of the time in which the collector has counted them itself */
	__u32 of, pad;		/* the process that executed it */
	char comm[16];		/* when it began the last one */
};

struct ended_key {
	__u64 born;
	__u32 pid, pad;
};

/* Counters beyond the common ones. */
enum {
	COUNT_CALLS_FULL = COUNT_TOOL,	/* too many calls in progress */
	COUNT_CONNS_FULL,		/* table of connections full */
	COUNT_MAX_BYTES,		/* cut by --max-bytes */
	COUNT_NAMES_FULL,		/* a server name was not kept */
	COUNT_STORAGE,			/* no memory for a thread's state */
	COUNT_ATTACHED_LATE,		/* a connection began before its program was hooked */
};

/* An SSL_DATA record: this, skip bytes of nothing, and up to PIECE bytes. The
 * others: this alone. Every record of the ring takes a multiple of 64 bytes with
 * its header of 8, so that it is known how data lies in memory: copying is twice
 * as fast where source and target lie alike. */
enum { RECORD_ALIGN = 64, RING_HEADER = 8, SKIP_MAX = 32 };

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
		__s64 result;		/* SSL_HANDSHAKE: what it returned */
	};
	__u32 len;	/* bytes of payload that follow */
	__u8 dir, lib, late, skip;
	__u8 data[];
};
_Static_assert((sizeof(struct ssl_record) + RING_HEADER) % RECORD_ALIGN == 0, "RECORD_ALIGN");

/* One end and the other of a TCP connection; ports in host order. */
struct endpoint {
	__u64 sock, file, ino;	/* kernel addresses and inode, to tell it from others */
	__u32 local[4], peer[4];	/* IPv4: the first word */
	__u16 family, lport, pport, pad;
};

struct ssl_socket_record {
	struct record head;
	__u64 serial;
	__s32 fd;	/* -1: not found */
	__u32 pad;
	struct endpoint at;
	__u8 fill[32];
};
_Static_assert((sizeof(struct ssl_socket_record) + RING_HEADER) % RECORD_ALIGN == 0,
    "RECORD_ALIGN");

/* A connection, in the map conns. A process image (between execs) has a
 * number, gen, so that an object at the same address after exec, or in another
 * process with a reused pid, is another connection. A rustls connection has an
 * object per direction and key: they lead to it through the map aliases, and its
 * own key is a number that is no address. */
struct conn_key {
	__u64 gen, conn;
};

struct conn {
	__u64 serial;
	__u64 moved[2];		/* bytes so far, by direction */
	__u64 object;		/* address that names it */
	__u64 ino[2];		/* the socket seen inside its calls, by direction */
	__u64 bound, guess[2];	/* the socket that was emitted; that it may be */
	__u64 over;		/* boot time when its TCP connection ended */
	struct conn_key self;
	__u32 pid, uid, ns_pid, lib, late, objects;
	__u64 born;
	char comm[16];
};

struct alias {
	__u64 conn;		/* in conn_key */
	__u64 used;		/* a call with this object was seen */
};

/* A call in progress. Go's are kept by goroutine in the map gocalls: key.id is
 * process and depth of its stack, key.sp the goroutine. */
struct call_key {
	__u64 id, sp;
};

struct call {
	__u64 conn, buf, done, since;
	__u64 n, ip;		/* rustls: of the buffer; of the function */
	__u32 ops;		/* socket calls of the thread at entry ... */
	__u32 tid;		/* Go: ... of this thread */
};

#endif
