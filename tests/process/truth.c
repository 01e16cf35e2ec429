/*
 * truth - does a known number of known things, for process.t
 *
 *   truth MODE [ARG]...	waits for a line on standard input first
 *   truth child [ARG]...	exits at once: what others execute
 *
 * Nothing is printed that is not documented at its mode below.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char self[4096];

static void
must(int good, const char *what)
{
	if (!good)
		err(1, "%s", what);
}

static int
status_of(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return status;
}

static void
touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	must(fd >= 0, path);
	must(write(fd, "x", 1) == 1, "write");
	close(fd);
}

/* N children that never exec; child I writes a byte to DIR/I, exits with I % 256. */
static void
forks(int n, const char *dir)
{
	char path[4096];

	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		must(pid >= 0, "fork");
		if (pid == 0) {
			snprintf(path, sizeof(path), "%s/%d", dir, i);
			touch(path);
			_exit(i % 256);
		}
		status_of(pid);
	}
}

static pid_t
vfork_exec(char **argv)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execv(self, argv);
		_exit(127);
	}
	return pid;
}

/* N children that execute this program with the argument "run-I", by vfork. */
static void
execs(int n)
{
	char arg[32];
	char *argv[] = { self, "child", arg, NULL };

	for (int i = 0; i < n; i++) {
		snprintf(arg, sizeof(arg), "run-%d", i);
		status_of(vfork_exec(argv));
	}
}

/* N children that exit at once, up to 64 at a time. */
static void
shorts(int n)
{
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		must(pid >= 0, "fork");
		if (pid == 0)
			_exit(0);
		if (i % 64 == 63)
			while (wait(NULL) > 0)
				;
	}
	while (wait(NULL) > 0)
		;
}

/* clone3 of a process with a pid of our choice. */
static pid_t
clone_as(pid_t pid)
{
	uint64_t set = pid;	/* an array of pid_t */
	struct clone_args a = { .exit_signal = SIGCHLD };

	if (pid) {
		a.set_tid = (uintptr_t)&set;
		a.set_tid_size = 1;
	}
	return syscall(SYS_clone3, &a, sizeof(a));
}

static void *
idle(void *arg)
{
	return arg;
}

static void *
end_all(void *arg)
{
	(void)arg;
	_exit(42);
}

/* How processes end; prints "NAME PID" for each. */
static void
ends(void)
{
	pthread_t t;
	pid_t pid;

	for (int i = 0; i < 8; i++) {
		must(pthread_create(&t, NULL, idle, NULL) == 0, "pthread_create");
		pthread_join(t, NULL);
	}
	if ((pid = fork()) == 0)
		_exit(200);
	printf("code %d\n", pid);
	status_of(pid);
	if ((pid = fork()) == 0)
		raise(SIGKILL);
	printf("killed %d\n", pid);
	status_of(pid);
	if ((pid = fork()) == 0) {	/* a thread ends all */
		pthread_create(&t, NULL, end_all, NULL);
		pause();
	}
	printf("thread %d\n", pid);
	status_of(pid);
	if ((pid = fork()) == 0) {	/* the first thread ends first */
		pthread_create(&t, NULL, idle, NULL);
		pthread_exit(NULL);
	}
	printf("leader %d\n", pid);
	status_of(pid);
	if ((pid = vfork()) == 0)
		_exit(7);
	printf("vfork %d\n", pid);
	status_of(pid);
	if ((pid = clone_as(0)) == 0)
		_exit(8);
	printf("clone3 %d\n", pid);
	status_of(pid);
	if ((pid = fork()) == 0) {	/* 64 MiB of memory */
		char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		memset(p, 1, 64 << 20);
		_exit(0);
	}
	printf("memory %d\n", pid);
	status_of(pid);
}

/* A child whose parent ends first writes DIR/orphan. */
static void
orphan(const char *dir)
{
	char path[4096];
	int p[2];
	pid_t pid;

	must(pipe(p) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			char c;

			close(p[1]);
			must(read(p[0], &c, 1) == 0, "read");	/* until both ends are gone */
			snprintf(path, sizeof(path), "%s/orphan", dir);
			touch(path);
			_exit(0);
		}
		_exit(0);
	}
	status_of(pid);
	close(p[1]);
	usleep(200000);
}

/* The same pid twice, each life writing its own file; prints the pid, or 0 when the
 * kernel does not let us. */
static void
reuse(const char *dir)
{
	char path[4096];
	pid_t pid = fork();

	snprintf(path, sizeof(path), "%s/first", dir);
	if (pid == 0) {
		touch(path);
		_exit(1);
	}
	status_of(pid);
	snprintf(path, sizeof(path), "%s/second", dir);
	if (clone_as(pid) == 0) {
		touch(path);
		_exit(2);
	}
	printf("%d\n", wait(NULL) == pid ? pid : 0);
}

