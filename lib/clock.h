/*
 * clock.h - from the kernel's boot clock to nanoseconds since the Unix epoch
 *
 * All collectors stamp events with CLOCK_BOOTTIME (it runs on while suspended)
 * and add the offset kept here. The offset stays as it is while the wall clock
 * is merely slewed, so that times never step back; a step of more than a
 * millisecond is adopted.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

struct clock {
	int64_t offset;		/* epoch - boot, nanoseconds */
};

void clock_init(struct clock *);
/* Reads both clocks again; call it now and then. */
void clock_check(struct clock *);
uint64_t clock_boot(void);		/* CLOCK_BOOTTIME now */

static inline uint64_t
clock_epoch(const struct clock *c, uint64_t boot_ns)
{
	return boot_ns + c->offset;
}

#endif
