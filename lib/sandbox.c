/* sandbox.c - see sandbox.h */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* AddressSanitizer looks for leaks at the end: from a process that traces us. */
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZER = 1 };
#else
enum { SANITIZER = 0 };
#endif

/* What linux/landlock.h of Linux 6.1 does not have yet: landlock(7). */
enum {
	FS_REFER = 1 << 13, FS_TRUNCATE = 1 << 14, FS_IOCTL_DEV = 1 << 15,	/* ABI 2, 3, 5 */
	FS_FIRST = (1 << 13) - 1,
	FS_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	FS_WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE,
	FS_OF_FILES = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE,
	NET_BIND = 1, NET_CONNECT = 2,		/* ABI 4 */
	SCOPES = 3,				/* abstract sockets, signals: ABI 6 */
	RULE_PORT = 2,
};

struct ruleset {
	uint64_t fs, net, scoped;
};

struct port_rule {
	uint64_t allowed, port;
};

void
sandbox_init(struct sandbox *s, unsigned needs)
{
	*s = (struct sandbox){ .needs = needs };
}

/* --- which files --------------------------------------------------------------- */

void
sandbox_allow(struct sandbox *s, enum sandbox_path how, const char *path)
{
	int fd = s->n < SANDBOX_PATHS ? open(path, O_PATH | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	s->path[s->n].fd = fd;
	s->path[s->n++].write = how == SANDBOX_WRITE;
}

void
sandbox_allow_folder(struct sandbox *s, enum sandbox_path how, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (!slash)
		snprintf(folder, sizeof(folder), ".");
	else
		snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path),
		    path);
	sandbox_allow(s, how, folder);
}

void
sandbox_allow_network(struct sandbox *s)
{
	static const char *const always[] = {
		/* modules of the name service */
		"/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib",
		"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/run/nscd",
		"/var/run/nscd",
		"/usr/share/zoneinfo", "/dev/null", "/dev/urandom",
	};
	/* root may read more in /etc than what anybody may */
	static const char *const etc[] = {
		"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf",
		"/etc/gai.conf",
		"/etc/services", "/etc/protocols", "/etc/ld.so.cache", "/etc/localtime",
		"/etc/ca-certificates",
		"/etc/pki/tls", "/etc/pki/ca-trust", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
		"/etc/ssl/cert.pem",
	};

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		sandbox_allow(s, SANDBOX_READ, always[i]);
	/* a file that is replaced meanwhile, as /etc/resolv.conf when the network
	 * changes, is another file: only its folder covers it */
	if (geteuid() != 0)
		sandbox_allow(s, SANDBOX_READ, "/etc");
	else
		for (size_t i = 0; i < sizeof(etc) / sizeof(*etc); i++)
			sandbox_allow(s, SANDBOX_READ, etc[i]);
}

/* --- Landlock ------------------------------------------------------------------- */

static struct ruleset
ruleset_of(const struct sandbox *s, int abi)
{
	struct ruleset r = { .fs = FS_FIRST };

	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (abi >= 4)
		r.net = NET_BIND | (s->needs & SANDBOX_CONNECT ? 0 : NET_CONNECT);
	if (abi >= 6)
		r.scoped = SCOPES;
	return r;
}

static int
add_path(int ruleset, const struct ruleset *r, int fd, bool write)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	rule.allowed_access = (FS_READ | (write ? FS_WRITE : 0)) & r->fs;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILES;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int
add_port(int ruleset, const struct ruleset *r, unsigned port)
{
	struct port_rule rule = { NET_BIND, port };

	return r->net ? syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0) : 0;
}

/* 1: the kernel has none. */
static int
enter_landlock(const struct sandbox *s)
{
	int abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION),
	    fd, rc;
	struct ruleset r;

	if (abi < 1)
		return 1;
	r = ruleset_of(s, abi);
	fd = syscall(SYS_landlock_create_ruleset, &r, abi >= 6 ? sizeof(r) : abi >= 4 ? 16 : 8, 0);
	if (fd < 0)
		return -1;
	rc = s->needs & SANDBOX_SERVE ? add_port(fd, &r, s->port) : 0;
	for (size_t i = 0; !rc && i < s->n; i++)
		rc = add_path(fd, &r, s->path[i].fd, s->path[i].write);
	if (!rc && SANITIZER) {
		int proc = open("/proc", O_PATH | O_CLOEXEC);

		rc = proc < 0 ? 0 : add_path(fd, &r, proc, false);
		close(proc);
	}
	if (!rc)
		rc = syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return rc ? -1 : 0;
}