/* Opens that work and opens that fail, in every way of saying where. */
static void
opens(const char *dir)
{
	struct open_how how = { .flags = O_WRONLY | O_CREAT, .mode = 0600 };
	int d, fd;

	must(chdir(dir) == 0 && mkdir("sub", 0700) == 0 && mkdir("moved", 0700) == 0, dir);
	d = open("sub", O_RDONLY | O_DIRECTORY);
	close(creat("created", 0600));
	close(openat(d, "by-dirfd", O_WRONLY | O_CREAT, 0600));
	close(openat(d, "../up", O_WRONLY | O_CREAT, 0600));
	close(syscall(SYS_openat2, d, "by-openat2", &how, sizeof(how)));
	must(rename("sub", "moved/sub") == 0, "rename");
	close(openat(d, "after-move", O_WRONLY | O_CREAT, 0600));
	must(fchdir(d) == 0, "fchdir");
	close(open("relative", O_WRONLY | O_CREAT, 0600));
	close(open(".//././tidy", O_WRONLY | O_CREAT, 0600));
	must(symlink("relative", "link") == 0, "symlink");
	close(open("link", O_WRONLY));
	for (int i = 0; i < 5; i++) {		/* five that fail */
		fd = open("no/such/place", O_WRONLY | O_CREAT, 0600);
		must(fd < 0 && errno == ENOENT, "open");
	}
	fd = openat(d, "../../created/x", O_WRONLY);
	must(fd < 0 && errno == ENOTDIR, "openat");
	for (int i = 0; i < 1000; i++)		/* one thousand of the same */
		close(open("relative", O_RDWR));
}

/* Changes of names. */
static void
names(const char *dir)
{
	int d, fd;

	must(chdir(dir) == 0 && mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0, dir);
	touch("a/one");
	touch("a/two");
	must(rename("a/one", "a/two") == 0, "rename over");
	d = open("b", O_RDONLY | O_DIRECTORY);
	must(renameat(AT_FDCWD, "a/two", d, "three") == 0, "renameat");
	must(syscall(SYS_renameat2, d, "three", d, "four", 1 /* RENAME_NOREPLACE */) == 0, "renameat2");
	must(link("b/four", "five") == 0 && symlink("b", "s") == 0, "link");
	must(unlink("s/../five") == 0, "unlink");	/* s leads to b */
	fd = openat(d, "four", O_WRONLY);
	must(unlinkat(d, "four", 0) == 0, "unlinkat");
	must(write(fd, "gone", 4) == 4, "write");
	must(ftruncate(fd, 2) == 0 && fchmod(fd, 0640) == 0 && fchown(fd, 0, -1) == 0, "f...");
	close(fd);
	touch("t");
	must(truncate("t", 100) == 0 && chmod("t", 0644) == 0 && chown("t", -1, 0) == 0, "t");
	must(unlink("nothing") < 0 && rename("nothing", "x") < 0 && mkdir("a", 0700) < 0, "failures");
	/* b stays: where "s/.." led to can be asked only while it is there */
	must(unlinkat(AT_FDCWD, "a", AT_REMOVEDIR) == 0 && mkdirat(d, "c", 0700) == 0 && rmdir("b/c") == 0, "rmdir");
}

/* A directory on the way leads elsewhere between two calls. */
static void
leads(const char *dir)
{
	must(chdir(dir) == 0 && mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0 && symlink("a", "s") == 0, dir);
	touch("a/one");
	touch("b/two");
	must(unlink("s/one") == 0, "unlink");
	usleep(20000);
	must(symlink("b", "new") == 0 && rename("new", "s") == 0 && unlink("s/two") == 0, "s");
}

/* 1 GiB in pieces to one descriptor, in every way of writing. */
static void
gigabyte(const char *dir)
{
	enum { PIECE = 1 << 20 };
	char *p = malloc(PIECE), path[4096];
	struct iovec v[2] = { { p, PIECE / 2 }, { p + PIECE / 2, PIECE / 2 } };
	off_t at = 0;
	int in, out;

	memset(p, 'g', PIECE);
	snprintf(path, sizeof(path), "%s/piece", dir);
	in = open(path, O_RDWR | O_CREAT, 0600);
	must(write(in, p, PIECE) == PIECE, "write");
	snprintf(path, sizeof(path), "%s/gigabyte", dir);
	out = open(path, O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 1024; i++) {
		off_t zero = 0;
		ssize_t n;

		switch (i % 5) {
		case 0: n = pwrite(out, p, PIECE, at); break;
		case 1: n = pwritev(out, v, 2, at); break;
		case 2: lseek(out, at, SEEK_SET); n = write(out, p, PIECE); break;
		case 3: lseek(out, at, SEEK_SET); n = sendfile(out, in, &zero, PIECE); break;
		default: n = copy_file_range(in, &zero, out, &at, PIECE, 0); at -= PIECE;
		}
		must(n == PIECE, "a piece");
		if (i % 16 == 15)	/* little of it needs to be kept */
			must(ftruncate(out, 0) == 0, "ftruncate");
	}
	close(in);
	close(out);
}

