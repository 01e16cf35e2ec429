/*
 * container.h - the processes of a container that is named docker://NAME
 */
#ifndef CONTAINER_H
#define CONTAINER_H

/* The part of docker://NAME or docker:NAME behind the scheme; NULL: no such
 * thing, but a path. */
const char *container_name(const char *arg);

/* The pid (host's numbering) of a container's first process, by asking docker,
 * podman or crictl, the first that is installed and knows it. -1, and *why (static)
 * says what is wrong. */
int container_pid(const char *name, const char **why);

#endif
