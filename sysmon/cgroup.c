/* cgroup.c - see cgroup.h */
#include "cgroup.h"

#include "jput.h"
#include "proc.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIR_MAX = 4200 };

/* The line of a small file; false when it cannot be read. */
static bool
read_line(const char *dir, const char *name, char *buf, int size)
{
	char path[DIR_MAX + 64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	ok = f && fgets(buf, size, f);
	if (f)
		fclose(f);
	return ok;
}

/* "max", and the largest number of pages that there is, mean no limit. */
static void
put_bytes(struct jput *j, const char *key, const char *dir, const char *name)
{
	char buf[64];

	if (read_line(dir, name, buf, sizeof(buf)) && *buf >= '0' && *buf <= '9' &&
	    strtoull(buf, NULL, 10) < INT64_MAX / 4096 * 4096)
		jput_uint(j, key, strtoull(buf, NULL, 10));
}

static void
put_cpu_max(struct jput *j, uint64_t quota, uint64_t period)
{
	if (period)
		jput_real(j, "cpu_max_percent", 100.0 * quota / period);
}

void
cgroup_put_pressure(struct jput *j, const char *dir)
{
	static const char *const names[] = { "cpu", "memory", "io" };
	char file[32], key[32], buf[128];
	double share;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(file, sizeof(file), dir ? "%s.pressure" : "%s", names[i]);
		snprintf(key, sizeof(key), "%s_pressure_percent", names[i]);
		if (read_line(dir ? dir : "/proc/pressure", file, buf, sizeof(buf)) &&
		    sscanf(buf, "some avg10=%lf", &share) == 1)
			jput_real(j, key, share);
	}
}

/* The directory of a cgroup; false: it is not there. */
static bool
find_dir(char dir[DIR_MAX], const char *root, const char *path)
{
	snprintf(dir, DIR_MAX, "%s%s", root, path);
	return access(dir, F_OK) == 0;
}

static void
put_v2(struct jput *j, const char *path)
{
	char dir[DIR_MAX], buf[64];
	uint64_t quota, period;

	jput_bytes(j, "path", path, strlen(path));
	/* the second where v1 is in use, too */
	if (!find_dir(dir, "/sys/fs/cgroup/unified", path) &&
	    !find_dir(dir, "/sys/fs/cgroup", path))
		return;
	put_bytes(j, "memory_bytes", dir, "memory.current");
	put_bytes(j, "memory_max_bytes", dir, "memory.max");
	if (read_line(dir, "cpu.max", buf, sizeof(buf)) &&
	    sscanf(buf, "%" SCNu64 " %" SCNu64, &quota, &period) == 2)
		put_cpu_max(j, quota, period);
	cgroup_put_pressure(j, dir);
}

static void
put_v1(struct jput *j, int pid)
{
	char path[4096], dir[DIR_MAX], quota[64], period[64];

	if (proc_cgroup(pid, "memory", path, sizeof(path)) &&
	    find_dir(dir, "/sys/fs/cgroup/memory", path)) {
		put_bytes(j, "memory_bytes", dir, "memory.usage_in_bytes");
		put_bytes(j, "memory_max_bytes", dir, "memory.limit_in_bytes");
	}
	if (proc_cgroup(pid, "cpu", path, sizeof(path)) &&
	    find_dir(dir, "/sys/fs/cgroup/cpu", path) &&
	    read_line(dir, "cpu.cfs_quota_us", quota, sizeof(quota)) && *quota != '-' &&
	    read_line(dir, "cpu.cfs_period_us", period, sizeof(period)))
		put_cpu_max(j, strtoull(quota, NULL, 10), strtoull(period, NULL, 10));
}

void
cgroup_put(struct jput *j, int pid)
{
	char path[4096];

	if (!proc_cgroup(pid, "", path, sizeof(path)))
		return;
	jput_object(j, "cgroup");
	put_v2(j, path);
	put_v1(j, pid);
	jput_object_end(j);
}
