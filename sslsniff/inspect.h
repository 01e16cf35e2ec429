/*
 * inspect.h - runs every finder on one file
 */
#ifndef INSPECT_H
#define INSPECT_H

#include <stddef.h>
#include <stdio.h>

#include "found.h"

struct line_out;

/* Smaller files are inspected about as fast as looked up. */
enum { INSPECT_CACHE_MIN = 4 << 20 };

/* A file with more data is not looked at. */
enum { INSPECT_BYTES = 384 << 20 };

/* On bytes in memory. found is initialised; free it with found_free. */
void inspect_image(struct found *, const void *p, size_t n);

/*
 * On an open file, by a read-only map of what is no hole. Returns 0, or -1 with errno
 * when the file cannot be mapped (found is then empty, and may still be freed). A file
 * that is truncated while it is read gives what was found, or EIO: the SIGBUS of the
 * map is caught for the calling thread. To be called where nothing can be done but
 * this: look.h.
 */
int inspect_fd(struct found *, int fd);

/* What was found, for people and as one "ssl.inspect" line. */
void inspect_text(FILE *, const char *path, const struct found *);
void inspect_json(struct line_out *, const char *path, const struct found *);

#endif
