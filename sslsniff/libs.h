/*
 * libs.h - where TLS libraries are: on the host's disk, mapped by processes
 */
#ifndef LIBS_H
#define LIBS_H

#include <stdbool.h>
#include <stdint.h>

struct libs_file {
	int fd;			/* closed after the call */
	const char *path;	/* how it is called where it was found */
	int pid;		/* 0: found on the host's disk, not in a process */
	/* of a process: as /proc/PID/maps says it, not st_dev on some file systems */
	uint64_t ino;
	uint32_t major, minor;
};

typedef void libs_fn(void *arg, const struct libs_file *);

/* Whether a file is called as a TLS library is (libssl, libgnutls, libnspr4). */
bool libs_named(const char *path);

/* Every TLS library in the folders that the dynamic loader searches (ld.so(8), and
 * those of /etc/ld.so.conf). */
void libs_host(libs_fn *, void *arg);

/* Every file that a process maps to run it, once, from its own view of the file
 * system; all: else only TLS libraries by name (libssl, libgnutls, libnspr4). -1
 * when its maps cannot be read, with errno (ENOENT or ESRCH: it is gone). */
int libs_process(int pid, bool all, libs_fn *, void *arg);

#endif
