/*
 * self.h - the state of the collector, and its parts
 */
#ifndef SELF_H
#define SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "path.h"
#include "probe.h"
#include "process.h"

struct flow_table;
struct known;
struct process_bpf;

struct process {
	struct probe probe;
	struct process_bpf *bpf;
	int64_t mode;			/* -m; -1: not given */
	int64_t min_life_ms;		/* -d */
	struct opt_list seeds;		/* --seed-pid */
	bool trace_fs, trace_net, trace_signals, trace_all;
	bool cgroup_below;
	uint64_t window, interval;
	bool detached;
	/* files.c */
	struct flow_table *opens;	/* opens that are counted, by process and path */
	/* where.c */
	struct {
		uint32_t pid;
		uint64_t born;
		int fd;			/* the root directory of that process; -1 none */
		size_t n;		/* its path then */
		char text[PATH_TEXT];
	} root;
	uint32_t mnt_ns;		/* our own */
	struct where_dir *dirs;		/* where directories lead, for a moment */
	/* fds.c */
	struct flow_table *fds;		/* descriptors, by serial */
	struct known *fds_known;	/* the same, one behind the other */
	uint64_t fds_next;		/* when to look at them again, boot time */
	/* bash.c */
	struct bash *bash;
};

/* The strings of a record. */
struct strings {
	struct text s[STR_MAX], args;
};

/* life.c */
void life_fork(struct process *, const struct event_record *);
void life_exec(struct process *, const struct event_record *, const struct strings *);
void life_exit(struct process *, const struct event_record *);
void life_signal(struct process *, const struct event_record *);
/* Tells the processes in scope that run already; since: boot time from which on
 * forks are in the ring. */
void life_seed(struct process *, uint64_t since);

/* files.c */
void files_event(struct process *, const struct event_record *, const struct strings *);
/* Writes what was counted and is due; all of it at the end. */
void files_tick(struct process *, bool all);

/* where.c */
/* The absolute path of two strings of a record. out: PATH_TEXT bytes. */
struct text where_path(struct process *, const struct event_record *, const struct strings *,
    int which, char *out);
/* Directories may lead elsewhere from now on. */
void where_forget(struct process *);

/* fds.c */
void fds_begin(struct process *, const struct event_record *, const struct strings *);
void fds_end(struct process *, const struct fd_record *);
void fds_tick(struct process *, bool all);

/* net.c */
void net_event(struct process *, const struct event_record *, const struct strings *);
void net_dns(struct process *, const struct event_record *, const struct strings *);
/* Connects that did not end while we ran. */
void net_finish(struct process *);
struct jput;
void net_put_addr(struct jput *, const struct net_addr *, bool peer, struct text path);

/* bash.c */
/* Attaches to the bashes on the host and in /proc; later to those that exec. */
void bash_prepare(struct process *);	/* before the programs are loaded */
void bash_start(struct process *);
void bash_exec(struct process *, const struct event_record *, struct text exe);
void bash_line(struct process *, const struct event_record *, const struct strings *);
void bash_close(struct process *);

#endif
