/*
 * agentsight-spawn - what a shell cannot do for a process that it starts
 *
 * agentsight-spawn --reaper COMMAND...: orphans of all that COMMAND starts become its
 * children: it can tell which of them still run.
 * agentsight-spawn --with PID COMMAND...: a session of its own, and SIGTERM when our
 * parent, which is PID, ends; nothing is run when it has ended already.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "opt.h"

int
main(int argc, char **argv)
{
	static bool reaper;
	static int64_t with;
	const struct opt own[] = {
		{ .kind = OPT_FLAG, .name = "reaper", .to = &reaper, .help = "orphans below it become its children" },
		{ .kind = OPT_NUM, .name = "with", .arg = "PID", .to = &with, .lo = 1, .hi = INT32_MAX,
		    .help = "its own session; SIGTERM when PID, who starts it, ends" },
		{ .kind = OPT_END },
	};
	const struct opt_use use = {
		.name = "agentsight-spawn", .synopsis = "[OPTION]... -- COMMAND [ARGUMENT]...",
		.about = "Runs COMMAND, for the driver.", .tables = { own },
	};
	int first = opt_parse(&use, argc, argv);

	if (first == argc)
		opt_fail(&use, "what to run?");
	if (reaper && prctl(PR_SET_CHILD_SUBREAPER, 1))
		fprintf(stderr, "agentsight: orphans are not told from other processes: %s\n", strerror(errno));
	if (with) {
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != with)
			return 1;
	}
	execvp(argv[first], argv + first);
	fprintf(stderr, "agentsight: run %s: %s\n", argv[first], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
