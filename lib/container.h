/*
 * container.h - from what people call a container to its cgroup
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

enum { CONTAINER_PATH = 1024 };

/* Finds running containers by how their id begins (4 digits or more), by their name, or
 * by that of their pod, as docker, podman, containerd (nerdctl, Kubernetes) and cri-o
 * have them in their files; those that do not belong to root are not read. Calls fn with
 * the cgroup of each, as a path below the root of cgroup v2. How many there were. */
typedef void container_fn(void *arg, const char *path);
size_t container_find(const char *wanted, container_fn *, void *arg);

/* What a container is called, and its pod; empty: not known. */
struct container_name {
	char id[13];		/* how its id begins */
	char name[128], pod[254], space[64];
};

struct container_names {
	struct container_name *v;
	size_t n;
};

/* Reads what root's files of the same runtimes say of containers. No more than 1024. */
void container_names(struct container_names *);
/* Of the container whose id begins with these 12 digits; NULL: it is not among them. */
const struct container_name *container_named(const struct container_names *, const char *id);

/* Where cgroup v2 is mounted; false: nowhere. */
bool container_root(char *path, size_t size);

#endif
