/*
 * args.h - the arguments of a program, from one string per argument to JSON
 */
#ifndef ARGS_H
#define ARGS_H

#include <stddef.h>

struct jput;

/* Writes the array argv of the NUL-ended strings in p[0..n); argv_b64, all in
 * base64, when one of them is not UTF-8. A last string without its NUL counts. */
void args_put(struct jput *, const char *p, size_t n);

#endif
