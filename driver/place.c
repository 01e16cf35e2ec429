/*
 * agentsight-place - where a run takes place, and as whom its stages run
 *
 * agentsight-place PARENT UID PROGRAM: makes a folder in PARENT, for FIFOs. As root also
 * finds a user id for the stages that no user and no process has, if PROGRAM may be run
 * under it, and makes a folder of that user for what is recorded. UID, who calls us by
 * sudo (or nothing), may read in there. Prints four lines: that user id, "granted" or
 * nothing, that folder, and the first one; what there is not is an empty line.
 *
 * The group of UID is no way to say who may read: on many systems it is that of all
 * users. So he is named in the access list of the folder, and in the one that files in
 * it begin with (acl(5); the form that the kernel takes is that of
 * linux/posix_acl_xattr.h). Some file systems keep none.
 */
#include <dirent.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "show.h"

/* of those that systemd gives to services for a while */
enum { FIRST_UID = 61184, UIDS = 4000 };

static const char home[] = "/var/lib/agentsight";

/* --- as whom --------------------------------------------------------------------------- */

/* Whether a process has it: its directory in /proc belongs to root when it is not dumpable. */
static bool
is_used(uid_t uid)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	bool used = false;

	while (d && !used && (e = readdir(d))) {
		char path[64], line[256];
		unsigned real = 0, effective = 0;
		FILE *f;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/status", e->d_name);
		if (!(f = fopen(path, "re")))
			continue;
		while (fgets(line, sizeof(line), f) &&
		    sscanf(line, "Uid: %u %u", &real, &effective) != 2)
			;
		fclose(f);
		used = real == uid || effective == uid;
	}
	if (d)
		closedir(d);
	return used;
}

static bool
may_run(uid_t uid, const char *program)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ||
		    access(program, X_OK));
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* 0: none. */
static uid_t
choose_uid(const char *program)
{
	for (int i = 0; i < UIDS; i++) {
		uid_t uid = FIRST_UID + (getpid() + i) % UIDS;

		if (!getpwuid(uid) && !is_used(uid))
			return may_run(uid, program) ? uid : 0;
	}
	return 0;
}

/* --- where ------------------------------------------------------------------------------ */

/* Root's own: what another can rename there he could put a link in place of. */
static bool
home_is_ours(void)
{
	struct stat st;

	mkdir(home, 0711);
	return lstat(home, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	    !(st.st_mode & 022);
}

/* The folder that we made under that name: no link in its place, nobody else's. */
static int
open_ours(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 077)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* A folder of that user, open, its name in path; -1: there can be none. */
static int
make_folder(const char *dir, int at, uid_t uid, char path[PATH_MAX])
{
	int fd;

	snprintf(path, PATH_MAX, "%s/run.XXXXXX", home);
	if (home_is_ours() && mkdtemp(path)) {
		fd = open_ours(path);
	} else {
		snprintf(path, PATH_MAX, "%s/out", dir);
		if (mkdirat(at, "out", 0700))
			return -1;
		fd = openat(at, "out", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd >= 0 && fchown(fd, uid, uid) == 0 ? fd : -1;
}

struct acl {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} entry[5];
};

enum {
	ACL_VERSION = 2,
	USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, MASK = 16, OTHER = 32,
	READ = 4, WRITE = 2, SEARCH = 1,
};

#define NOBODY UINT32_MAX

static bool
grant(int folder, uid_t uid)
{
	/* the kernel wants little endian, and this order */
	const struct acl acl = { htole32(ACL_VERSION), {
		{ htole16(USER_OBJ), htole16(READ | WRITE | SEARCH), NOBODY },
		{ htole16(USER), htole16(READ | SEARCH), htole32(uid) },
		{ htole16(GROUP_OBJ), 0, NOBODY },
		{ htole16(MASK), htole16(READ | SEARCH), NOBODY },
		{ htole16(OTHER), 0, NOBODY },
	} };

	return fsetxattr(folder, "system.posix_acl_access", &acl, sizeof(acl), 0) == 0 &&
	    fsetxattr(folder, "system.posix_acl_default", &acl, sizeof(acl), 0) == 0;
}

int
main(int argc, char **argv)
{
	char dir[PATH_MAX - 16], folder[PATH_MAX] = "", *end = "";
	unsigned long reader = argc == 4 ? strtoul(argv[2], &end, 10) : 0;
	bool granted = false;
	uid_t uid = 0;
	int at, fd;

	if (argc != 4 || *end || reader >= UINT32_MAX)
		errx(2, "usage: agentsight-place PARENT UID PROGRAM");
	show_messages();
	umask(077);
	snprintf(dir, sizeof(dir), "%s/agentsight.XXXXXX", argv[1]);
	if (!mkdtemp(dir))
		err(1, "make a folder in %s", argv[1]);
	if (geteuid() == 0)
		uid = choose_uid(argv[3]);
	if (uid) {
		umask(0);
		at = open_ours(dir);
		if (at < 0 || (fd = make_folder(dir, at, uid, folder)) < 0 || fchmod(at, 0711)) {
			warn("make a folder for what is recorded");
			rmdir(dir);
			return 1;
		}
		granted = *argv[2] && grant(fd, reader);
		printf("%u", uid);
	}
	printf("\n%s\n%s\n%s\n", granted ? "granted" : "", folder, dir);
	return 0;
}
