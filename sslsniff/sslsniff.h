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
	SSL_SOCKET,	/* the connection's socket is known now: ssl_socket_record */
};

enum { DIR_READ, DIR_WRITE };

/* What a probe's cookie says of the function it sits on; the library is enum
 * find_lib of find.h, of which the BPF side knows only Go. */
enum {
	SIG_INT,	/* f(conn, buf, n) -> int: bytes done, <= 0 none */
	SIG_OUT4,	/* f(conn, buf, n, size_t *done) -> int: > 0 done */
	SIG_OUT5,	/* the same, *done is the fifth argument */
	SIG_LONG,	/* f(conn, buf, n) -> ssize_t */
	SIG_NSPR,	/* as SIG_INT, when conn is a PRFileDesc with TLS on it */
	SIG_NSPR_RECV,	/* the same, with flags as the fourth argument */
	SIG_RESULT,	/* f(conn) -> int: a handshake */
	SIG_NAME2,	/* f(conn, name) */
	SIG_NAME_CTRL,	/* f(conn, 55, 0, name) */
	SIG_NAME_LEN,	/* f(conn, 1, name, length) */
	SIG_OBJECT,	/* f(conn): its end; or -> conn: its beginning */
	SIG_GO_OBJECT,	/* conn in Go's first register: its end */
	SIG_GO,		/* Go: conn, buf, n -> n in its registers */
	SIG_ENCRYPT,	/* rustls, find.h */
	SIG_DECRYPT,	/* rustls, TLS 1.3: the content type is behind the plaintext */
	SIG_DECRYPT12,	/* rustls, TLS 1.2: it is in the message */
};
enum { COOKIE_GO = 5 };	/* LIB_GO */
#define COOKIE(sig, dir, lib, point) \
	((__u64)(sig) | (__u64)(dir) << 8 | (__u64)(lib) << 16 | (__u64)(point) << 32)
#define COOKIE_SIG(c) ((c) & 0xff)
#define COOKIE_DIR(c) ((c) >> 8 & 1)
#define COOKIE_LIB(c) ((c) >> 16 & 0xff)
#define COOKIE_POINT(c) ((__u32)((c) >> 32))

/* A function that is probed, in the map points. */
struct point {
	__u64 va;	/* of the probe, as linked */
	__u64 since;	/* boot time when it was attached; 0: being attached */
	__u32 file;	/* a number for each file */
	__u32 pad;
};
enum { POINTS = 16384 };

/* A process that has execed, in the map execs. */
struct exec {
	__u64 time;	/* boot time */
	__u64 dialed;	/* TCP connections that it has begun since */
};

/* A method of rustls's record ciphers, in the map methods: file and address as
 * linked; the value is its direction. */
struct method_key {
	__u64 va;
	__u32 file, pad;
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
_Static_assert((sizeof(struct ssl_socket_record) + RING_HEADER) % RECORD_ALIGN == 0, "RECORD_ALIGN");

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
