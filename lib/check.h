/*
 * check.h - tries whether the kernel takes a collector's programs
 *
 * What the verifier sees depends on the options: what one set of them leaves out,
 * another brings back. So each set is loaded, in a process of its own, and nothing
 * is attached.
 */
#ifndef CHECK_H
#define CHECK_H

struct opt_use;
struct probe;

struct check {
	const struct opt_use *use;
	const char *const *sets;	/* of the tool's own options, the one that asks for
					 * most last; words with a space between them; NULL-ended */
	void (*start)(void *self);	/* probe_start, then load; exits when that fails */
};

/* Says on stdout that all is well, or on stderr what is not: the status to exit
 * with. Options that were given already are in every set. */
int check_run(struct probe *, const struct check *, void *self);

#endif
