/*
 * missed.c - see missed.h
 */
#include "missed.h"

#include <bpf/bpf.h>
#include <string.h>

#include "clock.h"
#include "sslsniff.h"

enum {
	STEPS = 1 << 15,	/* a map that changes meanwhile may begin again */
	EXEC_NS = 1000000000,	/* from when its file is mapped to when an exec is done */
};

/* A program in one process. */
struct program {
	uint32_t pid;
	struct exec exec;
};

typedef void program_fn(void *arg, const struct program *);

static void
each_ended(struct missed *m, program_fn *fn, void *arg)
{
	struct ended_key key, next;
	bool more = bpf_map_get_next_key(m->ended, NULL, &next) == 0;
	struct program p;

	for (unsigned i = 0; more && i < STEPS; i++) {
		key = next;
		more = bpf_map_get_next_key(m->ended, &key, &next) == 0;
		p.pid = key.pid;
		if (bpf_map_lookup_elem(m->ended, &key, &p.exec) == 0)
			fn(arg, &p);
	}
}

static void
each_living(struct missed *m, program_fn *fn, void *arg)
{
	uint32_t next;
	bool more = bpf_map_get_next_key(m->execs, NULL, &next) == 0;
	struct program p;

	for (unsigned i = 0; more && i < STEPS; i++) {
		p.pid = next;
		more = bpf_map_get_next_key(m->execs, &p.pid, &next) == 0;
		if (bpf_map_lookup_elem(m->execs, &p.pid, &p.exec))
			continue;
		if (bpf_map_lookup_elem(m->answered, &p.pid, &p.exec.answered))
			memset(&p.exec.answered, 0, sizeof(p.exec.answered));
		fn(arg, &p);
	}
}

/* In this order: a program that ends meanwhile is met at least once. */
static void
each(struct missed *m, program_fn *fn, void *arg)
{
	each_living(m, fn, arg);
	each_ended(m, fn, arg);
}

/* --- who has a file -------------------------------------------------------------- */

/* The kernel maps the file of a program before it says that it was executed. */
static bool
is_its_exec(const struct mapper *who, const struct program *p)
{
	return p->pid == who->pid && p->exec.exe == who->ino && who->when &&
	    who->when < p->exec.time && p->exec.time - who->when < EXEC_NS;
}

static void
find_exec(void *arg, const struct program *p)
{
	struct mapper *who = arg;

	if (is_its_exec(who, p))
		who->when = p->exec.time;
}

/* The mapper with the time of its exec where it is that. */
static struct mapper
settle(struct missed *m, const struct mapper *mapper)
{
	struct mapper who = *mapper;

	each(m, find_exec, &who);
	return who;
}

static bool
has_file(const struct mapper *who, const struct program *p)
{
	const struct exec *e = &p->exec;

	if (e->of != who->pid)
		return false;
	if (!who->when)
		return !e->ended;
	if (p->pid != e->of)
		return e->time <= who->when && e->born >= who->when;
	return e->time <= who->when && (!e->ended || who->when < e->ended);
}

/* How many of its connections it began after from, and not after until. */
static uint64_t
dialed(const struct exec *e, uint64_t from, uint64_t until)
{
	uint64_t known = e->dialed < DIALS ? e->dialed : DIALS, n = 0;

	for (uint64_t i = 0; i < known; i++)
		n += e->at[i] > from && e->at[i] <= until;
	/* when it began the others is not kept: all of them were before those */
	return from <= e->born ? n + e->dialed - known : n;
}

static uint64_t
owed(const struct mapper *who, const struct program *p, uint64_t until)
{
	uint64_t from = who->when > p->exec.answered.to ? who->when : p->exec.answered.to;

	return has_file(who, p) ? dialed(&p->exec, from, until) : 0;
}

/* --- counting -------------------------------------------------------------------- */

struct counting {
	struct missed *m;
	struct mapper who;
	uint64_t until, n;
};

static void
find_any(void *arg, const struct program *p)
{
	struct counting *c = arg;

	c->n += owed(&c->who, p, UINT64_MAX);
}

