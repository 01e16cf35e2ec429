/* pager.c - see pager.h */
#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 32 };

static pid_t pager;

/* The words of a command, with blanks between; a shell reads what has more than that. */
static void
run(const char *command)
{
	char *copy = strdup(command), *at = copy, *argv[WORDS + 1];
	size_t n = 0;

	if (copy && !strpbrk(command, "|&;<>()$`\\\"'*?[#~=%{}\n"))
		while (n < WORDS && (argv[n] = strsep(&at, " \t")))
			n += *argv[n] != '\0';
	argv[n] = NULL;
	if (n)
		execvp(argv[0], argv);
	else
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
}

static const char *
command(void)
{
	const char *s = getenv("AGENTSIGHT_PAGER");

	if (!s)
		s = getenv("PAGER");
	return s ? s : "less";
}

/* The child: the pager, or when that is not there, whoever wrote to it gets its output back. */
static void
become(const char *what, int fds[2], int ready)
{
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	close(fds[1]);
	setenv("LESS", "FRX", 0);
	setenv("LV", "-c", 0);
	if (geteuid() == 0)
		setenv("LESSSECURE", "1", 1);	/* no shell, no editor from there */
	run(what);
	(void)!write(ready, "x", 1);
	_exit(127);
}

void
pager_start(void)
{
	const char *what = command();
	int fds[2], ready[2];
	char c;

	if (!*what || !strcmp(what, "cat") || pipe2(fds, O_CLOEXEC))
		return;
	if (pipe2(ready, O_CLOEXEC)) {
		close(fds[0]);
		close(fds[1]);
		return;
	}
	if ((pager = fork()) == 0)
		become(what, fds, ready[1]);
	close(ready[1]);
	/* a program that runs has closed its end; one that could not has written */
	if (pager > 0 && read(ready[0], &c, 1) == 0)
		dup2(fds[1], STDOUT_FILENO);
	else if (pager > 0) {
		waitpid(pager, NULL, 0);
		pager = 0;
	} else
		pager = 0;
	close(ready[0]);
	close(fds[0]);
	close(fds[1]);
}

void
pager_end(void)
{
	if (!pager)
		return;
	close(STDOUT_FILENO);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
	pager = 0;
}