/* --- seccomp -------------------------------------------------------------------- */

#define CALLS(...) (const int[]){ __VA_ARGS__, -1 }

/* What every program does: open descriptors, memory, time, signals of its own, its end. */
static const int *const base = CALLS(
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
    SCMP_SYS(futex), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigsuspend), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(getpid), SCMP_SYS(gettid),
    SCMP_SYS(tgkill), SCMP_SYS(getrandom), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(rseq), SCMP_SYS(set_robust_list),
    SCMP_SYS(arch_prctl), SCMP_SYS(getcpu), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime));

/* Where they may lead Landlock says. */
static const int *const files = CALLS(
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(flock), SCMP_SYS(fchmod), SCMP_SYS(fchown),
    SCMP_SYS(umask), SCMP_SYS(fstatfs), SCMP_SYS(utimensat),
    SCMP_SYS(fadvise64), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(mkdir), SCMP_SYS(mkdirat));

static const int *const sockets = CALLS(
    SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmmsg), SCMP_SYS(shutdown), SCMP_SYS(sendfile), SCMP_SYS(select),
    SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(bind), SCMP_SYS(ioctl));

/* A collector reads /proc, attaches to what starts and lets go at the end. */
static const int *const collector = CALLS(
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(ioctl), SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2),
    SCMP_SYS(pipe2), SCMP_SYS(prlimit64), SCMP_SYS(prctl), SCMP_SYS(capget), SCMP_SYS(capset),
    SCMP_SYS(getppid), SCMP_SYS(statfs),
    SCMP_SYS(openat2));

static const int *const threads = CALLS(SCMP_SYS(prctl), SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler), SCMP_SYS(membarrier));

static const int *const children = CALLS(SCMP_SYS(clone), SCMP_SYS(fork), SCMP_SYS(vfork),
    SCMP_SYS(wait4),
    SCMP_SYS(waitid), SCMP_SYS(kill), SCMP_SYS(prctl), SCMP_SYS(capset), SCMP_SYS(capget),
    SCMP_SYS(setrlimit), SCMP_SYS(prlimit64), SCMP_SYS(seccomp), SCMP_SYS(close_range),
    SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setitimer),
    SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
    SCMP_SYS(landlock_restrict_self));

static const int *const sanitizer = CALLS(SCMP_SYS(ptrace), SCMP_SYS(clone), SCMP_SYS(wait4),
    SCMP_SYS(prctl),
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(readlink), SCMP_SYS(getdents), SCMP_SYS(prlimit64),
    SCMP_SYS(getdents64),
    SCMP_SYS(process_vm_readv), SCMP_SYS(pipe2), SCMP_SYS(sigaltstack), SCMP_SYS(getppid),
    SCMP_SYS(kill));

/* No version of any library has a use for these in a program that only works on what
 * it has open. */
static const int *const takeover = CALLS(
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(process_vm_writev), SCMP_SYS(mount),
    SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns), SCMP_SYS(unshare),
    SCMP_SYS(kexec_load), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(userfaultfd));

static int
add_calls(scmp_filter_ctx f, uint32_t action, const int *calls)
{
	int rc = 0;

	for (; !rc && *calls != -1; calls++)
		rc = seccomp_rule_add(f, action, *calls, 0);
	return rc;
}

