/* line.c - whole lines in and out; see line.h */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	READ_SIZE = 256 << 10,	/* room kept free for one read */
	FLUSH_SIZE = 256 << 10,	/* output collected before it is written */
	PIPE_SIZE = 1 << 20,	/* fewer wake-ups between two stages */
};

/* --- out ----------------------------------------------------------------- */

void
line_out_init(struct line_out *o, int fd)
{
	memset(o, 0, sizeof(*o));
	o->fd = fd;
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);	/* no pipe, or not allowed: as it is */
}

void
line_out_free(struct line_out *o)
{
	free(o->buf);
	o->buf = NULL;
	o->len = o->cap = 0;
}

char *
line_room(struct line_out *o, size_t n)
{
	if (o->cap - o->len < n) {
		size_t cap = o->cap ? o->cap : 2 * FLUSH_SIZE;
		char *buf;

		while (cap - o->len < n)
			cap *= 2;
		if (!(buf = realloc(o->buf, cap))) {
			o->err = ENOMEM;
			return NULL;
		}
		o->buf = buf;
		o->cap = cap;
	}
	return o->buf + o->len;
}

/* What is written to a file that has no name any more is gone when it is closed. */
static bool
is_deleted(const struct line_out *o)
{
	struct stat st;

	return o->watch && fstat(o->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0;
}

int
line_flush(struct line_out *o)
{
	size_t done = 0;

	if (o->len && !o->err && is_deleted(o))
		o->err = ESTALE;
	while (!o->err && done < o->len) {
		ssize_t n = write(o->fd, o->buf + done, o->len - done);

		if (n >= 0) {
			done += n;
		} else if (errno == EAGAIN) {
			/* somebody else made our end non-blocking */
			struct pollfd p = { .fd = o->fd, .events = POLLOUT };
			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			o->err = errno;
		}
	}
	o->bytes += done;
	o->len = 0;
	return o->err ? -1 : 0;
}

bool
line_out_closed(const struct line_out *o)
{
	return o->err == EPIPE;
}

const char *
line_out_hint(const struct line_out *o)
{
	switch (o->err) {
	case ENOSPC:
		return " (the disk is full: make room on it; what was written before is kept)";
	case EDQUOT:
		return " (the quota is used up: make room; what was written before is kept)";
	case EFBIG:
		return " (the limit for the size of files is reached: ulimit -f)";
	case ESTALE:
		return o->watch ? " (the file was deleted while it was written:"
		    " what was recorded is gone with it)" : "";
	default:
		return "";
	}
}

void
line_add(struct line_out *o, const char *s, size_t n)
{
	char *to = line_room(o, n + 1);

	if (to) {
		memcpy(to, s, n);
		o->len += n;
	}
}

void
line_end(struct line_out *o)
{
	char *to = line_room(o, 1);

	if (to) {
		*to = '\n';
		o->len++;
	}
	o->lines++;
	if (!o->keep && (o->len >= FLUSH_SIZE || o->err))
		line_flush(o);
}

void
line_move(struct line_out *to, struct line_out *from)
{
	if (!from->lines)
		return;
	line_add(to, from->buf, from->len);
	to->lines += from->lines;
	from->len = 0;
	from->lines = 0;
	if (to->len >= FLUSH_SIZE || to->err)
		line_flush(to);
}

void
line_put(struct line_out *o, const char *s, size_t n)
{
	line_add(o, s, n);
	line_end(o);
}

void
line_piece(struct line_out *o, const char *s, size_t n, bool last)
{
	line_add(o, s, n);
	if (last)
		line_end(o);
	else if (o->len >= FLUSH_SIZE)
		line_flush(o);
}

/* --- in ------------------------------------------------------------------ */

struct input {
	int fd;			/* -1: ended */
	const char *name;
	char *buf;
	size_t cap, start, end;
	size_t scanned;		/* no newline in [start, scanned) */
	bool inlong;		/* a piece of a long line has been given */
};

struct line_in {
	struct input *in;
	struct pollfd *pfd;	/* one per input, then the output, then wake */
	size_t n, cur, max;
	int patience;		/* milliseconds, or -1 */
	struct line_out *tie;
	const char *name;
	volatile sig_atomic_t stopped;
	int wake[2];
};

struct line_in *
line_in_new(size_t max)
{
	struct line_in *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->max = max;
	l->patience = -1;
	if (pipe2(l->wake, O_CLOEXEC | O_NONBLOCK)) {
		free(l);
		return NULL;
	}
	return l;
}

static void
input_close(struct input *in)
{
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
	free(in->buf);
	in->buf = NULL;
	in->cap = in->start = in->end = in->scanned = 0;
}

void
line_in_free(struct line_in *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		input_close(&l->in[i]);
	close(l->wake[0]);
	close(l->wake[1]);
	free(l->in);
	free(l->pfd);
	free(l);
}

int
line_in_add(struct line_in *l, int fd, const char *name)
{
	struct input *in = realloc(l->in, (l->n + 1) * sizeof(*in));
	struct pollfd *pfd;

	if (!in)
		return -1;
	l->in = in;
	if (!(pfd = realloc(l->pfd, (l->n + 3) * sizeof(*pfd))))
		return -1;
	l->pfd = pfd;
	in[l->n++] = (struct input){ .fd = fd, .name = name };
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
}

int
line_in_open(struct line_in *l, const char *path)
{
	struct stat st;
	int fd, e;

	if (!strcmp(path, "-"))
		return line_in_add(l, STDIN_FILENO, "<stdin>");
	/* as awk does: the descriptor itself, not a new open of what it refers
	 * to, which may not be allowed */
	if (!strncmp(path, "/dev/fd/", 8) && path[8] >= '0' && path[8] <= '9') {
		if ((fd = fcntl(atoi(path + 8), F_DUPFD_CLOEXEC, 3)) < 0)
			return -1;
		return line_in_add(l, fd, path);
	}
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return -1;
	/* reads come after poll, so blocking is right again from here on */
	if (fcntl(fd, F_SETFL, 0) || fstat(fd, &st))
		goto fail;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		goto fail;
	}
	if (line_in_add(l, fd, path) == 0)
		return 0;
fail:
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

void
line_in_tie(struct line_in *l, struct line_out *out)
{
	l->tie = out;
}

void
line_in_patience(struct line_in *l, int ms)
{
	l->patience = ms;
}

const char *
line_in_name(const struct line_in *l)
{
	return l->name ? l->name : "<stdin>";
}

void
line_in_stop(struct line_in *l)
{
	int e = errno;

	l->stopped = 1;
	if (write(l->wake[1], "", 1) < 0) {
		/* full: a wake-up is under way already */
	}
	errno = e;
}

/* Reads once into the input. -1 on error; end of file closes the descriptor
 * and keeps what is buffered. */
static int
input_fill(struct line_in *l, struct input *in)
{
	ssize_t n;

	if (in->start && in->cap - in->end < READ_SIZE) {
		memmove(in->buf, in->buf + in->start, in->end - in->start);
		in->end -= in->start;
		in->scanned -= in->start;
		in->start = 0;
	}
	if (in->cap - in->end < READ_SIZE) {
		size_t cap = in->cap ? in->cap * 2 : 2 * READ_SIZE;
		char *buf;

		if (cap > l->max + 2 * READ_SIZE)
			cap = l->max + 2 * READ_SIZE;	/* end - start never passes max here */
		if (!(buf = realloc(in->buf, cap))) {
			errno = ENOMEM;
			return -1;
		}
		in->buf = buf;
		in->cap = cap;
	}
	do
		n = read(in->fd, in->buf + in->end, in->cap - in->end);
	while (n < 0 && errno == EINTR && !l->stopped);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	if (n == 0) {
		close(in->fd);
		in->fd = -1;
	}
	in->end += n;
	return 0;
}

/* The next line that is buffered in this input, if any. */
static bool
input_line(struct line_in *l, struct input *in, enum line_rc *rc, const char **s, size_t *n)
{
	char *nl = NULL;

	if (in->scanned < in->end)
		nl = memchr(in->buf + in->scanned, '\n', in->end - in->scanned);
	*s = in->buf + in->start;
	if (nl) {
		*n = nl - *s;
		*rc = in->inlong || *n > l->max ? LINE_LONG_END : LINE_OK;
		in->start = in->scanned = nl + 1 - in->buf;
		in->inlong = false;
		return true;
	}
	in->scanned = in->end;
	*n = in->end - in->start;
	if (in->fd < 0 && (*n || in->inlong)) {
		*rc = in->inlong || *n > l->max ? LINE_LONG_END : LINE_PARTIAL;
		in->inlong = false;
	} else if (*n > l->max || (*n && in->inlong)) {
		*rc = LINE_LONG;
		in->inlong = true;
	} else {
		return false;
	}
	in->start = in->end;
	return true;
}

/* Waits until an input can be read, and reads those that can. */
static enum line_rc
wait_fill(struct line_in *l)
{
	int n, timeout = 0;
	size_t open = 0;

	for (size_t i = 0; i < l->n; i++) {
		bool alone = l->in[l->cur].inlong && i != l->cur;

		l->pfd[i] = (struct pollfd){ .fd = alone ? -1 : l->in[i].fd, .events = POLLIN };
		open += l->in[i].fd >= 0;
	}
	if (!open)
		return LINE_EOF;
	l->pfd[l->n] = (struct pollfd){ .fd = l->tie ? l->tie->fd : -1 };
	l->pfd[l->n + 1] = (struct pollfd){ .fd = l->wake[0], .events = POLLIN };
	while ((n = poll(l->pfd, l->n + 2, timeout)) <= 0) {
		if (n < 0 && errno != EINTR)
			return LINE_ERR;
		if (l->stopped)
			return LINE_STOPPED;
		if (l->tie && line_flush(l->tie))
			return LINE_STOPPED;
		if (n == 0 && timeout)
			return LINE_IDLE;
		timeout = l->patience;
	}
	if (l->pfd[l->n].revents & (POLLERR | POLLHUP)) {
		line_flush(l->tie);
		if (!l->tie->err)
			l->tie->err = EPIPE;
		return LINE_STOPPED;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->pfd[i].fd >= 0 && l->pfd[i].revents && input_fill(l, &l->in[i])) {
			l->name = l->in[i].name;
			return LINE_ERR;
		}
	return LINE_OK;
}

enum line_rc
line_next(struct line_in *l, const char **s, size_t *n)
{
	enum line_rc rc;

	for (;;) {
		if (l->stopped || (l->tie && l->tie->err)) {
			char junk[64];

			while (read(l->wake[0], junk, sizeof(junk)) > 0)
				;
			l->stopped = 0;
			return LINE_STOPPED;
		}
		for (size_t k = 0; k < l->n; k++) {
			size_t i = (l->cur + k) % l->n;

			if (k && l->in[l->cur].inlong)
				break;	/* its line is not to be mixed with others */
			if (l->in[i].buf && input_line(l, &l->in[i], &rc, s, n)) {
				l->cur = i;
				l->name = l->in[i].name;
				return rc;
			}
			if (l->in[i].fd < 0 && l->in[i].buf)
				input_close(&l->in[i]);
		}
		if (l->n)
			l->cur = l->in[l->cur].inlong ? l->cur : (l->cur + 1) % l->n;
		rc = wait_fill(l);
		if (rc != LINE_OK && rc != LINE_STOPPED)
			return rc;
		if (rc == LINE_STOPPED && !l->stopped)
			return rc;
	}
}
