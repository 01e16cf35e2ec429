/*
 * list.c - see list.h
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caps.h"
#include "found.h"
#include "inspect.h"
#include "libs.h"
#include "list.h"
#include "look.h"
#include "proc.h"
#include "show.h"
#include "site.h"
#include "target.h"

struct lister {
	struct target *target;
	uid_t uid;		/* of whoever looks at files; 0: ours */
	unsigned found;		/* TLS libraries of the current process */
	unsigned processes;
	const char *who;	/* "PID NAME" of the current one */
};

static void
list_file(void *self, const struct libs_file *f)
{
	static struct sites sites;
	struct lister *l = self;
	struct found found;
	char names[2048], file[4096], why[600];
	struct stat st;

	show_text(file, sizeof(file), f->path);
	if (fstat(f->fd, &st) || look_at(&found, f->fd, st.st_size >= INSPECT_CACHE_MIN, l->uid)) {
		printf("%s\t%s\tnot hooked: %s\n", l->who, file, strerror(errno));
		return;
	}
	if (site_plan(&sites, &found)) {
		l->found++;
		site_names(&sites, names, sizeof(names));
		printf("%s\t%s\thooked: %s%s%s\n", l->who, file, names,
		    sites.why[0] ? "; but " : "",
		    show_text(why, sizeof(why), sites.why));
	} else if (found.nrefusal && (*found.kind || found.unseen)) {
		l->found++;
		printf("%s\t%s\tnot hooked: %s\n", l->who, file,
		    show_text(why, sizeof(why), sites.why));
	}
	found_free(&found);
}

static bool
list_process(void *self, int pid)
{
	struct lister *l = self;
	char who[128], exe[64], link[4096], path[4096], comm[80];
	struct proc_stat st;
	ssize_t n;

	if (!target_has(l->target, pid) || proc_stat(pid, &st))
		return false;
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	n = readlink(exe, link, sizeof(link));
	if (n <= 0)	/* a kernel thread */
		return false;
	show_bytes(path, sizeof(path), link, n);
	show_bytes(comm, sizeof(comm), st.comm, strnlen(st.comm, sizeof(st.comm)));
	snprintf(who, sizeof(who), "%d\t%s", pid, comm);
	l->who = who;
	l->found = 0;
	l->processes++;
	if (libs_process(pid, true, list_file, l)) {
		if (errno != ENOENT && errno != ESRCH)
			printf("%s\t%s\tnot known: its maps: %s (needs CAP_SYS_PTRACE)\n", who,
			    path, strerror(errno));
	} else if (!l->found) {
		printf("%s\t%s\tno TLS library or program among what it maps (yet)\n", who, path);
	}
	return false;
}

int
list_targets(struct target *t)
{
	struct lister l = { .target = t, .uid = caps_uid() };
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
