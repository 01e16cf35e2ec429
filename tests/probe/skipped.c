/*
 * skipped - a collector for tests of lib/probe.c and lib/skips.c
 *
 * reads   page faults that processes cause by handing the kernel bad addresses
 * writes  a line for each that its program saw; as many others are skipped
 * keeps   nothing
 */
#include "opt.h"
#include "probe.h"
#include "tests/probe/skipped.skel.h"

static struct skipped {
	struct probe probe;
	struct skipped_bpf *bpf;
} skipped;

static const char *const reasons[] = { NULL };

static void
on_record(void *self, const struct record *r, size_t n)
{
	struct skipped *s = self;
	struct jput j;

	(void)n;
	if (probe_event(&s->probe, &j, "test.fault", r, 0))
		jput_close(&j);
}

static void
on_detach(void *self)
{
	skipped_bpf__detach(((struct skipped *)self)->bpf);
}

int
main(int argc, char **argv)
{
	static struct skipped *s = &skipped;
	const struct probe_ops ops = { on_record, NULL, on_detach };
	const struct opt_use use = {
		.name = "skipped", .synopsis = "[OPTION]...", .about = "For tests.",
		.tables = { probe_options(&s->probe) },
	};

	probe_init(&s->probe, "skipped", reasons);
	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "unexpected operand");
	probe_start(&s->probe);
	s->bpf = skipped_bpf__open();
	if (!s->bpf)
		probe_fail("open", "BPF programs");
	probe_configure(&s->probe, s->bpf->obj, &s->bpf->rodata->target_conf);
	if (skipped_bpf__load(s->bpf))
		probe_fail("load", "BPF programs");
	probe_follow(&s->probe, s->bpf->obj);
	s->bpf->links.on_fault = bpf_program__attach(s->bpf->progs.on_fault);
	if (!s->bpf->links.on_fault)
		probe_fail("attach", "tracepoint page_fault_kernel");
	return probe_run(&s->probe, &ops, s);
}
