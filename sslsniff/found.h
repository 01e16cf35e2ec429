/*
 * found.h - what was found in a file: where TLS plaintext can be probed, and how it is
 * passed there
 */
#ifndef FOUND_H
#define FOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum find_lib { LIB_OPENSSL, LIB_BORINGSSL, LIB_GNUTLS, LIB_NSS, LIB_RUSTLS, LIB_GO, LIB_MAX };

/*
 * What a call at the site means. READ and WRITE carry plaintext. NEW and FREE
 * bound the life of the connection object: an address that is seen again after
 * FREE, or that NEW returns, is another connection.
 */
enum find_role { ROLE_READ, ROLE_WRITE, ROLE_HANDSHAKE, ROLE_NEW, ROLE_FREE, ROLE_SNI, ROLE_MAX };

/*
 * How arguments and results are passed; System V AMD64 unless said otherwise.
 * "obj" is the connection object, the key of the connection.
 *
 *  INT     int f(obj, buf, int num): bytes transferred when > 0
 *  EX      int f(obj, buf, size_t num, size_t *done): *done bytes when the
 *          result is > 0 (SSL_read_ex, SSL_write_ex, ssl_read_internal, and
 *          ssl_write_internal before OpenSSL 3.3)
 *  EX2     int f(obj, buf, size_t num, uint64_t flags, size_t *done): as EX
 *          with done in the fifth argument (SSL_write_ex2, ssl_write_internal)
 *  SSIZE   ssize_t f(obj, buf, size_t num, ...): bytes when > 0 (GnuTLS)
 *  NSPR    int32 f(fd, buf, int32 num, ...): as INT. fd is any PRFileDesc, also a
 *          plain file or pipe, or the socket under a TLS layer: the caller must
 *          keep only those that are TLS (or at least sockets). The layer below
 *          is called through its method table, never through these functions.
 *  NSPR_RECV  the same with flags as the fourth argument: PR_MSG_PEEK (2) moves nothing
 *  RUSTLS_ENCRYPT  (result *, self, msg *, seq): plaintext in the argument.
 *          msg is four words w0..w3, then u8 content type at 32 (3 is
 *          ApplicationData; nothing else is plaintext). w0 == 0: one piece, w1
 *          pointer, w2 length. Else pieces: of w0 and w1 the larger is the
 *          array of {pointer, length}, the smaller its count; the payload is
 *          bytes [w2, w3) of their concatenation. Entry only.
 *  RUSTLS_DECRYPT  (result *, self, msg *, seq): msg is {pointer, length, ...} of
 *          the ciphertext, decrypted in place. At return, a pair (p, n) in the
 *          first 64 bytes of *result with [p, p+n) inside the message is the
 *          plaintext. Byte p[n] is the inner type, 23 is data.
 *  RUSTLS_DECRYPT12  the same before TLS 1.3: the byte at 16 of msg is its type, 3
 *          is ApplicationData, and nothing stands behind the plaintext.
 *  GO      method of *tls.Conn by the Go register ABI: rax obj, rbx buf, rcx num,
 *          r14 goroutine (the key between entry and return: goroutines change
 *          threads). At FIND_RET rax is the count, also when an error comes with it.
 *  OBJ     f(obj): no result that matters (SSL_free, gnutls_deinit, drop glue).
 *          Go: obj in rax, see `go`.
 *  RESULT  int f(obj): result at return (handshakes; 1 OpenSSL, 0 GnuTLS is success)
 *  MAKE    obj *f(...): the new object at return, NULL on failure
 *  CTRL    long f(obj, int cmd, long, char *name): SNI when cmd is 55
 *          (SSL_CTRL_SET_TLSEXT_HOSTNAME)
 *  NAME    int f(obj, char *name)
 *  NAMELEN int f(obj, int type, void *name, size_t len): SNI when type is 1 (GnuTLS)
 */
enum find_abi {
	ABI_INT, ABI_EX, ABI_EX2, ABI_SSIZE, ABI_NSPR, ABI_NSPR_RECV,
	ABI_RUSTLS_ENCRYPT, ABI_RUSTLS_DECRYPT, ABI_RUSTLS_DECRYPT12, ABI_GO,
	ABI_OBJ, ABI_RESULT, ABI_MAKE, ABI_CTRL, ABI_NAME, ABI_NAMELEN, ABI_MAX
};

/*
 *  ENTRY   one probe at the entry
 *  CALL    a probe at the entry and one at the return (uprobe and uretprobe at
 *          the same offset)
 *  RET     a plain probe on a return instruction of the function whose entry is
 *          the last ENTRY site before it (Go: a uretprobe would corrupt the
 *          stack when it grows)
 */
enum find_at { FIND_ENTRY, FIND_CALL, FIND_RET, FIND_AT_MAX };

/* What the kernel does with the probed instruction: see tls.md 5b. The first six
 * are emulated (cheap), the last is single-stepped out of line (dear). */
enum find_insn { INSN_NOP, INSN_NOP5, INSN_PUSH, INSN_CALL, INSN_JMP, INSN_JCC, INSN_OTHER,
    INSN_MAX };
#define FIND_CHEAP(s) ((s)->insn < INSN_OTHER)

/*
 * One probe point. off is what uprobes want; va is for people. The probe may
 * lie behind instructions at the entry that change neither arguments nor the
 * stack pointer (endbr64; Go's stack check, so that a call whose stack grows is
 * seen once).
 */
struct find_site {
	enum find_lib lib;
	enum find_role role;
	enum find_abi abi;
	enum find_at at;
	enum find_insn insn;
	bool go;		/* arguments by the Go register ABI */
	uint64_t off, va;
	char name[48];		/* "SSL_read", "crypto/tls.(*Conn).Read" */
	char evidence[160];
};

/* A library that seems to be there but cannot be probed, and why. */
struct refusal {
	enum find_lib lib;	/* LIB_MAX: the whole file */
	char reason[160];
};

enum { FIND_MAX_SITES = 512, FIND_MAX_REFUSALS = 32 };

struct found {
	struct find_site *site;
	size_t nsite;
	struct refusal *refusal;
	size_t nrefusal;
	char build_id[64];	/* hex (cut at 31 bytes), "" when the file has none */
	char kind[16];		/* "exec", "pie", "shared", "" when not ELF */
	bool unseen;		/* it was not looked at, or not to the end */
	bool failed;		/* out of memory or too many; the lists are incomplete */
};

void found_free(struct found *);

/* For finders. A new zeroed site or NULL; the result is only valid until the next. */
struct find_site *found_site(struct found *);
void found_refuse(struct found *, enum find_lib, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool found_has(const struct found *, enum find_lib, enum find_role);

extern const char *const find_lib_name[LIB_MAX];	/* as in ssl.data's lib */
extern const char *const find_role_name[ROLE_MAX];
extern const char *const find_abi_name[ABI_MAX];
extern const char *const find_at_name[FIND_AT_MAX];
extern const char *const find_insn_name[INSN_MAX];

#endif
