/*
 * libs.c - see libs.h
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libs.h"

static bool
is_tls(const char *name)
{
	return (strncmp(name, "libssl", 6) == 0 || strncmp(name, "libgnutls", 9) == 0 ||
	    strncmp(name, "libnspr4", 8) == 0) && strstr(name, ".so");
}

bool
libs_named(const char *path)
{
	const char *slash = strrchr(path, '/');

	return is_tls(slash ? slash + 1 : path);
}

static void
host_folder(const char *folder, libs_fn *fn, void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[4096];
		int fd;

		if (!is_tls(e->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			fn(arg, &(struct libs_file){ .fd = fd, .path = path });
			close(fd);
		}
	}
	if (d)
		closedir(d);
}

/* The folders that a file of /etc/ld.so.conf.d names. */
static void
conf_folders(const char *conf, libs_fn *fn, void *arg)
{
	FILE *f = fopen(conf, "re");
	char *line = NULL, *end;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		end = line + strcspn(line, " \t\r\n#");
		*end = '\0';
		if (line[0] == '/')
			host_folder(line, fn, arg);
	}
	free(line);
	if (f)
		fclose(f);
}

void
libs_host(libs_fn *fn, void *arg)
{
	static const char *const folders[] = {
		"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64",
		"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
		"/usr/local/lib/x86_64-linux-gnu",
	};
	glob_t g;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		host_folder(folders[i], fn, arg);
	conf_folders("/etc/ld.so.conf", fn, arg);
	if (glob("/etc/ld.so.conf.d/*.conf", 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			conf_folders(g.gl_pathv[i], fn, arg);
	globfree(&g);
}

/* Opens the mapped file: by the mapping itself; without the right to do so by its
 * path as the process sees it, when that is still the same file. */
static int
open_mapped(int pid, const char *path, const char *range, unsigned long ino)
{
	unsigned long from, to;
	char name[4200];
	struct stat st;
	int fd;

	/* there without the zeros before, which maps has where a program is not moved */
	if (sscanf(range, "%lx-%lx", &from, &to) != 2)
		return -1;
	snprintf(name, sizeof(name), "/proc/%d/map_files/%lx-%lx", pid, from, to);
	/* opening a device may already do something */
	fd = stat(name, &st) || !S_ISREG(st.st_mode) ? -1 :
	    open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return fd;
	snprintf(name, sizeof(name), "/proc/%d/root%s", pid, path);
	fd = stat(name, &st) || !S_ISREG(st.st_mode) ? -1 :
	    open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == ino && S_ISREG(st.st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int
libs_process(int pid, bool all, libs_fn *fn, void *arg)
{
	char name[64], *line = NULL;
	unsigned long ino, last = 0;
	size_t cap = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	f = fopen(name, "re");
	if (!f)
		return -1;
	while (getline(&line, &cap, f) > 0) {
		struct libs_file f = { .pid = pid };
		char range[64], perms[8], *path, *slash;

		if (sscanf(line, "%63s %7s %*s %x:%x %lu", range, perms, &f.major, &f.minor,
		    &ino) != 5 || perms[2] != 'x' || !(path = strchr(line, '/')) || ino == last)
			continue;
		path[strcspn(path, "\n")] = '\0';
		slash = strrchr(path, '/');
		if (!all && !is_tls(slash + 1))
			continue;
		last = ino;
		f.fd = open_mapped(pid, path, range, ino);
		if (f.fd < 0)
			continue;
		f.path = path;
		f.ino = ino;
		fn(arg, &f);
		close(f.fd);
	}
	free(line);
	fclose(f);
	return 0;
}
