/*
 * openssl.c - see openssl.h
 *
 * One public function may call another (SSL_write_ex calls SSL_write_ex2 since
 * OpenSSL 3.3, LibreSSL's SSL_read_ex calls SSL_read): where the code shows so,
 * only the inner one is probed, or every byte would be seen twice. Where both
 * exist and no call is found, the newer SSL_write_ex2 stays without a probe:
 * rather miss its direct callers (QUIC streams) than count bytes twice.
 */
#include <linux/types.h>

#include "openssl.h"
#include "site.h"
#include "sslsniff.h"
#include "symbols.h"

enum {
	F_READ, F_WRITE, F_READ_EX, F_WRITE_EX, F_WRITE_EX2, F_HANDSHAKE, F_FREE, F_CTRL,
	F_SET_NAME, F_BORING, F_COUNT,
};

static const struct {
	const char *name;
	int sig, dir;
} functions[F_COUNT] = {
	[F_READ] = { "SSL_read", SIG_INT, DIR_READ },
	[F_WRITE] = { "SSL_write", SIG_INT, DIR_WRITE },
	[F_READ_EX] = { "SSL_read_ex", SIG_OUT4, DIR_READ },
	[F_WRITE_EX] = { "SSL_write_ex", SIG_OUT4, DIR_WRITE },
	[F_WRITE_EX2] = { "SSL_write_ex2", SIG_OUT5, DIR_WRITE },
	[F_HANDSHAKE] = { "SSL_do_handshake", SIG_RESULT, 0 },
	[F_FREE] = { "SSL_free", 0, 0 },
	[F_CTRL] = { "SSL_ctrl", 0, 0 },
	[F_SET_NAME] = { "SSL_set_tlsext_host_name", 0, 0 },
	[F_BORING] = { "SSL_CTX_set_grease_enabled", 0, 0 },	/* only BoringSSL */
};

/* Clears those whose bytes another probe sees already. */
static void
drop_doubles(int fd, struct symbol *s)
{
	if (symbols_calls(fd, &s[F_WRITE_EX], &s[F_WRITE_EX2]))
		s[F_WRITE_EX].offset = 0;
	else if (s[F_WRITE_EX].offset)
		s[F_WRITE_EX2].offset = 0;
	if (symbols_calls(fd, &s[F_WRITE_EX], &s[F_WRITE]))
		s[F_WRITE_EX].offset = 0;
	if (symbols_calls(fd, &s[F_READ_EX], &s[F_READ]))
		s[F_READ_EX].offset = 0;
}

const char *
openssl_sites(int fd, bool handshake, struct sites *sites)
{
	struct symbol s[F_COUNT];
	const char *why;
	__u64 lib;

	for (int i = 0; i < F_COUNT; i++)
		s[i].name = functions[i].name;
	why = symbols_read(fd, s, F_COUNT);
	if (why)
		return why;
	if (!s[F_READ].offset || !s[F_WRITE].offset)
		return "no SSL_read and SSL_write among its symbols";
	lib = s[F_BORING].offset ? LIB_BORINGSSL : LIB_OPENSSL;
	drop_doubles(fd, s);
	for (int i = F_READ; i <= F_HANDSHAKE; i++)
		if (s[i].offset && (i != F_HANDSHAKE || handshake))
			site_add_call(sites, s[i].name, s[i].offset,
			    COOKIE(functions[i].sig, functions[i].dir, lib));
	if (s[F_FREE].offset)
		site_add(sites, (struct site){ s[F_FREE].name, s[F_FREE].offset,
		    COOKIE(0, 0, lib), SITE_FREE, false });
	/* BoringSSL has a function for what OpenSSL does with a command */
	if (s[F_SET_NAME].offset)
		site_add(sites, (struct site){ s[F_SET_NAME].name, s[F_SET_NAME].offset,
		    COOKIE(SIG_NAME2, 0, lib), SITE_NAME, false });
	else if (s[F_CTRL].offset)
		site_add(sites, (struct site){ s[F_CTRL].name, s[F_CTRL].offset,
		    COOKIE(SIG_NAME_CTRL, 0, lib), SITE_NAME, false });
	return NULL;
}