/* Calls that depend on what they are given. */
static int
add_checked(scmp_filter_ctx f, unsigned needs)
{
	/* loads modules of the name service */
	bool code = needs & (SANDBOX_CONNECT | SANDBOX_BPF);
	static const int holding[] = { PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH };
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK };
	int rc;

	/* no page is made code, except by who loads libraries */
	rc = code ? seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 0) :
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc = rc ? rc : code ? seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 0) :
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* of terminals: whether it is one, and how wide */
	if (!rc && !(needs & (SANDBOX_CONNECT | SANDBOX_SERVE | SANDBOX_BPF))) {
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_EQ, TCGETS));
		rc = rc ? rc : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_EQ, TIOCGWINSZ));
		rc = rc ? rc : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_EQ, FIONREAD));
	}
	/* limits are read, not set */
	if (!rc && !(needs & (SANDBOX_CHILDREN | SANDBOX_BPF)) && !SANITIZER)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
		    SCMP_A2(SCMP_CMP_EQ, 0));
	if (!rc && needs & SANDBOX_THREADS && !(needs & SANDBOX_CHILDREN) && !SANITIZER)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	for (size_t i = 0; !rc && needs & SANDBOX_HOLD && i < sizeof(holding) / sizeof(*holding);
	    i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ptrace), 1,
		    SCMP_A0(SCMP_CMP_EQ, holding[i]));
	for (size_t i = 0; !rc && needs & (SANDBOX_CONNECT | SANDBOX_SERVE) &&
	    i < sizeof(families) / sizeof(*families); i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_EQ, families[i]));
	return rc;
}

static int
add_rules(scmp_filter_ctx f, unsigned needs)
{
	int rc = add_calls(f, SCMP_ACT_ALLOW, base);

	/* the C library knows what to do without it; its flags are in memory, out of sight */
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!rc)
		rc = add_checked(f, needs);
	if (!rc && needs & (SANDBOX_FILES | SANDBOX_BPF | SANDBOX_CONNECT | SANDBOX_SERVE))
		rc = add_calls(f, SCMP_ACT_ALLOW, files);
	if (!rc && needs & (SANDBOX_CONNECT | SANDBOX_SERVE))
		rc = add_calls(f, SCMP_ACT_ALLOW, sockets);
	if (!rc && needs & SANDBOX_CONNECT)
		rc = add_calls(f, SCMP_ACT_ALLOW, CALLS(SCMP_SYS(connect), SCMP_SYS(socketpair)));
	if (!rc && needs & SANDBOX_SERVE)
		rc = add_calls(f, SCMP_ACT_ALLOW,
		    CALLS(SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4)));
	if (!rc && needs & SANDBOX_RECEIVE)
		rc = add_calls(f, SCMP_ACT_ALLOW, CALLS(SCMP_SYS(recvfrom), SCMP_SYS(sendto)));
	if (!rc && needs & SANDBOX_BPF)
		rc = add_calls(f, SCMP_ACT_ALLOW, collector);
	if (!rc && needs & SANDBOX_THREADS)
		rc = add_calls(f, SCMP_ACT_ALLOW, threads);
	if (!rc && needs & SANDBOX_CHILDREN)
		rc = add_calls(f, SCMP_ACT_ALLOW, children);
	if (!rc && needs & SANDBOX_HOLD)
		rc = add_calls(f, SCMP_ACT_ALLOW, CALLS(SCMP_SYS(setpriority)));
	if (!rc && needs & SANDBOX_WATCH)
		rc = add_calls(f, SCMP_ACT_ALLOW, CALLS(SCMP_SYS(pidfd_open), SCMP_SYS(getppid)));
	if (!rc && SANITIZER)
		rc = add_calls(f, SCMP_ACT_ALLOW, sanitizer);
	return rc ? rc : add_calls(f, SCMP_ACT_KILL_PROCESS, takeover);
}

static int
enter_seccomp(unsigned needs)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = f ? add_rules(f, needs) : -ENOMEM;

	if (!rc)
		rc = seccomp_load(f);
	seccomp_release(f);
	if (rc)
		errno = -rc;
	return rc ? -1 : 0;
}

int
sandbox_enter(struct sandbox *s)
{
	int rc, e;

	tzset();	/* reads a file the first time */
	if (s->needs & SANDBOX_FILES)
		/* takes the place of standard input */
		sandbox_allow(s, SANDBOX_WRITE, "/dev/null");
	rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!rc && !SANITIZER)
		rc = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!rc && !(s->needs & (SANDBOX_BPF | SANDBOX_PEERS)))
		rc = enter_landlock(s);
	e = errno;
	while (s->n)
		close(s->path[--s->n].fd);
	errno = e;
	if (rc < 0 || enter_seccomp(s->needs))
		return -1;
	return rc;
}