bool
missed_any(struct missed *m, const struct mapper *who)
{
	struct counting c = { .m = m };

	/* most files are mapped by programs that never begin one */
	if (!who->pid || (m->last_dialed && *m->last_dialed < who->when))
		return false;
	c.who = settle(m, who);
	each(m, find_any, &c);
	return c.n > 0;
}

static void
begin_one(void *arg, const struct program *p)
{
	struct counting *c = arg;
	struct span span = { .from = c->who.when };

	if (!p->exec.ended && has_file(&c->who, p))
		bpf_map_update_elem(c->m->answered, &p->pid, &span, BPF_NOEXIST);
}

void
missed_begin(struct missed *m, const struct mapper *who)
{
	struct counting c = { .m = m };

	if (!who->pid)
		return;
	c.who = settle(m, who);
	each_living(m, begin_one, &c);
}

static void
add(struct missed *m, const struct program *p, uint64_t n)
{
	pthread_mutex_lock(&m->lock);
	m->conns += n;
	if (n > m->who.events) {
		m->who = (struct loss_who){ .pid = p->pid, .events = n };
		memcpy(m->who.comm, p->exec.comm, sizeof(m->who.comm));
	}
	pthread_mutex_unlock(&m->lock);
}

/* What was counted is not counted again. */
static void
settle_one(struct missed *m, const struct program *p, const struct mapper *who, uint64_t until)
{
	struct ended_key key = { .born = p->exec.born, .pid = p->pid };
	struct exec e = p->exec, over;

	if (!e.answered.to || who->when < e.answered.from)
		e.answered.from = who->when;
	if (until > e.answered.to)
		e.answered.to = until;
	if (!e.ended) {
		bpf_map_update_elem(m->answered, &p->pid, &e.answered, BPF_ANY);
		if (bpf_map_lookup_elem(m->ended, &key, &over))
			return;
		/* it has ended since we looked */
		over.answered = e.answered;
		e = over;
	}
	bpf_map_update_elem(m->ended, &key, &e, BPF_EXIST);
}

static void
count_one(void *arg, const struct program *p)
{
	struct counting *c = arg;
	uint64_t n = owed(&c->who, p, c->until);

	if (!has_file(&c->who, p))
		return;
	settle_one(c->m, p, &c->who, c->until);
	if (n)
		add(c->m, p, n);
}

void
missed_count(struct missed *m, const struct mapper *who, uint64_t until)
{
	struct counting c = { .m = m, .until = until };

	if (!who->pid)
		return;
	c.who = settle(m, who);
	each(m, count_one, &c);
}

static void
count_ended(void *arg, const struct program *p)
{
	const struct mapper all = { .pid = p->pid };
	struct missed *m = arg;
	uint64_t n = dialed(&p->exec, p->exec.answered.to, UINT64_MAX);

	settle_one(m, p, &all, p->exec.ended);
	if (n)
		add(m, p, n);
}

void
missed_count_ended(struct missed *m)
{
	each_ended(m, count_ended, m);
}

void
missed_forget(struct missed *m, uint64_t then)
{
	struct ended_key key, next;
	bool more = bpf_map_get_next_key(m->ended, NULL, &next) == 0;
	struct exec e;

	for (unsigned i = 0; more && i < STEPS; i++) {
		key = next;
		more = bpf_map_get_next_key(m->ended, &key, &next) == 0;
		if (bpf_map_lookup_elem(m->ended, &key, &e) == 0 && e.ended < then)
			bpf_map_delete_elem(m->ended, &key);
	}
}

uint64_t
missed_take(struct missed *m, struct loss_who *who)
{
	uint64_t n;

	pthread_mutex_lock(&m->lock);
	n = m->conns;
	*who = m->who;
	m->conns = 0;
	memset(&m->who, 0, sizeof(m->who));
	pthread_mutex_unlock(&m->lock);
	return n;
}

void
missed_open(struct missed *m)
{
	memset(m, 0, sizeof(*m));
	m->execs = m->ended = m->answered = -1;
	pthread_mutex_init(&m->lock, NULL);
}
