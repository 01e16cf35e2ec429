/*
 * stdiocap - what processes read and write on stdin, stdout and stderr
 *
 * reads   the read and write families of system calls, by tracepoint
 * writes  stdio.data per piece of a call
 * keeps   per descriptor in use: what it refers to; at most STREAMS of them
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "check.h"
#include "flow.h"
#include "opt.h"
#include "probe.h"
#include "stdiocap.h"
#include "stdiocap/stdiocap.skel.h"

enum { STREAMS = 65536, MAX_BYTES = 65536 };

struct known {			/* a descriptor that we were told of */
	char *target;
	size_t len;
};

static struct stdiocap {
	struct probe probe;
	struct stdiocap_bpf *bpf;
	struct flow_table *known;
	uint64_t max_bytes;	/* UINT64_MAX: not given */
	bool all_fds;
	uint32_t list[FD_LIST], nlist;
} stdiocap = { .max_bytes = UINT64_MAX };

static const char *const reasons[] = {
	"streams_full", "max_bytes", "compat", "io_uring", "spliced", "busy", "storage", NULL,
};

static const struct gather_call calls[] = {
	{ SYS_read, CALL_BUFFER, DIR_READ },
	{ SYS_pread64, CALL_BUFFER, DIR_READ },
	{ SYS_recvfrom, CALL_BUFFER, DIR_READ },
	{ SYS_readv, CALL_VECTOR, DIR_READ },
	{ SYS_preadv, CALL_VECTOR, DIR_READ },
	{ SYS_preadv2, CALL_VECTOR, DIR_READ },
	{ SYS_recvmsg, CALL_MESSAGE, DIR_READ },
	{ SYS_write, CALL_BUFFER, DIR_WRITE },
	{ SYS_pwrite64, CALL_BUFFER, DIR_WRITE },
	{ SYS_sendto, CALL_BUFFER, DIR_WRITE },
	{ SYS_writev, CALL_VECTOR, DIR_WRITE },
	{ SYS_pwritev, CALL_VECTOR, DIR_WRITE },
	{ SYS_pwritev2, CALL_VECTOR, DIR_WRITE },
	{ SYS_sendmsg, CALL_MESSAGE, DIR_WRITE },
	{ SYS_sendfile, CALL_SENDFILE, DIR_WRITE },
	{ SYS_splice, CALL_SPLICE, DIR_WRITE },
	{ SYS_copy_file_range, CALL_SPLICE, DIR_WRITE },
	{ SYS_close, CALL_CLOSE, 0 },
	{ SYS_dup, CALL_DUP, 0 },
	{ SYS_dup2, CALL_DUP_TO, 0 },
	{ SYS_dup3, CALL_DUP_TO, 0 },
	{ SYS_fcntl, CALL_FCNTL, 0 },
};

/* --- events ------------------------------------------------------------------ */

static void
forget(void *arg, void *entry, enum flow_why why)
{
	struct known *k = entry;

	(void)arg, (void)why;
	free(k->target);
}

static void
on_stream(struct stdiocap *s, const struct stdio_record *r)
{
	struct known *k = flow_get(s->known, &r->stream, sizeof(r->stream), 0);

	if (!k)
		err(1, "memory");
	free(k->target);
	k->target = malloc(r->len + 32);
	if (!k->target)
		err(1, "memory");
	if (r->target == TARGET_PATH) {
		memcpy(k->target, r->data, r->len);
		k->len = r->len;
	} else {
		k->len = snprintf(k->target, 32, "%s:[%llu]",
		    r->target == TARGET_PIPE ? "pipe" : "socket", (unsigned long long)r->inode);
	}
}

static void
on_data(struct stdiocap *s, const struct stdio_record *r)
{
	static const char *const role[] = { "stdin", "stdout", "stderr", "fd" };
	struct known *k;
	struct jput j;

	if (!probe_event(&s->probe, &j, "stdio.data", &r->head, r->len))
		return;
	jput_str(&j, "direction", r->dir == DIR_READ ? "READ" : "WRITE");
	jput_uint(&j, "fd", r->fd);
	jput_str(&j, "fd_role", role[r->role & ROLE_FD]);
	k = flow_find(s->known, &r->stream, sizeof(r->stream), 0);
	if (k && k->len)
		jput_bytes(&j, "fd_target", k->target, k->len);
	jput_uint(&j, "off", r->off);
	jput_uint(&j, "len", r->span);
	if (r->since)
		jput_ms(&j, "latency_ms", r->head.time - r->since);
	if (r->span > r->len) {
		jput_bool(&j, "truncated", true);
		jput_uint(&j, "captured", r->len);
	}
	jput_bytes(&j, "data", r->data, r->len);
	jput_close(&j);
}

