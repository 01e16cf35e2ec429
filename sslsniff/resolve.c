/*
 * resolve.c - see resolve.h
 */
#include "resolve.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apart.h"
#include "caps.h"

enum { SCRIPTS = 5, DEEP = 6, FIRST_LINE = 256 };	/* execve(2): 256 bytes since Linux 5.1 */

/* dir/name as one path; false when it does not fit. */
static bool
join(char *path, const char *dir, const char *name)
{
	return snprintf(path, RESOLVE_PATH, "%s/%s", dir, name) < RESOLVE_PATH;
}

/* A file that can be run: its real path. */
static bool
runnable(char *path, const char *dir, const char *name)
{
	char at[RESOLVE_PATH];
	struct stat st;

	return join(at, dir, name) && access(at, X_OK) == 0 && realpath(at, path) &&
	    stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
in_path(char *path, const char *name)
{
	const char *dirs = getenv("PATH"), *end;
	char dir[RESOLVE_PATH];

	for (; dirs && *dirs; dirs = *end ? end + 1 : end) {
		end = strchrnul(dirs, ':');
		snprintf(dir, sizeof(dir), "%.*s", (int)(end - dirs), dirs);
		if (runnable(path, end == dirs ? "." : dir, name))
			return true;
	}
	return false;
}

/* The newest version below dir that has bin/name. */
static bool
in_versions(char *path, const char *dir, const char *name)
{
	struct dirent **all;
	int n = scandir(dir, &all, NULL, versionsort);
	bool found = false;
	char bin[RESOLVE_PATH];

	for (int i = n - 1; i >= 0; i--) {
		if (!found && all[i]->d_name[0] != '.' &&
		    snprintf(bin, sizeof(bin), "%s/%s/bin", dir, all[i]->d_name) < (int)sizeof(bin))
			found = runnable(path, bin, name);
		free(all[i]);
	}
	if (n >= 0)
		free(all);
	return found;
}

/* Where sudo, which has a PATH of its own, does not look. */
static bool
in_home(char *path, const char *name)
{
	static const char *const bins[] = { ".local/bin", "bin", ".npm-global/bin", ".bun/bin" };
	const char *user = getenv("SUDO_USER");
	const struct passwd *pw = user ? getpwnam(user) : NULL;
	char dir[RESOLVE_PATH];

	if (!pw)
		return false;
	for (size_t i = 0; i < sizeof(bins) / sizeof(*bins); i++)
		if (join(dir, pw->pw_dir, bins[i]) && runnable(path, dir, name))
			return true;
	return join(dir, pw->pw_dir, ".nvm/versions/node") && in_versions(path, dir, name);
}

/* --- npm ------------------------------------------------------------------------- */

static bool
is_elf(const char *path)
{
	char magic[SELFMAG];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool elf = fd >= 0 && read(fd, magic, SELFMAG) == SELFMAG &&
	    !memcmp(magic, ELFMAG, SELFMAG);

	if (fd >= 0)
		close(fd);
	return elf;
}

/* The largest ELF program below dir, where a package keeps one. */
static void
largest(char *path, off_t *size, const char *dir, int deep)
{
	DIR *d = deep ? opendir(dir) : NULL;
	struct dirent *e;
	char at[RESOLVE_PATH];
	struct stat st;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || !join(at, dir, e->d_name) || lstat(at, &st))
			continue;
		if (S_ISDIR(st.st_mode)) {
			largest(path, size, at, deep - 1);
		} else if (S_ISREG(st.st_mode) && st.st_mode & 0111 && st.st_size > *size &&
		    is_elf(at)) {
			*size = st.st_size;
			snprintf(path, RESOLVE_PATH, "%s", at);
		}
	}
	if (d)
		closedir(d);
}

/* Packages in dir that are name's for this platform: name-linux-x64, with
 * anything behind it. */
