/*
 * blame.c - see blame.h
 */
#include "blame.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"

int
blame_open(struct blame *b, int fd)
{
	memset(b, 0, sizeof(*b));
	b->fd = fd;
	b->by = calloc(BLAME_PROCESSES, sizeof(*b->by));
	return b->by ? 0 : -1;
}

void
blame_close(struct blame *b)
{
	free(b->by);
	b->by = NULL;
}

/* The entry of a process; NULL: there are too many. */
static struct blame_entry *
entry(struct blame *b, const struct loser *l)
{
	uint32_t at = (l->pid * 2654435761u ^ l->what * 40503u) % BLAME_PROCESSES;

	for (; b->by[at].pid; at = (at + 1) % BLAME_PROCESSES)
		if (b->by[at].pid == l->pid && b->by[at].what == l->what)
			return &b->by[at];
	if (b->n == BLAME_PROCESSES / 2)
		return NULL;
	b->n++;
	b->by[at].pid = l->pid;
	b->by[at].what = l->what;
	return &b->by[at];
}

static void
take(struct blame *b, const struct loser *l, uint64_t events)
{
	/* ours: what is swept up for another process */
	struct blame_entry *e = l->pid == (uint32_t)getpid() ? NULL : entry(b, l);

	if (e)
		e->now += events;
	else
		b->nobody[l->what] += events;
}

static void
keep_most(struct loss_who *w, uint32_t pid, uint64_t events)
{
	if (events > w->events)
		*w = (struct loss_who){ .pid = pid, .events = events };
}

/* Not who may have lost less than another, of whom nothing is known. */
static void
finish(struct loss_who *w, uint64_t nobody, const struct loss_who *before)
{
	struct proc_stat st;

	if (w->events < nobody)
		*w = (struct loss_who){ 0 };
	if (!w->pid)
		return;
	if (before && before->pid == w->pid)
		memcpy(w->comm, before->comm, sizeof(w->comm));
	if (!w->comm[0] && proc_stat(w->pid, &st) == 0)
		memcpy(w->comm, st.comm, sizeof(w->comm));
}

void
blame_take(struct blame *b, const struct counts *c, struct loss_who now[COUNT_MAX])
{
	struct loss_who all[COUNT_MAX] = { 0 };
	struct loser l;
	uint64_t n;

	memset(now, 0, COUNT_MAX * sizeof(*now));
	memset(b->nobody, 0, sizeof(b->nobody));
	/* those that lose meanwhile come again, but not for ever */
	for (int i = 0; i < BLAME_PROCESSES && bpf_map_get_next_key(b->fd, NULL, &l) == 0; i++)
		if (bpf_map_lookup_and_delete_elem(b->fd, &l, &n) == 0 && l.what < COUNT_MAX)
			take(b, &l, n);
	for (int i = 0; i < BLAME_PROCESSES; i++) {
		struct blame_entry *e = &b->by[i];

		if (!e->pid)
			continue;
		e->all += e->now;
		keep_most(&now[e->what], e->pid, e->now);
		keep_most(&all[e->what], e->pid, e->all);
		e->now = 0;
	}
	for (int i = 0; i < COUNT_MAX; i++) {
		uint64_t more = b->nobody[i] + c->nobody[i] - b->kernel[i];

		b->kernel[i] = c->nobody[i];
		b->all_nobody[i] += more;
		finish(&now[i], more, &b->all[i]);
		finish(&all[i], b->all_nobody[i], now[i].pid == all[i].pid ? &now[i] : &b->all[i]);
		b->all[i] = all[i];
	}
}
