/*
 * emit.h - the lines that the collector's parts write, and their place in its books
 */
#ifndef EMIT_H
#define EMIT_H

#include <stdbool.h>
#include <stdint.h>

struct jput;
struct process;
struct record;

/* Begins a line: type and envelope. It stands for n calls with that many bytes. False:
 * the record is our own pipeline's, write nothing; they are counted as that. */
bool emit_begin(struct process *, struct jput *, const char *type, const struct record *,
    uint64_t n, uint64_t bytes);

/* Writes "error" when a call failed: result is -errno, and nothing is written for 0
 * or more. */
void emit_error(struct jput *, int32_t result);

/* Writes "mnt_ns", the number of a mount namespace, when it is not our own. */
void emit_mnt_ns(const struct process *, struct jput *, uint32_t mnt_ns);

#endif
