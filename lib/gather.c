/*
 * gather.c - see gather.h
 */
#include "gather.h"

void
gather_calls(const struct call_kind *call_table, const struct gather_call *calls, size_t n)
{
	/* constant for the programs, once they are loaded */
	struct call_kind *table = (struct call_kind *)call_table;

	for (size_t i = 0; i < n; i++)
		table[calls[i].nr] = (struct call_kind){ calls[i].kind, calls[i].dir };
}
