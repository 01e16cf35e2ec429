/*
 * loss.h - what was not seen, by reason
 *
 * A loss is emitted into the stream as a "loss" event as it happens, and reported
 * on stderr at exit. Events carry what is new since the last one of that reason, so
 * their sum is the total.
 */
#ifndef LOSS_H
#define LOSS_H

#include <stdbool.h>
#include <stdint.h>

struct line_out;

enum { LOSS_REASONS = 32 };

struct loss_who {
	uint32_t pid;	/* 0: not known */
	char comm[16];	/* NUL-padded; empty: not known, it has ended */
	uint64_t events;
};

struct loss {
	const char *stage;
	unsigned n;
	bool moved;	/* something is not emitted yet */
	struct loss_reason {
		const char *reason;
		uint64_t events, bytes;
		uint64_t emitted_events, emitted_bytes, next;
		struct loss_who who;	/* lost most of what is not emitted yet */
	} by[LOSS_REASONS];
};

void loss_init(struct loss *, const char *stage);
/* reason: a string constant, listed in docs/losses.md. */
void loss_add(struct loss *, const char *reason, uint64_t events, uint64_t bytes);
/* Which process lost most of what loss_add was last told of this reason. */
void loss_blame(struct loss *, const char *reason, const struct loss_who *);
uint64_t loss_total(const struct loss *);	/* events, all reasons */

/* Writes a loss event per reason that moved. With all false only when its
 * count has doubled since it was last emitted, so that a flood is not answered
 * by a flood; a function of the input alone, so a replay gives the same. */
void loss_emit(struct loss *, struct line_out *, uint64_t timestamp_ns, bool all);

/* Takes over the counts of another, so that they can be emitted in a second place. */
void loss_follow(struct loss *, const struct loss *other);

/* "ring_full 12 (4096 bytes), fault 1"; empty when nothing was lost. The
 * result is static. */
const char *loss_text(const struct loss *);

#endif