/* A directory so deep that its file's path has 4095 bytes; odd names. */
static void
odd(const char *dir)
{
	static const char *const name[] = {
		"quote\"back\\slash", "line\nfeed\ttab", "\xff\xfe invalid", "gr\xc3\xbc\xc3\x9f",
	};
	char part[256];
	size_t n = strlen(dir);

	must(chdir(dir) == 0, dir);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		touch(name[i]);
	while (n < 4095) {
		size_t len = 4095 - n - 1;

		/* the last one is a file of the length that is left */
		if (len > 255)
			len = len - 256 == 0 ? 254 : 255;
		memset(part, 'd', len);
		part[len] = '\0';
		n += len + 1;
		if (n == 4095) {
			touch(part);
			break;
		}
		must(mkdir(part, 0700) == 0 && chdir(part) == 0, "deep");
	}
}

/* Executes itself with arguments of SIZE bytes in all, and with odd ones. */
static void
args(size_t size)
{
	char *p = malloc(size);
	char *big[] = { self, "child", p, NULL };
	char *odd_ones[] = { self, "child", "quote\"", "line\nfeed", "", "gr\xc3\xbc\xc3\x9f", NULL };
	char *invalid[] = { self, "child", "\xff", "fine", NULL };
	char **all[] = { big, odd_ones, invalid };

	memset(p, 'a', size);
	p[size - strlen(self) - 1 - 6 - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			execv(self, all[i]);
			_exit(127);
		}
		must(status_of(pid) == 0, "args");
	}
	free(p);
}

/* Descriptors without a close of their own: dup2 over them, exec, exit. */
static void
closes(const char *dir)
{
	char path[4096];
	char *argv[] = { self, "child", NULL };
	int fd, other;

	snprintf(path, sizeof(path), "%s/replaced", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	must(write(fd, "123", 3) == 3, "write");
	snprintf(path, sizeof(path), "%s/other", dir);
	other = open(path, O_WRONLY | O_CREAT, 0600);
	must(dup2(other, fd) == fd && write(fd, "12345", 5) == 5, "dup2");
	snprintf(path, sizeof(path), "%s/by-range", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	must(write(fd, "1234567", 7) == 7 && syscall(SYS_close_range, fd, fd, 0) == 0, "close_range");
	if (fork() == 0) {
		snprintf(path, sizeof(path), "%s/by-exec", dir);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		must(write(fd, "1", 1) == 1, "write");
		execv(self, argv);
		_exit(127);
	}
	wait(NULL);
	if (fork() == 0) {
		snprintf(path, sizeof(path), "%s/by-exit", dir);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		must(write(fd, "12", 2) == 2, "write");
		_exit(0);
	}
	wait(NULL);
}

static void
signals(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	printf("%d\n", pid);
	must(kill(pid, 0) == 0, "kill 0");
	must(kill(1 << 22, SIGUSR1) < 0 && errno == ESRCH, "kill nobody");
	must(kill(pid, SIGTERM) == 0, "kill");
	status_of(pid);
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "";
	char line[16];
	ssize_t n;

	if (strcmp(mode, "child") == 0)
		return 0;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)	/* no /proc in a jail */
		snprintf(self, sizeof(self), "%s", argv[0]);
	must(read(0, line, sizeof(line)) >= 0, "read");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(mode, "forks") == 0)
		forks(atoi(arg), argv[3]);
	else if (strcmp(mode, "execs") == 0)
		execs(atoi(arg));
	else if (strcmp(mode, "shorts") == 0)
		shorts(atoi(arg));
	else if (strcmp(mode, "ends") == 0)
		ends();
	else if (strcmp(mode, "orphan") == 0)
		orphan(arg);
	else if (strcmp(mode, "reuse") == 0)
		reuse(arg);
	else if (strcmp(mode, "opens") == 0)
		opens(arg);
	else if (strcmp(mode, "names") == 0)
		names(arg);
	else if (strcmp(mode, "leads") == 0)
		leads(arg);
	else if (strcmp(mode, "gigabyte") == 0)
		gigabyte(arg);
	else if (strcmp(mode, "odd") == 0)
		odd(arg);
	else if (strcmp(mode, "args") == 0)
		args(atoi(arg));
	else if (strcmp(mode, "closes") == 0)
		closes(arg);
	else if (strcmp(mode, "signals") == 0)
		signals();
	else
		errx(2, "no such mode: %s", mode);
	return 0;
}