static void
platform_packages(char *path, off_t *size, const char *dir, const char *name)
{
	char prefix[256], at[RESOLVE_PATH];
	DIR *d = opendir(dir);
	struct dirent *e;

	snprintf(prefix, sizeof(prefix), "%.200s-linux-x64", name);
	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)) && join(at, dir, e->d_name))
			largest(path, size, at, DEEP);
	if (d)
		closedir(d);
}

/* script lies in .../node_modules/[@scope/]NAME/...: its program is in a package
 * beside it, or in node_modules of its own. */
static bool
npm_program(char *path, const char *script)
{
	static const char modules[] = "/node_modules/";
	char base[RESOLVE_PATH], dir[RESOLVE_PATH], name[256];
	const char *at = NULL, *slash;
	off_t size = 0;

	for (const char *p = script; (p = strstr(p, modules)); p++)
		at = p + strlen(modules);
	if (!at || !(slash = strchr(at, '/')) || (*at == '@' && !(slash = strchr(slash + 1, '/'))))
		return false;
	/* the package */
	snprintf(base, sizeof(base), "%.*s", (int)(slash - script), script);
	snprintf(name, sizeof(name), "%s", strrchr(base, '/') + 1);
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(base, '/') - base), base);
	platform_packages(path, &size, dir, name);
	if (snprintf(dir, sizeof(dir), "%s/node_modules/%.*s", base,
	    *at == '@' ? (int)(strchr(at, '/') - at) : 0, at) < (int)sizeof(dir))
		platform_packages(path, &size, dir, name);
	return size > 0;
}

/* --- scripts ------------------------------------------------------------------------ */

/* The child's part: a script is somebody's file (apart.h). */
static void
say_interpreter(int fd, int to)
{
	char line[FIRST_LINE + 1] = "", *save, *p;
	ssize_t n = read(fd, line, FIRST_LINE);

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	p = strtok_r(line + 2, " \t\r", &save);
	if (p && (!strcmp(p, "/usr/bin/env") || !strcmp(p, "/bin/env"))) {
		do
			p = strtok_r(NULL, " \t\r", &save);
		while (p && (*p == '-' || strchr(p, '=')));	/* its options and variables */
	}
	if (p)
		apart_say(to, p, strlen(p));
}

/* What runs a script: the word behind #!, or what env looks for. false: no script. */
static bool
interpreter(char *word, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct apart a;
	bool said = false;

	if (fd >= 0 && apart_begin(&a, fd, say_interpreter, FIRST_LINE, caps_uid()) == 0) {
		apart_wait(&a, -1);
		said = !apart_end(&a) && a.n;
		snprintf(word, RESOLVE_PATH, "%.*s", said ? (int)a.n : 0, (const char *)a.said);
		apart_free(&a);
	}
	if (fd >= 0)
		close(fd);
	return said;
}

__attribute__((format(printf, 2, 3))) static int
fail(struct resolved *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	return -1;
}

static bool
find(char *path, const char *word)
{
	struct stat st;

	if (strchr(word, '/') || (stat(word, &st) == 0 && S_ISREG(st.st_mode)))
		/* what has no name any more is found through /proc all the same */
		return realpath(word, path) || (stat(word, &st) == 0 &&
		    snprintf(path, RESOLVE_PATH, "%s", word) < RESOLVE_PATH);
	return in_path(path, word) || in_home(path, word);
}

int
resolve_command(struct resolved *r, const char *word)
{
	char next[RESOLVE_PATH];

	r->why[0] = r->program[0] = '\0';
	if (!find(r->command, word))
		return fail(r, "%s", errno ? strerror(errno) : "not found");
	if (!interpreter(next, r->command)) {
		strcpy(r->program, r->command);
		return 0;
	}
	if (npm_program(r->program, r->command)) {
		strcpy(r->why, "the program of its npm package");
		return 0;
	}
	strcpy(r->why, "its interpreter");
	for (int i = 0; i < SCRIPTS; i++) {
		if (!find(r->program, next))
			return fail(r, "its interpreter, %.100s, is not found", next);
		if (!interpreter(next, r->program))
			return 0;
	}
	return fail(r, "a script of scripts without an end");
}
