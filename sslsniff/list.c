/*
 * list.c - see list.h
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "find.h"
#include "inspect.h"
#include "libs.h"
#include "list.h"
#include "proc.h"
#include "site.h"
#include "target.h"

struct lister {
	struct target *target;
	unsigned found;		/* TLS libraries of the current process */
	unsigned processes;
	const char *who;	/* "PID NAME" of the current one */
};

static void
list_lib(void *self, int fd, const char *path, int pid)
{
	static struct sites sites;
	struct lister *l = self;
	struct found found;
	char names[1024];

	(void)pid;
	l->found++;
	if (inspect_fd(&found, fd, false)) {
		printf("%s\t%s\tnot hooked: %s\n", l->who, path, strerror(errno));
	} else if (site_plan(&sites, &found, true)) {
		site_names(&sites, names, sizeof(names));
		printf("%s\t%s\thooked: %s%s%s\n", l->who, path, names,
		    sites.why[0] ? "; but " : "", sites.why);
	} else {
		printf("%s\t%s\tnot hooked: %s\n", l->who, path, sites.why);
	}
	found_free(&found);
}

/* A program may have its TLS built in. */
static void
list_program(struct lister *l, const char *exe, const char *path)
{
	static struct sites sites;
	int fd = open(exe, O_RDONLY | O_CLOEXEC);
	struct found found;
	char names[1024];
	bool none = true;

	if (fd >= 0 && inspect_fd(&found, fd, true) == 0) {
		none = !found.nsite && !found.nrefusal;
		if (site_plan(&sites, &found, true)) {
			site_names(&sites, names, sizeof(names));
			printf("%s\t%s\tbuilt in: %s; hooked with --binary-path %s\n", l->who,
			    path, names, exe);
		} else if (!none) {
			printf("%s\t%s\tbuilt in, not hooked: %s\n", l->who, path, sites.why);
		}
		found_free(&found);
	}
	if (fd >= 0)
		close(fd);
	if (none && !l->found)
		printf("%s\t%s\tno TLS library mapped (yet), none found in the program\n", l->who,
		    path);
}

/* Names are the observed process's to choose: no control characters of its
 * making reach the terminal. */
static void
clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			*s = '?';
}

static bool
list_process(void *self, int pid)
{
	struct lister *l = self;
	char who[64], exe[64], path[4096];	/* exe: by number, for it may be deleted */
	struct proc_stat st;
	ssize_t n;

	if (!target_has(l->target, pid) || proc_stat(pid, &st))
		return false;
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	n = readlink(exe, path, sizeof(path) - 1);
	if (n <= 0)	/* a kernel thread */
		return false;
	path[n] = '\0';
	clean(st.comm);
	clean(path);
	snprintf(who, sizeof(who), "%d\t%.16s", pid, st.comm);
	l->who = who;
	l->found = 0;
	l->processes++;
	if (libs_process(pid, list_lib, l)) {
		if (errno != ENOENT && errno != ESRCH)
			printf("%s\t%s\tnot known: its maps: %s (needs CAP_SYS_PTRACE)\n", who,
			    path, strerror(errno));
	} else {
		list_program(l, exe, path);
	}
	return false;
}

int
list_targets(struct target *t)
{
	struct lister l = { .target = t };
	const char *wrong = target_parse(t);

	if (wrong)
		errx(2, "%s", wrong);
	proc_each(list_process, &l);
	if (!l.processes)
		warnx("no process matches");
	if (fflush(stdout) || ferror(stdout))
		err(1, "write standard output");
	return l.processes ? 0 : 1;
}
