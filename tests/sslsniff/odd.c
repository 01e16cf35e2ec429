/*
 * odd.c - what TLS programs do that is easy to get wrong, over memory BIOs
 *
 *	odd nested | retry | pages FILE | reuse | exec | thread
 *
 * Prints what really was transferred, one call a line: READ or WRITE, the
 * connection's letter, the bytes. The test holds sslsniff against it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two ends joined by a pair of BIOs of limited size. */
struct pair {
	SSL *client, *server;
	BIO *near, *far;
};

static SSL_CTX *cctx, *sctx;

static void
die(const char *what)
{
	fprintf(stderr, "odd: %s\n", what);
	exit(1);
}

static void
make_contexts(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	cctx = SSL_CTX_new(TLS_client_method());
	sctx = SSL_CTX_new(TLS_server_method());
	if (!key || !x || !cctx || !sctx)
		die("contexts");
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	SSL_CTX_set_num_tickets(sctx, 0);
	if (SSL_CTX_use_certificate(sctx, x) != 1 || SSL_CTX_use_PrivateKey(sctx, key) != 1)
		die("certificate");
}

static struct pair
connected(void)
{
	struct pair p = { SSL_new(cctx), SSL_new(sctx), NULL, NULL };

	if (!BIO_new_bio_pair(&p.near, 1 << 18, &p.far, 1 << 18))
		die("pair");
	SSL_set_bio(p.client, p.near, p.near);
	SSL_set_bio(p.server, p.far, p.far);
	SSL_set_connect_state(p.client);
	SSL_set_accept_state(p.server);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(p.client);
		SSL_do_handshake(p.server);
	}
	if (!SSL_is_init_finished(p.client) || !SSL_is_init_finished(p.server))
		die("handshake");
	return p;
}

static int
put(SSL *s, const char *name, const char *text)
{
	int n = SSL_write(s, text, strlen(text));

	if (n > 0)
		printf("WRITE %s %.*s\n", name, n, text);
	return n;
}

static int
get(SSL *s, const char *name)
{
	char buf[1000];
	int n = SSL_read(s, buf, sizeof(buf));

	if (n > 0)
		printf("READ %s %.*s\n", name, n, buf);
	return n;
}

/* --- a BIO that does something else when it is used ------------------------- */

static BIO_METHOD *method;
static void (*on_read)(void), (*on_write)(void);

static int
tap_read(BIO *b, char *buf, int n)
{
	void (*f)(void) = on_read;
	int r;

	on_read = NULL;
	if (f)
		f();
	r = BIO_read(BIO_get_data(b), buf, n);
	BIO_clear_retry_flags(b);
	if (r <= 0)
		BIO_set_retry_read(b);
	return r;
}

static int
tap_write(BIO *b, const char *buf, int n)
{
	void (*f)(void) = on_write;

	on_write = NULL;
	if (f)
		f();
	return BIO_write(BIO_get_data(b), buf, n);
}

static long
tap_ctrl(BIO *b, int cmd, long n, void *p)
{
	return BIO_ctrl(BIO_get_data(b), cmd, n, p);
}

/* Puts the tap between an end and its BIO. */
static void
tap(SSL *s, BIO *below)
{
	BIO *b;

	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tap");
	BIO_meth_set_read(method, tap_read);
	BIO_meth_set_write(method, tap_write);
	BIO_meth_set_ctrl(method, tap_ctrl);
	b = BIO_new(method);
	BIO_set_data(b, below);
	BIO_set_init(b, 1);
	BIO_up_ref(below);
	SSL_set_bio(s, b, b);
}

/* --- the cases ---------------------------------------------------------------- */

static struct pair a, b;

static void
write_inner(void)
{
	put(b.client, "b", "inner write on another connection");
	put(a.client, "a", "inner write on the same connection");
}

/* node does this: SSL_write inside SSL_read, on one thread */
static void
nested(void)
{
	a = connected();
	b = connected();
	tap(a.client, a.near);
	put(a.server, "A", "outer read, with a write inside");
	on_read = write_inner;
	get(a.client, "a");
	get(a.server, "A");
	get(b.server, "B");
}

static void
retry(void)
{
	static char big[1 << 18];
	int n, r;

	a = connected();
	for (int i = 0; i < 3; i++)
		if (get(a.client, "a") > 0)
			die("read something");
	memset(big, 'x', sizeof(big));
	SSL_set_mode(a.client, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	for (n = 0; (r = SSL_write(a.client, big, 16384)) > 0; n++)
		printf("WRITE a %.*s\n", r, big);
	while ((r = SSL_read(a.server, big, 16384)) > 0)
		printf("READ A %.*s\n", r, big);
	memset(big, 'x', sizeof(big));
	if ((r = SSL_write(a.client, big, 16384)) <= 0)	/* the retry */
		die("retry");
	printf("WRITE a %.*s\n", r, big);
	if (n < 4)
		die("pair never full");
}

static void *mapped;
static size_t mapped_len;

static void
evict(void)
{
	madvise(mapped, mapped_len, MADV_DONTNEED);
}

/* The pages of the buffer are gone when SSL_write returns. */
static void
pages(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	mapped_len = st.st_size;
	mapped = mmap(NULL, mapped_len, PROT_READ, MAP_PRIVATE, fd, 0);
	a = connected();
	tap(a.client, a.near);
	for (size_t at = 0; at < mapped_len; ) {
		size_t n = mapped_len - at < 16384 ? mapped_len - at : 16384;
		char buf[16384];
		int r;

		on_write = evict;
		r = SSL_write(a.client, (char *)mapped + at, n);
		if (r <= 0)
			die("write");
		at += r;
		while (SSL_read(a.server, buf, sizeof(buf)) > 0)
			;
	}
	printf("%zu\n", mapped_len);
}

/* One address, many connections. */
static void
reuse(void)
{
	for (int i = 0; i < 5; i++) {
		char text[32];

		a = connected();
		snprintf(text, sizeof(text), "connection %d", i);
		put(a.client, "a", text);
		get(a.server, "A");
		SSL_free(a.client);
		SSL_free(a.server);
	}
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	make_contexts();
	if (strcmp(what, "nested") == 0) {
		nested();
	} else if (strcmp(what, "retry") == 0) {
		retry();
	} else if (strcmp(what, "pages") == 0 && argc > 2) {
		pages(argv[2]);
	} else if (strcmp(what, "reuse") == 0) {
		reuse();
	} else if (strcmp(what, "exec") == 0) {	/* nothing is freed */
		a = connected();
		put(a.client, "a", "before exec");
		fflush(stdout);
		execl(argv[0], argv[0], "reuse", (char *)NULL);
		die("exec");
	} else {
		die("which?");
	}
	return fflush(stdout) ? 1 : 0;
}