static void
on_record(void *self, const struct record *head, size_t n)
{
	const struct stdio_record *r = (const void *)head;

	if (n < sizeof(*r) || r->len > n - sizeof(*r))
		return;
	if (head->kind == STDIO_STREAM)
		on_stream(self, r);
	else if (head->kind == STDIO_DATA)
		on_data(self, r);
}

static void
on_detach(void *self)
{
	struct stdiocap *s = self;

	stdiocap_bpf__detach(s->bpf);
}

/* --- start ------------------------------------------------------------------- */

static const char *
add_fds(const char *arg)
{
	return opt_numbers(arg, 0, 1 << 20, stdiocap.list, FD_LIST, &stdiocap.nlist);
}

static void
load(struct stdiocap *s)
{
	struct stdiocap_bpf *b = s->bpf = stdiocap_bpf__open();

	if (!b)
		probe_fail("open", "BPF programs");
	probe_configure(&s->probe, b->obj, &b->rodata->target_conf);
	b->rodata->rpc_whole = s->max_bytes == UINT64_MAX;
	b->rodata->max_bytes = b->rodata->rpc_whole ? MAX_BYTES :
	    s->max_bytes ? s->max_bytes : UINT64_MAX;
	b->rodata->all_fds = s->all_fds;
	b->rodata->nlist = s->nlist;
	memcpy((void *)b->rodata->list, s->list, sizeof(s->list));
	gather_calls(b->rodata->call_table, calls, sizeof(calls) / sizeof(calls[0]));
	if (probe_load(&s->probe, b->skeleton))
		probe_refused(&s->probe);
	if (s->probe.check)
		return;
	probe_follow(&s->probe, b->obj);
	probe_attach(b->progs.on_exit, &b->links.on_exit, "tracepoint sched_process_exit");
	probe_attach(b->progs.on_return, &b->links.on_return, "tracepoint sys_exit");
	probe_attach(b->progs.on_call, &b->links.on_call, "tracepoint sys_enter");
	probe_attach_uring(b->progs.on_uring, &b->links.on_uring);
	probe_give_up(&s->probe, 0, 0);
}

static void
start(void *self)
{
	struct stdiocap *s = self;

	probe_start(&s->probe);
	load(s);
}

int
main(int argc, char **argv)
{
	static struct stdiocap *s = &stdiocap;
	const struct probe_ops ops = { on_record, NULL, on_detach };
	const struct opt own[] = {
		{ .kind = OPT_HEAD, .help = "Which descriptors (by default 0 to 2, and what was "
		    "duplicated from them)" },
		{ .kind = OPT_FLAG, .name = "all-fds", .to = &s->all_fds, .help = "every one" },
		{ .kind = OPT_CALL, .name = "fd", .arg = "N[,N]...", .call = add_fds,
		    .help = "these numbers" },
		{ .kind = OPT_SIZE, .name = "max-bytes", .arg = "SIZE", .to = &s->max_bytes,
		    .lo = 0, .hi = 1LL << 40,
		    .help = "captured of one call (64k, and JSON-RPC whole; 0: all)" },
		{ .kind = OPT_END },
	};
	const struct opt_use use = {
		.name = "stdiocap", .synopsis = "[OPTION]...",
		.about = "Writes what processes read and write on stdin, stdout and stderr, as "
		    "stdio.data lines.",
		.tables = { own, probe_options(&s->probe) },
	};

	const struct check check = { &use, (const char *const[]){ "--all-fds", "--max-bytes 0",
	    "--fd 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15", NULL }, start };

	probe_init(&s->probe, "stdiocap", reasons);
	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "unexpected operand");
	if (s->all_fds && s->nlist)
		opt_fail(&use, "--all-fds and --fd do not go together");
	if (s->probe.check)
		return check_run(&s->probe, &check, s);
	s->known = flow_new(sizeof(struct known), STREAMS, SIZE_MAX, forget, NULL);
	if (!s->known)
		err(1, "memory");
	start(s);
	return probe_run(&s->probe, &ops, s);
}
