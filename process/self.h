/*
 * self.h - the state of the collector, and its parts
 */
#ifndef SELF_H
#define SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "container.h"
#include "path.h"
#include "probe.h"
#include "process.h"

struct flow_table;
struct known;
struct process_bpf;
struct read_group;
struct sends;

struct process {
	struct probe probe;
	struct process_bpf *bpf;
	int64_t mode;			/* -m; -1: not given */
	int64_t min_life_ms;		/* -d */
	struct opt_list seeds;		/* --seed-pid */
	bool trace_fs, trace_net, trace_signals, trace_all;
	bool no_reads;
	bool cgroup_below;
	uint64_t window, interval;
	bool detached;
	/* files.c */
	struct flow_table *opens;	/* opens that are counted, by process and path */
	/* reads.c */
	struct flow_table *reads;	/* files that were read, by path */
	struct read_group *read_groups;	/* the same, one behind the other */
	struct flow_table *made;	/* files that were made, by path */
	uint64_t read_stamp;
	uint64_t reads_next;		/* when to look at them again, boot time */
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
	/* net.c */
	struct flow_table *udp;		/* UDP connects that nothing passed by yet */
	/* life.c */
	struct flow_table *searches;	/* programs that were not found yet */
	struct container_names containers;	/* of those that ran when we began */
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
/* The program that a process asked for was not executed. */
void life_exec_failed(struct process *, const struct event_record *, const struct strings *);
void life_exit(struct process *, const struct event_record *);
void life_signal(struct process *, const struct event_record *);
/* Tells the processes in scope that run already; since: boot time from which on
 * forks are in the ring. */
void life_seed(struct process *, uint64_t since);

/* Writes what waited for a later event and is due; all of it at the end. */
void life_tick(struct process *, bool all);

/* files.c */
void files_event(struct process *, const struct event_record *, const struct strings *);
/* Writes what was counted and is due; all of it at the end. */
void files_tick(struct process *, bool all);

/* reads.c */
enum { FD_CUT = 1, FD_DELETED = 2, FD_MADE = 4 };

/* What was read of a file, by one process, with one descriptor. */
struct reading {
	struct record head;		/* of the first of them */
	uint32_t mnt_ns, fd, marks, flags;
	uint64_t opens, calls, bytes, last;	/* last: boot time */
};

void reads_add(struct process *, const struct reading *, struct text path, struct text root);
/* A process made a file, or gave one another name. */
void reads_made(struct process *, uint32_t mnt_ns, struct text path);
void reads_renamed(struct process *, uint32_t mnt_ns, struct text from, struct text to);
/* Writes what was counted and is due; all of it at the end. */
void reads_tick(struct process *, bool all);

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

/* A file got a name: for one that had none (O_TMPFILE) it is what its descriptors are
 * reported by from now on. */
void fds_named(struct process *, const struct event_record *, struct text from, struct text to);
/* A socket sends to an address for the first time. */
void fds_send(struct process *, const struct event_record *, const struct strings *);

/* sends.c: addresses of one descriptor. */
void sends_begin(struct process *, struct sends **, const struct event_record *,
    const struct strings *);
/* Writes what was sent since they were last looked at. */
void sends_look(struct process *, struct sends *, uint64_t serial, bool ended);
void sends_free(struct sends *);

/* net.c */
/* So many transfers have passed a UDP socket since it was made. */
void net_passed(struct process *, uint32_t pid, uint32_t fd, uint64_t calls);
void net_tick(struct process *);
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
