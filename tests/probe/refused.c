/*
 * refused - a collector for tests of lib/load.c and lib/check.c
 *
 * writes  nothing; it says why its program was not loaded, or ends
 */
#include "check.h"
#include "opt.h"
#include "probe.h"
#include "tests/probe/refused.skel.h"

static void
start(void *self)
{
	struct probe *p = self;
	struct refused_bpf *b;

	probe_start(p);
	b = refused_bpf__open();
	if (!b)
		probe_fail("open", "BPF programs");
	probe_configure(p, b->obj, &b->rodata->target_conf);
	if (probe_load(p, b->skeleton))
		probe_refused(p);
}

int
main(int argc, char **argv)
{
	static const char *const reasons[] = { NULL };
	static struct probe p;
	const struct opt_use use = {
		.name = "refused", .synopsis = "[OPTION]...", .about = "For tests.",
		.tables = { probe_options(&p) },
	};
	const struct check check = { &use, (const char *const[]){ "--ring-size 64k", NULL }, start };

	probe_init(&p, "refused", reasons);
	if (opt_parse(&use, argc, argv) < argc)
		opt_fail(&use, "unexpected operand");
	if (p.check)
		return check_run(&p, &check, &p);
	start(&p);
	return 0;
}
