/*
 * agentsight-nearest - "did you mean": of NAMEs, the one that WORD was meant to be
 *
 * agentsight-nearest WORD NAME...: prints it; exits 1, silent, when none is near.
 */
#include <stdio.h>

#include "nearest.h"

int
main(int argc, char **argv)
{
	const char *near = argc > 2 ?
	    nearest_name(argv[1], (const char *const *)argv + 2, argc - 2) : NULL;

	if (near)
		puts(near);
	return !near;
}
