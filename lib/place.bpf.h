/*
 * place.bpf.h - memory for one run of a program, too large for its stack
 *
 * A map of places has PLACE_SPARE of them and one for each CPU. A program takes one
 * and gives it back before it ends; one that is interrupted or preempted keeps its
 * own, and whoever runs meanwhile on that CPU finds it taken and takes a spare one. So
 * no two runs of programs ever write into the same place, whatever the kernel lets
 * them do.
 */
#ifndef PLACE_BPF_H
#define PLACE_BPF_H

#include "kernel.bpf.h"

enum { PLACE_SPARE = 8 };

/* Defines a map. The first member of the type is __u32 taken; its other bytes are
 * what the last run left there. probe_configure adds the places of the other CPUs. */
#define PLACES(kept) PLACES_CALLED(places, kept)
#define PLACES_CALLED(name, kept) \
	struct { \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(max_entries, PLACE_SPARE + 1); \
		__type(key, __u32); \
		__type(value, kept); \
	} name SEC(".maps")

/* Takes a place from the map; NULL: more programs than there are spare ones were
 * preempted at once. The caller counts that. */
static __noinline void *
place_take(void *places)
{
	__u32 at = PLACE_SPARE + bpf_get_smp_processor_id(), *taken;

	for (int i = 0; i <= PLACE_SPARE; i++) {
		taken = bpf_map_lookup_elem(places, &at);
		if (taken && !__sync_lock_test_and_set(taken, 1))
			return taken;
		at = i;
	}
	return NULL;
}

/* Gives it back. */
static __always_inline void
place_give(__u32 *taken)
{
	asm volatile("" ::: "memory");
	*(volatile __u32 *)taken = 0;
}

#endif
