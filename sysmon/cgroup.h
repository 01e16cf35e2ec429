/*
 * cgroup.h - what the control groups of a process allow it, and what they use
 */
#ifndef CGROUP_H
#define CGROUP_H

struct jput;

/* Writes the object "cgroup" of a process: memory and its limit, the limit of CPU
 * time, pressure; from cgroup v2, and from the controllers memory and cpu of v1
 * where those are in use (Documentation/admin-guide/cgroup-v1 and -v2). What
 * cannot be read is left out. */
void cgroup_put(struct jput *, int pid);

/* Writes cpu_pressure_percent, memory_..., io_...: the share of the last ten seconds
 * in which something waited (PSI). The files are dir/cpu.pressure and so on, or
 * those of the host when dir is NULL. */
void cgroup_put_pressure(struct jput *, const char *dir);

#endif
