/* spool.c - requests on disk; see spool.h */
#include "otelsink/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct spool {
	int dir, lock;
	uint64_t max, bytes, number;
	pthread_mutex_t mutex;		/* bytes, number */
};

enum { NAME_SIZE = 80, HEAD_SIZE = 20 };

/* What a file begins with: 8 letters, the length of the request in 8 bytes and its
 * CRC-32 in 4, both with the lowest byte first. */
static const char magic[8] = { 'A', 'G', 'S', 'P', 'O', 'O', 'L', '1' };

static void
head_make(unsigned char head[HEAD_SIZE], const char *body, size_t len)
{
	uint32_t crc = crc32_z(0, (const unsigned char *)body, len);

	memcpy(head, magic, sizeof(magic));
	for (int i = 0; i < 8; i++)
		head[8 + i] = (uint64_t)len >> 8 * i;
	for (int i = 0; i < 4; i++)
		head[16 + i] = crc >> 8 * i;
}

/* 00000000000000000017-traces-512.pb */
static void
name_make(char name[NAME_SIZE], const struct request *r)
{
	snprintf(name, NAME_SIZE, "%020" PRIu64 "-%s-%u.%s", r->number, signal_name[r->signal],
	    r->items,
	    r->json ? "json" : "pb");
}

static bool
name_parse(const char *name, struct request *r)
{
	char signal[16], kind[8], again[NAME_SIZE];

	if (sscanf(name, "%20" SCNu64 "-%15[a-z]-%u.%7[a-z]", &r->number, signal, &r->items,
	    kind) != 4)
		return false;
	r->json = !strcmp(kind, "json");
	for (r->signal = 0; r->signal < SIGNALS &&
	    strcmp(signal, signal_name[r->signal]); r->signal++)
		;
	if (r->signal == SIGNALS || !r->number)
		return false;
	name_make(again, r);
	return !strcmp(name, again);
}

struct spool *
spool_open(const char *dir, uint64_t max)
{
	struct spool *s = calloc(1, sizeof(*s));
	int e;

	if (!s)
		return NULL;
	s->max = max;
	s->dir = s->lock = -1;
	pthread_mutex_init(&s->mutex, NULL);
	if ((mkdir(dir, 0700) && errno != EEXIST) ||
	    (s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    (s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	    0600)) < 0 ||
	    flock(s->lock, LOCK_EX | LOCK_NB)) {
		e = errno;
		spool_close(s);
		errno = e;
		return NULL;
	}
	return s;
}

void
spool_close(struct spool *s)
{
	if (!s)
		return;
	if (s->dir >= 0)
		close(s->dir);
	if (s->lock >= 0)
		close(s->lock);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}

static int
by_number(const void *a, const void *b)
{
	const struct request *const *x = a, *const *y = b;

	return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

static struct request *
look(struct spool *s, const char *name)
{
	struct request r = { 0 }, *copy;
	struct stat st;

	if (strstr(name, ".new")) {	/* never finished */
		unlinkat(s->dir, name, 0);
		return NULL;
	}
	if (!name_parse(name, &r) || fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode) ||
	    !(copy = malloc(sizeof(*copy))))
		return NULL;
	r.len = st.st_size > HEAD_SIZE ? st.st_size - HEAD_SIZE : 0;
	s->bytes += r.len;
	if (r.number > s->number)
		s->number = r.number;
	*copy = r;
	return copy;
}

int
spool_scan(struct spool *s, void (*found)(void *arg, struct request *), void *arg)
{
	struct request **list = NULL, *r;
	size_t n = 0, cap = 0;
	int fd = dup(s->dir);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!d)
		return -1;
	while ((e = readdir(d))) {
		if (!(r = look(s, e->d_name)))
			continue;
		if (n == cap) {
			struct request **more = realloc(list,
			    (cap = cap ? 2 * cap : 64) * sizeof(*list));

			if (!more) {	/* it stays on disk, for the next time */
				request_free(r);
				break;
			}
			list = more;
		}
		list[n++] = r;
	}
	closedir(d);
	if (n)
		qsort(list, n, sizeof(*list), by_number);
	for (size_t i = 0; i < n; i++)
		found(arg, list[i]);
	free(list);
	return 0;
}

static int
write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		p += k;
		n -= k;
	}
	return 0;
}

static bool
take_room(struct spool *s, struct request *r)
{
	bool fits;

	pthread_mutex_lock(&s->mutex);
	if ((fits = s->bytes + r->len <= s->max)) {
		s->bytes += r->len;
		r->number = ++s->number;
	}
	pthread_mutex_unlock(&s->mutex);
	return fits;
}

static void
give_room(struct spool *s, struct request *r)
{
	pthread_mutex_lock(&s->mutex);
	s->bytes -= r->len;
	pthread_mutex_unlock(&s->mutex);
	r->number = 0;
}

int
spool_put(struct spool *s, struct request *r)
{
	char name[NAME_SIZE], temp[NAME_SIZE + 4];
	unsigned char head[HEAD_SIZE];
	bool good;
	int fd, e;

	if (!take_room(s, r)) {
		errno = EFBIG;
		return -1;
	}
	name_make(name, r);
	snprintf(temp, sizeof(temp), "%s.new", name);
	fd = openat(s->dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	head_make(head, r->body, r->len);
	good = fd >= 0 && write_all(fd, (char *)head, HEAD_SIZE) == 0 &&
	    write_all(fd, r->body, r->len) == 0;
	e = errno;
	if (fd >= 0 && close(fd) && good) {
		good = false;
		e = errno;
	}
	if (good && renameat(s->dir, temp, s->dir, name) == 0) {
		free(r->body);
		r->body = NULL;
		return 0;
	}
	e = good ? errno : e;
	if (fd >= 0)
		unlinkat(s->dir, temp, 0);
	give_room(s, r);
	errno = e;
	return -1;
}

/* n bytes, or fewer at the end of the file; -1: errno. */
static ssize_t
read_all(int fd, char *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t k = read(fd, p + at, n - at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		at += k;
	}
	return at;
}

int
spool_load(struct spool *s, struct request *r)
{
	unsigned char head[HEAD_SIZE], want[HEAD_SIZE];
	char name[NAME_SIZE];
	ssize_t n = -1, m = -1;
	int fd, e;

	name_make(name, r);
	if (!(r->body = malloc(r->len + 1)))
		return -1;
	if ((fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) >= 0) {
		if ((n = read_all(fd, (char *)head, HEAD_SIZE)) == HEAD_SIZE)
			m = read_all(fd, r->body, r->len + 1);	/* one more: it has not grown */
		e = errno;
		close(fd);
		errno = e;
	}
	if (n == HEAD_SIZE && m == (ssize_t)r->len) {
		head_make(want, r->body, r->len);
		if (!memcmp(head, want, HEAD_SIZE))
			return 0;
	}
	if (fd >= 0 && n >= 0 && (m >= 0 || n < HEAD_SIZE))
		errno = EBADMSG;
	free(r->body);
	r->body = NULL;
	return -1;
}

void
spool_remove(struct spool *s, struct request *r)
{
	char name[NAME_SIZE];

	name_make(name, r);
	unlinkat(s->dir, name, 0);
	give_room(s, r);
}
