/*
 * clock.c - see clock.h
 *
 * The two clocks cannot be read at one instant: the boot clock is read between
 * two readings of the wall clock, several times, and the tightest pair counts.
 */
#include <time.h>

#include "clock.h"

enum { CLOCK_TRIES = 8, CLOCK_STEP_NS = 1000000 };

static uint64_t
clock_now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint64_t
clock_boot(void)
{
	return clock_now(CLOCK_BOOTTIME);
}

static int64_t
clock_offset(void)
{
	int64_t best = 0;
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < CLOCK_TRIES; i++) {
		uint64_t before = clock_now(CLOCK_REALTIME);
		uint64_t boot = clock_now(CLOCK_BOOTTIME);
		uint64_t after = clock_now(CLOCK_REALTIME);

		if (after >= before && after - before < width) {
			width = after - before;
			best = (int64_t)(before + width / 2 - boot);
		}
	}
	return best;
}

void
clock_init(struct clock *c)
{
	c->offset = clock_offset();
}

void
clock_check(struct clock *c)
{
	int64_t now = clock_offset(), by = now - c->offset;

	if (by > CLOCK_STEP_NS || by < -CLOCK_STEP_NS)
		c->offset = now;
}
