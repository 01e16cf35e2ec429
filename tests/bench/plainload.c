/*
 * plainload - request and response of 200 bytes over a loopback socket, as fast as two
 * processes go, for -t seconds; with -x of a protocol that is not HTTP
 *
 * The client prints what it did: exchanges, processor seconds of both, and the sum of
 * all bytes that passed, each way.
 */
#include "jput.h"
#include "line.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 200 };

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static double
cpu(int who)
{
	struct rusage r;

	getrusage(who, &r);
	return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int
take(int fd, char *buf)
{
	int n = 0, k;

	while (n < SIZE && (k = read(fd, buf + n, SIZE - n)) > 0)
		n += k;
	return n == SIZE;
}

static void
serve(int fd, int other)
{
	char in[SIZE], out[SIZE];

	memset(out, 'x', sizeof(out));
	memcpy(out, other ? "+OK something else\r\n\r\n" :
	    "HTTP/1.1 200 OK\r\nContent-Length: 161\r\n\r\n", other ? 22 : 39);
	while (take(fd, in))
		if (write(fd, out, SIZE) != SIZE)
			break;
}

int
main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd, opt, other = 0;
	struct sockaddr_in at = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	unsigned long n = 0, sum[2] = { 0 };
	double time = 0.5, end, before;
	char out[SIZE], in[SIZE];
	struct line_out line;
	struct jput j;

	while ((opt = getopt(argc, argv, "t:x")) != -1)
		if (opt == 't')
			time = atof(optarg);
		else
			other = 1;
	bind(listener, (void *)&at, sizeof(at));
	listen(listener, 1);
	getsockname(listener, (void *)&at, &len);
	getchar();	/* until it is observed */
	if (fork() == 0) {
		fd = accept(listener, NULL, NULL);
		serve(fd, other);
		_exit(0);
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	connect(fd, (void *)&at, sizeof(at));
	memset(out, 'y', sizeof(out));
	memcpy(out, other ? "SET something else\r\n" :
	    "POST /v1 HTTP/1.1\r\nContent-Length: 160\r\n\r\n", other ? 20 : 40);
	before = cpu(RUSAGE_SELF);
	end = seconds(CLOCK_MONOTONIC) + time;
	do {
		out[SIZE - 1] = 'a' + n % 26;
		if (write(fd, out, SIZE) != SIZE || !take(fd, in))
			return 1;
		for (int i = 0; i < SIZE; i++) {
			sum[0] += (unsigned char)out[i];
			sum[1] += (unsigned char)in[i];
		}
		n++;
	} while (n % 64 || seconds(CLOCK_MONOTONIC) < end);
	close(fd);
	wait(NULL);
	line_out_init(&line, STDOUT_FILENO);
	jput_open(&j, &line, "plainload");
	jput_uint(&j, "n", n);
	jput_real(&j, "cpu", cpu(RUSAGE_SELF) - before + cpu(RUSAGE_CHILDREN));
	jput_uint(&j, "bytes", 2 * n * SIZE);
	jput_array(&j, "sums");
	jput_uint(&j, NULL, sum[0]);
	jput_uint(&j, NULL, sum[1]);
	jput_array_end(&j);
	jput_close(&j);
	line_flush(&line);
	return 0;
}
