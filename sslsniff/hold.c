/*
 * hold.c - see hold.h
 */
#include "hold.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"

enum {
	/* to stop takes some 50 us, and longer where a processor or a page from disk is waited
	 * for: meanwhile it does nothing, so waiting for it costs it nothing */
	STOP_NS = 500000000,
	LEAVE_NS = 20000000,	/* then hold_tidy comes back to it */
	NAP_NS = 50000,
};

enum state { RUNS, STOPPED, ENDED };

/* What a process that we have seized does; *sig: what it was to be told when it stopped,
 * 0 for our own interrupt. One that ended is a zombie until we have asked. */
static enum state
look(int pid, int *sig)
{
	int status;
	pid_t got = waitpid(pid, &status, __WALL | WNOHANG);

	if (got == 0 || (got < 0 && errno == EINTR))
		return RUNS;
	if (got < 0 || !WIFSTOPPED(status))
		return ENDED;
	*sig = status >> 16 ? 0 : WSTOPSIG(status);
	return STOPPED;
}

static enum state
wait_stop(int pid, uint64_t ns, int *sig)
{
	uint64_t end = clock_boot() + ns;
	enum state now;

	while ((now = look(pid, sig)) == RUNS && clock_boot() < end)
		nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
	return now;
}

static bool
count_thread(void *arg, int tid)
{
	(void)tid;
	return ++*(int *)arg > 1;
}

static bool
has_threads(int pid)
{
	int n = 0;

	return proc_each_thread(pid, count_thread, &n);
}

/* To hold_tidy. */
static void
leave(struct hold *h, int pid)
{
	for (int i = 0; i < HOLD_LEFT; i++)
		if (!h->left[i]) {
			h->left[i] = pid;
			return;
		}
}

/* Waits, a little, until it can be let go. */
static void
let_go(struct hold *h, int pid)
{
	int sig = 0;
	enum state now = wait_stop(pid, LEAVE_NS, &sig);

	if (now == STOPPED)
		ptrace(PTRACE_DETACH, pid, NULL, sig);
	else if (now == RUNS)
		leave(h, pid);
}

static bool
has_room(struct hold *h)
{
	bool room;

	pthread_mutex_lock(&h->lock);
	room = h->n < HOLD_REPORTS;
	pthread_mutex_unlock(&h->lock);
	return room;
}

static void
identify(struct held *now, int pid)
{
	struct record *who = &now->who;
	struct proc_stat st;

	memset(who, 0, sizeof(*who));
	who->pid = who->tid = pid;
	who->time = clock_boot();
	who->uid = proc_uid(pid);
	who->ns_pid = proc_ns_pid(pid);
	if (!proc_stat(pid, &st)) {
		who->born = st.start * (1000000000 / sysconf(_SC_CLK_TCK));
		memcpy(who->comm, st.comm, sizeof(who->comm));
		memcpy(who->thread, st.comm, sizeof(who->thread));
	}
	if (!proc_link(pid, "exe", now->path, sizeof(now->path)))
		now->path[0] = '\0';
}

bool
hold_open(struct hold *h)
{
	pthread_mutex_init(&h->lock, NULL);
	h->reports = calloc(HOLD_REPORTS, sizeof(*h->reports));
	return h->reports != NULL;
}

bool
hold_begin(struct hold *h, int pid)
{
	int sig = 0;

	if (!has_room(h) || ptrace(PTRACE_SEIZE, pid, NULL, 0))
		return false;
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	switch (wait_stop(pid, STOP_NS, &sig)) {
	case ENDED:
		return false;
	case RUNS:
		leave(h, pid);
		return false;
	case STOPPED:
		break;
	}
	if (!sig && !has_threads(pid)) {
		identify(&h->now, pid);
		return true;
	}
	ptrace(PTRACE_DETACH, pid, NULL, sig);
	return false;
}

int
hold_rest_ms(const struct hold *h)
{
	int64_t rest = HOLD_MAX_MS - (int64_t)((clock_boot() - h->now.who.time) / 1000000);

	return rest > 0 ? rest : 0;
}

void
hold_end(struct hold *h, bool attached)
{
	int pid = h->now.who.pid;

	/* stopped since we looked: it can be let go, unless it was killed */
	if (ptrace(PTRACE_DETACH, pid, NULL, 0))
		let_go(h, pid);
	h->now.ns = clock_boot() - h->now.who.time;
	h->now.attached = attached;
	pthread_mutex_lock(&h->lock);
	h->reports[h->n++] = h->now;
	pthread_mutex_unlock(&h->lock);
	h->now.who.pid = 0;
}

bool
hold_report(struct hold *h, struct held *to)
{
	bool some;

	pthread_mutex_lock(&h->lock);
	some = h->n > 0;
	if (some) {
		*to = h->reports[0];
		memmove(h->reports, h->reports + 1, --h->n * sizeof(*h->reports));
	}
	pthread_mutex_unlock(&h->lock);
	return some;
}

bool
hold_tidy(struct hold *h)
{
	bool some = false;

	for (int i = 0; i < HOLD_LEFT; i++) {
		int sig = 0, pid = h->left[i];
		enum state now = pid ? look(pid, &sig) : ENDED;

		if (now == STOPPED)
			ptrace(PTRACE_DETACH, pid, NULL, sig);
		if (now == RUNS)
			some = true;
		else
			h->left[i] = 0;
	}
	return some;
}
