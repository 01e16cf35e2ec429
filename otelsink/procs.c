/* procs.c - processes and their parents; see procs.h */
#include "otelsink/procs.h"

#include "lib/flow.h"
#include "otelsink/observed.h"

#include <stdlib.h>
#include <string.h>

struct procs {
	struct flow_table *by_pid;	/* entries are struct proc * */
	struct proc *oldest, *newest;	/* ended, in order */
	void (*out)(void *arg, struct proc *);
	void *arg;
	uint64_t evicted;
	struct budget *budget;
};

struct proc *
proc_ref(struct proc *p)
{
	if (p)
		p->refs++;
	return p;
}

/* The chain of parents is let go of in a loop: it may be long. */
void
proc_unref(struct proc *p)
{
	while (p && --p->refs == 0) {
		struct proc *up = p->up;

		observed_unref(p->observed);
		budget_free(p->path);
		budget_free(p->argv);
		budget_free(p->cwd);
		free(p);
		p = up;
	}
}

static void
ended_unlink(struct procs *t, struct proc *p)
{
	if (!p->older && !p->newer && t->oldest != p)
		return;
	*(p->newer ? &p->newer->older : &t->newest) = p->older;
	*(p->older ? &p->older->newer : &t->oldest) = p->newer;
	p->older = p->newer = NULL;
}

static void
ended_link(struct procs *t, struct proc *p)
{
	ended_unlink(t, p);
	p->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = p;
	t->newest = p;
}

static void
finish(void *arg, void *entry, enum flow_why why)
{
	struct procs *t = arg;
	struct proc *p = *(struct proc **)entry;

	if (!p)
		return;
	t->evicted += why == FLOW_FULL;
	ended_unlink(t, p);
	t->out(t->arg, p);
	proc_unref(p);
}

struct procs *
procs_new(size_t max, struct budget *budget, void (*out)(void *, struct proc *), void *arg)
{
	struct procs *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->budget = budget;
	t->out = out;
	t->arg = arg;
	if (!(t->by_pid = flow_new(sizeof(struct proc *), max, SIZE_MAX, finish, t))) {
		free(t);
		return NULL;
	}
	return t;
}

void
procs_free(struct procs *t)
{
	if (!t)
		return;
	flow_free(t->by_pid);
	free(t);
}

struct proc *
procs_find(struct procs *t, uint32_t pid, uint64_t now)
{
	struct proc **entry = flow_find(t->by_pid, &pid, sizeof(pid), now);

	return entry ? *entry : NULL;
}

struct proc *
procs_get(struct procs *t, uint32_t pid, uint64_t now)
{
	struct proc **entry = flow_get(t->by_pid, &pid, sizeof(pid), now);
	struct proc *p;

	if (!entry || *entry)
		return entry ? *entry : NULL;
	if (!(p = calloc(1, sizeof(*p)))) {
		flow_drop(t->by_pid, entry, FLOW_ERROR);
		return NULL;
	}
	p->refs = 1;
	p->pid = pid;
	p->exit_code = p->signal = -1;
	return *entry = p;
}

static void
forget(struct procs *t, uint32_t pid, uint64_t now)
{
	struct proc **entry = flow_find(t->by_pid, &pid, sizeof(pid), now);

	if (entry)
		flow_drop(t->by_pid, entry, FLOW_END);
}

void
procs_fork(struct procs *t, struct event *ev)
{
	uint64_t now = event_time(ev), pid, child;
	struct proc *up, *p;

	if (!event_u64(ev, "pid", &pid) || !event_u64(ev, "child_pid", &child) || pid == child)
		return;
	if ((p = procs_find(t, child, now)) && !p->end_ns && p->up && p->up->pid == pid &&
	    !p->executed)
		return;		/* the same again */
	if (p)
		forget(t, child, now);	/* the number is used again */
	if (!(up = proc_ref(procs_get(t, pid, now))))
		return;
	if ((p = procs_get(t, child, now)) && !p->up)
		p->up = proc_ref(up);
	proc_unref(up);
}

static void
set_text(struct procs *t, char **to, struct event *ev, const char *key)
{
	size_t n;
	const char *s = event_bytes(ev, key, &n);

	if (!s)
		return;
	s = text_clean(&ev->arena, s, &n);
	budget_free(*to);
	*to = budget_copy(t->budget, s, n);
}

struct proc *
procs_exec(struct procs *t, struct event *ev, bool *first)
{
	uint64_t now = event_time(ev), pid, ppid;
	struct value argv = event_get(ev, "argv");
	struct proc *p, *up;

	if (!event_u64(ev, "pid", &pid))
		return NULL;
	if ((p = procs_find(t, pid, now)) && p->end_ns)
		forget(t, pid, now);
	if (!(p = procs_get(t, pid, now)))
		return NULL;
	if (!p->up && event_u64(ev, "ppid", &ppid) && ppid && ppid != pid) {
		proc_ref(p);	/* making room for the parent must not take the child */
		up = procs_get(t, ppid, now);
		p->up = proc_ref(up);
		proc_unref(p);
		if ((p = procs_find(t, pid, now)) == NULL)
			return NULL;
	}
	*first = !p->executed;
	p->executed = true;
	if (*first)
		p->start_ns = now;
	set_text(t, &p->path, ev, "filename");
	set_text(t, &p->path, ev, "exe");
	set_text(t, &p->cwd, ev, "cwd");
	budget_free(p->argv);
	p->argv = budget_copy(t->budget, argv.p, argv.n);
	return p;
}

struct proc *
procs_exit(struct procs *t, struct event *ev)
{
	uint64_t pid;
	struct proc *p;

	if (!event_u64(ev, "pid", &pid) || !(p = procs_find(t, pid, event_time(ev))) || p->end_ns)
		return NULL;
	p->end_ns = event_time(ev);
	event_i64(ev, "exit_code", &p->exit_code);
	event_i64(ev, "signal", &p->signal);
	ended_link(t, p);
	return p;
}

void
procs_expire(struct procs *t, uint64_t before_ns)
{
	while (t->oldest && t->oldest->end_ns < before_ns) {
		uint32_t pid = t->oldest->pid;
		struct proc *p = t->oldest;

		forget(t, pid, 0);
		if (t->oldest == p)	/* its number belongs to another by now: cannot happen */
			ended_unlink(t, p);
	}
}

uint64_t
procs_evicted(const struct procs *t)
{
	return t->evicted;
}
