/*
 * life.h - which row of processes an event belongs to
 *
 * A pid names one process after another. A life begins with its fork, or with
 * whatever is seen of it first, and ends with its exit; events come a little out
 * of order, so the time decides. What changes of a row is written once a batch.
 */
#ifndef SQLITESINK_LIFE_H
#define SQLITESINK_LIFE_H

#include "sqlitesink/db.h"
#include "sqlitesink/work.h"

struct lives;

/* work: borrowed, asked for the tool that each program works for. NULL: out of memory. */
struct lives *lives_new(struct db *, struct work *);
void lives_free(struct lives *);
void lives_flush(struct lives *);	/* before db_commit */
void lives_reload(struct lives *);	/* the file is another, and knows what it needs of them */
void lives_forget(struct lives *);	/* another run begins: no process of it is known */

/* The process of the envelope: processes.id, 0 after a failure. */
int64_t life_of(struct lives *, struct event *);

/* The process that a sample is of: the last that had the pid, for the name that
 * sysmon has may be an old one, and its last sample comes when it is gone. */
int64_t life_sampled(struct lives *, struct event *);

/* The process that had a pid at a time: processes.id, 0 when none is known. */
int64_t life_at(struct lives *, int64_t pid, uint64_t ns);

/* process.fork, process.exec, process.exit. */
void life_fork(struct lives *, struct event *);
void life_exec(struct lives *, struct event *);
void life_exit(struct lives *, struct event *);

/* The process of the envelope called a model: an agent from here on, and those
 * below it are its. Returns its id; *agent: whose call it is, itself or the one
 * that it makes it for. */
int64_t life_agent(struct lives *, struct event *, int64_t *agent);

/* A call brought the results of tools that its process did not run: those that did are the
 * agents, the chains of these tools theirs. call: model_calls.id */
void life_adopt(struct lives *, int64_t caller, int64_t call);

/* The tools of that work changed: asks it again for what began since then. */
void life_work(struct lives *, int64_t agent, uint64_t since_ns);

#endif
