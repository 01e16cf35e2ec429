/*
 * whose - processes on one CPU that pass plaintext of their own through TLS
 *
 *	whose late SIZE ROUNDS	one whose buffer is not in memory when SSL_write
 *				returns: its pages come back only when the other
 *				one has made CALLS more calls on the same CPU
 *	whose crowd SIZE N WRITES	N that write as fast as they can
 *
 * Waits for a line on standard input first. Every byte says whose it is: a write is
 * "<pid:number>" over and over, SIZE bytes of it. Each process holds both ends of its
 * connection, reads what it wrote, and prints its pid and the number of its writes.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, MOST = 64 * PAGE, RECORD = 16384, CALLS = 4 };

static struct {
	atomic_ulong calls;	/* of the other process */
	atomic_bool over;
} *shared;

static struct {
	SSL *client, *server;
	size_t size;
	char *buf;		/* what is written: MOST bytes */
	char copy[MOST];	/* where its pages come back from */
	int faults;		/* userfaultfd */
	int records;		/* TLS records until the pages go; 0: they stay */
} me;

static void
fill(unsigned number)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "<%07d:%06u>", getpid(), number);

	for (size_t i = 0; i < me.size; i++)
		me.buf[i] = text[i % n];
}

/* After the last record of a write is made, nobody but a probe reads the buffer. */
static long
on_bio(BIO *b, int op, const char *data, size_t n, int i, long l, int ret, size_t *done)
{
	(void)b, (void)data, (void)n, (void)i, (void)l, (void)done;
	if (op == BIO_CB_WRITE && me.records && --me.records == 0) {
		memcpy(me.copy, me.buf, MOST);
		if (madvise(me.buf, MOST, MADV_DONTNEED))
			err(1, "madvise");
	}
	return ret;
}

static void
connect_ends(const char *cert, const char *key)
{
	SSL_CTX *sc = SSL_CTX_new(TLS_server_method()), *cc = SSL_CTX_new(TLS_client_method());
	BIO *to = BIO_new(BIO_s_mem()), *from = BIO_new(BIO_s_mem());

	if (SSL_CTX_use_certificate_file(sc, cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(sc, key, SSL_FILETYPE_PEM) != 1)
		errx(1, "certificate");
	SSL_CTX_set_num_tickets(sc, 0);
	me.server = SSL_new(sc);
	me.client = SSL_new(cc);
	BIO_up_ref(to);
	BIO_up_ref(from);
	SSL_set_bio(me.client, from, to);
	SSL_set_bio(me.server, to, from);
	BIO_set_callback_ex(to, on_bio);
	SSL_set_connect_state(me.client);
	SSL_set_accept_state(me.server);
	for (int i = 0; i < 4; i++) {
		SSL_do_handshake(me.client);
		SSL_do_handshake(me.server);
	}
	if (!SSL_is_init_finished(me.client) || !SSL_is_init_finished(me.server))
		errx(1, "handshake");
}

/* Writes and reads once. */
static void
pass(void)
{
	static char got[RECORD];
	size_t n = 0;
	int k;

	if (SSL_write(me.client, me.buf, me.size) != (int)me.size)
		errx(1, "SSL_write");
	while (n < me.size && (k = SSL_read(me.server, got, sizeof(got))) > 0)
		n += k;
	if (n != me.size)
		errx(1, "SSL_read");
}

/* Brings pages back, when the other process has gone on. */
static void *
serve_faults(void *arg)
{
	struct uffd_msg m;

	while (read(me.faults, &m, sizeof(m)) == sizeof(m)) {
		unsigned long page = m.arg.pagefault.address & ~(PAGE - 1ul);
		unsigned long until = atomic_load(&shared->calls) + CALLS;
		struct uffdio_copy c = { .dst = page, .len = PAGE,
		    .src = (unsigned long)me.copy + (page - (unsigned long)me.buf) };

		while (atomic_load(&shared->calls) < until)
			usleep(1000);
		if (ioctl(me.faults, UFFDIO_COPY, &c))
			warn("UFFDIO_COPY");
	}
	return arg;
}

static void
on_cpu_0(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

static void
say(unsigned writes)
{
	printf("%d %u\n", getpid(), writes);
	fflush(stdout);
}

static void
be_late(unsigned rounds)
{
	struct uffdio_register r = { .range = { (unsigned long)me.buf, MOST },
	    .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	pthread_t thread;

	me.faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (me.faults < 0 || ioctl(me.faults, UFFDIO_API, &api))
		err(1, "userfaultfd");
	if (pthread_create(&thread, NULL, serve_faults, NULL))
		errx(1, "pthread_create");
	on_cpu_0();
	for (unsigned i = 0; i < rounds; i++) {
		fill(i);
		if (ioctl(me.faults, UFFDIO_REGISTER, &r))
			err(1, "UFFDIO_REGISTER");
		me.records = (me.size + RECORD - 1) / RECORD;
		pass();
		if (ioctl(me.faults, UFFDIO_UNREGISTER, &r.range))
			err(1, "UFFDIO_UNREGISTER");
	}
	atomic_store(&shared->over, true);
	say(rounds);
}

static void
be_fast(unsigned writes)
{
	unsigned i;

	on_cpu_0();
	for (i = 0; writes ? i < writes : !atomic_load(&shared->over); i++) {
		fill(i);
		pass();
		atomic_fetch_add(&shared->calls, 1);
		if (!writes)	/* a few at a time, or they are all that there is */
			usleep(1000);
	}
	say(i);
}

static void
start(const char *cert, const char *key, void (*be)(unsigned), unsigned n)
{
	if (fork())
		return;
	me.buf = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (me.buf == MAP_FAILED)
		err(1, "mmap");
	memset(me.buf, 0, MOST);
	connect_ends(cert, key);
	be(n);
	_exit(0);
}

int
main(int argc, char **argv)
{
	int failed = 0, status;
	char line[16];

	if (argc < 6)
		errx(2, "whose CERT KEY late SIZE ROUNDS | whose CERT KEY crowd SIZE N WRITES");
	me.size = atoi(argv[4]);
	if (me.size < 1 || me.size > MOST)
		errx(2, "size");
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	if (strcmp(argv[3], "late") == 0) {
		start(argv[1], argv[2], be_late, atoi(argv[5]));
		start(argv[1], argv[2], be_fast, 0);
	} else {
		for (int i = 0; i < atoi(argv[5]); i++)
			start(argv[1], argv[2], be_fast, atoi(argv[6]));
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
