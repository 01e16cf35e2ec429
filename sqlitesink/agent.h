/*
 * agent.h - what people call an agent
 *
 * llmparse names it by its user agent, else by its process; but a process is called node,
 * MainThread or codex-x86_64-un. Then the program says more: the script that it runs, or the
 * package that this is in.
 */
#ifndef SQLITESINK_AGENT_H
#define SQLITESINK_AGENT_H

#include "lib/event.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a name is that of a runtime, a thread, or a part of one: not what people say. comm:
 * of the process, which it may just repeat. */
bool agent_is_process(const char *name, size_t n, const char *comm, size_t commlen);

/* By the program's file and its arguments (words[0..n), the first is its own name); at most size
 * bytes with the NUL. False: they say nothing. */
bool agent_name(const char *file, const char *const *words, size_t n, char *to, size_t size);

#endif
