/*
 * agentsight-handover - gives a finished recording to the user
 *
 * agentsight-handover DIR FOLDER UID GID (UID may be empty: as we are)
 *
 * The stages write in FOLDER, which is theirs. When the driver says "finished" on standard
 * input, or is gone, and no stage writes any more, every file of FOLDER goes to where
 * DIR/handover says. We open the content, by no link, and make it the user's; a process
 * that has his rights and no more opens the place: it gives the file a second name there,
 * or on another file system copies it. What cannot be given stays in FOLDER, and the user
 * is told. After "forget" nothing is kept. DIR, which holds the FIFOs, is removed in the end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "show.h"

enum { GROUPS = 256 };

static struct handover {
	const char *dir, *folder;
	bool other;		/* the user is not who we are */
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS];
	int ngroups;
	bool kept;		/* something could not be given */
} self;

/* --- as the user -------------------------------------------------------------------- */

/* In a child. */
static void
become_user(void)
{
	if (self.other) {
		caps_bound(0);
		if (setgroups(self.ngroups, self.groups) ||
		    setresgid(self.gid, self.gid, self.gid) ||
		    setresuid(self.uid, self.uid, self.uid))
			_exit(EPERM);
	}
	if (caps_keep(0))
		_exit(EPERM);
}

/* A child that does this with the user's rights; 0, or why it could not (errno). */
static int
as_user(int (*act)(int fd, const char *path, const char *from), int fd, const char *path,
    const char *from)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		become_user();
		_exit(act(fd, path, from));
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 ? errno : WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static bool
copy(int from, int to)
{
	char buf[1 << 16];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, buf, sizeof(buf), at)) > 0) {
		for (ssize_t done = 0, put; done < n; done += put)
			if ((put = write(to, buf + done, n - done)) < 0)
				return false;
		at += n;
	}
	return n == 0;
}

/* The content as a new file of that name in place. 0, or errno. */
static int
copy_as(int from, int place, const char *name)
{
	int to = openat(place, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
	    e = errno;

	if (to < 0)
		return e;
	e = copy(from, to) ? 0 : errno;
	if (close(to) && !e)
		e = errno;
	return e;
}

/* Complete under its name, or not there at all. The name is replaced, never followed. */
static int
give(int fd, const char *path, const char *from)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[PATH_MAX], new[64], here[64];
	uint64_t random = 0;
	int place, e = 0;

	(void)from;
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
	    slash ? path : ".");
	/* a name that nobody can have taken before us */
	if (getrandom(&random, sizeof(random), 0) < 0)
		return errno;
	snprintf(new, sizeof(new), ".agentsight-%016" PRIx64, random);
	snprintf(here, sizeof(here), "/proc/self/fd/%d", fd);
	if ((place = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return errno;
	if (linkat(AT_FDCWD, here, place, new, AT_SYMLINK_FOLLOW))
		e = copy_as(fd, place, new);
	if (!e && renameat(place, new, place, name))
		e = errno;
	if (e)
		unlinkat(place, new, 0);
	return e;
}

/* The link that stood for the recording, and no other of this name. */
static int
forget(int fd, const char *path, const char *from)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to));

	(void)fd;
	return n < 0 || (size_t)n != strlen(from) || memcmp(to, from, n) ||
	    unlink(path) == 0 ? 0 : errno;
}

/* --- files of the stages ------------------------------------------------------------ */

/* A file that a stage wrote: a stage that was taken over could have left a link to what
 * only root may read, or another name of it. */
static int
open_own(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st, owner;

	if (fd >= 0 && !fstat(fd, &st) && !fstat(folder, &owner) && S_ISREG(st.st_mode) &&
	    st.st_nlink == 1 &&
	    st.st_uid == owner.st_uid)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void __attribute__((format(printf, 1, 2)))
say(const char *fmt, ...)
{
	char text[3 * PATH_MAX], shown[SHOW_MAX * sizeof(text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "agentsight: %s\n", show_text(shown, sizeof(shown), text));
}

/* What is not a file of theirs stays as well. */
static void
give_file(int folder, const char *kind, const char *name, const char *to)
{
	int fd = open_own(folder, name), e;

	if (fd < 0)
		return;
	fremovexattr(fd, "system.posix_acl_access");
	e = fchown(fd, self.uid, self.gid) || fchmod(fd, 0600) ? errno : as_user(give, fd, to, "");
	if (!e) {
		unlinkat(folder, name, 0);
	} else {
		say("cannot write %s: %s%s; all of it stays in %s/%s/%s", to, strerror(e),
		    e == ENOSPC ? " (the disk is full)" : "", self.folder, kind, name);
		self.kept = true;
	}
	close(fd);
}

static bool
is_index(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && !strcmp(name + n - 4, "-shm");
}

/* All files of the folder that from is in: with --rotate there are several, and a database
 * that was not closed has its journal beside it. */
static void
give_all(int folder, char *from, const char *to)
{
	char *name = strrchr(from, '/'), *kind, target[PATH_MAX];
	const char *slash = strrchr(to, '/');
	struct dirent *e;
	DIR *d;
	int fd;

	if (!name)
		return;
	*name++ = '\0';
	kind = strrchr(from, '/') ? strrchr(from, '/') + 1 : from;
	fd = openat(folder, kind, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !(d = fdopendir(fd)))
		return;
	while ((e = readdir(d))) {
		int n = slash ? (int)(slash - to) + 1 : 0;

		if (!strcmp(e->d_name, name))
			snprintf(target, sizeof(target), "%s", to);
		else
			snprintf(target, sizeof(target), "%.*s%s", n, to, e->d_name);
		if (is_index(e->d_name))
			unlinkat(fd, e->d_name, 0);
		else
			give_file(fd, kind, e->d_name, target);
	}
	closedir(d);
	unlinkat(folder, kind, AT_REMOVEDIR);
}

/* --- folders ------------------------------------------------------------------------ */

/* All that is in it; of folders only those that can be emptied, or with deep. */
static void
empty(int fd, bool deep)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    unlinkat(fd, e->d_name, 0) == 0)
			continue;
		if (deep)
			empty(openat(fd, e->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), true);
		unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

static void
remove_folder(const char *path, bool deep)
{
	empty(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), deep);
	rmdir(path);
}

