/*
 * point.h - probe points, as the BPF programs know them
 */
#ifndef POINT_H
#define POINT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum { DIR_READ, DIR_WRITE };

/* What a probe's cookie says of the function it sits on; the library is enum
 * find_lib of found.h, of which the BPF side knows only Go. */
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
	SIG_ENCRYPT,	/* rustls, found.h */
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

/* A method of rustls's record ciphers, in the map methods: file and address as
 * linked; the value is its direction. */
struct method_key {
	__u64 va;
	__u32 file, pad;
};

#endif
