/*
 * older - a kernel without Landlock
 *
 * older ERROR COMMAND...: runs COMMAND where the system calls of landlock(7) fail with
 * ERROR, a number: ENOSYS where they are not known, EOPNOTSUPP where it was not switched on.
 */
#include <err.h>
#include <seccomp.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	static const int calls[] = { SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
	    SCMP_SYS(landlock_restrict_self) };
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int rc = f ? 0 : -1;

	if (argc < 3)
		errx(2, "usage: older ERROR COMMAND [ARGUMENT]...");
	for (size_t i = 0; !rc && i < sizeof(calls) / sizeof(*calls); i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(atoi(argv[1])), calls[i], 0);
	if (rc || seccomp_load(f))
		errx(1, "cannot take system calls away");
	execvp(argv[2], argv + 2);
	err(1, "%s", argv[2]);
}