/* What the page of a live recording keeps while it runs, when it could not remove that. */
static void
remove_page_folders(void)
{
	DIR *d = opendir(self.folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, "agentsight-web.", 15))
			continue;
		empty(openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		    true);
		unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

/* --- the end of the stages ------------------------------------------------------------ */

static FILE *
open_list(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", self.dir, name);
	return fopen(path, "re");
}

static bool
stage_runs(void)
{
	FILE *list = open_list("stages");
	bool runs = false;
	char path[64];
	int pid;

	while (list && !runs && fscanf(list, "%d", &pid) == 1) {
		snprintf(path, sizeof(path), "/proc/%d", pid);
		runs = access(path, F_OK) == 0;
	}
	if (list)
		fclose(list);
	return runs;
}

/* Those that were left waiting for the other end of a FIFO get one for a moment. */
static void
touch_fifos(void)
{
	DIR *d = opendir(self.dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct stat st;
		int fd;

		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISFIFO(st.st_mode))
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
}

/* What the driver had started ends by itself when it is gone: collectors die with it,
 * and the rest at the end of its input. */
static void
wait_for_stages(void)
{
	static const struct timespec nap = { .tv_nsec = 100000000 };

	while (stage_runs()) {
		touch_fifos();
		nanosleep(&nap, NULL);
	}
}

/* --- the whole --------------------------------------------------------------------- */

/* Each from and to of the list; none: false. */
static bool
each_output(void (*act)(int folder, char *from, const char *to))
{
	int folder = open(self.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char from[PATH_MAX], to[PATH_MAX];
	FILE *list = open_list("handover");
	bool any = false;

	while (list && fgets(from, sizeof(from), list) && fgets(to, sizeof(to), list)) {
		from[strcspn(from, "\n")] = to[strcspn(to, "\n")] = '\0';
		act(folder, from, to);
		any = true;
	}
	if (list)
		fclose(list);
	if (folder >= 0)
		close(folder);
	return any;
}

static void
forget_output(int folder, char *from, const char *to)
{
	(void)folder;
	as_user(forget, -1, to, from);
}

static void
finish(const char *word)
{
	bool forgets = !strcmp(word, "forget"), kept;

	if (forgets) {
		each_output(forget_output);
		remove_folder(self.folder, true);
	} else {
		if (strcmp(word, "finished")) {
			wait_for_stages();
			say("the recorder was ended from outside: what it had seen is kept");
		}
		/* that of stat and top is only for the time that they run */
		kept = each_output(give_all);
		if (kept) {
			remove_page_folders();
			rmdir(self.folder);
		} else {
			remove_folder(self.folder, true);
		}
	}
	/* what could not be given may be in there */
	remove_folder(self.dir, access(self.folder, F_OK) != 0);
}

static bool
set_user(const char *uid, const char *gid)
{
	char *end = "", *gid_end;
	const struct passwd *user;

	self.other = *uid;
	self.uid = *uid ? strtoul(uid, &end, 10) : getuid();
	self.gid = strtoul(gid, &gid_end, 10);
	if (*end || !*gid || *gid_end)
		return false;
	if (!*uid)
		self.gid = getgid();
	self.groups[0] = self.gid;
	self.ngroups = 1;
	if (*uid && (user = getpwuid(self.uid))) {
		self.ngroups = GROUPS;
		if (getgrouplist(user->pw_name, self.gid, self.groups, &self.ngroups) < 0)
			self.ngroups = GROUPS;
	}
	return true;
}

int
main(int argc, char **argv)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGXFSZ };
	char word[16] = "";

	if (argc != 5 || !set_user(argv[3], argv[4])) {
		fputs("usage: agentsight-handover DIR FOLDER UID GID\n", stderr);
		return 2;
	}
	self.dir = argv[1];
	self.folder = argv[2];
	setsid();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	umask(077);
	if (fgets(word, sizeof(word), stdin))
		word[strcspn(word, "\n")] = '\0';
	finish(word);
	return self.kept;
}
