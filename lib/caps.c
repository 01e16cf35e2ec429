/*
 * caps.c - see caps.h
 */
#include "caps.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CAP_PERFMON		/* Linux 5.8 */
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

static int
caps_get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capget, &h, data);
}

const char *
caps_missing(uint64_t wanted, char *buf, size_t size)
{
	static const struct { int cap; const char *name; } names[] = {
		{ CAP_BPF, "CAP_BPF" }, { CAP_PERFMON, "CAP_PERFMON" },
		{ CAP_SETUID, "CAP_SETUID" }, { CAP_SETGID, "CAP_SETGID" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" }, { CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
	};
	struct __user_cap_data_struct d[2] = { 0 };
	uint64_t have;
	size_t n = 0;

	buf[0] = '\0';
	caps_get(d);
	have = d[0].effective | (uint64_t)d[1].effective << 32;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (wanted & ~have & CAPS_BIT(names[i].cap) && n < size)
			n += snprintf(buf + n, size - n, "%s%s", n ? " and " : "", names[i].name);
	return buf;
}

void
caps_bound(uint64_t keep)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(keep & CAPS_BIT(cap)))
			prctl(PR_CAPBSET_DROP, cap);
}

int
caps_keep(uint64_t keep)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { 0 };

	if (caps_get(d))
		return -1;
	caps_bound(keep);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; i < 2; i++) {
		d[i].permitted &= (uint32_t)(keep >> 32 * i);
		d[i].effective &= d[i].permitted;
		d[i].inheritable = 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return syscall(SYS_capset, &h, d);
}

uid_t
caps_uid(void)
{
	enum { FIRST = 65184, COUNT = 300 };
	char lacks[64];

	if (geteuid() != 0 || *caps_missing(CAPS_BIT(CAP_SETUID) | CAPS_BIT(CAP_SETGID), lacks,
	    sizeof(lacks)))
		return 0;
	for (int i = 0; i < COUNT; i++) {
		uid_t uid = FIRST + (getpid() + i) % COUNT;

		if (!getpwuid(uid))
			return uid;
	}
	return 0;
}

int
caps_leave_root(uid_t uid)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { 0 };
	pid_t parent = getppid();
	int sig = 0;

	if (!uid)
		return 0;
	prctl(PR_GET_PDEATHSIG, &sig);
	if (caps_get(d) || prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) ||
	    setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid))
		return -1;
	if (syscall(SYS_capset, &h, d))
		return -1;
	/* becoming somebody else takes it off */
	if (sig && (prctl(PR_SET_PDEATHSIG, sig) || (getppid() != parent && raise(sig))))
		return -1;
	return 0;
}
