/* nearest.c - see nearest.h */
#include "nearest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_LEN = 64 };

static int
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Row i of the table is the distance of the first i letters of a to all starts of b. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[3][NAME_MAX_LEN + 1], la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
		return NAME_MAX_LEN + 1;
	for (size_t k = 0; k <= lb; k++)
		row[0][k] = k;
	for (size_t i = 1; i <= la; i++) {
		size_t *at = row[i % 3], *up = row[(i + 2) % 3], *upper = row[(i + 1) % 3];

		at[0] = i;
		for (size_t k = 1; k <= lb; k++) {
			at[k] = least(least(up[k], at[k - 1]) + 1,
			    up[k - 1] + !same(a[i - 1], b[k - 1]));
			if (i > 1 && k > 1 && same(a[i - 1], b[k - 2]) && same(a[i - 2], b[k - 1]))
				at[k] = least(at[k], upper[k - 2] + 1);
		}
	}
	return row[la % 3][lb];
}

const char *
nearest_name(const char *wrong, const char *const *names, size_t n)
{
	size_t best = strlen(wrong) / 3 + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(wrong, names[i]), len = strlen(wrong);

		/* the beginning of a name is meant as that name */
		if (len >= 2 && len < strlen(names[i]) && !strncasecmp(wrong, names[i], len))
			d = 1;
		if (d < best || (d == best && !found && d < strlen(names[i]))) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
