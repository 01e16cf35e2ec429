/* process_path.c - any name joined to a directory: absolute, tidy, within bounds */
#include "process/path.c"
#include <stdint.h>
#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const base[] = { "", "/a", "/jail/b/c", "/jail" };
	static char out[PATH_TEXT];
	bool plain;
	size_t len;
	struct text b, root = { "/jail", 0 };

	if (!n)
		return 0;
	b = (struct text){ base[*p & 3], strlen(base[*p & 3]) };
	root.n = *p & 2 ? 5 : 0;
	len = path_join(out, b, root, (struct text){ (const char *)p + 1, n - 1 }, &plain);
	if (len == 0 || len > PATH_TEXT || out[0] != '/' || (root.n && memcmp(out, "/jail", 5)))
		abort();
	for (size_t i = 1; i < len && len < PATH_TEXT; i++)
		if (out[i - 1] == '/' &&
		    (out[i] == '/' || (out[i] == '.' && (i + 1 == len || out[i + 1] == '/'))))
			abort();
	if (plain && path_dir(out, len) > b.n)
		abort();
	return 0;
}
