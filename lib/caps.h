/*
 * caps.h - capabilities(7) of a collector: what it lacks, what it may give up
 */
#ifndef CAPS_H
#define CAPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CAPS_BIT(cap) (1ull << (cap))

/* Names of the wanted capabilities that the process does not have, with " and "
 * between them; "" when it has all. wanted: a set of CAPS_BIT. */
const char *caps_missing(uint64_t wanted, char *buf, size_t size);

/* Takes all but these from the bounding set, which only CAP_SETPCAP may do: before another
 * user is become. Without that capability exec gives nothing either way. */
void caps_bound(uint64_t keep);
/* Gives up all but these for good, of all threads started from now on: bounding
 * set, permitted, effective, inheritable and ambient; no new ones by exec. 0, or
 * -1 with errno. */
int caps_keep(uint64_t keep);

/* A user id of our own, which no user of the system has and hardly another process: of
 * those that systemd keeps for services. 0 when we cannot take it, for want of
 * CAP_SETUID, or need not, for we are not root. */
uid_t caps_uid(void);
/* Becomes that user, and keeps all capabilities; the signal at the parent's death stays
 * set. 0, also when there is nothing to do; -1 with errno. */
int caps_leave_root(uid_t);

#endif
