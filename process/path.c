/*
 * path.c - see path.h
 */
#include <string.h>

#include "path.h"

static size_t
append(char *out, size_t n, const char *p, size_t len)
{
	if (len > PATH_TEXT - n)
		len = PATH_TEXT - n;
	memcpy(out + n, p, len);
	return n + len;
}

size_t
path_dir(const char *path, size_t n)
{
	while (n && path[n - 1] != '/')
		n--;
	return n ? n - 1 : 0;
}

size_t
path_join(char *out, struct text base, struct text root, struct text name, bool *plain)
{
	const char *p = name.p, *end = name.p + name.n;
	size_t n = append(out, 0, base.p, base.n), components = 0;
	bool up = false;

	while (p < end) {
		const char *slash = memchr(p, '/', end - p);
		size_t len = (slash ? slash : end) - p;

		if (len == 2 && p[0] == '.' && p[1] == '.' && components == 0) {
			/* the parent of a directory is exact, without links */
			if (n > root.n)
				n = path_dir(out, n);
		} else if (len > 1 || (len == 1 && *p != '.')) {
			if (len == 2 && p[0] == '.' && p[1] == '.')
				up = true;
			n = append(out, n, "/", 1);
			n = append(out, n, p, len);
			components++;
		}
		p += len + 1;
	}
	*plain = components <= 1 && !up;
	if (n == 0)
		n = append(out, 0, "/", 1);
	return n;
}
