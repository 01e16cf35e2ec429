/*
 * refused.bpf.c - a program that no verifier takes, if processes are chosen by name
 */
#include "target.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("raw_tp/sys_exit")
int
on_return(void *ctx)
{
	__u32 init = 1;
	volatile __u32 *marks = bpf_map_lookup_elem(&target_procs, &init);

	if (target_conf.ncomm)
		return *marks;		/* there may be none */
	return marks && *marks;
}
