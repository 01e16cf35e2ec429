/*
 * container.c - see container.h
 *
 * reads   /proc/PID/cgroup of all processes, files of the runtimes
 */
#include <fcntl.h>
#include <glob.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "proc.h"

enum { IDS = 64, ID_LEN = 64, SHORTEST = 4, FILE_MAX = 4 << 20, FOUND = 16, NAMES = 1024 };

struct search {
	const char *wanted;
	char id[IDS][ID_LEN + 1];	/* how those begin that have this name */
	size_t ids;
	char found[FOUND][CONTAINER_PATH];
	size_t nfound;
};

static void
add_id(struct search *s, const char *id, size_t n)
{
	if (s->ids == IDS || n > ID_LEN)
		return;
	memcpy(s->id[s->ids], id, n);
	s->id[s->ids++][n] = '\0';
}

/* A file of root's, whole and ended with NUL; allocated. NULL: there is none. */
static char *
file_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *text = NULL;
	ssize_t n;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	    st.st_size < FILE_MAX && (text = malloc(st.st_size + 1))) {
		n = read(fd, text, st.st_size);
		text[n > 0 ? n : 0] = '\0';
	}
	if (fd >= 0)
		close(fd);
	return text;
}

/* Runtimes that have a folder for each container, called by its id, and what in a file
 * of it names it. They write JSON without blanks, and names have no characters that it
 * would write otherwise. */
static const struct folder {
	const char *files, *key;
	int up;		/* the id is so many folders above the file */
	bool pod;	/* it is the pod that it names; */
	const char *space;	/* then, what names the pod's namespace */
} folders[] = {
	{ "/var/lib/docker/containers/*/config.v2.json", "\"Name\":\"/", 1, false, NULL },
	{ "/run/containerd/io.containerd.runtime.v2.task/*/*/config.json",
	    "\"io.kubernetes.cri.container-name\":\"", 1, false, NULL },
	{ "/run/containerd/io.containerd.runtime.v2.task/*/*/config.json",
	    "\"io.kubernetes.cri.sandbox-name\":\"", 1, true,
	    "\"io.kubernetes.cri.sandbox-namespace\":\"" },
	{ "/run/containerd/io.containerd.runtime.v2.task/*/*/config.json", "\"nerdctl/name\":\"",
	    1, false, NULL },
	{ "/run/containers/storage/overlay-containers/*/userdata/config.json",
	    "\"io.kubernetes.container.name\":\"", 2, false, NULL },
	{ "/run/containers/storage/overlay-containers/*/userdata/config.json",
	    "\"io.kubernetes.pod.name\":\"", 2, true, "\"io.kubernetes.pod.namespace\":\"" },
};

static bool
has_value(const char *text, const char *key, const char *value)
{
	size_t n = strlen(value);

	for (const char *p = text; (p = strstr(p, key)); ) {
		p += strlen(key);
		if (strncmp(p, value, n) == 0 && p[n] == '"')
			return true;
	}
	return false;
}

static void
search_folder(struct search *s, const struct folder *f)
{
	glob_t files;

	if (glob(f->files, 0, NULL, &files))
		return;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *path = files.gl_pathv[i], *text = file_text(path), *id;

		if (text && has_value(text, f->key, s->wanted)) {
			for (int up = 0; up < f->up; up++)
				*strrchr(path, '/') = '\0';
			id = strrchr(path, '/') + 1;
			add_id(s, id, strlen(id));
		}
		free(text);
	}
	globfree(&files);
}

/* Podman has one list: [{"id":"...","names":["..."],...},...] */
static void
search_podman(struct search *s)
{
	static const char id_key[] = "\"id\":\"";
	char *text = file_text("/var/lib/containers/storage/overlay-containers/containers.json");
	const char *id = NULL;

	for (const char *p = text; p && (p = strpbrk(p, "\"{")); p++) {
		if (strncmp(p, id_key, strlen(id_key)) == 0)
			id = p + strlen(id_key);
		else if (id && strncmp(p, "\"names\":[\"", 10) == 0 &&
		    strncmp(p + 10, s->wanted, strlen(s->wanted)) == 0 &&
		    p[10 + strlen(s->wanted)] == '"')
			add_id(s, id, strcspn(id, "\""));
	}
	free(text);
}

