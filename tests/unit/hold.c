/* hold.c - programs that are held: they stop, go on, and may be killed, stopped or traced meanwhile */
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "sslsniff/hold.h"
#include "tap.h"

static struct hold hold;
static int alive[2];		/* what a child writes to while it runs */

static void *
sleep_on(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

/* A child that says at every signal that it runs; threads: it has two. */
static int
begin(bool threads)
{
	char byte;
	int pid = fork();

	if (pid == 0) {
		pthread_t t;
		sigset_t usr1;
		int sig;

		sigemptyset(&usr1);
		sigaddset(&usr1, SIGUSR1);
		sigprocmask(SIG_BLOCK, &usr1, NULL);
		if (threads)
			pthread_create(&t, NULL, sleep_on, NULL);
		while (write(alive[1], "", 1) == 1 && !sigwait(&usr1, &sig))
			;
		_exit(1);
	}
	return read(alive[0], &byte, 1) == 1 ? pid : -1;
}

/* Whether it does something when told to: at once, or not at all. */
static bool
answers(int pid)
{
	struct timeval second = { .tv_sec = 20 };
	fd_set set;
	char byte;

	kill(pid, SIGUSR1);
	FD_ZERO(&set);
	FD_SET(alive[0], &set);
	return select(alive[0] + 1, &set, NULL, NULL, &second) == 1 &&
	    read(alive[0], &byte, 1) == 1;
}

static char
state(int pid)
{
	char name[64], text[512] = "", *end;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	if ((f = fopen(name, "r"))) {
		text[fread(text, 1, sizeof(text) - 1, f)] = 0;
		fclose(f);
	}
	end = strrchr(text, ')');
	return end ? end[2] : 0;
}

static void
wait_state(int pid, char what)
{
	while (state(pid) != what)
		usleep(1000);
}

static int
end(int pid)
{
	int status = 0;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

static void
hold_and_let_go(void)
{
	struct held held;
	int pid = begin(false);

	ok(hold_begin(&hold, pid), "a process is held");
	ok(state(pid) == 't', "it is stopped");
	ok(hold_rest_ms(&hold) > 0, "for a while");
	hold_end(&hold, true);
	ok(answers(pid), "and goes on");
	ok(hold_report(&hold, &held) && (int)held.who.pid == pid && held.attached && held.ns &&
	    held.path[0],
	    "which is reported");
	ok(!hold_report(&hold, &held), "once");
	end(pid);
}

static void
killed_meanwhile(void)
{
	int status, pid = 0, to[2], parent = pipe(to) ? -1 : fork();
	struct held held;

	if (parent == 0) {
		pid = begin(false);
		_exit(write(to[1], &pid, sizeof(pid)) != sizeof(pid) ||
		    waitpid(pid, &status, 0) != pid ||
		    !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL);
	}
	ok(read(to[0], &pid, sizeof(pid)) == sizeof(pid) &&
	    hold_begin(&hold, pid), "a process of somebody else");
	kill(pid, SIGKILL);
	hold_end(&hold, true);
	ok(waitpid(parent, &status, 0) == parent &&
	    status == 0, "killed while it is held: its parent is told");
	hold_report(&hold, &held);
}

static void
signalled_meanwhile(void)
{
	int status, pid = begin(false);
	struct held held;

	hold_begin(&hold, pid);
	kill(pid, SIGTERM);
	hold_end(&hold, true);
	ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM,
	    "a signal that ends it waits until it is let go");
	pid = begin(false);
	hold_begin(&hold, pid);
	kill(pid, SIGSTOP);
	hold_end(&hold, true);
	ok(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "a stop, too");
	kill(pid, SIGCONT);
	ok(answers(pid), "and it can be continued");
	end(pid);
	while (hold_report(&hold, &held))
		;
}

static void
not_held(void)
{
	int pid = begin(true), tracer;

	ok(!hold_begin(&hold, pid) && answers(pid), "a process with threads is not held");
	end(pid);
	pid = begin(false);
	if ((tracer = fork()) == 0) {
		ptrace(PTRACE_SEIZE, pid, NULL, 0);
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	wait_state(tracer, 'T');
	ok(!hold_begin(&hold, pid) && answers(pid), "nor one that somebody traces");
	end(tracer);
	end(pid);
	pid = begin(false);
	end(pid);
	ok(!hold_begin(&hold, pid), "nor one that has ended");
}

/* Whoever holds it dies. */
static void
holder_dies(void)
{
	int pid = begin(false), holder = fork();

	if (holder == 0) {
		hold_begin(&hold, pid);
		kill(getpid(), SIGKILL);
	}
	waitpid(holder, NULL, 0);
	ok(answers(pid), "when the holder is killed it goes on");
	end(pid);
}

int
main(void)
{
	if (pipe(alive) || !hold_open(&hold))
		return 1;
	hold_and_let_go();
	killed_meanwhile();
	signalled_meanwhile();
	not_held();
	holder_dies();
	ok(!hold_tidy(&hold), "nobody is left");
	free(hold.reports);
	return done();
}
