/*
 * priv - processes with plaintext of their own on one processor, for priv.py
 *
 *	priv sleep ROUNDS	one whose buffer is not in memory when SSL_write
 *				returns, and comes back 300 ms later; meanwhile
 *				another one writes
 *	priv crowd N WRITES	N that write WRITES times each
 *
 * Waits for a line on standard input first. Every byte that passes TLS says whose
 * it is: <pid:number of the write>, repeated. Each process prints its pid and how
 * many writes it did; what it wrote it also read, by the other end that it holds.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 16000, PAGES = 16384, PAGE = 4096, LATE_US = 300000 };

static struct {
	SSL *client, *server;
	char *buf;		/* what is written */
	char copy[PAGES];	/* what its pages come back with */
	int faults;		/* userfaultfd, or -1 */
	int armed;		/* the next write loses its pages */
} me = { .faults = -1 };

static void
on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		err(1, "sched_setaffinity");
}

static void
fill(char *p, int number)
{
	char word[32];
	int n = snprintf(word, sizeof(word), "<%07d:%06d>", getpid(), number);

	for (int i = 0; i < SIZE; i++)
		p[i] = word[i % n];
}

/* When OpenSSL passes on the encrypted bytes it needs the plain ones no more. */
static long
on_bio(BIO *b, int op, const char *p, size_t len, int i, long l, int ret, size_t *done)
{
	(void)b, (void)p, (void)len, (void)i, (void)l, (void)done;
	if (op == BIO_CB_WRITE && me.armed) {
		me.armed = 0;
		memcpy(me.copy, me.buf, PAGES);
		madvise(me.buf, PAGES, MADV_DONTNEED);
	}
	return ret;
}

/* Brings the pages back, late. */
static void *
answer_faults(void *unused)
{
	static char page[PAGE] __attribute__((aligned(4096)));
	struct uffd_msg m;

	on_cpu(1);
	while (read(me.faults, &m, sizeof(m)) == sizeof(m)) {
		unsigned long at = m.arg.pagefault.address & ~(PAGE - 1ul);
		struct uffdio_copy c = { .dst = at, .src = (unsigned long)page, .len = PAGE };

		usleep(LATE_US);
		memcpy(page, me.copy + (at - (unsigned long)me.buf), PAGE);
		ioctl(me.faults, UFFDIO_COPY, &c);
	}
	return unused;
}

static void
faults_open(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	pthread_t t;

	me.faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (me.faults < 0 || ioctl(me.faults, UFFDIO_API, &api) != 0)
		err(1, "userfaultfd");
	if (pthread_create(&t, NULL, answer_faults, NULL) != 0)
		errx(1, "pthread_create");
}

static SSL *
end(const SSL_METHOD *method, BIO *in, BIO *out)
{
	SSL_CTX *c = SSL_CTX_new(method);
	SSL *s;

	/* a suite without a certificate: this is about what passes, not from whom */
	SSL_CTX_set_security_level(c, 0);
	SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
	if (!SSL_CTX_set_cipher_list(c, "AECDH-AES128-SHA") || !(s = SSL_new(c)))
		errx(1, "no anonymous TLS");
	SSL_set_bio(s, in, out);
	return s;
}

/* Both ends of a connection through memory. */
static void
connect_ends(void)
{
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());

	me.buf = mmap(NULL, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	BIO_up_ref(up);
	BIO_up_ref(down);
	BIO_set_callback_ex(up, on_bio);
	me.client = end(TLS_client_method(), down, up);
	me.server = end(TLS_server_method(), up, down);
	SSL_set_connect_state(me.client);
	SSL_set_accept_state(me.server);
	for (int i = 0; i < 20 && !(SSL_is_init_finished(me.client) && SSL_is_init_finished(me.server)); i++) {
		SSL_do_handshake(me.client);
		SSL_do_handshake(me.server);
	}
	if (!SSL_is_init_finished(me.client) || !SSL_is_init_finished(me.server))
		errx(1, "no connection");
}

/* One write, and the reads of the other end. */
static void
pass(int number, int late)
{
	static char got[20000];
	struct uffdio_register area = {
		.range = { (unsigned long)me.buf, PAGES }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int n, have = 0;

	memset(me.buf, 0, PAGES);
	fill(me.buf, number);
	if (late && ioctl(me.faults, UFFDIO_REGISTER, &area) != 0)
		err(1, "userfaultfd: register");
	me.armed = late;
	if (SSL_write(me.client, me.buf, SIZE) != SIZE)
		errx(1, "SSL_write");
	if (late)
		ioctl(me.faults, UFFDIO_UNREGISTER, &area.range);
	while (have < SIZE && (n = SSL_read(me.server, got, sizeof(got))) > 0)
		have += n;
	if (have != SIZE)
		errx(1, "SSL_read");
}

/* A child that writes; until *stop when that is given. */
static void
child(int writes, int late, int volatile *stop, int stops)
{
	int i;

	if (fork() != 0)
		return;
	if (late)
		faults_open();
	connect_ends();
	on_cpu(0);
	for (i = 0; i < writes && !(stop && !stops && *stop); i++) {
		pass(i, late);
		if (stop)
			usleep(5000);
	}
	if (stops)
		*stop = 1;
	dprintf(1, "%d %d\n", getpid(), i);
	_exit(0);
}

int
main(int argc, char **argv)
{
	int volatile *stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char go;
	int status, bad = 0;

	if (argc < 3 || read(0, &go, 1) != 1)
		errx(2, "see priv.c");
	if (strcmp(argv[1], "sleep") == 0) {
		child(atoi(argv[2]), 1, stop, 1);
		child(1 << 30, 0, stop, 0);
	} else {
		for (int i = 0; i < atoi(argv[2]); i++)
			child(atoi(argv[3]), 0, NULL, 0);
	}
	while (wait(&status) > 0)
		if (status != 0) {	/* the other one would wait for it */
			bad = 1;
			*stop = 1;
		}
	return bad;
}
