/*
 * agentsight-spawn - what a shell cannot do for a process that it starts, or only by a
 * chain of other programs
 *
 * agentsight-spawn [OPTION]... -- COMMAND...: each option is done in the order below,
 * then the process is COMMAND. It is not there: exit 127; it cannot be run: 126.
 */
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "caps.h"
#include "opt.h"

static struct spawn {
	bool reaper, session, home, bare, signals;
	int64_t with;		/* 0: of nobody */
	int64_t user, group;	/* -1: as we are */
	int64_t go_fd;		/* -1: none */
} self = { .user = -1, .group = -1, .go_fd = -1 };

static const struct opt options[] = {
	{ .kind = OPT_FLAG, .name = "reaper", .to = &self.reaper,
	    .help = "orphans below it become its children" },
	{ .kind = OPT_FLAG, .name = "session", .to = &self.session,
	    .help = "a session of its own" },
	{ .kind = OPT_NUM, .name = "with", .arg = "PID", .to = &self.with, .lo = 1, .hi = INT32_MAX,
	    .help = "SIGTERM when PID, who starts it, ends; not at all when it has ended" },
	{ .kind = OPT_NUM, .name = "user", .arg = "UID", .to = &self.user, .lo = 0,
	    .hi = UINT32_MAX - 1,
	    .help = "as this user, with the groups that it is in" },
	{ .kind = OPT_NUM, .name = "group", .arg = "GID", .to = &self.group, .lo = 0,
	    .hi = UINT32_MAX - 1,
	    .help = "and this group (the number of the user)" },
	{ .kind = OPT_FLAG, .name = "home", .to = &self.home,
	    .help = "with HOME, USER and LOGNAME of that user, and nothing of sudo" },
	{ .kind = OPT_FLAG, .name = "bare", .to = &self.bare,
	    .help = "without capabilities, for good" },
	{ .kind = OPT_FLAG, .name = "signals", .to = &self.signals,
	    .help = "SIGINT and SIGQUIT are not ignored" },
	{ .kind = OPT_NUM, .name = "go-fd", .arg = "FD", .to = &self.go_fd, .lo = 0, .hi = 1 << 20,
	    .help = "when a line comes there; none at its end" },
	{ .kind = OPT_END },
};

/* An unknown user has no groups but the one given. */
static void
become(const struct passwd *user)
{
	gid_t gid = self.group >= 0 ? self.group : self.user;

	if (user ? initgroups(user->pw_name, gid) : setgroups(1, &gid))
		err(125, "set the groups of user %u", (unsigned)self.user);
	if (setresgid(gid, gid, gid) || setresuid(self.user, self.user, self.user))
		err(125, "become user %u", (unsigned)self.user);
}

static void
take_home(const struct passwd *user)
{
	static const char *const of_sudo[] = { "SUDO_UID", "SUDO_GID", "SUDO_USER",
	    "SUDO_COMMAND" };

	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	for (size_t i = 0; i < sizeof(of_sudo) / sizeof(*of_sudo); i++)
		unsetenv(of_sudo[i]);
}

static void
wait_for_go(int fd)
{
	char c = '\0';

	while (c != '\n')
		if (read(fd, &c, 1) != 1)
			exit(125);
	close(fd);
}

static int
run(char **command)
{
	bool missing;

	execvp(command[0], command);
	missing = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP;
	fprintf(stderr, "agentsight: %s: %s\n", command[0],
	    errno == ENOENT ? "not found" : strerror(errno));
	return missing ? 127 : 126;
}

int
main(int argc, char **argv)
{
	const struct opt_use use = {
		.name = "agentsight-spawn", .synopsis = "[OPTION]... -- COMMAND [ARGUMENT]...",
		.about = "Runs COMMAND, for the driver.", .tables = { options },
	};
	int first = opt_parse(&use, argc, argv);
	const struct passwd *user = self.user >= 0 ? getpwuid(self.user) : NULL;

	if (first == argc)
		opt_fail(&use, "what to run?");
	if (self.reaper && prctl(PR_SET_CHILD_SUBREAPER, 1))
		fprintf(stderr, "agentsight: orphans are not told from other processes: %s\n",
		    strerror(errno));
	if (self.session)
		setsid();
	if (self.with) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != self.with)
			return 1;
	}
	if (self.bare)
		caps_bound(0);
	if (self.user >= 0)
		become(user);
	if (self.home && user)
		take_home(user);
	if (self.bare && caps_keep(0))
		err(125, "give up capabilities");
	if (self.signals) {
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
	}
	if (self.go_fd >= 0)
		wait_for_go(self.go_fd);
	return run(argv + first);
}