static bool
is_wanted(const struct search *s, const char *id)
{
	for (size_t i = 0; i < s->ids; i++)
		if (strncmp(id, s->id[i], strlen(s->id[i])) == 0)
			return true;
	return false;
}

static bool
look_at(void *arg, int pid)
{
	struct search *s = arg;
	char path[CONTAINER_PATH];
	const char *id;
	size_t n;

	if (!proc_cgroup(pid, "", path, sizeof(path)) || !(id = proc_container_id(path)) ||
	    !is_wanted(s, id))
		return false;
	n = id - path + strcspn(id, "/");	/* what is below it is in it */
	path[n] = '\0';
	for (size_t i = 0; i < s->nfound; i++)
		if (strcmp(s->found[i], path) == 0)
			return false;
	memcpy(s->found[s->nfound++], path, n + 1);
	return s->nfound == FOUND;
}

size_t
container_find(const char *wanted, container_fn *fn, void *arg)
{
	static struct search s;
	size_t n = strlen(wanted);

	memset(&s, 0, sizeof(s));
	s.wanted = wanted;
	if (n >= SHORTEST && n <= ID_LEN && strspn(wanted, "0123456789abcdef") == n)
		add_id(&s, wanted, n);
	if (n && !strpbrk(wanted, "\"\\/")) {
		for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
			search_folder(&s, &folders[i]);
		search_podman(&s);
	}
	proc_each(look_at, &s);
	for (size_t i = 0; i < s.nfound; i++)
		fn(arg, s.found[i]);
	return s.nfound;
}

/* --- what containers are called ------------------------------------------------------ */

/* Copies the value behind a key, unless it is there, has none, or does not fit. */
static void
copy_value(char *to, size_t size, const char *text, const char *key)
{
	const char *p = strstr(text, key);
	size_t n = p ? strcspn(p + strlen(key), "\"\\") : 0;

	if (*to || !n || n >= size || p[strlen(key) + n] != '"')
		return;
	memcpy(to, p + strlen(key), n);
	to[n] = '\0';
}

static struct container_name *
name_of(struct container_names *all, const char *id)
{
	struct container_name *v;

	if (strlen(id) < 12)
		return NULL;
	for (size_t i = 0; i < all->n; i++)
		if (!strncmp(all->v[i].id, id, 12))
			return &all->v[i];
	if (all->n == NAMES)
		return NULL;
	if (!(all->n & (all->n - 1))) {
		if (!(v = realloc(all->v, (all->n ? 2 * all->n : 1) * sizeof(*v))))
			return NULL;
		all->v = v;
	}
	v = &all->v[all->n++];
	memset(v, 0, sizeof(*v));
	memcpy(v->id, id, 12);
	return v;
}

static void
read_names(struct container_names *all, const struct folder *f)
{
	glob_t files;

	if (glob(f->files, 0, NULL, &files))
		return;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *path = files.gl_pathv[i], *text = file_text(path);
		struct container_name *c;

		for (int up = 0; up < f->up; up++)
			*strrchr(path, '/') = '\0';
		if (text && (c = name_of(all, strrchr(path, '/') + 1)))
			copy_value(f->pod ? c->pod : c->name,
			    f->pod ? sizeof(c->pod) : sizeof(c->name),
			    text, f->key);
		if (text && c && f->space)
			copy_value(c->space, sizeof(c->space), text, f->space);
		free(text);
	}
	globfree(&files);
}

void
container_names(struct container_names *all)
{
	*all = (struct container_names){ NULL, 0 };
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		read_names(all, &folders[i]);
}

const struct container_name *
container_named(const struct container_names *all, const char *id)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strncmp(all->v[i].id, id, 12))
			return &all->v[i];
	return NULL;
}

bool
container_root(char *path, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (f && !found && (m = getmntent(f)))
		if (strcmp(m->mnt_type, "cgroup2") == 0) {
			snprintf(path, size, "%s", m->mnt_dir);
			found = true;
		}
	if (f)
		endmntent(f);
	return found;
}
