/*
 * probe.h - what every eBPF collector shares: its options, its life, its books
 *
 * A collector opens its skeleton, calls probe_configure, loads, calls
 * probe_follow, attaches its own programs and calls probe_run, which reads the
 * ring until told to stop. Records become lines; what the kernel side had to
 * drop, and what the kernel left out, becomes "loss" events and a line on stderr
 * at the end, where the books must balance: seen = written + each loss.
 *
 * If standard output blocks, so does the collector; the ring fills and that is
 * counted. There is no queue in between: memory is the ring and one output buffer.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "jput.h"
#include "line.h"
#include "load.h"
#include "blame.h"
#include "loss.h"
#include "self.h"
#include "record.h"
#include "ring.h"
#include "skips.h"
#include "target.h"

struct bpf_link;
struct bpf_object;
struct bpf_object_skeleton;
struct bpf_program;
struct opt;
struct probe_process;

struct probe {
	const char *name;		/* of the tool */
	const char *const *reasons;	/* of its counts, from COUNT_TOOL on; NULL-ended */
	const char *const *collects;	/* books.h; NULL or set before probe_start */
	struct line_out out;
	struct loss loss;
	struct clock clock;
	struct target target;
	bool quiet, verbose;		/* -q, -v */
	/* the rest is probe.c's */
	bool fail_on_loss;
	bool check;			/* --check: load, attach nothing */
	const char *output;
	uint64_t duration, ring_size;
	int64_t ready_fd, self_fd;
	int out_fd, counts_fd, ncpu;
	struct ring ring;
	struct self self_pids;
	bool own_due;
	uint64_t own_next;		/* boot ns: no full look before */
	struct probe_process *processes;
	struct counts counts;		/* the kernel's, last read */
	struct load load;		/* what became of it */
	struct skips skips;
	struct blame blame;
	uint64_t skips_next;		/* boot ns: not read before */
	uint64_t skipped;		/* by them, so far */
	/* lost so far, and not counted by our programs: the tool's to add */
	uint64_t unseen;
	struct count written, ours;	/* lines written; dropped as our own pipeline's */
	const struct probe_ops *ops;
	void *self;
};

struct probe_ops {
	/* A record from the ring; its length is at least struct record's. */
	void (*record)(void *self, const struct record *, size_t n);
	/* Every 100 ms; may be NULL. */
	void (*tick)(void *self);
	/* Takes all probes off, so that what is in the ring is the last. */
	void (*detach)(void *self);
};

void probe_init(struct probe *, const char *name, const char *const *reasons);

/* The common options, for opt_use. One static table: one probe per program. */
const struct opt *probe_options(struct probe *);

/* After opt_parse: checks what was said, opens the output, installs the signal
 * handlers, quiets libbpf. Exits with a message on failure (2: usage, else 1). */
void probe_start(struct probe *);

/* Between open and load: sets the ring's size, the selection, and which kind the
 * programs of tracepoints are (trace.h). */
void probe_configure(struct probe *, struct bpf_object *, struct target_conf *);

/* Loads the programs of an opened skeleton; -1 with errno: probe_refused says why. */
int probe_load(struct probe *, struct bpf_object_skeleton *);
_Noreturn void probe_refused(const struct probe *);

/* After load: maps the ring, follows processes. Exits on failure. */
void probe_follow(struct probe *, struct bpf_object *);

/* Says that all probes are attached (--ready-fd), reads until SIGINT, SIGTERM,
 * -d or a closed output, drains, tells what was lost. The exit status. */
int probe_run(struct probe *, const struct probe_ops *, void *self);

/* Begins the event of a record: type and envelope. bytes: of payload in it,
 * for the books. False: it is our own pipeline's, write nothing. */
bool probe_event(struct probe *, struct jput *, const char *type,
    const struct record *, uint64_t bytes);
/* The same for an event that is no record's: it is not in the books. */
bool probe_extra(struct probe *, struct jput *, const char *type, const struct record *);

/* Whether its process is in a container. */
bool probe_contained(struct probe *, const struct record *);

/* For collectors that see the lives of processes, to save looks at /proc: the
 * process of a record forks (born: of the child, boot ns; it is where its parent
 * is, and ours if that is); it executes exe[0..n); one changes its cgroup. */
void probe_child(struct probe *, const struct record *parent, uint32_t pid, uint64_t born);
void probe_exec(struct probe *, const struct record *, const char *exe, size_t n);
void probe_moved(struct probe *, uint32_t pid);

/* When all is attached and no thread runs yet: becomes the user uid (of caps_uid; 0: stays
 * who it is) with all capabilities, and enters a sandbox of SANDBOX_BPF and more. Exits
 * when that fails. */
void probe_confine(struct probe *, uid_t uid, unsigned more);
/* When all is attached: probe_confine, and gives up every capability(7) but CAP_BPF, those that
 * looking into other processes in /proc needs, and more (a set of CAPS_BIT). Exits when
 * that fails. */
void probe_give_up(struct probe *, uint64_t more, unsigned sandbox);

/* A line on stderr with the tool's name, only with -v. */
void probe_note(const struct probe *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Exits: "NAME: ACT OBJECT: CAUSE (what to do)", the advice from errno. */
_Noreturn void probe_fail(const char *act, const char *object);

/* Attaches a program (trace.h); exits with what when that fails. And the one that counts
 * what is handed to io_uring, where the kernel has that. */
void probe_attach(struct bpf_program *, struct bpf_link **, const char *what);
void probe_attach_uring(struct bpf_program *, struct bpf_link **);

/* Whether the kernel lets uprobe programs sleep (Linux 6.0), and whether it has
 * uprobe_multi links (6.6). */
bool probe_can_sleep(void);
bool probe_can_multi(void);

#endif
