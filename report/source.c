/* source.c - see source.h */
#include "source.h"

#include "query.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the temporary database -------------------------------------------------------- */

static const char *const rest[] = { "", "-wal", "-shm", "-journal" };

static struct scratch {
	char dir[PATH_MAX];
	char db[PATH_MAX + 16];
	/* for the signal handler, which can put none together */
	char files[sizeof(rest) / sizeof(*rest)][PATH_MAX + 32];
} scratch;

void
source_clean(void)
{
	if (!*scratch.dir)
		return;
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++)
		unlink(scratch.files[i]);
	rmdir(scratch.dir);
	*scratch.dir = '\0';
}

static void
on_signal(int sig)
{
	source_clean();
	signal(sig, SIG_DFL);
	raise(sig);
}

static int
scratch_make(char why[SOURCE_WHY])
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT };
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX];

	if (*scratch.dir)
		return 0;
	if (snprintf(dir, sizeof(dir), "%s/agentsight-report.XXXXXX",
	    tmp && *tmp ? tmp : "/tmp") >= (int)sizeof(dir) ||
	    !mkdtemp(dir)) {
		snprintf(why, SOURCE_WHY, "make a folder in %s: %s (another: TMPDIR)",
		    tmp && *tmp ? tmp : "/tmp", strerror(errno));
		return -1;
	}
	snprintf(scratch.db, sizeof(scratch.db), "%s/run.db", dir);
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++)
		snprintf(scratch.files[i], sizeof(scratch.files[i]), "%s%s", scratch.db, rest[i]);
	strcpy(scratch.dir, dir);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], on_signal);
	atexit(source_clean);
	return 0;
}

/* --- what there is -------------------------------------------------------------------- */

bool
source_is_file(const char *word)
{
	struct stat st;

	return !strcmp(word, "-") || (stat(word, &st) == 0 && !S_ISDIR(st.st_mode));
}

static int
fail(const char *act, const char *name, const char *cause, char why[SOURCE_WHY])
{
	snprintf(why, SOURCE_WHY, "%s %s: %s", act, name, cause);
	return -1;
}

int
source_look(struct source *s, const char *name, char why[SOURCE_WHY])
{
	char start[16];
	struct stat st;
	ssize_t n = 0;
	int fd;

	*s = (struct source){ .name = name, .path = s->path ? s->path : name };
	if (!strcmp(name, "-")) {
		s->lines = true;
		return 0;
	}
	if ((fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0)
		return fail("open", name, errno == ENOENT ? "no such file" : strerror(errno), why);
	if (fstat(fd, &st) || S_ISDIR(st.st_mode)) {
		close(fd);
		return fail("open", name, "a folder, not a recording", why);
	}
	if (S_ISREG(st.st_mode))
		n = read(fd, start, sizeof(start));
	close(fd);
	if (n < 0)
		return fail("read", name, strerror(errno), why);
	if (S_ISREG(st.st_mode) && !n)
		return fail("open", name, "it is empty: nothing was recorded there", why);
	s->lines = !S_ISREG(st.st_mode) || memchr(" \t\r\n{", start[0], 5);
	if (!s->lines && !query_is_database(start, n))
		return fail("open", name, "neither a database nor event lines", why);
	return 0;
}

static int
by_age(const void *a, const void *b)
{
	struct stat x, y;

	if (stat(*(char *const *)a, &x) || stat(*(char *const *)b, &y))
		return 0;
	return x.st_mtim.tv_sec != y.st_mtim.tv_sec ?
	    (x.st_mtim.tv_sec < y.st_mtim.tv_sec ? 1 : -1) :
	    (x.st_mtim.tv_nsec < y.st_mtim.tv_nsec) - (x.st_mtim.tv_nsec > y.st_mtim.tv_nsec);
}

char **
source_here(bool newest, size_t *n)
{
	char **names = NULL;
	glob_t g;

	*n = 0;
	if (glob("agentsight-*.db", 0, NULL, &g))
		return NULL;
	if ((names = calloc(g.gl_pathc, sizeof(*names)))) {
		if (newest)
			qsort(g.gl_pathv, g.gl_pathc, sizeof(*g.gl_pathv), by_age);
		for (size_t i = 0; i < (newest ? 1 : g.gl_pathc); i++)
			if ((names[*n] = strdup(g.gl_pathv[i])))
				(*n)++;
	}
	globfree(&g);
	return names;
}

/* --- whose it is --------------------------------------------------------------------------- */

int
source_become_owner(struct source *s, char why[SOURCE_WHY])
{
	struct passwd *pw;
	struct stat st;

	if (geteuid() != 0 || !strcmp(s->name, "-") || stat(s->name, &st) || st.st_uid == 0)
		return 0;
	/* while it is written its name leads to where its owner may go, not through where */
	if (!(s->path = realpath(s->name, NULL)))
		return fail("open", s->name, strerror(errno), why);
	pw = getpwuid(st.st_uid);
	if ((pw ? initgroups(pw->pw_name, pw->pw_gid) : setgroups(0, NULL)) ||
	    setresgid(pw ? pw->pw_gid : st.st_gid, pw ? pw->pw_gid : st.st_gid,
	    pw ? pw->pw_gid : st.st_gid) ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid))
		return fail("become the owner of", s->name, strerror(errno), why);
	if (access(s->path, R_OK))
		return fail("open", s->name,
		    "its owner may not read it, and root reads no recording of another user", why);
	return 0;
}

/* --- other programs -------------------------------------------------------------------------- */

void
source_exec(const char *name, char *const argv[])
{
	char beside[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", beside, sizeof(beside) - 1);
	char *slash;

	beside[n > 0 ? n : 0] = '\0';
	if ((slash = strrchr(beside, '/')) &&
	    (size_t)(slash - beside) + strlen(name) + 2 < sizeof(beside)) {
		strcpy(slash + 1, name);
		execv(beside, argv);
	}
	execvp(name, argv);
}

static int
run(const char *name, char *const argv[])
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		source_exec(name, argv);
		fprintf(stderr, "agentsight report: %s is neither beside it nor in PATH: %s\n",
		    name, strerror(errno));
		_exit(127);
	}
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *
source_empty(char why[SOURCE_WHY])
{
	char *argv[] = { "sqlitesink", "-q", scratch.db, "/dev/null", NULL };

	*why = '\0';
	return scratch_make(why) || run("sqlitesink", argv) ? NULL : scratch.db;
}

int
source_open(struct source *s, bool keep, char why[SOURCE_WHY])
{
	char file[PATH_MAX], *argv[] = { "sqlitesink", "-q", scratch.db, file,
	    keep ? "--events" : NULL, NULL };

	if (!s->lines)
		return 0;
	if (scratch_make(why))
		return -1;
	if (snprintf(file, sizeof(file), "%s%s", *s->path == '-' && s->path[1] ? "./" : "",
	    s->path) >= (int)sizeof(file))
		return fail("open", s->name, strerror(ENAMETOOLONG), why);
	if (run("sqlitesink", argv)) {
		*why = '\0';
		return -1;
	}
	s->path = scratch.db;
	return 0;
}
