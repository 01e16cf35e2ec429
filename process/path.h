/*
 * path.h - makes what a call was given into an absolute path, by text alone
 */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stddef.h>

enum { PATH_TEXT = 16384 };	/* room for any path that the kernel side hands over */

struct text {
	const char *p;
	size_t n;
};

/* base is an absolute path without symbolic links ("" for "/"), name what the
 * call says, starting from it. Empty components and "." go; each ".." at the
 * beginning of name takes a component of base away, but not above root; a ".."
 * behind other components stays, for only the file system knows where it
 * leads. out holds PATH_TEXT bytes; the length is returned, no NUL is written.
 * *plain: name is one last component at most, so that nothing is left to
 * resolve. */
size_t path_join(char *out, struct text base, struct text root, struct text name, bool *plain);

/* The length of the directory part of an absolute path: 0 for "/x". */
size_t path_dir(const char *path, size_t n);

#endif
