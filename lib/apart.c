/*
 * apart.c - see apart.h; the file's header as in elf(5)
 */
#include "apart.h"

#include <elf.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "sandbox.h"

enum { SEGMENTS = 64 };

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* --- the child --------------------------------------------------------------------- */

void
apart_say(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n) {
		ssize_t k = write(fd, s, n);

		if (k <= 0)
			_exit(1);
		s += k;
		n -= k;
	}
}

/* Nothing but the two and standard error stays open. */
static void
keep_open(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

static int
limit(int what, rlim_t n)
{
	return setrlimit(what, &(struct rlimit){ n, n });
}

/* Gives up all that it can. Its time begins here. */
static bool
confine(uid_t uid)
{
	const struct itimerval second = { .it_value.tv_sec = APART_CPU_S };
	struct sandbox box;

	if (uid && geteuid() == 0 && (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid)))
		return false;
	if (caps_keep(0) || limit(RLIMIT_DATA, APART_DATA) || limit(RLIMIT_CORE, 0) ||
	    limit(RLIMIT_FSIZE, 0) ||
	    limit(RLIMIT_NPROC, 0))
		return false;
	sandbox_init(&box, 0);
	if (setitimer(ITIMER_PROF, &second, NULL))
		return false;
	return sandbox_enter(&box) >= 0;
}

static _Noreturn void
be_child(int fd, int to, apart_fn *fn, uid_t uid)
{
	sigset_t none;

	keep_open(fd, to);
	sigemptyset(&none);
	signal(SIGPROF, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!confine(uid))
		_exit(1);
	fn(fd, to);
	_exit(0);
}

/* --- the parent -------------------------------------------------------------------- */

int
apart_begin(struct apart *a, int fd, apart_fn *fn, size_t max, uid_t uid)
{
	int p[2];

	*a = (struct apart){ .from = -1, .max = max };
	if (!(a->said = malloc(max + 1)))
		return -1;
	if (pipe2(p, O_CLOEXEC) == 0) {
		a->until_ms = now_ms() + APART_WALL_MS;
		a->pid = fork();
		if (a->pid == 0)
			be_child(fd, p[1], fn, uid);
		close(p[1]);
		a->from = p[0];
		if (a->pid > 0)
			return 0;
		close(p[0]);
	}
	apart_free(a);
	return -1;
}

bool
apart_wait(struct apart *a, int ms)
{
	uint64_t end = ms < 0 ? UINT64_MAX : now_ms() + ms, now;
	ssize_t n = 1;

	while (n > 0 && a->n <= a->max) {
		struct pollfd f = { .fd = a->from, .events = POLLIN };

		now = now_ms();
		if (now >= a->until_ms)
			return true;
		if (now >= end)
			return false;
		if (poll(&f, 1, (int)((end < a->until_ms ? end : a->until_ms) - now)) <= 0)
			continue;
		n = read(a->from, a->said + a->n, a->max + 1 - a->n);
		a->n += n > 0 ? n : 0;
	}
	return true;
}

const char *
apart_end(struct apart *a)
{
	bool late = now_ms() >= a->until_ms;
	int status = 0;

	close(a->from);
	kill(a->pid, late ? SIGKILL : 0);
	while (waitpid(a->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
		return "not looked at to the end: it takes more than 1 s of processor time";
	if (WIFSIGNALED(status) && late)
		return "not looked at to the end: it cannot be read within 60 s";
	if (WIFSIGNALED(status))
		return "not looked at to the end: the process that did so was ended by a signal";
	if (status || a->n > a->max)
		return "not looked at: the process that is to do so did not";
	return NULL;
}

void
apart_free(struct apart *a)
{
	free(a->said);
	a->said = NULL;
}

/* --- what the parent sees itself ---------------------------------------------------- */

static size_t
read_headers(int fd, Elf64_Phdr ph[SEGMENTS])
{
	Elf64_Ehdr eh;

	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_phentsize != sizeof(*ph) ||
	    eh.e_phnum > SEGMENTS ||
	    pread(fd, ph, eh.e_phnum * sizeof(*ph),
	    eh.e_phoff) != (ssize_t)(eh.e_phnum * sizeof(*ph)))
		return 0;
	return eh.e_phnum;
}

bool
apart_is_run(int fd, uint64_t off, const uint64_t *va)
{
	Elf64_Phdr ph[SEGMENTS];
	size_t n = read_headers(fd, ph);

	for (size_t i = 0; i < n; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_X && off >= ph[i].p_offset &&
		    off - ph[i].p_offset < ph[i].p_filesz)
			return !va || *va - ph[i].p_vaddr == off - ph[i].p_offset;
	return false;
}
