/* line.c - whole lines in bounded memory, several inputs, no line mixed */
#include "line.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* What line_next gives for these bytes, as text: "k:LINE;" */
static void
feed(struct line_in *in, char *to, size_t cap)
{
	static const char *const name[] = { "eof", "ok", "long", "end", "partial", "stopped",
	    "idle" };
	enum line_rc rc;
	const char *s;
	size_t n, len = 0;

	do {
		rc = line_next(in, &s, &n);
		len += snprintf(to + len, cap - len, "%s", rc < 0 ? "err" : name[rc]);
		if (rc == LINE_OK || rc == LINE_PARTIAL)
			len += snprintf(to + len, cap - len, ":%.*s", (int)n, s);
		len += snprintf(to + len, cap - len, ";");
	} while (rc != LINE_EOF && rc != LINE_ERR && rc != LINE_STOPPED);
}

struct writer { int fd; const char *s; size_t n, piece; };

static void *
write_pieces(void *arg)
{
	struct writer *w = arg;

	for (size_t i = 0; i < w->n; i += w->piece) {
		size_t k = w->n - i < w->piece ? w->n - i : w->piece;

		if (write(w->fd, w->s + i, k) < 0)
			break;
		if (w->piece < 4)
			usleep(50);
	}
	close(w->fd);
	return NULL;
}

/* Every way of cutting the input gives the same lines. */
static void
test_cuts(void)
{
	static const char text[] = "one\n\ntwo two\nlonger than ten\nx\nrest";
	static const char want[] = "ok:one;ok:;ok:two two;";
	char got[512];
	int same = 1;

	for (size_t piece = 1; piece <= sizeof(text) - 1; piece++) {
		struct line_in *in = line_in_new(10);
		struct writer w = { 0, text, sizeof(text) - 1, piece };
		pthread_t t;
		int p[2];
		char *x;

		if (pipe(p))
			exit(1);
		w.fd = p[1];
		line_in_add(in, p[0], "pipe");
		pthread_create(&t, NULL, write_pieces, &w);
		feed(in, got, sizeof(got));
		pthread_join(t, NULL);
		line_in_free(in);
		x = strstr(got, "end;");
		same &= !strncmp(got, want, strlen(want)) && x &&
		    !strcmp(x, "end;ok:x;partial:rest;eof;");
	}
	ok(same, "any cut of the input gives the same lines");
}

static void
test_merge(void)
{
	enum { LINES = 20000 };
	static char text[2][LINES * 40];
	struct line_in *in = line_in_new(1 << 20);
	struct writer w[2];
	pthread_t t[2];
	const char *s;
	size_t n;
	long next[2] = { 0, 0 }, mixed = 0;
	int p[2][2];

	for (int i = 0; i < 2; i++) {
		size_t len = 0;

		for (int k = 0; k < LINES; k++)
			len += sprintf(text[i] + len, "%d %d %.*s\n", i, k, k % 17,
			    "xxxxxxxxxxxxxxxxxxxx");
		if (pipe(p[i]))
			exit(1);
		w[i] = (struct writer){ p[i][1], text[i], len, 1000 + 37 * i };
		line_in_add(in, p[i][0], "pipe");
		pthread_create(&t[i], NULL, write_pieces, &w[i]);
	}
	while (line_next(in, &s, &n) == LINE_OK) {
		int i = -1, k = -1;

		sscanf(s, "%d %d", &i, &k);
		if (i < 0 || i > 1 || next[i]++ != k)
			mixed++;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	line_in_free(in);
	ok(mixed == 0 && next[0] == LINES &&
	    next[1] == LINES, "two inputs are merged line by line, each in order");
}

static void
test_long(void)
{
	struct line_in *in = line_in_new(1000);
	char path[] = "/tmp/line-test.XXXXXX", *big;
	enum { BIG = 5 << 20 };
	size_t n, total = 0;
	const char *s;
	int fd = mkstemp(path), ends = 0, oks = 0;
	enum line_rc rc;

	unlink(path);
	big = malloc(BIG);
	memset(big, 'x', BIG);
	big[BIG - 1] = '\n';
	if (write(fd, big, BIG) != BIG || write(fd, "after\n", 6) != 6)
		exit(1);
	lseek(fd, 0, SEEK_SET);
	line_in_add(in, fd, "file");
	while ((rc = line_next(in, &s, &n)) > LINE_EOF) {
		if (rc == LINE_LONG || rc == LINE_LONG_END)
			total += n;
		ends += rc == LINE_LONG_END;
		oks += rc == LINE_OK && n == 5 && !memcmp(s, "after", 5);
	}
	ok(total == BIG - 1 && ends == 1, "a line over the limit comes whole, in pieces");
	ok(oks == 1, "and the line behind it is in step");
	line_in_free(in);
	free(big);
}

static void
test_ends(void)
{
	struct line_in *in = line_in_new(100);
	struct line_out out;
	const char *s;
	size_t n;
	int p[2], q[2];

	if (pipe(p) || pipe(q))
		exit(1);
	signal(SIGPIPE, SIG_IGN);
	line_out_init(&out, q[1]);
	line_in_add(in, p[0], "quiet");
	line_in_tie(in, &out);
	line_put(&out, "held", 4);
	line_in_stop(in);
	ok(line_next(in, &s, &n) == LINE_STOPPED, "line_in_stop ends a wait");
	if (write(p[1], "a\n", 2) != 2)
		exit(1);
	ok(line_next(in, &s, &n) == LINE_OK, "and only that one");
	line_in_patience(in, 1);
	ok(line_next(in, &s, &n) == LINE_IDLE, "line_in_patience ends a wait");
	line_in_patience(in, -1);
	close(q[0]);
	ok(line_next(in, &s, &n) == LINE_STOPPED && line_out_closed(&out),
	    "a closed output ends a wait although no line comes");
	line_in_free(in);
	line_out_free(&out);
	close(p[1]);

	if (pipe(q))
		exit(1);
	fcntl(q[1], F_SETFL, O_NONBLOCK);
	in = line_in_new(100);
	if (pipe(p))
		exit(1);
	line_out_init(&out, q[1]);
	line_in_add(in, p[0], "quiet");
	line_in_tie(in, &out);
	line_put(&out, "flushed", 7);
	close(p[1]);
	ok(line_next(in, &s, &n) == LINE_EOF, "end of input");
	line_flush(&out);
	char buf[16];
	ok(read(q[0], buf, 16) == 8 && !memcmp(buf, "flushed\n", 8), "what was put comes out");
	line_in_free(in);
	line_out_free(&out);
	line_out_init(&out, open("/dev/full", O_WRONLY));
	line_put(&out, "x", 1);
	ok(line_flush(&out) == -1 && out.err == ENOSPC &&
	    !line_out_closed(&out), "a full disk is an error, not a closed pipe");
	close(out.fd);
	line_out_free(&out);
}

int
main(void)
{
	test_cuts();
	test_merge();
	test_long();
	test_ends();
	return done();
}
