/*
 * storm - N executions or opens as fast as they go, for processes.py
 *
 *   storm exec N		posix_spawn and wait of itself, with an argument of its own
 *   storm open N DIR		open for writing and close of one file
 *   storm make N DIR		open with O_CREAT, close, unlink; each time another name
 *   storm tree N		N children that sleep until standard input ends
 *   storm spin		keeps a CPU awake, giving way to everybody
 *
 * Starts at a line on standard input. Prints how long it took, in seconds.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void
execs(long n)
{
	char arg[32], *argv[] = { "/proc/self/exe", "child", arg, NULL };
	pid_t pid;

	for (long i = 0; i < n; i++) {
		snprintf(arg, sizeof(arg), "number-%ld", i);
		if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) ||
		    waitpid(pid, NULL, 0) != pid)
			err(1, "spawn");
	}
}

static void
opens(long n, const char *dir, int make)
{
	char path[4096];
	int fd;

	for (long i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/storm-%ld", dir, make ? i : 0);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		if (fd < 0)
			err(1, "%s", path);
		close(fd);
		if (make)
			unlink(path);
	}
}

static void
tree(long n)
{
	char c;

	for (long i = 0; i < n; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, 9);
			pause();
		}
	puts("up");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

static void
spin(void)
{
	struct sched_param none = { 0 };

	prctl(PR_SET_PDEATHSIG, 9);
	if (sched_setscheduler(0, SCHED_IDLE, &none))
		err(1, "SCHED_IDLE");
	for (;;)
		;
}

int
main(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[2]) : 0;
	char line[8];
	double t;

	if (argc > 1 && strcmp(argv[1], "child") == 0)
		return 0;
	if (argc > 1 && strcmp(argv[1], "spin") == 0)
		spin();
	if (argc > 1 && strcmp(argv[1], "tree") == 0) {
		tree(n);
		return 0;
	}
	if (read(0, line, sizeof(line)) < 0 || n < 1)
		return 2;
	t = now();
	if (strcmp(argv[1], "exec") == 0)
		execs(n);
	else
		opens(n, argv[3], strcmp(argv[1], "make") == 0);
	printf("%f\n", now() - t);
	return 0;
}
