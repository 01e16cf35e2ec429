/*
 * escape - what somebody could do who has taken a stage over
 *
 * escape PROFILE ACT [ARGUMENT]: enters the sandbox that the tool enters (PROFILE: filter,
 * files, connect, serve, peers), then acts as no tool does. Prints "done", or errno's name; the
 * kernel may end it. DIR in the environment is the folder that the tool may write to.
 */
#include "sandbox.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int
tcp(const char *port, int (*act)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(port)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? -1 : act(fd, (struct sockaddr *)&at, sizeof(at));
}

static int
act(const char *what, const char *arg)
{
	char *const argv[] = { "true", NULL };

	if (!strcmp(what, "nothing"))
		return 0;
	if (!strcmp(what, "read"))
		return open(arg, O_RDONLY);
	if (!strcmp(what, "write"))
		return open(arg, O_WRONLY);
	if (!strcmp(what, "create"))
		return open(arg, O_WRONLY | O_CREAT, 0600);
	if (!strcmp(what, "remove"))
		return unlink(arg);
	if (!strcmp(what, "exec"))
		return execv(arg, argv);
	if (!strcmp(what, "fork"))
		return fork();
	if (!strcmp(what, "connect"))
		return tcp(arg, connect);
	if (!strcmp(what, "bind"))
		return tcp(arg, bind);
	if (!strcmp(what, "code"))
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
	if (!strcmp(what, "kill"))
		return kill(atoi(arg), 0);
	if (!strcmp(what, "trace"))
		return ptrace(PTRACE_ATTACH, atoi(arg), 0, 0) ? -1 : 0;
	if (!strcmp(what, "seize"))
		return ptrace(PTRACE_SEIZE, atoi(arg), 0, 0) ? -1 : 0;
	if (!strcmp(what, "namespace"))
		return unshare(CLONE_NEWUSER);
	errx(2, "%s: no such act", what);
}

int
main(int argc, char **argv)
{
	struct sandbox box;
	const char *dir = getenv("DIR"), *profile = argc > 2 ? argv[1] : "";
	int rc;

	sandbox_init(&box, !strcmp(profile, "files") ? SANDBOX_FILES :
	    !strcmp(profile, "connect") ? SANDBOX_CONNECT | SANDBOX_THREADS | SANDBOX_FILES :
	    !strcmp(profile, "peers") ? SANDBOX_FILES | SANDBOX_RECEIVE | SANDBOX_PEERS :
	    !strcmp(profile, "serve") ? SANDBOX_SERVE | SANDBOX_THREADS | SANDBOX_FILES : 0);
	if (argc < 3 || (strcmp(profile, "filter") && !box.needs))
		errx(2, "usage: escape filter|files|connect|serve|peers ACT [ARGUMENT]");
	box.port = getenv("PORT") ? atoi(getenv("PORT")) : 0;
	if (dir)
		sandbox_allow(&box, SANDBOX_WRITE, dir);
	if (box.needs & (SANDBOX_CONNECT | SANDBOX_SERVE))
		sandbox_allow_network(&box);
	if ((rc = sandbox_enter(&box)) < 0)
		err(1, "enter");
	rc = act(argv[2], argc > 3 ? argv[3] : NULL);
	printf("%s\n", rc < 0 ? strerrorname_np(errno) : "done");
	return 0;
}
