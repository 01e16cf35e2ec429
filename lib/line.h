/*
 * line.h - whole lines in, whole lines out, in bounded memory
 *
 * A line_in reads newline-ended lines from one or several descriptors and
 * merges them line by line. A line_out collects lines and writes them in large
 * pieces. Tied together (line_in_tie), output is flushed before any read that
 * would block: batched under load, immediate when quiet.
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_MAX_DEFAULT ((size_t)64 << 20)	/* bytes, without the newline */

/* What is written. err is 0 or the errno of the first failed write; after it
 * everything is discarded, so callers need to look only once per batch. */
struct line_out {
	int fd;
	int err;
	char *buf;
	size_t len, cap;
	uint64_t lines, bytes;	/* lines ended, bytes handed to write(2) so far */
	bool watch;		/* fd is a file by a name: when that is deleted, err is ESTALE */
	bool keep;		/* lines stay in buf until the caller takes them; fd is not used */
};

/* Writes to fd, which stays the caller's. */
void line_out_init(struct line_out *, int fd);
void line_out_free(struct line_out *);

/* Adds s and a newline. s must not hold a newline. */
void line_put(struct line_out *, const char *s, size_t n);

/* For writers that build a line in place: line_room makes space for n more
 * bytes behind buf+len and returns its address (NULL: out of memory, err is
 * set); the caller advances len. line_end ends the line. */
char *line_room(struct line_out *, size_t n);
void line_add(struct line_out *, const char *s, size_t n);	/* n bytes of it */
void line_end(struct line_out *);

/* Adds all whole lines that from keeps, which is empty then. */
void line_move(struct line_out *to, struct line_out *from);

/* Adds a piece of a line that is too long to hold; last ends it. */
void line_piece(struct line_out *, const char *s, size_t n, bool last);

/* Writes what is collected. 0, or -1 with err set. EPIPE is an err like any
 * other: whether it is a failure is the caller's to say (line_out_closed). */
int line_flush(struct line_out *);
bool line_out_closed(const struct line_out *);	/* err is EPIPE */
/* What to do about err, in brackets behind a blank; "" when that is not known. */
const char *line_out_hint(const struct line_out *);

enum line_rc {
	LINE_ERR = -1,	/* read failed; errno; line_in_name says where */
	LINE_EOF,	/* every input has ended */
	LINE_OK,	/* a whole line */
	LINE_LONG,	/* a piece of a line longer than the limit; more follows */
	LINE_LONG_END,	/* its last piece (may be empty) */
	LINE_PARTIAL,	/* an input ended without a newline; this is its rest */
	LINE_STOPPED,	/* line_in_stop was called, or the output was closed */
	LINE_IDLE,	/* nothing came for as long as line_in_patience says */
};

struct line_in;

/* max: the longest line kept whole, in bytes; longer ones come in pieces.
 * NULL when out of memory. */
struct line_in *line_in_new(size_t max);
void line_in_free(struct line_in *);	/* closes the added descriptors */

/* Adds an input; name (borrowed) is for messages. -1 and errno on failure. */
int line_in_add(struct line_in *, int fd, const char *name);

/* Opens path ("-" is standard input, /dev/fd/N descriptor N) and adds it. A FIFO is opened without
 * waiting for its writer, so that several cannot deadlock. */
int line_in_open(struct line_in *, const char *path);

/* out is flushed before a read that would block, and watched while waiting: a
 * closed reader ends the wait (LINE_STOPPED) also when no line ever comes. */
void line_in_tie(struct line_in *, struct line_out *out);

/* How long line_next waits for a line, in milliseconds; -1, the default: for
 * ever. */
void line_in_patience(struct line_in *, int ms);

/* The next line of any input, without its newline and not NUL-terminated.
 * *s is borrowed until the next call. A line is never mixed with another. */
enum line_rc line_next(struct line_in *, const char **s, size_t *n);

const char *line_in_name(const struct line_in *);	/* of the last line or error */

/* Makes line_next return LINE_STOPPED. Async-signal-safe. */
void line_in_stop(struct line_in *);

#endif
