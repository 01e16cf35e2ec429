/*
 * spool.h - requests on disk, through restarts
 *
 * One file per request, written before it is sent and removed when a receiver
 * has answered for it. Files are complete or not there (written under another
 * name, then renamed); they survive the end of this process, however it comes,
 * but not necessarily that of the machine: each begins with the length and the
 * CRC-32 of the request, and one that does not fit them is not given back. One
 * process at a time uses a directory.
 */
#ifndef OTEL_SPOOL_H
#define OTEL_SPOOL_H

#include "otelsink/batch.h"

struct spool;
/* Makes the directory (0700) when it is not there. NULL: errno, EWOULDBLOCK when
 * another process uses it. max: bytes of all files. */
struct spool *spool_open(const char *dir, uint64_t max);
void spool_close(struct spool *);

/* Calls found for what is there, oldest first; the requests become the callee's.
 * -1: errno. */
int spool_scan(struct spool *, void (*found)(void *arg, struct request *), void *arg);

/* Puts the body on disk and frees it. -1: errno, EFBIG when max is reached;
 * the request is as it was. Thread-safe, as are those below. */
int spool_put(struct spool *, struct request *);
/* Reads it back. -1: errno, EBADMSG when the file is damaged. */
int spool_load(struct spool *, struct request *);
void spool_remove(struct spool *, struct request *);

#endif
