/*
 * ex2.c - a stand-in for libssl 3.3+, which Debian 12 does not have: there
 * SSL_write_ex calls SSL_write_ex2. With -DMAIN a program that uses it.
 */
#include <stddef.h>
#include <stdint.h>

int SSL_read(void *s, void *buf, int n);
int SSL_write(void *s, const void *buf, int n);
int SSL_read_ex(void *s, void *buf, size_t n, size_t *done);
int SSL_write_ex(void *s, const void *buf, size_t n, size_t *done);
int SSL_write_ex2(void *s, const void *buf, size_t n, uint64_t flags, size_t *done);

#ifndef MAIN
static volatile size_t moved;

__attribute__((noipa)) int
SSL_read(void *s, void *buf, int n)
{
	(void)s, (void)buf;
	moved += n;
	return 0;
}

__attribute__((noipa)) int
SSL_read_ex(void *s, void *buf, size_t n, size_t *done)
{
	(void)s, (void)buf;
	moved += n;
	*done = 0;
	return 0;
}

__attribute__((noipa)) int
SSL_write(void *s, const void *buf, int n)
{
	(void)s, (void)buf;
	moved += n;
	return n;
}

__attribute__((noipa)) int
SSL_write_ex2(void *s, const void *buf, size_t n, uint64_t flags, size_t *done)
{
	(void)s, (void)buf, (void)flags;
	moved += n;
	*done = n;
	return 1;
}

__attribute__((noipa)) int
SSL_write_ex(void *s, const void *buf, size_t n, size_t *done)
{
	return SSL_write_ex2(s, buf, n, 0, done);
}
#else
#include <stdio.h>

int
main(void)
{
	size_t done;
	int conn;

	SSL_write(&conn, "plain", 5);
	SSL_write_ex(&conn, "through ex", 10, &done);
	SSL_write_ex2(&conn, "straight to ex2", 15, 0, &done);
	printf("%zu\n", done);
	return 0;
}
#endif
