/*
 * container.c - see container.h
 */
#include "container.h"

#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MAX = 4 << 20 };

extern char **environ;

const char *
container_name(const char *arg)
{
	if (strncmp(arg, "docker:", 7))
		return NULL;
	arg += 7;
	return strncmp(arg, "//", 2) ? arg : arg + 2;
}

/* Reads all of fd, NUL-terminated; NULL: too much. */
static char *
read_response(int fd)
{
	char *buf = malloc(ANSWER_MAX);
	size_t n = 0;
	ssize_t got;

	while (buf && n < ANSWER_MAX - 1 && (got = read(fd, buf + n, ANSWER_MAX - 1 - n)) > 0)
		n += got;
	if (buf)
		buf[n] = '\0';
	return buf;
}

/* What a program writes; NULL when it cannot be run or fails. *ran: it is there. */
static char *
query(char *const argv[], bool *ran)
{
	posix_spawn_file_actions_t acts;
	char *response = NULL;
	int p[2], status = -1;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC))
		return NULL;
	posix_spawn_file_actions_init(&acts);
	posix_spawn_file_actions_adddup2(&acts, p[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&acts, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &acts, NULL, argv, environ) == 0) {
		*ran = true;
		close(p[1]);
		p[1] = -1;
		response = read_response(p[0]);
		waitpid(pid, &status, 0);
	}
	posix_spawn_file_actions_destroy(&acts);
	close(p[0]);
	if (p[1] >= 0)
		close(p[1]);
	if (status == 0)
		return response;
	free(response);
	return NULL;
}

/* crictl inspect: .info.pid, in older ones .status.pid. */
static int
pid_of_json(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);
	json_t *pid = json_object_get(json_object_get(root, "info"), "pid");
	int found;

	if (!json_is_integer(pid))
		pid = json_object_get(json_object_get(root, "status"), "pid");
	found = json_is_integer(pid) ? json_integer_value(pid) : -1;
	json_decref(root);
	return found;
}

int
container_pid(const char *name, const char **why)
{
	char *docker[] = { "docker", "inspect", "--format", "{{.State.Pid}}", "--", (char *)name,
	    NULL };
	char *podman[] = { "podman", "inspect", "--format", "{{.State.Pid}}", "--", (char *)name,
	    NULL };
	char *crictl[] = { "crictl", "inspect", (char *)name, NULL };
	char **const runtimes[] = { docker, podman, crictl };
	bool any = false;
	int pid = -1;

	if (!*name || *name == '-' || strchr(name, '/')) {
		*why = "not the name of a container";
		return -1;
	}
	for (size_t i = 0; i < 3 && pid < 0; i++) {
		char *response = query(runtimes[i], &any);

		if (response)
			pid = runtimes[i] == crictl ? pid_of_json(response) : atoi(response);
		free(response);
	}
	if (pid > 0)
		return pid;
	*why = pid == 0 ? "the container is not running" : any ?
	    "no container of this name is known (docker, podman and crictl were asked, as "
	    "far as they are installed)" :
	    "needs docker, podman or crictl, and none is installed";
	return -1;
}
