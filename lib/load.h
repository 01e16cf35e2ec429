/*
 * load.h - hands a collector's BPF programs to the kernel, and keeps its answer
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;
struct bpf_object_skeleton;

enum { LOAD_NAME = 64, LOAD_WHY = 512 };

/* Why it was refused. */
struct load {
	char program[LOAD_NAME];	/* that the verifier refuses; "": it refuses none */
	char why[LOAD_WHY];		/* the verifier's last words; else libbpf's first, if any */
};

/* Before anything else of libbpf is used: its warnings go to stderr when verbose, else
 * nowhere. */
void load_listen(bool verbose);

/* Loads what a skeleton (as `bpftool gen skeleton` makes it, opened) contains. report:
 * NULL, or called with each program's name, the bytes that it needs of the stack as
 * the verifier gives them ("208+0+64", a number for each function), and how many of
 * these functions have their frame in memory of the CPU instead (-1: not known).
 * -1 with errno and *load. */
int load_object(struct load *, struct bpf_object_skeleton *,
    void (*report)(const char *program, const char *frames, int private));

/* The last line of a verifier's log that is no statistics. "" when there is none.
 * Cut to size. */
void load_last_words(const char *log, char *why, size_t size);

#endif
