/*
 * cache.h - what was found in a file, kept for the next run
 *
 * One small file per inspected file in /var/cache/agentsight, which root fills and
 * anybody may read, else in $XDG_CACHE_HOME/agentsight or ~/.cache/agentsight, directory
 * 0700, files 0600; ours first. They are replaced atomically. At most 4096 files: two
 * that share a slot replace
 * each other. An entry counts only when it is whole and device, inode, size, mtime and
 * ctime are the same; who loads one then looks whether its sites still are what they
 * were (look.h). A file that has just been changed is not kept, for it could be changed
 * again within the same tick of the clock. A directory that belongs to somebody else or that
 * others may write to is not used.
 */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct find_site;
struct found;

/* Fills found from the cache. False (found is empty) when there is nothing valid. */
bool cache_load(struct found *, const struct stat *);

/* Keeps found; no error is reported, the cache is only a help. */
void cache_store(const struct found *, const struct stat *);

/* Both on a buffer, for tests and the fuzzer. pack returns malloc'd bytes or NULL;
 * unpack checks everything but the file system. */
void *cache_pack(const struct found *, const struct stat *, size_t *n);
bool cache_unpack(struct found *, const void *, size_t n, const struct stat *);

/* Whether the numbers and texts of a site are some that there are. */
bool cache_site_valid(const struct find_site *);

#endif
