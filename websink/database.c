/* database.c - a database of what is being read; see database.h */
#include "database.h"

#include "recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, LOOK_MS = 40, WAIT_MS = 500 };

extern char **environ;

struct database {
	struct recent *recent;
	pthread_mutex_t lock;		/* of all below */
	pthread_t feeder;
	bool started, over;		/* the process runs; it has all there will be, or failed */
	pid_t pid;
	int fd;				/* its standard input */
	uint64_t fed;			/* lines handed over */
	uint64_t id;			/* number of the next one */
	char dir[PATH_MAX - 16], path[PATH_MAX];
	const char *why;
};

struct database *
database_new(struct recent *r)
{
	struct database *o = calloc(1, sizeof(*o));

	if (o) {
		o->recent = r;
		o->fd = -1;
		pthread_mutex_init(&o->lock, NULL);
	}
	return o;
}

/* Writes all of it, or says that nobody reads. */
static bool
hand_over(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t k = write(fd, s, n);

		if (k < 0 && errno != EINTR)
			return false;
		if (k > 0) {
			s += k;
			n -= k;
		}
	}
	return true;
}

static void *
feed(void *arg)
{
	struct database *o = arg;
	uint64_t id = 1, fed = 0;
	bool good = true;

	for (;;) {
		struct recent_line *l = recent_get(o->recent, &id);
		enum recent_rc rc;

		if (l) {
			good = hand_over(o->fd, l->text, l->n) && hand_over(o->fd, "\n", 1);
			recent_release(l);
			if (!good)
				break;
			id++;
			fed++;
			if (fed % 256)
				continue;
		}
		pthread_mutex_lock(&o->lock);
		o->fed = fed;
		o->id = id;
		pthread_mutex_unlock(&o->lock);
		if (l)
			continue;
		rc = recent_wait(o->recent, id, WAIT_MS);
		if (rc == RECENT_ENDED || rc == RECENT_STOPPED)
			break;
	}
	close(o->fd);
	waitpid(o->pid, NULL, 0);
	pthread_mutex_lock(&o->lock);
	o->fd = -1;
	o->over = true;
	if (!good)
		o->why = "sqlitesink ended early";
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* sqlitesink beside this program, else from PATH; reading fd. Of our signals it gets none. */
static int
spawn(struct database *o, int fd)
{
	char beside[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", beside, sizeof(beside) - 16);
	char *argv[] = { "sqlitesink", "-q", o->path, NULL }, *slash;
	posix_spawn_file_actions_t io;
	posix_spawnattr_t attr;
	sigset_t set;
	int e;

	beside[n > 0 ? n : 0] = '\0';
	if ((slash = strrchr(beside, '/')))
		strcpy(slash, "/sqlitesink");
	posix_spawn_file_actions_init(&io);
	posix_spawn_file_actions_adddup2(&io, fd, STDIN_FILENO);
	posix_spawn_file_actions_addopen(&io, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setpgroup(&attr, 0);	/* Ctrl-C is not for it: its input ends */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	e = access(beside, X_OK) ? posix_spawnp(&o->pid, "sqlitesink", &io, &attr, argv, environ) :
	    posix_spawn(&o->pid, beside, &io, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&io);
	return e;
}

static const char *
start(struct database *o)
{
	const char *tmp = getenv("TMPDIR");
	int p[2];

	snprintf(o->dir, sizeof(o->dir), "%s/agentsight-web.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(o->dir)) {
		*o->dir = '\0';
		return "a folder for a database could not be made (TMPDIR)";
	}
	snprintf(o->path, sizeof(o->path), "%s/run.db", o->dir);
	if (pipe2(p, O_CLOEXEC))
		return "no pipe for sqlitesink";
	if (spawn(o, p[0])) {
		close(p[0]);
		close(p[1]);
		return "sqlitesink is not beside websink, and not in PATH";
	}
	close(p[0]);
	o->fd = p[1];
	if (pthread_create(&o->feeder, NULL, feed, o)) {
		close(o->fd);
		return "no thread to feed sqlitesink";
	}
	o->started = true;
	return NULL;
}

/* How many lines the database has committed. */
static uint64_t
stored(const char *path)
{
	struct query q;
	sqlite3_stmt *st;
	uint64_t n = 0;

	if (query_open(&q, path, RECORDED_PATIENCE_S))
		return 0;
	if (sqlite3_prepare_v2(q.sq, "SELECT lines FROM runs", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	query_close(&q);
	return n;
}

const char *
database_path(struct database *o, const char **why)
{
	static const struct timespec nap = { .tv_nsec = LOOK_MS * 1000000L };
	uint64_t want = recent_state(o->recent).next;

	for (int waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
		uint64_t fed, id;
		bool over;

		pthread_mutex_lock(&o->lock);
		if (!o->started && !o->why)
			o->why = start(o);
		*why = o->why;
		fed = o->fed;
		id = o->id;
		over = o->over;
		pthread_mutex_unlock(&o->lock);
		if (*why)
			return NULL;
		if (over || (id >= want && stored(o->path) >= fed))
			break;
		nanosleep(&nap, NULL);
	}
	return o->path;
}

void
database_free(struct database *o)
{
	static const char *const rest[] = { "", "-wal", "-shm", "-journal" };
	char name[PATH_MAX + 16];

	if (!o)
		return;
	if (o->started) {
		kill(o->pid, SIGTERM);	/* nobody will ask any more */
		pthread_join(o->feeder, NULL);
	}
	for (size_t i = 0; *o->dir && i < sizeof(rest) / sizeof(*rest); i++) {
		snprintf(name, sizeof(name), "%s%s", o->path, rest[i]);
		unlink(name);
	}
	if (*o->dir)
		rmdir(o->dir);
	pthread_mutex_destroy(&o->lock);
	free(o);
}
