/*
 * places - a collector for tests of lib/place.bpf.h
 *
 * reads   page faults that processes cause by handing the kernel bad addresses
 * writes  a line for each that a program saw, and whose mark is in its place
 * keeps   nothing
 */
#include "opt.h"
#include "probe.h"
#include "tests/probe/places.skel.h"

static struct places {
	struct probe probe;
	struct places_bpf *bpf;
} places;

static const char *const reasons[] = { NULL };

static void
on_record(void *self, const struct record *r, size_t n)
{
	struct places *s = self;
	struct jput j;

	(void)n;
	if (!probe_event(&s->probe, &j, "test.place", r, 0))
		return;
	jput_uint(&j, "program", r->kind);
	jput_uint(&j, "mark", r->pad);
	jput_close(&j);
}

static void
on_detach(void *self)
{
	places_bpf__detach(((struct places *)self)->bpf);
}

int
main(int argc, char **argv)
{
	static struct places *s = &places;
	const struct probe_ops ops = { on_record, NULL, on_detach };
	const struct opt_use use = {
		.name = "places", .synopsis = "[OPTION]...", .about = "For tests.",
		.tables = { probe_options(&s->probe) },
	};

	probe_init(&s->probe, "places", reasons);
	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "unexpected operand");
	probe_start(&s->probe);
	s->bpf = places_bpf__open();
	if (!s->bpf)
		probe_fail("open", "BPF programs");
	probe_configure(&s->probe, s->bpf->obj, &s->bpf->rodata->target_conf);
	if (places_bpf__load(s->bpf))
		probe_fail("load", "BPF programs");
	probe_follow(&s->probe, s->bpf->obj);
	s->bpf->links.on_outer = bpf_program__attach(s->bpf->progs.on_outer);
	s->bpf->links.on_inner = bpf_program__attach(s->bpf->progs.on_inner);
	if (!s->bpf->links.on_outer || !s->bpf->links.on_inner)
		probe_fail("attach", "tracepoint page_fault_kernel");
	return probe_run(&s->probe, &ops, s);
}
