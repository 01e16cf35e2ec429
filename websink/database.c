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
#include <sys/prctl.h>
#include <sys/socket.h>
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
	pid_t pid;			/* of its keeper */
	int talk, fd;			/* to the keeper; to the input of sqlitesink */
	uint64_t fed;			/* lines handed over */
	uint64_t id;			/* number of the next one */
	char dir[PATH_MAX - 16], path[PATH_MAX];
	const char *why;
};

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
	char end;

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
	while (read(o->talk, &end, 1) == 1 && end != '-')	/* it has stored all that came */
		;
	pthread_mutex_lock(&o->lock);
	o->fd = -1;
	o->over = true;
	if (!good)
		o->why = "sqlitesink ended early";
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* --- the keeper -----------------------------------------------------------------------
 * We may start no program once we have clients. So a process that was made before waits
 * for a byte, runs sqlitesink then, and removes what that has written when we are gone,
 * however we went. It reads nothing but that byte. */

/* sqlitesink beside this program, else from PATH; reading fd. Of our signals it gets none. */
static pid_t
spawn(const char *path, int fd)
{
	char beside[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", beside, sizeof(beside) - 16);
	char *argv[] = { "sqlitesink", "-q", (char *)path, NULL }, *slash;
	posix_spawn_file_actions_t io;
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid = -1;
	int e;

	beside[n > 0 ? n : 0] = '\0';
	if ((slash = strrchr(beside, '/')))
		strcpy(slash, "/sqlitesink");
	posix_spawn_file_actions_init(&io);
	posix_spawn_file_actions_adddup2(&io, fd, STDIN_FILENO);
	posix_spawnattr_init(&attr);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	e = access(beside, X_OK) ? posix_spawnp(&pid, "sqlitesink", &io, &attr, argv, environ) :
	    posix_spawn(&pid, beside, &io, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&io);
	return e ? -1 : pid;
}

static void
clear(const struct database *o)
{
	static const char *const rest[] = { "", "-wal", "-shm", "-journal" };
	char name[PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++) {
		snprintf(name, sizeof(name), "%s%s", o->path, rest[i]);
		unlink(name);
	}
	rmdir(o->dir);
}

/* Of what was open none but these two and standard error. */
static void
keep_open(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

/* Writes a byte back: whether it runs. And one more when it has ended. */
static _Noreturn void
keep(const struct database *o, int talk, int input)
{
	pid_t pid = -1;
	int null;
	char go;

	setpgid(0, 0);		/* Ctrl-C is not for it: its input ends */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	/* no sandbox: it has to start a program, which then has its own */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	keep_open(talk, input);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (read(talk, &go, 1) == 1) {
		if ((pid = spawn(o->path, input)) > 0)
			(void)!write(talk, "+", 1);
		close(input);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		(void)!write(talk, "-", 1);
		while (read(talk, &go, 1) == 1)
			;
	}
	clear(o);
	_exit(0);
}

/* Has the keeper begin; NULL, or what is wrong. */
static const char *
start(struct database *o)
{
	char said = '-';

	if (write(o->talk, "!", 1) != 1 || read(o->talk, &said, 1) != 1 || said != '+')
		return "sqlitesink is not beside websink, and not in PATH";
	if (pthread_create(&o->feeder, NULL, feed, o))
		return "no thread to feed sqlitesink";
	o->started = true;
	return NULL;
}

struct database *
database_new(struct recent *r)
{
	struct database *o = calloc(1, sizeof(*o));
	const char *tmp = getenv("TMPDIR");
	int talk[2], input[2];

	if (!o)
		return NULL;
	o->recent = r;
	pthread_mutex_init(&o->lock, NULL);
	snprintf(o->dir, sizeof(o->dir), "%s/agentsight-web.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(o->dir) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) ||
	    pipe2(input, O_CLOEXEC))
		return NULL;
	snprintf(o->path, sizeof(o->path), "%s/run.db", o->dir);
	o->pid = fork();
	if (o->pid == 0) {
		close(talk[1]);
		close(input[1]);
		keep(o, talk[0], input[0]);
	}
	close(talk[0]);
	close(input[0]);
	o->talk = talk[1];
	o->fd = input[1];
	return o->pid > 0 ? o : NULL;
}

const char *
database_folder(const struct database *o)
{
	return o->dir;
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
	if (sqlite3_prepare_v2(q.sq, "SELECT lines FROM runs", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
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
	char end;

	if (!o)
		return;
	if (o->started)
		pthread_join(o->feeder, NULL);
	else
		close(o->fd);
	shutdown(o->talk, SHUT_WR);	/* the keeper clears up, and ends */
	while (read(o->talk, &end, 1) == 1)
		;
	close(o->talk);
	pthread_mutex_destroy(&o->lock);
	free(o);
}
